//! The keychain vault against a real GNOME Keyring, each test on a session bus and in a home
//! directory of its own.
//!
//! The vault finds the bus by its environment, and a process must not change its own. So every test
//! has two halves in one function: the outer one starts this very test again inside
//! `dbus-run-session`, the inner one is the scenario.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::env;
use std::fs;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tieline_vault::{Secret, Vault, VaultChoice, VaultError, VaultKind};
use tieline_wire::problem::{Code, Problem};

const DEFAULT: VaultChoice = VaultChoice::Recorded {
    passphrase_file: None,
};
const WITH_KEY: VaultChoice = VaultChoice::File {
    passphrase_file: None,
};

#[test]
fn secrets_are_kept_in_the_keyring_and_not_in_the_home() {
    on_a_private_bus(
        "secrets_are_kept_in_the_keyring_and_not_in_the_home",
        Policy::Open,
        |home| {
            let _keyring = Keyring::unlocked();
            let vault = Vault::open(&DEFAULT, home).unwrap();
            assert_eq!(vault.kind(), VaultKind::Keychain);
            assert!(vault.get("keys").unwrap().is_none());
            vault.set("keys", &Secret::from(&[0, 1, 255][..])).unwrap();
            vault.set("keys", &Secret::from(&[0, 2, 255][..])).unwrap();

            let again = Vault::open(&VaultChoice::Keychain, home).unwrap();
            assert_eq!(again.get("keys").unwrap().unwrap().expose(), [0, 2, 255]);
            let listed = secret_tool(&["search", "--all", "service", "tieline"], "");
            assert!(listed.contains("Tieline: keys"), "{listed}");

            assert!(again.delete("keys").unwrap());
            assert!(!vault.delete("keys").unwrap());
            assert!(vault.get("keys").unwrap().is_none());
            assert_eq!(files_of(home), ["vault.json", "vault.lock"]);
        },
    );
}

#[test]
fn homes_do_not_see_the_secrets_of_each_other() {
    on_a_private_bus(
        "homes_do_not_see_the_secrets_of_each_other",
        Policy::Open,
        |home| {
            let _keyring = Keyring::unlocked();
            let (first, second) = (home.join("first"), home.join("second"));
            Vault::open(&DEFAULT, &first)
                .unwrap()
                .set("keys", &Secret::from("one"))
                .unwrap();
            let other = Vault::open(&DEFAULT, &second).unwrap();
            assert!(other.get("keys").unwrap().is_none());
            other.set("keys", &Secret::from("two")).unwrap();
            let first = Vault::open(&DEFAULT, &first).unwrap();
            assert_eq!(first.get("keys").unwrap().unwrap().expose(), b"one");
        },
    );
}

