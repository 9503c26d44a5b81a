//! A machine whose own network goes away and comes back.

use std::time::{Duration, Instant};

use super::lab::{Lab, Place};
use super::{SOON, deliver, inbox, launch, paired, peer, wait_for_held};
use crate::harness::wait;

/// How soon the line works again after a change that the machine can see: well before the silence
/// on the old connection would have told.
const AT_ONCE: Duration = Duration::from_secs(12);

#[test]
fn a_machine_that_gets_another_address_is_reached_again_at_once() {
    let Some(lab) = Lab::build() else { return };
    let (mac, wsl) = paired(launch(&lab, Place::Mac), launch(&lab, Place::Wsl));
    wait_for_held(&mac, SOON);
    deliver(&mac, "wsl", "before");
    lab.renumber();
    let moved = Instant::now();
    wait::until("its ping", AT_ONCE, || {
        (wsl.tieline(["ping", "mac"]).code == Some(0)).then_some(())
    });
    wait_for_held(&mac, AT_ONCE);
    deliver(&mac, "wsl", "after");
    assert!(moved.elapsed() < AT_ONCE, "{:?}", moved.elapsed());
    deliver(&wsl, "mac", "after");
    assert_eq!(inbox(&wsl), ["before", "after"]);
    wait::until("the new address at the other side", SOON, || {
        let addresses = peer(&mac, "wsl")["addresses"].take();
        (addresses == serde_json::json!(["172.29.0.99:3100"])).then_some(())
    });
}

#[test]
fn a_machine_whose_cable_was_out_is_reached_again_at_once() {
    let Some(lab) = Lab::build() else { return };
    let (mac, wsl) = paired(launch(&lab, Place::Mac), launch(&lab, Place::Wsl));
    wait_for_held(&mac, SOON);
    lab.unplug();
    let sent = wsl
        .tieline(["send", "mac", "without a cable", "--queue", "--json"])
        .success()
        .json();
    assert_eq!(sent["status"], "queued", "{sent}");
    // Long enough for both to give the old connection up.
    wait::until("the line to be given up", SOON * 2, || {
        let gone = |of, name| peer(of, name)["online"] == false;
        (gone(&mac, "wsl") && gone(&wsl, "mac")).then_some(())
    });
    lab.plug_in();
    let back = Instant::now();
    wait_for_held(&mac, AT_ONCE);
    deliver(&mac, "wsl", "with a cable");
    assert!(back.elapsed() < AT_ONCE, "{:?}", back.elapsed());
    wait::until("the queued message", AT_ONCE, || {
        (inbox(&mac) == ["without a cable"]).then_some(())
    });
}
