//! Taking a message from a caller: store, try, answer with what is known.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tieline_store::attempts;
use tieline_store::messages::{
    self, Assurance, Content, Direction, Evidence, MessageRow, Mode, NewOutgoing, Queued, State,
};
use tieline_wire::message::{ContentHash, Envelope, MessageId};
use tieline_wire::problem::{Code, Problem};
use tokio::time::{Duration, timeout};

use super::deliver::deliver;
use super::exposure::By;
use super::outcome::Verdict;
use super::route::{Route, routes};
use crate::clock::wall_now;
use crate::dialect;
use crate::exchange::Try;
use crate::limits::{MAX_PAYLOAD, RESPONSE_TIMEOUT};
use crate::model::{
    AttemptView, EventKind, OnFailure, RouteChoice, SendCommand, SendFailure, SendOutcome, Target,
};
use crate::node::Node;
use crate::peers::Peer;
use crate::views;

/// How long a queued message is tried.
pub(crate) const EXPIRY: Duration = Duration::from_secs(7 * 24 * 3600);

impl Node {
    /// What a name in `to` means here.
    pub async fn resolve_target(&self, to: &str) -> Target {
        self.peers.resolve(to).0
    }

    /// Sends a message: commits it to the outbox, tries at once, and says what came of it.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND`, `INVALID_ROUTE`, `RELAY_UNAVAILABLE`, `LAN_UNAVAILABLE`,
    /// `PAYLOAD_TOO_LARGE`, `ID_CONFLICT`, `DELIVERY_FAILED` with every attempt, and the store's.
    pub async fn send(&self, command: SendCommand) -> Result<SendOutcome, SendFailure> {
        let peer = self.target(&command)?;
        let payload = serde_json::to_string(&command.payload).map_err(|error| {
            SendFailure::early(Problem::new(Code::InvalidRequest).because(error.to_string()))
        })?;
        if peer.record().keys.is_some() && payload.len() > MAX_PAYLOAD {
            return Err(SendFailure::early(
                Problem::new(Code::PayloadTooLarge)
                    .because(format!(
                        "The payload has {} bytes; at most {MAX_PAYLOAD} are sent.",
                        payload.len()
                    ))
                    .with("actualLength", payload.len())
                    .with("maxLength", MAX_PAYLOAD),
            ));
        }
        dialect::ready(self, &peer, command.route).await?;
        let new = self.new_outgoing(&peer, &command, payload)?;
        let row = match self.accept(&command, new).await? {
            Entry::New(row) => row,
            Entry::Known(row) => match self.known(&command, &peer, *row).await? {
                Known::Again(row) => row,
                Known::Told(outcome) => return outcome,
            },
        };
        self.events
            .changed(EventKind::Messages, row.message_id.as_str());
        // A task of its own: a caller who hangs up does not stop what was accepted.
        let node = self.clone();
        let id = row.message_id.clone();
        let work = self.tasks.spawn(async move {
            let delivered = deliver(&node, &peer, &row, By::Caller).await;
            if !matches!(&delivered, Ok((verdict, _)) if verdict.is_final()) {
                // The lane asks, or tries again.
                peer.lane.notify_one();
            }
            delivered
        });
        match work.await {
            Ok(Ok((verdict, tries))) => {
                let mut attempts = self.tried_before_lan(command.route);
                attempts.extend(tries.iter().map(Try::view));
                answer(&command, &id, verdict, attempts)
            }
            Ok(Err(problem)) => Err(open(&id, problem)),
            Err(error) => Err(open(
                &id,
                Problem::new(Code::Internal).because(error.to_string()),
            )),
        }
    }

    /// What becomes of the routes that come before the LAN: no relay is set up for a machine's name.
    fn tried_before_lan(&self, choice: RouteChoice) -> Vec<AttemptView> {
        routes(choice, self.preferences().route_order)
            .iter()
            .take_while(|route| **route != Route::Lan)
            .map(|_| AttemptView::untried("relay", &Problem::new(Code::RelayUnavailable)))
            .collect()
    }

    /// The peer that is meant, or why none is.
    fn target(&self, command: &SendCommand) -> Result<Arc<Peer>, SendFailure> {
        let qualified = command.to.contains('@');
        if qualified && command.route == RouteChoice::Lan {
            return Err(SendFailure::early(
                Problem::new(Code::InvalidRoute)
                    .because("A name with @ is a relay name; the LAN route takes a peer's name."),
            ));
        }
        let relay = |code, problem: Problem| SendFailure {
            problem: Problem::new(code),
            attempts: Some(vec![AttemptView::untried("relay", &problem)]),
            message_id: None,
            status: None,
        };
        if command.route == RouteChoice::Relay {
            return Err(relay(
                Code::RelayUnavailable,
                Problem::new(Code::RelayUnavailable),
            ));
        }
        if qualified {
            return Err(relay(
                Code::DeliveryFailed,
                Problem::new(Code::RelayUnavailable),
            ));
        }
        match self.peers.resolve(&command.to) {
            (Target::Peer { .. }, Some(peer)) => Ok(peer),
            (Target::Ambiguous, _) => Err(SendFailure::early(
                Problem::new(Code::PeerNotFound)
                    .summary(format!("Several peers begin with {}.", command.to))
                    .remedy("Write the whole name of the one that is meant."),
            )),
            _ => Err(SendFailure::early(
                Problem::new(Code::PeerNotFound)
                    .summary(format!("There is no peer named {}.", command.to)),
            )),
        }
    }

