//! Whether an abTARS machine is there, and which generation it speaks: its agent card, asked for
//! with a signature alone.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::Value;
use tieline_wire::abtars::Generation;
use tieline_wire::abtars::ask::read_answer;
use tieline_wire::abtars::probe::{CARD_PATH, MODELS_PATH};
use tieline_wire::problem::{Code, Problem};

use super::client::{Answered, Question, ask};
use super::contact::learn;
use super::dial::Shown;
use crate::clock::{Instant, millis, wall_now};
use crate::exchange::Try;
use crate::model::{Direction, DirectionState, EventKind, PingFailure, PingView, Via};
use crate::node::Node;
use crate::peers::Peer;

/// Time for the answer to a card.
const WAIT: Duration = Duration::from_secs(15);
/// A clock this far off makes signatures stale, milliseconds.
const CLOCKS_APART: u64 = 25_000;

/// Asks a peer whether it is alive, and finds out what it speaks where that is not known.
///
/// # Errors
/// Why it did not answer.
pub(crate) async fn ping(node: &Node, peer: &Arc<Peer>) -> Result<PingView, PingFailure> {
    let generation = generation(peer);
    let mut tries = Vec::new();
    let probed = match generation {
        Some(Generation::Legacy) => Probed::Legacy,
        _ => {
            let (answered, more) = ask(node, peer, &question(CARD_PATH, true)).await;
            tries.extend(more);
            match answered {
                Ok(answered) => judge(&answered),
                Err(error) => return Err(failed(node, peer, error.problem, tries)),
            }
        }
    };
    match probed {
        Probed::Current(offset) => {
            remember(node, peer, Generation::Current).await;
            Ok(succeeded(node, peer, tries, offset))
        }
        Probed::Legacy if generation == Some(Generation::Current) => {
            Err(failed(node, peer, downgraded(), tries))
        }
        // The older generation has no such card in all its releases; the models it has.
        Probed::Legacy => {
            let (answered, more) = ask(node, peer, &question(MODELS_PATH, false)).await;
            tries.extend(more);
            match answered {
                Ok(answered) if answered.status.is_success() => {
                    remember(node, peer, Generation::Legacy).await;
                    let offset = offset(&answered);
                    Ok(succeeded(node, peer, tries, offset))
                }
                Ok(answered) if is_current(&answered) && generation.is_some() => {
                    // It was updated: the next ping asks anew, with signatures.
                    forget(node, peer).await;
                    Box::pin(ping(node, peer)).await
                }
                Ok(answered) => {
                    let problem = refusal(node, &answered);
                    Err(failed(node, peer, problem, tries))
                }
                Err(error) => Err(failed(node, peer, error.problem, tries)),
            }
        }
        Probed::Refused(problem) => Err(failed(node, peer, *problem, tries)),
    }
}

/// Finds out what a peer speaks, if that is not known.
pub(super) async fn find_out(node: &Node, peer: &Arc<Peer>) {
    if generation(peer).is_none() {
        // A failure stands on the peer's page.
        let _ = ping(node, peer).await;
    }
}

/// What an answer to a signed request for the card says.
enum Probed {
    /// It took the signature; its clock minus ours, milliseconds.
    Current(Option<i64>),
    /// It asked for a bearer, or does not know the route.
    Legacy,
    Refused(Box<Problem>),
}

fn judge(answered: &Answered) -> Probed {
    let legacy = answered.shown == Shown::Certificate
        || answered.status.as_u16() == 404
        || message(&answered.body).is_some_and(|message| message.contains("bearer token"));
    if legacy {
        Probed::Legacy
    } else if answered.status.is_success() {
        Probed::Current(offset(answered))
    } else {
        Probed::Refused(Box::new(refused(answered)))
    }
}

/// Whether only the current generation gives this answer.
pub(super) fn is_current(answered: &Answered) -> bool {
    answered.status.as_u16() == 401
        && message(&answered.body).is_some_and(|message| {
            ["X-Peer-Id", "Unknown peer", "request signature"]
                .iter()
                .any(|word| message.contains(word))
        })
}

/// Whether only the older generation gives this answer.
pub(super) fn is_legacy(answered: &Answered) -> bool {
    answered.shown == Shown::Certificate
        || (answered.status.as_u16() == 401
            && message(&answered.body).is_some_and(|message| message.contains("bearer token")))
}

fn message(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    Some(body.pointer("/error/message")?.as_str()?.to_owned())
}

/// The peer spoke the current generation and now asks for the older one's proof.
pub(super) fn downgraded() -> Problem {
    Problem::new(Code::PeerRefusedUs)
        .summary("This peer speaks an older and weaker language than before.")
        .because("It took signed requests until now, and asks for a shared token instead. Nothing of that kind was sent.")
        .remedy("If it was really put back to a release up to v0.3.3, choose Forget what it speaks on its page.")
}

