use sha2::{Digest, Sha256};

use crate::encoding::bytes_type;

bytes_type!(
    /// SHA-256 of a public key's SubjectPublicKeyInfo DER; 43 characters of base64url as text.
    ///
    /// It names a node in messages, tokens and receipts (there, of the signing key), and it is the
    /// TLS pin (there, of the certificate's key), the same value HPKP used (RFC 7469, 2.4).
    KeyId,
    32,
    "a key id"
);

impl KeyId {
    /// The id of the key in this SubjectPublicKeyInfo.
    #[must_use]
    pub fn of_spki(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}
