//! A peer's database is put back from a copy while a message to it is under way: only the database
//! that may have stored the message can say that it did not.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tieline_node::model::{OnFailure, SendCommand};
use tieline_wire::message::{Envelope, MessageId};
use tieline_wire::problem::Code;
use tieline_wire::receipt::{Receipt, Stage, StoreId};

use crate::actor::{Actor, MESSAGES, PING, RESOLVE, listener};
use crate::relay::Relay;
use crate::station::{STORE, Say, Seen, Station};
use crate::world::{World, config, eventually, start_with, text};

const RESTORED: StoreId = StoreId([4; 16]);

fn message(to: &str, on_failure: OnFailure) -> SendCommand {
    SendCommand {
        message_id: Some(MessageId::new("m-1").unwrap()),
        on_failure,
        ..text(to, "hello")
    }
}

async fn stands(world: &World) -> (String, Option<Code>) {
    let message = world.node.message("m-1").await.unwrap().message;
    (message.state, message.problem.map(|problem| problem.code))
}

/// It may be in the old database, and stays so until the person decides.
async fn is_open(world: &World) -> bool {
    stands(world).await == ("unconfirmed".to_owned(), Some(Code::StoreRestored))
}

fn ping_answer(store: StoreId) -> Say {
    Say::Answer(200, json!({"at": 0, "addresses": [], "storeId": store}))
}

/// Signed refusals of whatever is asked about, by a database of this name.
fn not_stored(actor: &Actor, own: tieline_wire::key::KeyId, store: StoreId, seen: &Seen) -> Say {
    let items: Vec<_> = seen.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let id = MessageId::new(item["id"].as_str().unwrap()).unwrap();
            let hash = item["hash"].as_str().unwrap().parse().unwrap();
            let word = Receipt::sign(&actor.signing, Stage::Refused, &id, own, hash, store);
            json!({"id": id, "receipt": word})
        })
        .collect();
    Say::Answer(200, json!({"items": items}))
}

