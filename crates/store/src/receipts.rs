//! The stages a message reached after it was stored, with the signed word for each.

use rusqlite::{Connection, OptionalExtension, Row, params};
use tieline_wire::receipt::Stage;
use tieline_wire::time::UnixMillis;

use crate::StoreError;
use crate::messages::Direction;
use crate::peers::PeerId;

/// One stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRow {
    /// The stage reached.
    pub stage: Stage,
    /// When it was reached here, or when its receipt came.
    pub at: UnixMillis,
    /// The receipt's JSON; none where the dialect has no receipts.
    pub receipt: Option<Vec<u8>>,
}

/// Records that a message reached [`Stage::HandedOver`] or [`Stage::Acknowledged`]; the receipt of storing or
/// refusing is part of the message. Our receipt for an incoming message then waits to be sent ([`unsent`]); for an
/// outgoing message the time of the stage is set. Returns false when the stage was recorded before.
///
/// # Errors
/// [`StoreError::NotFound`] when the message does not exist; [`StoreError::Constraint`] for the other stages.
pub fn add(
    conn: &Connection,
    message_seq: i64,
    stage: Stage,
    at: UnixMillis,
    receipt: Option<&[u8]>,
) -> Result<bool, StoreError> {
    let column = match stage {
        Stage::HandedOver => "handed_over_at",
        Stage::Acknowledged => "acknowledged_at",
        other => {
            let detail = format!("{} belongs to the message", other.as_str());
            return Err(StoreError::Constraint { detail });
        }
    };
    let sql = "SELECT direction FROM messages WHERE seq = ?1";
    let direction: Option<i64> = conn
        .prepare_cached(sql)?
        .query_row([message_seq], |row| row.get(0))
        .optional()?;
    let outgoing = match direction {
        Some(code) => code == Direction::Out.code(),
        None => return Err(StoreError::not_found(format!("message {message_seq}"))),
    };
    let sent_at = (outgoing || receipt.is_none()).then_some(at.0);
    let sql = "INSERT INTO receipts (message_seq, stage, at, receipt, sent_at) VALUES (?1, ?2, ?3, ?4, ?5) \
        ON CONFLICT (message_seq, stage) DO NOTHING";
    let values = params![message_seq, stage.as_str(), at.0, receipt, sent_at];
    let added = conn.prepare_cached(sql)?.execute(values)? > 0;
    if added && outgoing {
        let sql = format!("UPDATE messages SET {column} = coalesce({column}, ?2) WHERE seq = ?1");
        conn.prepare_cached(&sql)?
            .execute(params![message_seq, at.0])?;
    }
    Ok(added)
}

/// A receipt of ours that the peer has not taken yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// The message's number.
    pub message_seq: i64,
    /// The stage it is about.
    pub stage: Stage,
    /// The receipt's JSON.
    pub receipt: Vec<u8>,
}

/// Our receipts waiting for a peer, in the order of the messages.
///
/// # Errors
/// Any failure of the database.
pub fn unsent(conn: &Connection, peer: PeerId, limit: u32) -> Result<Vec<Unsent>, StoreError> {
    let sql = "SELECT r.message_seq, r.stage, r.receipt FROM receipts r INDEXED BY receipts_unsent \
        CROSS JOIN messages m ON m.seq = r.message_seq WHERE r.sent_at IS NULL AND m.peer_id = ?1 \
        ORDER BY r.message_seq LIMIT ?2";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map(params![peer, limit], |row| {
        Ok(Unsent {
            message_seq: row.get(0)?,
            stage: stage(row, 1)?,
            receipt: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The peer took this receipt. Returns whether it was waiting.
///
/// # Errors
/// Any failure of the database.
pub fn mark_sent(
    conn: &Connection,
    message_seq: i64,
    stage: Stage,
    at: UnixMillis,
) -> Result<bool, StoreError> {
    let sql = "UPDATE receipts SET sent_at = ?3 WHERE message_seq = ?1 AND stage = ?2 AND sent_at IS NULL";
    Ok(conn
        .prepare_cached(sql)?
        .execute(params![message_seq, stage.as_str(), at.0])?
        > 0)
}

/// All stages of a message, the first one first.
///
/// # Errors
/// Any failure of the database.
pub fn list(conn: &Connection, message_seq: i64) -> Result<Vec<ReceiptRow>, StoreError> {
    let mut stages: Vec<ReceiptRow> = first(conn, message_seq)?.into_iter().collect();
    let sql =
        "SELECT stage, at, receipt FROM receipts WHERE message_seq = ?1 ORDER BY at, stage DESC";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map([message_seq], |row| {
        let stage = stage(row, 0)?;
        Ok(ReceiptRow {
            stage,
            at: UnixMillis(row.get(1)?),
            receipt: row.get(2)?,
        })
    })?;
    for row in rows {
        stages.push(row?);
    }
    Ok(stages)
}

/// The stage that the message row itself tells: stored, or refused with a receipt.
fn first(conn: &Connection, message_seq: i64) -> Result<Option<ReceiptRow>, StoreError> {
    let sql = "SELECT iif(direction = 1, state = 'failed', 0), coalesce(finished_at, created_at), receipt FROM messages \
        WHERE seq = ?1 AND (direction = 0 OR state = 'delivered' OR (state = 'failed' AND receipt IS NOT NULL))";
    let row = conn.prepare_cached(sql)?.query_row([message_seq], |row| {
        let stage = if row.get(0)? {
            Stage::Refused
        } else {
            Stage::Stored
        };
        Ok(ReceiptRow {
            stage,
            at: UnixMillis(row.get(1)?),
            receipt: row.get(2)?,
        })
    });
    Ok(row.optional()?)
}

fn stage(row: &Row<'_>, column: usize) -> rusqlite::Result<Stage> {
    Ok(match row.get_ref(column)?.as_str()? {
        "acknowledged" => Stage::Acknowledged,
        _ => Stage::HandedOver,
    })
}
