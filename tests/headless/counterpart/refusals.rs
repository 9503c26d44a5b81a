//! Wrong requests for every abTARS route: the documented answer, and nothing changed.

use serde_json::{Value, json};

use super::{Counterpart, add, entry_for, entry_of, messages};
use crate::harness::Machine;

const TOKEN: &str = "a secret of both";
const CHAT: &str = "/v1/chat/completions";

/// One wrong request: what is sent, and the status, message, type and code of its answer.
struct Wrong(&'static str, Value, u16, Option<[&'static str; 3]>);

const KEY: [&str; 2] = ["authentication_error", "invalid_api_key"];

fn unauthorized(message: &'static str) -> Option<[&'static str; 3]> {
    Some([message, KEY[0], KEY[1]])
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.unwrap().as_secs()).unwrap()
}

fn chat(changes: Value) -> Value {
    let mut request = json!({"own": "alpha", "method": "POST", "target": CHAT, "content": "hello", "proof": "signed"});
    for (name, value) in changes.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

fn get(target: &str) -> Value {
    json!({"own": "alpha", "method": "GET", "target": target, "proof": "signed"})
}

fn table() -> Vec<Wrong> {
    let bad_signature = Some(["Invalid request signature", KEY[0], "sig_invalid"]);
    let no_name = unauthorized("Missing X-Peer-Id header");
    let bearer = unauthorized("Invalid bearer token");
    let hops = Some(["Peer hop limit reached", "loop_detected", "hop_exceeded"]);
    let empty = Some([
        "No user message content",
        "invalid_request_error",
        "empty_prompt",
    ]);
    let internal = Some(["Internal server error", "server_error", ""]);
    let now = now();
    let mut rows = Vec::new();
    let mut row = |what, request, status, error| rows.push(Wrong(what, request, status, error));
    // No route, before anything else is looked at.
    for (what, method, target) in [
        ("a chat with GET", "GET", CHAT),
        ("a chat with PUT", "PUT", CHAT),
        ("a trailing slash", "POST", "/v1/chat/completions/"),
        ("a card with POST", "POST", "/v1/agent-card"),
        ("a card with HEAD", "HEAD", "/v1/agent-card"),
        ("models with DELETE", "DELETE", "/v1/models"),
        ("a route of another kind", "GET", "/v1/orc/cards"),
        ("the version alone", "GET", "/v1"),
    ] {
        row(
            what,
            json!({"method": method, "target": target, "peer": null}),
            404,
            None,
        );
    }
    // Who asks.
    for target in [CHAT, "/v1/agent-card", "/v1/models", "/v1/models/kp"] {
        let method = if target == CHAT { "POST" } else { "GET" };
        row(
            "no proof",
            json!({"method": method, "target": target}),
            401,
            no_name,
        );
        row(
            "an unknown name",
            json!({"own": "stranger", "method": method, "target": target, "proof": "signed"}),
            401,
            unauthorized("Unknown peer"),
        );
        row(
            "another's key under the name",
            json!({"own": "stranger", "method": method, "target": target, "proof": "signed", "with": {"X-Peer-Id": "alpha"}}),
            401,
            bad_signature,
        );
        row(
            "the name with other capitals",
            json!({"own": "alpha", "method": method, "target": target, "proof": "signed", "with": {"X-Peer-Id": "Alpha"}}),
            401,
            unauthorized("Unknown peer"),
        );
    }
    row(
        "another scheme",
        chat(json!({"proof": null, "with": {"Authorization": "Basic YTpi"}})),
        401,
        no_name,
    );
    // The signature.
    for header in ["X-Peer-Ts", "X-Peer-Nonce", "X-Peer-Sig"] {
        row(
            "a header is missing",
            chat(json!({"with": {header: null}})),
            401,
            bad_signature,
        );
    }
    for (what, options) in [
        ("a time that is none", json!({"ts": "soon"})),
        ("an old time", json!({"ts": (now - 45).to_string()})),
        ("a time ahead", json!({"ts": (now + 45).to_string()})),
        (
            "signed for another route",
            json!({"signedTarget": "/v1/models"}),
        ),
        (
            "signed with a query",
            json!({"signedTarget": "/v1/chat/completions?a=1"}),
        ),
        ("signed for another text", json!({"signedBody": "{}"})),
    ] {
        row(what, chat(json!({"options": options})), 401, bad_signature);
    }
    row(
        "a signature of nothing",
        chat(json!({"with": {"X-Peer-Sig": "AAAA"}})),
        401,
        bad_signature,
    );
    row(
        "a query that was not signed",
        json!({"own": "alpha", "method": "GET", "target": "/v1/agent-card?x=1", "proof": "signed", "options": {"signedTarget": "/v1/agent-card"}}),
        401,
        bad_signature,
    );
    // The bearer, for a peer that may use it, and the published page's.
    for (what, options) in [
        ("expired", json!({"iat": now - 300, "exp": now - 240})),
        ("from the future", json!({"iat": now + 60})),
        ("another secret", json!({"token": "guessed"})),
        ("for another name", json!({"aud": "KP"})),
        ("in another name", json!({"iss": "beta"})),
    ] {
        let request = chat(json!({"proof": "bearer", "options": options}));
        row(what, request, 401, bearer);
    }
    for (what, options) in [
        ("expired", json!({"iat": now - 300, "exp": now - 240})),
        ("good for an hour", json!({"exp": now + 3600})),
        ("for another name", json!({"aud": "beta"})),
        ("without a number", json!({"jti": ""})),
    ] {
        let request = chat(json!({"proof": "eddsa", "options": options}));
        row(what, request, 401, bearer);
    }
    row(
        "no token at all",
        chat(json!({"proof": null, "with": {"Authorization": "Bearer x.y.z"}})),
        401,
        bearer,
    );
    // The body, once its sender is believed.
    row(
        "too large",
        chat(json!({"with": {"Content-Length": "6291457"}, "content": null, "body": "{}"})),
        413,
        Some([
            "Request body too large",
            "invalid_request_error",
            "body_too_large",
        ]),
    );
    row(
        "no JSON",
        chat(json!({"content": null, "body": "{"})),
        500,
        internal,
    );
    row(
        "no JSON, older proof",
        chat(json!({"content": null, "body": "{", "proof": "bearer"})),
        400,
        Some(["Invalid JSON body", "invalid_request_error", "invalid_body"]),
    );
    row(
        "no messages",
        chat(json!({"content": null, "body": "{}"})),
        400,
        empty,
    );
    row(
        "an empty text",
        chat(json!({"content": null, "body": r#"{"messages":[{"content":""}]}"#})),
        400,
        empty,
    );
    row(
        "nothing but a tag",
        chat(json!({"content": ""})),
        400,
        empty,
    );
    row(
        "a text in parts",
        chat(json!({"content": null, "body": r#"{"messages":[{"content":[]}]}"#})),
        500,
        internal,
    );
    for left in ["0", "-1", "0x"] {
        row(
            "no hops left",
            chat(json!({"with": {"X-Peer-Hops": left}})),
            429,
            hops,
        );
    }
    row(
        "an unknown model",
        get("/v1/models/other"),
        404,
        Some([
            "Model 'other' not found",
            "invalid_request_error",
            "model_not_found",
        ]),
    );
    rows
}

#[test]
fn abtars_routes_answer_wrong_requests_as_documented_and_change_nothing() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let node = Machine::start("kp");
    node.tieline(["responder", "command", "--", "false"])
        .success();
    let keys = cp.machine("alpha");
    cp.machine("stranger");
    add(&node, "alpha", &entry_for(&keys, 9, Some(TOKEN)));
    node.tieline(["abtars", "bearer", "alpha", "on"]).success();
    let us = entry_of(&node, Some(TOKEN));
    for Wrong(what, mut request, status, error) in table() {
        let bare = request.get("peer").is_some();
        request["peer"] = us.clone();
        let answer = cp.order("request", request.clone());
        assert_eq!(answer["status"], status, "{what}: {request} {answer}");
        let body = answer["body"].as_str().unwrap();
        match error {
            None => {
                assert_eq!(body, "", "{what}");
                assert!(
                    bare && answer["headers"].get("content-type").is_none(),
                    "{what}: {answer}"
                );
            }
            Some([message, kind, code]) => {
                let body: Value = serde_json::from_str(body).unwrap();
                let mut expected = json!({"error": {"message": message, "type": kind}});
                if !code.is_empty() {
                    expected["error"]["code"] = code.into();
                }
                assert_eq!(body, expected, "{what}");
                assert_eq!(
                    answer["headers"]["content-type"], "application/json",
                    "{what}"
                );
            }
        }
        assert_eq!(messages(&node, "in").len(), 0, "{what}");
    }
}

#[test]
fn a_peer_that_has_to_tag_its_texts_is_held_to_it() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let node = Machine::start("kp");
    node.tieline(["responder", "command", "--", "cat"])
        .success();
    let keys = cp.machine("alpha");
    let mut entry = entry_for(&keys, 9, None);
    entry["mode"] = "signed".into();
    add(&node, "alpha", &entry);
    let us = entry_of(&node, None);
    let mut ask = |options: Value| {
        let mut request = chat(json!({"options": options}));
        request["peer"] = us.clone();
        let answer = cp.order("request", request);
        let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        (answer["status"].clone(), body)
    };
    for (options, message, code) in [
        (
            json!({"tag": false}),
            "Signature required",
            "signature_missing",
        ),
        (
            json!({"context": "KP"}),
            "Invalid signature",
            "signature_invalid",
        ),
        (
            json!({"tagTs": now() - 45}),
            "Invalid signature",
            "signature_invalid",
        ),
    ] {
        let expected =
            json!({"error": {"message": message, "type": "authentication_error", "code": code}});
        assert_eq!(ask(options), (json!(403), expected));
    }
    assert_eq!(messages(&node, "in").len(), 0);
    assert_eq!(ask(json!({})).0, 200);

    // Where it need not, a tag that does not hold is taken off all the same, and noted.
    node.tieline(["abtars", "signed", "alpha", "off"]).success();
    let (status, body) = ask(json!({"context": "KP"}));
    assert_eq!(status, 200);
    assert_eq!(body["choices"][0]["message"]["content"], "hello");
    let noted = messages(&node, "in")
        .into_iter()
        .find(|message| message["payload"]["tag"] == "bad-signature");
    assert!(noted.is_some());
}

#[test]
fn what_the_real_server_takes_is_taken() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let node = Machine::start("kp");
    let keys = cp.machine("alpha");
    add(&node, "alpha", &entry_for(&keys, 9, None));
    let us = entry_of(&node, None);
    let mut ok = |mut request: Value| {
        request["peer"] = us.clone();
        let answer = cp.order("request", request);
        assert_eq!(answer["status"], 200, "{answer}");
        let body = answer["body"].as_str().unwrap();
        serde_json::from_str::<Value>(body).unwrap()
    };
    let card = ok(get("/v1/agent-card"));
    assert_eq!(
        (&card["name"], &card["status"]),
        (&json!("kp"), &json!("ready"))
    );
    let models = ok(get("/v1/models"));
    assert_eq!(models["data"][0]["id"], "kp/default");
    assert_eq!(ok(get("/v1/models/kp%2Fdefault"))["owned_by"], "kp");
    assert_eq!(ok(get("/v1/models/kp?x=1"))["id"], "kp");
    // Lenient numbers, any nonce, and both proofs at once.
    let lenient = json!({"ts": format!("{}abc", now()), "nonce": "n"});
    let mut request = get("/v1/agent-card");
    request["options"] = lenient;
    request["with"] = json!({"Authorization": "Bearer of.nobody.here"});
    ok(request);
    // Nobody answers here: the question is kept for the person, and its asker is told.
    let mut request = chat(json!({"with": {"X-Peer-Hops": "many"}}));
    request["peer"] = us;
    let answer = cp.order("request", request);
    assert_eq!(answer["status"], 503);
    assert!(
        answer["body"]
            .as_str()
            .unwrap()
            .contains("adapter_unavailable")
    );
    assert_eq!(messages(&node, "in").len(), 1);
}
