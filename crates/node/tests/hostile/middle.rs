//! A machine in the middle that holds the link's secret and has keys of its own on both legs: it
//! may join for itself, but cannot make either side believe that it speaks with the other.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::json;
use tieline_wire::card::Card;
use tieline_wire::invite::Invite;
use tieline_wire::pairing::{PairProof, Role, Transcript, prove};
use tieline_wire::problem::Code;

use crate::actor::{Actor, HELLO, PROVE, Pairing, hello_body, listener, prove_with};
use crate::station::{Say, Seen, Station};
use crate::world::World;

/// The invite of `inviter`, rewritten so that it leads to the attacker.
async fn detour(inviter: &World, attacker: &Actor, station: &Station) -> (Invite, String) {
    let link = inviter
        .node
        .create_invite(None)
        .await
        .unwrap()
        .link
        .unwrap();
    let real = Invite::parse(&link).unwrap();
    let rewritten = Invite {
        pin: attacker.certificate.pin(),
        fingerprint: attacker.certificate.fingerprint(),
        addresses: vec![station.address.to_string().parse().unwrap()],
        ..real.clone()
    };
    let link = rewritten.to_link().unwrap().expose().to_owned();
    (real, link)
}

/// A card with the attacker's certificate and somebody else's signing key.
fn hybrid(attacker: &Actor, of: &Card) -> String {
    let mut card = attacker.card(&[]);
    card.verify_key = of.verify_key;
    card.name = of.name.clone();
    String::from_utf8(card.to_json()).unwrap()
}

fn proof_in(seen: &Seen) -> PairProof {
    serde_json::from_value(seen.json()["proof"].clone()).unwrap()
}

fn card_in(seen: &Seen) -> String {
    seen.json()["card"].as_str().unwrap().to_owned()
}

/// What passed through the middle.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Seen>>>);

impl Notes {
    fn take(&self, seen: &Seen) {
        self.0.lock().push(seen.clone());
    }

    fn of(&self, path: &str) -> Seen {
        let notes = self.0.lock();
        notes.iter().find(|seen| seen.path == path).unwrap().clone()
    }
}

#[tokio::test]
async fn the_joiners_own_card_is_not_accepted_from_the_middle() {
    let (inviter, joiner) = (World::new("mac").await, World::new("wsl-box").await);
    let attacker = Actor::new("middle");
    let http = attacker.dial(listener(&inviter.node)).await;
    let link = inviter
        .node
        .create_invite(None)
        .await
        .unwrap()
        .link
        .unwrap();
    let invite = Invite::parse(&link).unwrap();
    let card = String::from_utf8(joiner.node.card().unwrap().to_json()).unwrap();
    let answer = http.post(HELLO, &hello_body(&invite, &card)).await;
    assert_eq!(answer.code(), "CARD_MISMATCH");
    assert!(inviter.peer_names().await.is_empty());
}

#[tokio::test]
async fn the_inviters_own_card_is_not_accepted_from_the_middle() {
    let (inviter, joiner) = (World::new("mac").await, World::new("wsl-box").await);
    let attacker = Actor::new("middle");
    let card = String::from_utf8(inviter.node.card().unwrap().to_json()).unwrap();
    let station = Station::open(&attacker, move |seen| {
        let card = card.clone();
        async move {
            match seen.path.as_str() {
                HELLO => Say::Answer(200, json!({"card": card})),
                _ => Say::Default,
            }
        }
    })
    .await;
    let (_, link) = detour(&inviter, &attacker, &station).await;
    let problem = joiner.node.join(&link).await.unwrap_err();
    assert_eq!(problem.code, Code::CardMismatch);
    // The joiner proved nothing to it.
    assert!(station.seen(PROVE).is_empty());
    assert!(joiner.peer_names().await.is_empty());
}

