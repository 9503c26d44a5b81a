//! A message or a question to an abTARS machine. Both are the one call that it has; what comes back
//! is the answer of whatever works there, and arrives as a message of the peer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value, json};
use tieline_store::messages::{Assurance, MessageRow};
use tieline_wire::abtars::ask::{AskError, read_answer};
use tieline_wire::abtars::chat::{self, ChatRequest};
use tieline_wire::abtars::{Generation, MAX_BODY, tag};
use tieline_wire::ask::{ANSWER_TYPE, ASK_TYPE, Answer, AnswerError, Ask};
use tieline_wire::message::MessageId;
use tieline_wire::problem::{Code, Phase, Problem};
use tokio_util::sync::CancellationToken;

use super::client::{Answered, Question, ask};
use super::contact::Contact;
use super::dial::Shown;
use super::probe;
use super::serve::{Note, store_note};
use crate::clock::{millis, wall_now};
use crate::exchange::Try;
use crate::line::ExchangeError;
use crate::model::SendFailure;
use crate::node::Node;
use crate::outbox::{Delivery, Outcome};
use crate::peers::Peer;

/// Time for an answer: longer than the 300 seconds that abTARS gives what works there.
pub(crate) const WAIT: Duration = Duration::from_secs(330);

/// Whether a payload can be said to an abTARS peer at all, and whole.
///
/// # Errors
/// `INVALID_REQUEST` for anything but a text, `PAYLOAD_TOO_LARGE`.
pub(crate) fn check(peer: &Peer, payload: &Map<String, Value>) -> Result<(), Problem> {
    if peer.record().contact.is_none() {
        return Ok(());
    }
    let kind = payload.get("type").and_then(Value::as_str);
    let text = payload.get("text").and_then(Value::as_str);
    let (Some("text" | ASK_TYPE), Some(text)) = (kind, text) else {
        return Err(Problem::new(Code::InvalidRequest)
            .summary("An abTARS peer takes texts and nothing else.")
            .because("The payload's type is not `text`, or it has no text.")
            .remedy("Send a payload of type `text`."));
    };
    if text.trim().is_empty() {
        return Err(
            Problem::new(Code::InvalidRequest).summary("An abTARS peer takes no empty text.")
        );
    }
    // Room for the tag and the JSON around the text.
    let length = json!(text).to_string().len() + 1024;
    if length > MAX_BODY {
        return Err(Problem::new(Code::PayloadTooLarge)
            .because(format!(
                "The text takes {length} bytes; abTARS takes {MAX_BODY}."
            ))
            .with("actualLength", length)
            .with("maxLength", MAX_BODY));
    }
    Ok(())
}

/// Says a stored message to the peer.
pub(crate) async fn deliver(node: &Node, peer: &Arc<Peer>, row: &MessageRow) -> Delivery {
    let Some(said) = Said::of(node, peer, row) else {
        let problem = Problem::new(Code::StoreDamaged).because("The message's content is missing.");
        return Delivery {
            outcome: Outcome::NotStored(problem),
            tries: Vec::new(),
        };
    };
    let cut = CancellationToken::new();
    if said.is_ask {
        let id = row.message_id.clone();
        node.abtars.asking.lock().insert(id, cut.clone());
    }
    let delivery = tokio::select! {
        delivery = say(node, peer, &said, row) => delivery,
        () = cut.cancelled() => Delivery {
            outcome: Outcome::Unknown(
                Problem::new(Code::ResponseTimeout).because("The asker hung up before the answer came."),
            ),
            tries: Vec::new(),
        },
    };
    node.abtars.asking.lock().remove(&row.message_id);
    delivery
}

/// The asker of this question hung up: the connection is closed, so that the peer can stop.
pub(crate) fn hang_up(node: &Node, id: &MessageId) {
    if let Some(cut) = node.abtars.asking.lock().remove(id) {
        cut.cancel();
    }
}

/// The reason that the peer itself gave for not answering a question; `None` where it was not
/// reached, or nothing is known.
pub(crate) fn answered_with(failure: &SendFailure) -> Option<Problem> {
    let last = failure.attempts.as_ref()?.last()?;
    let problem = last.problem.clone()?;
    matches!(problem.phase, Some(Phase::Limit | Phase::Responder)).then_some(problem)
}

/// What is said.
struct Said {
    text: String,
    hops: u32,
    is_ask: bool,
}

impl Said {
    fn of(node: &Node, peer: &Peer, row: &MessageRow) -> Option<Self> {
        peer.record().contact.as_ref()?;
        let payload = row.content.as_ref()?.payload.as_deref()?;
        if row.kind == ASK_TYPE {
            let ask = Ask::parse(payload).ok()?;
            return Some(Self {
                text: ask.text,
                hops: ask.hops.into(),
                is_ask: true,
            });
        }
        let payload: Value = serde_json::from_str(payload).ok()?;
        Some(Self {
            text: payload.get("text")?.as_str()?.to_owned(),
            hops: node.abtars.max_hops(),
            is_ask: false,
        })
    }

    fn question(&self, node: &Node, contact: &Contact) -> Question {
        let content = tag::tagged(
            node.abtars_key(),
            &node.abtars_name(),
            &contact.name,
            &self.text,
            wall_now(),
        );
        Question {
            method: Method::POST,
            target: chat::PATH,
            body: Bytes::from(ChatRequest::body(&content)),
            hops: Some(self.hops),
            wait: WAIT,
            only_signed: false,
        }
    }
}

