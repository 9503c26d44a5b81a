//! A server with another key than the pinned one: it gets a hello, and not a byte more.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use parking_lot::Mutex;
use serde_json::json;
use tieline_node::model::OnFailure;
use tieline_wire::invite::Invite;
use tieline_wire::problem::Code;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::actor::{Actor, PING};
use crate::station::{Station, server_config};
use crate::world::{World, eventually, text};

/// Counts what a server with its own key gets to see.
#[derive(Clone, Default)]
struct Spy {
    connections: Arc<AtomicUsize>,
    decrypted: Arc<AtomicUsize>,
    raw: Arc<Mutex<Vec<u8>>>,
}

impl Spy {
    async fn open(&self, at: SocketAddr) -> SocketAddr {
        let listener = TcpListener::bind(at).await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(server_config(&Actor::new("spy"))));
        let spy = self.clone();
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                spy.connections.fetch_add(1, Ordering::SeqCst);
                let (acceptor, spy) = (acceptor.clone(), spy.clone());
                tokio::spawn(async move {
                    let tapped = Tapped {
                        stream: tcp,
                        raw: Arc::clone(&spy.raw),
                    };
                    if let Ok(mut stream) = acceptor.accept(tapped).await {
                        let mut some = [0; 4096];
                        while let Ok(count @ 1..) = stream.read(&mut some).await {
                            spy.decrypted.fetch_add(count, Ordering::SeqCst);
                        }
                    }
                });
            }
        });
        address
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Nothing decrypted, nothing legible, and per connection no more than a hello and an alert.
    fn saw_nothing(&self, secret: &str) {
        assert_eq!(self.decrypted.load(Ordering::SeqCst), 0);
        let raw = self.raw.lock();
        let found = raw
            .windows(secret.len())
            .any(|part| part == secret.as_bytes());
        assert!(!found, "the text is on the wire");
        let connections = self.connections();
        assert!(connections > 0);
        assert!(raw.len() < connections * 1_024, "{} bytes", raw.len());
    }
}

struct Tapped {
    stream: TcpStream,
    raw: Arc<Mutex<Vec<u8>>>,
}

impl AsyncRead for Tapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.raw.lock().extend(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

const ANY: &str = "127.0.0.1:0";

#[tokio::test]
async fn a_spy_does_see_what_is_sent_to_it_on_purpose() {
    // So that the other tests of this file do not pass because the spy is blind.
    let spy = Spy::default();
    let address = spy.open(ANY.parse().unwrap()).await;
    let http = Actor::new("anyone").dial(address).await;
    let asked = tokio::spawn(async move { http.post(PING, b"seen").await });
    eventually("the spy decrypts", async || {
        spy.decrypted.load(Ordering::SeqCst) > 0
    })
    .await;
    asked.abort();
}

#[tokio::test]
async fn no_message_ping_or_queued_message_reaches_it() {
    let world = World::new("mac").await;
    let friend = Actor::new("friend");
    let station = Station::honest(&friend).await;
    let address = station.address;
    let _paired = friend.join(&world.node, &[address]).await;
    eventually("the engine reached the peer", async || {
        !station.seen(PING).is_empty()
    })
    .await;
    // The peer goes; somebody else gets its address.
    drop(station);
    let world = world.restart().await;
    let spy = Spy::default();
    spy.open(address).await;
    let secret = "the secret that must not leave";
    let failure = world.node.send(text("friend", secret)).await.unwrap_err();
    assert_eq!(failure.status.as_deref(), Some("failed"));
    let attempts = failure.attempts.unwrap();
    assert!(
        attempts
            .iter()
            .all(|attempt| attempt.code.as_deref() == Some("PIN_MISMATCH"))
    );
    let failure = world.node.ping("friend").await.unwrap_err();
    assert_eq!(failure.problem.code, Code::PinMismatch);
    let mut queued = text("friend", secret);
    queued.on_failure = OnFailure::Queue;
    assert_eq!(world.node.send(queued).await.unwrap().status, "queued");
    let before = spy.connections();
    eventually("the queue tried again", async || {
        spy.connections() > before + 1
    })
    .await;
    spy.saw_nothing(secret);
}

#[tokio::test]
async fn no_step_of_joining_reaches_it() {
    let (inviter, joiner) = (World::new("mac").await, World::new("wsl-box").await);
    let link = inviter
        .node
        .create_invite(None)
        .await
        .unwrap()
        .link
        .unwrap();
    let spy = Spy::default();
    let address = spy.open(ANY.parse().unwrap()).await;
    let elsewhere = Invite {
        addresses: vec![address.to_string().parse().unwrap()],
        ..Invite::parse(&link).unwrap()
    };
    let link = elsewhere.to_link().unwrap();
    let problem = joiner.node.join(link.expose()).await.unwrap_err();
    assert_eq!(problem.code, Code::PinMismatch);
    spy.saw_nothing("wsl-box");
    assert_eq!(spy.connections(), 1);
}

#[tokio::test]
async fn nothing_reaches_it_where_a_peer_names_it_as_its_own_address() {
    let world = World::new("mac").await;
    let friend = Actor::new("friend").join(&world.node, &[]).await;
    let spy = Spy::default();
    let address = spy.open(ANY.parse().unwrap()).await;
    let http = friend.dial().await;
    let moved =
        json!({"at": 1, "addresses": [address.to_string()], "storeId": "AAAAAAAAAAAAAAAAAAAAAA"});
    let answer = friend.post(&http, PING, moved.to_string().as_bytes()).await;
    assert_eq!(answer.status, 200);
    let reach = friend.post(&http, "/tieline/v1/reach", b"{}").await;
    assert_eq!(reach.json["ok"], false, "{reach:?}");
    assert_eq!(reach.json["problem"]["code"], "PIN_MISMATCH");
    let failure = world
        .node
        .send(text("friend", "secret words"))
        .await
        .unwrap_err();
    assert_eq!(
        failure.attempts.unwrap()[0].code.as_deref(),
        Some("PIN_MISMATCH")
    );
    spy.saw_nothing("secret words");
}
