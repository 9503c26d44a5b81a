//! One request to a peer over whatever line there is, with a record of every try.

mod attempt;
mod ready;

use std::sync::Arc;

use bytes::Bytes;
use tieline_wire::problem::{Code, Problem};

use self::ready::ready;
use crate::clock::{Instant, millis, wall_now};
use crate::line::{Answer, Connection, ExchangeError};
use crate::model::{Direction, DirectionState, EventKind, Via};
use crate::node::Node;
use crate::peers::Peer;

pub(crate) use attempt::{Try, problem_sentence};

/// How a request went.
pub(crate) struct Exchange {
    /// The peer's answer, or why there is none and whether it may have received the request.
    pub result: Result<Answer, ExchangeError>,
    /// Whether a try before the last may have reached the peer.
    pub exposed: bool,
    /// The connection that the answer came over.
    pub over: Option<Connection>,
    /// Every try.
    pub tries: Vec<Try>,
}

/// What must be seen to before a request leaves over a connection.
pub(crate) trait Before {
    /// `sent` says whether an earlier try may have reached the peer.
    fn before(
        &mut self,
        connection: &Connection,
        sent: bool,
    ) -> impl Future<Output = Result<(), Hindrance>> + Send;
}

/// Why a request does not leave over a connection.
#[derive(Debug)]
pub(crate) enum Hindrance {
    /// The connection broke; another may do.
    Broken(Problem),
    /// It must not be sent.
    Barred(Problem),
}

/// Nothing to see to.
struct Nothing;

impl Before for Nothing {
    async fn before(&mut self, _connection: &Connection, _sent: bool) -> Result<(), Hindrance> {
        Ok(())
    }
}

/// Sends a request over the open line, or a new one; a request that broke is tried once more on a
/// fresh connection. Every request of the protocol may arrive twice without harm.
pub(crate) async fn exchange(node: &Node, peer: &Arc<Peer>, path: &str, body: Bytes) -> Exchange {
    exchange_after(node, peer, path, body, &mut Nothing).await
}

/// The same, with something to see to before each try.
pub(crate) async fn exchange_after(
    node: &Node,
    peer: &Arc<Peer>,
    path: &str,
    body: Bytes,
    before: &mut (impl Before + Send),
) -> Exchange {
    let mut tries = Vec::new();
    let mut sent = false;
    for round in 0..2 {
        let started_at = wall_now();
        let started = Instant::now();
        let ready = match ready(node, peer, round > 0).await {
            Ok(ready) => ready,
            Err((problem, mut failed)) => {
                failed.started_at = started_at;
                failed.took = started.elapsed();
                tries.push(failed);
                return failed_exchange(node, peer, ExchangeError { problem, sent }, tries);
            }
        };
        let begun = Instant::now();
        let seen_to = before.before(&ready.connection, sent).await;
        let asked = Instant::now();
        let speaker = peer.record().keys.as_ref().map(|keys| keys.speaker.clone());
        let Some(speaker) = speaker else {
            let problem = Problem::new(Code::PeerRevoked);
            return Exchange {
                result: Err(ExchangeError { problem, sent }),
                exposed: sent,
                over: None,
                tries,
            };
        };
        let outcome = match seen_to {
            Ok(()) => {
                let asked = ready.connection.exchange(&speaker, path, body.clone());
                asked.await
            }
            Err(Hindrance::Broken(problem)) => Err(ExchangeError {
                problem,
                sent: false,
            }),
            Err(Hindrance::Barred(problem)) => {
                let took = Some(begun.elapsed());
                let this = ready.tried(started_at, started, took, Some(problem.clone()));
                worked(node, peer, &this);
                tries.push(this);
                return Exchange {
                    result: Err(ExchangeError { problem, sent }),
                    exposed: sent,
                    over: None,
                    tries,
                };
            }
        };
        let mut this = ready.tried(started_at, started, Some(asked.elapsed()), None);
        match outcome {
            Ok(answer) => {
                if !answer.status.is_success() {
                    this.problem = Some(answer.problem());
                }
                worked(node, peer, &this);
                tries.push(this);
                return Exchange {
                    result: Ok(answer),
                    exposed: sent,
                    over: Some(ready.connection),
                    tries,
                };
            }
            Err(error) => {
                sent |= error.sent;
                this.problem = Some(error.problem.clone());
                tries.push(this);
                peer.line.drop_connection(&ready.connection);
                if round > 0 {
                    let error = ExchangeError {
                        problem: error.problem,
                        sent,
                    };
                    return failed_exchange(node, peer, error, tries);
                }
            }
        }
    }
    let problem = Problem::new(Code::Unreachable);
    Exchange {
        result: Err(ExchangeError { problem, sent }),
        exposed: sent,
        over: None,
        tries,
    }
}

/// Sends a request and gives the answer alone.
///
/// # Errors
/// Why there is no answer.
pub(crate) async fn exchange_open(
    node: &Node,
    peer: &Arc<Peer>,
    path: &str,
    body: Bytes,
) -> Result<Answer, Problem> {
    exchange(node, peer, path, body)
        .await
        .result
        .map_err(|error| error.problem)
}

fn worked(node: &Node, peer: &Arc<Peer>, this: &Try) {
    let latency = this.store.map(millis);
    let mut live = peer.live.lock();
    let was_online = live.online;
    // A peer that answers but does not know this node, or not its token, is no line.
    live.problem = this
        .problem
        .clone()
        .filter(|problem| matches!(problem.code, Code::PeerRevoked | Code::TokenInvalid));
    live.online = live.problem.is_none();
    live.seen = Some(Instant::now());
    live.latency_ms = latency;
    live.asleep = None;
    let is_online = live.online;
    if this.via == Some(Via::Direct) {
        live.dial_out = Direction {
            state: DirectionState::Ok,
            checked_at: Some(this.started_at.to_string()),
            latency_ms: latency,
            address: this.address.clone(),
            problem: None,
        };
    }
    drop(live);
    if was_online != is_online {
        node.events.changed(EventKind::Peers, peer.alias());
    }
    if is_online && !was_online {
        peer.lane.notify_one();
    }
}

fn failed_exchange(
    node: &Node,
    peer: &Arc<Peer>,
    error: ExchangeError,
    tries: Vec<Try>,
) -> Exchange {
    if peer.line.open().is_none() {
        let mut live = peer.live.lock();
        live.online = false;
        live.problem = Some(error.problem.clone());
        drop(live);
        node.events.changed(EventKind::Peers, peer.alias());
    }
    Exchange {
        exposed: error.sent,
        over: None,
        result: Err(error),
        tries,
    }
}
