//! What is asked on a terminal. The terminal is made by `script`, which every Linux has.
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use crate::harness::{Machine, tieline_program};

/// Runs a command on a terminal. Each answer is typed when its question has appeared. Gives what
/// the screen showed and the exit code.
fn on_terminal(machine: &Machine, arguments: &str, dialogue: &[(&str, &str)]) -> (String, i32) {
    let line = format!(
        "{} --home {} {arguments}",
        tieline_program().display(),
        machine.home().display()
    );
    let mut child = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut shown = Vec::new();
    let mut from = 0;
    for (question, answer) in dialogue {
        while !String::from_utf8_lossy(&shown[from..]).contains(question) {
            let mut bytes = [0; 512];
            let read = screen.read(&mut bytes).unwrap();
            assert_ne!(
                read,
                0,
                "{question:?} was not asked: {}",
                String::from_utf8_lossy(&shown)
            );
            shown.extend_from_slice(&bytes[..read]);
        }
        from = shown.len();
        // Between the question and the end of echoing lies a moment that no person types in.
        #[allow(clippy::disallowed_methods, reason = "the other side is a terminal")]
        std::thread::sleep(std::time::Duration::from_millis(200));
        keyboard
            .write_all(format!("{answer}\n").as_bytes())
            .unwrap();
    }
    screen.read_to_end(&mut shown).unwrap();
    let code = child.wait().unwrap().code().unwrap();
    (String::from_utf8_lossy(&shown).into_owned(), code)
}

#[test]
fn join_shows_whose_link_it_is_and_sends_nothing_without_a_yes() {
    let (mac, wsl) = (Machine::start("mac"), Machine::start("wsl"));
    let link = mac.tieline(["invite"]).success().line();
    for no in ["n", "", "what?"] {
        let (screen, code) = on_terminal(&wsl, "join", &[("Paste the link", &link), ("Join?", no)]);
        assert_eq!(code, 2, "{screen}");
        assert!(screen.contains("This link is from mac"), "{screen}");
        assert!(screen.contains("Nothing was sent"), "{screen}");
    }
    assert_eq!(mac.tieline(["peers", "--json"]).success().stdout, "");

    let (screen, code) = on_terminal(&wsl, "join", &[("Paste the link", &link), ("Join?", "y")]);
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("Joined mac"), "{screen}");

    let (screen, code) = on_terminal(&wsl, "peers remove mac", &[("Unpair mac?", "no")]);
    assert_eq!(code, 2, "{screen}");
    assert_eq!(
        wsl.tieline(["peers", "--json"])
            .success()
            .json_lines()
            .len(),
        1
    );
}

#[test]
fn with_yes_nothing_is_asked() {
    let (mac, wsl) = (Machine::start("mac"), Machine::start("wsl"));
    let link = mac.tieline(["invite"]).success().line();
    let (screen, code) = on_terminal(&wsl, &format!("join --yes '{link}'"), &[]);
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("history"), "{screen}");
}

#[test]
fn a_secret_that_is_typed_is_not_shown() {
    let mac = Machine::start("mac");
    let (screen, code) = on_terminal(
        &mac,
        "secrets set agent-key",
        &[("Value of agent-key", "hunter2")],
    );
    assert_eq!(code, 0, "{screen}");
    assert!(!screen.contains("hunter2"), "{screen}");
    assert_eq!(
        mac.tieline(["secrets", "--json"]).success().json()["name"],
        "agent-key"
    );
}
