//! What openssl and curl see of a node.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::harness::{Machine, Run, pair};

/// Runs a tool of the system with something on its standard input.
fn tool<const N: usize>(program: &str, arguments: [&str; N], stdin: &str) -> Run {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    // openssl may be gone before it reads.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    Run::new(format!("{program} {}", arguments.join(" ")), output)
}

/// The SHA-256 fingerprint that openssl computes of a certificate in PEM, as `AA:BB…`.
fn openssl_fingerprint(pem: &str) -> String {
    let run = tool(
        "openssl",
        ["x509", "-noout", "-fingerprint", "-sha256"],
        pem,
    )
    .success();
    let line = run.line();
    let (_, fingerprint) = line.split_once('=').unwrap();
    fingerprint.to_owned()
}

#[test]
fn every_way_to_ask_for_a_fingerprint_gives_the_one_that_openssl_sees() {
    let mac = Machine::start("mac");
    let wsl = Machine::start("wsl");
    pair(&mac, &wsl);
    for (node, other) in [(&mac, &wsl), (&wsl, &mac)] {
        let addr = node.peer_addr().to_string();
        let shown = tool("openssl", ["s_client", "-connect", &addr, "-tls1_3"], "");
        let seen = openssl_fingerprint(&shown.stdout);
        assert_eq!(seen.len(), 32 * 3 - 1, "{seen}");

        let pem = node.tieline(["card", "--pem"]).success().stdout;
        assert_eq!(openssl_fingerprint(&pem), seen);

        let ours = format!("SHA256:{seen}");
        let card = node.tieline(["card", "--json"]).success().json();
        assert_eq!(card["fingerprint"], ours);
        let status = node.tieline(["status", "--json"]).success().json();
        assert_eq!(status["fingerprint"], ours);
        let known = other
            .tieline(["peers", "show", node.name(), "--json"])
            .success()
            .json();
        assert_eq!(known["fingerprint"], ours);
        let invite = node.tieline(["invite", "--json"]).success().json();
        assert_eq!(invite["fingerprint"], ours);
        assert_eq!(invite["words"], known["words"]);
    }
}

#[test]
fn the_peer_listener_says_that_it_is_alive_and_nothing_else() {
    let mac = Machine::start("mac");
    let url = |path: &str| format!("https://{}{path}", mac.peer_addr());
    let health = tool("curl", ["-sk", &url("/health")], "").success();
    assert_eq!(health.stdout, r#"{"status":"ok"}"#);
    for path in ["/", "/tieline/v1/ping", "/tieline/v1/messages", "/status"] {
        let answer = tool(
            "curl",
            [
                "-sk",
                "-o",
                "-",
                "-w",
                "%{http_code}",
                "-X",
                "POST",
                &url(path),
            ],
            "",
        )
        .success();
        let status = &answer.stdout[answer.stdout.len() - 3..];
        assert!(status.starts_with('4'), "{path}: {answer}");
        assert!(
            !answer.stdout.contains("mac"),
            "a stranger learns no name: {answer}"
        );
    }
}

#[test]
fn tls_1_2_and_plain_http_are_refused() {
    let mac = Machine::start("mac");
    let addr = mac.peer_addr().to_string();
    let shaken = tool("openssl", ["s_client", "-connect", &addr, "-tls1_2"], "");
    assert_ne!(shaken.code, Some(0), "{shaken}");
    assert!(!shaken.stdout.contains("BEGIN CERTIFICATE"), "{shaken}");
    let url = format!("https://{addr}/health");
    // 35: the handshake failed.
    tool("curl", ["-sk", "--tls-max", "1.2", &url], "").failure(35);
    let plain = tool(
        "curl",
        ["-s", "-m", "15", &format!("http://{addr}/health")],
        "",
    );
    assert_ne!(plain.code, Some(0), "{plain}");
    assert!(!plain.stdout.contains("ok"), "{plain}");
    // And it goes on serving those who speak its language.
    tool("curl", ["-sk", "--tlsv1.3", &url], "").success();
}

#[test]
fn no_session_ticket_is_given_out() {
    let mac = Machine::start("mac");
    let addr = mac.peer_addr().to_string();
    let request = format!("GET /health HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    let shown = tool(
        "openssl",
        ["s_client", "-connect", &addr, "-tls1_3", "-ign_eof"],
        &request,
    );
    assert!(shown.stdout.contains(r#"{"status":"ok"}"#), "{shown}");
    assert!(shown.stdout.contains("New, TLSv1.3"), "{shown}");
    assert!(!shown.stdout.contains("Session Ticket"), "{shown}");
}
