//! From stored rows and live state to what front ends see.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use tieline_store::attempts::{Attempt, AttemptStatus};
use tieline_store::messages::{
    self, Assurance, Counts as Open, Direction, Evidence, MessageRow, State,
};
use tieline_store::peers::{PeerId, PeerState};
use tieline_store::receipts::ReceiptRow;
use tieline_wire::certificate::Certificate;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::Receipt;
use tieline_wire::time::UnixMillis;

use crate::clock::wall_now;
use crate::dialect::{self, abtars::Contact};
use crate::exchange::problem_sentence;
use crate::line::Connection;
use crate::model::{
    AttemptView, LineView, MessageView, PeerStateView, PeerView, PhaseTimings, ReceiptView,
    SendFailure, Via,
};
use crate::node::Node;
use crate::peers::Peer;

impl SendFailure {
    /// A failure before anything was accepted.
    #[must_use]
    pub fn early(problem: Problem) -> Self {
        Self {
            problem,
            attempts: None,
            message_id: None,
            status: None,
        }
    }
}

impl AttemptView {
    /// A route that could not even be tried.
    #[must_use]
    pub fn untried(route: &str, problem: &Problem) -> Self {
        Self {
            route: route.to_owned(),
            status: "failed".into(),
            latency_ms: 0.0,
            error: Some(problem_sentence(problem)),
            relay_status: None,
            ordinal: None,
            via: None,
            address: None,
            phase: problem.phase.map(|phase| phase.to_string()),
            code: Some(problem.code.to_string()),
            problem: Some(problem.clone()),
            started_at: Some(wall_now().to_string()),
            timings: None,
        }
    }
}

impl Node {
    /// Open messages per peer.
    pub(crate) async fn open_counts(&self) -> HashMap<PeerId, Open> {
        let counted = self.store.read(messages::counts).await;
        counted.unwrap_or_default().into_iter().collect()
    }

    /// A peer as front ends see it.
    pub(crate) fn peer_view(&self, peer: &Arc<Peer>, open: &HashMap<PeerId, Open>) -> PeerView {
        let record = peer.record();
        let row = &record.row;
        let live = peer.live.lock().clone();
        let certificate = row
            .certificate
            .as_deref()
            .and_then(|der| Certificate::from_der(der).ok());
        let fingerprint = certificate.map(|certificate| certificate.fingerprint());
        let counts = open.get(&peer.id).copied().unwrap_or_default();
        let stored_problem = row
            .last_error
            .clone()
            .and_then(|value| serde_json::from_value(value).ok());
        let problem: Option<Problem> = live.problem.clone().or(stored_problem);
        let new_key = problem
            .as_ref()
            .is_some_and(|problem| problem.code == Code::PinMismatch);
        let via = peer.line.open().as_ref().map(Connection::via);
        let keys = record.keys.as_ref();
        PeerView {
            name: row.alias.clone(),
            suggested_name: row
                .suggested_name
                .clone()
                .unwrap_or_else(|| row.alias.clone()),
            dialect: row.dialect.to_string(),
            badge: dialect::badge(&record).to_owned(),
            assurance: dialect::assurance(&record),
            state: match row.state {
                _ if new_key => PeerStateView::NewKey,
                PeerState::Joined => PeerStateView::Joined,
                PeerState::Kept => PeerStateView::Kept,
                PeerState::NewKey => PeerStateView::NewKey,
                PeerState::Revoked => PeerStateView::Revoked,
            },
            key_id: keys.map(|keys| keys.key_id.to_string()),
            pin: keys.map(|keys| keys.pin.to_string()),
            fingerprint: fingerprint.map(|fingerprint| fingerprint.to_string()),
            fingerprint_groups: fingerprint.map(|fingerprint| fingerprint.groups().to_vec()),
            words: fingerprint.map(|fingerprint| {
                fingerprint
                    .words()
                    .iter()
                    .map(|word| (*word).to_owned())
                    .collect()
            }),
            addresses: row.addresses.iter().map(ToString::to_string).collect(),
            paired_by: row.paired_by.to_string(),
            paired_at: row.paired_at.to_string(),
            line: LineView {
                out: live.dial_out,
                r#in: live.dial_in,
            },
            via,
            online: live.online || via == Some(Via::Held),
            latency_ms: live.latency_ms,
            clock_offset_ms: row.clock_offset_ms,
            last_seen_at: match live.seen {
                Some(seen) => {
                    let ago = i64::try_from(seen.elapsed().as_millis()).unwrap_or(0);
                    Some(UnixMillis(wall_now().0.saturating_sub(ago)).to_string())
                }
                None => row.last_seen_at.map(|at| at.to_string()),
            },
            asleep_since: live.asleep.map(|at| at.to_string()),
            last_problem: problem,
            queued: unsigned(counts.queued),
            unconfirmed: unsigned(counts.unconfirmed),
            unread: unsigned(counts.unread),
            trial: crate::trial::is_trial(row),
            muted: row.muted_until.is_some_and(|until| until > wall_now()),
            abtars: record.contact.as_ref().map(Contact::view),
        }
    }

