//! Who speaks: the key of the connection, then the token of the request, then the pair's HMAC.
//!
//! All three are looked up and checked for every request and every frame, so that a peer which
//! was unpaired a moment ago is a stranger on a connection that is still open.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tieline_wire::problem::{Code, Problem};
use tieline_wire::token::{Binding, check_pair_mac};

use super::{Request, path};
use crate::peers::{Peer, Peers};

/// The peer that made this request.
///
/// # Errors
/// `PEER_REVOKED` for a key that is not paired (or no longer), `TOKEN_INVALID` for anything wrong
/// with the token or its HMAC. The answer does not say what exactly; this node's log does.
pub(crate) fn authenticate(peers: &Peers, request: &Request) -> Result<Arc<Peer>, Problem> {
    let pin = request.channel.pin().ok_or_else(|| {
        Problem::new(Code::PeerRevoked).because("The connection shows no client certificate.")
    })?;
    let peer = peers
        .by_pin(&pin)
        .ok_or_else(|| Problem::new(Code::PeerRevoked))?;
    let record = peer.record();
    let keys = record
        .keys
        .as_ref()
        .ok_or_else(|| Problem::new(Code::PeerRevoked))?;
    let proof = request
        .proof
        .as_ref()
        .ok_or_else(|| Problem::new(Code::TokenInvalid).because("The request carries no token."))?;
    let binding = Binding {
        method: request.method.as_str(),
        path: &request.path,
        body_hash: Sha256::digest(&request.body).into(),
        channel: request.channel.handshake.channel,
    };
    // The HMAC comes first: a token number is used up only by a request that is wholly right.
    match (&keys.speaker.pair_token, &proof.mac) {
        (Some(pair), Some(mac)) if check_pair_mac(pair, &proof.token, mac) => {}
        (_, _) if request.path == path::BIND => {}
        (Some(_), _) => return Err(refuse(&peer, "the pair's HMAC is missing or wrong")),
        (None, _) => return Err(refuse(&peer, "the pair has no token yet")),
    }
    let (_, number) = keys
        .verifier
        .check(&proof.token, &binding)
        .map_err(|error| refuse(&peer, &error.to_string()))?;
    // Locked only now, so that requests on one connection check their signatures side by side.
    let used = request.channel.received.lock().accept(number);
    used.map_err(|error| refuse(&peer, &error.to_string()))?;
    Ok(peer)
}

fn refuse(peer: &Peer, why: &str) -> Problem {
    if let Some(left_out) = peer.refusals.turn() {
        tracing::warn!(peer = %peer.alias(), why, left_out, "request refused");
    }
    Problem::new(Code::TokenInvalid)
}
