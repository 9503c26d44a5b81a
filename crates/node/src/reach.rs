//! Who can reach whom: measured by pings both ways, and the line kept accordingly.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use tieline_store::peers;
use tieline_wire::address::Address;
use tieline_wire::problem::{Code, Problem};

use crate::clock::{Instant, millis, wall_now};
use crate::exchange::{Try, exchange, exchange_open};
use crate::line::{HeldConnection, Side, Speaker, dial, named, open_held, retold_dial};
use crate::model::{Direction, DirectionState, EventKind, PingFailure, PingView, Via};
use crate::node::Node;
use crate::pairing;
use crate::peers::Peer;
use crate::protocol::{PingAnswer, PingBody, ReachAnswer, path};
use crate::tls::ClientTls;

/// How often a line that works is looked at.
const CHECK: Duration = Duration::from_secs(60);
/// First and longest pause after a failure; each is drawn from zero to the current bound.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// How long a held connection must last for the next failure to count as a first one.
const STEADY: Duration = Duration::from_secs(60);
/// Time for an answer on a held connection that may be dead.
const PROBE: Duration = Duration::from_secs(3);
/// Time between two dials back for one peer.
const DIAL_BACK_PAUSE: Duration = Duration::from_millis(500);
/// Most dials back for one peer in a window.
const MOST_DIAL_BACKS: u32 = 30;
const DIAL_BACK_WINDOW: Duration = Duration::from_secs(60);
/// How long the peer's word on whether it can dial this node is good.
const FRESH: Duration = Duration::from_secs(30);
/// How long a peer that unpaired this node, or does not know it yet, is left alone.
const REFUSED_PAUSE: Duration = Duration::from_secs(120);
/// A clock offset below this is the noise of the measurement.
const OFFSET_NOISE_MS: u64 = 50;

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
        self.learn(peer, &answer, from, Some(offset))
            .await
            .map_err(failure)?;
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

    /// Notes what a peer, whose connection comes from `from`, said of itself. Written only where
    /// something changed.
    async fn learn(
        &self,
        peer: &Arc<Peer>,
        said: &PingAnswer,
        from: Option<IpAddr>,
        offset: Option<i64>,
    ) -> Result<(), Problem> {
        let record = peer.record();
        let row = &record.row;
        let store_id = said.store_id.parse().map_err(|_| {
            Problem::new(Code::ResponseInvalid).because("The store id cannot be read.")
        })?;
        let new_store = row.store_id != Some(store_id);
        let restored = new_store && row.store_id.is_some();
        let moved = offset.filter(|new| {
            row.clock_offset_ms
                .is_none_or(|old| new.abs_diff(old) > OFFSET_NOISE_MS)
        });
        let addresses = from.and_then(|from| self.said_addresses(peer, &said.addresses, from));
        if !new_store && moved.is_none() && addresses.is_none() {
            return Ok(());
        }
        let id = peer.id;
        let restored_problem = serde_json::json!(Problem::new(Code::StoreRestored));
        self.change_peer(id, move |tx| {
            if new_store {
                peers::set_store_id(tx, id, &store_id)?;
            }
            if restored {
                crate::outbox::stop_retries(tx, id, &restored_problem)?;
            }
            if let Some(offset) = moved {
                peers::set_clock_offset(tx, id, Some(offset))?;
            }
            if let Some(addresses) = &addresses {
                peers::set_addresses(tx, id, addresses)?;
            }
            Ok(())
        })
        .await?;
        if restored {
            self.alert(Problem::new(Code::StoreRestored).with("peer", peer.alias()));
        }
        Ok(())
    }

    /// The addresses a peer names, where they are news and the person has not set others.
    fn said_addresses(&self, peer: &Peer, said: &[String], from: IpAddr) -> Option<Vec<Address>> {
        let record = peer.record();
        if record.row.options.get("addressesBy").is_some() {
            return None;
        }
        let most = tieline_wire::card::MAX_ADDRESSES;
        let said = said.iter().take(most);
        let addresses = named(said.filter_map(|text| text.parse().ok()), from);
        (!addresses.is_empty() && addresses != record.row.addresses).then_some(addresses)
    }
}

fn ping_body(node: &Node) -> Bytes {
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
    node.learn(peer, &said, Some(from), offset).await?;
    Ok(own)
}

/// How often a peer has had itself dialled. Dialling is work, and goes where the peer says.
#[derive(Debug, Default)]
pub(crate) struct DialBacks {
    last: Option<Instant>,
    window: Option<Instant>,
    count: u32,
}

