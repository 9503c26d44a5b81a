//! Plain HTTP/1.1 with bounds: four routes, one request a connection.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tieline_wire::kithkit::Posture;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::message;
use crate::clock::wall_now;
use crate::gate::{Gate, Place};
use crate::limits::{BODY_TIMEOUT, HEADER_TIMEOUT, MAX_HEADERS};
use crate::node::Node;

/// Largest body, as the real listener's.
const MAX_BODY: usize = 1024 * 1024;
/// Time for a connection: headers, body, and storing.
const WHOLE: Duration = Duration::from_secs(60);

/// An answer: its status and its JSON.
pub(super) type Answer = (StatusCode, Value);

/// Accepts until it is stopped.
pub(super) async fn run(
    node: Node,
    listener: TcpListener,
    posture: Posture,
    stop: CancellationToken,
) {
    // Its own, so that strangers here take no places of the peer listener.
    let gate = Gate::default();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, remote)) => match gate.enter(remote.ip(), &stop) {
                Ok(place) => {
                    let caller = Caller {
                        node: node.clone(),
                        place,
                        posture,
                    };
                    tokio::spawn(connection(caller, stream));
                }
                Err(why) => tracing::debug!(%remote, ?why, "KithKit connection turned away"),
            },
            Err(error) => {
                tracing::warn!(%error, "accepting a KithKit connection failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// A connection's other end, and what it meets here.
struct Caller {
    node: Node,
    place: Place,
    posture: Posture,
}

async fn connection(caller: Caller, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| async { Ok::<_, Infallible>(caller.answer(request).await) });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADERS)
        .keep_alive(false);
    let serving = http.serve_connection(TokioIo::new(stream), service);
    let bounded = tokio::time::timeout(WHOLE, serving);
    tokio::select! {
        _ = bounded => {}
        () = caller.place.cut().cancelled() => {}
    }
}

impl Caller {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let (status, json) = match (&head.method, head.uri.path()) {
            (&Method::POST, "/agent/message") => self.take(&head.headers, body).await,
            (&Method::GET, "/agent/status") => self.about(json!({"status": "idle"})),
            (&Method::GET, "/status") => self.about(json!({"daemon": "running"})),
            (&Method::GET, "/health") => (
                StatusCode::OK,
                json!({
                    "status": "ok",
                    "listener": "lan",
                    "uptime": self.uptime(),
                    "version": self.node.version,
                    "timestamp": wall_now().to_string(),
                }),
            ),
            _ => (
                StatusCode::NOT_FOUND,
                json!({"error": "Not found", "timestamp": wall_now().to_string()}),
            ),
        };
        respond(status, &json)
    }

    fn about(&self, mut fields: Value) -> Answer {
        fields["agent"] = self.node.own_name().into();
        fields["uptime"] = self.uptime().into();
        fields["timestamp"] = wall_now().to_string().into();
        (StatusCode::OK, fields)
    }

    fn uptime(&self) -> f64 {
        self.node.started.elapsed().as_secs_f64()
    }

    async fn take(&self, headers: &HeaderMap, body: Incoming) -> Answer {
        // Agents are no browsers; a page that a person on this network looks at is no agent.
        if headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site") {
            return refusal(StatusCode::FORBIDDEN, "Web pages cannot send here");
        }
        let read = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY).collect());
        let Ok(Ok(body)) = read.await else {
            return (StatusCode::BAD_REQUEST, json!({"error": "Invalid request"}));
        };
        // A header that is no text is a wrong signature, not a missing one.
        let signature = headers
            .get("x-signature")
            .map(|value| value.to_str().unwrap_or_default());
        let taken = message::take(&self.node, self.posture, signature, &body.to_bytes()).await;
        if taken.is_signed {
            self.place.is_known();
        }
        taken.answer
    }
}

/// A refusal with `ok: false`.
pub(super) fn refusal(status: StatusCode, error: impl Into<String>) -> Answer {
    (status, json!({"ok": false, "error": error.into()}))
}

fn respond(status: StatusCode, json: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(json.to_string())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if let Ok(now) = HeaderValue::from_str(&wall_now().to_string()) {
        headers.insert("x-timestamp", now);
    }
    response
}
