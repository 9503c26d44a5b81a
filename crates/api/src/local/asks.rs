//! Questions to peers, for agents that hold the token.

use axum::extract::State;
use axum::response::Response;
use tieline_node::Node;
use tieline_node::model::AskView;

use super::{Local, LocalError};
use crate::ask::{self, AskBody, AskPart, LookParams};
use crate::extract::{Input, Params, Segment};
use crate::problem::Failure;

/// Ask a peer and wait for its answer.
///
/// The answer is the peer's text and untrusted; where it comes from stands in `provenance`, from
/// this node's own records. A caller that hangs up ends the work on the other side.
#[utoipa::path(
    post,
    operation_id = "ask",
    path = "/api/a2a/ask",
    tag = "ask",
    request_body = AskBody,
    responses(
        (status = 200, description = "Answered, or `failed` with the reason", content(
            (AskView = "application/json"),
            (AskPart = "text/event-stream"),
        )),
        (status = 202, description = "Delivered, no answer yet: fetch it by `askId`", body = AskView),
        (status = 400, description = "INVALID_REQUEST", body = LocalError),
        (status = 401, description = "UNAUTHORIZED", body = LocalError),
        (status = 404, description = "PEER_NOT_FOUND", body = LocalError),
        (status = 429, description = "HOP_LIMIT or BUDGET_SPENT", body = LocalError),
        (status = 502, description = "DELIVERY_FAILED: the question did not arrive", body = LocalError),
    ),
    security(("token" = []))
)]
pub(super) async fn ask(State(local): State<Local>, Input(body): Input<AskBody>) -> Response {
    ask::answer(&local.node, body, local.stop).await
}

/// What has come of a question so far.
#[utoipa::path(
    get,
    operation_id = "getAsk",
    path = "/api/a2a/asks/{id}",
    tag = "ask",
    params(("id" = String, Path, description = "The `askId`"), LookParams),
    responses(
        (status = 200, description = "Answered or failed", body = AskView),
        (status = 202, description = "No answer yet", body = AskView),
        (status = 401, description = "UNAUTHORIZED", body = LocalError),
        (status = 404, description = "MESSAGE_NOT_FOUND", body = LocalError),
    ),
    security(("token" = []))
)]
pub(super) async fn show(
    State(node): State<Node>,
    Segment(id): Segment,
    Params(params): Params<LookParams>,
) -> Result<Response, Failure> {
    Ok(ask::look(&node, &id, &params).await?)
}
