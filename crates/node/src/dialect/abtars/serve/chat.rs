//! `POST /v1/chat/completions`: a peer's question, answered by what the person chose for it.

use std::sync::Arc;

use http::{HeaderMap, Response};
use serde_json::{Value, json};
use tieline_store::messages::{self, Evidence, Finish, Mode, NewOutgoing, Queued, State};
use tieline_wire::abtars::chat::{self, ChatRequest, Special};
use tieline_wire::abtars::refusal::Refusal;
use tieline_wire::abtars::request::PEER_HOPS;
use tieline_wire::abtars::tag::{self, Untagged, Verdict};
use tieline_wire::ask::{ANSWER_TYPE, ASK_TYPE, Answer, Ask, MAX_HOPS, MAX_SESSION};
use tieline_wire::message::{ContentHash, MessageId};
use tieline_wire::problem::{Code, Problem};
use tokio_util::sync::CancellationToken;

use super::answer::{OutBody, json as as_json};
use super::auth::Proven;
use super::note::{Note, store_note};
use super::stream;
use crate::ask::{self, Kind, Partial, Stored, responder};
use crate::clock::wall_now;
use crate::model::{EventKind, Responder};
use crate::node::Node;
use crate::peers::Peer;
use crate::protocol::Channel;

/// Header with the asker's name for a conversation.
const SESSION: &str = "x-session-id";

