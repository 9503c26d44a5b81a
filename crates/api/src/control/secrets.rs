//! Secrets: names and ages out, values only in.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use tieline_node::Node;
use tieline_node::model::SecretView;
use utoipa::ToSchema;

use crate::extract::{Confidential, Segment};
use crate::problem::{Failure, ProblemSchema};

/// The secrets that were set, without their values.
#[utoipa::path(
    get,
    operation_id = "listSecrets",
    path = "/control/secrets",
    tag = "secrets",
    responses((status = 200, body = Vec<SecretView>), (status = "5XX", body = ProblemSchema))
)]
pub(super) async fn list(State(node): State<Node>) -> Result<Json<Vec<SecretView>>, Failure> {
    Ok(Json(node.secrets().await?))
}

/// A secret's value.
#[derive(Deserialize, ToSchema)]
pub(super) struct SecretInput {
    /// The value, any text.
    value: String,
}

/// Set or replace a secret.
#[utoipa::path(
    put,
    operation_id = "setSecret",
    path = "/control/secrets/{name}",
    tag = "secrets",
    params(("name" = String, Path, description = "The secret's name")),
    request_body = SecretInput,
    responses((status = 204, description = "Stored"), (status = "5XX", body = ProblemSchema))
)]
pub(super) async fn set(
    State(node): State<Node>,
    Segment(name): Segment,
    Confidential(input): Confidential<SecretInput>,
) -> Result<StatusCode, Failure> {
    node.set_secret(&name, &input.value).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete a secret.
#[utoipa::path(
    delete,
    operation_id = "deleteSecret",
    path = "/control/secrets/{name}",
    tag = "secrets",
    params(("name" = String, Path, description = "The secret's name")),
    responses((status = 204, description = "Deleted"), (status = 404, body = ProblemSchema))
)]
pub(super) async fn delete(
    State(node): State<Node>,
    Segment(name): Segment,
) -> Result<StatusCode, Failure> {
    node.delete_secret(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}
