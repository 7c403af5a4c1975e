//! Decisions, run against a small store in memory.
//!
//! [`Table`] loops a decision from what it needs to what it writes, checks every precondition and every unique key as a store must, and
//! applies what was decided.
mod accounts;
mod credentials;
mod drifts;
mod guests;
mod keys;
mod people;
mod promises;
mod scans;
mod settling;
mod spaces;
mod stays;
mod timers;
mod users;

use super::begin::{CallWhat, begin};
use super::discover::{Scan, ScannedSystem, apply_scan};
use super::settle::{Report, settle};
use super::{Draft, Env, Kept, NewAccount, NewCredential, NewGrant, NewMethod, Outcome, Stop, Try, Who};
use crate::error::{Error, ErrorKind};
use crate::model::{
    AccessGrantId, AccessMethodMode, AcsEntranceId, AcsSystemId, ConnectedAccountId, Holder, Shown, UserIdentityId, WorkspaceId,
};
use crate::provider::{
    Certainty, ChannelReport, DoorClass, DoorLimit, EntranceReport, Failure, Found, Groups, Handle, Kind, KindRules, PinRules, Receipt,
    Seen, SystemReport,
};
use crate::state::*;
use crate::store::{StaticKeys, Vault};
use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// Rows, and what decisions made of them.
pub(super) struct Table {
    rows: BTreeMap<RowId, Arc<Row>>,
    seed: u64,
    /// The tenant that decides.
    pub(super) workspace: WorkspaceId,
    /// The present instant.
    pub(super) now: DateTime<Utc>,
    /// Seals and opens.
    pub(super) vault: Vault,
    /// 0: optimistic.
    pub(super) attempt: u32,
    /// All events so far.
    pub(super) events: Vec<EventDraft>,
    /// How often the last decision had to read.
    pub(super) reads: usize,
    /// The last changeset.
    pub(super) last: Option<Changeset>,
}

impl Table {
    /// An empty store.
    pub(super) fn new() -> Self {
        Self {
            rows: BTreeMap::new(),
            seed: 1,
            workspace: WorkspaceId::from_uuid(Uuid::from_u128(0xA)),
            now: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            vault: Vault::new(Arc::new(StaticKeys::new([7; 32]))),
            attempt: 0,
            events: Vec::new(),
            reads: 0,
            last: None,
        }
    }

