//! A bare HTTP/2 client on rustls, and the loops that measure with it.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::header::CONTENT_TYPE;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::commits::{self, rate};
use crate::sample::{Percentiles, Times};
use crate::workload::{AT_ONCE, Workload};

/// One HTTP/2 connection to the floor's server.
#[derive(Debug, Clone)]
pub(crate) struct FloorClient {
    sender: SendRequest<Full<Bytes>>,
}

/// Opens connections to the floor's server.
#[derive(Debug)]
pub(crate) struct Connector {
    pub(super) address: SocketAddr,
    pub(super) tls: Arc<ClientConfig>,
}

impl Connector {
    /// Connects, with a full handshake.
    pub(crate) async fn connect(&self) -> Result<FloorClient> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::from(IpAddr::from(Ipv4Addr::LOCALHOST));
        let tls = TlsConnector::from(Arc::clone(&self.tls));
        let stream = tls.connect(name, stream).await?;
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(FloorClient { sender })
    }
}

impl FloorClient {
    /// One round trip.
    pub(crate) async fn echo(&mut self, body: Bytes) -> Result<()> {
        self.post("/echo", body).await
    }

    /// One round trip with a commit on the other side.
    pub(crate) async fn store(&mut self, body: Bytes) -> Result<()> {
        self.post("/store", body).await
    }

    async fn post(&mut self, path: &str, body: Bytes) -> Result<()> {
        self.sender.ready().await?;
        let request = Request::post(format!("https://floor{path}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        let answer = self.sender.send_request(request).await?;
        ensure!(answer.status() == StatusCode::OK, "{}", answer.status());
        answer.into_body().collect().await?;
        Ok(())
    }

    /// Round trips one at a time.
    pub(crate) async fn round_trips(
        &self,
        body: &Bytes,
        workload: &Workload,
    ) -> Result<Percentiles> {
        let mut client = self.clone();
        for _ in 0..workload.warm_up {
            client.post("/echo", body.clone()).await?;
        }
        let mut times = Times::default();
        let began = Instant::now();
        for _ in 0..workload.one_at_a_time {
            let started = Instant::now();
            client.post("/echo", body.clone()).await?;
            times.push(started.elapsed());
            if began.elapsed() > workload.longest {
                break;
            }
        }
        Ok(times.percentiles())
    }

    /// The steps of a durable delivery and nothing else, one at a time: a commit here, a round
    /// trip with a commit there, and a commit here.
    pub(crate) async fn durable_steps(
        &self,
        file: &Path,
        body: &Bytes,
        workload: &Workload,
    ) -> Result<Percentiles> {
        let conn = commits::open(file)?;
        let mut client = self.clone();
        let mut times = Times::default();
        let began = Instant::now();
        for round in 0..workload.warm_up + workload.one_at_a_time {
            let started = Instant::now();
            commits::insert(&conn)?;
            client.post("/store", body.clone()).await?;
            commits::insert(&conn)?;
            if round >= workload.warm_up {
                times.push(started.elapsed());
            }
            if began.elapsed() > workload.longest {
                break;
            }
        }
        Ok(times.percentiles())
    }

    /// Round trips a second with many at once.
    pub(crate) async fn rate(&self, body: &Bytes, workload: &Workload) -> Result<f64> {
        let left = Cell::new(workload.many);
        let began = Instant::now();
        let workers = (0..AT_ONCE).map(|_| async {
            let mut client = self.clone();
            while let Some(next) = left.get().checked_sub(1) {
                if began.elapsed() > workload.longest {
                    break;
                }
                left.set(next);
                client.post("/echo", body.clone()).await?;
            }
            anyhow::Ok(())
        });
        futures_util::future::try_join_all(workers).await?;
        Ok(rate(workload.many - left.get(), began.elapsed()))
    }
}
