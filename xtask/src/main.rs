//! The commands of this repository: `cargo xtask setup|ui|run|test|check|bench|shots`.
//!
//! This package depends on no crate of the workspace, so it builds in seconds on a machine that
//! cannot compile the rest yet, and its first job is to say what such a machine lacks.

// Printing is what this program is for.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod check;
mod deny;
mod invocation;
mod report;
mod repository;
mod run;
mod setup;
mod shots;
mod suite;
mod tally;
mod ui;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::repository::Repository;

/// Set-up, build, test and benchmark commands of Tieline.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check what this machine lacks to build, run and test, and install it where that is possible
    Setup,
    /// Build the user interface into ui/dist, when its sources are newer
    Ui,
    /// Build everything and start the tray app (without a display: `tieline serve`)
    Run {
        /// Passed on to the program that is started
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// The whole suite: format, lints, licences, documentation and every test
    Test,
    /// The fast loop: format, lints and tests of everything except the tray app
    Check,
    /// Take the pictures in docs/screenshots anew: every page, both themes, two widths
    Shots,
    /// Build for release and measure
    Bench {
        /// Passed on to the benchmark program
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    match dispatch(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: Arguments) -> Result<ExitCode> {
    let repository = Repository::locate()?;
    match arguments.command {
        Command::Setup => setup::run(&setup::Purpose::ALL).map(|()| ExitCode::SUCCESS),
        Command::Ui => ui::build(&repository).map(|()| ExitCode::SUCCESS),
        Command::Run { arguments } => run::run(&repository, &arguments),
        Command::Test => Ok(suite::run(&repository)),
        Command::Check => Ok(check::run(&repository)),
        Command::Shots => shots::run(&repository).map(|()| ExitCode::SUCCESS),
        Command::Bench { arguments } => bench::run(&repository, &arguments),
    }
}
