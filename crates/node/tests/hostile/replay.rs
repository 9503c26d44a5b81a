//! Captured requests: on another connection, at another node, path or method, with another body,
//! again, and after a restart.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tieline_wire::token::body_hash;

use crate::actor::{Actor, BIND, CONFIRM, HELD, MESSAGES, PING, Paired, RESOLVE, UNPAIR, listener};
use crate::held::Held;
use crate::tunnel::{Http, full, request};
use crate::world::World;

#[tokio::test]
async fn a_request_is_served_once_per_connection() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let http = peer.dial().await;
    let body = peer.message("m-1", "once");
    let proof = peer.proof(&http, "POST", MESSAGES, &body);
    assert_eq!(http.post_with(MESSAGES, &body, &proof).await.status, 200);
    for _ in 0..3 {
        let again = http.post_with(MESSAGES, &body, &proof).await;
        assert_eq!(again.code(), "TOKEN_INVALID");
    }
    assert_eq!(world.inbox().await, ["once"]);
}

#[tokio::test]
async fn many_copies_at_once_are_one_request() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let http = peer.dial().await;
    let proof = peer.proof(&http, "POST", PING, PING_BODY);
    let copies = (0..20).map(|_| http.post_with(PING, PING_BODY, &proof));
    let answers = futures_util::future::join_all(copies).await;
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(served, 1, "{answers:?}");
}

const PING_BODY: &[u8] = br#"{"at":1,"storeId":"AAAAAAAAAAAAAAAAAAAAAA"}"#;

#[tokio::test]
async fn numbers_far_behind_the_highest_are_refused_though_never_used() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let http = peer.dial().await;
    let ask = async |jti: u64| {
        let claims = peer.claims_on(http.channel, jti, "POST", PING, PING_BODY);
        let proof = peer.sign(&claims);
        http.post_with(PING, PING_BODY, &proof).await.status
    };
    assert_eq!(ask(1_000_000).await, 200);
    assert_eq!(ask(1_000_000 - 4_096).await, 401);
    assert_eq!(ask(1_000_000 - 4_095).await, 200);
    assert_eq!(ask(1_000_000 - 4_095).await, 401);
    assert_eq!(ask(u64::MAX).await, 200);
    assert_eq!(ask(u64::MAX).await, 401);
    assert_eq!(ask(1_000_001).await, 401);
}

#[tokio::test]
async fn a_request_taken_to_another_connection_of_the_same_peer_is_refused() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let body = peer.message("m-1", "moved");
    let (first, second) = (peer.dial().await, peer.dial().await);
    // Never used where it was made for, so nothing but the connection is wrong.
    let proof = peer.proof(&first, "POST", MESSAGES, &body);
    let moved = second.post_with(MESSAGES, &body, &proof).await;
    assert_eq!(moved.code(), "TOKEN_INVALID");
    let one = Http::h1(peer.address, Some(&peer.actor)).await.unwrap();
    let moved = one.post_with(MESSAGES, &body, &proof).await;
    assert_eq!(moved.code(), "TOKEN_INVALID");
    assert!(world.inbox().await.is_empty());
    assert_eq!(first.post_with(MESSAGES, &body, &proof).await.status, 200);
}

#[tokio::test]
async fn a_captured_request_is_worth_nothing_after_the_receiver_restarts() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let http = peer.dial().await;
    let (used, unused) = (peer.message("m-1", "used"), peer.message("m-2", "unused"));
    let first = peer.proof(&http, "POST", MESSAGES, &used);
    let second = peer.proof(&http, "POST", MESSAGES, &unused);
    assert_eq!(http.post_with(MESSAGES, &used, &first).await.status, 200);
    let world = world.restart().await;
    let peer = Paired {
        address: listener(&world.node),
        ..peer
    };
    let http = peer.dial().await;
    for (body, proof) in [(&used, &first), (&unused, &second)] {
        let answer = http.post_with(MESSAGES, body, proof).await;
        assert_eq!(answer.code(), "TOKEN_INVALID");
    }
    assert_eq!(world.inbox().await, ["used"]);
    // The pair itself survived: an honest request on the new connection is served.
    assert_eq!(peer.post(&http, MESSAGES, &unused).await.status, 200);
}

#[tokio::test]
async fn a_token_for_one_node_is_refused_by_another_that_the_peer_also_knows() {
    let (one, two) = (World::new("mac").await, World::new("wsl-box").await);
    let actor = Actor::new("friend");
    let to_one = actor.join(&one.node, &[]).await;
    let to_two = actor.join(&two.node, &[]).await;
    let http = to_two.dial().await;
    // Right connection, right HMAC, right signature: meant for the other node.
    let claims = to_one.claims(&http, "POST", PING, PING_BODY);
    let proof = to_two.seal(to_one.sign(&claims).token);
    let answer = http.post_with(PING, PING_BODY, &proof).await;
    assert_eq!(answer.code(), "TOKEN_INVALID");
    let honest = to_two.proof(&http, "POST", PING, PING_BODY);
    assert_eq!(http.post_with(PING, PING_BODY, &honest).await.status, 200);
}

