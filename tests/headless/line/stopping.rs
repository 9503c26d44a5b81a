//! Stopping in order, and what is still there afterwards.

use std::time::Duration;

use serde_json::Value;

use super::mac_and_wsl;
use crate::harness::{Machine, wait};

const SOON: Duration = Duration::from_secs(45);

fn queue(from: &Machine, to: &str, text: &str) -> Value {
    let sent = from
        .tieline(["send", to, text, "--queue", "--json"])
        .success()
        .json();
    assert_eq!(sent["status"], "queued", "{sent}");
    sent
}

fn state(of: &Machine, id: &str) -> String {
    let shown = of
        .authorized("GET", &format!("/api/a2a/messages/{id}"))
        .send()
        .json();
    shown["message"]["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_stop_says_what_is_queued_and_a_restart_delivers_it_under_the_same_identity() {
    let (mut mac, mut wsl) = mac_and_wsl();
    mac.same_ports();
    wsl.same_ports();
    assert!(wsl.stop().success());
    let texts = ["first", "second", "third"];
    let ids: Vec<String> = texts
        .map(|text| {
            queue(&mac, "wsl", text)["messageId"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .to_vec();
    let before = mac.tieline(["status", "--json"]).success().json();

    assert!(mac.stop().success());
    assert!(
        mac.log().contains("Still queued: 3, unconfirmed: 0"),
        "{}",
        mac.log()
    );
    mac.restart();

    let after = mac.tieline(["status", "--json"]).success().json();
    for field in ["name", "fingerprint", "keyId", "pin", "storeId", "peerAddr"] {
        assert_eq!(before[field], after[field], "{field}");
    }
    for id in &ids {
        // It may be tried again at this very moment.
        wait::until("it waits", Duration::from_secs(20), || {
            (state(&mac, id) == "queued").then_some(())
        });
    }
    wsl.restart();
    for id in &ids {
        wait::until("the queued message to arrive", SOON, || {
            (state(&mac, id) == "delivered").then_some(())
        });
    }
    let inbox = wsl.tieline(["inbox", "--json"]).success().json_lines();
    let arrived: Vec<&Value> = inbox.iter().map(|message| &message["text"]).collect();
    assert_eq!(arrived, texts, "in the order they were queued, once each");

    assert!(mac.stop().success());
    assert!(mac.log().ends_with("Stopped. Nothing is queued.\n"));
}

#[test]
fn both_sides_queue_while_the_other_is_down_and_nothing_is_lost() {
    let (mut mac, mut wsl) = mac_and_wsl();
    mac.same_ports();
    wsl.same_ports();
    wsl.stop();
    let to_wsl = queue(&mac, "wsl", "while wsl was down");
    mac.stop();
    wsl.restart();
    let to_mac = queue(&wsl, "mac", "while mac was down");
    mac.restart();
    for (from, to, sent) in [(&mac, &wsl, to_wsl), (&wsl, &mac, to_mac)] {
        let id = sent["messageId"].as_str().unwrap();
        wait::until("the queued message to arrive", SOON, || {
            (state(from, id) == "delivered").then_some(())
        });
        let inbox = to.tieline(["inbox", "--json"]).success().json_lines();
        assert_eq!(inbox.len(), 1, "{inbox:?}");
        assert_eq!(inbox[0]["messageId"], id);
    }
}

#[test]
fn without_queue_a_peer_that_is_down_fails_the_send_and_leaves_nothing_behind() {
    let (mac, mut wsl) = mac_and_wsl();
    wsl.same_ports();
    wsl.stop();
    let sent = mac
        .request("POST", "/api/a2a/send")
        .json(
            &serde_json::json!({"to": "wsl", "payload": {"type": "text", "text": "now or never"}}),
        )
        .send();
    assert_eq!(sent.status, 502);
    let answer = sent.json();
    assert_eq!(answer["code"], "DELIVERY_FAILED");
    assert_eq!(answer["status"], "failed");
    let attempts = answer["attempts"].as_array().unwrap();
    assert_eq!(attempts.last().unwrap()["code"], "CONNECT_REFUSED");
    for field in ["cause", "remedy"] {
        assert!(!answer[field].as_str().unwrap().is_empty(), "{field}");
    }

    wsl.restart();
    wsl.tieline(["ping", "mac"]).success();
    mac.tieline(["send", "wsl", "a later one", "--json"])
        .success();
    let inbox = wsl.tieline(["inbox", "--json"]).success().json_lines();
    let texts: Vec<&Value> = inbox.iter().map(|message| &message["text"]).collect();
    assert_eq!(texts, ["a later one"]);
}

#[test]
fn what_is_in_progress_when_a_stop_comes_is_answered() {
    let (mut mac, wsl) = mac_and_wsl();
    let send = |number: usize| {
        mac.request("POST", "/api/a2a/send")
            .json(&serde_json::json!({
                "to": "wsl", "messageId": format!("last-{number}"), "onFailure": "queue",
                "payload": {"type": "text", "text": "just before the end"},
            }))
    };
    let requests: Vec<_> = (0..24).map(send).collect();
    let calls: Vec<_> = requests
        .into_iter()
        .map(|request| std::thread::spawn(move || request.try_send()))
        .collect();
    assert!(mac.stop().success());
    let answers: Vec<_> = calls.into_iter().map(|call| call.join().unwrap()).collect();
    mac.restart();
    for (number, answer) in answers.into_iter().enumerate() {
        let id = format!("last-{number}");
        let known = mac
            .authorized("GET", &format!("/api/a2a/messages/{id}"))
            .send();
        match answer {
            // Accepted: then it is kept.
            Ok(answer) if answer.status < 300 => {
                wait::until("what was accepted to arrive", SOON, || {
                    (state(&mac, &id) == "delivered").then_some(())
                });
            }
            Ok(answer) => panic!("{id} was refused: {answer:?}"),
            // It came after the door was closed.
            Err(_) => assert_eq!(known.status, 404, "{id}"),
        }
    }
    let inbox = wsl
        .tieline(["inbox", "--json", "-n", "500"])
        .success()
        .json_lines();
    let mut ids: Vec<&str> = inbox
        .iter()
        .map(|message| message["messageId"].as_str().unwrap())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "no copy came twice");
}
