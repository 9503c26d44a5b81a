//! The local API as an agent uses it, between two machines.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::http::Response;
use crate::harness::{Launch, Machine, pair, wait};

fn two() -> (Machine, Machine) {
    let (mac, wsl) = (Machine::start("mac"), Machine::start("wsl"));
    pair(&mac, &wsl);
    (mac, wsl)
}

#[track_caller]
fn send(from: &Machine, body: &Value) -> Response {
    from.request("POST", "/api/a2a/send").json(body).send()
}

fn text(to: &str, text: &str) -> Value {
    json!({"to": to, "payload": {"type": "text", "text": text}})
}

#[track_caller]
fn get(from: &Machine, path: &str) -> Value {
    let answer = from.authorized("GET", path).send();
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

#[test]
fn the_documented_request_is_answered_as_documented() {
    let (mac, wsl) = two();
    let body = json!({"to": "wsl", "payload": {"type": "text", "text": "Hello!", "deep": {"x": [1, 2.5, null]}}, "route": "auto", "unknown": 1});
    let answer = send(&mac, &body);
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    assert_eq!(
        (&answer["ok"], &answer["target"], &answer["targetType"]),
        (&json!(true), &json!("wsl"), &json!("dm"))
    );
    assert_eq!(
        (&answer["route"], &answer["status"], &answer["evidence"]),
        (&json!("lan"), &json!("delivered"), &json!("signed"))
    );
    assert_eq!(answer["attempts"].as_array().unwrap().len(), 1);
    let arrived = &get(&wsl, "/api/a2a/messages?direction=in")["messages"][0];
    assert_eq!(arrived["payload"], body["payload"], "every field travels");
    assert_eq!(arrived["messageId"], answer["messageId"]);
    let peers = get(&mac, "/api/a2a/peers");
    assert_eq!(peers["peers"][0]["name"], "wsl");
}

#[test]
fn a_message_id_makes_repeats_harmless_and_mix_ups_visible() {
    let (mac, wsl) = two();
    let mut body = text("wsl", "once");
    body["messageId"] = json!("job-17:report");
    for _ in 0..3 {
        let answer = send(&mac, &body);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["messageId"], "job-17:report");
    }
    assert_eq!(
        get(&wsl, "/api/a2a/messages")["messages"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    body["payload"]["text"] = json!("something else");
    let conflict = send(&mac, &body);
    assert_eq!(
        (conflict.status, conflict.code().as_str()),
        (409, "ID_CONFLICT"),
        "{conflict:?}"
    );
    assert_eq!(
        get(&wsl, "/api/a2a/messages")["messages"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    for wrong in [
        json!(""),
        json!("has space"),
        json!("x".repeat(129)),
        json!(7),
        json!(["a"]),
        json!({}),
    ] {
        body["messageId"] = wrong.clone();
        let refused = send(&mac, &body);
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (400, "INVALID_REQUEST"),
            "{wrong}"
        );
    }
    for wrong in [json!("drop"), json!(true), json!("")] {
        let mut body = text("wsl", "x");
        body["onFailure"] = wrong.clone();
        assert_eq!(send(&mac, &body).code(), "INVALID_REQUEST", "{wrong}");
    }
}

#[test]
fn what_is_queued_on_request_is_accepted_and_not_called_delivered() {
    let (mac, mut wsl) = two();
    wsl.kill();
    let failed = send(&mac, &text("wsl", "now"));
    assert_eq!(
        (failed.status, failed.code().as_str()),
        (502, "DELIVERY_FAILED")
    );
    for field in ["error", "cause", "remedy", "timestamp", "messageId"] {
        assert!(failed.json()[field].is_string(), "{field}: {failed:?}");
    }
    assert_eq!(failed.json()["status"], "failed");

    let mut body = text("wsl", "later");
    body["onFailure"] = json!("queue");
    let queued = send(&mac, &body);
    assert_eq!(queued.status, 202);
    let queued = queued.json();
    assert_eq!(
        (&queued["ok"], &queued["status"]),
        (&json!(true), &json!("queued"))
    );
    let id = queued["messageId"].as_str().unwrap();
    let detail = get(&mac, &format!("/api/a2a/messages/{id}"));
    assert_eq!(detail["message"]["state"], "queued");
    assert_eq!(detail["receipts"], json!([]));
}

#[test]
fn groups_and_relays_are_refused_with_their_documented_codes() {
    let (mac, _wsl) = two();
    let payload = json!({"type": "text", "text": "x"});
    let cases = [
        (
            json!({"group": "team", "payload": payload}),
            404,
            "GROUP_NOT_FOUND",
        ),
        (
            json!({"group": "c006dfce-37b6-434a-8407-1d227f485a81", "payload": payload}),
            503,
            "RELAY_UNAVAILABLE",
        ),
        (
            json!({"group": "team", "payload": payload, "route": "relay"}),
            404,
            "GROUP_NOT_FOUND",
        ),
        (
            json!({"to": "wsl", "payload": payload, "route": "relay"}),
            503,
            "RELAY_UNAVAILABLE",
        ),
        (
            json!({"to": "bmo@relay.example.com", "payload": payload, "route": "relay"}),
            503,
            "RELAY_UNAVAILABLE",
        ),
        (
            json!({"to": "nobody", "payload": payload}),
            404,
            "PEER_NOT_FOUND",
        ),
        (
            json!({"to": "nobody", "payload": payload, "route": "lan"}),
            404,
            "PEER_NOT_FOUND",
        ),
        (
            json!({"to": "wsl@relay.example.com", "payload": payload, "route": "lan"}),
            400,
            "INVALID_ROUTE",
        ),
        (
            json!({"to": " ", "payload": payload}),
            400,
            "INVALID_TARGET",
        ),
    ];
    for (body, status, code) in cases {
        let answer = send(&mac, &body);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{body}: {answer:?}"
        );
        assert_eq!(answer.json()["ok"], false);
    }
    assert_eq!(
        get(&mac, "/api/a2a/messages")["messages"],
        json!([]),
        "what was refused was not kept"
    );
}

#[test]
fn without_the_shared_secret_the_lan_to_kithkit_machines_is_unavailable() {
    let mac = Machine::start("mac");
    mac.tieline([
        "peers",
        "add",
        "--kithkit",
        "bmo",
        "--host",
        "127.0.0.1",
        "--port",
        "9",
    ])
    .success();
    let mut body = text("bmo", "hello");
    body["route"] = json!("lan");
    let answer = send(&mac, &body);
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "LAN_UNAVAILABLE"),
        "{answer:?}"
    );
    let attempts = answer.json()["attempts"].clone();
    assert_eq!(attempts.as_array().unwrap().len(), 1, "{attempts}");
    assert_eq!(attempts[0]["latencyMs"].as_f64(), Some(0.0));
    let remedy = attempts[0]["problem"]["remedy"].as_str().unwrap();
    assert!(remedy.contains("credential-agent-comms-secret"), "{remedy}");
}

