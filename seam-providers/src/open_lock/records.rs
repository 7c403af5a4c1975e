//! Where the issuer keeps what it has to remember: records by name, changed by compare-and-swap.
use async_trait::async_trait;
use seam_core::provider::{Failure, Reason};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its version: another one after each change, also after it was deleted and made again.
    pub version: u64,
    /// Its content, at most some kilobytes.
    pub content: Vec<u8>,
}

/// The issuer's records, shared by all instances of the host: a table with a name, a version and a content is enough.
///
/// They hold ids, public keys and times: no secret, no name of a person.
#[async_trait]
pub trait Records: fmt::Debug + Send + Sync + 'static {
    /// A record by its name: at most 200 ASCII characters.
    ///
    /// # Errors
    /// `Nothing` when it cannot be read now.
    async fn load(&self, name: &str) -> Result<Option<Record>, Failure>;
    /// Writes or deletes (`None`) a record if its version is still `version` (`None`: it does not exist); durable when this returns `true`. `false`:
    /// somebody else was first, and nothing has changed.
    ///
    /// # Errors
    /// `Nothing` when it surely was not changed, `Unknown` when it may have been.
    async fn swap(&self, name: &str, version: Option<u64>, new: Option<Vec<u8>>) -> Result<bool, Failure>;
    /// The names that begin with `prefix`, in ascending order, after `after`: at most `at_most`.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    async fn names(&self, prefix: &str, after: Option<&str>, at_most: usize) -> Result<Vec<String>, Failure>;
}

/// Records in memory: for tests and demonstrations. They are gone with the process, and every key with them.
#[derive(Debug, Default)]
pub struct MemoryRecords(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    records: BTreeMap<String, Record>,
    versions: u64,
    requests: u64,
    fault: Option<RecordFault>,
}

/// How [`MemoryRecords`] can be spoilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordFault {
    /// Nobody answers, and that is seen at once.
    Offline,
    /// Requests vanish.
    LoseRequests,
    /// Changes happen, and no answer comes.
    LoseAnswers,
}

impl MemoryRecords {
    /// No records.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// How many requests came.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.inside().requests
    }
    /// Spoils every request from now on, or no more.
    pub fn spoil(&self, fault: Option<RecordFault>) {
        self.inside().fault = fault;
    }
    /// Whether a record is there, without counting as a request and whatever is spoilt.
    #[must_use]
    pub fn peek(&self, name: &str) -> Option<Vec<u8>> {
        self.inside().records.get(name).map(|r| r.content.clone())
    }
    /// All that is kept, as one text: for tests that look for what must not be there.
    #[must_use]
    pub fn dump(&self) -> String {
        let inside = self.inside();
        inside.records.iter().map(|(name, r)| format!("{name} {}\n", String::from_utf8_lossy(&r.content))).collect()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does it, as far as the fault lets it; `None`: no answer comes.
    fn answer<T>(&self, act: impl FnOnce(&mut Inside) -> T) -> Option<Result<T, Failure>> {
        let mut inside = self.inside();
        inside.requests += 1;
        match inside.fault {
            None => Some(Ok(act(&mut inside))),
            Some(RecordFault::Offline) => Some(Err(Failure::nothing(Reason::Offline, "the issuer's records cannot be reached"))),
            Some(RecordFault::LoseRequests) => None,
            Some(RecordFault::LoseAnswers) => {
                act(&mut inside);
                None
            }
        }
    }
}

async fn or_never<T>(answer: Option<T>) -> T {
    match answer {
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}

#[async_trait]
impl Records for MemoryRecords {
    async fn load(&self, name: &str) -> Result<Option<Record>, Failure> {
        // A lost answer is one to a change: reading goes on.
        if self.inside().fault == Some(RecordFault::LoseAnswers) {
            return Ok(self.inside().records.get(name).cloned());
        }
        or_never(self.answer(|inside| inside.records.get(name).cloned())).await
    }
    async fn swap(&self, name: &str, version: Option<u64>, new: Option<Vec<u8>>) -> Result<bool, Failure> {
        or_never(self.answer(|inside| {
            if inside.records.get(name).map(|r| r.version) != version {
                return false;
            }
            inside.versions += 1;
            match new {
                Some(content) => {
                    let record = Record { version: inside.versions, content };
                    inside.records.insert(name.to_owned(), record);
                }
                None => {
                    inside.records.remove(name);
                }
            }
            true
        }))
        .await
    }
    async fn names(&self, prefix: &str, after: Option<&str>, at_most: usize) -> Result<Vec<String>, Failure> {
        or_never(self.answer(|inside| {
            let names = inside.records.keys().filter(|name| name.starts_with(prefix) && after.is_none_or(|after| name.as_str() > after));
            names.take(at_most).cloned().collect()
        }))
        .await
    }
}
