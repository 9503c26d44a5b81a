//! Measures the release build of `tieline` from outside, each figure beside its floor.
//!
//! It drives real processes through their command line and their local API, on loopback, with
//! real files on a disk. The floors are the same work without Tieline, measured in the same run:
//! a round trip through bare axum and rustls, and commits of bare SQLite.

// Printing is what this program is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod api;
mod ask;
mod child;
mod floor;
mod measure;
mod node;
mod report;
mod run;
mod sample;
mod seed;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use report::Report;

/// Measure a release build of tieline, each figure beside its floor.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Fail when a target is missed
    #[arg(long)]
    strict: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What to measure, and where the results go.
#[derive(Debug, Clone, clap::Args)]
struct Options {
    /// The `tieline` program to measure
    #[arg(long, value_name = "PATH", default_value = "target/release/tieline")]
    tieline: PathBuf,
    /// Write the results as JSON too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Fewer and shorter rounds: half a minute instead of several
    #[arg(long)]
    quick: bool,
    /// Directory on the disk to measure; the one of this program otherwise
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The other side of the floors; started by the benchmark itself
    #[command(hide = true)]
    FloorServer {
        /// Holds the keys, and takes the database
        dir: PathBuf,
    },
    /// Measure questions and their answers instead of messages
    Ask(Options),
    /// What answers these questions; started by the benchmark itself
    #[command(hide = true)]
    NullResponder,
    /// Fill the database of a stopped node with a long history
    Seed(seed::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        Some(Command::FloorServer { dir }) => floor::serve(&dir).map(|()| true),
        Some(Command::Seed(options)) => seed::seed(&options).map(|()| true),
        Some(Command::Ask(options)) => bench(&options, false, ask::run),
        Some(Command::NullResponder) => ask::serve_null().map(|()| true),
        None => bench(&arguments.options, arguments.strict, run::run),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and prints; whether nothing was wrong with what was measured.
fn bench(
    options: &Options,
    strict: bool,
    measure: impl AsyncFnOnce(&Options) -> Result<Report>,
) -> Result<bool> {
    // One thread is enough to drive 64 connections, and leaves the rest to what is measured.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let report = runtime.block_on(measure(options))?;
    println!("{report}");
    if let Some(file) = &options.json {
        std::fs::write(file, report.to_json()?)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(report.is_sound() && (report.targets_met() || !strict))
}
