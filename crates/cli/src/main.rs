//! The tieline command line: hosts an engine (`serve`), and talks to the one that runs.
//!
//! Every command but `serve` is a client of the control socket in the node's home, so it works
//! beside the app as well.

mod args;
mod browser;
mod client;
mod commands;
mod events;
mod exit;
mod output;
mod page;
mod progress;
mod prompt;
mod show;

use std::process::ExitCode;

use clap::Parser;

use args::Cli;
use output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    match commands::run(cli, &output) {
        Ok(code) => code,
        Err(problem) => {
            output.problem(&problem);
            exit::code(problem.code)
        }
    }
}
