//! The throw-away second node as front ends see it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where the throw-away second node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum TrialState {
    /// There is none.
    Off,
    /// It runs, paired with this node.
    Running,
    /// It was stopped, as if its cable had been pulled; its peer is still here.
    Unplugged,
}

/// The throw-away second node: something to try everything with before there is another machine.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrialView {
    /// Where it stands.
    pub state: TrialState,
    /// Its name among the peers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// Where it listens for peers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// A command for a terminal on this machine that sends it a message as an agent would; absent
    /// while the local API does not listen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}
