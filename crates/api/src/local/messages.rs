//! Messages, for agents that hold the token.

use axum::extract::State;
use axum::{Extension, Json};
use tieline_node::model::{MessageDetail, MessagePage, MessageView};
use tieline_wire::problem::{Code, Problem};

use super::{Local, LocalError};
use crate::extract::{Params, Segment};
use crate::guard::Admission;
use crate::problem::Failure;
use crate::query::{MessageParams, Whose};

/// List messages, newest first.
///
/// With `wait` the answer comes as soon as a message matches, or empty after that many seconds.
/// An agent's loop: `?direction=in&after=<last seq>&wait=60`, starting at `after=0`.
#[utoipa::path(
    get,
    operation_id = "listMessages",
    path = "/api/a2a/messages",
    tag = "messages",
    params(MessageParams),
    responses(
        (status = 200, description = "A page of messages", body = MessagePage),
        (status = 400, description = "INVALID_REQUEST", body = LocalError),
        (status = 401, description = "UNAUTHORIZED: no token, or not this node's", body = LocalError),
        (status = 404, description = "PEER_NOT_FOUND: `peer` names none", body = LocalError),
    ),
    security(("token" = []))
)]
pub(super) async fn list(
    State(local): State<Local>,
    Extension(admission): Extension<Admission>,
    Params(params): Params<MessageParams>,
) -> Result<Json<MessagePage>, Failure> {
    tokio::select! {
        page = params.answer(&local.node, &local.stop) => Ok(Json(page?)),
        // It may have waited for long, and its token is not taken any more.
        () = admission.ended() => Err(Failure(Problem::new(Code::Unauthorized))),
    }
}

/// One message with every attempt and receipt.
#[utoipa::path(
    get,
    operation_id = "getMessage",
    path = "/api/a2a/messages/{id}",
    tag = "messages",
    params(("id" = String, Path, description = "The message's id")),
    responses(
        (status = 200, description = "The message", body = MessageDetail),
        (status = 401, description = "UNAUTHORIZED", body = LocalError),
        (status = 404, description = "MESSAGE_NOT_FOUND", body = LocalError),
    ),
    security(("token" = []))
)]
pub(super) async fn show(
    State(local): State<Local>,
    Segment(id): Segment,
) -> Result<Json<MessageDetail>, Failure> {
    Ok(Json(local.node.message(&id).await?))
}

/// Acknowledge an incoming message: its sender gets a signed receipt.
#[utoipa::path(
    post,
    operation_id = "acknowledgeMessage",
    path = "/api/a2a/messages/{id}/ack",
    tag = "messages",
    params(("id" = String, Path, description = "The message's id"), Whose),
    responses(
        (status = 200, description = "The message as it stands now", body = MessageView),
        (status = 401, description = "UNAUTHORIZED", body = LocalError),
        (status = 404, description = "MESSAGE_NOT_FOUND or PEER_NOT_FOUND", body = LocalError),
        (status = 409, description = "ID_CONFLICT: several peers used the id; say which with `peer`", body = LocalError),
    ),
    security(("token" = []))
)]
pub(super) async fn acknowledge(
    State(local): State<Local>,
    Segment(id): Segment,
    Params(whose): Params<Whose>,
) -> Result<Json<MessageView>, Failure> {
    Ok(Json(
        local.node.acknowledge(&id, whose.peer.as_deref()).await?,
    ))
}
