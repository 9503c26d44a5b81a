//! Enrolment with a tribe token: how two current abTARS machines come to know each other's keys.
//!
//! Over `wss://host:port/v1/enroll-ws`, in four frames of JSON. Both hold the tribe token, copied
//! by hand; nothing else is shown, and a machine that has it is taken in without a question. Where
//! that is too little, more is demanded here:
//!
//! - The key in the last frame must be the one in the second, and both must be the key of the TLS
//!   certificate. Otherwise a relay without the token could put its own key in the last frame.
//! - Codes are compared in constant time, and names must have a form.
//! - A person is asked: the responder gets a [`Candidate`], and only [`Candidate::accept`] makes
//!   the frame that ends it. The initiator gives up after [`TIMEOUT_SECONDS`]; a person who takes
//!   longer lets the other side try again.
//! - A name whose key is another than before is refused, see [`Candidate::check_known`].
//!
//! The initiator has to send the header `X-Peer-Port`, without which abTARS notes port 0.

mod initiator;
mod responder;

use std::fmt;

use base64::Engine;
use hmac::Mac;
use serde::de::DeserializeOwned;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::names::NameError;
use super::{clock, hex};
use crate::encoding::{STANDARD, decode_lenient};
use crate::mac::keyed;
use crate::time::UnixMillis;

pub use initiator::{AwaitingAck, Initiator};
pub use responder::{Candidate, Responder};

/// The route of the upgrade.
pub const PATH: &str = "/v1/enroll-ws";
/// Header with the port on which the initiator listens.
pub const PEER_PORT: &str = "x-peer-port";
/// How long the initiator waits in all.
pub const TIMEOUT_SECONDS: u64 = 30;
/// The largest frame, in bytes; a real one has less than 500.
const MAX_FRAME: usize = 8 * 1024;

/// The tribe token: whoever holds it can enrol. Wiped when dropped, never shown by `Debug`.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct TribeToken(Vec<u8>);

impl TribeToken {
    /// A new token: 32 random bytes.
    #[must_use]
    pub fn generate() -> Self {
        Self(crate::random::bytes::<32>().to_vec())
    }

    /// Reads the base64 of `self.tribeToken`; `None` for what is not base64 of 16 bytes or more.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = decode_lenient(text)?;
        (bytes.len() >= 16).then_some(Self(bytes))
    }

    /// The secret as it stands in the file.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(&self.0))
    }

    /// HMAC-SHA256 over the two texts together, in lower-case hex.
    fn mac(&self, key: &str, nonce: &str) -> String {
        let mac = keyed(&self.0).chain_update(key).chain_update(nonce);
        hex::encode(&mac.finalize().into_bytes())
    }

    fn check(&self, key: &str, nonce: &str, given: &str) -> bool {
        hex::decode::<32>(given).is_some_and(|given| {
            keyed(&self.0)
                .chain_update(key)
                .chain_update(nonce)
                .verify_slice(&given)
                .is_ok()
        })
    }
}

impl fmt::Debug for TribeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TribeToken(secret)")
    }
}

/// Why an enrolment ended. [`close`](Self::close) is what the other side is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnrolError {
    /// The first frame cannot be read, or brings our own key.
    #[error("the first frame cannot be read")]
    InvalidKnock,
    /// Another frame cannot be read.
    #[error("a frame cannot be read")]
    InvalidMessage,
    /// More than 30 seconds off. Likely cause: one of the two clocks is wrong, or a replay.
    #[error("the other machine's clock is more than 30 seconds off")]
    StaleTs,
    /// An answer to another attempt.
    #[error("the answer belongs to another attempt")]
    NonceMismatch,
    /// The two tribe tokens differ.
    #[error("the two machines have different tribe tokens")]
    MacMismatch,
    /// The initiator does not hold the key that it shows.
    #[error("the other machine does not hold the key that it shows")]
    BadSelfSig,
    /// The responder does not hold the key that it shows.
    #[error("the other machine's last word is not signed with its key")]
    BadAckSig,
    /// The key is not the certificate's, or changed on the way. Likely cause: something between
    /// the two machines, or a machine whose certificate was made separately.
    #[error("the key is not that of the connection's certificate")]
    KeyMismatch,
    /// The name is known here with another key.
    #[error("this name is known with another key")]
    KeyChanged,
    /// The name has no acceptable form.
    #[error("the other machine's name cannot be used: {0}")]
    Name(NameError),
    /// The person said no.
    #[error("the enrolment was declined")]
    Declined,
    /// This address tried a short while ago.
    #[error("this address tried a short while ago")]
    RateLimited,
    /// A frame after the last one.
    #[error("a frame came after the enrolment")]
    UnexpectedFrame,
    /// It failed on this machine.
    #[error("the enrolment failed on this machine")]
    Internal,
}

impl EnrolError {
    /// The WebSocket close code and reason, in abTARS's words where it has one.
    #[must_use]
    pub const fn close(self) -> (u16, &'static str) {
        match self {
            Self::InvalidKnock => (1008, "invalid knock"),
            Self::InvalidMessage | Self::Name(_) | Self::Declined => (1008, "invalid enroll msg"),
            Self::StaleTs => (1008, "stale ts"),
            Self::NonceMismatch => (1008, "nonce mismatch"),
            Self::MacMismatch => (1008, "mac mismatch"),
            Self::BadSelfSig | Self::BadAckSig => (1008, "bad selfSig"),
            Self::KeyMismatch | Self::KeyChanged => {
                (1008, "key changed — operator action required")
            }
            Self::RateLimited => (1008, "rate limited"),
            Self::UnexpectedFrame => (1008, "unexpected frame after enrollment"),
            Self::Internal => (1011, "enrollment error"),
        }
    }
}

/// What the initiator signs to show that it holds its key.
fn self_text(key: &str, nonce_r: &str, name: &str) -> String {
    format!("abtars-enroll-v1\n{key}\n{nonce_r}\n{name}")
}

/// What the responder signs.
fn ack_text(name: &str, key: &str, nonce_r: &str) -> String {
    format!("abtars-enroll-v1\nack\n{name}\n{key}\n{nonce_r}")
}

fn read<T: DeserializeOwned>(frame: &str, error: EnrolError) -> Result<T, EnrolError> {
    if frame.len() > MAX_FRAME {
        return Err(error);
    }
    serde_json::from_str(frame).map_err(|_| error)
}

fn check_time(ts: i64, now: UnixMillis) -> Result<(), EnrolError> {
    if clock::is_fresh(ts, now) {
        Ok(())
    } else {
        Err(EnrolError::StaleTs)
    }
}
