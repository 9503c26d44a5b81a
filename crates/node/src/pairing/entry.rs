//! One invite: where it stands, and who came with it.

use std::time::Duration;

use tieline_store::peers::PeerId;
use tieline_wire::invite::InviteLink;
use tieline_wire::key::VerifyKey;
use tieline_wire::pairing::InviteSecret;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::time::UnixMillis;

use crate::clock::Instant;
use crate::model::InviteState;

/// One invite.
#[derive(Clone)]
pub(crate) struct Entry {
    /// Its secret.
    pub secret: InviteSecret,
    /// The link; absent for one of an earlier run.
    pub link: Option<InviteLink>,
    /// When it was made, by the wall.
    pub created_at: UnixMillis,
    /// When it was made.
    pub created: Instant,
    /// How long it is open.
    pub ttl: Duration,
    /// Where it stands, expiry aside.
    pub stand: Stand,
    pub(super) wrong: u8,
}

/// Where an invite stands, expiry aside.
#[derive(Clone)]
pub(crate) enum Stand {
    /// Nobody came yet.
    Open,
    /// Bound to the keys that came.
    Bound(Box<Binding>),
    /// Taken back.
    Cancelled,
    /// Too many wrong proofs.
    Locked,
}

/// Who came with an invite.
#[derive(Clone)]
pub(crate) struct Binding {
    /// Its TLS key.
    pub tls_key: VerifyKey,
    /// Its signing key.
    pub verify_key: VerifyKey,
    /// The peer it became; `None` while that is being stored.
    pub peer: Option<PeerId>,
    /// Whether it has confirmed that it stored the pair. Until then it may do the steps again.
    pub confirmed: bool,
}

impl Entry {
    /// A new invite.
    #[must_use]
    pub(crate) fn new(
        secret: InviteSecret,
        link: Option<InviteLink>,
        created_at: UnixMillis,
        ttl: Duration,
    ) -> Self {
        Self {
            secret,
            link,
            created_at,
            created: Instant::now(),
            ttl,
            stand: Stand::Open,
            wrong: 0,
        }
    }

    /// Time left.
    #[must_use]
    pub(crate) fn left(&self) -> Duration {
        self.ttl.saturating_sub(self.created.elapsed())
    }

    /// As front ends see it.
    #[must_use]
    pub(crate) fn state(&self) -> InviteState {
        match self.stand {
            Stand::Open if self.left().is_zero() => InviteState::Expired,
            Stand::Open => InviteState::Open,
            Stand::Bound(_) => InviteState::Joined,
            Stand::Cancelled => InviteState::Cancelled,
            Stand::Locked => InviteState::Locked,
        }
    }

    /// Whether this connection's key may go on with it.
    ///
    /// # Errors
    /// `LINK_EXPIRED`, `INVITE_USED`, `INVITE_LOCKED`.
    pub(super) fn admit(&self, tls_key: &VerifyKey) -> Result<(), Problem> {
        match &self.stand {
            Stand::Open if self.left().is_zero() => Err(Problem::new(Code::LinkExpired)),
            Stand::Open => Ok(()),
            Stand::Bound(binding) if !binding.confirmed && binding.tls_key == *tls_key => Ok(()),
            Stand::Bound(_) => Err(Problem::new(Code::InviteUsed)),
            Stand::Cancelled => Err(Problem::new(Code::LinkExpired)
                .because("The invite was taken back on the machine that made it.")),
            Stand::Locked => Err(Problem::new(Code::InviteLocked)),
        }
    }
}