#[tokio::test]
async fn a_token_is_good_for_its_own_path_query_method_and_body_alone() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let http = peer.dial().await;
    let proof = peer.proof(&http, "POST", PING, PING_BODY);
    for path in [
        MESSAGES,
        RESOLVE,
        UNPAIR,
        CONFIRM,
        BIND,
        "/tieline/v1/ping?",
        "/tieline/v1/ping?x=1",
        "/tieline/v1/ping/",
        "//tieline/v1/ping",
        "/tieline/v1/%70ing",
    ] {
        let answer = http.post_with(path, PING_BODY, &proof).await;
        assert_eq!(answer.code(), "TOKEN_INVALID", "{path}");
    }
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"] {
        let answer = http
            .send(request(method, PING, Some(&proof)), full(PING_BODY))
            .await
            .unwrap();
        assert_ne!(answer.status, 200, "{method}");
    }
    for body in [&b""[..], b"{}", b" ", &[PING_BODY, b" "].concat()] {
        let answer = http.post_with(PING, body, &proof).await;
        assert_eq!(answer.code(), "TOKEN_INVALID");
    }
    // A token for the right method of another request, signed for it.
    let get = peer.proof(&http, "GET", PING, PING_BODY);
    let answer = http.post_with(PING, PING_BODY, &get).await;
    assert_eq!(answer.code(), "TOKEN_INVALID");
    assert_eq!(http.post_with(PING, PING_BODY, &proof).await.status, 200);
    assert_eq!(world.peer_names().await, ["friend"]);
}

#[tokio::test]
async fn a_body_hash_of_other_bytes_is_refused_though_the_token_is_genuine() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let http = peer.dial().await;
    let (meant, sent) = (peer.message("m-1", "ten"), peer.message("m-1", "1000"));
    let mut claims = peer.claims(&http, "POST", MESSAGES, &meant);
    let answer = http.post_with(MESSAGES, &sent, &peer.sign(&claims)).await;
    assert_eq!(answer.code(), "TOKEN_INVALID");
    claims["bsh"] = json!(URL_SAFE_NO_PAD.encode(&body_hash(&sent)[..31]));
    let answer = http.post_with(MESSAGES, &sent, &peer.sign(&claims)).await;
    assert_eq!(answer.code(), "TOKEN_INVALID");
    assert!(world.inbox().await.is_empty());
}

#[tokio::test]
async fn frames_of_a_held_connection_pass_the_same_check() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let mut held = Held::open(&peer).await.unwrap();
    let body = peer.message("m-1", "framed");
    let proof = held.proof(&peer, MESSAGES, &body);
    assert_eq!(held.ask(MESSAGES, &body, &proof).await.unwrap().status, 200);
    // The same frame, the token of the upgrade, one of another connection, one without HMAC.
    let again = held.ask(MESSAGES, &body, &proof).await.unwrap();
    assert_eq!(again.code(), "TOKEN_INVALID");
    let upgrade = held.upgrade.clone();
    let answer = held.ask(HELD, b"", &upgrade).await.unwrap();
    assert_eq!(answer.code(), "TOKEN_INVALID");
    let http = peer.dial().await;
    let other = peer.message("m-2", "moved");
    let moved = peer.proof(&http, "POST", MESSAGES, &other);
    let answer = held.ask(MESSAGES, &other, &moved).await.unwrap();
    assert_eq!(answer.code(), "TOKEN_INVALID");
    let mut bare = held.proof(&peer, MESSAGES, &other);
    bare.mac = None;
    let answer = held.ask(MESSAGES, &other, &bare).await.unwrap();
    assert_eq!(answer.code(), "TOKEN_INVALID");
    // And the other way: a frame's token on a connection of requests.
    let framed = held.proof(&peer, MESSAGES, &other);
    let answer = http.post_with(MESSAGES, &other, &framed).await;
    assert_eq!(answer.code(), "TOKEN_INVALID");
    assert_eq!(world.inbox().await, ["framed"]);
}

#[tokio::test]
async fn the_engines_own_frame_is_worth_nothing_when_thrown_back() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let mut held = Held::open(&peer).await.unwrap();
    let node = world.node.clone();
    // The peer has no address, so the ping rides the connection that it holds.
    let ping = tokio::spawn(async move { node.ping("friend").await });
    let (id, path, proof, body) = held.next_request().await;
    assert_eq!(path, PING);
    let thrown_back = held.ask(PING, &body, &proof).await.unwrap();
    assert_eq!(thrown_back.code(), "TOKEN_INVALID");
    let pong = json!({"at": 1, "addresses": [], "storeId": "AAAAAAAAAAAAAAAAAAAAAA"});
    held.answer(id, 200, &pong).await;
    // The engine also keeps its line with requests of its own, and one of them may have come first.
    let mut ping = ping;
    loop {
        tokio::select! {
            answered = &mut ping => {
                assert!(answered.unwrap().is_ok());
                break;
            }
            (id, _, _, _) = held.next_request() => held.answer(id, 200, &pong).await,
        }
    }
}
