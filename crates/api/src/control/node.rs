//! The node itself: status, token, card, comparison, and the order to stop.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use tieline_node::Node;
use tieline_node::model::{CompareView, NodeStatus};
use tieline_wire::problem::{Code, Problem};
use utoipa::{IntoParams, ToSchema};

use super::Control;
use super::caller::Trusted;
use crate::extract::{Input, Params};
use crate::problem::{Failure, ProblemSchema};

/// The node: name, addresses, fingerprint, numbers, and what is wrong now.
#[utoipa::path(
    get,
    operation_id = "getStatus",
    path = "/control/status",
    tag = "node",
    responses((status = 200, body = NodeStatus), (status = "5XX", body = ProblemSchema))
)]
pub(super) async fn status(State(node): State<Node>) -> Result<Json<NodeStatus>, Failure> {
    Ok(Json(node.status().await?))
}

/// The local API's token.
#[derive(Serialize, ToSchema)]
pub(super) struct Token {
    /// To be sent as `Authorization: Bearer <token>`.
    token: String,
}

/// The token that the local API wants for reading, events and acknowledgements.
#[utoipa::path(
    get,
    operation_id = "getToken",
    path = "/control/token",
    tag = "node",
    responses((status = 200, body = Token), (status = 403, body = ProblemSchema))
)]
pub(super) async fn token(_: Trusted, State(node): State<Node>) -> Json<Token> {
    Json(Token {
        token: node.api_token(),
    })
}

/// Replace the local API's token. The old one is refused from now on.
#[utoipa::path(
    post,
    operation_id = "rotateToken",
    path = "/control/token/rotate",
    tag = "node",
    responses(
        (status = 200, body = Token),
        (status = 403, description = "Asked from a browser", body = ProblemSchema),
        (status = "5XX", body = ProblemSchema),
    )
)]
pub(super) async fn rotate_token(
    _: Trusted,
    State(node): State<Node>,
) -> Result<Json<Token>, Failure> {
    Ok(Json(Token {
        token: node.rotate_api_token().await?,
    }))
}

/// In which form the card is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CardParams {
    /// `json` (the default) or `pem`.
    format: Option<String>,
}

/// A node's public data. Holds no secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Card)]
#[serde(rename_all = "camelCase")]
#[allow(
    dead_code,
    reason = "describes `tieline_wire::card::Card` in the OpenAPI document"
)]
pub(super) struct CardSchema {
    /// Always 1.
    version: u32,
    /// What the node calls itself; a suggestion.
    name: String,
    /// Where it can be dialled, `host:port`.
    addresses: Vec<String>,
    /// Its signing key, base64 of the SPKI.
    verify_key: String,
    /// Its TLS certificate, PEM.
    certificate: String,
    /// SHA-256 of the certificate, `SHA256:AA:BB…`.
    fingerprint: String,
    /// What it speaks.
    dialects: Vec<String>,
}

/// This node's card, to be given to another machine.
#[utoipa::path(
    get,
    operation_id = "getCard",
    path = "/control/card",
    tag = "node",
    params(CardParams),
    responses((status = 200, description = "JSON, or text in PEM form", body = CardSchema))
)]
pub(super) async fn card(
    State(node): State<Node>,
    Params(params): Params<CardParams>,
) -> Result<Response, Failure> {
    let card = node.card()?;
    let typed = |kind: &'static str, body: Vec<u8>| ([(CONTENT_TYPE, kind)], body).into_response();
    match params.format.as_deref() {
        None | Some("json") => Ok(typed("application/json", card.to_json())),
        Some("pem") => Ok(typed(
            "text/plain; charset=utf-8",
            card.to_pem().into_bytes(),
        )),
        Some(other) => Err(Failure(
            Problem::new(Code::InvalidRequest)
                .summary(format!("`format` must be json or pem, not {other:?}.")),
        )),
    }
}

/// Something to compare.
#[derive(Deserialize, ToSchema)]
pub(super) struct CompareInput {
    /// A fingerprint in any spelling, its words, a certificate or a card.
    text: String,
    /// What it should be the fingerprint of, in any of these forms.
    expected: Option<String>,
}

/// Whose fingerprint is this, and is it the expected one?
#[utoipa::path(
    post,
    operation_id = "compare",
    path = "/control/compare",
    tag = "node",
    request_body = CompareInput,
    responses((status = 200, body = CompareView), (status = 400, body = ProblemSchema))
)]
pub(super) async fn compare(
    State(node): State<Node>,
    Input(input): Input<CompareInput>,
) -> Result<Json<CompareView>, Failure> {
    Ok(Json(node.compare(&input.text, input.expected.as_deref())?))
}

/// This node's name.
#[derive(Deserialize, ToSchema)]
pub(super) struct NameInput {
    /// What the node shall call itself, any text.
    name: String,
}

/// Call this node something else.
#[utoipa::path(
    post,
    operation_id = "renameNode",
    path = "/control/name",
    tag = "node",
    request_body = NameInput,
    responses((status = 204, description = "Renamed"), (status = 400, body = ProblemSchema))
)]
pub(super) async fn rename(
    State(node): State<Node>,
    Input(input): Input<NameInput>,
) -> Result<StatusCode, Failure> {
    node.set_own_name(&input.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Note that the person has seen the welcome.
#[utoipa::path(
    post,
    operation_id = "setWelcomed",
    path = "/control/welcomed",
    tag = "node",
    responses((status = 204, description = "Noted"), (status = "5XX", body = ProblemSchema))
)]
pub(super) async fn welcomed(State(node): State<Node>) -> Result<StatusCode, Failure> {
    node.set_welcomed().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stop the node, if its host takes that order (`tieline serve` does, the app does not).
#[utoipa::path(
    post,
    operation_id = "shutdown",
    path = "/control/shutdown",
    tag = "node",
    responses((status = 202, description = "It stops"), (status = 404, body = ProblemSchema))
)]
pub(super) async fn shutdown(State(control): State<Control>) -> Result<StatusCode, Failure> {
    match &control.orders.quit {
        Some(quit) => {
            quit.cancel();
            Ok(StatusCode::ACCEPTED)
        }
        None => Err(Failure(
            Problem::new(Code::NotFound).summary("This host does not stop on request."),
        )),
    }
}
