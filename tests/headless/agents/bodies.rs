//! Bodies that cannot be a request.

use serde_json::json;

use super::{get, send, text, two};
use crate::harness::Machine;

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
