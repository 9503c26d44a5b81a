//! The node itself as front ends see it.

use serde::{Deserialize, Serialize};
use tieline_wire::problem::Problem;
use utoipa::ToSchema;

use crate::platform::Platform;

/// What hosts the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HostKind {
    /// The tray app.
    App,
    /// `tieline serve`.
    Serve,
}

/// Where secrets are kept.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct VaultView {
    /// `keychain` or `file`.
    pub kind: String,
    /// In words, honest about what protects it.
    pub description: String,
}

/// Numbers for the tray and the sidebar.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Peers that are paired; the second node of a trial does not count.
    pub peers: u64,
    /// Messages waiting in the outbox.
    pub queued: u64,
    /// Messages whose delivery is not known yet.
    pub unconfirmed: u64,
    /// Incoming messages not yet read.
    pub unread: u64,
}

/// The node.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NodeStatus {
    /// What this node calls itself.
    pub name: String,
    /// Its home directory.
    pub home: String,
    /// Version of the program.
    pub version: String,
    /// Process id of the host.
    pub pid: u32,
    /// What hosts it.
    pub host: HostKind,
    /// What it runs on.
    pub platform: Platform,
    /// When it started.
    pub started_at: String,
    /// How long it has run, in milliseconds.
    pub uptime_ms: u64,
    /// Address of the peer listener as bound.
    pub peer_addr: String,
    /// Address of the local API as bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_addr: Option<String>,
    /// Where secrets are kept.
    pub vault: VaultView,
    /// Id of the signing key.
    pub key_id: String,
    /// Id of the TLS key, which peers pin.
    pub pin: String,
    /// SHA-256 of the certificate, `SHA256:AA:BB…`.
    pub fingerprint: String,
    /// As sixteen groups of four hex digits.
    pub fingerprint_groups: Vec<String>,
    /// As 24 words.
    pub words: Vec<String>,
    /// Names this node's database.
    pub store_id: String,
    /// Numbers.
    pub counts: Counts,
    /// Whether the person has seen the welcome.
    pub welcomed: bool,
    /// What is wrong now.
    #[schema(value_type = Vec<super::ProblemSchema>)]
    pub problems: Vec<Problem>,
}

/// A secret's name and age, never its value.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretView {
    /// Its name.
    pub name: String,
    /// Where it is kept: `keychain` or `file`.
    pub backend: String,
    /// When it was first stored.
    pub created_at: String,
    /// When it was last replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<String>,
}

/// What waits when the node stops.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct ShutdownReport {
    /// Messages in the outbox; sent when the node runs again.
    pub queued: u64,
    /// Messages whose delivery is not known yet.
    pub unconfirmed: u64,
}
