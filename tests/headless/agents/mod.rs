//! The local API as an agent uses it, between two machines.

mod bodies;
mod reading;
mod sending;
mod watching;

use serde_json::{Value, json};

use crate::harness::http::Response;
use crate::harness::{Machine, pair};

fn two() -> (Machine, Machine) {
    let (mac, wsl) = (Machine::start("mac"), Machine::start("wsl"));
    pair(&mac, &wsl);
    (mac, wsl)
}

#[track_caller]
fn send(from: &Machine, body: &Value) -> Response {
    from.request("POST", "/api/a2a/send").json(body).send()
}

fn text(to: &str, text: &str) -> Value {
    json!({"to": to, "payload": {"type": "text", "text": text}})
}

#[track_caller]
fn get(from: &Machine, path: &str) -> Value {
    let answer = from.authorized("GET", path).send();
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}
