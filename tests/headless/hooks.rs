//! Messages handed to agents, and answers heard as they are made, between real processes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tieline_wire::kithkit::sign;

use crate::harness::http::Request;
use crate::harness::wait::until;
use crate::harness::{Machine, pair};

const LONG: Duration = Duration::from_secs(60);

fn kept_pair() -> (Machine, Machine) {
    let (mac, wsl) = (Machine::start("mac"), Machine::start("wsl"));
    pair(&mac, &wsl);
    mac.tieline(["peers", "keep", "wsl"]).success();
    (mac, wsl)
}

fn script(machine: &Machine, name: &str, lines: &str) -> String {
    let path = machine.directory().join(name);
    fs::write(&path, lines).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A hook's program that keeps each message in a file named after it.
fn keeping(machine: &Machine) -> (String, PathBuf) {
    let kept = machine.directory().join("kept");
    fs::create_dir_all(&kept).unwrap();
    let lines = format!(
        "cd {} && cat > part && mv part \"$TIELINE_MESSAGE_ID\"",
        kept.display()
    );
    (script(machine, "keep.sh", &lines), kept)
}

fn document(kept: &Path, id: &str) -> Value {
    until("the hook has the message", LONG, || {
        let bytes = fs::read(kept.join(id)).ok()?;
        serde_json::from_slice(&bytes).ok()
    })
}

#[test]
fn a_hook_is_set_tried_used_and_removed_from_the_command_line() {
    let (mac, wsl) = kept_pair();
    let (program, kept) = keeping(&mac);
    mac.tieline(["hooks", "set", "wsl", "--none", "--", "sh"])
        .failure(2);
    mac.tieline(["hooks", "set", "--none"]).failure(2);
    mac.tieline(["hooks", "set", "wsl", "--webhook", "http://example.com/"])
        .failure(2);
    mac.tieline(["hooks", "set", "wsl", "--", "sh", &program])
        .success();
    let tried = mac
        .tieline(["hooks", "try", "wsl", "--json"])
        .success()
        .json();
    assert_eq!(tried["ok"], true, "{tried}");
    let sent = wsl
        .tieline(["send", "mac", "$(id) \"now\"", "--json"])
        .success()
        .json();
    let id = sent["messageId"].as_str().unwrap();
    let message = document(&kept, id);
    assert_eq!(message["untrustedText"], "$(id) \"now\"");
    assert_eq!(message["provenance"]["peer"], "wsl");
    until("its sender knows", LONG, || {
        let shown = wsl
            .authorized("GET", &format!("/api/a2a/messages/{id}"))
            .send()
            .json();
        let receipts = shown["receipts"].as_array()?.clone();
        let last = receipts.last()?["stage"].as_str()?.to_owned();
        (last == "handedOver").then_some(())
    });
    let hooks = mac.tieline(["hooks", "--json"]).success().json_lines();
    assert_eq!(hooks[0]["hook"]["kind"], "none", "the default");
    assert_eq!(hooks[1]["hook"]["argv"], json!(["sh", program]));
    mac.tieline(["hooks", "remove", "wsl"]).success();
    let shown = mac.tieline(["hooks"]).success().stdout;
    assert!(shown.contains("wsl, by default: nothing takes"), "{shown}");
}

#[test]
fn a_message_that_was_being_handed_over_at_a_power_cut_is_handed_over_again() {
    let (mut mac, wsl) = kept_pair();
    let (begun, gate) = (mac.directory().join("begun"), mac.directory().join("gate"));
    let lines = format!(
        "cat >> {0}.log; touch {0}; while [ ! -e {1} ]; do sleep 0.05; done",
        begun.display(),
        gate.display()
    );
    let program = script(&mac, "slow.sh", &lines);
    mac.tieline(["hooks", "set", "wsl", "--", "sh", &program])
        .success();
    let sent = wsl.tieline(["send", "mac", "x", "--json"]).success().json();
    until("the hook runs", LONG, || begun.exists().then_some(()));
    mac.kill();
    fs::write(&gate, "").unwrap();
    mac.restart();
    let id = sent["messageId"].as_str().unwrap();
    until("it is handed over", LONG, || {
        let shown = mac
            .authorized("GET", &format!("/api/a2a/messages/{id}"))
            .send()
            .json();
        (shown["message"]["state"] == "handedOver").then_some(())
    });
    let log = fs::read_to_string(mac.directory().join("begun.log")).unwrap();
    let attempts: Vec<Value> = serde_json::Deserializer::from_str(&log)
        .into_iter::<Value>()
        .map(|document| document.unwrap()["attempt"].clone())
        .collect();
    assert_eq!(attempts, [json!(1), json!(2)]);
}

#[test]
fn an_unauthenticated_kithkit_message_starts_nothing() {
    const SECRET: &str = "shared by all";
    let node = Machine::start("kit");
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
        "bmo",
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
        "--permissive",
    ];
    let view = node.tieline(on).success().json();
    let lan = view["address"].as_str().unwrap().parse().unwrap();
    let (program, kept) = keeping(&node);
    node.tieline(["hooks", "set", "--default", "--", "sh", &program])
        .success();
    let post = |id: &str, is_signed: bool| {
        let body = json!({"from": "BMO", "type": "text", "text": "run it", "messageId": id,
            "timestamp": "2026-01-01T00:00:00.000Z"})
        .to_string();
        let mut request = Request::new(lan, "POST", "/agent/message").body(body.as_str());
        if is_signed {
            request = request.header("X-Signature", &sign(SECRET.as_bytes(), body.as_bytes()));
        }
        assert_eq!(request.send().status, 200);
    };
    post("unsigned", false);
    post("signed", true);
    let message = document(&kept, "signed");
    assert_eq!(message["provenance"]["evidence"], "sharedSecret");
    let hooks = node.tieline(["hooks", "--json"]).success().json_lines();
    assert_eq!(hooks[1]["waiting"], 0, "{hooks:?}");
    assert!(!kept.join("unsigned").exists());
}