/// Why a peer did not take a request, with what may help: the two clocks, and the names.
pub(super) fn refusal(node: &Node, answered: &Answered) -> Problem {
    let mut problem = refused(answered);
    if problem.code == Code::PeerRefusedUs {
        problem = problem.with("weCallOurselves", node.abtars_name());
    }
    problem
}

fn refused(answered: &Answered) -> Problem {
    let status = answered.status.as_u16();
    let retry_after = answered.retry_after.as_deref();
    let problem = match read_answer(status, retry_after, &answered.body) {
        Err(error) => Problem::from(error),
        Ok(_) => Problem::new(Code::ResponseInvalid),
    };
    match offset(answered) {
        Some(offset)
            if problem.code == Code::PeerRefusedUs && offset.unsigned_abs() > CLOCKS_APART =>
        {
            problem
                .because(format!(
                    "Its clock is {} s off this machine's, and it takes no request that is more than 30 s old.",
                    offset / 1000
                ))
                .remedy("Set the clock of the machine that is wrong.")
                .with("clockOffsetMs", offset)
        }
        _ => problem,
    }
}

/// The other clock minus ours, milliseconds; good to a second.
fn offset(answered: &Answered) -> Option<i64> {
    let there = httpdate::parse_http_date(answered.date.as_deref()?).ok()?;
    let since = there.duration_since(std::time::UNIX_EPOCH).ok()?;
    let there = i64::try_from(since.as_millis()).ok()?;
    // The header counts whole seconds, so that the true time is half of one later on average.
    Some(there.saturating_add(500).saturating_sub(wall_now().0))
}

fn question(target: &'static str, only_signed: bool) -> Question {
    Question {
        method: Method::GET,
        target,
        body: Bytes::new(),
        hops: None,
        wait: WAIT,
        only_signed,
    }
}

fn generation(peer: &Peer) -> Option<Generation> {
    peer.record().contact.as_ref()?.learned.generation
}

/// Notes what a peer speaks. From the current generation there is no way back but the person's word.
pub(super) async fn remember(node: &Node, peer: &Arc<Peer>, found: Generation) {
    if generation(peer) == Some(found) {
        return;
    }
    let id = peer.id;
    let noted = node.change_peer(id, move |tx| {
        learn(tx, id, |learned| {
            if learned.generation != Some(Generation::Current) {
                learned.generation = Some(found);
            }
        })
    });
    if let Err(problem) = noted.await {
        tracing::warn!(%problem, "noting what a peer speaks failed");
    }
}

/// A peer of the older generation answered as the current one does: nothing is known any more.
pub(super) async fn forget(node: &Node, peer: &Arc<Peer>) {
    let id = peer.id;
    let noted = node.change_peer(id, move |tx| {
        learn(tx, id, |learned| {
            learned.generation = learned
                .generation
                .filter(|known| *known == Generation::Current);
        })
    });
    if let Err(problem) = noted.await {
        tracing::warn!(%problem, "noting what a peer speaks failed");
    }
}

fn succeeded(node: &Node, peer: &Arc<Peer>, tries: Vec<Try>, offset: Option<i64>) -> PingView {
    let last = tries.last();
    let latency_ms = last
        .and_then(|last| last.store)
        .map(millis)
        .unwrap_or_default();
    let address = last.and_then(|last| last.address.clone());
    worked(node, peer, latency_ms, address.clone());
    PingView {
        peer: peer.alias(),
        latency_ms,
        route: "lan".into(),
        via: Via::Direct,
        address,
        clock_offset_ms: offset,
        attempts: tries.iter().map(Try::view).collect(),
    }
}

/// The line to the peer works.
pub(super) fn worked(node: &Node, peer: &Arc<Peer>, latency_ms: f64, address: Option<String>) {
    {
        let mut live = peer.live.lock();
        live.online = true;
        live.problem = None;
        live.seen = Some(Instant::now());
        live.latency_ms = Some(latency_ms);
        live.dial_out = Direction {
            state: DirectionState::Ok,
            checked_at: Some(wall_now().to_string()),
            latency_ms: Some(latency_ms),
            address,
            problem: None,
        };
    }
    node.events.changed(EventKind::Peers, peer.alias());
}

/// It does not, and why.
pub(super) fn broken(node: &Node, peer: &Arc<Peer>, problem: &Problem) {
    {
        let mut live = peer.live.lock();
        live.online = false;
        live.problem = Some(problem.clone());
        live.dial_out = Direction {
            state: DirectionState::Failed,
            checked_at: Some(wall_now().to_string()),
            problem: Some(problem.clone()),
            ..Direction::default()
        };
    }
    node.events.changed(EventKind::Peers, peer.alias());
}

fn failed(node: &Node, peer: &Arc<Peer>, problem: Problem, mut tries: Vec<Try>) -> PingFailure {
    broken(node, peer, &problem);
    if let Some(last) = tries.last_mut() {
        last.problem.get_or_insert_with(|| problem.clone());
    }
    PingFailure {
        problem,
        attempts: tries.iter().map(Try::view).collect(),
    }
}
