//! Files that are either the old or the new version after a crash, and private to their owner.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Replaces the file: written beside it, flushed to the disk, then renamed over it. The caller
/// holds the vault's lock, so the name beside it is free; what a crash left there is dropped.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = beside(path);
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = create_private(&draft).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&draft, path)) {
        // The old version stays valid; what is left of the new one only takes space.
        let _ = fs::remove_file(&draft);
        return Err(error);
    }
    sync_directory(path)
}

/// The whole file, or `None` if there is none. Larger than `limit` bytes is an error.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let message = format!("larger than {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(Some(bytes))
}

/// Takes the lock of a home's vault, waiting for it; dropping the file lets it go.
pub(crate) fn lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    private(&mut options);
    let file = options.open(path)?;
    file.lock()?;
    Ok(file)
}

/// Creates the directory, private to its owner, if it is not there.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Takes the rights of others away from a file that was copied or restored without care.
/// Returns whether there were any. On Windows the home's own access list decides.
#[cfg(unix)]
pub(crate) fn make_private(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;

    let mode = fs::metadata(path)?.permissions().mode();
    let open_to_others = mode & 0o077 != 0;
    if open_to_others {
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    }
    Ok(open_to_others)
}

#[cfg(not(unix))]
pub(crate) fn make_private(_: &Path) -> io::Result<bool> {
    Ok(false)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    options.open(path)
}

fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// Makes the renaming itself last. Windows offers no such call and needs none for NTFS.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crash_left_beside_the_file_does_not_matter() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        replace(&path, b"old").unwrap();
        fs::write(beside(&path), b"half of the n").unwrap();
        assert_eq!(read(&path, 100).unwrap().unwrap(), b"old");
        replace(&path, b"new").unwrap();
        assert_eq!(read(&path, 100).unwrap().unwrap(), b"new");
        assert!(!beside(&path).exists());
    }

    #[test]
    fn a_replacement_that_fails_keeps_the_old_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        replace(&path, b"old").unwrap();
        // A directory in the place of the draft cannot be removed as a file.
        fs::create_dir(beside(&path)).unwrap();
        replace(&path, b"new").unwrap_err();
        assert_eq!(read(&path, 100).unwrap().unwrap(), b"old");
    }

    #[test]
    fn a_file_above_the_limit_is_not_read() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        replace(&path, &[0; 11]).unwrap();
        assert_eq!(
            read(&path, 10).unwrap_err().kind(),
            io::ErrorKind::FileTooLarge
        );
        assert!(read(&path, 11).unwrap().is_some());
        assert!(read(&home.path().join("other"), 11).unwrap().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn files_are_private_from_their_first_byte_and_made_so_again() {
        use std::os::unix::fs::PermissionsExt;

        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        replace(&path, b"secret").unwrap();
        assert_eq!(mode(), 0o600);
        assert!(!make_private(&path).unwrap());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(make_private(&path).unwrap());
        assert_eq!(mode(), 0o600);
    }
}
