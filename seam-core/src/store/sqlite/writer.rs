//! The one thread that writes. It takes what callers ask for in batches, decides each changeset in turn and writes what holds, while other
//! callers still prepare theirs, and commits all of it in one transaction with one sync. Nobody is answered before the commit.
use super::batch::{Batch, Unwritten};
use super::errors::{broken, closed, is_constraint, is_in_doubt, typed};
use super::head::{Change, Condition};
use super::queue::Queue;
use super::read::Job;
use super::ready::Ready;
use super::{Shared, open, write};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::model::WorkspaceId;
use crate::store::{CommitError, Committed, Decision, changes, logic};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use tokio::sync::oneshot::Sender;

/// The most asks that share a transaction.
const BATCH: usize = 1024;
/// How often the length of the log is looked at, in commits.
const LOOK_EVERY: u64 = 8;
/// The most changesets that are written with the same statements.
const TOGETHER: usize = 4;

type Answer<T> = std::result::Result<T, CommitError>;

/// What a caller asks the writer for.
pub(super) enum Ask {
    /// The changeset goes back with the answer: its caller takes it apart, so that the one writer need not.
    Commit {
        set: Box<Ready>,
        reply: Sender<(Answer<Committed>, Box<Ready>)>,
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
    /// The changeset that is asked for, where the caller made it.
    fn set(&self) -> Option<&Ready> {
        match self {
            Self::Commit { set, .. } => Some(set),
            _ => None,
        }
    }

    /// Whether it is a caller's who may ask again as soon as it is answered.
    pub(super) fn is_of_a_caller(&self) -> bool {
        match self {
            Self::Commit { set, .. } => set.of_a_caller,
            Self::Transact { .. } => true,
            Self::Ack { .. } | Self::Stop { .. } => false,
        }
    }

    fn answer(self, answer: Answer<Committed>) {
        drop(self.tell(answer));
    }

    /// Answers, and gives back what nobody waits for any more. It may be the caller's own: throwing it away may be the caller's code.
    fn tell(self, answer: Answer<Committed>) -> Option<Unheard> {
        match self {
            Self::Commit { reply, set } => drop(reply.send((answer, set))),
            Self::Transact { reply, decision, .. } => return reply.send(answer.map(|committed| (committed, decision))).err(),
            Self::Ack { reply, .. } => drop(reply.send(answer.map(drop))),
            Self::Stop { reply } => drop(reply.map(|reply| reply.send(()))),
        }
        None
    }
}

/// An answer that nobody waits for any more.
type Unheard = Answer<(Committed, Box<dyn Decision>)>;

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
    pub(super) asks: Queue,
    /// To the readers.
    jobs: mpsc::Sender<Job>,
    commits: u64,
    /// Changes when another program writes to the file.
    data_version: i64,
    /// How many pages the write-ahead log may hold before it is copied back.
    checkpoint_pages: i64,
}

/// What became of a batch.
struct Attempted {
    asks: Vec<Ask>,
    answers: Result<Vec<Answer<Committed>>, Trouble>,
    /// What became durable, until it is known.
    durable: Option<Change>,
    /// What making it durable took, if anything was written.
    took: Option<Duration>,
    /// Whoever asked to stop ended the batch.
    stop: Option<Ask>,
}

