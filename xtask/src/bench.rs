//! `cargo xtask bench`: the numbers of the release build.

use std::process::ExitCode;

use anyhow::Result;

use crate::invocation::Invocation;
use crate::repository::Repository;

/// The first argument that asks for the app's figures.
const APP: &str = "app";

/// The first argument that asks for the figures of questions and answers.
const ASK: &str = "ask";

/// Builds what is measured for release and runs the benchmarks: of the node's messages, of its
/// questions, or of the app.
pub(crate) fn run(repository: &Repository, arguments: &[String]) -> Result<ExitCode> {
    match arguments.split_first() {
        Some((first, rest)) if first == APP => app(repository, rest),
        Some((first, rest)) if first == ASK => node(repository, &[ASK], rest),
        _ => node(repository, &[], arguments),
    }
}

/// Measures the app on a display and a bus of its own, with the harness of the desktop tests.
fn app(repository: &Repository, arguments: &[String]) -> Result<ExitCode> {
    crate::ui::build(repository)?;
    repository
        .cargo(["build", "--release", "-p", "tieline-cli"])
        .run()?;
    repository
        .cargo(["bench", "-p", "tieline-desktop", "--bench", "app"])
        .arguments(arguments)
        .run()?;
    Ok(ExitCode::SUCCESS)
}

/// Builds the command line and the benchmark program for release and runs the benchmarks.
fn node(repository: &Repository, what: &[&str], arguments: &[String]) -> Result<ExitCode> {
    repository
        .cargo([
            "build",
            "--release",
            "-p",
            "tieline-cli",
            "-p",
            "tieline-bench",
        ])
        .run()?;
    Invocation::new(repository.binary("release", "tieline-bench"))
        .arguments(what)
        .arguments(["--tieline".into(), repository.binary("release", "tieline")])
        .arguments(arguments)
        .directory(repository.root())
        .run()?;
    Ok(ExitCode::SUCCESS)
}
