//! Time, in the two kinds that matter here: what the wall says, and what has passed.

use std::time::{Duration, SystemTime};

use tieline_wire::time::UnixMillis;

/// A point in elapsed time. Sleep of the machine counts, changes of the wall clock do not.
pub(crate) type Instant = boot_time::Instant;

/// What the wall clock says. Wrong whenever the machine's clock is.
#[must_use]
pub(crate) fn wall_now() -> UnixMillis {
    UnixMillis::from_system_time(SystemTime::now())
}

/// Milliseconds with a microsecond's precision.
#[must_use]
pub(crate) fn millis(duration: Duration) -> f64 {
    (duration.as_micros() as f64) / 1000.0
}

/// Elapsed milliseconds of this node's life, carried over restarts.
///
/// Between restarts the wall clock is the only witness; it counts when it went forward.
#[derive(Debug)]
pub(crate) struct ElapsedClock {
    base_ms: i64,
    started: Instant,
}

impl ElapsedClock {
    /// Goes on from the values stored last: elapsed milliseconds, and the wall clock then.
    #[must_use]
    pub(crate) fn resume(stored: Option<(i64, UnixMillis)>, wall: UnixMillis) -> Self {
        let base_ms = match stored {
            Some((elapsed, at)) => elapsed.saturating_add(wall.0.saturating_sub(at.0).max(0)),
            None => 0,
        };
        Self {
            base_ms,
            started: Instant::now(),
        }
    }

    /// Elapsed milliseconds now.
    #[must_use]
    pub(crate) fn now(&self) -> i64 {
        let running = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.base_ms.saturating_add(running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elapsed_time_survives_a_restart_and_ignores_a_clock_set_back() {
        let forward =
            ElapsedClock::resume(Some((5_000, UnixMillis(1_000_000))), UnixMillis(1_060_000));
        assert!((65_000..66_000).contains(&forward.now()));
        let back = ElapsedClock::resume(Some((5_000, UnixMillis(1_000_000))), UnixMillis(1_000));
        assert!((5_000..6_000).contains(&back.now()));
    }
}
