//! The outbox.

use rusqlite::{Connection, ToSql, named_params, params};
use serde_json::Value;
use tieline_wire::key::KeyId;
use tieline_wire::message::{ContentHash, MessageId};
use tieline_wire::receipt::StoreId;
use tieline_wire::time::UnixMillis;

use super::{Assurance, Direction, Evidence, MessageRow, Mode, State, content, find, whole_of};
use crate::StoreError;
use crate::convert;
use crate::peers::{self, PeerId};

/// A message to be sent.
#[derive(Debug, Clone)]
pub struct NewOutgoing {
    /// To whom.
    pub peer: PeerId,
    /// Its id, the same over all routes and retries.
    pub message_id: MessageId,
    /// Id of our signing key, where the dialect has one.
    pub sender: Option<KeyId>,
    /// Id of the peer's signing key, where the dialect has one.
    pub recipient: Option<KeyId>,
    /// Hash of the canonical message.
    pub content_hash: ContentHash,
    /// The payload's `type`.
    pub kind: String,
    /// The payload's JSON exactly as it will travel.
    pub payload: String,
    /// The text to search and to show; empty if there is none.
    pub text: String,
    /// The time it carries.
    pub sent_at: UnixMillis,
    /// Now.
    pub created_at: UnixMillis,
    /// [`Mode::Now`] is stored as being sent, [`Mode::Queue`] as queued.
    pub mode: Mode,
    /// The peer's database as it is known now, see [`expose`].
    pub store_id: Option<StoreId>,
    /// The route asked for.
    pub route: Option<String>,
    /// When it expires, on the caller's elapsed clock, milliseconds.
    pub expires_elapsed_ms: Option<i64>,
}

/// What [`insert_outgoing`] did.
#[derive(Debug, Clone)]
pub enum Queued {
    /// Stored under this number.
    Stored(i64),
    /// A message with this id to this peer is there already; nothing was changed. Whether it has the same content is
    /// for the caller to see: its hash includes its own `sent_at`.
    Exists(Box<MessageRow>),
}

/// Stores a message before the first byte of it leaves.
///
/// # Errors
/// [`StoreError::NotFound`] when the peer does not exist or is revoked.
pub fn insert_outgoing(conn: &Connection, message: &NewOutgoing) -> Result<Queued, StoreError> {
    peers::require_paired(conn, message.peer)?;
    if let Some(row) = find(conn, message.peer, Direction::Out, &message.message_id)?
        .into_iter()
        .next()
    {
        return Ok(Queued::Exists(Box::new(row)));
    }
    let state = match message.mode {
        Mode::Now => State::Sending,
        Mode::Queue => State::Queued,
    };
    let sql = "INSERT INTO messages (peer_id, direction, message_id, assurance, sender, recipient, content_hash, kind, \
        payload_bytes, sent_at, created_at, state, evidence, mode, store_id, route, expires_elapsed_ms) VALUES (:peer, 1, :id, \
        :assurance, :sender, :recipient, :hash, :kind, :bytes, :sent_at, :created_at, :state, :evidence, :mode, \
        :store, :route, :expires)";
    conn.prepare_cached(sql)?.execute(named_params! {
        ":peer": message.peer,
        ":id": message.message_id.as_str(),
        ":assurance": Assurance::Signed as i64,
        ":sender": message.sender.map(|id| id.0),
        ":recipient": message.recipient.map(|id| id.0),
        ":hash": message.content_hash.0,
        ":kind": message.kind,
        ":bytes": convert::length(&message.payload),
        ":sent_at": message.sent_at.0,
        ":created_at": message.created_at.0,
        ":state": state,
        ":evidence": Evidence::None,
        ":mode": message.mode,
        ":store": message.store_id.map(|id| id.0),
        ":route": message.route,
        ":expires": message.expires_elapsed_ms,
    })?;
    let seq = conn.last_insert_rowid();
    content::insert(conn, seq, &message.payload, &message.text)?;
    Ok(Queued::Stored(seq))
}

/// Marks a queued or unconfirmed message as being sent. Must be committed before its first byte leaves, or a crash
/// could make a message "failed" that the peer holds. Returns whether it was in one of those states.
///
/// # Errors
/// Any failure of the database.
pub fn start_sending(conn: &Connection, seq: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE messages SET state = 'sending', exposed = exposed OR state = 'unconfirmed' \
        WHERE seq = ?1 AND direction = 1 AND state IN ('queued', 'unconfirmed')";
    Ok(conn.prepare_cached(sql)?.execute([seq])? > 0)
}

