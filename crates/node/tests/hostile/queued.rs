//! Messages in the queue while the world changes: their peer is unpaired, its database exchanged,
//! or it cannot recognise copies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tieline_node::model::{AddPeer, KithkitPeer, OnFailure, SendCommand};
use tieline_wire::message::MessageId;
use tieline_wire::receipt::StoreId;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::actor::{Actor, MESSAGES, PING};
use crate::station::{STORE, Say, Station};
use crate::world::{World, eventually, text};

fn queued(to: &str, id: &str) -> SendCommand {
    SendCommand {
        on_failure: OnFailure::Queue,
        message_id: Some(MessageId::new(id).unwrap()),
        ..text(to, "hello")
    }
}

async fn state(world: &World, id: &str) -> String {
    world.node.message(id).await.unwrap().message.state
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_stays_queued_for_a_peer_that_is_unpaired_while_it_is_sent() {
    let world = World::new("mac").await;
    let actor = Actor::new("friend");
    let station = Station::open(&actor, |seen| async move {
        if seen.path == MESSAGES {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        Say::Default
    })
    .await;
    let _peer = actor.join(&world.node, &[station.address]).await;
    let node = world.node.clone();
    let sending = tokio::spawn(async move { node.send(queued("friend", "m-1")).await });
    eventually("it is under way", async || {
        station.seen(MESSAGES).len() == 1
    })
    .await;
    world.node.remove("friend").await.unwrap();
    let failure = sending.await.unwrap().unwrap_err();
    assert_eq!(
        failure.status.as_deref(),
        Some("unconfirmed"),
        "{failure:?}"
    );
    assert_eq!(state(&world, "m-1").await, "unconfirmed");
    // One that was being sent when the program ended, and whose peer was unpaired then.
    let database = world.home.path().join("tieline.db");
    world.node.shutdown().await;
    let edit = rusqlite::Connection::open(&database).unwrap();
    edit.execute(
        "UPDATE messages SET state = 'sending', exposed = 0 WHERE message_id = 'm-1'",
        [],
    )
    .unwrap();
    drop(edit);
    let World { node, home } = world;
    drop(node);
    let node = crate::world::start(home.path(), "mac").await;
    let world = World { node, home };
    assert_eq!(state(&world, "m-1").await, "unconfirmed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_may_be_in_a_peers_old_database_is_not_put_into_the_new_one() {
    let world = World::new("mac").await;
    let actor = Actor::new("friend");
    let restored = Arc::new(AtomicBool::new(false));
    let is_restored = Arc::clone(&restored);
    let station = Station::open(&actor, move |seen| {
        let restored = is_restored.load(Ordering::SeqCst);
        let answer = match seen.path.as_str() {
            // Stored, but the answer is lost; then the peer's database is put back from a copy.
            MESSAGES if !restored => Say::HangUp,
            PING => {
                let store = if restored { StoreId([4; 16]) } else { STORE };
                Say::Answer(200, json!({"at": 0, "addresses": [], "storeId": store}))
            }
            _ => Say::Default,
        };
        async { answer }
    })
    .await;
    let _peer = actor.join(&world.node, &[station.address]).await;
    world.node.ping("friend").await.unwrap();
    let sent = world.node.send(queued("friend", "m-1")).await.unwrap();
    assert_eq!(sent.status, "queued");
    let before = station.seen(MESSAGES).len();
    restored.store(true, Ordering::SeqCst);
    eventually("the person is asked", async || {
        state(&world, "m-1").await == "unconfirmed"
    })
    .await;
    let problem = world.node.message("m-1").await.unwrap().message.problem;
    assert_eq!(problem.unwrap().code.to_string(), "STORE_RESTORED");
    assert_eq!(station.seen(MESSAGES).len(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_sent_once_to_a_machine_that_does_not_recognise_copies() {
    let world = World::new("mac").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    // Reads the request, which it may have stored, and hangs up.
    let machine = tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = tcp.read(&mut request).await;
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let secret = "credential-agent-comms-secret";
    world.node.set_secret(secret, "shared").await.unwrap();
    let kithkit = KithkitPeer {
        name: "bmo".into(),
        host: "127.0.0.1".into(),
        port,
        ip: None,
    };
    let add = AddPeer {
        kithkit: Some(kithkit),
        ..AddPeer::default()
    };
    world.node.add_peer(add).await.unwrap();
    let failure = world.node.send(queued("bmo", "m-1")).await.unwrap_err();
    assert_eq!(
        failure.status.as_deref(),
        Some("unconfirmed"),
        "{failure:?}"
    );
    assert_eq!(taken.load(Ordering::SeqCst), 1);
    // Not by the queue, not when its caller repeats itself, and not after a crash.
    let again = world.node.send(queued("bmo", "m-1")).await.unwrap_err();
    assert_eq!(again.status.as_deref(), Some("unconfirmed"));
    let database = world.home.path().join("tieline.db");
    let World { node, home } = world;
    node.shutdown().await;
    drop(node);
    let edit = rusqlite::Connection::open(&database).unwrap();
    edit.execute("UPDATE messages SET state = 'sending', exposed = 0", [])
        .unwrap();
    drop(edit);
    let node = crate::world::start(home.path(), "mac").await;
    let world = World { node, home };
    eventually("it is settled", async || {
        state(&world, "m-1").await == "unconfirmed"
    })
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(taken.load(Ordering::SeqCst), 1);
    machine.abort();
}

#[tokio::test]
async fn an_id_names_its_content_also_after_the_content_was_deleted() {
    let world = World::new("mac").await;
    let actor = Actor::new("friend");
    let station = Station::honest(&actor).await;
    let _peer = actor.join(&world.node, &[station.address]).await;
    let mut command = queued("friend", "m-1");
    assert_eq!(
        world.node.send(command.clone()).await.unwrap().status,
        "delivered"
    );
    let database = rusqlite::Connection::open(world.home.path().join("tieline.db")).unwrap();
    database.execute("DELETE FROM bodies", []).unwrap();
    assert_eq!(
        world.node.send(command.clone()).await.unwrap().status,
        "delivered"
    );
    command.payload.insert("text".into(), "other".into());
    let refused = world.node.send(command).await.unwrap_err();
    assert_eq!(refused.problem.code.to_string(), "ID_CONFLICT");
    assert_eq!(station.seen(MESSAGES).len(), 1);
}
