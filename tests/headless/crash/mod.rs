//! Bad days: nothing that was accepted is lost, doubled or left open, however often and whenever
//! either side is killed or its disk is full.
//!
//! Clients on both sides send all the time, and keep a ledger of what they were told. In the end it
//! is held against what the two nodes have stored.

mod calls;
mod client;
#[cfg(target_os = "linux")]
mod full_disk;
mod killed;
mod killer;
mod ledger;
mod verdict;

use std::fmt;
use std::io::Write;

/// One of the two nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Side {
    Mac,
    Wsl,
}

impl Side {
    const fn name(self) -> &'static str {
        match self {
            Self::Mac => "mac",
            Self::Wsl => "wsl",
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Mac => Self::Wsl,
            Self::Wsl => Self::Mac,
        }
    }
}

/// Straight to standard error, since the harness hides what a passing test prints.
fn say(what: impl fmt::Display) {
    let _ = writeln!(std::io::stderr(), "crash test: {what}");
}

/// The seed of all choices: given, to repeat them, or a new one. It is shown.
fn seed() -> u64 {
    let seed = from_env("TIELINE_CRASH_SEED").unwrap_or_else(|| fastrand::u64(..));
    say(format!("TIELINE_CRASH_SEED={seed}"));
    seed
}

fn from_env<T: std::str::FromStr>(name: &str) -> Option<T> {
    let given = std::env::var(name).ok()?;
    let parsed = given.parse().ok();
    assert!(parsed.is_some(), "{name}={given} is no number");
    parsed
}
