//! Changes to one peer. Each returns [`StoreError::NotFound`] when the peer does not exist.

use rusqlite::{Connection, ToSql, params};
use serde_json::Value;
use tieline_wire::address::Address;
use tieline_wire::key::VerifyKey;
use tieline_wire::receipt::StoreId;
use tieline_wire::time::UnixMillis;

use super::{PeerId, PeerState};
use crate::StoreError;
use crate::convert::to_json;

/// Gives the peer another local name.
///
/// # Errors
/// [`StoreError::Constraint`] when another peer that is not revoked has it.
pub fn rename(conn: &Connection, id: PeerId, alias: &str) -> Result<(), StoreError> {
    set(conn, "alias", id, alias)
}

/// Sets how far the pairing goes. Unpairing is [`super::revoke`].
///
/// # Errors
/// [`StoreError::NotFound`], or any failure of the database.
pub fn set_state(conn: &Connection, id: PeerId, state: PeerState) -> Result<(), StoreError> {
    set(conn, "state", id, state)
}

/// Replaces the keys and the certificate (DER): the person attached a changed key to this history.
///
/// # Errors
/// [`StoreError::Constraint`] when another peer that is not revoked has the TLS key pinned.
pub fn set_keys(
    conn: &Connection,
    id: PeerId,
    tls_key: Option<&VerifyKey>,
    verify_key: Option<&VerifyKey>,
    certificate: Option<&[u8]>,
) -> Result<(), StoreError> {
    let sql = "UPDATE peers SET tls_key = ?2, verify_key = ?3, key_id = ?4, certificate = ?5 WHERE id = ?1";
    let changed = conn.prepare_cached(sql)?.execute(params![
        id,
        tls_key.map(VerifyKey::as_bytes),
        verify_key.map(VerifyKey::as_bytes),
        verify_key.map(|key| key.key_id().0),
        certificate,
    ])?;
    found(changed, id)
}

/// Sets the addresses to try.
///
/// # Errors
/// [`StoreError::NotFound`], or any failure of the database.
pub fn set_addresses(
    conn: &Connection,
    id: PeerId,
    addresses: &[Address],
) -> Result<(), StoreError> {
    set(conn, "addresses", id, to_json(addresses)?)
}

/// Remembers the address of the last success.
///
/// # Errors
/// [`StoreError::NotFound`], or any failure of the database.
pub fn set_last_good_address(
    conn: &Connection,
    id: PeerId,
    address: Option<&Address>,
) -> Result<(), StoreError> {
    set(
        conn,
        "last_good_address",
        id,
        address.map(ToString::to_string),
    )
}

/// Sets the name the peer gave itself.
///
/// # Errors
/// [`StoreError::NotFound`], or any failure of the database.
pub fn set_suggested_name(
    conn: &Connection,
    id: PeerId,
    name: Option<&str>,
) -> Result<(), StoreError> {
    set(conn, "suggested_name", id, name)
}

/// Sets the pair token, encrypted by the caller, and whether both sides are known to hold it.
///
/// # Errors
/// [`StoreError::NotFound`], or any failure of the database.
pub fn set_token(
    conn: &Connection,
    id: PeerId,
    sealed: Option<&[u8]>,
    confirmed: bool,
) -> Result<(), StoreError> {
    let sql = "UPDATE peers SET sealed_token = ?2, token_confirmed = ?3 WHERE id = ?1";
    let changed = conn
        .prepare_cached(sql)?
        .execute(params![id, sealed, confirmed])?;
    found(changed, id)
}

/// Both sides are known to hold the pair token.
///
/// # Errors
/// [`StoreError::NotFound`], or any failure of the database.
pub fn confirm_token(conn: &Connection, id: PeerId) -> Result<(), StoreError> {
    set(conn, "token_confirmed", id, true)
}

/// Sets the measured clock offset: its clock minus ours, milliseconds.
///
/// # Errors
/// [`StoreError::NotFound`], or any failure of the database.
pub fn set_clock_offset(
    conn: &Connection,
    id: PeerId,
    offset_ms: Option<i64>,
) -> Result<(), StoreError> {
    set(conn, "clock_offset_ms", id, offset_ms)
}

/// Sets whether and how we reach the peer.
///
/// # Errors
/// [`StoreError::NotFound`], or any failure of the database.
pub fn set_reach_out(
    conn: &Connection,
    id: PeerId,
    reach: Option<&Value>,
) -> Result<(), StoreError> {
    set(conn, "reach_out", id, reach.map(to_json).transpose()?)
}

/// Sets whether and how the peer reaches us.
///
/// # Errors
/// [`StoreError::NotFound`], or any failure of the database.
pub fn set_reach_in(
    conn: &Connection,
    id: PeerId,
    reach: Option<&Value>,
) -> Result<(), StoreError> {
    set(conn, "reach_in", id, reach.map(to_json).transpose()?)
}

/// Sets when the peer last proved to be there.
///
/// # Errors
/// [`StoreError::NotFound`], or any failure of the database.
pub fn set_last_seen(conn: &Connection, id: PeerId, at: UnixMillis) -> Result<(), StoreError> {
    set(conn, "last_seen_at", id, at.0)
}

/// Sets or clears the last failure with the peer.
///
/// # Errors
/// [`StoreError::NotFound`], or any failure of the database.
pub fn set_last_error(
    conn: &Connection,
    id: PeerId,
    problem: Option<&Value>,
) -> Result<(), StoreError> {
    set(conn, "last_error", id, problem.map(to_json).transpose()?)
}

/// Silences notifications until a time, or ends that.
///
/// # Errors
/// [`StoreError::NotFound`], or any failure of the database.
pub fn set_muted_until(
    conn: &Connection,
    id: PeerId,
    until: Option<UnixMillis>,
) -> Result<(), StoreError> {
    set(conn, "muted_until", id, until.map(|until| until.0))
}

/// Replaces the caller's settings for the peer.
///
/// # Errors
/// [`StoreError::NotFound`], or any failure of the database.
pub fn set_options(conn: &Connection, id: PeerId, options: &Value) -> Result<(), StoreError> {
    set(conn, "options", id, to_json(options)?)
}

/// Remembers the store id the peer signs its receipts with.
///
/// # Errors
/// [`StoreError::NotFound`], or any failure of the database.
pub fn set_store_id(conn: &Connection, id: PeerId, store_id: &StoreId) -> Result<(), StoreError> {
    set(conn, "peer_store_id", id, store_id.0)
}

/// `column` is always one of the literals above.
fn set(
    conn: &Connection,
    column: &'static str,
    id: PeerId,
    value: impl ToSql,
) -> Result<(), StoreError> {
    let sql = format!("UPDATE peers SET {column} = ?2 WHERE id = ?1");
    let changed = conn.prepare_cached(&sql)?.execute(params![id, value])?;
    found(changed, id)
}

pub(super) fn found(changed: usize, id: PeerId) -> Result<(), StoreError> {
    if changed == 0 {
        return Err(StoreError::not_found(format!("peer {id}")));
    }
    Ok(())
}
