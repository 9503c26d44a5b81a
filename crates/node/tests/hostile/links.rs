//! Invite links: each pairs one machine, once, and only as it was made.

use std::time::Duration;

use tieline_node::model::InviteState;
use tieline_wire::invite::Invite;
use tieline_wire::key::{KeyId, SigningKey};
use tieline_wire::pairing::InviteSecret;
use tieline_wire::problem::Code;

use crate::actor::{Actor, BIND, CONFIRM, PING, Paired, Pairing, listener};
use crate::tunnel::{Answer, Http};
use crate::world::World;

async fn link(world: &World) -> String {
    let invite = world.node.create_invite(None).await.unwrap();
    invite.link.unwrap()
}

async fn invite(world: &World) -> Invite {
    Invite::parse(&link(world).await).unwrap()
}

/// The first two steps; the inviter's answer, and the joining where it came that far.
async fn prove(world: &World, actor: &Actor, invite: &Invite) -> (Answer, Option<(Pairing, Http)>) {
    let http = actor.dial(listener(&world.node)).await;
    match actor.hello(&http, invite, &[]).await {
        Ok(pairing) => (pairing.prove(&http).await, Some((pairing, http))),
        Err(refused) => (refused, None),
    }
}

/// Joins with an engine and expects it to come to nothing on either side.
async fn fails(joiner: &World, inviter: &World, link: &str, code: Code) {
    let problem = joiner.node.join(link).await.unwrap_err();
    assert_eq!(problem.code, code, "{problem:?}");
    assert!(!problem.summary.is_empty() && !problem.cause.is_empty() && !problem.remedy.is_empty());
    assert!(joiner.peer_names().await.is_empty());
    assert!(inviter.peer_names().await.is_empty());
}

#[tokio::test]
async fn an_expired_a_cancelled_and_a_used_link_are_told_apart() {
    let (a, b) = (World::new("mac").await, World::new("wsl-box").await);
    let short = a
        .node
        .create_invite(Some(Duration::from_secs(1)))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    fails(&b, &a, &short.link.unwrap(), Code::LinkExpired).await;
    let cancelled = a.node.create_invite(None).await.unwrap();
    a.node.cancel_invite(&cancelled.id).await.unwrap();
    fails(&b, &a, &cancelled.link.unwrap(), Code::LinkExpired).await;
    let states: Vec<_> = a.node.invites().iter().map(|view| view.state).collect();
    assert_eq!(states, [InviteState::Cancelled, InviteState::Expired]);
    assert!(a.node.invites().iter().all(|view| view.link.is_none()));
    let used = link(&a).await;
    b.node.join(&used).await.unwrap();
    let c = World::new("third").await;
    let problem = c.node.join(&used).await.unwrap_err();
    assert_eq!(problem.code, Code::InviteUsed);
    assert_eq!(a.peer_names().await, ["wsl-box"]);
    assert!(c.peer_names().await.is_empty());
}

#[tokio::test]
async fn an_invite_that_runs_out_between_the_steps_is_not_usable() {
    let a = World::new("mac").await;
    let short = a
        .node
        .create_invite(Some(Duration::from_secs(1)))
        .await
        .unwrap();
    let invite = Invite::parse(&short.link.unwrap()).unwrap();
    let actor = Actor::new("late");
    let http = actor.dial(listener(&a.node)).await;
    let pairing = actor.hello(&http, &invite, &[]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(pairing.prove(&http).await.code(), "LINK_EXPIRED");
    assert!(a.peer_names().await.is_empty());
}

#[tokio::test]
async fn no_part_of_a_link_and_no_altered_link_is_taken() {
    let (a, b) = (World::new("mac").await, World::new("wsl-box").await);
    let whole = link(&a).await;
    for end in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
        let problem = b.node.join(&whole[..end]).await.unwrap_err();
        assert!(
            matches!(problem.code, Code::LinkDamaged | Code::LinkInvalid),
            "{end}: {problem:?}"
        );
    }
    let start = whole.find('#').unwrap() + 1;
    for place in (start..whole.len()).step_by(5) {
        let mut altered = whole.clone().into_bytes();
        altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).unwrap();
        let problem = b.node.join(&altered).await.unwrap_err();
        assert_eq!(problem.code, Code::LinkDamaged, "{place}: {problem:?}");
    }
    fails(&b, &a, &format!("{whole}AAAA"), Code::LinkDamaged).await;
    fails(&b, &a, "https://example.org/", Code::LinkInvalid).await;
    assert_eq!(a.node.invites()[0].state, InviteState::Open);
    // None of it used the link up.
    b.node.join(&whole).await.unwrap();
}

