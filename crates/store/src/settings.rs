//! Named values as JSON.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::StoreError;
use crate::convert;

/// The value of a setting, `None` when it was never set.
///
/// # Errors
/// [`StoreError::Sql`] when the value has another shape than `T`.
pub fn get<T: DeserializeOwned>(conn: &Connection, key: &str) -> Result<Option<T>, StoreError> {
    let sql = "SELECT value FROM settings WHERE key = ?1";
    let value: Option<String> = conn
        .prepare_cached(sql)?
        .query_row([key], |row| row.get(0))
        .optional()?;
    value
        .map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| StoreError::Sql {
            code: 0,
            detail: format!("the setting {key} cannot be read: {error}"),
        })
}

/// Sets a setting.
///
/// # Errors
/// Any failure of the database.
pub fn set<T: Serialize + ?Sized>(
    conn: &Connection,
    key: &str,
    value: &T,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO settings (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    conn.prepare_cached(sql)?
        .execute(params![key, convert::to_json(value)?])?;
    Ok(())
}

/// Removes a setting. Returns whether it was there.
///
/// # Errors
/// Any failure of the database.
pub fn remove(conn: &Connection, key: &str) -> Result<bool, StoreError> {
    Ok(conn
        .prepare_cached("DELETE FROM settings WHERE key = ?1")?
        .execute([key])?
        > 0)
}

/// All settings by name.
///
/// # Errors
/// Any failure of the database.
pub fn list(conn: &Connection) -> Result<Vec<(String, Value)>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT key, value FROM settings ORDER BY key")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, convert::json(row, 1)?.unwrap_or_default()))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

const ELAPSED: &str = "clock.elapsedMs";

/// The caller's elapsed clock as it was last saved, milliseconds; 0 in a new store.
///
/// # Errors
/// Any failure of the database.
pub fn elapsed(conn: &Connection) -> Result<i64, StoreError> {
    Ok(get(conn, ELAPSED)?.unwrap_or(0))
}

/// Saves the elapsed clock. It never goes back.
///
/// # Errors
/// Any failure of the database.
pub fn set_elapsed(conn: &Connection, elapsed_ms: i64) -> Result<(), StoreError> {
    set(conn, ELAPSED, &elapsed_ms.max(elapsed(conn)?))
}
