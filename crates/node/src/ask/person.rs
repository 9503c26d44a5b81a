//! The person's desk: questions of peers that wait for a human answer.

use std::collections::HashMap;

use parking_lot::Mutex;
use tieline_wire::problem::{Code, Problem};
use tokio::sync::oneshot;

use crate::model::PendingAsk;

/// What the person did with a question.
#[derive(Debug)]
pub(crate) enum Reply {
    /// Answered it.
    Answer(String),
    /// Wants to say nothing.
    Decline,
}

/// The questions on the desk.
#[derive(Default)]
pub(crate) struct Desk {
    waiting: Mutex<HashMap<String, (PendingAsk, oneshot::Sender<Reply>)>>,
}

impl Desk {
    /// Lays a question on the desk; the receiver gets the person's reply.
    pub(crate) fn lay(&self, ask: PendingAsk) -> oneshot::Receiver<Reply> {
        let (reply, replied) = oneshot::channel();
        self.waiting.lock().insert(ask.ask_id.clone(), (ask, reply));
        replied
    }

    /// Takes a question away: its time is up, or its asker hung up.
    pub(crate) fn take_away(&self, ask_id: &str) {
        self.waiting.lock().remove(ask_id);
    }

    /// All questions, the oldest first.
    pub(crate) fn all(&self) -> Vec<PendingAsk> {
        let mut all: Vec<_> = self
            .waiting
            .lock()
            .values()
            .map(|(ask, _)| ask.clone())
            .collect();
        all.sort_by(|a, b| a.received_at.cmp(&b.received_at));
        all
    }

    /// The person's reply.
    ///
    /// # Errors
    /// `MESSAGE_NOT_FOUND` where nothing waits under this id any more.
    pub(crate) fn reply(&self, ask_id: &str, reply: Reply) -> Result<(), Problem> {
        let gone = || {
            Problem::new(Code::MessageNotFound)
                .summary("This question does not wait for an answer.")
                .because("It was answered, its time was up, or its asker hung up.")
                .remedy("Send a message instead.")
        };
        let (_, sender) = self.waiting.lock().remove(ask_id).ok_or_else(gone)?;
        sender.send(reply).map_err(|_| gone())
    }
}
