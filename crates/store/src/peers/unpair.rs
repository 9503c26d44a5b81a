//! Unpairing: the right to speak goes at once, the history only if the person wants that.

use rusqlite::{Connection, params};
use tieline_wire::time::UnixMillis;

use super::PeerId;
use super::update::found;
use crate::StoreError;
use crate::handovers;
use crate::messages;

/// Unpairs: the peer keeps its history, loses its pair token and its invites, and its alias and keys become free
/// for another peer. What is still open for it is not touched; see [`messages::give_up`].
///
/// # Errors
/// [`StoreError::NotFound`], or any failure of the database.
pub fn revoke(conn: &Connection, id: PeerId, at: UnixMillis) -> Result<(), StoreError> {
    let sql = "UPDATE peers SET state = 'revoked', cut_at = ?2, sealed_token = NULL, token_confirmed = 0 WHERE id = ?1";
    let changed = conn.prepare_cached(sql)?.execute(params![id, at.0])?;
    conn.prepare_cached("DELETE FROM invites WHERE peer_id = ?1")?
        .execute([id])?;
    handovers::discard(conn, id)?;
    found(changed, id)
}

/// Deletes up to `limit` of a revoked peer's messages with everything that belongs to them, tombstones too, and
/// finally its fences. Returns whether more are left, so that a long history does not block the writer.
///
/// # Errors
/// [`StoreError::NotFound`] when the peer is not revoked: its tombstones still protect against double delivery.
pub fn delete_history(conn: &Connection, id: PeerId, limit: u32) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM peers WHERE id = ?1 AND state = 'revoked'";
    let revoked = conn.prepare_cached(sql)?.exists([id])?;
    found(usize::from(revoked), id)?;
    let sql = "SELECT seq FROM messages WHERE peer_id = ?1 ORDER BY seq LIMIT ?2";
    let mut statement = conn.prepare_cached(sql)?;
    let seqs = statement.query_map(params![id, limit], |row| row.get(0))?;
    let seqs: Vec<i64> = seqs.collect::<Result<_, _>>()?;
    messages::delete_content(conn, &seqs)?;
    for seq in &seqs {
        conn.prepare_cached("DELETE FROM receipts WHERE message_seq = ?1")?
            .execute([seq])?;
        conn.prepare_cached("DELETE FROM messages WHERE seq = ?1")?
            .execute([seq])?;
    }
    if seqs.len() == limit as usize {
        return Ok(true);
    }
    conn.prepare_cached("DELETE FROM fences WHERE peer_id = ?1")?
        .execute([id])?;
    Ok(false)
}

/// Removes the row of a revoked peer without history.
///
/// # Errors
/// [`StoreError::NotFound`] when it is not revoked, [`StoreError::Constraint`] while there is history.
pub fn delete(conn: &Connection, id: PeerId) -> Result<(), StoreError> {
    let changed = conn
        .prepare_cached("DELETE FROM peers WHERE id = ?1 AND state = 'revoked'")?
        .execute([id])?;
    found(changed, id)
}
