//! A command to run: how it is started, and how it is written for a person to repeat it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// A program with its arguments, environment and directory.
pub(crate) struct Invocation {
    program: OsString,
    shown_as: Option<String>,
    shown_in: Option<String>,
    arguments: Vec<OsString>,
    environment: Vec<(String, OsString)>,
    directory: Option<PathBuf>,
}

impl Invocation {
    pub(crate) fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            shown_as: None,
            shown_in: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: None,
        }
    }

    /// The name to print instead of the program's path.
    pub(crate) fn shown_as(mut self, name: &str) -> Self {
        self.shown_as = Some(name.to_owned());
        self
    }

    /// The directory to print, relative to the root.
    pub(crate) fn shown_in(mut self, directory: &str) -> Self {
        self.shown_in = Some(directory.to_owned());
        self
    }

    pub(crate) fn arguments<A: Into<OsString>>(
        mut self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Runs it with the terminal's own streams; fails unless it exits with 0.
    pub(crate) fn run(&self) -> Result<()> {
        println!("$ {self}");
        let status = self
            .command()
            .status()
            .with_context(|| self.not_started())?;
        if !status.success() {
            bail!("`{self}` ended with {status}\n  to repeat it alone: {self}");
        }
        Ok(())
    }

    /// Runs it with every line of its standard output shown and passed to `line`.
    /// Returns whether it exited with 0.
    pub(crate) fn run_watching(&self, mut line: impl FnMut(&str)) -> Result<bool> {
        println!("$ {self}");
        let mut child = self
            .command()
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| self.not_started())?;
        let output = child
            .stdout
            .take()
            .context("standard output was not captured")?;
        let mut terminal = std::io::stdout();
        for read in BufReader::new(output).split(b'\n') {
            let bytes = read.context("cannot read the output")?;
            // A reader that went away must not end the tests half-way.
            let _ = terminal
                .write_all(&bytes)
                .and_then(|()| terminal.write_all(b"\n"));
            line(String::from_utf8_lossy(&bytes).trim_end());
        }
        let status = child
            .wait()
            .with_context(|| format!("lost track of `{self}`"))?;
        Ok(status.success())
    }

    /// Runs it without showing anything.
    pub(crate) fn capture(&self) -> Result<Output> {
        self.command()
            .stdin(Stdio::null())
            .output()
            .with_context(|| self.not_started())
    }

    /// The command itself, without what `cargo run` put into the environment of this program:
    /// build scripts that watch those variables would otherwise run again each time.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        for (name, _) in env::vars_os() {
            if belongs_to_cargo_run(&name) {
                command.env_remove(name);
            }
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command
    }

    fn not_started(&self) -> String {
        format!("cannot start `{self}` (is it installed and on PATH?)")
    }
}

fn belongs_to_cargo_run(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    name.starts_with("CARGO_PKG_")
        || name.starts_with("CARGO_MANIFEST_")
        || [
            "CARGO_BIN_NAME",
            "CARGO_CRATE_NAME",
            "CARGO_PRIMARY_PACKAGE",
            "OUT_DIR",
        ]
        .contains(&name)
}

impl fmt::Display for Invocation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(directory) = &self.shown_in {
            write!(out, "cd {directory} && ")?;
        }
        for (name, value) in &self.environment {
            write!(out, "{name}={} ", quoted(value))?;
        }
        match &self.shown_as {
            Some(name) => write!(out, "{name}")?,
            None => write!(out, "{}", quoted(&self.program))?,
        }
        for argument in &self.arguments {
            write!(out, " {}", quoted(argument))?;
        }
        Ok(())
    }
}

fn quoted(value: &OsStr) -> String {
    let text = value.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+\\".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_can_be_typed() {
        let invocation = Invocation::new("/opt/bin/cargo")
            .shown_as("cargo")
            .arguments(["doc", "it's", ""])
            .variable("RUSTDOCFLAGS", "-D warnings")
            .shown_in("ui");
        assert_eq!(
            invocation.to_string(),
            r"cd ui && RUSTDOCFLAGS='-D warnings' cargo doc 'it'\''s' ''"
        );
    }

    #[test]
    fn only_the_variables_of_cargo_run_are_removed() {
        for own in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "OUT_DIR"] {
            assert!(belongs_to_cargo_run(OsStr::new(own)), "{own}");
        }
        for kept in [
            "CARGO_HOME",
            "CARGO_TARGET_DIR",
            "CARGO_BUILD_BUILD_DIR",
            "PATH",
        ] {
            assert!(!belongs_to_cargo_run(OsStr::new(kept)), "{kept}");
        }
    }
}
