//! The state as the next changeset of a batch finds it: what is committed, and on it what the batch has decided so far. Nothing of that
//! is in the file yet.
use super::Shared;
use super::codec;
use super::head::{Change, Touched, apply};
use super::load;
use crate::error::Result;
use crate::model::{ChangesetId, WorkspaceId};
use crate::state::*;
use crate::store::logic::{self, Asked, ClaimSet, Derived, Heads, Place, View, Written};
use crate::store::{CommitError, Committed, audit};
use chrono::{DateTime, Utc};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A row that the batch writes.
#[derive(Debug)]
pub(super) struct Put {
    /// As it is stored.
    pub(super) old: Option<Arc<Row>>,
    pub(super) new: Arc<Row>,
    pub(super) document: Vec<u8>,
    /// When the stored one is due.
    pub(super) due_before: Option<Due>,
    pub(super) due_after: Option<Due>,
}

/// A log row that the batch writes.
#[derive(Debug)]
pub(super) struct Logged {
    pub(super) workspace: WorkspaceId,
    pub(super) entry: AuditEntry,
    pub(super) audit: Vec<u8>,
    pub(super) events: Vec<u8>,
}

/// The claims of a key that the batch touches.
#[derive(Debug, Default)]
pub(super) struct TouchedClaims {
    pub(super) changes: BTreeMap<Claimed, bool>,
    /// All claims of the key as the batch leaves them, once somebody has asked.
    all: Option<ClaimSet>,
}

