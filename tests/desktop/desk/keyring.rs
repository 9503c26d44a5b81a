//! A real Secret Service for one desktop.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use zbus::Connection;
use zbus::fdo::DBusProxy;
use zbus::names::BusName;

/// Longest wait for it to be there.
const PATIENCE: Duration = Duration::from_secs(60);
const NAME: &str = "org.freedesktop.secrets";

/// GNOME Keyring with a new, unlocked collection. Ends with it.
pub(crate) struct Keyring {
    daemon: Child,
}

impl Keyring {
    /// Starts it on the desktop that `command` (of `gnome-keyring-daemon`) belongs to.
    pub(crate) async fn start(mut command: Command, bus: &Connection) -> Self {
        let daemon = command
            .args(["--foreground", "--unlock", "--components=secrets"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon starts");
        let mut keyring = Self { daemon };
        let mut password = keyring.daemon.stdin.take().expect("a pipe");
        password.write_all(b"a password").expect("it reads");
        drop(password);
        let bus = DBusProxy::new(bus).await.expect("the bus");
        let begun = std::time::Instant::now();
        loop {
            let name = BusName::try_from(NAME).expect("a name");
            if bus.name_has_owner(name).await.expect("an answer") {
                return keyring;
            }
            assert!(begun.elapsed() < PATIENCE, "no Secret Service");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}
