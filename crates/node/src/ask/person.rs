//! The person's desk: questions of peers that wait for a human answer.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use parking_lot::Mutex;
use tieline_store::peers::PeerId;
use tieline_wire::problem::{Code, Problem};
use tokio::sync::oneshot;

use crate::model::PendingAsk;

/// Questions of one peer that lie on the desk at once: more than a person answers.
const MOST_OF_A_PEER: usize = 16;

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
    waiting: Mutex<HashMap<String, Waiting>>,
}

struct Waiting {
    from: PeerId,
    ask: PendingAsk,
    reply: oneshot::Sender<Reply>,
}

impl Desk {
    /// Lays a peer's question on the desk; the receiver gets the person's reply.
    ///
    /// # Errors
    /// `ID_CONFLICT` where a question of another peer lies there under the same id: the person's
    /// answer to one must never go to the other. `PEER_BUSY` where too many of this peer lie there.
    pub(crate) fn lay(
        &self,
        from: PeerId,
        ask: PendingAsk,
    ) -> Result<oneshot::Receiver<Reply>, Problem> {
        let (reply, replied) = oneshot::channel();
        let mut waiting = self.waiting.lock();
        let of_it = waiting.values().filter(|known| known.from == from).count();
        if of_it >= MOST_OF_A_PEER {
            return Err(Problem::new(Code::PeerBusy));
        }
        match waiting.entry(ask.ask_id.clone()) {
            Entry::Occupied(_) => Err(Problem::new(Code::IdConflict)),
            Entry::Vacant(place) => {
                place.insert(Waiting { from, ask, reply });
                Ok(replied)
            }
        }
    }

    /// Takes a peer's question away: its time is up, or its asker hung up.
    pub(crate) fn take_away(&self, from: PeerId, ask_id: &str) {
        let mut waiting = self.waiting.lock();
        if waiting.get(ask_id).is_some_and(|known| known.from == from) {
            waiting.remove(ask_id);
        }
    }

    /// All questions, the oldest first.
    pub(crate) fn all(&self) -> Vec<PendingAsk> {
        let mut all: Vec<_> = self
            .waiting
            .lock()
            .values()
            .map(|waiting| waiting.ask.clone())
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
        let waiting = self.waiting.lock().remove(ask_id).ok_or_else(gone)?;
        waiting.reply.send(reply).map_err(|_| gone())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn ask(peer: &str) -> PendingAsk {
        PendingAsk {
            ask_id: "m-1".into(),
            peer: peer.into(),
            text: "?".into(),
            received_at: String::new(),
            deadline_at: String::new(),
        }
    }

    #[test]
    fn one_peer_does_not_cover_the_whole_desk() {
        let desk = Desk::default();
        let question = |number: usize| PendingAsk {
            ask_id: format!("m-{number}"),
            ..ask("alice")
        };
        let replies: Vec<_> = (0..MOST_OF_A_PEER)
            .map(|number| desk.lay(PeerId(1), question(number)).unwrap())
            .collect();
        let refused = desk.lay(PeerId(1), question(99)).unwrap_err();
        assert_eq!(refused.code, Code::PeerBusy);
        let other = desk.lay(PeerId(2), question(100));
        assert!(other.is_ok());
        desk.take_away(PeerId(1), "m-0");
        assert!(desk.lay(PeerId(1), question(99)).is_ok());
        drop(replies);
    }

    #[tokio::test]
    async fn two_peers_questions_under_one_id_are_not_mixed_up() {
        let desk = Desk::default();
        let replied = desk.lay(PeerId(1), ask("alice")).unwrap();
        let refused = desk.lay(PeerId(2), ask("mallory")).unwrap_err();
        assert_eq!(refused.code, Code::IdConflict);
        desk.take_away(PeerId(2), "m-1");
        assert_eq!(desk.all()[0].peer, "alice");
        desk.reply("m-1", Reply::Answer("yes".into())).unwrap();
        assert!(matches!(replied.await, Ok(Reply::Answer(text)) if text == "yes"));
        desk.lay(PeerId(2), ask("mallory")).unwrap();
        desk.take_away(PeerId(2), "m-1");
        assert!(desk.all().is_empty());
    }
}
