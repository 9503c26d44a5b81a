//! Taking a message from a caller: store, try, answer with what is known.

mod accept;
mod known;

use std::sync::Arc;

use tieline_store::messages::{Evidence, State};
use tieline_wire::message::MessageId;
use tieline_wire::problem::{Code, Problem};

use self::accept::Entry;
use self::known::Known;
use super::deliver::deliver;
use super::exposure::By;
use super::outcome::Verdict;
use super::route::{Route, routes};
use crate::clock::wall_now;
use crate::dialect;
use crate::exchange::Try;
use crate::limits::MAX_PAYLOAD;
use crate::model::{
    AttemptView, EventKind, RouteChoice, SendCommand, SendFailure, SendOutcome, Target,
};
use crate::node::Node;
use crate::peers::Peer;

pub(crate) use accept::EXPIRY;

impl Node {
    /// What a name in `to` means here.
    pub async fn resolve_target(&self, to: &str) -> Target {
        self.peers.resolve(to).0
    }

    /// Sends a message: commits it to the outbox, tries at once, and says what came of it.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND`, `INVALID_ROUTE`, `RELAY_UNAVAILABLE`, `LAN_UNAVAILABLE`,
    /// `PAYLOAD_TOO_LARGE`, `ID_CONFLICT`, `DELIVERY_FAILED` with every attempt, and the store's.
    pub async fn send(&self, command: SendCommand) -> Result<SendOutcome, SendFailure> {
        let peer = self.target(&command)?;
        let payload = serde_json::to_string(&command.payload).map_err(|error| {
            SendFailure::early(Problem::new(Code::InvalidRequest).because(error.to_string()))
        })?;
        if peer.record().keys.is_some() && payload.len() > MAX_PAYLOAD {
            return Err(SendFailure::early(
                Problem::new(Code::PayloadTooLarge)
                    .because(format!(
                        "The payload has {} bytes; at most {MAX_PAYLOAD} are sent.",
                        payload.len()
                    ))
                    .with("actualLength", payload.len())
                    .with("maxLength", MAX_PAYLOAD),
            ));
        }
        dialect::abtars::check(&peer, &command.payload).map_err(SendFailure::early)?;
        dialect::ready(self, &peer, command.route).await?;
        let new = self.new_outgoing(&peer, &command, payload)?;
        let row = match self.accept(&command, new).await? {
            Entry::New(row) => row,
            Entry::Known(row) => match self.known(&command, &peer, *row).await? {
                Known::Again(row) => row,
                Known::Told(outcome) => return outcome,
            },
        };
        self.events
            .changed(EventKind::Messages, row.message_id.as_str());
        // A task of its own: a caller who hangs up does not stop what was accepted.
        let node = self.clone();
        let id = row.message_id.clone();
        let work = self.tasks.spawn(async move {
            let delivered = deliver(&node, &peer, &row, By::Caller).await;
            if !matches!(&delivered, Ok((verdict, _)) if verdict.is_final()) {
                // The lane asks, or tries again.
                peer.lane.notify_one();
            }
            delivered
        });
        match work.await {
            Ok(Ok((verdict, tries))) => {
                let mut attempts = self.tried_before_lan(command.route);
                attempts.extend(tries.iter().map(Try::view));
                answer(&command, &id, verdict, attempts)
            }
            Ok(Err(problem)) => Err(open(&id, problem)),
            Err(error) => Err(open(
                &id,
                Problem::new(Code::Internal).because(error.to_string()),
            )),
        }
    }

    /// What becomes of the routes that come before the LAN: no relay is set up for a machine's name.
    fn tried_before_lan(&self, choice: RouteChoice) -> Vec<AttemptView> {
        routes(choice, self.preferences().route_order)
            .iter()
            .take_while(|route| **route != Route::Lan)
            .map(|_| AttemptView::untried("relay", &Problem::new(Code::RelayUnavailable)))
            .collect()
    }

    /// The peer that is meant, or why none is.
    fn target(&self, command: &SendCommand) -> Result<Arc<Peer>, SendFailure> {
        let qualified = command.to.contains('@');
        if qualified && command.route == RouteChoice::Lan {
            return Err(SendFailure::early(
                Problem::new(Code::InvalidRoute)
                    .because("A name with @ is a relay name; the LAN route takes a peer's name."),
            ));
        }
        let relay = |code, problem: Problem| SendFailure {
            problem: Problem::new(code),
            attempts: Some(vec![AttemptView::untried("relay", &problem)]),
            message_id: None,
            status: None,
        };
        if command.route == RouteChoice::Relay {
            return Err(relay(
                Code::RelayUnavailable,
                Problem::new(Code::RelayUnavailable),
            ));
        }
        if qualified {
            return Err(relay(
                Code::DeliveryFailed,
                Problem::new(Code::RelayUnavailable),
            ));
        }
        match self.peers.resolve(&command.to) {
            (Target::Peer { .. }, Some(peer)) => Ok(peer),
            (Target::Ambiguous, _) => Err(SendFailure::early(
                Problem::new(Code::PeerNotFound)
                    .summary(format!("Several peers begin with {}.", command.to))
                    .remedy("Write the whole name of the one that is meant."),
            )),
            _ => Err(SendFailure::early(
                Problem::new(Code::PeerNotFound)
                    .summary(format!("There is no peer named {}.", command.to)),
            )),
        }
    }
}

/// An accepted message of which nothing certain can be said now.
fn open(id: &MessageId, problem: Problem) -> SendFailure {
    SendFailure {
        problem,
        attempts: None,
        message_id: Some(id.as_str().to_owned()),
        status: Some(State::Unconfirmed.to_string()),
    }
}

fn answer(
    command: &SendCommand,
    id: &MessageId,
    verdict: Verdict,
    attempts: Vec<AttemptView>,
) -> Result<SendOutcome, SendFailure> {
    let outcome = |status: &str, evidence: Evidence| SendOutcome {
        ok: true,
        message_id: id.as_str().to_owned(),
        target: command.to.clone(),
        target_type: "dm".into(),
        route: "lan".into(),
        status: status.to_owned(),
        evidence: evidence.to_string(),
        attempts: attempts.clone(),
        timestamp: wall_now().to_string(),
    };
    match verdict {
        Verdict::Finish {
            state: State::Delivered,
            evidence,
            ..
        } => Ok(outcome("delivered", evidence)),
        Verdict::Requeue(..) => Ok(outcome("queued", Evidence::None)),
        Verdict::Finish { state, problem, .. } => {
            let mut problem = problem.unwrap_or_else(|| Problem::new(Code::DeliveryFailed));
            // The documented code for every failed delivery; the reason stays in the words.
            if !matches!(problem.code, Code::IdConflict | Code::PayloadTooLarge) {
                problem.code = Code::DeliveryFailed;
            }
            Err(SendFailure {
                problem,
                attempts: Some(attempts),
                message_id: Some(id.as_str().to_owned()),
                status: Some(state.to_string()),
            })
        }
    }
}
