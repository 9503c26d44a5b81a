//! A machine that nothing can dial.

use std::time::Duration;

use super::lab::{Lab, MAC, Place, ROUTER, WSL};
use super::{PORT, SOON, deliver, inbox, launch, paired, peer, wait_for_held};
use crate::harness::wait;

/// Whether the peer listener of one place can be dialled from another.
fn can_dial(lab: &Lab, from: Place, address: &str) -> bool {
    let url = format!("https://{address}:{PORT}/health");
    let curl = ["curl", "-sk", "--connect-timeout", "2", &url];
    lab.inside(from, &curl, "").is_ok()
}

#[test]
fn a_machine_behind_nat_joins_by_link_and_both_sides_send_ping_and_receive() {
    let Some(lab) = Lab::build() else { return };
    let (mac, wsl) = paired(launch(&lab, Place::Mac), launch(&lab, Place::Wsl));
    assert!(can_dial(&lab, Place::Wsl, MAC));
    assert!(!can_dial(&lab, Place::Mac, WSL));
    assert!(!can_dial(&lab, Place::Mac, ROUTER));
    wait_for_held(&mac, SOON);

    for _ in 0..3 {
        let ping = mac.tieline(["ping", "wsl", "--json"]).success().json();
        assert_eq!(ping["via"], "held", "{ping}");
    }
    wsl.tieline(["ping", "mac"]).success();

    let down = deliver(&mac, "wsl", "to the hidden machine");
    let up = deliver(&wsl, "mac", "from the hidden machine");
    assert_eq!(inbox(&wsl), ["to the hidden machine"]);
    assert_eq!(inbox(&mac), ["from the hidden machine"]);
    let attempts = mac
        .tieline(["attempts", &down, "--json"])
        .success()
        .json_lines();
    let [attempt] = &attempts[..] else {
        panic!("not one attempt: {attempts:?}");
    };
    assert_eq!(attempt["route"], "lan");
    assert_eq!(attempt["via"], "held");
    assert_eq!(attempt["status"], "success");
    let address = attempt["address"].as_str().unwrap();
    assert!(
        address.starts_with(&format!("{ROUTER}:")),
        "the hidden machine is seen at its router: {address}"
    );
    let attempts = wsl
        .tieline(["attempts", &up, "--json"])
        .success()
        .json_lines();
    assert_eq!(attempts.last().unwrap()["status"], "success");

    // Who reaches whom is told as it is.
    let line = peer(&mac, "wsl")["line"].take();
    assert_eq!(line["out"]["state"], "failed", "{line}");
    assert_eq!(line["out"]["problem"]["code"], "CONNECT_TIMEOUT", "{line}");
    assert_eq!(line["in"]["state"], "ok", "{line}");
    let line = peer(&wsl, "mac")["line"].take();
    assert_eq!(line["out"]["state"], "ok", "{line}");
    assert_eq!(line["out"]["address"], format!("{MAC}:{PORT}"));
    assert_eq!(line["in"]["state"], "failed", "{line}");
}

#[test]
fn the_held_connection_comes_back_by_itself_when_either_side_was_killed() {
    let Some(lab) = Lab::build() else { return };
    let (mut mac, mut wsl) = paired(launch(&lab, Place::Mac), launch(&lab, Place::Wsl));
    wait_for_held(&mac, SOON);
    for round in 0..2 {
        let text = format!("queued in round {round}");
        let killed = if round == 0 { &mut wsl } else { &mut mac };
        killed.kill();
        if round == 0 {
            // It waits at the side that can only wait.
            let sent = mac
                .tieline(["send", "wsl", &text, "--queue", "--json"])
                .success()
                .json();
            assert_eq!(sent["status"], "queued");
            wsl.restart();
        } else {
            mac.restart();
            mac.tieline(["send", "wsl", &text, "--queue"]).success();
        }
        wait_for_held(&mac, SOON);
        wait::until("the queued message", SOON, || {
            (inbox(&wsl).len() == round + 1).then_some(())
        });
        assert_eq!(inbox(&wsl)[round], text);
    }
}

#[test]
fn a_link_of_a_hidden_machine_fails_with_the_reason_and_does_no_harm() {
    let Some(lab) = Lab::build() else { return };
    let mac = launch(&lab, Place::Mac).start();
    let wsl = launch(&lab, Place::Wsl).start();
    let link = wsl.tieline(["invite"]).success().line();
    let refused = mac.tieline_with_stdin(["join", "--json"], &link);
    assert_ne!(refused.code, Some(0), "{refused}");
    let last = refused.stderr.lines().last().unwrap();
    let problem: serde_json::Value = serde_json::from_str(last).unwrap();
    assert_eq!(problem["code"], "CONNECT_TIMEOUT", "{refused}");
    for field in ["summary", "cause", "remedy"] {
        assert!(!problem[field].as_str().unwrap().is_empty(), "{field}");
    }
    for node in [&mac, &wsl] {
        assert_eq!(node.tieline(["peers", "--json"]).success().stdout, "");
    }
    // The other way round it works.
    crate::harness::pair(&mac, &wsl);
    wait_for_held(&mac, SOON);
    mac.tieline(["ping", "wsl"]).success();
    let begun = std::time::Instant::now();
    deliver(&mac, "wsl", "now it works");
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "no dial is waited for"
    );
}
