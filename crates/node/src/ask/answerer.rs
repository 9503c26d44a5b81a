//! Answering a peer's questions with what the person chose for that peer.

use std::sync::Arc;

use tieline_store::messages::{self, Direction, Filter, State};
use tieline_store::{peers, settings};
use tieline_wire::ask::{ASK_TYPE, Answer, AnswerError, Ask};
use tieline_wire::message::{Envelope, MessageId};
use tieline_wire::problem::{Code, Problem};

use super::partial::Partial;
use super::responder::{self, Question};
use super::{Kind, person, progress};
use crate::clock::wall_now;
use crate::model::{
    BrakeView, EventKind, OnFailure, PeerStateView, PendingAsk, Responder, RouteChoice, SendCommand,
};
use crate::node::Node;
use crate::pairing::set_option;
use crate::peers::Peer;

/// Setting with the responder of peers that have none of their own.
const DEFAULT: &str = "responder";
/// Option of a peer with its own.
const OPTION: &str = "responder";

impl Node {
    /// What answers a peer's questions; the default where it has no choice of its own.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND` and those of the store.
    pub async fn responder(&self, peer: Option<&str>) -> Result<Responder, Problem> {
        let own = match peer {
            Some(name) => own_responder(&*self.peer_named(name)?),
            None => None,
        };
        match own {
            Some(own) => Ok(own),
            None => Ok(self
                .store
                .read(|conn| settings::get(conn, DEFAULT))
                .await?
                .unwrap_or_default()),
        }
    }

    /// Chooses what answers a peer's questions, or the default.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND`, `INVALID_REQUEST` for a responder that cannot work, and the store's.
    pub async fn set_responder(
        &self,
        peer: Option<&str>,
        responder: Responder,
    ) -> Result<(), Problem> {
        responder::check(&responder)?;
        match peer {
            None => {
                self.store
                    .write(move |tx| settings::set(tx, DEFAULT, &responder))
                    .await?
            }
            Some(name) => {
                let id = self.peer_named(name)?.id;
                let value = serde_json::json!(responder);
                self.change_peer(id, move |tx| set_option(tx, id, OPTION, value))
                    .await?;
            }
        }
        self.events.changed(EventKind::Settings, DEFAULT);
        Ok(())
    }

    /// Peers' questions that wait for the person.
    #[must_use]
    pub fn pending_asks(&self) -> Vec<PendingAsk> {
        self.desk.all()
    }

    /// The person answers, or declines with `None`.
    ///
    /// # Errors
    /// `MESSAGE_NOT_FOUND` where the question does not wait any more.
    pub fn answer_ask(&self, ask_id: &str, text: Option<String>) -> Result<(), Problem> {
        self.desk.reply(
            ask_id,
            text.map_or(person::Reply::Decline, person::Reply::Answer),
        )?;
        self.events.changed(EventKind::Asks, ask_id);
        Ok(())
    }

    /// How the brakes stand, for every peer.
    #[must_use]
    pub fn brakes(&self) -> Vec<BrakeView> {
        let mut views = Vec::new();
        for peer in &self.peers.all() {
            let asks = peer.record().is_asked();
            for kind in Kind::ALL {
                if !asks && kind != Kind::Handovers {
                    continue;
                }
                let standing = self.brakes.standing(peer.id, kind);
                views.push(BrakeView {
                    peer: peer.alias(),
                    kind: kind.as_str().to_owned(),
                    used: standing.used,
                    limit: standing.limit,
                    waiting: standing.waiting,
                });
            }
        }
        views
    }

    /// The person's word at a brake: ten more, or no more.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND`, `INVALID_REQUEST`.
    pub fn set_brake(&self, peer: &str, kind: &str, allow: bool) -> Result<(), Problem> {
        let peer = self.peer_named(peer)?;
        let kind = Kind::parse(kind).ok_or_else(|| {
            Problem::new(Code::InvalidRequest)
                .because("A brake is `asksIn`, `asksOut` or `handovers`.")
        })?;
        if allow {
            self.brakes.allow_more(peer.id, kind);
        } else {
            self.brakes.stop(peer.id, kind);
        }
        self.calm(Code::BudgetSpent, &peer.alias());
        peer.handing.wake();
        self.events.changed(EventKind::Asks, peer.alias());
        Ok(())
    }
}

