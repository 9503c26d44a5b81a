//! Invite, join, ping, send, inbox, attempts.

use std::time::Duration;

use serde_json::Value;

use super::mac_and_wsl;
use crate::harness::{Machine, wait};

/// Long enough for a busy machine.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn both_sides_of_a_new_pair_ping_each_other_and_know_that_both_can_dial() {
    let (mac, wsl) = mac_and_wsl();
    for (from, to) in [(&mac, &wsl), (&wsl, &mac)] {
        let pings = from
            .tieline(["ping", to.name(), "-n", "3", "--json"])
            .success()
            .json_lines();
        assert_eq!(pings.len(), 3);
        for ping in &pings {
            assert_eq!(ping["peer"], to.name());
            assert_eq!(ping["route"], "lan");
            assert_eq!(ping["via"], "direct");
            assert_eq!(ping["address"], to.peer_addr().to_string());
            assert!(ping["latencyMs"].as_f64().unwrap() > 0.0, "{ping}");
            let offset = ping["clockOffsetMs"].as_i64().unwrap();
            assert!(offset.abs() < 5_000, "one clock for both: {ping}");
        }
        let line = wait::until("both directions to be measured", SOON, || {
            let line = peer(from, to)["line"].take();
            (line["out"]["state"] == "ok" && line["in"]["state"] == "ok").then_some(line)
        });
        assert_eq!(line["out"]["address"], to.peer_addr().to_string());
        assert_eq!(line["in"]["address"], from.peer_addr().to_string());
    }
}

#[test]
fn a_message_arrives_whole_with_a_signed_receipt_and_its_attempts() {
    let (mac, wsl) = mac_and_wsl();
    let text = "Grüße, 東京 🎏\nsecond line\u{7} with a bell";
    for (from, to) in [(&mac, &wsl), (&wsl, &mac)] {
        let sent = from
            .tieline(["send", to.name(), text, "--type", "note", "--json"])
            .success()
            .json();
        assert_eq!(
            (&sent["ok"], &sent["status"], &sent["evidence"]),
            (&true.into(), &"delivered".into(), &"signed".into()),
            "{sent}"
        );
        let id = sent["messageId"].as_str().unwrap();

        let inbox = to.tieline(["inbox", "--json"]).success().json_lines();
        let copies: Vec<&Value> = inbox
            .iter()
            .filter(|message| message["messageId"] == id)
            .collect();
        let [copy] = copies[..] else {
            panic!("not one copy: {inbox:?}");
        };
        assert_eq!(copy["text"], text);
        assert_eq!(copy["payload"]["type"], "note");
        assert_eq!(copy["peer"], from.name());
        assert_eq!(copy["state"], "new");

        let attempts = from
            .tieline(["attempts", id, "--json"])
            .success()
            .json_lines();
        let last = attempts.last().unwrap();
        assert_eq!(last["status"], "success");
        assert_eq!(last["route"], "lan");
        assert_eq!(last["via"], "direct");
        assert_eq!(last["address"], to.peer_addr().to_string());

        let receipts = receipts(from, id);
        let [stored] = &receipts[..] else {
            panic!("not one receipt: {receipts:?}");
        };
        assert_eq!(stored["stage"], "stored");
        let store = to.tieline(["status", "--json"]).success().json()["storeId"].take();
        assert_eq!(stored["storeId"], store);
    }
}

#[test]
fn the_sender_hears_that_an_agent_acknowledged_its_message() {
    let (mac, wsl) = mac_and_wsl();
    let sent = mac
        .tieline(["send", "wsl", "done?", "--json"])
        .success()
        .json();
    let id = sent["messageId"].as_str().unwrap();
    let ack = wsl
        .authorized("POST", &format!("/api/a2a/messages/{id}/ack"))
        .json(&serde_json::json!({}))
        .send();
    assert_eq!(ack.status, 200, "{ack:?}");
    wait::until("the acknowledgement at the sender", SOON, || {
        receipts(&mac, id)
            .iter()
            .any(|receipt| receipt["stage"] == "acknowledged")
            .then_some(())
    });
}

#[test]
fn a_message_of_the_largest_size_arrives_and_one_byte_more_is_refused_with_both_numbers() {
    let (mac, wsl) = mac_and_wsl();
    let most = 1024 * 1024;
    let frame = r#"{"type":"text","text":""}"#.len();
    let send = |length: usize| {
        let payload = serde_json::json!({"type": "text", "text": "x".repeat(length - frame)});
        mac.request("POST", "/api/a2a/send")
            .json(&serde_json::json!({"to": "wsl", "payload": payload}))
            .send()
    };
    let sent = send(most);
    assert_eq!(sent.status, 200, "{:?}", sent.json());
    let refused = send(most + 1);
    assert_eq!(refused.status, 413);
    let refusal = refused.json();
    assert_eq!(refusal["code"], "PAYLOAD_TOO_LARGE");
    assert_eq!(refusal["actualLength"], most + 1);
    assert_eq!(refusal["maxLength"], most);
    let inbox = wsl.tieline(["inbox", "--json"]).success().json_lines();
    let lengths: Vec<usize> = inbox
        .iter()
        .map(|message| message["text"].as_str().unwrap().len())
        .collect();
    assert_eq!(lengths, [most - frame]);
}

#[test]
fn a_link_lets_one_machine_in_and_the_next_one_hears_that_it_was_used() {
    let mac = Machine::start("mac");
    let link = mac.tieline(["invite"]).success().line();
    let wsl = Machine::start("wsl");
    wsl.tieline_with_stdin(["join"], &link).success();

    let late = Machine::start("late");
    let refused = late.tieline_with_stdin(["join", "--json"], &link);
    assert_ne!(refused.code, Some(0), "{refused}");
    assert!(refused.stderr.contains("INVITE_USED"), "{refused}");
    assert_eq!(late.tieline(["peers", "--json"]).success().stdout, "");
    let peers = mac.tieline(["peers", "--json"]).success().json_lines();
    let names: Vec<&Value> = peers.iter().map(|peer| &peer["name"]).collect();
    assert_eq!(names, ["wsl"]);
}

/// `to` as `from` has it on its list.
fn peer(from: &Machine, to: &Machine) -> Value {
    from.tieline(["peers", "show", to.name(), "--json"])
        .success()
        .json()
}

fn receipts(of: &Machine, id: &str) -> Vec<Value> {
    of.tieline(["attempts", id, "--receipts", "--json"])
        .success()
        .json_lines()
}
