//! Dependency rules (`deny.toml`) by cargo-deny.

use std::path::PathBuf;

use anyhow::Result;

use crate::invocation::Invocation;
use crate::report::Report;
use crate::repository::Repository;

/// Licences, banned and duplicate crates, and where crates come from.
pub(crate) fn policy(repository: &Repository) -> Result<()> {
    let program = program(repository)?;
    deny(repository, &program)
        .arguments(["check", "licenses", "bans", "sources"])
        .run()
}

/// Known vulnerabilities, if the database of them can be had; if not, the report says so.
pub(crate) fn advisories(repository: &Repository, report: &mut Report) {
    let Ok(program) = program(repository) else {
        return;
    };
    println!("\n==== advisories: fetching the database");
    let fetched = deny(repository, &program)
        .arguments(["fetch", "db"])
        .capture();
    match fetched {
        Ok(output) if output.status.success() => {
            report.check("advisories", || {
                deny(repository, &program)
                    .arguments(["check", "--disable-fetch", "advisories"])
                    .run()
            });
        }
        _ => report.note(
            "advisories were not checked: their database (RustSec) could not be fetched".to_owned(),
        ),
    }
}

fn deny(repository: &Repository, program: &PathBuf) -> Invocation {
    Invocation::new(program)
        .shown_as("cargo deny")
        .directory(repository.root())
}

/// The installed cargo-deny, or one that is built into `target/tools` once.
fn program(repository: &Repository) -> Result<PathBuf> {
    let on_path = PathBuf::from("cargo-deny");
    if Invocation::new(&on_path)
        .arguments(["--version"])
        .capture()
        .is_ok()
    {
        return Ok(on_path);
    }
    let tools = repository.target().join("tools");
    let own = tools
        .join("bin")
        .join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    if !own.exists() {
        println!(
            "cargo-deny is not installed; building it once into {}",
            tools.display()
        );
        repository
            .cargo(["install", "cargo-deny", "--locked", "--root"])
            .arguments([&tools])
            .run()?;
    }
    Ok(own)
}
