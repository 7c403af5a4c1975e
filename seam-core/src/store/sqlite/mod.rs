//! The store in an SQLite file: one writer thread that commits many callers at once, decoded rows in memory, readers beside it.
mod absent;
mod batch;
mod codec;
mod document;
mod errors;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod head;
mod ids;
mod learn;
mod lists;
mod load;
mod open;
mod options;
mod patience;
mod queue;
mod read;
mod ready;
mod schema;
mod write;
mod writer;

pub use options::{SqliteOptions, SqliteStats};

use super::changes::Changes;
use super::logic::{self, View};
use super::*;
use crate::error::ErrorKind;
use errors::{broken, closed};
use head::{Condition, Head};
use learn::Learner;
use lists::Lists;
use queue::{Asks, queue};
use ready::Ready;
use std::fmt;
use std::fs::File;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use tokio::sync::{Notify, oneshot};
use writer::{Ask, Writer};

/// State in an SQLite file.
///
/// One process at a time has the file open; a second one gets an error of the kind `InUse`. A commit is on the disk when it returns
/// (write-ahead log, synchronous FULL); the commits of concurrent callers share a transaction and a sync. Leases are kept in memory: they
/// end when the store is closed, and fences go on above all that were given before.
pub struct SqliteStore {
    shared: Arc<Shared>,
    asks: Asks,
    jobs: Mutex<Option<Sender<read::Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What the threads share.
pub(super) struct Shared {
    clock: Arc<dyn Clock>,
    head: Mutex<Head>,
    /// A commit was published, or given up.
    published: Condvar,
    committed: Notify,
    stats: Counters,
    changes: Arc<Changes>,
    lists: Mutex<Lists>,
    lock: Mutex<Option<File>>,
}

#[derive(Default)]
struct Counters {
    commits: AtomicU64,
    changesets: AtomicU64,
    checkpoints: AtomicU64,
    redone: AtomicU64,
    file_reads: AtomicU64,
}

impl Shared {
    fn head(&self) -> MutexGuard<'_, Head> {
        self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Lets others open the file.
    fn unlock(&self) {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the file, or makes it. Beside it are `-wal` and `-shm` while it is open, and an empty `.lock`.
    ///
    /// # Errors
    /// `InUse` when it is open already, here or in another process; `NewerDatabase`; `Corrupt` when it is damaged or no SQLite file;
    /// `Store` when it cannot be opened or written or belongs to another program (`code` says which). Nothing was changed.
    pub fn open(path: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self> {
        Self::open_with(path, clock, SqliteOptions::default())
    }

    /// [`open`](Self::open) with options.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(path: impl AsRef<Path>, clock: Arc<dyn Clock>, options: SqliteOptions) -> Result<Self> {
        let path = open::real_path(path.as_ref())?;
        let lock = open::lock(&path)?;
        let conn = open::open_writer(&path, &options)?;
        let head = open::load_head(&conn, &options)?;
        let readers = (0..options.readers).map(|_| open::open_reader(&path, &options)).collect::<Result<Vec<_>>>()?;
        let shared = Arc::new(Shared {
            clock,
            changes: Arc::clone(head.changes()),
            lists: Mutex::new(Lists::new(options.rows_in_memory / 8)),
            head: Mutex::new(head),
            published: Condvar::new(),
            committed: Notify::new(),
            stats: Counters::default(),
            lock: Mutex::new(Some(lock)),
        });
        let (jobs, todo) = mpsc::channel();
        let todo = Arc::new(Mutex::new(todo));
        let (asks, asked) = queue();
        let mut threads = Vec::new();
        // The first reader also learns what the file does not hold.
        let learners = std::iter::once(Learner::new()).chain(std::iter::repeat_with(|| Learner::Done));
        for (conn, learner) in readers.into_iter().zip(learners) {
            let (todo, shared) = (Arc::clone(&todo), Arc::clone(&shared));
            threads.push(spawn("seam-store-read", move || read::serve(&shared, &conn, &todo, learner))?);
        }
        let writer = Writer::new(Arc::clone(&shared), conn, asked, jobs.clone(), options.checkpoint_bytes);
        threads.push(spawn("seam-store-write", move || writer.run())?);
        Ok(Self { shared, asks, jobs: Mutex::new(Some(jobs)), threads: Mutex::new(threads) })
    }

    /// Finishes what was asked for, copies the write-ahead log back into the file and closes it. Whatever is asked afterwards fails with the
    /// code `store_closed`. Dropping the store does the same, and waits for it.
    pub async fn close(&self) {
        self.jobs().take();
        let (reply, done) = oneshot::channel();
        if self.asks.send(Ask::Stop { reply: Some(reply) }) {
            // An error means that it was closed already.
            let _ = done.await;
        }
    }

    /// What it has done since it was opened.
    #[must_use]
    pub fn stats(&self) -> SqliteStats {
        let c = &self.shared.stats;
        SqliteStats {
            commits: c.commits.load(Relaxed),
            changesets: c.changesets.load(Relaxed),
            checkpoints: c.checkpoints.load(Relaxed),
            redone: c.redone.load(Relaxed),
            file_reads: c.file_reads.load(Relaxed),
        }
    }

    fn ask(&self, ask: Ask) -> Result<()> {
        if self.asks.send(ask) { Ok(()) } else { Err(closed()) }
    }

    fn jobs(&self) -> MutexGuard<'_, Option<Sender<read::Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn head(&self) -> Result<MutexGuard<'_, Head>> {
        let head = self.shared.head();
        match head.condition {
            Condition::Open => Ok(head),
            Condition::Broken => Err(broken()),
            Condition::Closed => Err(closed()),
        }
    }

    /// Looks at one state: in memory if all is there, else with the file.
    async fn look<T: Send + 'static>(&self, f: impl Fn(&mut dyn View) -> Result<T> + Send + 'static) -> Result<T> {
        if let Some(answer) = read::in_memory(&mut *self.head()?, &f) {
            return answer;
        }
        let shared = Arc::clone(&self.shared);
        self.in_file(move |conn| read::as_one(&shared, conn, f)).await
    }

