//! One row per try to deliver a message over one route.

use rusqlite::{Connection, Row, named_params};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tieline_wire::time::UnixMillis;

use crate::StoreError;
use crate::convert::{self, stored_enum};
use crate::peers::PeerId;

stored_enum! {
    /// How an attempt ended.
    AttemptStatus {
        /// The peer stored the message.
        Success = "success",
        /// The peer did not store it.
        Failed = "failed",
        /// It is not known.
        Unknown = "unknown",
    }
}

/// One attempt. Spans are microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// `lan` or `relay`.
    pub route: String,
    /// How the route was taken, such as `held`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// `host:port` it went to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The last phase it reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// How it ended.
    pub status: AttemptStatus,
    /// A problem's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The whole problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Value>,
    /// When it began.
    pub started_at: UnixMillis,
    /// From begin to end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<i64>,
    /// Until connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_us: Option<i64>,
    /// The TLS handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_us: Option<i64>,
    /// Signing and checking tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_us: Option<i64>,
    /// The peer's commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_us: Option<i64>,
}

/// Adds an attempt to a message and returns its place, from 1.
///
/// # Errors
/// [`StoreError::Constraint`] when the message does not exist.
pub fn record(conn: &Connection, message_seq: i64, attempt: &Attempt) -> Result<i64, StoreError> {
    let sql = "INSERT INTO attempts (message_seq, ordinal, route, via, address, phase, status, code, detail, started_at, \
        latency_us, connect_us, tls_us, auth_us, store_us) VALUES (:seq, 1 + coalesce((SELECT max(ordinal) FROM attempts \
        WHERE message_seq = :seq), 0), :route, :via, :address, :phase, :status, :code, :detail, :started_at, :latency_us, \
        :connect_us, :tls_us, :auth_us, :store_us) RETURNING ordinal";
    let values = named_params! {
        ":seq": message_seq,
        ":route": attempt.route,
        ":via": attempt.via,
        ":address": attempt.address,
        ":phase": attempt.phase,
        ":status": attempt.status,
        ":code": attempt.code,
        ":detail": attempt.detail.as_ref().map(convert::to_json).transpose()?,
        ":started_at": attempt.started_at.0,
        ":latency_us": attempt.latency_us,
        ":connect_us": attempt.connect_us,
        ":tls_us": attempt.tls_us,
        ":auth_us": attempt.auth_us,
        ":store_us": attempt.store_us,
    };
    Ok(conn
        .prepare_cached(sql)?
        .query_row(values, |row| row.get(0))?)
}

/// A message's last attempts with their places, oldest first, and how many it has in all. A message that waits for days
/// has thousands.
///
/// # Errors
/// Any failure of the database.
pub fn last(
    conn: &Connection,
    message_seq: i64,
    most: u32,
) -> Result<(Vec<(i64, Attempt)>, i64), StoreError> {
    let sql = "SELECT route, via, address, phase, status, code, detail, started_at, latency_us, connect_us, tls_us, \
        auth_us, store_us, ordinal FROM attempts WHERE message_seq = ?1 ORDER BY ordinal DESC LIMIT ?2";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map((message_seq, most), |row| Ok((row.get(13)?, read(row)?)))?;
    let mut attempts: Vec<(i64, Attempt)> = rows.collect::<Result<_, _>>()?;
    attempts.reverse();
    // Places are given without gaps, so the last one is the count.
    let count = attempts.last().map_or(0, |(place, _)| *place);
    Ok((attempts, count))
}

/// The attempts that failed last, with the peer they went to; the newest message's first.
///
/// # Errors
/// Any failure of the database.
pub fn recent_failures(conn: &Connection, most: u32) -> Result<Vec<(PeerId, Attempt)>, StoreError> {
    let sql = "SELECT a.route, a.via, a.address, a.phase, a.status, a.code, a.detail, a.started_at, a.latency_us, \
        a.connect_us, a.tls_us, a.auth_us, a.store_us, m.peer_id FROM attempts a CROSS JOIN messages m \
        ON m.seq = a.message_seq WHERE a.status <> 'success' ORDER BY a.message_seq DESC, a.ordinal DESC LIMIT ?1";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map([most], |row| Ok((row.get(13)?, read(row)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A message's attempts in their order.
///
/// # Errors
/// Any failure of the database.
pub fn list(conn: &Connection, message_seq: i64) -> Result<Vec<Attempt>, StoreError> {
    let sql = "SELECT route, via, address, phase, status, code, detail, started_at, latency_us, connect_us, tls_us, \
        auth_us, store_us FROM attempts WHERE message_seq = ?1 ORDER BY ordinal";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map([message_seq], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    Ok(Attempt {
        route: row.get(0)?,
        via: row.get(1)?,
        address: row.get(2)?,
        phase: row.get(3)?,
        status: row.get(4)?,
        code: row.get(5)?,
        detail: convert::json(row, 6)?,
        started_at: convert::time(row, 7)?,
        latency_us: row.get(8)?,
        connect_us: row.get(9)?,
        tls_us: row.get(10)?,
        auth_us: row.get(11)?,
        store_us: row.get(12)?,
    })
}
