//! A process that says in one line when it is ready.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Longest wait for a process to get ready or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running process, killed when dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// Kept open, so that the process can go on writing.
    _stdout: Lines<BufReader<ChildStdout>>,
    /// From the spawn to the first line.
    pub(crate) took: Duration,
}

impl Running {
    /// Starts a process, and returns it with its first line of standard output.
    pub(crate) async fn start(mut command: Command) -> Result<(Self, String)> {
        let name = Path::new(command.as_std().get_program())
            .display()
            .to_string();
        let started = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let stdout = child.stdout.take().context("no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let first = tokio::time::timeout(PATIENCE, lines.next_line())
            .await
            .with_context(|| format!("{name} did not get ready in time"))??;
        let took = started.elapsed();
        let Some(first) = first else {
            bail!("{name} ended before it was ready");
        };
        let running = Self {
            child,
            _stdout: lines,
            took,
        };
        Ok((running, first))
    }

    /// The process id, while it runs.
    pub(crate) fn id(&self) -> Result<u32> {
        self.child.id().context("the process has ended")
    }

    /// Fails where the process has ended by itself.
    pub(crate) fn check_alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("a process ended during the measurement: {status}"),
        }
    }

    /// Waits for the end that something else caused.
    pub(crate) async fn ended(mut self) -> Result<()> {
        tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .context("a process did not end in time")??;
        Ok(())
    }

    /// Kills it and waits.
    pub(crate) async fn kill(mut self) -> Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}