    async fn in_file<T: Send + 'static>(&self, f: impl FnOnce(&rusqlite::Connection) -> Result<T> + Send + 'static) -> Result<T> {
        self.shared.stats.file_reads.fetch_add(1, Relaxed);
        let jobs = self.jobs().clone();
        read::hop(jobs, f).await
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.shared.lists()
    }

    fn number(&self, workspace: WorkspaceId) -> Result<Option<i64>> {
        Ok(self.head()?.workspaces.get(&workspace).map(|(no, _)| *no))
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    let builder = thread::Builder::new().name(name.to_owned());
    builder.spawn(run).map_err(|e| Error::new(ErrorKind::Store, "no_thread", "a thread of the store cannot be started").with_source(e))
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.jobs().take();
        self.asks.send(Ask::Stop { reply: None });
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // The last handle may be dropped by one of the threads, inside a decision or an answer.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    fn changes(&self) -> Option<&Changes> {
        Some(&self.shared.changes)
    }

    async fn read(&self, workspace: WorkspaceId, what: &ReadSet) -> Result<Facts> {
        if let Some(answer) = read::in_memory(&mut *self.head()?, |view| logic::facts(view, workspace, what)) {
            return answer;
        }
        let (shared, what) = (Arc::clone(&self.shared), what.clone());
        self.in_file(move |conn| read::as_one(&shared, conn, |view| logic::facts(view, workspace, &what))).await
    }

    async fn commit(&self, set: Changeset) -> std::result::Result<Committed, CommitError> {
        let id = set.id;
        let (reply, answer) = oneshot::channel();
        {
            let (set, unneeded) = Ready::of(set)?;
            self.ask(Ask::Commit { set, reply })?;
            // Thrown away while the writer works.
            drop(unneeded);
        }
        answer.await.map_or(Err(CommitError::InDoubt(id)), |(answer, _)| answer)
    }

    async fn transact(
        &self,
        workspace: WorkspaceId,
        decision: Box<dyn Decision>,
    ) -> std::result::Result<(Committed, Box<dyn Decision>), CommitError> {
        let (reply, answer) = oneshot::channel();
        self.ask(Ask::Transact { workspace, decision, reply })?;
        answer.await.unwrap_or_else(|_| Err(broken().with_effect(crate::error::Effect::Unknown).into()))
    }

    async fn outcome(&self, workspace: WorkspaceId, id: ChangesetId) -> Result<Option<Committed>> {
        let ws = {
            let mut head = self.head()?;
            if let Some(known) = head.outcome(workspace, id) {
                return Ok(Some(known));
            }
            head.workspaces.get(&workspace).map(|(no, _)| *no)
        };
        let Some(ws) = ws else { return Ok(None) };
        self.in_file(move |conn| load::outcome(conn, ws, id)).await
    }

