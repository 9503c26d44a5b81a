//! Opening a database: checks, migration, and what to tell the person about it.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::restore::{Continuity, RawStoreId};
use crate::{StoreError, connection, files, migrate, restore};

/// Up to this size a database is checked before it is used, which takes about 1.5 ms per MiB.
const CHECKED_AT_OPEN: u64 = 64 << 20;

/// How to open a store.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    pub(crate) path: PathBuf,
    pub(crate) accept_new: bool,
}

impl OpenOptions {
    /// A store in the file at `path`; the companion files lie beside it.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            accept_new: false,
        }
    }

    /// Whether a damaged database may be set aside and a new one started. Only for a person's explicit wish:
    /// peers and history are in the file that is set aside. Default: no.
    pub fn accept_new(mut self, accept: bool) -> Self {
        self.accept_new = accept;
        self
    }
}

/// What opening found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// The database was created.
    pub created: bool,
    /// The database was created although one had been at this place before: someone removed it.
    pub lost: bool,
    /// The database was put back from a copy, so it has a new store id.
    pub restored: bool,
    /// The database was converted from this older format.
    pub migrated_from: Option<i64>,
    /// Copy made before the conversion.
    pub backup: Option<PathBuf>,
    /// A damaged database was set aside under this name (only with [`OpenOptions::accept_new`]).
    pub set_aside: Option<PathBuf>,
    /// The file is too large to be checked before serving: [`crate::Store::check`] is to be run soon.
    pub check_pending: bool,
    /// Other users of the machine can enter the directory; the file itself is private all the same.
    pub directory_open_to_others: bool,
}

/// An open, checked and current database.
pub(crate) struct Opened {
    pub(crate) conn: Connection,
    pub(crate) store_id: RawStoreId,
    pub(crate) report: OpenReport,
}

/// Opens or creates the database. Blocking.
pub(crate) fn open(options: &OpenOptions) -> Result<Opened, StoreError> {
    let path = &options.path;
    let directory_open_to_others = files::prepare_directory(path)?;
    let (mut opened, set_aside) = match open_file(path) {
        Err(StoreError::Damaged { detail }) if options.accept_new => {
            let kept = files::set_aside(path, &files::stamp())?;
            tracing::warn!(detail, kept = %kept.display(), "the damaged database was set aside");
            (open_file(path)?, Some(kept))
        }
        outcome => (outcome?, None),
    };
    opened.report.directory_open_to_others = directory_open_to_others;
    opened.report.lost &= set_aside.is_none();
    opened.report.set_aside = set_aside;
    Ok(opened)
}

fn open_file(path: &Path) -> Result<Opened, StoreError> {
    let had_one = restore::has_witness(path);
    let length = fs::metadata(path).map(|metadata| metadata.len()).ok();
    if length == Some(0) && had_one {
        return Err(StoreError::Damaged {
            detail: "the file is empty".into(),
        });
    }
    files::make_private(path)?;
    let check_pending = length.is_some_and(|length| length > CHECKED_AT_OPEN);
    if length.is_some_and(|length| length > 0) {
        inspect(path, !check_pending)?;
    }
    let conn = connection::open_writer(path)?;
    let migrated = migrate::migrate(&conn, path, migrate::MIGRATIONS)?;
    let (store_id, continuity) = restore::settle(&conn, path)?;
    let created = continuity == Continuity::New;
    let report = OpenReport {
        created,
        lost: created && had_one,
        restored: continuity == Continuity::Restored,
        migrated_from: migrated.backup.as_ref().and(migrated.from),
        backup: migrated.backup,
        check_pending,
        ..OpenReport::default()
    };
    Ok(Opened {
        conn,
        store_id,
        report,
    })
}

/// Looks at an existing file over a connection that cannot change it.
fn inspect(path: &Path, whole: bool) -> Result<(), StoreError> {
    let conn = connection::open_reader(path)?;
    migrate::version(&conn, migrate::KNOWN)?;
    if whole { check(&conn) } else { Ok(()) }
}

/// SQLite's own quick check: structure of every page, without comparing indexes to tables.
pub(crate) fn check(conn: &Connection) -> Result<(), StoreError> {
    let mut statement = conn.prepare("PRAGMA quick_check(5)")?;
    let findings = statement.query_map([], |row| row.get::<_, String>(0))?;
    let findings: Vec<String> = findings.collect::<Result<_, _>>()?;
    if findings == ["ok"] {
        return Ok(());
    }
    Err(StoreError::Damaged {
        detail: findings.join("; "),
    })
}
