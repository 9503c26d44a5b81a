//! Frames in and out of a held connection.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::{HeldConnection, Serve};
use crate::clock::Instant;
use crate::limits::{BODY_UNIT, HELD_PING, HELD_SILENCE, MAX_STREAMS};
use crate::line::Answer;
use crate::line::frame::{Head, decode, encode};
use crate::protocol::{Proof, Request};

/// What runs a connection.
pub(super) struct Pump<Server> {
    connection: Arc<HeldConnection>,
    server: Arc<Server>,
    /// The other side can keep this many requests in progress; the rest waits in TCP.
    places: Arc<Semaphore>,
    /// Room for the bodies of its requests, over all its connections.
    bodies: Arc<Semaphore>,
}

impl<Server: Serve> Pump<Server> {
    pub(super) fn new(
        connection: Arc<HeldConnection>,
        server: Server,
        bodies: Arc<Semaphore>,
    ) -> Self {
        Self {
            connection,
            server: Arc::new(server),
            places: Arc::new(Semaphore::new(MAX_STREAMS as usize)),
            bodies,
        }
    }

    pub(super) async fn run<Stream>(
        self,
        socket: WebSocketStream<Stream>,
        mut queue: mpsc::Receiver<Bytes>,
    ) where
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
                let room = self.room(body.len()).await?;
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
                    // The body is gone. Held until the answer has left, two sides that send much
                    // could wait for each other.
                    drop(room);
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

    /// Waits for room for a body: nothing more is read from the connection meanwhile.
    async fn room(&self, length: usize) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(length.div_ceil(BODY_UNIT)).ok()?;
        let bodies = Arc::clone(&self.bodies);
        tokio::select! {
            room = bodies.acquire_many_owned(units) => room.ok(),
            () = self.connection.channel.cut.cancelled() => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Notify;
    use tokio_tungstenite::tungstenite::protocol::Role;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::line::held::accept_held;
    use crate::protocol::{Channel, Reply, Request};
    use crate::tls::Handshake;

    /// Serves nothing until it is told to.
    #[derive(Clone, Default)]
    struct Slow {
        begun: Arc<AtomicUsize>,
        goes_on: Arc<Notify>,
        changed: Arc<Notify>,
    }

    impl Serve for Slow {
        async fn serve(&self, request: Request) -> Reply {
            self.begun.fetch_add(1, Ordering::SeqCst);
            self.changed.notify_one();
            self.goes_on.notified().await;
            let status = StatusCode::OK;
            let body = request.body.slice(..2);
            Reply { status, body }
        }
    }

    #[tokio::test]
    async fn bodies_in_frames_wait_for_their_share_of_the_memory() {
        let (near, far) = tokio::io::duplex(1 << 20);
        let handshake = Handshake {
            tls_key: None,
            channel: [0; 32],
            pair_secret: zeroize::Zeroizing::new([0; 32]),
        };
        let remote = "127.0.0.1:1".parse().unwrap();
        let channel = Arc::new(Channel::new(remote, handshake, CancellationToken::new()));
        let bodies = Arc::new(Semaphore::new(4));
        let server = Slow::default();
        let _held = accept_held(near, channel, &bodies, server.clone()).await;
        let mut caller = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
        let body = [b'x'; BODY_UNIT];
        for id in 0..10 {
            let head = Head::Request {
                id,
                method: "POST".into(),
                path: "/".into(),
                token: String::new(),
                mac: None,
            };
            let frame = Message::Binary(encode(&head, &body));
            caller.send(frame).await.unwrap();
        }
        let begun = || server.begun.load(Ordering::SeqCst);
        for answered in 0..10 {
            // All that there is room for, and not one more.
            let most = (answered + 4).min(10);
            while begun() < most {
                server.changed.notified().await;
            }
            assert_eq!(
                (begun(), bodies.available_permits()),
                (most, 4 + answered - most)
            );
            server.goes_on.notify_one();
            while !matches!(caller.next().await, Some(Ok(Message::Binary(_)))) {}
        }
        assert_eq!(bodies.available_permits(), 4);
    }
}
