//! Keeping what an abTARS peer said as a message of it.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tieline_store::messages::{Accepted, Assurance, NewIncoming};
use tieline_wire::message::{ContentHash, MessageId};
use tieline_wire::problem::{Code, Problem};

use crate::clock::wall_now;
use crate::handover;
use crate::model::EventKind;
use crate::node::Node;
use crate::peers::Peer;

/// What the peer said.
pub(in crate::dialect::abtars) struct Note {
    /// The payload's type.
    pub kind: &'static str,
    /// JSON.
    pub payload: String,
    /// The text in it.
    pub text: String,
    /// How surely it is the peer's.
    pub assurance: Assurance,
}

/// Stores it. It gets a new id: abTARS has none, and its requests are good once by their nonce.
///
/// # Errors
/// `PEER_REVOKED` where the peer was unpaired meanwhile, and those of the store.
pub(in crate::dialect::abtars) async fn store_note(
    node: &Node,
    peer: &Arc<Peer>,
    note: Note,
) -> Result<(MessageId, i64), Problem> {
    let id = MessageId::new_v4();
    let now = wall_now();
    let new = NewIncoming {
        peer: peer.id,
        message_id: id.clone(),
        assurance: note.assurance,
        sender: None,
        recipient: None,
        content_hash: ContentHash(Sha256::digest(note.payload.as_bytes()).into()),
        kind: note.kind.to_owned(),
        payload: note.payload,
        text: note.text,
        sent_at: now,
        created_at: now,
        route: Some("lan".into()),
        via: None,
        receipt: None,
    };
    let for_hook = handover::takes(node, peer, new.assurance, &new.kind);
    let accepted = node
        .store
        .write(move |tx| handover::accept(tx, &new, for_hook))
        .await
        .map_err(|error| match error {
            tieline_store::StoreError::NotFound { .. } => Problem::new(Code::PeerRevoked),
            other => other.into(),
        })?;
    let Accepted::Stored(seq) = accepted else {
        return Err(Problem::new(Code::Internal).because("A new message id was not new."));
    };
    if for_hook {
        peer.handing.wake();
    }
    node.events.changed(EventKind::Messages, id.as_str());
    node.arrived.notify_waiters();
    Ok((id, seq))
}
