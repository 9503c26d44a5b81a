//! The inviter's side of pairing by link.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tieline_store::peers::{self, NewPeer, PairedBy, PeerRow, PeerState};
use tieline_store::{invites, settings};
use tieline_wire::card::Card;
use tieline_wire::invite::Invite;
use tieline_wire::pairing::{InviteId, InviteSecret, Role, Transcript, check, prove as make_proof};
use tieline_wire::problem::{Code, Problem};
use tieline_wire::time::UnixMillis;

use super::book::{Binding, Entry, Session, Stand};
use super::roster::{changed_key, free_alias};
use crate::clock::wall_now;
use crate::line::named;
use crate::model::{EventKind, InviteState, InviteView};
use crate::node::Node;
use crate::peers::token_purpose;
use crate::protocol::{Channel, HelloAnswer, HelloBody, ProveAnswer, ProveBody};

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

/// First step: which invite, and who comes.
///
/// # Errors
/// `INVALID_REQUEST`, `CARD_INVALID`, `CARD_MISMATCH`, `OWN_LINK` and those of [`super::Book::begin`].
pub(crate) async fn hello(
    node: &Node,
    channel: &Channel,
    body: &HelloBody,
) -> Result<HelloAnswer, Problem> {
    let tls_key = channel.handshake.tls_key.ok_or_else(|| {
        Problem::new(Code::CardMismatch).because("The connection shows no client certificate.")
    })?;
    let id: [u8; 16] = STANDARD
        .decode(&body.invite_id)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| {
            Problem::new(Code::InvalidRequest).because("The invite id is not 16 bytes in base64.")
        })?;
    let card = Card::parse(body.card.as_bytes())?;
    if card.certificate.verify_key() != tls_key {
        return Err(Problem::new(Code::CardMismatch));
    }
    if card.key_id() == node.key_id() || tls_key == node.identity.tls.verify_key() {
        return Err(Problem::new(Code::OwnLink));
    }
    let inviter_card = String::from_utf8(node.card()?.to_json())
        .map_err(|error| Problem::new(Code::Internal).because(error.to_string()))?;
    let session = Session {
        invite: InviteId(id),
        inviter_card: inviter_card.clone(),
        joiner_card: body.card.clone(),
        card,
    };
    node.invites.begin(channel.id, &tls_key, session)?;
    Ok(HelloAnswer { card: inviter_card })
}

/// Second step: the joiner's proof. Only after it holds is anything stored or proven in return.
///
/// # Errors
/// `PROOF_WRONG`, `INVITE_LOCKED`, `NEW_KEY` and those of [`super::Book::claim`].
pub(crate) async fn prove(
    node: &Node,
    channel: &Channel,
    body: &ProveBody,
) -> Result<ProveAnswer, Problem> {
    let tls_key = channel
        .handshake
        .tls_key
        .ok_or_else(|| Problem::new(Code::CardMismatch))?;
    let (session, secret) = node.invites.step(channel.id, &tls_key)?;
    let transcript = Transcript::new(
        &session.invite,
        &channel.handshake.channel,
        session.inviter_card.as_bytes(),
        session.joiner_card.as_bytes(),
    );
    let verify_key = session.card.verify_key;
    if check(Role::Joiner, &secret, &verify_key, &transcript, &body.proof).is_err() {
        tracing::warn!(remote = %channel.remote, "wrong proof under an open invite");
        return Err(node.invites.wrong(&session.invite));
    }
    node.invites.claim(&session.invite, tls_key, verify_key)?;
    // Whoever takes the invite or the join back does so before this, or after all of it.
    let turn = node.changing.lock().await;
    let stored = store(node, channel, &session, &secret).await;
    node.invites
        .settle(&session.invite, stored.as_ref().ok().map(|peer| peer.id));
    drop(turn);
    let peer = stored?;
    if node.peers.by_id(peer.id).is_none() {
        // Taken back in this very moment.
        node.invites.confirm(peer.id);
        return Err(Problem::new(Code::InviteUsed));
    }
    tracing::info!(peer = %peer.alias(), "a machine joined by link");
    node.events
        .changed(EventKind::Invites, view_id(&session.invite));
    let proof = make_proof(Role::Inviter, &secret, &node.identity.signing, &transcript);
    Ok(ProveAnswer { proof })
}

/// What came of storing a joiner.
enum Stored {
    /// Its row.
    Peer(Box<PeerRow>),
    /// One of its keys is paired already, but with another one.
    OtherKey,
    /// The invite was used up or taken back meanwhile.
    Used,
}

