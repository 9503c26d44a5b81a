//! The one type that callers see.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::choice::VaultChoice;
use crate::durable;
use crate::error::{PassphraseProblem, VaultError};
use crate::file::FileVault;
use crate::keychain::{self, Keychain};
use crate::record::Record;
use crate::secret::Secret;

/// The largest secret that any vault takes, in bytes. Windows keeps less, see [`Vault::set`].
const SECRET_LIMIT: usize = 256 * 1024;

/// The open vault of one home.
pub struct Vault(Backend);

enum Backend {
    Keychain(Keychain),
    File(FileVault),
}

/// Which vault a home uses, and how its secrets are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VaultKind {
    /// The keychain of the operating system.
    Keychain,
    /// A file, encrypted under a passphrase.
    FileWithPassphrase,
    /// A file, with its key in a file beside it.
    FileWithKey,
}

impl Vault {
    /// Opens the vault of the home, which is created if it is not there.
    ///
    /// The first start records the choice; later starts hold to it. Both happen under a lock, so
    /// two processes that start a home at once agree.
    ///
    /// # Errors
    /// [`VaultError::Absent`], [`Locked`](VaultError::Locked) and [`Denied`](VaultError::Denied)
    /// when the keychain cannot be used, [`Changed`](VaultError::Changed) when the home uses
    /// another vault, [`Passphrase`](VaultError::Passphrase) and
    /// [`Damaged`](VaultError::Damaged) for the file vault. None of them changes anything.
    pub fn open(choice: &VaultChoice, home: &Path) -> Result<Self, VaultError> {
        durable::create_directory(home)
            .map_err(|source| VaultError::file("create", home, source))?;
        let lock = home.join("vault.lock");
        let _lock =
            durable::lock(&lock).map_err(|source| VaultError::file("lock", &lock, source))?;
        let backend = match Record::read(home)? {
            None => first_start(choice, home)?,
            Some(record) => later_start(&record, choice, home)?,
        };
        Ok(Self(backend))
    }

    /// Reads a secret; `None` if there is none of that name.
    ///
    /// # Errors
    /// As [`Vault::open`]: a keychain can be locked or stopped at any time.
    pub fn get(&self, name: &str) -> Result<Option<Secret>, VaultError> {
        check_name(name)?;
        match &self.0 {
            Backend::Keychain(keychain) => keychain.get(name),
            Backend::File(file) => file.get(name),
        }
    }

    /// Stores a secret, in place of one of the same name. When this returns, it is on the disk.
    ///
    /// # Errors
    /// As [`Vault::get`], and [`VaultError::TooLarge`] above 256 KiB (above 2,560 bytes in the
    /// Windows Credential Manager).
    pub fn set(&self, name: &str, secret: &Secret) -> Result<(), VaultError> {
        check_name(name)?;
        let length = secret.expose().len();
        if length > SECRET_LIMIT {
            let vault = self.description();
            return Err(VaultError::TooLarge {
                vault,
                length,
                limit: SECRET_LIMIT,
            });
        }
        match &self.0 {
            Backend::Keychain(keychain) => keychain.set(name, secret),
            Backend::File(file) => file.set(name, secret),
        }
    }

    /// Deletes a secret. Returns whether there was one.
    ///
    /// # Errors
    /// As [`Vault::get`].
    pub fn delete(&self, name: &str) -> Result<bool, VaultError> {
        check_name(name)?;
        match &self.0 {
            Backend::Keychain(keychain) => keychain.delete(name),
            Backend::File(file) => file.delete(name),
        }
    }

    /// Reads an item that another program keeps in the keychain, whatever vault this home uses;
    /// `None` if there is none. Without an account the service alone must be unambiguous.
    ///
    /// The bytes are as they were stored; some programs end them with a newline.
    ///
    /// # Errors
    /// [`VaultError::Absent`], [`Locked`](VaultError::Locked) or [`Denied`](VaultError::Denied)
    /// when the keychain cannot be asked, which is not the same as an item that is not there;
    /// [`Ambiguous`](VaultError::Ambiguous) when different items match.
    pub fn foreign(
        &self,
        service: &str,
        account: Option<&str>,
    ) -> Result<Option<Secret>, VaultError> {
        check_name(service)?;
        match &self.0 {
            Backend::Keychain(keychain) => keychain.foreign(service, account),
            Backend::File(_) => keychain::connect()?.foreign(service, account),
        }
    }

    /// Which kind of vault this is.
    pub fn kind(&self) -> VaultKind {
        match &self.0 {
            Backend::Keychain(_) => VaultKind::Keychain,
            Backend::File(file) => file.kind(),
        }
    }

    /// How the secrets are kept, for a person.
    pub fn description(&self) -> &'static str {
        self.kind().description()
    }
}

