//! Bare SQLite: rows of a message's size, committed as durably as Tieline's store commits.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rusqlite::Connection;

use crate::sample::{Percentiles, Times};
use crate::workload::{AT_ONCE, TEXT, Workload};

/// Opens a database with the settings that Tieline's store has.
pub(super) fn open(file: &Path) -> Result<Connection> {
    let conn = Connection::open(file)?;
    let mode: String = conn.query_row("PRAGMA journal_mode = wal", [], |row| row.get(0))?;
    if mode != "wal" {
        bail!("this file system cannot hold a write-ahead log");
    }
    conn.pragma_update(None, "synchronous", "full")?;
    // Only macOS knows these two.
    conn.pragma_update(None, "fullfsync", true)?;
    conn.pragma_update(None, "checkpoint_fullfsync", true)?;
    conn.execute_batch(
        "CREATE TABLE IF NOT EXISTS messages (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)",
    )?;
    Ok(conn)
}

/// Stores one message.
pub(super) fn insert(conn: &Connection) -> Result<()> {
    conn.prepare_cached("INSERT INTO messages (body) VALUES (?1)")?
        .execute([TEXT])?;
    Ok(())
}

/// A database that takes one row a commit.
#[derive(Debug)]
pub(crate) struct Row(Connection);

impl Row {
    /// Opens it.
    pub(crate) fn open(file: &Path) -> Result<Self> {
        open(file).map(Self)
    }

    /// Stores one message.
    pub(crate) fn commit(&self) -> Result<()> {
        insert(&self.0)
    }
}

/// One row a commit.
pub(crate) fn single(file: &Path, workload: &Workload) -> Result<Percentiles> {
    let conn = open(file)?;
    for _ in 0..workload.warm_up {
        insert(&conn)?;
    }
    let mut times = Times::default();
    let began = Instant::now();
    for _ in 0..workload.one_at_a_time {
        let started = Instant::now();
        insert(&conn)?;
        times.push(started.elapsed());
        if began.elapsed() > workload.longest {
            break;
        }
    }
    Ok(times.percentiles())
}

/// As many rows a commit as there are requests at once; rows a second.
pub(crate) fn grouped(file: &Path, workload: &Workload) -> Result<f64> {
    let mut conn = open(file)?;
    let began = Instant::now();
    let mut rows = 0_usize;
    while rows < workload.many && began.elapsed() < workload.longest {
        let tx = conn.transaction()?;
        for _ in 0..AT_ONCE {
            insert(&tx)?;
        }
        tx.commit()?;
        rows += AT_ONCE;
    }
    Ok(rate(rows, began.elapsed()))
}

/// Operations a second.
pub(crate) fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64().max(f64::EPSILON)
}
