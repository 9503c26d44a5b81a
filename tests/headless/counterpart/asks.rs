//! The counterpart asks a node.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Counterpart, add, answer_in_capitals, entry_for, entry_of, messages};
use crate::harness::Machine;
use crate::harness::wait::until;

const TOKEN: &str = "a secret of both";

/// A node that knows the machine `alpha` of the counterpart, and how that knows the node.
fn acquainted(cp: &mut Counterpart) -> (Machine, Value) {
    let node = Machine::start("kp");
    let keys = cp.machine("alpha");
    add(&node, "alpha", &entry_for(&keys, 9, Some(TOKEN)));
    let peer = entry_of(&node, Some(TOKEN));
    (node, peer)
}

fn content(answer: &Value) -> String {
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    body["choices"][0]["message"]["content"]
        .as_str()
        .unwrap_or_else(|| panic!("{body}"))
        .to_owned()
}

#[test]
fn a_signed_question_is_answered_and_both_stand_in_the_conversation() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let (node, peer) = acquainted(&mut cp);
    answer_in_capitals(&node);
    let ask = json!({"own": "alpha", "peer": peer, "generation": "current",
        "text": "is it $(id) \"quoted\"?", "hops": 7, "session": "s-1"});
    let answer = cp.order("ask", ask);
    assert_eq!(answer["status"], 200, "{answer}");
    assert_eq!(content(&answer), "IS IT $(ID) \"QUOTED\"?");
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (
            &body["object"],
            &body["model"],
            &body["choices"][0]["finish_reason"]
        ),
        (&json!("chat.completion"), &json!("default"), &json!("stop"))
    );

    let asked = &messages(&node, "in")[0];
    assert_eq!(asked["type"], "tieline.ask");
    assert_eq!(asked["assurance"], "signed");
    assert_eq!(
        asked["payload"],
        json!({"type": "tieline.ask", "text": "is it $(id) \"quoted\"?", "hops": 7, "session": "s-1", "tag": "valid"})
    );
    let answered = &messages(&node, "out")[0];
    assert_eq!(answered["payload"]["inReplyTo"], asked["messageId"]);
    assert_eq!(answered["text"], "IS IT $(ID) \"QUOTED\"?");
    let view = node
        .tieline(["--json", "peers", "show", "alpha"])
        .success()
        .json();
    assert_eq!(view["line"]["in"]["state"], "ok");
}

#[test]
fn the_older_bearer_is_taken_only_where_a_person_allowed_it() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let (node, peer) = acquainted(&mut cp);
    answer_in_capitals(&node);
    let ask = json!({"own": "alpha", "peer": peer, "generation": "legacy", "text": "hello"});
    let refused = cp.order("ask", ask.clone());
    assert_eq!(refused["status"], 401);
    assert_eq!(messages(&node, "in").len(), 0);

    let changed = node
        .tieline(["--json", "abtars", "bearer", "alpha", "on"])
        .success()
        .json();
    assert!(
        changed["assurance"]
            .as_str()
            .unwrap()
            .contains("shared secret"),
        "{changed}"
    );
    let answer = cp.order("ask", ask.clone());
    assert_eq!(content(&answer), "HELLO");
    assert_eq!(messages(&node, "in")[0]["assurance"], "sharedSecret");

    node.tieline(["abtars", "bearer", "alpha", "off"]).success();
    assert_eq!(cp.order("ask", ask)["status"], 401);
}

#[test]
fn the_published_pages_signed_bearer_is_good_once_also_over_a_restart() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let (mut node, peer) = acquainted(&mut cp);
    answer_in_capitals(&node);
    node.same_ports();
    for (generation, proof) in [("eddsa", "eddsa"), ("current", "signed")] {
        let ask = json!({"own": "alpha", "peer": peer, "generation": generation, "text": "hello"});
        assert_eq!(content(&cp.order("ask", ask)), "HELLO");
        let nonce = "00112233445566778899aabbccddeeff";
        let request = json!({"own": "alpha", "peer": peer, "method": "POST",
            "target": "/v1/chat/completions", "content": "again", "proof": proof,
            "options": {"jti": nonce, "nonce": nonce}});
        let first = cp.order("request", request.clone());
        assert_eq!(content(&first), "AGAIN", "{generation}");
        node.restart();
        let replayed = cp.order("request", request);
        assert_eq!(replayed["status"], 401, "{generation}");
    }
    assert_eq!(messages(&node, "in").len(), 4);
}

