use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{is_id, parse_object};

const MAX_SUMMARY: usize = 10_000;

/// News of work that this machine had asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HelpEvent {
    version: u64,
    /// The same over retries.
    pub event_id: String,
    /// Counts the events of one piece of work.
    pub sequence: u64,
    /// The request it is about.
    pub request_id: String,
    /// The work it is about.
    pub contribution_ref: String,
    /// What happened.
    pub kind: EventKind,
    /// When, RFC 3339.
    pub occurred_at: String,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The result, with events that end the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projection: Option<Value>,
}

/// What happened to work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// It goes on.
    Progress,
    /// It is done.
    Completed,
    /// It cannot be done.
    Failed,
    /// The withdrawal was seen.
    WithdrawalNoted,
}

impl HelpEvent {
    /// Reads an event of the peer with this name. One that ends the work must bring its result,
    /// made by that very peer.
    #[must_use]
    pub fn parse(body: &str, peer_name: &str) -> Option<Self> {
        let event: Self = parse_object(body)?;
        let ids = [&event.event_id, &event.request_id, &event.contribution_ref];
        let good = event.version == 1
            && ids.iter().all(|id| is_id(id))
            && (event.kind == EventKind::Progress || event.has_result_of(peer_name));
        good.then_some(event)
    }

    fn has_result_of(&self, peer_name: &str) -> bool {
        let Some(projection) = &self.projection else {
            return false;
        };
        let text = |pointer: &str| projection.pointer(pointer).and_then(Value::as_str);
        projection.get("schema_version").and_then(Value::as_u64) == Some(1)
            && projection.get("outcome") == Some(&json!(self.kind))
            && text("/summary")
                .is_some_and(|text| (1..=MAX_SUMMARY).contains(&text.chars().count()))
            && text("/provenance/receiver_peer") == Some(peer_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_without_its_result_is_no_event() {
        let mut event = json!({
            "version": 1, "event_id": "e-1", "sequence": 2, "request_id": "req-1",
            "contribution_ref": "help_0123456789abcdef", "kind": "completed",
            "occurred_at": "2026-01-01T00:01:00.000Z",
            "projection": {
                "schema_version": 1, "outcome": "completed", "summary": "done", "evidence": [],
                "artifacts": [], "provenance": {"receiver_peer": "beta"},
            },
        });
        assert!(HelpEvent::parse(&event.to_string(), "beta").is_some());
        assert_eq!(HelpEvent::parse(&event.to_string(), "gamma"), None);
        event["projection"]["outcome"] = json!("failed");
        assert_eq!(HelpEvent::parse(&event.to_string(), "beta"), None);
        event.as_object_mut().unwrap().shift_remove("projection");
        assert_eq!(HelpEvent::parse(&event.to_string(), "beta"), None);
        event["kind"] = json!("progress");
        assert!(HelpEvent::parse(&event.to_string(), "beta").is_some());
    }
}
