//! Frames of the held connection `/v1/ws`, as abTARS from v0.4.0 on sends them: JSON as text.
//!
//! Whoever opened the connection, either side sends requests, answers them, and pushes. Each
//! request is signed like one over HTTP, with its sender and its id in what is signed. Frames of
//! v0.3.5 and v0.3.6 have another form, which nothing here reads.

mod error;
mod request;

use serde_json::{Value, json};

use super::names;

pub use error::{FrameError, RemoteError};
pub use request::Request;

/// The largest frame, in bytes; a larger one is ignored.
pub const MAX_FRAME: usize = 1024 * 1024;
/// The largest body of a request, in bytes.
pub const MAX_BODY: usize = 512 * 1024;
/// How long a request waits for its response, in seconds.
pub const TIMEOUT_SECONDS: u64 = 30;

const MAX_ID: usize = 64;
const MAX_METHOD: usize = 48;

/// The methods that a receiver knows.
pub const METHODS: [&str; 7] = [
    "help.request.v1",
    "help.status.v1",
    "help.withdraw.v1",
    "help.event.v1",
    "pi.events.list.v1",
    "pi.events.ack.v1",
    "pi.control.v1",
];

/// What a text frame is.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// A request; it wants a response.
    Request(Request),
    /// A request that can be answered, but only with this error.
    Refused {
        /// Its id.
        id: String,
        /// What is wrong with it.
        error: FrameError,
    },
    /// The answer to a request.
    Response {
        /// The request's id.
        id: String,
        /// What it answered, or why it did not.
        outcome: Result<Value, RemoteError>,
    },
    /// Something said without being asked; no answer.
    Push {
        /// What, for example `peer.inventory.v1`.
        method: String,
        /// Unchecked.
        payload: Value,
    },
    /// Nothing that can be answered. The connection stays open.
    Ignored,
}

/// A response with what was asked for.
#[must_use]
pub fn response(id: &str, payload: &Value) -> String {
    json!({"type": "response", "id": id, "payload": payload}).to_string()
}

/// A push.
#[must_use]
pub fn push(method: &str, payload: &Value) -> String {
    json!({"type": "push", "method": method, "payload": payload}).to_string()
}

impl Frame {
    /// Reads a text frame. What cannot even be answered is ignored, as abTARS does.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text.len() > MAX_FRAME {
            return Self::Ignored;
        }
        let Ok(mut frame) = serde_json::from_str::<Value>(text) else {
            return Self::Ignored;
        };
        let word = |key, longest| match frame.get(key).and_then(Value::as_str) {
            Some(text) if is_word(text, longest) => Some(text.to_owned()),
            _ => None,
        };
        match frame.get("type").and_then(Value::as_str) {
            Some("request") => match word("id", MAX_ID) {
                Some(id) => match Request::read(id.clone(), &frame) {
                    Ok(request) => Self::Request(request),
                    Err(error) => Self::Refused { id, error },
                },
                None => Self::Ignored,
            },
            Some("response") => match word("id", MAX_ID) {
                Some(id) => Self::Response {
                    id,
                    outcome: outcome(&mut frame),
                },
                None => Self::Ignored,
            },
            Some("push") => match word("method", MAX_METHOD) {
                Some(method) => Self::Push {
                    method,
                    payload: take(&mut frame, "payload"),
                },
                None => Self::Ignored,
            },
            _ => Self::Ignored,
        }
    }
}

fn outcome(frame: &mut Value) -> Result<Value, RemoteError> {
    match take(frame, "error") {
        Value::Null => Ok(take(frame, "payload")),
        error => Err(serde_json::from_value(error).unwrap_or_default()),
    }
}

fn take(frame: &mut Value, key: &str) -> Value {
    frame.get_mut(key).map(Value::take).unwrap_or_default()
}

fn is_word(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(names::is_name_byte)
}
