//! Asking a peer: the body and the answer, the same on both APIs.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use futures_util::Stream;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tieline_node::model::{AskCommand, AskView};
use tieline_node::{AskNews, Asking, Node};
use tieline_wire::problem::{Code, Problem};
use tokio_util::sync::CancellationToken;
use utoipa::{IntoParams, ToSchema};

use crate::problem::LocalError;

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
    /// Seconds to wait for the answer, up to 3600. Otherwise 330, or as long as what answers there
    /// may take, if that is longer. After that the answer is fetched by the ask's id; 0 asks for
    /// that form at once.
    wait_seconds: Option<u64>,
    /// Answers with server-sent events instead: `accepted` (an `AskView` with the `askId`), then
    /// `piece` and `note` (`untrustedText`) as they come, and at the end `answer` (an `AskView`).
    /// Closing the connection before that ends the work on the other side.
    #[serde(default)]
    stream: bool,
}

/// How long to wait for the answer.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LookParams {
    /// Seconds to wait where there is no answer yet, up to 60.
    wait: Option<u64>,
}

/// A part of an answer under way.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AskPart {
    /// The peer's text, untrusted.
    untrusted_text: String,
}

/// Asks and waits. 200 with an answer or the reason there is none, 202 where it is still to come.
/// A stream ends with the listener, which cancels `stop`.
pub(crate) async fn answer(node: &Node, body: AskBody, stop: CancellationToken) -> Response {
    if body.text.trim().is_empty() {
        return refuse("A question needs a text.");
    }
    if body.wait_seconds.is_some_and(|wait| wait > LONGEST_WAIT) {
        return refuse("A caller can wait for at most 3600 seconds.");
    }
    let asking = node
        .start_ask(AskCommand {
            to: body.to,
            text: body.text,
            hops: body.hops,
            session: body.session,
            wait: body.wait_seconds.map(Duration::from_secs),
            stream: body.stream,
        })
        .await;
    match asking {
        Ok(asking) if body.stream => Sse::new(events(asking, stop))
            .keep_alive(KeepAlive::default())
            .into_response(),
        Ok(asking) => view_answer(asking.answer().await),
        Err(failure) => LocalError::from(failure).into_response(),
    }
}

/// What came of an ask, after waiting for it.
///
/// # Errors
/// `MESSAGE_NOT_FOUND`, and those of the store.
pub(crate) async fn look(node: &Node, id: &str, params: &LookParams) -> Result<Response, Problem> {
    let wait = Duration::from_secs(params.wait.unwrap_or_default());
    Ok(view_answer(node.wait_ask(id, wait).await?))
}

/// An ask as server-sent events. Dropping the stream is hanging up.
fn events(
    asking: Asking,
    stop: CancellationToken,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let first = event("accepted", &asking.view());
    let rest = futures_util::stream::unfold((asking, stop), |(mut asking, stop)| async move {
        let news = tokio::select! {
            news = asking.next() => news?,
            () = stop.cancelled() => return None,
        };
        let part = |untrusted_text| AskPart { untrusted_text };
        let told = match news {
            AskNews::Piece(text) => event("piece", &part(text)),
            AskNews::Note(text) => event("note", &part(text)),
            AskNews::End(view) => event("answer", &view),
        };
        Some((told, (asking, stop)))
    });
    futures_util::StreamExt::chain(futures_util::stream::iter([first]), rest)
}

fn event(name: &str, data: &impl Serialize) -> Result<Event, Infallible> {
    // These are plain structures of text, which can always be written.
    let written = Event::default().event(name).json_data(data);
    Ok(written.unwrap_or_default())
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