/// Names the peer's database that the first bytes of a message are about to go to. Must be committed before they leave:
/// only that database can say for good that it did not store the message. Inserting a message names the database that
/// is known then, so that this is called only where another one answers.
///
/// # Errors
/// Any failure of the database.
pub fn expose(conn: &Connection, seq: i64, store_id: StoreId) -> Result<(), StoreError> {
    let sql = "UPDATE messages SET store_id = ?2 WHERE seq = ?1 AND direction = 1";
    conn.prepare_cached(sql)?
        .execute(params![seq, store_id.0])?;
    Ok(())
}

/// Stops trying what a peer may have stored in another database than the one it has now: such messages become, or
/// stay, unconfirmed for this reason. Returns their numbers.
///
/// # Errors
/// Any failure of the database.
pub fn stop_retries(
    conn: &Connection,
    peer: PeerId,
    now: StoreId,
    problem: &Value,
) -> Result<Vec<i64>, StoreError> {
    let sql = "UPDATE messages INDEXED BY messages_open SET state = 'unconfirmed', exposed = 1, problem = ?3 \
        WHERE state IN ('queued', 'sending', 'unconfirmed') AND peer_id = ?1 AND direction = 1 AND store_id <> ?2 \
        AND (state = 'unconfirmed' OR (state = 'queued' AND exposed)) RETURNING seq";
    let mut statement = conn.prepare_cached(sql)?;
    let values = params![peer, now.0, convert::to_json(problem)?];
    let rows = statement.query_map(values, |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Puts a message that was being sent back into the queue. `exposed` says whether the peer may hold a copy after this
/// attempt; once true it stays true until the peer was asked ([`finish_outgoing`]) or fenced it.
/// Returns whether it was being sent or unconfirmed.
///
/// # Errors
/// Any failure of the database.
pub fn requeue(conn: &Connection, seq: i64, exposed: bool) -> Result<bool, StoreError> {
    let sql = "UPDATE messages SET state = 'queued', exposed = exposed OR state = 'unconfirmed' OR ?2 \
        WHERE seq = ?1 AND direction = 1 AND mode = 'queue' AND state IN ('sending', 'unconfirmed')";
    Ok(conn.prepare_cached(sql)?.execute(params![seq, exposed])? > 0)
}

/// Takes a message out of the queue for good. One that the peer may hold becomes unconfirmed, to be asked about and not
/// to be tried again; any other is failed. Returns false when it was not in the queue, for example because it is being
/// sent at this moment.
///
/// # Errors
/// Any failure of the database.
pub fn cancel(
    conn: &Connection,
    seq: i64,
    at: UnixMillis,
    problem: &Value,
) -> Result<bool, StoreError> {
    let sql = "UPDATE messages SET state = CASE WHEN exposed THEN 'unconfirmed' ELSE 'failed' END, mode = 'now', \
        problem = ?2, finished_at = CASE WHEN exposed THEN NULL ELSE ?3 END \
        WHERE seq = ?1 AND direction = 1 AND state = 'queued'";
    let values = params![seq, convert::to_json(problem)?, at.0];
    Ok(conn.prepare_cached(sql)?.execute(values)? > 0)
}

/// How an attempt, or the answer to a later question, ended.
#[derive(Debug, Clone)]
pub struct Finish<'a> {
    /// [`State::Delivered`], [`State::Failed`] or [`State::Unconfirmed`].
    pub state: State,
    /// What a delivery rests on.
    pub evidence: Evidence,
    /// The peer's receipt of storing or refusing.
    pub receipt: Option<&'a [u8]>,
    /// Why it is failed or unconfirmed.
    pub problem: Option<&'a Value>,
    /// Now.
    pub at: UnixMillis,
}

/// Ends an outgoing message, or marks it unconfirmed. Final states stay, except that a delivery may gain better
/// evidence. Returns whether anything changed.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such outgoing message; [`StoreError::Constraint`] when `state` is not
/// one of the three.
pub fn finish_outgoing(
    conn: &Connection,
    seq: i64,
    finish: &Finish<'_>,
) -> Result<bool, StoreError> {
    if !matches!(
        finish.state,
        State::Delivered | State::Failed | State::Unconfirmed
    ) {
        return Err(StoreError::Constraint {
            detail: format!("{} does not end a message", finish.state),
        });
    }
    let sql = "SELECT state, evidence FROM messages WHERE seq = ?1 AND direction = 1";
    let current = conn
        .prepare_cached(sql)?
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)));
    let (state, evidence): (State, Evidence) = current.map_err(|error| match error {
        rusqlite::Error::QueryReturnedNoRows => {
            StoreError::not_found(format!("outgoing message {seq}"))
        }
        other => other.into(),
    })?;
    let better = finish.state == State::Delivered && finish.evidence.rank() > evidence.rank();
    let open = matches!(state, State::Queued | State::Sending | State::Unconfirmed);
    if !(open || (state == State::Delivered && better)) {
        return Ok(false);
    }
    let unconfirmed = finish.state == State::Unconfirmed;
    let sql = "UPDATE messages SET state = :state, evidence = :evidence, receipt = :receipt, problem = :problem, \
        finished_at = :finished_at, exposed = :exposed WHERE seq = :seq";
    conn.prepare_cached(sql)?.execute(named_params! {
        ":seq": seq,
        ":state": finish.state,
        ":evidence": finish.evidence,
        ":receipt": finish.receipt,
        ":problem": finish.problem.map(convert::to_json).transpose()?,
        ":finished_at": (!unconfirmed).then_some(finish.at.0),
        ":exposed": unconfirmed,
    })?;
    Ok(true)
}

