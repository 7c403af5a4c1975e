//! What people do, drawn by the seed: grants asked for and changed, cards made and lost, doors tried, things broken.
use crate::exec::{at_once, minutes};
use crate::house::{Check, DoorName, House};
use crate::ledger::{Asked, SpaceAsked};
use chrono::{DateTime, Duration, DurationRound, Utc};
use seam_core::api::{GrantFilter, UserFilter, Written};
use seam_core::error::ErrorKind;
use seam_core::model::{AccessMethodId, AccessMethodMode, Holder, Page, Shown};
use seam_core::plan::{Change, GrantUpdate, MethodsOf, NewGrant, NewMethod, NewSpace, Outcome, Person, Who};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// PINs that people ask for again and again.
pub(crate) const LIKED: [&str; 4] = ["847362", "593718", "702614", "638251"];

/// What comes back from asking: what was made, or a refusal that is one.
pub(crate) fn refusal(e: &seam_core::Error) -> Check {
    match e.kind() {
        ErrorKind::InvalidInput
        | ErrorKind::NotFound
        | ErrorKind::Conflict
        | ErrorKind::Unsupported
        | ErrorKind::Exhausted
        | ErrorKind::IdempotencyConflict => Ok(()),
        _ => Err(format!("M1: a change failed inside: {e:?}")),
    }
}

fn same<T: Serialize>(read: seam_core::Result<Page<T>>, written: seam_core::Result<Page<Written>>) -> Check {
    let read = read.map_err(|e| e.to_string()).and_then(|page| serde_json::to_string(&page).map_err(|e| e.to_string()))?;
    let written = written.map_err(|e| e.to_string()).and_then(|page| serde_json::to_string(&page).map_err(|e| e.to_string()))?;
    if read == written { Ok(()) } else { Err(format!("M1: a list says {read}, and what is kept of it {written}")) }
}

impl House {
    /// One step of the script: something is asked for, time passes, doors are tried.
    pub(crate) fn act(&mut self) -> Check {
        match self.rng.below(100) {
            0..=25 => self.make_grant()?,
            26..=36 => self.move_window()?,
            37..=41 => self.suspend()?,
            42..=48 => self.delete_grant()?,
            49..=53 => self.delete_method()?,
            54..=57 => self.request_method()?,
            58..=72 => self.encode()?,
            73..=76 => self.replace_lost()?,
            77..=81 => self.change_space()?,
            82..=84 => self.person()?,
            85..=88 => self.by_hand()?,
            89..=92 => self.break_something()?,
            93..=94 => self.foreign()?,
            95 => self.rescan()?,
            96 => self.show_card()?,
            _ => self.assign()?,
        }
        self.hook()?;
        let pause = match self.rng.below(20) {
            0..=9 => Duration::seconds(self.rng.between(0, 20)),
            10..=15 => Duration::seconds(self.rng.between(20, 900)),
            16..=18 => minutes(self.rng.between(15, 300)),
            _ => Duration::hours(self.rng.between(5, 40)),
        };
        if pause > Duration::hours(4) {
            // Most of a long time passes at once, as on a machine that was asleep.
            let to = self.exec.now() + pause - minutes(20);
            self.jump_to(to)?;
            self.run_for(minutes(20))?;
        } else {
            self.run_for(pause)?;
        }
        self.no_equal_pins()?;
        self.lists_say_the_same()?;
        self.try_doors(6, false)
    }

    /// M1: a list as JSON, most of which is kept from before, is the list.
    fn lists_say_the_same(&self) -> Check {
        if self.setup.disk || self.setup.seed % 4 != 2 {
            return Ok(());
        }
        for tenant in &self.tenants {
            let (grants, users) = (GrantFilter::default(), UserFilter::default());
            same(at_once(tenant.ws.access_grants().list(&grants)), at_once(tenant.ws.access_grants().list_written(&grants)))?;
            same(at_once(tenant.ws.acs().users().list(&users)), at_once(tenant.ws.acs().users().list_written(&users)))?;
        }
        Ok(())
    }

    fn doors(&self, tenant: usize, names: &[(&str, &str)]) -> BTreeSet<DoorName> {
        let named = names.iter().map(|(s, d)| DoorName { site: (*s).to_owned(), door: (*d).to_owned() });
        named.filter(|d| self.tenants[tenant].doors.contains_key(d)).collect()
    }

