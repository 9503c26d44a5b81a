use std::fmt;
use std::str::FromStr;

use base64::Engine;

use crate::encoding::{self, STANDARD};

/// An Ed25519 signature (RFC 8032); standard base64 of its 64 bytes in text and JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

/// The text is not base64 of 64 bytes. Likely cause: it was cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a signature: expected base64 of 64 bytes")]
pub struct NotASignature;

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

impl FromStr for Signature {
    type Err = NotASignature;

    /// Accepts both base64 alphabets and missing padding, as other dialects' receivers do.
    fn from_str(text: &str) -> Result<Self, NotASignature> {
        let bytes = encoding::decode_lenient(text).ok_or(NotASignature)?;
        bytes.try_into().map(Self).map_err(|_| NotASignature)
    }
}

impl serde::Serialize for Signature {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Signature {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        encoding::deserialize_str(deserializer)
    }
}
