//! Where a node keeps its secrets: the keychain of the operating system, or a file.
//!
//! Which of the two is chosen once, when a home starts for the first time, and is written down in
//! `vault.json` there. From then on only that one will do: a keychain that is missing, locked or
//! refused is an error with its own remedy, never a reason to look elsewhere, because a node that
//! comes up with other keys is a stranger to every peer.
//!
//! | file in the home | holds |
//! |---|---|
//! | `vault.json` | which backend the home uses; no secret |
//! | `vault.sealed` | file vault: the secrets, encrypted as a whole |
//! | `vault.key` | file vault without a passphrase: its key, so only file permissions protect it |
//! | `vault.lock` | nothing; locked while one of the others is written |
//!
//! Calls block: the keychain may ask the person to unlock it. Async callers use `spawn_blocking`.
//!
//! ```
//! use tieline_vault::{Secret, Vault, VaultChoice};
//!
//! # let home = tempfile::tempdir()?;
//! let choice = VaultChoice::File { passphrase_file: None };
//! let vault = Vault::open(&choice, home.path())?;
//! vault.set("relay-token", &Secret::from("s3cret"))?;
//!
//! let again = Vault::open(&choice, home.path())?;
//! let secret = again.get("relay-token")?.ok_or("it was stored above")?;
//! assert_eq!(secret.expose(), b"s3cret");
//! assert_eq!(format!("{secret:?}"), "Secret(redacted)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod choice;
mod durable;
mod error;
mod file;
mod keychain;
mod problem;
mod record;
mod secret;
mod vault;

pub use choice::VaultChoice;
pub use error::{PassphraseProblem, VaultError};
pub use secret::Secret;
pub use vault::{Vault, VaultKind};
