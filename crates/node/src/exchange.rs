//! One request to a peer over whatever line there is, with a record of every try.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tieline_store::attempts::{Attempt, AttemptStatus};
use tieline_store::peers;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::time::UnixMillis;

use crate::clock::{Instant, millis, wall_now};
use crate::line::{Answer, Connection, DirectConnection, ExchangeError, Timings, dial};
use crate::model::{AttemptView, Direction, DirectionState, EventKind, PhaseTimings, Via};
use crate::node::Node;
use crate::pairing;
use crate::peers::Peer;
use crate::tls::ClientTls;

/// One try of a request over one connection.
#[derive(Debug, Clone)]
pub(crate) struct Try {
    /// How the line ran; `None` where no connection came about.
    pub via: Option<Via>,
    /// Address used.
    pub address: Option<String>,
    /// When it began.
    pub started_at: UnixMillis,
    /// How long it took.
    pub took: Duration,
    /// Look-up and TCP, where it dialled.
    pub connect: Option<Duration>,
    /// TLS handshake, where it dialled.
    pub tls: Option<Duration>,
    /// From the TLS connection to one that the peer takes requests on: HTTP/2, and the pair's token.
    pub auth: Option<Duration>,
    /// Request to answer.
    pub store: Option<Duration>,
    /// Why it failed.
    pub problem: Option<Problem>,
}

/// How a request went.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// The peer's answer, or why there is none and whether it may have received the request.
    pub result: Result<Answer, ExchangeError>,
    /// Whether a try before the last may have reached the peer.
    pub exposed: bool,
    /// Every try.
    pub tries: Vec<Try>,
}

/// A connection to use, and what it took to get it.
struct Ready {
    connection: Connection,
    dialled: Option<(Timings, Duration)>,
}

/// Sends a request over the open line, or a new one; a request that broke is tried once more on a
/// fresh connection. Every request of the protocol may arrive twice without harm.
pub(crate) async fn exchange(node: &Node, peer: &Arc<Peer>, path: &str, body: Bytes) -> Exchange {
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
        let asked = Instant::now();
        let speaker = peer.record().keys.as_ref().map(|keys| keys.speaker.clone());
        let Some(speaker) = speaker else {
            let problem = Problem::new(Code::PeerRevoked);
            return Exchange {
                result: Err(ExchangeError { problem, sent }),
                exposed: sent,
                tries,
            };
        };
        let outcome = ready
            .connection
            .exchange(&speaker, path, body.clone())
            .await;
        let mut this = Try {
            via: Some(ready.connection.via()),
            address: Some(ready.connection.address()),
            started_at,
            took: started.elapsed(),
            connect: ready.dialled.map(|(timings, _)| timings.connect),
            tls: ready.dialled.and_then(|(timings, _)| timings.tls),
            auth: ready.dialled.map(|(_, auth)| auth),
            store: Some(asked.elapsed()),
            problem: None,
        };
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

async fn ready(node: &Node, peer: &Arc<Peer>, fresh: bool) -> Result<Ready, (Problem, Try)> {
    if !fresh && let Some(connection) = peer.line.open() {
        return Ok(Ready {
            connection,
            dialled: None,
        });
    }
    let turn = peer.line.dialling().await;
    if let Some(connection) = peer.line.open() {
        return Ok(Ready {
            connection,
            dialled: None,
        });
    }
    let (connection, auth) = tokio::select! {
        dialled = dial_peer(node, peer) => dialled?,
        // A peer that cannot be dialled comes by itself; no need to wait for the dial to fail.
        held = peer.line.held() => {
            return Ok(Ready { connection: Connection::Held(held), dialled: None });
        }
    };
    let timings = connection.timings;
    drop(turn);
    Ok(Ready {
        connection: Connection::Direct(connection),
        dialled: Some((timings, auth)),
    })
}

/// Dials a peer, binds the pair's token where there is none, and puts the connection on its line.
/// Gives the time that passed after the TLS handshake, too.
async fn dial_peer(
    node: &Node,
    peer: &Arc<Peer>,
) -> Result<(Arc<DirectConnection>, Duration), (Problem, Try)> {
    let failed = |problem: Problem, address: Option<String>, connect, tls, auth| {
        let this = Try {
            via: None,
            address,
            started_at: UnixMillis(0),
            took: Duration::ZERO,
            connect,
            tls,
            auth,
            store: None,
            problem: Some(problem.clone()),
        };
        (problem, this)
    };
    let record = peer.record();
    let Some(keys) = &record.keys else {
        return Err(failed(
            Problem::new(Code::PeerRevoked),
            None,
            None,
            None,
            None,
        ));
    };
    let tls = ClientTls::new(&node.identity, keys.pin, b"h2")
        .map_err(|problem| failed(problem, None, None, None, None))?;
    let last_good = record.row.last_good_address.as_ref();
    let dialled = match dial(&record.row.addresses, last_good, &tls).await {
        Ok(dialled) => dialled,
        Err(error) => {
            note_direction(
                node,
                peer,
                Direction {
                    state: DirectionState::Failed,
                    checked_at: Some(wall_now().to_string()),
                    problem: Some(error.problem.clone()),
                    ..Direction::default()
                },
            );
            let address = error.address.map(|address| address.to_string());
            let timings = error.timings;
            return Err(failed(
                error.problem,
                address,
                Some(timings.connect),
                timings.tls,
                None,
            ));
        }
    };
    let address = dialled.address.clone();
    let timings = dialled.timings;
    let shown = Some(address.to_string());
    let greeting = Instant::now();
    let started = DirectConnection::start(dialled, &peer.cut).await;
    let greeted = match started {
        Ok(connection) => pairing::settle_token(node, peer, &connection)
            .await
            .map(|()| connection),
        Err(problem) => Err(problem),
    };
    let auth = greeting.elapsed();
    let connection = greeted.map_err(|problem| {
        let connect = Some(timings.connect);
        failed(problem, shown, connect, timings.tls, Some(auth))
    })?;
    if record.row.last_good_address.as_ref() != Some(&address) {
        let id = peer.id;
        let stored = node.change_peer(id, move |tx| {
            peers::set_last_good_address(tx, id, Some(&address))
        });
        if let Err(error) = stored.await {
            tracing::warn!(%error, "noting a peer's good address failed");
        }
    }
    peer.line.set_direct(Arc::clone(&connection));
    Ok((connection, auth))
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
        result: Err(error),
        tries,
    }
}

