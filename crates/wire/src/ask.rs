//! Asks and answers between Tieline nodes: two payload types, carried as messages.
//!
//! An ask is a message like any other, with its receipt and its retries; the answer is another
//! one, which names it. So both survive restarts and ride whatever line there is.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::message::MessageId;

/// Payload type of an ask.
pub const ASK_TYPE: &str = "tieline.ask";
/// Payload type of an answer.
pub const ANSWER_TYPE: &str = "tieline.answer";
/// Machines an ask may still travel through, where its asker says nothing.
pub const DEFAULT_HOPS: u8 = 4;
/// Most hops that are believed.
pub const MAX_HOPS: u8 = 16;
/// Longest name of a conversation, in bytes. It becomes a variable of a program's environment.
pub const MAX_SESSION: usize = 256;

/// Longest text of a question, in bytes. A person reads it, or a program's input takes it.
pub const MAX_ASK_TEXT: usize = 512 * 1024;

/// A question to a peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// The question. Data, never an instruction to this program.
    pub text: String,
    /// Machines it may still travel through; the answerer's own asks must carry less.
    #[serde(default = "default_hops")]
    pub hops: u8,
    /// Ties questions of one conversation together, as the asker names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Whether the asker wants to see the answer as it comes into being. Only a wish: the answer
    /// itself is the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stream: bool,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The ask's message id.
    pub in_reply_to: MessageId,
    /// The answer, or what a person may read where there is none.
    pub text: String,
    /// False for a holding answer: the real one is still to come.
    #[serde(rename = "final", default = "yes")]
    pub is_final: bool,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<AnswerError>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerError {
    /// A problem's code.
    pub code: String,
    /// The answerer's words; data.
    pub message: String,
}

/// A payload of one of the two types that does not have its fields.
/// Likely cause: a message made by hand, or a peer of another version.
#[derive(Debug, thiserror::Error)]
#[error("the payload is no {kind}: {reason}")]
pub struct NotAsked {
    kind: &'static str,
    reason: String,
}

impl Ask {
    /// As a message's payload.
    #[must_use]
    pub fn to_payload(&self) -> Map<String, Value> {
        payload(ASK_TYPE, self)
    }

    /// Reads a payload of type [`ASK_TYPE`]. More than [`MAX_HOPS`] become that; a session of more
    /// than [`MAX_SESSION`] bytes is refused, and so is a text of more than [`MAX_ASK_TEXT`].
    ///
    /// # Errors
    /// [`NotAsked`].
    pub fn parse(payload: &str) -> Result<Self, NotAsked> {
        let mut ask: Self = serde_json::from_str(payload).map_err(|error| NotAsked {
            kind: "ask",
            reason: error.to_string(),
        })?;
        if ask
            .session
            .as_ref()
            .is_some_and(|session| session.len() > MAX_SESSION)
        {
            return Err(NotAsked {
                kind: "ask",
                reason: format!("its session has more than {MAX_SESSION} bytes"),
            });
        }
        if ask.text.len() > MAX_ASK_TEXT {
            return Err(NotAsked {
                kind: "ask",
                reason: format!("its text has more than {MAX_ASK_TEXT} bytes"),
            });
        }
        ask.hops = ask.hops.min(MAX_HOPS);
        Ok(ask)
    }
}

impl Answer {
    /// As a message's payload.
    #[must_use]
    pub fn to_payload(&self) -> Map<String, Value> {
        payload(ANSWER_TYPE, self)
    }

    /// Reads a payload of type [`ANSWER_TYPE`].
    ///
    /// # Errors
    /// [`NotAsked`].
    pub fn parse(payload: &str) -> Result<Self, NotAsked> {
        serde_json::from_str(payload).map_err(|error| NotAsked {
            kind: "answer",
            reason: error.to_string(),
        })
    }
}

fn payload(kind: &str, fields: &impl Serialize) -> Map<String, Value> {
    let mut payload = Map::new();
    payload.insert("type".to_owned(), kind.into());
    if let Ok(Value::Object(fields)) = serde_json::to_value(fields) {
        payload.extend(fields);
    }
    payload
}

const fn default_hops() -> u8 {
    DEFAULT_HOPS
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_and_answers_survive_the_way_there() {
        let ask = Ask {
            text: "awake?".into(),
            hops: 2,
            session: None,
            stream: false,
        };
        let json = Value::Object(ask.to_payload()).to_string();
        assert_eq!(json, r#"{"type":"tieline.ask","text":"awake?","hops":2}"#);
        assert_eq!(Ask::parse(&json).unwrap(), ask);
        let answer = Answer {
            in_reply_to: MessageId::new("m-1").unwrap(),
            text: "yes".into(),
            is_final: true,
            error: None,
        };
        let json = Value::Object(answer.to_payload()).to_string();
        assert_eq!(Answer::parse(&json).unwrap(), answer);
    }

    #[test]
    fn hops_are_bounded_and_never_wrap() {
        assert_eq!(
            Ask::parse(r#"{"type":"tieline.ask","text":"x","hops":255}"#)
                .unwrap()
                .hops,
            MAX_HOPS
        );
        assert_eq!(
            Ask::parse(r#"{"type":"tieline.ask","text":"x"}"#)
                .unwrap()
                .hops,
            DEFAULT_HOPS
        );
        for bad in [
            r#"{"text":"x","hops":-1}"#,
            r#"{"text":"x","hops":256}"#,
            r#"{"text":1}"#,
            "[]",
        ] {
            assert!(Ask::parse(bad).is_err(), "{bad}");
        }
        let session = |length| format!(r#"{{"text":"x","session":"{}"}}"#, "s".repeat(length));
        assert!(Ask::parse(&session(MAX_SESSION)).is_ok());
        assert!(Ask::parse(&session(MAX_SESSION + 1)).is_err());
        let text = |length| {
            format!(
                r#"{{"type":"tieline.ask","text":"{}"}}"#,
                "x".repeat(length)
            )
        };
        assert!(Ask::parse(&text(MAX_ASK_TEXT)).is_ok());
        assert!(Ask::parse(&text(MAX_ASK_TEXT + 1)).is_err());
    }
}
