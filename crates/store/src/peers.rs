//! The machines this node is paired with.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, named_params};
use serde_json::Value;
use tieline_wire::address::Address;
use tieline_wire::key::{KeyId, VerifyKey};
use tieline_wire::receipt::StoreId;
use tieline_wire::time::UnixMillis;

use crate::StoreError;
use crate::convert::{self, stored_enum};

mod unpair;
mod update;

pub use unpair::{delete, delete_history, revoke};
pub use update::*;

/// A peer's number in this database. Never given out twice.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct PeerId(pub i64);

impl ToSql for PeerId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for PeerId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

impl std::fmt::Display for PeerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

stored_enum! {
    /// How far the pairing with a peer goes.
    PeerState {
        /// Paired by link; may ping and write to the person's inbox until the person keeps it.
        Joined = "joined",
        /// Paired, with all rights of its dialect.
        Kept = "kept",
        /// It showed a key that is not the pinned one; waits for the person.
        NewKey = "newKey",
        /// Unpaired. Only its history is left.
        Revoked = "revoked",
    }
}

stored_enum! {
    /// The wire language spoken with a peer.
    Dialect {
        /// Tieline's own.
        Tieline = "tieline",
        /// KithKit's agent-to-agent protocol.
        Kithkit = "kithkit",
        /// abTARS.
        Abtars = "abtars",
    }
}

stored_enum! {
    /// How a peer was paired.
    PairedBy {
        /// With an invite link.
        Link = "link",
        /// By exchanging cards or keys and comparing them.
        Swap = "swap",
        /// From another system's configuration.
        Config = "config",
    }
}

/// What is known of a peer when it is stored for the first time.
#[derive(Debug, Clone)]
pub struct NewPeer {
    /// Local name; unique among the peers that are not revoked.
    pub alias: String,
    /// The wire language spoken with it.
    pub dialect: Dialect,
    /// How far the pairing goes.
    pub state: PeerState,
    /// The pinned TLS key; unique among the peers that are not revoked.
    pub tls_key: Option<VerifyKey>,
    /// The key that signs its tokens and receipts.
    pub verify_key: Option<VerifyKey>,
    /// Its TLS certificate, DER.
    pub certificate: Option<Vec<u8>>,
    /// The name it gave itself.
    pub suggested_name: Option<String>,
    /// Where it may be reached.
    pub addresses: Vec<Address>,
    /// The pair token, encrypted by the caller.
    pub sealed_token: Option<Vec<u8>>,
    /// Whether both sides are known to hold that token.
    pub token_confirmed: bool,
    /// How it was paired.
    pub paired_by: PairedBy,
    /// When.
    pub paired_at: UnixMillis,
    /// Settings of the caller, a JSON object.
    pub options: Value,
}

/// A peer as stored.
#[derive(Debug, Clone)]
pub struct PeerRow {
    /// Its number here.
    pub id: PeerId,
    /// Local name. A revoked peer keeps it for display, while another peer may already have taken it.
    pub alias: String,
    /// The wire language spoken with it.
    pub dialect: Dialect,
    /// How far the pairing goes.
    pub state: PeerState,
    /// The pinned TLS key.
    pub tls_key: Option<VerifyKey>,
    /// The key that signs its tokens and receipts.
    pub verify_key: Option<VerifyKey>,
    /// Its TLS certificate, DER.
    pub certificate: Option<Vec<u8>>,
    /// The name it gave itself.
    pub suggested_name: Option<String>,
    /// Where it may be reached.
    pub addresses: Vec<Address>,
    /// The pair token, encrypted by the caller.
    pub sealed_token: Option<Vec<u8>>,
    /// Whether both sides are known to hold that token.
    pub token_confirmed: bool,
    /// How it was paired.
    pub paired_by: PairedBy,
    /// When.
    pub paired_at: UnixMillis,
    /// Its clock minus ours, milliseconds, as last measured.
    pub clock_offset_ms: Option<i64>,
    /// The address of the last success.
    pub last_good_address: Option<Address>,
    /// Whether and how we reach it, as the caller describes it.
    pub reach_out: Option<Value>,
    /// Whether and how it reaches us.
    pub reach_in: Option<Value>,
    /// When it last proved to be there.
    pub last_seen_at: Option<UnixMillis>,
    /// The last failure with it, a problem.
    pub last_error: Option<Value>,
    /// No notifications before this time.
    pub muted_until: Option<UnixMillis>,
    /// Settings of the caller.
    pub options: Value,
    /// When it was unpaired.
    pub cut_at: Option<UnixMillis>,
    /// The store id it signed its last receipt with.
    pub store_id: Option<StoreId>,
}

const COLUMNS: &str = "id, alias, dialect, state, tls_key, verify_key, certificate, suggested_name, addresses, \
    sealed_token, token_confirmed, paired_by, paired_at, clock_offset_ms, last_good_address, reach_out, reach_in, \
    last_seen_at, last_error, muted_until, options, cut_at, peer_store_id";