impl DialBacks {
    /// Counts one more, or says that it is too early.
    fn take(&mut self) -> bool {
        let ago = |when: Option<Instant>| when.map(|when| when.elapsed());
        if ago(self.last).is_some_and(|ago| ago < DIAL_BACK_PAUSE) {
            return false;
        }
        if ago(self.window).is_none_or(|ago| ago >= DIAL_BACK_WINDOW) {
            self.window = Some(Instant::now());
            self.count = 0;
        }
        if self.count >= MOST_DIAL_BACKS {
            return false;
        }
        self.count += 1;
        self.last = Some(Instant::now());
        true
    }
}

/// Answers "can you dial me": dials the peer's addresses anew and says what came of it.
///
/// Why an address failed is told only of the one that the peer's own connection comes from: a peer
/// must not find out through this node what is behind others.
///
/// # Errors
/// `PEER_BUSY` while it is being dialled, and where it asked a moment ago or too often.
pub(crate) async fn answer_reach(
    node: &Node,
    peer: &Arc<Peer>,
    from: IpAddr,
) -> Result<ReachAnswer, Problem> {
    let busy = || Problem::new(Code::PeerBusy);
    let mut before = peer.dial_backs.try_lock().map_err(|_| busy())?;
    if !before.take() {
        return Err(busy());
    }
    let record = peer.record();
    let Some(keys) = &record.keys else {
        return Err(Problem::new(Code::PeerRevoked));
    };
    let started = Instant::now();
    let tls = ClientTls::new(&node.identity, keys.pin, b"h2")?;
    let reached = dial(
        &record.row.addresses,
        record.row.last_good_address.as_ref(),
        &tls,
    )
    .await;
    let direction = match &reached {
        Ok(dialled) => Direction {
            state: DirectionState::Ok,
            checked_at: Some(wall_now().to_string()),
            latency_ms: Some(millis(started.elapsed())),
            address: Some(dialled.address.to_string()),
            problem: None,
        },
        Err(error) => Direction {
            state: DirectionState::Failed,
            checked_at: Some(wall_now().to_string()),
            latency_ms: None,
            address: None,
            problem: Some(error.problem.clone()),
        },
    };
    let told = reached.as_ref().err().map(|error| {
        let own = error.address.as_ref().is_none_or(|address| {
            address.ip().map(|ip| ip.to_canonical()) == Some(from.to_canonical())
        });
        if own {
            error.problem.clone()
        } else {
            Problem::new(Code::Unreachable)
        }
    });
    let answer = ReachAnswer {
        ok: reached.is_ok(),
        latency_ms: direction.latency_ms,
        address: direction.address.clone(),
        problem: told,
    };
    peer.live.lock().dial_out = direction;
    node.events.changed(EventKind::Peers, peer.alias());
    Ok(answer)
}

/// Asks a peer whether it can dial this node, and notes the answer.
///
/// # Errors
/// Why it could not be asked.
pub(crate) async fn ask(node: &Node, peer: &Arc<Peer>) -> Result<ReachAnswer, Problem> {
    // Whoever asks at the same time shares the answer: dialling back is bounded over there.
    let _turn = peer.asking.lock().await;
    if let Some(answer) = just_asked(peer) {
        return Ok(answer);
    }
    let mut answer: ReachAnswer = exchange_open(node, peer, path::REACH, "{}".into())
        .await?
        .read()?;
    answer.problem = answer.problem.map(retold_dial);
    answer.address = answer
        .address
        .filter(|text| text.parse::<Address>().is_ok());
    let mut live = peer.live.lock();
    live.asked = Some((Instant::now(), answer.ok));
    live.dial_in = Direction {
        state: if answer.ok {
            DirectionState::Ok
        } else {
            DirectionState::Failed
        },
        checked_at: Some(wall_now().to_string()),
        latency_ms: answer.latency_ms,
        address: answer.address.clone(),
        problem: answer.problem.clone(),
    };
    drop(live);
    node.events.changed(EventKind::Peers, peer.alias());
    Ok(answer)
}

fn just_asked(peer: &Peer) -> Option<ReachAnswer> {
    let live = peer.live.lock();
    let (_, ok) = live
        .asked
        .filter(|(when, _)| when.elapsed() < 2 * DIAL_BACK_PAUSE)?;
    Some(ReachAnswer {
        ok,
        latency_ms: live.dial_in.latency_ms,
        address: live.dial_in.address.clone(),
        problem: live.dial_in.problem.clone(),
    })
}