    fn someone(&mut self, tenant: usize) -> Who {
        let known: Vec<_> = self.ledger.people.iter().filter(|(t, _)| *t == tenant).map(|(_, p)| *p).collect();
        if self.rng.in_1000(350)
            && let Some(person) = self.rng.of(&known)
        {
            return Who::Known(*person);
        }
        Who::Inline(Person { full_name: Some(format!("Guest {}", self.rng.below(1000))), ..Person::default() })
    }

    fn day(&mut self, hour: u32) -> DateTime<Utc> {
        let today = self.exec.now().duration_trunc(Duration::days(1)).unwrap_or_default();
        today + Duration::days(self.rng.between(0, 3)) + Duration::hours(i64::from(hour))
    }

    fn window(&mut self) -> (DateTime<Utc>, Option<DateTime<Utc>>) {
        let now = self.exec.now().duration_trunc(Duration::seconds(1)).unwrap_or_default();
        let from = now + minutes(self.rng.between(-30, 600));
        let until = match self.rng.below(10) {
            0 => None,
            1..=3 => Some(from + minutes(self.rng.between(20, 300))),
            _ => Some(from + Duration::hours(self.rng.between(2, 72))),
        };
        // A few begin and end between two seconds' marks of the system.
        let odd = Duration::seconds(self.rng.between(0, 59));
        let until = until.map(|u| (u + odd).max(now + minutes(5)));
        (from, until)
    }

    pub(crate) fn new_grant(&self, tenant: usize, doors: &BTreeSet<DoorName>, modes: &[AccessMethodMode]) -> NewGrant {
        NewGrant {
            who: Who::Inline(Person { full_name: Some("Guest".to_owned()), ..Person::default() }),
            entrances: doors.iter().filter_map(|d| self.tenants[tenant].doors.get(d).copied()).collect(),
            spaces: Vec::new(),
            space_keys: Vec::new(),
            starts_at: None,
            ends_at: None,
            schedule: None,
            methods: modes.iter().cloned().map(NewMethod::new).collect(),
            holder: Holder::Guest,
            reservation: None,
            party_entrances: Vec::new(),
            key: None,
            name: None,
        }
    }

    fn code(&mut self) -> NewMethod {
        let mut m = NewMethod::new(AccessMethodMode::Code);
        if self.rng.in_1000(600) {
            m.code = self.rng.of(&LIKED).map(|p| Shown::new(*p));
        }
        m
    }

