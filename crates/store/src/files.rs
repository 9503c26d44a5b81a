//! The database's files: private permissions, atomic replacement, setting a damaged set aside.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::StoreError;

/// What SQLite puts beside the database file.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// `path` with `suffix` appended to its file name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes sure the directory of `path` exists. One that is created is 0700; an existing one is left as it is, since
/// it may be shared on purpose. Returns whether others can list or enter it.
pub(crate) fn prepare_directory(path: &Path) -> Result<bool, StoreError> {
    let Some(directory) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    else {
        return Ok(false);
    };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(directory)
        .map_err(|error| StoreError::from_io(&error, directory))?;
    open_to_others(directory)
}

#[cfg(unix)]
fn open_to_others(path: &Path) -> Result<bool, StoreError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = fs::metadata(path).map_err(|error| StoreError::from_io(&error, path))?;
    Ok(metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn open_to_others(_path: &Path) -> Result<bool, StoreError> {
    Ok(false)
}

/// Creates `path` empty and readable by its owner only, or takes the rights of others away if it exists.
/// SQLite gives its companion files the rights of the database file.
pub(crate) fn make_private(path: &Path) -> Result<(), StoreError> {
    let file = private_options().create(true).truncate(false).open(path);
    let file = file.map_err(|error| StoreError::from_io(&error, path))?;
    tighten(&file, path)
}

fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(unix)]
fn tighten(file: &File, path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    let as_store_error = |error| StoreError::from_io(&error, path);
    let mode = file
        .metadata()
        .map_err(as_store_error)?
        .permissions()
        .mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    file.set_permissions(fs::Permissions::from_mode(0o600))
        .map_err(as_store_error)
}

#[cfg(not(unix))]
fn tighten(_file: &File, _path: &Path) -> Result<(), StoreError> {
    Ok(())
}

/// Replaces `path` by a private file with these bytes, so that after a crash either the old or the new one is there.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let draft = beside(path, ".new");
    let write = || -> std::io::Result<()> {
        let mut file = private_options().create(true).truncate(true).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        sync_directory(path)
    };
    write().map_err(|error| StoreError::from_io(&error, path))
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> std::io::Result<()> {
    match path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Renames the database and its companions to `<name>.damaged-<stamp>` and returns the new name of the first.
pub(crate) fn set_aside(path: &Path, stamp: &str) -> Result<PathBuf, StoreError> {
    let kept = beside(path, &format!(".damaged-{stamp}"));
    fs::rename(path, &kept).map_err(|error| StoreError::from_io(&error, path))?;
    for companion in COMPANIONS {
        let from = beside(path, companion);
        match fs::rename(&from, beside(&kept, companion)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(StoreError::from_io(&error, &from));
            }
            _ => {}
        }
    }
    Ok(kept)
}

/// A stamp for file names, UTC, such as `20260801T101500.250Z`.
pub(crate) fn stamp() -> String {
    jiff::Timestamp::now()
        .strftime("%Y%m%dT%H%M%S.%3fZ")
        .to_string()
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn directories_and_files_are_private() {
        let root = tempfile::tempdir().unwrap();
        let db = root.path().join("a/b/tieline.db");
        assert!(!prepare_directory(&db).unwrap());
        assert_eq!(mode(&root.path().join("a")), 0o700);
        assert_eq!(mode(&root.path().join("a/b")), 0o700);
        make_private(&db).unwrap();
        assert_eq!(mode(&db), 0o600);
        fs::set_permissions(&db, fs::Permissions::from_mode(0o644)).unwrap();
        make_private(&db).unwrap();
        assert_eq!(mode(&db), 0o600);
        let mark = beside(&db, ".epoch");
        replace(&mark, b"one").unwrap();
        replace(&mark, b"two").unwrap();
        assert_eq!(mode(&mark), 0o600);
        assert_eq!(fs::read(&mark).unwrap(), b"two");
    }

    #[test]
    fn an_existing_open_directory_is_reported_and_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let shared = root.path().join("shared");
        fs::create_dir(&shared).unwrap();
        fs::set_permissions(&shared, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(prepare_directory(&shared.join("tieline.db")).unwrap());
        assert_eq!(mode(&shared), 0o755);
    }

    #[test]
    fn a_damaged_set_keeps_all_its_files() {
        let root = tempfile::tempdir().unwrap();
        let db = root.path().join("tieline.db");
        fs::write(&db, "db").unwrap();
        fs::write(beside(&db, "-wal"), "wal").unwrap();
        let kept = set_aside(&db, "x").unwrap();
        assert!(!db.exists() && !beside(&db, "-wal").exists());
        assert_eq!(fs::read(&kept).unwrap(), b"db");
        assert_eq!(fs::read(beside(&kept, "-wal")).unwrap(), b"wal");
    }
}
