//! Messages both ways: the outbox, the inbox, and the tombstones that both leave behind.

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use serde_json::Value;
use tieline_wire::key::KeyId;
use tieline_wire::message::{ContentHash, MessageId};
use tieline_wire::receipt::StoreId;
use tieline_wire::time::UnixMillis;

use crate::StoreError;
use crate::convert;
use crate::peers::PeerId;

mod content;
mod incoming;
mod outgoing;
mod pages;
mod search;
mod state;
mod upkeep;

pub(crate) use content::{UNINDEXED, index_new};
pub use content::{delete_content, retention_candidates, with_content};
pub use incoming::{
    Accepted, Fence, NewIncoming, accept_incoming, acknowledge, fence, fences, hand_over,
    mark_read, mark_read_up_to, received,
};
pub use outgoing::{
    Finish, NewOutgoing, Queued, cancel, due_for_peer, expose, finish_outgoing, insert_outgoing,
    peers_with_due, requeue, start_sending, stop_asking, stop_retries, unconfirmed_for_peer,
};
pub use pages::{
    Counts, Cursor, Filter, MAX_PAGE, MAX_PAGE_BYTES, Page, Tried, count, counts, list,
};
pub use state::{Assurance, Direction, Evidence, Mode, State};
pub use upkeep::{Expired, Recovered, expire, give_up, recover_on_start};

/// A message as stored. After retention only the content is missing.
#[derive(Debug, Clone)]
pub struct MessageRow {
    /// Its number here; rises with every message stored, in either direction, and is never given out twice.
    pub seq: i64,
    /// The other side.
    pub peer: PeerId,
    /// Which way it goes.
    pub direction: Direction,
    /// The sender's id for it.
    pub message_id: MessageId,
    /// How surely it is from that peer; `Signed` for our own.
    pub assurance: Assurance,
    /// Id of the sender's signing key, where the dialect has one.
    pub sender: Option<KeyId>,
    /// Id of the recipient's signing key, where the dialect has one.
    pub recipient: Option<KeyId>,
    /// Hash of the canonical message.
    pub content_hash: ContentHash,
    /// The payload's `type`.
    pub kind: String,
    /// Length of the payload in bytes, also after retention.
    pub payload_bytes: i64,
    /// The sender's time.
    pub sent_at: UnixMillis,
    /// When it was stored here.
    pub created_at: UnixMillis,
    /// Where it is.
    pub state: State,
    /// What a delivery rests on; [`Evidence::None`] for incoming messages and undelivered ones.
    pub evidence: Evidence,
    /// Only of outgoing messages.
    pub mode: Option<Mode>,
    /// An attempt ended without a known outcome, so that the peer may hold a copy.
    pub exposed: bool,
    /// Of outgoing messages: the peer's database that may hold a copy, which is the one that its first bytes went to.
    /// `None` where no byte of it can have left. See [`expose`].
    pub store_id: Option<StoreId>,
    /// The route asked for, or the one it came over.
    pub route: Option<String>,
    /// How that route was taken, such as `held`.
    pub via: Option<String>,
    /// When it expires, on the caller's elapsed clock, milliseconds.
    pub expires_elapsed_ms: Option<i64>,
    /// The receipt of storing (ours for incoming, the peer's for outgoing), or of refusal.
    pub receipt: Option<Vec<u8>>,
    /// Why it is failed or unconfirmed.
    pub problem: Option<Value>,
    /// When an outgoing message reached a final state.
    pub finished_at: Option<UnixMillis>,
    /// When the person saw it.
    pub read_at: Option<UnixMillis>,
    /// When it was handed over, by the recipient's word for outgoing messages.
    pub handed_over_at: Option<UnixMillis>,
    /// When it was acknowledged, by the recipient's word for outgoing messages.
    pub acknowledged_at: Option<UnixMillis>,
    /// Its content, as far as it was asked for and retention has left it.
    pub content: Option<Content>,
}

/// A message's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The searched part of its text, see [`SEARCHED_BYTES`].
    pub text: String,
    /// The payload's JSON exactly as it travelled; only where the whole content was asked for.
    pub payload: Option<String>,
}

/// At most this much of a message's text is searched and shown in lists; the payload is always kept whole.
pub const SEARCHED_BYTES: usize = 32 << 10;

const COLUMNS: &str = "m.seq, m.peer_id, m.direction, m.message_id, m.assurance, m.sender, m.recipient, \
    m.content_hash, m.kind, m.payload_bytes, m.sent_at, m.created_at, m.state, m.evidence, m.mode, m.exposed, \
    m.route, m.via, m.expires_elapsed_ms, m.receipt, m.problem, m.finished_at, m.read_at, m.handed_over_at, \
    m.acknowledged_at, m.store_id";

