//! Bare axum on rustls in a process of its own: the other side of the floors.

use std::env;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use hyper::StatusCode;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rusqlite::Connection;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio_rustls::TlsAcceptor;

use super::identity::Identity;
use super::{client, commits};
use crate::child::Running;

const SERVER: &str = "server";
const CLIENT: &str = "client";

/// The running server process.
#[derive(Debug)]
pub(crate) struct FloorServer {
    process: Running,
    address: SocketAddr,
}

impl FloorServer {
    /// Starts this program as the server, with keys and a database in `dir`.
    pub(crate) async fn start(dir: &Path) -> Result<Self> {
        if !dir.exists() {
            std::fs::create_dir_all(dir)?;
            Identity::create(dir, SERVER)?;
            Identity::create(dir, CLIENT)?;
        }
        let mut command = Command::new(env::current_exe()?);
        command.arg("floor-server").arg(dir);
        let (process, line) = Running::start(command).await?;
        let address = line.parse().context("the floor's server said no address")?;
        Ok(Self { process, address })
    }

    /// Connects to it.
    pub(crate) async fn connect(&self, dir: &Path) -> Result<client::FloorClient> {
        self.connector(dir)?.connect().await
    }

    /// What opens connections to it.
    pub(crate) fn connector(&self, dir: &Path) -> Result<client::Connector> {
        let (own, other) = (Identity::load(dir, CLIENT)?, Identity::load(dir, SERVER)?);
        Ok(client::Connector {
            address: self.address,
            tls: own.client_config(&other)?,
        })
    }

    /// Its process.
    pub(crate) fn process(&self) -> &Running {
        &self.process
    }

    /// Ends it.
    pub(crate) async fn stop(self) -> Result<()> {
        self.process.kill().await
    }
}

/// Is the server: prints its address, then serves until it is killed.
pub(crate) fn serve(dir: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(listen(dir))
}

type Database = Arc<Mutex<Connection>>;

async fn listen(dir: &Path) -> Result<()> {
    let (own, other) = (Identity::load(dir, SERVER)?, Identity::load(dir, CLIENT)?);
    let acceptor = TlsAcceptor::from(own.server_config(&other)?);
    let database = Arc::new(Mutex::new(commits::open(&dir.join("server.db"))?));
    let router = Router::new()
        .route("/echo", post(|body: Bytes| async { body }))
        .route("/store", post(store))
        .with_state(database);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(connection(acceptor.clone(), stream, router.clone()));
    }
}

async fn connection(acceptor: TlsAcceptor, stream: TcpStream, router: Router) {
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let service = TowerToHyperService::new(router);
    let _ = Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Commits a row of the body's size, then answers.
async fn store(
    State(database): State<Database>,
    body: Bytes,
) -> Result<Bytes, (StatusCode, String)> {
    let stored = tokio::task::block_in_place(|| {
        commits::insert(&database.lock().unwrap_or_else(PoisonError::into_inner))
    });
    match stored {
        Ok(()) => Ok(body),
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}