    fn make_grant(&mut self) -> Check {
        let tenant = usize::from(self.rng.in_1000(120));
        let who = self.someone(tenant);
        let shape = if tenant == 1 { 0 } else { self.rng.below(8) };
        let mut doors;
        let mut methods = Vec::new();
        let (mut from, mut until) = self.window();
        let (mut holder, mut stay) = (Holder::Guest, None);
        let hotel = if tenant == 1 { "inn" } else { "hotel" };
        match shape {
            0..=2 => {
                let room = (101 + self.rng.below(if tenant == 1 { 2 } else { 3 })).to_string();
                doors = self.doors(tenant, &[(hotel, room.as_str())]);
                if self.rng.in_1000(400) {
                    doors.extend(self.doors(tenant, &[(hotel, "gym")]));
                    methods.push(self.code());
                }
                methods.push(NewMethod::new(AccessMethodMode::Card));
                if self.rng.in_1000(350) {
                    methods.push(NewMethod::new(AccessMethodMode::MobileKey));
                }
                (from, until) = {
                    let from = self.day(15);
                    (from, Some(from + Duration::days(self.rng.between(1, 3)) - Duration::hours(4)))
                };
                let same: Vec<(String, DateTime<Utc>, Option<DateTime<Utc>>)> = self
                    .ledger
                    .grants
                    .iter()
                    .filter(|g| {
                        !g.deleted && g.tenant == tenant && self.ledger.doors_of(g).iter().any(|d| doors.contains(d) && d.door == room)
                    })
                    .filter_map(|g| Some((g.stay.clone()?, g.from, g.until)))
                    .collect();
                let joins = self.rng.in_1000(550);
                stay = match self.rng.of(&same) {
                    Some((key, f, u)) if joins => {
                        (from, until) = (*f, *u);
                        Some(key.clone())
                    }
                    _ => {
                        self.ledger.stays += 1;
                        Some(format!("{hotel}-{room}-{}", self.ledger.stays))
                    }
                };
            }
            3 => {
                doors = self.doors(0, &[("hotel", "101"), ("hotel", "102"), ("hotel", "lobby")]);
                methods.push(NewMethod::new(AccessMethodMode::Card));
                holder = Holder::Staff;
            }
            4 => {
                let sets: [&[(&str, &str)]; 5] = [
                    &[("office", "entrance")],
                    &[("office", "entrance"), ("office", "office")],
                    &[("office", "lab")],
                    &[("office", "entrance"), ("office", "garage")],
                    &[("office", "office")],
                ];
                let set = sets[self.rng.below(sets.len())];
                doors = self.doors(0, set);
                methods.push(self.code());
                if self.rng.in_1000(400) {
                    methods.push(NewMethod::new(AccessMethodMode::CloudKey));
                }
                if self.rng.in_1000(300) {
                    methods.push(NewMethod::new(AccessMethodMode::Card));
                }
            }
            5 => {
                doors = self.doors(0, &[("slots", "front")]);
                methods.push(self.code());
            }
            6 => {
                doors = self.doors(0, &[("slots", "front"), ("mute", "front"), ("hotel", "gym"), ("hotel", "pool")]);
                methods.push(self.code());
                if self.rng.in_1000(300) {
                    methods.push(self.code());
                }
            }
            _ => {
                doors = self.doors(0, &[("hotel", "gym"), ("mute", "front"), ("office", "lab")]);
                methods.push(self.code());
            }
        }
        let mut new = self.new_grant(tenant, &doors, &[]);
        let mut spaces = Vec::new();
        if shape >= 5 && self.rng.in_1000(400) {
            let known: Vec<_> = self.ledger.spaces.iter().filter(|s| !s.deleted && s.tenant == tenant).map(|s| s.id).collect();
            if let Some(space) = self.rng.of(&known) {
                spaces.push(*space);
                new.spaces.push(*space);
            }
        }
        (new.who, new.methods, new.holder) = (who, methods, holder);
        (new.starts_at, new.ends_at, new.reservation) = (Some(from), until, stay.clone());
        if self.rng.in_1000(200) {
            new.key = Some(format!("key-{}", self.rng.next()));
        }
        self.create(tenant, &new, doors, spaces).map(drop)
    }

    /// Asks for a grant and writes it into the ledger.
    pub(crate) fn create(
        &mut self,
        tenant: usize,
        new: &NewGrant,
        doors: BTreeSet<DoorName>,
        spaces: Vec<seam_core::model::SpaceId>,
    ) -> Result<Option<usize>, String> {
        for m in &new.methods {
            if let Some(code) = &m.code {
                let code = code.expose().to_owned();
                self.watch().canaries.insert(code);
            }
        }
        let key = format!("create-{}", self.ledger.grants.len());
        let twice = self.rng.in_1000(150);
        let change = Change::CreateGrant(Box::new(new.clone()));
        let got = self.ask(tenant, &change)?;
        self.log(|| {
            format!("create {doors:?} {:?}..{:?} stay {:?}: {:?}", new.starts_at, new.ends_at, new.reservation, got.as_ref().err())
        });
        let id = match got {
            Ok(Outcome::Grant(id)) => id,
            Ok(other) => return Err(format!("a grant was asked for, {other:?} was made")),
            Err(e) => {
                refusal(&e)?;
                return Ok(None);
            }
        };
        if self.ledger.grants.iter().any(|g| g.id == id) {
            return Err(format!("S10: a new grant is an old one: {id}"));
        }
        let seen = at_once(self.tenants[tenant].ws.access_grants().get(id))
            .map_err(|e| format!("S11: a grant that was made is not there: {e}"))?;
        let person = seen.user_identity_id;
        if !self.ledger.people.contains(&(tenant, person)) {
            self.ledger.people.push((tenant, person));
        }
        self.ledger.grants.push(Asked {
            tenant,
            id,
            person,
            entrances: doors,
            spaces,
            from: seen.starts_at,
            until: seen.ends_at,
            suspended: false,
            deleted: false,
            stay: new.reservation.clone(),
            methods: BTreeMap::new(),
            changed: self.exec.now(),
        });
        self.refresh()?;
        if twice && new.key.is_some() {
            self.repeat(tenant, &key, new, id)?;
        }
        Ok(Some(self.ledger.grants.len() - 1))
    }

