//! Holding a connection open for a peer that cannot dial this node.

use std::sync::Arc;
use std::time::Duration;

use tieline_wire::problem::{Code, Problem};

use super::dial_back::ask;
use super::keep::{CHECK, FRESH};
use super::ping::ping_body;
use crate::line::{HeldConnection, Speaker, dial, open_held};
use crate::model::EventKind;
use crate::node::Node;
use crate::peers::Peer;
use crate::protocol::path;
use crate::tls::ClientTls;

/// Time for an answer on a held connection that may be dead.
const PROBE: Duration = Duration::from_secs(3);

/// Holds a connection until it breaks, or until the peer can dial this node.
///
/// # Errors
/// Why none came about.
pub(super) async fn hold(node: &Node, peer: &Arc<Peer>) -> Result<(), Problem> {
    let record = peer.record();
    let Some(keys) = &record.keys else {
        return Err(Problem::new(Code::PeerRevoked));
    };
    let tls = ClientTls::new(&node.identity, keys.pin, b"http/1.1")?;
    let dialled = dial(
        &record.row.addresses,
        record.row.last_good_address.as_ref(),
        &tls,
    )
    .await
    .map_err(|error| error.problem)?;
    let held = open_held(
        dialled,
        &keys.speaker,
        &peer.cut,
        &peer.bodies,
        node.clone(),
    )
    .await?;
    peer.line.set_held(Arc::clone(&held));
    peer.lane.notify_one();
    node.events.changed(EventKind::Peers, peer.alias());
    let mut again = tokio::time::interval_at(tokio::time::Instant::now() + FRESH, CHECK * 5);
    loop {
        tokio::select! {
            () = held.closed() => break,
            // Things may have changed so that nothing needs to be held any more.
            _ = again.tick() => {
                if ask(node, peer).await.is_ok_and(|answer| answer.ok) {
                    held.close();
                }
            }
            // The network may have changed, and left a connection that is dead without saying so.
            () = peer.keeper.notified() => {
                if !answers(node, &held, &keys.speaker).await {
                    held.close();
                    // And again without a pause.
                    peer.keeper.notify_one();
                }
            }
        }
    }
    if peer.line.open().is_none() {
        peer.live.lock().online = false;
    }
    node.events.changed(EventKind::Peers, peer.alias());
    Ok(())
}

/// Whether a ping over a held connection is answered in a short time.
async fn answers(node: &Node, held: &HeldConnection, speaker: &Speaker) -> bool {
    let asked = held.exchange(speaker, path::PING, ping_body(node));
    matches!(tokio::time::timeout(PROBE, asked).await, Ok(Ok(_)))
}
