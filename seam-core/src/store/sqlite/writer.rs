//! The one thread that writes. It takes what callers ask for in batches, decides each changeset in turn, and commits what holds in one
//! transaction with one sync.
use super::batch::{Batch, Packed};
use super::errors::{broken, closed, is_constraint, is_in_doubt, typed};
use super::head::Condition;
use super::{Shared, open, write};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::WorkspaceId;
use crate::state::{Changeset, Row};
use crate::store::{CommitError, Committed, Decision, logic};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};
use tokio::sync::oneshot::Sender;

/// The most asks that share a transaction.
const BATCH: usize = 1024;
/// How often the length of the log is looked at, in commits.
const LOOK_EVERY: u64 = 8;

type Answer<T> = std::result::Result<T, CommitError>;

/// What a caller asks the writer for.
pub(super) enum Ask {
    /// The changeset goes back with the answer: its caller takes it apart, so that the one writer need not.
    Commit {
        set: Box<Changeset>,
        packed: Option<Packed>,
        reply: Sender<(Answer<Committed>, Box<Changeset>)>,
    },
    Transact {
        workspace: WorkspaceId,
        decision: Box<dyn Decision>,
        reply: Sender<Answer<(Committed, Box<dyn Decision>)>>,
    },
    Ack {
        workspace: WorkspaceId,
        consumer: String,
        upto: u64,
        reply: Sender<Answer<()>>,
    },
    Stop {
        reply: Option<Sender<()>>,
    },
}

impl Ask {
    fn answer(self, answer: Answer<Committed>) {
        // Whoever no longer waits does not hear it.
        match self {
            Self::Commit { reply, set, .. } => drop(reply.send((answer, set))),
            Self::Transact { reply, decision, .. } => drop(reply.send(answer.map(|committed| (committed, decision)))),
            Self::Ack { reply, .. } => drop(reply.send(answer.map(drop))),
            Self::Stop { reply } => drop(reply.map(|reply| reply.send(()))),
        }
    }
}

/// Why a transaction came to nothing.
enum Trouble {
    /// The file holds what was taken to be absent.
    Constraint(Error),
    /// Nothing was written.
    Failed(Error),
    /// It may have been written.
    InDoubt,
}

pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) conn: Connection,
    pub(super) asks: Receiver<Ask>,
    /// Asks that came while the last batch was written.
    waiting: Vec<Ask>,
    /// How many callers there are: those whom the last commit released, and those who were waiting by then.
    callers: usize,
    /// How long the last batch took.
    took: Duration,
    commits: u64,
    /// Changes when another program writes to the file.
    data_version: i64,
    /// How many pages the write-ahead log may hold before it is copied back.
    checkpoint_pages: i64,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, conn: Connection, asks: Receiver<Ask>, checkpoint_bytes: u64) -> Self {
        let data_version = data_version(&conn).unwrap_or(0);
        let page_size = conn.query_row("PRAGMA page_size", [], |row| row.get(0)).unwrap_or(1_024);
        let checkpoint_pages = i64::try_from(checkpoint_bytes).unwrap_or(i64::MAX) / i64::max(page_size, 1);
        let (waiting, callers, took, commits) = (Vec::new(), 1, Duration::ZERO, 0);
        Self { shared, conn, asks, waiting, callers, took, commits, data_version, checkpoint_pages }
    }

    pub(super) fn run(mut self) {
        let stop = loop {
            let Some((asks, stop)) = self.gather() else { break None };
            if !asks.is_empty() {
                self.serve(asks);
            }
            if stop.is_some() {
                break stop;
            }
            self.checkpoint();
        };
        self.shared.head().condition = Condition::Closed;
        for ask in mem::take(&mut self.waiting).into_iter().chain(self.asks.try_iter()) {
            ask.answer(Err(closed().into()));
        }
        // All of the log goes back into the file, so that the file alone is the database. If that fails, the next opening does it.
        let _ = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let Self { shared, conn, .. } = self;
        drop(conn);
        shared.unlock();
        if let Some(stop) = stop {
            stop.answer(Ok(Committed::default()));
        }
    }

    /// Waits for the first ask and takes what else is there. Callers whom the last commit released are about to come back: they are waited
    /// for as long as one comes within a quarter of what that commit took, and for no longer than it took in all. Without it, batches
    /// alternate between those who wait and those who decide, and each costs a sync.
    fn gather(&mut self) -> Option<(Vec<Ask>, Option<Ask>)> {
        let mut asks = mem::take(&mut self.waiting);
        if asks.is_empty() {
            asks.push(self.asks.recv().ok()?);
        }
        let until = Instant::now() + self.took;
        loop {
            if matches!(asks.last(), Some(Ask::Stop { .. })) {
                let stop = asks.pop();
                return Some((asks, stop));
            }
            if asks.len() >= BATCH {
                break;
            }
            let next = match self.asks.try_recv() {
                Ok(ask) => Some(ask),
                Err(_) if asks.len() < self.callers => {
                    let left = until.saturating_duration_since(Instant::now());
                    self.asks.recv_timeout(left.min(self.took / 4)).ok()
                }
                Err(_) => None,
            };
            match next {
                Some(ask) => asks.push(ask),
                None => break,
            }
        }
        Some((asks, None))
    }

    /// Takes what has come by now, up to the word to stop.
    fn take_waiting(&mut self) {
        while self.waiting.len() < BATCH && !matches!(self.waiting.last(), Some(Ask::Stop { .. })) {
            match self.asks.try_recv() {
                Ok(ask) => self.waiting.push(ask),
                Err(_) => break,
            }
        }
    }

    fn serve(&mut self, mut asks: Vec<Ask>) {
        let begun = Instant::now();
        let count = asks.len();
        let attempted = self.attempt(&mut asks, false);
        // Counted before anybody is answered: whoever waits now is not one of those who are about to come back.
        self.take_waiting();
        self.callers = count + self.waiting.len();
        match attempted {
            Ok(answers) => asks.into_iter().zip(answers).for_each(|(ask, answer)| ask.answer(answer)),
            Err(Trouble::Constraint(_)) => {
                self.shared.stats.redone.fetch_add(1, Relaxed);
                for ask in asks {
                    self.serve_alone(ask);
                }
            }
            Err(trouble) => {
                for ask in asks {
                    refuse(ask, &trouble);
                }
            }
        }
        self.took = begun.elapsed();
    }

    fn serve_alone(&mut self, ask: Ask) {
        let mut alone = [ask];
        let answered = self.attempt(&mut alone, true);
        let [ask] = alone;
        match answered.map(|mut answers| answers.pop()) {
            Ok(answer) => ask.answer(answer.unwrap_or_else(|| Err(closed().into()))),
            Err(trouble) => refuse(ask, &trouble),
        }
    }

    /// Decides and writes a batch in one transaction.
    fn attempt(&mut self, asks: &mut [Ask], careful: bool) -> Result<Vec<Answer<Committed>>, Trouble> {
        if self.shared.head().condition == Condition::Broken {
            return Err(Trouble::Failed(broken()));
        }
        let shared = Arc::clone(&self.shared);
        // The lock is taken first: what is read from the file while deciding is what the batch is written on.
        self.conn.execute_batch("BEGIN IMMEDIATE").map_err(|e| Trouble::Failed(typed(e)))?;
        if let Err(e) = self.look_for_others() {
            let _ = self.conn.execute_batch("ROLLBACK");
            return Err(Trouble::Failed(e));
        }
        let mut batch = Batch::new(&shared, &self.conn, careful);
        let mut taken: Vec<Vec<Arc<Row>>> = Vec::with_capacity(asks.len());
        let mut answers = Vec::with_capacity(asks.len());
        for ask in asks.iter_mut() {
            let (answer, rows) = match decide(&mut batch, ask) {
                Ok((committed, rows)) => (Ok(committed), rows),
                Err(e) => (Err(e), Vec::new()),
            };
            answers.push(answer);
            taken.push(rows);
        }
        let changesets = batch.log.len() as u64;
        match self.write(batch) {
            Ok(false) => {}
            Ok(true) => {
                shared.stats.commits.fetch_add(1, Relaxed);
                shared.stats.changesets.fetch_add(changesets, Relaxed);
                self.commits += 1;
            }
            Err(trouble) => {
                let _ = self.conn.execute_batch("ROLLBACK");
                shared.head().abandon();
                shared.published.notify_all();
                asks.iter_mut().zip(taken).for_each(|(ask, rows)| give_back(ask, rows));
                return Err(trouble);
            }
        }
        Ok(answers)
    }

    /// Forgets what is in memory when another program has written to the file: somebody repairs it by hand, say.
    fn look_for_others(&mut self) -> Result<()> {
        let version = data_version(&self.conn).map_err(typed)?;
        if version != self.data_version {
            let mut head = self.shared.head();
            head.forget();
            open::fill(&self.conn, &mut head)?;
            self.data_version = version;
        }
        Ok(())
    }

    /// Writes what the batch decided and publishes it. Says whether there was anything.
    fn write(&self, batch: Batch<'_>) -> Result<bool, Trouble> {
        if batch.is_empty() {
            self.conn.execute_batch("ROLLBACK").map_err(|e| Trouble::Failed(typed(e)))?;
            return Ok(false);
        }
        let shared = &*self.shared;
        let mut numbers = BTreeMap::new();
        let first_new = {
            let mut head = shared.head();
            head.begin(Arc::new(batch.touched()));
            let first_new = head.workspaces.values().map(|(no, _)| *no).max().unwrap_or(0) + 1;
            let mut next = first_new;
            for workspace in batch.heads.keys().chain(batch.cursors.keys().map(|(w, _)| w)) {
                let known = head.workspaces.get(workspace).map(|(no, _)| *no);
                numbers.entry(*workspace).or_insert_with(|| {
                    known.unwrap_or_else(|| {
                        next += 1;
                        next - 1
                    })
                });
            }
            first_new
        };
        write::write(&self.conn, &batch, &numbers, first_new).map_err(|e| {
            let constraint = is_constraint(&e);
            if constraint { Trouble::Constraint(typed(e)) } else { Trouble::Failed(typed(e)) }
        })?;
        self.conn.execute_batch("COMMIT").map_err(|e| {
            if is_in_doubt(&e) {
                shared.head().condition = Condition::Broken;
                return Trouble::InDoubt;
            }
            Trouble::Failed(typed(e))
        })?;
        shared.head().publish(batch.change(&numbers));
        shared.published.notify_all();
        shared.committed.notify_waiters();
        Ok(true)
    }

    /// Copies the log back into the file when it has grown long.
    fn checkpoint(&mut self) {
        if self.commits < LOOK_EVERY {
            return;
        }
        self.commits = 0;
        let pages = |mode: &str| {
            let text = format!("PRAGMA wal_checkpoint({mode})");
            self.conn.query_row(&text, [], |row| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))).unwrap_or((0, 0))
        };
        // An SQLite too old to know NOOP makes a checkpoint of it.
        let (in_log, copied) = pages("NOOP");
        if in_log - copied >= self.checkpoint_pages {
            // Readers hold a snapshot only for the time of one read; when they have kept the log from starting over, they are waited for.
            pages(if in_log >= 4 * self.checkpoint_pages { "RESTART" } else { "PASSIVE" });
            self.shared.stats.checkpoints.fetch_add(1, Relaxed);
        }
    }
}

