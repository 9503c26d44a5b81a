use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The `token` of a peer's entry: a secret text that both sides hold.
///
/// Its UTF-8 bytes are the key; nothing is decoded. Wiped when dropped, never shown by `Debug`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SharedToken(String);

/// An empty text is no secret: everybody could use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the token is empty")]
pub struct EmptyToken;

impl SharedToken {
    /// Takes a token as it stands in the file.
    ///
    /// # Errors
    /// [`EmptyToken`].
    pub fn new(text: impl Into<String>) -> Result<Self, EmptyToken> {
        let text = text.into();
        if text.is_empty() {
            return Err(EmptyToken);
        }
        Ok(Self(text))
    }

    /// The secret, for the vault and for the other side's file.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `given` is this token; takes the same time wherever they differ.
    #[must_use]
    pub fn is(&self, given: &str) -> bool {
        // Through a hash, so that not even the length shows.
        Sha256::digest(&self.0).ct_eq(&Sha256::digest(given)).into()
    }
}

impl PartialEq for SharedToken {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for SharedToken {}

impl fmt::Debug for SharedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedToken(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_compared_whole_and_never_shown() {
        let token = SharedToken::new("correct horse").unwrap();
        assert!(token.is("correct horse"));
        for wrong in ["", "correct", "correct horse ", "Correct horse"] {
            assert!(!token.is(wrong), "{wrong:?}");
        }
        assert!(!format!("{token:?}").contains("horse"));
        assert_eq!(SharedToken::new(""), Err(EmptyToken));
    }
}
