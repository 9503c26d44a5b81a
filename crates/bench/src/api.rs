//! A kept-alive connection to a node's local API, as an agent has one.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

/// One HTTP/1.1 connection.
#[derive(Debug)]
pub(crate) struct Api {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    authorization: Option<String>,
}

/// What a send is answered with, as far as it matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    message_id: String,
    status: String,
    evidence: String,
}

/// What a question is answered with, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Asked {
    status: String,
}

/// A page of messages, oldest first.
#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    /// The messages.
    pub(crate) messages: Vec<Message>,
}

/// A message at its receiver.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    /// Place in the store, by which pages continue.
    pub(crate) seq: i64,
    /// The sender's id for it.
    pub(crate) message_id: String,
}

impl Api {
    /// Connects. The token is needed for reading, not for sending.
    pub(crate) async fn connect(address: SocketAddr, token: Option<&str>) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            host: address.to_string(),
            authorization: token.map(|token| format!("Bearer {token}")),
        })
    }

    /// Sends a message, and returns its id once the receiver's signed word for it is there.
    pub(crate) async fn send(&mut self, body: Bytes) -> Result<String> {
        let answer = self.post("/api/a2a/send", body).await?;
        let sent: Sent = serde_json::from_slice(&answer).context("an answer of another shape")?;
        if sent.status != "delivered" || sent.evidence != "signed" {
            bail!("not delivered: {}", String::from_utf8_lossy(&answer));
        }
        Ok(sent.message_id)
    }

    /// Asks a peer, and returns once its answer is there.
    pub(crate) async fn ask(&mut self, body: Bytes) -> Result<()> {
        let answer = self.post("/api/a2a/ask", body).await?;
        let asked: Asked = serde_json::from_slice(&answer).context("an answer of another shape")?;
        if asked.status != "answered" {
            bail!("not answered: {}", String::from_utf8_lossy(&answer));
        }
        Ok(())
    }

    /// Posts JSON, and returns the body of the answer.
    pub(crate) async fn post(&mut self, path: &str, body: Bytes) -> Result<Bytes> {
        self.request(Method::POST, path, body).await
    }

    /// Messages that arrived after this number.
    pub(crate) async fn arrived_after(&mut self, seq: i64) -> Result<Page> {
        let path = format!("/api/a2a/messages?direction=in&limit=500&after={seq}");
        self.get(&path).await
    }

    async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T> {
        let answer = self.request(Method::GET, path, Bytes::new()).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    async fn request(&mut self, method: Method, path: &str, body: Bytes) -> Result<Bytes> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        self.sender.ready().await?;
        let answer = self
            .sender
            .send_request(request.body(Full::new(body))?)
            .await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            bail!("{path}: {status}: {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }
}