pub(super) struct Batch<'a> {
    shared: &'a Shared,
    conn: &'a Connection,
    now: DateTime<Utc>,
    /// Look also for what is very likely not there. Otherwise the file's own constraints find it.
    careful: bool,
    pub(super) rows: BTreeMap<RowId, Put>,
    pub(super) places: BTreeMap<Place, BTreeMap<RowId, bool>>,
    pub(super) claims: BTreeMap<ClaimKey, TouchedClaims>,
    pub(super) heads: BTreeMap<WorkspaceId, Heads>,
    pub(super) log: Vec<Logged>,
    pub(super) cursors: BTreeMap<(WorkspaceId, String), u64>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(shared: &'a Shared, conn: &'a Connection, careful: bool) -> Self {
        let now = shared.clock.now();
        let (rows, places, claims) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (heads, log, cursors) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        Self { shared, conn, now, careful, rows, places, claims, heads, log, cursors }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.log.is_empty() && self.cursors.is_empty()
    }

    fn heads(&self, workspace: WorkspaceId) -> Heads {
        let known = self.heads.get(&workspace).cloned();
        known.or_else(|| self.shared.head().workspaces.get(&workspace).map(|(_, h)| h.clone())).unwrap_or_else(|| Heads::new(workspace))
    }

    /// Where the workspace stands.
    pub(super) fn committed(&self, workspace: WorkspaceId) -> Committed {
        Committed { last_event: self.heads(workspace).last_event }
    }

    /// Takes a changeset in, if its preconditions hold. `packed`: its documents and events, if they are at hand. On an error the changeset is
    /// as it was and the batch too.
    pub(super) fn take(&mut self, set: &mut Changeset, mut packed: Option<Packed>) -> Result<(Committed, Vec<Arc<Row>>), CommitError> {
        let derived = packed.as_mut().and_then(|packed| packed.derived.take());
        let mut checked = logic::check(self, set, derived);
        if matches!(checked, Err(CommitError::Conflict(_))) && !self.careful {
            // Looked at in full, it may be another conflict that comes first: callers are told the same by every store.
            self.careful = true;
            checked = logic::check(self, set, None);
            self.careful = false;
        }
        let written = checked?;
        let packed = match packed.map_or_else(|| Packed::without_derived(written.iter().map(|w| &*w.new), set), Ok) {
            Ok(packed) => packed,
            Err(e) => {
                logic::take_back(set, written);
                return Err(e.into());
            }
        };
        let mut heads = self.heads(set.workspace);
        let entry = logic::log_entry(set, &written, packed.told, &mut heads);
        let committed = Committed { last_event: entry.last_event };
        self.heads.insert(set.workspace, heads);
        self.log.push(Logged { workspace: set.workspace, entry, audit: packed.audit, events: packed.events });
        let mut rows = Vec::with_capacity(written.len());
        for (written, document) in written.into_iter().zip(packed.documents) {
            rows.push(Arc::clone(&written.new));
            self.put(written, document);
        }
        Ok((committed, rows))
    }

    fn put(&mut self, Written { old, new, diff }: Written, document: Vec<u8>) {
        let (id, workspace) = (new.id, new.workspace);
        for (places, there) in [(diff.keys_gone, false), (diff.keys_new, true)] {
            for place in places {
                self.places.entry(place).or_default().insert(id, there);
            }
        }
        for (claims, there) in [(diff.claims_gone, false), (diff.claims_new, true)] {
            for claim in claims {
                let touched = self.claims.entry(claim.key).or_default();
                if let Some(all) = &mut touched.all {
                    if there { all.insert(&claim, id, workspace) } else { all.remove(&claim, id, workspace) }
                }
                touched.changes.insert(Claimed { claim, row: id, workspace }, there);
            }
        }
        match self.rows.get_mut(&id) {
            Some(put) => (put.new, put.document, put.due_after) = (new, document, diff.due_after),
            None => {
                let (due_before, due_after) = (diff.due_before, diff.due_after);
                self.rows.insert(id, Put { old, new, document, due_before, due_after });
            }
        }
    }

    /// Moves a consumer forward.
    pub(super) fn ack(&mut self, workspace: WorkspaceId, consumer: &str, upto: u64) {
        let upto = upto.min(self.heads(workspace).last_event);
        let at = (workspace, consumer.to_owned());
        let known = self.cursors.get(&at).copied().or_else(|| self.shared.head().cursors.get(&at).copied());
        if upto > known.unwrap_or(0) {
            self.cursors.insert(at, upto);
        }
    }

    /// What it touches.
    pub(super) fn touched(&self) -> Touched {
        Touched {
            rows: self.rows.keys().copied().collect(),
            places: self.places.keys().cloned().collect(),
            claims: self.claims.keys().copied().collect(),
        }
    }

    /// What it changes in memory once it is durable. `numbers`: the workspaces' numbers.
    pub(super) fn change(self, numbers: &BTreeMap<WorkspaceId, i64>) -> Change {
        let rows = self.rows.into_values().map(|put| {
            let changed = put.due_before != put.due_after;
            (put.new, put.due_before.filter(|_| changed), put.due_after.filter(|_| changed))
        });
        let workspaces = self.heads.into_iter().filter_map(|(w, heads)| Some((w, (*numbers.get(&w)?, heads))));
        let outcomes = self.log.into_iter();
        Change {
            rows: rows.collect(),
            places: self.places,
            claims: self.claims.into_iter().map(|(key, touched)| (key, touched.changes)).collect(),
            workspaces: workspaces.collect(),
            cursors: self.cursors,
            outcomes: outcomes.map(|l| (l.workspace, l.entry.changeset, Committed { last_event: l.entry.last_event })).collect::<Vec<(
                WorkspaceId,
                ChangesetId,
                Committed,
            )>>(),
        }
    }

    /// Gives the committed claims of a key to `f`.
    fn with_claims<T>(&self, key: ClaimKey, f: impl FnOnce(&ClaimSet) -> T) -> Result<T> {
        if let Some(known) = self.shared.head().claims(key) {
            return Ok(f(known));
        }
        let loaded = load::claims(self.conn, key)?;
        let answer = f(&loaded);
        self.shared.head().learn_claims(key, loaded);
        Ok(answer)
    }

    /// Gives the claims of a key, as the batch leaves them, to `f`.
    fn with_all_claims<T>(&mut self, key: ClaimKey, f: impl FnOnce(&ClaimSet) -> T) -> Result<T> {
        let all = match self.claims.get_mut(&key) {
            None => return self.with_claims(key, f),
            Some(touched) => touched.all.take(),
        };
        let mut all = match all {
            Some(all) => return Ok(self.keep(key, all, f)),
            None => self.with_claims(key, ClaimSet::clone)?,
        };
        for (claimed, there) in self.claims.get(&key).into_iter().flat_map(|t| &t.changes) {
            let Claimed { claim, row, workspace } = claimed;
            if *there { all.insert(claim, *row, *workspace) } else { all.remove(claim, *row, *workspace) }
        }
        Ok(self.keep(key, all, f))
    }

    fn keep<T>(&mut self, key: ClaimKey, all: ClaimSet, f: impl FnOnce(&ClaimSet) -> T) -> T {
        let answer = f(&all);
        if let Some(touched) = self.claims.get_mut(&key) {
            touched.all = Some(all);
        }
        answer
    }
}

