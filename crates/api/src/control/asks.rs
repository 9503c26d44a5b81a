//! Questions: to peers, from peers to the person, what answers, and the brakes.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use tieline_node::Node;
use tieline_node::model::{AskView, BrakeView, PendingAsk, Responder};
use utoipa::{IntoParams, ToSchema};

use super::Control;
use super::caller::Caller;
use crate::ask::{self, AskBody, AskPart, LookParams};
use crate::extract::{Input, Params, Segment};
use crate::problem::{Failure, LocalError, ProblemSchema};

/// Ask a peer: the same body and answers as the local API's `POST /api/a2a/ask`.
#[utoipa::path(
    post,
    operation_id = "ask",
    path = "/control/ask",
    tag = "asks",
    request_body = AskBody,
    responses(
        (status = 200, content(
            (AskView = "application/json"),
            (AskPart = "text/event-stream"),
        )),
        (status = 202, description = "No answer yet", body = AskView),
        (status = "4XX", body = LocalError),
        (status = "5XX", body = LocalError),
    )
)]
pub(super) async fn ask(State(control): State<Control>, Input(body): Input<AskBody>) -> Response {
    ask::answer(&control.node, body, control.stop).await
}

/// What has come of a question so far.
#[utoipa::path(
    get,
    operation_id = "getAsk",
    path = "/control/asks/{id}",
    tag = "asks",
    params(("id" = String, Path, description = "The `askId`"), LookParams),
    responses((status = 200, body = AskView), (status = 202, body = AskView), (status = 404, body = ProblemSchema))
)]
pub(super) async fn show(
    State(node): State<Node>,
    Segment(id): Segment,
    Params(params): Params<LookParams>,
) -> Result<Response, Failure> {
    Ok(ask::look(&node, &id, &params).await?)
}

/// Peers' questions that wait for the person, the oldest first.
#[utoipa::path(
    get,
    operation_id = "listPendingAsks",
    path = "/control/asks",
    tag = "asks",
    responses((status = 200, body = Vec<PendingAsk>))
)]
pub(super) async fn pending(State(node): State<Node>) -> Json<Vec<PendingAsk>> {
    Json(node.pending_asks())
}

/// The person's reply.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply {
    /// The answer; left out to decline.
    text: Option<String>,
}

/// Answer a peer's question, or decline.
#[utoipa::path(
    post,
    operation_id = "replyToAsk",
    path = "/control/asks/{id}/reply",
    tag = "asks",
    params(("id" = String, Path, description = "The `askId`")),
    request_body = Reply,
    responses((status = 204, description = "On its way"), (status = 404, body = ProblemSchema))
)]
pub(super) async fn reply(
    State(node): State<Node>,
    Segment(id): Segment,
    Input(reply): Input<Reply>,
) -> Result<StatusCode, Failure> {
    node.answer_ask(&id, reply.text)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whose responder is meant.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// A peer's name; the default for all peers without one of their own otherwise.
    peer: Option<String>,
}

/// What answers a peer's questions.
#[utoipa::path(
    get,
    operation_id = "getResponder",
    path = "/control/responder",
    tag = "asks",
    params(Whose),
    responses((status = 200, body = Responder), (status = 404, body = ProblemSchema))
)]
pub(super) async fn responder(
    State(node): State<Node>,
    Params(whose): Params<Whose>,
) -> Result<Json<Responder>, Failure> {
    Ok(Json(node.responder(whose.peer.as_deref()).await?))
}

/// Choose what answers a peer's questions.
#[utoipa::path(
    put,
    operation_id = "setResponder",
    path = "/control/responder",
    tag = "asks",
    params(Whose),
    request_body = Responder,
    responses(
        (status = 204, description = "Chosen"),
        (status = 400, body = ProblemSchema),
        (status = 403, description = "A command or an endpoint, from a browser", body = ProblemSchema),
        (status = 404, body = ProblemSchema),
    )
)]
pub(super) async fn set_responder(
    State(node): State<Node>,
    caller: Caller,
    Params(whose): Params<Whose>,
    Input(responder): Input<Responder>,
) -> Result<StatusCode, Failure> {
    if matches!(
        responder,
        Responder::Command { .. } | Responder::Endpoint { .. }
    ) {
        caller.must_be_trusted()?;
    }
    node.set_responder(whose.peer.as_deref(), responder).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How many questions went back and forth within the hour, and how many messages to agents here.
#[utoipa::path(
    get,
    operation_id = "listBrakes",
    path = "/control/brakes",
    tag = "asks",
    responses((status = 200, body = Vec<BrakeView>))
)]
pub(super) async fn brakes(State(node): State<Node>) -> Json<Vec<BrakeView>> {
    Json(node.brakes())
}

/// The person's word at a brake.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BrakeOrder {
    /// The peer's name.
    peer: String,
    /// `asksIn`, `asksOut` or `handovers`.
    kind: String,
    /// True allows ten more; false stops them.
    allow: bool,
}

/// Allow ten more within the hour, or stop them.
#[utoipa::path(
    post,
    operation_id = "setBrake",
    path = "/control/brakes",
    tag = "asks",
    request_body = BrakeOrder,
    responses((status = 204, description = "Done"), (status = "4XX", body = ProblemSchema))
)]
pub(super) async fn set_brake(
    State(node): State<Node>,
    Input(order): Input<BrakeOrder>,
) -> Result<StatusCode, Failure> {
    node.set_brake(&order.peer, &order.kind, order.allow)?;
    Ok(StatusCode::NO_CONTENT)
}
