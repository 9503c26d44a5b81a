//! `peer_ask` from the asking side: what its failures are called, and what they mean.

use serde_json::Value;

use super::chat::Answer;
use crate::problem::{Code, Problem};

/// How long abTARS waits for an answer unless its file says otherwise, in milliseconds.
pub const TIMEOUT_MILLIS: u64 = 60_000;

/// Characters of a peer's answer that an error quotes.
const QUOTED: usize = 200;
const QUOTED_NOT_JSON: usize = 100;

/// Why an ask got no answer. `Display` is the text of the real client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// No peer has this name.
    #[error("peer_not_enrolled: Unknown peer: {0}")]
    UnknownPeer(String),
    /// The name is one of this machine's own sessions.
    #[error("local_session_not_peer: {0}")]
    LocalSession(String),
    /// No answer in time. The peer may still be working on it, and nobody will get the answer.
    #[error("Peer '{address}' timed out ({millis}ms)")]
    Timeout {
        /// Host and port asked.
        address: String,
        /// The wait.
        millis: u64,
    },
    /// No connection, or the certificate is not the peer's.
    #[error("Peer unreachable: {0}")]
    Unreachable(String),
    /// The peer does not take our proof. Likely cause: it holds another key or secret of ours,
    /// knows us by another name, or one of the two clocks is wrong.
    #[error("Peer rejected auth ({0})")]
    AuthFailed(u16),
    /// The hops were used up. Likely cause: agents that ask each other in a circle.
    #[error("Peer refused — hop limit reached")]
    HopExceeded,
    /// The peer's limit for this machine is reached. The real client calls this a hop limit.
    #[error("Peer refused — {message}")]
    RateLimited {
        /// The peer's text.
        message: String,
        /// Seconds after which it may be tried again.
        retry_after: Option<u64>,
    },
    /// Another status.
    #[error("Peer returned {status}: {body}")]
    PeerError {
        /// The status.
        status: u16,
        /// The beginning of the body.
        body: String,
    },
    /// Success, but not as JSON.
    #[error("Peer returned non-JSON: {0}")]
    NotJson(String),
}

impl AskError {
    /// The code of the real client.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownPeer(_) | Self::LocalSession(_) => "unknown_peer",
            Self::Timeout { .. } => "timeout",
            Self::Unreachable(_) => "unreachable",
            Self::AuthFailed(_) => "auth_failed",
            Self::HopExceeded => "hop_exceeded",
            Self::RateLimited { .. } => "rate_limited",
            Self::PeerError { .. } | Self::NotJson(_) => "peer_error",
        }
    }

    /// The text in which the historical tool wrapped a failure, as JSON.
    #[must_use]
    pub fn tool_error(&self) -> String {
        let error = format!("peer_ask failed: {self} ({})", self.code());
        serde_json::json!({ "error": error }).to_string()
    }
}

/// Reads the answer to an ask. `retry_after` is that header, if it was sent.
///
/// # Errors
/// [`AskError`]; a 429 is told apart by the code in its body.
pub fn read_answer(
    status: u16,
    retry_after: Option<&str>,
    body: &[u8],
) -> Result<Answer, AskError> {
    match status {
        200..=299 => {
            Answer::parse(body).ok_or_else(|| AskError::NotJson(quote(body, QUOTED_NOT_JSON)))
        }
        401 | 403 => Err(AskError::AuthFailed(status)),
        508 => Err(AskError::HopExceeded),
        429 => Err(limit(retry_after, body)),
        _ => Err(AskError::PeerError {
            status,
            body: quote(body, QUOTED),
        }),
    }
}

fn limit(retry_after: Option<&str>, body: &[u8]) -> AskError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |pointer| body.pointer(pointer).and_then(Value::as_str);
    match text("/error/code") {
        None | Some("hop_exceeded") => AskError::HopExceeded,
        Some(_) => AskError::RateLimited {
            message: text("/error/message")
                .unwrap_or("rate limit")
                .chars()
                .take(QUOTED)
                .collect(),
            retry_after: retry_after.and_then(|seconds| seconds.trim().parse().ok()),
        },
    }
}

