//! Records in a file of SQLite: durable when a change is answered, and shared by all processes of one machine that open it.
use super::records::{Record, Records};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use seam_core::provider::{Failure, Reason};
use std::fmt;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a change waits for another process that is writing.
const WAIT: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The issuer's records in a file of SQLite, on a thread of its own.
///
/// Write-ahead log, synchronous `FULL`: what was answered survives a kill and a power cut. Several processes of one machine may share the file; a host that runs
/// on several machines implements [`Records`] over its own database.
pub struct SqliteRecords {
    jobs: Sender<Job>,
}

impl fmt::Debug for SqliteRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteRecords").finish_non_exhaustive()
    }
}

fn cannot_open(error: &rusqlite::Error) -> Failure {
    Failure::refused(Reason::Other, format!("the issuer's records cannot be opened: {error}"))
}

/// Before anything was written.
fn unread(error: &rusqlite::Error) -> Failure {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            Failure::nothing(Reason::Busy, "another process keeps the issuer's records busy")
        }
        _ => Failure::nothing(Reason::Other, format!("the issuer's records do not answer: {error}")),
    }
}

fn gone() -> Failure {
    Failure::nothing(Reason::Offline, "the issuer's records were closed")
}

impl SqliteRecords {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// `Refused` when it cannot be opened, or is a file of something else.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Failure> {
        let connection = Connection::open(path).map_err(|e| cannot_open(&e))?;
        connection.busy_timeout(WAIT).map_err(|e| cannot_open(&e))?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL;
                 PRAGMA synchronous = FULL;
                 BEGIN IMMEDIATE;
                 CREATE TABLE IF NOT EXISTS records (name TEXT PRIMARY KEY, version INTEGER NOT NULL, content BLOB NOT NULL) WITHOUT ROWID;
                 CREATE TABLE IF NOT EXISTS versions (last INTEGER NOT NULL);
                 INSERT INTO versions SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM versions);
                 COMMIT;",
            )
            .map_err(|e| cannot_open(&e))?;
        let (jobs, asked) = channel::<Job>();
        let run = move || {
            let mut connection = connection;
            // It ends when the last handle is dropped.
            while let Ok(job) = asked.recv() {
                job(&mut connection);
            }
        };
        let thread = std::thread::Builder::new().name("open-lock-records".to_owned()).spawn(run);
        thread.map_err(|_| Failure::refused(Reason::Other, "no thread could be started for the issuer's records"))?;
        Ok(Self { jobs })
    }

    async fn ask<T: Send + 'static>(&self, act: impl FnOnce(&mut Connection) -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Whoever asked may have gone.
            let _ = answer.send(act(connection));
        });
        self.jobs.send(job).map_err(|_| gone())?;
        // A thread that ended in the middle of a change says nothing of it.
        answered.await.unwrap_or_else(|_| Err(Failure::unknown(Reason::Offline, "the issuer's records were closed in the middle")))
    }
}

fn swapped(connection: &mut Connection, name: &str, version: Option<i64>, new: Option<&[u8]>) -> Result<bool, Failure> {
    let all = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| unread(&e))?;
    let done = (|| {
        let known: Option<i64> = all.query_row("SELECT version FROM records WHERE name = ?1", [name], |row| row.get(0)).optional()?;
        if known != version {
            return Ok(false);
        }
        // Of the whole file, so that a record that was deleted and made again has another one.
        let next: i64 = all.query_row("UPDATE versions SET last = last + 1 RETURNING last", [], |row| row.get(0))?;
        match new {
            Some(content) => all.execute("INSERT OR REPLACE INTO records VALUES (?1, ?2, ?3)", params![name, next, content])?,
            None => all.execute("DELETE FROM records WHERE name = ?1", [name])?,
        };
        Ok(true)
    })();
    // Dropped without a commit, nothing of it stays.
    if !done.map_err(|e| unread(&e))? {
        return Ok(false);
    }
    let unknown =
        |e: rusqlite::Error| Failure::unknown(Reason::Other, format!("whether the issuer's records were changed is not known: {e}"));
    all.commit().map_err(unknown)?;
    Ok(true)
}

#[async_trait]
impl Records for SqliteRecords {
    async fn load(&self, name: &str) -> Result<Option<Record>, Failure> {
        let name = name.to_owned();
        let read = move |connection: &mut Connection| {
            let record = connection
                .query_row("SELECT version, content FROM records WHERE name = ?1", [&name], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))
                .optional()
                .map_err(|e| unread(&e))?;
            Ok(record.map(|(version, content)| Record { version: version.cast_unsigned(), content }))
        };
        self.ask(read).await
    }
    async fn swap(&self, name: &str, version: Option<u64>, new: Option<Vec<u8>>) -> Result<bool, Failure> {
        let name = name.to_owned();
        self.ask(move |connection| swapped(connection, &name, version.map(u64::cast_signed), new.as_deref())).await
    }
    async fn names(&self, prefix: &str, after: Option<&str>, at_most: usize) -> Result<Vec<String>, Failure> {
        let (prefix, after) = (prefix.to_owned(), after.unwrap_or_default().to_owned());
        let read = move |connection: &mut Connection| {
            let mut names = connection
                .prepare_cached(
                    "SELECT name FROM records WHERE name >= ?1 AND name < ?1 || char(1114111) AND name > ?2 ORDER BY name LIMIT ?3",
                )
                .map_err(|e| unread(&e))?;
            let found = names.query_map(params![prefix, after, i64::try_from(at_most).unwrap_or(i64::MAX)], |row| row.get(0));
            found.and_then(Iterator::collect).map_err(|e| unread(&e))
        };
        self.ask(read).await
    }
}
