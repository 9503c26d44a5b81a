//! `tieline serve`: what it prints, how it starts, how it stops, and who gets in its way.

use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Launch, Machine, Run, wait};

#[test]
fn the_first_line_with_json_says_ready_and_where() {
    let node = Machine::start("greeter");
    // The harness has read that line; what it said must be true.
    TcpStream::connect(node.peer_addr()).unwrap();
    let health = node.request("GET", "/health").send();
    assert_eq!(health.status, 200);
    assert_eq!(health.json()["status"], "ok");
    let status = node.tieline(["status", "--json"]).success().json();
    assert_eq!(status["name"], "greeter");
    assert_eq!(status["host"], "serve");
    assert_eq!(status["pid"], node.pid());
    assert_eq!(status["peerAddr"], node.peer_addr().to_string());
    assert_eq!(status["apiAddr"], node.api_addr().to_string());
    let human = node.tieline(["status"]).success().stdout;
    assert!(
        human.contains("greeter") && human.contains(status["fingerprint"].as_str().unwrap()),
        "{human}"
    );
}

#[test]
fn a_second_host_names_the_first_and_leaves_it_alone() {
    let node = Machine::start("first");
    let output = node
        .command()
        .args([
            "serve",
            "--peer-addr",
            "127.0.0.1:0",
            "--api-addr",
            "127.0.0.1:0",
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let second = Run::new("serve".to_owned(), output).failure(8);
    assert_eq!(second.stdout, "");
    assert!(second.stderr.contains(&node.pid().to_string()), "{second}");
    node.tieline(["status"]).success();
}

#[test]
fn a_port_in_use_is_said_with_its_holder_and_another_one() {
    for option in ["--api-addr", "--peer-addr"] {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = taken.local_addr().unwrap().to_string();
        let other = if option == "--api-addr" {
            "--peer-addr"
        } else {
            "--api-addr"
        };
        let directory = tempfile::TempDir::new().unwrap();
        let output = Launch::new("late")
            .command(&directory.path().join("home"))
            .args(["serve", option, &addr, other, "127.0.0.1:0"])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let run = Run::new(format!("serve {option} {addr}"), output).failure(8);
        assert!(
            run.stderr
                .contains(&format!("Port {}", taken.local_addr().unwrap().port())),
            "{run}"
        );
        assert!(
            run.stderr.contains(&format!("{option} 127.0.0.1:")),
            "{run}"
        );
        if cfg!(target_os = "linux") {
            assert!(
                run.stderr.contains(&std::process::id().to_string()),
                "{run}"
            );
        }
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn the_local_api_is_never_bound_where_other_machines_reach_it() {
    let directory = tempfile::TempDir::new().unwrap();
    let output = Launch::new("open")
        .command(&directory.path().join("home"))
        .args([
            "serve",
            "--peer-addr",
            "127.0.0.1:0",
            "--api-addr",
            "0.0.0.0:0",
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let run = Run::new("serve".to_owned(), output).failure(2);
    assert!(run.stderr.contains("loopback"), "{run}");
}

#[test]
fn sigterm_stops_in_order_says_what_is_queued_and_removes_the_socket() {
    let mut node = Machine::start("stopper");
    // Streams and long polls must not hold it up.
    let _stream = node.authorized("GET", "/api/a2a/events").stream();
    let poll = node.authorized("GET", "/api/a2a/messages?wait=60");
    let polling = std::thread::spawn(move || poll.try_send());
    #[allow(clippy::disallowed_methods, reason = "gives the poll time to arrive")]
    std::thread::sleep(Duration::from_millis(300));
    let socket = node.home().join("control.sock");
    assert!(socket.exists());

    let begun = Instant::now();
    let status = node.stop();

    assert!(status.success(), "{status:?}\n{}", node.log());
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    assert!(node.log().contains("Nothing is queued"), "{}", node.log());
    assert!(!socket.exists());
    assert_eq!(
        polling.join().unwrap().unwrap().json()["messages"],
        json!([])
    );
    node.tieline(["status"]).failure(3);
}

#[test]
fn open_streams_and_polls_end_when_the_token_is_replaced() {
    let node = Machine::start("rotated");
    let stream = node.authorized("GET", "/api/a2a/events").stream();
    let poll = node.authorized("GET", "/api/a2a/messages?wait=60");
    let polling = std::thread::spawn(move || poll.try_send());
    #[allow(clippy::disallowed_methods, reason = "gives the poll time to arrive")]
    std::thread::sleep(Duration::from_millis(300));
    let rotated = node.control("POST", "/control/token/rotate").send();
    assert_eq!(rotated.status, 200, "{rotated:?}");
    // A stream that goes on sends signs of life for ever; one that ends sends an empty piece.
    let lines: Vec<_> = stream.take(8).collect();
    assert!(lines.iter().any(|line| line == "0"), "{lines:?}");
    assert_eq!(polling.join().unwrap().unwrap().status, 401);
}

#[test]
fn a_killed_host_can_be_started_again_at_once_with_the_same_identity() {
    let mut node = Machine::start("phoenix");
    node.same_ports();
    let before = node.tieline(["status", "--json"]).success().json();
    node.kill();
    node.tieline(["status"]).failure(3);
    node.restart();
    let after = node.tieline(["status", "--json"]).success().json();
    for field in [
        "fingerprint",
        "keyId",
        "pin",
        "storeId",
        "peerAddr",
        "apiAddr",
        "home",
    ] {
        assert_eq!(before[field], after[field], "{field}");
    }
}

#[test]
fn tokens_last_over_restarts() {
    let mut node = Machine::start("keeper");
    let before = node.tieline(["token"]).success().line();
    assert!(before.len() >= 32, "long enough not to be guessed");
    node.restart();
    assert_eq!(node.tieline(["token"]).success().line(), before);
}

#[test]
fn a_slow_client_does_not_keep_others_out() {
    use std::io::{Read, Write};
    let node = Machine::start("patient");
    let mut slow: Vec<TcpStream> = (0..64)
        .map(|_| TcpStream::connect(node.api_addr()).unwrap())
        .collect();
    for stream in &mut slow {
        stream
            .write_all(b"POST /api/a2a/send HTTP/1.1\r\nHost: ")
            .unwrap();
    }
    let begun = Instant::now();
    assert_eq!(node.request("GET", "/status").send().status, 200);
    assert!(begun.elapsed() < Duration::from_secs(5));
    // In the end the server hangs up on them.
    wait::until("the server to hang up", Duration::from_secs(60), || {
        let stream = slow.first_mut()?;
        stream
            .set_read_timeout(Some(Duration::from_millis(500)))
            .ok()?;
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).is_ok().then_some(())
    });
}

/// Runs `serve` on a home where it is expected to fail.
#[track_caller]
fn failing_serve(launch: &Launch, home: &std::path::Path, code: i32) -> Run {
    let output = launch
        .command(home)
        .args([
            "serve",
            "--json",
            "--peer-addr",
            "127.0.0.1:0",
            "--api-addr",
            "127.0.0.1:0",
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let run = Run::new("serve".to_owned(), output).failure(code);
    assert_eq!(run.stdout, "", "it must not say ready: {run}");
    run
}

/// Every file of a home with what is in it.
fn contents(home: &std::path::Path) -> Vec<(std::ffi::OsString, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(home)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| (entry.file_name(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_locked_or_changed_vault_keeps_the_node_down_and_everything_as_it_was() {
    let directory = tempfile::TempDir::new().unwrap();
    let passphrase = directory.path().join("passphrase");
    std::fs::write(&passphrase, "correct horse\n").unwrap();
    let launch = Launch::new("careful").env("TIELINE_VAULT_PASSPHRASE_FILE", passphrase.display());
    let mut node = launch.clone().start();
    let identity = node.tieline(["status", "--json"]).success().json()["fingerprint"].clone();
    assert!(node.stop().success());
    let before = contents(node.home());

    std::fs::write(&passphrase, "battery staple\n").unwrap();
    let wrong = failing_serve(&launch, node.home(), 7);
    assert!(wrong.stderr.contains("VAULT_PASSPHRASE"), "{wrong}");
    std::fs::remove_file(&passphrase).unwrap();
    let missing = failing_serve(&launch, node.home(), 7);
    assert!(missing.stderr.contains("VAULT_PASSPHRASE"), "{missing}");
    let keychain = launch.clone().env("TIELINE_VAULT", "keychain");
    let changed = failing_serve(&keychain, node.home(), 7);
    assert!(changed.stderr.contains("VAULT_CHANGED"), "{changed}");
    let ignoring = |files: &[(std::ffi::OsString, Vec<u8>)]| -> Vec<_> {
        files
            .iter()
            .filter(|(name, _)| !name.to_string_lossy().contains("lock"))
            .cloned()
            .collect()
    };
    assert_eq!(
        ignoring(&contents(node.home())),
        ignoring(&before),
        "a refused start changes nothing"
    );

    std::fs::write(&passphrase, "correct horse\n").unwrap();
    node.restart();
    assert_eq!(
        node.tieline(["status", "--json"]).success().json()["fingerprint"],
        identity
    );
}

#[test]
fn a_home_that_cannot_be_one_is_refused_with_the_reason() {
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "I am a file").unwrap();
    for home in [file.clone(), file.join("below")] {
        let run = failing_serve(&Launch::new("homeless"), &home, 8);
        assert!(run.stderr.contains("HOME_UNWRITABLE"), "{run}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "I am a file");
}

#[test]
fn a_damaged_database_is_kept_aside_and_reported_never_replaced() {
    let mut node = Machine::start("unlucky");
    assert!(node.stop().success());
    let database = node.home().join("tieline.db");
    let garbage = vec![0x5a; 64 * 1024];
    std::fs::write(&database, &garbage).unwrap();
    for leftover in ["tieline.db-wal", "tieline.db-shm"] {
        let _ = std::fs::remove_file(node.home().join(leftover));
    }
    let run = failing_serve(&Launch::new("unlucky"), node.home(), 7);
    assert!(run.stderr.contains("STORE_DAMAGED"), "{run}");
    let kept = contents(node.home())
        .into_iter()
        .any(|(_, bytes)| bytes == garbage);
    assert!(kept, "what was there is still there");
    // And it stays so: a second start does not quietly begin anew.
    failing_serve(&Launch::new("unlucky"), node.home(), 7);
}