fn own_responder(peer: &Peer) -> Option<Responder> {
    let record = peer.record();
    let value = record.row.options.get(OPTION)?.clone();
    serde_json::from_value(value).ok()
}

/// A question was stored: find what answers it, let it, and send the answer.
pub(crate) fn arrived_ask(node: &Node, peer: &Arc<Peer>, seq: i64, envelope: &Envelope) {
    let ask = Ask::parse(envelope.payload.get());
    let id = envelope.id.clone();
    let (node, peer) = (node.clone(), Arc::clone(peer));
    let cut = node.stop.child_token();
    let key = (peer.id, id.clone());
    node.serving.lock().insert(key.clone(), cut.clone());
    node.tasks.clone().spawn(async move {
        let answer = match ask {
            Ok(ask) => tokio::select! {
                answer = answer(&node, &peer, &id, seq, ask) => Some(answer),
                // The asker hung up, the peer was unpaired, or the node stops; for the last the
                // next start says so.
                () = cut.cancelled() => None,
                () = peer.cut.cancelled() => None,
            },
            Err(error) => Some(Err(
                Problem::new(Code::InvalidRequest).because(error.to_string())
            )),
        };
        node.serving.lock().remove(&key);
        node.desk.take_away(peer.id, id.as_str());
        if let Some(answer) = answer {
            reply(&node, &peer, &id, seq, answer).await;
        } else if !node.stop.is_cancelled() {
            done(&node, seq, &id).await;
        }
    });
}

async fn answer(
    node: &Node,
    peer: &Arc<Peer>,
    id: &MessageId,
    seq: i64,
    ask: Ask,
) -> Result<String, Problem> {
    let view = node.peer_view(peer, &Default::default());
    if view.state != PeerStateView::Kept {
        return Err(Problem::new(Code::NotKept));
    }
    if ask.hops == 0 {
        return Err(Problem::new(Code::HopLimit));
    }
    node.brakes.take(peer.id, Kind::AsksIn).inspect_err(|_| {
        node.alert(Problem::new(Code::BudgetSpent).with("peer", peer.alias()));
        node.events.changed(EventKind::Asks, peer.alias());
    })?;
    let responder = node.responder(Some(&peer.alias())).await?;
    if responder == Responder::Nobody {
        return Err(Problem::new(Code::NoResponder));
    }
    let (partial, watched) = ask.stream.then(Partial::new).unzip();
    let question = hand_over(node, peer, Stored { id, seq, ask }).await?;
    let holding = |text: String| {
        let (node, peer, id) = (node.clone(), Arc::clone(peer), id.clone());
        async move { send(&node, &peer, &id, text, None, false).await }
    };
    tokio::select! {
        answer = responder::run(node, &responder, question, partial, holding) => answer,
        never = progress::tell(node, peer, id, responder.limit(), watched) => match never {},
    }
}

/// A question that is in the inbox.
pub(crate) struct Stored<'a> {
    /// Its message id.
    pub id: &'a MessageId,
    /// Its number.
    pub seq: i64,
    /// What is asked.
    pub ask: Ask,
}

/// Notes that a stored question goes to what answers it, and gives it the form for that.
///
/// # Errors
/// Those of the store.
pub(crate) async fn hand_over(
    node: &Node,
    peer: &Peer,
    stored: Stored<'_>,
) -> Result<Question, Problem> {
    let Stored { id, seq, ask } = stored;
    let now = wall_now();
    node.store
        .write(move |tx| messages::hand_over(tx, seq, now))
        .await?;
    Ok(Question {
        id: id.as_str().to_owned(),
        from: peer.id,
        peer: peer.alias(),
        text: ask.text,
        // What this machine may still pass on.
        hops: ask.hops.saturating_sub(1),
        session: ask.session,
        home: node.home.path().to_owned(),
    })
}

