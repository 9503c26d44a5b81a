//! HTTP on an accepted connection: bounds, then the protocol.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, Method, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use parking_lot::Mutex;
use tieline_wire::problem::{Code, Problem};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::admission::{Arrival, admit, too_large};
use crate::clock::Instant;
use crate::dialect::abtars::{self, OutBody};
use crate::gate::Place;
use crate::limits::{
    BODY_TIMEOUT, HEADER_TIMEOUT, IDLE_TIMEOUT, MAX_HEADERS, MAX_STREAMS, STRANGER_IDLE_TIMEOUT,
};
use crate::line::accept_held;
use crate::node::Node;
use crate::protocol::{
    Channel, MAC_HEADER, Proof, Reply, Request, SCHEME, authenticate, dispatch, path,
};

/// Serves until the other side closes, the node stops or the channel is cut.
pub(super) async fn serve(
    node: Node,
    stream: TlsStream<TcpStream>,
    channel: Arc<Channel>,
    place: Arc<Place>,
) {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADERS.max(8 * 1024));
    server
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADERS as u32)
        .keep_alive_interval(IDLE_TIMEOUT / 4)
        .keep_alive_timeout(HEADER_TIMEOUT);
    let cut = channel.cut.clone();
    let use_ = Arc::new(Use::default());
    let service = service_fn(|request| {
        let node = node.clone();
        let channel = Arc::clone(&channel);
        let place = Arc::clone(&place);
        let in_use = use_.begin();
        async move {
            let response = answer(node, channel, &place, request, in_use.with_this).await;
            Ok::<_, Infallible>(response.map(|body| {
                // One that is there already goes out at once, with its length: also to callers
                // that are still sending.
                if body.size_hint().exact().is_some() {
                    return body;
                }
                // One that is still being made keeps its connection in use.
                let held = body.map_frame(move |frame| {
                    let _ = &in_use;
                    frame
                });
                held.boxed_unsync()
            }))
        }
    });
    let patience = || {
        let peer = channel.pin().and_then(|pin| node.peers.by_pin(&pin));
        peer.map_or(STRANGER_IDLE_TIMEOUT, |_| IDLE_TIMEOUT)
    };
    let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = async { tokio::select! { () = cut.cancelled() => {}, () = use_.over(patience) => {} } } => {
            // Requests in progress may end; nothing new is taken.
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(FAREWELL, connection).await;
        }
    }
    node.invites.end(channel.id);
}

/// Time for requests in progress when a connection is to end.
const FAREWELL: Duration = Duration::from_secs(2);
/// Time for the first request after the handshake. HTTP/2 has no bound of its own on it.
const FIRST_REQUEST: Duration = Duration::from_secs(20);

/// Whether a connection is in use.
#[derive(Default)]
struct Use {
    state: Mutex<UseState>,
}

#[derive(Default)]
struct UseState {
    in_progress: usize,
    ended: Option<Instant>,
}

impl Use {
    fn begin(self: &Arc<Self>) -> InUse {
        let mut state = self.state.lock();
        state.in_progress += 1;
        InUse {
            with_this: state.in_progress,
            shared: Arc::clone(self),
        }
    }

    /// Waits until no first request came in time, or nothing was asked for as long as `patience`
    /// says.
    async fn over(&self, patience: impl Fn() -> Duration) {
        let opened = Instant::now();
        loop {
            let left = {
                let state = self.state.lock();
                match (state.in_progress, state.ended) {
                    (0, None) => FIRST_REQUEST.saturating_sub(opened.elapsed()),
                    (0, Some(ended)) => patience().saturating_sub(ended.elapsed()),
                    _ => STRANGER_IDLE_TIMEOUT,
                }
            };
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }
}

/// A request in progress.
struct InUse {
    shared: Arc<Use>,
    /// How many were in progress when it began, itself included.
    with_this: usize,
}

impl Drop for InUse {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.in_progress = state.in_progress.saturating_sub(1);
        state.ended = Some(Instant::now());
    }
}

async fn answer(
    node: Node,
    channel: Arc<Channel>,
    place: &Place,
    request: ::http::Request<Incoming>,
    in_progress: usize,
) -> Response<OutBody> {
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    if abtars::is_route(&path) {
        return abtars::serve(node, channel, place, request, in_progress).await;
    }
    if request.method() == Method::GET && path == path::HELD {
        return match hold(node, channel, request).await {
            Ok(response) => response.map(BodyExt::boxed_unsync),
            Err(problem) => respond(problem.into()),
        };
    }
    let proof = proof(request.headers());
    let method = request.method().clone();
    let arrival = Arrival {
        channel: &channel,
        method: &method,
        path: &path,
        proof: proof.as_ref(),
        declared: request.body().size_hint().exact(),
        in_progress,
    };
    let admission = match admit(&node, &arrival) {
        Ok(admission) => admission,
        Err(problem) => return respond(problem.into()),
    };
    let body = match read(request.into_body(), admission.most).await {
        Ok(body) => body,
        Err(problem) => return respond(problem.into()),
    };
    respond(
        dispatch(
            &node,
            Request {
                channel,
                method,
                path,
                proof,
                body,
            },
        )
        .await,
    )
}

fn proof(headers: &HeaderMap) -> Option<Proof> {
    let token = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix(SCHEME)?;
    let mac = headers.get(MAC_HEADER).and_then(|mac| mac.to_str().ok());
    Some(Proof {
        token: token.to_owned(),
        mac: mac.map(str::to_owned),
    })
}

async fn read(body: Incoming, most: usize) -> Result<Bytes, Problem> {
    let collected = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, most).collect()).await;
    match collected {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(most)),
        Ok(Err(error)) => Err(Problem::new(Code::InvalidRequest).because(format!("{error}."))),
        Err(_) => Err(Problem::new(Code::InvalidRequest).because(format!(
            "The body did not arrive within {} s.",
            BODY_TIMEOUT.as_secs()
        ))),
    }
}

/// Turns the connection into a held one.
async fn hold(
    node: Node,
    channel: Arc<Channel>,
    mut request: ::http::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Problem> {
    let asked = Request {
        channel: Arc::clone(&channel),
        method: Method::GET,
        path: path::HELD.to_owned(),
        proof: proof(request.headers()),
        body: Bytes::new(),
    };
    let peer = authenticate(&node.peers, &asked)?;
    let key = request
        .headers()
        .get("sec-websocket-key")
        .map(|key| derive_accept_key(key.as_bytes()))
        .ok_or_else(|| {
            Problem::new(Code::InvalidRequest).because("No WebSocket upgrade was asked for.")
        })?;
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let held = accept_held(TokioIo::new(upgraded), channel, &peer.bodies, node.clone()).await;
        node.held_by(&peer, held);
    });
    let response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header("sec-websocket-accept", key)
        .body(Full::default());
    response.map_err(|error| Problem::new(Code::Internal).because(error.to_string()))
}

fn respond(reply: Reply) -> Response<OutBody> {
    let mut response = Response::new(Full::new(reply.body).boxed_unsync());
    *response.status_mut() = reply.status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    response
}
