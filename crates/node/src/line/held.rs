//! The held connection: one WebSocket, kept open by the side that cannot be dialled, over which
//! both sides make requests.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use parking_lot::Mutex;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::StoreId;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OnceCell, Semaphore, mpsc, oneshot};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::sync::CancellationToken;

use super::frame::{Head, decode, encode};
use super::{Answer, Dialled, ExchangeError, Speaker};
use crate::clock::Instant;
use crate::limits::{HELD_PING, HELD_SILENCE, MAX_BODY, MAX_STREAMS, RESPONSE_TIMEOUT};
use crate::protocol::{Channel, MAC_HEADER, Proof, Reply, Request, SCHEME, path};

/// Which end of a held connection this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// This node dialled and holds it.
    Holder,
    /// The peer does.
    Answerer,
}

/// A held connection.
pub(crate) struct HeldConnection {
    /// The TLS connection.
    pub channel: Arc<Channel>,
    /// Which end this is.
    pub side: Side,
    /// The database at its other end, once that has been asked.
    pub store: OnceCell<StoreId>,
    address: String,
    outgoing: mpsc::Sender<Bytes>,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
    next_id: AtomicU64,
}

/// Serves a request that came as a frame.
pub(crate) trait Serve: Send + Sync + 'static {
    /// The answer to one request.
    fn serve(&self, request: Request) -> impl Future<Output = Reply> + Send;
}

impl HeldConnection {
    /// Sends a `POST` as a frame and waits for its answer.
    ///
    /// # Errors
    /// What failed, and whether the request may have reached the peer.
    pub(crate) async fn exchange(
        &self,
        speaker: &Speaker,
        path: &str,
        body: Bytes,
    ) -> Result<Answer, ExchangeError> {
        let closed = |sent| ExchangeError {
            problem: Problem::new(Code::Unreachable).because("The held connection closed."),
            sent,
        };
        let Proof { token, mac } = speaker.prove(&self.channel, "POST", path, &body);
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let head = Head::Request {
            id,
            method: "POST".into(),
            path: path.into(),
            token,
            mac,
        };
        let (answer, answered) = oneshot::channel();
        self.waiting.lock().insert(id, answer);
        let _forget = Forget {
            connection: self,
            id,
        };
        if self.is_closed() || self.outgoing.send(encode(&head, &body)).await.is_err() {
            return Err(closed(false));
        }
        match tokio::time::timeout(RESPONSE_TIMEOUT, answered).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(closed(true)),
            Err(_) => Err(ExchangeError {
                problem: Problem::new(Code::ResponseTimeout),
                sent: true,
            }),
        }
    }

    /// Where the other side is.
    #[must_use]
    pub(crate) fn address(&self) -> String {
        self.address.clone()
    }

    /// Whether it can no longer be used.
    #[must_use]
    pub(crate) fn is_closed(&self) -> bool {
        self.channel.cut.is_cancelled()
    }

    /// Cuts it at once.
    pub(crate) fn close(&self) {
        self.channel.cut.cancel();
    }

    /// Waits until it is cut.
    pub(crate) async fn closed(&self) {
        self.channel.cut.cancelled().await;
    }
}

/// Takes a waiting request off the list however its wait ended.
struct Forget<'a> {
    connection: &'a HeldConnection,
    id: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.connection.waiting.lock().remove(&self.id);
    }
}

/// Opens a held connection on a dialled one and serves it.
///
/// # Errors
/// The peer's refusal, or what went wrong with the upgrade.
pub(crate) async fn open_held(
    dialled: Dialled,
    speaker: &Speaker,
    parent: &CancellationToken,
    server: impl Serve,
) -> Result<Arc<HeldConnection>, Problem> {
    let channel = Arc::new(Channel::new(
        dialled.remote,
        dialled.handshake.clone(),
        parent.child_token(),
    ));
    let proof = speaker.prove(&channel, "GET", path::HELD, b"");
    let request = upgrade_request(&proof)?;
    let upgrade =
        tokio_tungstenite::client_async_with_config(request, dialled.stream, Some(config()));
    let upgraded = tokio::time::timeout(RESPONSE_TIMEOUT, upgrade)
        .await
        .map_err(|_| Problem::new(Code::ResponseTimeout))?;
    let (socket, _response) = upgraded.map_err(refused)?;
    Ok(run(
        socket,
        channel,
        Side::Holder,
        dialled.address.to_string(),
        server,
    ))
}

/// Serves an upgraded connection that the peer holds.
pub(crate) async fn accept_held<Stream>(
    stream: Stream,
    channel: Arc<Channel>,
    server: impl Serve,
) -> Arc<HeldConnection>
where
    Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config())).await;
    let address = channel.remote.to_string();
    run(socket, channel, Side::Answerer, address, server)
}