    fn new_outgoing(
        &self,
        peer: &Peer,
        command: &SendCommand,
        payload: String,
    ) -> Result<NewOutgoing, SendFailure> {
        let now = wall_now();
        let id = command.message_id.clone().unwrap_or_else(MessageId::new_v4);
        let record = peer.record();
        let text = command
            .payload
            .get("text")
            .and_then(|text| text.as_str())
            .unwrap_or_default();
        let kind = command
            .payload
            .get("type")
            .and_then(|kind| kind.as_str())
            .unwrap_or_default();
        let (recipient, content_hash) = match &record.keys {
            Some(keys) => {
                let envelope = Envelope::new(id.clone(), self.key_id(), keys.key_id, now, &payload)
                    .map_err(|error| SendFailure::early(error.into()))?;
                (Some(keys.key_id), envelope.content_hash())
            }
            None => (None, plain_hash(&payload)),
        };
        let expires = self
            .clock
            .now()
            .saturating_add(i64::try_from(EXPIRY.as_millis()).unwrap_or(i64::MAX));
        let queue = command.on_failure == OnFailure::Queue;
        Ok(NewOutgoing {
            peer: peer.id,
            message_id: id,
            sender: Some(self.key_id()),
            recipient,
            content_hash,
            kind: kind.to_owned(),
            payload,
            text: text.to_owned(),
            sent_at: now,
            created_at: now,
            mode: if queue { Mode::Queue } else { Mode::Now },
            store_id: record.row.store_id,
            route: Some("lan".into()),
            expires_elapsed_ms: queue.then_some(expires),
        })
    }

    /// Commits a new message, or finds the one that was accepted under the same id before.
    async fn accept(&self, command: &SendCommand, new: NewOutgoing) -> Result<Entry, SendFailure> {
        let chosen = command.message_id.is_some();
        let accepted = self.store.write(move |tx| {
            if chosen {
                // An id names one message, whoever it is for.
                let known = messages::by_message_id(tx, &new.message_id)?;
                let other = known
                    .into_iter()
                    .find(|row| row.direction == Direction::Out && row.peer != new.peer);
                if let Some(row) = other {
                    return Ok(Entry::Known(Box::new(row)));
                }
            }
            match messages::insert_outgoing(tx, &new)? {
                Queued::Exists(row) => Ok(Entry::Known(row)),
                Queued::Stored(seq) => {
                    if new.mode == Mode::Queue {
                        messages::start_sending(tx, seq)?;
                    }
                    Ok(Entry::New(Box::new(stored(seq, new))))
                }
            }
        });
        accepted
            .await
            .map_err(|error| SendFailure::early(error.into()))
    }

    /// A caller names a message that it gave before: the same answer, or another try where the
    /// outcome is open.
    async fn known(
        &self,
        command: &SendCommand,
        peer: &Arc<Peer>,
        row: MessageRow,
    ) -> Result<Known, SendFailure> {
        let given = serde_json::to_string(&command.payload).unwrap_or_default();
        if row.peer != peer.id || !is_content_of(&row, &given) {
            return Err(SendFailure::early(
                Problem::new(Code::IdConflict).with("messageId", row.message_id.as_str()),
            ));
        }
        let row = self.settled(row).await?;
        // A peer without keys does not recognise copies, so that another try could double it.
        if row.state == State::Unconfirmed && peer.record().keys.is_some() {
            let seq = row.seq;
            let mine = self.store.write(move |tx| messages::start_sending(tx, seq));
            if mine
                .await
                .map_err(|error| SendFailure::early(error.into()))?
            {
                return Ok(Known::Again(Box::new(row)));
            }
        }
        Ok(Known::Told(self.told(command, &row).await))
    }

    /// Waits until no attempt of this message is running.
    async fn settled(&self, mut row: MessageRow) -> Result<MessageRow, SendFailure> {
        let seq = row.seq;
        let _ = timeout(RESPONSE_TIMEOUT, async {
            while row.state == State::Sending {
                let settled = self.settled.notified();
                let now = self.store.read(move |conn| messages::get(conn, seq)).await;
                match now {
                    Ok(Some(now)) => row = now,
                    _ => break,
                }
                if row.state == State::Sending {
                    let _ = timeout(Duration::from_millis(500), settled).await;
                }
            }
        })
        .await;
        Ok(row)
    }

