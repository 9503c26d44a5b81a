//! What became of messages whose answer was lost: the peer is asked, and bound by its answer.

use std::sync::Arc;

use tieline_store::messages::{self, Evidence, MessageRow, State};
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::{Receipt, Stage};

use super::outcome::Verdict;
use crate::clock::wall_now;
use crate::exchange::exchange_open;
use crate::limits::MAX_BATCH;
use crate::model::EventKind;
use crate::node::Node;
use crate::peers::{Keys, Peer};
use crate::protocol::{ResolveAnswer, ResolveBody, ResolveItem, path};

/// What is not asked about: the peer has another database than the one that may hold it.
const STOPPED: &str = "STORE_RESTORED";
/// Messages asked about at once.
const MOST: u32 = MAX_BATCH as u32;

/// Asks about every unconfirmed message, except those whose peer's database was exchanged since, and
/// those for earlier keys of the peer: what their holder stored, the holder of others cannot say.
///
/// # Errors
/// Why the peer could not be asked.
pub(super) async fn resolve(node: &Node, peer: &Arc<Peer>) -> Result<(), Problem> {
    let record = peer.record();
    let Some(keys) = &record.keys else {
        return Ok(());
    };
    loop {
        let (id, recipient) = (peer.id, keys.key_id);
        let ask = node
            .store
            .read(move |conn| messages::unconfirmed_for_peer(conn, id, recipient, STOPPED, MOST))
            .await?;
        if ask.is_empty() {
            return Ok(());
        }
        let items = ask
            .iter()
            .map(|row| ResolveItem {
                id: row.message_id.as_str().to_owned(),
                hash: row.content_hash.to_string(),
                fence: true,
            })
            .collect();
        let body = serde_json::to_vec(&ResolveBody { items }).unwrap_or_default();
        let answer: ResolveAnswer = exchange_open(node, peer, path::RESOLVE, body.into())
            .await?
            .read()?;
        let mut settled = 0;
        for row in &ask {
            let word = answer
                .items
                .iter()
                .find(|item| item.id == row.message_id.as_str());
            let receipt = word.and_then(|item| item.receipt.as_ref());
            settled += usize::from(settle(node, keys, row, receipt).await?);
        }
        if settled == 0 {
            return Err(Problem::new(Code::ReceiptInvalid)
                .because("The peer's answer about earlier messages proves nothing."));
        }
    }
}

/// Ends one message by the peer's signed word. False where there is none that holds.
async fn settle(
    node: &Node,
    keys: &Keys,
    row: &MessageRow,
    receipt: Option<&Receipt>,
) -> Result<bool, Problem> {
    let Some(receipt) = receipt else {
        return Ok(false);
    };
    let checked = receipt.verify_for(
        &keys.verify_key,
        &row.message_id,
        node.key_id(),
        row.content_hash,
    );
    if checked.is_err() {
        return Ok(false);
    }
    // Where none is on record, nothing has left this node, and any database is right about that.
    let other_store = row.store_id.is_some_and(|first| first != receipt.store_id);
    let (state, problem) = match receipt.stage {
        Stage::Refused if other_store => {
            // A database says nothing about what the one before it had stored.
            (State::Unconfirmed, Some(Problem::new(Code::StoreRestored)))
        }
        Stage::Refused => (State::Failed, Some(lost(row))),
        _ => (State::Delivered, None),
    };
    let json = serde_json::to_vec(receipt).ok();
    let seq = row.seq;
    let problem = problem.map(|problem| serde_json::json!(problem));
    let now = wall_now();
    node.store
        .write(move |tx| {
            let evidence = if state == State::Unconfirmed {
                Evidence::None
            } else {
                Evidence::Signed
            };
            // Its caller may be sending it again meanwhile, and then that try decides.
            let now_is = messages::get(tx, seq)?.map(|row| row.state);
            if now_is != Some(State::Unconfirmed) {
                return Ok(());
            }
            let finish = Verdict::finish(state, evidence, json.as_deref(), problem.as_ref(), now);
            messages::finish_outgoing(tx, seq, &finish).map(|_| ())
        })
        .await?;
    node.events
        .changed(EventKind::Messages, row.message_id.as_str());
    node.settled.notify_waiters();
    Ok(true)
}

/// Why a message that never arrived had failed.
fn lost(row: &MessageRow) -> Problem {
    row.problem
        .clone()
        .and_then(|value| serde_json::from_value(value).ok())
        .unwrap_or_else(|| Problem::new(Code::DeliveryFailed))
}
