//! How one delivery ended.

use tieline_store::messages::{Evidence, Finish, Mode, State};
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::Receipt;
use tieline_wire::time::UnixMillis;

use crate::exchange::Try;

/// How one delivery over all its tries ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Exactly one copy is stored, by the peer's signed word.
    Stored(Box<Receipt>),
    /// The peer says so, without a signature (KithKit).
    Claimed,
    /// The peer will never store it; with its signed word where the dialect has one.
    Refused(Problem, Option<Box<Receipt>>),
    /// Nothing was stored, this time.
    NotStored(Problem),
    /// The peer may have a copy.
    Unknown(Problem),
}

/// A delivery with its tries.
#[derive(Debug)]
pub(crate) struct Delivery {
    /// How it ended.
    pub outcome: Outcome,
    /// Every try.
    pub tries: Vec<Try>,
}

/// What becomes of the message.
#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    /// It ends, or is to be asked about.
    Finish {
        /// Where it stands.
        state: State,
        /// What backs that.
        evidence: Evidence,
        /// The peer's receipt, JSON.
        receipt: Option<Vec<u8>>,
        /// Why.
        problem: Option<Problem>,
    },
    /// It goes back into the queue; `true` where the peer may have a copy.
    Requeue(bool, Problem),
}

impl Outcome {
    /// The same where an earlier try may have left a copy with the peer: then only its signed word
    /// says that nothing is stored.
    #[must_use]
    pub(crate) fn after_exposure(self, exposed: bool) -> Self {
        match self {
            Self::NotStored(problem) | Self::Refused(problem, None) if exposed => {
                Self::Unknown(problem)
            }
            outcome => outcome,
        }
    }

    /// What becomes of a message that was sent in this mode.
    #[must_use]
    pub(crate) fn verdict(self, mode: Mode) -> Verdict {
        let receipt_json = |receipt: &Receipt| serde_json::to_vec(receipt).ok();
        match self {
            Self::Stored(receipt) => Verdict::Finish {
                state: State::Delivered,
                evidence: Evidence::Signed,
                receipt: receipt_json(&receipt),
                problem: None,
            },
            Self::Claimed => Verdict::Finish {
                state: State::Delivered,
                evidence: Evidence::Claimed,
                receipt: None,
                problem: None,
            },
            Self::Refused(problem, receipt) => Verdict::Finish {
                state: State::Failed,
                evidence: if receipt.is_some() {
                    Evidence::Signed
                } else {
                    Evidence::Claimed
                },
                receipt: receipt.as_deref().and_then(receipt_json),
                problem: Some(problem),
            },
            Self::NotStored(problem) if mode == Mode::Queue && may_pass(&problem) => {
                Verdict::Requeue(false, problem)
            }
            Self::NotStored(problem) => Verdict::Finish {
                state: State::Failed,
                evidence: Evidence::None,
                receipt: None,
                problem: Some(problem),
            },
            Self::Unknown(problem) if mode == Mode::Queue && may_pass(&problem) => {
                Verdict::Requeue(true, problem)
            }
            Self::Unknown(problem) => Verdict::Finish {
                state: State::Unconfirmed,
                evidence: Evidence::None,
                receipt: None,
                problem: Some(problem),
            },
        }
    }
}

/// Whether trying again later can help.
fn may_pass(problem: &Problem) -> bool {
    !matches!(
        problem.code,
        Code::PayloadTooLarge | Code::IdConflict | Code::InvalidRequest | Code::StoreRestored
    )
}

impl Verdict {
    /// Whether nothing will change any more.
    #[must_use]
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Finish { state, .. } if *state != State::Unconfirmed)
    }

    /// For the store.
    #[must_use]
    pub(crate) fn finish<'a>(
        state: State,
        evidence: Evidence,
        receipt: Option<&'a [u8]>,
        problem: Option<&'a serde_json::Value>,
        at: UnixMillis,
    ) -> Finish<'a> {
        Finish {
            state,
            evidence,
            receipt,
            problem,
            at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(outcome: Outcome, exposed: bool, mode: Mode) -> Option<State> {
        match outcome.after_exposure(exposed).verdict(mode) {
            Verdict::Finish { state, .. } => Some(state),
            Verdict::Requeue(..) => None,
        }
    }

    #[test]
    fn what_may_have_arrived_before_is_not_failed_without_the_peers_signed_word() {
        let refused = || Outcome::NotStored(Problem::new(Code::ConnectRefused));
        let claimed = || Outcome::Refused(Problem::new(Code::PeerRefusedUs), None);
        for outcome in [refused, claimed] {
            assert_eq!(state(outcome(), false, Mode::Now), Some(State::Failed));
            assert_eq!(state(outcome(), true, Mode::Now), Some(State::Unconfirmed));
        }
        assert_eq!(state(refused(), true, Mode::Queue), None);
        // Trying again cannot help: the peer is asked.
        let too_long = || Outcome::NotStored(Problem::new(Code::PayloadTooLarge));
        assert_eq!(state(too_long(), false, Mode::Queue), Some(State::Failed));
        assert_eq!(
            state(too_long(), true, Mode::Queue),
            Some(State::Unconfirmed)
        );
    }
}
