//! Linux and the BSDs: the Secret Service (GNOME Keyring, KWallet, KeePassXC) over D-Bus.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};
use secret_service::blocking::SecretService;
use secret_service::{EncryptionType, Error as ServiceError};

use crate::error::VaultError;

pub(crate) const NAME: &str = "Secret Service keyring";

/// Connects, and sees to it that there is an unlocked default keyring: without this check, locked
/// items would look like a home that never had any.
pub(super) fn connect() -> Result<Arc<CredentialStore>, VaultError> {
    // Nothing secret passes over this first connection.
    SecretService::connect(EncryptionType::Plain)
        .and_then(|service| {
            let keyring = service.get_default_collection()?;
            if keyring.is_locked()? {
                keyring.unlock()
            } else {
                Ok(())
            }
        })
        .map_err(|error| explain_service(&error))?;
    open_store().map_err(explain)
}

pub(super) fn open_store() -> keyring_core::Result<Arc<CredentialStore>> {
    let store: Arc<CredentialStore> = zbus_secret_service_keyring_store::Store::new()?;
    Ok(store)
}

pub(super) fn modifiers(label: &str) -> HashMap<&str, &str> {
    HashMap::from([("label", label)])
}

/// Programs name the account `username` or `account`, so it is compared here and not searched for.
pub(super) fn search(
    store: &CredentialStore,
    service: &str,
    account: Option<&str>,
) -> keyring_core::Result<Vec<Entry>> {
    let mut items = store.search(&HashMap::from([("service", service)]))?;
    let Some(account) = account else {
        return Ok(items);
    };
    let mut matching = Vec::new();
    for item in items.drain(..) {
        let attributes = item.get_attributes()?;
        if ["account", "username"]
            .iter()
            .any(|key| attributes.get(*key).is_some_and(|value| value == account))
        {
            matching.push(item);
        }
    }
    Ok(matching)
}

/// Whether the service was restarted since we connected, or the bus was.
pub(super) fn is_stale(error: &Error) -> bool {
    let Error::PlatformFailure(cause) = error else {
        return false;
    };
    matches!(
        cause.downcast_ref::<ServiceError>(),
        Some(ServiceError::Zbus(_) | ServiceError::ZbusFdo(_))
    )
}

pub(super) fn explain(error: Error) -> VaultError {
    match &error {
        Error::PlatformFailure(cause) | Error::NoStorageAccess(cause) => {
            match cause.downcast_ref::<ServiceError>() {
                Some(cause) => explain_service(cause),
                None => super::failed(&error),
            }
        }
        _ => super::failed(&error),
    }
}

fn explain_service(error: &ServiceError) -> VaultError {
    let keychain = NAME;
    let locked = |reason: &str| VaultError::Locked {
        keychain,
        reason: reason.to_owned(),
    };
    match error {
        // The service answers alike whether a person dismissed its question or there was no
        // display to ask it on.
        ServiceError::Prompt | ServiceError::PromptDisconnected => {
            locked("it was asked to unlock, and was not unlocked")
        }
        ServiceError::Locked => locked("it locked itself again"),
        ServiceError::NoResult => locked("its service runs, but it has no keyring yet"),
        ServiceError::Unavailable | ServiceError::Zbus(_) | ServiceError::ZbusFdo(_) => {
            let reason = innermost(error);
            if reason.contains("org.freedesktop.DBus.Error.AccessDenied") {
                VaultError::Denied {
                    vault: format!("the {keychain}"),
                    reason,
                }
            } else {
                VaultError::Absent {
                    keychain,
                    reason,
                    first_start: false,
                }
            }
        }
        _ => VaultError::Failed {
            keychain,
            reason: error.to_string(),
        },
    }
}

/// The last cause, which is what D-Bus itself said.
fn innermost(error: &dyn StdError) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
