//! What a peer can make this node dial, and what it learns from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tieline_wire::receipt::StoreId;
use tokio::net::TcpListener;

use crate::actor::{Actor, PING, Paired};
use crate::tunnel::Http;
use crate::world::World;

const REACH: &str = "/tieline/v1/reach";

async fn says(peer: &Paired, http: &Http, addresses: &[&str]) {
    let body = json!({"at": 0, "storeId": StoreId([1; 16]), "addresses": addresses}).to_string();
    let answer = peer.post(http, PING, body.as_bytes()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn a_peer_names_only_addresses_that_can_be_its_own() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let http = peer.dial().await;
    let said = [
        "localhost:3847",
        "metadata.evil.example:80",
        "169.254.169.254:80",
        "0.0.0.0:80",
        "10.0.0.9:3100",
        "127.0.0.1:9",
    ];
    says(&peer, &http, &said).await;
    let known = world.node.peer("friend").await.unwrap().addresses;
    // The peer is on this machine, so that its loopback is this one's.
    assert_eq!(known, ["10.0.0.9:3100", "127.0.0.1:9"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_learns_nothing_of_what_is_behind_other_addresses() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let http = peer.dial().await;
    // Something that takes connections and says nothing, at an address that is not the caller's.
    let service = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let open = service.local_addr().unwrap().to_string();
    let drops = tokio::spawn(async move {
        while let Ok((tcp, _)) = service.accept().await {
            drop(tcp);
        }
    });
    let mut told = Vec::new();
    for address in [open.as_str(), "127.0.0.2:1"] {
        says(&peer, &http, &[address]).await;
        tokio::time::sleep(std::time::Duration::from_millis(600)).await;
        let answer = peer.post(&http, REACH, b"{}").await;
        assert_eq!(answer.json["ok"], false, "{answer:?}");
        told.push(answer.json["problem"].clone());
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0]["code"], "UNREACHABLE");
    // Of its own address it learns why.
    says(&peer, &http, &["127.0.0.1:1"]).await;
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    let answer = peer.post(&http, REACH, b"{}").await;
    assert_eq!(answer.json["problem"]["code"], "CONNECT_REFUSED");
    drops.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_is_dialled_back_once_at_a_time() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let http = Arc::new(peer.dial().await);
    // Takes connections and never shakes hands, so that each dial lasts.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let holds = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((tcp, _)) = silent.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            held.push(tcp);
        }
    });
    says(&peer, &http, &[&address]).await;
    let waiting = {
        let (peer, http) = (peer.clone(), Arc::clone(&http));
        tokio::spawn(async move { peer.post(&http, REACH, b"{}").await })
    };
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    let before = taken.load(Ordering::SeqCst);
    for _ in 0..5 {
        let answer = peer.post(&http, REACH, b"{}").await;
        assert_eq!(answer.code(), "PEER_BUSY");
    }
    // The engine's own attempts to reach the peer may add one.
    assert!(taken.load(Ordering::SeqCst) <= before + 1);
    waiting.abort();
    holds.abort();
}
