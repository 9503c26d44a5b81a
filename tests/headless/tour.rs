//! The command line between two machines: everything that the README's tour shows, and more.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Machine, pair, wait};

fn two() -> (Machine, Machine) {
    let (mac, wsl) = (Machine::start("mac"), Machine::start("wsl"));
    pair(&mac, &wsl);
    (mac, wsl)
}

#[test]
fn two_machines_pair_with_one_link_and_both_ways_work() {
    let (mac, wsl) = (Machine::start("mac"), Machine::start("wsl"));
    let invite = mac.tieline(["invite", "--ttl", "5m"]).success();
    let link = invite.line();
    assert!(
        link.starts_with("tieline://join#"),
        "the link stands alone: {invite}"
    );
    let words = mac.tieline(["status", "--json"]).success().json()["words"].clone();
    let first_words: Vec<&str> = words
        .as_array()
        .unwrap()
        .iter()
        .take(8)
        .map(|word| word.as_str().unwrap())
        .collect();
    assert!(invite.stderr.contains(&first_words.join(" ")), "{invite}");

    let join = wsl
        .tieline_with_stdin(["join", "--json"], &format!("\n  \"{link}\"\n"))
        .success();
    assert!(
        join.stderr.contains(&first_words.join(" ")),
        "the joiner sees the inviter's words first: {join}"
    );
    let joined = join.json();
    assert_eq!(joined["peer"]["name"], "mac");
    assert!(joined["pingOut"]["latencyMs"].is_number(), "{joined}");
    assert_eq!(joined["pingIn"]["ok"], true, "{joined}");

    // Until Keep, the joiner is a guest at the inviter.
    let guest = mac
        .tieline(["peers", "show", "wsl", "--json"])
        .success()
        .json();
    assert_eq!(guest["state"], "joined");
    assert_eq!(
        mac.tieline(["peers", "keep", "wsl", "--json"])
            .success()
            .json()["state"],
        "kept"
    );

    for (from, to) in [(&mac, "wsl"), (&wsl, "mac")] {
        let pings = from
            .tieline(["ping", to, "-n", "3", "--json"])
            .success()
            .json_lines();
        assert_eq!(pings.len(), 3);
        for ping in pings {
            assert_eq!(ping["peer"], to);
            assert_eq!(ping["via"], "direct");
            assert!(ping["latencyMs"].as_f64().unwrap() > 0.0);
        }
        let human = from.tieline(["ping", to]).success().stdout;
        assert!(human.contains(&format!("{to} answered in")), "{human}");
    }

    let sent = mac
        .tieline(["send", "wsl", "are you there?", "--json"])
        .success()
        .json();
    assert_eq!(sent["ok"], true);
    assert_eq!(sent["status"], "delivered");
    assert_eq!(sent["evidence"], "signed");
    let id = sent["messageId"].as_str().unwrap();

    let inbox = wsl.tieline(["inbox", "--json"]).success().json();
    assert_eq!(inbox["messageId"], id);
    assert_eq!(inbox["text"], "are you there?");
    assert_eq!(inbox["peer"], "mac");
    assert!(
        wsl.tieline(["inbox"])
            .success()
            .stdout
            .contains("are you there?")
    );

    let attempt = mac.tieline(["attempts", id, "--json"]).success().json();
    assert_eq!(attempt["status"], "success");
    assert_eq!(attempt["route"], "lan");
    assert_eq!(attempt["address"], wsl.peer_addr().to_string());
    let receipt = mac
        .tieline(["attempts", id, "--json", "--receipts"])
        .success()
        .json();
    assert_eq!(receipt["stage"], "stored");
    let human = mac.tieline(["attempts", id]).success().stdout;
    assert!(
        human.contains("success") && human.contains("receipt: stored"),
        "{human}"
    );
}

