//! Dialects other than Tieline's own: what differs in delivery and pings.

pub(crate) mod abtars;
mod kithkit;
pub(crate) mod kithkit_lan;

use std::sync::Arc;

use tieline_store::messages::MessageRow;
use tieline_store::peers::Dialect;
use tieline_wire::problem::{Code, Problem};

use crate::model::{AttemptView, PingFailure, PingView, RouteChoice, SendFailure};
use crate::node::Node;
use crate::outbox::{Delivery, Outcome};
use crate::peers::{Peer, Record};

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
        Dialect::Abtars => record.contact.is_none().then(unopened),
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

/// The entry of an abTARS peer is there and cannot be opened.
fn unopened() -> Problem {
    Problem::new(Code::LanUnavailable)
        .because("The peer's entry is in the database but cannot be opened with this vault's key.")
        .remedy("Remove the peer and import it again.")
}

/// What is spoken with a peer, for a badge.
pub(crate) fn badge(record: &Record) -> &'static str {
    match (record.row.dialect, &record.contact) {
        (Dialect::Tieline, _) => "Tieline",
        (Dialect::Kithkit, _) => "KithKit, not encrypted",
        (Dialect::Abtars, Some(contact)) => contact.badge(),
        (Dialect::Abtars, None) => "abTARS, unreadable",
    }
}

/// What protects what goes back and forth with a peer, and what does not.
pub(crate) fn assurance(record: &Record) -> String {
    match (record.row.dialect, &record.contact) {
        (Dialect::Tieline, _) => "Encrypted, and tied to both machines' keys. What is delivered has the peer's signed receipt.".into(),
        (Dialect::Kithkit, _) => "Not encrypted: whoever is on the network can read it. Every machine with the shared secret can pose as this one, and what it says it stored is its word, without a receipt.".into(),
        (Dialect::Abtars, Some(contact)) => contact.assurance(),
        (Dialect::Abtars, None) => unopened().cause.into_owned(),
    }
}

/// Delivers to a peer that does not speak Tieline's dialect.
pub(crate) async fn deliver(node: &Node, peer: &Arc<Peer>, row: &MessageRow) -> Delivery {
    match peer.record().row.dialect {
        Dialect::Kithkit => kithkit::deliver(node, peer, row).await,
        Dialect::Abtars => abtars::deliver(node, peer, row).await,
        Dialect::Tieline => Delivery {
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
        Dialect::Abtars => abtars::ping(node, peer).await,
        Dialect::Tieline => Err(PingFailure {
            problem: Problem::new(Code::LanUnavailable),
            attempts: Vec::new(),
        }),
    }
}
