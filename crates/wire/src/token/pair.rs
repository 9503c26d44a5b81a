use std::fmt;

use base64::Engine;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::bytes::lp;
use crate::encoding::{URL_SAFE_NO_PAD, decode_exact, decode_lenient};
use crate::mac::keyed;

/// The secret two paired nodes share: exporter output of their first mutually pinned connection.
///
/// Wiped when dropped, never shown by `Debug`. It adds a second secret to each request token; it
/// is never the key of a JWT.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PairToken([u8; 32]);

/// The text is not base64 of 32 bytes. Likely cause: it was cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a pair token: expected base64 of 32 bytes")]
pub struct NotAPairToken;

impl PairToken {
    /// The pair token with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads base64 in either alphabet.
    ///
    /// # Errors
    /// [`NotAPairToken`].
    pub fn parse(text: &str) -> Result<Self, NotAPairToken> {
        let bytes = Zeroizing::new(decode_lenient(text).ok_or(NotAPairToken)?);
        bytes
            .as_slice()
            .try_into()
            .map(Self)
            .map_err(|_| NotAPairToken)
    }

    /// The secret bytes, for the vault.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The secret as unpadded base64url, the documented `token` of a peer's entry.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl PartialEq for PairToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for PairToken {}

impl fmt::Debug for PairToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairToken(secret)")
    }
}

/// HMAC-SHA256 by the pair token over `lp("tieline-pair-mac-v1", token)`, in unpadded base64url.
#[must_use]
pub fn pair_mac(pair: &PairToken, token: &str) -> String {
    URL_SAFE_NO_PAD.encode(mac(pair, token).finalize().into_bytes())
}

/// Whether `given` is the [`pair_mac`] of `token`; takes the same time wherever they differ.
#[must_use]
pub fn check_pair_mac(pair: &PairToken, token: &str, given: &str) -> bool {
    decode_exact::<32>(given).is_some_and(|given| mac(pair, token).verify_slice(&given).is_ok())
}

fn mac(pair: &PairToken, token: &str) -> Hmac<Sha256> {
    keyed(&pair.0).chain_update(lp(&[b"tieline-pair-mac-v1", token.as_bytes()]))
}
