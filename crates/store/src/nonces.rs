//! Nonces of signed requests, so that each is taken once, also over a restart.

use rusqlite::{Connection, params};
use tieline_wire::time::UnixMillis;

use crate::StoreError;

/// Records a nonce, by a hash that names its signer and itself, until `stale_from`. Returns whether it is new: false
/// is a replay. Forgets those that are stale by now.
///
/// # Errors
/// Any failure of the database.
pub fn claim(
    conn: &Connection,
    hash: &[u8; 32],
    stale_from: UnixMillis,
    now: UnixMillis,
) -> Result<bool, StoreError> {
    conn.prepare_cached("DELETE FROM nonces WHERE stale_from < ?1")?
        .execute([now.0])?;
    let sql = "INSERT INTO nonces (hash, stale_from) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    let inserted = conn
        .prepare_cached(sql)?
        .execute(params![hash, stale_from.0])?;
    Ok(inserted > 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_new_once_and_forgotten_when_it_is_stale() {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(include_str!("schema/004.sql")).unwrap();
        let at = UnixMillis;
        let stale = at(31_000);
        assert_eq!(claim(&conn, &[1; 32], stale, at(0)), Ok(true));
        assert_eq!(claim(&conn, &[1; 32], stale, at(31_000)), Ok(false));
        assert_eq!(claim(&conn, &[2; 32], at(90_000), at(31_001)), Ok(true));
        let kept: i64 = conn
            .query_row("SELECT count(*) FROM nonces", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, 1);
    }
}
