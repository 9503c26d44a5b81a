//! Too much in headers, and requests that are taken back at once.

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::actor::PING;
use crate::bounds::{paired, some};
use crate::tunnel::{Http, Tunnel, full, request};
use crate::world::SOON;

#[tokio::test]
async fn header_bombs_of_http_1_are_cut_off() {
    let (_world, peer) = paired().await;
    let many: String = (0..2_000).map(|n| format!("x-{n}: y\r\n")).collect();
    let heads = [
        format!(
            "GET /health HTTP/1.1\r\nhost: peer\r\nx-long: {}\r\n\r\n",
            "a".repeat(64 * 1024)
        ),
        format!("GET /health HTTP/1.1\r\nhost: peer\r\n{many}\r\n"),
        format!(
            "GET /{} HTTP/1.1\r\nhost: peer\r\n\r\n",
            "a".repeat(64 * 1024)
        ),
        format!(
            "GET /health HTTP/1.1\r\nhost: peer\r\n{}",
            "x: y\r\n".repeat(1 << 20)
        ),
    ];
    for head in heads {
        let mut tunnel = Tunnel::open(peer.address, None, "http/1.1").await.unwrap();
        // The other side may hang up while this is being written.
        let _ = timeout(SOON, tunnel.stream.write_all(head.as_bytes()))
            .await
            .unwrap();
        let answer = some(&mut tunnel).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{answer}"
        );
    }
    let http = Http::h1(peer.address, None).await.unwrap();
    assert_eq!(http.get("/health").await.status, 200);
}

#[tokio::test]
async fn header_bombs_of_http_2_are_cut_off() {
    let (_world, peer) = paired().await;
    for (count, length) in [(1, 64 * 1024), (4_000, 8)] {
        let http = Http::h2(peer.address, None).await.unwrap();
        let mut bomb = request("GET", "/health", None);
        for number in 0..count {
            bomb = bomb.header(format!("x-{number}"), "a".repeat(length));
        }
        // Refused by the settings that this client honours, or by the engine.
        if let Ok(answer) = timeout(SOON, http.send(bomb, full(b""))).await.unwrap() {
            assert!((400..500).contains(&answer.status), "{answer:?}");
        }
    }
    let http = Http::h2(peer.address, None).await.unwrap();
    assert_eq!(http.get("/health").await.status, 200);
}

/// A frame of HTTP/2 (RFC 9113, 4.1).
fn h2_frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(payload.len()).unwrap().to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;

/// `GET https://p/health` in HPACK, from the static table.
const GET_HEALTH: &[u8] = b"\x82\x87\x41\x01p\x44\x07/health";

#[tokio::test]
async fn headers_that_go_on_for_ever_end_the_connection() {
    let (_world, peer) = paired().await;
    let mut tunnel = Tunnel::open(peer.address, None, "h2").await.unwrap();
    let opening = [
        PREFACE,
        &h2_frame(SETTINGS, 0, 0, b""),
        &h2_frame(HEADERS, 0, 1, GET_HEALTH),
    ];
    tunnel.stream.write_all(&opening.concat()).await.unwrap();
    // A literal header, never finished: 128 MiB of it if nobody stops this.
    let more = h2_frame(CONTINUATION, 0, 1, &[0x40; 16 * 1024]);
    let mut ended = false;
    for _ in 0..8 * 1024 {
        let written = timeout(SOON, tunnel.stream.write_all(&more)).await;
        if !matches!(written, Ok(Ok(()))) {
            ended = true;
            break;
        }
    }
    assert!(ended, "all of it was taken");
    let http = Http::h2(peer.address, None).await.unwrap();
    assert_eq!(http.get("/health").await.status, 200);
}

#[tokio::test]
async fn requests_that_are_taken_back_at_once_do_not_keep_others_out() {
    let (_world, peer) = paired().await;
    let mut tunnel = Tunnel::open(peer.address, None, "h2").await.unwrap();
    let mut flood = [PREFACE, &h2_frame(SETTINGS, 0, 0, b"")].concat();
    for stream in (1..40_000).step_by(2) {
        // END_STREAM and END_HEADERS, then CANCEL.
        flood.extend(h2_frame(HEADERS, 5, stream, GET_HEALTH));
        flood.extend(h2_frame(RESET, 0, stream, &[0, 0, 0, 8]));
    }
    let _ = timeout(SOON, tunnel.stream.write_all(&flood)).await;
    let http = peer.dial().await;
    let ping = json!({"at": 1, "storeId": "AAAAAAAAAAAAAAAAAAAAAA"}).to_string();
    let served = timeout(SOON, peer.post(&http, PING, ping.as_bytes()))
        .await
        .unwrap();
    assert_eq!(served.status, 200);
}
