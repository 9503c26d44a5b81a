//! The null responder: an OpenAI-compatible endpoint that says one word and does nothing else.

use std::env;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::process::Command;

use super::series::{Case, Series, series};
use crate::api::Api;
use crate::child::Running;
use crate::workload::{AskWorkload, TEXT};

/// Every answer.
pub(crate) const WORD: &str = "yes";
const COMPLETION: &str = r#"{"choices":[{"message":{"role":"assistant","content":"yes"}}]}"#;
const PATH: &str = "/v1/chat/completions";

/// The running process.
#[derive(Debug)]
pub(crate) struct NullResponder {
    process: Running,
    address: SocketAddr,
    /// Its base, as a node is told.
    url: String,
}

impl NullResponder {
    /// Starts this program as the responder.
    pub(crate) async fn start() -> Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.arg("null-responder");
        let (process, line) = Running::start(command).await?;
        let address: SocketAddr = line.parse().context("the responder said no address")?;
        Ok(Self {
            process,
            address,
            url: format!("http://{address}/v1"),
        })
    }

    /// The order that makes it a node's responder.
    pub(crate) fn as_responder(&self) -> [&str; 5] {
        ["responder", "endpoint", &self.url, "--model", "null"]
    }

    /// Asks it as a node does: over a connection for this one question.
    pub(crate) async fn ask(&self) -> Result<()> {
        let body = serde_json::json!({
            "model": "null",
            "messages": [{"role": "user", "content": TEXT}],
            "stream": false,
        });
        let mut connection = Api::connect(self.address, None).await?;
        connection.post(PATH, body.to_string().into()).await?;
        Ok(())
    }

    /// The responder alone, one question at a time.
    pub(crate) async fn series_of(&self, workload: &AskWorkload) -> Result<Series> {
        series(vec![()], Case::ALONE, workload, async |()| self.ask().await).await
    }

    /// Ends it.
    pub(crate) async fn stop(self) -> Result<()> {
        self.process.kill().await
    }
}

/// Is the responder: prints its address, then answers until it is killed.
pub(crate) fn serve() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let router = Router::new().route(PATH, post(answer));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        axum::serve(listener, router).await?;
        Ok(())
    })
}

async fn answer(_: Bytes) -> ([(axum::http::HeaderName, &'static str); 1], &'static str) {
    ([(CONTENT_TYPE, "application/json")], COMPLETION)
}
