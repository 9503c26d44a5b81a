//! Sending, in the documented order of checks.
//!
//! What is refused and with which words is [`tieline_wire::kithkit`]'s; this adds what needs the
//! engine: who the recipient is, and therefore how much it takes.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};
use tieline_node::Node;
use tieline_node::model::{OnFailure, RouteChoice, SendCommand, SendFailure, SendOutcome, Target};
use tieline_wire::ask::{ANSWER_TYPE, ASK_TYPE};
use tieline_wire::kithkit::{self, Route, SendRefusal, SendRequest, is_uuid_shaped};
use tieline_wire::message::MessageId;
use tieline_wire::problem::{Code, Problem};
use utoipa::ToSchema;

use crate::limits::MAX_PAYLOAD_BYTES;
use crate::problem::LocalError;

/// The body of a send request. Unknown fields are ignored.
#[derive(Deserialize, ToSchema)]
#[schema(as = SendRequest)]
#[serde(rename_all = "camelCase")]
#[allow(
    dead_code,
    reason = "describes what `SendRequest` reads, for the OpenAPI document"
)]
pub(crate) struct SendBody {
    /// A peer's name, or a beginning that only one peer has.
    #[schema(example = "bmo")]
    to: Option<String>,
    /// A group's id or name, instead of `to`.
    group: Option<String>,
    /// What to send. `type` is required; every other field is the agents' own.
    #[schema(value_type = Object, example = json!({"type": "text", "text": "Hello!"}))]
    payload: Map<String, Value>,
    /// Which way it may travel; `auto` otherwise.
    route: Option<RouteChoice>,
    /// Your own id, 1 to 128 of `A-Z a-z 0-9 . _ : -`. Sending the same again does not double it.
    message_id: Option<String>,
    /// `queue` keeps a message that could not go now in the outbox; `fail` otherwise.
    on_failure: Option<OnFailure>,
}

/// Answers a send request.
pub(crate) async fn answer(node: &Node, body: &[u8]) -> Response {
    let sent = match fields(body) {
        Ok(fields) => deliver(node, fields).await,
        Err(problem) => Err(problem.into()),
    };
    match sent {
        Ok(outcome) => {
            let queued = outcome.status == "queued" && outcome.route != "relay";
            let status = if queued {
                StatusCode::ACCEPTED
            } else {
                StatusCode::OK
            };
            (status, Json(outcome)).into_response()
        }
        Err(error) => error.into_response(),
    }
}

/// Checks a send request and sends.
///
/// # Errors
/// What was refused or failed, in the documented shape.
pub(crate) async fn deliver(
    node: &Node,
    fields: Map<String, Value>,
) -> Result<SendOutcome, LocalError> {
    let command = check(node, fields).await?;
    Ok(node.send(command).await?)
}

/// Everything that can be refused before anything is sent; the first failure answers.
async fn check(node: &Node, fields: Map<String, Value>) -> Result<SendCommand, Problem> {
    let additions = Additions::of(&fields);
    let request = SendRequest::of_any_length(fields).map_err(documented)?;
    let Additions {
        message_id,
        on_failure,
    } = additions?;

    let to = match &request.target {
        kithkit::Target::Group(group) => {
            request.check_length().map_err(documented)?;
            return Err(no_group(group));
        }
        kithkit::Target::Peer(to) => to.clone(),
    };
    match node.resolve_target(&to).await {
        Target::Peer { dialect, .. } if dialect == "tieline" => check_bytes(&request)?,
        _ => request.check_length().map_err(documented)?,
    }
    request.check_name().map_err(documented)?;
    check_type(&request)?;
    let route = match request.route {
        Route::Auto => RouteChoice::Auto,
        Route::Lan => RouteChoice::Lan,
        Route::Relay => RouteChoice::Relay,
    };
    Ok(SendCommand {
        to,
        payload: request.payload,
        route,
        message_id,
        on_failure,
    })
}

/// The body as an object; an empty body is `{}`.
fn fields(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    let invalid = |what: &'static str| Problem::new(Code::InvalidRequest).summary(what);
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        // Refused for having no target, as the documented order has it.
        Ok(Value::Array(_)) => Ok(Map::new()),
        Ok(_) => Err(invalid("The request body must be a JSON object")),
        Err(error) => {
            Err(invalid("Invalid JSON").because(format!("The body cannot be parsed: {error}.")))
        }
    }
}

/// The fields that the documented request does not have.
struct Additions {
    message_id: Option<MessageId>,
    on_failure: OnFailure,
}

impl Additions {
    fn of(fields: &Map<String, Value>) -> Result<Self, Problem> {
        let present = |name: &str| fields.get(name).filter(|value| !value.is_null());
        let invalid = |what: &'static str| Problem::new(Code::InvalidRequest).summary(what);
        let message_id = match present("messageId") {
            None => None,
            Some(Value::String(id)) => Some(MessageId::new(id).map_err(|error| {
                invalid("'messageId' cannot be used").because(format!("It is {error}."))
            })?),
            Some(_) => return Err(invalid("'messageId' must be a string")),
        };
        let on_failure = match present("onFailure").map(Value::as_str) {
            None | Some(Some("fail")) => OnFailure::Fail,
            Some(Some("queue")) => OnFailure::Queue,
            Some(_) => return Err(invalid("'onFailure' must be 'fail' or 'queue'")),
        };
        Ok(Self {
            message_id,
            on_failure,
        })
    }
}

/// A refusal in its documented words.
fn documented(refusal: SendRefusal) -> Problem {
    let words = refusal.message.clone();
    let general = Problem::new(refusal.code).cause;
    Problem::from(refusal).summary(words).because(general)
}

/// Questions and answers have a route of their own, with its brakes.
fn check_type(request: &SendRequest) -> Result<(), Problem> {
    let kind = request.payload.get("type").and_then(Value::as_str);
    match kind {
        Some(ASK_TYPE | ANSWER_TYPE) => Err(Problem::new(Code::InvalidRequest)
            .summary("Messages of this type are not sent here.")
            .because("The types tieline.ask and tieline.answer are Tieline's own.")
            .remedy("Ask with POST /api/a2a/ask.")),
        _ => Ok(()),
    }
}

/// The limit of Tieline peers.
fn check_bytes(request: &SendRequest) -> Result<(), Problem> {
    let length = request.payload_json().len();
    if length <= MAX_PAYLOAD_BYTES {
        return Ok(());
    }
    Err(Problem::new(Code::PayloadTooLarge)
        .summary(format!(
            "The payload has {length} bytes, and at most {MAX_PAYLOAD_BYTES} are sent; nothing was sent."
        ))
        .with("actualLength", length)
        .with("maxLength", MAX_PAYLOAD_BYTES))
}

/// Groups live on a relay, and none is set up: an id could be one of its groups, a name cannot.
fn no_group(group: &str) -> Problem {
    if is_uuid_shaped(group) {
        Problem::new(Code::RelayUnavailable)
    } else {
        Problem::new(Code::GroupNotFound)
    }
}

impl From<SendFailure> for LocalError {
    fn from(failure: SendFailure) -> Self {
        let error = Self::from(failure.problem);
        Self {
            attempts: failure.attempts,
            message_id: failure.message_id.or(error.message_id),
            status: failure.status,
            ..error
        }
    }
}
