//! Messages, questions and reports that a paired machine sends here, and should not.

use serde_json::{Value, json};
use tieline_wire::key::KeyId;
use tieline_wire::message::Envelope;
use tieline_wire::problem::Code;
use tieline_wire::receipt::{Receipt, Stage, StoreId};

use crate::actor::{Actor, MESSAGES, Paired, RESOLVE, STAGES, envelope};
use crate::station::Station;
use crate::tunnel::{Answer, Http};
use crate::world::{World, text};

async fn paired() -> (World, Paired, Http) {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let http = peer.dial().await;
    (world, peer, http)
}

fn receipt_in(value: &Value) -> Receipt {
    serde_json::from_value(value.clone()).unwrap()
}

/// The signed refusal that a problem carries, checked.
fn refusal(answer: &Answer, peer: &Paired, body: &[u8]) -> Receipt {
    let receipt = receipt_in(&answer.json["detail"]["receipt"]);
    let message = Envelope::parse(body).unwrap();
    receipt
        .verify_for(
            &peer.node_key,
            &message.id,
            peer.key_id(),
            message.content_hash(),
        )
        .unwrap();
    assert_eq!(receipt.stage, Stage::Refused);
    receipt
}

#[tokio::test]
async fn other_content_under_a_known_id_is_refused_with_a_signed_word_and_shown_to_the_person() {
    let (world, peer, http) = paired().await;
    let first = peer.message("m-1", "pay ten");
    let other = peer.message("m-1", "pay a thousand");
    let stored = peer.post(&http, MESSAGES, &first).await;
    assert_eq!(stored.status, 200);
    let refused = peer.post(&http, MESSAGES, &other).await;
    assert_eq!((refused.status, refused.code()), (409, "ID_CONFLICT"));
    refusal(&refused, &peer, &other);
    assert_eq!(world.inbox().await, ["pay ten"]);
    assert_eq!(world.problems().await, [Code::IdConflict]);
    // The first content under the id is still what it was, with the same receipt.
    let again = peer.post(&http, MESSAGES, &first).await;
    assert_eq!(again.json, stored.json);
}

#[tokio::test]
async fn one_peers_conflicts_do_not_crowd_out_other_problems() {
    let (world, peer, http) = paired().await;
    for number in 0..60 {
        for words in ["one", "other"] {
            let body = peer.message(&format!("m-{number}"), words);
            peer.post(&http, MESSAGES, &body).await;
        }
    }
    let second = Actor::new("second").join(&world.node, &[]).await;
    let its = second.dial().await;
    for words in ["one", "other"] {
        second
            .post(&its, MESSAGES, &second.message("m-1", words))
            .await;
    }
    let status = world.node.status().await.unwrap();
    let of = |name: &str| {
        let named = |problem: &&tieline_wire::problem::Problem| {
            problem
                .detail
                .as_ref()
                .is_some_and(|detail| detail["peer"] == name)
        };
        status.problems.iter().filter(named).count()
    };
    assert_eq!((of("friend"), of("second")), (1, 1));
}

#[tokio::test]
async fn the_same_message_again_is_one_message_on_any_connection_and_after_a_restart() {
    let (world, peer, http) = paired().await;
    let body = peer.message("m-1", "once");
    let first = peer.post(&http, MESSAGES, &body).await;
    let elsewhere = peer.dial().await;
    assert_eq!(
        peer.post(&elsewhere, MESSAGES, &body).await.json,
        first.json
    );
    let world = world.restart().await;
    let peer = Paired {
        address: crate::actor::listener(&world.node),
        ..peer
    };
    let http = peer.dial().await;
    assert_eq!(peer.post(&http, MESSAGES, &body).await.json, first.json);
    assert_eq!(world.inbox().await, ["once"]);
}

