//! Pings: whether a peer answers, how fast, and what it says of itself.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tieline_wire::address::Address;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::StoreId;

use super::learn::learn;
use crate::clock::{millis, wall_now};
use crate::exchange::{Try, exchange};
use crate::line::Connection;
use crate::model::{PingFailure, PingView, Via};
use crate::node::Node;
use crate::peers::Peer;
use crate::protocol::{PingAnswer, PingBody, path};

impl Node {
    /// Pings a peer.
    ///
    /// # Errors
    /// Why it was not answered, with every try.
    pub async fn ping(&self, name: &str) -> Result<PingView, PingFailure> {
        let peer = self.peer_named(name).map_err(|problem| PingFailure {
            problem,
            attempts: Vec::new(),
        })?;
        if peer.record().keys.is_none() {
            return crate::dialect::ping(self, &peer).await;
        }
        self.ping_peer(&peer).await
    }

    pub(crate) async fn ping_peer(&self, peer: &Arc<Peer>) -> Result<PingView, PingFailure> {
        let asked = exchange(self, peer, path::PING, ping_body(self)).await;
        let attempts = asked.tries.iter().map(Try::view).collect::<Vec<_>>();
        let failure = |problem| PingFailure {
            problem,
            attempts: attempts.clone(),
        };
        let answer = asked.result.map_err(|error| failure(error.problem))?;
        let answer: PingAnswer = answer.read().map_err(failure)?;
        let last = asked.tries.last();
        let round_trip = last.and_then(|last| last.store).unwrap_or_default();
        // When the request itself left, after dialling.
        let (began, took) = last.map_or((wall_now(), round_trip), |last| {
            (last.started_at, last.took)
        });
        let until_there = took.saturating_sub(round_trip) + round_trip / 2;
        let there = began.0.saturating_add(whole_millis(until_there));
        let offset = answer.at.saturating_sub(there);
        let from = last.and_then(|last| ip_of(last.address.as_deref()?));
        let store = learn(self, peer, &answer, from, Some(offset))
            .await
            .map_err(failure)?;
        if let Some(connection) = &asked.over {
            let _ = connection.store().set(store);
        }
        Ok(PingView {
            peer: peer.alias(),
            latency_ms: millis(round_trip),
            route: "lan".into(),
            via: last.and_then(|last| last.via).unwrap_or(Via::Direct),
            address: last.and_then(|last| last.address.clone()),
            clock_offset_ms: Some(offset),
            attempts,
        })
    }
}

/// Names the database at the other end of a connection. It is asked once: a node opens one
/// database for as long as it runs, and its connections end with it.
///
/// # Errors
/// Why it could not be asked, or what the peer said instead.
pub(crate) async fn store_of(
    node: &Node,
    peer: &Arc<Peer>,
    connection: &Connection,
) -> Result<StoreId, NoStore> {
    let asked = connection.store().get_or_try_init(async || {
        let record = peer.record();
        let keys = record.keys.as_ref();
        let keys = keys.ok_or_else(|| NoStore::Refused(Problem::new(Code::PeerRevoked)))?;
        let answer = connection
            .exchange(&keys.speaker, path::PING, ping_body(node))
            .await
            .map_err(|_| {
                // Not the words of the failed ping: it was the message that somebody sent.
                let silent = "The open connection did not answer a ping before the message.";
                NoStore::Broken(Problem::new(Code::Unreachable).because(silent))
            })?;
        let said: PingAnswer = answer.read().map_err(NoStore::Refused)?;
        let from = ip_of(&connection.address());
        learn(node, peer, &said, from, None)
            .await
            .map_err(NoStore::Refused)
    });
    asked.await.copied()
}

/// Why a peer did not name its database.
#[derive(Debug)]
pub(crate) enum NoStore {
    /// The connection broke.
    Broken(Problem),
    /// It answered something else.
    Refused(Problem),
}

pub(super) fn ping_body(node: &Node) -> Bytes {
    let body = PingBody {
        at: wall_now().0,
        addresses: node
            .own_addresses()
            .iter()
            .map(ToString::to_string)
            .collect(),
        store_id: node.store_id().to_string(),
    };
    serde_json::to_vec(&body).unwrap_or_default().into()
}

/// The IP address in an attempt's address, whose connection it was.
fn ip_of(address: &str) -> Option<IpAddr> {
    address.parse::<Address>().ok()?.ip()
}

fn whole_millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// Answers a ping.
///
/// # Errors
/// Those of the store.
pub(crate) async fn answer_ping(
    node: &Node,
    peer: &Arc<Peer>,
    from: IpAddr,
    body: PingBody,
) -> Result<PingAnswer, Problem> {
    let own = PingAnswer {
        at: wall_now().0,
        addresses: node
            .own_addresses()
            .iter()
            .map(ToString::to_string)
            .collect(),
        store_id: node.store_id().to_string(),
    };
    // Without the round trip the offset is only as good as the network is fast.
    let offset = peer
        .record()
        .row
        .clock_offset_ms
        .is_none()
        .then_some(body.at.saturating_sub(own.at));
    let said = PingAnswer {
        at: body.at,
        addresses: body.addresses,
        store_id: body.store_id,
    };
    learn(node, peer, &said, Some(from), offset).await?;
    Ok(own)
}
