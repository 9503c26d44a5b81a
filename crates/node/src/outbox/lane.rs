//! The delivery lane of one peer: asks about what is unconfirmed, delivers what is queued in its
//! order, and reports later stages, whenever there is a chance.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tieline_store::messages;
use tieline_wire::problem::Problem;

use super::deliver::deliver;
use super::exposure::By;
use super::outcome::Verdict;
use super::{resolve, stages};
use crate::node::Node;
use crate::peers::Peer;

/// First and longest pause after a failure; jitter is added.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Messages read at a time.
const BATCH: u32 = 32;

/// Runs until the peer is unpaired or the node stops.
pub(crate) async fn lane(node: Node, peer: Arc<Peer>) {
    let mut pauses = pauses();
    loop {
        let passed = tokio::select! {
            () = node.stop.cancelled() => return,
            () = peer.cut.cancelled() => return,
            passed = pass(&node, &peer) => passed,
        };
        let pause = match passed {
            Ok(()) => {
                pauses = self::pauses();
                None
            }
            Err(problem) => {
                tracing::debug!(peer = %peer.alias(), problem = %problem.code, "messages wait");
                Some(pauses.next().unwrap_or(LONGEST_PAUSE))
            }
        };
        tokio::select! {
            () = node.stop.cancelled() => return,
            () = peer.cut.cancelled() => return,
            () = peer.lane.notified() => {}
            () = sleep(pause) => {}
        }
    }
}

async fn sleep(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        // Nothing waits: only a wake-up ends this.
        None => std::future::pending().await,
    }
}

/// One pass over all that waits; an error where something still does.
async fn pass(node: &Node, peer: &Arc<Peer>) -> Result<(), Problem> {
    resolve::resolve(node, peer).await?;
    loop {
        let id = peer.id;
        let due = node
            .store
            .read(move |conn| messages::due_for_peer(conn, id, BATCH))
            .await?;
        if due.is_empty() {
            break;
        }
        for row in due {
            let seq = row.seq;
            // Another task may have taken it, or it expired.
            if !node
                .store
                .write(move |tx| messages::start_sending(tx, seq))
                .await?
            {
                continue;
            }
            if let (Verdict::Requeue(_, problem), _) = deliver(node, peer, &row, By::Queue).await? {
                return Err(problem);
            }
        }
    }
    stages::flush(node, peer).await
}

fn pauses() -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_jitter()
        .without_max_times()
        .build()
}
