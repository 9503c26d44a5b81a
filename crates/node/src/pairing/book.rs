//! The book of invites: what was handed out, until when, and who came with it.

use std::collections::HashMap;

use parking_lot::Mutex;
use tieline_store::peers::PeerId;
use tieline_wire::card::Card;
use tieline_wire::key::VerifyKey;
use tieline_wire::pairing::{InviteId, InviteSecret};
use tieline_wire::problem::{Code, Problem};

use super::entry::{Binding, Entry, Stand};
use crate::model::InviteState;

/// Wrong proofs under the right invite id before it closes.
const MOST_WRONG: u8 = 5;
/// Joins in progress at once.
const MOST_SESSIONS: usize = 64;
/// Invites remembered for the front end.
const MOST_REMEMBERED: usize = 64;

/// The invites of this run, and bound ones of earlier runs that were not confirmed.
#[derive(Default)]
pub(crate) struct Book {
    pages: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    entries: HashMap<InviteId, Entry>,
    sessions: HashMap<u64, Session>,
}

/// A join in progress on one connection.
#[derive(Clone)]
pub(crate) struct Session {
    /// Which invite.
    pub invite: InviteId,
    /// The inviter's card as sent.
    pub inviter_card: String,
    /// The joiner's card as received.
    pub joiner_card: String,
    /// The same, read.
    pub card: Card,
}

impl Book {
    /// Writes an invite in; the oldest that are done are forgotten.
    pub(crate) fn write(&self, id: InviteId, entry: Entry) {
        let mut pages = self.pages.lock();
        while pages.entries.len() >= MOST_REMEMBERED {
            let Some(oldest) = pages
                .entries
                .iter()
                .filter(|(_, entry)| entry.state() != InviteState::Open)
                .min_by_key(|(_, entry)| entry.created_at)
                .map(|(id, _)| *id)
            else {
                break;
            };
            pages.entries.remove(&oldest);
        }
        pages.entries.insert(id, entry);
    }

