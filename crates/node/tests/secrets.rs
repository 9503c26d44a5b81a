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
