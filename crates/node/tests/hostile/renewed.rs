//! A peer's keys are renewed while it is open what became of a message: nobody but the holder of the
//! old ones can say, nobody else gets it, and a renewal brings back no peer that was unpaired.

use serde_json::json;
use tieline_node::model::{OnFailure, SendCommand};
use tieline_wire::message::MessageId;
use tieline_wire::problem::Code;
use tieline_wire::receipt::{Receipt, Stage};
use tokio::net::{TcpListener, TcpStream};

use crate::actor::{Actor, MESSAGES, RESOLVE};
use crate::station::{STORE, Say, Seen, Station};
use crate::world::{World, eventually, text};

fn message(id: &str) -> SendCommand {
    SendCommand {
        message_id: Some(MessageId::new(id).unwrap()),
        on_failure: OnFailure::Fail,
        ..text("friend", "hello")
    }
}

async fn stands(world: &World, id: &str) -> (String, Option<Code>) {
    let message = world.node.message(id).await.unwrap().message;
    (message.state, message.problem.map(|problem| problem.code))
}

/// Signs for whatever is asked about that it is stored.
fn all_stored(actor: &Actor, own: tieline_wire::key::KeyId, seen: &Seen) -> Say {
    let asked = seen.json()["items"].as_array().unwrap().clone();
    let items = asked.iter().map(|item| {
        let id = MessageId::new(item["id"].as_str().unwrap()).unwrap();
        let hash = item["hash"].as_str().unwrap().parse().unwrap();
        let word = Receipt::sign(&actor.signing, Stage::Stored, &id, own, hash, STORE);
        json!({"id": id, "receipt": word})
    });
    Say::Answer(200, json!({"items": items.collect::<Vec<_>>()}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_holder_of_new_keys_is_not_asked_about_messages_for_the_old_ones() {
    let world = World::new("mac").await;
    let own = world.node.card().unwrap().key_id();
    let old = Actor::new("friend");
    let before = Station::open(&old, |seen| async move {
        match seen.path.as_str() {
            MESSAGES => Say::HangUp,
            _ => Say::Default,
        }
    })
    .await;
    let _peer = old.join(&world.node, &[before.address]).await;
    let failure = world.node.send(message("m-1")).await.unwrap_err();
    assert_eq!(failure.status.as_deref(), Some("unconfirmed"));

    let new = Actor::new("friend");
    let by = new.clone();
    let after = Station::open(&new, move |seen| {
        let answer = match seen.path.as_str() {
            MESSAGES => Say::HangUp,
            RESOLVE => all_stored(&by, own, &seen),
            _ => Say::Default,
        };
        async { answer }
    })
    .await;
    let card = new.card_json(&[after.address]);
    world.node.renew_keys("friend", &card).await.unwrap();
    let open = ("unconfirmed".to_owned(), Some(Code::NewKey));
    assert_eq!(stands(&world, "m-1").await, open);
    // What was written since is asked about, and the older one is not.
    let _ = world.node.send(message("m-2")).await;
    eventually("the newer one is settled", async || {
        stands(&world, "m-2").await.0 == "delivered"
    })
    .await;
    for asked in after.seen(RESOLVE) {
        let items = asked.json()["items"].as_array().unwrap().clone();
        assert!(items.iter().all(|item| item["id"] == "m-2"), "{items:?}");
    }
    assert_eq!(stands(&world, "m-1").await, open);
    // Nor does it go there when its caller repeats it.
    let again = world.node.send(message("m-1")).await.unwrap_err();
    assert_eq!(again.status.as_deref(), Some("unconfirmed"));
    assert_eq!(stands(&world, "m-1").await, open);
    let sent = after.seen(MESSAGES);
    assert!(sent.iter().all(|sent| sent.json()["id"] == "m-2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_is_unpaired_during_a_renewal_stays_unpaired() {
    let (world, anew) = (World::new("mac").await, World::new("box").await);
    let old = Actor::new("friend");
    let station = Station::honest(&old).await;
    let _peer = old.join(&world.node, &[station.address]).await;
    world.node.keep("friend").await.unwrap();

    // A machine in between that lets the handshake wait.
    let between = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let parts = anew.node.swap_offer().unwrap().parts;
    let host = parts.lines().find(|line| line.starts_with("host"));
    let address = host.unwrap().split_once(": ").unwrap().1;
    let stalled = parts.replace(address, &between.local_addr().unwrap().to_string());
    let node = world.node.clone();
    let renewal = tokio::spawn(async move { node.renew_keys("friend", &stalled).await });
    let (mut near, _) = between.accept().await.unwrap();
    world.node.remove("friend").await.unwrap();
    let mut far = TcpStream::connect(address).await.unwrap();
    let forward =
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });

    let refused = renewal.await.unwrap().unwrap_err();
    assert_eq!(refused.code, Code::PeerNotFound, "{refused:?}");
    assert!(world.peer_names().await.is_empty());
    let world = world.restart().await;
    assert!(world.peer_names().await.is_empty());
    forward.abort();
}