/// Serves a question of a peer that is believed.
///
/// # Errors
/// What the real server would answer.
pub(super) async fn serve(
    node: &Node,
    channel: &Channel,
    proven: Proven,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response<OutBody>, Refusal> {
    let Proven {
        peer,
        assurance,
        generation,
    } = proven;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let hops = chat::hops(header(PEER_HOPS))?;
    brake(node, &peer)?;
    let request = ChatRequest::parse(body, generation)?;
    let heard = Heard::of(node, &peer, &request.content)?;
    let special = Special::of(&heard.text);
    let (kind, payload, ask) = match special {
        Some(_) => ("text", json!({"type": "text", "text": heard.text}), None),
        None => {
            let ask = Ask {
                text: heard.text.clone(),
                hops: hops
                    .map_or(MAX_HOPS, |hops| u8::try_from(hops).unwrap_or(MAX_HOPS))
                    .min(MAX_HOPS),
                session: header(SESSION)
                    .filter(|it| *it != "default" && it.len() <= MAX_SESSION)
                    .map(str::to_owned),
                stream: false,
            };
            (ASK_TYPE, Value::Object(ask.to_payload()), Some(ask))
        }
    };
    let payload = heard.mark(payload);
    let note = Note {
        kind,
        payload: payload.to_string(),
        text: heard.text,
        assurance,
    };
    let stored = store_note(node, &peer, note).await;
    let (id, seq) = stored.map_err(|problem| internal(&problem))?;
    if let Some(special) = special {
        return Ok(as_json(special.body()));
    }
    let responder = node.responder(Some(&peer.alias())).await;
    let responder = responder.map_err(|problem| internal(&problem))?;
    let (Some(ask), false) = (ask, responder == Responder::Nobody) else {
        return Err(Refusal::AdapterUnavailable);
    };
    let work = Work {
        model: request.model,
        responder,
        id,
        seq,
        ask,
        serving: Serving::begin(node, &peer, seq, &channel.cut),
    };
    if wants_stream(body) {
        return Ok(stream::response(work));
    }
    let (id, model) = (work.id.clone(), work.model.clone());
    match work.run(None).await {
        Ok(text) => {
            let body = chat::completion_body(id.as_str(), &model, &text, wall_now());
            Ok(as_json(body))
        }
        Err(problem) => Err(internal(&problem)),
    }
}

/// A question that is being worked on.
pub(super) struct Work {
    pub model: String,
    responder: Responder,
    pub id: MessageId,
    seq: i64,
    ask: Ask,
    serving: Serving,
}

impl Work {
    /// Lets the responder answer, and keeps its answer. Dropped, it ends what works on it.
    pub(super) async fn run(self, partial: Option<Partial>) -> Result<String, Problem> {
        let Serving {
            node, peer, cut, ..
        } = &self.serving;
        let stored = Stored {
            id: &self.id,
            seq: self.seq,
            ask: self.ask,
        };
        let answering = async {
            let question = ask::hand_over(node, peer, stored).await?;
            responder::run(node, &self.responder, question, partial, |_| async {}).await
        };
        let answered = tokio::select! {
            answered = answering => answered,
            () = cut.cancelled() => Err(Problem::new(Code::ResponderInterrupted)),
            () = peer.cut.cancelled() => Err(Problem::new(Code::PeerRevoked)),
        };
        // An agent that is silent has failed.
        let answered = answered.and_then(|text| match text.is_empty() {
            true => Err(Problem::new(Code::ResponderFailed).because("It gave no text.")),
            false => Ok(text),
        });
        if let Ok(text) = &answered {
            keep(node, peer, &self.id, text).await;
        }
        answered
    }

    /// Ends it.
    pub(super) fn cut(&self) -> CancellationToken {
        self.serving.cut.clone()
    }

    /// The node's runtime for tasks.
    pub(super) fn node(&self) -> Node {
        self.serving.node.clone()
    }
}

/// From a question's arrival until it needs nothing more, however that comes about: answered, or
/// its asker hung up and the request was dropped.
struct Serving {
    node: Node,
    peer: Arc<Peer>,
    seq: i64,
    cut: CancellationToken,
}

impl Serving {
    fn begin(node: &Node, peer: &Arc<Peer>, seq: i64, parent: &CancellationToken) -> Self {
        Self {
            node: node.clone(),
            peer: Arc::clone(peer),
            seq,
            cut: parent.child_token(),
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.cut.cancel();
        let (node, peer, seq) = (self.node.clone(), self.peer.id, self.seq);
        self.node.tasks.spawn(async move {
            let row = node.store.read(move |conn| messages::get(conn, seq)).await;
            if let Ok(Some(row)) = row {
                node.desk.take_away(peer, row.message_id.as_str());
                ask::done(&node, seq, &row.message_id).await;
            }
        });
    }
}

/// What a peer said, without its tag, and what the tag was worth.
struct Heard {
    text: String,
    verdict: Option<Verdict>,
}

impl Heard {
    fn of(node: &Node, peer: &Peer, content: &str) -> Result<Self, Refusal> {
        let record = peer.record();
        let contact = record.contact.as_ref().ok_or(Refusal::UnknownPeer)?;
        let Some(key) = &contact.entry.verify_key else {
            return Self {
                text: tag::strip(content).to_owned(),
                verdict: None,
            }
            .not_empty();
        };
        let own_name = node.abtars_name();
        let Untagged { text, verdict } =
            tag::untag(content, key, &contact.name, &own_name, wall_now());
        if let Some(why) = verdict.reason().filter(|_| verdict != Verdict::Absent) {
            tracing::warn!(peer = %contact.name, why, %own_name, "a message's tag does not hold");
        }
        match verdict {
            Verdict::Absent if contact.is_signed_only() => Err(Refusal::SignatureRequired),
            Verdict::Expired | Verdict::BadSignature if contact.is_signed_only() => {
                Err(Refusal::SignatureInvalid)
            }
            verdict => Self {
                text: text.to_owned(),
                verdict: Some(verdict),
            }
            .not_empty(),
        }
    }

    fn not_empty(self) -> Result<Self, Refusal> {
        if self.text.trim().is_empty() {
            return Err(Refusal::EmptyPrompt);
        }
        Ok(self)
    }

    /// Notes in the stored payload what the tag was worth.
    fn mark(&self, mut payload: Value) -> Value {
        if let Some(verdict) = self.verdict {
            payload["tag"] = verdict.reason().unwrap_or("valid").into();
        }
        payload
    }
}

fn brake(node: &Node, peer: &Arc<Peer>) -> Result<(), Refusal> {
    node.brakes.take(peer.id, Kind::AsksIn).map_err(|_| {
        node.alert(Problem::new(Code::BudgetSpent).with("peer", peer.alias()));
        node.events.changed(EventKind::Asks, peer.alias());
        let record = peer.record();
        let caller = record.contact.as_ref().map(|it| it.name.clone());
        Refusal::RateLimited {
            caller: caller.unwrap_or_default(),
            retry_after: node.brakes.retry_after(peer.id, Kind::AsksIn),
        }
    })
}

/// Keeps an answer beside its question. That the asker got it nobody says.
async fn keep(node: &Node, peer: &Arc<Peer>, asked: &MessageId, text: &str) {
    use sha2::{Digest, Sha256};

    let answer = Answer {
        in_reply_to: asked.clone(),
        text: text.to_owned(),
        is_final: true,
        error: None,
    };
    let payload = Value::Object(answer.to_payload()).to_string();
    let id = MessageId::new_v4();
    let now = wall_now();
    let new = NewOutgoing {
        peer: peer.id,
        message_id: id.clone(),
        sender: None,
        recipient: None,
        content_hash: ContentHash(Sha256::digest(payload.as_bytes()).into()),
        kind: ANSWER_TYPE.to_owned(),
        payload,
        text: text.to_owned(),
        sent_at: now,
        created_at: now,
        mode: Mode::Now,
        route: Some("lan".into()),
        expires_elapsed_ms: None,
        store_id: None,
    };
    let kept = node.store.write(move |tx| {
        if let Queued::Stored(seq) = messages::insert_outgoing(tx, &new)? {
            let finish = Finish {
                state: State::Delivered,
                evidence: Evidence::None,
                receipt: None,
                problem: None,
                at: now,
            };
            messages::finish_outgoing(tx, seq, &finish)?;
        }
        Ok(())
    });
    match kept.await {
        Ok(()) => node.events.changed(EventKind::Messages, id.as_str()),
        Err(error) => tracing::warn!(%error, "an answer could not be kept"),
    }
}

/// Whether the caller asks for the answer in pieces, as OpenAI's interface has it.
fn wants_stream(body: &[u8]) -> bool {
    let body: Option<Value> = serde_json::from_slice(body).ok();
    body.is_some_and(|body| body.get("stream") == Some(&Value::Bool(true)))
}

/// What the caller does not learn more about; the log does.
fn internal(problem: &Problem) -> Refusal {
    tracing::warn!(problem = %problem.code, "a question of an abTARS peer was not answered");
    Refusal::Internal
}