/// A changeset that was taken in and is still to be written.
struct Taken {
    /// The place of its ask in the batch.
    ask: usize,
    /// Made by a decision in this batch; else it is the ask's own.
    made: Option<Box<Ready>>,
    unwritten: Unwritten,
    /// The number of its workspace.
    ws: i64,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, conn: Connection, asks: Queue, jobs: mpsc::Sender<Job>, checkpoint_bytes: u64) -> Self {
        let data_version = data_version(&conn).unwrap_or(0);
        let page_size = conn.query_row("PRAGMA page_size", [], |row| row.get(0)).unwrap_or(1_024);
        let checkpoint_pages = i64::try_from(checkpoint_bytes).unwrap_or(i64::MAX) / i64::max(page_size, 1);
        Self { shared, conn, asks, jobs, commits: 0, data_version, checkpoint_pages }
    }

    pub(super) fn run(mut self) {
        let stop = loop {
            let stop = match self.asks.first() {
                stop @ Ask::Stop { .. } => Some(stop),
                first => self.serve(first),
            };
            if let Some(stop) = stop {
                break stop;
            }
            self.checkpoint();
        };
        self.shared.head().condition = Condition::Closed;
        self.asks.close();
        while let Some(ask) = self.asks.here() {
            ask.answer(Err(closed().into()));
        }
        // All of the log goes back into the file, so that the file alone is the database. If that fails, the next opening does it.
        let _ = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let Self { shared, conn, .. } = self;
        drop(conn);
        shared.unlock();
        stop.answer(Ok(Committed::default()));
    }

    /// Serves a batch that begins with this ask. Gives back the word to stop, if that ended it.
    fn serve(&mut self, first: Ask) -> Option<Ask> {
        let Attempted { asks, answers, durable, took, stop } = self.attempt(first, false);
        // Counted before anybody is answered: whoever waits now is not one of those who are about to come back.
        let (answered, waiting) = (callers(&asks), self.asks.callers());
        self.asks.patience.served(answered, waiting, took);
        match answers {
            Ok(answers) => self.answer(asks, answers, durable),
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
        stop
    }

    /// Serves one ask in a transaction of its own, and looks at everything in full.
    fn serve_alone(&mut self, ask: Ask) {
        let Attempted { asks, answers, durable, .. } = self.attempt(ask, true);
        match answers {
            Ok(answers) => self.answer(asks, answers, durable),
            Err(trouble) => asks.into_iter().for_each(|ask| refuse(ask, &trouble)),
        }
    }

    /// Makes what is durable known, and answers.
    fn answer(&self, asks: Vec<Ask>, answers: Vec<Answer<Committed>>, durable: Option<Change>) {
        let is_durable = durable.is_some();
        if let Some(change) = durable {
            self.shared.head().publish(change);
        }
        let unheard: Vec<_> = asks.into_iter().zip(answers).filter_map(|(ask, answer)| ask.tell(answer)).collect();
        if is_durable {
            self.shared.published.notify_all();
            self.shared.committed.notify_waiters();
        }
        drop(unheard);
    }

    /// Decides and writes a batch in one transaction: the first ask, and unless it is to be `alone` those who come while there is patience for
    /// them.
    fn attempt(&mut self, first: Ask, alone: bool) -> Attempted {
        let mut attempted = Attempted { asks: vec![first], answers: Ok(Vec::new()), durable: None, took: None, stop: None };
        let written = match self.begin() {
            Ok(()) => self.decide_and_write(&mut attempted, alone),
            Err(trouble) => Err(trouble),
        };
        if let Err(trouble) = written {
            attempted.answers = Err(trouble);
        }
        attempted
    }

    fn begin(&mut self) -> Result<(), Trouble> {
        if self.shared.head().condition == Condition::Broken {
            return Err(Trouble::Failed(broken()));
        }
        // The lock is taken first: what is read from the file while deciding is what the batch is written on.
        self.conn.execute_batch("BEGIN IMMEDIATE").map_err(|e| Trouble::Failed(typed(e)))?;
        if let Err(e) = self.look_for_others() {
            let _ = self.conn.execute_batch("ROLLBACK");
            return Err(Trouble::Failed(e));
        }
        Ok(())
    }

    fn decide_and_write(&mut self, attempted: &mut Attempted, alone: bool) -> Result<(), Trouble> {
        let Self { shared, conn, asks: queue, jobs, .. } = self;
        let Attempted { asks, answers, durable, took, stop } = attempted;
        let mut decided = Vec::new();
        let expected = if alone { 1 } else { queue.patience.expected().min(BATCH) };
        let mut batch = Batch::new(shared, conn, alone, expected);
        let written = (|| {
            let mut statements = write::Statements::new(conn).map_err(failed)?;
            let mut unwritten: Vec<Taken> = Vec::with_capacity(TOGETHER);
            loop {
                let at = asks.len() - 1;
                if let Some(ask) = asks.last_mut() {
                    let (answer, taken) = match decide(&mut batch, ask) {
                        Ok((committed, taken)) => (Ok(committed), taken),
                        Err(e) => (Err(e), None),
                    };
                    // A read that the disk refuses takes the whole transaction back: what came after it would be written outside of any.
                    if conn.is_autocommit() {
                        return Err(Trouble::Failed(taken_back(answer)));
                    }
                    decided.push(answer);
                    if let Some((made, rows)) = taken {
                        let taken = Taken { ask: at, ws: number(conn, &mut batch, rows.workspace)?, made, unwritten: rows };
                        // What changes rows, or gives keys up, is written by itself: the order may matter.
                        let changes = !taken.unwritten.only_adds();
                        if changes {
                            write_all(&mut statements, asks, &mut unwritten)?;
                        }
                        unwritten.push(taken);
                        if changes || unwritten.len() == TOGETHER {
                            write_all(&mut statements, asks, &mut unwritten)?;
                        }
                    }
                }
                if alone || asks.len() >= BATCH {
                    break;
                }
                let next = match queue.here() {
                    Some(next) => Some(next),
                    None => {
                        write_all(&mut statements, asks, &mut unwritten)?;
                        queue.wait(callers(asks))
                    }
                };
                match next {
                    None => break,
                    Some(word @ Ask::Stop { .. }) => {
                        *stop = Some(word);
                        break;
                    }
                    Some(ask) => asks.push(ask),
                }
            }
            write_all(&mut statements, asks, &mut unwritten)?;
            let cursors = batch.cursors().clone();
            for ((workspace, name), seq) in &cursors {
                let (ws, new) = batch.number(*workspace);
                if new {
                    write::workspace(conn, *workspace, ws).map_err(failed)?;
                }
                write::cursor(conn, ws, name, *seq).map_err(failed)?;
            }
            Ok(())
        })();
        let changesets = batch.changesets();
        let begun = Instant::now();
        match written.and_then(|()| commit(shared, conn, jobs, batch)) {
            Ok(None) => {}
            Ok(Some(change)) => {
                *took = Some(begun.elapsed());
                *durable = Some(change);
                shared.stats.commits.fetch_add(1, Relaxed);
                shared.stats.changesets.fetch_add(changesets, Relaxed);
                self.commits += 1;
            }
            Err(trouble) => {
                let _ = conn.execute_batch("ROLLBACK");
                shared.head().abandon();
                shared.published.notify_all();
                return Err(trouble);
            }
        }
        *answers = Ok(decided);
        Ok(())
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

/// How many of them are of callers.
fn callers(asks: &[Ask]) -> usize {
    asks.iter().filter(|ask| ask.is_of_a_caller()).count()
}

/// Why a statement that writes came to nothing.
fn failed(e: rusqlite::Error) -> Trouble {
    if is_constraint(&e) { Trouble::Constraint(typed(e)) } else { Trouble::Failed(typed(e)) }
}

/// Why SQLite took the transaction back while a changeset was decided.
fn taken_back(answer: Answer<Committed>) -> Error {
    match answer {
        Err(CommitError::Failed(e)) => e,
        _ => Error::new(ErrorKind::Store, "database_failed", "the database took a transaction back"),
    }
}

/// Makes what the batch wrote durable, if it wrote anything, and gives what is to be known then.
fn commit(shared: &Arc<Shared>, conn: &Connection, jobs: &mpsc::Sender<Job>, mut batch: Batch<'_>) -> Result<Option<Change>, Trouble> {
    if batch.is_empty() {
        conn.execute_batch("ROLLBACK").map_err(|e| Trouble::Failed(typed(e)))?;
        return Ok(None);
    }
    // From here on the file may be ahead of memory; before, nobody sees what was written.
    let commit = Arc::new(changes::Commit::of(batch.touched()));
    let unsettled = {
        let mut head = shared.head();
        head.begin(commit);
        head.is_unsettled()
    };
    if unsettled {
        // A reader does it meanwhile: most who would look are in this commit. If none comes to it, the publishing does.
        let settling = Arc::clone(shared);
        let _ = jobs.send(Box::new(move |_| while settling.head().settle_some() {}));
    }
    conn.execute_batch("COMMIT").map_err(|e| {
        if is_in_doubt(&e) {
            shared.head().condition = Condition::Broken;
            return Trouble::InDoubt;
        }
        Trouble::Failed(typed(e))
    })?;
    Ok(Some(batch.change()))
}

fn data_version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

/// The number of a workspace. A new one is written.
fn number(conn: &Connection, batch: &mut Batch<'_>, workspace: WorkspaceId) -> Result<i64, Trouble> {
    let (ws, new) = batch.number(workspace);
    if new {
        write::workspace(conn, workspace, ws).map_err(failed)?;
    }
    Ok(ws)
}

/// Writes what was taken in.
fn write_all(statements: &mut write::Statements<'_>, asks: &[Ask], taken: &mut Vec<Taken>) -> Result<(), Trouble> {
    if taken.is_empty() {
        return Ok(());
    }
    let all: Vec<_> = taken
        .iter()
        .filter_map(|Taken { ask, made, unwritten, ws }| {
            let set = made.as_deref().or_else(|| asks.get(*ask)?.set())?;
            Some(write::Entry { set, unwritten, ws: *ws })
        })
        .collect();
    statements.write(&all).map_err(failed)?;
    taken.clear();
    Ok(())
}

/// What a decided ask changes in the file: with the changeset, if the decision was made here.
type Changes = (Option<Box<Ready>>, Unwritten);

fn decide(batch: &mut Batch<'_>, ask: &mut Ask) -> Answer<(Committed, Option<Changes>)> {
    match ask {
        Ask::Commit { set, .. } => {
            let (committed, unwritten) = batch.take(set)?;
            Ok((committed, Some((None, unwritten))))
        }
        Ask::Transact { workspace, decision, .. } => {
            // A decision is the caller's code. If it panics, it is that caller's panic and not the end of the writer.
            let decided = catch_unwind(AssertUnwindSafe(|| logic::decide(batch, *workspace, &mut **decision)));
            let panicked = || Error::new(ErrorKind::Internal, "decision_panicked", "a decision panicked").with_effect(Effect::Nothing);
            match decided.map_err(|_| panicked())?? {
                Some(set) => {
                    let (mut set, _) = Ready::of(set)?;
                    let (committed, unwritten) = batch.take(&mut set)?;
                    Ok((committed, Some((Some(set), unwritten))))
                }
                None => Ok((batch.committed(*workspace), None)),
            }
        }
        Ask::Ack { workspace, consumer, upto, .. } => {
            batch.ack(*workspace, consumer, *upto);
            Ok((Committed::default(), None))
        }
        Ask::Stop { .. } => Ok((Committed::default(), None)),
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
