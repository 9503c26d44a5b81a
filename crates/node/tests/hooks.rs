//! Messages handed to agents: real commands, a real listener, restarts.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::Path;

use common::{Pair, alive, pair, script, send_text, start, until};
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use tieline_node::Node;
use tieline_node::model::{Hook, HookView};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn command(argv: &[&str]) -> Hook {
    Hook::Command {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        timeout_seconds: 30,
    }
}

fn webhook(port: u16) -> Hook {
    Hook::Webhook {
        url: format!("http://127.0.0.1:{port}/in"),
        secret: None,
        timeout_seconds: 30,
    }
}

/// A hook that keeps each message in a file of its own.
fn keeping(directory: &Path) -> Hook {
    let lines = "cd \"$1\" && cat > part && mv part \"$TIELINE_MESSAGE_ID\"";
    let script = script(directory, "keep.sh", lines);
    let kept = directory.join("kept");
    std::fs::create_dir_all(&kept).unwrap();
    command(&["sh", &script, kept.to_str().unwrap()])
}

fn kept(directory: &Path, id: &str) -> Option<Value> {
    let text = std::fs::read(directory.join("kept").join(id)).ok()?;
    Some(serde_json::from_slice(&text).unwrap())
}

async fn state(node: &Node, id: &str) -> String {
    node.message(id).await.unwrap().message.state
}

