//! TLS connections to an engine, opened by hand, and HTTP on them.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ConnectionCommon, DigitallySignedStruct, Error, SignatureScheme};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::actor::{Actor, Proof};

pub type Body = BoxBody<Bytes, Infallible>;

/// A finished TLS connection.
pub struct Tunnel {
    pub stream: TlsStream<TcpStream>,
    pub channel: [u8; 32],
    pub pair_secret: [u8; 32],
}

impl Tunnel {
    pub async fn open(address: SocketAddr, show: Option<&Actor>, alpn: &str) -> io::Result<Self> {
        let tcp = TcpStream::connect(address).await?;
        Self::over(tcp, client_config(show, alpn)).await
    }

    pub async fn over(tcp: TcpStream, config: ClientConfig) -> io::Result<Self> {
        let name = ServerName::try_from("peer").unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, tcp)
            .await?;
        let (channel, pair_secret) = exporters(stream.get_ref().1);
        Ok(Self {
            stream,
            channel,
            pair_secret,
        })
    }
}

/// The two exporter outputs of a connection: what request tokens are bound to, and the pair's token.
pub fn exporters<Data>(connection: &ConnectionCommon<Data>) -> ([u8; 32], [u8; 32]) {
    let export = |label: &[u8]| {
        connection
            .export_keying_material([0; 32], label, None)
            .unwrap()
    };
    (
        export(b"EXPORTER-tieline-channel-v1"),
        export(b"EXPORTER-tieline-pair-token-v1"),
    )
}

/// A client that believes any server, and shows an actor's certificate or none.
pub fn client_config(show: Option<&Actor>, alpn: &str) -> ClientConfig {
    let builder =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Gullible));
    let mut config = match show {
        Some(actor) => {
            let chain = vec![CertificateDer::from(actor.certificate.der().to_vec())];
            let key = PrivatePkcs8KeyDer::from(actor.tls.to_pkcs8_der().to_vec());
            builder
                .with_client_auth_cert(chain, PrivateKeyDer::Pkcs8(key))
                .unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    config
}

/// Believes any server.
#[derive(Debug)]
pub struct Gullible;

impl ServerCertVerifier for Gullible {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub json: Value,
}

impl Answer {
    /// The problem's code, or `""`.
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    pub async fn read(response: hyper::Response<hyper::body::Incoming>) -> Self {
        let status = response.status().as_u16();
        let body = match response.into_body().collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => Bytes::new(),
        };
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Self { status, json }
    }
}

enum Sender {
    One(tokio::sync::Mutex<http1::SendRequest<Body>>),
    Two(http2::SendRequest<Body>),
}

/// HTTP on a TLS connection.
pub struct Http {
    pub channel: [u8; 32],
    pub pair_secret: [u8; 32],
    jti: AtomicU64,
    sender: Sender,
}

impl Http {
    pub async fn h2(address: SocketAddr, show: Option<&Actor>) -> io::Result<Self> {
        let tunnel = Tunnel::open(address, show, "h2").await?;
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(tunnel.stream))
                .await
                .map_err(io::Error::other)?;
        tokio::spawn(connection);
        Ok(Self {
            channel: tunnel.channel,
            pair_secret: tunnel.pair_secret,
            jti: AtomicU64::new(1),
            sender: Sender::Two(sender),
        })
    }

    pub async fn h1(address: SocketAddr, show: Option<&Actor>) -> io::Result<Self> {
        let tunnel = Tunnel::open(address, show, "http/1.1").await?;
        let (sender, connection) = http1::handshake(TokioIo::new(tunnel.stream))
            .await
            .map_err(io::Error::other)?;
        tokio::spawn(connection.with_upgrades());
        Ok(Self {
            channel: tunnel.channel,
            pair_secret: tunnel.pair_secret,
            jti: AtomicU64::new(1),
            sender: Sender::One(tokio::sync::Mutex::new(sender)),
        })
    }

    pub fn next_jti(&self) -> u64 {
        self.jti.fetch_add(1, Ordering::Relaxed)
    }

    /// `POST` without a proof.
    pub async fn post(&self, path: &str, body: &[u8]) -> Answer {
        let request = request("POST", path, None);
        self.send(request, full(body)).await.unwrap()
    }

    pub async fn post_with(&self, path: &str, body: &[u8], proof: &Proof) -> Answer {
        let request = request("POST", path, Some(proof));
        self.send(request, full(body)).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path, None), full(b""))
            .await
            .unwrap()
    }

    pub async fn send(
        &self,
        request: hyper::http::request::Builder,
        body: Body,
    ) -> Result<Answer, hyper::Error> {
        let request = request.body(body).unwrap();
        let response = self.send_raw(request).await?;
        Ok(Answer::read(response).await)
    }

    pub async fn send_raw(
        &self,
        request: Request<Body>,
    ) -> Result<hyper::Response<hyper::body::Incoming>, hyper::Error> {
        match &self.sender {
            Sender::One(sender) => {
                let mut sender = sender.lock().await;
                sender.ready().await?;
                sender.send_request(request).await
            }
            Sender::Two(sender) => {
                let mut sender = sender.clone();
                sender.ready().await?;
                sender.send_request(request).await
            }
        }
    }
}

pub fn full(body: &[u8]) -> Body {
    Full::new(Bytes::copy_from_slice(body)).boxed()
}

pub fn request(method: &str, path: &str, proof: Option<&Proof>) -> hyper::http::request::Builder {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("https://peer{path}"))
        .header("host", "peer")
        .header("content-type", "application/json");
    if let Some(proof) = proof {
        request = request.header("authorization", format!("Tieline {}", proof.token));
        if let Some(mac) = &proof.mac {
            request = request.header("x-tieline-mac", mac);
        }
    }
    request
}
