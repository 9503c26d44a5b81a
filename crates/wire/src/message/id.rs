use std::fmt;
use std::str::FromStr;

/// A message's id: 1 to 128 of `[A-Za-z0-9._:-]`, compared exactly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(Box<str>);

/// The text is not a message id. Likely cause: blanks or other characters, or more than 128.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a message id: 1 to 128 letters, digits, dots, underscores, colons or dashes are needed"
)]
pub struct NotAMessageId;

impl MessageId {
    /// A new random id, in the form of a UUID version 4 (RFC 9562, 5.4).
    #[must_use]
    pub fn new_v4() -> Self {
        Self(uuid::Uuid::from_bytes(uuid_v4_bytes()).to_string().into())
    }

    /// Checks `text` as it is.
    ///
    /// # Errors
    /// [`NotAMessageId`].
    pub fn new(text: &str) -> Result<Self, NotAMessageId> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'-');
        if (1..=128).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(NotAMessageId)
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn uuid_v4_bytes() -> uuid::Bytes {
    *uuid::Builder::from_random_bytes(crate::random::bytes())
        .as_uuid()
        .as_bytes()
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for MessageId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for MessageId {
    type Err = NotAMessageId;

    fn from_str(text: &str) -> Result<Self, NotAMessageId> {
        Self::new(text)
    }
}

impl serde::Serialize for MessageId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for MessageId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::encoding::deserialize_str(deserializer)
    }
}
