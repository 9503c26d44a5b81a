//! The keychain vault against a real GNOME Keyring, each test on a session bus and in a home
//! directory of its own.
//!
//! The vault finds the bus by its environment, and a process must not change its own. So every test
//! has two halves in one function: the outer one starts this very test again inside
//! `dbus-run-session`, the inner one is the scenario.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bus;

use tieline_vault::{Secret, Vault, VaultChoice, VaultError, VaultKind};
use tieline_wire::problem::{Code, Problem};

use bus::{Keyring, Policy, files_of, on_a_private_bus, secret_tool, store_foreign};
const DEFAULT: VaultChoice = VaultChoice::Recorded {
    passphrase_file: None,
};
const WITH_KEY: VaultChoice = VaultChoice::File {
    passphrase_file: None,
};

#[test]
fn secrets_are_kept_in_the_keyring_and_not_in_the_home() {
    on_a_private_bus(
        "secrets_are_kept_in_the_keyring_and_not_in_the_home",
        Policy::Open,
        |home| {
            let _keyring = Keyring::unlocked();
            let vault = Vault::open(&DEFAULT, home).unwrap();
            assert_eq!(vault.kind(), VaultKind::Keychain);
            assert!(vault.get("keys").unwrap().is_none());
            vault.set("keys", &Secret::from(&[0, 1, 255][..])).unwrap();
            vault.set("keys", &Secret::from(&[0, 2, 255][..])).unwrap();

            let again = Vault::open(&VaultChoice::Keychain, home).unwrap();
            assert_eq!(again.get("keys").unwrap().unwrap().expose(), [0, 2, 255]);
            let listed = secret_tool(&["search", "--all", "service", "tieline"], "");
            assert!(listed.contains("Tieline: keys"), "{listed}");

            assert!(again.delete("keys").unwrap());
            assert!(!vault.delete("keys").unwrap());
            assert!(vault.get("keys").unwrap().is_none());
            assert_eq!(files_of(home), ["vault.json", "vault.lock"]);
        },
    );
}

#[test]
fn homes_do_not_see_the_secrets_of_each_other() {
    on_a_private_bus(
        "homes_do_not_see_the_secrets_of_each_other",
        Policy::Open,
        |home| {
            let _keyring = Keyring::unlocked();
            let (first, second) = (home.join("first"), home.join("second"));
            Vault::open(&DEFAULT, &first)
                .unwrap()
                .set("keys", &Secret::from("one"))
                .unwrap();
            let other = Vault::open(&DEFAULT, &second).unwrap();
            assert!(other.get("keys").unwrap().is_none());
            other.set("keys", &Secret::from("two")).unwrap();
            let first = Vault::open(&DEFAULT, &first).unwrap();
            assert_eq!(first.get("keys").unwrap().unwrap().expose(), b"one");
        },
    );
}

