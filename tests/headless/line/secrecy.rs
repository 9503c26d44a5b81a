//! Secrets stay where they belong.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use tieline_wire::invite::Invite;

use crate::harness::{Launch, Machine, pair};

/// The value of a secret that a person stores.
const STORED: &str = "s3cr3t-of-the-person-4711";
/// What protects the vault.
const PASSPHRASE: &str = "correct horse battery staple 4712";

/// Collects the arguments of every process of this machine until it is dropped.
struct Watch {
    stop: mpsc::Sender<()>,
    thread: std::thread::JoinHandle<BTreeSet<String>>,
}

impl Watch {
    fn begin() -> Self {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while stopped.recv_timeout(Duration::from_millis(1))
                == Err(mpsc::RecvTimeoutError::Timeout)
            {
                for entry in fs::read_dir("/proc").unwrap().flatten() {
                    let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                    if arguments.windows(7).any(|window| window == b"tieline") {
                        seen.insert(String::from_utf8_lossy(&arguments).replace('\0', " "));
                    }
                }
            }
            seen
        });
        Self { stop, thread }
    }

    fn end(self) -> BTreeSet<String> {
        self.stop.send(()).unwrap();
        self.thread.join().unwrap()
    }
}

/// A node that logs all it can, with a vault behind a passphrase.
fn talkative(name: &str, directory: &Path) -> Launch {
    let passphrase = directory.join("passphrase");
    fs::write(&passphrase, PASSPHRASE).unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    Launch::new(name)
        .env("TIELINE_LOG", "trace")
        .env("TIELINE_VAULT_PASSPHRASE_FILE", passphrase.display())
}

#[test]
fn no_secret_is_in_a_log_or_in_the_arguments_of_a_process() {
    let directory = tempfile::TempDir::new().unwrap();
    let watch = Watch::begin();
    let mac = talkative("mac", directory.path()).start();
    let wsl = talkative("wsl", directory.path()).start();
    let link = mac.tieline(["invite"]).success().line();
    wsl.tieline_with_stdin(["join"], &link).success();
    mac.tieline(["peers", "keep", "wsl"]).success();
    let set = mac
        .tieline_with_stdin(["secrets", "set", "credential-agent-comms-secret"], STORED)
        .success();
    let mut printed = set.stdout + &set.stderr;
    let mut tokens = Vec::new();
    for (from, to) in [(&mac, "wsl"), (&wsl, "mac")] {
        tokens.push(from.tieline(["token"]).success().line());
        for run in [
            from.tieline(["ping", to]),
            from.tieline(["send", to, "a text"]),
            from.tieline(["secrets", "list"]),
            from.tieline(["status"]),
            from.tieline(["peers", "show", to]),
        ] {
            let run = run.success();
            printed += &run.stdout;
            printed += &run.stderr;
        }
        assert_eq!(
            from.authorized("GET", "/api/a2a/messages").send().status,
            200
        );
        // A call that fails must not quote the token either.
        let wrong = from
            .request("GET", "/api/a2a/messages")
            .header("Authorization", "Bearer not-the-token-4713")
            .send();
        assert_eq!(wrong.status, 401);
        printed += &String::from_utf8_lossy(&wrong.body);
    }
    let arguments: String = watch.end().into_iter().collect::<Vec<_>>().join("\n");
    assert!(
        arguments.contains(" join"),
        "the watch saw the commands: {arguments}"
    );

    let fragment = link.split_once('#').unwrap().1;
    let mut secrets = vec![fragment, STORED, PASSPHRASE, "not-the-token-4713"];
    secrets.extend(tokens.iter().map(String::as_str));
    for secret in secrets {
        for (place, text) in [
            ("the log of mac", mac.log()),
            ("the log of wsl", wsl.log()),
            ("what commands printed", printed.clone()),
            ("process arguments", arguments.clone()),
        ] {
            assert!(!text.contains(secret), "{secret:?} is in {place}");
        }
    }
    for node in [&mac, &wsl] {
        let log = node.log();
        assert!(log.contains("TRACE"), "the log is at its fullest");
        // Request tokens are JWTs, whose header always begins like this.
        assert!(!log.contains("eyJ"), "a request token is in the log");
    }
}

#[test]
fn nobody_else_can_read_a_home() {
    let mac = Machine::start("mac");
    let wsl = Machine::start("wsl");
    pair(&mac, &wsl);
    mac.tieline(["send", "wsl", "a text"]).success();
    mac.tieline_with_stdin(["secrets", "set", "credential-agent-comms-secret"], STORED)
        .success();
    for node in [&mac, &wsl] {
        let files = walk(node.home());
        assert!(files.len() > 4, "{files:?}");
        for path in files {
            let mode = fs::symlink_metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
        }
    }
}

#[test]
fn what_the_vault_keeps_is_in_no_file_in_the_clear() {
    let directory = tempfile::TempDir::new().unwrap();
    let mac = talkative("mac", directory.path()).start();
    let wsl = talkative("wsl", directory.path()).start();
    let link = mac.tieline(["invite"]).success().line();
    wsl.tieline_with_stdin(["join"], &link).success();
    mac.tieline_with_stdin(["secrets", "set", "credential-agent-comms-secret"], STORED)
        .success();
    let token = mac.tieline(["token"]).success().line();
    let invite = Invite::parse(&link).unwrap();
    let secrets: [(&str, &[u8]); 4] = [
        ("a stored secret", STORED.as_bytes()),
        ("the vault's passphrase", PASSPHRASE.as_bytes()),
        ("the token", token.as_bytes()),
        ("an invite's secret", invite.secret.expose()),
    ];
    for node in [&mac, &wsl] {
        for path in walk(node.home()).into_iter().filter(|path| path.is_file()) {
            let bytes = fs::read(&path).unwrap();
            for (what, secret) in secrets {
                let found = bytes.windows(secret.len()).any(|window| window == secret);
                assert!(!found, "{what} is in {}", path.display());
            }
        }
    }
}

/// A directory with everything below it.
fn walk(directory: &Path) -> Vec<PathBuf> {
    let mut found = vec![directory.to_owned()];
    for entry in fs::read_dir(directory).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            found.extend(walk(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}
