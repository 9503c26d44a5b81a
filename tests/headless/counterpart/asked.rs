//! A node asks the counterpart.

use serde_json::{Value, json};

use super::{Counterpart, add, entry_for, entry_of, generation, messages};
use crate::harness::Machine;

const TOKEN: &str = "a secret of both";

/// A running server of the counterpart that knows the node, and its entry in the node's file.
fn serving(
    cp: &mut Counterpart,
    node: &Machine,
    keys: &Value,
    generation: &str,
    answer: Value,
) -> (Value, Value) {
    let us = entry_of(node, Some(TOKEN));
    let peers = json!({ us["name"].as_str().unwrap(): us });
    let order =
        json!({"own": keys["name"], "generation": generation, "peers": peers, "answer": answer});
    let server = cp.order("listen", order);
    let entry = entry_for(keys, server["port"].as_u64().unwrap(), Some(TOKEN));
    (server, entry)
}

#[test]
fn each_generation_is_found_out_and_asked_with_its_own_proof() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let node = Machine::start("kp");
    for (name, speaks, badge) in [
        ("beta", "current", "abTARS, signed requests"),
        ("gamma", "legacy", "abTARS, shared token"),
    ] {
        let keys = cp.machine(name);
        let (server, entry) = serving(&mut cp, &node, &keys, speaks, json!({}));
        let added = add(&node, name, &entry);
        assert_eq!(generation(&node, name), speaks, "{added}");
        let shown = node
            .tieline(["--json", "peers", "show", name])
            .success()
            .json();
        assert_eq!(shown["badge"], badge);
        assert_eq!(shown["online"], true);
        cp.asked(&server);

        let answer = node.tieline(["ask", name, "what is \u{fc}?  "]).success();
        assert_eq!(answer.line(), format!("{name} heard: what is \u{fc}?"));
        let asked = cp.asked(&server);
        let asked = asked.last().unwrap();
        assert_eq!(asked["tag"], "valid", "{asked}");
        assert_eq!(asked["headers"]["x-peer-hops"], "4");
        assert_eq!(asked["headers"]["connection"], "close");
        assert_eq!(
            (
                asked["headers"].get("x-peer-sig").is_some(),
                asked["headers"].get("authorization").is_some()
            ),
            (speaks == "current", speaks == "legacy"),
            "only its own proof"
        );

        let sent = node
            .tieline(["--json", "send", name, "good morning"])
            .success()
            .json();
        assert_eq!(
            (&sent["status"], &sent["evidence"]),
            (&json!("delivered"), &json!("claimed"))
        );
        let reply = messages(&node, "in")
            .into_iter()
            .find(|message| message["peer"] == name && message["type"] == "text");
        assert_eq!(
            reply.unwrap()["text"],
            format!("{name} heard: good morning")
        );

        let ping = node.tieline(["--json", "ping", name]).success().json();
        assert_eq!(ping["peer"], name);
    }
    let view = node
        .tieline(["--json", "ask", "beta", "x"])
        .success()
        .json();
    assert_eq!(view["provenance"]["peer"], "beta");
    assert_eq!(view["provenance"]["evidence"], "claimed");
}

#[test]
fn an_unknown_generation_is_shown_both_proofs_once() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let node = Machine::start("kp");
    let keys = cp.machine("beta");
    // Added while it is off: nothing could be found out.
    add(&node, "beta", &entry_for(&keys, 9, Some(TOKEN)));
    let (server, entry) = serving(&mut cp, &node, &keys, "current", json!({}));
    let address = format!("127.0.0.1:{}", entry["port"]);
    node.tieline(["peers", "addresses", "beta", &address])
        .success();
    node.tieline(["ask", "beta", "hello"]).success();
    assert_eq!(generation(&node, "beta"), "current");
    node.tieline(["ask", "beta", "hello"]).success();
    let chats: Vec<bool> = cp
        .asked(&server)
        .iter()
        .filter(|asked| asked["method"] == "POST")
        .map(|asked| asked["headers"].get("authorization").is_some())
        .collect();
    assert_eq!(chats, [true, false]);
}

