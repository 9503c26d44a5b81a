//! `/api/network`: what KithKit's tools ask about the relay. There is none here yet.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use tieline_node::Node;
use utoipa::ToSchema;

use super::deprecated::refusal;
use crate::problem::Failure;

/// A peer, as KithKit's tools read it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NetworkPeer {
    /// Its name.
    peer: String,
    /// Whether the last exchange worked.
    online: bool,
    /// When it last said anything; null if it never did.
    last_seen: Option<String>,
    /// `lan`, or `unknown` while it is offline.
    route: &'static str,
}

/// The peers and whether they answer.
#[utoipa::path(
    get,
    operation_id = "listNetworkPeers",
    path = "/api/network/peers",
    tag = "network",
    responses((status = 200, description = "The peers", body = Vec<NetworkPeer>))
)]
pub(super) async fn peers(State(node): State<Node>) -> Result<Json<Vec<NetworkPeer>>, Failure> {
    let peers = node.peers().await?;
    let peer = |peer: tieline_node::model::PeerView| NetworkPeer {
        peer: peer.name,
        online: peer.online,
        last_seen: peer.last_seen_at,
        route: if peer.online { "lan" } else { "unknown" },
    };
    Ok(Json(peers.into_iter().map(peer).collect()))
}

/// The relays that are set up.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NetworkStatus {
    /// Whether a relay is in use: never, in this version.
    initialized: bool,
    /// The relays' communities: none, in this version.
    #[schema(value_type = Vec<Object>)]
    communities: [(); 0],
}

/// Is a relay in use?
#[utoipa::path(
    get,
    operation_id = "getNetworkStatus",
    path = "/api/network/status",
    tag = "network",
    responses((status = 200, description = "The relays", body = NetworkStatus))
)]
pub(super) async fn status() -> Json<NetworkStatus> {
    Json(NetworkStatus {
        initialized: false,
        communities: [],
    })
}

/// Everything else asks a relay.
pub(super) async fn absent() -> Response {
    not_initialised()
}

/// The documented answer without a relay.
pub(super) fn not_initialised() -> Response {
    refusal(
        StatusCode::SERVICE_UNAVAILABLE,
        "Network SDK not initialized",
    )
}
