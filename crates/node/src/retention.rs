//! Retention: how long the content of messages is kept. The record of a message (id, hash, states,
//! receipts) stays until its peer is unpaired, so that a late copy is still recognised.

use std::time::Duration;

use tieline_store::messages;
use tieline_wire::problem::Problem;
use tieline_wire::time::UnixMillis;

use crate::clock::wall_now;
use crate::model::EventKind;
use crate::node::Node;

/// How often old content is looked for.
const EVERY: Duration = Duration::from_secs(6 * 3600);
/// Messages emptied in one transaction.
const BATCH: u32 = 200;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// Deletes old content until the node stops.
pub(crate) async fn watch(node: Node) {
    loop {
        if let Err(problem) = forget(&node).await {
            tracing::warn!(%problem, "deleting old content failed");
        }
        tokio::select! {
            () = node.stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Deletes the content of messages that are older than the person wants to keep it.
pub(crate) async fn forget(node: &Node) -> Result<(), Problem> {
    let Some(days) = node.preferences().retention_days else {
        return Ok(());
    };
    let before = UnixMillis(wall_now().0.saturating_sub(i64::from(days) * DAY_MS));
    let mut forgotten = 0;
    loop {
        let old = node
            .store
            .read(move |conn| messages::retention_candidates(conn, before, BATCH))
            .await?;
        if old.is_empty() {
            break;
        }
        forgotten += node
            .store
            .write(move |tx| messages::delete_content(tx, &old))
            .await?;
    }
    if forgotten > 0 {
        tracing::info!(forgotten, "content past its retention time was deleted");
        node.store.give_back_space().await?;
        node.events.changed(EventKind::Messages, String::new());
    }
    Ok(())
}
