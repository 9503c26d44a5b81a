//! The key of a file vault: derived from a passphrase, or read from a file.

use std::fs;
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::durable;
use crate::error::{PassphraseProblem, VaultError};
use crate::vault::fill_random;

/// A key for the vault's encryption.
pub(super) type Key = Zeroizing<[u8; 32]>;

/// What a passphrase file may hold at most, in bytes.
const PASSPHRASE_LIMIT: u64 = 4096;

/// How the key is found. Written in the vault's head, and bound to its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(super) enum Protection {
    /// Argon2id (RFC 9106) of the passphrase.
    Passphrase {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes over it.
        passes: u32,
        /// 16 random bytes, base64.
        salt: String,
    },
    /// 32 random bytes in `vault.key`.
    KeyFile,
}

impl Protection {
    /// What OWASP's guidance on passwords puts first for Argon2id: 46 MiB, one pass, one lane. It
    /// takes a twentieth of a second, at each start of a node.
    pub(super) fn new_passphrase() -> Result<Self, VaultError> {
        let mut salt = [0; 16];
        fill_random(&mut salt)?;
        Ok(Self::Passphrase {
            memory_kib: 46 * 1024,
            passes: 1,
            salt: super::sealed::to_base64(&salt),
        })
    }

    /// Finds the key.
    pub(super) fn key(
        &self,
        home: &Path,
        passphrase_file: Option<&Path>,
    ) -> Result<Key, VaultError> {
        match self {
            Self::KeyFile => read_file(home),
            Self::Passphrase {
                memory_kib,
                passes,
                salt,
            } => {
                let file = passphrase_file.ok_or(PassphraseProblem::Missing)?;
                derive(&read_passphrase(file)?, *memory_kib, *passes, salt)
                    .map_err(|what| VaultError::damaged(&super::sealed_path(home), what))
            }
        }
    }
}

/// Writes a new key file, unless a first start that did not end left one.
pub(super) fn create_file(home: &Path) -> Result<(), VaultError> {
    let path = file_path(home);
    if path.exists() {
        return Ok(());
    }
    let mut key = Key::default();
    fill_random(&mut *key)?;
    durable::replace(&path, &*key).map_err(|source| VaultError::file("write", &path, source))
}

/// Takes the rights of others away from a file of the vault, and says so in the log.
pub(super) fn keep_private(path: &Path) -> Result<(), VaultError> {
    let changed =
        durable::make_private(path).map_err(|source| VaultError::file("protect", path, source))?;
    if changed {
        tracing::warn!(path = %path.display(), "others could read a file of the vault; now they cannot");
    }
    Ok(())
}

fn file_path(home: &Path) -> PathBuf {
    home.join("vault.key")
}

fn read_file(home: &Path) -> Result<Key, VaultError> {
    let path = file_path(home);
    let bytes = durable::read(&path, 1024)
        .map_err(|source| VaultError::file("read", &path, source))?
        .map(Zeroizing::new);
    let Some(bytes) = bytes else {
        let what = "is missing, and only it opens the vault: restore it from a backup";
        return Err(VaultError::damaged(&path, what));
    };
    keep_private(&path)?;
    let key = <[u8; 32]>::try_from(bytes.as_slice())
        .map_err(|_| VaultError::damaged(&path, "is not a key of 32 bytes"))?;
    Ok(Key::new(key))
}

/// The file's content without the line end that editors and `echo` put there.
fn read_passphrase(path: &Path) -> Result<Zeroizing<Vec<u8>>, PassphraseProblem> {
    let unreadable = |source| PassphraseProblem::Unreadable {
        path: path.to_owned(),
        source,
    };
    let bytes = durable::read(path, PASSPHRASE_LIMIT)
        .map_err(unreadable)?
        .map(Zeroizing::new)
        .ok_or_else(|| unreadable(std::io::ErrorKind::NotFound.into()))?;
    warn_if_readable_by_others(path);
    let end = bytes
        .iter()
        .rposition(|byte| !b"\r\n".contains(byte))
        .map_or(0, |last| last + 1);
    if end == 0 {
        return Err(PassphraseProblem::Empty {
            path: path.to_owned(),
        });
    }
    Ok(Zeroizing::new(bytes[..end].to_vec()))
}

/// The passphrase file is the person's own, so its rights are only remarked on.
fn warn_if_readable_by_others(path: &Path) {
    #[cfg(unix)]
    if let Ok(metadata) = fs::metadata(path) {
        use std::os::unix::fs::PermissionsExt;

        if metadata.permissions().mode() & 0o077 != 0 {
            tracing::warn!(path = %path.display(), "others can read the file of the vault's passphrase");
        }
    }
    #[cfg(not(unix))]
    let _ = fs::metadata(path);
}

/// The parameters come from a file, so they are held to what this program could have written or
/// may come to write; somebody else's could ask for all the memory there is.
fn derive(
    passphrase: &[u8],
    memory_kib: u32,
    passes: u32,
    salt: &str,
) -> Result<Key, &'static str> {
    if !(8 * 1024..=1024 * 1024).contains(&memory_kib) || !(1..=16).contains(&passes) {
        return Err("asks for a key derivation that is out of bounds");
    }
    let salt = super::sealed::from_base64(salt).filter(|salt| salt.len() == 16);
    let salt = salt.ok_or("has no valid salt")?;
    let params = Params::new(memory_kib, passes, 1, Some(32))
        .map_err(|_| "asks for a key derivation that does not exist")?;
    let mut key = Key::default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase, &salt, &mut *key)
        .map_err(|_| "asks for a key derivation that fails")?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_cannot_ask_for_all_the_memory_or_for_none() {
        let salt = super::super::sealed::to_base64(&[7; 16]);
        for (memory, passes) in [
            (u32::MAX, 1),
            (1024 * 1024 + 1, 1),
            (8, 1),
            (65536, 0),
            (65536, 17),
        ] {
            assert!(
                derive(b"x", memory, passes, &salt).is_err(),
                "{memory} {passes}"
            );
        }
        assert!(derive(b"x", 65536, 1, "AAAA").is_err());
    }

    #[test]
    fn a_passphrase_ends_before_its_line_end_and_may_hold_others() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("pw");
        for (content, passphrase) in [("a b\r\n", "a b"), ("a\nb\n\n", "a\nb"), (" x ", " x ")] {
            fs::write(&file, content).unwrap();
            assert_eq!(
                read_passphrase(&file).unwrap().as_slice(),
                passphrase.as_bytes()
            );
        }
        fs::write(&file, "\n").unwrap();
        assert!(matches!(
            read_passphrase(&file),
            Err(PassphraseProblem::Empty { .. })
        ));
        fs::remove_file(&file).unwrap();
        assert!(matches!(
            read_passphrase(&file),
            Err(PassphraseProblem::Unreadable { .. })
        ));
    }
}
