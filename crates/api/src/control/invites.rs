//! Invites.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use tieline_node::Node;
use tieline_node::model::InviteView;
use utoipa::ToSchema;

use crate::extract::{Input, Segment};
use crate::problem::{Failure, ProblemSchema};

/// How long an invite shall be valid.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct InviteInput {
    /// Seconds; ten minutes otherwise.
    ttl_seconds: Option<u64>,
}

/// The invites of this run, newest first.
#[utoipa::path(
    get,
    operation_id = "listInvites",
    path = "/control/invites",
    tag = "pairing",
    responses((status = 200, body = Vec<InviteView>))
)]
pub(super) async fn list(State(node): State<Node>) -> Json<Vec<InviteView>> {
    Json(node.invites())
}

/// Make an invite. Its link is a bearer capability: whoever holds it can join.
#[utoipa::path(
    post,
    operation_id = "createInvite",
    path = "/control/invites",
    tag = "pairing",
    request_body = InviteInput,
    responses((status = 200, body = InviteView), (status = 400, body = ProblemSchema))
)]
pub(super) async fn create(
    State(node): State<Node>,
    Input(input): Input<InviteInput>,
) -> Result<Json<InviteView>, Failure> {
    Ok(Json(
        node.create_invite(input.ttl_seconds.map(Duration::from_secs))
            .await?,
    ))
}

/// Take an invite back.
#[utoipa::path(
    delete,
    operation_id = "cancelInvite",
    path = "/control/invites/{id}",
    tag = "pairing",
    params(("id" = String, Path, description = "The invite's id")),
    responses((status = 204, description = "Nobody can join with it any more"), (status = 404, body = ProblemSchema))
)]
pub(super) async fn cancel(
    State(node): State<Node>,
    Segment(id): Segment,
) -> Result<StatusCode, Failure> {
    node.cancel_invite(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
