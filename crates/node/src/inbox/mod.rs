//! The inbox: messages of peers, stored once, with a signed word for it.

mod accept;
mod intake;
mod resolve;

use tieline_wire::key::KeyId;
use tieline_wire::message::{ContentHash, MessageId};
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::{Receipt, Stage};

use crate::node::Node;
use crate::peers::Peer;

pub(crate) use accept::accept;
pub(crate) use intake::Intake;
pub(crate) use resolve::answer_resolve;

/// This node's signed word that a peer's message reached a stage here.
///
/// # Errors
/// `PEER_REVOKED` for a peer without keys.
pub(crate) fn sign(
    node: &Node,
    stage: Stage,
    id: &MessageId,
    peer: &Peer,
    hash: ContentHash,
) -> Result<Receipt, Problem> {
    let sender = sender_id(peer)?;
    Ok(Receipt::sign(
        &node.identity.signing,
        stage,
        id,
        sender,
        hash,
        node.store_id(),
    ))
}

fn sender_id(peer: &Peer) -> Result<KeyId, Problem> {
    let record = peer.record();
    let keys = record
        .keys
        .as_ref()
        .ok_or_else(|| Problem::new(Code::PeerRevoked))?;
    Ok(keys.key_id)
}

#[cfg(test)]
mod tests;
