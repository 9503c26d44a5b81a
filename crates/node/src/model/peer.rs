//! Peers as front ends see them.

use serde::{Deserialize, Serialize};
use tieline_wire::problem::Problem;
use utoipa::ToSchema;

/// Where a peer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum PeerStateView {
    /// Joined by link and not yet kept: may ping and write to the person's inbox, nothing else.
    Joined,
    /// Paired for good.
    Kept,
    /// Shows another key than the one paired: needs a fresh invite or comparison.
    NewKey,
    /// Unpaired.
    Revoked,
}

/// How the line to a peer runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Via {
    /// Dialled for this purpose.
    Direct,
    /// Over the connection that the side behind NAT keeps open.
    Held,
}

/// Whether one direction works, from the last real exchange.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum DirectionState {
    /// The last try worked.
    Ok,
    /// The last try failed.
    Failed,
    /// Nothing was tried yet.
    #[default]
    Unknown,
}

/// One direction of the line.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Direction {
    /// Whether it works.
    pub state: DirectionState,
    /// When that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<String>,
    /// Round trip in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// The address used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<super::ProblemSchema>)]
    pub problem: Option<Problem>,
}

/// Both directions of the line to a peer, each measured.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct LineView {
    /// Whether this node can dial the peer.
    pub out: Direction,
    /// Whether the peer can dial this node, in the peer's words.
    pub r#in: Direction,
}

/// A peer.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeerView {
    /// Its name here.
    pub name: String,
    /// What it calls itself.
    pub suggested_name: String,
    /// `tieline`, `kithkit` or `abtars`.
    pub dialect: String,
    /// What is spoken with it, in a few words for a badge.
    pub badge: String,
    /// What protects what goes back and forth, and what does not, in a sentence or two.
    pub assurance: String,
    /// Where it stands.
    pub state: PeerStateView,
    /// Id of its signing key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Id of its TLS key, the pin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// SHA-256 of its certificate, `SHA256:AA:BB…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The fingerprint as sixteen groups of four hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint_groups: Option<Vec<String>>,
    /// The fingerprint as 24 words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<Vec<String>>,
    /// Where it can be dialled, `host:port`.
    pub addresses: Vec<String>,
    /// How it was paired: `link`, `swap` or `config`.
    pub paired_by: String,
    /// When it was paired.
    pub paired_at: String,
    /// Both directions.
    pub line: LineView,
    /// How traffic runs now, if it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
    /// Whether the last exchange worked.
    pub online: bool,
    /// Last round trip in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Its clock minus ours, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset_ms: Option<i64>,
    /// When it last said anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<String>,
    /// Since when it is stopped, where it said so before it stopped: it comes back by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asleep_since: Option<String>,
    /// What went wrong last, if the last exchange failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<super::ProblemSchema>)]
    pub last_problem: Option<Problem>,
    /// Messages waiting in the outbox.
    pub queued: u64,
    /// Messages whose delivery is not known yet.
    pub unconfirmed: u64,
    /// Incoming messages not yet read.
    pub unread: u64,
    /// Whether its notifications are muted.
    pub muted: bool,
    /// Whether it is the throw-away second node of a trial.
    pub trial: bool,
    /// What is particular to an abTARS peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abtars: Option<super::AbtarsPeerView>,
}
