use std::fmt;

use base64::Engine;
use ed25519_dalek::Signer;
use ed25519_dalek::pkcs8::DecodePrivateKey;
use zeroize::Zeroizing;

use super::{KeyError, KeyId, Signature, VerifyKey};
use crate::encoding::{self, STANDARD};
use crate::random;

/// DER of everything in a version 1 PKCS#8 structure that precedes the seed (RFC 8410, 7).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// An Ed25519 private key. Wiped from memory when dropped, never shown by `Debug`.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A new key from the operating system's random source.
    #[must_use]
    pub fn generate() -> Self {
        Self::from_seed(&Zeroizing::new(random::bytes()))
    }

    /// The key with this RFC 8032 seed.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// Reads PKCS#8 version 1 (48 bytes) or version 2 (with the public key, which must match).
    ///
    /// # Errors
    /// [`KeyError::Public`] for a SubjectPublicKeyInfo, [`KeyError::Raw`] for a bare seed,
    /// otherwise [`KeyError::NotEd25519`].
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        match ed25519_dalek::SigningKey::from_pkcs8_der(der) {
            Ok(key) => Ok(Self(key)),
            Err(_) if der.len() == 32 => Err(KeyError::Raw),
            Err(_) if VerifyKey::from_spki_der(der).is_ok() => Err(KeyError::Public),
            Err(_) => Err(KeyError::NotEd25519),
        }
    }

    /// Reads base64 of the PKCS#8 DER in either alphabet, or a PEM block `PRIVATE KEY`.
    ///
    /// # Errors
    /// As [`from_pkcs8_der`](Self::from_pkcs8_der), and [`KeyError::NotText`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        if text.contains("-----BEGIN") {
            let block = pem::parse(text).map_err(|_| KeyError::NotText)?;
            let private = block.tag() == "PRIVATE KEY";
            let public = block.tag() == "PUBLIC KEY";
            let der = Zeroizing::new(block.into_contents());
            return match (private, public) {
                (true, _) => Self::from_pkcs8_der(&der),
                (_, true) => Err(KeyError::Public),
                _ => Err(KeyError::NotEd25519),
            };
        }
        let der = Zeroizing::new(encoding::decode_lenient(text).ok_or(KeyError::NotText)?);
        Self::from_pkcs8_der(&der)
    }

    /// The RFC 8032 seed.
    #[must_use]
    pub fn to_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// PKCS#8 version 1 DER.
    #[must_use]
    pub fn to_pkcs8_der(&self) -> Zeroizing<[u8; 48]> {
        let mut der = Zeroizing::new([0; 48]);
        der[..16].copy_from_slice(&PKCS8_PREFIX);
        der[16..].copy_from_slice(self.0.as_bytes());
        der
    }

    /// Standard base64 of the PKCS#8 DER (64 characters), the form other agents' files use.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.to_pkcs8_der()))
    }

    /// A PEM block `PRIVATE KEY`, ending in a newline.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        let body = self.to_base64();
        Zeroizing::new(format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            *body
        ))
    }

    /// The public half.
    #[must_use]
    pub fn verify_key(&self) -> VerifyKey {
        VerifyKey::of(&self.0)
    }

    /// The id of the public half.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        self.verify_key().key_id()
    }

    /// Signs `message`; the same message always gives the same signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

/// Whether this starts like the PKCS#8 of any Ed25519 private key, version 1 or 2.
pub(super) fn looks_like_pkcs8(der: &[u8]) -> bool {
    matches!(
        der,
        [
            0x30,
            _,
            0x02,
            0x01,
            0x00 | 0x01,
            0x30,
            0x05,
            0x06,
            0x03,
            0x2b,
            0x65,
            0x70,
            ..
        ]
    )
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(secret of {})", self.key_id())
    }
}
