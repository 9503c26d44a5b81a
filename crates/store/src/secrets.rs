//! What is known about secrets besides their values, which only the vault has.

use rusqlite::{Connection, params};
use tieline_wire::time::UnixMillis;

use crate::StoreError;
use crate::convert;

/// A secret's description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRow {
    /// Its name in the vault.
    pub name: String,
    /// The vault's kind.
    pub backend: String,
    /// When it was first set.
    pub created_at: UnixMillis,
    /// When it was last replaced.
    pub rotated_at: Option<UnixMillis>,
}

/// Records that a secret was set at a time, for the first time or anew.
///
/// # Errors
/// Any failure of the database.
pub fn record(
    conn: &Connection,
    name: &str,
    backend: &str,
    at: UnixMillis,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO secrets (name, backend, created_at) VALUES (?1, ?2, ?3) \
        ON CONFLICT (name) DO UPDATE SET backend = excluded.backend, rotated_at = excluded.created_at";
    conn.prepare_cached(sql)?
        .execute(params![name, backend, at.0])?;
    Ok(())
}

/// Forgets a secret. Returns whether it was known.
///
/// # Errors
/// Any failure of the database.
pub fn forget(conn: &Connection, name: &str) -> Result<bool, StoreError> {
    Ok(conn
        .prepare_cached("DELETE FROM secrets WHERE name = ?1")?
        .execute([name])?
        > 0)
}

/// All secrets by name.
///
/// # Errors
/// Any failure of the database.
pub fn list(conn: &Connection) -> Result<Vec<SecretRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT name, backend, created_at, rotated_at FROM secrets ORDER BY name",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(SecretRow {
            name: row.get(0)?,
            backend: row.get(1)?,
            created_at: convert::time(row, 2)?,
            rotated_at: convert::optional_time(row, 3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
