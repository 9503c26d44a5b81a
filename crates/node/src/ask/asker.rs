//! Asking a peer, and waiting for its answer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tieline_store::messages::{self, Direction, MessageRow, State};
use tieline_store::peers::PeerId;
use tieline_wire::ask::{
    ANSWER_TYPE, Answer, AnswerError, Ask, DEFAULT_HOPS, MAX_ASK_TEXT, MAX_HOPS,
};
use tieline_wire::certificate::Certificate;
use tieline_wire::message::MessageId;
use tieline_wire::problem::{Code, Problem};
use tokio::sync::watch;

use super::asking::{Asking, HangUp, Heard};
use super::{Kind, ProgressBody};
use crate::clock::wall_now;
use crate::dialect::abtars;
use crate::model::{
    AskCommand, AskView, OnFailure, Provenance, RouteChoice, SendCommand, SendFailure,
};
use crate::node::Node;
use crate::peers::Peer;

/// Longest wait of one look at an answer.
const LONGEST_LOOK: Duration = Duration::from_secs(60);

/// Answers to one ask that are looked at: holding ones, and the final one.
const MOST_ANSWERS: u32 = 64;

/// The asks of this run that somebody waits for.
#[derive(Default)]
pub(crate) struct Waiting {
    asks: Mutex<HashMap<MessageId, Asked>>,
}

/// Whom an ask went to, and where its answer goes.
type Asked = (PeerId, watch::Sender<Heard>);

impl Waiting {
    fn expect(&self, id: &MessageId, peer: PeerId) -> watch::Receiver<Heard> {
        let (sender, heard) = watch::channel(Heard::default());
        self.asks.lock().insert(id.clone(), (peer, sender));
        heard
    }

    /// Nobody waits any more.
    pub(super) fn forget(&self, id: &MessageId) {
        self.asks.lock().remove(id);
    }

    /// A peer says how far an answer is; it is heard if it was asked.
    pub(super) fn progress(&self, from: PeerId, id: &MessageId, body: &ProgressBody) {
        let asks = self.asks.lock();
        if let Some((asked, heard)) = asks.get(id)
            && *asked == from
        {
            heard.send_modify(|heard| heard.progress.take(body));
        }
    }

    fn answered(&self, from: PeerId, answer: Answer) {
        let mut asks = self.asks.lock();
        let id = answer.in_reply_to.clone();
        if let Some((asked, heard)) = asks.get(&id)
            && *asked == from
        {
            let is_final = answer.is_final;
            heard.send_modify(|heard| heard.answer = Some(answer));
            if is_final {
                asks.remove(&id);
            }
        }
    }
}

impl Node {
    /// Asks a peer and waits for the answer, or until the caller's time is up.
    ///
    /// # Errors
    /// As [`Node::start_ask`].
    pub async fn ask(&self, command: AskCommand) -> Result<AskView, SendFailure> {
        Ok(self.start_ask(command).await?.answer().await)
    }

