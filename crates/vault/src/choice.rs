//! Which vault the person asked for.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::VaultError;

const BACKEND: &str = "TIELINE_VAULT";
const PASSPHRASE_FILE: &str = "TIELINE_VAULT_PASSPHRASE_FILE";

/// The vault that is asked for when a home is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultChoice {
    /// Nothing was asked for: the vault that the home has recorded, and the keychain at its first
    /// start.
    Recorded {
        /// Where the passphrase is, if the recorded vault has one.
        passphrase_file: Option<PathBuf>,
    },
    /// The keychain of the operating system.
    Keychain,
    /// Files in the home.
    File {
        /// Where the passphrase is. Without one the vault's key lies in a file beside it.
        passphrase_file: Option<PathBuf>,
    },
}

impl VaultChoice {
    /// Reads `TIELINE_VAULT` (`file` or `keychain`) and `TIELINE_VAULT_PASSPHRASE_FILE` (a path).
    /// An empty variable counts as unset.
    ///
    /// # Errors
    /// [`VaultError::Choice`] when `TIELINE_VAULT` says something else.
    pub fn from_env() -> Result<Self, VaultError> {
        Self::from_variables(|name| env::var_os(name))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, VaultError> {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let passphrase_file = set(PASSPHRASE_FILE).map(PathBuf::from);
        match set(BACKEND) {
            None => Ok(Self::Recorded { passphrase_file }),
            Some(value) if value == "file" => Ok(Self::File { passphrase_file }),
            Some(value) if value == "keychain" => Ok(Self::Keychain),
            Some(value) => Err(VaultError::Choice(format!(
                "{BACKEND} is {value:?}, but must be `file` or `keychain`"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(backend: Option<&str>, passphrase: Option<&str>) -> Result<VaultChoice, VaultError> {
        VaultChoice::from_variables(|name| match name {
            BACKEND => backend.map(OsString::from),
            PASSPHRASE_FILE => passphrase.map(OsString::from),
            _ => None,
        })
    }

    #[test]
    fn variables_choose_the_vault() {
        let path = || Some(PathBuf::from("/run/pw"));
        assert_eq!(
            choose(None, None).unwrap(),
            VaultChoice::Recorded {
                passphrase_file: None
            }
        );
        assert_eq!(
            choose(Some(""), Some("")).unwrap(),
            choose(None, None).unwrap()
        );
        assert_eq!(
            choose(Some("keychain"), None).unwrap(),
            VaultChoice::Keychain
        );
        assert_eq!(
            choose(Some("file"), Some("/run/pw")).unwrap(),
            VaultChoice::File {
                passphrase_file: path()
            }
        );
        assert_eq!(
            choose(None, Some("/run/pw")).unwrap(),
            VaultChoice::Recorded {
                passphrase_file: path()
            }
        );
    }

    #[test]
    fn an_unknown_vault_is_refused_by_name() {
        let error = choose(Some("File"), None).unwrap_err();
        assert!(error.to_string().contains("\"File\""), "{error}");
    }
}
