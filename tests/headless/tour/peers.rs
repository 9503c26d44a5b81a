//! What is known about peers, and secrets.

use std::net::TcpListener;

use serde_json::Value;

use super::two;
use crate::harness::Machine;

#[test]
fn peers_are_renamed_moved_and_removed() {
    let (mac, wsl) = two();
    wsl.tieline(["peers", "rename", "mac", "apple"]).success();
    wsl.tieline(["peers", "show", "mac"]).failure(4);
    let table = wsl.tieline(["peers"]).success().stdout;
    assert!(
        table.starts_with("NAME") && table.contains("apple"),
        "{table}"
    );
    wsl.tieline(["peers", "rename", "apple", "Not A Name"])
        .failure(2);

    let addr = mac.peer_addr().to_string();
    assert_eq!(
        wsl.tieline(["peers", "addresses", "apple"])
            .success()
            .line(),
        addr
    );
    let dead = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    wsl.tieline(["peers", "addresses", "apple", "nonsense"])
        .failure(2);
    wsl.tieline(["peers", "addresses", "apple", &dead, &addr])
        .success();
    assert_eq!(
        wsl.tieline(["peers", "addresses", "apple"])
            .success()
            .stdout,
        format!("{dead}\n{addr}\n")
    );
    wsl.tieline(["ping", "apple"]).success();

    wsl.tieline(["peers", "remove", "apple"]).success();
    assert_eq!(wsl.tieline(["peers", "--json"]).success().stdout, "");
    wsl.tieline(["ping", "apple"]).failure(4);
    let refused = mac.tieline(["ping", "wsl", "--json"]);
    assert_eq!(
        refused.code,
        Some(5),
        "the one that was removed is not served: {refused}"
    );
}

#[test]
fn secrets_go_in_and_never_come_out() {
    let mac = Machine::start("mac");
    mac.tieline_with_stdin(["secrets", "set", "agent-key"], "hunter2-hunter2\n")
        .success();
    let listed = mac.tieline(["secrets", "--json"]).success().json();
    assert_eq!(listed["name"], "agent-key");
    assert_eq!(listed.get("value"), None);
    mac.tieline_with_stdin(["secrets", "set", "agent-key"], "hunter3-hunter3")
        .success();
    assert!(mac.tieline(["secrets", "--json"]).success().json()["rotatedAt"].is_string());
    let empty = mac
        .tieline_with_stdin(["secrets", "set", "agent-key"], "\n")
        .failure(2);
    assert!(empty.stderr.contains("empty"), "{empty}");

    assert!(!mac.log().contains("hunter"));
    mac.tieline(["secrets", "delete", "agent-key"]).success();
    mac.tieline(["secrets", "delete", "agent-key"]).failure(4);
    assert_eq!(mac.tieline(["secrets", "--json"]).success().stdout, "");
}

#[test]
fn names_that_fit_nobody_or_several_are_refused_and_never_guessed() {
    let (mac, wsl) = two();
    let third = Machine::start("wsx");
    let link = mac.tieline(["invite"]).success().line();
    third.tieline_with_stdin(["join"], &link).success();
    mac.tieline(["send", "ws", "to whom?"]).failure(4);
    mac.tieline(["send", "nobody", "hello"]).failure(4);
    mac.tieline(["send", "WSL", "case does not matter"])
        .success();
    assert_eq!(
        wsl.tieline(["inbox", "--json"])
            .success()
            .json_lines()
            .len(),
        1
    );
    assert_eq!(
        third.tieline(["inbox", "--json"]).success().json_lines(),
        Vec::<Value>::new()
    );
}