    /// Asks a peer; what it says is heard as it comes.
    ///
    /// # Errors
    /// As [`Node::send`], `PAYLOAD_TOO_LARGE` for a question of more than 512 KiB, `HOP_LIMIT` and
    /// `BUDGET_SPENT`.
    pub async fn start_ask(&self, command: AskCommand) -> Result<Asking, SendFailure> {
        if command.text.len() > MAX_ASK_TEXT {
            return Err(SendFailure::early(
                Problem::new(Code::PayloadTooLarge)
                    .because(format!(
                        "The question has {} bytes; at most {MAX_ASK_TEXT} are asked.",
                        command.text.len()
                    ))
                    .with("actualLength", command.text.len())
                    .with("maxLength", MAX_ASK_TEXT),
            ));
        }
        let hops = command.hops.unwrap_or(DEFAULT_HOPS).min(MAX_HOPS);
        if hops == 0 {
            return Err(SendFailure::early(Problem::new(Code::HopLimit)));
        }
        let (_, peer) = self.peers.resolve(&command.to);
        let peer = peer
            .filter(|peer| peer.record().is_asked())
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
        let heard = self.waiting_asks.expect(&id, peer.id);
        let mut line = HangUp {
            node: self.clone(),
            peer: Arc::clone(&peer),
            id: id.clone(),
            armed: true,
        };
        let ask = Ask {
            text: command.text,
            hops,
            session: command.session,
            stream: command.stream,
        };
        let sending = self.send(SendCommand {
            to: peer.alias(),
            payload: ask.to_payload(),
            route: RouteChoice::Auto,
            message_id: Some(id.clone()),
            on_failure: OnFailure::Fail,
        });
        // An abTARS peer takes a question and answers it in one exchange.
        let sent = if peer.record().contact.is_some() {
            let wait = command.wait.unwrap_or(abtars::WAIT);
            match tokio::time::timeout(wait, sending).await {
                Ok(sent) => sent,
                Err(_) => return Ok(Asking::new(line, heard, Some(Duration::ZERO))),
            }
        } else {
            sending.await
        };
        if let Err(failure) = sent {
            let Some(problem) = abtars::answered_with(&failure) else {
                line.armed = false;
                return Err(failure);
            };
            let no = Answer {
                in_reply_to: id,
                text: String::new(),
                is_final: true,
                error: Some(AnswerError {
                    code: problem.code.to_string(),
                    // The peer's words are not known; ours follow from the code.
                    message: String::new(),
                }),
            };
            self.waiting_asks.answered(peer.id, no);
        }
        Ok(Asking::new(line, heard, command.wait))
    }

    /// What has come of an ask, waiting for the answer for a while where there is none yet.
    ///
    /// # Errors
    /// As [`Node::ask_status`].
    pub async fn wait_ask(&self, ask_id: &str, wait: Duration) -> Result<AskView, Problem> {
        let deadline = tokio::time::Instant::now() + wait.min(LONGEST_LOOK);
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            // Registered before looking, so that what arrives in between is not missed.
            arrived.as_mut().enable();
            let view = self.ask_status(ask_id).await?;
            if view.status != "accepted" {
                return Ok(view);
            }
            tokio::select! {
                () = self.stop.cancelled() => return Ok(view),
                timed = tokio::time::timeout_at(deadline, arrived) => {
                    if timed.is_err() {
                        return Ok(view);
                    }
                }
            }
        }
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
        let over = answer.is_none()
            && (ask.state == State::Failed
                || (ask.state == State::Unconfirmed && peer.record().contact.is_some()));
        let mut view = ask_view(&peer, &id, answer);
        if over {
            // No answer will come any more.
            let problem = ask
                .problem
                .and_then(|value| serde_json::from_value(value).ok());
            view.status = "failed".into();
            view.problem = Some(problem.unwrap_or_else(|| Problem::new(Code::DeliveryFailed)));
        }
        Ok(view)
    }
}

pub(super) fn ask_view(peer: &Peer, id: &MessageId, answer: Option<Answer>) -> AskView {
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
            view.untrusted_note = (!error.message.is_empty()).then_some(error.message);
        }
        Some(Answer { text, .. }) => {
            view.status = "answered".into();
            view.untrusted_answer = Some(text);
        }
    }
    view
}

/// Where a peer's words come from, from this node's own records.
pub(crate) fn provenance(peer: &Peer) -> Provenance {
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

/// The answer to an ask: the final one where there is one, else the last word before it.
fn find_answer(
    conn: &rusqlite::Connection,
    ask: &MessageRow,
) -> Result<Option<Answer>, tieline_store::StoreError> {
    let mut found = None;
    for row in messages::replies(conn, ask, ANSWER_TYPE, MOST_ANSWERS)? {
        let payload = row.content.and_then(|content| content.payload);
        let answer = payload.and_then(|payload| Answer::parse(&payload).ok());
        match answer.filter(|answer| answer.in_reply_to == ask.message_id) {
            Some(answer) if answer.is_final => return Ok(Some(answer)),
            Some(answer) => found = Some(answer),
            None => {}
        }
    }
    Ok(found)
}

/// An answer came in: whoever waits for it is told. Only the peer that was asked can answer.
pub(crate) fn arrived_answer(node: &Node, peer: &Peer, payload: &str) {
    let Ok(answer) = Answer::parse(payload) else {
        return;
    };
    node.waiting_asks.answered(peer.id, answer);
}
