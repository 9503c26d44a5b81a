//! What can go wrong with a vault, each kind with its own remedy.

use std::io;
use std::path::{Path, PathBuf};

/// Why a vault could not be opened, read or written. No variant holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The environment asks for a vault that does not exist. Cause: a typing error.
    #[error("{0}")]
    Choice(String),

    /// The keychain is not there. Cause: a machine without a desktop session (a server, WSL, a
    /// container), or a service that was stopped.
    #[error("the {keychain} is not available ({reason}){}", advice_if_absent(*.first_start))]
    Absent {
        /// Which keychain was looked for.
        keychain: &'static str,
        /// What the system answered.
        reason: String,
        /// Whether the home has no vault yet, so that another one may still be chosen.
        first_start: bool,
    },

    /// The keychain is there but locked, and nobody could be asked to unlock it. Cause: no login
    /// session has unlocked it, or there is no display to ask on.
    #[error("the {keychain} is locked ({reason})")]
    Locked {
        /// Which keychain is locked.
        keychain: &'static str,
        /// What the system answered.
        reason: String,
    },

    /// Access was refused. Cause: the person dismissed the question of the keychain, or the
    /// vault's file belongs to another user.
    #[error("access to {vault} was refused ({reason})")]
    Denied {
        /// What was refused: a keychain, or a file.
        vault: String,
        /// What the system answered.
        reason: String,
    },

    /// The home was set up with another vault than the one asked for. Cause: an environment
    /// variable that was set at its first start and is not now, or the other way round.
    #[error(
        "this home keeps its secrets in another vault ({recorded}) than the one asked for ({asked})"
    )]
    Changed {
        /// The vault that the home uses.
        recorded: &'static str,
        /// The vault that was asked for.
        asked: &'static str,
    },

    /// The passphrase of the file vault is missing, unusable or wrong.
    #[error("the vault's passphrase {0}")]
    Passphrase(#[from] PassphraseProblem),

    /// A file of the vault is missing or not as it was written. Cause: a failing disk, a partial
    /// restore, or somebody who changed it. It is left as it is.
    #[error("{} {what}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, to be read after its name.
        what: String,
    },

    /// No secret can have this name. Cause: a typing error.
    #[error("{0:?} cannot be the name of a secret: use 1 to 128 of A-Z a-z 0-9 . _ : -")]
    Name(String),

    /// The secret is larger than the vault can keep.
    #[error("the secret is {length} bytes long, but the vault ({vault}) keeps at most {limit}")]
    TooLarge {
        /// Which vault refused it.
        vault: &'static str,
        /// The secret's length in bytes.
        length: usize,
        /// The most the vault keeps, in bytes.
        limit: usize,
    },

    /// More than one item of another program answers to the name. Cause: several accounts under
    /// one service; name the account.
    #[error(
        "the keychain holds {count} different items of the service {service:?}; name the account"
    )]
    Ambiguous {
        /// The service that was looked for.
        service: String,
        /// How many items there are.
        count: usize,
    },

    /// A file of the vault could not be read or written. Cause: a full disk, a read-only home.
    #[error("cannot {action} {}", .path.display())]
    File {
        /// What was tried: "read", "write".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },

    /// The keychain failed in another way. Cause: a fault of its service.
    #[error("the {keychain} failed ({reason})")]
    Failed {
        /// Which keychain failed.
        keychain: &'static str,
        /// What the system answered.
        reason: String,
    },
}

/// What is wrong with the passphrase of a file vault.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseProblem {
    /// The vault has one, but it was not told where it is.
    #[error("is needed: name the file that holds it in TIELINE_VAULT_PASSPHRASE_FILE")]
    Missing,
    /// Its file cannot be read.
    #[error("cannot be read from {}: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// Its file holds nothing.
    #[error("in {} is empty", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// It does not open the vault.
    #[error("does not open {} (or the head of that file was changed)", .path.display())]
    Wrong {
        /// The vault's file.
        path: PathBuf,
    },
}

impl VaultError {
    /// Turns a failed file operation into the error that tells a person most.
    pub(crate) fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::PermissionDenied {
            Self::Denied {
                vault: path.display().to_string(),
                reason: source.to_string(),
            }
        } else {
            Self::File {
                action,
                path: path.to_owned(),
                source,
            }
        }
    }

    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            what: what.into(),
        }
    }
}

fn advice_if_absent(first_start: bool) -> &'static str {
    if first_start {
        ". Without a keychain choose the file vault: set TIELINE_VAULT=file, and \
         TIELINE_VAULT_PASSPHRASE_FILE to a file that holds a passphrase"
    } else {
        ", and the secrets of this home are in it"
    }
}
