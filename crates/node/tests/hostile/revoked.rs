//! Unpairing is effective at once, on whatever is open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::actor::{Actor, BIND, CONFIRM, MESSAGES, PING, RESOLVE, STAGES, UNPAIR};
use crate::held::Held;
use crate::world::{World, eventually};

#[tokio::test]
async fn the_next_request_on_an_open_connection_is_refused() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let http = peer.dial().await;
    let first = peer
        .post(&http, MESSAGES, &peer.message("m-1", "paired"))
        .await;
    assert_eq!(first.status, 200);
    world.node.remove("friend").await.unwrap();
    for path in [MESSAGES, PING, RESOLVE, STAGES, CONFIRM, BIND, UNPAIR] {
        let answer = peer
            .post(&http, path, &peer.message("m-2", "unpaired"))
            .await;
        assert_eq!(answer.code(), "PEER_REVOKED", "{path}");
    }
    assert_eq!(world.inbox().await, ["paired"]);
}

#[tokio::test]
async fn a_held_connection_is_cut_and_none_is_opened_again() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let mut held = Held::open(&peer).await.unwrap();
    let body = peer.message("m-1", "paired");
    let proof = held.proof(&peer, MESSAGES, &body);
    assert_eq!(held.ask(MESSAGES, &body, &proof).await.unwrap().status, 200);
    world.node.remove("friend").await.unwrap();
    let body = peer.message("m-2", "unpaired");
    let proof = held.proof(&peer, MESSAGES, &body);
    // Either the frame is refused or the connection is gone; in the end it is gone.
    if let Some(answer) = held.ask(MESSAGES, &body, &proof).await {
        assert_eq!(answer.code(), "PEER_REVOKED");
    }
    // Cut, and not left to die of silence: that takes two checks of the line and more.
    assert!(held.end().await < 2);
    assert!(Held::open(&peer).await.is_err());
    assert_eq!(world.inbox().await, ["paired"]);
}

#[tokio::test]
async fn a_second_held_connection_takes_the_place_of_the_first() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let mut held = Vec::new();
    for _ in 0..5 {
        held.push(Held::open(&peer).await.unwrap());
    }
    let mut last = held.pop().unwrap();
    for mut old in held {
        while old.next_frame().await.is_some() {}
    }
    let body = peer.message("m-1", "on the last");
    let proof = last.proof(&peer, MESSAGES, &body);
    assert_eq!(last.ask(MESSAGES, &body, &proof).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_stored_after_unpairing_returned_however_much_is_under_way() {
    for round in 0..5 {
        let world = World::new("mac").await;
        let peer = Actor::new("friend").join(&world.node, &[]).await;
        let http = Arc::new(peer.dial().await);
        let stop = Arc::new(AtomicBool::new(false));
        let senders: Vec<_> = (0..16)
            .map(|sender| {
                let (peer, http, stop) = (peer.clone(), Arc::clone(&http), Arc::clone(&stop));
                tokio::spawn(async move {
                    for count in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                        let body = peer.message(&format!("m-{sender}-{count}"), "flood");
                        peer.post(&http, MESSAGES, &body).await;
                    }
                })
            })
            .collect();
        eventually("the flood arrives", async || world.inbox().await.len() > 20).await;
        if round % 2 == 0 {
            world.node.remove("friend").await.unwrap();
            let stored = count(&world).await;
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            assert_eq!(count(&world).await, stored);
        } else {
            // Taking a join back also discards what came; a late copy must not stand in the way.
            world.node.undo("friend").await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            assert_eq!(count(&world).await, 0);
        }
        stop.store(true, Ordering::Relaxed);
        for sender in senders {
            sender.await.unwrap();
        }
    }
}

async fn count(world: &World) -> i64 {
    let database = rusqlite::Connection::open(world.home.path().join("tieline.db")).unwrap();
    database
        .query_row("SELECT count(*) FROM messages", [], |row| row.get(0))
        .unwrap()
}
