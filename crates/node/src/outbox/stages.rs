//! Later stages: the recipient tells the sender, durably, that a message was handed over or
//! acknowledged.

use std::sync::Arc;

use tieline_store::messages::{self, Direction, MessageRow};
use tieline_store::receipts;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::{Receipt, Stage};

use crate::clock::wall_now;
use crate::exchange::exchange_open;
use crate::inbox;
use crate::limits::MAX_BATCH;
use crate::model::EventKind;
use crate::node::Node;
use crate::peers::Peer;
use crate::protocol::{StagesBody, path};

/// Signs that an incoming message reached a later stage, and puts the report in the outbox.
///
/// # Errors
/// Those of the store.
pub(crate) async fn report(
    node: &Node,
    peer: &Arc<Peer>,
    row: &MessageRow,
    stage: Stage,
) -> Result<(), Problem> {
    let receipt = inbox::sign(node, stage, &row.message_id, peer, row.content_hash)?;
    let seq = row.seq;
    let now = wall_now();
    node.store
        .write(move |tx| {
            let json = serde_json::to_vec(&receipt).ok();
            receipts::add(tx, seq, stage, now, json.as_deref())
        })
        .await?;
    peer.lane.notify_one();
    Ok(())
}

/// Delivers the reports that wait.
///
/// # Errors
/// Why the peer did not take them.
pub(super) async fn flush(node: &Node, peer: &Arc<Peer>) -> Result<(), Problem> {
    if peer.record().keys.is_none() {
        return Ok(());
    }
    loop {
        let id = peer.id;
        let most = u32::try_from(MAX_BATCH).unwrap_or(u32::MAX);
        let waiting = node
            .store
            .read(move |conn| receipts::unsent(conn, id, most))
            .await?;
        if waiting.is_empty() {
            return Ok(());
        }
        let receipts = waiting
            .iter()
            .filter_map(|report| serde_json::from_slice(&report.receipt).ok())
            .collect();
        let body = serde_json::to_vec(&StagesBody { receipts }).unwrap_or_default();
        let answer = exchange_open(node, peer, path::STAGES, body.into()).await?;
        answer.read::<serde_json::Value>()?;
        let now = wall_now();
        node.store
            .write(move |tx| {
                for report in &waiting {
                    receipts::mark_sent(tx, report.message_seq, report.stage, now)?;
                }
                Ok(())
            })
            .await?;
    }
}

/// Takes a peer's report about this node's messages. What does not verify is passed over.
///
/// # Errors
/// `INVALID_REQUEST` and those of the store.
pub(crate) async fn answer_stages(
    node: &Node,
    peer: &Arc<Peer>,
    body: StagesBody,
) -> Result<(), Problem> {
    if body.receipts.len() > MAX_BATCH {
        return Err(Problem::new(Code::InvalidRequest).because(format!(
            "At most {MAX_BATCH} receipts can be reported at once."
        )));
    }
    let record = peer.record();
    let keys = record
        .keys
        .as_ref()
        .ok_or_else(|| Problem::new(Code::PeerRevoked))?;
    let (verify_key, key_id) = (keys.verify_key, keys.key_id);
    let own = node.key_id();
    let id = peer.id;
    let now = wall_now();
    let changed = node
        .store
        .write(move |tx| {
            let mut changed = Vec::new();
            for receipt in body.receipts.iter().filter(|receipt| is_later(receipt)) {
                let found = messages::find(tx, id, Direction::Out, &receipt.message_id)?;
                let Some(row) = found.into_iter().next() else {
                    continue;
                };
                // One for earlier keys of the peer is nothing that the holder of these ones has.
                if row.recipient != Some(key_id) {
                    continue;
                }
                if receipt
                    .verify_for(&verify_key, &row.message_id, own, row.content_hash)
                    .is_err()
                {
                    continue;
                }
                let json = serde_json::to_vec(receipt).ok();
                if receipts::add(tx, row.seq, receipt.stage, now, json.as_deref())? {
                    changed.push(row.message_id.as_str().to_owned());
                }
            }
            Ok(changed)
        })
        .await?;
    for id in changed {
        node.events.changed(EventKind::Messages, id);
    }
    Ok(())
}

fn is_later(receipt: &Receipt) -> bool {
    matches!(receipt.stage, Stage::HandedOver | Stage::Acknowledged)
}
