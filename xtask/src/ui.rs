//! The user interface: its packages, its bundle, its own checks.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::repository::Repository;
use crate::tally::Tally;

/// Builds `ui/dist`, which the tray app embeds, unless it is newer than every source.
pub(crate) fn build(repository: &Repository) -> Result<()> {
    install_packages(repository)?;
    let ui = repository.root().join("ui");
    let sources = newest_source(&ui)?;
    if modified(&ui.join("dist/index.html"))?.is_some_and(|built| built > sources) {
        println!("ui/dist is up to date");
        return Ok(());
    }
    repository.npm(["run", "build"]).run()?;
    if modified(&ui.join("dist/index.html"))?.is_none() {
        bail!("`npm run build` made no ui/dist/index.html");
    }
    Ok(())
}

/// Checks the types of the interface's sources.
pub(crate) fn check_types(repository: &Repository) -> Result<()> {
    repository.npm(["run", "typecheck"]).run()
}

/// Runs the interface's unit tests.
pub(crate) fn test(repository: &Repository) -> Result<Tally> {
    let mut tally = Tally::default();
    let succeeded = repository
        .npm(["run", "test"])
        .run_watching(|line| tally.read_vitest(line))?;
    if tally.is_empty() && succeeded {
        bail!("`npm run test` printed no result of a test");
    }
    Ok(tally.ended(succeeded, "npm run test"))
}

/// Installs exactly what the lock file names, when it differs from what was installed last.
fn install_packages(repository: &Repository) -> Result<()> {
    let ui = repository.root().join("ui");
    let lock = ui.join("package-lock.json");
    let wanted = fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let stamp = ui.join("node_modules/.installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    repository.npm(["ci", "--no-audit", "--no-fund"]).run()?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// The time of the newest file or directory below `ui`. Directories count because removing a
/// file changes only them.
fn newest_source(ui: &Path) -> Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    let mut pending = vec![ui.to_path_buf()];
    while let Some(directory) = pending.pop() {
        let entries = fs::read_dir(&directory)
            .with_context(|| format!("cannot read {}", directory.display()))?;
        for entry in entries {
            let entry = entry?;
            if directory == ui
                && (entry.file_name() == "node_modules" || entry.file_name() == "dist")
            {
                continue;
            }
            let metadata = entry.metadata()?;
            newest = newest.max(metadata.modified()?);
            if metadata.is_dir() {
                pending.push(entry.path());
            }
        }
    }
    Ok(newest)
}

fn modified(file: &Path) -> Result<Option<SystemTime>> {
    match fs::metadata(file) {
        Ok(metadata) => Ok(Some(metadata.modified()?)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}