#[tokio::test]
async fn a_link_rewritten_with_care_still_leads_nowhere() {
    let (a, b) = (World::new("mac").await, World::new("wsl-box").await);
    let real = invite(&a).await;
    let rewritten = |change: &dyn Fn(&mut Invite)| {
        let mut other = real.clone();
        change(&mut other);
        other.to_link().unwrap().expose().to_owned()
    };
    let secret = rewritten(&|link| link.secret = InviteSecret::from_bytes([9; 16]));
    fails(&b, &a, &secret, Code::InviteUnknown).await;
    let pin = rewritten(&|link| link.pin = KeyId([9; 32]));
    fails(&b, &a, &pin, Code::PinMismatch).await;
    // What the person compared is not what the machine shows.
    let other = Actor::new("other").certificate.fingerprint();
    let words = rewritten(&|link| link.fingerprint = other);
    fails(&b, &a, &words, Code::CardMismatch).await;
    assert_eq!(a.node.invites()[0].state, InviteState::Open);
}

#[tokio::test]
async fn a_machine_does_not_pair_with_itself() {
    let a = World::new("mac").await;
    let own = link(&a).await;
    assert_eq!(a.node.join(&own).await.unwrap_err().code, Code::OwnLink);
    assert!(a.peer_names().await.is_empty());
}

