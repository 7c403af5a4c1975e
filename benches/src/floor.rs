//! The floor: a group-commit loop as one would write it by hand. It checks nothing, keeps nothing in memory, and writes rows that are ready,
//! durably: write-ahead log, synchronous FULL, one transaction for all callers that wait.
use crate::record::{Rows, insert, tables};
use rusqlite::{Connection, params_from_iter};
use seam_bench::Failed;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// What the loop is asked to write: the rows of this grant.
type Ask = (usize, oneshot::Sender<()>);

/// The loop's handle.
pub(crate) struct Floor {
    asks: Option<Sender<Ask>>,
    thread: Option<JoinHandle<Result<(), rusqlite::Error>>>,
}

impl Floor {
    /// Opens a database that has the tables already.
    pub(crate) fn open(file: &Path, rows: Arc<Rows>) -> Result<Self, Failed> {
        let conn = Connection::open(file)?;
        conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "cache_size", -32_768)?;
        // As many bytes as the store lets the log grow: the same number of checkpoints on both sides.
        let page: i64 = conn.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        conn.pragma_update(None, "wal_autocheckpoint", (64 << 20) / page)?;
        let (asks, asked) = mpsc::channel();
        let thread = std::thread::Builder::new().name("floor".to_owned()).spawn(move || serve(&conn, &rows, &asked))?;
        Ok(Self { asks: Some(asks), thread: Some(thread) })
    }

    /// Returns when the rows of a grant are durable.
    pub(crate) async fn write(&self, grant: usize) -> Result<(), Failed> {
        let (reply, done) = oneshot::channel();
        self.asks.as_ref().ok_or("the loop is closed")?.send((grant, reply)).map_err(|_| "the loop has ended")?;
        done.await.map_err(|_| "the loop has ended".into())
    }

    /// Ends the loop and tells what went wrong in it.
    pub(crate) fn close(mut self) -> Result<(), Failed> {
        self.asks.take();
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => Ok(ended?),
            Some(Err(_)) => Err("the loop panicked".into()),
            None => Ok(()),
        }
    }
}

fn serve(conn: &Connection, rows: &Rows, asks: &Receiver<Ask>) -> Result<(), rusqlite::Error> {
    let (mut released, mut took) = (1, Duration::ZERO);
    while let Ok(first) = asks.recv() {
        let batch = gather(asks, first, released, took / 4);
        let begun = Instant::now();
        conn.execute_batch("BEGIN IMMEDIATE")?;
        {
            let mut inserts = (0..tables()).map(|table| conn.prepare_cached(&insert(table))).collect::<Result<Vec<_>, _>>()?;
            for (table, values) in batch.iter().flat_map(|(grant, _)| &rows[*grant]) {
                inserts[*table].execute(params_from_iter(values))?;
            }
        }
        conn.execute_batch("COMMIT")?;
        (released, took) = (batch.len(), begun.elapsed());
        for (_, reply) in batch {
            // Whoever no longer waits does not hear it.
            let _ = reply.send(());
        }
    }
    Ok(())
}

/// Waits a little for as many callers as the last commit released: without it batches alternate between one and all, and the floor would be
/// lower than it can be.
fn gather(asks: &Receiver<Ask>, first: Ask, released: usize, wait: Duration) -> Vec<Ask> {
    let until = Instant::now() + wait;
    let mut batch = vec![first];
    loop {
        let next = match asks.try_recv() {
            Ok(ask) => Some(ask),
            Err(_) if batch.len() < released => asks.recv_timeout(until.saturating_duration_since(Instant::now())).ok(),
            Err(_) => None,
        };
        match next {
            Some(ask) => batch.push(ask),
            None => return batch,
        }
    }
}
