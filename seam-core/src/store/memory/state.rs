//! What the memory store holds: rows, and beside them what is derived of them.
use crate::error::Result;
use crate::model::{ChangesetId, WorkspaceId};
use crate::state::*;
use crate::store::changes::{Changes, Touched};
use crate::store::logic::{self, Agenda, Asked, ClaimSet, Heads, Place, View, Written};
use crate::store::vault::hex;
use crate::store::{CommitError, Committed, ListQuery, audit};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct State {
    /// The clock's time when the lock was taken.
    pub(super) now: DateTime<Utc>,
    pub(super) agenda: Agenda,
    rows: BTreeMap<RowId, Arc<Row>>,
    kinds: BTreeSet<(WorkspaceId, RowKind, RowId)>,
    lookups: BTreeMap<Place, BTreeSet<RowId>>,
    claims: BTreeMap<ClaimKey, ClaimSet>,
    streams: BTreeMap<WorkspaceId, Stream>,
}

#[derive(Debug)]
struct Stream {
    heads: Heads,
    events: Vec<StoredEvent>,
    audit: Vec<AuditEntry>,
    outcomes: BTreeMap<ChangesetId, Committed>,
    cursors: BTreeMap<String, u64>,
}

impl Stream {
    fn new(workspace: WorkspaceId) -> Self {
        let heads = Heads::new(workspace);
        Self { heads, events: Vec::new(), audit: Vec::new(), outcomes: BTreeMap::new(), cursors: BTreeMap::new() }
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            now: DateTime::<Utc>::MIN_UTC,
            agenda: Agenda::new(0),
            rows: BTreeMap::new(),
            kinds: BTreeSet::new(),
            lookups: BTreeMap::new(),
            claims: BTreeMap::new(),
            streams: BTreeMap::new(),
        }
    }
}

impl View for State {
    fn row(&mut self, id: RowId) -> Result<Option<Arc<Row>>> {
        Ok(self.rows.get(&id).cloned())
    }
    fn ids(&mut self, place: &Place) -> Result<Vec<RowId>> {
        Ok(self.lookups.get(place).into_iter().flatten().copied().collect())
    }
    fn near(&mut self, near: &Near) -> Result<Vec<Claimed>> {
        Ok(self.claims.get(&near.key).map(|set| set.near(near)).unwrap_or_default())
    }
    fn is_free(&mut self, key: ClaimKey, asked: &Asked) -> Result<bool> {
        Ok(self.claims.get(&key).is_none_or(|set| set.is_free(key, asked)))
    }
    fn holds(&mut self, channel: &Channel, fence: u64) -> bool {
        self.agenda.holds(channel, fence, self.now)
    }
}

impl State {
    pub(super) fn commit(&mut self, set: Changeset, changes: &Changes) -> std::result::Result<Committed, CommitError> {
        let rows = logic::next_versions(set.put);
        let written = logic::check(self, set.workspace, &set.only_if, &rows, None)?;
        let workspace = set.workspace;
        let stream = self.streams.entry(workspace).or_insert_with(|| Stream::new(workspace));
        let first = stream.heads.last_event + 1;
        let told = audit::told(set.events.iter());
        let wrote = written.iter().map(|w| (w.new.id, w.new.version));
        let content = audit::content(set.id, wrote.clone(), told.as_ref(), &set.audit);
        stream.heads = stream.heads.after(set.events.len(), &content);
        let Heads { last_event, last_audit: seq, hash } = stream.heads;
        let entry = AuditEntry {
            seq,
            changeset: set.id,
            wrote: wrote.collect(),
            last_event,
            told: told.map_or_else(String::new, |hash| hex(&hash)),
            hash: hex(&hash),
            audit: set.audit,
        };
        let committed = Committed { last_event };
        stream.outcomes.insert(set.id, committed.clone());
        stream.audit.push(entry);
        stream.events.extend(set.events.into_iter().zip(first..).map(|(event, seq)| StoredEvent { seq, event }));
        for written in &written {
            self.put(written);
        }
        if changes.are_watched() {
            let mut touched = Touched::default();
            written.iter().for_each(|written| touched.written(written));
            let added = written.iter().filter(|w| w.adds()).map(|w| (workspace, w.new.body.kind(), w.new.id));
            changes.publish(&touched, added);
        }
        Ok(committed)
    }

