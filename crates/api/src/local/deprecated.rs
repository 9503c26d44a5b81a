//! Send routes of older KithKit daemons. Each is the documented send in another dress.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::LINK;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use tieline_node::Node;
use tieline_node::model::SendOutcome;
use tieline_wire::problem::Code;

use super::LocalError;
use crate::extract::{Raw, Segment};
use crate::problem::status;
use crate::{clock, send};

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");

/// Layer: says that a route is deprecated, and which one to use.
pub(super) async fn mark(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(DEPRECATION, HeaderValue::from_static("true"));
    headers.insert(
        LINK,
        HeaderValue::from_static("</api/a2a/send>; rel=\"successor-version\""),
    );
    response
}

/// Send a message, as daemons did it before `/api/a2a/send`.
///
/// `{"peer", "type", "text"}`; every other field goes along in the payload.
#[utoipa::path(
    post,
    operation_id = "agentSend",
    path = "/agent/send",
    tag = "deprecated",
    request_body = Object,
    responses(
        (status = 200, description = "`{ok: true, queued}`", body = Object),
        (status = 400, description = "`{error}`", body = Object),
        (status = 502, description = "`{ok: false, queued: false, error}`", body = Object),
    )
)]
#[deprecated]
pub(super) async fn agent_send(State(node): State<Node>, Raw(body): Raw) -> Response {
    let bad = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": error})));
    let Some(mut payload) = object(&body) else {
        return bad("Invalid request").into_response();
    };
    // An older form called it `to`.
    let peer = payload.remove("peer").or_else(|| payload.remove("to"));
    let is_given = |value: Option<&Value>| {
        value
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty())
    };
    if !is_given(peer.as_ref()) || !is_given(payload.get("type")) {
        return bad("peer and type are required").into_response();
    }
    payload.entry("text").or_insert_with(|| "".into());
    let request = fields(json!({"to": peer, "payload": payload}));
    match send::deliver(&node, request).await {
        Ok(sent) => Json(json!({"ok": true, "queued": sent.status == "queued"})).into_response(),
        Err(error) => (
            StatusCode::BAD_GATEWAY,
            Json(json!({"ok": false, "queued": false, "error": error.error})),
        )
            .into_response(),
    }
}

/// Send a message by relay, as daemons did it before `/api/a2a/send`: `{"to", "payload"}`.
#[utoipa::path(
    post,
    operation_id = "networkSend",
    path = "/api/network/send",
    tag = "deprecated",
    request_body = Object,
    responses(
        (status = 200, description = "`{status, messageId, timestamp}`", body = Object),
        (status = 400, description = "`{error, timestamp}`", body = Object),
        (status = 502, description = "`{error, timestamp}`", body = Object),
        (status = 503, description = "No relay is set up: `{error, timestamp}`", body = Object),
    )
)]
#[deprecated]
pub(super) async fn network_send(State(node): State<Node>, Raw(body): Raw) -> Response {
    let Some(mut given) = object(&body) else {
        return refusal(StatusCode::BAD_REQUEST, "Invalid JSON");
    };
    match given.remove("payload").filter(|payload| !payload.is_null()) {
        Some(payload) => by_relay(&node, given.remove("to"), payload).await,
        None if is_absent(given.get("to")) => refusal(StatusCode::BAD_REQUEST, "to is required"),
        None => refusal(StatusCode::BAD_REQUEST, "payload is required"),
    }
}

/// Send a text by relay, as daemons did it before `/api/a2a/send`: `{"to", "message"}`.
#[utoipa::path(
    post,
    operation_id = "networkMessage",
    path = "/api/network/message",
    tag = "deprecated",
    request_body = Object,
    responses(
        (status = 200, description = "`{status, messageId, timestamp}`", body = Object),
        (status = 400, description = "`{error, timestamp}`", body = Object),
        (status = 502, description = "`{error, timestamp}`", body = Object),
        (status = 503, description = "No relay is set up: `{error, timestamp}`", body = Object),
    )
)]
#[deprecated]
pub(super) async fn network_message(State(node): State<Node>, Raw(body): Raw) -> Response {
    let Some(mut given) = object(&body) else {
        return refusal(StatusCode::BAD_REQUEST, "Invalid JSON");
    };
    let to = given.remove("to");
    let text = ["message", "text"]
        .into_iter()
        .find_map(|name| given.remove(name).filter(|text| !text.is_null()));
    let payload = match text {
        Some(text) => json!({"type": "message", "text": text}),
        None => given.remove("payload").unwrap_or_default(),
    };
    if !is_absent(to.as_ref()) && payload.is_null() {
        return refusal(StatusCode::BAD_REQUEST, "message is required");
    }
    by_relay(&node, to, payload).await
}

