//! A message between two Tieline nodes, and the hash that names its content.

mod id;
mod payload;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

pub use id::{MessageId, NotAMessageId};
pub use payload::{MAX_TYPE, PayloadError, payload_type};

use crate::bytes::lp;
use crate::encoding::bytes_type;
use crate::key::KeyId;
use crate::time::UnixMillis;

bytes_type!(
    /// SHA-256 over a message's canonical form, see [`Envelope::content_hash`].
    ContentHash,
    32,
    "a content hash"
);

const VERSION: u64 = 1;

/// One message with its addressing.
///
/// On the wire: `{"v":1,"id":…,"from":…,"to":…,"sentAt":…,"payload":{…}}`. The payload's bytes
/// travel as they were given, so that its hash needs no canonical JSON.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// Chosen by the sender; the same on every route and every retry.
    pub id: MessageId,
    /// The sender's signing key.
    pub from: KeyId,
    /// The recipient's signing key.
    pub to: KeyId,
    /// When the sender accepted it, by the sender's clock.
    pub sent_at: UnixMillis,
    /// The JSON object with at least a non-empty string `type`, byte for byte.
    pub payload: Box<RawValue>,
}

/// Bytes that are not an acceptable message.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Not JSON of the message's shape: something missing, repeated, unknown or after the end.
    /// Likely cause: a sender of another version, or a damaged body.
    #[error("the message cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Made by a newer version of this program.
    #[error("the message has version {0}, and only version 1 is understood")]
    Version(u64),
    /// The payload is not acceptable.
    #[error(transparent)]
    Payload(#[from] PayloadError),
}

impl Envelope {
    /// A message from its parts. `payload` is kept byte for byte, apart from white space around it.
    ///
    /// # Errors
    /// [`PayloadError`].
    pub fn new(
        id: MessageId,
        from: KeyId,
        to: KeyId,
        sent_at: UnixMillis,
        payload: &str,
    ) -> Result<Self, PayloadError> {
        let payload: Box<RawValue> =
            serde_json::from_str(payload).map_err(PayloadError::Malformed)?;
        payload::check(payload.get())?;
        Ok(Self {
            id,
            from,
            to,
            sent_at,
            payload,
        })
    }

    /// Reads a message strictly: no field missing, repeated or unknown, nothing after the end, no
    /// repeated key anywhere in the payload.
    ///
    /// The caller bounds the length, and checks that `from` and `to` are who they should be.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn parse(body: &[u8]) -> Result<Self, EnvelopeError> {
        let wire: Wire = serde_json::from_slice(body)?;
        if wire.v != VERSION {
            return Err(EnvelopeError::Version(wire.v));
        }
        payload::check(wire.payload.get())?;
        let Wire {
            v: _,
            id,
            from,
            to,
            sent_at,
            payload,
        } = wire;
        Ok(Self {
            id,
            from,
            to,
            sent_at,
            payload,
        })
    }

    /// The message as it travels.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // No field needs escaping: the id's alphabet, base64url, a time, and JSON as it is.
        let Self {
            id,
            from,
            to,
            sent_at,
            payload,
        } = self;
        format!(
            r#"{{"v":{VERSION},"id":"{id}","from":"{from}","to":"{to}","sentAt":"{sent_at}","payload":{payload}}}"#,
        )
        .into_bytes()
    }

    /// SHA-256 of `lp("tieline-message-v1", id, from, to, sentAt, payload)`, where `sentAt` is the
    /// number of Unix milliseconds as a big-endian `i64` and the payload is its exact bytes.
    #[must_use]
    pub fn content_hash(&self) -> ContentHash {
        let canonical = lp(&[
            b"tieline-message-v1",
            self.id.as_str().as_bytes(),
            self.from.as_bytes(),
            self.to.as_bytes(),
            &self.sent_at.0.to_be_bytes(),
            self.payload.get().as_bytes(),
        ]);
        ContentHash(Sha256::digest(canonical).into())
    }

    /// The payload's `type`.
    #[must_use]
    pub fn payload_type(&self) -> String {
        payload_type(self.payload.get()).unwrap_or_default()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire {
    v: u64,
    id: MessageId,
    from: KeyId,
    to: KeyId,
    sent_at: UnixMillis,
    payload: Box<RawValue>,
}

impl Serialize for Envelope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut out = serializer.serialize_struct("Envelope", 6)?;
        out.serialize_field("v", &VERSION)?;
        out.serialize_field("id", &self.id)?;
        out.serialize_field("from", &self.from)?;
        out.serialize_field("to", &self.to)?;
        out.serialize_field("sentAt", &self.sent_at)?;
        out.serialize_field("payload", &self.payload)?;
        out.end()
    }
}
