//! The link is cut for a minute under traffic.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::lab::{Lab, Place};
use super::{SOON, launch, paired, peer, wait_for_held};
use crate::harness::wait::{Stop, StopAtTheEnd};
use crate::harness::{Machine, wait};

/// How long nothing passes.
const CUT: Duration = Duration::from_secs(60);
/// How soon a held connection is there again: the longest pause between tries, and a dial.
const BACK: Duration = Duration::from_secs(20);
/// Senders at once on each side.
const SENDERS: usize = 4;
/// Pause between two messages of one sender.
const BETWEEN: Duration = Duration::from_millis(250);

/// Queues numbered messages until `stop`, and notes what was answered for each.
fn send(from: &Machine, to: &str, sender: usize, stop: &Stop, sent: &Mutex<Vec<Value>>) {
    let mut number = 0;
    while !stop.wait(BETWEEN) {
        number += 1;
        let text = format!("{} {sender} {number}", from.name());
        let answer = from
            .tieline(["send", to, &text, "--queue", "--json"])
            .success()
            .json();
        let status = answer["status"].as_str().unwrap();
        assert!(matches!(status, "delivered" | "queued"), "{answer}");
        let mut sent = sent.lock().unwrap();
        sent.push(serde_json::json!({"id": answer["messageId"], "text": text, "status": status}));
    }
}

#[test]
fn a_link_that_is_cut_for_a_minute_under_traffic_delays_messages_and_loses_or_doubles_none() {
    let Some(lab) = Lab::build() else { return };
    let (mac, wsl) = paired(launch(&lab, Place::Mac), launch(&lab, Place::Wsl));
    wait_for_held(&mac, SOON);
    let stop = Stop::default();
    let from_mac: Mutex<Vec<Value>> = Mutex::default();
    let from_wsl: Mutex<Vec<Value>> = Mutex::default();
    let mut back = Duration::ZERO;
    std::thread::scope(|scope| {
        let _stop = StopAtTheEnd(&stop);
        for (from, to, sent) in [(&mac, "wsl", &from_mac), (&wsl, "mac", &from_wsl)] {
            for sender in 0..SENDERS {
                let stop = &stop;
                scope.spawn(move || send(from, to, sender, stop, sent));
            }
        }
        let some = || from_mac.lock().unwrap().len() > 8 && from_wsl.lock().unwrap().len() > 8;
        wait::until("traffic", SOON, || some().then_some(()));
        let cut = Instant::now();
        lab.cut();
        wait::until("a minute", CUT * 2, || (cut.elapsed() >= CUT).then_some(()));
        for (node, other) in [(&mac, "wsl"), (&wsl, "mac")] {
            let seen = peer(node, other);
            assert_eq!(seen["online"], false, "{seen}");
            assert!(seen["queued"].as_u64().unwrap() > 0, "{seen}");
        }
        let mended = Instant::now();
        lab.mend();
        wait_for_held(&mac, BACK);
        back = mended.elapsed();
    });
    let _ = writeln!(
        std::io::stderr(),
        "the held connection was back after {back:.1?}"
    );
    let mut total = 0;
    for (node, other, sent) in [(&mac, &wsl, from_mac), (&wsl, &mac, from_wsl)] {
        let sent = sent.into_inner().unwrap();
        let queued = sent.iter().filter(|sent| sent["status"] == "queued");
        assert!(queued.count() > 0, "nothing of {} had to wait", node.name());
        wait::until("nothing to wait any more", SOON * 2, || {
            let seen = peer(node, other.name());
            (seen["queued"] == 0 && seen["unconfirmed"] == 0).then_some(())
        });
        let mut expected: BTreeMap<String, String> = BTreeMap::new();
        for sent in &sent {
            let id = sent["id"].as_str().unwrap().to_owned();
            expected.insert(id, sent["text"].as_str().unwrap().to_owned());
        }
        total += sent.len();
        assert_eq!(arrived(other), expected);
    }
    assert!(total > 30, "only {total} messages");
}

/// Every message in the inbox of a machine, by id. There must be no id twice.
fn arrived(at: &Machine) -> BTreeMap<String, String> {
    let messages = at
        .tieline(["inbox", "--json", "-n", "500"])
        .success()
        .json_lines();
    assert!(messages.len() < 500, "more messages than one page shows");
    let mut arrived = BTreeMap::new();
    for message in &messages {
        let id = message["messageId"].as_str().unwrap().to_owned();
        let text = message["text"].as_str().unwrap().to_owned();
        let twice = arrived.insert(id, text);
        assert!(twice.is_none(), "twice: {message}");
    }
    arrived
}
