//! What time and crashes do to the outbox.

use std::time::Duration;

use tieline_store::peers::{self, PeerState};
use tieline_store::{messages, settings};
use tieline_wire::problem::{Code, Problem};

use super::deliver::unpaired;
use crate::clock::wall_now;
use crate::model::EventKind;
use crate::node::Node;

/// How often waiting messages are looked through for expiry.
const EVERY: Duration = Duration::from_secs(30);
/// Setting that carries the elapsed clock over restarts: milliseconds, and the wall clock then.
pub(crate) const CLOCK: &str = "elapsedClock";

/// Settles what a crash left as being sent.
///
/// # Errors
/// Those of the store.
pub(crate) async fn recover(node: &Node) -> Result<(), Problem> {
    let problem = Problem::new(Code::ResponseTimeout)
        .summary("Tieline stopped before the peer answered.")
        .because("The program ended or crashed while this message was being sent.")
        .remedy("Nothing to do: the peer is asked at the next contact.");
    let problem = serde_json::json!(problem);
    let gone = serde_json::json!(unpaired());
    let now = wall_now();
    let recovered = node
        .store
        .write(move |tx| {
            let recovered = messages::recover_on_start(tx, &problem)?;
            for peer in peers::list(tx, true)? {
                if peer.state == PeerState::Revoked {
                    messages::give_up(tx, peer.id, now, &gone)?;
                }
            }
            Ok(recovered)
        })
        .await?;
    if !recovered.unconfirmed.is_empty() {
        tracing::info!(
            count = recovered.unconfirmed.len(),
            "messages of the last run are unconfirmed"
        );
    }
    Ok(())
}

/// Expires queued messages and keeps the elapsed clock, until the node stops.
pub(crate) async fn upkeep(node: Node) {
    loop {
        tokio::select! {
            () = node.stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if let Err(problem) = expire(&node).await {
            tracing::warn!(%problem, "looking through the outbox failed");
        }
        for peer in node.peers.all() {
            peer.line.close_idle();
        }
    }
}

async fn expire(node: &Node) -> Result<(), Problem> {
    let waiting = node.store.read(messages::peers_with_due).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let elapsed = node.clock.now();
    let now = wall_now();
    let problem = serde_json::json!(Problem::new(Code::Expired));
    let expired = node
        .store
        .write(move |tx| {
            settings::set(tx, CLOCK, &(elapsed, now.0))?;
            messages::expire(tx, elapsed, now, &problem)
        })
        .await?;
    if !expired.failed.is_empty() || !expired.unconfirmed.is_empty() {
        node.events.changed(EventKind::Messages, String::new());
        node.settled.notify_waiters();
    }
    Ok(())
}
