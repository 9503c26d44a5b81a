//! What time, a crash or unpairing does to messages that are still open.

use rusqlite::{Connection, ToSql, params};
use serde_json::Value;
use tieline_wire::time::UnixMillis;

use crate::StoreError;
use crate::convert;
use crate::peers::PeerId;

/// What [`recover_on_start`] changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Numbers of messages that nobody retries and the peer may hold.
    pub unconfirmed: Vec<i64>,
    /// Numbers of messages that went back into the queue.
    pub requeued: Vec<i64>,
}

/// Settles what a crash left as being sent: the peer may hold a copy, so a message sent once becomes unconfirmed, and
/// a queued one is tried again under the same id.
///
/// # Errors
/// Any failure of the database.
pub fn recover_on_start(conn: &Connection, problem: &Value) -> Result<Recovered, StoreError> {
    let sql = "UPDATE messages INDEXED BY messages_open SET state = 'unconfirmed', exposed = 1, problem = ?1 \
        WHERE state IN ('queued', 'sending', 'unconfirmed') AND state = 'sending' AND mode = 'now' RETURNING seq";
    let unconfirmed = seqs(conn, sql, params![convert::to_json(problem)?])?;
    let sql = "UPDATE messages INDEXED BY messages_open SET state = 'queued', exposed = 1 \
        WHERE state IN ('queued', 'sending', 'unconfirmed') AND state = 'sending' RETURNING seq";
    let requeued = seqs(conn, sql, params![])?;
    Ok(Recovered {
        unconfirmed,
        requeued,
    })
}

/// What [`expire`] or [`give_up`] changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expired {
    /// Numbers of messages that never reached the peer.
    pub failed: Vec<i64>,
    /// Numbers of messages that the peer may hold.
    pub unconfirmed: Vec<i64>,
}

/// Ends queued messages whose time is up on the caller's elapsed clock. One that the peer may hold becomes
/// unconfirmed instead of failed.
///
/// # Errors
/// Any failure of the database.
pub fn expire(
    conn: &Connection,
    elapsed_ms: i64,
    at: UnixMillis,
    problem: &Value,
) -> Result<Expired, StoreError> {
    end(conn, "expires_elapsed_ms <= ?2", &elapsed_ms, at, problem)
}

/// Ends queued messages for a peer that was unpaired, in the same way.
///
/// # Errors
/// Any failure of the database.
pub fn give_up(
    conn: &Connection,
    peer: PeerId,
    at: UnixMillis,
    problem: &Value,
) -> Result<Expired, StoreError> {
    end(conn, "peer_id = ?2", &peer, at, problem)
}

fn end(
    conn: &Connection,
    condition: &str,
    value: &dyn ToSql,
    at: UnixMillis,
    problem: &Value,
) -> Result<Expired, StoreError> {
    let problem = convert::to_json(problem)?;
    let queued = "state IN ('queued', 'sending', 'unconfirmed') AND state = 'queued'";
    let sql = format!(
        "UPDATE messages INDEXED BY messages_open SET state = 'failed', problem = ?1, finished_at = ?3 \
         WHERE {queued} AND NOT exposed AND {condition} RETURNING seq"
    );
    let failed = seqs(conn, &sql, &[&problem, value, &at.0])?;
    let sql = format!(
        "UPDATE messages INDEXED BY messages_open SET state = 'unconfirmed', problem = ?1 \
         WHERE {queued} AND {condition} RETURNING seq"
    );
    let unconfirmed = seqs(conn, &sql, &[&problem, value])?;
    Ok(Expired {
        failed,
        unconfirmed,
    })
}

fn seqs(conn: &Connection, sql: &str, values: &[&dyn ToSql]) -> Result<Vec<i64>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map(values, |row| row.get(0))?;
    let mut seqs: Vec<i64> = rows.collect::<Result<_, _>>()?;
    seqs.sort_unstable();
    Ok(seqs)
}