#[tokio::test]
async fn an_invite_that_nobody_used_dies_with_the_process() {
    let a = World::new("mac").await;
    let invite = invite(&a).await;
    let a = a.restart().await;
    let (answer, _) = prove(&a, &Actor::new("late"), &invite).await;
    assert_eq!(answer.code(), "INVITE_UNKNOWN");
    assert!(a.node.invites().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_machines_that_race_for_one_link_exactly_one_wins() {
    let a = World::new("mac").await;
    for round in 1..=4 {
        let invite = invite(&a).await;
        let mut ready = Vec::new();
        for number in 0..6 {
            let actor = Actor::new(&format!("racer-{round}-{number}"));
            let http = actor.dial(listener(&a.node)).await;
            let pairing = actor.hello(&http, &invite, &[]).await.unwrap();
            ready.push((pairing, http));
        }
        let proofs = ready.iter().map(|(pairing, http)| pairing.prove(http));
        let answers = futures_util::future::join_all(proofs).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(won, 1, "{answers:?}");
        let lost = answers
            .iter()
            .filter(|answer| answer.code() == "INVITE_USED");
        assert_eq!(lost.count(), 5, "{answers:?}");
        assert_eq!(a.peer_names().await.len(), round);
    }
}

#[tokio::test]
async fn the_keys_that_used_a_link_may_finish_until_they_confirmed() {
    let a = World::new("mac").await;
    let invite = invite(&a).await;
    let actor = Actor::new("friend");
    for _ in 0..3 {
        let (answer, joining) = prove(&a, &actor, &invite).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        drop(joining);
    }
    let (_, joining) = prove(&a, &actor, &invite).await;
    let (pairing, http) = joining.unwrap();
    let paired = pairing.paired(&a.node, &http);
    assert_eq!(paired.post(&http, CONFIRM, b"{}").await.status, 200);
    assert_eq!(a.peer_names().await, ["friend"]);
    let (answer, _) = prove(&a, &actor, &invite).await;
    assert_eq!(answer.code(), "INVITE_USED");
    // The token of the last steps is the pair's.
    assert_eq!(ping(&paired).await.status, 200);
}

#[tokio::test]
async fn the_keys_that_used_a_link_may_finish_after_the_inviter_restarts() {
    let a = World::new("mac").await;
    let invite = invite(&a).await;
    let actor = Actor::new("friend");
    let (answer, joining) = prove(&a, &actor, &invite).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    // The power went before the joiner could store the pair.
    drop(joining);
    let a = a.restart().await;
    let (stranger, _) = prove(&a, &Actor::new("stranger"), &invite).await;
    assert_eq!(stranger.code(), "INVITE_USED");
    let (answer, joining) = prove(&a, &actor, &invite).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let (pairing, http) = joining.unwrap();
    let paired = pairing.paired(&a.node, &http);
    assert_eq!(paired.post(&http, CONFIRM, b"{}").await.status, 200);
    assert_eq!(ping(&paired).await.status, 200);
    let a = a.restart().await;
    let (answer, _) = prove(&a, &actor, &invite).await;
    assert!(matches!(answer.code(), "INVITE_USED" | "INVITE_UNKNOWN"));
    assert_eq!(a.peer_names().await, ["friend"]);
}

#[tokio::test]
async fn half_of_the_keys_that_used_a_link_is_not_enough_to_resume() {
    let a = World::new("mac").await;
    let invite = invite(&a).await;
    let actor = Actor::new("friend");
    assert_eq!(prove(&a, &actor, &invite).await.0.status, 200);
    let same_tls = Actor::with_keys("friend", actor.tls.clone(), SigningKey::generate());
    let same_signing = Actor::with_keys("friend", SigningKey::generate(), actor.signing.clone());
    for thief in [same_tls, same_signing, Actor::new("stranger")] {
        let (answer, _) = prove(&a, &thief, &invite).await;
        assert_eq!(answer.code(), "INVITE_USED", "{answer:?}");
    }
    assert_eq!(a.peer_names().await, ["friend"]);
}

#[tokio::test]
async fn a_join_that_was_taken_back_cannot_be_finished() {
    let a = World::new("mac").await;
    for undo in [true, false] {
        let invite = invite(&a).await;
        let actor = Actor::new("friend");
        assert_eq!(prove(&a, &actor, &invite).await.0.status, 200);
        if undo {
            a.node.undo("friend").await.unwrap();
        } else {
            a.node.remove("friend").await.unwrap();
        }
        let (answer, _) = prove(&a, &actor, &invite).await;
        assert_eq!(answer.code(), "INVITE_USED", "{answer:?}");
        assert!(a.peer_names().await.is_empty());
    }
    let a = a.restart().await;
    assert!(a.peer_names().await.is_empty());
}

#[tokio::test]
async fn only_the_joiner_can_confirm_its_join() {
    let a = World::new("mac").await;
    let other = Actor::new("other").join(&a.node, &[]).await;
    let invite = invite(&a).await;
    let actor = Actor::new("friend");
    let (_, joining) = prove(&a, &actor, &invite).await;
    let (pairing, http) = joining.unwrap();
    let paired = pairing.paired(&a.node, &http);
    let stranger = Actor::new("stranger").dial(listener(&a.node)).await;
    let proof = paired.proof(&stranger, "POST", CONFIRM, b"{}");
    let answer = stranger.post_with(CONFIRM, b"{}", &proof).await;
    assert_eq!(answer.code(), "PEER_REVOKED");
    // Another peer confirms what is its own, which is nothing new.
    let its = other.dial().await;
    assert_eq!(other.post(&its, CONFIRM, b"{}").await.status, 200);
    // The joiner is still free to do its steps again.
    assert_eq!(prove(&a, &actor, &invite).await.0.status, 200);
}

#[tokio::test]
async fn a_second_invite_does_not_let_a_known_machine_change_one_of_its_keys() {
    let a = World::new("mac").await;
    let friend = Actor::new("friend").join(&a.node, &[]).await;
    let keys = [
        (friend.actor.tls.clone(), SigningKey::generate()),
        (SigningKey::generate(), friend.actor.signing.clone()),
    ];
    for (tls, signing) in keys {
        let invite = invite(&a).await;
        let changed = Actor::with_keys("friend", tls, signing);
        let (answer, _) = prove(&a, &changed, &invite).await;
        assert_eq!(answer.code(), "NEW_KEY", "{answer:?}");
        assert_eq!(a.peer_names().await, ["friend"]);
    }
    // The pair as it was goes on.
    assert_eq!(ping(&friend).await.status, 200);
}

#[tokio::test]
async fn a_confirmed_pair_is_not_given_another_token_by_bind() {
    let a = World::new("mac").await;
    let friend = Actor::new("friend").join(&a.node, &[]).await;
    let http = friend.dial().await;
    let answer = friend.post(&http, BIND, b"{}").await;
    assert_eq!(answer.code(), "PEER_EXISTS");
    // Bind takes no HMAC, but it does take the signing key.
    let thief = Paired {
        actor: Actor::with_keys("friend", friend.actor.tls.clone(), SigningKey::generate()),
        ..friend.clone()
    };
    let http = thief.dial().await;
    let answer = thief.post(&http, BIND, b"{}").await;
    assert_eq!(answer.code(), "TOKEN_INVALID");
    assert_eq!(ping(&friend).await.status, 200);
}

async fn ping(peer: &Paired) -> Answer {
    let http = peer.dial().await;
    let body = br#"{"at":1,"storeId":"AAAAAAAAAAAAAAAAAAAAAA"}"#;
    peer.post(&http, PING, body).await
}
