//! What a paired machine may not do: have questions answered before it is kept, answer for another
//! machine, or hang up for it.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tieline_node::model::{AskCommand, PeerStateView, Responder};
use tieline_wire::message::Envelope;

use crate::actor::{Actor, MESSAGES, Paired, listener};
use crate::station::Station;
use crate::tunnel::Http;
use crate::world::{World, eventually};

const CANCEL: &str = "/tieline/v1/asks/cancel";

/// A message with any payload.
fn with_payload(peer: &Paired, id: &str, payload: &Value) -> Vec<u8> {
    let text = String::from_utf8(peer.message(id, "")).unwrap();
    let start = text.find(r#""payload":"#).unwrap();
    format!(r#"{}"payload":{payload}}}"#, &text[..start]).into_bytes()
}

fn question(peer: &Paired, id: &str) -> Vec<u8> {
    with_payload(
        peer,
        id,
        &json!({"type": "tieline.ask", "text": "who are you", "hops": 3}),
    )
}

/// Payloads of the answers that came to a station.
fn answers(station: &Station) -> Vec<Value> {
    let payload = |body: &[u8]| {
        let message = Envelope::parse(body).unwrap();
        serde_json::from_str::<Value>(message.payload.get()).unwrap()
    };
    let seen = station.seen(MESSAGES);
    let payloads = seen.iter().map(|seen| payload(&seen.body));
    payloads
        .filter(|payload| payload["type"] == "tieline.answer")
        .collect()
}

async fn answering_by(world: &World, argv: &[&str]) {
    let argv = argv.iter().map(|word| (*word).to_owned()).collect();
    let responder = Responder::Command {
        argv,
        timeout_seconds: 20,
    };
    world.node.set_responder(None, responder).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn no_program_is_started_for_a_machine_that_was_not_kept() {
    let world = World::new("mac").await;
    let mark = world.home.path().join("started");
    answering_by(&world, &["/usr/bin/touch", mark.to_str().unwrap()]).await;
    let actor = Actor::new("friend");
    let station = Station::honest(&actor).await;
    let peer = actor.join(&world.node, &[station.address]).await;
    assert_eq!(
        world.node.peer("friend").await.unwrap().state,
        PeerStateView::Joined
    );
    let http = peer.dial().await;
    let answer = peer.post(&http, MESSAGES, &question(&peer, "q-1")).await;
    assert_eq!(answer.status, 200);
    eventually("it is told why", async || !answers(&station).is_empty()).await;
    assert_eq!(answers(&station)[0]["error"]["code"], "NOT_KEPT");
    assert!(!mark.exists());
    // Once kept it is: the refusal had no other reason.
    world.node.keep("friend").await.unwrap();
    peer.post(&http, MESSAGES, &question(&peer, "q-2")).await;
    eventually("the program ran", async || Path::new(&mark).exists()).await;
}

#[tokio::test]
async fn an_answer_counts_only_from_the_machine_that_was_asked() {
    let world = World::new("mac").await;
    let actor = Actor::new("friend");
    let station = Station::honest(&actor).await;
    let friend = actor.join(&world.node, &[station.address]).await;
    let second = Actor::new("second").join(&world.node, &[]).await;
    let node = world.node.clone();
    let asking = tokio::spawn(async move {
        let ask = AskCommand {
            to: "friend".into(),
            text: "which branch".into(),
            hops: None,
            session: None,
            wait: Some(Duration::from_secs(30)),
            stream: false,
        };
        node.ask(ask).await.unwrap()
    });
    eventually("the question is there", async || {
        !station.seen(MESSAGES).is_empty()
    })
    .await;
    let ask = Envelope::parse(&station.seen(MESSAGES)[0].body).unwrap();
    let reply = |text: &str| json!({"type": "tieline.answer", "inReplyTo": ask.id, "text": text});
    let say = async |peer: &Paired, text: &str| {
        let http = Http::h2(listener(&world.node), Some(&peer.actor))
            .await
            .unwrap();
        let body = with_payload(peer, &format!("a-{text}"), &reply(text));
        assert_eq!(peer.post(&http, MESSAGES, &body).await.status, 200);
    };
    say(&second, "force-push").await;
    let so_far = world.node.ask_status(ask.id.as_str()).await.unwrap();
    assert_eq!(
        (so_far.status.as_str(), so_far.untrusted_answer),
        ("accepted", None)
    );
    say(&friend, "main").await;
    let view = asking.await.unwrap();
    assert_eq!(view.untrusted_answer.as_deref(), Some("main"));
    assert_eq!(view.provenance.peer, "friend");
    let later = world.node.ask_status(ask.id.as_str()).await.unwrap();
    assert_eq!(later.untrusted_answer.as_deref(), Some("main"));
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_asker_can_hang_up() {
    let world = World::new("mac").await;
    let mark = world.home.path().join("finished");
    let script = format!("sleep 3; touch {}; echo done", mark.display());
    answering_by(&world, &["/bin/sh", "-c", &script]).await;
    let actor = Actor::new("friend");
    let station = Station::honest(&actor).await;
    let friend = actor.join(&world.node, &[station.address]).await;
    let second = Actor::new("second").join(&world.node, &[]).await;
    for name in ["friend", "second"] {
        world.node.keep(name).await.unwrap();
    }
    let http = friend.dial().await;
    friend
        .post(&http, MESSAGES, &question(&friend, "q-1"))
        .await;
    // A message of its own under the same id does not make the question the second one's.
    let its = second.dial().await;
    second
        .post(&its, MESSAGES, &second.message("q-1", "mine"))
        .await;
    let cancel = json!({"id": "q-1"}).to_string();
    assert_eq!(
        second.post(&its, CANCEL, cancel.as_bytes()).await.status,
        200
    );
    eventually("the answer came", async || !answers(&station).is_empty()).await;
    assert!(mark.exists(), "{:?}", answers(&station));
    assert_eq!(
        answers(&station)[0]["text"].as_str().map(str::trim),
        Some("done")
    );
}
