//! Events: what changed, never the change itself; a page fetches what it shows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What kind of thing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum EventKind {
    /// A peer's state, line or settings; ids are peer names.
    Peers,
    /// A message came, went or reached a stage; ids are message ids.
    Messages,
    /// A try was made; ids are message ids.
    Attempts,
    /// An invite was made, used, cancelled or ran out; ids are invite ids.
    Invites,
    /// A secret was added, replaced or deleted; ids are its names.
    Secrets,
    /// A question of a peer waits for the person, or a brake does; ids are ask ids or peer names.
    Asks,
    /// The node's own state.
    Status,
    /// A setting changed; ids are setting names, `preferences` for the person's preferences.
    Settings,
    /// Events were missed: fetch everything again.
    Resync,
}

/// One change, or several of a kind within 100 ms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Rises by one per event for as long as this engine runs.
    pub seq: u64,
    /// What changed.
    pub kind: EventKind,
    /// Which ones; empty means any of the kind.
    pub ids: Vec<String>,
}