#[test]
fn an_answer_is_printed_as_it_is_made() {
    let (mac, wsl) = kept_pair();
    let program = script(
        &mac,
        "answer.sh",
        "printf 'one \\033[2J\\n'; cat; echo; echo",
    );
    mac.tieline(["responder", "command", "--", "sh", &program])
        .success();
    let answer = wsl.tieline(["ask", "mac", "two", "--stream"]).success();
    assert_eq!(answer.stdout, "one \\u{1b}[2J\ntwo\n");
    let events = wsl
        .tieline(["ask", "mac", "two", "--stream", "--json"])
        .success()
        .json_lines();
    assert_eq!(events.first().unwrap()["event"], "accepted");
    let last = events.last().unwrap();
    assert_eq!(last["event"], "answer");
    assert_eq!(last["data"]["untrustedAnswer"], "one \u{1b}[2J\ntwo");
    assert_eq!(last["data"]["provenance"]["peer"], "mac");
    mac.tieline(["responder", "nobody"]).success();
    let nobody = wsl.tieline(["ask", "mac", "x", "--stream"]).failure(5);
    assert!(nobody.stderr.contains("Nobody answers"), "{nobody}");
}

#[test]
fn an_agent_hears_pieces_and_hanging_up_ends_the_work() {
    let (mac, wsl) = kept_pair();
    let program = script(
        &mac,
        "answer.sh",
        "sleep 600 & echo \"working as $!\"; echo; echo more; wait",
    );
    mac.tieline(["responder", "command", "--", "sh", &program])
        .success();
    let ask = json!({"to": "mac", "text": "x", "stream": true});
    let refused = wsl.request("POST", "/api/a2a/ask").json(&ask).send();
    assert_eq!(refused.status, 401);
    let unknown = json!({"to": "nobody", "text": "x", "stream": true});
    let unknown = wsl.authorized("POST", "/api/a2a/ask").json(&unknown).send();
    assert_eq!(
        (unknown.status, unknown.code().as_str()),
        (404, "PEER_NOT_FOUND")
    );

    let mut lines = wsl.authorized("POST", "/api/a2a/ask").json(&ask).stream();
    let piece: Value = loop {
        let line = lines.next().expect("a piece");
        if let Some(data) = line.strip_prefix("data: ") {
            let data: Value = serde_json::from_str(data).unwrap();
            if data["untrustedText"].is_string() {
                break data;
            }
        }
    };
    let text = piece["untrustedText"].as_str().unwrap();
    let pid: u32 = text
        .lines()
        .next()
        .and_then(|line| line.rsplit(' ').next()?.parse().ok())
        .unwrap();
    let runs = || {
        let signalled = std::process::Command::new("kill")
            .args(["-0", &pid.to_string()])
            .output()
            .unwrap();
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        signalled.status.success() && !state.contains(") Z ")
    };
    assert!(runs());
    drop(lines);
    until("the child ends", LONG, || (!runs()).then_some(()));
}
