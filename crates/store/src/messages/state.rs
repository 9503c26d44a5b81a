//! The words for where a message is and how sure that is.

use crate::convert::stored_enum;

stored_enum! {
    /// Which way a message goes.
    Direction {
        /// From the peer to us.
        In = "in",
        /// From us to the peer.
        Out = "out",
    }
}

impl Direction {
    /// The number in the column, which indexes use.
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::In => 0,
            Self::Out => 1,
        }
    }
}

stored_enum! {
    /// Where a message is. The first five are of outgoing messages, the others of incoming ones.
    State {
        /// Waits for its turn; only in [`Mode::Queue`].
        Queued = "queued",
        /// An attempt may be running.
        Sending = "sending",
        /// Exactly one copy is stored at the peer.
        Delivered = "delivered",
        /// Nothing was stored at the peer, and nothing of it will be.
        Failed = "failed",
        /// Zero or one copy is stored at the peer; to be asked.
        Unconfirmed = "unconfirmed",
        /// Nobody has looked at it.
        New = "new",
        /// The person has seen it.
        Read = "read",
        /// An agent, a command or an endpoint got it.
        HandedOver = "handedOver",
        /// Whoever it was for confirmed it.
        Acknowledged = "acknowledged",
    }
}

stored_enum! {
    /// What a delivery rests on.
    Evidence {
        /// The peer's signed receipt.
        Signed = "signed",
        /// The peer's unsigned word.
        Claimed = "claimed",
        /// Nothing.
        None = "none",
    }
}

impl Evidence {
    pub(super) const fn rank(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Claimed => 1,
            Self::Signed => 2,
        }
    }
}

stored_enum! {
    /// What happens when a message cannot be delivered at once.
    Mode {
        /// It fails.
        Now = "now",
        /// It is tried again until it expires.
        Queue = "queue",
    }
}

/// How surely an incoming message is from the peer it names. A copy of lower assurance never stands for one of
/// higher assurance: both are kept.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub enum Assurance {
    /// Anyone on the network could have sent it.
    Unauthenticated = 0,
    /// Sent by a holder of a secret that several machines may share.
    SharedSecret = 1,
    /// Signed by the peer's own key.
    Signed = 2,
}

impl Assurance {
    pub(super) fn from_code(code: i64) -> Self {
        match code {
            2 => Self::Signed,
            1 => Self::SharedSecret,
            _ => Self::Unauthenticated,
        }
    }
}
