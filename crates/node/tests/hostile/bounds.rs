//! Too much: bodies, frames, requests and connections.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use serde_json::json;
use tieline_node::MAX_PAYLOAD;
use tieline_wire::invite::Invite;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::actor::{Actor, HELLO, MESSAGES, PROVE, Paired, listener};
use crate::held::{Held, frame};
use crate::tunnel::{Answer, Body, Http, Tunnel, request};
use crate::world::{SOON, World};

/// Largest body the engine takes, as its documentation has it: a payload and 16 KiB.
const MAX_BODY: usize = MAX_PAYLOAD + 16 * 1024;

/// A body without end, or one that never comes; counts what is taken of it.
struct Flood {
    taken: Arc<AtomicUsize>,
    comes: bool,
}

impl hyper::body::Body for Flood {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if !self.comes {
            return Poll::Pending;
        }
        let chunk = Bytes::from_static(&[b' '; 16 * 1024]);
        self.taken.fetch_add(chunk.len(), Ordering::SeqCst);
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

fn endless(taken: &Arc<AtomicUsize>) -> Body {
    let flood = Flood {
        taken: Arc::clone(taken),
        comes: true,
    };
    flood.boxed()
}

fn never() -> Body {
    let flood = Flood {
        taken: Arc::default(),
        comes: false,
    };
    flood.boxed()
}

pub async fn paired() -> (World, Paired) {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    (world, peer)
}

/// Both protocols, so that a bound of one of them does not stand for the other.
async fn both(peer: &Paired, show: Option<&Actor>) -> [Http; 2] {
    [
        Http::h1(peer.address, show).await.unwrap(),
        Http::h2(peer.address, show).await.unwrap(),
    ]
}

/// Sends a request whose body goes on; what came back, and how much was taken by then.
async fn pour(http: &Http, path: &str, proof: Option<&crate::actor::Proof>) -> (Answer, usize) {
    let taken = Arc::new(AtomicUsize::new(0));
    let sent = http.send(request("POST", path, proof), endless(&taken));
    let answer = timeout(SOON, sent)
        .await
        .expect("no answer while the body goes on");
    let answer = answer.expect("the connection ended without an answer");
    (answer, taken.load(Ordering::SeqCst))
}

#[tokio::test]
async fn nothing_is_taken_of_a_strangers_body() {
    let (world, peer) = paired().await;
    // The invite that made the pair is forgotten with the run.
    let world = world.restart().await;
    let peer = Paired {
        address: listener(&world.node),
        ..peer
    };
    let stranger = Actor::new("stranger");
    for show in [None, Some(&stranger)] {
        for http in both(&peer, show).await {
            let (answer, taken) = pour(&http, MESSAGES, None).await;
            assert_eq!(answer.code(), "PEER_REVOKED", "{answer:?}");
            // What sockets and windows hold; the engine asked for none of it.
            assert!(taken < 16 * 1024 * 1024, "{taken}");
        }
        for http in both(&peer, show).await {
            let (answer, _) = pour(&http, HELLO, None).await;
            let code = if show.is_some() {
                "INVITE_UNKNOWN"
            } else {
                "CARD_MISMATCH"
            };
            assert_eq!(answer.code(), code, "no invite is open: {answer:?}");
        }
        for http in both(&peer, show).await {
            let (answer, _) = pour(&http, "/health", None).await;
            assert_eq!(answer.code(), "PAYLOAD_TOO_LARGE");
        }
    }
    assert!(world.inbox().await.is_empty());
}

#[tokio::test]
async fn a_joiner_may_send_a_card_and_not_much_more() {
    let world = World::new("mac").await;
    let link = world.node.create_invite(None).await.unwrap().link.unwrap();
    let stranger = Actor::new("stranger");
    for path in [HELLO, PROVE] {
        let http = stranger.dial(listener(&world.node)).await;
        let (answer, taken) = pour(&http, path, None).await;
        assert_eq!(answer.code(), "PAYLOAD_TOO_LARGE");
        assert!(taken < 4 * 1024 * 1024, "{taken}");
    }
    // A card of the largest size, written as wastefully as JSON allows, fits.
    let invite = Invite::parse(&link).unwrap();
    let card = stranger.card_json(&[]);
    let padded = format!("{}{card}", "\n".repeat(60 * 1024));
    let http = stranger.dial(listener(&world.node)).await;
    let answer = http
        .post(HELLO, &crate::actor::hello_body(&invite, &padded))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn a_stranger_has_few_requests_under_way_at_once() {
    let world = World::new("mac").await;
    world.node.create_invite(None).await.unwrap();
    let http = Arc::new(Actor::new("stranger").dial(listener(&world.node)).await);
    let waiting: Vec<_> = (0..40)
        .map(|_| {
            let http = Arc::clone(&http);
            tokio::spawn(async move { http.send(request("POST", HELLO, None), never()).await })
        })
        .collect();
    crate::world::eventually("most are refused", async || {
        waiting.iter().filter(|one| one.is_finished()).count() == 36
    })
    .await;
    for one in waiting {
        if one.is_finished() {
            assert_eq!(one.await.unwrap().unwrap().code(), "PEER_BUSY");
        } else {
            one.abort();
        }
    }
}

#[tokio::test]
async fn a_body_above_the_limit_is_refused_before_it_was_sent() {
    let (world, peer) = paired().await;
    for http in both(&peer, Some(&peer.actor)).await {
        let proof = peer.proof(&http, "POST", MESSAGES, b"");
        let (answer, taken) = pour(&http, MESSAGES, Some(&proof)).await;
        assert_eq!((answer.status, answer.code()), (413, "PAYLOAD_TOO_LARGE"));
        assert_eq!(answer.json["detail"]["maxLength"], MAX_BODY);
        assert!(taken < 16 * 1024 * 1024, "{taken}");
    }
    // Announced: refused although not a byte of it comes.
    for length in [MAX_BODY + 1, 100 << 20, usize::MAX / 2] {
        let mut tunnel = Tunnel::open(peer.address, Some(&peer.actor), "http/1.1")
            .await
            .unwrap();
        let claims = peer.claims_on(tunnel.channel, 1, "POST", MESSAGES, b"");
        let proof = peer.sign(&claims);
        let head = format!(
            "POST {MESSAGES} HTTP/1.1\r\nhost: peer\r\nauthorization: Tieline {}\r\n\
             x-tieline-mac: {}\r\ncontent-length: {length}\r\n\r\n",
            proof.token,
            proof.mac.unwrap()
        );
        tunnel.stream.write_all(head.as_bytes()).await.unwrap();
        let answer = some(&mut tunnel).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{length}: {answer}");
    }
    assert!(world.inbox().await.is_empty());
}

/// The first bytes that come back.
pub async fn some(tunnel: &mut Tunnel) -> String {
    let mut answer = vec![0; 4096];
    let read = timeout(SOON, tunnel.stream.read(&mut answer)).await;
    let count = read.expect("nothing came").unwrap_or(0);
    String::from_utf8_lossy(&answer[..count]).into_owned()
}

#[tokio::test]
async fn the_largest_payload_arrives_whole_and_one_byte_more_is_refused_with_both_numbers() {
    let (world, peer) = paired().await;
    let http = peer.dial().await;
    let frame_of = json!({"type": "text", "text": ""}).to_string().len();
    let most = "x".repeat(MAX_PAYLOAD - frame_of);
    let answer = peer
        .post(&http, MESSAGES, &peer.message("m-1", &most))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.code());
    let answer = peer
        .post(&http, MESSAGES, &peer.message("m-2", &format!("{most}x")))
        .await;
    assert_eq!((answer.status, answer.code()), (413, "PAYLOAD_TOO_LARGE"));
    let detail = &answer.json["detail"];
    assert_eq!(
        (&detail["actualLength"], &detail["maxLength"]),
        (&json!(MAX_PAYLOAD + 1), &json!(MAX_PAYLOAD))
    );
    let inbox = world.inbox().await;
    assert!(inbox.len() == 1 && inbox[0] == most);
}

#[tokio::test]
async fn one_peer_cannot_fill_the_memory_with_bodies_that_never_end() {
    let (world, peer) = paired().await;
    let other = Actor::new("second").join(&world.node, &[]).await;
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let http = Arc::new(peer.dial().await);
        for _ in 0..60 {
            let (http, peer) = (Arc::clone(&http), peer.clone());
            waiting.push(tokio::spawn(async move {
                let proof = peer.proof(&http, "POST", MESSAGES, b"");
                let request = request("POST", MESSAGES, Some(&proof));
                http.send(request, never()).await
            }));
        }
    }
    crate::world::eventually("the rest is refused", async || {
        waiting.iter().filter(|one| one.is_finished()).count() == 120 - 64
    })
    .await;
    // Another peer is served meanwhile.
    let its = other.dial().await;
    let answer = other
        .post(&its, MESSAGES, &other.message("m-1", "meanwhile"))
        .await;
    assert_eq!(answer.status, 200);
    for one in waiting {
        if one.is_finished() {
            assert_eq!(one.await.unwrap().unwrap().code(), "PEER_BUSY");
        } else {
            one.abort();
        }
    }
    // And the first one again, as soon as its requests are gone.
    let http = peer.dial().await;
    crate::world::eventually("there is room again", async || {
        let body = peer.message("m-1", "afterwards");
        peer.post(&http, MESSAGES, &body).await.status == 200
    })
    .await;
}