/// Two names of one route; the document describes each.
macro_rules! group_route {
    ($(#[$doc:meta])* $name:ident, $operation:literal, $path:literal) => {
        $(#[$doc])*
        #[utoipa::path(
            post,
            operation_id = $operation,
            path = $path,
            tag = "deprecated",
            params(("id" = String, Path, description = "The group's id")),
            request_body = Object,
            responses(
                (status = 200, description = "`{messageId, delivered, queued, failed, timestamp}`, once there is a relay", body = Object),
                (status = 400, description = "`{error, timestamp}`", body = Object),
                (status = 503, description = "No relay is set up: `{error, timestamp}`", body = Object),
            )
        )]
        #[deprecated]
        pub(super) async fn $name(
            State(node): State<Node>,
            Segment(group): Segment,
            Raw(body): Raw,
        ) -> Response {
            to_group(&node, group, &body).await
        }
    };
}

group_route!(
    /// Send to a group, as daemons did it before `/api/a2a/send`: `{"payload"}`.
    group_send,
    "groupSend",
    "/api/network/groups/{id}/send"
);
group_route!(
    /// Another name of the same.
    group_message,
    "groupMessage",
    "/api/network/groups/{id}/message"
);

async fn to_group(node: &Node, group: String, body: &[u8]) -> Response {
    let Some(mut given) = object(body) else {
        return refusal(StatusCode::BAD_REQUEST, "Invalid JSON");
    };
    let Some(Value::Object(mut payload)) = given.remove("payload") else {
        return refusal(StatusCode::BAD_REQUEST, "payload is required");
    };
    payload.entry("type").or_insert_with(|| "message".into());
    let request = fields(json!({"group": group, "payload": payload, "route": "relay"}));
    answer(send::deliver(node, request).await)
}

async fn by_relay(node: &Node, to: Option<Value>, payload: Value) -> Response {
    if is_absent(to.as_ref()) {
        return refusal(StatusCode::BAD_REQUEST, "to is required");
    }
    let request = fields(json!({"to": to, "payload": payload, "route": "relay"}));
    answer(send::deliver(node, request).await)
}

fn answer(sent: Result<SendOutcome, LocalError>) -> Response {
    match sent {
        Ok(sent) => Json(json!({
            "status": sent.status,
            "messageId": sent.message_id,
            "timestamp": sent.timestamp,
        }))
        .into_response(),
        // A group's name is looked up at the relay as well.
        Err(error) if matches!(error.code, Code::RelayUnavailable | Code::GroupNotFound) => {
            super::network::not_initialised()
        }
        Err(error) => {
            let status = status(error.code);
            let status = match status.is_client_error() && status != StatusCode::NOT_FOUND {
                true => StatusCode::BAD_REQUEST,
                false => StatusCode::BAD_GATEWAY,
            };
            refusal(status, &error.error)
        }
    }
}

/// A refusal in the shape of `/api/network`.
pub(super) fn refusal(status: StatusCode, error: &str) -> Response {
    let body = json!({"error": error, "timestamp": clock::now()});
    (status, Json(body)).into_response()
}

/// The body as an object; an empty one is `{}`.
fn object(body: &[u8]) -> Option<Map<String, Value>> {
    if body.is_empty() {
        return Some(Map::new());
    }
    serde_json::from_slice(body).ok()
}

fn fields(request: Value) -> Map<String, Value> {
    match request {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn is_absent(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    }
}
