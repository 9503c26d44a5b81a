//! `tieline completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{DONE, Outcome};
use crate::args::Cli;

/// Print a completion script for your shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tieline completions zsh > ~/.zfunc/_tieline
  tieline completions bash > ~/.local/share/bash-completion/completions/tieline")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Outcome {
    clap_complete::generate(
        args.shell,
        &mut Cli::command(),
        "tieline",
        &mut std::io::stdout(),
    );
    DONE
}