async fn say(node: &Node, peer: &Arc<Peer>, said: &Said, row: &MessageRow) -> Delivery {
    let mut tries: Vec<Try> = Vec::new();
    let mut again = true;
    loop {
        let record = peer.record();
        let Some(contact) = &record.contact else {
            return Delivery {
                outcome: Outcome::NotStored(Problem::new(Code::LanUnavailable)),
                tries,
            };
        };
        let question = said.question(node, contact);
        let (answered, more) = ask(node, peer, &question).await;
        tries.extend(more);
        let outcome = match answered {
            Ok(answered) => {
                let known = contact.learned.generation;
                if again && known == Some(Generation::Legacy) && probe::is_current(&answered) {
                    // It was updated meanwhile. It took nothing, so it is asked again, with both.
                    again = false;
                    probe::forget(node, peer).await;
                    continue;
                }
                note(node, peer, known, &answered, &tries).await;
                judge(node, peer, said, row, known, &answered).await
            }
            Err(ExchangeError { problem, sent }) => {
                probe::broken(node, peer, &problem);
                if sent {
                    Outcome::Unknown(problem)
                } else {
                    Outcome::NotStored(problem)
                }
            }
        };
        if let (Outcome::NotStored(problem) | Outcome::Unknown(problem), Some(last)) =
            (&outcome, tries.last_mut())
        {
            last.problem.get_or_insert_with(|| problem.clone());
        }
        // One attempt over the route, whatever it tried inside: the last address tells.
        let tries = tries.pop().into_iter().collect();
        return Delivery { outcome, tries };
    }
}

/// Notes that the peer is there, and finds out what it speaks if that is still open.
async fn note(
    node: &Node,
    peer: &Arc<Peer>,
    known: Option<Generation>,
    answered: &Answered,
    tries: &[Try],
) {
    let last = tries.last();
    let latency = last.and_then(|last| last.connect).map(millis);
    let address = last.and_then(|last| last.address.clone());
    probe::worked(node, peer, latency.unwrap_or_default(), address);
    if answered.shown == Shown::Certificate {
        probe::remember(node, peer, Generation::Legacy).await;
    } else if known.is_none() {
        let (node, peer) = (node.clone(), Arc::clone(peer));
        node.tasks
            .clone()
            .spawn(async move { probe::find_out(&node, &peer).await });
    }
}

/// What an answer means for the message.
async fn judge(
    node: &Node,
    peer: &Arc<Peer>,
    said: &Said,
    row: &MessageRow,
    known: Option<Generation>,
    answered: &Answered,
) -> Outcome {
    if known == Some(Generation::Current) && probe::is_legacy(answered) {
        return Outcome::NotStored(probe::downgraded());
    }
    let status = answered.status.as_u16();
    let retry_after = answered.retry_after.as_deref();
    match read_answer(status, retry_after, &answered.body) {
        Ok(answer) => {
            take_answer(node, peer, said, &row.message_id, answer.text).await;
            Outcome::Claimed
        }
        Err(AskError::PeerError { status: 503, .. }) => {
            Outcome::NotStored(Problem::new(Code::NoResponder))
        }
        // What works there failed, or was silent; it may have done half of it.
        Err(AskError::PeerError { status: 500.., .. }) => {
            Outcome::Unknown(Problem::new(Code::ResponderFailed))
        }
        Err(AskError::NotJson(text)) => Outcome::Unknown(AskError::NotJson(text).into()),
        Err(_) => Outcome::NotStored(probe::refusal(node, answered)),
    }
}

/// Stores what the peer answered as a message of it, and tells whoever waits.
async fn take_answer(node: &Node, peer: &Arc<Peer>, said: &Said, asked: &MessageId, text: String) {
    if text.is_empty() && !said.is_ask {
        return;
    }
    let (kind, payload) = if said.is_ask {
        // An empty reply is what a peer gives to a text that it swallowed: no answer.
        let error = text.is_empty().then(|| AnswerError {
            code: Code::ResponderFailed.to_string(),
            message: "(an empty reply)".into(),
        });
        let answer = Answer {
            in_reply_to: asked.clone(),
            text: text.clone(),
            is_final: true,
            error,
        };
        (ANSWER_TYPE, answer.to_payload())
    } else {
        let payload = json!({"type": "text", "text": text, "inReplyTo": asked.as_str()});
        let Value::Object(payload) = payload else {
            return;
        };
        ("text", payload)
    };
    let payload = Value::Object(payload).to_string();
    let note = Note {
        kind,
        payload: payload.clone(),
        text,
        // The connection was pinned to the peer's key or certificate.
        assurance: Assurance::Signed,
    };
    match store_note(node, peer, note).await {
        Ok(_) if said.is_ask => crate::ask::arrived_answer(node, peer, &payload),
        Ok(_) => {}
        Err(problem) => {
            tracing::warn!(peer = %peer.alias(), problem = %problem.code, "an answer could not be stored");
            if said.is_ask {
                crate::ask::arrived_answer(node, peer, &payload);
            }
        }
    }
}
