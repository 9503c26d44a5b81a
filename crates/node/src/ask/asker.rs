//! Asking a peer, and waiting for its answer.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tieline_store::messages::{self, Cursor, Direction, Filter, MessageRow};
use tieline_store::peers::PeerId;
use tieline_wire::ask::{ANSWER_TYPE, Answer, Ask, DEFAULT_HOPS, MAX_HOPS};
use tieline_wire::certificate::Certificate;
use tieline_wire::message::MessageId;
use tieline_wire::problem::{Code, Problem};
use tokio::sync::watch;

use super::Kind;
use crate::clock::wall_now;
use crate::exchange::exchange_open;
use crate::model::{
    AskCommand, AskView, OnFailure, Provenance, RouteChoice, SendCommand, SendFailure,
};
use crate::node::Node;
use crate::peers::Peer;
use crate::protocol::path;

/// The asks of this run that somebody waits for.
#[derive(Default)]
pub(crate) struct Waiting {
    asks: Mutex<HashMap<MessageId, Asked>>,
}

/// Whom an ask went to, and where its answer goes.
type Asked = (PeerId, watch::Sender<Option<Answer>>);

impl Node {
    /// Asks a peer and waits for the answer, or until the caller's time is up.
    ///
    /// # Errors
    /// As [`Node::send`], `HOP_LIMIT` and `BUDGET_SPENT`.
    pub async fn ask(&self, command: AskCommand) -> Result<AskView, SendFailure> {
        let hops = command.hops.unwrap_or(DEFAULT_HOPS).min(MAX_HOPS);
        if hops == 0 {
            return Err(SendFailure::early(Problem::new(Code::HopLimit)));
        }
        let (_, peer) = self.peers.resolve(&command.to);
        let peer = peer
            .filter(|peer| peer.record().keys.is_some())
            .ok_or_else(|| {
                SendFailure::early(Problem::new(Code::PeerNotFound).summary(format!(
                    "There is no peer named {} that answers questions.",
                    command.to
                )))
            })?;
        self.brakes
            .take(peer.id, Kind::AsksOut)
            .map_err(SendFailure::early)?;
        let id = MessageId::new_v4();
        let (sender, mut answer) = watch::channel(None);
        self.waiting_asks
            .asks
            .lock()
            .insert(id.clone(), (peer.id, sender));
        let mut hang_up = HangUp {
            node: self.clone(),
            peer: Arc::clone(&peer),
            id: id.clone(),
            armed: true,
        };
        let ask = Ask {
            text: command.text,
            hops,
            session: command.session,
        };
        let sent = self
            .send(SendCommand {
                to: peer.alias(),
                payload: ask.to_payload(),
                route: RouteChoice::Auto,
                message_id: Some(id.clone()),
                on_failure: OnFailure::Fail,
            })
            .await;
        if let Err(failure) = sent {
            hang_up.armed = false;
            return Err(failure);
        }
        let waited = tokio::time::timeout(command.wait, async {
            answer
                .wait_for(|answer| answer.as_ref().is_some_and(|answer| answer.is_final))
                .await
                .is_ok()
        });
        let _ = waited.await;
        let last = answer.borrow().clone();
        // The caller's time is up, but it was told so: the answer can still be fetched.
        hang_up.armed = false;
        Ok(self.ask_view(&peer, &id, last))
    }

    /// What has come of an ask so far.
    ///
    /// # Errors
    /// `MESSAGE_NOT_FOUND`.
    pub async fn ask_status(&self, ask_id: &str) -> Result<AskView, Problem> {
        let id = MessageId::new(ask_id)?;
        let wanted = id.clone();
        let found = self
            .store
            .read(move |conn| {
                let rows = messages::by_message_id(conn, &wanted)?;
                let Some(ask) = rows.into_iter().find(|row| row.direction == Direction::Out) else {
                    return Ok(None);
                };
                let answer = find_answer(conn, &ask)?;
                Ok(Some((ask, answer)))
            })
            .await?;
        let (ask, answer) = found.ok_or_else(|| Problem::new(Code::MessageNotFound))?;
        let peer = self
            .peers
            .by_id(ask.peer)
            .ok_or_else(|| Problem::new(Code::PeerNotFound))?;
        Ok(self.ask_view(&peer, &id, answer))
    }

