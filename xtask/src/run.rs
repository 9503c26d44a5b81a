//! `cargo xtask run`: from a fresh clone to the app in the tray.

use std::env;
use std::process::ExitCode;

use anyhow::Result;

use crate::invocation::Invocation;
use crate::repository::Repository;
use crate::setup::{self, Purpose};
use crate::ui;

/// Installs what is missing, builds, and becomes the tray app, or `tieline serve` where there is
/// no display to show a tray on.
pub(crate) fn run(repository: &Repository, arguments: &[String]) -> Result<ExitCode> {
    setup::run(&[Purpose::Build, Purpose::Run])?;
    ui::build(repository)?;
    // The default members: the tray app and the command line.
    repository.cargo(["build"]).run()?;
    let program = if has_display() {
        println!("Starting the tray app; look for its icon in the tray.");
        Invocation::new(repository.binary("debug", "tieline-desktop"))
    } else {
        println!("There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set),");
        println!("so this starts the same node without a tray: `tieline serve`.");
        Invocation::new(repository.binary("debug", "tieline")).arguments(["serve"])
    };
    become_program(&program.arguments(arguments))
}

fn has_display() -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// Replaces this process, so that signals reach the program itself.
#[cfg(unix)]
fn become_program(program: &Invocation) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;

    println!("$ {program}");
    let error = program.command().exec();
    Err(anyhow::Error::new(error).context(format!("cannot start `{program}`")))
}

#[cfg(not(unix))]
fn become_program(program: &Invocation) -> Result<ExitCode> {
    program.run().map(|()| ExitCode::SUCCESS)
}
