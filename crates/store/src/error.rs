//! What can go wrong in the store, told apart as far as a caller can act on it.

use std::io;
use std::path::Path;

use rusqlite::ffi::{self, ErrorCode};

/// Why a store operation did not happen.
///
/// A write that failed has left no trace in the database, with one exception that no database can remove: when
/// the disk reports an error while a commit is being flushed ([`StoreError::Io`]), the rows may still be there after
/// a power cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no room left: the disk is full, or the database reached its page limit. The store stays usable and
    /// accepts writes again once there is space.
    #[error("no space is left for the database")]
    Full,

    /// The database file is not what was written: a failing disk, an interrupted copy, or another program wrote to
    /// it. Nothing is repaired or replaced by itself.
    #[error("the database is damaged: {detail}")]
    Damaged {
        /// What the check found, for a person.
        detail: String,
    },

    /// Another process holds the database. Usually a backup program, or a second host that ignored the home's lock.
    #[error("the database is in use by another process")]
    Busy,

    /// The file or its directory cannot be written or read by this user: wrong owner, a read-only mount, or
    /// permissions that were changed.
    #[error("no permission for the database: {detail}")]
    Permission {
        /// What was refused, for a person.
        detail: String,
    },

    /// A newer Tieline wrote this database. It is left untouched.
    #[error("the database has format {found}, this program knows up to {known}")]
    NewerSchema {
        /// The version found in the file.
        found: i64,
        /// The newest version this program can read.
        known: i64,
    },

    /// The store was closed, or its writer ended.
    #[error("the store is closed")]
    Closed,

    /// The operating system reported an error other than a full disk or missing rights; most often a failing or
    /// disconnected disk.
    #[error("input/output error: {detail}")]
    Io {
        /// The system's words.
        detail: String,
    },

    /// A row that the operation needs does not exist, or is not in a state that allows it.
    #[error("not found: {what}")]
    NotFound {
        /// What was looked for.
        what: String,
    },

    /// A rule of the schema refused the row, for example an alias that is taken.
    #[error("refused by a rule of the database: {detail}")]
    Constraint {
        /// Which rule, as SQLite names it (table and columns, no values).
        detail: String,
    },

    /// A write job panicked. Its changes were rolled back; the others in its group were not affected.
    #[error("a database job ended abnormally")]
    Panicked,

    /// Any other refusal by SQLite: a fault in a query of this program.
    #[error("database error {code}: {detail}")]
    Sql {
        /// SQLite's extended result code, 0 where the error came from the binding.
        code: i32,
        /// SQLite's message.
        detail: String,
    },
}

impl StoreError {
    /// A missing row, named for a person.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }

    /// Maps an error of a file operation on `path`.
    pub(crate) fn from_io(error: &io::Error, path: &Path) -> Self {
        let detail = format!("{}: {error}", path.display());
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::Permission { detail }
            }
            _ => Self::Io { detail },
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(failure, message) => from_failure(failure, message),
            rusqlite::Error::SqlInputError { error, msg, .. } => from_failure(error, Some(msg)),
            rusqlite::Error::QueryReturnedNoRows => Self::not_found("row"),
            other => Self::Sql {
                code: 0,
                detail: other.to_string(),
            },
        }
    }
}

fn from_failure(failure: ffi::Error, message: Option<String>) -> StoreError {
    let detail = message.unwrap_or_else(|| failure.to_string());
    match failure.code {
        ErrorCode::DiskFull => StoreError::Full,
        // The shared-memory index could not be extended, which only happens for want of space.
        ErrorCode::SystemIoFailure if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE => {
            StoreError::Full
        }
        ErrorCode::SystemIoFailure => StoreError::Io { detail },
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged { detail },
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed => StoreError::Busy,
        ErrorCode::PermissionDenied
        | ErrorCode::ReadOnly
        | ErrorCode::CannotOpen
        | ErrorCode::AuthorizationForStatementDenied => StoreError::Permission { detail },
        ErrorCode::ConstraintViolation => StoreError::Constraint { detail },
        _ => StoreError::Sql {
            code: failure.extended_code,
            detail,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: i32) -> StoreError {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("words".into())).into()
    }

    #[test]
    fn sqlite_codes_keep_their_meaning() {
        assert_eq!(failure(ffi::SQLITE_FULL), StoreError::Full);
        assert_eq!(failure(ffi::SQLITE_IOERR_SHMSIZE), StoreError::Full);
        assert_eq!(failure(ffi::SQLITE_BUSY), StoreError::Busy);
        assert_eq!(
            failure(ffi::SQLITE_CORRUPT),
            StoreError::Damaged {
                detail: "words".into()
            }
        );
        assert_eq!(
            failure(ffi::SQLITE_NOTADB),
            StoreError::Damaged {
                detail: "words".into()
            }
        );
        assert_eq!(
            failure(ffi::SQLITE_READONLY),
            StoreError::Permission {
                detail: "words".into()
            }
        );
        assert_eq!(
            failure(ffi::SQLITE_CANTOPEN),
            StoreError::Permission {
                detail: "words".into()
            }
        );
        assert_eq!(
            failure(ffi::SQLITE_IOERR_FSYNC),
            StoreError::Io {
                detail: "words".into()
            }
        );
        assert!(matches!(
            failure(ffi::SQLITE_ERROR),
            StoreError::Sql { code: 1, .. }
        ));
    }

    #[test]
    fn io_errors_are_told_apart() {
        let path = Path::new("home/tieline.db");
        let of = |kind: io::ErrorKind| StoreError::from_io(&io::Error::from(kind), path);
        assert_eq!(of(io::ErrorKind::StorageFull), StoreError::Full);
        assert!(
            matches!(of(io::ErrorKind::PermissionDenied), StoreError::Permission { detail } if detail.contains("tieline.db"))
        );
        assert!(matches!(
            of(io::ErrorKind::NotADirectory),
            StoreError::Io { .. }
        ));
    }
}