/// Stores a new peer.
///
/// # Errors
/// [`StoreError::Constraint`] when the alias or the TLS key belongs to another peer that is not revoked.
pub fn insert(conn: &Connection, peer: &NewPeer) -> Result<PeerId, StoreError> {
    let sql = "INSERT INTO peers (alias, dialect, state, tls_key, verify_key, key_id, certificate, suggested_name, \
        addresses, sealed_token, token_confirmed, paired_by, paired_at, options) VALUES (:alias, :dialect, :state, \
        :tls_key, :verify_key, :key_id, :certificate, :suggested_name, :addresses, :sealed_token, :token_confirmed, \
        :paired_by, :paired_at, :options)";
    conn.prepare_cached(sql)?.execute(named_params! {
        ":alias": peer.alias,
        ":dialect": peer.dialect,
        ":state": peer.state,
        ":tls_key": peer.tls_key.as_ref().map(VerifyKey::as_bytes),
        ":verify_key": peer.verify_key.as_ref().map(VerifyKey::as_bytes),
        ":key_id": peer.verify_key.as_ref().map(|key| key.key_id().0),
        ":certificate": peer.certificate,
        ":suggested_name": peer.suggested_name,
        ":addresses": convert::to_json(&peer.addresses)?,
        ":sealed_token": peer.sealed_token,
        ":token_confirmed": peer.token_confirmed,
        ":paired_by": peer.paired_by,
        ":paired_at": peer.paired_at.0,
        ":options": convert::to_json(&peer.options)?,
    })?;
    Ok(PeerId(conn.last_insert_rowid()))
}

/// The peer with this number, revoked or not.
///
/// # Errors
/// Any failure of the database.
pub fn get(conn: &Connection, id: PeerId) -> Result<Option<PeerRow>, StoreError> {
    one(conn, "id = ?1", id)
}

/// Whether the peer is there and not revoked. To be asked in the transaction that stores what it sent: its request
/// may have been let in before the unpairing was committed.
///
/// # Errors
/// Any failure of the database.
pub fn is_paired(conn: &Connection, id: PeerId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM peers WHERE id = ?1 AND state <> 'revoked'";
    Ok(conn.prepare_cached(sql)?.exists([id])?)
}

/// The peer that has this alias now; revoked peers have none.
///
/// # Errors
/// Any failure of the database.
pub fn by_alias(conn: &Connection, alias: &str) -> Result<Option<PeerRow>, StoreError> {
    one(conn, "alias = ?1 AND state <> 'revoked'", alias)
}

/// The peer that is not revoked and has this TLS key pinned.
///
/// # Errors
/// Any failure of the database.
pub fn by_tls_key(conn: &Connection, key: &VerifyKey) -> Result<Option<PeerRow>, StoreError> {
    one(
        conn,
        "tls_key = ?1 AND tls_key IS NOT NULL AND state <> 'revoked'",
        key.as_bytes(),
    )
}

/// The peer that is not revoked and signs with the key of this id.
///
/// # Errors
/// Any failure of the database.
pub fn by_key_id(conn: &Connection, id: &KeyId) -> Result<Option<PeerRow>, StoreError> {
    one(conn, "key_id = ?1 AND state <> 'revoked'", id.0)
}

/// The latest revoked peer that had this TLS key, to tell "unpaired" from "unknown".
///
/// # Errors
/// Any failure of the database.
pub fn revoked_by_tls_key(
    conn: &Connection,
    key: &VerifyKey,
) -> Result<Option<PeerRow>, StoreError> {
    one(
        conn,
        "tls_key = ?1 AND state = 'revoked' ORDER BY id DESC LIMIT 1",
        key.as_bytes(),
    )
}

/// Refuses to go on for a peer that was unpaired, also when that happened a moment ago in the same group of writes.
pub(crate) fn require_paired(conn: &Connection, id: PeerId) -> Result<(), StoreError> {
    let sql = "SELECT 1 FROM peers WHERE id = ?1 AND state <> 'revoked'";
    let paired = conn.prepare_cached(sql)?.exists([id])?;
    update::found(usize::from(paired), id)
}

/// All peers in the order of pairing, with or without the revoked ones.
///
/// # Errors
/// Any failure of the database.
pub fn list(conn: &Connection, with_revoked: bool) -> Result<Vec<PeerRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM peers WHERE ?1 OR state <> 'revoked' ORDER BY id");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map([with_revoked], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn one(
    conn: &Connection,
    condition: &str,
    value: impl ToSql,
) -> Result<Option<PeerRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM peers WHERE {condition}");
    Ok(conn
        .prepare_cached(&sql)?
        .query_row([value], read)
        .optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<PeerRow> {
    Ok(PeerRow {
        id: row.get(0)?,
        alias: row.get(1)?,
        dialect: row.get(2)?,
        state: row.get(3)?,
        tls_key: convert::key(row, 4)?,
        verify_key: convert::key(row, 5)?,
        certificate: row.get(6)?,
        suggested_name: row.get(7)?,
        addresses: convert::json(row, 8)?.unwrap_or_default(),
        sealed_token: row.get(9)?,
        token_confirmed: row.get(10)?,
        paired_by: row.get(11)?,
        paired_at: convert::time(row, 12)?,
        clock_offset_ms: row.get(13)?,
        last_good_address: convert::parsed(row, 14)?,
        reach_out: convert::json(row, 15)?,
        reach_in: convert::json(row, 16)?,
        last_seen_at: convert::optional_time(row, 17)?,
        last_error: convert::json(row, 18)?,
        muted_until: convert::optional_time(row, 19)?,
        options: convert::json(row, 20)?.unwrap_or_default(),
        cut_at: convert::optional_time(row, 21)?,
        store_id: row.get::<_, Option<[u8; 16]>>(22)?.map(StoreId),
    })
}
