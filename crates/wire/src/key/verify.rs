use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use base64::Engine;

use super::{KeyError, KeyId, Signature};
use crate::encoding::{self, STANDARD};

/// DER of everything in a SubjectPublicKeyInfo that precedes the 32 key bytes (RFC 8410, 4).
const SPKI_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// An Ed25519 public key, known to be canonical and not of small order.
///
/// Holds the decompressed point, so that verifying does not repeat that work. In JSON it is
/// standard base64 of the SubjectPublicKeyInfo DER (60 characters).
#[derive(Clone, Copy)]
pub struct VerifyKey(ed25519_dalek::VerifyingKey);

/// The signature does not belong to this key and message.
/// Likely cause: the message was altered, or another key signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not match")]
pub struct BadSignature;

impl VerifyKey {
    /// The public half of a private key, which is canonical and never weak.
    pub(super) fn of(key: &ed25519_dalek::SigningKey) -> Self {
        Self(key.verifying_key())
    }

    /// Reads the 32 raw key bytes of RFC 8032.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] or [`KeyError::Weak`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_canonical(bytes) {
            return Err(KeyError::Invalid);
        }
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::Invalid)?;
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        Ok(Self(key))
    }

    /// Reads a SubjectPublicKeyInfo of exactly 44 bytes.
    ///
    /// # Errors
    /// Any [`KeyError`] but those about text.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        if der.len() == 32 {
            return Err(KeyError::Raw);
        }
        if super::signing::looks_like_pkcs8(der) {
            return Err(KeyError::Private);
        }
        let raw = der
            .strip_prefix(&SPKI_PREFIX)
            .and_then(|raw| raw.try_into().ok());
        Self::from_bytes(raw.ok_or(KeyError::NotEd25519)?)
    }

    /// Reads a key as people paste it: base64 of the 44 bytes in either alphabet, with or without
    /// padding and stray white space, or a PEM block `PUBLIC KEY`.
    ///
    /// # Errors
    /// Any [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.contains("-----BEGIN") {
            let block = pem::parse(text).map_err(|_| KeyError::NotText)?;
            return match block.tag() {
                "PUBLIC KEY" => Self::from_spki_der(block.contents()),
                "PRIVATE KEY" => Err(KeyError::Private),
                _ => Err(KeyError::NotEd25519),
            };
        }
        Self::from_spki_der(&encoding::decode_lenient(text).ok_or(KeyError::NotText)?)
    }

    /// The 32 raw key bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// SubjectPublicKeyInfo DER.
    #[must_use]
    pub fn to_spki_der(&self) -> [u8; 44] {
        let mut der = [0; 44];
        der[..12].copy_from_slice(&SPKI_PREFIX);
        der[12..].copy_from_slice(self.0.as_bytes());
        der
    }

    /// Standard base64 of the DER on one line, the form other agents' configuration files use.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.to_spki_der())
    }

    /// A PEM block `PUBLIC KEY`, ending in a newline.
    #[must_use]
    pub fn to_pem(&self) -> String {
        format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            self.to_base64()
        )
    }

    /// The key's id.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        KeyId::of_spki(&self.to_spki_der())
    }

    /// Checks a signature by the strict rules: canonical scalar, and no point of small order.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0
            .verify_strict(message, &signature)
            .map_err(|_| BadSignature)
    }
}

/// Whether the y coordinate is below the field's prime, 2^255 - 19 (little endian, top bit is the
/// sign of x). The decoder below us reduces instead of refusing. The other doubtful encoding, a
/// set sign bit with x = 0, exists only for points of small order.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = bytes;
    !(highest & 0x7f == 0x7f && middle.iter().all(|byte| *byte == 0xff) && *lowest >= 0xed)
}

impl PartialEq for VerifyKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for VerifyKey {}

impl PartialOrd for VerifyKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for VerifyKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for VerifyKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Display for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_base64())
    }
}

impl fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyKey({self})")
    }
}

impl FromStr for VerifyKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::parse(text)
    }
}

impl serde::Serialize for VerifyKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for VerifyKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        encoding::deserialize_str(deserializer)
    }
}
