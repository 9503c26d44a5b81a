//! What helps to find out what is wrong, as front ends see it.

use serde::{Deserialize, Serialize};
use tieline_wire::problem::Problem;
use utoipa::ToSchema;

use super::{HostKind, VaultView};
use crate::platform::Platform;

/// Where something of this node listens.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BoundAddress {
    /// `peers` (the peer listener), `api` (the local API), `page` (the page for browsers), `kithkit`
    /// (the listener for KithKit machines) or `control` (the control socket).
    pub what: String,
    /// Address or path; absent where it is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// A bound on what can be done here.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LimitView {
    /// In words.
    pub what: String,
    /// How much.
    pub value: u64,
    /// `bytes`, `seconds`, `days` or `count`.
    pub unit: String,
}

/// The database.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseView {
    /// The file.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Size of its write-ahead log, which is folded into it now and then.
    pub log_bytes: u64,
    /// Messages in it, with those whose content is no longer kept.
    pub messages: u64,
    /// Names it; another one after it was put back from a copy.
    pub store_id: String,
}

/// Tries that failed for one reason.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RecentProblem {
    /// When the last of them began.
    pub at: String,
    /// How many of the last tries they were.
    pub count: u64,
    /// The peer's name here.
    pub peer: String,
    /// Why.
    #[schema(value_type = super::ProblemSchema)]
    pub problem: Problem,
}

/// A line of the log.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// When.
    pub at: String,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// The part of the program.
    pub target: String,
    /// What happened, without anything that looks like a secret.
    pub text: String,
}

/// The node from the inside.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiagnosticsView {
    /// What it calls itself.
    pub name: String,
    /// Version of the program.
    pub version: String,
    /// What hosts it.
    pub host: HostKind,
    /// Process id of the host.
    pub pid: u32,
    /// When it started.
    pub started_at: String,
    /// How long it has run, in milliseconds.
    pub uptime_ms: u64,
    /// What it runs on.
    pub platform: Platform,
    /// The operating system by its own name.
    pub system: String,
    /// The processor's architecture.
    pub architecture: String,
    /// Its home directory.
    pub home: String,
    /// Where it listens.
    pub addresses: Vec<BoundAddress>,
    /// What bounds it.
    pub limits: Vec<LimitView>,
    /// Where secrets are kept.
    pub vault: VaultView,
    /// The database.
    pub database: DatabaseView,
    /// What is wrong now.
    #[schema(value_type = Vec<super::ProblemSchema>)]
    pub problems: Vec<Problem>,
    /// Why the last tries of deliveries failed, the newest first.
    pub recent: Vec<RecentProblem>,
}
