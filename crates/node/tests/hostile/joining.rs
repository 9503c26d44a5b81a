//! Joins that race with what the person or the joiner itself does, and what a machine may leave
//! before the person keeps it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tieline_wire::invite::Invite;

use crate::actor::{Actor, CONFIRM, MESSAGES, PING, UNPAIR, listener};
use crate::station::{Say, Station};
use crate::world::{World, eventually};

async fn invite(world: &World) -> Invite {
    let link = world.node.create_invite(None).await.unwrap().link.unwrap();
    Invite::parse(&link).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_holds_for_the_token_it_was_made_with_and_no_other() {
    let world = World::new("mac").await;
    for round in 0..12 {
        let actor = Actor::new(&format!("friend-{round}"));
        let invite = invite(&world).await;
        let (first, second) = (
            actor.dial(listener(&world.node)).await,
            actor.dial(listener(&world.node)).await,
        );
        let one = actor.hello(&first, &invite, &[]).await.unwrap();
        assert_eq!(one.prove(&first).await.status, 200);
        let one = one.paired(&world.node, &first);
        let two = actor.hello(&second, &invite, &[]).await.unwrap();
        // The second proof makes another token while the first one is being confirmed.
        let (confirmed, proven) =
            tokio::join!(one.post(&first, CONFIRM, b"{}"), two.prove(&second));
        let works = match (confirmed.status, proven.status) {
            (200, 200) => panic!("both tokens were taken"),
            (200, _) => one.post(&first, PING, &ping_body()).await,
            _ => {
                let two = two.paired(&world.node, &second);
                assert_eq!(two.post(&second, CONFIRM, b"{}").await.status, 200);
                two.post(&second, PING, &ping_body()).await
            }
        };
        assert_eq!(works.status, 200, "{works:?}");
    }
}

fn ping_body() -> Vec<u8> {
    let store = tieline_wire::receipt::StoreId([1; 16]);
    serde_json::json!({"at": 0, "storeId": store})
        .to_string()
        .into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_that_is_taken_back_does_not_finish_behind_it() {
    for _ in 0..3 {
        let world = World::new("mac").await;
        let actor = Actor::new("friend");
        let invite = invite(&world).await;
        let first = actor.dial(listener(&world.node)).await;
        let pairing = actor.hello(&first, &invite, &[]).await.unwrap();
        assert_eq!(pairing.prove(&first).await.status, 200);
        // It never confirms, so that it may do the steps again, and does so without a pause.
        let stop = Arc::new(AtomicBool::new(false));
        let joiners: Vec<_> = (0..8)
            .map(|_| {
                let (actor, invite, stop) = (actor.clone(), invite.clone(), Arc::clone(&stop));
                let address = listener(&world.node);
                tokio::spawn(async move {
                    let http = actor.dial(address).await;
                    while !stop.load(Ordering::Relaxed) {
                        if let Ok(pairing) = actor.hello(&http, &invite, &[]).await {
                            pairing.prove(&http).await;
                        }
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(200)).await;
        world.node.undo("friend").await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(world.peer_names().await, Vec::<String>::new());
        stop.store(true, Ordering::Relaxed);
        for joiner in joiners {
            joiner.await.unwrap();
        }
        let refused = actor.hello(&first, &invite, &[]).await.map(drop);
        assert_eq!(refused.unwrap_err().code(), "INVITE_USED");
        assert_eq!(world.peer_names().await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_joins_by_an_invite_that_was_taken_back_meanwhile() {
    let world = World::new("mac").await;
    for turn in 0..12_u8 {
        let view = world.node.create_invite(None).await.unwrap();
        let invite = Invite::parse(view.link.as_ref().unwrap()).unwrap();
        let actor = Actor::new(&format!("{}-friend", char::from(b'a' + turn)));
        let http = actor.dial(listener(&world.node)).await;
        let pairing = actor.hello(&http, &invite, &[]).await.unwrap();
        let joining = tokio::spawn(async move { pairing.prove(&http).await });
        // At any moment of it.
        tokio::time::sleep(Duration::from_micros(u64::from(turn) * 250)).await;
        world.node.cancel_invite(&view.id).await.unwrap();
        let names = world.peer_names().await;
        let answer = joining.await.unwrap();
        assert_eq!(world.peer_names().await, names, "{answer:?}");
        let joined = names.contains(&actor.name);
        assert_eq!(answer.status == 200, joined, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_being_unpaired_is_not_listened_to_while_it_is_told() {
    let world = World::new("mac").await;
    let actor = Actor::new("friend");
    // It takes its time to answer the farewell.
    let station = Station::open(&actor, |seen| async move {
        if seen.path == UNPAIR {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Say::Default
    })
    .await;
    let peer = actor.join(&world.node, &[station.address]).await;
    let http = peer.dial().await;
    let node = world.node.clone();
    let removing = tokio::spawn(async move { node.remove("friend").await });
    eventually("it is told", async || station.seen(UNPAIR).len() == 1).await;
    let answer = peer
        .post(&http, MESSAGES, &peer.message("m-1", "one more"))
        .await;
    assert_eq!(answer.code(), "PEER_REVOKED");
    removing.await.unwrap().unwrap();
    assert!(world.inbox().await.is_empty());
}

#[tokio::test]
async fn a_machine_that_is_not_kept_leaves_only_so_much() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let http = peer.dial().await;
    let large = "x".repeat(1000 * 1000);
    let mut refused = None;
    for number in 0..18 {
        let body = peer.message(&format!("m-{number}"), &large);
        let answer = peer.post(&http, MESSAGES, &body).await;
        if answer.status != 200 {
            assert_eq!(answer.code(), "RATE_LIMITED");
            refused = Some(number);
            break;
        }
    }
    assert_eq!(refused, Some(16));
    // A copy of what is here takes no room, and its sender may have lost the answer.
    let copy = peer.message("m-3", &large);
    assert_eq!(peer.post(&http, MESSAGES, &copy).await.status, 200);
    world.node.keep("friend").await.unwrap();
    let more = peer.message("m-20", &large);
    assert_eq!(peer.post(&http, MESSAGES, &more).await.status, 200);
}