    /// A message as front ends see it. `names` are those of peers that are gone.
    pub(crate) fn message_view(
        &self,
        row: MessageRow,
        names: &HashMap<PeerId, String>,
    ) -> MessageView {
        let peer = match self.peers.by_id(row.peer) {
            Some(peer) => peer.alias(),
            None => names
                .get(&row.peer)
                .cloned()
                .unwrap_or_else(|| "(removed)".into()),
        };
        let payload: Option<Value> = row
            .content
            .as_ref()
            .and_then(|content| content.payload.as_deref())
            .and_then(|json| serde_json::from_str(json).ok());
        // Lists show the beginning of a long text; the whole one is in the payload.
        let whole = payload
            .as_ref()
            .and_then(|payload| payload.get("text"))
            .and_then(Value::as_str);
        let text = whole.map(str::to_owned).or_else(|| {
            row.content
                .as_ref()
                .map(|content| content.text.clone())
                .filter(|text| !text.is_empty())
        });
        let outgoing = row.direction == Direction::Out;
        MessageView {
            seq: row.seq,
            message_id: row.message_id.as_str().to_owned(),
            direction: row.direction.to_string(),
            peer,
            r#type: row.kind,
            text,
            payload,
            sent_at: row.sent_at.to_string(),
            created_at: row.created_at.to_string(),
            state: row.state.to_string(),
            evidence: (outgoing && row.evidence != Evidence::None)
                .then(|| row.evidence.to_string()),
            assurance: (!outgoing).then(|| assurance(row.assurance).to_owned()),
            problem: row
                .problem
                .and_then(|value| serde_json::from_value(value).ok()),
            bytes: unsigned(row.payload_bytes),
            expires_at: row
                .expires_elapsed_ms
                .filter(|_| matches!(row.state, State::Queued | State::Sending))
                .map(|expires| {
                    let left = expires.saturating_sub(self.clock.now());
                    UnixMillis(wall_now().0.saturating_add(left)).to_string()
                }),
            finished_at: row.finished_at.map(|at| at.to_string()),
            read_at: row.read_at.map(|at| at.to_string()),
            handed_over_at: row.handed_over_at.map(|at| at.to_string()),
            acknowledged_at: row.acknowledged_at.map(|at| at.to_string()),
        }
    }
}

/// How surely a message is from the peer that it names.
const fn assurance(assurance: Assurance) -> &'static str {
    match assurance {
        Assurance::Unauthenticated => "unauthenticated",
        Assurance::SharedSecret => "sharedSecret",
        Assurance::Signed => "signed",
    }
}

/// All attempts of a message as front ends see them.
#[must_use]
pub(crate) fn attempts(all: Vec<Attempt>) -> Vec<AttemptView> {
    let numbered = (1..).zip(all);
    numbered
        .map(|(ordinal, one)| attempt(ordinal, one))
        .collect()
}

/// A stored attempt as front ends see it; `ordinal` counts from one.
#[must_use]
pub(crate) fn attempt(ordinal: i64, attempt: Attempt) -> AttemptView {
    let problem: Option<Problem> = attempt
        .detail
        .and_then(|value| serde_json::from_value(value).ok());
    let millis = |micros: Option<i64>| micros.map(|micros| (micros as f64) / 1000.0);
    AttemptView {
        route: attempt.route,
        status: match attempt.status {
            AttemptStatus::Success => "success".into(),
            AttemptStatus::Failed | AttemptStatus::Unknown => "failed".into(),
        },
        latency_ms: millis(attempt.latency_us).unwrap_or_default(),
        error: problem.as_ref().map(problem_sentence),
        relay_status: None,
        ordinal: Some(ordinal),
        via: attempt.via.map(|via| {
            if via == "held" {
                Via::Held
            } else {
                Via::Direct
            }
        }),
        address: attempt.address,
        phase: attempt.phase,
        code: attempt.code,
        problem,
        started_at: Some(attempt.started_at.to_string()),
        timings: Some(PhaseTimings {
            connect_ms: millis(attempt.connect_us),
            tls_ms: millis(attempt.tls_us),
            auth_ms: millis(attempt.auth_us),
            store_ms: millis(attempt.store_us),
        }),
    }
}

/// A stored receipt as front ends see it; `None` where the dialect has none.
#[must_use]
pub(crate) fn receipt(row: &ReceiptRow) -> Option<ReceiptView> {
    let receipt: Receipt = serde_json::from_slice(row.receipt.as_deref()?).ok()?;
    Some(ReceiptView {
        stage: row.stage.as_str().to_owned(),
        at: row.at.to_string(),
        store_id: receipt.store_id.to_string(),
        signature: serde_json::json!(receipt.signature)
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    })
}

pub(crate) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
