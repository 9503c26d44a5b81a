//! The content of messages: kept apart from their rows, indexed for search, and dropped by retention.

use rusqlite::{Connection, OptionalExtension, params};
use tieline_wire::time::UnixMillis;

use super::{MessageRow, SEARCHED_BYTES};
use crate::StoreError;

/// Messages whose text [`index_new`] has yet to make searchable. Of one connection only, and as undone as they are
/// when a job is undone.
pub(crate) const UNINDEXED: &str =
    "CREATE TEMP TABLE IF NOT EXISTS unindexed (seq INTEGER PRIMARY KEY) STRICT";

/// Stores content; its text becomes searchable with the commit.
pub(super) fn insert(
    conn: &Connection,
    seq: i64,
    payload: &str,
    text: &str,
) -> Result<(), StoreError> {
    let text = &text[..text.floor_char_boundary(SEARCHED_BYTES)];
    conn.prepare_cached("INSERT INTO bodies (seq, payload, text) VALUES (?1, ?2, ?3)")?
        .execute(params![seq, payload, text])?;
    if !text.is_empty() {
        conn.prepare_cached("INSERT INTO temp.unindexed (seq) VALUES (?1)")?
            .execute([seq])?;
    }
    Ok(())
}

/// Makes the texts of new messages searchable; the writer calls it before every commit.
///
/// The index writes a segment whenever a savepoint ends, which costs far more than a row, so the messages of a group
/// go in together, after the savepoints of the group's jobs.
///
/// # Errors
/// Any failure of the database.
pub(crate) fn index_new(conn: &Connection) -> Result<(), StoreError> {
    let sql = "SELECT 1 FROM temp.unindexed LIMIT 1";
    if !conn.prepare_cached(sql)?.exists([])? {
        return Ok(());
    }
    let sql = "INSERT INTO search (rowid, text) SELECT b.seq, b.text FROM temp.unindexed n CROSS JOIN bodies b \
        ON b.seq = n.seq";
    conn.prepare_cached(sql)?.execute([])?;
    conn.prepare_cached("DELETE FROM temp.unindexed")?
        .execute([])?;
    Ok(())
}

/// The same messages with their whole content, in the same order; ones deleted meanwhile are left out.
///
/// # Errors
/// Any failure of the database.
pub fn with_content(conn: &Connection, seqs: &[i64]) -> Result<Vec<MessageRow>, StoreError> {
    let rows = seqs.iter().map(|seq| super::get(conn, *seq));
    rows.filter_map(Result::transpose).collect()
}

/// Up to `limit` messages stored before `older_than` that still have content and are not waiting to be sent or to be
/// confirmed, oldest first. A read, so that a long search does not block the writer.
///
/// # Errors
/// Any failure of the database.
pub fn retention_candidates(
    conn: &Connection,
    older_than: UnixMillis,
    limit: u32,
) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT b.seq FROM bodies b CROSS JOIN messages m ON m.seq = b.seq WHERE m.created_at < ?1 \
        AND m.state NOT IN ('queued', 'sending', 'unconfirmed') ORDER BY b.seq LIMIT ?2";
    let mut statement = conn.prepare_cached(sql)?;
    let seqs = statement.query_map(params![older_than.0, limit], |row| row.get(0))?;
    Ok(seqs.collect::<Result<_, _>>()?)
}

/// Deletes the content and the attempts of these messages and keeps the tombstones: id, hash, states and receipts.
/// Returns how many had content. Call it with a few hundred at a time.
///
/// # Errors
/// Any failure of the database.
pub fn delete_content(conn: &Connection, seqs: &[i64]) -> Result<usize, StoreError> {
    // What is not in the index yet could not be taken out of it.
    index_new(conn)?;
    let mut deleted = 0;
    for seq in seqs {
        let mut statement =
            conn.prepare_cached("DELETE FROM bodies WHERE seq = ?1 RETURNING text")?;
        let text: Option<String> = statement.query_row([seq], |row| row.get(0)).optional()?;
        if let Some(text) = &text {
            deleted += 1;
            if !text.is_empty() {
                conn.prepare_cached(
                    "INSERT INTO search (search, rowid, text) VALUES ('delete', ?1, ?2)",
                )?
                .execute(params![seq, text])?;
            }
        }
        conn.prepare_cached("DELETE FROM attempts WHERE message_seq = ?1")?
            .execute([seq])?;
    }
    Ok(deleted)
}
