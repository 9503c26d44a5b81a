//! macOS: the login keychain.

use std::collections::HashMap;
use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};

use crate::error::VaultError;

pub(crate) const NAME: &str = "macOS Keychain";

/// Status codes of the Security framework (SecBase.h).
const USER_CANCELED: i32 = -128;
const AUTH_FAILED: i32 = -25293;
const INTERACTION_NOT_ALLOWED: i32 = -25308;
const INTERACTION_REQUIRED: i32 = -25315;
const NO_DEFAULT_KEYCHAIN: i32 = -25307;
const NO_SUCH_KEYCHAIN: i32 = -25294;
const NOT_AVAILABLE: i32 = -25291;

pub(super) fn connect() -> Result<Arc<CredentialStore>, VaultError> {
    open_store().map_err(explain)
}

pub(super) fn open_store() -> keyring_core::Result<Arc<CredentialStore>> {
    let store: Arc<CredentialStore> = apple_native_keyring_store::keychain::Store::new()?;
    Ok(store)
}

pub(super) fn modifiers(_: &str) -> HashMap<&str, &str> {
    HashMap::new()
}

pub(super) fn search(
    store: &CredentialStore,
    service: &str,
    account: Option<&str>,
) -> keyring_core::Result<Vec<Entry>> {
    let mut wanted = HashMap::from([("service", service)]);
    if let Some(account) = account {
        wanted.insert("user", account);
    }
    store.search(&wanted)
}

/// There is no connection here that could become stale.
pub(super) fn is_stale(_: &Error) -> bool {
    false
}

pub(super) fn explain(error: Error) -> VaultError {
    let (Error::PlatformFailure(cause) | Error::NoStorageAccess(cause)) = &error else {
        return super::failed(&error);
    };
    let Some(cause) = cause.downcast_ref::<security_framework::base::Error>() else {
        return super::failed(&error);
    };
    let (keychain, reason) = (NAME, cause.to_string());
    match cause.code() {
        USER_CANCELED | AUTH_FAILED => VaultError::Denied {
            vault: format!("the {keychain}"),
            reason,
        },
        INTERACTION_NOT_ALLOWED | INTERACTION_REQUIRED => VaultError::Locked { keychain, reason },
        NO_DEFAULT_KEYCHAIN | NO_SUCH_KEYCHAIN | NOT_AVAILABLE => VaultError::Absent {
            keychain,
            reason,
            first_start: false,
        },
        _ => super::failed(&error),
    }
}
