//! Callers that take their time: everything is cut off, and nobody else waits meanwhile.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::actor::{Actor, HELLO, MESSAGES, PING, Paired, listener};
use crate::held::Held;
use crate::tunnel::Tunnel;
use crate::world::{World, eventually};

/// Everything slow is gone after this; the longest bound of the engine is 30 seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// Writes `start`, then `drop` again and again, until the other side hangs up.
async fn drip<Stream>(stream: Stream, start: Vec<u8>, drop: &'static [u8])
where
    Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut reader, mut writer) = split(stream);
    let dripping = tokio::spawn(async move {
        if writer.write_all(&start).await.is_err() || drop.is_empty() {
            // Stays open without a word.
            std::future::pending::<()>().await;
        }
        loop {
            tokio::time::sleep(Duration::from_millis(700)).await;
            if writer.write_all(drop).await.is_err() || writer.flush().await.is_err() {
                return;
            }
        }
    });
    let mut answer = [0; 1024];
    while let Ok(1..) = reader.read(&mut answer).await {}
    dripping.abort();
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// HEADERS on stream 1 without END_HEADERS.
const HALF_HEADERS: &[u8] = b"\0\0\x01\x01\0\0\0\0\x01\x82";
/// PING: the connection is alive, and still asks for nothing.
const H2_PING: &[u8] = b"\0\0\x08\x06\0\0\0\0\0liveness";

async fn slow_callers(world: &World, peer: &Paired) -> JoinSet<&'static str> {
    let address = listener(&world.node);
    let mut callers = JoinSet::new();
    let mut add = |name: &'static str,
                   caller: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>| {
        callers.spawn(async move {
            let cut = timeout(PATIENCE, caller).await;
            assert!(cut.is_ok(), "{name} was not cut off");
            name
        });
    };
    let tcp = async || TcpStream::connect(address).await.unwrap();
    let tls = async |show: Option<&Actor>, alpn: &str| {
        Tunnel::open(address, show, alpn).await.unwrap().stream
    };
    add("says nothing", Box::pin(drip(tcp().await, Vec::new(), b"")));
    add(
        "half a hello",
        Box::pin(drip(
            tcp().await,
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03".to_vec(),
            b"",
        )),
    );
    add(
        "a hello in drops",
        Box::pin(drip(tcp().await, b"\x16\x03\x01\x02\0".to_vec(), b"\x01")),
    );
    for alpn in ["h2", "http/1.1"] {
        add(
            "no request",
            Box::pin(drip(tls(None, alpn).await, Vec::new(), b"")),
        );
    }
    add(
        "one letter of a request",
        Box::pin(drip(tls(None, "http/1.1").await, b"P".to_vec(), b"")),
    );
    let head = b"GET /health HTTP/1.1\r\nhost: peer\r\nx-slow: ".to_vec();
    add(
        "headers in drops",
        Box::pin(drip(tls(None, "http/1.1").await, head, b"a")),
    );
    let idle = b"GET /health HTTP/1.1\r\nhost: peer\r\n\r\n".to_vec();
    add(
        "idle after a request",
        Box::pin(drip(tls(None, "http/1.1").await, idle, b"")),
    );
    let h2 = |more: &[u8]| [PREFACE, more].concat();
    add(
        "HTTP/2 without request",
        Box::pin(drip(tls(None, "h2").await, h2(b""), b"")),
    );
    add(
        "HTTP/2 with half a header",
        Box::pin(drip(tls(None, "h2").await, h2(HALF_HEADERS), b"")),
    );
    add(
        "HTTP/2 with nothing but pings",
        Box::pin(drip(tls(None, "h2").await, h2(b""), H2_PING)),
    );
    let stranger = Actor::new("stranger");
    let hello = format!("POST {HELLO} HTTP/1.1\r\nhost: peer\r\ncontent-length: 1000\r\n\r\n");
    add(
        "a join in drops",
        Box::pin(drip(
            tls(Some(&stranger), "http/1.1").await,
            hello.into_bytes(),
            b" ",
        )),
    );
    let tunnel = Tunnel::open(address, Some(&peer.actor), "http/1.1")
        .await
        .unwrap();
    let proof = peer.sign(&peer.claims_on(tunnel.channel, 1, "POST", MESSAGES, b""));
    let message = format!(
        "POST {MESSAGES} HTTP/1.1\r\nhost: peer\r\nauthorization: Tieline {}\r\nx-tieline-mac: {}\r\n\
         connection: close\r\ncontent-length: 1000\r\n\r\n",
        proof.token,
        proof.mac.unwrap()
    );
    add(
        "a message in drops",
        Box::pin(drip(tunnel.stream, message.into_bytes(), b" ")),
    );
    // Not polled, so the socket answers no ping.
    let held = Held::open(peer).await.unwrap();
    add(
        "a held connection that is not heard from",
        Box::pin(async move {
            let (mut stream, mut some) = (held.socket, [0; 1024]);
            let tls = stream.get_mut();
            while let Ok(1..) = tls.read(&mut some).await {}
        }),
    );
    callers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_callers_are_cut_off_and_hold_up_nobody() {
    let world = World::new("mac").await;
    // Joining is open, so that the slow joiner is let in.
    world.node.create_invite(None).await.unwrap();
    let friend = Actor::new("friend").join(&world.node, &[]).await;
    let peer = Actor::new("second").join(&world.node, &[]).await;
    let mut callers = slow_callers(&world, &friend).await;
    let ping = json!({"at": 1, "storeId": "AAAAAAAAAAAAAAAAAAAAAA"}).to_string();
    let open = peer.dial().await;
    let started = Instant::now();
    let mut gone = Vec::new();
    while !callers.is_empty() {
        assert!(started.elapsed() < PATIENCE, "left over after {gone:?}");
        let once = async {
            assert_eq!(peer.post(&open, PING, ping.as_bytes()).await.status, 200);
            let fresh = peer.dial().await;
            assert_eq!(peer.post(&fresh, PING, ping.as_bytes()).await.status, 200);
        };
        timeout(Duration::from_secs(10), once)
            .await
            .expect("the others wait");
        if let Ok(Some(cut)) = timeout(Duration::from_secs(1), callers.join_next()).await {
            gone.push((cut.unwrap(), started.elapsed().as_secs()));
        }
    }
    assert!(world.inbox().await.is_empty());
}

