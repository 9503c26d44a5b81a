use std::fmt::Write;

use hmac::Mac;
use serde::{Deserialize, Serialize};

use crate::mac::keyed;

/// What to do with LAN messages that carry no signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Posture {
    /// Refuse them.
    #[default]
    Enforce,
    /// Accept them as of unknown origin.
    Permissive,
}

/// What is known about where an accepted LAN message came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// Signed by somebody who holds the shared secret.
    Signed,
    /// From anybody on the network.
    Unauthenticated,
}

/// Why a LAN message was refused; the texts are the documented ones, the status is 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureRefusal {
    /// No header `X-Signature`. Likely cause: the sender has no secret.
    #[error("Signature required")]
    Missing,
    /// The signature does not match. Likely cause: the two machines have different secrets.
    #[error("Invalid signature")]
    Wrong,
    /// This machine has no secret to check with.
    #[error("Keychain secret unavailable")]
    NoSecret,
}

/// The header `X-Signature` for a body: HMAC-SHA256 by the shared secret over its exact bytes, as
/// lower-case hex.
#[must_use]
pub fn sign(secret: &[u8], body: &[u8]) -> String {
    let mac = keyed(secret).chain_update(body).finalize().into_bytes();
    mac.iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Whether `header` is the signature of `body`, in either case of hex; takes the same time
/// wherever they differ.
#[must_use]
pub fn check(secret: &[u8], body: &[u8], header: &str) -> bool {
    from_hex(header.trim()).is_some_and(|given| {
        keyed(secret)
            .chain_update(body)
            .verify_slice(&given)
            .is_ok()
    })
}

/// Decides on a received message. A wrong signature is refused under either posture.
///
/// # Errors
/// [`SignatureRefusal`].
pub fn judge(
    posture: Posture,
    secret: Option<&[u8]>,
    header: Option<&str>,
    body: &[u8],
) -> Result<Provenance, SignatureRefusal> {
    match (secret, header, posture) {
        (Some(secret), Some(header), _) if check(secret, body, header) => Ok(Provenance::Signed),
        (Some(_), Some(_), _) => Err(SignatureRefusal::Wrong),
        (_, _, Posture::Permissive) => Ok(Provenance::Unauthenticated),
        (Some(_), None, Posture::Enforce) => Err(SignatureRefusal::Missing),
        (None, _, Posture::Enforce) => Err(SignatureRefusal::NoSecret),
    }
}

fn from_hex(hex: &str) -> Option<[u8; 32]> {
    if hex.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(value).ok()?;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_posture_table_holds() {
        use Posture::{Enforce, Permissive};
        let (secret, body) = (b"test-secret".as_slice(), b"{}".as_slice());
        let good = sign(secret, body);
        let cases = [
            (
                Some(secret),
                Some(good.as_str()),
                Ok(Provenance::Signed),
                Ok(Provenance::Signed),
            ),
            (
                Some(secret),
                None,
                Ok(Provenance::Unauthenticated),
                Err(SignatureRefusal::Missing),
            ),
            (
                Some(secret),
                Some("deadbeef"),
                Err(SignatureRefusal::Wrong),
                Err(SignatureRefusal::Wrong),
            ),
            (
                Some(secret),
                Some(""),
                Err(SignatureRefusal::Wrong),
                Err(SignatureRefusal::Wrong),
            ),
            (
                None,
                Some(good.as_str()),
                Ok(Provenance::Unauthenticated),
                Err(SignatureRefusal::NoSecret),
            ),
            (
                None,
                None,
                Ok(Provenance::Unauthenticated),
                Err(SignatureRefusal::NoSecret),
            ),
        ];
        for (secret, header, permissive, enforce) in cases {
            assert_eq!(
                judge(Permissive, secret, header, body),
                permissive,
                "{header:?}"
            );
            assert_eq!(judge(Enforce, secret, header, body), enforce, "{header:?}");
        }
    }

    #[test]
    fn a_signature_covers_every_byte_and_the_secret() {
        let good = sign(b"secret", b"body");
        assert!(check(b"secret", b"body", &good.to_uppercase()));
        assert!(!check(b"secret", b"bodY", &good));
        assert!(!check(b"Secret", b"body", &good));
        assert!(!check(b"secret", b"body", &good[..62]));
        assert!(!check(
            b"secret",
            b"body",
            &good.replace(|c: char| c.is_ascii_digit(), "é")
        ));
    }
}
