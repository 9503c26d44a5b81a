//! Two machines, paired and talking, as people and their tools see them.

mod outside;
#[cfg(target_os = "linux")]
mod secrecy;
#[cfg(unix)]
mod stopping;
mod talking;

use crate::harness::{Machine, pair};

/// Two nodes, paired by link and kept.
fn mac_and_wsl() -> (Machine, Machine) {
    let mac = Machine::start("mac");
    let wsl = Machine::start("wsl");
    pair(&mac, &wsl);
    (mac, wsl)
}