#[test]
fn no_byte_of_a_request_reaches_a_machine_with_another_key() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let node = Machine::start("kp");
    let keys = cp.machine("beta");
    let (_, entry) = serving(&mut cp, &node, &keys, "current", json!({}));
    add(&node, "beta", &entry);
    assert_eq!(generation(&node, "beta"), "current");
    let impostor = cp.order("machine", json!({"name": "beta"}));
    let (server, other) = serving(&mut cp, &node, &impostor, "current", json!({}));
    let address = format!("127.0.0.1:{}", other["port"]);
    node.tieline(["peers", "addresses", "beta", &address])
        .success();
    let refused = node.tieline(["ask", "beta", "a secret"]).failure(5);
    assert!(refused.stderr.contains("another key"), "{}", refused.stderr);
    node.tieline(["ping", "beta"]).failure(6);
    assert_eq!(cp.asked(&server).len(), 0);
}

#[test]
fn a_peer_that_signed_requests_is_never_shown_a_weaker_proof() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let node = Machine::start("kp");
    let keys = cp.machine("beta");
    let (_, entry) = serving(&mut cp, &node, &keys, "current", json!({}));
    add(&node, "beta", &entry);
    assert_eq!(generation(&node, "beta"), "current");
    // The same key, and a server that asks for the older proof.
    let (server, older) = serving(&mut cp, &node, &keys, "legacy", json!({}));
    let address = format!("127.0.0.1:{}", older["port"]);
    node.tieline(["peers", "addresses", "beta", &address])
        .success();
    let refused = node.tieline(["ask", "beta", "hello"]).failure(5);
    assert!(
        refused.stderr.contains("older and weaker"),
        "{}",
        refused.stderr
    );
    node.tieline(["ping", "beta"]).failure(5);
    for asked in cp.asked(&server) {
        assert!(asked["headers"].get("authorization").is_none(), "{asked}");
    }
    assert_eq!(generation(&node, "beta"), "current");
    // A person can say that it was put back on purpose.
    node.tieline(["abtars", "forget", "beta"]).success();
    let answer = node.tieline(["ask", "beta", "hello"]).success();
    assert_eq!(answer.line(), "beta heard: hello");
    assert_eq!(generation(&node, "beta"), "legacy");
}

#[test]
fn a_legacy_machine_with_a_separate_and_expired_certificate_is_known_by_it() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let node = Machine::start("kp");
    let keys = cp.order(
        "machine",
        json!({"name": "gamma", "separateTls": true, "days": -1}),
    );
    let (server, entry) = serving(&mut cp, &node, &keys, "legacy", json!({}));
    add(&node, "gamma", &entry);
    assert_eq!(generation(&node, "gamma"), "legacy");
    let answer = node.tieline(["ask", "gamma", "hello"]).success();
    assert_eq!(answer.line(), "gamma heard: hello");
    for asked in cp.asked(&server) {
        assert!(asked["headers"].get("x-peer-sig").is_none() || asked["method"] == "GET");
    }
}

#[test]
fn what_the_peer_answers_instead_is_told_apart() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let node = Machine::start("kp");
    let refusal = |status: u64, message: &str, code: &str| json!({"status": status, "message": message, "type": "t", "code": code});
    for (name, answer, code) in [
        (
            "limit",
            refusal(429, "Rate limit exceeded for kp", "rate_limit"),
            "RATE_LIMITED",
        ),
        (
            "loop",
            refusal(429, "Peer hop limit reached", "hop_exceeded"),
            "HOP_LIMIT",
        ),
        (
            "nobody",
            refusal(503, "A2A adapter not initialized", "adapter_unavailable"),
            "NO_RESPONDER",
        ),
        (
            "failed",
            refusal(500, "Internal server error", "x"),
            "RESPONDER_FAILED",
        ),
        ("silent", json!({"text": ""}), "RESPONDER_FAILED"),
    ] {
        let keys = cp.machine(name);
        let (_, entry) = serving(&mut cp, &node, &keys, "current", answer);
        add(&node, name, &entry);
        let view = node
            .tieline(["--json", "ask", name, "hello"])
            .failure(5)
            .json();
        assert_eq!(
            (&view["status"], &view["problem"]["code"]),
            (&json!("failed"), &json!(code)),
            "{view}"
        );
    }
    // A refusal is no delivery, and a text that is no text is not sent at all.
    let failed = node
        .tieline(["--json", "send", "limit", "hello"])
        .failure(5);
    assert_eq!(failed.json()["code"], "DELIVERY_FAILED");
    let body = json!({"to": "limit", "payload": {"type": "status", "status": "idle"}});
    let refused = node.request("POST", "/api/a2a/send").json(&body).send();
    assert_eq!(refused.status, 400, "{refused:?}");
}
