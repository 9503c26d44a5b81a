//! The keychain vault against the keychain of the person who runs the tests, on systems where it
//! is always there. It leaves nothing behind.
#![cfg(any(target_os = "macos", windows))]
#![allow(clippy::unwrap_used)]

use tieline_vault::{Secret, Vault, VaultChoice, VaultKind};

#[test]
fn secrets_are_kept_apart_by_home_and_deleted() {
    let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let vault = Vault::open(&VaultChoice::Keychain, home.path()).unwrap();
    assert_eq!(vault.kind(), VaultKind::Keychain);
    assert!(vault.get("keys").unwrap().is_none());
    vault.set("keys", &Secret::from(&[0, 1, 255][..])).unwrap();
    vault.set("keys", &Secret::from(&[0, 2, 255][..])).unwrap();

    let again = Vault::open(&VaultChoice::Keychain, home.path()).unwrap();
    assert_eq!(again.get("keys").unwrap().unwrap().expose(), [0, 2, 255]);
    let other = Vault::open(&VaultChoice::Keychain, other.path()).unwrap();
    assert!(other.get("keys").unwrap().is_none());

    assert!(again.delete("keys").unwrap());
    assert!(!vault.delete("keys").unwrap());
    assert!(vault.get("keys").unwrap().is_none());
}

#[test]
fn an_item_that_no_program_made_is_absent() {
    let home = tempfile::tempdir().unwrap();
    let choice = VaultChoice::File {
        passphrase_file: None,
    };
    let vault = Vault::open(&choice, home.path()).unwrap();
    let service = "tieline-test-of-an-item-that-is-not-there";
    assert!(vault.foreign(service, None).unwrap().is_none());
    assert!(vault.foreign(service, Some("nobody")).unwrap().is_none());
}
