//! Events, the document, and who is there.

use std::time::Duration;

use serde_json::{Value, json};

use super::{send, text, two};
use crate::harness::{Launch, Machine, wait};

/// The next event of a stream, and what is behind it.
fn next_event(lines: &mut impl Iterator<Item = String>) -> Value {
    let data = lines
        .find_map(|line| line.strip_prefix("data:").map(str::to_owned))
        .expect("an event");
    serde_json::from_str(&data).unwrap()
}

#[test]
fn events_tell_of_messages_in_order_and_resume() {
    let (mac, wsl) = two();
    let mut stream = wsl.authorized("GET", "/api/a2a/events").stream();
    let sent = send(&mac, &text("wsl", "hello")).json();
    let event = std::iter::from_fn(|| Some(next_event(&mut stream)))
        .find(|event| event["kind"] == "messages")
        .unwrap();
    assert!(
        event["ids"]
            .as_array()
            .unwrap()
            .contains(&sent["messageId"]),
        "{event}"
    );
    let seq = event["seq"].as_u64().unwrap();

    // Everything else that changes meanwhile is the person's, not an agent's.
    wsl.tieline(["invite"]).success();
    wsl.tieline_with_stdin(["secrets", "set", "x"], "y")
        .success();
    let second = send(&mac, &text("wsl", "again")).json();
    for resume in ["query", "header"] {
        let request = match resume {
            "query" => wsl.authorized("GET", &format!("/api/a2a/events?after={seq}")),
            _ => wsl
                .authorized("GET", "/api/a2a/events")
                .header("Last-Event-ID", &seq.to_string()),
        };
        let mut resumed = request.stream();
        let mut last = seq;
        loop {
            let event = next_event(&mut resumed);
            assert!(event["seq"].as_u64().unwrap() > last, "{resume}: {event}");
            last = event["seq"].as_u64().unwrap();
            assert!(
                ["messages", "peers", "attempts"].contains(&event["kind"].as_str().unwrap()),
                "{event}"
            );
            if event["ids"]
                .as_array()
                .unwrap()
                .contains(&second["messageId"])
            {
                break;
            }
        }
    }

    let future = wsl
        .authorized("GET", "/api/a2a/events?after=999999")
        .stream();
    let mut future = future;
    assert_eq!(
        next_event(&mut future)["kind"],
        "resync",
        "a number of another run means fetch again"
    );
}

#[test]
fn the_document_is_served_and_is_the_one_that_the_command_prints() {
    let mac = Machine::start("mac");
    let served = mac.request("GET", "/api/openapi.json").send();
    assert_eq!(served.status, 200);
    assert_eq!(
        served.json(),
        mac.tieline(["openapi", "local"]).success().json()
    );
}

#[test]
fn status_routes_speak_as_other_agents_expect() {
    let mac = Launch::new("TestAgent").start();
    let status = mac.request("GET", "/agent/status").send().json();
    assert_eq!(
        (&status["agent"], &status["status"]),
        (&json!("TestAgent"), &json!("idle"))
    );
    let health = mac.request("GET", "/health").send().json();
    assert_eq!(
        (&health["status"], &health["degraded"]),
        (&json!("ok"), &json!(false))
    );
    let uptime = || {
        mac.request("GET", "/status").send().json()["uptime"]
            .as_f64()
            .unwrap()
    };
    let first = uptime();
    wait::until("time to pass", Duration::from_secs(5), || {
        (uptime() > first).then_some(())
    });
}