fn run<Stream>(
    socket: WebSocketStream<Stream>,
    channel: Arc<Channel>,
    side: Side,
    address: String,
    server: impl Serve,
) -> Arc<HeldConnection>
where
    Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (outgoing, queue) = mpsc::channel(MAX_STREAMS as usize);
    let connection = Arc::new(HeldConnection {
        channel,
        side,
        store: OnceCell::new(),
        address,
        outgoing,
        waiting: Mutex::default(),
        next_id: AtomicU64::new(1),
    });
    let pump = Pump {
        connection: Arc::clone(&connection),
        server: Arc::new(server),
        // The other side can keep this many requests in progress; the rest waits in TCP.
        places: Arc::new(Semaphore::new(MAX_STREAMS as usize)),
    };
    tokio::spawn(pump.run(socket, queue));
    connection
}

struct Pump<Server> {
    connection: Arc<HeldConnection>,
    server: Arc<Server>,
    places: Arc<Semaphore>,
}

impl<Server: Serve> Pump<Server> {
    async fn run<Stream>(self, socket: WebSocketStream<Stream>, mut queue: mpsc::Receiver<Bytes>)
    where
        Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sink, mut source) = socket.split();
        let cut = self.connection.channel.cut.clone();
        let writer_cut = cut.clone();
        let writer = tokio::spawn(async move {
            let mut pings = tokio::time::interval(HELD_PING);
            pings.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                let message = tokio::select! {
                    () = writer_cut.cancelled() => break,
                    Some(frame) = queue.recv() => Message::Binary(frame),
                    _ = pings.tick() => Message::Ping(Bytes::new()),
                };
                let sent = tokio::time::timeout(HELD_SILENCE, sink.send(message)).await;
                if !matches!(sent, Ok(Ok(()))) {
                    break;
                }
            }
            writer_cut.cancel();
            let _ = tokio::time::timeout(std::time::Duration::from_secs(1), sink.close()).await;
        });
        let mut heard = Instant::now();
        loop {
            let patience = HELD_SILENCE.saturating_sub(heard.elapsed());
            let next = tokio::select! {
                () = cut.cancelled() => break,
                next = tokio::time::timeout(patience, source.next()) => next,
            };
            heard = Instant::now();
            match next {
                Ok(Some(Ok(Message::Binary(frame)))) => {
                    if self.take(frame).await.is_none() {
                        break;
                    }
                }
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
                // Silence, an error, the end, a close, or a kind of message that is not ours.
                _ => break,
            }
        }
        cut.cancel();
        self.connection.waiting.lock().clear();
        let _ = writer.await;
    }

    /// `None` ends the connection: the other side does not speak the protocol.
    async fn take(&self, frame: Bytes) -> Option<()> {
        let (head, body) = decode(frame)?;
        match head {
            Head::Response { id, status } => {
                let status = StatusCode::from_u16(status).ok()?;
                // An answer that nobody waits for any more came after its time-out.
                if let Some(waiting) = self.connection.waiting.lock().remove(&id) {
                    let _ = waiting.send(Answer { status, body });
                }
            }
            Head::Request {
                id,
                method,
                path,
                token,
                mac,
            } => {
                let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
                let connection = Arc::clone(&self.connection);
                let server = Arc::clone(&self.server);
                let request = Request {
                    channel: Arc::clone(&connection.channel),
                    method: http::Method::from_bytes(method.as_bytes()).ok()?,
                    path,
                    proof: Some(Proof { token, mac }),
                    body,
                };
                tokio::spawn(async move {
                    let reply = server.serve(request).await;
                    let head = Head::Response {
                        id,
                        status: reply.status.as_u16(),
                    };
                    let _ = connection.outgoing.send(encode(&head, &reply.body)).await;
                    drop(place);
                });
            }
        }
        Some(())
    }
}

fn config() -> WebSocketConfig {
    let largest = MAX_BODY + 16 * 1024;
    WebSocketConfig::default()
        .max_message_size(Some(largest))
        .max_frame_size(Some(largest))
        .read_buffer_size(16 * 1024)
        .write_buffer_size(0)
}

fn upgrade_request(proof: &Proof) -> Result<http::Request<()>, Problem> {
    let mut request = http::Request::builder()
        .uri(format!("wss://peer{}", path::HELD))
        .header("host", "peer")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header(
            "sec-websocket-key",
            tungstenite::handshake::client::generate_key(),
        )
        .header("authorization", format!("{SCHEME}{}", proof.token));
    if let Some(mac) = &proof.mac {
        request = request.header(MAC_HEADER, mac);
    }
    request
        .body(())
        .map_err(|error| Problem::new(Code::Internal).because(error.to_string()))
}

fn refused(error: tungstenite::Error) -> Problem {
    match error {
        tungstenite::Error::Http(response) => {
            let body = Bytes::from(response.body().clone().unwrap_or_default());
            Answer {
                status: response.status(),
                body,
            }
            .problem()
        }
        other => Problem::new(Code::ResponseInvalid)
            .because(format!("The connection could not be held open: {other}.")),
    }
}