#[test]
fn what_wants_no_answer_is_kept_and_given_to_nobody() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let (node, peer) = acquainted(&mut cp);
    answer_in_capitals(&node);
    for (text, id) in [
        ("done. [no-reply]", "no-reply"),
        ("[CB-RESPONSE] 7", "cb-ack"),
    ] {
        let ask = json!({"own": "alpha", "peer": peer, "generation": "current", "text": text});
        let answer = cp.order("ask", ask);
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        assert_eq!(
            body,
            json!({"id": id, "object": "chat.completion", "choices": [{"index": 0,
                "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}]})
        );
    }
    let kept: Vec<Value> = messages(&node, "in")
        .iter()
        .map(|message| json!([message["type"], message["text"]]))
        .collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(
        kept.contains(&json!(["text", "done. [no-reply]"])),
        "{kept:?}"
    );
    assert_eq!(messages(&node, "out").len(), 0);
}

#[test]
fn an_answer_is_streamed_where_the_caller_asks_for_it() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let (node, peer) = acquainted(&mut cp);
    answer_in_capitals(&node);
    let ask = json!({"own": "alpha", "peer": peer, "generation": "current", "text": "line\nline",
        "stream": true});
    let answer = cp.order("ask", ask);
    assert_eq!(answer["headers"]["content-type"], "text/event-stream");
    let body = answer["body"].as_str().unwrap();
    let events: Vec<&str> = body
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "))
        .collect();
    assert_eq!(events.last(), Some(&"[DONE]"), "{body}");
    let deltas: String = events
        .iter()
        .filter_map(|event| serde_json::from_str::<Value>(event).ok())
        .filter_map(|chunk| {
            chunk["choices"][0]["delta"]["content"]
                .as_str()
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(deltas, "LINE\nLINE");
}

#[test]
fn a_caller_that_hangs_up_ends_the_work() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let (node, peer) = acquainted(&mut cp);
    let pid = node.directory().join("pid");
    let script = format!("echo $$ > '{}'; exec sleep 600", pid.display());
    node.tieline(["responder", "command", "--", "sh", "-c", &script])
        .success();
    let ask = json!({"own": "alpha", "peer": peer, "generation": "current", "text": "wait"});
    // Nobody reads the counterpart's answer: it is ended while it waits.
    use std::io::Write;
    let mut order = ask;
    order["do"] = "ask".into();
    writeln!(cp.orders, "{order}").unwrap();
    let pid: u32 = until("the command runs", Duration::from_secs(20), || {
        std::fs::read_to_string(&pid).ok()?.trim().parse().ok()
    });
    drop(cp);
    until("the command is ended", Duration::from_secs(20), || {
        (!std::path::Path::new(&format!("/proc/{pid}")).exists()).then_some(())
    });
}

#[test]
fn the_brake_refuses_what_is_too_much_and_a_person_allows_more() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let (node, peer) = acquainted(&mut cp);
    answer_in_capitals(&node);
    let ask = json!({"own": "alpha", "peer": peer, "generation": "current", "text": "x"});
    for _ in 0..30 {
        assert_eq!(cp.order("ask", ask.clone())["status"], 200);
    }
    let refused = cp.order("ask", ask.clone());
    assert_eq!(refused["status"], 429);
    let retry: u64 = refused["headers"]["retry-after"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=3600).contains(&retry));
    let body: Value = serde_json::from_str(refused["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        body,
        json!({"error": {"message": "Rate limit exceeded for alpha", "type": "rate_limit_error", "code": "rate_limit"}})
    );
    node.tieline(["asks", "allow", "alpha", "asksIn"]).success();
    assert_eq!(cp.order("ask", ask)["status"], 200);
}