/// What a query selects after [`COLUMNS`]: the text, then the payload.
const TEXT: usize = 26;
const PAYLOAD: usize = 27;

/// The message with this number, with its whole content.
///
/// # Errors
/// Any failure of the database.
pub fn get(conn: &Connection, seq: i64) -> Result<Option<MessageRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, b.text, b.payload FROM messages m LEFT JOIN bodies b USING (seq) WHERE m.seq = ?1"
    );
    Ok(conn
        .prepare_cached(&sql)?
        .query_row([seq], read_with_content)
        .optional()?)
}

/// Every message with this id, of whichever peer and direction, newest first, with its whole content.
///
/// # Errors
/// Any failure of the database.
pub fn by_message_id(conn: &Connection, id: &MessageId) -> Result<Vec<MessageRow>, StoreError> {
    whole(
        conn,
        "m.message_id = ?1 ORDER BY m.seq DESC",
        params![id.as_str()],
    )
}

/// What a peer sent back to one of our messages, by the field `inReplyTo` of payloads of this type: oldest first, with
/// the whole content.
///
/// # Errors
/// Any failure of the database.
pub fn replies(
    conn: &Connection,
    to: &MessageRow,
    kind: &str,
    limit: u32,
) -> Result<Vec<MessageRow>, StoreError> {
    // The comparison is made in the database, so that of the other replies nothing is loaded.
    let condition = "m.peer_id = ?1 AND m.direction = 0 AND m.seq > ?2 AND m.kind = ?3 \
        AND b.payload ->> 'inReplyTo' = ?4 ORDER BY m.seq LIMIT ?5";
    let id = to.message_id.as_str();
    whole(conn, condition, params![to.peer, to.seq, kind, id, limit])
}

/// The messages with this id exchanged with one peer in one direction, highest assurance first.
/// There is at most one unless copies of different assurance arrived.
///
/// # Errors
/// Any failure of the database.
pub fn find(
    conn: &Connection,
    peer: PeerId,
    direction: Direction,
    id: &MessageId,
) -> Result<Vec<MessageRow>, StoreError> {
    let condition =
        "m.message_id = ?1 AND m.peer_id = ?2 AND m.direction = ?3 ORDER BY m.assurance DESC";
    whole(
        conn,
        condition,
        params![id.as_str(), peer, direction.code()],
    )
}

fn whole(
    conn: &Connection,
    condition: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<MessageRow>, StoreError> {
    whole_of(conn, "messages m", condition, values)
}

/// `table` is `messages m`, with or without the name of the index to use.
fn whole_of(
    conn: &Connection,
    table: &str,
    condition: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<MessageRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, b.text, b.payload FROM {table} LEFT JOIN bodies b ON b.seq = m.seq WHERE {condition}"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(values, read_with_content)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Reads [`COLUMNS`].
fn read(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    Ok(MessageRow {
        seq: row.get(0)?,
        peer: row.get(1)?,
        direction: if row.get::<_, i64>(2)? == Direction::In.code() {
            Direction::In
        } else {
            Direction::Out
        },
        message_id: convert::required(row, 3)?,
        assurance: Assurance::from_code(row.get(4)?),
        sender: convert::key_id(row, 5)?,
        recipient: convert::key_id(row, 6)?,
        content_hash: ContentHash(row.get(7)?),
        kind: row.get(8)?,
        payload_bytes: row.get(9)?,
        sent_at: convert::time(row, 10)?,
        created_at: convert::time(row, 11)?,
        state: row.get(12)?,
        evidence: row.get(13)?,
        mode: row.get(14)?,
        exposed: row.get(15)?,
        route: row.get(16)?,
        via: row.get(17)?,
        expires_elapsed_ms: row.get(18)?,
        receipt: row.get(19)?,
        problem: convert::json(row, 20)?,
        finished_at: convert::optional_time(row, 21)?,
        read_at: convert::optional_time(row, 22)?,
        handed_over_at: convert::optional_time(row, 23)?,
        acknowledged_at: convert::optional_time(row, 24)?,
        store_id: row.get::<_, Option<[u8; 16]>>(25)?.map(StoreId),
        content: None,
    })
}

/// Reads [`COLUMNS`], text and payload.
fn read_with_content(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    let mut message = read(row)?;
    message.content = match row.get(TEXT)? {
        Some(text) => Some(Content {
            text,
            payload: row.get(PAYLOAD)?,
        }),
        None => None,
    };
    Ok(message)
}
