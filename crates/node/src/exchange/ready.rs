//! A connection for a request: one that is open, or a new one.

use std::sync::Arc;
use std::time::Duration;

use tieline_store::peers;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::time::UnixMillis;

use super::Try;
use crate::clock::{Instant, wall_now};
use crate::line::{Connection, DirectConnection, Timings, dial};
use crate::model::{Direction, DirectionState, EventKind};
use crate::node::Node;
use crate::pairing;
use crate::peers::Peer;
use crate::tls::ClientTls;

/// A connection to use, and what it took to get it.
pub(super) struct Ready {
    pub(super) connection: Connection,
    dialled: Option<(Timings, Duration)>,
}

impl Ready {
    /// A try over it.
    pub(super) fn tried(
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

/// The open line, unless `fresh`, or a connection that comes about now.
///
/// # Errors
/// Why none does, with the try.
pub(super) async fn ready(
    node: &Node,
    peer: &Arc<Peer>,
    fresh: bool,
) -> Result<Ready, (Problem, Try)> {
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

fn note_direction(node: &Node, peer: &Arc<Peer>, direction: Direction) {
    peer.live.lock().dial_out = direction;
    node.events.changed(EventKind::Peers, peer.alias());
}