impl VaultKind {
    /// How secrets are kept by this kind of vault, for a person.
    pub fn description(self) -> &'static str {
        match self {
            Self::Keychain => keychain::NAME,
            Self::FileWithPassphrase => "file vault, encrypted under a passphrase",
            Self::FileWithKey => "file vault, protected by file permissions only",
        }
    }

    /// The name that files and databases record: `keychain`, `fileWithPassphrase`, `fileWithKey`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keychain => "keychain",
            Self::FileWithPassphrase => "fileWithPassphrase",
            Self::FileWithKey => "fileWithKey",
        }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Vault").field(&self.kind()).finish()
    }
}

fn first_start(choice: &VaultChoice, home: &Path) -> Result<Backend, VaultError> {
    match choice {
        VaultChoice::Recorded {
            passphrase_file: Some(_),
        } => Err(VaultError::Choice(
            "TIELINE_VAULT_PASSPHRASE_FILE is set, but this home has no vault yet and \
             TIELINE_VAULT does not say `file`"
                .to_owned(),
        )),
        VaultChoice::Recorded {
            passphrase_file: None,
        }
        | VaultChoice::Keychain => {
            FileVault::expect_none(home)?;
            let keychain = keychain::connect().map_err(at_first_start)?;
            let record = Record::new(VaultKind::Keychain)?;
            record.write(home)?;
            Ok(Backend::Keychain(keychain.of_home(record.home_id)))
        }
        VaultChoice::File { passphrase_file } => {
            let file = FileVault::create(home, passphrase_file.as_deref())?;
            Record::new(file.kind())?.write(home)?;
            Ok(Backend::File(file))
        }
    }
}

fn later_start(record: &Record, choice: &VaultChoice, home: &Path) -> Result<Backend, VaultError> {
    let asked = match choice {
        VaultChoice::Recorded { .. } => record.vault,
        VaultChoice::Keychain => VaultKind::Keychain,
        // A file vault with a passphrase that is not told is the same vault, and the error about
        // its passphrase says more.
        VaultChoice::File {
            passphrase_file: None,
        } if record.vault != VaultKind::Keychain => record.vault,
        VaultChoice::File {
            passphrase_file: None,
        } => VaultKind::FileWithKey,
        VaultChoice::File {
            passphrase_file: Some(_),
        } => VaultKind::FileWithPassphrase,
    };
    if asked != record.vault {
        let recorded = record.vault.description();
        return Err(VaultError::Changed {
            recorded,
            asked: asked.description(),
        });
    }
    let passphrase_file = match choice {
        VaultChoice::Recorded { passphrase_file } | VaultChoice::File { passphrase_file } => {
            passphrase_file.as_deref()
        }
        VaultChoice::Keychain => None,
    };
    match (record.vault, passphrase_file) {
        (VaultKind::Keychain, _) => Ok(Backend::Keychain(
            keychain::connect()?.of_home(record.home_id.clone()),
        )),
        (VaultKind::FileWithKey, _) => Ok(Backend::File(FileVault::open(home, None)?)),
        (VaultKind::FileWithPassphrase, Some(_)) => {
            Ok(Backend::File(FileVault::open(home, passphrase_file)?))
        }
        (VaultKind::FileWithPassphrase, None) => Err(PassphraseProblem::Missing.into()),
    }
}

fn at_first_start(error: VaultError) -> VaultError {
    match error {
        VaultError::Absent {
            keychain, reason, ..
        } => VaultError::Absent {
            keychain,
            reason,
            first_start: true,
        },
        other => other,
    }
}

fn check_name(name: &str) -> Result<(), VaultError> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    if (1..=128).contains(&name.len()) && name.bytes().all(valid) {
        Ok(())
    } else {
        Err(VaultError::Name(name.chars().take(130).collect()))
    }
}

/// Fills the buffer from the operating system's generator.
pub(crate) fn fill_random(buffer: &mut [u8]) -> Result<(), VaultError> {
    getrandom::fill(buffer).map_err(|error| VaultError::Failed {
        keychain: "operating system's random number generator",
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_mean_something_to_a_backend_are_refused() {
        for name in ["", "a/b", "..\\x", "a b", "ä", "a\0", &"x".repeat(129)] {
            assert!(
                matches!(check_name(name), Err(VaultError::Name(_))),
                "{name:?}"
            );
        }
        check_name("credential-cc4me-agent-key").unwrap();
    }

    #[test]
    fn the_name_of_a_kind_is_what_is_written_to_disk() {
        for kind in [
            VaultKind::Keychain,
            VaultKind::FileWithPassphrase,
            VaultKind::FileWithKey,
        ] {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