    /// The same key again: the same content gives the same grant, other content is refused.
    fn repeat(&mut self, tenant: usize, key: &str, new: &NewGrant, id: seam_core::model::AccessGrantId) -> Check {
        let same = self.ask(tenant, &Change::CreateGrant(Box::new(new.clone())))?;
        if !matches!(same, Ok(Outcome::Grant(again)) if again == id) {
            return Err(format!("S12: the same grant asked for twice gives {same:?}"));
        }
        let mut other = new.clone();
        other.ends_at = other.ends_at.map(|e| e + minutes(7));
        other.name = Some("another".to_owned());
        let change = Change::CreateGrant(Box::new(other));
        match self.ask(tenant, &change)? {
            Err(e) if e.kind() == ErrorKind::IdempotencyConflict => {}
            got => return Err(format!("S12: other content under a used access_grant_key gives {got:?}")),
        }
        // The idempotency key of a call.
        let space = |name: &str| Change::CreateSpace(NewSpace::builder().name(name).build());
        let first = self.ask_under(tenant, key, &space("a"))?;
        let again = self.ask_under(tenant, key, &space("a"))?;
        if first.as_ref().ok() != again.as_ref().ok() {
            return Err(format!("S12: one call under one key gave {first:?} and {again:?}"));
        }
        match self.ask_under(tenant, key, &space("b"))? {
            Err(e) if e.kind() == ErrorKind::IdempotencyConflict => Ok(()),
            got => Err(format!("S12: another call under a used key gives {got:?}")),
        }
    }

    fn pick(&mut self) -> Option<usize> {
        let live = self.ledger.live();
        self.rng.of(&live).copied()
    }

    /// Tells the ledger that a grant was changed, if it was.
    pub(crate) fn changed(&mut self, i: usize, got: Result<Outcome, seam_core::Error>, change: impl FnOnce(&mut Asked)) -> Check {
        match got {
            Ok(_) => {
                change(&mut self.ledger.grants[i]);
                self.ledger.grants[i].changed = self.exec.now();
                self.refresh()
            }
            Err(e) => refusal(&e),
        }
    }

    fn move_window(&mut self) -> Check {
        let Some(i) = self.pick() else { return Ok(()) };
        let g = self.ledger.grants[i].clone();
        let (mut from, mut until) = (g.from, g.until);
        match self.rng.below(5) {
            0 | 1 => until = until.map(|u| u + Duration::hours(self.rng.between(1, 30))),
            2 => until = until.map(|u| u - Duration::hours(self.rng.between(1, 20))),
            3 => {
                let by = Duration::hours(self.rng.between(-30, 30));
                (from, until) = (from + by, until.map(|u| u + by));
            }
            _ => until = if self.rng.in_1000(200) { None } else { Some(self.exec.now() + minutes(self.rng.between(1, 90))) },
        }
        self.update(i, from, until)
    }

    pub(crate) fn update(&mut self, i: usize, from: DateTime<Utc>, until: Option<DateTime<Utc>>) -> Check {
        let g = self.ledger.grants[i].clone();
        let mut u = GrantUpdate::new(g.id);
        (u.starts_at, u.ends_at) = (Some(from), Some(until));
        let got = self.ask(g.tenant, &Change::UpdateGrant(u))?;
        self.log(|| format!("update {} to {from}..{until:?}: {:?}", g.id, got.as_ref().err()));
        if from != g.from {
            self.ledger.moved.extend(g.stay);
        }
        self.changed(i, got, |g| (g.from, g.until) = (from, until))
    }

    fn suspend(&mut self) -> Check {
        let Some(i) = self.pick() else { return Ok(()) };
        let to = !self.ledger.grants[i].suspended;
        self.suspend_grant(i, to)
    }

