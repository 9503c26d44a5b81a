//! Kills one node at random instants, and starts it again.

use std::time::Duration;

use super::Side;
use super::calls::{Calls, Tally};
use crate::harness::Machine;
use crate::harness::wait::{Stop, StopAtTheEnd};

/// Kills one node again and again.
pub(super) struct Killer<'a> {
    pub(super) side: Side,
    pub(super) machine: &'a mut Machine,
    pub(super) random: fastrand::Rng,
    pub(super) calls: &'a Calls,
    pub(super) stop: &'a Stop,
}

impl Killer<'_> {
    /// Goes on until the kills of both nodes together are enough. Leaves the node running.
    pub(super) fn run(mut self, is_enough: impl Fn(Tally) -> bool) {
        let _stop = StopAtTheEnd(self.stop);
        while !is_enough(self.calls.tally()) {
            // Now and then at once, while it still recovers from the last time.
            let most = if self.random.u8(..6) == 0 { 5 } else { 500 };
            if self
                .stop
                .wait(Duration::from_millis(self.random.u64(..most)))
            {
                return;
            }
            while !self.calls.any_in_flight() {
                if self.stop.wait(Duration::from_millis(1)) {
                    return;
                }
            }
            // From here a request takes some ten milliseconds; strike anywhere in it.
            let within = Duration::from_micros(self.random.u64(..20_000));
            if self.stop.wait(within) {
                return;
            }
            self.calls.kill(self.side, || self.machine.kill());
            self.machine.restart();
        }
    }
}
