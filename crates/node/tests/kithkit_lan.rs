//! What the listener for KithKit machines asks of the vault, and what it believes without it.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use serde_json::json;
use tieline_node::model::{AddPeer, HostKind, KithkitLan, KithkitPeer, LanPosture};
use tieline_node::{Node, NodeConfig, VaultChoice};
use tieline_wire::kithkit::sign;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SECRET: &str = "credential-agent-comms-secret";

/// A node with a KithKit peer, listening.
async fn listening(home: &Path, posture: LanPosture) -> (Node, String) {
    let config = NodeConfig {
        home: home.to_owned(),
        name: Some("mac".into()),
        peer_addr: "127.0.0.1:0".parse().unwrap(),
        vault: VaultChoice::File {
            passphrase_file: None,
        },
        host: HostKind::Serve,
        version: "0.0.0",
    };
    let node = Node::start(config).await.unwrap();
    node.set_secret(SECRET, "shared").await.unwrap();
    let peer = KithkitPeer {
        name: "bmo".into(),
        host: "127.0.0.1".into(),
        port: 1,
        ip: None,
    };
    let add = AddPeer {
        kithkit: Some(peer),
        ..AddPeer::default()
    };
    node.add_peer(add).await.unwrap();
    let lan = KithkitLan {
        bind: "127.0.0.1".parse().unwrap(),
        port: 0,
        posture,
    };
    node.set_kithkit_lan(Some(lan)).await.unwrap();
    let address = node.kithkit_lan().await.unwrap().address.unwrap();
    (node, address)
}

fn message(id: &str) -> String {
    json!({"from": "bmo", "type": "text", "text": "hello", "messageId": id,
        "timestamp": "2026-01-01T00:00:00.000Z"})
    .to_string()
}

/// The status and the text of the answer.
async fn post(address: &str, body: &str, signature: Option<&str>) -> (u16, String) {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    let signature = signature.map_or(String::new(), |signature| {
        format!("x-signature: {signature}\r\n")
    });
    let request = format!(
        "POST /agent/message HTTP/1.1\r\nhost: mac\r\ncontent-type: application/json\r\n\
         {signature}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.unwrap();
    (answer[9..12].parse().unwrap(), answer)
}

#[tokio::test]
async fn a_changed_secret_counts_at_once() {
    let home = tempfile::tempdir().unwrap();
    let (node, lan) = listening(home.path(), LanPosture::Enforce).await;
    let body = message("m-1");
    let by = |secret: &str| sign(secret.as_bytes(), body.as_bytes());
    assert_eq!(post(&lan, &body, Some(&by("shared"))).await.0, 200);
    node.set_secret(SECRET, "another").await.unwrap();
    assert_eq!(post(&lan, &body, Some(&by("shared"))).await.0, 401);
    assert_eq!(post(&lan, &body, Some(&by("another"))).await.0, 200);
    node.delete_secret(SECRET).await.unwrap();
    assert_eq!(post(&lan, &body, Some(&by("another"))).await.0, 401);
    node.shutdown().await;
}

#[tokio::test]
async fn the_vault_is_asked_only_about_signatures_and_rarely() {
    let home = tempfile::tempdir().unwrap();
    let vault = home.path().join("vault.sealed");
    let (node, lan) = listening(home.path(), LanPosture::Enforce).await;
    let body = message("m-1");
    let good = sign(b"shared", body.as_bytes());
    assert_eq!(post(&lan, &body, Some(&good)).await.0, 200);
    // From here on, whoever asks the vault gets an error.
    std::fs::write(&vault, "nothing that opens").unwrap();
    let (status, answer) = post(&lan, &body, None).await;
    assert!(
        status == 401 && answer.contains("Signature required"),
        "{answer}"
    );
    let (status, answer) = post(&lan, &body, Some("00")).await;
    assert!(
        status == 401 && answer.contains("Invalid signature"),
        "{answer}"
    );
    assert_eq!(post(&lan, &body, Some(&good)).await.0, 200);
    node.shutdown().await;
}

#[tokio::test]
async fn a_signature_that_cannot_be_checked_is_not_taken_for_none() {
    let home = tempfile::tempdir().unwrap();
    let vault = home.path().join("vault.sealed");
    let (node, lan) = listening(home.path(), LanPosture::Permissive).await;
    std::fs::write(&vault, "nothing that opens").unwrap();
    let (status, answer) = post(&lan, &message("m-1"), Some(&"0".repeat(64))).await;
    assert!(status == 401 && answer.contains("unavailable"), "{answer}");
    assert_eq!(post(&lan, &message("m-2"), None).await.0, 200);
    let open = node.message("m-2").await.unwrap().message;
    assert_eq!(open.assurance.as_deref(), Some("unauthenticated"));
    node.message("m-1").await.unwrap_err();
    node.shutdown().await;
}
