//! What an asker hears before the answer: how long it may take, and the answer as it comes.
//!
//! None of it is stored, and none of it is needed: the answer itself travels as a message.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tieline_wire::message::MessageId;
use tieline_wire::problem::Problem;
use tokio::sync::watch;
use tokio::time::Instant;

use super::responder::MAX_ANSWER;
use crate::exchange::exchange_open;
use crate::node::Node;
use crate::peers::Peer;
use crate::protocol::path;

/// An asker that does not watch is told only about answers that take longer than this.
const QUIET: Duration = Duration::from_secs(5);
/// Most text in one request, in bytes.
const MAX_PIECE: usize = 64 * 1024;
/// Longest time that is believed, as responders are bounded.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// `asks/progress`: how far the answer to an ask is.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProgressBody {
    /// The ask's message id.
    id: String,
    /// How long the answer may still take, in milliseconds.
    remaining_ms: u64,
    /// Where the piece begins in the answer, in bytes. One that arrives twice is known by it.
    offset: usize,
    /// A piece of the answer: the answerer's text, untrusted.
    text: String,
}

/// What an asker knows of the answer so far.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// The beginning of the answer.
    pub(crate) text: String,
    /// Until when the answerer works on it at most.
    pub(crate) until: Option<Instant>,
}

impl Progress {
    /// Takes a piece. One that is known, that leaves a gap or that is too much is passed over.
    pub(crate) fn take(&mut self, body: &ProgressBody) {
        let remaining = Duration::from_millis(body.remaining_ms).min(LONGEST);
        self.until = Some(Instant::now() + remaining);
        if body.offset == self.text.len() && self.text.len() + body.text.len() <= MAX_ANSWER {
            self.text.push_str(&body.text);
        }
    }
}

/// Tells an asker how far its answer is, as long as it is being made. Never ends by itself.
pub(super) async fn tell(
    node: &Node,
    peer: &Arc<Peer>,
    id: &MessageId,
    limit: Duration,
    watched: Option<watch::Receiver<String>>,
) -> Infallible {
    let told = match watched {
        Some(watched) => stream(node, peer, id, limit, watched).await,
        None => {
            tokio::time::sleep(QUIET).await;
            say(
                node,
                peer,
                id,
                limit.saturating_sub(QUIET),
                0,
                String::new(),
            )
            .await
        }
    };
    if let Err(problem) = told {
        // An older node does not know this request; the answer reaches it all the same.
        tracing::debug!(problem = %problem.code, "the asker could not be told how far the answer is");
    }
    std::future::pending().await
}

async fn stream(
    node: &Node,
    peer: &Arc<Peer>,
    id: &MessageId,
    limit: Duration,
    mut watched: watch::Receiver<String>,
) -> Result<(), Problem> {
    let began = Instant::now();
    let mut said = 0;
    loop {
        // What came while the last piece was under way goes in one.
        let piece = {
            let text = watched.borrow_and_update();
            let rest = text.get(said..).unwrap_or_default();
            rest.get(..rest.floor_char_boundary(MAX_PIECE))
                .unwrap_or_default()
                .to_owned()
        };
        if said == 0 || !piece.is_empty() {
            let length = piece.len();
            let remaining = limit.saturating_sub(began.elapsed());
            say(node, peer, id, remaining, said, piece).await?;
            said += length;
        }
        let more = watched.borrow().len() > said;
        if !more && watched.changed().await.is_err() {
            return Ok(());
        }
    }
}

async fn say(
    node: &Node,
    peer: &Arc<Peer>,
    id: &MessageId,
    remaining: Duration,
    offset: usize,
    text: String,
) -> Result<(), Problem> {
    let body = ProgressBody {
        id: id.as_str().to_owned(),
        remaining_ms: u64::try_from(remaining.as_millis()).unwrap_or(u64::MAX),
        offset,
        text,
    };
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let answer = exchange_open(node, peer, path::ASK_PROGRESS, body.into()).await?;
    answer.read::<serde_json::Value>().map(drop)
}

/// An answerer says how far it is. Only the peer that was asked is heard.
pub(crate) fn arrived(node: &Node, peer: &Peer, body: &ProgressBody) {
    if let Ok(id) = MessageId::new(&body.id) {
        node.waiting_asks.progress(peer.id, &id, body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_fit_together_whatever_arrives_twice_or_not_at_all() {
        let mut progress = Progress::default();
        let mut take = |offset, text: &str| {
            progress.take(&ProgressBody {
                id: "m-1".into(),
                remaining_ms: u64::MAX,
                offset,
                text: text.into(),
            });
            progress.text.clone()
        };
        assert_eq!(take(0, "one "), "one ");
        assert_eq!(take(0, "one "), "one ");
        assert_eq!(take(9, "four"), "one ");
        assert_eq!(take(4, "two"), "one two");
        assert_eq!(take(7, &"x".repeat(MAX_ANSWER)), "one two");
    }
}
