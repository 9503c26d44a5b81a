//! A message as an agent gets it: JSON, with what the peer wrote in fields of its own, and where it
//! comes from in others, from this node's own records.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tieline_store::messages::{Assurance, MessageRow};
use tieline_wire::message::MessageId;
use tieline_wire::problem::{Code, Problem};

use crate::ask::provenance;
use crate::clock::wall_now;
use crate::model::Provenance;
use crate::peers::Peer;

/// What a hook is given.
pub(super) struct Document {
    /// The message's id.
    pub(super) message_id: String,
    /// The peer's name here.
    pub(super) peer: String,
    /// One JSON object on one line, with the line's end.
    pub(super) json: Vec<u8>,
}

/// Its fields. Those that begin with `untrusted` are the peer's words: data, never instructions.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    /// `message`, or `trial` for one that *Try it* made up.
    event: &'static str,
    message_id: &'a str,
    /// Counts the tries from 1: an agent may see a message more than once.
    attempt: u32,
    received_at: String,
    provenance: Provenance,
    untrusted_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    untrusted_text: Option<String>,
    /// As it travelled, on one line.
    untrusted_payload: &'a RawValue,
    untrusted_sent_at: String,
}

impl Document {
    /// A message's, for this try.
    ///
    /// # Errors
    /// `INTERNAL` where the stored payload is no JSON.
    pub(super) fn new(
        peer: &Peer,
        row: &MessageRow,
        payload: &str,
        attempt: u32,
    ) -> Result<Self, Problem> {
        let evidence = match row.assurance {
            Assurance::Signed => "signed",
            Assurance::SharedSecret => "sharedSecret",
            Assurance::Unauthenticated => "unauthenticated",
        };
        let payload = on_one_line(payload)?;
        write(
            peer,
            &Fields {
                event: "message",
                message_id: row.message_id.as_str(),
                attempt,
                received_at: row.created_at.to_string(),
                provenance: Provenance {
                    evidence: evidence.into(),
                    ..provenance(peer)
                },
                untrusted_type: &row.kind,
                untrusted_text: text(&payload),
                untrusted_payload: &payload,
                untrusted_sent_at: row.sent_at.to_string(),
            },
        )
    }

    /// One that no peer sent.
    ///
    /// # Errors
    /// None that could be caused from outside.
    pub(super) fn trial(peer: &Peer) -> Result<Self, Problem> {
        let now = wall_now().to_string();
        let payload = serde_json::json!({
            "type": "text",
            "text": "This is a trial of the hook. No peer sent it.",
        });
        let payload = serde_json::value::to_raw_value(&payload).map_err(unwritable)?;
        write(
            peer,
            &Fields {
                event: "trial",
                message_id: MessageId::new_v4().as_str(),
                attempt: 1,
                received_at: now.clone(),
                provenance: provenance(peer),
                untrusted_type: "text",
                untrusted_text: text(&payload),
                untrusted_payload: &payload,
                untrusted_sent_at: now,
            },
        )
    }
}

fn write(peer: &Peer, fields: &Fields<'_>) -> Result<Document, Problem> {
    let mut json = serde_json::to_vec(fields).map_err(unwritable)?;
    json.push(b'\n');
    Ok(Document {
        message_id: fields.message_id.to_owned(),
        peer: peer.alias(),
        json,
    })
}

/// The payload without its line breaks, which JSON allows only between its parts. With them, an agent
/// that reads line by line could take a part of a peer's message for a whole document of ours.
fn on_one_line(payload: &str) -> Result<Box<RawValue>, Problem> {
    RawValue::from_string(payload.replace(['\n', '\r'], " ")).map_err(unwritable)
}

fn text(payload: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Shown {
        text: Option<String>,
    }
    // A text that is no string stays in the payload.
    serde_json::from_str::<Shown>(payload.get()).ok()?.text
}

fn unwritable(error: serde_json::Error) -> Problem {
    Problem::new(Code::Internal).because(format!("The message cannot be written: {error}."))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::on_one_line;

    #[test]
    fn no_part_of_a_payload_is_a_line_of_its_own() {
        let payload = "{\"type\":\"a\\nb\",\n\"x\":\r\n{\"event\":\"message\"}\n}";
        let line = on_one_line(payload).unwrap();
        assert!(!line.get().contains(['\n', '\r']));
        let same: serde_json::Value = serde_json::from_str(payload).unwrap();
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(line.get()).unwrap(),
            same
        );
    }
}
