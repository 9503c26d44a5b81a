//! Problems as HTTP answers.
//!
//! The engine's [`Problem`] is the only source of words. On the control API it is the body as it
//! stands; the documented local routes keep the error shape that agents know, with the rest of
//! the problem added: [`LocalError`].

use std::borrow::Cow;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};
pub(crate) use tieline_node::model::ProblemSchema;
use tieline_node::model::{AttemptView, PhaseSchema, PingFailure};
use tieline_wire::problem::{Code, Phase, Problem};
use utoipa::ToSchema;

use crate::clock;

/// A request that failed, for `?` in handlers.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) Problem);

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (status(self.0.code), Json(&self.0)).into_response();
        // The local router renders it again in the documented shape: see `documented_errors`.
        response.extensions_mut().insert(self.0);
        response
    }
}

/// The HTTP status that a code stands for.
pub(crate) fn status(code: Code) -> StatusCode {
    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Layer of the local router: every [`Failure`] leaves in the documented shape.
pub(crate) async fn documented_errors(mut response: Response) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    let mut documented = LocalError::from(problem).into_response();
    for (name, value) in response.headers() {
        documented
            .headers_mut()
            .entry(name)
            .or_insert_with(|| value.clone());
    }
    documented
}

/// What the documented routes answer when they refuse or fail. `ok`, `error`, `code`, `attempts`
/// and `timestamp` are the documented fields; the others explain.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalError {
    /// Always false.
    pub ok: bool,
    /// What failed, in a sentence.
    #[schema(value_type = String)]
    pub error: Cow<'static, str>,
    /// Stable code, for programs.
    #[schema(value_type = String, example = "PEER_NOT_FOUND")]
    pub code: Code,
    /// The likely cause.
    #[schema(value_type = String)]
    pub cause: Cow<'static, str>,
    /// What to do about it.
    #[schema(value_type = String)]
    pub remedy: Cow<'static, str>,
    /// How far it came: resolve, connect, tls, pin, auth, limit, store or responder.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PhaseSchema>)]
    pub phase: Option<Phase>,
    /// Every try; absent when nothing could be tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Vec<AttemptView>>,
    /// The message's id, once it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// `failed`: nothing was stored. `unconfirmed`: zero or one copy, resolved at the next contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Further facts, such as `actualLength` and `maxLength` of a payload that is too large.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub detail: Map<String, Value>,
    /// Time of this answer.
    pub timestamp: String,
}

/// The fields of a [`LocalError`] that a fact must not stand in for: of two fields with one name,
/// most readers believe the later one.
const FIELDS: [&str; 10] = [
    "ok",
    "error",
    "code",
    "cause",
    "remedy",
    "phase",
    "attempts",
    "messageId",
    "status",
    "timestamp",
];

impl From<Problem> for LocalError {
    fn from(problem: Problem) -> Self {
        let mut message_id = None;
        let mut detail = Map::new();
        for (name, fact) in problem.detail.into_iter().flat_map(|detail| *detail) {
            match fact {
                Value::String(id) if name == "messageId" => message_id = Some(id),
                fact if !FIELDS.contains(&name.as_str()) => {
                    detail.insert(name, fact);
                }
                _ => {}
            }
        }
        Self {
            ok: false,
            error: problem.summary,
            code: problem.code,
            cause: problem.cause,
            remedy: problem.remedy,
            phase: problem.phase,
            attempts: None,
            message_id,
            status: None,
            detail,
            timestamp: clock::now(),
        }
    }
}

impl IntoResponse for LocalError {
    fn into_response(self) -> Response {
        (status(self.code), Json(self)).into_response()
    }
}

/// A ping that was not answered: the problem, and every try.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PingError {
    #[serde(flatten)]
    #[schema(value_type = ProblemSchema)]
    problem: Problem,
    /// Every try.
    attempts: Vec<AttemptView>,
}

impl From<PingFailure> for PingError {
    fn from(failure: PingFailure) -> Self {
        Self {
            problem: failure.problem,
            attempts: failure.attempts,
        }
    }
}

impl IntoResponse for PingError {
    fn into_response(self) -> Response {
        (status(self.problem.code), Json(self)).into_response()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_fact_never_stands_in_for_a_documented_field() {
        let problem = Problem::new(Code::PeerRefusedUs)
            .with("ok", true)
            .with("code", "A_CODE_OF_THE_FUTURE")
            .with("status", "delivered")
            .with("messageId", "m-1")
            .with("maxLength", 7);
        let text = serde_json::to_string(&LocalError::from(problem)).unwrap();
        for name in ["ok", "code", "messageId"] {
            assert_eq!(text.matches(&format!("\"{name}\":")).count(), 1, "{text}");
        }
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["ok"], false);
        assert_eq!(read["code"], "PEER_REFUSED_US");
        assert_eq!(read["messageId"], "m-1");
        assert_eq!(read["maxLength"], 7);
        assert!(read.get("status").is_none());
    }
}
