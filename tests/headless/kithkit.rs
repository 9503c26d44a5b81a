//! Messages of KithKit machines: who may send, what is kept, and what the listener shows.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tieline_wire::kithkit::sign;

use crate::harness::Machine;
use crate::harness::http::{Request, Response};

const SECRET: &str = "shared by all";

fn machine(name: &str) -> Machine {
    let node = Machine::start(name);
    node.tieline_with_stdin(["secrets", "set", "credential-agent-comms-secret"], SECRET)
        .success();
    node.tieline([
        "peers",
        "add",
        "--kithkit",
        "BMO",
        "--host",
        "127.0.0.1",
        "--port",
        "1",
        "--name",
        "mac",
    ])
    .success();
    node
}

fn listen(node: &Machine, posture: Option<&str>) -> SocketAddr {
    let on = node
        .command()
        .args([
            "--json",
            "kithkit",
            "lan",
            "on",
            "--bind",
            "127.0.0.1",
            "--port",
            "0",
        ])
        .args(posture)
        .output()
        .unwrap();
    assert!(on.status.success(), "{on:?}");
    let view: Value = serde_json::from_slice(&on.stdout).unwrap();
    view["address"].as_str().unwrap().parse().unwrap()
}

fn message(from: &str, id: &str, text: &str) -> String {
    json!({"from": from, "type": "memory-sync", "text": text, "extra": [1], "messageId": id,
        "timestamp": "2026-01-01T00:00:00.000Z"})
    .to_string()
}

fn post(lan: SocketAddr, body: &str, secret: Option<&str>) -> Response {
    let request = Request::new(lan, "POST", "/agent/message").body(body);
    match secret {
        Some(secret) => request.header("X-Signature", &sign(secret.as_bytes(), body.as_bytes())),
        None => request,
    }
    .send()
}

fn inbox(node: &Machine) -> Vec<Value> {
    let page = node
        .authorized("GET", "/api/a2a/messages?direction=in")
        .send()
        .json();
    page["messages"].as_array().unwrap().clone()
}

