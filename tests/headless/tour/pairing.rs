//! `invite`, `join`, `card` and `peers add`.

use crate::harness::Machine;

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
fn undo_cuts_a_joined_machine_off() {
    let (mac, wsl) = (Machine::start("mac"), Machine::start("wsl"));
    let link = mac.tieline(["invite"]).success().line();
    wsl.tieline_with_stdin(["join"], &link).success();
    mac.tieline(["peers", "undo", "wsl"]).success();
    assert_eq!(mac.tieline(["peers", "--json"]).success().stdout, "");
    wsl.tieline(["ping", "mac"]).failure(5);
}
