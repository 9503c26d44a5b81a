//! Brings a database to the current format, after a backup.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::StoreError;
use crate::files;

/// One script per format version, oldest first; a script is never changed once it was released.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("schema/001.sql"),
    include_str!("schema/002.sql"),
    include_str!("schema/003.sql"),
    include_str!("schema/004.sql"),
];

/// The newest format.
pub(crate) const KNOWN: i64 = MIGRATIONS.len() as i64;

/// Marks the file as ours in SQLite's header ("TiLn").
const APPLICATION_ID: i64 = 0x5469_4c6e;

/// What [`migrate`] did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Migrated {
    /// The format found: `None` for a file without tables.
    pub(crate) from: Option<i64>,
    /// Copy of the database as it was, when there was something to convert.
    pub(crate) backup: Option<PathBuf>,
}

/// The format version, `None` for an empty file. Refuses other programs' databases and newer formats.
pub(crate) fn version(conn: &Connection, known: i64) -> Result<Option<i64>, StoreError> {
    let found: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i64 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 && found == 0 {
        return Ok(None);
    }
    if application != APPLICATION_ID || found < 1 {
        return Err(StoreError::Damaged {
            detail: "the file is another program's database".into(),
        });
    }
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    Ok(Some(found))
}

/// Applies the scripts that are missing, in one transaction.
pub(crate) fn migrate(
    conn: &Connection,
    path: &Path,
    scripts: &[&str],
) -> Result<Migrated, StoreError> {
    let known = i64::try_from(scripts.len()).unwrap_or(i64::MAX);
    let from = version(conn, known)?;
    let done = usize::try_from(from.unwrap_or(0)).unwrap_or(0);
    let Some(missing) = scripts.get(done..).filter(|missing| !missing.is_empty()) else {
        return Ok(Migrated { from, backup: None });
    };
    let backup = match from {
        Some(version) => Some(back_up(conn, path, version)?),
        None => None,
    };
    let tx = Transaction::new_unchecked(conn, TransactionBehavior::Immediate)?;
    for script in missing {
        tx.execute_batch(script)?;
    }
    tx.pragma_update(None, "user_version", known)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.commit()?;
    Ok(Migrated { from, backup })
}

/// Writes a compact copy `<name>.v<n>-<stamp>` that opens as a database of its own.
fn back_up(conn: &Connection, path: &Path, version: i64) -> Result<PathBuf, StoreError> {
    let backup = files::beside(path, &format!(".v{version}-{}", files::stamp()));
    // SQLite accepts an empty target, and so the copy is private from its first byte.
    files::make_private(&backup)?;
    let name = backup.to_str().ok_or_else(|| StoreError::Io {
        detail: "the path is not Unicode".into(),
    })?;
    if let Err(error) = conn.execute("VACUUM INTO ?1", [name]) {
        let _ = std::fs::remove_file(&backup);
        return Err(error.into());
    }
    Ok(backup)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::connection;

    const SECOND: &str =
        "ALTER TABLE settings ADD COLUMN note TEXT; UPDATE settings SET note = 'moved';";

    fn files_in(directory: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(directory).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_migration_keeps_the_rows_and_a_backup_from_before() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("tieline.db");
        let conn = connection::open_writer(&path).unwrap();
        assert_eq!(
            migrate(&conn, &path, &MIGRATIONS[..1]).unwrap(),
            Migrated {
                from: None,
                backup: None
            }
        );
        conn.execute("INSERT INTO settings VALUES ('a', '1')", [])
            .unwrap();
        assert_eq!(
            migrate(&conn, &path, &MIGRATIONS[..1]).unwrap(),
            Migrated {
                from: Some(1),
                backup: None
            }
        );

        let scripts = [MIGRATIONS[0], SECOND];
        let migrated = migrate(&conn, &path, &scripts).unwrap();
        assert_eq!(migrated.from, Some(1));
        let row = conn.query_row("SELECT value || note FROM settings", [], |row| {
            row.get::<_, String>(0)
        });
        assert_eq!(row.unwrap(), "1moved");

        let backup = Connection::open(migrated.backup.unwrap()).unwrap();
        assert_eq!(version(&backup, 1).unwrap(), Some(1));
        let row = backup.query_row("SELECT * FROM settings", [], |row| {
            Ok((row.as_ref().column_count(), row.get::<_, String>(1)?))
        });
        assert_eq!(row.unwrap(), (2, "1".into()));
        assert_eq!(
            version(&conn, 1),
            Err(StoreError::NewerSchema { found: 2, known: 1 })
        );
    }

    #[test]
    fn a_failing_script_changes_nothing() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("tieline.db");
        let conn = connection::open_writer(&path).unwrap();
        migrate(&conn, &path, &MIGRATIONS[..1]).unwrap();
        let scripts = [MIGRATIONS[0], SECOND, "INSERT INTO nowhere VALUES (1);"];
        migrate(&conn, &path, &scripts).unwrap_err();
        assert_eq!(version(&conn, 1).unwrap(), Some(1));
        conn.prepare("SELECT note FROM settings").unwrap_err();
        assert!(
            files_in(root.path())
                .iter()
                .any(|name| name.starts_with("tieline.db.v1-"))
        );
    }

    #[test]
    fn another_programs_database_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("tieline.db");
        let conn = connection::open_writer(&path).unwrap();
        conn.execute_batch("CREATE TABLE theirs (x); PRAGMA user_version = 1;")
            .unwrap();
        assert!(matches!(
            migrate(&conn, &path, &MIGRATIONS[..1]),
            Err(StoreError::Damaged { .. })
        ));
    }
}
