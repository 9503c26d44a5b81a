//! The home directory of one node: its paths, and the lock that keeps a second host out.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tieline_wire::problem::{Code, Problem};

use crate::model::HostKind;

/// Who hosts the engine of a home, written into its lock file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct HostNote {
    /// Process id.
    pub pid: u32,
    /// App or `tieline serve`.
    pub host: HostKind,
}

/// A home directory, locked for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Home {
    path: PathBuf,
    _lock: File,
}

impl Home {
    /// Makes the directory (only its owner may enter) and takes its lock.
    ///
    /// # Errors
    /// `HOME_UNWRITABLE` when it cannot be made or written, `HOME_LOCKED` when another host has it.
    pub(crate) fn open(path: &Path, host: HostKind) -> Result<Self, Problem> {
        make_private_directory(path).map_err(|error| unwritable(path, &error))?;
        let path = path
            .canonicalize()
            .map_err(|error| unwritable(path, &error))?;
        let lock = path.join("host.lock");
        let mut file = open_private(&lock).map_err(|error| unwritable(&path, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(&path, &mut file)),
            Err(TryLockError::Error(error)) => return Err(unwritable(&path, &error)),
        }
        let note = HostNote {
            pid: std::process::id(),
            host,
        };
        write_note(&mut file, &note).map_err(|error| unwritable(&path, &error))?;
        Ok(Self { path, _lock: file })
    }

    /// The directory, absolute.
    #[must_use]
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The database.
    #[must_use]
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("tieline.db")
    }
}

fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn write_note(file: &mut File, note: &HostNote) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(serde_json::to_string(note)?.as_bytes())?;
    file.flush()
}

fn locked(path: &Path, file: &mut File) -> Problem {
    let mut text = String::new();
    let note = file
        .rewind()
        .and_then(|()| file.read_to_string(&mut text))
        .ok()
        .and_then(|_| serde_json::from_str::<HostNote>(&text).ok());
    let who = match &note {
        Some(HostNote {
            pid,
            host: HostKind::App,
        }) => format!("the Tieline app (process {pid})"),
        Some(HostNote {
            pid,
            host: HostKind::Serve,
        }) => format!("`tieline serve` (process {pid})"),
        None => "another process".to_owned(),
    };
    Problem::new(Code::HomeLocked).summary(format!(
        "{who} already runs the node in {}.",
        path.display()
    ))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(Code::HomeUnwritable)
        .summary(format!(
            "Tieline cannot use its home directory {}.",
            path.display()
        ))
        .because(error.to_string())
}

#[cfg(unix)]
fn make_private_directory(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)?;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private_directory(path: &Path) -> std::io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_second_host_is_told_who_has_the_home() {
        let directory = tempfile::tempdir().unwrap();
        let first = Home::open(directory.path(), HostKind::App).unwrap();
        let refused = Home::open(directory.path(), HostKind::Serve).unwrap_err();
        assert_eq!(refused.code, Code::HomeLocked);
        assert!(
            refused.summary.contains("the Tieline app"),
            "{}",
            refused.summary
        );
        assert!(refused.summary.contains(&std::process::id().to_string()));
        drop(first);
        Home::open(directory.path(), HostKind::Serve).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_enter_the_home() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let home = directory.path().join("a/b");
        fs::create_dir_all(&home).unwrap();
        fs::set_permissions(&home, fs::Permissions::from_mode(0o755)).unwrap();
        let _open = Home::open(&home, HostKind::Serve).unwrap();
        assert_eq!(
            fs::metadata(&home).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }
}
