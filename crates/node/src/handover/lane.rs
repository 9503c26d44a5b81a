//! The hand-over lane of one peer: gives its messages to the hook, one at a time and in order.
//!
//! A message that the hook refuses is tried a few times, then given up and shown; the next ones
//! go on. A hook that is not there loses nothing: it is tried for as long as it takes.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tieline_store::handovers::{self, Verdict, Waiting};
use tieline_store::peers::PeerState;
use tieline_store::receipts;
use tieline_wire::problem::Problem;
use tieline_wire::receipt::Stage;

use super::document::Document;
use super::run::{Failure, run};
use super::settings::hook_of;
use crate::ask::Kind;
use crate::clock::wall_now;
use crate::inbox;
use crate::model::{EventKind, Hook};
use crate::node::Node;
use crate::peers::Peer;

/// First and longest pause after a failure; jitter is added.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Tries of a message that the hook refuses, before it is given up.
const MOST_TRIES: u32 = 6;
/// How often a spent budget is looked at again.
const BUDGET_PAUSE: Duration = Duration::from_secs(60);

/// How a pass over what waits ended.
enum Passed {
    /// Nothing is left to do.
    Idle,
    /// Something failed and is tried again.
    Failed,
    /// This hour's budget is spent.
    Spent,
}

/// Runs until the peer is unpaired or the node stops; a hook that runs then is ended.
pub(crate) async fn lane(node: Node, peer: Arc<Peer>) {
    let mut pauses = pauses();
    loop {
        let passed = tokio::select! {
            () = node.stop.cancelled() => return,
            () = peer.cut.cancelled() => return,
            passed = pass(&node, &peer) => passed,
        };
        let has_worked = matches!(passed, Ok(Passed::Idle | Passed::Spent));
        let pause = match passed {
            Ok(Passed::Idle) => None,
            Ok(Passed::Spent) => Some(BUDGET_PAUSE),
            Ok(Passed::Failed) => pauses.next(),
            Err(problem) => {
                tracing::warn!(peer = %peer.alias(), problem = %problem.code, "handing over waits");
                pauses.next()
            }
        };
        if has_worked {
            pauses = self::pauses();
        }
        tokio::select! {
            () = node.stop.cancelled() => return,
            () = peer.cut.cancelled() => return,
            () = peer.handing.woken() => {}
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

async fn pass(node: &Node, peer: &Arc<Peer>) -> Result<Passed, Problem> {
    loop {
        let hook = hook_of(node, peer);
        // It may have shown another key since these messages came.
        if hook == Hook::None || peer.record().row.state != PeerState::Kept {
            return Ok(Passed::Idle);
        }
        let id = peer.id;
        let next = node.store.read(move |conn| handovers::next(conn, id));
        let Some(waiting) = next.await? else {
            return Ok(Passed::Idle);
        };
        let seq = waiting.message.seq;
        let content = waiting.message.content.as_ref();
        let payload = content.and_then(|content| content.payload.clone());
        // Deleted by retention, or an agent fetched it and is done with it.
        let (Some(payload), None) = (payload, waiting.message.acknowledged_at) else {
            node.store
                .write(move |tx| handovers::forget(tx, seq))
                .await?;
            continue;
        };
        if waiting.tries == 0 && is_spent(node, peer) {
            return Ok(Passed::Spent);
        }
        node.store
            .write(move |tx| handovers::begin(tx, seq))
            .await?;
        let tries = waiting.tries + 1;
        let tried = match Document::new(peer, &waiting.message, &payload, tries) {
            Ok(document) => run(node, &hook, document).await,
            Err(problem) => Err(Failure {
                problem,
                is_absent: false,
            }),
        };
        match tried {
            Ok(_) => took(node, peer, &waiting).await?,
            Err(failure) => {
                let verdict = if failure.is_absent {
                    Verdict::Uncounted
                } else if waiting.refusals + 1 < MOST_TRIES {
                    Verdict::Waits
                } else {
                    Verdict::GivenUp
                };
                refused(node, peer, &waiting, failure.problem, verdict).await?;
                if verdict != Verdict::GivenUp {
                    return Ok(Passed::Failed);
                }
            }
        }
    }
}

/// Counts one more message; where the hour's budget is spent, the person is asked.
fn is_spent(node: &Node, peer: &Peer) -> bool {
    let Err(problem) = node.brakes.take(peer.id, Kind::Handovers) else {
        return false;
    };
    let problem = problem.with("peer", peer.alias());
    // Not again once the person said *Stop*.
    if node.brakes.standing(peer.id, Kind::Handovers).waiting {
        node.alert(problem.clone());
    }
    *peer.handing.problem.lock() = Some(problem);
    node.events.changed(EventKind::Asks, peer.alias());
    true
}

/// The hook took it: from here on its sender may know.
async fn took(node: &Node, peer: &Arc<Peer>, waiting: &Waiting) -> Result<(), Problem> {
    let row = &waiting.message;
    let receipt = match peer.record().keys {
        Some(_) => Some(inbox::sign(
            node,
            Stage::HandedOver,
            &row.message_id,
            peer,
            row.content_hash,
        )?),
        None => None,
    };
    let (seq, now, id) = (row.seq, wall_now(), peer.id);
    let was_failing = peer.handing.problem.lock().is_some();
    let given_up = node
        .store
        .write(move |tx| {
            if handovers::done(tx, seq, now)?
                && let Some(json) = receipt.and_then(|receipt| serde_json::to_vec(&receipt).ok())
            {
                receipts::add(tx, seq, Stage::HandedOver, now, Some(&json))?;
            }
            match was_failing {
                true => Ok(handovers::counts(tx, id)?.given_up),
                false => Ok(0),
            }
        })
        .await?;
    peer.lane.notify_one();
    // One that was given up stays visible until the person has seen to it.
    if was_failing && given_up == 0 {
        node.calm_hook(peer);
    }
    told(node, peer, row.message_id.as_str());
    Ok(())
}

async fn refused(
    node: &Node,
    peer: &Arc<Peer>,
    waiting: &Waiting,
    problem: Problem,
    verdict: Verdict,
) -> Result<(), Problem> {
    let problem = problem.with("peer", peer.alias());
    tracing::debug!(peer = %peer.alias(), problem = %problem.code, ?verdict, "a hook did not take a message");
    let seq = waiting.message.seq;
    let shown = serde_json::json!(problem);
    node.store
        .write(move |tx| handovers::failed(tx, seq, &shown, verdict))
        .await?;
    if verdict == Verdict::GivenUp || waiting.tries + 1 >= MOST_TRIES {
        node.alert(problem.clone());
    }
    *peer.handing.problem.lock() = Some(problem);
    told(node, peer, waiting.message.message_id.as_str());
    Ok(())
}

fn told(node: &Node, peer: &Peer, message_id: &str) {
    node.events.changed(EventKind::Messages, message_id);
    node.events.changed(EventKind::Peers, peer.alias());
}

fn pauses() -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_jitter()
        .without_max_times()
        .build()
}