/// Connects from another address of this machine, as another machine would.
#[cfg(target_os = "linux")]
async fn from(own: &str, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(format!("{own}:0").parse().unwrap())?;
    socket.connect(to).await
}

/// Whether the other side has hung up by now.
#[cfg(target_os = "linux")]
async fn is_cut(stream: &mut TcpStream) -> bool {
    let mut some = [0; 16];
    let read = timeout(Duration::from_millis(20), stream.read(&mut some)).await;
    matches!(read, Ok(Ok(0) | Err(_)))
}

// Only Linux gives the whole of 127.0.0.0/8 to the loopback.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn one_address_has_a_bounded_number_of_connections_and_others_come_in() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let address = listener(&world.node);
    let mut idle = Vec::new();
    for _ in 0..60 {
        idle.push(from("127.0.0.9", address).await.unwrap());
    }
    let mut open = 0;
    for stream in &mut idle {
        open += usize::from(!is_cut(stream).await);
    }
    assert!((1..=32).contains(&open), "{open}");
    let http = peer.dial().await;
    assert_eq!(http.get("/health").await.status, 200);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_filled_from_many_addresses_keeps_its_lines_and_lets_peers_in() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    world.node.keep("friend").await.unwrap();
    let address = listener(&world.node);
    // The oldest connection of all is a kept peer's, and stays.
    let line = peer.dial().await;
    let mut idle = Vec::new();
    for machine in 1..=12 {
        for _ in 0..30 {
            idle.push(from(&format!("127.0.7.{machine}"), address).await.unwrap());
        }
    }
    let body = peer.message("m-1", "on the open line");
    assert_eq!(peer.post(&line, MESSAGES, &body).await.status, 200);
    // Every place is taken, and the strangers come again as fast as they may.
    let flood = tokio::spawn(async move {
        let mut more = Vec::new();
        for turn in 0..80 {
            for machine in 1..=12 {
                more.extend(from(&format!("127.0.7.{machine}"), address).await);
            }
            if turn % 20 == 19 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        more
    });
    for turn in 2..=6 {
        let http = peer.dial().await;
        let body = peer.message(&format!("m-{turn}"), "on a new line");
        assert_eq!(peer.post(&http, MESSAGES, &body).await.status, 200);
    }
    let more = flood.await.unwrap();
    let ping = json!({"at": 1, "storeId": crate::station::STORE}).to_string();
    assert_eq!(peer.post(&line, PING, ping.as_bytes()).await.status, 200);
    assert_eq!(world.inbox().await.len(), 6);
    // Those that came first were turned out for the others.
    eventually("the first stranger is turned out", async || {
        let mut some = [0; 16];
        matches!(idle[0].try_read(&mut some), Ok(0))
    })
    .await;
    drop(more);
}
