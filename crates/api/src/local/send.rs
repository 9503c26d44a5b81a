//! `POST /api/a2a/send`.

use axum::extract::State;
use axum::response::Response;
use tieline_node::Node;
use tieline_node::model::SendOutcome;

use super::LocalError;
use crate::extract::Raw;
use crate::send::{self, SendBody};

/// Send a message.
///
/// Exactly one of `to` and `group`, and `payload.type`, are required. Peer names match without
/// case, and a beginning is enough if only one peer has it. `route` `auto` tries the LAN and then
/// the relay; groups always go by relay.
///
/// Additions to the documented fields: `messageId` lets a caller repeat a send without doubling
/// it; `onFailure: "queue"` keeps a message that could not go now in the outbox and answers 202.
/// Text for KithKit peers may have 3,500 UTF-16 units, a payload for Tieline peers 1 MiB.
#[utoipa::path(
    post,
    operation_id = "send",
    path = "/api/a2a/send",
    tag = "send",
    request_body = SendBody,
    responses(
        (status = 200, description = "Delivered", body = SendOutcome),
        (status = 202, description = "Accepted into the outbox, not delivered yet", body = SendOutcome),
        (status = 400, description = "INVALID_REQUEST, INVALID_TARGET or INVALID_ROUTE", body = LocalError),
        (status = 404, description = "PEER_NOT_FOUND or GROUP_NOT_FOUND", body = LocalError),
        (status = 409, description = "ID_CONFLICT: other content was sent under this `messageId`", body = LocalError),
        (status = 413, description = "PAYLOAD_TOO_LARGE, with `actualLength` and `maxLength`", body = LocalError),
        (status = 502, description = "DELIVERY_FAILED: every route failed; see `attempts`", body = LocalError),
        (status = 503, description = "RELAY_UNAVAILABLE or LAN_UNAVAILABLE", body = LocalError),
    )
)]
pub(super) async fn send(State(node): State<Node>, Raw(body): Raw) -> Response {
    send::answer(&node, &body).await
}
