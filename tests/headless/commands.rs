//! The command line where no node runs.

use std::collections::BTreeSet;
use std::process::Stdio;

use tempfile::TempDir;

use crate::harness::{Launch, Run};

/// Runs a command on a home that nothing serves.
fn alone<const N: usize>(arguments: [&str; N]) -> Run {
    let directory = TempDir::new().unwrap();
    on(directory.path().join("home").as_path(), arguments)
}

fn on<const N: usize>(home: &std::path::Path, arguments: [&str; N]) -> Run {
    let mut command = Launch::new("alone").command(home);
    let output = command
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Run::new(format!("tieline {}", arguments.join(" ")), output)
}

#[test]
fn every_client_command_says_that_no_node_runs_and_how_to_start_one() {
    let commands: [&[&str]; 14] = [
        &["status"],
        &["token"],
        &["card"],
        &["card", "--pem"],
        &["invite"],
        &["peers"],
        &["peers", "show", "x"],
        &["peers", "keep", "x"],
        &["ping", "x"],
        &["send", "x", "hello"],
        &["inbox"],
        &["messages"],
        &["attempts", "x"],
        &["secrets"],
    ];
    for arguments in commands {
        let directory = TempDir::new().unwrap();
        let home = directory.path().join("home");
        let mut command = Launch::new("alone").command(&home);
        let output = command
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let run = Run::new(arguments.join(" "), output).failure(3);
        assert_eq!(run.stdout, "", "{run}");
        assert!(run.stderr.contains("Tieline is not running"), "{run}");
        assert!(run.stderr.contains("tieline serve"), "{run}");
        assert!(!home.exists(), "a question must not make a home: {run}");
    }
}

#[test]
fn with_json_a_failure_is_one_json_object_on_standard_error() {
    let run = alone(["--json", "status"]).failure(3);
    let problem: serde_json::Value = serde_json::from_str(run.stderr.trim()).unwrap();
    assert_eq!(problem["code"], "NOT_RUNNING");
    for field in ["summary", "cause", "remedy"] {
        assert!(!problem[field].as_str().unwrap().is_empty(), "{field}");
    }
}

#[cfg(unix)]
#[test]
fn a_left_over_socket_is_not_taken_for_a_node() {
    let directory = TempDir::new().unwrap();
    let socket = directory.path().join("control.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    on(directory.path(), ["status"]).failure(3);
    std::fs::remove_file(&socket).unwrap();
    std::fs::write(&socket, "not a socket").unwrap();
    on(directory.path(), ["status"]).failure(3);
}

#[cfg(unix)]
#[test]
fn a_home_whose_socket_would_have_too_long_a_name_is_refused_with_the_reason() {
    let directory = TempDir::new().unwrap();
    let run = on(&directory.path().join("d".repeat(120)), ["status"]).failure(2);
    assert!(run.stderr.contains("too long for a socket"), "{run}");
    assert!(run.stderr.contains("shorter"), "{run}");
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_is_possible() {
    let wrong: [&[&str]; 8] = [
        &["dance"],
        &["ping"],
        &["send", "only-a-peer"],
        &["send", "p", "t", "--route", "pigeon"],
        &["ping", "p", "-n", "0"],
        &["invite", "--ttl", "soon"],
        &["peers", "add"],
        &["peers", "add", "--kithkit", "bmo"],
    ];
    for arguments in wrong {
        let directory = TempDir::new().unwrap();
        let output = Launch::new("alone")
            .command(directory.path())
            .args(arguments)
            .output()
            .unwrap();
        let run = Run::new(arguments.join(" "), output).failure(2);
        assert!(
            run.stderr.contains("--help") || run.stderr.contains("Usage"),
            "{run}"
        );
    }
}

#[test]
fn help_teaches_every_command_with_examples() {
    let top = alone(["--help"]).success();
    for word in ["Two machines in five lines", "Exit codes:", "TIELINE_HOME"] {
        assert!(top.stdout.contains(word), "{word}: {top}");
    }
    let with_examples = [
        "serve", "token", "card", "invite", "join", "peers", "ping", "send", "inbox", "messages",
        "attempts", "secrets",
    ];
    for command in with_examples {
        assert!(top.stdout.contains(command), "{command}: {top}");
        let help = alone([command, "--help"]).success();
        assert!(help.stdout.contains("Example"), "{help}");
        assert!(
            help.stdout.contains(&format!("tieline {command}")),
            "{help}"
        );
    }
}

#[test]
fn completions_are_made_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = alone(["completions", shell]).success().stdout;
        for command in ["serve", "invite", "attempts", "secrets"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn the_openapi_documents_name_every_route_once_with_its_answers() {
    for (api, route) in [("local", "/api/a2a/send"), ("control", "/control/peers")] {
        let document = alone(["openapi", api]).success().json();
        assert!(document["openapi"].as_str().unwrap().starts_with("3."));
        let paths = document["paths"].as_object().unwrap();
        let mut ids = BTreeSet::new();
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(ids.insert(id), "{id} names two operations");
                let responses = operation["responses"].as_object().unwrap();
                assert!(
                    responses.keys().any(|status| status.starts_with('2')),
                    "{method} {path}"
                );
                assert!(
                    !operation["summary"].as_str().unwrap_or_default().is_empty(),
                    "{method} {path}"
                );
            }
        }
        assert!(paths.contains_key(route), "{api}");
        references_resolve(&document, &document);
    }
}

/// Every `$ref` points to a schema that is there.
fn references_resolve(document: &serde_json::Value, part: &serde_json::Value) {
    match part {
        serde_json::Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(|reference| reference.as_str()) {
                let pointer = reference.strip_prefix('#').expect("a local reference");
                assert!(
                    document.pointer(pointer).is_some(),
                    "{reference} leads nowhere"
                );
            }
            fields
                .values()
                .for_each(|part| references_resolve(document, part));
        }
        serde_json::Value::Array(items) => items
            .iter()
            .for_each(|part| references_resolve(document, part)),
        _ => {}
    }
}

#[test]
fn a_vault_that_does_not_exist_is_refused_before_anything_is_made() {
    let directory = TempDir::new().unwrap();
    let home = directory.path().join("home");
    let launch = Launch::new("alone").env("TIELINE_VAULT", "safe");
    let output = launch.command(&home).arg("serve").output().unwrap();
    let run = Run::new("serve".to_owned(), output).failure(2);
    assert!(run.stderr.contains("TIELINE_VAULT"), "{run}");
    assert!(!home.exists(), "{run}");
}
