//! An ask under way: what its caller hears, until the answer, the end of its patience, or its
//! hanging up.

use std::sync::Arc;
use std::time::Duration;

use tieline_wire::ask::Answer;
use tieline_wire::message::MessageId;
use tokio::sync::watch;
use tokio::time::Instant;

use super::asker::ask_view;
use super::progress::Progress;
use crate::dialect::abtars;
use crate::exchange::exchange_open;
use crate::model::AskView;
use crate::node::Node;
use crate::peers::Peer;
use crate::protocol::path;

/// How long a caller waits that does not say so: longer than any responder that answers by itself
/// takes by default, and longer still where the answerer says that it takes longer.
const WAIT: Duration = Duration::from_secs(330);
/// What an answer needs to arrive once it is made.
const ON_ITS_WAY: Duration = Duration::from_secs(30);

/// What a caller hears of its ask.
#[derive(Debug)]
pub enum AskNews {
    /// The next piece of the answer: the peer's text, untrusted. All pieces together are the
    /// beginning of the answer; the answer itself holds all of it.
    Piece(String),
    /// What the peer says while it works on the answer, untrusted.
    Note(String),
    /// The answer, or that there is none (yet).
    End(Box<AskView>),
}

/// What is known of an answer.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// While it is made.
    pub(super) progress: Progress,
    /// The last one that came.
    pub(super) answer: Option<Answer>,
}

/// An ask that was delivered. Dropping it before its end is hanging up: the peer is told, so that
/// nobody works for nothing.
#[derive(Debug)]
pub struct Asking {
    line: HangUp,
    heard: watch::Receiver<Heard>,
    began: Instant,
    wait: Option<Duration>,
    /// How much of the answer the caller has.
    shown: usize,
    noted: Option<String>,
    has_ended: bool,
}

impl Asking {
    pub(super) fn new(line: HangUp, heard: watch::Receiver<Heard>, wait: Option<Duration>) -> Self {
        Self {
            line,
            heard,
            began: Instant::now(),
            wait,
            shown: 0,
            noted: None,
            has_ended: false,
        }
    }

    /// What has come of it so far.
    #[must_use]
    pub fn view(&self) -> AskView {
        let answer = self.heard.borrow().answer.clone();
        ask_view(&self.line.peer, &self.line.id, answer)
    }

    /// The next news; `None` after the end.
    pub async fn next(&mut self) -> Option<AskNews> {
        while !self.has_ended {
            if let Some(news) = self.news() {
                return Some(news);
            }
            let deadline = self.deadline();
            let is_over = tokio::select! {
                changed = self.heard.changed() => changed.is_err(),
                () = tokio::time::sleep_until(deadline) => true,
            };
            // The caller's time is up, but it is told so: the answer can still be fetched.
            if is_over {
                return Some(self.end());
            }
        }
        None
    }

    /// Waits for the end.
    pub async fn answer(mut self) -> AskView {
        while let Some(news) = self.next().await {
            if let AskNews::End(view) = news {
                return *view;
            }
        }
        self.view()
    }

    fn news(&mut self) -> Option<AskNews> {
        let heard = self.heard.borrow_and_update();
        if let Some(answer) = &heard.answer {
            if answer.is_final {
                drop(heard);
                return Some(self.end());
            }
            if self.noted.as_ref() != Some(&answer.text) {
                self.noted = Some(answer.text.clone());
                return Some(AskNews::Note(answer.text.clone()));
            }
        }
        let piece = heard.progress.text.get(self.shown..)?.to_owned();
        self.shown += piece.len();
        (!piece.is_empty()).then_some(AskNews::Piece(piece))
    }

    fn end(&mut self) -> AskNews {
        self.has_ended = true;
        self.line.armed = false;
        AskNews::End(Box::new(self.view()))
    }

    fn deadline(&self) -> Instant {
        match self.wait {
            Some(wait) => self.began + wait,
            None => {
                let until = self.heard.borrow().progress.until;
                let own = self.began + WAIT;
                until.map_or(own, |until| own.max(until + ON_ITS_WAY))
            }
        }
    }
}

/// Tells the peer when a caller hangs up before its answer came.
pub(super) struct HangUp {
    pub(super) node: Node,
    pub(super) peer: Arc<Peer>,
    pub(super) id: MessageId,
    pub(super) armed: bool,
}

impl std::fmt::Debug for HangUp {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("HangUp").field(&self.id).finish()
    }
}

impl Drop for HangUp {
    fn drop(&mut self) {
        self.node.waiting_asks.forget(&self.id);
        if !self.armed {
            return;
        }
        if self.peer.record().contact.is_some() {
            return abtars::hang_up(&self.node, &self.id);
        }
        let (node, peer) = (self.node.clone(), Arc::clone(&self.peer));
        let body = serde_json::json!({"id": self.id.as_str()}).to_string();
        self.node.tasks.spawn(async move {
            if let Err(problem) = exchange_open(&node, &peer, path::ASK_CANCEL, body.into()).await {
                tracing::debug!(problem = %problem.code, "the peer could not be told that the asker hung up");
            }
        });
    }
}
