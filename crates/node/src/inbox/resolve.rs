//! Answering what became of messages.

use std::sync::Arc;

use rusqlite::Connection as Sql;
use tieline_store::StoreError;
use tieline_store::messages::{self, Fence};
use tieline_store::peers::{self, PeerId};
use tieline_wire::message::{ContentHash, MessageId};
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::Stage;
use tieline_wire::time::UnixMillis;

use super::intake::FENCE_COST;
use super::sign;
use crate::clock::wall_now;
use crate::limits::{MAX_BATCH, MAX_FENCES};
use crate::node::Node;
use crate::peers::Peer;
use crate::protocol::{ResolveAnswer, ResolveBody, ResolveItem, ResolvedItem};

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
    let hourly = peer.intake.lock().take_up_to(FENCE_COST, asked.len());
    let known = node
        .store
        .write(move |tx| while_paired(tx, id, |tx| look_up(tx, id, &questions, hourly, now)))
        .await;
    let put_up = match &known {
        Ok(Some(found)) => found.put_up,
        _ => 0,
    };
    let unused = hourly.saturating_sub(put_up) as u64;
    peer.intake.lock().give_back(unused * FENCE_COST);
    let known = known?.ok_or_else(|| Problem::new(Code::PeerRevoked))?.of;
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
            Some(Fence::Known(_) | Fence::Fenced { .. }) => {
                Some(sign(node, Stage::Refused, &message, peer, hash)?)
            }
            // Nothing is promised that nothing stands for.
            Some(Fence::NoRoom) | None => None,
        };
        items.push(ResolvedItem {
            id: message.as_str().to_owned(),
            receipt,
        });
    }
    Ok(ResolveAnswer { items })
}

/// A message asked about: its id, its hash, and whether it is to be fenced if it is unknown.
type Question = (MessageId, ContentHash, bool);

/// What is known of each question, and how many fences that put up.
struct Found {
    of: Vec<Option<Fence>>,
    put_up: usize,
}

fn look_up(
    tx: &Sql,
    peer: PeerId,
    questions: &[Question],
    hourly: usize,
    now: UnixMillis,
) -> Result<Found, StoreError> {
    let standing = usize::try_from(messages::fences(tx, peer)?).unwrap_or(usize::MAX);
    let room = hourly.min(MAX_FENCES.saturating_sub(standing));
    let mut found = Found {
        of: Vec::with_capacity(questions.len()),
        put_up: 0,
    };
    for (message, _, fence) in questions {
        let one = if *fence {
            let one = messages::fence(tx, peer, message, now, found.put_up < room)?;
            found.put_up += usize::from(matches!(one, Fence::Fenced { new: true }));
            Some(one)
        } else {
            let known = messages::find(tx, peer, messages::Direction::In, message)?;
            let known = known.into_iter().next();
            known.map(|row| Fence::Known(Box::new(row)))
        };
        found.of.push(one);
    }
    Ok(found)
}

/// Does what a peer asked for, unless it was unpaired after its request was let in; then `None`.
fn while_paired<T>(
    tx: &Sql,
    peer: PeerId,
    work: impl FnOnce(&Sql) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    if peers::is_paired(tx, peer)? {
        work(tx).map(Some)
    } else {
        Ok(None)
    }
}

fn read_item(item: &ResolveItem) -> Result<Question, Problem> {
    let id = MessageId::new(&item.id)?;
    let hash = item.hash.parse().map_err(|_| {
        Problem::new(Code::InvalidRequest).because("The content hash cannot be read.")
    })?;
    Ok((id, hash, item.fence))
}
