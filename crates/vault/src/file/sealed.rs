//! The file itself: a head that says how the key is found, a check of the key, and the content,
//! sealed with XChaCha20-Poly1305.
//!
//! The check is what tells a wrong passphrase from a changed file. Both seals are bound to the head
//! and to their purpose, so neither stands in for the other.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::key::{Key, Protection};
use crate::error::{PassphraseProblem, VaultError};
use crate::vault::fill_random;

const VERSION: u32 = 1;
const NONCE: usize = 24;
const CHECK: &str = "tieline-vault-v1 check";
const CONTENT: &str = "tieline-vault-v1 content";

/// The content of `vault.sealed`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Sealed {
    version: u32,
    pub(super) protection: Protection,
    /// Nonce and seal of nothing, base64: opens with the right key.
    key_check: String,
    /// Nonce and seal of the entries, base64.
    content: String,
}

impl Sealed {
    /// Seals the content with fresh nonces. 24 random bytes do not repeat in the life of a key.
    pub(super) fn seal(
        protection: &Protection,
        key: &Key,
        content: &[u8],
    ) -> Result<Self, VaultError> {
        Ok(Self {
            version: VERSION,
            protection: protection.clone(),
            key_check: seal(key, &purpose(CHECK, protection), &[])?,
            content: seal(key, &purpose(CONTENT, protection), content)?,
        })
    }

    /// Opens the content.
    pub(super) fn open(&self, key: &Key, path: &Path) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        if open(key, &purpose(CHECK, &self.protection), &self.key_check).is_none() {
            return Err(match self.protection {
                Protection::Passphrase { .. } => PassphraseProblem::Wrong {
                    path: path.to_owned(),
                }
                .into(),
                Protection::KeyFile => VaultError::damaged(
                    path,
                    "does not open with the key in vault.key: one of the two was changed or \
                     belongs to another home",
                ),
            });
        }
        open(key, &purpose(CONTENT, &self.protection), &self.content)
            .ok_or_else(|| VaultError::damaged(path, "was changed after it was written"))
    }

    /// Fails only if it could not be written as JSON, which its fields rule out.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The error is what is wrong, to be read after the file's name.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let sealed: Self =
            serde_json::from_slice(bytes).map_err(|error| format!("is not a vault: {error}"))?;
        if sealed.version == VERSION {
            Ok(sealed)
        } else {
            Err(format!(
                "has version {}, which this program does not know",
                sealed.version
            ))
        }
    }
}

pub(super) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// What a seal is bound to: its purpose and the head.
fn purpose(name: &str, protection: &Protection) -> Vec<u8> {
    let head = match protection {
        Protection::Passphrase {
            memory_kib,
            passes,
            salt,
        } => {
            format!("passphrase {memory_kib} {passes} {salt}")
        }
        Protection::KeyFile => "keyFile".to_owned(),
    };
    format!("{name}\n{head}").into_bytes()
}

fn seal(key: &Key, purpose: &[u8], content: &[u8]) -> Result<String, VaultError> {
    let mut nonce = [0; NONCE];
    fill_random(&mut nonce)?;
    let payload = Payload {
        msg: content,
        aad: purpose,
    };
    let sealed = XChaCha20Poly1305::new((&**key).into())
        .encrypt(XNonce::from_slice(&nonce), payload)
        .map_err(|_| VaultError::Failed {
            keychain: "file vault's encryption",
            reason: "the content is too long".to_owned(),
        })?;
    Ok(to_base64(&[&nonce[..], &sealed].concat()))
}

fn open(key: &Key, purpose: &[u8], text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = from_base64(text)?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE)?;
    let payload = Payload {
        msg: sealed,
        aad: purpose,
    };
    let cipher = XChaCha20Poly1305::new((&**key).into());
    cipher
        .decrypt(XNonce::from_slice(nonce), payload)
        .ok()
        .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> (Key, Sealed) {
        let key = Key::new([9; 32]);
        let sealed = Sealed::seal(&Protection::KeyFile, &key, b"content").unwrap();
        (key, sealed)
    }

    #[test]
    fn the_content_opens_with_its_key_only() {
        let (key, sealed) = sealed();
        let path = Path::new("vault.sealed");
        assert_eq!(sealed.open(&key, path).unwrap().as_slice(), b"content");
        assert!(sealed.open(&Key::new([8; 32]), path).is_err());
    }

    #[test]
    fn the_check_cannot_stand_in_for_the_content() {
        let (key, mut sealed) = sealed();
        sealed.content.clone_from(&sealed.key_check);
        let error = sealed.open(&key, Path::new("vault.sealed")).unwrap_err();
        assert!(matches!(error, VaultError::Damaged { .. }), "{error}");
    }

    #[test]
    fn two_seals_of_one_content_differ() {
        let (_, first) = sealed();
        let (_, second) = sealed();
        assert_ne!(first.content, second.content);
        assert_ne!(first.key_check, second.key_check);
    }
}
