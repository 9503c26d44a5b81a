//! abTARS machines that ask a node with signed requests.

use std::cell::Cell;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519, PublicKeyData, SigningKey};
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::net::TcpSocket;
use tokio_rustls::TlsConnector;

use super::budget::Budget;
use super::series::{Case, Series, series};
use crate::floor::pinned_client;
use crate::node::Node;
use crate::workload::{AskWorkload, TEXT};

/// What the machines are called. A peer has 16 connections at a node, and one that was just closed
/// counts until the node has seen it; two machines take turns.
const NAMES: [&str; 2] = ["machine-a", "machine-b"];
const PATH: &str = "/v1/chat/completions";

/// The machines, and what they know of the node.
pub(crate) struct Machines {
    keys: [KeyPair; 2],
    /// What the node calls itself; every text is tagged for it.
    node: String,
    address: SocketAddr,
    tls: Arc<ClientConfig>,
    /// Counts connections, so that they come from addresses in turn.
    connections: Cell<u8>,
    /// Counts requests; a part of their nonces.
    requests: Cell<u64>,
}

/// What a node says of itself among abTARS machines.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Own {
    name: String,
    cert_pem: String,
}

/// An answer, as far as it matters here.
#[derive(Deserialize)]
struct Completion {
    choices: Vec<serde_json::Value>,
}

/// A connection, and the place of its machine among [`NAMES`].
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    machine: usize,
}

impl Machines {
    /// A node reads four bodies at once from one address before it knows whose they are. Only Linux
    /// has the whole loopback network, from which they can come with many addresses.
    pub(crate) const POSSIBLE: bool = cfg!(target_os = "linux");

    /// Makes the machines' keys and adds them to the node.
    pub(crate) async fn add(node: &Node) -> Result<Self> {
        let new_key = || KeyPair::generate_for(&PKCS_ED25519);
        let keys = [new_key()?, new_key()?];
        for (name, key) in NAMES.into_iter().zip(&keys) {
            let certificate = CertificateParams::new(vec![name.to_owned()])?.self_signed(key)?;
            let entry = serde_json::json!({ name: {
                "host": "127.0.0.1",
                // They only ask; nothing listens there.
                "port": 9,
                "verifyKey": STANDARD.encode(key.subject_public_key_info()),
                "certFingerprint": hex(&Sha256::digest(certificate.der())),
                "certPem": certificate.pem(),
            }});
            node.run(&["peers", "add", "-"], &entry.to_string()).await?;
        }
        let own: Own = serde_json::from_str(&node.run(&["abtars", "--json"], "").await?)?;
        let shown = CertificateDer::from_pem_slice(own.cert_pem.as_bytes())
            .context("the node's certificate is not PEM")?;
        Ok(Self {
            keys,
            node: own.name,
            address: node.peer,
            tls: pinned_client(shown)?,
            connections: Cell::new(0),
            requests: Cell::new(0),
        })
    }

    /// One question over a connection of its own.
    pub(crate) async fn ask_once(&self) -> Result<()> {
        self.ask(&mut self.connect().await?).await
    }

    /// Lets the node allow each machine so many questions more.
    pub(crate) async fn budget(&self, node: &Node, asks: usize) -> Result<()> {
        for name in NAMES {
            Budget::inward(name).allow(node, asks).await?;
        }
        Ok(())
    }

    /// One series; kept or new is the TLS connection to the node.
    pub(crate) async fn series_of(&self, case: Case, workload: &AskWorkload) -> Result<Series> {
        if case.kept {
            let mut lanes = Vec::new();
            for _ in 0..case.at_once {
                lanes.push(self.connect().await?);
            }
            let ask = async |connection: &mut Connection| self.ask(connection).await;
            series(lanes, case, workload, ask).await
        } else {
            let ask = async |(): &mut ()| self.ask_once().await;
            series(vec![(); case.at_once], case, workload, ask).await
        }
    }

    async fn connect(&self) -> Result<Connection> {
        let turn = self.connections.get();
        self.connections.set((turn + 1) % 250);
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::new(127, 0, 0, 2 + turn), 0).into())?;
        let stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::from(self.address.ip());
        let tls = TlsConnector::from(Arc::clone(&self.tls));
        let stream = tls.connect(name, stream).await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let machine = usize::from(turn) % NAMES.len();
        Ok(Connection { sender, machine })
    }

    /// A tagged question in a signed request, and its answer.
    async fn ask(&self, connection: &mut Connection) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let Connection { sender, machine } = connection;
        let (name, key) = (NAMES[*machine], &self.keys[*machine]);
        let (seconds, number) = (now.as_secs(), self.requests.get());
        self.requests.set(number + 1);
        let nonce = format!("{:016x}{number:016x}", now.subsec_nanos());
        let tag = sign(key, &format!("{name}|{}|{seconds}|{TEXT}", self.node))?;
        let body = serde_json::json!({
            "model": "default",
            "messages": [{ "role": "user", "content": format!("{TEXT} [sig:{seconds}:{tag}]") }],
        })
        .to_string();
        let digest = hex(&Sha256::digest(&body));
        let proven = format!("abtars-req-v1\nPOST\n{PATH}\n{seconds}\n{nonce}\n{digest}");
        let proof = sign(key, &proven)?;
        let request = Request::post(PATH)
            .header(HOST, self.address.to_string())
            .header(CONTENT_TYPE, "application/json")
            .header("X-Peer-Id", name)
            .header("X-Peer-Ts", seconds)
            .header("X-Peer-Nonce", nonce)
            .header("X-Peer-Sig", proof)
            .header("X-Peer-Hops", "12")
            .body(Full::new(Bytes::from(body)))?;
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        let completion = serde_json::from_slice::<Completion>(&body);
        let choices = completion.map(|it| it.choices).unwrap_or_default();
        match choices.first() {
            Some(choice) if choice["message"]["content"] == super::null::WORD => Ok(()),
            _ => bail!("{PATH}: {status}: {}", String::from_utf8_lossy(&body)),
        }
    }
}

fn sign(key: &KeyPair, text: &str) -> Result<String> {
    Ok(STANDARD.encode(key.sign(text.as_bytes())?))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