#[tokio::test]
async fn an_id_that_was_called_absent_is_refused_from_then_on() {
    let (world, peer, http) = paired().await;
    let body = peer.message("m-1", "late");
    let hash = Envelope::parse(&body).unwrap().content_hash();
    let question = |fence: bool| {
        let item = json!({"id": "m-1", "hash": hash, "fence": fence});
        json!({"items": [item]}).to_string()
    };
    let asked = peer.post(&http, RESOLVE, question(false).as_bytes()).await;
    assert_eq!(asked.json["items"][0]["receipt"], Value::Null, "{asked:?}");
    let fenced = peer.post(&http, RESOLVE, question(true).as_bytes()).await;
    let word = receipt_in(&fenced.json["items"][0]["receipt"]);
    word.verify(&peer.node_key).unwrap();
    assert_eq!(word.stage, Stage::Refused);
    // The copy that was on its way when the question was asked.
    let late = peer.post(&http, MESSAGES, &body).await;
    assert_eq!(late.code(), "DELIVERY_FAILED");
    refusal(&late, &peer, &body);
    assert!(world.inbox().await.is_empty());
    let world = world.restart().await;
    let peer = Paired {
        address: crate::actor::listener(&world.node),
        ..peer
    };
    let http = peer.dial().await;
    assert_eq!(
        peer.post(&http, MESSAGES, &body).await.code(),
        "DELIVERY_FAILED"
    );
    assert!(world.inbox().await.is_empty());
}

#[tokio::test]
async fn a_message_in_another_name_or_for_another_node_is_refused() {
    let (world, peer, http) = paired().await;
    let (own, node) = (peer.key_id(), peer.node_key.key_id());
    let other = Actor::new("second").join(&world.node, &[]).await.key_id();
    let strange = KeyId([5; 32]);
    for (from, to) in [
        (other, node),
        (strange, node),
        (node, node),
        (own, other),
        (own, strange),
        (own, own),
        (node, own),
        (peer.actor.tls.key_id(), node),
    ] {
        let answer = peer
            .post(&http, MESSAGES, &envelope("m-1", from, to, "x"))
            .await;
        assert_eq!(answer.code(), "INVALID_TARGET", "{answer:?}");
    }
    assert!(world.inbox().await.is_empty());
}