fn quote(body: &[u8], length: usize) -> String {
    String::from_utf8_lossy(body).chars().take(length).collect()
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        let code = match &error {
            AskError::UnknownPeer(_) | AskError::LocalSession(_) => Code::PeerNotFound,
            AskError::Timeout { .. } => Code::ResponseTimeout,
            AskError::Unreachable(_) => Code::Unreachable,
            AskError::AuthFailed(_) => Code::PeerRefusedUs,
            AskError::HopExceeded => Code::HopLimit,
            AskError::RateLimited { .. } => Code::RateLimited,
            AskError::PeerError { .. } | AskError::NotJson(_) => Code::ResponseInvalid,
        };
        let problem = Self::new(code);
        match error {
            // The table says it better than the real client does.
            AskError::HopExceeded => problem,
            AskError::AuthFailed(_) => problem
                .because("It holds another key or token for this machine, knows it by another name, or one of the two clocks is more than 30 seconds off.")
                .remedy("Compare names, keys and clocks on both sides; the other machine's log has the reason."),
            AskError::RateLimited { retry_after: Some(seconds), .. } => {
                problem.because(format!("{error}.")).with("retryAfter", seconds)
            }
            other => problem.because(format!("{other}.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::refusal::Refusal;
    use super::*;

    #[test]
    fn limits_are_told_apart_by_their_code() {
        let read = |refusal: Refusal| {
            let retry = refusal.retry_after().map(|seconds| seconds.to_string());
            let body = refusal.body().unwrap();
            read_answer(refusal.status(), retry.as_deref(), body.as_bytes()).unwrap_err()
        };
        assert_eq!(read(Refusal::HopExceeded), AskError::HopExceeded);
        let limited = Refusal::RateLimited {
            caller: "kp".to_owned(),
            retry_after: 60,
        };
        assert_eq!(
            read(limited),
            AskError::RateLimited {
                message: "Rate limit exceeded for kp".to_owned(),
                retry_after: Some(60)
            }
        );
        // Without a body nothing but the old reading is left.
        assert_eq!(read_answer(429, None, b""), Err(AskError::HopExceeded));
    }

    #[test]
    fn people_are_told_what_helps() {
        let refused = Problem::from(AskError::AuthFailed(401));
        assert_eq!(refused.code, Code::PeerRefusedUs);
        assert!(refused.cause.contains("clocks"));
        let limited = Problem::from(AskError::RateLimited {
            message: "Rate limit exceeded for kp".to_owned(),
            retry_after: Some(60),
        });
        assert_eq!(limited.cause, "Peer refused — Rate limit exceeded for kp.");
        assert_eq!(limited.detail.unwrap()["retryAfter"], 60);
        assert_eq!(
            Problem::from(AskError::HopExceeded),
            Problem::new(Code::HopLimit)
        );
    }

    #[test]
    fn errors_have_the_texts_of_the_real_client() {
        for (error, text, code) in [
            (
                AskError::UnknownPeer("x".to_owned()),
                "peer_not_enrolled: Unknown peer: x",
                "unknown_peer",
            ),
            (
                AskError::Timeout {
                    address: "h:7100".to_owned(),
                    millis: 60_000,
                },
                "Peer 'h:7100' timed out (60000ms)",
                "timeout",
            ),
            (
                read_answer(401, None, b"").unwrap_err(),
                "Peer rejected auth (401)",
                "auth_failed",
            ),
            (
                read_answer(508, None, b"").unwrap_err(),
                "Peer refused — hop limit reached",
                "hop_exceeded",
            ),
            (
                read_answer(500, None, "é".repeat(300).as_bytes()).unwrap_err(),
                &format!("Peer returned 500: {}", "é".repeat(200)),
                "peer_error",
            ),
            (
                read_answer(200, None, b"<html>").unwrap_err(),
                "Peer returned non-JSON: <html>",
                "peer_error",
            ),
        ] {
            assert_eq!((error.to_string().as_str(), error.code()), (text, code));
        }
        assert_eq!(
            AskError::AuthFailed(403).tool_error(),
            r#"{"error":"peer_ask failed: Peer rejected auth (403) (auth_failed)"}"#
        );
    }
}
