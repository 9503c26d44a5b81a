//! The inbox.

use rusqlite::{Connection, OptionalExtension, named_params, params};
use tieline_wire::key::KeyId;
use tieline_wire::message::{ContentHash, MessageId};
use tieline_wire::time::UnixMillis;

use super::{Assurance, Evidence, MessageRow, State, content};
use crate::StoreError;
use crate::convert;
use crate::peers::{self, PeerId};

/// A message that arrived.
#[derive(Debug, Clone)]
pub struct NewIncoming {
    /// From whom, by what authenticated it.
    pub peer: PeerId,
    /// The sender's id for it.
    pub message_id: MessageId,
    /// How surely it is from that peer.
    pub assurance: Assurance,
    /// Id of the sender's signing key, where the dialect has one.
    pub sender: Option<KeyId>,
    /// Id of our signing key, where the dialect has one.
    pub recipient: Option<KeyId>,
    /// Hash of the canonical message.
    pub content_hash: ContentHash,
    /// The payload's `type`.
    pub kind: String,
    /// The payload's JSON exactly as it came.
    pub payload: String,
    /// The text to search and to show; empty if there is none.
    pub text: String,
    /// The time it carries.
    pub sent_at: UnixMillis,
    /// Now.
    pub created_at: UnixMillis,
    /// The route it came over.
    pub route: Option<String>,
    /// How that route was taken.
    pub via: Option<String>,
    /// Our receipt, to be given out again for every further copy.
    pub receipt: Option<Vec<u8>>,
}

/// What [`accept_incoming`] did. Only `Stored` has stored anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// Stored under this number.
    Stored(i64),
    /// The same content is here already: give this receipt again, start nothing.
    Duplicate {
        /// The number of the copy that is here.
        seq: i64,
        /// The receipt it was stored with.
        receipt: Option<Vec<u8>>,
    },
    /// Other content is here under the id.
    Conflict {
        /// The number of the message that is here.
        seq: i64,
    },
    /// We told the sender that we do not have this id and never will.
    Fenced,
}

/// Stores a message and the record that recognises further copies, in one step.
///
/// # Errors
/// [`StoreError::NotFound`] when the peer does not exist or is revoked, which makes unpairing effective at once.
pub fn accept_incoming(conn: &Connection, message: &NewIncoming) -> Result<Accepted, StoreError> {
    peers::require_paired(conn, message.peer)?;
    // A copy of lower assurance does not stand in the way of this one.
    let sql = "SELECT seq, content_hash, receipt FROM messages WHERE message_id = ?1 AND peer_id = ?2 \
        AND direction = 0 AND assurance >= ?3 ORDER BY assurance DESC LIMIT 1";
    let values = params![
        message.message_id.as_str(),
        message.peer,
        message.assurance as i64
    ];
    let known = conn.prepare_cached(sql)?.query_row(values, |row| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, [u8; 32]>(1)?,
            row.get::<_, Option<Vec<u8>>>(2)?,
        ))
    });
    if let Some((seq, hash, receipt)) = known.optional()? {
        let same = hash == message.content_hash.0;
        return Ok(if same {
            Accepted::Duplicate { seq, receipt }
        } else {
            Accepted::Conflict { seq }
        });
    }
    if is_fenced(conn, message.peer, &message.message_id)? {
        return Ok(Accepted::Fenced);
    }
    let sql = "INSERT INTO messages (peer_id, direction, message_id, assurance, sender, recipient, content_hash, kind, \
        payload_bytes, sent_at, created_at, state, evidence, route, via, receipt) VALUES (:peer, 0, :id, :assurance, \
        :sender, :recipient, :hash, :kind, :bytes, :sent_at, :created_at, :state, :evidence, :route, :via, :receipt)";
    conn.prepare_cached(sql)?.execute(named_params! {
        ":peer": message.peer,
        ":id": message.message_id.as_str(),
        ":assurance": message.assurance as i64,
        ":sender": message.sender.map(|id| id.0),
        ":recipient": message.recipient.map(|id| id.0),
        ":hash": message.content_hash.0,
        ":kind": message.kind,
        ":bytes": convert::length(&message.payload),
        ":sent_at": message.sent_at.0,
        ":created_at": message.created_at.0,
        ":state": State::New,
        ":evidence": Evidence::None,
        ":route": message.route,
        ":via": message.via,
        ":receipt": message.receipt,
    })?;
    let seq = conn.last_insert_rowid();
    content::insert(conn, seq, &message.payload, &message.text)?;
    Ok(Accepted::Stored(seq))
}