/// One transaction stores the peer and binds the invite to its keys.
async fn store(
    node: &Node,
    channel: &Channel,
    session: &Session,
    secret: &InviteSecret,
) -> Result<std::sync::Arc<crate::peers::Peer>, Problem> {
    let mut card = session.card.clone();
    card.addresses = named(card.addresses, channel.remote.ip());
    let verify_key = card.verify_key;
    let tls_key = card.certificate.verify_key();
    let sealed = node.identity.seal.seal(
        &token_purpose(&verify_key),
        channel.handshake.pair_secret.as_slice(),
    )?;
    let sealed_secret = STANDARD.encode(node.identity.seal.seal(SEALED_FOR, secret.expose())?);
    let invite = session.invite;
    let now = wall_now();
    let engine = node.clone();
    let stored = node
        .store
        .write(move |tx| {
            if !engine.invites.may_finish(&invite, &tls_key, &verify_key) {
                return Ok(Stored::Used);
            }
            if changed_key(tx, &tls_key, &verify_key)? {
                return Ok(Stored::OtherKey);
            }
            let id = match peers::by_tls_key(tx, &tls_key)? {
                Some(known) => {
                    peers::set_token(tx, known.id, Some(&sealed), false)?;
                    peers::set_addresses(tx, known.id, &card.addresses)?;
                    known.id
                }
                None => {
                    let alias = free_alias(tx, &card.name)?;
                    let new = NewPeer {
                        alias,
                        dialect: tieline_store::peers::Dialect::Tieline,
                        state: PeerState::Joined,
                        tls_key: Some(tls_key),
                        verify_key: Some(verify_key),
                        certificate: Some(card.certificate.der().to_vec()),
                        suggested_name: Some(card.name.clone()),
                        addresses: card.addresses.clone(),
                        sealed_token: Some(sealed),
                        token_confirmed: false,
                        paired_by: PairedBy::Link,
                        paired_at: now,
                        options: serde_json::json!({}),
                    };
                    peers::insert(tx, &new)?
                }
            };
            let bound = invites::BoundInvite {
                invite_id: *invite.as_bytes(),
                tls_key,
                verify_key,
                peer: id,
                confirmed: false,
                bound_at: now,
            };
            let again =
                invites::get(tx, invite.as_bytes())?.is_some_and(|earlier| earlier.peer == id);
            if !again {
                invites::bind(tx, &bound)?;
            }
            settings::set(tx, &setting(&invite), &sealed_secret)?;
            let row = peers::get(tx, id)?;
            Ok(row.map_or(Stored::Used, |row| Stored::Peer(Box::new(row))))
        })
        .await?;
    let row = match stored {
        Stored::Peer(row) => row,
        // Only a person may attach another key.
        Stored::OtherKey => return Err(Problem::new(Code::NewKey)),
        Stored::Used => return Err(Problem::new(Code::InviteUsed)),
    };
    node.put_peer(*row)
        .ok_or_else(|| Problem::new(Code::PeerRevoked))
}

const SETTING: &str = "invite:";

/// Setting that keeps a bound invite's sealed secret until the joiner has confirmed.
pub(super) fn setting(invite: &InviteId) -> String {
    format!("{SETTING}{}", STANDARD.encode(invite.as_bytes()))
}

/// Reads bound invites of earlier runs back: their joiners may finish. Unbound ones died with the run.
///
/// # Errors
/// Those of the store.
pub(crate) async fn restore(node: &Node) -> Result<(), Problem> {
    let bound = node.store.read(|conn| {
        let mut found = Vec::new();
        for (key, value) in settings::list(conn)? {
            let id = key
                .strip_prefix(SETTING)
                .and_then(|text| STANDARD.decode(text).ok())
                .and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
            if let Some(id) = id
                && let Some(row) = invites::get(conn, &id)?
            {
                found.push((row, value));
            }
        }
        Ok(found)
    });
    for (row, value) in bound.await? {
        let secret = value
            .as_str()
            .and_then(|text| STANDARD.decode(text).ok())
            .and_then(|bytes| node.identity.seal.open(SEALED_FOR, &bytes))
            .and_then(|plain| <[u8; 16]>::try_from(plain.as_slice()).ok());
        let Some(secret) = secret else { continue };
        let mut entry = Entry::new(
            InviteSecret::from_bytes(secret),
            None,
            row.bound_at,
            DEFAULT_TTL,
        );
        entry.stand = Stand::Bound(Box::new(Binding {
            tls_key: row.tls_key,
            verify_key: row.verify_key,
            peer: Some(row.peer),
            confirmed: row.confirmed,
        }));
        node.invites.write(InviteId(row.invite_id), entry);
    }
    Ok(())
}
