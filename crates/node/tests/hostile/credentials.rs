//! Who may speak: the pin, the token and the pair's HMAC must all hold.

use serde_json::{Value, json};
use tieline_wire::key::SigningKey;
use tieline_wire::token::PairToken;

use crate::actor::{Actor, MESSAGES, PING, Paired, Proof, UNPAIR, jwt, listener};
use crate::tunnel::Http;
use crate::world::World;

async fn paired() -> (World, Paired) {
    let world = World::new("mac").await;
    let paired = Actor::new("friend").join(&world.node, &[]).await;
    (world, paired)
}

/// The message as the honest peer would send it; only the proof is spoilt.
async fn refused(world: &World, http: &Http, proof: &Proof, body: &[u8], code: &str) {
    let answer = http.post_with(MESSAGES, body, proof).await;
    let status = if code == "PEER_REVOKED" { 403 } else { 401 };
    assert_eq!((answer.code(), answer.status), (code, status), "{answer:?}");
    assert!(world.inbox().await.is_empty());
}

#[tokio::test]
async fn the_honest_request_that_the_others_spoil_is_served() {
    let (world, peer) = paired().await;
    let http = peer.dial().await;
    let answer = peer
        .post(&http, MESSAGES, &peer.message("m-1", "hello"))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let one = Http::h1(peer.address, Some(&peer.actor)).await.unwrap();
    let answer = peer
        .post(&one, MESSAGES, &peer.message("m-2", "again"))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(world.inbox().await, ["hello", "again"]);
}

#[tokio::test]
async fn the_right_pin_with_a_token_of_another_signing_key_is_refused() {
    let (world, peer) = paired().await;
    let http = peer.dial().await;
    let body = peer.message("m-1", "forged");
    let thief = SigningKey::generate();
    let mut claims = peer.claims(&http, "POST", MESSAGES, &body);
    let forged = |claims: &Value| peer.seal(jwt(crate::actor::HEADER, &claims.to_string(), &thief));
    refused(&world, &http, &forged(&claims), &body, "TOKEN_INVALID").await;
    claims["iss"] = json!(thief.key_id().to_string());
    refused(&world, &http, &forged(&claims), &body, "TOKEN_INVALID").await;
    // The TLS key is not a signing key, though the thief of it may try.
    let claims = peer.claims(&http, "POST", MESSAGES, &body);
    let proof = peer.seal(jwt(
        crate::actor::HEADER,
        &claims.to_string(),
        &peer.actor.tls,
    ));
    refused(&world, &http, &proof, &body, "TOKEN_INVALID").await;
}

#[tokio::test]
async fn the_right_signing_key_behind_another_tls_key_is_a_stranger() {
    let (world, peer) = paired().await;
    let thief = Paired {
        actor: Actor::with_keys("friend", SigningKey::generate(), peer.actor.signing.clone()),
        ..peer.clone()
    };
    let http = thief.dial().await;
    let body = peer.message("m-1", "forged");
    let proof = thief.proof(&http, "POST", MESSAGES, &body);
    refused(&world, &http, &proof, &body, "PEER_REVOKED").await;
    // Swapped roles of the two keys are no better.
    let swapped = Actor::with_keys("friend", peer.actor.signing.clone(), peer.actor.tls.clone());
    let http = swapped.dial(peer.address).await;
    let proof = peer.proof(&http, "POST", MESSAGES, &body);
    refused(&world, &http, &proof, &body, "PEER_REVOKED").await;
}

#[tokio::test]
async fn a_connection_without_a_client_certificate_reaches_nothing_but_health() {
    let (world, peer) = paired().await;
    let http = Http::h2(listener(&world.node), None).await.unwrap();
    let body = peer.message("m-1", "forged");
    let proof = peer.proof(&http, "POST", MESSAGES, &body);
    refused(&world, &http, &proof, &body, "PEER_REVOKED").await;
    for path in [PING, UNPAIR, "/", "/tieline/v1/nothing"] {
        let answer = http.post_with(path, b"{}", &proof).await;
        assert_eq!(answer.code(), "PEER_REVOKED", "{path}");
    }
    let health = http.get("/health").await;
    assert_eq!((health.status, health.json), (200, json!({"status": "ok"})));
}

#[tokio::test]
async fn health_says_nothing_of_who_answers() {
    let (world, _peer) = paired().await;
    let http = Http::h1(listener(&world.node), None).await.unwrap();
    let health = http.get("/health").await;
    assert_eq!(health.json, json!({"status": "ok"}));
    assert_eq!(http.get("/health?x").await.status, 404);
}

#[tokio::test]
async fn a_token_without_the_pairs_hmac_or_with_a_wrong_one_is_refused() {
    let (world, peer) = paired().await;
    let http = peer.dial().await;
    let body = peer.message("m-1", "forged");
    let honest = peer.proof(&http, "POST", MESSAGES, &body);
    let other = Paired {
        pair: PairToken::from_bytes([7; 32]),
        ..peer.clone()
    };
    let of_another_token = peer.proof(&http, "POST", MESSAGES, &body).mac;
    let spoilt = [
        None,
        Some(String::new()),
        Some("AAAA".into()),
        other.seal(honest.token.clone()).mac,
        of_another_token,
        honest.mac.clone().map(|mac| format!("{mac}=")),
        honest.mac.clone().map(|mac| mac.to_lowercase()),
    ];
    for mac in spoilt {
        let proof = Proof {
            token: honest.token.clone(),
            mac,
        };
        refused(&world, &http, &proof, &body, "TOKEN_INVALID").await;
    }
    // None of these used the token's number up.
    let answer = http.post_with(MESSAGES, &body, &honest).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn a_request_without_any_proof_is_refused() {
    let (world, peer) = paired().await;
    let http = peer.dial().await;
    let body = peer.message("m-1", "forged");
    let answer = http.post(MESSAGES, &body).await;
    assert_eq!((answer.code(), answer.status), ("TOKEN_INVALID", 401));
    let honest = peer.proof(&http, "POST", MESSAGES, &body);
    for scheme in ["Bearer ", "tieline ", "", "Tieline  "] {
        let request = crate::tunnel::request("POST", MESSAGES, None)
            .header("authorization", format!("{scheme}{}", honest.token))
            .header("x-tieline-mac", honest.mac.clone().unwrap());
        let answer = http
            .send(request, crate::tunnel::full(&body))
            .await
            .unwrap();
        assert_eq!(answer.code(), "TOKEN_INVALID", "{scheme:?}");
    }
    assert!(world.inbox().await.is_empty());
}

#[tokio::test]
async fn a_token_of_one_pair_is_worth_nothing_in_the_name_of_another() {
    let (world, one) = paired().await;
    let two = Actor::new("second").join(&world.node, &[]).await;
    // The second peer's own connection, with a token that the first one signed for it.
    let http = two.dial().await;
    let body = one.message("m-1", "in the name of the first");
    let mut claims = one.claims(&http, "POST", MESSAGES, &body);
    refused(&world, &http, &one.sign(&claims), &body, "TOKEN_INVALID").await;
    let cross = two.seal(one.sign(&claims).token);
    refused(&world, &http, &cross, &body, "TOKEN_INVALID").await;
    claims["iss"] = json!(two.key_id().to_string());
    refused(
        &world,
        &http,
        &two.seal(one.sign(&claims).token),
        &body,
        "TOKEN_INVALID",
    )
    .await;
}