    pub(crate) fn suspend_grant(&mut self, i: usize, suspended: bool) -> Check {
        let (tenant, grant) = (self.ledger.grants[i].tenant, self.ledger.grants[i].id);
        let got = self.ask(tenant, &Change::SuspendGrant { grant, suspended })?;
        self.log(|| format!("suspend {grant} {suspended}: {:?}", got.as_ref().err()));
        self.changed(i, got, |g| g.suspended = suspended)
    }

    fn delete_grant(&mut self) -> Check {
        let Some(i) = self.pick() else { return Ok(()) };
        self.delete(i)
    }

    pub(crate) fn delete(&mut self, i: usize) -> Check {
        let (tenant, grant) = (self.ledger.grants[i].tenant, self.ledger.grants[i].id);
        let got = self.ask(tenant, &Change::DeleteGrant { grant })?;
        self.log(|| format!("delete {grant}: {:?}", got.as_ref().err()));
        self.changed(i, got, |g| g.deleted = true)
    }

    pub(crate) fn method(&mut self, fits: impl Fn(&crate::ledger::Mine, &Asked) -> bool) -> Option<(usize, AccessMethodId)> {
        let all: Vec<(usize, AccessMethodId)> = self
            .ledger
            .grants
            .iter()
            .enumerate()
            .filter(|(_, g)| !g.deleted)
            .flat_map(|(i, g)| g.methods.iter().filter(|(_, m)| !m.deleted && fits(m, g)).map(move |(id, _)| (i, *id)))
            .collect();
        self.rng.of(&all).copied()
    }

    fn delete_method(&mut self) -> Check {
        let Some((i, id)) = self.method(|_, _| true) else { return Ok(()) };
        let got = self.ask(self.ledger.grants[i].tenant, &Change::DeleteMethods(MethodsOf::Method(id)))?;
        self.log(|| format!("delete method {id}: {:?}", got.as_ref().err()));
        if got.is_ok() {
            for g in &mut self.ledger.grants {
                if let Some(m) = g.methods.get_mut(&id) {
                    m.deleted = true;
                }
            }
        }
        self.changed(i, got, |_| {})
    }

    fn request_method(&mut self) -> Check {
        let Some(i) = self.pick() else { return Ok(()) };
        let (tenant, grant) = (self.ledger.grants[i].tenant, self.ledger.grants[i].id);
        let m = if self.rng.in_1000(500) { self.code() } else { NewMethod::new(AccessMethodMode::Card) };
        let got = self.ask(tenant, &Change::RequestMethods { grant, methods: vec![m] })?;
        self.log(|| format!("request method of {grant}: {:?}", got.as_ref().err()));
        self.changed(i, got, |_| {})
    }

    fn change_space(&mut self) -> Check {
        let pool = [("hotel", "gym"), ("hotel", "pool"), ("hotel", "lobby"), ("mute", "front"), ("slots", "front"), ("office", "lab")];
        let mut some = BTreeSet::new();
        for (site, door) in pool {
            if self.rng.in_1000(400) {
                some.extend(self.doors(0, &[(site, door)]));
            }
        }
        let ids = |house: &Self, doors: &BTreeSet<DoorName>| -> Vec<_> {
            doors.iter().filter_map(|d| house.tenants[0].doors.get(d).copied()).collect()
        };
        let known: Vec<usize> = self.ledger.spaces.iter().enumerate().filter(|(_, s)| !s.deleted).map(|(i, _)| i).collect();
        let Some(s) = self.rng.of(&known).copied().filter(|_| known.len() >= 2 || self.rng.in_1000(600)) else {
            let change = Change::CreateSpace(NewSpace::builder().name("Floor").entrances(ids(self, &some)).build());
            return match self.ask(0, &change)? {
                Ok(Outcome::Space(id)) => {
                    self.ledger.spaces.push(SpaceAsked { tenant: 0, id, doors: some, deleted: false });
                    Ok(())
                }
                Ok(other) => Err(format!("a space was asked for, {other:?} was made")),
                Err(e) => refusal(&e),
            };
        };
        let (grow, shrink): (BTreeSet<_>, BTreeSet<_>) = some.into_iter().partition(|_| self.rng.in_1000(500));
        self.space_doors(s, &grow, &shrink)
    }