#[test]
fn a_link_works_once() {
    let (mac, wsl, third) = (
        Machine::start("mac"),
        Machine::start("wsl"),
        Machine::start("third"),
    );
    let link = mac.tieline(["invite"]).success().line();
    wsl.tieline_with_stdin(["join"], &link).success();
    let late = third.tieline_with_stdin(["join"], &link).failure(6);
    assert!(late.stderr.contains("already used"), "{late}");
    assert_eq!(
        mac.tieline(["peers", "--json"])
            .success()
            .json_lines()
            .len(),
        1
    );
    assert_eq!(third.tieline(["peers", "--json"]).success().stdout, "");
    let own = mac
        .tieline_with_stdin(["join"], &mac.tieline(["invite"]).success().line())
        .failure(6);
    assert!(own.stderr.contains("this machine itself"), "{own}");
}

#[test]
fn links_that_are_wrong_cut_or_expired_say_which_and_change_nothing() {
    let (mac, wsl) = (Machine::start("mac"), Machine::start("wsl"));
    let link = mac.tieline(["invite"]).success().line();
    let half = &link[..link.len() / 2];
    let mut altered = link.clone().into_bytes();
    altered[40] = if altered[40] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).unwrap();
    for (text, code) in [
        (half, "LINK_DAMAGED"),
        (&altered, "LINK_DAMAGED"),
        ("https://example.com", "LINK_INVALID"),
        ("", "LINK_INVALID"),
    ] {
        let run = wsl.tieline_with_stdin(["join", "--json"], text).failure(6);
        assert!(run.stderr.contains(code), "{text:?}: {run}");
    }
    let waited = mac.tieline(["invite", "--ttl", "1s", "--wait"]).failure(6);
    let late = wsl
        .tieline_with_stdin(["join", "--json"], &waited.line())
        .failure(6);
    assert!(late.stderr.contains("LINK_EXPIRED"), "{late}");
    assert_eq!(mac.tieline(["peers", "--json"]).success().stdout, "");
    assert_eq!(wsl.tieline(["peers", "--json"]).success().stdout, "");
}

#[test]
fn an_argument_works_as_well_with_a_word_about_history() {
    let (mac, wsl) = (Machine::start("mac"), Machine::start("wsl"));
    let link = mac.tieline(["invite"]).success().line();
    let join = wsl.tieline(["join", &link]).success();
    assert!(join.stderr.contains("history"), "{join}");
}

#[test]
fn cards_pair_without_a_link() {
    let (mac, wsl) = (Machine::start("mac"), Machine::start("wsl"));
    let card = mac.tieline(["card", "--json"]).success().line();
    let pem = wsl.tieline(["card", "--pem"]).success().stdout;
    let file = wsl.directory().join("mac.card");
    std::fs::write(&file, &card).unwrap();

    let added = wsl
        .tieline([
            "peers",
            "add",
            file.to_str().unwrap(),
            "--name",
            "apple",
            "--json",
        ])
        .success()
        .json();
    assert_eq!(added["name"], "apple");
    assert_eq!(
        added["fingerprint"],
        mac.tieline(["status", "--json"]).success().json()["fingerprint"]
    );
    mac.tieline_with_stdin(["peers", "add", "-"], &pem)
        .success();

    wsl.tieline(["ping", "apple"]).success();
    mac.tieline(["ping", "wsl"]).success();
    wsl.tieline(["peers", "add", file.to_str().unwrap()])
        .failure(1);
    let broken = wsl
        .tieline_with_stdin(["peers", "add", "-"], &card[..card.len() / 2])
        .failure(6);
    assert!(broken.stderr.contains("card"), "{broken}");
}

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
fn undo_cuts_a_joined_machine_off() {
    let (mac, wsl) = (Machine::start("mac"), Machine::start("wsl"));
    let link = mac.tieline(["invite"]).success().line();
    wsl.tieline_with_stdin(["join"], &link).success();
    mac.tieline(["peers", "undo", "wsl"]).success();
    assert_eq!(mac.tieline(["peers", "--json"]).success().stdout, "");
    wsl.tieline(["ping", "mac"]).failure(5);
}

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
