//! What a person orders about a message in the outbox: try it now, cancel it, send it again.
//!
//! None of them can double a message: what the peer may hold is asked about under its own id, and
//! only what certainly was not stored is sent again as a new one.

use std::sync::Arc;

use tieline_store::messages::{self, Direction, MessageRow, State};
use tieline_wire::ask::{ANSWER_TYPE, ASK_TYPE};
use tieline_wire::message::MessageId;
use tieline_wire::problem::{Code, Problem};

use crate::clock::wall_now;
use crate::model::{
    EventKind, MessageView, OnFailure, RouteChoice, SendCommand, SendFailure, SendOutcome,
};
use crate::node::Node;
use crate::peers::Peer;
use crate::queries::not_found;

impl Node {
    /// Tries a queued message now, or asks now what became of an unconfirmed one, instead of at the
    /// next turn. Returns before that is done.
    ///
    /// # Errors
    /// `MESSAGE_NOT_FOUND`; `TOO_LATE` where the message does not wait, or where its peer cannot be
    /// asked; `PEER_NOT_FOUND`.
    pub async fn try_now(&self, id: &str) -> Result<(), Problem> {
        let row = self.outgoing(id).await?;
        let peer = self.peer_of(&row)?;
        match row.state {
            State::Queued => {}
            State::Unconfirmed if peer.record().keys.is_some() => {}
            State::Unconfirmed => {
                return Err(Problem::new(Code::TooLate)
                    .summary("This peer cannot be asked what became of the message.")
                    .because("Its program does not recognise copies, so another try could double the message.")
                    .remedy("Ask the person at the other machine, then send a new message if it is missing."));
            }
            state => return Err(too_late("tried", state)),
        }
        peer.lane.notify_one();
        Ok(())
    }

    /// Takes a queued message out of the outbox for good.
    ///
    /// # Errors
    /// `MESSAGE_NOT_FOUND`; `TOO_LATE` where it is not in the queue; the store's.
    pub async fn cancel(&self, id: &str) -> Result<MessageView, Problem> {
        let row = self.outgoing(id).await?;
        let seq = row.seq;
        let problem = serde_json::json!(Problem::new(Code::Cancelled));
        let now = wall_now();
        let (cancelled, row) = self
            .store
            .write(move |tx| {
                let cancelled = messages::cancel(tx, seq, now, &problem)?;
                Ok((cancelled, messages::get(tx, seq)?))
            })
            .await?;
        let row = row.ok_or_else(|| not_found(id))?;
        if !cancelled {
            return Err(too_late("cancelled", row.state));
        }
        self.events.changed(EventKind::Messages, id);
        self.settled.notify_waiters();
        // An earlier try may have left a copy there: then the peer is asked.
        if row.state == State::Unconfirmed
            && let Some(peer) = self.peers.by_id(row.peer)
        {
            peer.lane.notify_one();
        }
        Ok(self.message_view(row, &Default::default()))
    }

    /// Sends the content of a failed message as a new message, which waits in the outbox where it
    /// cannot go at once.
    ///
    /// # Errors
    /// `MESSAGE_NOT_FOUND`; `TOO_LATE` where the message has not failed or its content is gone; and
    /// those of [`Node::send`].
    pub async fn send_again(&self, id: &str) -> Result<SendOutcome, SendFailure> {
        let row = self.outgoing(id).await.map_err(SendFailure::early)?;
        if row.state != State::Failed {
            return Err(SendFailure::early(too_late("sent again", row.state)));
        }
        if matches!(row.kind.as_str(), ASK_TYPE | ANSWER_TYPE) {
            return Err(SendFailure::early(
                Problem::new(Code::TooLate)
                    .summary("Questions and answers are not sent again as they are.")
                    .because("The one who waited for it has been told that it failed.")
                    .remedy("Ask the question anew."),
            ));
        }
        let peer = self.peer_of(&row).map_err(SendFailure::early)?;
        let content = row.content.and_then(|content| content.payload);
        let payload = content.and_then(|json| serde_json::from_str(&json).ok());
        let Some(payload) = payload else {
            return Err(SendFailure::early(
                Problem::new(Code::TooLate)
                    .summary("The content of this message is no longer kept.")
                    .because("Its retention time is over.")
                    .remedy("Write it anew."),
            ));
        };
        self.send(SendCommand {
            to: peer.alias(),
            payload,
            route: RouteChoice::Auto,
            message_id: None,
            on_failure: OnFailure::Queue,
        })
        .await
    }

    /// The outgoing message with this id.
    async fn outgoing(&self, id: &str) -> Result<MessageRow, Problem> {
        let wanted = MessageId::new(id)?;
        let rows = self
            .store
            .read(move |conn| messages::by_message_id(conn, &wanted))
            .await?;
        rows.into_iter()
            .find(|row| row.direction == Direction::Out)
            .ok_or_else(|| not_found(id))
    }

    fn peer_of(&self, row: &MessageRow) -> Result<Arc<Peer>, Problem> {
        self.peers.by_id(row.peer).ok_or_else(|| {
            Problem::new(Code::PeerNotFound)
                .summary("The peer of this message was unpaired.")
                .because("Its keys are not accepted any more.")
                .remedy("Pair again with a new link.")
        })
    }
}

fn too_late(what: &str, state: State) -> Problem {
    let (is, remedy) = match state {
        State::Sending => ("is being sent at this moment", "Wait for what comes of it."),
        State::Queued => ("still waits in the outbox", "Try it now, or cancel it."),
        State::Unconfirmed => (
            "may have arrived, and a copy could double it",
            "Ask the peer what became of it.",
        ),
        State::Failed => ("has failed", "Send it again as a new message."),
        _ => ("was delivered", "Nothing to do."),
    };
    Problem::new(Code::TooLate)
        .summary(format!("The message cannot be {what} now."))
        .because(format!("It {is}."))
        .remedy(remedy)
        .with("state", state.as_str())
}
