//! Accepting a message.

use std::sync::Arc;

use bytes::Bytes;
use tieline_store::StoreError;
use tieline_store::messages::{self, Accepted, Assurance, NewIncoming};
use tieline_store::peers::PeerState;
use tieline_wire::ask::{ANSWER_TYPE, ASK_TYPE};
use tieline_wire::message::{ContentHash, Envelope, MessageId};
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::Stage;

use super::intake::MESSAGE_COST;
use super::{sender_id, sign};
use crate::ask;
use crate::clock::wall_now;
use crate::handover;
use crate::limits::{MAX_PAYLOAD, MAX_UNKEPT_BYTES, MAX_UNKEPT_MESSAGES};
use crate::model::EventKind;
use crate::node::Node;
use crate::peers::Peer;
use crate::protocol::MessageAnswer;

/// Stores a peer's message and answers with the receipt; a copy of one that is here gets the same
/// receipt again.
///
/// # Errors
/// `INVALID_REQUEST`, `INVALID_TARGET`, `PAYLOAD_TOO_LARGE`, `ID_CONFLICT`, and those of the
/// store. A refusal of an id for good carries a signed receipt of it in its details.
pub(crate) async fn accept(
    node: &Node,
    peer: &Arc<Peer>,
    body: &Bytes,
) -> Result<MessageAnswer, Problem> {
    let envelope = Envelope::parse(body)?;
    let length = envelope.payload.get().len();
    if length > MAX_PAYLOAD {
        return Err(Problem::new(Code::PayloadTooLarge)
            .because(format!(
                "The payload has {length} bytes; this node takes {MAX_PAYLOAD}."
            ))
            .with("actualLength", length)
            .with("maxLength", MAX_PAYLOAD));
    }
    let sender = sender_id(peer)?;
    if envelope.from != sender || envelope.to != node.key_id() {
        return Err(Problem::new(Code::InvalidTarget)
            .because("The message names another sender or recipient than this connection's."));
    }
    let hash = envelope.content_hash();
    // Made before the commit, so that the copy carries its receipt; it leaves only after it.
    let receipt = sign(node, Stage::Stored, &envelope.id, peer, hash)?;
    let (text, kind) = searchable(&envelope);
    let kind_name = kind.clone();
    let new = NewIncoming {
        peer: peer.id,
        message_id: envelope.id.clone(),
        assurance: Assurance::Signed,
        sender: Some(sender),
        recipient: Some(node.key_id()),
        content_hash: hash,
        kind,
        payload: envelope.payload.get().to_owned(),
        text,
        sent_at: envelope.sent_at,
        created_at: wall_now(),
        route: Some("lan".into()),
        via: None,
        receipt: serde_json::to_vec(&receipt).ok(),
    };
    let kept = peer.record().row.state != PeerState::Joined;
    let for_hook = handover::takes(node, peer, Assurance::Signed, &kind_name);
    let cost = MESSAGE_COST.saturating_add(length as u64);
    let room = peer.intake.lock().take(cost);
    let accepted = node
        .store
        .write(move |tx| {
            if !(room && (kept || is_little(tx, &new)?) || is_copy(tx, &new)?) {
                return Ok(None);
            }
            handover::accept(tx, &new, for_hook).map(Some)
        })
        .await;
    if room && !matches!(accepted, Ok(Some(Accepted::Stored(_)))) {
        peer.intake.lock().give_back(cost);
    }
    let accepted = accepted.map_err(|error| match error {
        // It was unpaired after its request was let in.
        StoreError::NotFound { .. } => Problem::new(Code::PeerRevoked),
        other => other.into(),
    })?;
    let accepted = accepted.ok_or_else(|| {
        Problem::new(Code::RateLimited).because(if kept {
            "A peer may leave only so much here within an hour."
        } else {
            "A machine that is not kept yet may leave only so much here; the person there has to press Keep."
        })
    })?;
    match accepted {
        Accepted::Stored(seq) => {
            match kind_name.as_str() {
                ASK_TYPE => ask::arrived_ask(node, peer, seq, &envelope),
                ANSWER_TYPE => ask::arrived_answer(node, peer, envelope.payload.get()),
                _ if for_hook => peer.handing.wake(),
                _ => {}
            }
            node.events
                .changed(EventKind::Messages, envelope.id.as_str());
            node.arrived.notify_waiters();
            Ok(MessageAnswer { receipt })
        }
        Accepted::Duplicate {
            receipt: stored, ..
        } => {
            let stored = stored.and_then(|json| serde_json::from_slice(&json).ok());
            Ok(MessageAnswer {
                receipt: stored.unwrap_or(receipt),
            })
        }
        Accepted::Conflict { .. } => {
            if let Some(left_out) = peer.refusals.turn() {
                tracing::warn!(peer = %peer.alias(), id = envelope.id.as_str(), left_out, "other content under a known message id");
            }
            node.alert(
                Problem::new(Code::IdConflict)
                    .with("peer", peer.alias())
                    .with("messageId", envelope.id.as_str()),
            );
            Err(refusal(
                node,
                peer,
                &envelope.id,
                hash,
                Problem::new(Code::IdConflict),
            ))
        }
        Accepted::Fenced => {
            let problem = Problem::new(Code::DeliveryFailed)
                .summary("The message had been given up before this copy of it arrived.")
                .because("Its sender lost an answer, asked about it, and was told that it is not here and never will be.")
                .remedy("Send it again under a new id.");
            Err(refusal(node, peer, &envelope.id, hash, problem))
        }
    }
}

/// Whether a machine that nobody has kept yet may leave this message, too.
fn is_little(conn: &rusqlite::Connection, new: &NewIncoming) -> Result<bool, StoreError> {
    let (count, bytes) = messages::received(conn, new.peer)?;
    let bytes = bytes.saturating_add(new.payload.len() as u64);
    Ok(count < MAX_UNKEPT_MESSAGES && bytes <= MAX_UNKEPT_BYTES)
}

/// Whether one with this id is here: what it is answered takes no room.
fn is_copy(conn: &rusqlite::Connection, new: &NewIncoming) -> Result<bool, StoreError> {
    let known = messages::find(conn, new.peer, messages::Direction::In, &new.message_id)?;
    Ok(!known.is_empty())
}

fn refusal(
    node: &Node,
    peer: &Peer,
    id: &MessageId,
    hash: ContentHash,
    problem: Problem,
) -> Problem {
    match sign(node, Stage::Refused, id, peer, hash) {
        Ok(receipt) => problem.with("receipt", serde_json::json!(receipt)),
        Err(_) => problem,
    }
}

fn searchable(envelope: &Envelope) -> (String, String) {
    #[derive(serde::Deserialize)]
    struct Shown<'a> {
        #[serde(borrow, default)]
        text: Option<std::borrow::Cow<'a, str>>,
    }
    // A text that is not a string stays in the payload; there is nothing to search in it.
    let text = serde_json::from_str::<Shown<'_>>(envelope.payload.get())
        .ok()
        .and_then(|shown| shown.text)
        .map(std::borrow::Cow::into_owned)
        .unwrap_or_default();
    (text, envelope.payload_type())
}
