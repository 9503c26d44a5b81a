//! The proofs of pairing by link, from the joiner's side.

use tieline_node::model::InviteState;
use tieline_wire::card::Card;
use tieline_wire::invite::Invite;
use tieline_wire::key::SigningKey;
use tieline_wire::pairing::{InviteSecret, PairProof, ProofMac, Role, Transcript, prove};

use crate::actor::{Actor, HELLO, PROVE, Pairing, hello_body, listener, prove_with};
use crate::tunnel::{Answer, Http};
use crate::world::World;

struct Case {
    world: World,
    invite: Invite,
}

impl Case {
    async fn new() -> Self {
        let world = World::new("mac").await;
        let link = world.node.create_invite(None).await.unwrap().link.unwrap();
        let invite = Invite::parse(&link).unwrap();
        Self { world, invite }
    }

    async fn hello(&self, actor: &Actor) -> (Pairing, Http) {
        let http = actor.dial(listener(&self.world.node)).await;
        let pairing = actor.hello(&http, &self.invite, &[]).await.unwrap();
        (pairing, http)
    }

    fn state(&self) -> InviteState {
        self.world.node.invites()[0].state
    }

    /// A proof that does not hold is answered with nothing that helps to make one.
    async fn wrong(&self, http: &Http, proof: &PairProof) {
        let answer = prove_with(http, proof).await;
        self.gives_nothing_away(&answer, "PROOF_WRONG").await;
    }

    async fn gives_nothing_away(&self, answer: &Answer, code: &str) {
        assert_eq!(answer.code(), code, "{answer:?}");
        assert!(answer.json.get("proof").is_none());
        assert!(self.world.peer_names().await.is_empty());
    }

    async fn ends_well(&self) {
        let (pairing, http) = self.hello(&Actor::new("friend")).await;
        assert_eq!(pairing.prove(&http).await.status, 200);
        assert_eq!(self.world.peer_names().await, ["friend"]);
    }
}

fn without_secret(pairing: &Pairing) -> PairProof {
    let guessed = InviteSecret::from_bytes([0; 16]);
    prove(
        Role::Joiner,
        &guessed,
        &pairing.actor.signing,
        &pairing.transcript(),
    )
}

#[tokio::test]
async fn a_joiner_that_knows_the_invites_id_but_not_its_secret_is_refused() {
    let case = Case::new().await;
    let (pairing, http) = case.hello(&Actor::new("eavesdropper")).await;
    case.wrong(&http, &without_secret(&pairing)).await;
    assert_eq!(case.state(), InviteState::Open);
    case.ends_well().await;
}

