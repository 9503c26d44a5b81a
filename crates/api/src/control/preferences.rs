//! What the person prefers.

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value};
use tieline_node::Node;
use tieline_node::model::Preferences;

use crate::extract::Input;
use crate::problem::{Failure, ProblemSchema};

/// What the person prefers.
#[utoipa::path(
    get,
    operation_id = "getPreferences",
    path = "/control/preferences",
    tag = "node",
    responses((status = 200, body = Preferences))
)]
pub(super) async fn show(State(node): State<Node>) -> Json<Preferences> {
    Json(node.preferences())
}

/// Change preferences by a JSON merge patch (RFC 7396): null puts back what holds by default.
#[utoipa::path(
    patch,
    operation_id = "changePreferences",
    path = "/control/preferences",
    tag = "node",
    request_body(content = Object, description = "Some of the fields of Preferences"),
    responses((status = 200, body = Preferences), (status = "4XX", body = ProblemSchema))
)]
pub(super) async fn change(
    State(node): State<Node>,
    Input(patch): Input<Map<String, Value>>,
) -> Result<Json<Preferences>, Failure> {
    Ok(Json(node.change_preferences(patch).await?))
}
