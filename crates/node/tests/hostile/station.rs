//! A peer's listener, played by hand: what it is asked, and what it answers.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tieline_wire::key::SigningKey;
use tieline_wire::message::Envelope;
use tieline_wire::receipt::{Receipt, Stage, StoreId};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

use crate::actor::{Actor, MESSAGES, PING, RESOLVE};
use crate::tunnel::exporters;

/// The database that a station claims to have.
pub const STORE: StoreId = StoreId([3; 16]);

/// A request that came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub body: Bytes,
    pub channel: [u8; 32],
}

impl Seen {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// What to answer.
#[derive(Debug)]
pub enum Say {
    /// What an honest peer would.
    Default,
    /// This.
    Answer(u16, Value),
    /// Nothing: the answer is lost.
    HangUp,
}

type Answerer = Arc<dyn Fn(Seen) -> Pin<Box<dyn Future<Output = Say> + Send>> + Send + Sync>;

/// Listens with an actor's keys until dropped.
pub struct Station {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: AbortHandle,
}

impl Drop for Station {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Station {
    pub async fn open<Said>(
        actor: &Actor,
        answer: impl Fn(Seen) -> Said + Send + Sync + 'static,
    ) -> Self
    where
        Said: Future<Output = Say> + Send + 'static,
    {
        Self::open_at("127.0.0.1:0".parse().unwrap(), actor, answer).await
    }

    pub async fn open_at<Said>(
        address: SocketAddr,
        actor: &Actor,
        answer: impl Fn(Seen) -> Said + Send + Sync + 'static,
    ) -> Self
    where
        Said: Future<Output = Say> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let state = State {
            actor: actor.clone(),
            seen: Arc::clone(&seen),
            answer: Arc::new(move |request| Box::pin(answer(request))),
        };
        let acceptor = TlsAcceptor::from(Arc::new(server_config(actor)));
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, state) = (acceptor.clone(), state.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(tcp).await else {
                        return;
                    };
                    let (channel, _) = exporters(stream.get_ref().1);
                    let service = service_fn(move |request| {
                        let state = state.clone();
                        async move { state.serve(channel, request).await }
                    });
                    let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self {
            address,
            seen,
            task: task.abort_handle(),
        }
    }

    /// An honest peer's.
    pub async fn honest(actor: &Actor) -> Self {
        Self::open(actor, |_| async { Say::Default }).await
    }

    /// Requests to a path so far.
    pub fn seen(&self, path: &str) -> Vec<Seen> {
        let seen = self.seen.lock();
        seen.iter()
            .filter(|one| one.path == path)
            .cloned()
            .collect()
    }
}

/// A server that asks for no client certificate.
pub fn server_config(actor: &Actor) -> ServerConfig {
    let chain = vec![CertificateDer::from(actor.certificate.der().to_vec())];
    let key = PrivatePkcs8KeyDer::from(actor.tls.to_pkcs8_der().to_vec());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::Pkcs8(key))
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

#[derive(Clone)]
struct State {
    actor: Actor,
    seen: Arc<Mutex<Vec<Seen>>>,
    answer: Answerer,
}

impl State {
    async fn serve(
        self,
        channel: [u8; 32],
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, std::io::Error> {
        let path = request.uri().path().to_owned();
        let body = request.into_body().collect().await;
        let body = body.map_err(std::io::Error::other)?.to_bytes();
        let seen = Seen {
            path,
            body,
            channel,
        };
        self.seen.lock().push(seen.clone());
        let (status, json) = match (self.answer)(seen.clone()).await {
            Say::Default => (200, honest(&self.actor, &seen)),
            Say::Answer(status, json) => (status, json),
            Say::HangUp => return Err(std::io::Error::other("the answer is lost")),
        };
        let mut response = Response::new(Full::new(json.to_string().into()));
        *response.status_mut() = status.try_into().unwrap();
        Ok(response)
    }
}

/// What an honest peer answers.
pub fn honest(actor: &Actor, seen: &Seen) -> Value {
    match seen.path.as_str() {
        MESSAGES => receipt(&actor.signing, Stage::Stored, seen),
        PING => json!({"at": 0, "addresses": [], "storeId": STORE}),
        RESOLVE => {
            let items = seen.json()["items"].as_array().cloned().unwrap_or_default();
            let items: Vec<Value> = items.iter().map(|item| json!({"id": item["id"]})).collect();
            json!({"items": items})
        }
        _ => json!({"ok": true}),
    }
}

/// An answer with a receipt for the message in a request, signed by any key.
pub fn receipt(key: &SigningKey, stage: Stage, seen: &Seen) -> Value {
    json!({"receipt": sign(key, stage, &Envelope::parse(&seen.body).unwrap())})
}

pub fn sign(key: &SigningKey, stage: Stage, message: &Envelope) -> Receipt {
    Receipt::sign(
        key,
        stage,
        &message.id,
        message.from,
        message.content_hash(),
        STORE,
    )
}
