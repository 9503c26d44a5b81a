//! The accept loop under both listeners: HTTP/1.1 over any stream, bounded and stoppable.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::limits;

/// A listener that hands out streams.
pub(crate) trait Accept: Send + 'static {
    /// What it hands out.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Waits for the next connection.
    fn accept(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Accept for tokio::net::TcpListener {
    type Stream = tokio::net::TcpStream;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        let (stream, _) = tokio::net::TcpListener::accept(self).await?;
        // Answers are small and waited for; without this Nagle's algorithm may hold one back.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// A running listener. Dropping it stops it without waiting for requests in flight.
#[derive(Debug)]
pub(crate) struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    /// Serves `router` on `listener`. `stop` ends long polls and event streams too, so it is
    /// handed to the router as well.
    pub(crate) fn start(listener: impl Accept, router: Router, stop: CancellationToken) -> Self {
        let task = tokio::spawn(accept_loop(listener, router, stop.clone()));
        Self { stop, task }
    }

    /// Takes no more connections, lets requests in flight finish for a few seconds, then returns.
    pub(crate) async fn shutdown(mut self) {
        self.stop.cancel();
        // An error means that the loop panicked or was aborted: it has stopped either way.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn accept_loop<A: Accept>(mut listener: A, router: Router, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(limits::MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            break;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok(stream) => {
                let serving = serve_connection(stream, router.clone(), stop.clone());
                connections.spawn(async move {
                    serving.await;
                    drop(slot);
                });
            }
            Err(error) => {
                // Out of descriptors, or a client that was gone again: neither ends the listener.
                tracing::warn!(%error, "could not accept a local connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(limits::DRAIN_TIME, connections.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            open = connections.len(),
            "closing local connections that are still busy"
        );
    }
}

async fn serve_connection<S>(stream: S, router: Router, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits::HEAD_TIMEOUT)
        .max_buf_size(limits::MAX_HEAD_BYTES)
        .half_close(true);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(limits::DRAIN_TIME, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a local connection ended early");
    }
}
