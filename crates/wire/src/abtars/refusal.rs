//! What an abTARS server answers instead of serving: status and body for each cause.
//!
//! The bodies are `{"error":{"message","type","code"}}` with `Content-Type: application/json`,
//! except where [`Refusal::body`] says otherwise. The texts are what peers' programs compare.

use serde::Serialize;
use serde_json::{Value, json};

/// Seconds that a peer has to leave between two changing requests other than asks.
pub const BUCKET_SECONDS: u64 = 10;

/// Why a request is not served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub enum Refusal {
    /// No route has this method and path. Answered before any proof is looked at.
    NoRoute,
    /// No header `X-Peer-Id`.
    MissingPeerId,
    /// The body is over [6 MiB](super::MAX_BODY).
    BodyTooLarge,
    /// No peer has the name given.
    UnknownPeer,
    /// The signature does not hold, for whatever reason; a replay too.
    InvalidSignature,
    /// Legacy: no `Authorization: Bearer`.
    MissingBearer,
    /// Legacy: the bearer is nobody's.
    InvalidBearer,
    /// A changing request within ten seconds of this peer's last one.
    Bucket,
    /// No hops are left.
    HopExceeded,
    /// The caller's hourly or daily allowance is used up.
    RateLimited {
        /// Who asks.
        caller: String,
        /// Seconds until it may again.
        retry_after: u64,
    },
    /// Legacy: the body is not JSON. The current generation answers [`Internal`](Self::Internal).
    InvalidJson,
    /// There is no text in the last message.
    EmptyPrompt,
    /// The peer has to tag its texts, and this one has no tag.
    SignatureRequired,
    /// The peer has to tag its texts, and this tag does not hold.
    SignatureInvalid,
    /// The scanner for injected instructions rejected the text.
    InjectionDetected,
    /// Nothing is there to answer.
    AdapterUnavailable,
    /// No model has this id.
    ModelNotFound(String),
    /// The help service is off.
    HelpUnavailable,
    /// A callback for a task that is not known here.
    NoSuchTask,
    /// A field that the route needs is missing.
    MissingField(&'static str),
    /// For programs on the same machine only.
    LoopbackOnly,
    /// It failed while being served: unreadable body, failed or silent answerer, broken store.
    Internal,
}

/// One row of the table.
struct Row {
    status: u16,
    kind: &'static str,
    code: Option<&'static str>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    message: &'a str,
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
}

impl Refusal {
    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.row().status
    }

    /// `error.code` of the body, where it has one.
    #[must_use]
    pub const fn code(&self) -> Option<&'static str> {
        self.row().code
    }

    /// The header `Retry-After`, in seconds.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Bucket => Some(BUCKET_SECONDS),
            Self::RateLimited { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// The body. `None` where there is none, and then no content type either.
    #[must_use]
    pub fn body(&self) -> Option<String> {
        let Row { kind, code, .. } = self.row();
        let message = self.message();
        let body = match self {
            Self::NoRoute => return None,
            Self::LoopbackOnly => json!({"ok": false, "error": message}),
            _ => json!(Body {
                error: Inner {
                    message: &message,
                    r#type: kind,
                    code,
                },
            }),
        };
        Some(Value::to_string(&body))
    }

    /// The text in the body.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::NoRoute => "Not found",
            Self::MissingPeerId => "Missing X-Peer-Id header",
            Self::BodyTooLarge => "Request body too large",
            Self::UnknownPeer => "Unknown peer",
            Self::InvalidSignature => "Invalid request signature",
            Self::MissingBearer => "Missing bearer token",
            Self::InvalidBearer => "Invalid bearer token",
            Self::Bucket => "Rate limit: max 1 request per 10s per peer",
            Self::HopExceeded => "Peer hop limit reached",
            Self::RateLimited { caller, .. } => return format!("Rate limit exceeded for {caller}"),
            Self::InvalidJson => "Invalid JSON body",
            Self::EmptyPrompt => "No user message content",
            Self::SignatureRequired => "Signature required",
            Self::SignatureInvalid => "Invalid signature",
            Self::InjectionDetected => "Message rejected by injection scanner",
            Self::AdapterUnavailable => "A2A adapter not initialized",
            Self::ModelNotFound(id) => return format!("Model '{id}' not found"),
            Self::HelpUnavailable => "Help service not available",
            Self::NoSuchTask => "No matching local card",
            Self::MissingField(field) => return format!("Missing field: {field}"),
            Self::LoopbackOnly => "loopback only",
            Self::Internal => "Internal server error",
        }
        .to_owned()
    }

    const fn row(&self) -> Row {
        let (status, kind, code) = match self {
            Self::NoRoute => (404, "", None),
            Self::MissingPeerId | Self::UnknownPeer | Self::MissingBearer | Self::InvalidBearer => {
                (401, "authentication_error", Some("invalid_api_key"))
            }
            Self::BodyTooLarge => (413, "invalid_request_error", Some("body_too_large")),
            Self::InvalidSignature => (401, "authentication_error", Some("sig_invalid")),
            Self::Bucket => (429, "rate_limit_error", Some("rate_limited")),
            Self::HopExceeded => (429, "loop_detected", Some("hop_exceeded")),
            Self::RateLimited { .. } => (429, "rate_limit_error", Some("rate_limit")),
            Self::InvalidJson => (400, "invalid_request_error", Some("invalid_body")),
            Self::EmptyPrompt => (400, "invalid_request_error", Some("empty_prompt")),
            Self::SignatureRequired => (403, "authentication_error", Some("signature_missing")),
            Self::SignatureInvalid => (403, "authentication_error", Some("signature_invalid")),
            Self::InjectionDetected => (400, "security_error", Some("injection_detected")),
            Self::AdapterUnavailable => (503, "server_error", Some("adapter_unavailable")),
            Self::ModelNotFound(_) => (404, "invalid_request_error", Some("model_not_found")),
            Self::HelpUnavailable => (503, "server_error", None),
            Self::NoSuchTask => (404, "not_found_error", Some("not_found")),
            Self::MissingField(_) => (400, "invalid_request_error", Some("missing_field")),
            Self::LoopbackOnly => (401, "", None),
            Self::Internal => (500, "server_error", None),
        };
        Row { status, kind, code }
    }
}
