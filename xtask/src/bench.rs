//! `cargo xtask bench`: the numbers of the release build.

use std::process::ExitCode;

use anyhow::Result;

use crate::invocation::Invocation;
use crate::repository::Repository;

/// Builds the command line and the benchmark program for release and runs the benchmarks.
pub(crate) fn run(repository: &Repository, arguments: &[String]) -> Result<ExitCode> {
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
        .arguments(["--tieline".into(), repository.binary("release", "tieline")])
        .arguments(arguments)
        .directory(repository.root())
        .run()?;
    Ok(ExitCode::SUCCESS)
}
