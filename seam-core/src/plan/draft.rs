//! What a decision writes, while it decides.
use super::read::{Kept, Reader, Shared, Stop, Try};
use crate::error::{Error, Result};
use crate::model::{ChangesetId, EventId, WorkspaceId};
use crate::state::*;
use crate::store::Vault;
use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use secrecy::{ExposeSecret, SecretString};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// The surroundings of a decision: everything that is not a fact.
///
/// Asked again with more facts, a decision gets an equal `Env` made from the same seed, so it draws the same ids and PINs.
#[derive(Debug)]
pub struct Env {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The present instant.
    pub now: DateTime<Utc>,
    /// Who acts.
    pub actor: Actor,
    /// Why.
    pub reason: Option<String>,
    /// Seals and opens.
    pub vault: Vault,
    /// 0 at the first, optimistic try; counts up after a conflict.
    pub attempt: u32,
    /// How often an account is read in full.
    pub scan_every: chrono::Duration,
    rng: StdRng,
    minted: u16,
}

impl Env {
    /// Surroundings of one decision.
    #[must_use]
    pub fn new(workspace: WorkspaceId, now: DateTime<Utc>, actor: Actor, vault: Vault, seed: u64) -> Self {
        Self {
            workspace,
            now,
            actor,
            reason: None,
            vault,
            attempt: 0,
            scan_every: chrono::Duration::minutes(15),
            rng: StdRng::seed_from_u64(seed),
            minted: 0,
        }
    }

    /// A new time-ordered id. Ids of one decision follow one another, so its rows lie side by side.
    pub fn mint(&mut self) -> Uuid {
        if self.minted == 0 {
            // A random base below the carry, shared by all ids of this decision.
            self.minted = 1;
        }
        let mut random = [0u8; 10];
        self.rng.fill_bytes(&mut random);
        // `rand_a` (12 bits) counts within the decision.
        random[0] = (self.minted >> 8) as u8;
        random[1] = (self.minted & 0xff) as u8;
        self.minted = self.minted.wrapping_add(1);
        let millis = u64::try_from(self.now.timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    /// The generator of this decision.
    pub fn rng(&mut self) -> &mut StdRng {
        &mut self.rng
    }

    /// Seals a secret for a field of a row.
    ///
    /// # Errors
    /// As [`Vault::seal`].
    pub fn seal(&mut self, row: RowId, field: &str, secret: &str) -> Result<Sealed> {
        self.vault.seal(self.workspace, row, field, secret, &mut self.rng)
    }

    /// Opens a secret of a field of a row.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn open(&self, row: RowId, field: &str, sealed: &Sealed) -> Result<SecretString> {
        self.vault.open(self.workspace, row, field, sealed)
    }
}

/// A decision in the making: facts below, written rows above, events beside.
#[derive(Debug)]
pub struct Draft<'a> {
    /// Surroundings.
    pub env: Env,
    reader: Reader<'a>,
    written: BTreeMap<RowId, Row>,
    depends: BTreeSet<RowId>,
    only_if: Vec<OnlyIf>,
    events: Vec<EventDraft>,
}

impl<'a> Draft<'a> {
    /// A draft over these facts.
    #[must_use]
    pub fn new(env: Env, facts: &'a Facts) -> Self {
        Self {
            env,
            reader: Reader::new(facts),
            written: BTreeMap::new(),
            depends: BTreeSet::new(),
            only_if: Vec::new(),
            events: Vec::new(),
        }
    }

