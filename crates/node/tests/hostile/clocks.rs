//! Clocks that are hours off, and clocks that make no sense.

use serde_json::json;
use tieline_wire::message::Envelope;

use crate::actor::{Actor, MESSAGES, PING};
use crate::station::{Say, Station};
use crate::world::{World, text};

const HOURS: i64 = 3 * 3_600;

fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.unwrap().as_secs()).unwrap()
}

#[tokio::test]
async fn a_peer_whose_clock_is_hours_off_is_served() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let http = peer.dial().await;
    for (number, off) in [-HOURS, HOURS, -30 * 365 * 86_400, 300 * 365 * 86_400]
        .into_iter()
        .enumerate()
    {
        let body = peer.message(&format!("m-{number}"), "hello");
        let mut claims = peer.claims(&http, "POST", MESSAGES, &body);
        claims["iat"] = json!(now() + off);
        claims["exp"] = json!(now() + off + 60);
        let answer = http.post_with(MESSAGES, &body, &peer.sign(&claims)).await;
        assert_eq!(answer.status, 200, "{off}: {answer:?}");
    }
    assert_eq!(world.inbox().await.len(), 4);
}

#[tokio::test]
async fn a_peer_whose_clock_is_hours_off_is_reached_and_the_offset_is_known() {
    for off in [-HOURS, HOURS] {
        let world = World::new("mac").await;
        let actor = Actor::new("friend");
        let station = Station::open(&actor, move |seen| async move {
            let at = (now() + off) * 1_000;
            match seen.path.as_str() {
                PING => Say::Answer(
                    200,
                    json!({"at": at, "addresses": [], "storeId": crate::station::STORE}),
                ),
                _ => Say::Default,
            }
        })
        .await;
        let _peer = actor.join(&world.node, &[station.address]).await;
        let ping = world.node.ping("friend").await.unwrap();
        let known = ping.clock_offset_ms.unwrap();
        assert!((known - off * 1_000).abs() < 30_000, "{known}");
        let sent = world.node.send(text("friend", "hello")).await.unwrap();
        assert_eq!(
            (sent.status.as_str(), sent.evidence.as_str()),
            ("delivered", "signed")
        );
        let message = Envelope::parse(&station.seen(MESSAGES)[0].body).unwrap();
        assert!((message.sent_at.as_seconds() - now()).abs() < 30);
    }
}

#[tokio::test]
async fn times_at_the_ends_of_the_scale_do_no_harm() {
    let world = World::new("mac").await;
    let peer = Actor::new("friend").join(&world.node, &[]).await;
    let http = peer.dial().await;
    for at in [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX] {
        let body = json!({"at": at, "storeId": "AAAAAAAAAAAAAAAAAAAAAA"}).to_string();
        let answer = peer.post(&http, PING, body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{at}: {answer:?}");
    }
    for (number, time) in [
        "-009999-01-02T00:00:00Z",
        "9999-12-30T23:59:59Z",
        "1969-12-31T23:59:59Z",
    ]
    .into_iter()
    .enumerate()
    {
        let body = String::from_utf8(peer.message(&format!("m-{number}"), "hello")).unwrap();
        let body = body.replace("2026-03-01T12:00:00.000Z", time);
        let answer = peer.post(&http, MESSAGES, body.as_bytes()).await;
        assert!(matches!(answer.status, 200 | 400), "{time}: {answer:?}");
    }
    assert!(world.node.peers().await.is_ok());
}

#[tokio::test]
async fn an_answer_with_an_impossible_time_does_not_end_the_line() {
    for at in [i64::MIN, i64::MAX] {
        let world = World::new("mac").await;
        let actor = Actor::new("friend");
        let station = Station::open(&actor, move |seen| async move {
            match seen.path.as_str() {
                PING => Say::Answer(
                    200,
                    json!({"at": at, "addresses": [], "storeId": crate::station::STORE}),
                ),
                _ => Say::Default,
            }
        })
        .await;
        let _peer = actor.join(&world.node, &[station.address]).await;
        let _ = world.node.ping("friend").await;
        let _ = world.node.ping("friend").await;
        let sent = world.node.send(text("friend", "hello")).await.unwrap();
        assert_eq!(sent.status, "delivered");
    }
}
