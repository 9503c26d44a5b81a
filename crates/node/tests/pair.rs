//! Two engines on loopback: paired by link and by swapped cards, they exchange messages.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::start;
use std::time::Duration;

use tieline_node::Node;
use tieline_node::model::{AddPeer, MessageQuery, OnFailure, RouteChoice, SendCommand};

fn text(to: &str, text: &str) -> SendCommand {
    let payload = serde_json::json!({"type": "text", "text": text});
    SendCommand {
        to: to.to_owned(),
        payload: payload.as_object().unwrap().clone(),
        route: RouteChoice::Auto,
        message_id: None,
        on_failure: OnFailure::Fail,
    }
}

async fn received(node: &Node) -> Vec<String> {
    let query = MessageQuery {
        direction: Some("in".into()),
        after: Some(0),
        ..Default::default()
    };
    let page = node
        .wait_messages(query, Duration::from_secs(10))
        .await
        .unwrap();
    page.messages
        .into_iter()
        .filter_map(|message| message.text)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_pair_by_link_and_exchange_messages_both_ways() {
    let (a_home, b_home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let a = start(a_home.path(), "mac").await;
    let b = start(b_home.path(), "wsl-box").await;
    let link = a.create_invite(None).await.unwrap().link.unwrap();
    let joined = b.join(&link).await.unwrap();
    assert_eq!(joined.peer.name, "mac");
    assert!(joined.ping_out.is_some(), "{:?}", joined.ping_out_problem);
    assert!(joined.ping_in.unwrap().ok);
    let sent = b.send(text("mac", "hello")).await.unwrap();
    assert_eq!(
        (sent.status.as_str(), sent.evidence.as_str()),
        ("delivered", "signed")
    );
    assert_eq!(received(&a).await, ["hello"]);
    a.keep("wsl-box").await.unwrap();
    let back = a.send(text("wsl", "and back")).await.unwrap();
    assert_eq!(back.status, "delivered");
    assert_eq!(received(&b).await, ["and back"]);
    let detail = a.message(&back.message_id).await.unwrap();
    assert_eq!((detail.attempts.len(), detail.receipts.len()), (1, 1));
    b.acknowledge(&back.message_id, None).await.unwrap();
    for _ in 0..100 {
        if a.message(&back.message_id)
            .await
            .unwrap()
            .message
            .acknowledged_at
            .is_some()
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(
        a.message(&back.message_id)
            .await
            .unwrap()
            .message
            .acknowledged_at
            .is_some()
    );
    // The link was used up.
    let c_home = tempfile::tempdir().unwrap();
    let c = start(c_home.path(), "third").await;
    assert_eq!(
        c.join(&link).await.unwrap_err().code.to_string(),
        "INVITE_USED"
    );
    for node in [a, b, c] {
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_pair_by_swapped_cards() {
    let (a_home, b_home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let a = start(a_home.path(), "mac").await;
    let b = start(b_home.path(), "wsl-box").await;
    let card = |node: &Node| String::from_utf8(node.card().unwrap().to_json()).unwrap();
    a.add_peer(AddPeer {
        card: Some(card(&b)),
        ..Default::default()
    })
    .await
    .unwrap();
    let refused = a.send(text("wsl-box", "too early")).await.unwrap_err();
    assert_eq!(refused.status.as_deref(), Some("failed"));
    b.add_peer(AddPeer {
        card: Some(card(&a)),
        ..Default::default()
    })
    .await
    .unwrap();
    let (x, y) = tokio::join!(a.send(text("wsl-box", "one")), b.send(text("mac", "two")));
    // Both make the pair's token at once; one of the two counts, and neither message fails.
    assert_eq!(x.unwrap().status, "delivered");
    assert_eq!(y.unwrap().status, "delivered");
    assert_eq!(
        a.send(text("wsl-box", "three")).await.unwrap().status,
        "delivered"
    );
    assert_eq!(
        b.send(text("mac", "four")).await.unwrap().status,
        "delivered"
    );
    for node in [a, b] {
        node.shutdown().await;
    }
}
