//! Committing what a caller gives, before anything of it leaves.

use tieline_store::messages::{
    self, Assurance, Content, Direction, Evidence, MessageRow, Mode, NewOutgoing, Queued, State,
};
use tieline_wire::message::{Envelope, MessageId};
use tokio::time::Duration;

use super::known::plain_hash;
use crate::clock::wall_now;
use crate::model::{OnFailure, SendCommand, SendFailure};
use crate::node::Node;
use crate::peers::Peer;

/// How long a queued message is tried.
pub(crate) const EXPIRY: Duration = Duration::from_secs(7 * 24 * 3600);

/// What was found under a message's id.
pub(super) enum Entry {
    New(Box<MessageRow>),
    Known(Box<MessageRow>),
}

impl Node {
    /// The message that a command asks for.
    pub(super) fn new_outgoing(
        &self,
        peer: &Peer,
        command: &SendCommand,
        payload: String,
    ) -> Result<NewOutgoing, SendFailure> {
        let now = wall_now();
        let id = command.message_id.clone().unwrap_or_else(MessageId::new_v4);
        let record = peer.record();
        let text = command
            .payload
            .get("text")
            .and_then(|text| text.as_str())
            .unwrap_or_default();
        let kind = command
            .payload
            .get("type")
            .and_then(|kind| kind.as_str())
            .unwrap_or_default();
        let (recipient, content_hash) = match &record.keys {
            Some(keys) => {
                let envelope = Envelope::new(id.clone(), self.key_id(), keys.key_id, now, &payload)
                    .map_err(|error| SendFailure::early(error.into()))?;
                (Some(keys.key_id), envelope.content_hash())
            }
            None => (None, plain_hash(&payload)),
        };
        let expires = self
            .clock
            .now()
            .saturating_add(i64::try_from(EXPIRY.as_millis()).unwrap_or(i64::MAX));
        let queue = command.on_failure == OnFailure::Queue;
        Ok(NewOutgoing {
            peer: peer.id,
            message_id: id,
            sender: Some(self.key_id()),
            recipient,
            content_hash,
            kind: kind.to_owned(),
            payload,
            text: text.to_owned(),
            sent_at: now,
            created_at: now,
            mode: if queue { Mode::Queue } else { Mode::Now },
            store_id: record.row.store_id,
            route: Some("lan".into()),
            expires_elapsed_ms: queue.then_some(expires),
        })
    }

    /// Commits a new message, or finds the one that was accepted under the same id before.
    pub(super) async fn accept(
        &self,
        command: &SendCommand,
        new: NewOutgoing,
    ) -> Result<Entry, SendFailure> {
        let chosen = command.message_id.is_some();
        let accepted = self.store.write(move |tx| {
            if chosen {
                // An id names one message, whoever it is for.
                let known = messages::by_message_id(tx, &new.message_id)?;
                let other = known
                    .into_iter()
                    .find(|row| row.direction == Direction::Out && row.peer != new.peer);
                if let Some(row) = other {
                    return Ok(Entry::Known(Box::new(row)));
                }
            }
            match messages::insert_outgoing(tx, &new)? {
                Queued::Exists(row) => Ok(Entry::Known(row)),
                Queued::Stored(seq) => {
                    if new.mode == Mode::Queue {
                        messages::start_sending(tx, seq)?;
                    }
                    Ok(Entry::New(Box::new(stored(seq, new))))
                }
            }
        });
        accepted
            .await
            .map_err(|error| SendFailure::early(error.into()))
    }
}

/// The row that inserting `new` made.
fn stored(seq: i64, new: NewOutgoing) -> MessageRow {
    MessageRow {
        seq,
        peer: new.peer,
        direction: Direction::Out,
        message_id: new.message_id,
        assurance: Assurance::Signed,
        sender: new.sender,
        recipient: new.recipient,
        content_hash: new.content_hash,
        kind: new.kind,
        payload_bytes: i64::try_from(new.payload.len()).unwrap_or(i64::MAX),
        sent_at: new.sent_at,
        created_at: new.created_at,
        state: State::Sending,
        evidence: Evidence::None,
        mode: Some(new.mode),
        exposed: false,
        store_id: new.store_id,
        route: new.route,
        via: None,
        expires_elapsed_ms: new.expires_elapsed_ms,
        receipt: None,
        problem: None,
        finished_at: None,
        read_at: None,
        handed_over_at: None,
        acknowledged_at: None,
        content: Some(Content {
            text: new.text,
            payload: Some(new.payload),
        }),
    }
}
