//! Ed25519 keys, their text forms and their ids.
//!
//! Two keys make a node: the TLS key, whose [`KeyId`] peers pin, and the signing key for request
//! tokens, receipts and pairing proofs. Both are values of the types here.
//!
//! Text forms follow RFC 8410: public keys as SubjectPublicKeyInfo (44 bytes), private keys as
//! PKCS#8 version 1 (48 bytes). The longer version 2 form is read but never written, because
//! OpenSSL 3.0 cannot read it.

mod id;
mod signature;
mod signing;
mod verify;

pub use id::KeyId;
pub use signature::{NotASignature, Signature};
pub use signing::SigningKey;
pub use verify::{BadSignature, VerifyKey};

/// A text or byte string that is not an acceptable Ed25519 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Neither base64 nor PEM. Likely cause: only part of the key was copied.
    #[error("the key is neither base64 nor PEM")]
    NotText,
    /// Decoded, but not the DER of an Ed25519 key. Likely cause: an RSA or ECDSA key, or a
    /// certificate where a key was expected.
    #[error("the key is not an Ed25519 key in the standard encoding")]
    NotEd25519,
    /// The 32 raw bytes without their DER header. Likely cause: exported by a tool that omits it.
    #[error("the key lacks its header: 44 bytes are needed, not the raw 32")]
    Raw,
    /// A private key where a public one was expected. It should be considered exposed.
    #[error("this is a private key, and a public key is needed")]
    Private,
    /// A public key where a private one was expected.
    #[error("this is a public key, and a private key is needed")]
    Public,
    /// The point is not on the curve, or not in its one canonical encoding (RFC 8032, 5.1.3).
    /// Likely cause: a damaged copy.
    #[error("the key's bytes are not a valid point")]
    Invalid,
    /// The point has small order, so that anybody can make signatures that verify under it.
    /// No honest program makes such a key.
    #[error("the key is one of the known weak keys, under which anybody can sign")]
    Weak,
}