fn data_version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

type Taken = (Committed, Vec<Arc<Row>>);

fn decide(batch: &mut Batch<'_>, ask: &mut Ask) -> Answer<Taken> {
    match ask {
        Ask::Commit { set, packed, .. } => batch.take(set, packed.take()),
        Ask::Transact { workspace, decision, .. } => {
            // A decision is the caller's code. If it panics, it is that caller's panic and not the end of the writer.
            let decided = catch_unwind(AssertUnwindSafe(|| logic::decide(batch, *workspace, &mut **decision)));
            let panicked = || Error::new(ErrorKind::Internal, "decision_panicked", "a decision panicked").with_effect(Effect::Nothing);
            match decided.map_err(|_| panicked())?? {
                Some(mut set) => batch.take(&mut set, None).map(|(committed, _)| (committed, Vec::new())),
                None => Ok((batch.committed(*workspace), Vec::new())),
            }
        }
        Ask::Ack { workspace, consumer, upto, .. } => {
            batch.ack(*workspace, consumer, *upto);
            Ok((Committed::default(), Vec::new()))
        }
        Ask::Stop { .. } => Ok((Committed::default(), Vec::new())),
    }
}

/// Makes a changeset again what it was before its rows were taken.
fn give_back(ask: &mut Ask, rows: Vec<Arc<Row>>) {
    if let Ask::Commit { set, .. } = ask
        && !rows.is_empty()
    {
        set.put = rows
            .into_iter()
            .map(|row| {
                let mut row = Arc::unwrap_or_clone(row);
                row.version -= 1;
                row
            })
            .collect();
    }
}

fn refuse(ask: Ask, trouble: &Trouble) {
    let error = match trouble {
        Trouble::Constraint(e) | Trouble::Failed(e) => CommitError::Failed(e.clone()),
        Trouble::InDoubt => match &ask {
            Ask::Commit { set, .. } => CommitError::InDoubt(set.id),
            // What a decision would have written has no name that the caller knows.
            _ => CommitError::Failed(broken().with_effect(Effect::Unknown)),
        },
    };
    ask.answer(Err(error));
}
