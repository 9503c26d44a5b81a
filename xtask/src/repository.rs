//! Where this repository and what cargo builds from it are found.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::invocation::Invocation;

/// The repository this program was built from.
pub(crate) struct Repository {
    root: PathBuf,
    target: PathBuf,
}

impl Repository {
    /// Finds the root from the manifest of this package and the target directory from this
    /// program's own path (`<target>/<profile>/xtask`), which also follows `CARGO_TARGET_DIR`.
    pub(crate) fn locate() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("the xtask package has no parent directory")?
            .to_path_buf();
        let target = env::current_exe()
            .context("cannot tell where this program is")?
            .ancestors()
            .nth(2)
            .context("this program is not inside a target directory; start it by `cargo xtask`")?
            .to_path_buf();
        Ok(Self { root, target })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The target directory, which holds `debug/`, `release/` and the tools of the suite.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// A program that cargo built with the given profile directory (`debug` or `release`).
    pub(crate) fn binary(&self, profile: &str, name: &str) -> PathBuf {
        let file = format!("{name}{}", env::consts::EXE_SUFFIX);
        self.target.join(profile).join(file)
    }

    /// A cargo command in the root, with the cargo that started this program.
    pub(crate) fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Invocation {
        Invocation::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .shown_as("cargo")
            .arguments(arguments)
            .directory(&self.root)
    }

    /// An npm command in `ui/`.
    pub(crate) fn npm<const N: usize>(&self, arguments: [&str; N]) -> Invocation {
        Invocation::new(NPM)
            .shown_as("npm")
            .arguments(arguments)
            .directory(self.root.join("ui"))
            .shown_in("ui")
    }
}

/// On Windows npm is a script, and only its full name can be started directly.
pub(crate) const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };
