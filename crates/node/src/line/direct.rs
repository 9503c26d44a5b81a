//! A direct connection: HTTP/2 over a TLS connection that this node dialled.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::StoreId;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::{Answer, Dialled, ExchangeError, Speaker, Timings};
use crate::clock::Instant;
use crate::limits::{IDLE_TIMEOUT, MAX_BODY, RESPONSE_TIMEOUT};
use crate::protocol::{Channel, MAC_HEADER, SCHEME};

/// How often an open connection is checked, so that a dead one is not used.
const KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(20);
/// How long the check may take.
const KEEP_ALIVE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// A direct connection.
pub(crate) struct DirectConnection {
    sender: http2::SendRequest<Full<Bytes>>,
    /// The TLS connection.
    pub channel: Arc<Channel>,
    /// Time that dialling took.
    pub timings: Timings,
    /// The address as the peer's record writes it.
    pub dialled: tieline_wire::address::Address,
    /// The database at its other end, once that has been asked.
    pub store: OnceCell<StoreId>,
    used: Mutex<Instant>,
}

impl DirectConnection {
    /// Speaks HTTP/2 on a dialled connection.
    ///
    /// # Errors
    /// `RESPONSE_INVALID` where the other side does not.
    pub(crate) async fn start(
        dialled: Dialled,
        parent: &CancellationToken,
    ) -> Result<Arc<Self>, Problem> {
        let cut = parent.child_token();
        let (sender, connection) = http2::Builder::new(UntilCut(cut.clone()))
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
            .keep_alive_while_idle(true)
            .max_header_list_size(16 * 1024)
            .handshake(TokioIo::new(dialled.stream))
            .await
            .map_err(|error| Problem::new(Code::ResponseInvalid).because(format!("{error}.")))?;
        let stop = cut.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = connection => {}
                () = stop.cancelled() => {}
            }
            stop.cancel();
        });
        Ok(Arc::new(Self {
            sender,
            channel: Arc::new(Channel::new(dialled.remote, dialled.handshake, cut)),
            timings: dialled.timings,
            dialled: dialled.address,
            store: OnceCell::new(),
            used: Mutex::new(Instant::now()),
        }))
    }

    /// `POST`s with a proof.
    ///
    /// # Errors
    /// What failed, and whether the request may have reached the peer.
    pub(crate) async fn exchange(
        &self,
        speaker: &Speaker,
        path: &str,
        body: Bytes,
    ) -> Result<Answer, ExchangeError> {
        let proof = speaker.prove(&self.channel, "POST", path, &body);
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.uri(path))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("{SCHEME}{}", proof.token));
        if let Some(mac) = proof.mac {
            request = request.header(MAC_HEADER, mac);
        }
        self.send(request, body).await
    }

    /// `POST`s without a proof: the steps of joining, which bring their own.
    ///
    /// # Errors
    /// As [`DirectConnection::exchange`].
    pub(crate) async fn exchange_unproven(
        &self,
        path: &str,
        body: Bytes,
    ) -> Result<Answer, ExchangeError> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.uri(path))
            .header(header::CONTENT_TYPE, "application/json");
        self.send(request, body).await
    }

    async fn send(
        &self,
        request: http::request::Builder,
        body: Bytes,
    ) -> Result<Answer, ExchangeError> {
        let request = request
            .body(Full::new(body))
            .map_err(|error| ExchangeError {
                problem: Problem::new(Code::Internal).because(error.to_string()),
                sent: false,
            })?;
        *self.used.lock() = Instant::now();
        let mut sender = self.sender.clone();
        let unsent = |error: hyper::Error| ExchangeError {
            problem: Problem::new(Code::Unreachable)
                .because(format!("The connection closed: {error}.")),
            sent: false,
        };
        sender.ready().await.map_err(unsent)?;
        let answered = tokio::time::timeout(RESPONSE_TIMEOUT, async {
            let response = sender.send_request(request).await?;
            let (head, body) = response.into_parts();
            Ok((head.status, Limited::new(body, MAX_BODY).collect().await))
        });
        match answered.await {
            Ok(Ok((status, Ok(body)))) => Ok(Answer {
                status,
                body: body.to_bytes(),
            }),
            Ok(Ok((_, Err(error)))) => Err(ExchangeError {
                problem: Problem::new(Code::ResponseInvalid).because(format!("{error}.")),
                sent: true,
            }),
            Ok(Err(error)) => Err(lost(&error)),
            Err(_) => Err(ExchangeError {
                problem: Problem::new(Code::ResponseTimeout),
                sent: true,
            }),
        }
    }

    fn uri(&self, path: &str) -> String {
        // HTTP/2 wants an authority; peers do not look at it.
        format!("https://peer{path}")
    }

    /// Where the peer was dialled.
    #[must_use]
    pub(crate) fn address(&self) -> String {
        self.dialled.to_string()
    }

    /// Whether it can no longer be used.
    #[must_use]
    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed() || self.channel.cut.is_cancelled()
    }

    /// Whether nothing used it for a while.
    #[must_use]
    pub(crate) fn is_idle(&self) -> bool {
        self.used.lock().elapsed() > IDLE_TIMEOUT
    }

    /// Cuts it at once.
    pub(crate) fn close(&self) {
        self.channel.cut.cancel();
    }

    /// Lets requests in progress end; it closes when the last user drops it.
    pub(crate) fn retire(&self) {
        let cut = self.channel.cut.clone();
        tokio::spawn(async move {
            tokio::time::sleep(RESPONSE_TIMEOUT).await;
            cut.cancel();
        });
    }
}

/// Runs the tasks of a connection, the one that owns the socket among them, until it is cut. With
/// them end the requests in progress.
#[derive(Clone)]
struct UntilCut(CancellationToken);

impl<Task> hyper::rt::Executor<Task> for UntilCut
where
    Task: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, task: Task) {
        let cut = self.0.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = task => {}
                () = cut.cancelled() => {}
            }
        });
    }
}

fn lost(error: &hyper::Error) -> ExchangeError {
    ExchangeError {
        problem: Problem::new(Code::ResponseTimeout)
            .summary("The connection broke before the peer answered.")
            .because(format!("{error}.")),
        // A cancelled request was still in this process's hands.
        sent: !error.is_canceled(),
    }
}
