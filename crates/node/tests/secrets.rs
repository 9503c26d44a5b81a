//! Secrets come out only on an order of their own; the API token is replaced for good.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

use tieline_node::model::HostKind;
use tieline_node::{Node, NodeConfig, VaultChoice};
use tieline_wire::problem::Code;

async fn start(home: &Path) -> Node {
    Node::start(NodeConfig {
        home: home.to_owned(),
        name: Some("mac".to_owned()),
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_shown_to_whoever_asks_for_it_by_name_and_rotated() {
    let home = tempfile::tempdir().unwrap();
    let node = start(home.path()).await;
    assert_eq!(
        node.reveal_secret("agent-key").await.unwrap_err().code,
        Code::SecretNotFound
    );
    // The node's own items are not reached by this name.
    assert_eq!(
        node.reveal_secret("identity").await.unwrap_err().code,
        Code::SecretNotFound
    );
    node.set_secret("agent-key", "first").await.unwrap();
    assert_eq!(*node.reveal_secret("agent-key").await.unwrap(), "first");
    assert!(node.secrets().await.unwrap()[0].rotated_at.is_none());
    node.set_secret("agent-key", "second").await.unwrap();
    assert_eq!(*node.reveal_secret("agent-key").await.unwrap(), "second");
    let listed = node.secrets().await.unwrap();
    assert!(listed[0].rotated_at.is_some());
    assert!(!format!("{listed:?}").contains("second"));
    node.delete_secret("agent-key").await.unwrap();
    assert!(node.reveal_secret("agent-key").await.is_err());
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replaced_api_token_stays_replaced() {
    let home = tempfile::tempdir().unwrap();
    let node = start(home.path()).await;
    let first = node.api_token();
    let second = node.rotate_api_token().await.unwrap();
    assert_ne!(first, second);
    assert_eq!(node.api_token(), second);
    node.shutdown().await;
    drop(node);
    let again = start(home.path()).await;
    assert_eq!(again.api_token(), second);
    again.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_from_before_brings_no_earlier_api_token_back() {
    let home = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let database = home.path().join("tieline.db");
    let node = start(home.path()).await;
    let mut earlier = vec![node.api_token()];
    node.shutdown().await;
    drop(node);
    std::fs::copy(&database, copy.path().join("tieline.db")).unwrap();
    let node = start(home.path()).await;
    for _ in 0..2 {
        earlier.push(node.rotate_api_token().await.unwrap());
    }
    node.shutdown().await;
    drop(node);
    for put_back in [true, false] {
        for file in ["tieline.db", "tieline.db-wal", "tieline.db-shm"] {
            let _ = std::fs::remove_file(home.path().join(file));
        }
        if put_back {
            std::fs::copy(copy.path().join("tieline.db"), &database).unwrap();
        }
        let node = start(home.path()).await;
        let token = node.api_token();
        assert!(!earlier.contains(&token), "put back: {put_back}");
        earlier.push(token);
        let next = node.rotate_api_token().await.unwrap();
        assert!(!earlier.contains(&next), "put back: {put_back}");
        earlier.push(next.clone());
        node.shutdown().await;
        drop(node);
        let again = start(home.path()).await;
        assert_eq!(again.api_token(), next);
        again.shutdown().await;
        drop(again);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_token_opened_ends_when_it_is_replaced_or_demanded_everywhere() {
    let home = tempfile::tempdir().unwrap();
    let node = start(home.path()).await;
    let open = node.api_admission();
    node.set_secret("agent-key", "first").await.unwrap();
    assert!(!open.is_cancelled());
    node.rotate_api_token().await.unwrap();
    assert!(open.is_cancelled());
    let open = node.api_admission();
    assert!(!open.is_cancelled());
    let demanded = serde_json::json!({"requireToken": true});
    let demanded = demanded.as_object().unwrap().clone();
    node.change_preferences(demanded).await.unwrap();
    assert!(open.is_cancelled() && !node.api_admission().is_cancelled());
    node.shutdown().await;
}
