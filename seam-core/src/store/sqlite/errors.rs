//! What SQLite's errors mean to a caller.
use crate::error::{Error, ErrorKind, NextAction};
use rusqlite::ffi::{self, ErrorCode};
use std::time::Duration;

/// A failed statement, as the SDK tells it. Nothing was written.
pub(super) fn typed(e: rusqlite::Error) -> Error {
    let (kind, code, message) = match e.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (ErrorKind::Store, "database_locked", "another program has locked the database")
        }
        Some(ErrorCode::ReadOnly) => (ErrorKind::Store, "database_read_only", "the database cannot be written"),
        Some(ErrorCode::DiskFull) => (ErrorKind::Store, "disk_full", "there is no room for the database to grow"),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            (ErrorKind::Store, "database_cannot_open", "the database cannot be opened")
        }
        Some(ErrorCode::DatabaseCorrupt) => (ErrorKind::Corrupt, "database_corrupt", "the database is damaged"),
        Some(ErrorCode::NotADatabase) => (ErrorKind::Corrupt, "not_a_database", "the file is not an SQLite database"),
        Some(ErrorCode::SystemIoFailure) => (ErrorKind::Store, "database_io", "the database cannot be read or written"),
        _ => (ErrorKind::Store, "database_failed", "the database refused a statement"),
    };
    let error = Error::new(kind, code, message).with_source(e);
    if code == "database_locked" {
        return error.with_next_action(NextAction::RetryLater).with_retry_after(Duration::from_secs(1));
    }
    error
}

/// Whether a statement failed on a constraint: the state was not what was taken for granted.
pub(super) fn is_constraint(e: &rusqlite::Error) -> bool {
    e.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

/// Whether, after a failed COMMIT, the transaction may yet come back to life when the file is next recovered. A full disk or a lock is
/// found before the commit mark is written; a failed write or sync is not.
pub(super) fn is_in_doubt(e: &rusqlite::Error) -> bool {
    match e {
        rusqlite::Error::SqliteFailure(ffi::Error { code, .. }, _) => {
            !matches!(code, ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::ReadOnly)
        }
        _ => true,
    }
}

/// A stored thing that does not decode.
pub(super) fn corrupt(what: &'static str, id: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corrupt, "stored_row_corrupt", format!("a stored {what} does not decode")).with_context("id", id)
}

/// The store was closed.
pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Store, "store_closed", "the store was closed")
}

/// The outcome of an earlier commit is not known: the file has to be opened anew, which recovers it.
pub(super) fn broken() -> Error {
    Error::new(ErrorKind::Store, "store_broken", "a write to the disk failed; open the database anew to see what was kept")
}
