//! Messages.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use tieline_node::Node;
use tieline_node::model::{ConversationView, MessageDetail, MessagePage, MessageView, SendOutcome};

use super::Control;
use crate::extract::{Params, Raw, Segment};
use crate::problem::{Failure, LocalError, ProblemSchema};
use crate::query::{MessageParams, Whose};
use crate::send::{self, SendBody};

/// Send a message: the same body and answers as the local API's `POST /api/a2a/send`.
#[utoipa::path(
    post,
    operation_id = "send",
    path = "/control/send",
    tag = "messages",
    request_body = SendBody,
    responses(
        (status = 200, description = "Delivered", body = SendOutcome),
        (status = 202, description = "Accepted into the outbox, not delivered yet", body = SendOutcome),
        (status = "4XX", description = "Refused", body = LocalError),
        (status = "5XX", description = "Not delivered; see `attempts`", body = LocalError),
    )
)]
pub(super) async fn send(State(node): State<Node>, Raw(body): Raw) -> Response {
    send::answer(&node, &body).await
}

/// List messages, newest first; with `wait`, as soon as there is one.
#[utoipa::path(
    get,
    operation_id = "listMessages",
    path = "/control/messages",
    tag = "messages",
    params(MessageParams),
    responses(
        (status = 200, body = MessagePage),
        (status = 400, body = ProblemSchema),
        (status = 404, description = "`peer` names none", body = ProblemSchema),
    )
)]
pub(super) async fn list(
    State(control): State<Control>,
    Params(params): Params<MessageParams>,
) -> Result<Json<MessagePage>, Failure> {
    Ok(Json(params.answer(&control.node, &control.stop).await?))
}

/// One conversation for each peer: the one with the newest message first.
#[utoipa::path(
    get,
    operation_id = "listConversations",
    path = "/control/conversations",
    tag = "messages",
    responses((status = 200, body = Vec<ConversationView>), (status = "5XX", body = ProblemSchema))
)]
pub(super) async fn conversations(
    State(node): State<Node>,
) -> Result<Json<Vec<ConversationView>>, Failure> {
    Ok(Json(node.conversations().await?))
}

/// One message with every attempt and receipt.
#[utoipa::path(
    get,
    operation_id = "getMessage",
    path = "/control/messages/{id}",
    tag = "messages",
    params(("id" = String, Path, description = "The message's id")),
    responses((status = 200, body = MessageDetail), (status = 404, body = ProblemSchema))
)]
pub(super) async fn show(
    State(node): State<Node>,
    Segment(id): Segment,
) -> Result<Json<MessageDetail>, Failure> {
    Ok(Json(node.message(&id).await?))
}

/// Acknowledge an incoming message: its sender gets a signed receipt.
#[utoipa::path(
    post,
    operation_id = "acknowledgeMessage",
    path = "/control/messages/{id}/ack",
    tag = "messages",
    params(("id" = String, Path, description = "The message's id"), Whose),
    responses(
        (status = 200, body = MessageView),
        (status = 404, body = ProblemSchema),
        (status = 409, description = "ID_CONFLICT: several peers used the id", body = ProblemSchema),
    )
)]
pub(super) async fn acknowledge(
    State(node): State<Node>,
    Segment(id): Segment,
    Params(whose): Params<Whose>,
) -> Result<Json<MessageView>, Failure> {
    Ok(Json(node.acknowledge(&id, whose.peer.as_deref()).await?))
}