/// How many messages of a peer are here, and the bytes of their payloads as they came. Reads all of them.
///
/// # Errors
/// Any failure of the database.
pub fn received(conn: &Connection, peer: PeerId) -> Result<(u64, u64), StoreError> {
    let sql = "SELECT count(*), coalesce(sum(payload_bytes), 0) FROM messages WHERE peer_id = ?1 AND direction = 0";
    let (count, bytes): (i64, i64) = conn
        .prepare_cached(sql)?
        .query_row([peer], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((count.unsigned_abs(), bytes.unsigned_abs()))
}

/// The answer to "did you store this id?".
#[derive(Debug, Clone)]
pub enum Fence {
    /// Yes: this one.
    Known(Box<MessageRow>),
    /// No, and from now on it never will be.
    Fenced {
        /// Whether that was promised just now, and not before.
        new: bool,
    },
    /// Not yet; and that it never will be is not promised, since no more promises may be kept.
    NoRoom,
}

/// Answers a peer's question about one of its messages for good: an id that is unknown now is refused if it still
/// arrives, so that the peer may call the message failed. Without `room` nothing is added.
///
/// # Errors
/// [`StoreError::Constraint`] when the peer does not exist.
pub fn fence(
    conn: &Connection,
    peer: PeerId,
    id: &MessageId,
    at: UnixMillis,
    room: bool,
) -> Result<Fence, StoreError> {
    if let Some(row) = super::find(conn, peer, super::Direction::In, id)?
        .into_iter()
        .next()
    {
        return Ok(Fence::Known(Box::new(row)));
    }
    if is_fenced(conn, peer, id)? {
        return Ok(Fence::Fenced { new: false });
    }
    if !room {
        return Ok(Fence::NoRoom);
    }
    let sql = "INSERT INTO fences (peer_id, message_id, created_at) VALUES (?1, ?2, ?3)";
    conn.prepare_cached(sql)?
        .execute(params![peer, id.as_str(), at.0])?;
    Ok(Fence::Fenced { new: true })
}

/// How many ids of a peer are fenced. Reads all of them.
///
/// # Errors
/// Any failure of the database.
pub fn fences(conn: &Connection, peer: PeerId) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM fences WHERE peer_id = ?1";
    let count: i64 = conn
        .prepare_cached(sql)?
        .query_row([peer], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

fn is_fenced(conn: &Connection, peer: PeerId, id: &MessageId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM fences WHERE peer_id = ?1 AND message_id = ?2";
    Ok(conn
        .prepare_cached(sql)?
        .exists(params![peer, id.as_str()])?)
}

/// The person saw this message. Returns whether that is news.
///
/// # Errors
/// Any failure of the database.
pub fn mark_read(conn: &Connection, seq: i64, at: UnixMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE messages SET read_at = ?2, state = iif(state = 'new', 'read', state) \
        WHERE seq = ?1 AND direction = 0 AND read_at IS NULL";
    Ok(conn.prepare_cached(sql)?.execute(params![seq, at.0])? > 0)
}

/// The person saw the new messages of a peer, or of all, up to a number. Returns how many there were.
///
/// # Errors
/// Any failure of the database.
pub fn mark_read_up_to(
    conn: &Connection,
    peer: Option<PeerId>,
    seq: i64,
    at: UnixMillis,
) -> Result<usize, StoreError> {
    let sql = "UPDATE messages INDEXED BY messages_new SET read_at = ?3, state = 'read' \
        WHERE state = 'new' AND seq <= ?1 AND (?2 IS NULL OR peer_id = ?2)";
    Ok(conn
        .prepare_cached(sql)?
        .execute(params![seq, peer, at.0])?)
}

/// An agent, a command or an endpoint got this message. Returns whether that is news.
///
/// # Errors
/// Any failure of the database.
pub fn hand_over(conn: &Connection, seq: i64, at: UnixMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE messages SET handed_over_at = ?2, state = iif(state IN ('new', 'read'), 'handedOver', state) \
        WHERE seq = ?1 AND direction = 0 AND handed_over_at IS NULL";
    Ok(conn.prepare_cached(sql)?.execute(params![seq, at.0])? > 0)
}

/// Whoever it was for confirmed this message. Returns whether that is news.
///
/// # Errors
/// Any failure of the database.
pub fn acknowledge(conn: &Connection, seq: i64, at: UnixMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE messages SET acknowledged_at = ?2, state = 'acknowledged' \
        WHERE seq = ?1 AND direction = 0 AND acknowledged_at IS NULL";
    Ok(conn.prepare_cached(sql)?.execute(params![seq, at.0])? > 0)
}
