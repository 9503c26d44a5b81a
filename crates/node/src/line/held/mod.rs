//! The held connection: one WebSocket, kept open by the side that cannot be dialled, over which
//! both sides make requests.

mod open;
mod pump;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::StoreId;
use tokio::sync::{OnceCell, mpsc, oneshot};

use super::frame::{Head, encode};
use super::{Answer, ExchangeError, Speaker};
use crate::limits::RESPONSE_TIMEOUT;
use crate::protocol::{Channel, Proof, Reply, Request};

pub(crate) use open::{accept_held, open_held};

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
