//! A message that its caller gave before: the same answer, or another try.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tieline_store::attempts;
use tieline_store::messages::{self, MessageRow, Mode, State};
use tieline_wire::message::{ContentHash, Envelope};
use tieline_wire::problem::{Code, Problem};
use tokio::time::{Duration, timeout};

use super::{answer, open};
use crate::limits::RESPONSE_TIMEOUT;
use crate::model::{SendCommand, SendFailure, SendOutcome};
use crate::node::Node;
use crate::outbox::outcome::Verdict;
use crate::peers::Peer;
use crate::views;

/// What a message that was given before comes to.
pub(super) enum Known {
    /// Open, and this call tries again.
    Again(Box<MessageRow>),
    /// This is what it came to.
    Told(Result<SendOutcome, SendFailure>),
}

impl Node {
    /// A caller names a message that it gave before: the same answer, or another try where the
    /// outcome is open.
    pub(super) async fn known(
        &self,
        command: &SendCommand,
        peer: &Arc<Peer>,
        row: MessageRow,
    ) -> Result<Known, SendFailure> {
        let given = serde_json::to_string(&command.payload).unwrap_or_default();
        if row.peer != peer.id || !is_content_of(&row, &given) {
            return Err(SendFailure::early(
                Problem::new(Code::IdConflict).with("messageId", row.message_id.as_str()),
            ));
        }
        let row = self.settled(row).await?;
        // A peer without keys does not recognise copies, so that another try could double it.
        if row.state == State::Unconfirmed && peer.record().keys.is_some() {
            let seq = row.seq;
            let mine = self.store.write(move |tx| messages::start_sending(tx, seq));
            if mine
                .await
                .map_err(|error| SendFailure::early(error.into()))?
            {
                return Ok(Known::Again(Box::new(row)));
            }
        }
        Ok(Known::Told(self.told(command, &row).await))
    }

    /// Waits until no attempt of this message is running.
    pub(super) async fn settled(&self, mut row: MessageRow) -> Result<MessageRow, SendFailure> {
        let seq = row.seq;
        let _ = timeout(RESPONSE_TIMEOUT, async {
            while row.state == State::Sending {
                let settled = self.settled.notified();
                let now = self.store.read(move |conn| messages::get(conn, seq)).await;
                match now {
                    Ok(Some(now)) => row = now,
                    _ => break,
                }
                if row.state == State::Sending {
                    let _ = timeout(Duration::from_millis(500), settled).await;
                }
            }
        })
        .await;
        Ok(row)
    }

    /// The answer for a message whose outcome is stored.
    pub(super) async fn told(
        &self,
        command: &SendCommand,
        row: &MessageRow,
    ) -> Result<SendOutcome, SendFailure> {
        let seq = row.seq;
        let tries = self.store.read(move |conn| attempts::list(conn, seq)).await;
        let tries = tries.map_err(|error| SendFailure::early(error.into()))?;
        let attempts = views::attempts(tries);
        let problem = row
            .problem
            .clone()
            .and_then(|value| serde_json::from_value(value).ok());
        let problem = problem.unwrap_or_else(|| Problem::new(Code::DeliveryFailed));
        let verdict = match row.state {
            State::Sending if row.mode == Some(Mode::Now) => {
                return Err(open(&row.message_id, problem));
            }
            State::Queued | State::Sending => Verdict::Requeue(row.exposed, problem),
            state => Verdict::Finish {
                state,
                evidence: row.evidence,
                receipt: None,
                problem: Some(problem),
            },
        };
        answer(command, &row.message_id, verdict, attempts)
    }
}

/// Whether a stored message has exactly this payload, also after its content was deleted.
fn is_content_of(row: &MessageRow, payload: &str) -> bool {
    let hash = match (row.sender, row.recipient) {
        (Some(from), Some(to)) => {
            Envelope::new(row.message_id.clone(), from, to, row.sent_at, payload)
                .map(|envelope| envelope.content_hash())
                .ok()
        }
        _ => Some(plain_hash(payload)),
    };
    hash == Some(row.content_hash)
}

/// Names the content of a message whose dialect has no hash of its own.
pub(super) fn plain_hash(payload: &str) -> ContentHash {
    ContentHash(Sha256::digest(payload.as_bytes()).into())
}
