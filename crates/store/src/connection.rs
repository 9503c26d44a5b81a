//! How every connection to the database is set up.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::{StoreError, messages};

/// Kibibytes of page cache for the writer. The working set of a small write is a few pages; the operating system
/// caches the rest, and the whole process has to stay small when idle.
const WRITER_CACHE_KIB: i64 = 1024;
/// Kibibytes of page cache for each reader.
const READER_CACHE_KIB: i64 = 512;
/// Longest wait for another process, such as a backup program, that holds a lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// Prepared statements kept per connection.
const STATEMENTS: usize = 96;
/// The write-ahead log is cut back to this many bytes after a burst.
const WAL_KEEP_BYTES: i64 = 4 << 20;

/// Opens the one connection that writes, and makes sure its commits survive a power cut.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    common(&conn, WRITER_CACHE_KIB)?;
    let pages: i64 = conn.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if pages == 0 {
        // Lets retention give space back to the disk; can only be chosen for a new file.
        conn.pragma_update(None, "auto_vacuum", "incremental")?;
    }
    let mode: String = conn.query_row("PRAGMA journal_mode = wal", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Io {
            detail: "this file system cannot hold a write-ahead log".into(),
        });
    }
    conn.pragma_update(None, "synchronous", "full")?;
    // macOS needs F_FULLFSYNC for real durability; elsewhere both do nothing.
    conn.pragma_update(None, "fullfsync", true)?;
    conn.pragma_update(None, "checkpoint_fullfsync", true)?;
    conn.pragma_update(None, "journal_size_limit", WAL_KEEP_BYTES)?;
    // Content that retention removes must not linger in free pages.
    conn.pragma_update(None, "secure_delete", true)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    // Otherwise SQLite compiles some cached statements anew for every value bound to them.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    conn.execute_batch(messages::UNINDEXED)?;
    Ok(conn)
}

/// Opens a connection that can only read.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    common(&conn, READER_CACHE_KIB)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

fn common(conn: &Connection, cache_kib: i64) -> Result<(), StoreError> {
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.pragma_update(None, "cache_size", -cache_kib)?;
    conn.pragma_update(None, "temp_store", "memory")?;
    conn.pragma_update(None, "trusted_schema", false)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    Ok(())
}