    fn put(&mut self, Written { old, new, diff }: &Written) {
        let (id, workspace) = (new.id, new.workspace);
        for place in &diff.keys_gone {
            if let Some(ids) = self.lookups.get_mut(place) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.lookups.remove(place);
                }
            }
        }
        for place in &diff.keys_new {
            self.lookups.entry(place.clone()).or_default().insert(id);
        }
        for claim in &diff.claims_gone {
            if let Some(set) = self.claims.get_mut(&claim.key) {
                set.remove(claim, id, workspace);
                if set.is_empty() {
                    self.claims.remove(&claim.key);
                }
            }
        }
        for claim in &diff.claims_new {
            self.claims.entry(claim.key).or_default().insert(claim, id, workspace);
        }
        if diff.due_before != diff.due_after {
            if let Some(due) = &diff.due_before {
                self.agenda.remove(due, id);
            }
            if let Some(due) = &diff.due_after {
                self.agenda.add(due, id);
            }
        }
        if let Some(old) = old {
            self.kinds.remove(&(workspace, old.body.kind(), id));
        }
        self.kinds.insert((workspace, new.body.kind(), id));
        self.rows.insert(id, Arc::clone(new));
    }

    pub(super) fn committed(&self, workspace: WorkspaceId) -> Committed {
        Committed { last_event: self.streams.get(&workspace).map_or(0, |s| s.heads.last_event) }
    }

    pub(super) fn outcome(&self, workspace: WorkspaceId, id: ChangesetId) -> Option<Committed> {
        self.streams.get(&workspace)?.outcomes.get(&id).cloned()
    }

    pub(super) fn workspaces(&self) -> Vec<WorkspaceId> {
        self.streams.keys().copied().collect()
    }

    pub(super) fn webhooks(&self) -> Vec<Arc<Row>> {
        let places = self.streams.keys().map(|workspace| logic::place(*workspace, &webhooks_key()));
        let ids = places.filter_map(|place| self.lookups.get(&place)).flatten();
        ids.filter_map(|id| self.rows.get(id).cloned()).collect()
    }

    pub(super) fn list(&mut self, workspace: WorkspaceId, query: &ListQuery) -> Result<Vec<Arc<Row>>> {
        let past = |id: &RowId| query.after.is_none_or(|after| *id > after);
        if let Some(key) = &query.key {
            let ids = self.ids(&logic::place(workspace, key))?;
            let rows = ids.iter().filter(|id| past(id)).filter_map(|id| self.rows.get(id));
            let own = rows.filter(|row| row.workspace == workspace && row.body.kind() == query.kind);
            return Ok(own.take(query.limit).cloned().collect());
        }
        let from = (workspace, query.kind, query.after.unwrap_or(RowId::nil()));
        let listed = self.kinds.range(from..=(workspace, query.kind, RowId::max())).filter(|(_, _, id)| past(id));
        Ok(listed.take(query.limit).filter_map(|(_, _, id)| self.rows.get(id).cloned()).collect())
    }

    pub(super) fn events(&self, workspace: WorkspaceId, after: u64, at_most: usize) -> Vec<StoredEvent> {
        let Some(stream) = self.streams.get(&workspace) else { return Vec::new() };
        stream.events.iter().skip(usize::try_from(after).unwrap_or(usize::MAX)).take(at_most).cloned().collect()
    }

    pub(super) fn audit(&self, workspace: WorkspaceId, after: u64, at_most: usize) -> Vec<AuditEntry> {
        let Some(stream) = self.streams.get(&workspace) else { return Vec::new() };
        stream.audit.iter().skip(usize::try_from(after).unwrap_or(usize::MAX)).take(at_most).cloned().collect()
    }

    pub(super) fn cursor(&self, workspace: WorkspaceId, consumer: &str) -> u64 {
        self.streams.get(&workspace).and_then(|s| s.cursors.get(consumer)).copied().unwrap_or(0)
    }

    pub(super) fn ack(&mut self, workspace: WorkspaceId, consumer: &str, upto: u64) {
        let Some(stream) = self.streams.get_mut(&workspace) else { return };
        let upto = upto.min(stream.heads.last_event);
        let cursor = stream.cursors.entry(consumer.to_owned()).or_insert(0);
        *cursor = upto.max(*cursor);
    }
}
