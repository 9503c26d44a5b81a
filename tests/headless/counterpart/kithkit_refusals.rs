//! Wrong requests for KithKit's routes: the documented answer, and nothing changed.

use serde_json::{Value, json};
use tieline_wire::kithkit::sign;

use super::messages;
use crate::harness::Machine;
use crate::harness::http::Request;

#[test]
fn kithkit_routes_answer_wrong_requests_as_documented_and_change_nothing() {
    const SECRET: &str = "shared by all";
    let node = Machine::start("kit");
    node.tieline_with_stdin(["secrets", "set", "credential-agent-comms-secret"], SECRET)
        .success();
    node.tieline([
        "peers",
        "add",
        "--kithkit",
        "bmo",
        "--host",
        "127.0.0.1",
        "--port",
        "1",
    ])
    .success();
    let on = [
        "--json",
        "kithkit",
        "lan",
        "on",
        "--bind",
        "127.0.0.1",
        "--port",
        "0",
    ];
    let lan = node.tieline(on).success().json();
    let lan = lan["address"].as_str().unwrap().parse().unwrap();
    let message = |field: &str, value: Value| {
        let mut message = json!({"from": "bmo", "type": "text", "text": "hi", "messageId": "m-1",
            "timestamp": "2026-01-01T00:00:00.000Z"});
        message[field] = value;
        message.to_string()
    };
    let required =
        |field: &str| json!({"error": format!("'{field}' is required and must be a string")});
    let mut rows = vec![
        (
            "{".to_owned(),
            true,
            400,
            json!({"error": "Invalid request"}),
        ),
        (
            message("x", json!(1)),
            false,
            401,
            json!({"ok": false, "error": "Signature required"}),
        ),
    ];
    for field in ["from", "type", "messageId", "timestamp"] {
        for value in [json!(null), json!(7), json!("")] {
            rows.push((message(field, value), true, 400, required(field)));
        }
    }
    // A wrong signature before a wrong field.
    rows.push((
        message("from", json!(7)),
        false,
        401,
        json!({"ok": false, "error": "Signature required"}),
    ));
    for (body, signed, status, expected) in rows {
        let request = Request::new(lan, "POST", "/agent/message").body(body.as_str());
        let request = match signed {
            true => request.header("X-Signature", &sign(SECRET.as_bytes(), body.as_bytes())),
            false => request,
        };
        let answer = request.send();
        assert_eq!((answer.status, answer.json()), (status, expected), "{body}");
    }
    for method in ["GET", "PUT", "DELETE"] {
        let answer = Request::new(lan, method, "/agent/message")
            .body("{}")
            .send();
        assert_eq!(
            (answer.status, &answer.json()["error"]),
            (404, &json!("Not found")),
            "{method}"
        );
    }
    for path in ["/agent/status", "/status", "/health"] {
        let answer = Request::new(lan, "POST", path).body("{}").send();
        assert_eq!(answer.status, 404, "{path}");
    }
    assert_eq!(messages(&node, "in").len(), 0);
}
