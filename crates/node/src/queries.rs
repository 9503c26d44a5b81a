//! What front ends ask the engine: its status, its peers, its messages.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tieline_store::messages::{self, Cursor, Direction, Filter, MessageRow, State};
use tieline_store::peers::{self, PeerId};
use tieline_store::{attempts, receipts};
use tieline_wire::message::MessageId;
use tieline_wire::problem::{Code, Problem};
use tieline_wire::receipt::Stage;

use crate::clock::wall_now;
use crate::model::{
    Counts, EventKind, MessageDetail, MessagePage, MessageQuery, MessageView, NodeStatus, PeerView,
    VaultView,
};
use crate::node::Node;
use crate::peers::Peer;
use crate::platform::Platform;
use crate::views::{self, unsigned};

/// Longest wait of a long poll.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

impl Node {
    /// The node itself.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn status(&self) -> Result<NodeStatus, Problem> {
        let open = self.store.read(messages::counts).await?;
        let mut counts = Counts {
            peers: self.real_peers(),
            ..Counts::default()
        };
        for (_, open) in open {
            counts.queued += unsigned(open.queued + open.sending);
            counts.unconfirmed += unsigned(open.unconfirmed);
            counts.unread += unsigned(open.unread);
        }
        let welcomed = self.is_welcomed().await?;
        let fingerprint = self.identity.certificate.fingerprint();
        Ok(NodeStatus {
            name: self.own_name(),
            home: self.home.path().display().to_string(),
            version: self.version.to_owned(),
            pid: std::process::id(),
            host: self.host,
            platform: Platform::here(),
            started_at: self.started_at.to_string(),
            uptime_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            peer_addr: self.peer_addr.to_string(),
            api_addr: self.api_addr.lock().map(|address| address.to_string()),
            vault: VaultView {
                kind: self.vault.kind().as_str().to_owned(),
                description: self.vault.description().to_owned(),
            },
            key_id: self.key_id().to_string(),
            pin: self.identity.certificate.pin().to_string(),
            fingerprint: fingerprint.to_string(),
            fingerprint_groups: fingerprint.groups().to_vec(),
            words: fingerprint
                .words()
                .iter()
                .map(|word| (*word).to_owned())
                .collect(),
            store_id: self.store_id().to_string(),
            counts,
            welcomed,
            problems: self.problems.lock().clone(),
        })
    }

    /// How many peers there are; a trial's is none.
    fn real_peers(&self) -> u64 {
        let peers = self.peers.all();
        let real = |peer: &&Arc<Peer>| !crate::trial::is_trial(&peer.record().row);
        peers.iter().filter(real).count() as u64
    }

    /// All peers, by name.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn peers(&self) -> Result<Vec<PeerView>, Problem> {
        let open = self.open_counts().await;
        Ok(self
            .peers
            .all()
            .iter()
            .map(|peer| self.peer_view(peer, &open))
            .collect())
    }

    /// One peer.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND`.
    pub async fn peer(&self, name: &str) -> Result<PeerView, Problem> {
        let peer = self.peer_named(name)?;
        Ok(self.peer_view(&peer, &self.open_counts().await))
    }

    /// Messages: newest first, or oldest first after a number.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND`, `INVALID_REQUEST` for a filter that is none, and those of the store.
    pub async fn messages(&self, query: MessageQuery) -> Result<MessagePage, Problem> {
        let filter = self.filter(&query)?;
        let forward = matches!(filter.cursor, Cursor::After(_));
        let (page, names) = self
            .store
            .read(move |conn| Ok((messages::list(conn, &filter)?, names(conn)?)))
            .await?;
        let more = page.more;
        let messages: Vec<MessageView> = page
            .messages
            .into_iter()
            .map(|row| self.message_view(row, &names))
            .collect();
        let last = messages.last().map(|message| message.seq);
        Ok(MessagePage {
            next: last.filter(|_| more || forward),
            messages,
        })
    }

    /// Messages, waiting for the first one where there is none yet.
    ///
    /// # Errors
    /// As [`Node::messages`].
    pub async fn wait_messages(
        &self,
        query: MessageQuery,
        wait: Duration,
    ) -> Result<MessagePage, Problem> {
        let deadline = tokio::time::Instant::now() + wait.min(LONGEST_WAIT);
        loop {
            let arrived = self.arrived.notified();
            tokio::pin!(arrived);
            // Registered before looking, so that what arrives in between is not missed.
            arrived.as_mut().enable();
            let page = self.messages(query.clone()).await?;
            if !page.messages.is_empty() {
                return Ok(page);
            }
            tokio::select! {
                () = self.stop.cancelled() => return Ok(page),
                timed = tokio::time::timeout_at(deadline, arrived) => {
                    if timed.is_err() {
                        return Ok(page);
                    }
                }
            }
        }
    }

    /// A message with all its attempts and receipts.
    ///
    /// # Errors
    /// `MESSAGE_NOT_FOUND`.
    pub async fn message(&self, id: &str) -> Result<MessageDetail, Problem> {
        let wanted = MessageId::new(id)?;
        let found = self
            .store
            .read(move |conn| {
                let rows = messages::by_message_id(conn, &wanted)?;
                // A peer may use an id of ours for a message of its own; ours is what is meant.
                let Some(row) = rows
                    .into_iter()
                    .max_by_key(|row| (row.direction == Direction::Out, row.seq))
                else {
                    return Ok(None);
                };
                let attempts = attempts::list(conn, row.seq)?;
                let receipts = receipts::list(conn, row.seq)?;
                Ok(Some((row, attempts, receipts, names(conn)?)))
            })
            .await?;
        let (row, attempts, receipts, names) = found.ok_or_else(|| not_found(id))?;
        Ok(MessageDetail {
            message: self.message_view(row, &names),
            attempts: views::attempts(attempts),
            receipts: receipts.iter().filter_map(views::receipt).collect(),
        })
    }

    /// An agent acknowledges an incoming message; its sender is told. `peer` says whose message is
    /// meant where several peers used the id.
    ///
    /// # Errors
    /// `MESSAGE_NOT_FOUND` where no incoming message has this id, `ID_CONFLICT` where those of
    /// several peers have it: one of them must not get the receipt for another's.
    pub async fn acknowledge(&self, id: &str, peer: Option<&str>) -> Result<MessageView, Problem> {
        let wanted = MessageId::new(id)?;
        let from = match peer {
            Some(name) => Some(self.peer_named(name)?.id),
            None => None,
        };
        let now = wall_now();
        let found = self
            .store
            .write(move |tx| {
                let mut rows = messages::by_message_id(tx, &wanted)?;
                rows.retain(|row| {
                    row.direction == Direction::In && from.is_none_or(|from| row.peer == from)
                });
                if rows.windows(2).any(|two| two[0].peer != two[1].peer) {
                    return Ok(Found::Several);
                }
                let Some(row) = rows.into_iter().max_by_key(|row| row.assurance) else {
                    return Ok(Found::None);
                };
                let news = messages::acknowledge(tx, row.seq, now)?;
                Ok(messages::get(tx, row.seq)?
                    .map_or(Found::None, |row| Found::One(Box::new(row), news)))
            })
            .await?;
        let (row, news) = match found {
            Found::One(row, news) => (*row, news),
            Found::None => return Err(not_found(id)),
            Found::Several => {
                return Err(Problem::new(Code::IdConflict)
                    .summary("Several peers sent a message with this id.")
                    .because("Each peer chooses the ids of its messages.")
                    .remedy("Say whose message is meant, with `peer`.")
                    .with("messageId", id));
            }
        };
        if news {
            if let Some(peer) = self.peers.by_id(row.peer)
                && peer.record().keys.is_some()
            {
                crate::outbox::report(self, &peer, &row, Stage::Acknowledged).await?;
            }
            self.events.changed(EventKind::Messages, id);
        }
        Ok(self.message_view(row, &HashMap::new()))
    }

    /// The person has seen a peer's messages up to a number.
    ///
    /// # Errors
    /// `PEER_NOT_FOUND` and those of the store.
    pub async fn mark_read(&self, peer: &str, up_to: i64) -> Result<(), Problem> {
        let peer = self.peer_named(peer)?;
        let id = peer.id;
        let now = wall_now();
        let count = self
            .store
            .write(move |tx| messages::mark_read_up_to(tx, Some(id), up_to, now))
            .await?;
        if count > 0 {
            self.events.changed(EventKind::Messages, String::new());
            self.events.changed(EventKind::Peers, peer.alias());
        }
        Ok(())
    }

    fn filter(&self, query: &MessageQuery) -> Result<Filter, Problem> {
        let wrong = |what: &str| Problem::new(Code::InvalidRequest).because(what.to_owned());
        let direction = match query.direction.as_deref() {
            None => None,
            Some("in") => Some(Direction::In),
            Some("out") => Some(Direction::Out),
            Some(_) => return Err(wrong("A direction is `in` or `out`.")),
        };
        let states = match &query.state {
            None => Vec::new(),
            Some(text) => vec![
                serde_json::from_value::<State>(text.as_str().into())
                    .map_err(|_| wrong("There is no such state of a message."))?,
            ],
        };
        let cursor = match (query.before, query.after) {
            (Some(_), Some(_)) => return Err(wrong("Give `before` or `after`, not both.")),
            (Some(seq), None) => Cursor::Before(seq),
            (None, Some(seq)) => Cursor::After(seq),
            (None, None) => Cursor::Newest,
        };
        let peer = match &query.peer {
            Some(name) => Some(self.peer_named(name)?.id),
            None => None,
        };
        Ok(Filter {
            peer,
            direction,
            states,
            kinds: query.r#type.iter().cloned().collect(),
            evidence: None,
            tried: None,
            unread: query.unread.unwrap_or_default(),
            search: query.search.clone(),
            cursor,
            limit: query.limit.unwrap_or_default(),
            payload: true,
        })
    }
}

/// The incoming message with an id, and whether acknowledging it is news.
enum Found {
    None,
    One(Box<MessageRow>, bool),
    Several,
}

/// The names of all peers, also of those that are gone.
pub(crate) fn names(
    conn: &rusqlite::Connection,
) -> Result<HashMap<PeerId, String>, tieline_store::StoreError> {
    Ok(peers::list(conn, true)?
        .into_iter()
        .map(|row| (row.id, row.alias))
        .collect())
}

pub(crate) fn not_found(id: &str) -> Problem {
    Problem::new(Code::MessageNotFound).with("messageId", id)
}
