//! The pair's token: made from the first connection on which both sides' pins held.
//!
//! Pairing by link makes it from the connection of the join. Swapped cards make it by `bind`, on
//! the first connection either side opens. Until one side has heard the other confirm it, it may
//! be made anew; from then on it stays.

use tieline_store::invites;
use tieline_store::peers::{self, PeerState};
use tieline_wire::pairing::InviteId;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::token::check_pair_mac;

use super::inviter::setting;
use crate::line::{Connection, DirectConnection};
use crate::model::EventKind;
use crate::node::Node;
use crate::peers::{Peer, Record, token_purpose};
use crate::protocol::{BindAnswer, Channel, ConfirmAnswer, Proof, path};

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long the side that was asked for a token waits until the other side confirms it.
const PATIENCE: Duration = Duration::from_secs(3);

/// Sees to it that both sides hold the same token before anything else is said on a connection.
///
/// The side that dialled first makes it and confirms it at once; the other side waits for that.
/// Where a crash came in between, the token that is here is confirmed, or else forgotten and made
/// anew.
///
/// # Errors
/// The peer's refusal (`PEER_REVOKED` until it has this node's card), or a failed exchange.
pub(crate) async fn settle_token(
    node: &Node,
    peer: &Arc<Peer>,
    connection: &Arc<DirectConnection>,
) -> Result<(), Problem> {
    let mut last = Problem::new(Code::TokenInvalid);
    for _ in 0..3 {
        let row = &peer.record().row;
        if row.token_confirmed {
            return Ok(());
        }
        let settled = if row.sealed_token.is_none() {
            bind(node, peer, connection).await
        } else if !peer.bound_here.load(Ordering::SeqCst) && confirmed_soon(peer).await {
            Ok(())
        } else {
            confirm_on(node, peer, &Connection::Direct(Arc::clone(connection))).await
        };
        match settled {
            Ok(()) => return Ok(()),
            // Both asked at once and the other side's goes on, or was done a moment ago.
            Err(problem) if matches!(problem.code, Code::PeerBusy | Code::PeerExists) => {
                if confirmed_soon(peer).await {
                    return Ok(());
                }
                last = problem;
            }
            Err(problem) if problem.code == Code::TokenInvalid => {
                forget_unconfirmed(node, peer).await?;
                last = problem;
            }
            Err(problem) => return Err(problem),
        }
    }
    Err(last)
}

async fn bind(
    node: &Node,
    peer: &Arc<Peer>,
    connection: &Arc<DirectConnection>,
) -> Result<(), Problem> {
    let _asking = {
        // Either this side asks, or it has answered the other side's question; never both.
        let _turn = peer.token_turn.lock().await;
        if peer.record().row.sealed_token.is_some() {
            return Err(Problem::new(Code::PeerBusy));
        }
        Asking::begin(peer)
    };
    ask(node, peer, connection).await?;
    confirm_on(node, peer, &Connection::Direct(Arc::clone(connection))).await
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
    let exchange = connection.exchange(&keys.speaker, path::BIND, "{}".into());
    let answer = exchange.await.map_err(|error| error.problem)?;
    answer.read::<BindAnswer>()?;
    peer.bound_here.store(true, Ordering::SeqCst);
    store_token(node, peer, &connection.channel).await
}

/// This side asks for a token; over when dropped, however that came about.
struct Asking(Arc<Peer>);

impl Asking {
    fn begin(peer: &Arc<Peer>) -> Self {
        peer.binding.store(true, Ordering::SeqCst);
        Self(Arc::clone(peer))
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.binding.store(false, Ordering::SeqCst);
    }
}

/// Whether the pair's token is confirmed, or will be within a moment.
async fn confirmed_soon(peer: &Peer) -> bool {
    let waiting = async {
        while !peer.record().row.token_confirmed {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.is_ok()
}

/// Forgets a token that the other side does not know. One that is confirmed stands.
async fn forget_unconfirmed(node: &Node, peer: &Arc<Peer>) -> Result<(), Problem> {
    let id = peer.id;
    peer.bound_here.store(false, Ordering::SeqCst);
    node.change_peer(id, move |tx| match peers::get(tx, id)? {
        Some(row) if !row.token_confirmed => peers::set_token(tx, id, None, false),
        _ => Ok(()),
    })
    .await?;
    Ok(())
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
    confirmed(node, peer, &record, Vec::new()).await
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
    let _turn = peer.token_turn.lock().await;
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
/// `TOKEN_INVALID` where another token took the place of the one that was shown, and those of the
/// store.
pub(crate) async fn answer_confirm(
    node: &Node,
    peer: &Arc<Peer>,
    proof: Option<&Proof>,
) -> Result<ConfirmAnswer, Problem> {
    let record = peer.record();
    let keys = record.keys.as_ref();
    let token = keys.and_then(|keys| keys.speaker.pair_token.as_deref());
    // The request was let in by the token of a moment ago; this is the one that will be confirmed.
    let shown = token.zip(proof).is_some_and(|(token, proof)| {
        let mac = proof.mac.as_deref();
        mac.is_some_and(|mac| check_pair_mac(token, &proof.token, mac))
    });
    if !shown {
        return Err(Problem::new(Code::TokenInvalid));
    }
    let used = node.invites.confirm(peer.id);
    let news = !used.is_empty();
    confirmed(node, peer, &record, used).await?;
    if news {
        node.events.changed(EventKind::Invites, String::new());
    }
    // The joiner is ready; measure the other direction now.
    peer.keeper.notify_one();
    Ok(ConfirmAnswer { ok: true })
}

/// Notes that both sides hold the token of `record`, and that these invites are used up.
async fn confirmed(
    node: &Node,
    peer: &Peer,
    record: &Record,
    used: Vec<InviteId>,
) -> Result<(), Problem> {
    let id = peer.id;
    let token = record.row.sealed_token.clone();
    let _turn = node.changing.lock().await;
    let row = node
        .store
        .write(move |tx| {
            for invite in &used {
                invites::confirm(tx, invite.as_bytes())?;
                tieline_store::settings::remove(tx, &setting(invite))?;
            }
            match peers::get(tx, id)? {
                Some(row) if token.is_some() && row.sealed_token == token => {
                    peers::confirm_token(tx, id)?;
                    peers::get(tx, id)
                }
                _ => Ok(None),
            }
        })
        .await?;
    let row = row.ok_or_else(|| Problem::new(Code::TokenInvalid))?;
    node.put_peer(row);
    Ok(())
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
    let _turn = node.changing.lock().await;
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
