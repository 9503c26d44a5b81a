//! The pair's token: made from the first connection on which both sides' pins held.
//!
//! Pairing by link makes it from the connection of the join. Swapped cards make it by `bind`, on
//! the first connection either side opens. Until one side has heard the other confirm it, it may
//! be made anew; from then on it stays.

use tieline_store::invites;
use tieline_store::peers::{self, PeerState};
use tieline_wire::problem::{Code, Problem};

use super::inviter::setting;
use crate::line::{Connection, DirectConnection};
use crate::model::EventKind;
use crate::node::Node;
use crate::peers::{Peer, token_purpose};
use crate::protocol::{BindAnswer, Channel, ConfirmAnswer, path};

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Makes the pair's token with a peer that this node just dialled, and confirms it.
///
/// # Errors
/// The peer's refusal (`PEER_REVOKED` until it has this node's card), or a failed exchange.
pub(crate) async fn bind(
    node: &Node,
    peer: &Arc<Peer>,
    connection: &Arc<DirectConnection>,
) -> Result<(), Problem> {
    peer.binding.store(true, Ordering::SeqCst);
    let bound = ask(node, peer, connection).await;
    peer.binding.store(false, Ordering::SeqCst);
    match bound {
        // Both asked at once and the other side's goes on, or was done a moment ago: its token
        // comes by itself.
        Err(problem) if matches!(problem.code, Code::PeerBusy | Code::PeerExists) => {
            token_arrives(peer).await.map_err(|_| problem)
        }
        other => other,
    }
}

/// Whether a pair's token is there, or comes within a moment.
async fn token_arrives(peer: &Peer) -> Result<(), Problem> {
    for _ in 0..60 {
        if has_token(peer) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(Problem::new(Code::PeerBusy))
}

fn has_token(peer: &Peer) -> bool {
    let record = peer.record();
    record
        .keys
        .as_ref()
        .is_some_and(|keys| keys.speaker.pair_token.is_some())
}

/// Forgets a token that the other side does not know: it was never confirmed, so the next
/// connection makes a new one. False where the token stands.
///
/// # Errors
/// Those of the store.
pub(crate) async fn forget_unconfirmed(node: &Node, peer: &Arc<Peer>) -> Result<bool, Problem> {
    let record = peer.record();
    if record.row.token_confirmed || record.row.sealed_token.is_none() {
        return Ok(false);
    }
    let id = peer.id;
    peer.bound_here.store(false, Ordering::SeqCst);
    node.change_peer(id, move |tx| match peers::get(tx, id)? {
        Some(row) if !row.token_confirmed => peers::set_token(tx, id, None, false),
        _ => Ok(()),
    })
    .await?;
    Ok(true)
}

async fn ask(
    node: &Node,
    peer: &Arc<Peer>,
    connection: &Arc<DirectConnection>,
) -> Result<(), Problem> {
    let record = peer.record();
    let keys = record
        .keys
        .as_ref()
        .ok_or_else(|| Problem::new(Code::PeerRevoked))?;
    if has_token(peer) {
        return Ok(());
    }
    let exchange = connection.exchange(&keys.speaker, path::BIND, "{}".into());
    let answer = exchange.await.map_err(|error| error.problem)?;
    answer.read::<BindAnswer>()?;
    peer.bound_here.store(true, Ordering::SeqCst);
    store_token(node, peer, &connection.channel).await?;
    confirm_on(node, peer, &Connection::Direct(Arc::clone(connection))).await
}

/// Tells a peer that this node has stored the pair's token.
///
/// # Errors
/// The peer's refusal, or a failed exchange.
pub(crate) async fn confirm_on(
    node: &Node,
    peer: &Arc<Peer>,
    connection: &Connection,
) -> Result<(), Problem> {
    let record = peer.record();
    let keys = record
        .keys
        .as_ref()
        .ok_or_else(|| Problem::new(Code::PeerRevoked))?;
    let exchange = connection.exchange(&keys.speaker, path::PAIR_CONFIRM, "{}".into());
    exchange
        .await
        .map_err(|error| error.problem)?
        .read::<ConfirmAnswer>()?;
    let id = peer.id;
    node.change_peer(id, move |tx| peers::confirm_token(tx, id))
        .await?;
    Ok(())
}

/// Answers `bind`: the token of this connection becomes the pair's, unless there is one that holds.
///
/// # Errors
/// `PEER_EXISTS` where a token is confirmed, `PEER_BUSY` where both sides bind at once and this
/// node's key is the smaller (its own bind goes on).
pub(crate) async fn answer_bind(
    node: &Node,
    peer: &Arc<Peer>,
    channel: &Channel,
) -> Result<BindAnswer, Problem> {
    let record = peer.record();
    let keys = record
        .keys
        .as_ref()
        .ok_or_else(|| Problem::new(Code::PeerRevoked))?;
    if record.row.token_confirmed {
        return Err(Problem::new(Code::PeerExists).because(
            "This pair has its token already; it is made once, when the two are paired.",
        ));
    }
    let mine = peer.binding.load(Ordering::SeqCst) || peer.bound_here.load(Ordering::SeqCst);
    if mine && node.key_id() < keys.key_id {
        return Err(Problem::new(Code::PeerBusy));
    }
    store_token(node, peer, channel).await?;
    Ok(BindAnswer { ok: true })
}

/// Answers `confirm`, which carried the pair's HMAC: both sides have the token.
///
/// # Errors
/// Those of the store.
pub(crate) async fn answer_confirm(
    node: &Node,
    peer: &Arc<Peer>,
) -> Result<ConfirmAnswer, Problem> {
    let id = peer.id;
    let used: Vec<_> = node.invites.confirm(id);
    let invite_ids = used.clone();
    node.change_peer(id, move |tx| {
        peers::confirm_token(tx, id)?;
        for invite in &used {
            invites::confirm(tx, invite.as_bytes())?;
            tieline_store::settings::remove(tx, &setting(invite))?;
        }
        Ok(())
    })
    .await?;
    if !invite_ids.is_empty() {
        node.events.changed(EventKind::Invites, String::new());
    }
    // The joiner is ready; measure the other direction now.
    peer.keeper.notify_one();
    Ok(ConfirmAnswer { ok: true })
}

/// Seals the connection's pair secret into the peer's row, unconfirmed.
async fn store_token(node: &Node, peer: &Arc<Peer>, channel: &Channel) -> Result<(), Problem> {
    let record = peer.record();
    let keys = record
        .keys
        .as_ref()
        .ok_or_else(|| Problem::new(Code::PeerRevoked))?;
    let purpose = token_purpose(&keys.verify_key);
    let sealed = node
        .identity
        .seal
        .seal(&purpose, channel.handshake.pair_secret.as_slice())?;
    let id = peer.id;
    let stored = node
        .store
        .write(move |tx| {
            // Checked again in the transaction: a confirmed token is never replaced.
            match peers::get(tx, id)? {
                Some(row) if row.token_confirmed || row.state == PeerState::Revoked => Ok(None),
                _ => {
                    peers::set_token(tx, id, Some(&sealed), false)?;
                    peers::get(tx, id)
                }
            }
        })
        .await?;
    let row = stored.ok_or_else(|| Problem::new(Code::PeerExists))?;
    node.put_peer(row);
    Ok(())
}
