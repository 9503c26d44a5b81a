//! Invites that a peer has used, so that only the same peer can resume the pairing.

use rusqlite::{Connection, OptionalExtension, params};
use tieline_wire::key::VerifyKey;
use tieline_wire::time::UnixMillis;

use crate::StoreError;
use crate::convert;
use crate::peers::PeerId;

/// The public id of an invite.
pub type InviteId = [u8; 16];

/// A used invite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundInvite {
    /// Which invite.
    pub invite_id: InviteId,
    /// TLS key of the one machine that may resume.
    pub tls_key: VerifyKey,
    /// Signing key of that machine.
    pub verify_key: VerifyKey,
    /// The peer that came of it.
    pub peer: PeerId,
    /// The joiner has durably stored us.
    pub confirmed: bool,
    /// When it was used.
    pub bound_at: UnixMillis,
}

/// Binds an invite to the machine that proved to hold it. To be done in the transaction that stores the peer.
///
/// # Errors
/// [`StoreError::Constraint`] when it is bound already.
pub fn bind(conn: &Connection, invite: &BoundInvite) -> Result<(), StoreError> {
    let sql = "INSERT INTO invites (invite_id, tls_key, verify_key, peer_id, confirmed, bound_at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    conn.prepare_cached(sql)?.execute(params![
        invite.invite_id,
        invite.tls_key.as_bytes(),
        invite.verify_key.as_bytes(),
        invite.peer,
        invite.confirmed,
        invite.bound_at.0,
    ])?;
    Ok(())
}

/// The invite with this id, if it was used.
///
/// # Errors
/// Any failure of the database.
pub fn get(conn: &Connection, invite_id: &InviteId) -> Result<Option<BoundInvite>, StoreError> {
    let sql = "SELECT tls_key, verify_key, peer_id, confirmed, bound_at FROM invites WHERE invite_id = ?1";
    let row = conn.prepare_cached(sql)?.query_row([invite_id], |row| {
        Ok(BoundInvite {
            invite_id: *invite_id,
            tls_key: convert::required_key(row, 0)?,
            verify_key: convert::required_key(row, 1)?,
            peer: row.get(2)?,
            confirmed: row.get(3)?,
            bound_at: convert::time(row, 4)?,
        })
    });
    Ok(row.optional()?)
}

/// The joiner has durably stored us. Returns whether that is news.
///
/// # Errors
/// Any failure of the database.
pub fn confirm(conn: &Connection, invite_id: &InviteId) -> Result<bool, StoreError> {
    let sql = "UPDATE invites SET confirmed = 1 WHERE invite_id = ?1 AND NOT confirmed";
    Ok(conn.prepare_cached(sql)?.execute([invite_id])? > 0)
}

/// Forgets invites used before a time. Returns how many.
///
/// # Errors
/// Any failure of the database.
pub fn forget_before(conn: &Connection, before: UnixMillis) -> Result<usize, StoreError> {
    Ok(conn
        .prepare_cached("DELETE FROM invites WHERE bound_at < ?1")?
        .execute([before.0])?)
}
