//! The envelope of the help protocol: a peer asks for work to be done, is told a decision at once,
//! and hears of the result later, as events that name the request again.
//!
//! Ids are kept over retries: the same id has to get the same answer, whatever was lost before.

mod event;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::names;

pub use event::{EventKind, HelpEvent};

const MAX_ID: usize = 128;
const MAX_GOAL: usize = 100_000;
const MAX_CONTEXT: usize = 50_000;
const MAX_CAPABILITIES: usize = 50;

/// A request for help.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HelpRequest {
    version: u64,
    /// The asker's id for it, the same over retries.
    pub request_id: String,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// After when it is pointless, RFC 3339.
    pub expires_at: String,
    /// What is to be done.
    pub goal: String,
    /// What helps to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// How urgent it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// What the helper must be able to do.
    pub required_capabilities: Vec<String>,
    /// What is to do it; `{"executor":"agent"}` or `{"executor":"pi",…}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Value>,
}

/// How urgent a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Priority {
    Critical,
    High,
    Medium,
    Low,
}

impl HelpRequest {
    /// Reads a request within the documented bounds; `None` is answered with [`malformed`].
    #[must_use]
    pub fn parse(body: &str) -> Option<Self> {
        let request: Self = parse_object(body)?;
        let short = |text: &str, longest: usize| text.chars().count() <= longest;
        let good = request.version == 1
            && is_id(&request.request_id)
            && !request.goal.is_empty()
            && short(&request.goal, MAX_GOAL)
            && request
                .context
                .as_deref()
                .is_none_or(|text| short(text, MAX_CONTEXT))
            && request.required_capabilities.len() <= MAX_CAPABILITIES
            && request.target.as_ref().is_none_or(|target| {
                matches!(
                    target.get("executor").and_then(Value::as_str),
                    Some("agent" | "pi")
                )
            });
        good.then_some(request)
    }
}

/// What became of a request for help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// It will be done; events follow.
    Accepted,
    /// It will not be done.
    Declined,
    /// Not now.
    Deferred,
}

/// The answer to a request. Over HTTP its status is always 200.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelpAnswer {
    version: u64,
    /// The request's id, or `unknown`.
    pub request_id: String,
    /// The decision.
    pub decision: Decision,
    /// Names the work from then on, `help_` and 16 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contribution_ref: Option<String>,
    /// `conflict`, `policy_denied`, `queue_full`, `malformed`, `in_progress`, or another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
    /// The reason for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl HelpAnswer {
    /// Declines or defers a request.
    #[must_use]
    pub fn refuse(request_id: &str, decision: Decision, code: &str, reason: &str) -> Self {
        Self {
            version: 1,
            request_id: request_id.to_owned(),
            decision,
            contribution_ref: None,
            reason_code: Some(code.to_owned()),
            reason: Some(reason.to_owned()),
        }
    }

    /// Accepts a request under a reference of this machine's choice.
    #[must_use]
    pub fn accept(request_id: &str, contribution_ref: &str) -> Self {
        Self {
            version: 1,
            request_id: request_id.to_owned(),
            decision: Decision::Accepted,
            contribution_ref: Some(contribution_ref.to_owned()),
            reason_code: None,
            reason: None,
        }
    }

    /// Reads a peer's answer.
    #[must_use]
    pub fn parse(body: &str) -> Option<Self> {
        parse_object(body).filter(|answer: &Self| answer.version == 1)
    }

    /// The answer's JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!(self)
    }
}

/// The answer to what is not a request for help.
#[must_use]
pub fn malformed() -> HelpAnswer {
    HelpAnswer::refuse(
        "unknown",
        Decision::Declined,
        "malformed",
        "The request cannot be read",
    )
}

/// The answer to a question about work that is not known here.
#[must_use]
pub fn unknown_contribution() -> Value {
    json!({"version": 1, "error": "contribution not found"})
}

/// The answer to a withdrawal of work that is not known here.
#[must_use]
pub fn unknown_withdrawal() -> Value {
    json!({"acknowledged": false, "owner_action": "unknown_contribution"})
}

/// The answer to an event that was recorded; anything else makes the peer send it again.
#[must_use]
pub fn event_taken() -> Value {
    json!({"ok": true})
}

fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(names::is_name_byte)
}

/// Reads an object; the structs alone would take an array as well.
fn parse_object<T: serde::de::DeserializeOwned>(body: &str) -> Option<T> {
    let value: Value = serde_json::from_str(body).ok()?;
    value
        .is_object()
        .then(|| serde_json::from_value(value).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Value {
        json!({
            "version": 1, "request_id": "req-1", "created_at": "2026-01-01T00:00:00.000Z",
            "expires_at": "2026-01-01T00:05:00.000Z", "goal": "Summarise the log",
            "priority": "MEDIUM", "required_capabilities": [],
        })
    }

    #[test]
    fn requests_are_read_within_their_bounds() {
        let read = HelpRequest::parse(&request().to_string()).unwrap();
        assert_eq!(json!(read), request());
        for (key, value) in [
            ("version", json!(2)),
            ("request_id", json!("")),
            ("request_id", json!("a b")),
            ("goal", json!("")),
            ("goal", json!("x".repeat(MAX_GOAL + 1))),
            ("priority", json!("medium")),
            ("required_capabilities", json!("bash")),
            ("target", json!({"executor": "root"})),
            ("target", json!([])),
        ] {
            let mut bad = request();
            bad[key] = value;
            assert_eq!(HelpRequest::parse(&bad.to_string()), None, "{key}");
        }
        assert_eq!(
            malformed().to_json()["request_id"],
            "unknown",
            "what the real program answers"
        );
    }

    #[test]
    fn answers_are_read_back() {
        for answer in [
            HelpAnswer::accept("req-1", "help_0123456789abcdef"),
            HelpAnswer::refuse("req-1", Decision::Deferred, "queue_full", "later"),
            malformed(),
        ] {
            assert_eq!(
                HelpAnswer::parse(&answer.to_json().to_string()),
                Some(answer)
            );
        }
    }
}
