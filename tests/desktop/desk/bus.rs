//! A session bus on which nothing is started by itself.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use zbus::Connection;

/// No service directories: what a test does not put on this bus is not on it.
const CONFIGURATION: &str = r#"<busconfig>
  <type>session</type>
  <listen>unix:dir=DIRECTORY</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// Ends with it.
pub(crate) struct SessionBus {
    daemon: Child,
    address: String,
}

impl SessionBus {
    /// Starts one with its socket in `directory`.
    pub(crate) fn start(directory: &Path) -> Self {
        let configuration = directory.join("bus.conf");
        let text = CONFIGURATION.replace("DIRECTORY", &directory.display().to_string());
        std::fs::write(&configuration, text).expect("the configuration");
        let mut daemon = Command::new("dbus-daemon")
            .arg("--config-file")
            .arg(&configuration)
            .args(["--nofork", "--nopidfile", "--print-address=1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon starts");
        let mut address = String::new();
        let stdout = daemon.stdout.take().expect("a pipe");
        BufReader::new(stdout)
            .read_line(&mut address)
            .expect("the bus's address");
        assert!(!address.trim().is_empty(), "dbus-daemon ended early");
        Self {
            daemon,
            address: address.trim().to_owned(),
        }
    }

    /// For `DBUS_SESSION_BUS_ADDRESS`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A connection for the test.
    pub(crate) async fn connect(&self) -> Connection {
        zbus::connection::Builder::address(self.address())
            .build()
            .await
            .expect("a connection")
    }
}

impl Drop for SessionBus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}