fn note_direction(node: &Node, peer: &Arc<Peer>, direction: Direction) {
    peer.live.lock().dial_out = direction;
    node.events.changed(EventKind::Peers, peer.alias());
}

impl Try {
    /// As front ends see it.
    #[must_use]
    pub(crate) fn view(&self) -> AttemptView {
        let problem = self.problem.as_ref();
        AttemptView {
            route: "lan".into(),
            status: if problem.is_some() {
                "failed"
            } else {
                "success"
            }
            .into(),
            latency_ms: millis(self.took),
            error: problem.map(problem_sentence),
            relay_status: None,
            ordinal: None,
            via: self.via,
            address: self.address.clone(),
            phase: self.phase(),
            code: problem.map(|problem| problem.code.to_string()),
            problem: problem.cloned(),
            started_at: Some(self.started_at.to_string()),
            timings: Some(PhaseTimings {
                connect_ms: self.connect.map(millis),
                tls_ms: self.tls.map(millis),
                auth_ms: self.auth.map(millis),
                store_ms: self.store.map(millis),
            }),
        }
    }

    /// As the store keeps it.
    #[must_use]
    pub(crate) fn record(&self) -> Attempt {
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Attempt {
            route: "lan".into(),
            via: self
                .via
                .map(|via| if via == Via::Held { "held" } else { "direct" }.to_owned()),
            address: self.address.clone(),
            phase: self.phase(),
            status: if self.problem.is_some() {
                AttemptStatus::Failed
            } else {
                AttemptStatus::Success
            },
            code: self
                .problem
                .as_ref()
                .map(|problem| problem.code.to_string()),
            detail: self
                .problem
                .as_ref()
                .map(|problem| serde_json::json!(problem)),
            started_at: self.started_at,
            latency_us: Some(micros(self.took)),
            connect_us: self.connect.map(micros),
            tls_us: self.tls.map(micros),
            auth_us: self.auth.map(micros),
            store_us: self.store.map(micros),
        }
    }

    fn phase(&self) -> Option<String> {
        match &self.problem {
            Some(problem) => problem.phase.map(|phase| phase.to_string()),
            None => Some("store".into()),
        }
    }
}

/// A problem as one sentence for the documented `error` field.
#[must_use]
pub(crate) fn problem_sentence(problem: &Problem) -> String {
    if problem.cause.is_empty() {
        problem.summary.to_string()
    } else {
        format!("{} {}", problem.summary, problem.cause)
    }
}
