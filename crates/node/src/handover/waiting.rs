//! Which messages wait for a hook, and how that goes for one peer.

use parking_lot::Mutex;
use tieline_store::messages::{self, Accepted, Assurance, NewIncoming};
use tieline_store::peers::PeerState;
use tieline_store::{StoreError, handovers};
use tieline_wire::ask::{ANSWER_TYPE, ASK_TYPE};
use tieline_wire::problem::Problem;
use tokio::sync::Notify;

use super::settings::hook_of;
use crate::model::Hook;
use crate::node::Node;
use crate::peers::Peer;

/// How the handing over of a peer's messages goes.
#[derive(Default)]
pub(crate) struct Handing {
    wake: Notify,
    /// Why the last try failed.
    pub(super) problem: Mutex<Option<Problem>>,
}

impl Handing {
    /// There may be something to do.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }
}

/// Whether the peer's hook gets a message. Questions and answers have a way of their own.
pub(crate) fn takes(node: &Node, peer: &Peer, assurance: Assurance, kind: &str) -> bool {
    assurance != Assurance::Unauthenticated
        && ![ASK_TYPE, ANSWER_TYPE].contains(&kind)
        && peer.record().row.state == PeerState::Kept
        && hook_of(node, peer) != Hook::None
}

/// Stores a message, and lets it wait for the hook if that [`takes`] it.
///
/// # Errors
/// As [`messages::accept_incoming`].
pub(crate) fn accept(
    conn: &rusqlite::Connection,
    message: &NewIncoming,
    for_hook: bool,
) -> Result<Accepted, StoreError> {
    let accepted = messages::accept_incoming(conn, message)?;
    if let (Accepted::Stored(seq), true) = (&accepted, for_hook) {
        handovers::add(conn, message.peer, *seq)?;
    }
    Ok(accepted)
}