    /// The answer for a message whose outcome is stored.
    async fn told(
        &self,
        command: &SendCommand,
        row: &MessageRow,
    ) -> Result<SendOutcome, SendFailure> {
        let seq = row.seq;
        let tries = self.store.read(move |conn| attempts::list(conn, seq)).await;
        let tries = tries.map_err(|error| SendFailure::early(error.into()))?;
        let attempts = views::attempts(tries);
        let problem = row
            .problem
            .clone()
            .and_then(|value| serde_json::from_value(value).ok());
        let problem = problem.unwrap_or_else(|| Problem::new(Code::DeliveryFailed));
        let verdict = match row.state {
            State::Sending if row.mode == Some(Mode::Now) => {
                return Err(open(&row.message_id, problem));
            }
            State::Queued | State::Sending => Verdict::Requeue(row.exposed, problem),
            state => Verdict::Finish {
                state,
                evidence: row.evidence,
                receipt: None,
                problem: Some(problem),
            },
        };
        answer(command, &row.message_id, verdict, attempts)
    }
}

enum Entry {
    New(Box<MessageRow>),
    Known(Box<MessageRow>),
}

enum Known {
    /// Open, and this call tries again.
    Again(Box<MessageRow>),
    /// This is what it came to.
    Told(Result<SendOutcome, SendFailure>),
}

/// An accepted message of which nothing certain can be said now.
fn open(id: &MessageId, problem: Problem) -> SendFailure {
    SendFailure {
        problem,
        attempts: None,
        message_id: Some(id.as_str().to_owned()),
        status: Some(State::Unconfirmed.to_string()),
    }
}

fn answer(
    command: &SendCommand,
    id: &MessageId,
    verdict: Verdict,
    attempts: Vec<AttemptView>,
) -> Result<SendOutcome, SendFailure> {
    let outcome = |status: &str, evidence: Evidence| SendOutcome {
        ok: true,
        message_id: id.as_str().to_owned(),
        target: command.to.clone(),
        target_type: "dm".into(),
        route: "lan".into(),
        status: status.to_owned(),
        evidence: evidence.to_string(),
        attempts: attempts.clone(),
        timestamp: wall_now().to_string(),
    };
    match verdict {
        Verdict::Finish {
            state: State::Delivered,
            evidence,
            ..
        } => Ok(outcome("delivered", evidence)),
        Verdict::Requeue(..) => Ok(outcome("queued", Evidence::None)),
        Verdict::Finish { state, problem, .. } => {
            let mut problem = problem.unwrap_or_else(|| Problem::new(Code::DeliveryFailed));
            // The documented code for every failed delivery; the reason stays in the words.
            if !matches!(problem.code, Code::IdConflict | Code::PayloadTooLarge) {
                problem.code = Code::DeliveryFailed;
            }
            Err(SendFailure {
                problem,
                attempts: Some(attempts),
                message_id: Some(id.as_str().to_owned()),
                status: Some(state.to_string()),
            })
        }
    }
}

/// The row that inserting `new` made.
fn stored(seq: i64, new: NewOutgoing) -> MessageRow {
    MessageRow {
        seq,
        peer: new.peer,
        direction: Direction::Out,
        message_id: new.message_id,
        assurance: Assurance::Signed,
        sender: new.sender,
        recipient: new.recipient,
        content_hash: new.content_hash,
        kind: new.kind,
        payload_bytes: i64::try_from(new.payload.len()).unwrap_or(i64::MAX),
        sent_at: new.sent_at,
        created_at: new.created_at,
        state: State::Sending,
        evidence: Evidence::None,
        mode: Some(new.mode),
        exposed: false,
        store_id: new.store_id,
        route: new.route,
        via: None,
        expires_elapsed_ms: new.expires_elapsed_ms,
        receipt: None,
        problem: None,
        finished_at: None,
        read_at: None,
        handed_over_at: None,
        acknowledged_at: None,
        content: Some(Content {
            text: new.text,
            payload: Some(new.payload),
        }),
    }
}

/// Whether a stored message has exactly this payload, also after its content was deleted.
fn is_content_of(row: &MessageRow, payload: &str) -> bool {
    let hash = match (row.sender, row.recipient) {
        (Some(from), Some(to)) => {
            Envelope::new(row.message_id.clone(), from, to, row.sent_at, payload)
                .map(|envelope| envelope.content_hash())
                .ok()
        }
        _ => Some(plain_hash(payload)),
    };
    hash == Some(row.content_hash)
}

/// Names the content of a message whose dialect has no hash of its own.
fn plain_hash(payload: &str) -> ContentHash {
    ContentHash(Sha256::digest(payload.as_bytes()).into())
}
