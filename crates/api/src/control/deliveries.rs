//! Outgoing messages with their way, and what a person orders about them.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use tieline_node::Node;
use tieline_node::model::{DeliveryPage, DeliveryQuery, MessageView, SendOutcome};
use utoipa::IntoParams;

use crate::extract::{Params, Segment};
use crate::problem::{Failure, LocalError, ProblemSchema};

/// Which outgoing messages to list; all given conditions must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DeliveryParams {
    /// Peer name.
    peer: Option<String>,
    /// `queued` (with those being sent), `sending`, `delivered`, `failed` or `unconfirmed`.
    state: Option<String>,
    /// `direct`, `held` or `relay`: tried that way at least once.
    over: Option<String>,
    /// `signed`, `claimed` or `none`: delivered, and resting on that.
    evidence: Option<String>,
    /// Only those before this `seq`.
    before: Option<i64>,
    /// At most this many, 1 to 100; 30 otherwise.
    limit: Option<u32>,
}

/// Outgoing messages with their last tries and their receipts, newest first.
#[utoipa::path(
    get,
    operation_id = "listDeliveries",
    path = "/control/deliveries",
    tag = "messages",
    params(DeliveryParams),
    responses(
        (status = 200, body = DeliveryPage),
        (status = 400, body = ProblemSchema),
        (status = 404, description = "`peer` names none", body = ProblemSchema),
    )
)]
pub(super) async fn list(
    State(node): State<Node>,
    Params(params): Params<DeliveryParams>,
) -> Result<Json<DeliveryPage>, Failure> {
    let query = DeliveryQuery {
        peer: params.peer,
        state: params.state,
        over: params.over,
        evidence: params.evidence,
        before: params.before,
        limit: params.limit,
    };
    Ok(Json(node.deliveries(query).await?))
}

/// Try a queued message now, or ask now what became of an unconfirmed one. Never doubles it.
#[utoipa::path(
    post,
    operation_id = "tryMessageNow",
    path = "/control/messages/{id}/try",
    tag = "messages",
    params(("id" = String, Path, description = "The message's id")),
    responses(
        (status = 202, description = "It is tried; the events tell what came of it"),
        (status = 404, body = ProblemSchema),
        (status = 409, description = "TOO_LATE: it does not wait", body = ProblemSchema),
    )
)]
pub(super) async fn try_now(
    State(node): State<Node>,
    Segment(id): Segment,
) -> Result<StatusCode, Failure> {
    node.try_now(&id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Take a queued message out of the outbox for good.
#[utoipa::path(
    post,
    operation_id = "cancelMessage",
    path = "/control/messages/{id}/cancel",
    tag = "messages",
    params(("id" = String, Path, description = "The message's id")),
    responses(
        (status = 200, description = "`failed`, or `unconfirmed` where a copy may have arrived", body = MessageView),
        (status = 404, body = ProblemSchema),
        (status = 409, description = "TOO_LATE: it is not in the queue", body = ProblemSchema),
    )
)]
pub(super) async fn cancel(
    State(node): State<Node>,
    Segment(id): Segment,
) -> Result<Json<MessageView>, Failure> {
    Ok(Json(node.cancel(&id).await?))
}

/// Send the content of a failed message again, as a new message.
#[utoipa::path(
    post,
    operation_id = "sendMessageAgain",
    path = "/control/messages/{id}/again",
    tag = "messages",
    params(("id" = String, Path, description = "The message's id")),
    responses(
        (status = 200, description = "Delivered, or waiting in the outbox", body = SendOutcome),
        (status = "4XX", description = "TOO_LATE: only what failed is sent again", body = LocalError),
        (status = "5XX", description = "Not delivered; see `attempts`", body = LocalError),
    )
)]
pub(super) async fn again(State(node): State<Node>, Segment(id): Segment) -> Response {
    match node.send_again(&id).await {
        Ok(outcome) => Json(outcome).into_response(),
        Err(failure) => LocalError::from(failure).into_response(),
    }
}