    pub(crate) fn space_doors(&mut self, s: usize, grow: &BTreeSet<DoorName>, shrink: &BTreeSet<DoorName>) -> Check {
        let space = self.ledger.spaces[s].id;
        let ids = |doors: &BTreeSet<DoorName>| -> Vec<_> { doors.iter().filter_map(|d| self.tenants[0].doors.get(d).copied()).collect() };
        let change = Change::ChangeSpaceEntrances { space, add: ids(grow), remove: ids(shrink) };
        let got = self.ask(0, &change)?;
        self.log(|| format!("space {space} +{grow:?} -{shrink:?}: {:?}", got.as_ref().err()));
        match got {
            Ok(_) => {
                let doors = &mut self.ledger.spaces[s].doors;
                doors.extend(grow.iter().cloned());
                doors.retain(|d| !shrink.contains(d));
                self.refresh()
            }
            Err(e) => refusal(&e),
        }
    }

    fn person(&mut self) -> Check {
        let people = self.ledger.people.clone();
        let Some((tenant, identity)) = self.rng.of(&people).copied() else { return Ok(()) };
        let others: Vec<_> = people.iter().filter(|(t, p)| *t == tenant && *p != identity).map(|(_, p)| *p).collect();
        let draw = self.rng.below(4);
        if draw < 2
            && let Some(other) = self.rng.of(&others).copied()
        {
            let got = self.ask(tenant, &Change::MergeIdentities { identity, merged: vec![other] })?;
            self.log(|| format!("merge {other} into {identity}: {:?}", got.as_ref().err()));
            if let Err(e) = got {
                return refusal(&e);
            }
            self.ledger.people.retain(|(_, p)| *p != other);
            self.ledger.grants.iter_mut().filter(|g| g.person == other).for_each(|g| g.person = identity);
            return self.refresh();
        }
        let change = if draw == 2 { Change::DeleteIdentity { identity } } else { Change::EraseIdentity { identity } };
        let got = self.ask(tenant, &change)?;
        self.log(|| format!("{} {identity}: {:?}", change.name(), got.as_ref().err()));
        if let Err(e) = got {
            return refusal(&e);
        }
        self.ledger.people.retain(|(_, p)| *p != identity);
        self.ledger.grants.iter_mut().filter(|g| g.person == identity).for_each(|g| g.deleted = true);
        self.refresh()
    }

    /// S10: what belongs to another tenant is not there.
    fn foreign(&mut self) -> Check {
        let Some(i) = self.pick() else { return Ok(()) };
        let g = self.ledger.grants[i].clone();
        let other = 1 - g.tenant;
        if at_once(self.tenants[other].ws.access_grants().get(g.id)).is_ok() || at_once(self.tenants[other].ws.history(g.id)).is_ok() {
            return Err("S10: another tenant's grant is shown".to_owned());
        }
        let mut changes = vec![
            Change::DeleteGrant { grant: g.id },
            Change::SuspendGrant { grant: g.id, suspended: true },
            Change::UpdateGrant(GrantUpdate::new(g.id)),
            Change::DeleteIdentity { identity: g.person },
        ];
        changes.extend(g.methods.keys().map(|m| Change::DeleteMethods(MethodsOf::Method(*m))));
        changes.extend(g.methods.keys().map(|m| Change::ReplaceLost { method: *m }));
        let door = self.tenants[g.tenant].doors.values().next().copied();
        let mut foreign = self.new_grant(other, &BTreeSet::new(), &[AccessMethodMode::Card]);
        foreign.entrances = door.into_iter().collect();
        changes.push(Change::CreateGrant(Box::new(foreign)));
        for change in changes {
            let got = self.ask(other, &change).map_err(|e| format!("S10: {} of another tenant's thing: {e}", change.name()))?;
            match got {
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                got => return Err(format!("S10: {} of another tenant's thing gives {got:?}", change.name())),
            }
        }
        Ok(())
    }

    fn rescan(&mut self) -> Check {
        let account = self.rng.of(&self.tenants[0].accounts).copied();
        let Some(account) = account else { return Ok(()) };
        let got = self.ask(0, &Change::Rescan { account })?;
        got.map(drop).or_else(|e| refusal(&e))
    }
}
