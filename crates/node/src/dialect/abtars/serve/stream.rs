//! An answer in pieces, as server-sent events (WHATWG HTML, 9.2) in the shape of OpenAI's chunks.
//!
//! abTARS clients never ask for it; other programs of the same interface do. While the responder
//! works the stream is kept alive with comments.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, Response, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tieline_wire::abtars::refusal::Refusal;
use tokio::sync::mpsc;
use tokio_util::sync::DropGuard;

use super::answer::OutBody;
use super::chat::Work;
use crate::ask::Partial;
use crate::clock::wall_now;

/// Time between two comments.
const ALIVE: Duration = Duration::from_secs(10);

/// The answer to a question that is being worked on. Whoever stops reading ends the work.
pub(super) fn response(work: Work) -> Response<OutBody> {
    let (pieces, read) = mpsc::channel(4);
    let cut = work.cut();
    work.node().tasks.spawn(write(work, pieces));
    let reading = Reading {
        read,
        _cut: cut.drop_guard(),
    };
    let frames = stream::unfold(reading, |mut reading| async move {
        let piece = reading.read.recv().await?;
        Some((Ok::<_, Infallible>(Frame::data(piece)), reading))
    });
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    let headers = response.headers_mut();
    let events = HeaderValue::from_static("text/event-stream");
    headers.insert(header::CONTENT_TYPE, events);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// The reading end; dropped, it ends the work.
struct Reading {
    read: mpsc::Receiver<Bytes>,
    _cut: DropGuard,
}

async fn write(work: Work, pieces: mpsc::Sender<Bytes>) {
    let chunk = Chunk {
        id: format!("chatcmpl-{}", work.id),
        model: work.model.clone(),
        created: wall_now().as_seconds(),
    };
    let (partial, mut watched) = Partial::new();
    let answering = work.run(Some(partial));
    tokio::pin!(answering);
    let begun = chunk.event(&json!({"role": "assistant", "content": ""}), None);
    if pieces.send(begun).await.is_err() {
        return;
    }
    let mut said = 0;
    let mut growing = true;
    let answered = loop {
        let piece = tokio::select! {
            answered = &mut answering => break answered,
            changed = watched.changed(), if growing => {
                growing = changed.is_ok();
                let text = watched.borrow_and_update();
                let rest = text.get(said..).unwrap_or_default();
                if rest.is_empty() {
                    continue;
                }
                said = text.len();
                chunk.event(&json!({"content": rest}), None)
            }
            () = tokio::time::sleep(ALIVE) => Bytes::from_static(b": working\n\n"),
        };
        if pieces.send(piece).await.is_err() {
            return;
        }
    };
    let rest = match answered {
        Ok(text) => vec![
            chunk.event(
                &json!({"content": text.get(said..).unwrap_or_default()}),
                None,
            ),
            chunk.event(&json!({}), Some("stop")),
            Bytes::from_static(b"data: [DONE]\n\n"),
        ],
        Err(problem) => {
            tracing::warn!(problem = %problem.code, "a question of an abTARS peer was not answered");
            let body = Refusal::Internal.body().unwrap_or_default();
            vec![Bytes::from(format!("data: {body}\n\n"))]
        }
    };
    for piece in rest {
        if pieces.send(piece).await.is_err() {
            return;
        }
    }
}

struct Chunk {
    id: String,
    model: String,
    created: i64,
}

impl Chunk {
    fn event(&self, delta: &Value, finish: Option<&str>) -> Bytes {
        let chunk = json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        });
        // JSON of one line: it has no bare line break.
        Bytes::from(format!("data: {chunk}\n\n"))
    }
}
