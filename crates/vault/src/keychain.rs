//! The keychain of the operating system.
//!
//! The stores of the `keyring` family are made here explicitly, because the convenience layer above
//! them remembers for the whole life of the process that there was no keychain. A tray app outlives
//! the keychain's service being started, unlocked or restarted.

#[cfg(target_os = "macos")]
#[path = "keychain/macos.rs"]
mod platform;
#[cfg(windows)]
#[path = "keychain/windows.rs"]
mod platform;
#[cfg(all(unix, not(target_os = "macos")))]
#[path = "keychain/secret_service.rs"]
mod platform;

use std::sync::{Arc, Mutex, PoisonError};

use keyring_core::{CredentialStore, Entry, Error};

use crate::error::VaultError;
use crate::secret::Secret;

pub(crate) use platform::NAME;

/// The service that all of our items belong to.
const SERVICE: &str = "tieline";

/// A connection to the keychain.
pub(crate) struct Connection {
    store: Mutex<Arc<CredentialStore>>,
}

/// The items of one home.
pub(crate) struct Keychain {
    connection: Connection,
    home_id: String,
}

/// Connects to the keychain, and asks for it to be unlocked if it is not.
pub(crate) fn connect() -> Result<Connection, VaultError> {
    platform::connect().map(|store| Connection {
        store: Mutex::new(store),
    })
}

impl Keychain {
    pub(crate) fn get(&self, name: &str) -> Result<Option<Secret>, VaultError> {
        let read = self.item(name, |item| item.get_secret().map(Secret::new));
        absent_is_none(read)
    }

    pub(crate) fn set(&self, name: &str, secret: &Secret) -> Result<(), VaultError> {
        self.item(name, |item| item.set_secret(secret.expose()))
            .map_err(|error| match error {
                Error::TooLong(_, limit) => VaultError::TooLarge {
                    vault: NAME,
                    length: secret.expose().len(),
                    limit: limit.try_into().unwrap_or(usize::MAX),
                },
                other => platform::explain(other),
            })
    }

    pub(crate) fn delete(&self, name: &str) -> Result<bool, VaultError> {
        let deleted = self.item(name, Entry::delete_credential);
        absent_is_none(deleted).map(|deleted| deleted.is_some())
    }

    pub(crate) fn foreign(
        &self,
        service: &str,
        account: Option<&str>,
    ) -> Result<Option<Secret>, VaultError> {
        self.connection.foreign(service, account)
    }

    fn item<T>(
        &self,
        name: &str,
        act: impl Fn(&Entry) -> keyring_core::Result<T>,
    ) -> keyring_core::Result<T> {
        let account = format!("{}/{name}", self.home_id);
        let label = format!("Tieline: {name}");
        let modifiers = platform::modifiers(&label);
        self.connection
            .with_store(|store| act(&store.build(SERVICE, &account, Some(&modifiers))?))
    }
}

impl Connection {
    /// Narrows the connection to the items of one home.
    pub(crate) fn of_home(self, home_id: String) -> Keychain {
        Keychain {
            connection: self,
            home_id,
        }
    }

    /// Reads an item that another program made.
    pub(crate) fn foreign(
        &self,
        service: &str,
        account: Option<&str>,
    ) -> Result<Option<Secret>, VaultError> {
        let read = self.with_store(|store| {
            let items = platform::search(store, service, account)?;
            items
                .iter()
                .map(|item| item.get_secret().map(Secret::new))
                .collect::<Result<Vec<_>, _>>()
        });
        let mut secrets = absent_is_none(read)?.unwrap_or_default();
        let different = secrets
            .windows(2)
            .any(|two| two[0].expose() != two[1].expose());
        if different {
            let (service, count) = (service.to_owned(), secrets.len());
            return Err(VaultError::Ambiguous { service, count });
        }
        Ok(secrets.pop())
    }

    /// Runs an operation; if the connection proves to be stale, once more over a new one.
    fn with_store<T>(
        &self,
        act: impl Fn(&CredentialStore) -> keyring_core::Result<T>,
    ) -> keyring_core::Result<T> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        match act(&**store) {
            Err(error) if platform::is_stale(&error) => {
                *store = platform::open_store()?;
                act(&**store)
            }
            done => done,
        }
    }
}

fn absent_is_none<T>(read: keyring_core::Result<T>) -> Result<Option<T>, VaultError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(platform::explain(error)),
    }
}

/// For errors that a platform does not know more about. Uses their `Display`, never their `Debug`,
/// which for some variants shows the secret.
fn failed(error: &Error) -> VaultError {
    VaultError::Failed {
        keychain: NAME,
        reason: error.to_string(),
    }
}
