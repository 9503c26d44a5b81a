//! Nodes under measurement: real `tieline serve` processes with homes of their own.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::api::Api;
use crate::child::Running;

/// A running node.
#[derive(Debug)]
pub(crate) struct Node {
    tieline: PathBuf,
    home: PathBuf,
    process: Running,
    /// Where its local API listens.
    pub(crate) api: SocketAddr,
    /// Where it listens for peers.
    pub(crate) peer: SocketAddr,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ready {
    ready: bool,
    api_addr: SocketAddr,
    peer_addr: SocketAddr,
}

impl Node {
    /// Starts `tieline serve` on free ports of the loopback interface, and waits until it serves.
    pub(crate) async fn start(tieline: &Path, home: &Path, name: &str) -> Result<Self> {
        Self::start_with(tieline, home, name, None).await
    }

    /// As [`Node::start`], with a passphrase for the file vault.
    pub(crate) async fn start_with(
        tieline: &Path,
        home: &Path,
        name: &str,
        passphrase: Option<&Path>,
    ) -> Result<Self> {
        let log = home.with_extension("log");
        let mut command = command(tieline, home);
        command.stderr(File::create(&log)?);
        if let Some(passphrase) = passphrase {
            command.env("TIELINE_VAULT_PASSPHRASE_FILE", passphrase);
        }
        command.args(["serve", "--json", "--name", name]);
        command.args(["--peer-addr", "127.0.0.1:0", "--api-addr", "127.0.0.1:0"]);
        let (process, line) = Running::start(command)
            .await
            .with_context(|| fs::read_to_string(&log).unwrap_or_default())?;
        let ready: Ready = serde_json::from_str(&line)
            .with_context(|| format!("not the announced first line: {line}"))?;
        if !ready.ready {
            bail!("the node says that it is not ready: {line}");
        }
        Ok(Self {
            tieline: tieline.to_owned(),
            home: home.to_owned(),
            process,
            api: ready.api_addr,
            peer: ready.peer_addr,
        })
    }

    /// From its spawn until it said `ready`.
    pub(crate) fn took(&self) -> Duration {
        self.process.took
    }

    /// Its process id.
    pub(crate) fn process_id(&self) -> Result<u32> {
        self.process.id()
    }

    /// Fails where it has ended by itself.
    pub(crate) fn check_alive(&mut self) -> Result<()> {
        self.process.check_alive()
    }

    /// A connection to its local API, with the token that reading messages needs.
    pub(crate) async fn connect(&self) -> Result<Api> {
        let token = self.run(&["token"], "").await?;
        Api::connect(self.api, Some(token.trim())).await
    }

    /// Runs a command of the command line against it, and returns what it printed.
    pub(crate) async fn run(&self, arguments: &[&str], input: &str) -> Result<String> {
        let mut child = command(&self.tieline, &self.home)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        stdin.write_all(input.as_bytes()).await?;
        drop(stdin);
        let output = child.wait_with_output().await?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`tieline {}` failed: {said}", arguments.join(" "));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Ends it in order where the platform can ask it to, and waits.
    pub(crate) async fn stop(self) -> Result<()> {
        if ask_to_end(self.process.id()?) {
            self.process.ended().await
        } else {
            self.process.kill().await
        }
    }
}

fn command(tieline: &Path, home: &Path) -> Command {
    let mut command = Command::new(tieline);
    command.arg("--home").arg(home);
    command.env("TIELINE_VAULT", "file");
    command.env_remove("TIELINE_VAULT_PASSPHRASE_FILE");
    command.env("TIELINE_LOG", "warn");
    command
}

#[cfg(unix)]
fn ask_to_end(process_id: u32) -> bool {
    use rustix::process::{Pid, Signal, kill_process};
    let pid = i32::try_from(process_id).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok())
}

#[cfg(not(unix))]
fn ask_to_end(_: u32) -> bool {
    false
}

/// Two nodes that are paired, and reached each other.
#[derive(Debug)]
pub(crate) struct Pair {
    /// The one that messages are given to.
    pub(crate) sender: Node,
    /// The one that they are for.
    pub(crate) receiver: Node,
}

/// What the sender calls the receiver.
pub(crate) const RECEIVER: &str = "receiver";
/// What the receiver calls the sender.
pub(crate) const SENDER: &str = "sender";

impl Pair {
    /// Starts two nodes with new homes in `dir` and pairs them by a link.
    pub(crate) async fn start(tieline: &Path, dir: &Path) -> Result<Self> {
        let sender = Node::start(tieline, &dir.join(SENDER), SENDER).await?;
        let receiver = Node::start(tieline, &dir.join(RECEIVER), RECEIVER).await?;
        let link = receiver.run(&["invite"], "").await?;
        sender.run(&["join", "--yes"], &link).await?;
        receiver.run(&["peers", "keep", SENDER], "").await?;
        Ok(Self { sender, receiver })
    }

    /// Fails where one of the two has ended by itself.
    pub(crate) fn check_alive(&mut self) -> Result<()> {
        self.sender.check_alive()?;
        self.receiver.check_alive()
    }

    /// Ends both.
    pub(crate) async fn stop(self) -> Result<()> {
        self.sender.stop().await?;
        self.receiver.stop().await
    }
}
