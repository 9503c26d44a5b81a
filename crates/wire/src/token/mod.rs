//! Request tokens between Tieline nodes: one EdDSA JWT (RFC 7519, RFC 8037) per request, bound to
//! the request and to the TLS connection it travels on.
//!
//! Freshness rests on the connection, not on a clock: `cb` is the TLS exporter (RFC 9266) of this
//! very connection, and `jti` never repeats on it. A token taken to another connection, another
//! request or another node is worthless. `iat` and `exp` are there for other JWT tools to show;
//! they are checked for type and order, and never against a clock.

mod jti;
mod pair;
mod sign;
mod verify;

pub use jti::{JtiError, JtiWindow};
pub use pair::{NotAPairToken, PairToken, check_pair_mac, pair_mac};
pub use sign::TokenSigner;
pub use verify::{Claims, TokenError, TokenVerifier};

use sha2::{Digest, Sha256};

/// Seconds between a token's `iat` and `exp`.
const LIFETIME: i64 = 60;

/// The request a token speaks for, and the connection it may travel on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding<'a> {
    /// HTTP method, upper case as on the request line.
    pub method: &'a str,
    /// Request target as sent: path and query, not normalised.
    pub path: &'a str,
    /// SHA-256 of the body's bytes, see [`body_hash`].
    pub body_hash: [u8; 32],
    /// Exporter output of the TLS connection, equal on both of its ends.
    pub channel: [u8; 32],
}

/// SHA-256 of a request body; of nothing if there is none.
#[must_use]
pub fn body_hash(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}
