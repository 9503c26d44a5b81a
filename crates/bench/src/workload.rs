//! How much is measured, and the message that everything is measured with.

use std::time::Duration;

use crate::ask::Case;

/// Requests in progress at once in the throughput measurements.
pub(crate) const AT_ONCE: usize = 64;

/// How much is measured. Every loop ends at its count or at [`Workload::longest`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workload {
    /// Everything is measured this often; medians are reported.
    pub(crate) rounds: usize,
    /// Operations before each measurement, not counted.
    pub(crate) warm_up: usize,
    /// Operations one at a time.
    pub(crate) one_at_a_time: usize,
    /// Operations with [`AT_ONCE`] in progress.
    pub(crate) many: usize,
    /// Starts of a process.
    pub(crate) starts: usize,
    /// Quiet time before memory is read.
    pub(crate) settle: Duration,
    /// A loop is cut off after this.
    pub(crate) longest: Duration,
}

impl Workload {
    /// For figures to be written down.
    pub(crate) const FULL: Self = Self {
        rounds: 5,
        warm_up: 200,
        one_at_a_time: 2_000,
        many: 20_000,
        starts: 11,
        settle: Duration::from_secs(5),
        longest: Duration::from_secs(60),
    };
    /// For a look.
    pub(crate) const QUICK: Self = Self {
        rounds: 1,
        warm_up: 100,
        one_at_a_time: 500,
        many: 5_000,
        starts: 3,
        settle: Duration::from_secs(2),
        longest: Duration::from_secs(15),
    };
}

/// How much is measured of questions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AskWorkload {
    /// Everything is measured this often; medians are reported.
    pub(crate) rounds: usize,
    /// Questions one at a time.
    one_at_a_time: usize,
    /// Questions with several in progress.
    many: usize,
    /// A series is cut off after this.
    pub(crate) longest: Duration,
}

impl AskWorkload {
    /// For figures to be written down.
    pub(crate) const FULL: Self = Self {
        rounds: 5,
        one_at_a_time: 300,
        many: 1_000,
        longest: Duration::from_secs(30),
    };
    /// For a look.
    pub(crate) const QUICK: Self = Self {
        rounds: 1,
        one_at_a_time: 200,
        many: 500,
        longest: Duration::from_secs(15),
    };

    /// Questions of a series that are counted.
    pub(crate) const fn counted(&self, case: Case) -> usize {
        if case.at_once == 1 {
            self.one_at_a_time
        } else {
            self.many
        }
    }

    /// Questions before them on each connection.
    pub(crate) const fn warm_up(&self, case: Case) -> usize {
        if case.at_once == 1 { 20 } else { 2 }
    }

    /// All questions of a series.
    pub(crate) const fn asks(&self, case: Case) -> usize {
        self.counted(case) + case.at_once * self.warm_up(case)
    }
}

/// Text of every message: two hundred characters, as a short note of an agent has.
pub(crate) const TEXT: &str = "The build of the main branch is green again: 412 tests passed in \
    38 seconds. The flaky one was a race in the watcher; the fix is on the branch, and it waits \
    for someone to look at it before noon.";

/// The request to send it to `peer`.
pub(crate) fn send_request(peer: &str) -> String {
    serde_json::json!({
        "to": peer,
        "payload": { "type": "text", "text": TEXT },
    })
    .to_string()
}
