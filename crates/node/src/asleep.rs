//! A node that stops in good order says so, that its peers need not guess why it is gone.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::clock::wall_now;
use crate::exchange::exchange_open;
use crate::model::EventKind;
use crate::node::Node;
use crate::peers::Peer;
use crate::protocol::path;

/// How long a stop may wait for peers to hear of it. They find out by themselves otherwise.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells every Tieline peer that was there last that this node stops.
pub(crate) async fn say(node: &Node) {
    let mut telling = JoinSet::new();
    for peer in node.peers.all() {
        let is_there = peer.line.open().is_some() || peer.live.lock().online;
        if peer.record().keys.is_some() && is_there {
            let node = node.clone();
            telling.spawn(async move {
                // Whoever does not hear it in time finds a line that is broken.
                let _ = exchange_open(&node, &peer, path::ASLEEP, "{}".into()).await;
            });
        }
    }
    let told = async { while telling.join_next().await.is_some() {} };
    if tokio::time::timeout(PATIENCE, told).await.is_err() {
        tracing::debug!("stopping before every peer has heard of it");
    }
}

/// The peer stops.
pub(crate) fn answer(node: &Node, peer: &Arc<Peer>) {
    let mut live = peer.live.lock();
    live.asleep = Some(wall_now());
    live.online = false;
    live.problem = None;
    drop(live);
    node.events.changed(EventKind::Peers, peer.alias());
}
