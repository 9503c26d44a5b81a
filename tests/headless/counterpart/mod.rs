//! A counterpart in another language, written from the protocols' descriptions alone
//! (`tests/counterpart`), against real nodes: it asks, is asked, and exchanges LAN messages.

mod asked;
mod asks;
mod files;
mod kithkit;
mod kithkit_refusals;
mod refusals;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::wait::until;
use crate::harness::{Machine, skip};

/// The counterpart's process.
pub(super) struct Counterpart {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Counterpart {
    /// Starts it; `None`, noted as skipped, where there is no Node.js.
    pub(super) fn start() -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/counterpart/main.mjs");
        let started = Command::new("node")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = started else {
            skip("Node.js is needed for the counterpart");
            return None;
        };
        let orders = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Some(Self {
            child,
            orders,
            answers,
        })
    }

    /// Gives it an order, and the answer or its words for why there is none.
    #[track_caller]
    pub(super) fn try_order(&mut self, what: &str, mut order: Value) -> Result<Value, String> {
        order["do"] = what.into();
        writeln!(self.orders, "{order}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let mut answer: Value = serde_json::from_str(&line).expect("the counterpart answers");
        match answer.get("error") {
            Some(error) => Err(error.as_str().unwrap().to_owned()),
            None => Ok(answer["ok"].take()),
        }
    }

    #[track_caller]
    pub(super) fn order(&mut self, what: &str, order: Value) -> Value {
        let given = order.clone();
        match self.try_order(what, order) {
            Ok(answer) => answer,
            Err(error) => panic!("{what} {given}: {error}"),
        }
    }

    /// Makes an abTARS machine with its keys.
    #[track_caller]
    pub(super) fn machine(&mut self, name: &str) -> Value {
        self.order("machine", json!({ "name": name }))
    }

    /// What a server of it was asked since the last time.
    #[track_caller]
    pub(super) fn asked(&mut self, server: &Value) -> Vec<Value> {
        let asked = self.order("asked", json!({"server": server["server"]}));
        asked.as_array().unwrap().clone()
    }
}

impl Drop for Counterpart {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A node as an entry of the counterpart's peers, with a shared token or without.
pub(super) fn entry_of(node: &Machine, token: Option<&str>) -> Value {
    let own = node.tieline(["abtars", "--json"]).success().json();
    let mut entry = json!({
        "name": own["name"],
        "host": "127.0.0.1",
        "port": node.peer_addr().port(),
        "verifyKey": own["verifyKey"],
        "certFingerprint": own["certFingerprint"],
        "certPem": own["certPem"],
    });
    if let Some(token) = token {
        entry["token"] = token.into();
    }
    entry
}

/// A machine of the counterpart as an entry of a `peers.json`.
pub(super) fn entry_for(keys: &Value, port: u64, token: Option<&str>) -> Value {
    let mut entry = json!({
        "host": "127.0.0.1",
        "port": port,
        "verifyKey": keys["verifyKey"],
        "certFingerprint": keys["fingerprint"],
        "certPem": keys["certPem"],
    });
    if let Some(token) = token {
        entry["token"] = token.into();
    }
    entry
}

/// Adds a machine of the counterpart to a node.
#[track_caller]
pub(super) fn add(node: &Machine, name: &str, entry: &Value) -> Value {
    let pasted = json!({ name: entry }).to_string();
    node.tieline_with_stdin(["--json", "peers", "add", "-"], &pasted)
        .success()
        .json()
}

/// What answers an ask: the program that turns letters into capitals.
pub(super) fn answer_in_capitals(node: &Machine) {
    node.tieline(["responder", "command", "--", "tr", "a-z", "A-Z"])
        .success();
}

/// Messages of a node, as its inbox or outbox shows them.
pub(super) fn messages(node: &Machine, direction: &str) -> Vec<Value> {
    let path = format!("/api/a2a/messages?direction={direction}");
    let page = node.authorized("GET", &path).send().json();
    page["messages"].as_array().unwrap().clone()
}

/// Waits until it is known what a peer speaks.
#[track_caller]
pub(super) fn generation(node: &Machine, peer: &str) -> String {
    until(
        "it is known what the peer speaks",
        Duration::from_secs(20),
        || {
            let view = node.tieline(["--json", "peers", "show", peer]).success();
            let view = view.json();
            view["abtars"]["generation"].as_str().map(str::to_owned)
        },
    )
}
