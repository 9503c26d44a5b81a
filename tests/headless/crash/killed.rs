//! Both nodes are killed (SIGKILL) and started again at random instants.
//!
//! A kill counts only if a request was in flight, which its broken end proves afterwards.
//! `TIELINE_CRASH_SEED` repeats the choices of a run, `TIELINE_CRASH_KILLS` sets how many kills
//! must count.

use std::time::Instant;

use super::calls::{Calls, Tally};
use super::client::Client;
use super::killer::Killer;
use super::ledger::Ledger;
use super::{Side, from_env, say, seed, verdict};
use crate::harness::wait::{Stop, StopAtTheEnd};
use crate::harness::{Machine, pair};

/// Kills that must have a request in flight.
const KILLS: usize = 200;
/// Kills of each of the two kinds: of the node that was sending, and of the one that was
/// receiving.
const OF_EACH_KIND: usize = 25;
/// Clients on each side.
const CLIENTS: usize = 3;

#[test]
fn every_accepted_message_is_delivered_once_or_failed_however_often_either_side_is_killed() {
    let kills = from_env("TIELINE_CRASH_KILLS").unwrap_or(KILLS);
    let mut random = fastrand::Rng::with_seed(seed());

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
            // The bound is for a fault that would keep one kind from ever coming about.
            let is_enough = move |tally: Tally| enough(tally, kills) || tally.all >= 5 * kills;
            scope.spawn(move || killer.run(is_enough))
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
    assert!(enough(tally, kills), "{tally}");

    let summary = verdict::judge(&ledger, &[(Side::Mac, &mac), (Side::Wsl, &wsl)]);
    say(format!("{summary}; all in {:.0?}", begun.elapsed()));
}

fn enough(tally: Tally, kills: usize) -> bool {
    let each = OF_EACH_KIND.min(kills / 8);
    tally.counted >= kills && tally.sending >= each && tally.receiving >= each
}
