//! Retention: how long the content of messages is kept. The record of a message (id, hash, states,
//! receipts) stays until its peer is unpaired, so that a late copy is still recognised.

use std::time::Duration;

use tieline_store::{messages, settings};
use tieline_wire::problem::{Code, Problem};
use tieline_wire::time::UnixMillis;

use crate::clock::wall_now;
use crate::model::EventKind;
use crate::node::Node;

/// Setting with the number of days; absent means for ever.
const DAYS: &str = "retentionDays";
/// Longest time that can be set, ten years.
const MOST_DAYS: u32 = 3650;
/// How often old content is looked for.
const EVERY: Duration = Duration::from_secs(6 * 3600);
/// Messages emptied in one transaction.
const BATCH: u32 = 200;
const DAY_MS: i64 = 24 * 3600 * 1000;

impl Node {
    /// Days for which content is kept; `None` for ever.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn retention_days(&self) -> Result<Option<u32>, Problem> {
        Ok(self.store.read(|conn| settings::get(conn, DAYS)).await?)
    }

    /// Sets for how many days content is kept, and deletes what is older; `None` keeps it for ever.
    ///
    /// # Errors
    /// `INVALID_REQUEST` for zero or more than ten years, and those of the store.
    pub async fn set_retention_days(&self, days: Option<u32>) -> Result<(), Problem> {
        if days.is_some_and(|days| days == 0 || days > MOST_DAYS) {
            return Err(Problem::new(Code::InvalidRequest).summary(format!(
                "Content can be kept for 1 to {MOST_DAYS} days, or for ever."
            )));
        }
        self.store
            .write(move |tx| match days {
                Some(days) => settings::set(tx, DAYS, &days),
                None => settings::remove(tx, DAYS).map(|_| ()),
            })
            .await?;
        self.events.changed(EventKind::Settings, DAYS);
        forget(self).await
    }
}

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

async fn forget(node: &Node) -> Result<(), Problem> {
    let Some(days) = node.retention_days().await? else {
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
