//! What is remembered of a card while it is being written, so that an interrupted job can be finished later.
//!
//! It holds no key and no content: only which card, and which versions of our keys may stand on it. An answer to a change of a key that never came
//! leaves two possibilities; whoever finishes the job tries the new key, then the old ones.
use super::profile::CardNumber;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use seam_core::encoder::Technology;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A job with a card that has not been finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The version that its keys get.
    pub to: u8,
    /// Versions that they may have from earlier jobs that were not finished either, newest first.
    #[serde(default)]
    pub or: Vec<u8>,
    /// Since when.
    pub begun_at: DateTime<Utc>,
}

impl Entry {
    /// The entry of a job that begins now, after one that was interrupted.
    #[must_use]
    pub fn after(interrupted: Option<&Self>, to: u8, begun_at: DateTime<Utc>) -> Self {
        let mut or: Vec<u8> = interrupted.iter().flat_map(|e| std::iter::once(e.to).chain(e.or.iter().copied())).collect();
        or.retain(|version| *version != to);
        Self { to, or, begun_at }
    }
}

/// Keeps entries. An entry must be there for good before the call returns: the next command changes the card.
#[async_trait]
pub trait Journal: fmt::Debug + Send + Sync + 'static {
    /// The entry of a card.
    ///
    /// # Errors
    /// When it cannot be read; nothing is written to a card then.
    async fn find(&self, technology: &Technology, card: &CardNumber) -> io::Result<Option<Entry>>;
    /// Keeps the entry of a card; it replaces an earlier one.
    ///
    /// # Errors
    /// When it cannot be kept; nothing is written to a card then.
    async fn begin(&self, technology: &Technology, card: &CardNumber, entry: &Entry) -> io::Result<()>;
    /// Forgets a card. One that is not known is no error.
    ///
    /// # Errors
    /// When it cannot be forgotten; the entry does no harm.
    async fn end(&self, technology: &Technology, card: &CardNumber) -> io::Result<()>;
}

/// A journal that lasts as long as the process.
#[derive(Default)]
pub struct MemoryJournal(Mutex<BTreeMap<String, Entry>>);

impl fmt::Debug for MemoryJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryJournal").field("entries", &self.entries().len()).finish()
    }
}

impl MemoryJournal {
    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// How many cards wait to be finished.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries().len()
    }
    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }
}

fn name(technology: &Technology, card: &CardNumber) -> String {
    format!("{}-{}", technology.0, card.hex())
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn find(&self, technology: &Technology, card: &CardNumber) -> io::Result<Option<Entry>> {
        Ok(self.entries().get(&name(technology, card)).cloned())
    }
    async fn begin(&self, technology: &Technology, card: &CardNumber, entry: &Entry) -> io::Result<()> {
        self.entries().insert(name(technology, card), entry.clone());
        Ok(())
    }
    async fn end(&self, technology: &Technology, card: &CardNumber) -> io::Result<()> {
        self.entries().remove(&name(technology, card));
        Ok(())
    }
}

/// A journal in a folder: a small file per card that is being written. A call takes as long as the disk takes to keep a file for good.
#[derive(Debug)]
pub struct FileJournal {
    folder: PathBuf,
}

impl FileJournal {
    /// In this folder, which is made if it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        let is_new = !folder.is_dir();
        fs::create_dir_all(&folder)?;
        // A folder that was just made is itself a name in another one.
        if let Some(parent) = folder.parent().filter(|parent| cfg!(unix) && is_new && !parent.as_os_str().is_empty()) {
            File::open(parent)?.sync_all()?;
        }
        Ok(Self { folder })
    }
    fn path(&self, technology: &Technology, card: &CardNumber) -> io::Result<PathBuf> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if technology.0.is_empty() || !technology.0.chars().all(plain) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the name of the technology is no name of a file"));
        }
        Ok(self.folder.join(format!("{}.json", name(technology, card))))
    }
    /// What was done to names in the folder is there for good.
    fn keep_names(&self) -> io::Result<()> {
        // Elsewhere than on Unix a folder cannot be opened for that, and renames are kept with the file.
        if cfg!(unix) { File::open(&self.folder)?.sync_all() } else { Ok(()) }
    }
}

#[async_trait]
impl Journal for FileJournal {
    async fn find(&self, technology: &Technology, card: &CardNumber) -> io::Result<Option<Entry>> {
        match fs::read(self.path(technology, card)?) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }
    async fn begin(&self, technology: &Technology, card: &CardNumber, entry: &Entry) -> io::Result<()> {
        let path = self.path(technology, card)?;
        // Written beside and renamed, so that a file is there as a whole or not at all.
        let beside = path.with_extension("new");
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec(entry)?)?;
        file.sync_all()?;
        fs::rename(&beside, &path)?;
        self.keep_names()
    }
    async fn end(&self, technology: &Technology, card: &CardNumber) -> io::Result<()> {
        match fs::remove_file(self.path(technology, card)?) {
            Ok(()) => self.keep_names(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(to: u8, or: &[u8]) -> Entry {
        Entry { to, or: or.to_vec(), begun_at: "2026-03-01T08:00:00Z".parse().unwrap() }
    }

    #[test]
    fn an_entry_keeps_what_may_stand_there_from_jobs_before() {
        let first = Entry::after(None, 2, entry(0, &[]).begun_at);
        assert_eq!(first, entry(2, &[]));
        let second = Entry::after(Some(&first), 3, first.begun_at);
        assert_eq!(second, entry(3, &[2]));
        assert_eq!(Entry::after(Some(&second), 3, first.begun_at), entry(3, &[2]));
        assert_eq!(Entry::after(Some(&second), 2, first.begun_at), entry(2, &[3]));
    }

    #[tokio::test]
    async fn a_folder_keeps_entries_over_the_end_of_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cards");
        let (desfire, other) = (Technology("desfire".to_owned()), Technology("other".to_owned()));
        let card = CardNumber(vec![4, 1, 2, 3, 4, 5, 6]);
        let journal = FileJournal::open(&path).unwrap();
        assert_eq!(journal.find(&desfire, &card).await.unwrap(), None);
        journal.begin(&desfire, &card, &entry(1, &[])).await.unwrap();
        journal.begin(&desfire, &card, &entry(2, &[1])).await.unwrap();
        drop(journal);
        let journal = FileJournal::open(&path).unwrap();
        assert_eq!(journal.find(&desfire, &card).await.unwrap(), Some(entry(2, &[1])));
        assert_eq!(journal.find(&other, &card).await.unwrap(), None);
        assert_eq!(journal.find(&desfire, &CardNumber(vec![4, 9, 9, 9])).await.unwrap(), None);
        journal.end(&desfire, &card).await.unwrap();
        journal.end(&desfire, &card).await.unwrap();
        assert_eq!((journal.find(&desfire, &card).await.unwrap(), fs::read_dir(&path).unwrap().count()), (None, 0));
        // A name that would leave the folder is no technology, and what was damaged is told and not guessed.
        assert!(journal.begin(&Technology("../x".to_owned()), &card, &entry(1, &[])).await.is_err());
        fs::write(path.join("desfire-04010203040506.json"), "{").unwrap();
        assert!(journal.find(&desfire, &card).await.is_err());
    }
}
