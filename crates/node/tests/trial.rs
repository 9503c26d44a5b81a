//! *Try it here* with two whole nodes: paired, unplugged, plugged in again, and gone.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::time::Duration;

use tieline_node::model::{
    DirectionState, HostKind, MessageQuery, OnFailure, RouteChoice, SendCommand, TrialState,
};
use tieline_node::{Node, NodeConfig, VaultChoice};
use tieline_wire::problem::Code;

fn config(home: &Path, addr: &str) -> NodeConfig {
    NodeConfig {
        home: home.to_owned(),
        name: Some("mac".to_owned()),
        peer_addr: addr.parse().unwrap(),
        vault: VaultChoice::File {
            passphrase_file: None,
        },
        host: HostKind::Serve,
        version: "0.0.0",
    }
}

fn say(to: &str, text: &str) -> SendCommand {
    let payload = serde_json::json!({"type": "text", "text": text});
    SendCommand {
        to: to.to_owned(),
        payload: payload.as_object().unwrap().clone(),
        route: RouteChoice::Auto,
        message_id: None,
        on_failure: OnFailure::Queue,
    }
}

/// Waits until the message is in this state.
async fn reaches(node: &Node, id: &str, state: &str) {
    for _ in 0..200 {
        if node.message(id).await.unwrap().message.state == state {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{id} is {:?}", node.message(id).await.unwrap().message);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_waits_while_the_visitor_is_unplugged_and_arrives_when_it_is_back() {
    let home = tempfile::tempdir().unwrap();
    // Every interface, as people run it: the second node must reach this one over loopback.
    let node = Node::start(config(home.path(), "0.0.0.0:0")).await.unwrap();
    node.set_api_addr("127.0.0.1:3847".parse().unwrap());
    assert_eq!(node.trial().await.state, TrialState::Off);
    assert_eq!(
        node.unplug_trial().await.unwrap_err().code,
        Code::InvalidRequest
    );

    let trial = node.start_trial().await.unwrap();
    let name = trial.peer.clone().unwrap();
    assert_eq!(trial.state, TrialState::Running);
    let command = trial.command.unwrap();
    assert!(command.contains("http://127.0.0.1:3847/api/a2a/send") && command.contains(&name));
    let peer = node.peer(&name).await.unwrap();
    assert!(peer.trial);
    assert_eq!(node.status().await.unwrap().counts.peers, 0);
    assert_eq!(peer.line.out.state, DirectionState::Ok);
    assert_eq!(
        node.send(say(&name, "one")).await.unwrap().status,
        "delivered"
    );

    let unplugged = node.unplug_trial().await.unwrap();
    assert_eq!(unplugged.state, TrialState::Unplugged);
    let address = unplugged.address.unwrap();
    assert!(
        std::net::TcpStream::connect(&address).is_err(),
        "{address} still listens"
    );
    let broken = node.peer(&name).await.unwrap().line.out;
    assert_eq!(broken.state, DirectionState::Failed);
    assert_eq!(broken.problem.unwrap().code, Code::ConnectRefused);
    let queued = node.send(say(&name, "two")).await.unwrap();
    assert_eq!(queued.status, "queued");

    let back = node.plug_trial().await.unwrap();
    assert_eq!(
        (back.state, back.address.as_deref()),
        (TrialState::Running, Some(address.as_str()))
    );
    reaches(&node, &queued.message_id, "delivered").await;
    assert_eq!(
        node.peer(&name).await.unwrap().line.out.state,
        DirectionState::Ok
    );

    node.end_trial().await.unwrap();
    assert_eq!(node.trial().await.state, TrialState::Off);
    assert!(node.peers().await.unwrap().is_empty());
    assert!(
        node.messages(MessageQuery::default())
            .await
            .unwrap()
            .messages
            .is_empty()
    );
    assert!(!home.path().join("trial").exists());
    // And once more, under the same name.
    assert_eq!(node.start_trial().await.unwrap().peer, Some(name));
    node.shutdown().await;
    assert!(!home.path().join("trial").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_a_trial_survives_a_start_after_a_kill() {
    let home = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let node = Node::start(config(home.path(), "127.0.0.1:0"))
        .await
        .unwrap();
    let name = node.start_trial().await.unwrap().peer.unwrap();
    node.send(say(&name, "one")).await.unwrap();
    // What a kill leaves on the disk.
    copy_all(home.path(), copy.path());
    assert!(copy.path().join("trial").exists());
    node.shutdown().await;
    drop(node);

    let again = Node::start(config(copy.path(), "127.0.0.1:0"))
        .await
        .unwrap();
    assert!(again.peers().await.unwrap().is_empty());
    assert!(
        again
            .messages(MessageQuery::default())
            .await
            .unwrap()
            .messages
            .is_empty()
    );
    assert!(!copy.path().join("trial").exists());
    again.shutdown().await;
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &target);
        } else if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
