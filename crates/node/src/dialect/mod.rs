//! Dialects other than Tieline's own: what differs in delivery and pings.

mod kithkit;
pub(crate) mod kithkit_lan;

use std::sync::Arc;

use tieline_store::messages::MessageRow;
use tieline_store::peers::Dialect;
use tieline_wire::problem::{Code, Problem};

use crate::model::{AttemptView, PingFailure, PingView, RouteChoice, SendFailure};
use crate::node::Node;
use crate::outbox::{Delivery, Outcome};
use crate::peers::Peer;

pub(crate) use kithkit::LanSecret;

/// Whether a message to this peer can be tried at all: the keys or secrets it needs are there.
///
/// # Errors
/// `LAN_UNAVAILABLE` for the route `lan`, `DELIVERY_FAILED` for `auto`, with the failed attempt.
pub(crate) async fn ready(node: &Node, peer: &Peer, route: RouteChoice) -> Result<(), SendFailure> {
    let record = peer.record();
    let missing = match record.row.dialect {
        Dialect::Tieline => {
            let unreadable = record.row.sealed_token.is_some()
                && record
                    .keys
                    .as_ref()
                    .is_some_and(|keys| keys.speaker.pair_token.is_none());
            unreadable.then(|| {
                Problem::new(Code::LanUnavailable)
                    .because("The pair's token is in the database but cannot be opened with this vault's key.")
                    .remedy("Pair the two machines again.")
            })
        }
        Dialect::Kithkit => kithkit::secret(node).await.err(),
        Dialect::Abtars => Some(Problem::new(Code::LanUnavailable)),
    };
    let Some(problem) = missing else {
        return Ok(());
    };
    let attempts = Some(vec![AttemptView::untried("lan", &problem)]);
    let mut problem = problem;
    problem.code = match route {
        RouteChoice::Lan => Code::LanUnavailable,
        _ => Code::DeliveryFailed,
    };
    Err(SendFailure {
        problem,
        attempts,
        message_id: None,
        status: None,
    })
}

/// Delivers to a peer that does not speak Tieline's dialect.
pub(crate) async fn deliver(node: &Node, peer: &Arc<Peer>, row: &MessageRow) -> Delivery {
    match peer.record().row.dialect {
        Dialect::Kithkit => kithkit::deliver(node, peer, row).await,
        _ => Delivery {
            outcome: Outcome::NotStored(Problem::new(Code::LanUnavailable)),
            tries: Vec::new(),
        },
    }
}

/// Pings a peer that does not speak Tieline's dialect.
///
/// # Errors
/// Why it was not answered.
pub(crate) async fn ping(node: &Node, peer: &Arc<Peer>) -> Result<PingView, PingFailure> {
    match peer.record().row.dialect {
        Dialect::Kithkit => kithkit::ping(node, peer).await,
        _ => Err(PingFailure {
            problem: Problem::new(Code::LanUnavailable),
            attempts: Vec::new(),
        }),
    }
}
