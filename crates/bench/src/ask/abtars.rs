//! An abTARS machine that asks a node with signed requests.

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

/// What the machine is called.
const NAME: &str = "machine";
const PATH: &str = "/v1/chat/completions";

/// The machine, and what it knows of the node.
pub(crate) struct Machine {
    key: KeyPair,
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

type Connection = SendRequest<Full<Bytes>>;

impl Machine {
    /// A node takes 120 handshakes a minute from one address. Only Linux has the whole loopback
    /// network, from which a machine can come with many.
    pub(crate) const POSSIBLE: bool = cfg!(target_os = "linux");

    /// Makes the machine's keys and adds it to the node.
    pub(crate) async fn add(node: &Node) -> Result<Self> {
        let key = KeyPair::generate_for(&PKCS_ED25519)?;
        let certificate = CertificateParams::new(vec![NAME.to_owned()])?.self_signed(&key)?;
        let entry = serde_json::json!({ NAME: {
            "host": "127.0.0.1",
            // It only asks; nothing listens there.
            "port": 9,
            "verifyKey": STANDARD.encode(key.subject_public_key_info()),
            "certFingerprint": hex(&Sha256::digest(certificate.der())),
            "certPem": certificate.pem(),
        }});
        node.run(&["peers", "add", "-"], &entry.to_string()).await?;
        let own: Own = serde_json::from_str(&node.run(&["abtars", "--json"], "").await?)?;
        let shown = CertificateDer::from_pem_slice(own.cert_pem.as_bytes())
            .context("the node's certificate is not PEM")?;
        Ok(Self {
            key,
            node: own.name,
            address: node.peer,
            tls: pinned_client(shown)?,
            connections: Cell::new(0),
            requests: Cell::new(0),
        })
    }

    /// Lets the node allow this machine so many questions more.
    pub(crate) async fn budget(&self, node: &Node, asks: usize) -> Result<()> {
        Budget::inward(NAME).allow(node, asks).await
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
            let ask = async |(): &mut ()| self.ask(&mut self.connect().await?).await;
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
        Ok(sender)
    }

    /// A tagged question in a signed request, and its answer.
    async fn ask(&self, connection: &mut Connection) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let (seconds, number) = (now.as_secs(), self.requests.get());
        self.requests.set(number + 1);
        let nonce = format!("{:016x}{number:016x}", now.subsec_nanos());
        let tag = self.sign(&format!("{NAME}|{}|{seconds}|{TEXT}", self.node))?;
        let body = serde_json::json!({
            "model": "default",
            "messages": [{ "role": "user", "content": format!("{TEXT} [sig:{seconds}:{tag}]") }],
        })
        .to_string();
        let digest = hex(&Sha256::digest(&body));
        let proof = self.sign(&format!(
            "abtars-req-v1\nPOST\n{PATH}\n{seconds}\n{nonce}\n{digest}"
        ))?;
        let request = Request::post(PATH)
            .header(HOST, self.address.to_string())
            .header(CONTENT_TYPE, "application/json")
            .header("X-Peer-Id", NAME)
            .header("X-Peer-Ts", seconds)
            .header("X-Peer-Nonce", nonce)
            .header("X-Peer-Sig", proof)
            .header("X-Peer-Hops", "12")
            .body(Full::new(Bytes::from(body)))?;
        connection.ready().await?;
        let answer = connection.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        let completion = serde_json::from_slice::<Completion>(&body);
        let choices = completion.map(|it| it.choices).unwrap_or_default();
        match choices.first() {
            Some(choice) if choice["message"]["content"] == super::null::WORD => Ok(()),
            _ => bail!("{PATH}: {status}: {}", String::from_utf8_lossy(&body)),
        }
    }

    fn sign(&self, text: &str) -> Result<String> {
        Ok(STANDARD.encode(self.key.sign(text.as_bytes())?))
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
