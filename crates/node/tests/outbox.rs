//! What a person orders about messages in the outbox, and the lists that show them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tieline_node::model::{
    DeliveryQuery, DeliveryView, HostKind, MessageQuery, OnFailure, RouteChoice, SendCommand,
};
use tieline_node::{Node, NodeConfig, VaultChoice};

async fn start(home: &Path, name: &str, peer_addr: SocketAddr) -> Node {
    Node::start(NodeConfig {
        home: home.to_owned(),
        name: Some(name.to_owned()),
        peer_addr,
        vault: VaultChoice::File {
            passphrase_file: None,
        },
        host: HostKind::Serve,
        version: "0.0.0",
    })
    .await
    .unwrap()
}

fn message(text: &str, on_failure: OnFailure) -> SendCommand {
    let payload = serde_json::json!({"type": "text", "text": text});
    SendCommand {
        to: "box".to_owned(),
        payload: payload.as_object().unwrap().clone(),
        route: RouteChoice::Auto,
        message_id: None,
        on_failure,
    }
}

async fn listed(node: &Node, query: DeliveryQuery) -> Vec<DeliveryView> {
    node.deliveries(query).await.unwrap().deliveries
}

async fn texts_at(node: &Node) -> Vec<String> {
    let page = node.messages(MessageQuery {
        direction: Some("in".into()),
        after: Some(0),
        ..Default::default()
    });
    let messages = page.await.unwrap().messages;
    messages
        .into_iter()
        .filter_map(|message| message.text)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_messages_are_tried_or_cancelled_and_only_failed_ones_sent_again() {
    let any = "127.0.0.1:0".parse().unwrap();
    let (mac_home, box_home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mac = start(mac_home.path(), "mac", any).await;
    let there = start(box_home.path(), "box", any).await;
    let link = there.create_invite(None).await.unwrap().link.unwrap();
    mac.join(&link).await.unwrap();
    there.keep("mac").await.unwrap();
    let delivered = mac.send(message("one", OnFailure::Fail)).await.unwrap();
    let address = there.status().await.unwrap().peer_addr.parse().unwrap();
    there.shutdown().await;
    // The home is free once nothing holds the engine any more.
    drop(there);

    let lost = mac.send(message("lost", OnFailure::Fail)).await;
    let lost = lost.unwrap_err().message_id.unwrap();
    let waiting = mac
        .send(message("waiting", OnFailure::Queue))
        .await
        .unwrap();
    let unwanted = mac
        .send(message("unwanted", OnFailure::Queue))
        .await
        .unwrap();
    assert_eq!(waiting.status, "queued");

    let code = |problem: tieline_wire::problem::Problem| problem.code.to_string();
    for id in [&delivered.message_id, &lost] {
        assert_eq!(code(mac.try_now(id).await.unwrap_err()), "TOO_LATE");
        assert_eq!(code(mac.cancel(id).await.unwrap_err()), "TOO_LATE");
    }
    for id in [&delivered.message_id, &waiting.message_id] {
        let refused = mac.send_again(id).await.unwrap_err();
        assert_eq!(code(refused.problem), "TOO_LATE");
    }
    assert_eq!(
        code(mac.try_now("nothing").await.unwrap_err()),
        "MESSAGE_NOT_FOUND"
    );

    // The lane may be trying it at this moment; then it can be cancelled a moment later.
    let cancelled = loop {
        match mac.cancel(&unwanted.message_id).await {
            Ok(message) => break message,
            Err(problem) => assert_eq!(code(problem), "TOO_LATE"),
        }
    };
    assert_eq!(cancelled.state, "failed");
    assert_eq!(cancelled.problem.unwrap().code.to_string(), "CANCELLED");

    let there = start(box_home.path(), "box", address).await;
    // Refused only where the lane was quicker.
    let _ = mac.try_now(&waiting.message_id).await;
    let again = mac.send_again(&lost).await.unwrap();
    assert_ne!(again.message_id, lost);
    let signed = DeliveryQuery {
        evidence: Some("signed".into()),
        ..Default::default()
    };
    let mut delivered = Vec::new();
    for _ in 0..200 {
        delivered = listed(&mac, signed.clone()).await;
        if delivered.len() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(delivered.len(), 3);
    let mut arrived = texts_at(&there).await;
    arrived.sort();
    assert_eq!(arrived, ["lost", "one", "waiting"]);

    let all = listed(&mac, DeliveryQuery::default()).await;
    assert_eq!(all.len(), 5);
    assert!(
        all.iter()
            .all(|one| one.attempt_count as usize >= one.attempts.len())
    );
    let by_state = |state: &str| DeliveryQuery {
        state: Some(state.into()),
        ..Default::default()
    };
    assert_eq!(listed(&mac, by_state("failed")).await.len(), 2);
    // Each message arrived by one try; one that had to dial tells every phase, one over a line that
    // was open already only the last.
    let arrived = delivered
        .iter()
        .flat_map(|one| &one.attempts)
        .filter(|attempt| attempt.status == "success")
        .map(|attempt| {
            attempt
                .timings
                .clone()
                .expect("a try that arrived took time")
        })
        .collect::<Vec<_>>();
    assert_eq!(arrived.len(), 3);
    for timings in &arrived {
        assert!(timings.store_ms.is_some(), "{timings:?}");
        let dialled = timings.connect_ms.is_some();
        assert_eq!(timings.tls_ms.is_some(), dialled, "{timings:?}");
        assert!(!dialled || timings.auth_ms.is_some(), "{timings:?}");
    }
    let relayed = DeliveryQuery {
        over: Some("relay".into()),
        ..Default::default()
    };
    assert!(listed(&mac, relayed).await.is_empty());
    let page = DeliveryQuery {
        limit: Some(2),
        ..Default::default()
    };
    let page = mac.deliveries(page).await.unwrap();
    let before = DeliveryQuery {
        before: page.next,
        ..Default::default()
    };
    assert_eq!(listed(&mac, before).await.len(), 3);

    let conversations = mac.conversations().await.unwrap();
    assert_eq!(conversations.len(), 1);
    assert_eq!(conversations[0].peer, "box");
    let last = conversations[0].last.as_ref().unwrap();
    assert_eq!(last.text.as_deref(), Some("lost"));
    for node in [mac, there] {
        node.shutdown().await;
    }
}
