//! `cargo xtask shots`: pictures of every page, from the scene that the browser tests set up.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::invocation::Invocation;
use crate::repository::Repository;
use crate::setup::{self, Purpose};
use crate::ui;

/// The test that visits every page.
const VISIT: &str = "browser::pages::";

/// Removes the old pictures and has the tests take new ones.
pub(crate) fn run(repository: &Repository) -> Result<()> {
    setup::run(&[Purpose::Build, Purpose::Test])?;
    ui::build(repository)?;
    let directory = repository.root().join("docs/screenshots");
    remove_pictures(&directory)?;
    repository
        .cargo([
            "test",
            "--package",
            "tieline-cli",
            "--test",
            "headless",
            VISIT,
        ])
        .variable("TIELINE_SHOTS", &directory)
        .run()?;
    let taken = pictures(&directory)?;
    if taken.is_empty() {
        bail!(
            "the tests took no picture; run `cargo test -p tieline-cli --test headless {VISIT}` and see why"
        );
    }
    // Pages have few colours; this makes the files a third of their size.
    Invocation::new("mogrify")
        .arguments([
            "-strip",
            "-colors",
            "192",
            "-define",
            "png:compression-level=9",
        ])
        .arguments(&taken)
        .run()?;
    println!("{} pictures in {}", taken.len(), directory.display());
    Ok(())
}

fn remove_pictures(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    for picture in pictures(directory)? {
        fs::remove_file(&picture)
            .with_context(|| format!("cannot remove {}", picture.display()))?;
    }
    Ok(())
}

/// The pictures that the tests take: `PAGE-THEME-WIDTH.png`. Others in the directory are left alone.
fn pictures(directory: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if ["light-900", "light-1400", "dark-900", "dark-1400"]
            .iter()
            .any(|form| name.ends_with(&format!("-{form}.png")))
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