    /// The facts as they were read, without what this draft has written.
    #[must_use]
    pub fn reader(&self) -> &Reader<'a> {
        &self.reader
    }
    /// The present instant.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.env.now
    }

    /// Says that rows will be wanted, without stopping.
    pub fn hint(&self, ids: impl IntoIterator<Item = RowId>) {
        self.reader.hint(ids.into_iter().filter(|id| !self.written.contains_key(id)));
    }
    /// Stops if anything that was hinted at is not known yet.
    ///
    /// # Errors
    /// What is to be read.
    pub fn gather(&self) -> Try<()> {
        self.reader.gather()
    }

    /// A body as this draft sees it: written here, or read.
    ///
    /// # Errors
    /// What is to be read, or `NotFound`.
    pub fn get<T: Kept>(&self, id: impl Into<RowId>) -> Try<T> {
        let id = id.into();
        self.try_get(id)?.ok_or_else(|| Stop::Reject(Error::not_found(T::WHAT, id)))
    }

    /// As [`Draft::get`], of what is only looked at: systems and doors are long, and every decision asks for them.
    ///
    /// # Errors
    /// What is to be read, or `NotFound`.
    pub fn shared<T: Kept>(&self, id: impl Into<RowId>) -> Try<Shared<T>> {
        let id = id.into();
        let found = match self.written.get(&id) {
            Some(row) => Shared::of(&Arc::new(row.clone())),
            None => self.reader.row(id)?.and_then(Shared::of),
        };
        found.ok_or_else(|| Stop::Reject(Error::not_found(T::WHAT, id)))
    }

    /// A body as this draft sees it, if it is there.
    ///
    /// # Errors
    /// What is to be read.
    pub fn try_get<T: Kept>(&self, id: impl Into<RowId>) -> Try<Option<T>> {
        let id = id.into();
        if let Some(row) = self.written.get(&id) {
            return Ok(T::of(&row.body).cloned());
        }
        Ok(self.reader.try_get::<T>(id)?.cloned())
    }

    /// The rows that a key finds, by what was read. Rows that this draft writes are not looked up: a decision knows what it made.
    ///
    /// # Errors
    /// What is to be read.
    pub fn find(&self, key: &Key) -> Try<Vec<RowId>> {
        Ok(self.reader.find(key)?.to_vec())
    }

    /// As [`Draft::find`], and the commit holds only if the key still finds the same rows.
    ///
    /// # Errors
    /// What is to be read.
    pub fn find_exactly(&mut self, key: &Key) -> Try<Vec<RowId>> {
        let rows = self.find(key)?;
        let check = OnlyIf::Listed { key: key.clone(), rows: rows.clone() };
        if !self.only_if.contains(&check) {
            self.only_if.push(check);
        }
        Ok(rows)
    }

    /// Claims near a window, by what was read.
    ///
    /// # Errors
    /// What is to be read.
    pub fn near(&self, near: &Near) -> Try<Vec<Claimed>> {
        Ok(self.reader.near(near)?.to_vec())
    }

    /// Writes a body: a new row, or the next version of a row that was read.
    pub fn set<T: Kept>(&mut self, id: impl Into<RowId>, value: T) {
        let id = id.into();
        let version = match self.reader.facts().rows.get(&id) {
            Some(Some(row)) => row.version,
            _ => 0,
        };
        self.written.insert(id, Row { id, workspace: self.env.workspace, version, body: value.into_body() });
    }

    /// The commit holds only if this row, which is read and not written, is unchanged.
    pub fn depend_on(&mut self, id: impl Into<RowId>) {
        self.depends.insert(id.into());
    }

    /// The commit holds only if this does.
    pub fn only_if(&mut self, check: OnlyIf) {
        self.only_if.push(check);
    }

    /// Tells an event. `fields`: ids and plain facts; never a PIN, never a name.
    pub fn event(&mut self, event_type: &str, order_key: impl Into<Uuid>, fields: serde_json::Value) {
        let id = EventId::from_uuid(self.env.mint());
        let payload = match fields {
            serde_json::Value::Object(map) => map,
            _ => serde_json::Map::new(),
        };
        self.events.push(EventDraft { id, event_type: event_type.to_owned(), at: self.env.now, order_key: order_key.into(), payload });
    }

    /// Rows that this draft has written so far.
    pub fn written(&self) -> impl Iterator<Item = &Row> {
        self.written.values()
    }

    /// The changeset. Rows that were set to what they were already are left out, and become preconditions.
    #[must_use]
    pub fn finish(mut self, what: &str, subject: Option<RowId>) -> Changeset {
        let facts = self.reader.facts();
        let mut put = Vec::with_capacity(self.written.len());
        for (id, row) in self.written {
            match facts.rows.get(&id) {
                Some(Some(old)) if old.body == row.body => {
                    self.depends.insert(id);
                }
                _ => {
                    self.depends.remove(&id);
                    put.push(row);
                }
            }
        }
        let depends = self
            .depends
            .iter()
            .filter(|id| put.iter().all(|r| r.id != **id))
            .map(|id| OnlyIf::Unchanged { row: *id, version: facts.rows.get(id).and_then(Option::as_ref).map_or(0, |r| r.version) });
        let mut only_if: Vec<OnlyIf> = depends.collect();
        only_if.append(&mut self.only_if);
        Changeset {
            id: ChangesetId::from_uuid(self.env.mint()),
            workspace: self.env.workspace,
            only_if,
            put,
            events: self.events,
            audit: Audit { actor: self.env.actor, reason: self.env.reason, what: what.to_owned(), subject, at: self.env.now },
        }
    }
}

/// What a secret says, for a moment.
pub(crate) fn expose(secret: &SecretString) -> &str {
    secret.expose_secret()
}