/// The files of a database.
fn files(home: &Path) -> [PathBuf; 3] {
    ["tieline.db", "tieline.db-wal", "tieline.db-shm"].map(|name| home.join(name))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_peer_that_stored_a_message_and_was_restored_gets_it_no_second_time_by_itself() {
    let (mac, wsl) = (World::new("mac").await, World::new("wsl").await);
    let link = mac.node.create_invite(None).await.unwrap().link.unwrap();
    wsl.node.join(&link).await.unwrap();
    mac.node.keep("wsl").await.unwrap();
    let address = listener(&wsl.node);
    let relay = Relay::to(address).await;
    let through = relay.address.to_string().parse().unwrap();
    mac.node.set_addresses("wsl", vec![through]).await.unwrap();
    // The connections of before the detour end with this run.
    let mac = mac.restart().await;
    let again = async |world: World, change: &dyn Fn(&Path)| {
        let World { node, home } = world;
        node.shutdown().await;
        drop(node);
        change(home.path());
        let mut config = config(home.path(), "wsl");
        config.peer_addr = address;
        let node = start_with(config).await.unwrap();
        World { node, home }
    };
    mac.node.ping("wsl").await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    let wsl = again(wsl, &|home| {
        fs::copy(home.join("tieline.db"), copy.path().join("tieline.db")).unwrap();
    })
    .await;
    eventually("the line is back", async || {
        mac.node.ping("wsl").await.is_ok()
    })
    .await;

    // Stored there, and the answer is lost.
    relay.lose_answers();
    let node = mac.node.clone();
    let sending = tokio::spawn(async move { node.send(message("wsl", OnFailure::Fail)).await });
    eventually("it is stored", async || wsl.inbox().await == ["hello"]).await;
    // Put back from the copy, the peer comes by itself and names its database, while the
    // message still counts as being sent.
    let wsl = again(wsl, &|home| {
        for file in files(home) {
            let _ = fs::remove_file(file);
        }
        fs::copy(copy.path().join("tieline.db"), home.join("tieline.db")).unwrap();
    })
    .await;
    eventually("the sender knows", async || {
        mac.problems().await.contains(&Code::StoreRestored)
    })
    .await;
    relay.cut();
    let outcome = sending.await.unwrap();
    let failure = outcome.expect_err("the old database may have handed it over");
    assert_eq!(failure.status.as_deref(), Some("unconfirmed"));
    assert!(is_open(&mac).await, "{:?}", stands(&mac).await);
    // Nothing changes that by itself.
    for _ in 0..3 {
        mac.node.ping("wsl").await.unwrap();
    }
    let other = mac.node.send(text("wsl", "goes on")).await.unwrap();
    assert_eq!(other.status, "delivered");
    assert!(is_open(&mac).await, "{:?}", stands(&mac).await);
    assert_eq!(wsl.inbox().await, ["goes on"]);
    // Its caller may repeat it, who knows best whether a second copy does harm.
    let sent = mac
        .node
        .send(message("wsl", OnFailure::Fail))
        .await
        .unwrap();
    assert_eq!(sent.status, "delivered");
    assert_eq!(wsl.inbox().await, ["goes on", "hello"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_peer_cannot_call_a_message_lost_that_was_being_sent() {
    for on_failure in [OnFailure::Fail, OnFailure::Queue] {
        let world = World::new("mac").await;
        let own = world.node.card().unwrap().key_id();
        let actor = Actor::new("friend");
        let restored = Arc::new(AtomicBool::new(false));
        let (is_restored, by) = (Arc::clone(&restored), actor.clone());
        let station = Station::open(&actor, move |seen| {
            let (is_restored, by) = (Arc::clone(&is_restored), by.clone());
            async move {
                let store = || match is_restored.load(Ordering::SeqCst) {
                    true => RESTORED,
                    false => STORE,
                };
                match seen.path.as_str() {
                    PING => ping_answer(store()),
                    MESSAGES => {
                        while !is_restored.load(Ordering::SeqCst) {
                            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                        }
                        Say::HangUp
                    }
                    RESOLVE => not_stored(&by, own, store(), &seen),
                    _ => Say::Default,
                }
            }
        })
        .await;
        let peer = actor.join(&world.node, &[station.address]).await;
        world.node.ping("friend").await.unwrap();
        let node = world.node.clone();
        let sending = tokio::spawn(async move { node.send(message("friend", on_failure)).await });
        eventually("it is under way", async || {
            station.seen(MESSAGES).len() == 1
        })
        .await;
        // The peer names its new database while the message is being sent, then hangs up.
        let http = peer.dial().await;
        let body = json!({"at": 0, "addresses": [], "storeId": RESTORED}).to_string();
        let answer = peer.post(&http, PING, body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        restored.store(true, Ordering::SeqCst);
        let failure = sending.await.unwrap().unwrap_err();
        assert_eq!(failure.status.as_deref(), Some("unconfirmed"));
        assert!(is_open(&world).await, "{:?}", stands(&world).await);
        assert_eq!(station.seen(MESSAGES).len(), 1);
        // After a restart, too, and after a crash in which it was being sent.
        let database = world.home.path().join("tieline.db");
        let World { node, home } = world;
        node.shutdown().await;
        drop(node);
        let edit = rusqlite::Connection::open(&database).unwrap();
        edit.execute("UPDATE messages SET state = 'sending', problem = NULL", [])
            .unwrap();
        drop(edit);
        let node = crate::world::start(home.path(), "mac").await;
        let world = World { node, home };
        eventually("it is open again", async || is_open(&world).await).await;
        assert_eq!(station.seen(MESSAGES).len(), 1);
    }
}

#[tokio::test]
async fn a_refusal_in_the_name_of_another_database_than_the_one_asked_is_not_final() {
    let world = World::new("mac").await;
    let own = world.node.card().unwrap().key_id();
    let actor = Actor::new("friend");
    let by = actor.clone();
    let station = Station::open(&actor, move |seen| {
        let answer = match seen.path.as_str() {
            MESSAGES => {
                let sent = Envelope::parse(&seen.body).unwrap();
                let hash = sent.content_hash();
                let word =
                    Receipt::sign(&by.signing, Stage::Refused, &sent.id, own, hash, RESTORED);
                let problem = json!({"code": "ID_CONFLICT", "summary": "", "cause": "",
                    "remedy": "", "phase": null, "detail": {"receipt": word}});
                Say::Answer(409, problem)
            }
            RESOLVE => not_stored(&by, own, RESTORED, &seen),
            _ => Say::Default,
        };
        async { answer }
    })
    .await;
    let _peer = actor.join(&world.node, &[station.address]).await;
    let failure = world.node.send(message("friend", OnFailure::Fail)).await;
    assert_eq!(failure.unwrap_err().status.as_deref(), Some("unconfirmed"));
    assert!(is_open(&world).await, "{:?}", stands(&world).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_message_ever_leaves_only_after_the_peer_has_named_its_database() {
    let world = World::new("mac").await;
    let own = world.node.card().unwrap().key_id();
    let actor = Actor::new("friend");
    let lost = Arc::new(AtomicBool::new(false));
    let (is_lost, by) = (Arc::clone(&lost), actor.clone());
    let station = Station::open(&actor, move |seen| {
        let restored = is_lost.load(Ordering::SeqCst);
        let store = if restored { RESTORED } else { STORE };
        let answer = match seen.path.as_str() {
            PING => ping_answer(store),
            // Stored by the one database; every later word is of the other.
            MESSAGES => {
                is_lost.store(true, Ordering::SeqCst);
                Say::HangUp
            }
            RESOLVE => not_stored(&by, own, store, &seen),
            _ => Say::Default,
        };
        async { answer }
    })
    .await;
    let _peer = actor.join(&world.node, &[station.address]).await;
    let database = rusqlite::Connection::open(world.home.path().join("tieline.db")).unwrap();
    let failure = world.node.send(message("friend", OnFailure::Fail)).await;
    assert_eq!(failure.unwrap_err().status.as_deref(), Some("unconfirmed"));
    let sent = station.seen(MESSAGES);
    assert_eq!(sent.len(), 1);
    let asked = station.seen(PING);
    assert!(asked.iter().any(|ping| ping.channel == sent[0].channel));
    let recorded: [u8; 16] = database
        .query_row("SELECT store_id FROM messages", [], |row| row.get(0))
        .unwrap();
    assert_eq!(StoreId(recorded), STORE);
    eventually("it stays open", async || is_open(&world).await).await;
    world.node.ping("friend").await.unwrap();
    assert!(is_open(&world).await, "{:?}", stands(&world).await);
    assert_eq!(station.seen(MESSAGES).len(), 1);
}
