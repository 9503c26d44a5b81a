//! One request to a peer over whatever line there is, with a record of every try.

mod attempt;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tieline_store::peers;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::time::UnixMillis;

use crate::clock::{Instant, millis, wall_now};
use crate::line::{Answer, Connection, DirectConnection, ExchangeError, Timings, dial};
use crate::model::{Direction, DirectionState, EventKind, Via};
use crate::node::Node;
use crate::pairing;
use crate::peers::Peer;
use crate::tls::ClientTls;

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

/// A connection to use, and what it took to get it.
struct Ready {
    connection: Connection,
    dialled: Option<(Timings, Duration)>,
}

impl Ready {
    /// A try over it.
    fn tried(
        &self,
        started_at: UnixMillis,
        started: Instant,
        store: Option<Duration>,
        problem: Option<Problem>,
    ) -> Try {
        Try {
            via: Some(self.connection.via()),
            address: Some(self.connection.address()),
            started_at,
            took: started.elapsed(),
            connect: self.dialled.map(|(timings, _)| timings.connect),
            tls: self.dialled.and_then(|(timings, _)| timings.tls),
            auth: self.dialled.map(|(_, auth)| auth),
            store,
            problem,
        }
    }
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

fn note_direction(node: &Node, peer: &Arc<Peer>, direction: Direction) {
    peer.live.lock().dial_out = direction;
    node.events.changed(EventKind::Peers, peer.alias());
}