#[test]
fn without_a_keychain_the_first_start_offers_the_file_vault_and_does_not_take_it() {
    let name = "without_a_keychain_the_first_start_offers_the_file_vault_and_does_not_take_it";
    on_a_private_bus(name, Policy::Open, |home| {
        let error = Vault::open(&DEFAULT, home).unwrap_err();
        assert!(
            matches!(
                error,
                VaultError::Absent {
                    first_start: true,
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(error.to_string().contains("TIELINE_VAULT=file"), "{error}");
        assert_eq!(Problem::from(error).code, Code::VaultAbsent);
        assert_eq!(files_of(home), ["vault.lock"], "nothing was chosen");

        let vault = Vault::open(&WITH_KEY, home).unwrap();
        let foreign = vault
            .foreign("credential-agent-comms-secret", None)
            .unwrap_err();
        assert!(
            matches!(
                foreign,
                VaultError::Absent {
                    first_start: false,
                    ..
                }
            ),
            "{foreign:?}"
        );
    });
}

#[test]
fn without_a_session_bus_the_keychain_is_absent() {
    let name = "without_a_session_bus_the_keychain_is_absent";
    on_a_private_bus(name, Policy::None, |home| {
        let error = Vault::open(&VaultChoice::Keychain, home).unwrap_err();
        assert!(
            matches!(
                error,
                VaultError::Absent {
                    first_start: true,
                    ..
                }
            ),
            "{error:?}"
        );
    });
}

#[test]
fn a_keychain_that_went_away_is_reported_and_used_again_when_it_is_back() {
    let name = "a_keychain_that_went_away_is_reported_and_used_again_when_it_is_back";
    on_a_private_bus(name, Policy::Open, |home| {
        let keyring = Keyring::unlocked();
        let vault = Vault::open(&DEFAULT, home).unwrap();
        vault.set("keys", &Secret::from("one")).unwrap();

        drop(keyring);
        let error = vault.get("keys").unwrap_err();
        assert!(
            matches!(
                error,
                VaultError::Absent {
                    first_start: false,
                    ..
                }
            ),
            "{error:?}"
        );
        let error = Vault::open(&DEFAULT, home).unwrap_err();
        assert!(
            matches!(
                error,
                VaultError::Absent {
                    first_start: false,
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(!error.to_string().contains("TIELINE_VAULT"), "{error}");
        let error = Vault::open(&WITH_KEY, home).unwrap_err();
        assert!(
            matches!(error, VaultError::Changed { .. }),
            "never a fallback: {error:?}"
        );

        // In the same process, which has seen it absent.
        let _keyring = Keyring::unlocked();
        assert_eq!(vault.get("keys").unwrap().unwrap().expose(), b"one");
        let vault = Vault::open(&DEFAULT, home).unwrap();
        assert_eq!(vault.get("keys").unwrap().unwrap().expose(), b"one");
    });
}

#[test]
fn a_locked_keychain_is_not_an_empty_one() {
    on_a_private_bus(
        "a_locked_keychain_is_not_an_empty_one",
        Policy::Open,
        |home| {
            let keyring = Keyring::unlocked();
            let vault = Vault::open(&DEFAULT, home).unwrap();
            vault.set("keys", &Secret::from("one")).unwrap();
            store_foreign("credential-cc4me-agent-key", "assistant", "key");
            drop(keyring);

            let keyring = Keyring::locked();
            let unlocked_before = vault;
            let locked = |error: VaultError| {
                assert!(matches!(error, VaultError::Locked { .. }), "{error:?}");
                assert_eq!(Problem::from(error).code, Code::VaultLocked);
            };
            locked(Vault::open(&DEFAULT, home).unwrap_err());
            locked(unlocked_before.get("keys").unwrap_err());
            locked(
                unlocked_before
                    .set("keys", &Secret::from("two"))
                    .unwrap_err(),
            );
            locked(
                unlocked_before
                    .set("other", &Secret::from("two"))
                    .unwrap_err(),
            );
            locked(unlocked_before.delete("keys").unwrap_err());
            locked(
                unlocked_before
                    .foreign("credential-cc4me-agent-key", None)
                    .unwrap_err(),
            );
            drop(keyring);

            let _keyring = Keyring::unlocked();
            let vault = Vault::open(&DEFAULT, home).unwrap();
            assert_eq!(vault.get("keys").unwrap().unwrap().expose(), b"one");
        },
    );
}

#[test]
fn a_service_without_any_keyring_is_locked_and_not_absent() {
    let name = "a_service_without_any_keyring_is_locked_and_not_absent";
    on_a_private_bus(name, Policy::Open, |home| {
        let _keyring = Keyring::locked();
        let error = Vault::open(&DEFAULT, home).unwrap_err();
        assert!(matches!(error, VaultError::Locked { .. }), "{error:?}");
        assert_eq!(files_of(home), ["vault.lock"]);
    });
}

#[test]
fn a_refusal_is_told_apart_from_absence() {
    on_a_private_bus(
        "a_refusal_is_told_apart_from_absence",
        Policy::Refusing,
        |home| {
            let _keyring = Keyring::unlocked();
            let error = Vault::open(&DEFAULT, home).unwrap_err();
            assert!(matches!(error, VaultError::Denied { .. }), "{error:?}");
            assert_eq!(Problem::from(error).code, Code::VaultDenied);
        },
    );
}

#[test]
fn items_of_other_programs_are_found_by_service_and_account() {
    let name = "items_of_other_programs_are_found_by_service_and_account";
    on_a_private_bus(name, Policy::Open, |home| {
        let _keyring = Keyring::unlocked();
        let service = "credential-cc4me-agent-key";
        // A home with a file vault reads them too.
        let vaults = [
            Vault::open(&DEFAULT, &home.join("keychain")).unwrap(),
            Vault::open(&WITH_KEY, &home.join("file")).unwrap(),
        ];
        for vault in &vaults {
            assert!(vault.foreign(service, None).unwrap().is_none());
        }
        store_foreign(service, "assistant", "the key");
        for vault in &vaults {
            let read = |account| vault.foreign(service, account).unwrap();
            assert_eq!(read(None).unwrap().expose(), b"the key");
            assert_eq!(read(Some("assistant")).unwrap().expose(), b"the key");
            assert!(read(Some("somebody")).is_none());
        }
        store_foreign(service, "somebody", "another key");
        for vault in &vaults {
            assert_eq!(
                vault
                    .foreign(service, Some("somebody"))
                    .unwrap()
                    .unwrap()
                    .expose(),
                b"another key"
            );
            let error = vault.foreign(service, None).unwrap_err();
            assert!(
                matches!(error, VaultError::Ambiguous { count: 2, .. }),
                "{error:?}"
            );
        }
    });
}

/// What the private bus lets through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Policy {
    /// Everything, but it starts no service by itself.
    Open,
    /// Everything except calls of the keychain.
    Refusing,
    /// There is no bus.
    None,
}

/// The outer half starts the test again on a bus of its own; there it is the inner half and runs
/// the scenario with the path of a home.
fn on_a_private_bus(test: &str, policy: Policy, scenario: impl FnOnce(&Path)) {
    if let Some(home) = env::var_os("VAULT_TEST_HOME") {
        return scenario(Path::new(&home));
    }
    let room = tempfile::tempdir().unwrap();
    let config = room.path().join("bus.conf");
    fs::write(&config, bus_configuration(policy)).unwrap();
    let directory = |name: &str| {
        let path = room.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    };
    let test_program = env::current_exe().unwrap();
    let mut command = if policy == Policy::None {
        let mut command = Command::new(test_program);
        command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
        command
    } else {
        let mut command = Command::new("dbus-run-session");
        command
            .arg("--config-file")
            .arg(config)
            .arg("--")
            .arg(test_program);
        command
    };
    let output = command
        .args(["--exact", test, "--nocapture"])
        .env("HOME", directory("user"))
        .env("XDG_RUNTIME_DIR", directory("runtime"))
        .env("XDG_DATA_HOME", directory("data"))
        .env("VAULT_TEST_HOME", directory("home"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("GNOME_KEYRING_CONTROL")
        .output()
        .expect("dbus-run-session is not installed");
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn bus_configuration(policy: Policy) -> String {
    let deny = if policy == Policy::Refusing {
        "<deny send_interface=\"org.freedesktop.Secret.Service\"/>"
    } else {
        ""
    };
    format!(
        "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen>\
         <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
         <allow eavesdrop=\"true\"/><allow own=\"*\"/>{deny}</policy></busconfig>"
    )
}

/// A keychain service, which ends with the value.
struct Keyring(Child);

impl Keyring {
    /// With its default keyring unlocked, which it makes at the first time.
    fn unlocked() -> Self {
        Self::start(&["--unlock"], "a login password")
    }

    /// As after a login that did not hand it the password.
    fn locked() -> Self {
        Self::start(&[], "")
    }

    fn start(options: &[&str], input: &str) -> Self {
        let mut daemon = Command::new("gnome-keyring-daemon");
        daemon
            .args(["--foreground", "--components=secrets"])
            .args(options);
        let mut pipe = tempfile::tempfile().unwrap();
        pipe.write_all(input.as_bytes()).unwrap();
        pipe.rewind().unwrap();
        Self::named(daemon.stdin(pipe).stdout(Stdio::null()))
    }

    /// Starts a program and waits until it has the name of the keychain on the bus.
    fn named(program: &mut Command) -> Self {
        let process = program
            .spawn()
            .expect("a package that `cargo xtask setup` names is missing");
        let waited = Command::new("gdbus")
            .args([
                "wait",
                "--session",
                "--timeout",
                "20",
                "org.freedesktop.secrets",
            ])
            .status()
            .unwrap();
        assert!(waited.success(), "the keychain service did not come up");
        Self(process)
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        // The bus forgets its names when the process is gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Stores an item as another program would.
fn store_foreign(service: &str, account: &str, secret: &str) {
    let label = format!("{service} of {account}");
    secret_tool(
        &[
            "store", "--label", &label, "service", service, "account", account,
        ],
        secret,
    );
}

fn secret_tool(arguments: &[&str], input: &str) -> String {
    let mut tool = Command::new("secret-tool")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("libsecret-tools is not installed");
    tool.stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = tool.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn files_of(home: &Path) -> Vec<String> {
    let paths: Vec<PathBuf> = fs::read_dir(home)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let mut names: Vec<String> = paths
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}