impl View for Batch<'_> {
    fn row(&mut self, id: RowId) -> Result<Option<Arc<Row>>> {
        if let Some(put) = self.rows.get(&id) {
            return Ok(Some(Arc::clone(&put.new)));
        }
        if let Some(known) = self.shared.head().row(id) {
            return Ok(known);
        }
        let row = load::row(self.conn, id)?;
        self.shared.head().learn_row(id, row.clone());
        Ok(row)
    }

    fn before_new(&mut self, id: RowId) -> Result<Option<Arc<Row>>> {
        if self.careful {
            return self.row(id);
        }
        let put = self.rows.get(&id).map(|put| Arc::clone(&put.new));
        Ok(put.or_else(|| self.shared.head().row(id).flatten()))
    }

    fn ids(&mut self, place: &Place) -> Result<Vec<RowId>> {
        let known = self.shared.head().places(place).cloned();
        let mut ids = match known {
            Some(known) => known,
            None => {
                let loaded = load::ids(self.conn, place)?;
                self.shared.head().learn_place(place.clone(), loaded.clone());
                loaded
            }
        };
        apply(&mut ids, self.places.get(place).into_iter().flatten().map(|(id, there)| (*id, *there)));
        Ok(ids.into_iter().collect())
    }

    fn holders(&mut self, place: &Place) -> Result<Vec<RowId>> {
        if self.careful {
            return self.ids(place);
        }
        let mut ids = self.shared.head().places(place).cloned().unwrap_or_default();
        apply(&mut ids, self.places.get(place).into_iter().flatten().map(|(id, there)| (*id, *there)));
        Ok(ids.into_iter().collect())
    }

    fn near(&mut self, near: &Near) -> Result<Vec<Claimed>> {
        self.with_all_claims(near.key, |set| set.near(near))
    }

    fn is_free(&mut self, key: ClaimKey, asked: &Asked) -> Result<bool> {
        self.with_all_claims(key, |set| set.is_free(key, asked))
    }

    fn holds(&mut self, channel: &Channel, fence: u64) -> bool {
        self.shared.head().agenda.holds(channel, fence, self.now)
    }
}

/// What a changeset is in the file: made by the caller, so that the writer need not.
#[derive(Debug)]
pub(super) struct Packed {
    documents: Vec<Vec<u8>>,
    audit: Vec<u8>,
    events: Vec<u8>,
    told: String,
    derived: Option<Vec<Derived>>,
}

impl Packed {
    pub(super) fn of(set: &Changeset) -> Result<Self> {
        let derived = set.put.iter().map(Derived::of).collect();
        Ok(Self { derived: Some(derived), ..Self::without_derived(set.put.iter(), set)? })
    }

    fn without_derived<'r>(rows: impl Iterator<Item = &'r Row>, set: &Changeset) -> Result<Self> {
        let documents = rows.map(codec::document).collect::<Result<_>>()?;
        let audit = codec::json(&set.audit)?;
        let events = if set.events.is_empty() { Vec::new() } else { codec::json(&set.events)? };
        Ok(Self { documents, audit, told: audit::events_digest(&set.events), events, derived: None })
    }
}

/// The keys that a batch adds and drops, for the statements.
pub(super) fn changes<'b>(
    places: &'b BTreeMap<Place, BTreeMap<RowId, bool>>,
    there: bool,
) -> impl Iterator<Item = (&'b Place, RowId)> + 'b {
    places.iter().flat_map(move |(place, ids)| ids.iter().filter(move |(_, t)| **t == there).map(move |(id, _)| (place, *id)))
}
