//! Dialling back: whether this node can dial a peer, at its asking, and the other way round.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tieline_wire::address::Address;
use tieline_wire::problem::{Code, Problem};

use crate::clock::{Instant, millis, wall_now};
use crate::exchange::exchange_open;
use crate::line::{dial, retold_dial};
use crate::model::{Direction, DirectionState, EventKind};
use crate::node::Node;
use crate::peers::Peer;
use crate::protocol::{ReachAnswer, path};
use crate::tls::ClientTls;

/// Time between two dials back for one peer.
const DIAL_BACK_PAUSE: Duration = Duration::from_millis(500);
/// Most dials back for one peer in a window.
const MOST_DIAL_BACKS: u32 = 30;
const DIAL_BACK_WINDOW: Duration = Duration::from_secs(60);

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
