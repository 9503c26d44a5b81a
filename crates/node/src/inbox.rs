//! The inbox: messages of peers, stored once, with a signed word for it.

use std::sync::Arc;

use bytes::Bytes;
use tieline_store::StoreError;
use tieline_store::messages::{self, Accepted, Assurance, Fence, NewIncoming};
use tieline_store::peers::{self, PeerId, PeerState};
use tieline_wire::ask::{ANSWER_TYPE, ASK_TYPE};
use tieline_wire::message::{ContentHash, Envelope, MessageId};
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::{Receipt, Stage};

use crate::ask;
use crate::clock::wall_now;
use crate::handover;
use crate::limits::{MAX_BATCH, MAX_PAYLOAD, MAX_UNKEPT_BYTES, MAX_UNKEPT_MESSAGES};
use crate::model::EventKind;
use crate::node::Node;
use crate::peers::Peer;
use crate::protocol::{MessageAnswer, ResolveAnswer, ResolveBody, ResolveItem, ResolvedItem};

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
    let accepted = node
        .store
        .write(move |tx| {
            if !kept && !has_room(tx, &new)? {
                return Ok(None);
            }
            handover::accept(tx, &new, for_hook).map(Some)
        })
        .await
        .map_err(|error| match error {
            // It was unpaired after its request was let in.
            StoreError::NotFound { .. } => Problem::new(Code::PeerRevoked),
            other => other.into(),
        })?;
    let accepted = accepted.ok_or_else(|| {
        Problem::new(Code::RateLimited).because(
            "A machine that is not kept yet may leave only so much here; the person there has to press Keep.",
        )
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
            tracing::warn!(peer = %peer.alias(), id = envelope.id.as_str(), "other content under a known message id");
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

/// Says what became of a peer's messages; what is unknown is refused from now on, so that "not
/// stored" stays true.
///
/// # Errors
/// `INVALID_REQUEST` and those of the store.
pub(crate) async fn answer_resolve(
    node: &Node,
    peer: &Arc<Peer>,
    body: ResolveBody,
) -> Result<ResolveAnswer, Problem> {
    if body.items.len() > MAX_BATCH {
        return Err(Problem::new(Code::InvalidRequest).because(format!(
            "At most {MAX_BATCH} messages can be asked about at once."
        )));
    }
    let asked = body
        .items
        .iter()
        .map(read_item)
        .collect::<Result<Vec<_>, _>>()?;
    let id = peer.id;
    let now = wall_now();
    let questions = asked.clone();
    let known = node
        .store
        .write(move |tx| {
            while_paired(tx, id, |tx| {
                questions
                    .iter()
                    .map(|(message, _, fence)| match fence {
                        true => messages::fence(tx, id, message, now).map(Some),
                        false => {
                            let found = messages::find(tx, id, messages::Direction::In, message)?;
                            Ok(found
                                .into_iter()
                                .next()
                                .map(|row| Fence::Known(Box::new(row))))
                        }
                    })
                    .collect::<Result<Vec<_>, _>>()
            })
        })
        .await?
        .ok_or_else(|| Problem::new(Code::PeerRevoked))?;
    let mut items = Vec::with_capacity(asked.len());
    for ((message, hash, _), found) in asked.into_iter().zip(known) {
        let receipt = match found {
            Some(Fence::Known(row)) if row.content_hash == hash => {
                let stored = row
                    .receipt
                    .as_deref()
                    .and_then(|json| serde_json::from_slice(json).ok());
                Some(stored.map_or_else(|| sign(node, Stage::Stored, &message, peer, hash), Ok)?)
            }
            // Other content is here under this id: the one asked about never will be.
            Some(_) => Some(sign(node, Stage::Refused, &message, peer, hash)?),
            None => None,
        };
        items.push(ResolvedItem {
            id: message.as_str().to_owned(),
            receipt,
        });
    }
    Ok(ResolveAnswer { items })
}

/// Does what a peer asked for, unless it was unpaired after its request was let in; then `None`.
fn while_paired<T>(
    tx: &rusqlite::Connection,
    peer: PeerId,
    work: impl FnOnce(&rusqlite::Connection) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    if peers::is_paired(tx, peer)? {
        work(tx).map(Some)
    } else {
        Ok(None)
    }
}

/// Whether a machine that nobody has kept yet may leave this message; a copy of one that is here
/// takes no room.
fn has_room(conn: &rusqlite::Connection, new: &NewIncoming) -> Result<bool, StoreError> {
    let (count, bytes) = messages::received(conn, new.peer)?;
    let bytes = bytes.saturating_add(new.payload.len() as u64);
    if count < MAX_UNKEPT_MESSAGES && bytes <= MAX_UNKEPT_BYTES {
        return Ok(true);
    }
    let known = messages::find(conn, new.peer, messages::Direction::In, &new.message_id)?;
    Ok(!known.is_empty())
}

fn read_item(item: &ResolveItem) -> Result<(MessageId, ContentHash, bool), Problem> {
    let id = MessageId::new(&item.id)?;
    let hash = item.hash.parse().map_err(|_| {
        Problem::new(Code::InvalidRequest).because("The content hash cannot be read.")
    })?;
    Ok((id, hash, item.fence))
}

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

fn sender_id(peer: &Peer) -> Result<tieline_wire::key::KeyId, Problem> {
    let record = peer.record();
    let keys = record
        .keys
        .as_ref()
        .ok_or_else(|| Problem::new(Code::PeerRevoked))?;
    Ok(keys.key_id)
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