    /// Puts a row of this workspace, whatever was there.
    pub(super) fn put<T: Kept>(&mut self, id: impl Into<RowId>, body: T) {
        self.put_in(self.workspace, id, body);
    }
    /// Puts a row of some workspace.
    pub(super) fn put_in<T: Kept>(&mut self, workspace: WorkspaceId, id: impl Into<RowId>, body: T) {
        let id = id.into();
        let version = self.rows.get(&id).map_or(0, |r| r.version) + 1;
        self.rows.insert(id, Arc::new(Row { id, workspace, version, body: body.into_body() }));
    }
    /// A body that must be there.
    pub(super) fn get<T: Kept>(&self, id: impl Into<RowId>) -> T {
        let id = id.into();
        self.rows.get(&id).and_then(|r| T::of(&r.body)).unwrap_or_else(|| panic!("no {} {id}", T::WHAT)).clone()
    }
    /// All bodies of a kind, in the order of their ids.
    pub(super) fn all<T: Kept>(&self) -> Vec<(RowId, T)> {
        self.rows.values().filter_map(|r| Some((r.id, T::of(&r.body)?.clone()))).collect()
    }
    /// Changes a row behind the decisions' back.
    pub(super) fn edit<T: Kept>(&mut self, id: impl Into<RowId>, change: impl FnOnce(&mut T)) {
        let id = id.into();
        let mut body = self.get::<T>(id);
        change(&mut body);
        self.put(id, body);
    }
    /// The rows that a key finds.
    pub(super) fn find(&self, key: &Key) -> Vec<RowId> {
        let ours = |r: &&Arc<Row>| r.workspace == self.workspace;
        self.rows.values().filter(ours).filter(|r| r.body.lookups().contains(key)).map(|r| r.id).collect()
    }
    /// The types of the events since the last call.
    pub(super) fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.events).into_iter().map(|e| e.event_type).collect()
    }
    /// Time goes by.
    pub(super) fn pass(&mut self, by: Duration) {
        self.now += by;
    }

    /// A draft over these facts, as [`Table::run`] makes it.
    pub(super) fn env(&self) -> Env {
        let mut env = Env::new(self.workspace, self.now, Actor::Integration("test".to_owned()), self.vault.clone(), self.seed);
        env.attempt = self.attempt;
        env
    }

    /// Decides and applies.
    pub(super) fn run<T>(&mut self, decide: impl Fn(&mut Draft<'_>) -> Try<T>) -> Result<T, Error> {
        let (answer, set) = self.decide(decide)?;
        self.apply(&set)?;
        self.last = Some(set);
        self.seed += 1;
        Ok(answer)
    }

    /// Decides, and applies nothing.
    pub(super) fn decide<T>(&mut self, decide: impl Fn(&mut Draft<'_>) -> Try<T>) -> Result<(T, Changeset), Error> {
        let mut facts = Facts::default();
        self.reads = 0;
        loop {
            let mut draft = Draft::new(self.env(), &facts);
            match decide(&mut draft) {
                Ok(answer) => {
                    let set = draft.finish("test", None);
                    return Ok((answer, set));
                }
                Err(Stop::Reject(e)) => return Err(e),
                Err(Stop::Need(wanted)) => {
                    drop(draft);
                    let missing = facts.missing(&wanted);
                    assert!(!missing.is_empty(), "a decision asks for what it was told");
                    self.reads += 1;
                    assert!(self.reads < 2000, "a decision reads for ever");
                    facts.merge(self.read(&missing));
                }
            }
        }
    }

    fn row(&self, id: RowId) -> Option<Arc<Row>> {
        self.rows.get(&id).filter(|r| r.workspace == self.workspace).cloned()
    }

    fn read(&self, what: &ReadSet) -> Facts {
        let mut facts = Facts::default();
        for id in &what.rows {
            facts.rows.insert(*id, self.row(*id));
        }
        let mut found: BTreeMap<Key, Vec<RowId>> = what.keys.iter().map(|k| (k.clone(), Vec::new())).collect();
        for row in self.rows.values().filter(|r| r.workspace == self.workspace) {
            for key in row.body.lookups() {
                if let Some(ids) = found.get_mut(&key)
                    && !ids.contains(&row.id)
                {
                    ids.push(row.id);
                    facts.rows.insert(row.id, Some(Arc::clone(row)));
                }
            }
        }
        facts.keys = found;
        for near in &what.near {
            facts.near.insert(near.clone(), self.near(near));
        }
        facts
    }

    fn claims(&self) -> impl Iterator<Item = Claimed> {
        self.rows.values().flat_map(|r| r.body.claims().iter().map(|c| Claimed { claim: c.clone(), row: r.id, workspace: r.workspace }))
    }

    fn near(&self, near: &Near) -> Vec<Claimed> {
        let mut all: Vec<Claimed> = self.claims().filter(|c| c.claim.key == near.key).collect();
        all.sort_by_key(|c| (c.claim.from, c.row));
        let before = all.iter().filter(|c| c.claim.from < near.from).count();
        let within = all.iter().filter(|c| c.claim.from >= near.from && near.until.is_none_or(|u| c.claim.from < u)).count();
        let to = (before + within + Near::AFTER).min(all.len());
        all.drain(before.saturating_sub(Near::BEFORE)..to).collect()
    }

    fn apply(&mut self, set: &Changeset) -> Result<(), Error> {
        let conflict = |what: String| Error::new(ErrorKind::Conflict, "commit_conflict", what);
        for check in &set.only_if {
            let holds = match check {
                OnlyIf::Unchanged { row, version } => self.row(*row).map_or(0, |r| r.version) == *version,
                OnlyIf::Listed { key, rows } => self.find(key) == *rows,
                OnlyIf::Free { key, from, until, gap_seconds, except } => {
                    !self.claims().any(|c| c.claim.key == *key && c.row != *except && c.claim.meets(*from, *until, *gap_seconds))
                }
                OnlyIf::Fence { .. } => true,
            };
            if !holds {
                return Err(conflict(format!("{check:?}")));
            }
        }
        let mut after = self.rows.clone();
        for row in &set.put {
            let stored = after.get(&row.id).map_or(0, |r| r.version);
            if stored != row.version {
                return Err(conflict(format!("version of {}", row.id)));
            }
            after.insert(row.id, Arc::new(Row { version: stored + 1, ..row.clone() }));
        }
        let mut taken: BTreeMap<(Option<WorkspaceId>, Key), RowId> = BTreeMap::new();
        for row in after.values() {
            for key in row.body.lookups().into_iter().filter(|k| k.index.is_unique()) {
                let place = ((!key.index.is_global()).then_some(row.workspace), key);
                if let Some(other) = taken.insert(place.clone(), row.id)
                    && other != row.id
                {
                    return Err(conflict(format!("{:?} is taken", place.1)));
                }
            }
        }
        self.rows = after;
        self.events.extend(set.events.iter().cloned());
        Ok(())
    }
}

/// An id that a test can read.
pub(super) fn id<T: From<Uuid>>(n: u128) -> T {
    T::from(Uuid::from_u128(n))
}

/// A report of a system without any ability.
pub(super) fn report(fingerprint: &str) -> SystemReport {
    SystemReport::new(Handle::text(fingerprint), "Hotel", fingerprint, ChannelReport::new(format!("tcp://{fingerprint}:1"), 1))
}

/// A system that holds codes and cloud keys at any number of doors, and cards too.
pub(super) fn simple(fingerprint: &str) -> SystemReport {
    let mut report = report(fingerprint);
    for kind in [Kind::Code, Kind::CloudKey, Kind::Card] {
        report.kinds.insert(kind, KindRules::full());
    }
    report.pin = Some(PinRules::digits(4, 8));
    report
}

/// A system that thinks in users and fixed groups; its codes open what the user may pass.
pub(super) fn by_groups(fingerprint: &str) -> SystemReport {
    let mut report = simple(fingerprint);
    for kind in [Kind::User, Kind::Access] {
        report.kinds.insert(kind, KindRules::full());
    }
    report.kinds.insert(Kind::Code, KindRules { doors: DoorLimit::ByUser, ..KindRules::full() });
    report.pin = Some(PinRules { unique_in_system: true, ..PinRules::digits(4, 8) });
    report.groups = Groups::Fixed;
    report
}

/// A door that takes everything.
pub(super) fn door(name: &str) -> EntranceReport {
    let mut door = EntranceReport::new(Handle::text(name), name, DoorClass::Online);
    (door.code, door.card, door.mobile_key, door.cloud_key) = (true, true, true, true);
    door
}

/// A scan of one system with these doors.
pub(super) fn scan_of(report: &SystemReport, doors: &[&str]) -> Scan {
    let mut system = ScannedSystem::new(report.clone());
    system.entrances = Some(doors.iter().map(|name| door(name)).collect());
    Scan { systems: vec![system], readiness: None }
}

/// A connected site.
pub(super) struct Site {
    pub(super) account: ConnectedAccountId,
    pub(super) system: AcsSystemId,
    pub(super) doors: Vec<AcsEntranceId>,
}

impl Table {
    /// Connects an account that was not read yet.
    pub(super) fn connect(&mut self) -> ConnectedAccountId {
        let new = NewAccount { kind: "sandbox".to_owned(), settings: Shown::new("{\"password\":\"geheim\"}") };
        match self.run(|d| super::account::connect(d, &new)).unwrap() {
            Outcome::Account(id) => id,
            other => panic!("{other:?}"),
        }
    }
    /// Applies a scan.
    pub(super) fn scan(&mut self, account: ConnectedAccountId, scan: &Scan) {
        let scan = Ok(scan.clone());
        self.run(|d| apply_scan(d, account, &scan)).unwrap();
    }
    /// Connects an account with one system and these doors.
    pub(super) fn site(&mut self, report: &SystemReport, doors: &[&str]) -> Site {
        let account = self.connect();
        self.scan(account, &scan_of(report, doors));
        let system = AcsSystemId::from_uuid(self.find(&Key::id(Index::SystemsOf, account))[0]);
        let doors = doors.iter().map(|name| self.door(system, name)).collect();
        Site { account, system, doors }
    }
    /// A door by its vendor name.
    pub(super) fn door(&self, system: AcsSystemId, name: &str) -> AcsEntranceId {
        AcsEntranceId::from_uuid(self.find(&place_key(system, "entrance", &Handle::text(name)))[0])
    }
    /// A person with a name.
    pub(super) fn person(&mut self, name: &str) -> UserIdentityId {
        let person = super::Person { full_name: Some(name.to_owned()), ..super::Person::default() };
        match self.run(|d| super::identity::create(d, &person)).unwrap() {
            Outcome::Identity(id) => id,
            other => panic!("{other:?}"),
        }
    }
    /// A grant of a mode at doors for ten days.
    pub(super) fn grant(&mut self, who: UserIdentityId, mode: AccessMethodMode, place: impl Fn(&mut NewGrant)) -> AccessGrantId {
        let mut new = NewGrant {
            who: Who::Known(who),
            entrances: Vec::new(),
            spaces: Vec::new(),
            space_keys: Vec::new(),
            starts_at: None,
            ends_at: Some(self.now + Duration::days(10)),
            schedule: None,
            methods: vec![NewMethod::new(mode)],
            holder: Holder::Guest,
            reservation: None,
            party_entrances: Vec::new(),
            key: None,
            name: None,
        };
        place(&mut new);
        match self.run(|d| super::grant::create(d, &new)).unwrap() {
            Outcome::Grant(id) => id,
            other => panic!("{other:?}"),
        }
    }
    /// The targets of a grant's methods.
    pub(super) fn targets_of(&self, grant: AccessGrantId) -> Vec<RowId> {
        let grant = self.get::<Grant>(grant);
        grant.requested.iter().flat_map(|r| &r.methods).flat_map(|m| self.get::<Method>(*m).targets).collect()
    }
    /// Begins what is due on a row, as the engine does.
    pub(super) fn begin(&mut self, row: impl Into<RowId>) -> Option<CallWhat> {
        let row = row.into();
        self.run(|d| begin(d, row, 1)).unwrap().map(|plan| plan.what)
    }
    /// What was begun on a row came to this.
    pub(super) fn report(&mut self, row: impl Into<RowId>, report: &Report) {
        let row = row.into();
        self.run(|d| settle(d, row, 1, report)).unwrap();
    }
    /// A put, a remove or an encode came to this.
    pub(super) fn done(&mut self, row: impl Into<RowId>, result: Result<Receipt, Failure>) {
        self.report(row, &Report::Done(result));
    }
    /// A look came to this.
    pub(super) fn found(&mut self, row: impl Into<RowId>, found: Found) {
        self.report(row, &Report::Found(Ok(found)));
    }
    /// Whatever is due is called, and the system does it, until nothing is due any more.
    pub(super) fn work(&mut self) {
        for round in 0.. {
            assert!(round < 20, "it never comes to rest");
            let due = |t: &Target| t.work.due_at.is_some_and(|at| at <= self.now);
            let rows: Vec<RowId> = self.all::<Target>().into_iter().filter(|(_, t)| due(t)).map(|(row, _)| row).collect();
            if rows.is_empty() {
                return;
            }
            for row in rows {
                match self.begin(row) {
                    Some(CallWhat::Find { .. }) if self.get::<Target>(row).gone => self.found(row, Found::Absent),
                    Some(CallWhat::Find { .. }) => self.found(row, Found::Present(Seen::new(Handle::text("v"), Some(true)))),
                    Some(_) => self.done(row, Ok(Receipt::verified().with_handle(Handle::text("v")))),
                    None => {}
                }
            }
            self.pass(Duration::seconds(2));
        }
    }
    /// What is wanted is there, as if the engine had put it an hour ago.
    pub(super) fn carry_out(&mut self) {
        let hour_ago = self.now - Duration::hours(1);
        for (row, t) in self.all::<Target>() {
            if !t.gone {
                self.edit::<Target>(row, |t| {
                    t.seen = SeenState::Present { rev: t.rev, certainty: Certainty::Verified };
                    t.handle = Some(Handle::text(format!("v-{}", row.simple())));
                    t.synced_at = Some(hour_ago);
                    t.work = Work::default();
                });
            }
        }
    }
}

/// A PIN for somebody at the first door, without a grant: for so many days, or without an end.
fn direct_code(t: &mut Table, site: &Site, who: &str, days: Option<i64>) -> NewCredential {
    NewCredential {
        mode: AccessMethodMode::Code,
        user: None,
        identity: Some(t.person(who)),
        system: Some(site.system),
        entrances: vec![site.doors[0]],
        starts_at: None,
        ends_at: days.map(|days| t.now + Duration::days(days)),
        code: None,
        holder: Holder::Guest,
    }
}
