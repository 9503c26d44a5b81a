//! The crash test: nothing that was accepted is lost, doubled or left open, however often and
//! whenever either side is killed.
//!
//! Clients on both sides send all the time while both nodes are killed (SIGKILL) and started again
//! at random instants. A kill counts only if a request was in flight, which its broken end proves
//! afterwards. The clients keep a ledger of what they were told; in the end it is held against
//! what the two nodes have stored.
//!
//! `TIELINE_CRASH_SEED` repeats the choices of a run, `TIELINE_CRASH_KILLS` sets how many kills
//! must count.

mod calls;
mod client;
mod killer;
mod ledger;
mod verdict;

use std::io::Write;
use std::time::Instant;

use crate::harness::wait::{Stop, StopAtTheEnd};
use crate::harness::{Machine, pair};
use calls::Calls;
use client::Client;
use killer::Killer;
use ledger::Ledger;

/// Kills that must have a request in flight.
const KILLS: usize = 200;
/// Kills of each of the two kinds: of the node that was sending, and of the one that was
/// receiving.
const OF_EACH_KIND: usize = 25;
/// Clients on each side.
const CLIENTS: usize = 3;

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

#[test]
fn every_accepted_message_is_delivered_once_or_failed_however_often_either_side_is_killed() {
    let seed = from_env("TIELINE_CRASH_SEED").unwrap_or_else(|| fastrand::u64(..));
    let kills = from_env("TIELINE_CRASH_KILLS").unwrap_or(KILLS);
    // Straight to standard error, since the harness hides what a passing test prints.
    let say = |what: String| {
        let _ = writeln!(std::io::stderr(), "crash test: {what}");
    };
    say(format!("TIELINE_CRASH_SEED={seed}"));
    let mut random = fastrand::Rng::with_seed(seed);

    let mut mac = Machine::start("mac");
    let mut wsl = Machine::start("wsl");
    pair(&mac, &wsl);
    mac.same_ports();
    wsl.same_ports();
    let begun = Instant::now();
    let (calls, ledger, stop) = (Calls::default(), Ledger::default(), Stop::default());
    std::thread::scope(|scope| {
        let _stop = StopAtTheEnd(&stop);
        for (side, machine) in [(Side::Mac, &mac), (Side::Wsl, &wsl)] {
            for number in 0..CLIENTS {
                let client = Client {
                    side,
                    number,
                    addr: machine.api_addr(),
                    random: random.fork(),
                    calls: &calls,
                    ledger: &ledger,
                    stop: &stop,
                };
                scope.spawn(|| client.run());
            }
        }
        let killers = [(Side::Mac, &mut mac), (Side::Wsl, &mut wsl)].map(|(side, machine)| {
            let killer = Killer {
                side,
                machine,
                random: random.fork(),
                calls: &calls,
                stop: &stop,
            };
            scope.spawn(move || killer.run(kills))
        });
        for killer in killers {
            killer.join().unwrap();
        }
    });
    let tally = calls.tally();
    say(format!(
        "{tally}, {} messages, {:.0?}",
        ledger.len(),
        begun.elapsed()
    ));
    assert!(tally.counted >= kills, "{tally}");
    let each = OF_EACH_KIND.min(kills / 8);
    assert!(tally.sending >= each && tally.receiving >= each, "{tally}");

    let summary = verdict::judge(&ledger, &[(Side::Mac, &mac), (Side::Wsl, &wsl)]);
    say(format!("{summary}; all in {:.0?}", begun.elapsed()));
}

fn from_env<T: std::str::FromStr>(name: &str) -> Option<T> {
    let given = std::env::var(name).ok()?;
    let parsed = given.parse().ok();
    assert!(parsed.is_some(), "{name}={given} is no number");
    parsed
}
