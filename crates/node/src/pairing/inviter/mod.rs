//! The inviter's side of pairing by link: invites, and the joins by them.

mod join;
mod restore;

use std::time::Duration;

use base64::Engine as _;
use tieline_wire::invite::Invite;
use tieline_wire::pairing::{InviteId, InviteSecret};
use tieline_wire::problem::{Code, Problem};
use tieline_wire::time::UnixMillis;

use super::entry::{Entry, Stand};
use crate::clock::wall_now;
use crate::model::{EventKind, InviteState, InviteView};
use crate::node::Node;

pub(crate) use join::{hello, prove};
pub(crate) use restore::restore;
pub(in crate::pairing) use restore::setting;

/// How long an invite is open unless said otherwise.
const DEFAULT_TTL: Duration = Duration::from_secs(600);
/// Longest time an invite may be open.
const LONGEST_TTL: Duration = Duration::from_secs(24 * 3600);
/// What a bound invite's secret is sealed for.
const SEALED_FOR: &str = "invite";

impl Node {
    /// Opens an invite for one machine.
    ///
    /// # Errors
    /// `INVALID_REQUEST` for a time of zero or more than a day.
    pub async fn create_invite(&self, ttl: Option<Duration>) -> Result<InviteView, Problem> {
        let ttl = ttl.unwrap_or(DEFAULT_TTL);
        if ttl < Duration::from_secs(1) || ttl > LONGEST_TTL {
            return Err(Problem::new(Code::InvalidRequest)
                .summary("An invite can be open from one second to 24 hours.")
                .with("ttlSeconds", ttl.as_secs()));
        }
        let secret = InviteSecret::generate();
        let id = secret.invite_id();
        let addresses = self.own_addresses();
        let invite = Invite {
            pin: self.identity.certificate.pin(),
            fingerprint: self.identity.certificate.fingerprint(),
            secret: secret.clone(),
            addresses: addresses
                .into_iter()
                .take(tieline_wire::invite::MAX_ADDRESSES)
                .collect(),
            name: self.own_name(),
        };
        let link = invite.to_link()?;
        let entry = Entry::new(secret, Some(link), wall_now(), ttl);
        let view = self.invite_view(&id, &entry);
        self.invites.write(id, entry);
        self.events.changed(EventKind::Invites, view.id.clone());
        let node = self.clone();
        let name = view.id.clone();
        self.tasks.spawn(async move {
            // The page learns of the expiry without asking.
            tokio::select! {
                () = node.stop.cancelled() => {}
                () = tokio::time::sleep(ttl) => node.events.changed(EventKind::Invites, name),
            }
        });
        Ok(view)
    }

    /// The invites of this run, newest first.
    #[must_use]
    pub fn invites(&self) -> Vec<InviteView> {
        self.invites
            .all()
            .iter()
            .map(|(id, entry)| self.invite_view(id, entry))
            .collect()
    }

    /// Takes an open invite back: no machine joins by it that has not joined already.
    ///
    /// # Errors
    /// `INVITE_UNKNOWN`.
    pub async fn cancel_invite(&self, id: &str) -> Result<(), Problem> {
        let unknown = || Problem::new(Code::InviteUnknown);
        let (id, _) = self
            .invites
            .all()
            .into_iter()
            .find(|(known, _)| view_id(known) == id)
            .ok_or_else(unknown)?;
        let turn = self.changing.lock().await;
        self.invites.cancel(&id)?;
        drop(turn);
        self.events.changed(EventKind::Invites, view_id(&id));
        Ok(())
    }

    fn invite_view(&self, id: &InviteId, entry: &Entry) -> InviteView {
        let fingerprint = self.identity.certificate.fingerprint();
        let state = entry.state();
        let open = state == InviteState::Open;
        let joined_peer = match &entry.stand {
            Stand::Bound(binding) => {
                let peer = binding.peer.and_then(|peer| self.peers.by_id(peer));
                peer.map(|peer| peer.alias())
            }
            _ => None,
        };
        let ttl_ms = i64::try_from(entry.ttl.as_millis()).unwrap_or(i64::MAX);
        let link = entry
            .link
            .as_ref()
            .filter(|_| open)
            .map(|link| link.expose().to_owned());
        InviteView {
            id: view_id(id),
            link,
            state,
            created_at: entry.created_at.to_string(),
            expires_at: UnixMillis(entry.created_at.0.saturating_add(ttl_ms)).to_string(),
            expires_in_ms: if open {
                u64::try_from(entry.left().as_millis()).unwrap_or(u64::MAX)
            } else {
                0
            },
            fingerprint: fingerprint.to_string(),
            words: fingerprint
                .words()
                .iter()
                .map(|word| (*word).to_owned())
                .collect(),
            joined_peer,
        }
    }
}

/// How front ends name an invite: not the id that the joiner sends, which is half a capability.
fn view_id(id: &InviteId) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(id.as_bytes());
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&digest[..9])
}
