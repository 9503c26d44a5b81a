//! Incoming messages that wait to be handed to a local agent: kept across restarts, tried until one try worked.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;
use tieline_wire::time::UnixMillis;

use crate::StoreError;
use crate::convert;
use crate::messages::{self, MessageRow};
use crate::peers::PeerId;

/// A message that waits, and how often it was tried.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The message with its whole content.
    pub message: MessageRow,
    /// Tries that were begun.
    pub tries: u32,
    /// Those of them that count towards giving up.
    pub refusals: u32,
}

/// How much waits of one peer's messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// To be tried, or tried again.
    pub waiting: u64,
    /// Tried too often.
    pub given_up: u64,
}

/// Lets an incoming message wait. To be called in the transaction that stores it.
///
/// # Errors
/// [`StoreError::Constraint`] when there is no such message.
pub fn add(conn: &Connection, peer: PeerId, message_seq: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO handovers (message_seq, peer_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    conn.prepare_cached(sql)?
        .execute(params![message_seq, peer])?;
    Ok(())
}

/// The first of a peer's messages that waits and was not given up.
///
/// # Errors
/// Any failure of the database.
pub fn next(conn: &Connection, peer: PeerId) -> Result<Option<Waiting>, StoreError> {
    let sql = "SELECT message_seq, tries, refusals FROM handovers WHERE peer_id = ?1 AND given_up = 0 ORDER BY message_seq LIMIT 1";
    let found: Option<(i64, u32, u32)> = conn
        .prepare_cached(sql)?
        .query_row([peer], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((seq, tries, refusals)) = found else {
        return Ok(None);
    };
    Ok(messages::get(conn, seq)?.map(|message| Waiting {
        message,
        tries,
        refusals,
    }))
}

/// Counts a try, before it is made: a message that takes this program down is given up at last, too.
///
/// # Errors
/// Any failure of the database.
pub fn begin(conn: &Connection, message_seq: i64) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE handovers SET tries = tries + 1, refusals = refusals + 1 WHERE message_seq = ?1",
    )?
    .execute([message_seq])?;
    Ok(())
}

/// What a failed try comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is tried again, and this try does not count: nothing was there that could have taken it.
    Uncounted,
    /// It is tried again.
    Waits,
    /// It was tried too often.
    GivenUp,
}

/// A try failed: the message shows why.
///
/// # Errors
/// Any failure of the database.
pub fn failed(
    conn: &Connection,
    message_seq: i64,
    problem: &Value,
    verdict: Verdict,
) -> Result<(), StoreError> {
    let sql = "UPDATE handovers SET given_up = ?2, refusals = refusals - ?3 WHERE message_seq = ?1";
    conn.prepare_cached(sql)?.execute(params![
        message_seq,
        verdict == Verdict::GivenUp,
        verdict == Verdict::Uncounted
    ])?;
    set_problem(conn, message_seq, Some(problem))
}

/// It was handed over. Returns whether that is news.
///
/// # Errors
/// Any failure of the database.
pub fn done(conn: &Connection, message_seq: i64, at: UnixMillis) -> Result<bool, StoreError> {
    forget(conn, message_seq)?;
    messages::hand_over(conn, message_seq, at)
}

/// It is not handed over any more.
///
/// # Errors
/// Any failure of the database.
pub fn forget(conn: &Connection, message_seq: i64) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM handovers WHERE message_seq = ?1")?
        .execute([message_seq])?;
    set_problem(conn, message_seq, None)
}

/// The person wants what was given up tried again. Returns how many those are.
///
/// # Errors
/// Any failure of the database.
pub fn retry(conn: &Connection, peer: PeerId) -> Result<usize, StoreError> {
    let sql = "UPDATE handovers SET given_up = 0, refusals = 0 WHERE peer_id = ?1 AND given_up = 1";
    Ok(conn.prepare_cached(sql)?.execute([peer])?)
}

/// Nothing takes a peer's messages any more: none of them waits. Returns how many did.
///
/// # Errors
/// Any failure of the database.
pub fn discard(conn: &Connection, peer: PeerId) -> Result<usize, StoreError> {
    let sql = "UPDATE messages SET problem = NULL WHERE seq IN (SELECT message_seq FROM handovers WHERE peer_id = ?1)";
    conn.prepare_cached(sql)?.execute([peer])?;
    Ok(conn
        .prepare_cached("DELETE FROM handovers WHERE peer_id = ?1")?
        .execute([peer])?)
}

/// How much waits of a peer's messages.
///
/// # Errors
/// Any failure of the database.
pub fn counts(conn: &Connection, peer: PeerId) -> Result<Counts, StoreError> {
    let sql = "SELECT coalesce(sum(given_up = 0), 0), coalesce(sum(given_up), 0) FROM handovers WHERE peer_id = ?1";
    let (waiting, given_up): (i64, i64) = conn
        .prepare_cached(sql)?
        .query_row([peer], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Counts {
        waiting: waiting.unsigned_abs(),
        given_up: given_up.unsigned_abs(),
    })
}

/// Why the last of a peer's messages that wait did not go.
///
/// # Errors
/// Any failure of the database.
pub fn problem(conn: &Connection, peer: PeerId) -> Result<Option<Value>, StoreError> {
    let sql = "SELECT m.problem FROM handovers h CROSS JOIN messages m ON m.seq = h.message_seq \
        WHERE h.peer_id = ?1 AND m.problem IS NOT NULL ORDER BY h.message_seq DESC LIMIT 1";
    let found = conn
        .prepare_cached(sql)?
        .query_row([peer], |row| convert::json(row, 0))
        .optional()?;
    Ok(found.flatten())
}

fn set_problem(
    conn: &Connection,
    message_seq: i64,
    problem: Option<&Value>,
) -> Result<(), StoreError> {
    let problem = problem.map(convert::to_json).transpose()?;
    conn.prepare_cached("UPDATE messages SET problem = ?2 WHERE seq = ?1 AND direction = 0")?
        .execute(params![message_seq, problem])?;
    Ok(())
}
