//! *Try it here*: a throw-away second node, paired in one click.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use tieline_node::Node;
use tieline_node::model::TrialView;

use crate::problem::{Failure, ProblemSchema};

/// How the trial stands.
#[utoipa::path(
    get,
    operation_id = "getTrial",
    path = "/control/trial",
    tag = "trial",
    responses((status = 200, body = TrialView))
)]
pub(super) async fn show(State(node): State<Node>) -> Json<TrialView> {
    Json(node.trial().await)
}

/// Start a second node on this machine and pair the two. One that is there already stays.
#[utoipa::path(
    post,
    operation_id = "startTrial",
    path = "/control/trial",
    tag = "trial",
    responses((status = 200, body = TrialView), (status = "5XX", body = ProblemSchema))
)]
pub(super) async fn start(State(node): State<Node>) -> Result<Json<TrialView>, Failure> {
    Ok(Json(node.start_trial().await?))
}

/// Stop the second node, as if its cable had been pulled.
#[utoipa::path(
    post,
    operation_id = "unplugTrial",
    path = "/control/trial/unplug",
    tag = "trial",
    responses((status = 200, body = TrialView), (status = 400, body = ProblemSchema))
)]
pub(super) async fn unplug(State(node): State<Node>) -> Result<Json<TrialView>, Failure> {
    Ok(Json(node.unplug_trial().await?))
}

/// Start it again where it was.
#[utoipa::path(
    post,
    operation_id = "plugTrial",
    path = "/control/trial/plug",
    tag = "trial",
    responses((status = 200, body = TrialView), (status = 400, body = ProblemSchema))
)]
pub(super) async fn plug(State(node): State<Node>) -> Result<Json<TrialView>, Failure> {
    Ok(Json(node.plug_trial().await?))
}

/// End the trial: unpairs, and removes the second node with its home and messages.
#[utoipa::path(
    delete,
    operation_id = "endTrial",
    path = "/control/trial",
    tag = "trial",
    responses((status = 204, description = "Nothing is left of it"), (status = "5XX", body = ProblemSchema))
)]
pub(super) async fn end(State(node): State<Node>) -> Result<StatusCode, Failure> {
    node.end_trial().await?;
    Ok(StatusCode::NO_CONTENT)
}
