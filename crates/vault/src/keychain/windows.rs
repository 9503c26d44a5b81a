//! Windows: the Credential Manager.

use std::collections::HashMap;
use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};

use crate::error::VaultError;

pub(crate) const NAME: &str = "Windows Credential Manager";

pub(super) fn connect() -> Result<Arc<CredentialStore>, VaultError> {
    open_store().map_err(explain)
}

pub(super) fn open_store() -> keyring_core::Result<Arc<CredentialStore>> {
    let store: Arc<CredentialStore> = windows_native_keyring_store::Store::new()?;
    Ok(store)
}

/// The identity of this machine must not roam to the person's other machines.
pub(super) fn modifiers(_: &str) -> HashMap<&str, &str> {
    HashMap::from([("persistence", "Local")])
}

/// Items are found by one name, which programs make of account and service with a dot, or of the
/// service alone.
pub(super) fn search(
    store: &CredentialStore,
    service: &str,
    account: Option<&str>,
) -> keyring_core::Result<Vec<Entry>> {
    let service = literal(service);
    let pattern = match account {
        Some(account) => format!("^{}\\.{service}$", literal(account)),
        None => format!("^(.*\\.)?{service}$"),
    };
    store.search(&HashMap::from([("pattern", pattern.as_str())]))
}

/// There is no connection here that could become stale.
pub(super) fn is_stale(_: &Error) -> bool {
    false
}

pub(super) fn explain(error: Error) -> VaultError {
    match &error {
        // There is one cause: a process without a logon session, such as some services.
        Error::NoStorageAccess(cause) => VaultError::Absent {
            keychain: NAME,
            reason: cause.to_string(),
            first_start: false,
        },
        _ => super::failed(&error),
    }
}

/// Escapes what would mean something in a regular expression.
fn literal(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_punctuation() && !"<>".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