async fn reply(
    node: &Node,
    peer: &Arc<Peer>,
    id: &MessageId,
    seq: i64,
    answer: Result<String, Problem>,
) {
    match answer {
        Ok(text) => send(node, peer, id, text, None, true).await,
        Err(problem) => {
            let error = AnswerError {
                code: problem.code.to_string(),
                message: problem.summary.to_string(),
            };
            send(node, peer, id, String::new(), Some(error), true).await;
        }
    }
    done(node, seq, id).await;
}

/// The question needs nothing more.
pub(crate) async fn done(node: &Node, seq: i64, id: &MessageId) {
    let now = wall_now();
    if let Err(error) = node
        .store
        .write(move |tx| messages::acknowledge(tx, seq, now))
        .await
    {
        tracing::warn!(%error, "marking a question as answered failed");
    }
    node.events.changed(EventKind::Messages, id.as_str());
}

/// Puts an answer into the outbox; it is delivered as soon as the asker can be reached.
async fn send(
    node: &Node,
    peer: &Arc<Peer>,
    id: &MessageId,
    text: String,
    error: Option<AnswerError>,
    is_final: bool,
) {
    let answer = Answer {
        in_reply_to: id.clone(),
        text,
        is_final,
        error,
    };
    let sent = node
        .send(SendCommand {
            to: peer.alias(),
            payload: answer.to_payload(),
            route: RouteChoice::Auto,
            message_id: None,
            on_failure: OnFailure::Queue,
        })
        .await;
    if let Err(failure) = sent {
        tracing::warn!(peer = %peer.alias(), problem = %failure.problem.code, "an answer could not be sent");
    }
}

/// The asker hung up: whatever works on the answer is ended. Only the asker can do that.
pub(crate) fn cancel(node: &Node, peer: &Peer, ask_id: &str) {
    let Ok(id) = MessageId::new(ask_id) else {
        return;
    };
    let (node, peer_id) = (node.clone(), peer.id);
    node.tasks.clone().spawn(async move {
        let wanted = id.clone();
        let found = node
            .store
            .read(move |conn| messages::find(conn, peer_id, Direction::In, &wanted))
            .await;
        if found.is_ok_and(|rows| !rows.is_empty())
            && let Some(cut) = node.serving.lock().get(&(peer_id, id))
        {
            cut.cancel();
        }
    });
}

/// Questions that the last run did not finish: their askers are told.
///
/// # Errors
/// Those of the store.
pub(crate) async fn settle_interrupted(node: &Node) -> Result<(), Problem> {
    let filter = Filter {
        direction: Some(Direction::In),
        states: vec![State::New, State::Read, State::HandedOver],
        kinds: vec![ASK_TYPE.to_owned()],
        limit: messages::MAX_PAGE,
        ..Filter::default()
    };
    let open = node
        .store
        .read(move |conn| {
            let rows = messages::list(conn, &filter)?.messages;
            let known = peers::list(conn, false)?;
            Ok(rows
                .into_iter()
                .filter(|row| known.iter().any(|peer| peer.id == row.peer))
                .collect::<Vec<_>>())
        })
        .await?;
    for row in open {
        let node = node.clone();
        node.tasks.clone().spawn(async move {
            if let Some(peer) = node.peers.by_id(row.peer) {
                if peer.record().contact.is_some() {
                    // Its asker's connection ended with the last run. What nobody was asked to
                    // answer waits for the person to read it.
                    if row.state == State::HandedOver {
                        done(&node, row.seq, &row.message_id).await;
                    }
                    return;
                }
                let why = Err(Problem::new(Code::ResponderInterrupted));
                reply(&node, &peer, &row.message_id, row.seq, why).await;
            }
        });
    }
    Ok(())
}
