//! Reading: from memory if everything is there, else in one hop to a reader thread and in one snapshot of the file.
//!
//! What a read returns is the state at one commit. From memory: it is looked at under one lock, and commits are published under it whole.
//! From memory and file: the reader notes the number of the last published commit, looks, and then makes sure that nothing of what it
//! looked at was touched by a commit since, nor by the one that is just being written; so all of it is the present state. If something
//! was touched, it reads everything again from the file alone, in one snapshot.
use super::Shared;
use super::errors::{closed, typed};
use super::head::Head;
use super::ids::Ids;
use super::learn::Learner;
use super::load;
use crate::error::{Error, ErrorKind, Result};
use crate::state::*;
use crate::store::changes::Touched;
use crate::store::logic::{Asked, ClaimSet, Place, View};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

pub(super) type Job = Box<dyn FnOnce(&Connection) + Send>;

/// A reader thread: serves jobs until the store is closed, and learns while there are none.
pub(super) fn serve(shared: &Shared, conn: &Connection, jobs: &Mutex<Receiver<Job>>, mut learner: Learner) {
    loop {
        let job = if learner.is_done() {
            jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
        } else {
            // While another reader waits for the next job, that one is its own.
            let next = match jobs.try_lock() {
                Ok(jobs) => jobs.try_recv(),
                Err(_) => Err(TryRecvError::Empty),
            };
            match next {
                Ok(job) => Some(job),
                Err(TryRecvError::Disconnected) => None,
                Err(TryRecvError::Empty) => {
                    learner.go_on(shared, conn);
                    continue;
                }
            }
        };
        let Some(job) = job else { return };
        // The job's caller sees its answer missing; the thread goes on.
        let _ = catch_unwind(AssertUnwindSafe(|| job(conn)));
    }
}

/// Runs a job on a reader thread, in one snapshot of the file.
pub(super) async fn hop<T: Send + 'static>(
    jobs: Option<Sender<Job>>,
    f: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (reply, answer) = oneshot::channel();
    let job: Job = Box::new(move |conn| drop(reply.send(f(conn))));
    jobs.ok_or_else(closed)?.send(job).map_err(|_| closed())?;
    answer.await.map_err(|_| closed())?
}

/// Does something in one snapshot.
pub(super) fn snapshot<T>(conn: &Connection, f: impl FnOnce() -> Result<T>) -> Result<T> {
    conn.execute_batch("BEGIN").map_err(typed)?;
    let answer = f();
    let ended = conn.execute_batch("COMMIT");
    let answer = answer?;
    ended.map_err(typed)?;
    Ok(answer)
}

/// Looks in memory only. `None` when something is not there.
pub(super) fn in_memory<T>(head: &mut Head, f: impl FnOnce(&mut dyn View) -> Result<T>) -> Option<Result<T>> {
    let mut view = InMemory { head, missed: false };
    let answer = f(&mut view);
    (!view.missed).then_some(answer)
}

/// Looks in memory and file, as one state.
pub(super) fn as_one<T>(shared: &Shared, conn: &Connection, f: impl Fn(&mut dyn View) -> Result<T>) -> Result<T> {
    let since = shared.head().number();
    let mut both = InFile { shared: Some(shared), ..InFile::new(conn) };
    let answer = snapshot(conn, || f(&mut both))?;
    {
        let mut head = shared.head();
        if head.is_untouched(&both.looked, since) {
            both.rows.into_iter().for_each(|(id, row)| head.learn_row(id, row));
            both.places.into_iter().for_each(|(place, ids)| head.learn_place(place, ids));
            both.claims.into_iter().for_each(|(key, set)| head.learn_claims(key, set));
            return Ok(answer);
        }
    }
    let mut file = InFile::new(conn);
    let answer = snapshot(conn, || f(&mut file))?;
    // The snapshot may hold a commit that memory does not show yet. Whoever has seen it must not then see less.
    let head = shared.head();
    let number = head.number();
    drop(shared.published.wait_while(head, |head| head.number() == number && head.is_pending(&file.looked)));
    Ok(answer)
}

struct InMemory<'h> {
    head: &'h mut Head,
    missed: bool,
}

impl InMemory<'_> {
    fn or_missed<T>(&mut self, found: Option<T>) -> Result<T> {
        found.ok_or_else(|| {
            self.missed = true;
            Error::new(ErrorKind::Internal, "not_in_memory", "")
        })
    }
}

impl View for InMemory<'_> {
    fn row(&mut self, id: RowId) -> Result<Option<Arc<Row>>> {
        let found = self.head.row(id);
        self.or_missed(found)
    }
    fn ids(&mut self, place: &Place) -> Result<Vec<RowId>> {
        let found = self.head.places(place).map(|ids| ids.iter().collect());
        self.or_missed(found)
    }
    fn near(&mut self, near: &Near) -> Result<Vec<Claimed>> {
        let found = self.head.claims(near.key).map(|set| set.near(near));
        self.or_missed(found)
    }
    fn is_free(&mut self, key: ClaimKey, asked: &Asked) -> Result<bool> {
        let found = self.head.claims(key).map(|set| set.is_free(key, asked));
        self.or_missed(found)
    }
    fn holds(&mut self, _: &Channel, _: u64) -> bool {
        false
    }
}

/// Looks in memory, where that is allowed, and else in the file; keeps what it read there.
struct InFile<'a> {
    shared: Option<&'a Shared>,
    conn: &'a Connection,
    looked: Touched,
    rows: Vec<(RowId, Option<Arc<Row>>)>,
    places: Vec<(Place, Ids)>,
    claims: Vec<(ClaimKey, ClaimSet)>,
}

impl<'a> InFile<'a> {
    fn new(conn: &'a Connection) -> Self {
        Self { shared: None, conn, looked: Touched::default(), rows: Vec::new(), places: Vec::new(), claims: Vec::new() }
    }
    fn with_claims<T>(&mut self, key: ClaimKey, f: impl Fn(&ClaimSet) -> T) -> Result<T> {
        self.looked.claim(key);
        if let Some(answer) = self.shared.and_then(|s| s.head().claims(key).map(&f)) {
            return Ok(answer);
        }
        let set = load::claims(self.conn, key)?;
        let answer = f(&set);
        self.claims.push((key, set));
        Ok(answer)
    }
}

impl View for InFile<'_> {
    fn row(&mut self, id: RowId) -> Result<Option<Arc<Row>>> {
        self.looked.row(id);
        if let Some(known) = self.shared.and_then(|s| s.head().row(id)) {
            return Ok(known);
        }
        let row = load::row(self.conn, id)?;
        self.rows.push((id, row.clone()));
        Ok(row)
    }
    fn ids(&mut self, place: &Place) -> Result<Vec<RowId>> {
        self.looked.place(place);
        if let Some(known) = self.shared.and_then(|s| s.head().places(place).map(|ids| ids.iter().collect())) {
            return Ok(known);
        }
        let ids = load::ids(self.conn, place)?;
        let answer = ids.iter().collect();
        self.places.push((place.clone(), ids));
        Ok(answer)
    }
    fn near(&mut self, near: &Near) -> Result<Vec<Claimed>> {
        self.with_claims(near.key, |set| set.near(near))
    }
    fn is_free(&mut self, key: ClaimKey, asked: &Asked) -> Result<bool> {
        self.with_claims(key, |set| set.is_free(key, asked))
    }
    fn holds(&mut self, _: &Channel, _: u64) -> bool {
        false
    }
}
