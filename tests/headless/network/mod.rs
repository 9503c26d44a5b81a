//! Two machines in networks of their own: one behind a router that translates addresses, so that
//! nothing can dial it; links that are cut; clocks that are hours off.

mod clock;
mod cut;
mod hidden;
mod lab;
mod moving;

use std::time::Duration;

use serde_json::Value;

use crate::harness::{Launch, Machine, pair, wait};
use lab::{Lab, Place};

/// The port of every peer listener in the lab.
const PORT: u16 = 3100;
/// Long enough for a line that works.
const SOON: Duration = Duration::from_secs(30);

/// How a machine of the lab starts.
fn launch(lab: &Lab, place: Place) -> Launch {
    Launch::new(place.machine())
        .prefix(["ip", "netns", "exec", &lab.namespace(place)])
        .peer_addr(format!("0.0.0.0:{PORT}"))
}

/// The machine that can be dialled, and the hidden one, paired by link.
fn paired(mac: Launch, wsl: Launch) -> (Machine, Machine) {
    let mac = mac.start();
    let wsl = wsl.start();
    pair(&mac, &wsl);
    (mac, wsl)
}

/// Waits until the hidden machine holds a connection over which `mac` reaches it.
#[track_caller]
fn wait_for_held(mac: &Machine, limit: Duration) {
    wait::until("a held connection", limit, || {
        let via = peer(mac, "wsl")["via"].take();
        (via == "held" && mac.tieline(["ping", "wsl"]).code == Some(0)).then_some(())
    });
}

/// A peer as a machine has it on its list.
#[track_caller]
fn peer(of: &Machine, name: &str) -> Value {
    of.tieline(["peers", "show", name, "--json"])
        .success()
        .json()
}

/// Sends, and expects a signed receipt. Gives the message's id.
#[track_caller]
fn deliver(from: &Machine, to: &str, text: &str) -> String {
    let sent = from.tieline(["send", to, text, "--json"]).success().json();
    assert_eq!(sent["status"], "delivered", "{sent}");
    assert_eq!(sent["evidence"], "signed", "{sent}");
    sent["messageId"].as_str().unwrap().to_owned()
}

/// The texts in the inbox of a machine, oldest first.
#[track_caller]
fn inbox(of: &Machine) -> Vec<String> {
    of.tieline(["inbox", "--json", "-n", "500"])
        .success()
        .json_lines()
        .iter()
        .map(|message| message["text"].as_str().unwrap().to_owned())
        .collect()
}
