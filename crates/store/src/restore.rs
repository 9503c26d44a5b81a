//! Tells a database that went on living from one that was copied back.
//!
//! A restored database has forgotten messages that it once confirmed, so peers must learn that its word from before
//! no longer holds: it gets a new store id. The mark in the database is renewed at every start and every close, and
//! copied to a file beside it together with the identity of the database file (inode and birth time). An older
//! database put back has an older mark; a copied directory has another file identity. What cannot be told: a snapshot
//! of the whole machine, and a copy written over the very same file when the run it was taken in ended in a crash.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::files;

/// A store id's raw bytes.
pub(crate) type RawStoreId = [u8; 16];

/// The file beside the database.
#[derive(Debug, Serialize, Deserialize)]
struct Witness {
    mark: String,
    file: String,
}

/// How the database relates to the one that was open last.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Continuity {
    /// Just created.
    New,
    /// The same line.
    Same,
    /// Put back from a copy.
    Restored,
}

/// Decides whether the database continues its line, gives it a new id if not, and renews the mark.
pub(crate) fn settle(
    conn: &Connection,
    path: &Path,
) -> Result<(RawStoreId, Continuity), StoreError> {
    let row = conn
        .query_row("SELECT store_id, mark, previous FROM store", [], |row| {
            Ok((
                row.get::<_, RawStoreId>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
            ))
        })
        .optional()?;
    let witness = read_witness(path);
    // Without a previous mark the first start was cut short before it wrote the witness.
    let (id, mark, previous) = match row {
        Some(row) if witness.is_some() || !row.2.is_empty() => row,
        _ => return Ok((begin(conn, path)?, Continuity::New)),
    };
    let identity = file_identity(path)?;
    let same = witness.as_ref().is_some_and(|witness| {
        // A crash between the two steps of `renew` leaves the file one mark behind.
        let known = witness.mark == mark || (!previous.is_empty() && witness.mark == previous);
        known && witness.file == identity
    });
    if same {
        write_witness(path, mark, identity)?;
        renew(conn, path)?;
        return Ok((id, Continuity::Same));
    }
    let fresh = random()?;
    conn.execute("UPDATE store SET store_id = ?1", [fresh])?;
    renew(conn, path)?;
    Ok((fresh, Continuity::Restored))
}

fn begin(conn: &Connection, path: &Path) -> Result<RawStoreId, StoreError> {
    let (id, mark) = (random()?, hex(&random()?));
    conn.execute(
        "INSERT OR REPLACE INTO store (only_row, store_id, mark, previous) VALUES (1, ?1, ?2, '')",
        (id, &mark),
    )?;
    write_witness(path, mark, file_identity(path)?)?;
    Ok(id)
}

/// Gives database and file a new mark. At close as well as at start, so that a copy taken in between is recognised.
pub(crate) fn renew(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let mark = hex(&random()?);
    conn.execute("UPDATE store SET previous = mark, mark = ?1", [&mark])?;
    write_witness(path, mark, file_identity(path)?)
}

/// Whether a database once lived at `path`.
pub(crate) fn has_witness(path: &Path) -> bool {
    witness_path(path).exists()
}

fn witness_path(path: &Path) -> PathBuf {
    files::beside(path, ".epoch")
}

/// A missing or unreadable file counts as no witness, which leads to a new store id.
fn read_witness(path: &Path) -> Option<Witness> {
    serde_json::from_slice(&fs::read(witness_path(path)).ok()?).ok()
}

fn write_witness(path: &Path, mark: String, file: String) -> Result<(), StoreError> {
    let witness = Witness { mark, file };
    let bytes = serde_json::to_vec(&witness).map_err(|error| StoreError::Io {
        detail: error.to_string(),
    })?;
    files::replace(&witness_path(path), &bytes)
}

/// Inode and birth time as far as the platform has them. SQLite never replaces its file, tools that copy do.
fn file_identity(path: &Path) -> Result<String, StoreError> {
    let metadata = fs::metadata(path).map_err(|error| StoreError::from_io(&error, path))?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let inode = 0;
    let born = metadata
        .created()
        .ok()
        .and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    Ok(format!(
        "{inode}:{}",
        born.map_or(0, |born| born.as_nanos())
    ))
}

fn random() -> Result<RawStoreId, StoreError> {
    let mut bytes = RawStoreId::default();
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Io {
        detail: format!("random numbers: {error}"),
    })?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
