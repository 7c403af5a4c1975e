//! Things as JSON text, kept for as long as nothing has changed that they were made of.
//!
//! A list that is asked for again and again finds most of its things as they were: they are neither read, opened nor written out anew. What is kept
//! of a thing is its text, what was looked at for it, and until when it holds by itself; a commit that touches any of that ends it (see
//! [`Changes`](crate::store::Changes)). What shows a PIN, a link, a token or the present instant is never kept; names and contacts are, in memory only,
//! and are overwritten when they are dropped.
use super::Workspace;
use super::workspace::Seen;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Page, WorkspaceId};
use crate::plan::Try;
use crate::state::{ReadSet, Row, RowId, RowKind};
use crate::store::changes::Touched;
use crate::store::recent::Recent;
use crate::store::{Looked, Mark};
use crate::view::Viewer;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt;
use std::sync::{Arc, MutexGuard, PoisonError};
use zeroize::Zeroize;

/// How many bytes of text are kept at most.
const ROOM: usize = 32 << 20;
/// What a thing takes beside its text, in bytes.
const BESIDE: usize = 256;

/// A thing as JSON text. Written into other JSON by `serde_json` as it stands. Cheap to clone.
#[derive(Clone)]
pub struct Written(Arc<Text>);

/// Overwritten when the last one lets go of it: there are names in it.
struct Text(Option<Box<RawValue>>);

impl Drop for Text {
    fn drop(&mut self) {
        if let Some(raw) = self.0.take() {
            String::from(Box::<str>::from(raw)).zeroize();
        }
    }
}

impl Written {
    fn of(thing: &impl Serialize) -> Result<Self> {
        let raw = serde_json::value::to_raw_value(thing)
            .map_err(|e| Error::new(ErrorKind::Internal, "thing_has_no_json", "a thing cannot be written as JSON").with_source(e))?;
        Ok(Self(Arc::new(Text(Some(raw)))))
    }
    /// A page of things as JSON, written now.
    pub(super) fn page<T: Serialize>(page: Page<T>) -> Result<Page<Self>> {
        let items = page.items.iter().map(Self::of).collect::<Result<_>>()?;
        Ok(Page { items, pagination: page.pagination })
    }
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.0.as_ref().map_or("null", |raw| raw.get())
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Written").field("bytes", &self.as_str().len()).finish()
    }
}

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.0.serialize(serializer)
    }
}

struct Entry {
    text: Written,
    looked: Looked,
    since: Mark,
    until: DateTime<Utc>,
}

/// What is kept.
pub(super) struct Kept(Recent<(WorkspaceId, RowKind, RowId), Entry>);

impl Default for Kept {
    fn default() -> Self {
        Self(Recent::new(ROOM))
    }
}

fn weight(entry: &Entry) -> usize {
    entry.text.as_str().len() + BESIDE
}

fn looked(workspace: WorkspaceId, by: &ReadSet) -> Looked {
    let mut touched = Touched::default();
    by.rows.iter().for_each(|row| touched.row(*row));
    by.keys.iter().for_each(|key| touched.key(workspace, key));
    by.near.iter().for_each(|near| touched.claim(near.key));
    touched.into()
}

impl Workspace {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.seam.0.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of every text that is kept, of all workspaces: somebody is to be forgotten.
    pub(super) fn forget_written(&self) {
        self.kept().0.clear();
    }

    /// Each of some rows as a view shows it, as JSON; `None` for one that the view does not show. `since`: a mark of before they were read.
    pub(super) async fn write_each<T: Serialize>(
        &self,
        rows: &[&Arc<Row>],
        since: Option<Mark>,
        see: impl Fn(&Viewer<'_>, RowId) -> Try<T>,
    ) -> Result<Vec<Option<Written>>> {
        let Some((changes, since)) = self.seam.0.store.changes().zip(since) else {
            let seen = self.look_each(rows, see).await?;
            return seen.iter().map(|seen| seen.as_ref().map(Written::of).transpose()).collect();
        };
        let mut texts: Vec<Option<Written>> = {
            let (mut kept, now) = (self.kept(), self.seam.clock().now());
            let text = |row: &&Arc<Row>| {
                let id = (self.id(), row.body.kind(), row.id);
                let entry = kept.0.get(&id, weight)?;
                if now < entry.until && changes.is_untouched(&entry.looked, entry.since) {
                    return Some(entry.text.clone());
                }
                kept.0.remove(&id);
                None
            };
            rows.iter().map(text).collect()
        };
        let missing: Vec<&Arc<Row>> = rows.iter().zip(&texts).filter(|(_, text)| text.is_none()).map(|(row, _)| *row).collect();
        if missing.is_empty() {
            return Ok(texts);
        }
        let seen = self.look_each_noting(&missing, see, true).await?;
        let mut made = Vec::with_capacity(seen.len());
        for (row, seen) in missing.iter().zip(seen) {
            let Some(Seen { it, by, until }) = seen else {
                made.push(None);
                continue;
            };
            let text = Written::of(&it)?;
            if until > DateTime::<Utc>::MIN_UTC {
                let entry = Entry { text: text.clone(), looked: looked(self.id(), &by), since, until };
                let (weight, mut kept) = (weight(&entry), self.kept());
                // Under the lock: what an erasure has touched is not kept after it has let go of everything.
                if changes.is_untouched(&entry.looked, since) {
                    kept.0.insert((self.id(), row.body.kind(), row.id), entry, weight);
                }
            }
            made.push(Some(text));
        }
        let mut made = made.into_iter();
        for text in texts.iter_mut().filter(|text| text.is_none()) {
            *text = made.next().flatten();
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seam;
    use crate::api::IdentityFilter;
    use crate::clock::SystemClock;
    use crate::plan::Person;
    use crate::store::{MemoryStore, StaticKeys, Vault};

    #[tokio::test]
    async fn no_text_of_anybody_outlives_an_erasure() {
        let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        let seam = Seam::new(store, Vault::new(Arc::new(StaticKeys::new([7; 32]))));
        let ws = seam.create_workspace("house", false).await.unwrap();
        let people = ws.user_identities();
        let ada = people.create(Person::named("Ada")).await.unwrap().user_identity_id;
        let is_kept = || ws.kept().0.get(&(ws.id(), RowKind::Identity, ada.uuid()), weight).is_some();
        people.list_written(&IdentityFilter::default()).await.unwrap();
        assert!(is_kept(), "what is listed is kept");
        people.erase(ada).await.unwrap();
        assert!(!is_kept(), "whoever is erased is not kept");
    }
}
