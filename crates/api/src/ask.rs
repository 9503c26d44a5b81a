//! Asking a peer: the body and the answer, the same on both APIs.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use tieline_node::Node;
use tieline_node::model::{AskCommand, AskView};
use tieline_wire::problem::{Code, Problem};
use utoipa::ToSchema;

use crate::problem::LocalError;

/// How long an ask waits for its answer unless said otherwise: longer than any responder that
/// answers by itself takes by default.
const WAIT: u64 = 330;
/// Longest wait that can be asked for.
const LONGEST_WAIT: u64 = 3600;

/// A question to a peer.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AskBody {
    /// A peer's name, or a beginning that only one peer has.
    #[schema(example = "wsl-box")]
    to: String,
    /// The question.
    #[schema(example = "Is the build green?")]
    text: String,
    /// Machines it may still travel through, 1 to 16; 4 otherwise. An agent that asks because it
    /// was asked gives what it got in `TIELINE_ASK_HOPS`.
    hops: Option<u8>,
    /// Ties questions of one conversation together.
    session: Option<String>,
    /// Seconds to wait for the answer, up to 3600; 330 otherwise. After that the answer is fetched
    /// by the ask's id.
    wait_seconds: Option<u64>,
}

/// Asks and waits. 200 with an answer or the reason there is none, 202 where it is still to come.
pub(crate) async fn answer(node: &Node, body: AskBody) -> Response {
    let wait = body.wait_seconds.unwrap_or(WAIT);
    if body.text.trim().is_empty() {
        return refuse("A question needs a text.");
    }
    if wait > LONGEST_WAIT {
        return refuse("A caller can wait for at most 3600 seconds.");
    }
    let asked = node
        .ask(AskCommand {
            to: body.to,
            text: body.text,
            hops: body.hops,
            session: body.session,
            wait: Duration::from_secs(wait),
        })
        .await;
    match asked {
        Ok(view) => view_answer(view),
        Err(failure) => LocalError::from(failure).into_response(),
    }
}

/// 202 while the answer is still to come.
pub(crate) fn view_answer(view: AskView) -> Response {
    let status = if view.status == "accepted" {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    (status, Json(view)).into_response()
}

fn refuse(why: &'static str) -> Response {
    LocalError::from(Problem::new(Code::InvalidRequest).summary(why)).into_response()
}
