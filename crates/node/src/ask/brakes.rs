//! Brakes: how many questions go back and forth with one peer within an hour, and how many of its
//! messages are handed to an agent.
//!
//! Two agents that ask each other in a circle stop here at the latest, and a person is asked. The
//! counts are of this run; a restart begins anew.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use parking_lot::Mutex;
use tieline_store::peers::PeerId;
use tieline_wire::problem::{Code, Problem};

use crate::clock::Instant;

const HOUR: Duration = Duration::from_secs(3600);
/// Questions per peer, direction and hour before the person is asked.
pub(crate) const ASKS_PER_HOUR: u32 = 30;
/// Messages of a peer that are handed over within an hour before the person is asked.
const HANDOVERS_PER_HOUR: u32 = 60;
/// What *Allow 10 more* adds.
const MORE: u32 = 10;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// The peer's questions to this node.
    AsksIn,
    /// This node's questions to the peer.
    AsksOut,
    /// The peer's messages that are handed to an agent here.
    Handovers,
}

impl Kind {
    /// Every kind.
    pub(crate) const ALL: [Self; 3] = [Self::AsksIn, Self::AsksOut, Self::Handovers];

    /// How many within an hour.
    const fn per_hour(self) -> u32 {
        match self {
            Self::AsksIn | Self::AsksOut => ASKS_PER_HOUR,
            Self::Handovers => HANDOVERS_PER_HOUR,
        }
    }

    /// For front ends.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AsksIn => "asksIn",
            Self::AsksOut => "asksOut",
            Self::Handovers => "handovers",
        }
    }

    /// Reads what [`Kind::as_str`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The counts of all peers.
#[derive(Default)]
pub(crate) struct Brakes {
    counts: Mutex<HashMap<(PeerId, Kind), Count>>,
}

#[derive(Default)]
struct Count {
    used: VecDeque<Instant>,
    extra: u32,
    /// When the person last allowed more: that holds for an hour, also before the first use.
    allowed: Option<Instant>,
    stopped: bool,
    waiting: bool,
}

/// One brake: used, allowed, and whether the person is being asked.
pub(crate) struct Standing {
    pub(crate) used: u32,
    pub(crate) limit: u32,
    pub(crate) waiting: bool,
}

impl Brakes {
    /// Counts one more.
    ///
    /// # Errors
    /// `BUDGET_SPENT`: the person is asked from now on.
    pub(crate) fn take(&self, peer: PeerId, kind: Kind) -> Result<(), Problem> {
        let mut counts = self.counts.lock();
        let count = counts.entry((peer, kind)).or_default();
        count.forget();
        if count.stopped || count.len() >= count.limit(kind) {
            count.waiting = !count.stopped;
            return Err(Problem::new(Code::BudgetSpent).with("limit", count.limit(kind)));
        }
        count.used.push_back(Instant::now());
        Ok(())
    }

    /// Seconds until the oldest of the hour is forgotten; the whole hour where a person said no.
    pub(crate) fn retry_after(&self, peer: PeerId, kind: Kind) -> u64 {
        let counts = self.counts.lock();
        let count = counts.get(&(peer, kind)).filter(|count| !count.stopped);
        let oldest = count.and_then(|count| count.used.front());
        let left = oldest.map_or(HOUR, |oldest| HOUR.saturating_sub(oldest.elapsed()));
        left.as_secs().max(1)
    }

    /// The person allows ten more, also after a stop.
    pub(crate) fn allow_more(&self, peer: PeerId, kind: Kind) {
        let mut counts = self.counts.lock();
        let count = counts.entry((peer, kind)).or_default();
        count.stopped = false;
        count.waiting = false;
        count.extra = count.extra.saturating_add(MORE);
        count.allowed = Some(Instant::now());
    }

    /// The person wants no more of this until they allow it.
    pub(crate) fn stop(&self, peer: PeerId, kind: Kind) {
        let mut counts = self.counts.lock();
        let count = counts.entry((peer, kind)).or_default();
        count.stopped = true;
        count.waiting = false;
    }

    /// How a brake stands.
    pub(crate) fn standing(&self, peer: PeerId, kind: Kind) -> Standing {
        let mut counts = self.counts.lock();
        let count = counts.entry((peer, kind)).or_default();
        count.forget();
        let limit = if count.stopped { 0 } else { count.limit(kind) };
        Standing {
            used: count.len(),
            limit,
            waiting: count.waiting,
        }
    }
}

impl Count {
    fn forget(&mut self) {
        while self.used.front().is_some_and(|when| when.elapsed() >= HOUR) {
            self.used.pop_front();
        }
        let is_over = self.allowed.is_none_or(|when| when.elapsed() >= HOUR);
        if self.used.is_empty() && is_over {
            self.extra = 0;
        }
    }

    fn len(&self) -> u32 {
        u32::try_from(self.used.len()).unwrap_or(u32::MAX)
    }

    const fn limit(&self, kind: Kind) -> u32 {
        kind.per_hour().saturating_add(self.extra)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spent_budget_asks_the_person_who_may_allow_more_or_stop() {
        let brakes = Brakes::default();
        let peer = PeerId(1);
        for _ in 0..ASKS_PER_HOUR {
            brakes.take(peer, Kind::AsksIn).unwrap();
        }
        assert_eq!(
            brakes.take(peer, Kind::AsksIn).unwrap_err().code,
            Code::BudgetSpent
        );
        assert!(brakes.standing(peer, Kind::AsksIn).waiting);
        assert!(
            brakes.take(peer, Kind::AsksOut).is_ok() && brakes.take(peer, Kind::Handovers).is_ok(),
            "each kind has its own"
        );
        brakes.allow_more(peer, Kind::AsksIn);
        for _ in 0..MORE {
            brakes.take(peer, Kind::AsksIn).unwrap();
        }
        assert!(brakes.take(peer, Kind::AsksIn).is_err());
        brakes.stop(peer, Kind::AsksIn);
        assert_eq!(brakes.standing(peer, Kind::AsksIn).limit, 0);
        assert!(!brakes.standing(peer, Kind::AsksIn).waiting);
    }

    #[test]
    fn what_is_allowed_before_the_first_use_counts() {
        let brakes = Brakes::default();
        let peer = PeerId(1);
        brakes.allow_more(peer, Kind::AsksOut);
        let limit = brakes.standing(peer, Kind::AsksOut).limit;
        assert_eq!(limit, Kind::AsksOut.per_hour() + MORE);
        for _ in 0..limit {
            brakes.take(peer, Kind::AsksOut).unwrap();
        }
        assert!(brakes.take(peer, Kind::AsksOut).is_err());
    }
}
