use serde_json::{Map, Value};

use crate::message::MessageId;
use crate::time::UnixMillis;

/// Fields of the flat LAN body that are not the payload's.
const RESERVED: [&str; 3] = ["from", "messageId", "timestamp"];

/// The body of `POST /agent/message`: the payload's fields, and beside them who sends it, under
/// which id and when. Payload fields with those names are dropped.
#[must_use]
pub fn lan_body(
    own_name: &str,
    payload: &Map<String, Value>,
    id: &MessageId,
    at: UnixMillis,
) -> Vec<u8> {
    // The order in which daemons write them: other fields, then the known ones.
    let known = ["type", "text"];
    let mut body: Map<String, Value> = payload
        .iter()
        .filter(|(key, _)| !RESERVED.contains(&key.as_str()) && !known.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    body.insert("from".to_owned(), own_name.to_lowercase().into());
    for key in known {
        if let Some(value) = payload.get(key) {
            body.insert(key.to_owned(), value.clone());
        }
    }
    body.insert("messageId".to_owned(), id.as_str().into());
    body.insert("timestamp".to_owned(), at.to_string().into());
    Value::Object(body).to_string().into_bytes()
}

/// A received LAN message. Everything in it is the sender's claim.
#[derive(Debug, Clone, PartialEq)]
pub struct LanMessage {
    /// Who the sender says it is. Not tied to the shared secret: every holder can claim any name.
    pub from: String,
    /// The payload's type; any is accepted.
    pub type_: String,
    /// The sender's id for the message, of any alphabet.
    pub message_id: String,
    /// The sender's time, unparsed.
    pub timestamp: String,
    /// The payload: all fields but `from`, `messageId` and `timestamp`.
    pub payload: Map<String, Value>,
}

/// Why a body is not a LAN message; the texts are the documented ones, the status is 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LanRefusal {
    /// Not JSON. Answered before the signature is looked at.
    #[error("Invalid request")]
    NotJson,
    /// JSON, but not an object.
    #[error("The request body must be a JSON object")]
    NotAnObject,
    /// A field is missing, empty or not a string.
    #[error("'{0}' is required and must be a string")]
    Field(&'static str),
}

impl LanMessage {
    /// Reads a body, checking the fields in the order from, type, messageId, timestamp.
    ///
    /// # Errors
    /// [`LanRefusal`].
    pub fn parse(body: &[u8]) -> Result<Self, LanRefusal> {
        let mut payload = match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => return Err(LanRefusal::NotAnObject),
            Err(_) => return Err(LanRefusal::NotJson),
        };
        let field = |name| match payload.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            _ => Err(LanRefusal::Field(name)),
        };
        let (from, type_) = (field("from")?, field("type")?);
        let (message_id, timestamp) = (field("messageId")?, field("timestamp")?);
        payload.retain(|key, _| !RESERVED.contains(&key.as_str()));
        Ok(Self {
            from,
            type_,
            message_id,
            timestamp,
            payload,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(fields: Value) -> Result<LanMessage, LanRefusal> {
        LanMessage::parse(fields.to_string().as_bytes())
    }

    #[test]
    fn reserved_fields_of_a_payload_cannot_pose_as_the_senders() {
        let payload = json!({"type": "text", "text": "hi", "from": "mallory", "timestamp": "then", "messageId": "x", "extra": 1});
        let id = MessageId::new("m-1").unwrap();
        let sent = lan_body("Alice", payload.as_object().unwrap(), &id, UnixMillis(0));
        let read = LanMessage::parse(&sent).unwrap();
        assert_eq!(
            (read.from.as_str(), read.message_id.as_str()),
            ("alice", "m-1")
        );
        assert_eq!(read.timestamp, "1970-01-01T00:00:00.000Z");
        assert_eq!(
            Value::Object(read.payload),
            json!({"type": "text", "text": "hi", "extra": 1})
        );
    }

    #[test]
    fn fields_are_checked_in_the_documented_order() {
        let mut fields = json!({});
        for missing in ["from", "type", "messageId", "timestamp"] {
            assert_eq!(body(fields.clone()), Err(LanRefusal::Field(missing)));
            fields[missing] = json!("");
            assert_eq!(
                body(fields.clone()),
                Err(LanRefusal::Field(missing)),
                "empty"
            );
            fields[missing] = json!(7);
            assert_eq!(
                body(fields.clone()),
                Err(LanRefusal::Field(missing)),
                "a number"
            );
            fields[missing] = json!("x");
        }
        assert!(body(fields).is_ok());
        assert_eq!(body(json!("x")), Err(LanRefusal::NotAnObject));
        assert_eq!(LanMessage::parse(b"{"), Err(LanRefusal::NotJson));
    }
}