#[test]
fn bodies_that_are_too_large_are_refused_with_both_numbers_however_they_come() {
    let (mac, wsl) = two();
    let long = "é".repeat(3_501);
    assert_eq!(
        send(&mac, &text("wsl", &long)).status,
        200,
        "Tieline peers take more than KithKit ones"
    );
    let unknown = send(&mac, &text("nobody", &long)).json();
    assert_eq!(
        (&unknown["actualLength"], &unknown["maxLength"]),
        (&json!(3501), &json!(3500))
    );

    for megabytes in [4, 40] {
        let body = vec![b' '; megabytes << 20];
        let length = body.len();
        let answer = mac
            .request("POST", "/api/a2a/send")
            .header("Content-Type", "application/json")
            .body(body)
            .send();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (413, "PAYLOAD_TOO_LARGE"),
            "{megabytes} MiB"
        );
        let answer = answer.json();
        assert_eq!(answer["actualLength"], length, "{answer}");
        assert!(answer["maxLength"].as_u64().unwrap() < length as u64);
    }
    // Without an announced length: 5 MiB in chunks.
    let mut chunked = Vec::new();
    for _ in 0..5 {
        chunked.extend_from_slice(b"100000\r\n");
        chunked.resize(chunked.len() + (1 << 20), b' ');
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let answer = mac
        .request("POST", "/api/a2a/send")
        .header("Content-Type", "application/json")
        .header("Transfer-Encoding", "chunked")
        .raw_body(chunked)
        .send();
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["actualLength"], 5 << 20);
    assert_eq!(
        get(&wsl, "/api/a2a/messages")["messages"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn bodies_that_are_not_json_are_refused() {
    let mac = Machine::start("mac");
    let deep = format!(
        "{{\"to\":\"x\",\"payload\":{}{}}}",
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    let bodies: [&[u8]; 6] = [
        b"{\"to\":\"x\"",
        b"\xff\xfe",
        b"nope",
        b"{} {}",
        b"\"x\"",
        deep.as_bytes(),
    ];
    for body in bodies {
        let answer = mac
            .request("POST", "/api/a2a/send")
            .header("Content-Type", "application/json")
            .body(body)
            .send();
        let shown = String::from_utf8_lossy(&body[..body.len().min(20)]).into_owned();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "INVALID_REQUEST"),
            "{shown}"
        );
    }
}

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

/// The next event of a stream, and what is behind it.
fn next_event(lines: &mut impl Iterator<Item = String>) -> Value {
    let data = lines
        .find_map(|line| line.strip_prefix("data:").map(str::to_owned))
        .expect("an event");
    serde_json::from_str(&data).unwrap()
}

#[test]
fn events_tell_of_messages_in_order_and_resume() {
    let (mac, wsl) = two();
    let mut stream = wsl.authorized("GET", "/api/a2a/events").stream();
    let sent = send(&mac, &text("wsl", "hello")).json();
    let event = std::iter::from_fn(|| Some(next_event(&mut stream)))
        .find(|event| event["kind"] == "messages")
        .unwrap();
    assert!(
        event["ids"]
            .as_array()
            .unwrap()
            .contains(&sent["messageId"]),
        "{event}"
    );
    let seq = event["seq"].as_u64().unwrap();

    // Everything else that changes meanwhile is the person's, not an agent's.
    wsl.tieline(["invite"]).success();
    wsl.tieline_with_stdin(["secrets", "set", "x"], "y")
        .success();
    let second = send(&mac, &text("wsl", "again")).json();
    for resume in ["query", "header"] {
        let request = match resume {
            "query" => wsl.authorized("GET", &format!("/api/a2a/events?after={seq}")),
            _ => wsl
                .authorized("GET", "/api/a2a/events")
                .header("Last-Event-ID", &seq.to_string()),
        };
        let mut resumed = request.stream();
        let mut last = seq;
        loop {
            let event = next_event(&mut resumed);
            assert!(event["seq"].as_u64().unwrap() > last, "{resume}: {event}");
            last = event["seq"].as_u64().unwrap();
            assert!(
                ["messages", "peers", "attempts"].contains(&event["kind"].as_str().unwrap()),
                "{event}"
            );
            if event["ids"]
                .as_array()
                .unwrap()
                .contains(&second["messageId"])
            {
                break;
            }
        }
    }

    let future = wsl
        .authorized("GET", "/api/a2a/events?after=999999")
        .stream();
    let mut future = future;
    assert_eq!(
        next_event(&mut future)["kind"],
        "resync",
        "a number of another run means fetch again"
    );
}

#[test]
fn the_document_is_served_and_is_the_one_that_the_command_prints() {
    let mac = Machine::start("mac");
    let served = mac.request("GET", "/api/openapi.json").send();
    assert_eq!(served.status, 200);
    assert_eq!(
        served.json(),
        mac.tieline(["openapi", "local"]).success().json()
    );
}

#[test]
fn status_routes_speak_as_other_agents_expect() {
    let mac = Launch::new("TestAgent").start();
    let status = mac.request("GET", "/agent/status").send().json();
    assert_eq!(
        (&status["agent"], &status["status"]),
        (&json!("TestAgent"), &json!("idle"))
    );
    let health = mac.request("GET", "/health").send().json();
    assert_eq!(
        (&health["status"], &health["degraded"]),
        (&json!("ok"), &json!(false))
    );
    let uptime = || {
        mac.request("GET", "/status").send().json()["uptime"]
            .as_f64()
            .unwrap()
    };
    let first = uptime();
    wait::until("time to pass", Duration::from_secs(5), || {
        (uptime() > first).then_some(())
    });
}
