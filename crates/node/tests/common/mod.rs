//! Two engines in this process, paired.
#![allow(dead_code, reason = "not every test uses all of it")]

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tieline_node::model::{HostKind, OnFailure, RouteChoice, SendCommand, SendOutcome};
use tieline_node::{Node, NodeConfig, VaultChoice};

pub(crate) struct Pair {
    pub(crate) mac: Node,
    pub(crate) wsl: Node,
    pub(crate) homes: (tempfile::TempDir, tempfile::TempDir),
}

pub(crate) async fn start(home: &Path, name: &str) -> Node {
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

pub(crate) async fn pair(keep: bool) -> Pair {
    let homes = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mac = start(homes.0.path(), "mac").await;
    let wsl = start(homes.1.path(), "wsl").await;
    let link = mac.create_invite(None).await.unwrap().link.unwrap();
    wsl.join(&link).await.unwrap();
    if keep {
        mac.keep("wsl").await.unwrap();
    }
    Pair { mac, wsl, homes }
}

/// Sends a payload and expects it to be stored there.
pub(crate) async fn send(from: &Node, to: &str, payload: Value) -> SendOutcome {
    let payload: Map<String, Value> = payload.as_object().unwrap().clone();
    let command = SendCommand {
        to: to.into(),
        payload,
        route: RouteChoice::Auto,
        message_id: None,
        on_failure: OnFailure::Queue,
    };
    match from.send(command).await {
        Ok(outcome) => outcome,
        Err(failure) => panic!("{}", failure.problem),
    }
}

pub(crate) async fn send_text(from: &Node, to: &str, text: &str) -> SendOutcome {
    send(from, to, json!({"type": "text", "text": text})).await
}

/// Looks until something is there.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            began.elapsed() < Duration::from_secs(90),
            "it did not happen: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether a process runs, and is more than a record of its end.
pub(crate) fn alive(pid: &str) -> bool {
    let state = std::process::Command::new("ps")
        .args(["-o", "stat=", "-p", pid.trim()])
        .output()
        .unwrap();
    let state = String::from_utf8(state.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

/// A program of a few lines in a file of its own.
pub(crate) fn script(directory: &Path, name: &str, lines: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    path.to_str().unwrap().to_owned()
}