#[tokio::test]
async fn a_frame_above_the_limit_or_none_at_all_ends_the_held_connection() {
    let (world, peer) = paired().await;
    let head = json!({"t": "req", "id": 1, "method": "POST", "path": MESSAGES, "token": "x"});
    let large = vec![b' '; 3 * 1024 * 1024];
    let (first, rest) = large.split_at(1024 * 1024);
    let part = |data: &[u8], code, last| {
        use tokio_tungstenite::tungstenite::protocol::frame::Frame;
        let data = Bytes::copy_from_slice(data);
        Message::Frame(Frame::message(data, code, last))
    };
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    let data = |kind| OpCode::Data(kind);
    let bad: Vec<Vec<Message>> = vec![
        vec![Message::Binary(frame(&head, &large))],
        // In pieces that each are small enough.
        vec![
            part(first, data(Data::Binary), false),
            part(&rest[..1024 * 1024], data(Data::Continue), false),
            part(&rest[1024 * 1024..], data(Data::Continue), true),
        ],
        vec![Message::Text("hello".into())],
        vec![Message::Binary(Bytes::new())],
        vec![Message::Binary(Bytes::from_static(&[0xff; 64]))],
        vec![Message::Binary(frame(&json!({"t": "req"}), b""))],
        vec![Message::Binary(frame(
            &json!({"t": "res", "id": 1, "status": 9_999}),
            b"",
        ))],
        vec![Message::Binary(frame(
            &json!({"t": "res", "id": "1", "status": 200}),
            b"",
        ))],
        vec![Message::Binary(frame(
            &json!({"t": "req", "id": 1, "method": "G T", "path": "/", "token": ""}),
            b"",
        ))],
        vec![Message::Binary(frame(
            &json!({"t": "req", "pad": "x".repeat(9_000)}),
            b"",
        ))],
    ];
    for messages in bad {
        use futures_util::SinkExt;
        let mut held = Held::open(&peer).await.unwrap();
        let what = format!("{:.80?}", messages[0]);
        for message in messages {
            if held.socket.send(message).await.is_err() {
                break;
            }
        }
        while held.next_frame().await.is_some() {}
        drop(what);
    }
    // An answer that nobody asked for is not worth a quarrel.
    let mut held = Held::open(&peer).await.unwrap();
    held.send(frame(&json!({"t": "res", "id": 77, "status": 200}), b""))
        .await
        .unwrap();
    let body = peer.message("m-1", "still there");
    let proof = held.proof(&peer, MESSAGES, &body);
    assert_eq!(held.ask(MESSAGES, &body, &proof).await.unwrap().status, 200);
    assert_eq!(world.inbox().await, ["still there"]);
}