    /// All invites, newest first.
    #[must_use]
    pub(crate) fn all(&self) -> Vec<(InviteId, Entry)> {
        let pages = self.pages.lock();
        let mut all: Vec<_> = pages
            .entries
            .iter()
            .map(|(id, entry)| (*id, entry.clone()))
            .collect();
        drop(pages);
        all.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.created_at));
        all
    }

    /// Whether this run knows of no invite, not even of one that is done and has something to say.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.pages.lock().entries.is_empty()
    }

    /// Takes an open invite back.
    ///
    /// # Errors
    /// `INVITE_UNKNOWN`.
    pub(crate) fn cancel(&self, id: &InviteId) -> Result<(), Problem> {
        let mut pages = self.pages.lock();
        let entry = pages
            .entries
            .get_mut(id)
            .ok_or_else(|| Problem::new(Code::InviteUnknown))?;
        match &entry.stand {
            Stand::Open => entry.stand = Stand::Cancelled,
            // Claimed, and nothing stored yet: it will not be.
            Stand::Bound(binding) if binding.peer.is_none() => entry.stand = Stand::Cancelled,
            _ => {}
        }
        Ok(())
    }

    /// Begins a join on a connection.
    ///
    /// # Errors
    /// `INVITE_UNKNOWN`, `LINK_EXPIRED`, `INVITE_USED`, `INVITE_LOCKED`, `PEER_BUSY`.
    pub(crate) fn begin(
        &self,
        channel: u64,
        tls_key: &VerifyKey,
        session: Session,
    ) -> Result<(), Problem> {
        let mut pages = self.pages.lock();
        let entry = pages
            .entries
            .get(&session.invite)
            .ok_or_else(|| Problem::new(Code::InviteUnknown))?;
        entry.admit(tls_key)?;
        if pages.sessions.len() >= MOST_SESSIONS {
            return Err(Problem::new(Code::PeerBusy));
        }
        pages.sessions.insert(channel, session);
        Ok(())
    }

    /// The join in progress on a connection, with its invite. Each step is taken once.
    ///
    /// # Errors
    /// As [`Book::begin`].
    pub(crate) fn step(
        &self,
        channel: u64,
        tls_key: &VerifyKey,
    ) -> Result<(Session, InviteSecret), Problem> {
        let mut pages = self.pages.lock();
        let session = pages.sessions.remove(&channel).ok_or_else(|| {
            Problem::new(Code::InviteUnknown).because("The first step of joining is missing.")
        })?;
        let entry = pages
            .entries
            .get(&session.invite)
            .ok_or_else(|| Problem::new(Code::InviteUnknown))?;
        entry.admit(tls_key)?;
        Ok((session, entry.secret.clone()))
    }

    /// Forgets what a closed connection began.
    pub(crate) fn end(&self, channel: u64) {
        self.pages.lock().sessions.remove(&channel);
    }

    /// Counts a wrong proof; five close the invite.
    pub(crate) fn wrong(&self, id: &InviteId) -> Problem {
        let mut pages = self.pages.lock();
        if let Some(entry) = pages.entries.get_mut(id) {
            entry.wrong = entry.wrong.saturating_add(1);
            if entry.wrong >= MOST_WRONG && matches!(entry.stand, Stand::Open) {
                entry.stand = Stand::Locked;
                return Problem::new(Code::InviteLocked);
            }
        }
        Problem::new(Code::ProofWrong)
    }

    /// Binds an invite to the two keys that proved themselves. Of several, the first wins.
    ///
    /// # Errors
    /// As [`Book::begin`]; `INVITE_USED` also where only one of the two keys is the same.
    pub(crate) fn claim(
        &self,
        id: &InviteId,
        tls_key: VerifyKey,
        verify_key: VerifyKey,
    ) -> Result<(), Problem> {
        let mut pages = self.pages.lock();
        let entry = pages
            .entries
            .get_mut(id)
            .ok_or_else(|| Problem::new(Code::InviteUnknown))?;
        entry.admit(&tls_key)?;
        match &entry.stand {
            Stand::Bound(binding) if binding.verify_key != verify_key => {
                Err(Problem::new(Code::InviteUsed))
            }
            Stand::Bound(_) => Ok(()),
            _ => {
                let binding = Binding {
                    tls_key,
                    verify_key,
                    peer: None,
                    confirmed: false,
                };
                entry.stand = Stand::Bound(Box::new(binding));
                Ok(())
            }
        }
    }

    /// Whether these keys may still finish: asked in the transaction that stores them, because the
    /// join may have been taken back since it was claimed.
    #[must_use]
    pub(crate) fn may_finish(
        &self,
        id: &InviteId,
        tls_key: &VerifyKey,
        verify_key: &VerifyKey,
    ) -> bool {
        let pages = self.pages.lock();
        pages.entries.get(id).is_some_and(|entry| {
            matches!(&entry.stand, Stand::Bound(binding) if !binding.confirmed
                && binding.tls_key == *tls_key
                && binding.verify_key == *verify_key)
        })
    }

    /// The claim was stored, or could not be.
    pub(crate) fn settle(&self, id: &InviteId, stored: Option<PeerId>) {
        let mut pages = self.pages.lock();
        let Some(entry) = pages.entries.get_mut(id) else {
            return;
        };
        match (&mut entry.stand, stored) {
            (Stand::Bound(binding), Some(peer)) => binding.peer = Some(peer),
            (Stand::Bound(binding), None) if binding.peer.is_none() => entry.stand = Stand::Open,
            _ => {}
        }
    }

    /// The joiner with this peer row has stored the pair: its invites are used up.
    pub(crate) fn confirm(&self, peer: PeerId) -> Vec<InviteId> {
        let mut pages = self.pages.lock();
        let mut confirmed = Vec::new();
        for (id, entry) in &mut pages.entries {
            if let Stand::Bound(binding) = &mut entry.stand
                && binding.peer == Some(peer)
                && !binding.confirmed
            {
                binding.confirmed = true;
                confirmed.push(*id);
            }
        }
        confirmed
    }
}
