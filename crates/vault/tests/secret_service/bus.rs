//! A session bus and a GNOME Keyring for one test.

use std::env;
use std::fs;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
/// What the private bus lets through.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    /// Everything, but it starts no service by itself.
    Open,
    /// Everything except calls of the keychain.
    Refusing,
    /// There is no bus.
    None,
}

/// The outer half starts the test again on a bus of its own; there it is the inner half and runs
/// the scenario with the path of a home.
pub(super) fn on_a_private_bus(test: &str, policy: Policy, scenario: impl FnOnce(&Path)) {
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

pub(super) fn bus_configuration(policy: Policy) -> String {
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
pub(super) struct Keyring(Child);

impl Keyring {
    /// With its default keyring unlocked, which it makes at the first time.
    pub(super) fn unlocked() -> Self {
        Self::start(&["--unlock"], "a login password")
    }

    /// As after a login that did not hand it the password.
    pub(super) fn locked() -> Self {
        Self::start(&[], "")
    }

    pub(super) fn start(options: &[&str], input: &str) -> Self {
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
    pub(super) fn named(program: &mut Command) -> Self {
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
pub(super) fn store_foreign(service: &str, account: &str, secret: &str) {
    let label = format!("{service} of {account}");
    secret_tool(
        &[
            "store", "--label", &label, "service", service, "account", account,
        ],
        secret,
    );
}

pub(super) fn secret_tool(arguments: &[&str], input: &str) -> String {
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

pub(super) fn files_of(home: &Path) -> Vec<String> {
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
