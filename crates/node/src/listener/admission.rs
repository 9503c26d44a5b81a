//! What a request must show before any of its body is taken: memory is for those who are known.

use ::http::Method;
use tieline_wire::card;
use tieline_wire::problem::{Code, Problem};
use tokio::sync::OwnedSemaphorePermit;

use crate::limits::{BODY_UNIT, MAX_BODY, MAX_STRANGER_REQUESTS};
use crate::node::Node;
use crate::protocol::{Channel, Proof, path};

/// Largest body of a step of joining: a card as a JSON string, and little around it.
const MAX_JOIN_BODY: usize = 2 * card::MAX_BYTES + 4 * 1024;

/// A body that may come in.
#[derive(Debug)]
pub(super) struct Admission {
    /// Most bytes of it.
    pub most: usize,
    /// Its share of what one peer may have under way; given back with the answer.
    _room: Option<OwnedSemaphorePermit>,
}

/// A request as far as its headers tell.
pub(super) struct Arrival<'a> {
    pub channel: &'a Channel,
    pub method: &'a Method,
    pub path: &'a str,
    pub proof: Option<&'a Proof>,
    /// The length it announces.
    pub declared: Option<u64>,
    /// Requests in progress on its connection, this one included.
    pub in_progress: usize,
}

/// How much of a request's body is taken.
///
/// # Errors
/// `PEER_REVOKED`, `TOKEN_INVALID`, `INVITE_UNKNOWN` and `CARD_MISMATCH` as the protocol itself
/// would say after the body, `PAYLOAD_TOO_LARGE`, and `PEER_BUSY` where the caller has as much
/// under way as it may.
pub(super) fn admit(node: &Node, arrival: &Arrival<'_>) -> Result<Admission, Problem> {
    let peer = arrival
        .channel
        .pin()
        .and_then(|pin| node.peers.by_pin(&pin));
    if peer.is_none() && arrival.in_progress > MAX_STRANGER_REQUESTS {
        return Err(Problem::new(Code::PeerBusy));
    }
    let most = match arrival.path {
        path::PAIR_HELLO | path::PAIR_PROVE if arrival.method == Method::POST => {
            if arrival.channel.pin().is_none() {
                return Err(Problem::new(Code::CardMismatch)
                    .because("The connection shows no client certificate."));
            }
            if node.invites.is_empty() {
                return Err(Problem::new(Code::InviteUnknown));
            }
            MAX_JOIN_BODY
        }
        // Nothing else that is not `POST` has a body.
        path::HEALTH => 0,
        _ if arrival.method != Method::POST => 0,
        _ => {
            if peer.is_none() {
                return Err(Problem::new(Code::PeerRevoked));
            }
            if arrival.proof.is_none() {
                return Err(
                    Problem::new(Code::TokenInvalid).because("The request carries no token.")
                );
            }
            MAX_BODY
        }
    };
    let expected = match arrival.declared {
        None => most,
        Some(length) => usize::try_from(length)
            .ok()
            .filter(|length| *length <= most)
            .ok_or_else(|| too_large(most))?,
    };
    let room = match peer {
        Some(peer) if expected > 0 => {
            let units = u32::try_from(expected.div_ceil(BODY_UNIT)).unwrap_or(u32::MAX);
            let room = peer.bodies.clone().try_acquire_many_owned(units);
            Some(room.map_err(|_| Problem::new(Code::PeerBusy))?)
        }
        _ => None,
    };
    Ok(Admission { most, _room: room })
}

/// The refusal of a body above the limit.
pub(super) fn too_large(most: usize) -> Problem {
    Problem::new(Code::PayloadTooLarge)
        .because(format!("The request's body is larger than {most} bytes."))
        .with("maxLength", most)
}