#[test]
fn a_signed_message_of_a_peer_is_kept_once_and_nobody_elses_is() {
    let node = machine("kit");
    assert!(
        node.tieline(["kithkit", "lan", "show"])
            .success()
            .line()
            .contains("is off")
    );
    let lan = listen(&node, None);
    let body = message("bmo", "m-1", "from the LAN");
    for _ in 0..2 {
        let answer = post(lan, &body, Some(SECRET));
        assert_eq!(
            (answer.status, answer.json()),
            (200, json!({"ok": true, "queued": true}))
        );
    }
    let refusals = [
        (post(lan, &body, None), 401, "Signature required"),
        (post(lan, &body, Some("guessed")), 401, "Invalid signature"),
        (
            post(lan, &message("bmo", "m-1", "another text"), Some(SECRET)),
            409,
            "",
        ),
        (
            post(lan, &message("stranger", "m-2", "hi"), Some(SECRET)),
            401,
            "not a KithKit peer",
        ),
        (post(lan, "{", Some(SECRET)), 400, "Invalid request"),
        (
            post(lan, &"x".repeat(1 << 20 | 1), None),
            400,
            "Invalid request",
        ),
        (
            Request::new(lan, "POST", "/agent/message")
                .header("Origin", "http://evil.example")
                .body(body.as_str())
                .send(),
            403,
            "Web pages",
        ),
    ];
    for (answer, status, words) in refusals {
        assert_eq!(answer.status, status, "{answer:?}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(words), "{error}");
    }
    for id in ["m-4", "an id, with spaces: ü"] {
        assert_eq!(post(lan, &message("BMO", id, id), Some(SECRET)).status, 200);
    }
    let heartbeat = message("bmo", "m-3", "").replace("memory-sync", "status");
    assert_eq!(
        post(lan, &heartbeat, Some(SECRET)).json(),
        json!({"ok": true, "queued": false})
    );

    let kept = inbox(&node);
    assert_eq!(kept.len(), 3, "{kept:?}");
    let first = kept
        .iter()
        .find(|message| message["messageId"] == "m-1")
        .unwrap();
    assert_eq!(first["peer"], "mac");
    assert_eq!(first["assurance"], "sharedSecret");
    assert_eq!(
        first["payload"],
        json!({"type": "memory-sync", "text": "from the LAN", "extra": [1]})
    );
}

#[test]
fn the_listener_exposes_four_routes_and_comes_back_after_a_restart() {
    let mut node = machine("kit");
    let lan = listen(&node, Some("--permissive"));
    for (path, field, value) in [
        ("/agent/status", "agent", "kit"),
        ("/status", "daemon", "running"),
        ("/health", "listener", "lan"),
    ] {
        let answer = Request::new(lan, "GET", path).send();
        assert_eq!((answer.status, &answer.json()[field]), (200, &value.into()));
    }
    for (method, path) in [
        ("POST", "/agent/send"),
        ("POST", "/api/a2a/send"),
        ("GET", "/api/a2a/messages"),
        ("POST", "/agent/p2p"),
        ("GET", "/api/network/peers"),
        ("POST", "/status"),
        ("GET", "/agent/message"),
        ("GET", "/"),
    ] {
        let answer = Request::new(lan, method, path).body("{}").send();
        assert_eq!(
            (answer.status, &answer.json()["error"]),
            (404, &"Not found".into()),
            "{method} {path}"
        );
    }
    assert_eq!(post(lan, &message("bmo", "u-1", "hello"), None).status, 200);
    assert_eq!(post(lan, &message("who", "u-2", "hello"), None).status, 401);
    let kept = inbox(&node);
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0]["assurance"], "unauthenticated");

    node.stop();
    node.restart();
    let view = node
        .tieline(["--json", "kithkit", "lan", "show"])
        .success()
        .json();
    assert_eq!(view["settings"]["posture"], "permissive");
    let again: SocketAddr = view["address"].as_str().unwrap().parse().unwrap();
    assert_eq!(Request::new(again, "GET", "/status").send().status, 200);
    node.tieline(["kithkit", "lan", "off"]).success();
    assert!(Request::new(again, "GET", "/status").try_send().is_err());
}

#[test]
fn a_configuration_is_imported_once_and_exported_again() {
    let node = Machine::start("kit");
    let file = node.directory().join("kithkit.config.yaml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, "agent-comms:\n  peers:\n    - name: [\n").unwrap();
    let refused = node.tieline(["--json", "import", path]).failure(2);
    assert!(refused.stderr.contains("\"line\":"), "{}", refused.stderr);
    assert!(refused.stderr.contains("\"column\":"), "{}", refused.stderr);

    let yaml = "# ours\nagent-comms:\n  peers:\n    - {name: BMO, host: mac.lan, port: 3847, ip: 192.0.2.9}\n    \
        - name: skippy\n      host: 192.0.2.7\n      port: 3850\n";
    std::fs::write(&file, yaml).unwrap();
    let added = node.tieline(["--json", "import", path]).success();
    assert_eq!(added.json_lines().len(), 2);
    let again = node.tieline(["--json", "import", path]).success();
    assert_eq!(again.json_lines().len(), 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), yaml);

    let exported = node.tieline(["export", "kithkit"]).success().stdout;
    let config = tieline_wire::kithkit::config::Config::parse(&exported).unwrap();
    let settings = config.settings();
    assert_eq!(settings.agent_name.as_deref(), Some("kit"));
    let peers: Vec<_> = settings
        .peers
        .iter()
        .map(|peer| {
            (
                peer.name.as_str(),
                peer.host.as_str(),
                peer.port,
                peer.ip.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        peers,
        [
            ("BMO", "mac.lan", 3847, Some("192.0.2.9")),
            ("skippy", "192.0.2.7", 3850, None)
        ]
    );
}
