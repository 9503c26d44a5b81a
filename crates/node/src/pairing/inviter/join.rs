//! The two steps of a join, and storing it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tieline_store::peers::{self, NewPeer, PairedBy, PeerRow, PeerState};
use tieline_store::{invites, settings};
use tieline_wire::card::Card;
use tieline_wire::pairing::{InviteId, InviteSecret, Role, Transcript, check, prove as make_proof};
use tieline_wire::problem::{Code, Problem};

use super::restore::setting;
use super::{SEALED_FOR, view_id};
use crate::clock::wall_now;
use crate::line::named;
use crate::model::EventKind;
use crate::node::Node;
use crate::pairing::book::Session;
use crate::pairing::roster::{changed_key, free_alias};
use crate::peers::token_purpose;
use crate::protocol::{Channel, HelloAnswer, HelloBody, ProveAnswer, ProveBody};

/// First step: which invite, and who comes.
///
/// # Errors
/// `INVALID_REQUEST`, `CARD_INVALID`, `CARD_MISMATCH`, `OWN_LINK` and those of [`crate::pairing::Book::begin`].
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
/// `PROOF_WRONG`, `INVITE_LOCKED`, `NEW_KEY` and those of [`crate::pairing::Book::claim`].
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
