//! `POST /api/a2a/send`.

use std::time::Duration;

use serde_json::json;

use super::{get, send, text, two};
use crate::harness::{Machine, wait::until};

#[test]
fn the_documented_request_is_answered_as_documented() {
    let (mac, wsl) = two();
    let body = json!({"to": "wsl", "payload": {"type": "text", "text": "Hello!", "deep": {"x": [1, 2.5, null]}}, "route": "auto", "unknown": 1});
    let answer = send(&mac, &body);
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    assert_eq!(
        (&answer["ok"], &answer["target"], &answer["targetType"]),
        (&json!(true), &json!("wsl"), &json!("dm"))
    );
    assert_eq!(
        (&answer["route"], &answer["status"], &answer["evidence"]),
        (&json!("lan"), &json!("delivered"), &json!("signed"))
    );
    assert_eq!(answer["attempts"].as_array().unwrap().len(), 1);
    let arrived = &get(&wsl, "/api/a2a/messages?direction=in")["messages"][0];
    assert_eq!(arrived["payload"], body["payload"], "every field travels");
    assert_eq!(arrived["messageId"], answer["messageId"]);
    let peers = get(&mac, "/api/a2a/peers");
    assert_eq!(peers["peers"][0]["name"], "wsl");
}

#[test]
fn a_message_id_makes_repeats_harmless_and_mix_ups_visible() {
    let (mac, wsl) = two();
    let mut body = text("wsl", "once");
    body["messageId"] = json!("job-17:report");
    for _ in 0..3 {
        let answer = send(&mac, &body);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["messageId"], "job-17:report");
    }
    assert_eq!(
        get(&wsl, "/api/a2a/messages")["messages"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    body["payload"]["text"] = json!("something else");
    let conflict = send(&mac, &body);
    assert_eq!(
        (conflict.status, conflict.code().as_str()),
        (409, "ID_CONFLICT"),
        "{conflict:?}"
    );
    assert_eq!(
        get(&wsl, "/api/a2a/messages")["messages"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    for wrong in [
        json!(""),
        json!("has space"),
        json!("x".repeat(129)),
        json!(7),
        json!(["a"]),
        json!({}),
    ] {
        body["messageId"] = wrong.clone();
        let refused = send(&mac, &body);
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (400, "INVALID_REQUEST"),
            "{wrong}"
        );
    }
    for wrong in [json!("drop"), json!(true), json!("")] {
        let mut body = text("wsl", "x");
        body["onFailure"] = wrong.clone();
        assert_eq!(send(&mac, &body).code(), "INVALID_REQUEST", "{wrong}");
    }
}

#[test]
fn what_is_queued_on_request_is_accepted_and_not_called_delivered() {
    let (mac, mut wsl) = two();
    wsl.kill();
    let failed = send(&mac, &text("wsl", "now"));
    assert_eq!(
        (failed.status, failed.code().as_str()),
        (502, "DELIVERY_FAILED")
    );
    for field in ["error", "cause", "remedy", "timestamp", "messageId"] {
        assert!(failed.json()[field].is_string(), "{field}: {failed:?}");
    }
    assert_eq!(failed.json()["status"], "failed");

    let mut body = text("wsl", "later");
    body["onFailure"] = json!("queue");
    let queued = send(&mac, &body);
    assert_eq!(queued.status, 202);
    let queued = queued.json();
    assert_eq!(
        (&queued["ok"], &queued["status"]),
        (&json!(true), &json!("queued"))
    );
    let id = queued["messageId"].as_str().unwrap();
    // The outbox may be trying it again at this very moment; then it is back in a moment.
    let detail = until("it waits", Duration::from_secs(20), || {
        let detail = get(&mac, &format!("/api/a2a/messages/{id}"));
        (detail["message"]["state"] == "queued").then_some(detail)
    });
    assert_eq!(detail["receipts"], json!([]));
}

#[test]
fn groups_and_relays_are_refused_with_their_documented_codes() {
    let (mac, _wsl) = two();
    let payload = json!({"type": "text", "text": "x"});
    let cases = [
        (
            json!({"group": "team", "payload": payload}),
            404,
            "GROUP_NOT_FOUND",
        ),
        (
            json!({"group": "c006dfce-37b6-434a-8407-1d227f485a81", "payload": payload}),
            503,
            "RELAY_UNAVAILABLE",
        ),
        (
            json!({"group": "team", "payload": payload, "route": "relay"}),
            404,
            "GROUP_NOT_FOUND",
        ),
        (
            json!({"to": "wsl", "payload": payload, "route": "relay"}),
            503,
            "RELAY_UNAVAILABLE",
        ),
        (
            json!({"to": "bmo@relay.example.com", "payload": payload, "route": "relay"}),
            503,
            "RELAY_UNAVAILABLE",
        ),
        (
            json!({"to": "nobody", "payload": payload}),
            404,
            "PEER_NOT_FOUND",
        ),
        (
            json!({"to": "nobody", "payload": payload, "route": "lan"}),
            404,
            "PEER_NOT_FOUND",
        ),
        (
            json!({"to": "wsl@relay.example.com", "payload": payload, "route": "lan"}),
            400,
            "INVALID_ROUTE",
        ),
        (
            json!({"to": " ", "payload": payload}),
            400,
            "INVALID_TARGET",
        ),
    ];
    for (body, status, code) in cases {
        let answer = send(&mac, &body);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{body}: {answer:?}"
        );
        assert_eq!(answer.json()["ok"], false);
    }
    assert_eq!(
        get(&mac, "/api/a2a/messages")["messages"],
        json!([]),
        "what was refused was not kept"
    );
}

#[test]
fn without_the_shared_secret_the_lan_to_kithkit_machines_is_unavailable() {
    let mac = Machine::start("mac");
    mac.tieline([
        "peers",
        "add",
        "--kithkit",
        "bmo",
        "--host",
        "127.0.0.1",
        "--port",
        "9",
    ])
    .success();
    let mut body = text("bmo", "hello");
    body["route"] = json!("lan");
    let answer = send(&mac, &body);
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "LAN_UNAVAILABLE"),
        "{answer:?}"
    );
    let attempts = answer.json()["attempts"].clone();
    assert_eq!(attempts.as_array().unwrap().len(), 1, "{attempts}");
    assert_eq!(attempts[0]["latencyMs"].as_f64(), Some(0.0));
    let remedy = attempts[0]["problem"]["remedy"].as_str().unwrap();
    assert!(remedy.contains("credential-agent-comms-secret"), "{remedy}");
}
