//! Lists, single messages, acknowledgements and long polls.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{get, send, text, two};
use crate::harness::Machine;

#[test]
fn messages_are_listed_filtered_paged_and_acknowledged() {
    let (mac, wsl) = two();
    for number in 1..=7 {
        assert_eq!(
            send(&mac, &text("wsl", &format!("number {number}"))).status,
            200
        );
    }
    let all = get(&wsl, "/api/a2a/messages?direction=in&limit=500");
    let texts = |page: &Value| -> Vec<String> {
        page["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["text"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(texts(&all).len(), 7);
    assert_eq!(texts(&all)[0], "number 7", "newest first");

    let (mut seen, mut query) = (Vec::new(), "/api/a2a/messages?limit=3".to_owned());
    loop {
        let page = get(&wsl, &query);
        seen.extend(texts(&page));
        let Some(next) = page["next"].as_i64() else {
            break;
        };
        query = format!("/api/a2a/messages?limit=3&before={next}");
    }
    assert_eq!(
        seen,
        texts(&all),
        "pages leave nothing out and repeat nothing"
    );

    let (mut forward, mut after) = (Vec::new(), 0);
    loop {
        let page = get(&wsl, &format!("/api/a2a/messages?limit=2&after={after}"));
        forward.extend(texts(&page));
        match page["messages"].as_array().unwrap().last() {
            Some(last) => after = last["seq"].as_i64().unwrap(),
            None => break,
        }
    }
    seen.reverse();
    assert_eq!(forward, seen, "with `after`, oldest first");

    assert_eq!(
        texts(&get(&wsl, "/api/a2a/messages?search=number%204")),
        ["number 4"]
    );
    let stranger = wsl
        .authorized("GET", "/api/a2a/messages?peer=nobody")
        .send();
    assert_eq!(
        (stranger.status, stranger.code().as_str()),
        (404, "PEER_NOT_FOUND")
    );
    assert_eq!(
        texts(&get(&wsl, "/api/a2a/messages?direction=out")),
        Vec::<String>::new()
    );

    let id = all["messages"][0]["messageId"].as_str().unwrap();
    let acknowledged = wsl
        .authorized("POST", &format!("/api/a2a/messages/{id}/ack"))
        .json(&json!({}))
        .send();
    assert_eq!(
        acknowledged.json()["state"],
        "acknowledged",
        "{acknowledged:?}"
    );
    assert_eq!(
        texts(&get(&wsl, "/api/a2a/messages?state=acknowledged")),
        ["number 7"]
    );
    for (method, path) in [
        ("GET", "/api/a2a/messages/no-such"),
        ("POST", "/api/a2a/messages/no-such/ack"),
    ] {
        let answer = wsl.authorized(method, path).json(&json!({})).send();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (404, "MESSAGE_NOT_FOUND"),
            "{method} {path}"
        );
    }
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let mac = Machine::start("mac");
    for query in [
        "direction=up",
        "state=lost",
        "limit=0",
        "limit=501",
        "limit=many",
        "before=x",
        "before=3&after=1",
        "wait=-1",
        "wait=NaN",
        "wait=soon",
        "unread=perhaps",
    ] {
        let answer = mac
            .authorized("GET", &format!("/api/a2a/messages?{query}"))
            .send();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "INVALID_REQUEST"),
            "{query}"
        );
        assert_eq!(answer.json()["ok"], false, "{query}");
    }
    let events = mac.authorized("GET", "/api/a2a/events?after=x").send();
    assert_eq!(events.status, 400);
}

#[test]
fn a_long_poll_answers_when_a_message_comes_and_not_before() {
    let (mac, wsl) = two();
    let begun = Instant::now();
    let empty = get(&wsl, "/api/a2a/messages?direction=in&after=0&wait=1");
    assert_eq!(empty["messages"], json!([]));
    assert!(
        begun.elapsed() >= Duration::from_millis(900),
        "{:?}",
        begun.elapsed()
    );

    let poll = wsl.authorized("GET", "/api/a2a/messages?direction=in&after=0&wait=30");
    let polling = std::thread::spawn(move || (poll.send(), Instant::now()));
    #[allow(
        clippy::disallowed_methods,
        reason = "the poll must be waiting when the message comes"
    )]
    std::thread::sleep(Duration::from_millis(500));
    let sent = Instant::now();
    assert_eq!(send(&mac, &text("wsl", "wake up")).status, 200);
    let (answer, answered) = polling.join().unwrap();
    assert_eq!(answer.json()["messages"][0]["text"], "wake up");
    assert!(answered.duration_since(sent) < Duration::from_secs(5));
}
