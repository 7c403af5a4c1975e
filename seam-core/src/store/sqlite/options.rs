//! How an SQLite store is opened, and what it counts.
use std::time::Duration;

/// How an [`SqliteStore`](super::SqliteStore) is opened. The defaults are meant to be left alone.
#[derive(Clone, Debug)]
#[must_use]
pub struct SqliteOptions {
    pub(super) rows_in_memory: usize,
    pub(super) readers: usize,
    pub(super) page_size: u32,
    pub(super) max_pages: Option<u32>,
    pub(super) busy_timeout: Duration,
    pub(super) checkpoint_bytes: u64,
    unsynced: bool,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            rows_in_memory: 50_000,
            readers: 2,
            page_size: 1_024,
            max_pages: None,
            busy_timeout: super::open::BUSY_TIMEOUT,
            checkpoint_bytes: 64 << 20,
            unsynced: false,
        }
    }
}

impl SqliteOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }
    /// How many decoded rows are kept in memory at most, and an eighth as many again in pages of lists. Default 50,000; at least 16.
    pub fn rows_in_memory(mut self, rows: usize) -> Self {
        self.rows_in_memory = rows.max(16);
        self
    }
    /// How many threads read what is not in memory. Default 2; at least 1.
    pub fn readers(mut self, threads: usize) -> Self {
        self.readers = threads.max(1);
        self
    }
    /// The page size of a file that is made new, in bytes: a power of two from 512 to 65,536. Default 1,024, which was measured to write the
    /// least. An existing file keeps its own.
    pub fn page_size(mut self, bytes: u32) -> Self {
        self.page_size = bytes;
        self
    }
    /// How many pages the file may have: past that, commits fail with the code `disk_full`. Default: as many as the disk holds.
    pub fn max_pages(mut self, pages: u32) -> Self {
        self.max_pages = Some(pages);
        self
    }
    /// How long a commit waits when another program holds the file's lock, before it fails with the code `database_locked`. Default 2 s.
    pub fn busy_timeout(mut self, at_most: Duration) -> Self {
        self.busy_timeout = at_most;
        self
    }
    /// How long the write-ahead log may grow before it is copied back into the file. Default 64 MiB. Less means more syncs, more means a
    /// longer start after a crash.
    pub fn checkpoint_bytes(mut self, bytes: u64) -> Self {
        self.checkpoint_bytes = bytes;
        self
    }
    /// Does not wait for the disk, so that a power failure loses commits. Only for the proof that such a loss would be noticed.
    #[cfg(feature = "conformance")]
    #[doc(hidden)]
    pub fn unsynced(mut self) -> Self {
        self.unsynced = true;
        self
    }

    pub(super) fn synchronous(&self) -> &'static str {
        if self.unsynced { "OFF" } else { "FULL" }
    }
}

/// What an [`SqliteStore`](super::SqliteStore) has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteStats {
    /// Transactions, each with one sync.
    pub commits: u64,
    /// Changesets that they held.
    pub changesets: u64,
    /// How often the write-ahead log was copied back into the file.
    pub checkpoints: u64,
    /// Transactions that were taken back and redone one changeset at a time.
    pub redone: u64,
    /// Reads that needed the file.
    pub file_reads: u64,
}
