//! Preferences take effect: on routes, on what is kept, and after a restart.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use serde_json::{Value, json};
use tieline_node::model::{
    HostKind, MessageQuery, OnFailure, RouteChoice, RouteOrder, SendCommand, SendOutcome,
};
use tieline_node::{Node, NodeConfig, VaultChoice};

async fn start(home: &Path, name: &str) -> Node {
    Node::start(NodeConfig {
        home: home.to_owned(),
        name: Some(name.to_owned()),
        peer_addr: "127.0.0.1:0".parse().unwrap(),
        vault: VaultChoice::File {
            passphrase_file: None,
        },
        host: HostKind::Serve,
        version: "0.0.0",
    })
    .await
    .unwrap()
}

async fn pair(inviter: &Node, joiner: &Node) {
    let link = inviter.create_invite(None).await.unwrap().link.unwrap();
    joiner.join(&link).await.unwrap();
    inviter.keep(&joiner.own_name()).await.unwrap();
}

async fn change(node: &Node, patch: Value) {
    let patch = patch.as_object().unwrap().clone();
    node.change_preferences(patch).await.unwrap();
}

async fn send(node: &Node, to: &str, route: RouteChoice) -> SendOutcome {
    let payload = json!({"type": "text", "text": "hello"});
    let command = SendCommand {
        to: to.to_owned(),
        payload: payload.as_object().unwrap().clone(),
        route,
        message_id: None,
        on_failure: OnFailure::Fail,
    };
    node.send(command).await.unwrap()
}

fn tried(outcome: &SendOutcome) -> Vec<(&str, &str)> {
    let attempts = outcome.attempts.iter();
    attempts
        .map(|attempt| (attempt.route.as_str(), attempt.status.as_str()))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_route_order_holds_for_auto_and_survives_a_restart() {
    let (a_home, b_home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let a = start(a_home.path(), "mac").await;
    let b = start(b_home.path(), "wsl-box").await;
    pair(&a, &b).await;
    let sent = send(&b, "mac", RouteChoice::Auto).await;
    assert_eq!(tried(&sent), [("lan", "success")]);

    change(&b, json!({"routeOrder": "relayFirst"})).await;
    b.shutdown().await;
    drop(b);
    let b = start(b_home.path(), "wsl-box").await;

    assert_eq!(b.preferences().route_order, RouteOrder::RelayFirst);
    let sent = send(&b, "mac", RouteChoice::Auto).await;
    assert_eq!(sent.status, "delivered");
    assert_eq!(tried(&sent), [("relay", "failed"), ("lan", "success")]);
    assert_eq!(sent.attempts[0].code.as_deref(), Some("RELAY_UNAVAILABLE"));
    let forced = send(&b, "mac", RouteChoice::Lan).await;
    assert_eq!(tried(&forced), [("lan", "success")]);
    for node in [a, b] {
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_past_its_retention_time_goes_and_what_is_younger_stays() {
    let (a_home, b_home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let a = start(a_home.path(), "mac").await;
    let b = start(b_home.path(), "wsl-box").await;
    pair(&a, &b).await;
    let old = send(&b, "mac", RouteChoice::Auto).await.message_id;
    let young = send(&b, "mac", RouteChoice::Auto).await.message_id;
    b.shutdown().await;
    drop(b);
    let database = rusqlite::Connection::open(b_home.path().join("tieline.db")).unwrap();
    let aged = database.execute(
        "UPDATE messages SET created_at = created_at - 31 * 86400000 WHERE message_id = ?1",
        [&old],
    );
    assert_eq!(aged.unwrap(), 1);
    drop(database);
    let b = start(b_home.path(), "wsl-box").await;
    let texts = async |node: &Node| -> Vec<(String, bool)> {
        let page = node.messages(MessageQuery::default()).await.unwrap();
        let mut messages = page.messages;
        messages.sort_by_key(|message| message.seq);
        messages
            .into_iter()
            .map(|message| (message.message_id, message.payload.is_some()))
            .collect()
    };

    change(&b, json!({"retentionDays": 32})).await;
    assert_eq!(
        texts(&b).await,
        [(old.clone(), true), (young.clone(), true)]
    );
    change(&b, json!({"retentionDays": 30})).await;
    assert_eq!(texts(&b).await, [(old, false), (young, true)]);
    for node in [a, b] {
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_muted_peer_stays_muted_until_it_is_not() {
    let (a_home, b_home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let a = start(a_home.path(), "mac").await;
    let b = start(b_home.path(), "wsl-box").await;
    pair(&a, &b).await;
    assert!(!b.peer("mac").await.unwrap().muted);
    assert!(b.set_muted("mac", true).await.unwrap().muted);
    b.shutdown().await;
    drop(b);
    let b = start(b_home.path(), "wsl-box").await;
    assert!(b.peer("mac").await.unwrap().muted);
    assert!(!b.set_muted("mac", false).await.unwrap().muted);
    let unknown = b.set_muted("nobody", true).await.unwrap_err();
    assert_eq!(unknown.code.to_string(), "PEER_NOT_FOUND");
    for node in [a, b] {
        node.shutdown().await;
    }
}
