//! Sealing of pair tokens and invite secrets in the database.
//!
//! The database is plaintext at rest; what could be used to speak as somebody is sealed with a
//! key that only the vault holds. XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), random nonce in
//! front, the row's purpose as associated data so that a sealed value cannot be moved.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use tieline_wire::problem::{Code, Problem};
use zeroize::Zeroizing;

const NONCE: usize = 24;

/// The key. Cannot be printed.
pub(crate) struct SealKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for SealKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SealKey(..)")
    }
}

impl SealKey {
    /// A new random key.
    ///
    /// # Errors
    /// `INTERNAL` where the operating system gives no randomness.
    pub(crate) fn generate() -> Result<Self, Problem> {
        let mut key = Zeroizing::new([0; 32]);
        random(key.as_mut_slice())?;
        Ok(Self(key))
    }

    /// Reads what [`SealKey::to_base64`] wrote.
    #[must_use]
    pub(crate) fn from_base64(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
        let key: [u8; 32] = bytes.as_slice().try_into().ok()?;
        Some(Self(Zeroizing::new(key)))
    }

    /// For the vault.
    #[must_use]
    pub(crate) fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_slice()))
    }

    /// A secret of its own for `purpose`, the same each time: HKDF-SHA256 over this key.
    #[must_use]
    pub(crate) fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mut derived = Zeroizing::new([0; 32]);
        // 32 bytes is within what HKDF gives, so this cannot fail; a failure would leave zeros.
        let expanded = Hkdf::<Sha256>::new(None, self.0.as_slice())
            .expand(purpose.as_bytes(), derived.as_mut_slice());
        debug_assert!(expanded.is_ok());
        derived
    }

    /// Seals `plain` for `purpose`.
    ///
    /// # Errors
    /// `INTERNAL` where the operating system gives no randomness.
    pub(crate) fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, Problem> {
        let mut nonce = [0; NONCE];
        random(&mut nonce)?;
        let payload = Payload {
            msg: plain,
            aad: purpose.as_bytes(),
        };
        let sealed = self
            .cipher()
            .encrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| Problem::new(Code::Internal).because("Sealing a secret failed."))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for the same purpose; `None` when it was altered or moved.
    #[must_use]
    pub(crate) fn open(&self, purpose: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE)?;
        let payload = Payload {
            msg: ciphertext,
            aad: purpose.as_bytes(),
        };
        let plain = self
            .cipher()
            .decrypt(XNonce::from_slice(nonce), payload)
            .ok()?;
        Some(Zeroizing::new(plain))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.0.as_slice().into())
    }
}

fn random(bytes: &mut [u8]) -> Result<(), Problem> {
    getrandom::fill(bytes).map_err(|error| {
        Problem::new(Code::Internal)
            .because(format!("The operating system gave no randomness: {error}."))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_unaltered_and_for_its_purpose() {
        let key = SealKey::generate().unwrap();
        let sealed = key.seal("pair-token:1", b"secret").unwrap();
        assert_eq!(
            key.open("pair-token:1", &sealed).unwrap().as_slice(),
            b"secret"
        );
        assert!(key.open("pair-token:2", &sealed).is_none());
        let mut altered = sealed.clone();
        *altered.last_mut().unwrap() ^= 1;
        assert!(key.open("pair-token:1", &altered).is_none());
        assert!(key.open("pair-token:1", &sealed[..10]).is_none());
        let again = SealKey::from_base64(&key.to_base64()).unwrap();
        assert!(again.open("pair-token:1", &sealed).is_some());
    }
}
