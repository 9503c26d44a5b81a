//! Health and status, in the shapes that other agents' tools read.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Local;
use crate::clock;

/// Whether the node works.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// Always `ok`: it answers.
    status: &'static str,
    /// Seconds since it started.
    uptime: f64,
    /// Version of the program.
    version: &'static str,
    /// Time of this answer.
    timestamp: String,
    /// Whether something is wrong; `tieline status` says what.
    degraded: bool,
}

/// Is the node alive?
#[utoipa::path(
    get,
    operation_id = "getHealth",
    path = "/health",
    tag = "health",
    responses((status = 200, description = "It is", body = Health))
)]
pub(super) async fn health(State(local): State<Local>) -> Json<Health> {
    let degraded = match local.node.status().await {
        Ok(status) => !status.problems.is_empty(),
        Err(_) => true,
    };
    Json(Health {
        status: "ok",
        uptime: uptime(&local),
        version: env!("CARGO_PKG_VERSION"),
        timestamp: clock::now(),
        degraded,
    })
}

/// The agent's name and state.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AgentStatus {
    /// What this node calls itself.
    agent: String,
    /// Always `idle`.
    status: &'static str,
    /// Seconds since it started.
    uptime: f64,
}

/// Who is this?
#[utoipa::path(
    get,
    operation_id = "getAgentStatus",
    path = "/agent/status",
    tag = "health",
    responses((status = 200, description = "The node's name", body = AgentStatus))
)]
pub(super) async fn agent_status(State(local): State<Local>) -> Json<AgentStatus> {
    Json(AgentStatus {
        agent: local.node.own_name(),
        status: "idle",
        uptime: uptime(&local),
    })
}

/// The daemon's name and state.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DaemonStatus {
    /// Always `running`.
    daemon: &'static str,
    /// What this node calls itself.
    agent: String,
    /// Seconds since it started.
    uptime: f64,
    /// Time of this answer.
    timestamp: String,
}

/// Is the daemon running, and as whom?
#[utoipa::path(
    get,
    operation_id = "getDaemonStatus",
    path = "/status",
    tag = "health",
    responses((status = 200, description = "It is", body = DaemonStatus))
)]
pub(super) async fn status(State(local): State<Local>) -> Json<DaemonStatus> {
    Json(DaemonStatus {
        daemon: "running",
        agent: local.node.own_name(),
        uptime: uptime(&local),
        timestamp: clock::now(),
    })
}

fn uptime(local: &Local) -> f64 {
    local.started.elapsed().as_secs_f64()
}