#[tokio::test]
async fn the_joiners_signature_does_not_pass_for_a_card_that_the_middle_made_of_it() {
    let (inviter, joiner) = (World::new("mac").await, World::new("wsl-box").await);
    let attacker = Actor::new("middle");
    let notes = Notes::default();
    let inviters = inviter.node.card().unwrap();
    let (kept, own) = (notes.clone(), attacker.clone());
    let station = Station::open(&attacker, move |seen| {
        kept.take(&seen);
        let answer = match seen.path.as_str() {
            HELLO => Say::Answer(200, json!({"card": hybrid(&own, &inviters)})),
            _ => Say::HangUp,
        };
        async { answer }
    })
    .await;
    let (real, link) = detour(&inviter, &attacker, &station).await;
    assert!(joiner.node.join(&link).await.is_err());
    // The other leg, with all that the joiner gave away.
    let http = attacker.dial(listener(&inviter.node)).await;
    let victim = Card::parse(card_in(&notes.of(HELLO)).as_bytes()).unwrap();
    let own_card = hybrid(&attacker, &victim);
    let answer = http.post(HELLO, &hello_body(&real, &own_card)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let pairing = Pairing {
        actor: attacker.clone(),
        invite: real.clone(),
        inviter_card: answer.json["card"].as_str().unwrap().to_owned(),
        own_card,
        channel: http.channel,
    };
    let forged = PairProof {
        mac: pairing.proof().mac,
        signature: proof_in(&notes.of(PROVE)).signature,
    };
    let answer = prove_with(&http, &forged).await;
    assert_eq!(answer.code(), "PROOF_WRONG", "{answer:?}");
    let relayed = attacker.dial(listener(&inviter.node)).await;
    let answer = relayed
        .post(HELLO, &hello_body(&real, &pairing.own_card))
        .await;
    assert_eq!(answer.status, 200);
    let answer = prove_with(&relayed, &proof_in(&notes.of(PROVE))).await;
    assert_eq!(answer.code(), "PROOF_WRONG", "{answer:?}");
    assert!(inviter.peer_names().await.is_empty());
    assert!(joiner.peer_names().await.is_empty());
}

#[tokio::test]
async fn the_inviters_signature_does_not_pass_for_a_card_that_the_middle_made_of_it() {
    let (inviter, joiner) = (World::new("mac").await, World::new("wsl-box").await);
    let attacker = Actor::new("middle");
    let inviters = inviter.node.card().unwrap();
    let stolen: Arc<Mutex<Option<PairProof>>> = Arc::default();
    let real: Arc<Mutex<Option<Invite>>> = Arc::default();
    let shown = hybrid(&attacker, &inviters);
    let (proof, invite, own) = (Arc::clone(&stolen), Arc::clone(&real), attacker.clone());
    let joiner_card: Arc<Mutex<String>> = Arc::default();
    let station = Station::open(&attacker, move |seen| {
        let shown = shown.clone();
        if seen.path == HELLO {
            *joiner_card.lock() = card_in(&seen);
        }
        // With the secret the middle can make the HMAC; only the signature must be stolen.
        let transcript = invite.lock().as_ref().map(|invite| {
            let id = invite.secret.invite_id();
            let theirs = joiner_card.lock().clone();
            let transcript =
                Transcript::new(&id, &seen.channel, shown.as_bytes(), theirs.as_bytes());
            prove(Role::Inviter, &invite.secret, &own.signing, &transcript)
        });
        let answer = match seen.path.as_str() {
            HELLO => Say::Answer(200, json!({"card": shown})),
            PROVE => {
                let forged = PairProof {
                    mac: transcript.unwrap().mac,
                    signature: proof.lock().as_ref().unwrap().signature,
                };
                Say::Answer(200, json!({"proof": forged}))
            }
            _ => Say::Default,
        };
        async { answer }
    })
    .await;
    let (invite, link) = detour(&inviter, &attacker, &station).await;
    // It joins for itself, which whoever holds a link may, to get something that the inviter signed.
    let http = attacker.dial(listener(&inviter.node)).await;
    let pairing = attacker.hello(&http, &invite, &[]).await.unwrap();
    let answer = pairing.prove(&http).await;
    *stolen.lock() = serde_json::from_value(answer.json["proof"].clone()).ok();
    *real.lock() = Some(invite);
    let problem = joiner.node.join(&link).await.unwrap_err();
    assert_eq!(problem.code, Code::ProofWrong, "{problem:?}");
    assert!(joiner.peer_names().await.is_empty());
}

#[tokio::test]
async fn the_joiners_proof_thrown_back_at_it_proves_nothing() {
    let (inviter, joiner) = (World::new("mac").await, World::new("wsl-box").await);
    let attacker = Actor::new("middle");
    let victim = joiner.node.card().unwrap();
    // Its own signing key in the card, so that its own signature would fit.
    let shown = hybrid(&attacker, &victim);
    let station = Station::open(&attacker, move |seen| {
        let answer = match seen.path.as_str() {
            HELLO => Say::Answer(200, json!({"card": shown})),
            PROVE => Say::Answer(200, seen.json()),
            _ => Say::Default,
        };
        async { answer }
    })
    .await;
    let (_, link) = detour(&inviter, &attacker, &station).await;
    let problem = joiner.node.join(&link).await.unwrap_err();
    assert_eq!(problem.code, Code::ProofWrong, "{problem:?}");
    assert!(joiner.peer_names().await.is_empty());
}

#[tokio::test]
async fn an_inviter_that_proves_nothing_is_not_stored() {
    let (inviter, joiner) = (World::new("mac").await, World::new("wsl-box").await);
    let attacker = Actor::new("middle");
    let own_card = attacker.card_json(&[]);
    for answer in [
        json!({}),
        json!({"proof": null}),
        json!({"ok": true}),
        json!([]),
    ] {
        let (card, answer) = (own_card.clone(), answer.clone());
        let station = Station::open(&attacker, move |seen| {
            let answer = match seen.path.as_str() {
                HELLO => Say::Answer(200, json!({"card": card})),
                PROVE => Say::Answer(200, answer.clone()),
                _ => Say::Default,
            };
            async { answer }
        })
        .await;
        let (_, link) = detour(&inviter, &attacker, &station).await;
        let problem = joiner.node.join(&link).await.unwrap_err();
        assert_eq!(problem.code, Code::ResponseInvalid, "{problem:?}");
        assert!(joiner.peer_names().await.is_empty());
    }
}
