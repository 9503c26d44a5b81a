//! Peers, for agents that hold the token.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tieline_node::model::PeerView;
use utoipa::ToSchema;

use super::{Local, LocalError};
use crate::problem::Failure;

/// Every peer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Peers {
    /// The peers, by name.
    peers: Vec<PeerView>,
}

/// List the peers and how their lines stand.
#[utoipa::path(
    get,
    operation_id = "listPeers",
    path = "/api/a2a/peers",
    tag = "peers",
    responses(
        (status = 200, description = "The peers", body = Peers),
        (status = 401, description = "UNAUTHORIZED", body = LocalError),
    ),
    security(("token" = []))
)]
pub(super) async fn list(State(local): State<Local>) -> Result<Json<Peers>, Failure> {
    Ok(Json(Peers {
        peers: local.node.peers().await?,
    }))
}
