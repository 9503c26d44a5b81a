//! How much a peer may leave here within an hour.

use std::time::Duration;

use crate::clock::Instant;
use crate::limits::MAX_HOURLY_BYTES;

/// What a message takes beside its payload: its row, its receipt, and their places in the indexes.
pub(super) const MESSAGE_COST: u64 = 1024;
/// What a fence takes.
pub(super) const FENCE_COST: u64 = 512;

const HOUR: Duration = Duration::from_secs(3600);

/// A measure of bytes that fills with what is stored, and empties evenly within an hour.
#[derive(Debug)]
pub(crate) struct Intake {
    most: u64,
    level: u64,
    as_of: Instant,
}

impl Default for Intake {
    fn default() -> Self {
        Self::new(MAX_HOURLY_BYTES)
    }
}

impl Intake {
    /// An empty one that holds so much.
    pub(crate) fn new(most: u64) -> Self {
        Self {
            most,
            level: 0,
            as_of: Instant::now(),
        }
    }

    /// Takes room, or says that there is not enough.
    pub(super) fn take(&mut self, cost: u64) -> bool {
        self.take_up_to(cost, 1) == 1
    }

    /// Takes room for as many as there is room for, and says how many these are.
    pub(super) fn take_up_to(&mut self, cost: u64, wanted: usize) -> usize {
        self.empty(self.as_of.elapsed());
        let free = self.most.saturating_sub(self.level);
        let taken = free
            .checked_div(cost)
            .unwrap_or(u64::MAX)
            .min(wanted as u64);
        self.level = self.level.saturating_add(taken.saturating_mul(cost));
        usize::try_from(taken).unwrap_or(wanted)
    }

    /// Gives back what turned out not to be needed.
    pub(super) fn give_back(&mut self, cost: u64) {
        self.level = self.level.saturating_sub(cost);
    }

    fn empty(&mut self, passed: Duration) {
        let share = passed.as_secs_f64() / HOUR.as_secs_f64();
        let gone = (self.most as f64 * share) as u64;
        // Fractions of a byte are not lost to callers that come very often.
        if gone > 0 {
            self.level = self.level.saturating_sub(gone);
            self.as_of = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_full_empties_within_an_hour() {
        let mut intake = Intake::new(3_600_000);
        assert!(intake.take(3_599_000) && !intake.take(100_000));
        assert_eq!(intake.take_up_to(100, 256), 10);
        intake.give_back(200);
        assert!(intake.take(200) && !intake.take(100_000));
        intake.empty(HOUR / 2);
        assert!(intake.take(1_800_000) && !intake.take(100_000));
        intake.empty(HOUR);
        assert!(intake.take(3_600_000));
    }
}