async fn view(node: &Node) -> HookView {
    node.hook(Some("wsl")).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_gets_the_message_and_the_sender_hears_how_far_it_came() {
    let Pair { mac, wsl, homes } = pair(true).await;
    mac.set_hook(Some("wsl"), keeping(homes.0.path()))
        .await
        .unwrap();
    let sent = send_text(&wsl, "mac", "build it").await;
    let id = sent.message_id;
    let document = until("the hook runs", async || kept(homes.0.path(), &id)).await;
    assert_eq!(document["event"], "message");
    assert_eq!(document["attempt"], 1);
    assert_eq!(document["untrustedText"], "build it");
    assert_eq!(document["untrustedPayload"]["type"], "text");
    assert_eq!(document["provenance"]["peer"], "wsl");
    assert_eq!(document["provenance"]["evidence"], "signed");
    assert_eq!(document["provenance"]["pairedBy"], "link");
    let stages = async || {
        let detail = wsl.message(&id).await.unwrap();
        let stages: Vec<_> = detail.receipts.into_iter().map(|told| told.stage).collect();
        stages
    };
    until("the sender has the signed word", async || {
        stages()
            .await
            .contains(&"handedOver".to_owned())
            .then_some(())
    })
    .await;
    assert_eq!(state(&mac, &id).await, "handedOver");
    mac.acknowledge(&id, None).await.unwrap();
    until("the sender hears of the agent's word", async || {
        stages()
            .await
            .contains(&"acknowledged".to_owned())
            .then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_is_not_kept_starts_nothing_and_questions_have_their_own_way() {
    let Pair { mac, wsl, homes } = pair(false).await;
    mac.set_hook(None, keeping(homes.0.path())).await.unwrap();
    let early = send_text(&wsl, "mac", "run this").await.message_id;
    assert_eq!(view(&mac).await.waiting, 0);
    mac.keep("wsl").await.unwrap();
    let later = send_text(&wsl, "mac", "now?").await.message_id;
    until("the later one is handed over", async || {
        kept(homes.0.path(), &later)
    })
    .await;
    assert!(kept(homes.0.path(), &early).is_none());
    assert_eq!(state(&mac, &early).await, "new");
    // A peer's own choice goes before the default.
    mac.set_hook(Some("wsl"), Hook::None).await.unwrap();
    let quiet = send_text(&wsl, "mac", "and now?").await.message_id;
    assert_eq!(view(&mac).await.waiting, 0);
    assert_eq!(state(&mac, &quiet).await, "new");
    let default = mac.remove_hook("wsl").await.unwrap();
    assert!(default.is_default && default.hook != Hook::None);
}

/// Answers one request with a status, and gives the request.
async fn serve(listener: &TcpListener, answer: &str) -> (String, Vec<u8>) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let (head, body) = request(&mut stream).await;
    let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 2\r\n\r\nok");
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    (head, body)
}

async fn request(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    loop {
        stream.read_buf(&mut bytes).await.unwrap();
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length: usize = head
            .to_lowercase()
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
            .unwrap();
        if bytes.len() >= end + 4 + length {
            return (head, bytes[end + 4..].to_vec());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_is_signed_tried_again_and_led_nowhere_else() {
    let Pair {
        mac,
        wsl,
        homes: _homes,
    } = pair(true).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let hook = Hook::Webhook {
        url: format!("http://localhost:{port}/in"),
        secret: Some("hook-secret".into()),
        timeout_seconds: 30,
    };
    let missing = mac.set_hook(Some("wsl"), hook.clone()).await.unwrap_err();
    assert_eq!(missing.code.to_string(), "SECRET_NOT_FOUND", "{missing:?}");
    mac.set_secret("hook-secret", "s3cret").await.unwrap();
    mac.set_hook(Some("wsl"), hook).await.unwrap();
    let id = send_text(&wsl, "mac", "hello").await.message_id;
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let moved = format!(
        "307 Temporary Redirect\r\nlocation: http://{}/",
        elsewhere.local_addr().unwrap()
    );
    for (attempt, answer) in [(1, moved.as_str()), (2, "500 Oh"), (3, "200 OK")] {
        let (head, body) = serve(&listener, answer).await;
        assert!(head.starts_with("POST /in HTTP/1.1\r\n"), "{head}");
        let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
        mac.update(&body);
        let hex: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert!(
            head.contains(&format!("x-tieline-signature: sha256={hex}")),
            "{head}"
        );
        let document: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(document["attempt"], attempt);
        assert_eq!(document["messageId"], id.as_str());
    }
    until("it is handed over", async || {
        (state(&mac, &id).await == "handedOver").then_some(())
    })
    .await;
    assert!(view(&mac).await.last_problem.is_none());
    let led = tokio::time::timeout(std::time::Duration::ZERO, elsewhere.accept()).await;
    assert!(led.is_err(), "the redirect was followed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_hook_refuses_too_often_stays_visible_until_the_person_sees_to_it() {
    let Pair { mac, wsl, homes } = pair(true).await;
    let refuses = "grep -q poison && { echo no thanks >&2; exit 3; }; exit 0";
    let script = script(homes.0.path(), "refuse.sh", refuses);
    mac.set_hook(Some("wsl"), command(&["sh", &script]))
        .await
        .unwrap();
    let bad = send_text(&wsl, "mac", "poison").await.message_id;
    let good = send_text(&wsl, "mac", "water").await.message_id;
    until("the next one goes on", async || {
        (state(&mac, &good).await == "handedOver").then_some(())
    })
    .await;
    let hook = view(&mac).await;
    assert_eq!((hook.waiting, hook.given_up), (0, 1));
    let problem = mac.message(&bad).await.unwrap().message.problem.unwrap();
    assert_eq!(problem.code.to_string(), "HOOK_FAILED");
    assert!(problem.cause.contains("no thanks"), "{}", problem.cause);
    let alerts = mac.status().await.unwrap().problems;
    assert!(alerts.iter().any(|alert| alert.code == problem.code));
    mac.set_hook(Some("wsl"), command(&["true"])).await.unwrap();
    assert_eq!(state(&mac, &bad).await, "new", "it waits for the person");
    mac.retry_hook("wsl").await.unwrap();
    until("it is handed over at last", async || {
        (state(&mac, &bad).await == "handedOver").then_some(())
    })
    .await;
    assert!(mac.message(&bad).await.unwrap().message.problem.is_none());
    assert_eq!(view(&mac).await.given_up, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hook_that_is_not_there_loses_nothing_across_a_restart() {
    let Pair { mac, wsl, homes } = pair(true).await;
    let port = {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        free.local_addr().unwrap().port()
    };
    mac.set_hook(Some("wsl"), webhook(port)).await.unwrap();
    let first = send_text(&wsl, "mac", "one").await.message_id;
    let second = send_text(&wsl, "mac", "two").await.message_id;
    until("it was tried", async || {
        let problem = view(&mac).await.last_problem?;
        (problem.code.to_string() == "HOOK_UNREACHABLE").then_some(())
    })
    .await;
    mac.shutdown().await;
    drop(mac);
    let mac = start(homes.0.path(), "mac").await;
    assert_eq!(view(&mac).await.waiting, 2);
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    mac.retry_hook("wsl").await.unwrap();
    for (place, id) in [&first, &second].into_iter().enumerate() {
        let (_, body) = serve(&listener, "204 No Content").await;
        let document: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(document["messageId"], id.as_str());
        if place == 0 {
            assert!(document["attempt"].as_u64() > Some(1), "{document}");
        }
    }
    until("both are handed over", async || {
        (view(&mac).await.waiting == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_ends_with_its_children_at_its_limit_and_at_a_stop() {
    let Pair { mac, wsl, homes } = pair(true).await;
    let pids = homes.0.path().join("pids");
    let lines = format!("sleep 600 &\necho $! >> {}\nwait", pids.display());
    let script = script(homes.0.path(), "slow.sh", &lines);
    let slow = |timeout_seconds| Hook::Command {
        argv: vec!["sh".into(), script.clone()],
        timeout_seconds,
    };
    mac.set_hook(Some("wsl"), slow(1)).await.unwrap();
    send_text(&wsl, "mac", "x").await;
    let child = async |place: usize| {
        until("a child runs", async || {
            let text = std::fs::read_to_string(&pids).ok()?;
            text.lines().nth(place).map(str::to_owned)
        })
        .await
    };
    let first = child(0).await;
    until("it ends at its limit", async || {
        (!alive(&first)).then_some(())
    })
    .await;
    until("that is told", async || {
        let problem = view(&mac).await.last_problem?;
        (problem.code.to_string() == "HOOK_TIMEOUT").then_some(())
    })
    .await;
    mac.set_hook(Some("wsl"), slow(3600)).await.unwrap();
    // The one that runs may still be of the old setting; one of the new setting outlives its limit.
    let last = until("a child outlives the old limit", async || {
        let text = std::fs::read_to_string(&pids).ok()?;
        let last = text.lines().last()?.to_owned();
        tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
        alive(&last).then_some(last)
    })
    .await;
    mac.shutdown().await;
    until("it ends with the node", async || {
        (!alive(&last)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hour_budget_holds_messages_back_and_the_person_is_asked() {
    let Pair {
        mac,
        wsl,
        homes: _homes,
    } = pair(true).await;
    mac.set_hook(Some("wsl"), command(&["true"])).await.unwrap();
    for _ in 0..61 {
        send_text(&wsl, "mac", "x").await;
    }
    let brake = |kind: &str| {
        let all = mac.brakes();
        all.into_iter().find(|brake| brake.kind == kind).unwrap()
    };
    until("the budget is spent", async || {
        brake("handovers").waiting.then_some(())
    })
    .await;
    assert_eq!((brake("handovers").used, view(&mac).await.waiting), (60, 1));
    assert_eq!(brake("asksIn").used, 0);
    let spent = view(&mac).await.last_problem.unwrap();
    assert_eq!(spent.code.to_string(), "BUDGET_SPENT");
    mac.set_brake("wsl", "handovers", true).unwrap();
    until("ten more are allowed", async || {
        (view(&mac).await.waiting == 0).then_some(())
    })
    .await;
    mac.set_brake("wsl", "handovers", false).unwrap();
    send_text(&wsl, "mac", "x").await;
    until("nothing more goes", async || {
        (view(&mac).await.waiting == 1).then_some(())
    })
    .await;
    assert!(!brake("handovers").waiting, "the person said Stop");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trying_a_hook_shows_what_it_does_and_changes_nothing() {
    let Pair {
        mac,
        wsl: _wsl,
        homes: _homes,
    } = pair(true).await;
    let nothing = mac.try_hook("wsl", None).await.unwrap_err();
    assert_eq!(nothing.code.to_string(), "INVALID_REQUEST");
    let tried = mac.try_hook("wsl", Some(command(&["cat"]))).await.unwrap();
    assert!(tried.ok, "{tried:?}");
    let document: Value = serde_json::from_str(&tried.output.unwrap()).unwrap();
    assert_eq!(document["event"], "trial");
    let absent = command(&["/does/not/exist"]);
    let failed = mac.try_hook("wsl", Some(absent)).await.unwrap();
    assert_eq!(failed.problem.unwrap().code.to_string(), "HOOK_UNREACHABLE");
    assert_eq!(view(&mac).await.hook, Hook::None);
    for bad in [
        command(&[]),
        command(&[""]),
        command(&["a\0b"]),
        webhook(0),
        Hook::Webhook {
            url: "http://example.com/".into(),
            secret: None,
            timeout_seconds: 30,
        },
        Hook::Command {
            argv: vec!["true".into()],
            timeout_seconds: 0,
        },
    ] {
        let refused = mac.set_hook(None, bad).await.unwrap_err();
        assert_eq!(refused.code.to_string(), "INVALID_REQUEST");
    }
}