#[tokio::test]
async fn five_wrong_proofs_close_the_invite_and_four_do_not() {
    let case = Case::new().await;
    for _ in 0..4 {
        let (pairing, http) = case.hello(&Actor::new("guesser")).await;
        case.wrong(&http, &without_secret(&pairing)).await;
    }
    assert_eq!(case.state(), InviteState::Open);
    let (honest, honest_http) = case.hello(&Actor::new("friend")).await;
    let (pairing, http) = case.hello(&Actor::new("guesser")).await;
    let fifth = prove_with(&http, &without_secret(&pairing)).await;
    case.gives_nothing_away(&fifth, "INVITE_LOCKED").await;
    assert_eq!(case.state(), InviteState::Locked);
    // Not even the right proof, begun before, opens it again.
    let late = prove_with(&honest_http, &honest.proof()).await;
    case.gives_nothing_away(&late, "INVITE_LOCKED").await;
    let http = Actor::new("friend").dial(listener(&case.world.node)).await;
    let refused = Actor::new("friend").hello(&http, &case.invite, &[]).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn four_wrong_proofs_do_not_use_the_invite_up() {
    let case = Case::new().await;
    for _ in 0..4 {
        let (pairing, http) = case.hello(&Actor::new("guesser")).await;
        case.wrong(&http, &without_secret(&pairing)).await;
    }
    case.ends_well().await;
}

#[tokio::test]
async fn what_names_no_invite_counts_against_none() {
    let case = Case::new().await;
    let guesser = Actor::new("guesser");
    let http = guesser.dial(listener(&case.world.node)).await;
    for guess in 0..20 {
        let unknown = Invite {
            secret: InviteSecret::from_bytes([guess; 16]),
            ..case.invite.clone()
        };
        let refused = guesser.hello(&http, &unknown, &[]).await.err().unwrap();
        assert_eq!(refused.code(), "INVITE_UNKNOWN");
        // There is no session, so there is nothing to prove.
        let proof = PairProof {
            mac: ProofMac([guess; 32]),
            signature: guesser.signing.sign(b"x"),
        };
        assert_eq!(prove_with(&http, &proof).await.code(), "INVITE_UNKNOWN");
    }
    case.ends_well().await;
}

#[tokio::test]
async fn a_wrong_proof_ends_the_attempt_on_its_connection() {
    let case = Case::new().await;
    let (pairing, http) = case.hello(&Actor::new("friend")).await;
    case.wrong(&http, &without_secret(&pairing)).await;
    let second = prove_with(&http, &pairing.proof()).await;
    case.gives_nothing_away(&second, "INVITE_UNKNOWN").await;
    case.ends_well().await;
}

#[tokio::test]
async fn a_proof_made_on_another_connection_is_wrong_here() {
    let case = Case::new().await;
    let actor = Actor::new("friend");
    let (first, _first_http) = case.hello(&actor).await;
    let (_second, second_http) = case.hello(&actor).await;
    case.wrong(&second_http, &first.proof()).await;
    // A connection that never said hello has nothing to prove.
    let (pairing, _http) = case.hello(&actor).await;
    let fresh = actor.dial(listener(&case.world.node)).await;
    let answer = prove_with(&fresh, &pairing.proof()).await;
    case.gives_nothing_away(&answer, "INVITE_UNKNOWN").await;
    case.ends_well().await;
}

#[tokio::test]
async fn each_half_of_a_proof_must_hold() {
    let case = Case::new().await;
    let (pairing, http) = case.hello(&Actor::new("friend")).await;
    let signed_by_another = prove(
        Role::Joiner,
        &case.invite.secret,
        &SigningKey::generate(),
        &pairing.transcript(),
    );
    case.wrong(&http, &signed_by_another).await;
    let (pairing, http) = case.hello(&Actor::new("friend")).await;
    let right_signature = PairProof {
        mac: without_secret(&pairing).mac,
        signature: pairing.proof().signature,
    };
    case.wrong(&http, &right_signature).await;
    let (pairing, http) = case.hello(&Actor::new("friend")).await;
    let inviters = prove(
        Role::Inviter,
        &case.invite.secret,
        &pairing.actor.signing,
        &pairing.transcript(),
    );
    case.wrong(&http, &inviters).await;
    case.ends_well().await;
}

#[tokio::test]
async fn a_proof_must_cover_the_cards_as_they_were_sent() {
    let case = Case::new().await;
    let actor = Actor::new("friend");
    let (pairing, http) = case.hello(&actor).await;
    let retold = |inviter: &str, joiner: &str| {
        let transcript = Transcript::new(
            &case.invite.secret.invite_id(),
            &http.channel,
            inviter.as_bytes(),
            joiner.as_bytes(),
        );
        prove(
            Role::Joiner,
            &case.invite.secret,
            &actor.signing,
            &transcript,
        )
    };
    let spaced = pairing.own_card.replacen('{', "{ ", 1);
    assert!(Card::parse(spaced.as_bytes()).is_ok());
    case.wrong(&http, &retold(&pairing.inviter_card, &spaced))
        .await;
    let (pairing, http) = case.hello(&actor).await;
    let transcript = Transcript::new(
        &case.invite.secret.invite_id(),
        &http.channel,
        pairing.own_card.as_bytes(),
        pairing.inviter_card.as_bytes(),
    );
    let swapped = prove(
        Role::Joiner,
        &case.invite.secret,
        &actor.signing,
        &transcript,
    );
    case.wrong(&http, &swapped).await;
    // A second hello takes the place of the first, and so does its card.
    let (pairing, http) = case.hello(&actor).await;
    let renamed = Actor {
        name: "someone-else".into(),
        ..actor.clone()
    };
    let again = renamed.hello(&http, &case.invite, &[]).await.unwrap();
    case.wrong(&http, &pairing.proof()).await;
    assert_ne!(again.own_card, pairing.own_card);
    case.ends_well().await;
}

#[tokio::test]
async fn a_card_of_another_key_than_the_handshakes_is_refused() {
    let case = Case::new().await;
    let (attacker, victim) = (Actor::new("attacker"), Actor::new("victim"));
    let http = attacker.dial(listener(&case.world.node)).await;
    let body = hello_body(&case.invite, &victim.card_json(&[]));
    let answer = http.post(HELLO, &body).await;
    assert_eq!(answer.code(), "CARD_MISMATCH");
    let bare = Http::h2(listener(&case.world.node), None).await.unwrap();
    let answer = bare
        .post(HELLO, &hello_body(&case.invite, &victim.card_json(&[])))
        .await;
    assert_eq!(answer.code(), "CARD_MISMATCH");
    assert!(answer.json.get("card").is_none());
    // The node's own card, from whoever it comes.
    let own = String::from_utf8(case.world.node.card().unwrap().to_json()).unwrap();
    let answer = http.post(HELLO, &hello_body(&case.invite, &own)).await;
    assert_eq!(answer.code(), "CARD_MISMATCH");
    let mut twin = victim.card(&[]);
    twin.verify_key = case.world.node.card().unwrap().verify_key;
    let twin = String::from_utf8(twin.to_json()).unwrap();
    let http = victim.dial(listener(&case.world.node)).await;
    let answer = http.post(HELLO, &hello_body(&case.invite, &twin)).await;
    assert_eq!(answer.code(), "OWN_LINK");
    case.ends_well().await;
}

#[tokio::test]
async fn bodies_that_are_not_the_protocol_are_refused_and_count_for_nothing() {
    let case = Case::new().await;
    let actor = Actor::new("friend");
    let http = actor.dial(listener(&case.world.node)).await;
    let card = actor.card_json(&[]);
    let hello = String::from_utf8(hello_body(&case.invite, &card)).unwrap();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let repeated = hello.replacen('{', r#"{"inviteId":"AAAA","#, 1);
    let added = hello.replacen('{', r#"{"admin":true,"#, 1);
    for body in [
        "",
        "{}",
        "null",
        "[]",
        &hello[1..],
        &deep,
        &repeated,
        &added,
    ] {
        for path in [HELLO, PROVE] {
            let answer = http.post(path, body.as_bytes()).await;
            assert_eq!(answer.code(), "INVALID_REQUEST", "{path} {answer:?}");
        }
    }
    for card in ["", "{}", "[1]", &card[..card.len() / 2]] {
        let answer = http.post(HELLO, &hello_body(&case.invite, card)).await;
        assert_eq!(answer.code(), "CARD_INVALID", "{answer:?}");
    }
    case.ends_well().await;
}

#[tokio::test]
async fn joins_that_were_begun_and_left_do_not_keep_the_next_one_out() {
    let case = Case::new().await;
    for _ in 0..80 {
        drop(case.hello(&Actor::new("passer-by")).await);
    }
    case.ends_well().await;
}