#[tokio::test]
async fn what_is_not_a_message_is_refused_and_does_no_harm() {
    let (world, peer, http) = paired().await;
    let honest = String::from_utf8(peer.message("m-1", "x")).unwrap();
    let payload = |payload: &str| {
        let start = honest.find(r#""payload":"#).unwrap();
        format!(r#"{}"payload":{payload}}}"#, &honest[..start])
    };
    let deep = format!(
        r#"{{"type":"text","a":{}{}}}"#,
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    let spoilt = [
        String::new(),
        "{}".into(),
        "null".into(),
        honest[..honest.len() - 1].to_owned(),
        format!("{honest} x"),
        format!("{honest}{honest}"),
        honest.replacen(r#""v":1"#, r#""v":2"#, 1),
        honest.replacen(r#""v":1"#, r#""v":"1""#, 1),
        honest.replacen('{', r#"{"v":1,"#, 1),
        honest.replacen('{', r#"{"bcc":"everyone","#, 1),
        honest.replacen("m-1", "", 1),
        honest.replacen("m-1", "m 1", 1),
        honest.replacen("m-1", "../../m-1", 1),
        honest.replacen("m-1", &"m".repeat(129), 1),
        honest.replacen("2026-03-01T12:00:00.000Z", "yesterday", 1),
        payload("[]"),
        payload("{}"),
        payload(r#"{"type":""}"#),
        payload(r#"{"type":7}"#),
        payload(r#"{"type":"text","type":"text"}"#),
        payload(r#"{"type":"text","a":{"b":1,"b":2}}"#),
        payload(r#"{"type":"text","text":"\ud800"}"#),
        payload(&deep),
    ];
    for body in spoilt {
        let answer = peer.post(&http, MESSAGES, body.as_bytes()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "INVALID_REQUEST"),
            "{body:.200}"
        );
    }
    let latin = [honest.as_bytes(), &[0xff, 0xfe]].concat();
    assert_eq!(peer.post(&http, MESSAGES, &latin).await.status, 400);
    assert!(world.inbox().await.is_empty());
    assert_eq!(
        peer.post(&http, MESSAGES, honest.as_bytes()).await.status,
        200
    );
}

#[tokio::test]
async fn one_peer_can_neither_learn_nor_block_what_another_sends() {
    let (world, one, its) = paired().await;
    let two = Actor::new("second").join(&world.node, &[]).await;
    let theirs = two.dial().await;
    let stored = one.message("m-1", "private");
    assert_eq!(one.post(&its, MESSAGES, &stored).await.status, 200);
    let hash = Envelope::parse(&stored).unwrap().content_hash();
    let ask = |id: &str, fence: bool| {
        json!({"items": [{"id": id, "hash": hash, "fence": fence}]}).to_string()
    };
    let asked = two
        .post(&theirs, RESOLVE, ask("m-1", false).as_bytes())
        .await;
    assert_eq!(asked.json["items"][0]["receipt"], Value::Null);
    let fenced = two
        .post(&theirs, RESOLVE, ask("m-1", true).as_bytes())
        .await;
    let word = receipt_in(&fenced.json["items"][0]["receipt"]);
    assert_eq!((word.stage, word.sender), (Stage::Refused, two.key_id()));
    // A fence put up by the second does not stand in the first one's way.
    two.post(&theirs, RESOLVE, ask("m-2", true).as_bytes())
        .await;
    let answer = one
        .post(&its, MESSAGES, &one.message("m-2", "also private"))
        .await;
    assert_eq!(answer.status, 200);
    // And the same id from both is two messages.
    let answer = two
        .post(&theirs, MESSAGES, &two.message("m-3", "mine"))
        .await;
    assert_eq!(answer.status, 200);
    let answer = one
        .post(&its, MESSAGES, &one.message("m-3", "mine too"))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        world.inbox().await,
        ["private", "also private", "mine", "mine too"]
    );
}

#[tokio::test]
async fn a_question_about_too_many_or_unreadable_messages_is_refused() {
    let (world, peer, http) = paired().await;
    let item = json!({"id": "m-1", "hash": STAND_IN_HASH, "fence": true});
    let items = |count: usize| json!({"items": vec![item.clone(); count]}).to_string();
    let answer = peer.post(&http, RESOLVE, items(257).as_bytes()).await;
    assert_eq!(answer.code(), "INVALID_REQUEST");
    for item in [
        json!({"id": "", "hash": STAND_IN_HASH, "fence": true}),
        json!({"id": "m-1", "hash": "x", "fence": true}),
        json!({"id": "m-1", "hash": STAND_IN_HASH}),
        json!({"id": "m-1", "hash": STAND_IN_HASH, "fence": "true"}),
        json!({"id": "m-1", "hash": STAND_IN_HASH, "fence": true, "peer": "second"}),
    ] {
        let body = json!({"items": [item]}).to_string();
        let answer = peer.post(&http, RESOLVE, body.as_bytes()).await;
        assert_eq!(answer.code(), "INVALID_REQUEST", "{body}");
    }
    // Nothing of these was fenced.
    assert_eq!(
        peer.post(&http, MESSAGES, &peer.message("m-1", "x"))
            .await
            .status,
        200
    );
    assert_eq!(world.inbox().await, ["x"]);
}

const STAND_IN_HASH: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[tokio::test]
async fn reports_about_messages_that_are_not_the_reporters_change_nothing() {
    let world = World::new("mac").await;
    let actor = Actor::new("friend");
    let station = Station::honest(&actor).await;
    let friend = actor.join(&world.node, &[station.address]).await;
    let second = Actor::new("second").join(&world.node, &[]).await;
    let sent = world
        .node
        .send(text("friend", "for the friend alone"))
        .await
        .unwrap();
    assert_eq!(sent.status, "delivered");
    let message = Envelope::parse(&station.seen(MESSAGES)[0].body).unwrap();
    let own = message.from;
    let sign = |by: &Actor, stage: Stage, sender: KeyId| {
        let hash = message.content_hash();
        Receipt::sign(
            &by.signing,
            stage,
            &message.id,
            sender,
            hash,
            StoreId([1; 16]),
        )
    };
    let stranger = Actor::new("stranger");
    let mut renamed = sign(&friend.actor, Stage::HandedOver, own);
    renamed.stage = Stage::Acknowledged;
    let reports = [
        // The second one's own signature, about a message that was not for it.
        (&second, sign(&second.actor, Stage::Acknowledged, own)),
        // The friend's genuine signature, in the second one's mouth.
        (&second, sign(&friend.actor, Stage::Acknowledged, own)),
        (&friend, sign(&second.actor, Stage::Acknowledged, own)),
        (&friend, sign(&stranger, Stage::Acknowledged, own)),
        (
            &friend,
            sign(&friend.actor, Stage::Acknowledged, second.key_id()),
        ),
        (&friend, renamed),
        // Genuine, but not a later stage: a delivered message is not refused afterwards.
        (&friend, sign(&friend.actor, Stage::Refused, own)),
        (&friend, sign(&friend.actor, Stage::Stored, own)),
    ];
    for (reporter, receipt) in reports {
        let http = reporter.dial().await;
        let body = json!({"receipts": [receipt]}).to_string();
        let answer = reporter.post(&http, STAGES, body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let detail = world.node.message(&sent.message_id).await.unwrap();
        assert_eq!(detail.message.state, "delivered");
        assert_eq!(detail.message.acknowledged_at, None);
        assert_eq!(detail.receipts.len(), 1, "{receipt:?}");
    }
    // The genuine report is taken: the refusals had no other reason.
    let http = friend.dial().await;
    let body = json!({"receipts": [sign(&friend.actor, Stage::Acknowledged, own)]}).to_string();
    friend.post(&http, STAGES, body.as_bytes()).await;
    let detail = world.node.message(&sent.message_id).await.unwrap();
    assert!(detail.message.acknowledged_at.is_some());
}

#[tokio::test]
async fn an_id_that_two_peers_use_gets_nobody_anothers_receipt() {
    let world = World::new("mac").await;
    let alice = Actor::new("alice").join(&world.node, &[]).await;
    let mallory = Actor::new("mallory").join(&world.node, &[]).await;
    for peer in [&alice, &mallory] {
        let http = peer.dial().await;
        let body = peer.message("order-1", "please confirm");
        assert_eq!(peer.post(&http, MESSAGES, &body).await.status, 200);
    }
    let several = world.node.acknowledge("order-1", None).await.unwrap_err();
    assert_eq!(several.code.to_string(), "ID_CONFLICT");
    let one = world.node.acknowledge("order-1", Some("alice")).await;
    assert_eq!(one.unwrap().peer, "alice");
    let page = world.node.messages(Default::default()).await.unwrap();
    for message in page.messages {
        let acknowledged = message.acknowledged_at.is_some();
        assert_eq!(acknowledged, message.peer == "alice");
    }
}

#[tokio::test]
async fn a_peer_cannot_hide_a_message_of_this_node_behind_its_id() {
    let world = World::new("mac").await;
    let actor = Actor::new("friend");
    let station = crate::station::Station::honest(&actor).await;
    let peer = actor.join(&world.node, &[station.address]).await;
    let sent = world
        .node
        .send(crate::world::text("friend", "mine"))
        .await
        .unwrap();
    let http = peer.dial().await;
    let body = peer.message(&sent.message_id, "not yours");
    assert_eq!(peer.post(&http, MESSAGES, &body).await.status, 200);
    let shown = world.node.message(&sent.message_id).await.unwrap();
    assert_eq!(shown.message.direction, "out");
    assert_eq!(shown.message.text.as_deref(), Some("mine"));
}
