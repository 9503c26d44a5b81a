//! The listener for KithKit machines.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use tieline_node::Node;
use tieline_node::model::{KithkitLan, KithkitLanView};
use utoipa::ToSchema;

use crate::extract::Input;
use crate::problem::{Failure, ProblemSchema};

/// Whether KithKit machines can send to this node, and where.
#[utoipa::path(
    get,
    operation_id = "getKithkitLan",
    path = "/control/kithkit-lan",
    tag = "kithkit",
    responses((status = 200, body = KithkitLanView), (status = "5XX", body = ProblemSchema))
)]
pub(super) async fn show(State(node): State<Node>) -> Result<Json<KithkitLanView>, Failure> {
    Ok(Json(node.kithkit_lan().await?))
}

/// What the listener is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KithkitLanOrder {
    /// Where and how to listen; null switches it off.
    settings: Option<KithkitLan>,
}

/// Switch the listener on, change it, or switch it off. Where it cannot listen, it stays as it was.
#[utoipa::path(
    put,
    operation_id = "setKithkitLan",
    path = "/control/kithkit-lan",
    tag = "kithkit",
    request_body = KithkitLanOrder,
    responses(
        (status = 200, body = KithkitLanView),
        (status = "4XX", body = ProblemSchema),
        (status = "5XX", description = "PORT_IN_USE or PORT_DENIED, for example", body = ProblemSchema),
    )
)]
pub(super) async fn set(
    State(node): State<Node>,
    Input(order): Input<KithkitLanOrder>,
) -> Result<Json<KithkitLanView>, Failure> {
    node.set_kithkit_lan(order.settings).await?;
    Ok(Json(node.kithkit_lan().await?))
}
