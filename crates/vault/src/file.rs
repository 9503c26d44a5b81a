//! The file vault: every secret of a home in one encrypted file.
//!
//! Each change reads the file, seals the whole of it anew and replaces it, under a lock that other
//! processes honour. A reader needs no lock: it finds the old file or the new one.
//!
//! Its guard against somebody who can write to the home is that a changed file does not open. It
//! is no guard against an older copy of the same file put back.

mod entries;
mod key;
mod sealed;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::durable;
use crate::error::VaultError;
use crate::secret::Secret;
use crate::vault::VaultKind;

use self::entries::Entries;
use self::key::{Key, Protection};
use self::sealed::Sealed;

/// The largest file that is read: far above what secrets of the largest size come to.
const LIMIT: u64 = 64 * 1024 * 1024;

/// An open file vault.
pub(crate) struct FileVault {
    path: PathBuf,
    lock: PathBuf,
    key: Key,
    protection: Protection,
}

impl FileVault {
    /// Makes an empty vault. One that is there already, because a first start did not come to its
    /// end, is taken over if the key opens it. The caller holds the lock.
    pub(crate) fn create(home: &Path, passphrase_file: Option<&Path>) -> Result<Self, VaultError> {
        if sealed_path(home).exists() {
            return Self::open(home, passphrase_file);
        }
        let protection = match passphrase_file {
            Some(_) => Protection::new_passphrase()?,
            None => Protection::KeyFile,
        };
        if protection == Protection::KeyFile {
            key::create_file(home)?;
        }
        let vault = Self::with(home, protection, passphrase_file)?;
        vault.write(&Entries::default())?;
        Ok(vault)
    }

    /// Opens a vault that was made before, and checks that the key opens it.
    pub(crate) fn open(home: &Path, passphrase_file: Option<&Path>) -> Result<Self, VaultError> {
        let path = sealed_path(home);
        let protection = read_sealed(&path)?.protection;
        let asked = kind_of(passphrase_file.is_some());
        let recorded = kind_of(protection != Protection::KeyFile);
        if asked != recorded {
            let (recorded, asked) = (recorded.description(), asked.description());
            return Err(VaultError::Changed { recorded, asked });
        }
        let vault = Self::with(home, protection, passphrase_file)?;
        vault.read()?;
        Ok(vault)
    }

    /// Fails if a file vault is there, which a home without a record must not have.
    pub(crate) fn expect_none(home: &Path) -> Result<(), VaultError> {
        if sealed_path(home).exists() {
            let record = crate::record::path(home);
            let what = "is missing, but there is a file vault beside it; restore it, or choose \
                        that vault with TIELINE_VAULT=file";
            return Err(VaultError::damaged(&record, what));
        }
        Ok(())
    }

    pub(crate) fn kind(&self) -> VaultKind {
        kind_of(self.protection != Protection::KeyFile)
    }

    pub(crate) fn get(&self, name: &str) -> Result<Option<Secret>, VaultError> {
        Ok(self.read()?.remove(name))
    }

    pub(crate) fn set(&self, name: &str, secret: &Secret) -> Result<(), VaultError> {
        self.change(|entries| entries.insert(name, secret.clone()))
    }

    pub(crate) fn delete(&self, name: &str) -> Result<bool, VaultError> {
        if self.get(name)?.is_none() {
            return Ok(false);
        }
        let mut removed = false;
        self.change(|entries| removed = entries.remove(name).is_some())?;
        Ok(removed)
    }

    fn with(
        home: &Path,
        protection: Protection,
        passphrase_file: Option<&Path>,
    ) -> Result<Self, VaultError> {
        let key = protection.key(home, passphrase_file)?;
        Ok(Self {
            path: sealed_path(home),
            lock: home.join("vault.lock"),
            key,
            protection,
        })
    }

    fn change(&self, change: impl FnOnce(&mut Entries)) -> Result<(), VaultError> {
        let _lock = durable::lock(&self.lock)
            .map_err(|source| VaultError::file("lock", &self.lock, source))?;
        let mut entries = self.read()?;
        change(&mut entries);
        self.write(&entries)
    }

    fn read(&self) -> Result<Entries, VaultError> {
        let sealed = read_sealed(&self.path)?;
        let plain = sealed.open(&self.key, &self.path)?;
        Entries::decode(&plain)
            .ok_or_else(|| VaultError::damaged(&self.path, "opens, but makes no sense inside"))
    }

    fn write(&self, entries: &Entries) -> Result<(), VaultError> {
        let failed = |source| VaultError::file("write", &self.path, source);
        let sealed = Sealed::seal(&self.protection, &self.key, &entries.encode())?;
        let bytes = sealed.to_bytes().map_err(|error| failed(error.into()))?;
        durable::replace(&self.path, &bytes).map_err(failed)
    }
}

impl fmt::Debug for FileVault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("FileVault")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn read_sealed(path: &Path) -> Result<Sealed, VaultError> {
    let bytes =
        durable::read(path, LIMIT).map_err(|source| VaultError::file("read", path, source))?;
    let Some(bytes) = bytes else {
        let what = "is missing, and it held the secrets of this home: restore it from a backup";
        return Err(VaultError::damaged(path, what));
    };
    key::keep_private(path)?;
    Sealed::from_bytes(&bytes).map_err(|what| VaultError::damaged(path, what))
}

fn sealed_path(home: &Path) -> PathBuf {
    home.join("vault.sealed")
}

fn kind_of(has_passphrase: bool) -> VaultKind {
    if has_passphrase {
        VaultKind::FileWithPassphrase
    } else {
        VaultKind::FileWithKey
    }
}
