//! HMAC-SHA256 (RFC 2104) and HKDF-SHA256 (RFC 5869).

use hkdf::Hkdf;
use hmac::digest::InvalidLength;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// An HMAC with this key, ready for its message.
pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key)
        .unwrap_or_else(|InvalidLength| unreachable!("HMAC takes keys of any length"))
}

/// Derives `N` bytes from a secret for one purpose, without salt.
pub(crate) fn derive<const N: usize>(secret: &[u8], purpose: &[u8]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= 255 * 32, "more than HKDF gives") };
    let mut out = Zeroizing::new([0; N]);
    if Hkdf::<Sha256>::new(None, secret)
        .expand(purpose, &mut *out)
        .is_err()
    {
        unreachable!("the length was checked above");
    }
    out
}
