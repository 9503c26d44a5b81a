//! The stages a message reached after it was stored, with the signed word for each.

use rusqlite::{Connection, OptionalExtension, params};
use tieline_wire::receipt::Stage;
use tieline_wire::time::UnixMillis;

use crate::StoreError;

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
/// refusing is part of the message. For an outgoing message the time of the stage is set too.
/// Returns false when the stage was recorded before.
///
/// # Errors
/// [`StoreError::Constraint`] when the message does not exist, or for the other stages.
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
            return Err(StoreError::Constraint {
                detail: format!("{} belongs to the message", other.as_str()),
            });
        }
    };
    let sql = "INSERT INTO receipts (message_seq, stage, at, receipt) VALUES (?1, ?2, ?3, ?4) \
        ON CONFLICT (message_seq, stage) DO NOTHING";
    let added =
        conn.prepare_cached(sql)?
            .execute(params![message_seq, stage.as_str(), at.0, receipt])?
            > 0;
    if added {
        let sql = format!(
            "UPDATE messages SET {column} = coalesce({column}, ?2) WHERE seq = ?1 AND direction = 1"
        );
        conn.prepare_cached(&sql)?
            .execute(params![message_seq, at.0])?;
    }
    Ok(added)
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
        let stage = match row.get_ref(0)?.as_str()? {
            "acknowledged" => Stage::Acknowledged,
            _ => Stage::HandedOver,
        };
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
