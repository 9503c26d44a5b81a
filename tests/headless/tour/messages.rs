//! `send`, `inbox`, `messages` and `attempts`.

use std::time::Duration;

use serde_json::Value;

use super::two;
use crate::harness::wait;

#[test]
fn what_cannot_go_now_is_queued_on_request_and_goes_later() {
    let (mac, mut wsl) = two();
    wsl.same_ports();
    wsl.kill();
    let failed = mac.tieline(["send", "wsl", "now or never", "--json"]);
    assert_eq!(failed.code, Some(5), "{failed}");
    assert_eq!(failed.json()["ok"], false);
    assert_eq!(failed.json()["code"], "DELIVERY_FAILED");
    assert_eq!(failed.json()["attempts"][0]["status"], "failed");
    let human = mac.tieline(["send", "wsl", "now or never"]).failure(5);
    assert!(human.stderr.contains("refused the connection"), "{human}");

    let queued = mac
        .tieline(["send", "wsl", "whenever", "--queue", "--json"])
        .success()
        .json();
    assert_eq!(queued["status"], "queued");
    let id = queued["messageId"].as_str().unwrap().to_owned();
    assert_eq!(
        mac.tieline(["status", "--json"]).success().json()["counts"]["queued"],
        1
    );
    wsl.restart();
    wait::until("the queued message", Duration::from_secs(60), || {
        let inbox = wsl.tieline(["inbox", "--json"]).success().json_lines();
        inbox
            .into_iter()
            .find(|message| message["messageId"] == id.as_str())
    });
    let listed = mac
        .tieline([
            "messages",
            "--direction",
            "out",
            "--state",
            "delivered",
            "--json",
        ])
        .success()
        .json_lines();
    assert!(
        listed
            .iter()
            .any(|message| message["messageId"] == id.as_str()),
        "{listed:?}"
    );
}

#[test]
fn messages_are_searched_filtered_and_paged() {
    let (mac, wsl) = two();
    for number in 1..=5 {
        mac.tieline([
            "send",
            "wsl",
            &format!("deploy {number} finished"),
            "--type",
            "report",
        ])
        .success();
    }
    mac.tieline(["send", "wsl", "unrelated"]).success();

    let found = wsl
        .tieline(["messages", "--search", "deploy", "--json"])
        .success()
        .json_lines();
    assert_eq!(found.len(), 5);
    assert_eq!(
        wsl.tieline(["messages", "--type", "report", "--json"])
            .success()
            .json_lines()
            .len(),
        5
    );
    assert_eq!(
        wsl.tieline(["messages", "--direction", "out", "--json"])
            .success()
            .json_lines()
            .len(),
        0
    );
    assert_eq!(
        wsl.tieline(["messages", "--search", "nothing like it", "--json"])
            .success()
            .json_lines()
            .len(),
        0
    );

    let last = wsl.tieline(["messages", "-n", "2", "--json"]).success();
    let page = last.json_lines();
    assert_eq!(
        page[1]["text"], "unrelated",
        "oldest first, so the newest stands last"
    );
    let before = page[0]["seq"].to_string();
    assert!(
        last.stderr.contains(&format!("--before {before}")),
        "{last}"
    );
    let earlier = wsl
        .tieline(["messages", "-n", "2", "--before", &before, "--json"])
        .success()
        .json_lines();
    assert_eq!(earlier[1]["text"], "deploy 4 finished");
}

#[test]
fn the_inbox_follows_and_marks_as_read() {
    let (mac, wsl) = two();
    mac.tieline(["send", "wsl", "first"]).success();
    let mut follower = wsl
        .command()
        .args(["inbox", "--follow", "--json"])
        .stdout(std::process::Stdio::piped())
        .stdin(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let stdout = follower.stdout.take().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        use std::io::BufRead;
        for line in std::io::BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
        {
            let _ = tell.send(serde_json::from_str::<Value>(&line).unwrap());
        }
    });
    let next = || told.recv_timeout(Duration::from_secs(20)).unwrap()["text"].clone();
    assert_eq!(next(), "first");
    mac.tieline(["send", "wsl", "second"]).success();
    assert_eq!(next(), "second");
    follower.kill().unwrap();
    follower.wait().unwrap();

    assert_eq!(
        wsl.tieline(["inbox", "--unread", "--read", "--json"])
            .success()
            .json_lines()
            .len(),
        2
    );
    assert_eq!(
        wsl.tieline(["inbox", "--unread", "--json"])
            .success()
            .json_lines()
            .len(),
        0
    );
    assert_eq!(
        wsl.tieline(["status", "--json"]).success().json()["counts"]["unread"],
        0
    );
}

#[test]
fn text_comes_from_standard_input_whole() {
    let (mac, wsl) = two();
    let text = format!("{}\nñ ✓ 🦀\t\"quoted\"\n", "line\n".repeat(2_000));
    mac.tieline_with_stdin(["send", "wsl", "-"], &text)
        .success();
    assert_eq!(
        wsl.tieline(["inbox", "--json"]).success().json()["text"],
        text
    );
}
