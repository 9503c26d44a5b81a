//! Keeping the line to a peer: measure both directions, and hold a connection where it is needed.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tieline_wire::problem::{Code, Problem};

use super::dial_back::ask;
use super::hold::hold;
use crate::clock::Instant;
use crate::line::Side;
use crate::node::Node;
use crate::pairing;
use crate::peers::Peer;

/// How often a line that works is looked at.
pub(super) const CHECK: Duration = Duration::from_secs(60);
/// First and longest pause after a failure; each is drawn from zero to the current bound.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// How long a held connection must last for the next failure to count as a first one.
const STEADY: Duration = Duration::from_secs(60);
/// How long the peer's word on whether it can dial this node is good.
pub(super) const FRESH: Duration = Duration::from_secs(30);
/// How long a peer that unpaired this node, or does not know it yet, is left alone.
const REFUSED_PAUSE: Duration = Duration::from_secs(120);

/// Keeps the line to a peer until it is unpaired or the node stops: measures both directions, and
/// where the peer cannot dial this node, holds a connection open for it.
pub(crate) async fn keep(node: Node, peer: Arc<Peer>) {
    tokio::select! {
        () = node.stop.cancelled() => {}
        () = peer.cut.cancelled() => {}
        () = keep_forever(&node, &peer) => {}
    }
}

async fn keep_forever(node: &Node, peer: &Arc<Peer>) {
    let mut pauses = pauses();
    loop {
        let began = Instant::now();
        let pause = match contact(node, peer).await {
            Ok(true) => {
                pauses = self::pauses();
                CHECK
            }
            // It cannot dial this node: hold a connection until it breaks.
            Ok(false) => {
                let outcome = hold(node, peer).await;
                if let Err(problem) = &outcome {
                    tracing::debug!(peer = %peer.alias(), problem = %problem.code, "holding a connection failed");
                }
                if began.elapsed() > STEADY {
                    pauses = self::pauses();
                }
                pauses.next().unwrap_or(LONGEST_PAUSE)
            }
            Err(problem) if problem.code == Code::PeerRevoked => {
                tracing::debug!(peer = %peer.alias(), "the peer does not know this node");
                // Swapping cards takes a person a moment; after that it is an unpaired peer.
                pauses.next().map_or(REFUSED_PAUSE, |pause| pause * 4)
            }
            Err(problem) => {
                tracing::debug!(peer = %peer.alias(), problem = %problem.code, "peer not reached");
                pauses.next().unwrap_or(LONGEST_PAUSE)
            }
        };
        tokio::select! {
            () = peer.keeper.notified() => { pauses = self::pauses(); }
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Pings and asks. True where nothing needs to be held.
async fn contact(node: &Node, peer: &Arc<Peer>) -> Result<bool, Problem> {
    node.ping_peer(peer)
        .await
        .map_err(|failure| failure.problem)?;
    if !peer.record().row.token_confirmed
        && let Some(connection) = peer.line.open()
    {
        pairing::confirm_on(node, peer, &connection).await?;
    }
    if let Some(held) = peer.line.open_held()
        && held.side == Side::Answerer
    {
        // The peer holds; whether it could also be dialled it finds out itself.
        return Ok(true);
    }
    let asked = peer.live.lock().asked;
    match asked {
        // No need to wait while the peer tries in vain; it is asked again while this node holds.
        Some((_, false)) => Ok(false),
        Some((when, true)) if when.elapsed() < FRESH => Ok(true),
        _ => Ok(ask(node, peer).await?.ok),
    }
}

fn pauses() -> impl Iterator<Item = Duration> + Send {
    // Full jitter: the growing bound times a random share of it.
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times()
        .build()
        .map(|bound| bound.mul_f64(share()))
}

/// A random share between nothing and all.
fn share() -> f64 {
    let mut bytes = [0_u8; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    }
}
