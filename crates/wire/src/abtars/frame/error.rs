use serde::{Deserialize, Serialize};
use serde_json::json;

/// The error in a response, in the peer's words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RemoteError {
    /// One of the codes of [`FrameError`], or another.
    pub code: String,
    /// The text.
    pub message: String,
    /// Whether the same request may be sent again.
    pub retryable: bool,
}

/// Why a request is answered with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Not version 1. Likely cause: a release before v0.4.0.
    #[error("Invalid request version")]
    Version,
    /// No method, or one that is too long.
    #[error("Invalid request method")]
    Method,
    /// The body is not a text, or over 512 KiB.
    #[error("Invalid request body")]
    Body,
    /// No `auth`. Likely cause: a release before v0.4.0.
    #[error("Invalid request authentication")]
    Authentication,
    /// The sender's name has no acceptable form.
    #[error("Invalid request peer")]
    Peer,
    /// The time is not 1 to 16 digits in a text.
    #[error("Invalid request timestamp")]
    Timestamp,
    /// The nonce is not 32 lower-case hex digits.
    #[error("Invalid request nonce")]
    Nonce,
    /// The signature is not base64 of 64 bytes.
    #[error("Invalid request signature")]
    Signature,
    /// The body's text is not JSON of the method's shape.
    #[error("Malformed body")]
    MalformedBody,
    /// No method of this name is served.
    #[error("Unsupported request method")]
    UnsupportedMethod,
    /// The sender is not the peer of this connection.
    #[error("Peer identity mismatch")]
    IdentityMismatch,
    /// The sender is no peer any more.
    #[error("Peer not enrolled")]
    NotEnrolled,
    /// More than 30 seconds off.
    #[error("Request auth failed: stale_ts")]
    StaleTs,
    /// The signature does not match.
    #[error("Request auth failed: bad_sig")]
    BadSig,
    /// The nonce was used before.
    #[error("Nonce replay")]
    NonceReplay,
    /// The nonce could not be recorded.
    #[error("Store error")]
    Store,
    /// It failed while being served.
    #[error("Internal server error")]
    Handler,
}

impl FrameError {
    /// The code in the response.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Version
            | Self::Method
            | Self::Body
            | Self::Authentication
            | Self::Peer
            | Self::Timestamp
            | Self::Nonce
            | Self::Signature
            | Self::MalformedBody => "invalid_frame",
            Self::UnsupportedMethod => "unsupported_method",
            Self::IdentityMismatch
            | Self::NotEnrolled
            | Self::StaleTs
            | Self::BadSig
            | Self::NonceReplay
            | Self::Store => "auth_failed",
            Self::Handler => "handler_error",
        }
    }

    /// The response to a request.
    #[must_use]
    pub fn to_json(self, id: &str) -> String {
        let error = RemoteError {
            code: self.code().to_owned(),
            message: self.to_string(),
            retryable: false,
        };
        json!({"type": "response", "id": id, "error": error}).to_string()
    }
}
