//! The counterpart as a KithKit machine on the LAN.

use serde_json::{Value, json};

use super::{Counterpart, messages};
use crate::harness::Machine;

const SECRET: &str = "shared by all";

#[test]
fn messages_go_both_ways_and_a_wrong_secret_gets_nothing_through() {
    let Some(mut cp) = Counterpart::start() else {
        return;
    };
    let node = Machine::start("kit");
    node.tieline_with_stdin(["secrets", "set", "credential-agent-comms-secret"], SECRET)
        .success();
    let bmo = cp.order("kithkitListen", json!({"secret": SECRET}));
    let port = bmo["port"].to_string();
    node.tieline([
        "peers",
        "add",
        "--kithkit",
        "bmo",
        "--host",
        "127.0.0.1",
        "--port",
        &port,
    ])
    .success();
    let lan = node
        .tieline([
            "--json",
            "kithkit",
            "lan",
            "on",
            "--bind",
            "127.0.0.1",
            "--port",
            "0",
        ])
        .success()
        .json();
    let address = lan["address"].as_str().unwrap();
    let port: u16 = address.rsplit(':').next().unwrap().parse().unwrap();

    let sent = node
        .tieline(["--json", "send", "bmo", "h\u{e9}llo \"there\""])
        .success()
        .json();
    assert_eq!(sent["evidence"], "claimed");
    let taken = cp.order("kithkitTaken", json!({"server": bmo["server"]}));
    let message = &taken[0];
    assert_eq!(
        (&message["from"], &message["type"], &message["text"]),
        (
            &json!("kit"),
            &json!("text"),
            &json!("h\u{e9}llo \"there\"")
        )
    );

    let mut send = |secret: Option<&str>, id: &str| -> Value {
        let order = json!({"own": "bmo", "host": "127.0.0.1", "port": port, "secret": secret,
            "text": "good morning", "messageId": id});
        cp.order("kithkitSend", order)
    };
    for _ in 0..2 {
        let answer = send(Some(SECRET), "m-1");
        assert_eq!(answer["status"], 200, "{answer}");
    }
    for (secret, words) in [
        (None, "Signature required"),
        (Some("guessed"), "Invalid signature"),
    ] {
        let answer = send(secret, "m-2");
        assert_eq!(answer["status"], 401);
        assert!(answer["body"].as_str().unwrap().contains(words), "{answer}");
    }
    let kept = messages(&node, "in");
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(kept[0]["text"], "good morning");
}
