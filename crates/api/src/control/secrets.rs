//! Secrets: names and ages; a value only on an order of its own.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use tieline_node::Node;
use tieline_node::model::SecretView;
use utoipa::ToSchema;

use super::caller::Trusted;
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

/// A secret's value, for the person who asked to see it. Not printable, so that no log can hold it.
#[derive(Serialize, ToSchema)]
#[schema(as = RevealedSecret)]
pub(super) struct Revealed<'a> {
    /// The value.
    value: &'a str,
}

/// The value of a secret. Not a GET, so that nothing on the way keeps it or asks for it ahead.
#[utoipa::path(
    post,
    operation_id = "revealSecret",
    path = "/control/secrets/{name}/reveal",
    tag = "secrets",
    params(("name" = String, Path, description = "The secret's name")),
    responses(
        (status = 200, body = Revealed<'_>),
        (status = 403, description = "Asked from a browser", body = ProblemSchema),
        (status = 404, body = ProblemSchema),
    )
)]
pub(super) async fn reveal(
    _: Trusted,
    State(node): State<Node>,
    Segment(name): Segment,
) -> Result<Response, Failure> {
    let value = node.reveal_secret(&name).await?;
    let uncached = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((uncached, Json(Revealed { value: &value })).into_response())
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