/// The next messages waiting in the queue for a peer, oldest first, with their content.
///
/// # Errors
/// Any failure of the database.
pub fn due_for_peer(
    conn: &Connection,
    peer: PeerId,
    limit: u32,
) -> Result<Vec<MessageRow>, StoreError> {
    let condition = "m.peer_id = ?1 AND m.state IN ('queued', 'sending', 'unconfirmed') AND m.state = 'queued' \
        ORDER BY m.seq LIMIT ?2";
    open(conn, condition, params![peer, limit])
}

/// Messages to the holder of a signing key of which it is not known whether the peer holds them, oldest first, with
/// their content. Those whose problem has the code `except` are left out.
///
/// # Errors
/// Any failure of the database.
pub fn unconfirmed_for_peer(
    conn: &Connection,
    peer: PeerId,
    recipient: KeyId,
    except: &str,
    limit: u32,
) -> Result<Vec<MessageRow>, StoreError> {
    // The first condition on the state is the one of that index.
    let condition = "m.peer_id = ?1 AND m.state IN ('queued', 'sending', 'unconfirmed') AND m.state = 'unconfirmed' \
        AND (m.problem IS NULL OR m.problem ->> 'code' IS NOT ?2) AND m.recipient = ?4 ORDER BY m.seq LIMIT ?3";
    open(conn, condition, params![peer, except, limit, recipient.0])
}

/// Says why nobody can be asked any more about unconfirmed messages that were for another signing key than `now`.
///
/// # Errors
/// Any failure of the database.
pub fn stop_asking(
    conn: &Connection,
    peer: PeerId,
    now: KeyId,
    problem: &Value,
) -> Result<(), StoreError> {
    let sql = "UPDATE messages INDEXED BY messages_open SET problem = ?3 \
        WHERE state IN ('queued', 'sending', 'unconfirmed') AND state = 'unconfirmed' AND peer_id = ?1 \
        AND direction = 1 AND recipient <> ?2";
    conn.prepare_cached(sql)?
        .execute(params![peer, now.0, convert::to_json(problem)?])?;
    Ok(())
}

fn open(
    conn: &Connection,
    condition: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<MessageRow>, StoreError> {
    let table = "messages m INDEXED BY messages_open";
    whole_of(conn, table, condition, values)
}

/// The peers, not revoked, for which anything is queued or unconfirmed.
///
/// # Errors
/// Any failure of the database.
pub fn peers_with_due(conn: &Connection) -> Result<Vec<PeerId>, StoreError> {
    let sql = "SELECT DISTINCT m.peer_id FROM messages m INDEXED BY messages_open JOIN peers p ON p.id = m.peer_id \
        WHERE m.state IN ('queued', 'sending', 'unconfirmed') AND m.state <> 'sending' AND p.state <> 'revoked' \
        ORDER BY m.peer_id";
    let mut statement = conn.prepare_cached(sql)?;
    let peers = statement.query_map([], |row| row.get(0))?;
    Ok(peers.collect::<Result<_, _>>()?)
}