    fn ask_view(&self, peer: &Peer, id: &MessageId, answer: Option<Answer>) -> AskView {
        let mut view = AskView {
            ask_id: id.as_str().to_owned(),
            status: "accepted".into(),
            untrusted_answer: None,
            untrusted_note: None,
            problem: None,
            provenance: provenance(peer),
            timestamp: wall_now().to_string(),
        };
        match answer {
            None => {}
            Some(Answer {
                is_final: false,
                text,
                ..
            }) => view.untrusted_note = Some(text),
            Some(Answer {
                error: Some(error), ..
            }) => {
                view.status = "failed".into();
                // The code chooses our own words; the peer's are data beside them.
                let code = error.code.parse().unwrap_or(Code::ResponderFailed);
                view.problem = Some(Problem::new(code));
                view.untrusted_note = Some(error.message);
            }
            Some(Answer { text, .. }) => {
                view.status = "answered".into();
                view.untrusted_answer = Some(text);
            }
        }
        view
    }
}

fn provenance(peer: &Peer) -> Provenance {
    let record = peer.record();
    let certificate = record
        .row
        .certificate
        .as_deref()
        .and_then(|der| Certificate::from_der(der).ok());
    Provenance {
        peer: record.row.alias.clone(),
        fingerprint: certificate.map(|certificate| certificate.fingerprint().to_string()),
        paired_at: record.row.paired_at.to_string(),
        paired_by: record.row.paired_by.to_string(),
        evidence: if record.keys.is_some() {
            "signed"
        } else {
            "claimed"
        }
        .into(),
    }
}

/// The last answer to an ask: the final one where there is one.
fn find_answer(
    conn: &rusqlite::Connection,
    ask: &MessageRow,
) -> Result<Option<Answer>, tieline_store::StoreError> {
    let mut found = None;
    let mut after = ask.seq;
    loop {
        let filter = Filter {
            peer: Some(ask.peer),
            direction: Some(Direction::In),
            kinds: vec![ANSWER_TYPE.to_owned()],
            cursor: Cursor::After(after),
            limit: 100,
            payload: true,
            ..Filter::default()
        };
        let page = messages::list(conn, &filter)?;
        for row in &page.messages {
            after = row.seq;
            let payload = row
                .content
                .as_ref()
                .and_then(|content| content.payload.as_deref());
            let answer = payload.and_then(|payload| Answer::parse(payload).ok());
            if let Some(answer) = answer.filter(|answer| answer.in_reply_to == ask.message_id) {
                if answer.is_final {
                    return Ok(Some(answer));
                }
                found = Some(answer);
            }
        }
        if !page.more {
            return Ok(found);
        }
    }
}

/// An answer came in: whoever waits for it is told. Only the peer that was asked can answer.
pub(crate) fn arrived_answer(node: &Node, peer: &Peer, payload: &str) {
    let Ok(answer) = Answer::parse(payload) else {
        return;
    };
    let mut asks = node.waiting_asks.asks.lock();
    if let Some((asked, waiting)) = asks.get(&answer.in_reply_to)
        && *asked == peer.id
    {
        let is_final = answer.is_final;
        let id = answer.in_reply_to.clone();
        waiting.send_replace(Some(answer));
        if is_final {
            asks.remove(&id);
        }
    }
}

/// Tells the peer when a caller hangs up before its answer came, so that nobody works for nothing.
struct HangUp {
    node: Node,
    peer: Arc<Peer>,
    id: MessageId,
    armed: bool,
}

impl Drop for HangUp {
    fn drop(&mut self) {
        self.node.waiting_asks.asks.lock().remove(&self.id);
        if !self.armed {
            return;
        }
        let (node, peer) = (self.node.clone(), Arc::clone(&self.peer));
        let body = serde_json::json!({"id": self.id.as_str()}).to_string();
        self.node.tasks.spawn(async move {
            if let Err(problem) = exchange_open(&node, &peer, path::ASK_CANCEL, body.into()).await {
                tracing::debug!(%problem, "the peer could not be told that the asker hung up");
            }
        });
    }
}
