//! The line to one peer: the connections that carry requests to it.
//!
//! A request goes over a direct connection that is open, else over the connection that one side
//! holds, else over a new direct one. All of them are bound to the peer's pin.

mod answer;
mod dial;
mod direct;
mod frame;
mod held;
mod named;

use std::sync::Arc;

use parking_lot::Mutex;
use tieline_wire::receipt::StoreId;
use tokio::sync::{Notify, OnceCell};

pub(crate) use answer::{Answer, ExchangeError, Speaker, retold_dial};
pub(crate) use dial::{Dialled, Timings, dial};
pub(crate) use direct::DirectConnection;
pub(crate) use held::{HeldConnection, Serve, Side, accept_held, open_held};
pub(crate) use named::named;

use crate::model::Via;

/// One connection that can carry a request.
#[derive(Clone)]
pub(crate) enum Connection {
    /// HTTP/2 over a connection that this node dialled.
    Direct(Arc<DirectConnection>),
    /// Frames on the WebSocket that one side holds.
    Held(Arc<HeldConnection>),
}

impl Connection {
    /// How front ends call it.
    #[must_use]
    pub(crate) fn via(&self) -> Via {
        match self {
            Self::Direct(_) => Via::Direct,
            Self::Held(_) => Via::Held,
        }
    }

    /// Where the other side is.
    #[must_use]
    pub(crate) fn address(&self) -> String {
        match self {
            Self::Direct(connection) => connection.address(),
            Self::Held(connection) => connection.address(),
        }
    }

    /// The database at its other end, once that has been asked.
    #[must_use]
    pub(crate) fn store(&self) -> &OnceCell<StoreId> {
        match self {
            Self::Direct(connection) => &connection.store,
            Self::Held(connection) => &connection.store,
        }
    }

    /// Sends a `POST` and waits for its answer.
    ///
    /// # Errors
    /// What failed, and whether the request may have reached the peer.
    pub(crate) async fn exchange(
        &self,
        speaker: &Speaker,
        path: &str,
        body: bytes::Bytes,
    ) -> Result<Answer, ExchangeError> {
        match self {
            Self::Direct(connection) => connection.exchange(speaker, path, body).await,
            Self::Held(connection) => connection.exchange(speaker, path, body).await,
        }
    }
}

/// The connections to one peer.
#[derive(Default)]
pub(crate) struct Line {
    direct: Mutex<Option<Arc<DirectConnection>>>,
    held: Mutex<Option<Arc<HeldConnection>>>,
    /// One dial at a time; the others wait for its connection.
    dialling: tokio::sync::Mutex<()>,
    /// Told when the peer's held connection comes up.
    held_up: Notify,
}

impl Line {
    /// An open connection, if there is one.
    #[must_use]
    pub(crate) fn open(&self) -> Option<Connection> {
        self.open_direct()
            .map(Connection::Direct)
            .or_else(|| self.open_held().map(Connection::Held))
    }

    /// The open direct connection.
    #[must_use]
    pub(crate) fn open_direct(&self) -> Option<Arc<DirectConnection>> {
        let mut direct = self.direct.lock();
        if direct
            .as_ref()
            .is_some_and(|connection| connection.is_closed())
        {
            *direct = None;
        }
        direct.clone()
    }

    /// The open held connection.
    #[must_use]
    pub(crate) fn open_held(&self) -> Option<Arc<HeldConnection>> {
        let mut held = self.held.lock();
        if held
            .as_ref()
            .is_some_and(|connection| connection.is_closed())
        {
            *held = None;
        }
        held.clone()
    }

    /// Waits for the turn to dial.
    pub(crate) async fn dialling(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.dialling.lock().await
    }

    /// Puts a new direct connection in the place of the old one.
    pub(crate) fn set_direct(&self, connection: Arc<DirectConnection>) {
        if let Some(old) = self.direct.lock().replace(connection) {
            old.retire();
        }
    }

    /// Puts a new held connection in the place of the old one, which is closed.
    pub(crate) fn set_held(&self, connection: Arc<HeldConnection>) {
        if let Some(old) = self.held.lock().replace(connection) {
            old.close();
        }
        self.held_up.notify_waiters();
    }

    /// Waits until a held connection is open.
    pub(crate) async fn held(&self) -> Arc<HeldConnection> {
        loop {
            let up = self.held_up.notified();
            tokio::pin!(up);
            // Registered before looking, so that one that comes up in between is not missed.
            up.as_mut().enable();
            if let Some(held) = self.open_held() {
                return held;
            }
            up.await;
        }
    }

    /// Forgets a connection that failed.
    pub(crate) fn drop_connection(&self, failed: &Connection) {
        match failed {
            Connection::Direct(failed) => {
                let mut direct = self.direct.lock();
                if direct
                    .as_ref()
                    .is_some_and(|open| Arc::ptr_eq(open, failed))
                {
                    *direct = None;
                }
                failed.close();
            }
            Connection::Held(failed) => {
                let mut held = self.held.lock();
                if held.as_ref().is_some_and(|open| Arc::ptr_eq(open, failed)) {
                    *held = None;
                }
                failed.close();
            }
        }
    }

    /// Cuts the direct connection. Requests in progress go on over a new one.
    pub(crate) fn cut_direct(&self) {
        if let Some(old) = self.direct.lock().take() {
            old.close();
        }
    }

    /// Cuts everything at once.
    pub(crate) fn cut(&self) {
        if let Some(direct) = self.direct.lock().take() {
            direct.close();
        }
        if let Some(held) = self.held.lock().take() {
            held.close();
        }
    }

    /// Closes a direct connection that nothing used for a while.
    pub(crate) fn close_idle(&self) {
        let mut direct = self.direct.lock();
        if direct
            .as_ref()
            .is_some_and(|connection| connection.is_idle())
            && let Some(idle) = direct.take()
        {
            idle.close();
        }
    }
}