#[test]
fn without_a_keychain_the_first_start_offers_the_file_vault_and_does_not_take_it() {
    let name = "without_a_keychain_the_first_start_offers_the_file_vault_and_does_not_take_it";
    on_a_private_bus(name, Policy::Open, |home| {
        let error = Vault::open(&DEFAULT, home).unwrap_err();
        assert!(
            matches!(
                error,
                VaultError::Absent {
                    first_start: true,
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(error.to_string().contains("TIELINE_VAULT=file"), "{error}");
        assert_eq!(Problem::from(error).code, Code::VaultAbsent);
        assert_eq!(files_of(home), ["vault.lock"], "nothing was chosen");

        let vault = Vault::open(&WITH_KEY, home).unwrap();
        let foreign = vault
            .foreign("credential-agent-comms-secret", None)
            .unwrap_err();
        assert!(
            matches!(
                foreign,
                VaultError::Absent {
                    first_start: false,
                    ..
                }
            ),
            "{foreign:?}"
        );
    });
}

#[test]
fn without_a_session_bus_the_keychain_is_absent() {
    let name = "without_a_session_bus_the_keychain_is_absent";
    on_a_private_bus(name, Policy::None, |home| {
        let error = Vault::open(&VaultChoice::Keychain, home).unwrap_err();
        assert!(
            matches!(
                error,
                VaultError::Absent {
                    first_start: true,
                    ..
                }
            ),
            "{error:?}"
        );
    });
}

#[test]
fn a_keychain_that_went_away_is_reported_and_used_again_when_it_is_back() {
    let name = "a_keychain_that_went_away_is_reported_and_used_again_when_it_is_back";
    on_a_private_bus(name, Policy::Open, |home| {
        let keyring = Keyring::unlocked();
        let vault = Vault::open(&DEFAULT, home).unwrap();
        vault.set("keys", &Secret::from("one")).unwrap();

        drop(keyring);
        let error = vault.get("keys").unwrap_err();
        assert!(
            matches!(
                error,
                VaultError::Absent {
                    first_start: false,
                    ..
                }
            ),
            "{error:?}"
        );
        let error = Vault::open(&DEFAULT, home).unwrap_err();
        assert!(
            matches!(
                error,
                VaultError::Absent {
                    first_start: false,
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(!error.to_string().contains("TIELINE_VAULT"), "{error}");
        let error = Vault::open(&WITH_KEY, home).unwrap_err();
        assert!(
            matches!(error, VaultError::Changed { .. }),
            "never a fallback: {error:?}"
        );

        // In the same process, which has seen it absent.
        let _keyring = Keyring::unlocked();
        assert_eq!(vault.get("keys").unwrap().unwrap().expose(), b"one");
        let vault = Vault::open(&DEFAULT, home).unwrap();
        assert_eq!(vault.get("keys").unwrap().unwrap().expose(), b"one");
    });
}

#[test]
fn a_locked_keychain_is_not_an_empty_one() {
    on_a_private_bus(
        "a_locked_keychain_is_not_an_empty_one",
        Policy::Open,
        |home| {
            let keyring = Keyring::unlocked();
            let vault = Vault::open(&DEFAULT, home).unwrap();
            vault.set("keys", &Secret::from("one")).unwrap();
            store_foreign("credential-cc4me-agent-key", "assistant", "key");
            drop(keyring);

            let keyring = Keyring::locked();
            let unlocked_before = vault;
            let locked = |error: VaultError| {
                assert!(matches!(error, VaultError::Locked { .. }), "{error:?}");
                assert_eq!(Problem::from(error).code, Code::VaultLocked);
            };
            locked(Vault::open(&DEFAULT, home).unwrap_err());
            locked(unlocked_before.get("keys").unwrap_err());
            locked(
                unlocked_before
                    .set("keys", &Secret::from("two"))
                    .unwrap_err(),
            );
            locked(
                unlocked_before
                    .set("other", &Secret::from("two"))
                    .unwrap_err(),
            );
            locked(unlocked_before.delete("keys").unwrap_err());
            locked(
                unlocked_before
                    .foreign("credential-cc4me-agent-key", None)
                    .unwrap_err(),
            );
            drop(keyring);

            let _keyring = Keyring::unlocked();
            let vault = Vault::open(&DEFAULT, home).unwrap();
            assert_eq!(vault.get("keys").unwrap().unwrap().expose(), b"one");
        },
    );
}

#[test]
fn a_service_without_any_keyring_is_locked_and_not_absent() {
    let name = "a_service_without_any_keyring_is_locked_and_not_absent";
    on_a_private_bus(name, Policy::Open, |home| {
        let _keyring = Keyring::locked();
        let error = Vault::open(&DEFAULT, home).unwrap_err();
        assert!(matches!(error, VaultError::Locked { .. }), "{error:?}");
        assert_eq!(files_of(home), ["vault.lock"]);
    });
}

#[test]
fn a_refusal_is_told_apart_from_absence() {
    on_a_private_bus(
        "a_refusal_is_told_apart_from_absence",
        Policy::Refusing,
        |home| {
            let _keyring = Keyring::unlocked();
            let error = Vault::open(&DEFAULT, home).unwrap_err();
            assert!(matches!(error, VaultError::Denied { .. }), "{error:?}");
            assert_eq!(Problem::from(error).code, Code::VaultDenied);
        },
    );
}

#[test]
fn items_of_other_programs_are_found_by_service_and_account() {
    let name = "items_of_other_programs_are_found_by_service_and_account";
    on_a_private_bus(name, Policy::Open, |home| {
        let _keyring = Keyring::unlocked();
        let service = "credential-cc4me-agent-key";
        // A home with a file vault reads them too.
        let vaults = [
            Vault::open(&DEFAULT, &home.join("keychain")).unwrap(),
            Vault::open(&WITH_KEY, &home.join("file")).unwrap(),
        ];
        for vault in &vaults {
            assert!(vault.foreign(service, None).unwrap().is_none());
        }
        store_foreign(service, "assistant", "the key");
        for vault in &vaults {
            let read = |account| vault.foreign(service, account).unwrap();
            assert_eq!(read(None).unwrap().expose(), b"the key");
            assert_eq!(read(Some("assistant")).unwrap().expose(), b"the key");
            assert!(read(Some("somebody")).is_none());
        }
        store_foreign(service, "somebody", "another key");
        for vault in &vaults {
            assert_eq!(
                vault
                    .foreign(service, Some("somebody"))
                    .unwrap()
                    .unwrap()
                    .expose(),
                b"another key"
            );
            let error = vault.foreign(service, None).unwrap_err();
            assert!(
                matches!(error, VaultError::Ambiguous { count: 2, .. }),
                "{error:?}"
            );
        }
    });
}