    async fn list(&self, workspace: WorkspaceId, query: &ListQuery) -> Result<Vec<Arc<Row>>> {
        drop(self.head()?);
        if let Some(rows) = self.lists().get(&self.shared.changes, workspace, query) {
            return Ok(rows);
        }
        let since = self.shared.changes.mark();
        let (shared, query) = (Arc::clone(&self.shared), query.clone());
        self.in_file(move |conn| {
            let rows =
                read::snapshot(conn, || load::list(conn, workspace, &query, |id, version| shared.head().row_in_version(id, version)))?;
            shared.lists().keep(since, workspace, query, &rows);
            Ok(rows)
        })
        .await
    }

    async fn workspaces(&self) -> Result<Vec<WorkspaceId>> {
        Ok(self.head()?.workspaces.keys().copied().collect())
    }

    async fn webhooks(&self) -> Result<Vec<Arc<Row>>> {
        drop(self.head()?);
        if let Some(rows) = self.lists().webhooks(&self.shared.changes) {
            return Ok(rows);
        }
        let since = self.shared.changes.mark();
        let shared = Arc::clone(&self.shared);
        self.in_file(move |conn| {
            let rows = read::snapshot(conn, || load::webhooks(conn))?;
            shared.lists().keep_webhooks(since, &rows);
            Ok(rows)
        })
        .await
    }

    async fn claim(&self, me: InstanceId, can: &CanServe, lease: Duration) -> Result<Option<Lease>> {
        let now = self.shared.clock.now();
        Ok(self.head()?.agenda().claim(me, can, lease, now))
    }

    async fn due(&self, lease: &Lease, for_another: Duration, at_most: usize) -> Result<Option<Vec<Arc<Row>>>> {
        let now = self.shared.clock.now();
        let Some(ids) = self.head()?.agenda().due(lease, for_another, at_most, now) else { return Ok(None) };
        let rows = self.look(move |view| ids.iter().map(|id| view.row(*id)).collect::<Result<Vec<_>>>()).await?;
        // A row that was changed in between is due when it now says so.
        let still = |row: &Arc<Row>| row.due().is_some_and(|due| due.channel == lease.channel && due.at <= now);
        Ok(Some(rows.into_iter().flatten().filter(still).collect()))
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let now = self.shared.clock.now();
        let released = self.head()?.agenda().release(lease, now);
        if released {
            self.shared.committed.notify_waiters();
        }
        Ok(())
    }

    async fn next_due(&self, can: &CanServe) -> Result<Option<DateTime<Utc>>> {
        let now = self.shared.clock.now();
        Ok(self.head()?.agenda().next_due(can, now))
    }

    // Written out, because the wait counts from the call and not from the first poll.
    fn changed<'a, 'async_trait>(&'a self) -> Pin<Box<dyn Future<Output = ()> + Send + 'async_trait>>
    where
        'a: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(self.shared.committed.notified())
    }

    async fn events(&self, workspace: WorkspaceId, after: u64, at_most: usize) -> Result<Vec<StoredEvent>> {
        let ws = match self.head()?.workspaces.get(&workspace) {
            Some((ws, heads)) if heads.last_event > after && at_most > 0 => *ws,
            _ => return Ok(Vec::new()),
        };
        self.in_file(move |conn| read::snapshot(conn, || load::events(conn, ws, workspace, after, at_most))).await
    }

    async fn cursor(&self, workspace: WorkspaceId, consumer: &str) -> Result<u64> {
        Ok(self.head()?.cursors.get(&(workspace, consumer.to_owned())).copied().unwrap_or(0))
    }

    async fn ack(&self, workspace: WorkspaceId, consumer: &str, upto: u64) -> Result<()> {
        let (reply, answer) = oneshot::channel();
        let ask = Ask::Ack { workspace, consumer: consumer.to_owned(), upto, reply };
        self.ask(ask)?;
        match answer.await.map_err(|_| closed())? {
            Ok(()) => Ok(()),
            Err(CommitError::Failed(e)) => Err(e),
            Err(_) => Err(broken()),
        }
    }

    async fn audit(&self, workspace: WorkspaceId, after: u64, at_most: usize) -> Result<Vec<AuditEntry>> {
        let Some(ws) = self.number(workspace)? else { return Ok(Vec::new()) };
        self.in_file(move |conn| read::snapshot(conn, || load::audit(conn, ws, after, at_most))).await
    }
}
