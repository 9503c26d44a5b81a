//! The WebSocket that a peer holds open, spoken by hand.

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::actor::{HELD, Paired, Proof};
use crate::tunnel::{Answer, Tunnel};
use crate::world::SOON;

pub struct Held {
    pub socket: WebSocketStream<TlsStream<TcpStream>>,
    pub channel: [u8; 32],
    /// The proof that the upgrade carried.
    pub upgrade: Proof,
    next: u64,
    /// Requests of the engine that came while an answer was waited for.
    requests: Vec<(Value, Bytes)>,
}

impl Held {
    pub async fn open(peer: &Paired) -> Result<Self, tungstenite::Error> {
        let tunnel = Tunnel::open(peer.address, Some(&peer.actor), "http/1.1").await?;
        let claims = peer.claims_on(tunnel.channel, 1, "GET", HELD, b"");
        Self::upgrade(tunnel, peer.sign(&claims)).await
    }

    pub async fn upgrade(tunnel: Tunnel, proof: Proof) -> Result<Self, tungstenite::Error> {
        let mut request = hyper::Request::builder()
            .uri(format!("wss://peer{HELD}"))
            .header("host", "peer")
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header(
                "sec-websocket-key",
                tungstenite::handshake::client::generate_key(),
            )
            .header("authorization", format!("Tieline {}", proof.token));
        if let Some(mac) = &proof.mac {
            request = request.header("x-tieline-mac", mac);
        }
        let request = request.body(()).unwrap();
        let (socket, _) = tokio_tungstenite::client_async(request, tunnel.stream).await?;
        Ok(Self {
            socket,
            channel: tunnel.channel,
            upgrade: proof,
            next: 1,
            requests: Vec::new(),
        })
    }

    pub fn proof(&mut self, peer: &Paired, path: &str, body: &[u8]) -> Proof {
        self.next += 1;
        peer.sign(&peer.claims_on(self.channel, self.next, "POST", path, body))
    }

    /// Sends a request as a frame and waits for its answer; `None` where the connection ended.
    pub async fn ask(&mut self, path: &str, body: &[u8], proof: &Proof) -> Option<Answer> {
        self.next += 1;
        let id = self.next;
        let mut head =
            json!({"t": "req", "id": id, "method": "POST", "path": path, "token": proof.token});
        if let Some(mac) = &proof.mac {
            head["mac"] = json!(mac);
        }
        self.send(frame(&head, body)).await.ok()?;
        loop {
            let (head, body) = self.next_frame().await?;
            if head["t"] == "res" && head["id"] == id {
                return Some(Answer {
                    status: u16::try_from(head["status"].as_u64()?).ok()?,
                    json: serde_json::from_slice(&body).unwrap_or(Value::Null),
                });
            }
            self.requests.push((head, body));
        }
    }

    /// The next request of the engine: its id, path, proof and body.
    pub async fn next_request(&mut self) -> (u64, String, Proof, Bytes) {
        let (head, body) = match self.requests.pop() {
            Some(waiting) => waiting,
            None => self.next_frame().await.unwrap(),
        };
        let text = |key: &str| head[key].as_str().map(str::to_owned);
        let proof = Proof {
            token: text("token").unwrap(),
            mac: text("mac"),
        };
        (
            head["id"].as_u64().unwrap(),
            text("path").unwrap(),
            proof,
            body,
        )
    }

    pub async fn answer(&mut self, id: u64, status: u16, body: &Value) {
        let head = json!({"t": "res", "id": id, "status": status});
        let frame = frame(&head, body.to_string().as_bytes());
        self.send(frame).await.unwrap();
    }

    pub async fn send(&mut self, frame: Bytes) -> Result<(), tungstenite::Error> {
        self.socket.send(Message::Binary(frame)).await
    }

    /// Waits for the end, and says how often the engine still checked the line before it.
    pub async fn end(&mut self) -> usize {
        let mut checks = 0;
        loop {
            let next = tokio::time::timeout(SOON, self.socket.next()).await;
            match next.expect("neither a frame nor an end") {
                Some(Ok(Message::Ping(_))) => checks += 1,
                Some(Ok(Message::Binary(_) | Message::Pong(_))) => {}
                _ => return checks,
            }
        }
    }

    /// The next frame; `None` where the connection ended.
    pub async fn next_frame(&mut self) -> Option<(Value, Bytes)> {
        loop {
            let next = tokio::time::timeout(SOON, self.socket.next()).await;
            match next.expect("neither a frame nor an end") {
                Some(Ok(Message::Binary(frame))) => return Some(parse(frame)),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return None,
            }
        }
    }
}

pub fn frame(head: &Value, body: &[u8]) -> Bytes {
    let head = head.to_string();
    let length = u32::try_from(head.len()).unwrap().to_be_bytes();
    [&length[..], head.as_bytes(), body].concat().into()
}

fn parse(frame: Bytes) -> (Value, Bytes) {
    let length = u32::from_be_bytes(frame[..4].try_into().unwrap()) as usize;
    let head = serde_json::from_slice(&frame[4..4 + length]).unwrap();
    (head, frame.slice(4 + length..))
}