/// Keeps the line to a peer until it is unpaired or the node stops: measures both directions, and
/// where the peer cannot dial this node, holds a connection open for it.
pub(crate) async fn keep(node: Node, peer: Arc<Peer>) {
    tokio::select! {
        () = node.stop.cancelled() => {}
        () = peer.cut.cancelled() => {}
        () = keep_forever(&node, &peer) => {}
    }
}

async fn keep_forever(node: &Node, peer: &Arc<Peer>) {
    let mut pauses = pauses();
    loop {
        let began = Instant::now();
        let pause = match contact(node, peer).await {
            Ok(true) => {
                pauses = self::pauses();
                CHECK
            }
            // It cannot dial this node: hold a connection until it breaks.
            Ok(false) => {
                let outcome = hold(node, peer).await;
                if let Err(problem) = &outcome {
                    tracing::debug!(peer = %peer.alias(), %problem, "holding a connection failed");
                }
                if began.elapsed() > STEADY {
                    pauses = self::pauses();
                }
                pauses.next().unwrap_or(LONGEST_PAUSE)
            }
            Err(problem) if problem.code == Code::PeerRevoked => {
                tracing::debug!(peer = %peer.alias(), "the peer does not know this node");
                // Swapping cards takes a person a moment; after that it is an unpaired peer.
                pauses.next().map_or(REFUSED_PAUSE, |pause| pause * 4)
            }
            Err(problem) => {
                tracing::debug!(peer = %peer.alias(), %problem, "peer not reached");
                pauses.next().unwrap_or(LONGEST_PAUSE)
            }
        };
        tokio::select! {
            () = peer.keeper.notified() => { pauses = self::pauses(); }
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Pings and asks. True where nothing needs to be held.
async fn contact(node: &Node, peer: &Arc<Peer>) -> Result<bool, Problem> {
    node.ping_peer(peer)
        .await
        .map_err(|failure| failure.problem)?;
    if !peer.record().row.token_confirmed
        && let Some(connection) = peer.line.open()
    {
        pairing::confirm_on(node, peer, &connection).await?;
    }
    if let Some(held) = peer.line.open_held()
        && held.side == Side::Answerer
    {
        // The peer holds; whether it could also be dialled it finds out itself.
        return Ok(true);
    }
    let asked = peer.live.lock().asked;
    match asked {
        // No need to wait while the peer tries in vain; it is asked again while this node holds.
        Some((_, false)) => Ok(false),
        Some((when, true)) if when.elapsed() < FRESH => Ok(true),
        _ => Ok(ask(node, peer).await?.ok),
    }
}

async fn hold(node: &Node, peer: &Arc<Peer>) -> Result<(), Problem> {
    let record = peer.record();
    let Some(keys) = &record.keys else {
        return Err(Problem::new(Code::PeerRevoked));
    };
    let tls = ClientTls::new(&node.identity, keys.pin, b"http/1.1")?;
    let dialled = dial(
        &record.row.addresses,
        record.row.last_good_address.as_ref(),
        &tls,
    )
    .await
    .map_err(|error| error.problem)?;
    let held = open_held(dialled, &keys.speaker, &peer.cut, node.clone()).await?;
    peer.line.set_held(Arc::clone(&held));
    peer.lane.notify_one();
    node.events.changed(EventKind::Peers, peer.alias());
    let mut again = tokio::time::interval_at(tokio::time::Instant::now() + FRESH, CHECK * 5);
    loop {
        tokio::select! {
            () = held.closed() => break,
            // Things may have changed so that nothing needs to be held any more.
            _ = again.tick() => {
                if ask(node, peer).await.is_ok_and(|answer| answer.ok) {
                    held.close();
                }
            }
            // The network may have changed, and left a connection that is dead without saying so.
            () = peer.keeper.notified() => {
                if !answers(node, &held, &keys.speaker).await {
                    held.close();
                    // And again without a pause.
                    peer.keeper.notify_one();
                }
            }
        }
    }
    if peer.line.open().is_none() {
        peer.live.lock().online = false;
    }
    node.events.changed(EventKind::Peers, peer.alias());
    Ok(())
}

/// Whether a ping over a held connection is answered in a short time.
async fn answers(node: &Node, held: &HeldConnection, speaker: &Speaker) -> bool {
    let asked = held.exchange(speaker, path::PING, ping_body(node));
    matches!(tokio::time::timeout(PROBE, asked).await, Ok(Ok(_)))
}

fn pauses() -> impl Iterator<Item = Duration> + Send {
    // Full jitter: the growing bound times a random share of it.
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times()
        .build()
        .map(|bound| bound.mul_f64(share()))
}

/// A random share between nothing and all.
fn share() -> f64 {
    let mut bytes = [0_u8; 4];
    match getrandom::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    }
}
