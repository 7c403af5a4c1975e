//! A small world of rows made by hand, and a look at it through the views.
mod explain;
mod objects;
mod residual;
mod truth;

use super::Viewer;
use crate::model::*;
use crate::plan::{Reader, Stop, Try};
use crate::provider::*;
use crate::state::*;
use crate::state::{Body, InstantKey, Space};
use crate::store::{StaticKeys, Vault};
use chrono::{DateTime, Duration, TimeZone, Utc};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// The present instant of every test: a Wednesday, 10:00 in Berlin.
pub(super) fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 5, 6, 8, 0, 0).unwrap()
}
pub(super) fn hours(h: i64) -> DateTime<Utc> {
    now() + Duration::hours(h)
}
pub(super) fn window(from: i64, to: i64) -> Window {
    Window::new(hours(from), Some(hours(to))).unwrap()
}

/// Rows, as a store would hold them.
#[derive(Debug)]
pub(super) struct World {
    pub(super) now: DateTime<Utc>,
    pub(super) rows: BTreeMap<RowId, Row>,
    pub(super) vault: Vault,
    rng: StdRng,
    last: u128,
    pub(super) account: ConnectedAccountId,
    pub(super) system: AcsSystemId,
    pub(super) person: UserIdentityId,
}

pub(super) const WS: WorkspaceId = WorkspaceId::from_uuid(Uuid::from_u128(7));

impl World {
    /// One account, one system that knows every kind, one person.
    pub(super) fn new() -> Self {
        let mut w = Self {
            now: now(),
            rows: BTreeMap::new(),
            vault: Vault::new(Arc::new(StaticKeys::new([3; 32]))),
            rng: StdRng::seed_from_u64(1),
            last: 0x0190_0000_0000_7000_8000_0000_0000_0000,
            account: ConnectedAccountId::from_uuid(Uuid::nil()),
            system: AcsSystemId::from_uuid(Uuid::nil()),
            person: UserIdentityId::from_uuid(Uuid::nil()),
        };
        w.account = w.id().into();
        w.system = w.id().into();
        let settings = w.seal(w.account, "settings", "{}");
        let account = json!({ "kind": "sandbox", "settings": settings, "settings_rev": 1, "memo": null, "memo_version": 0,
            "created_at": now(), "synced_at": null, "work": {}, "deleted_at": null });
        w.put(w.account, Body::Account(from(account)));
        let mut report = SystemReport::new(Handle::text("site"), "Hotel", "finger", ChannelReport::new("tcp://hotel", 1));
        report.time_zone = Some("Europe/Berlin".to_owned());
        report.external_type = "hotel_system".to_owned();
        report.external_type_display_name = "Hotel system".to_owned();
        report.stay = Some(StayRules { join: JoinBy::Generation, role_per_door: true, required: true, longest_jump_seconds: None });
        report.pin = Some(PinRules::digits(4, 8));
        for kind in [Kind::User, Kind::Access, Kind::Code, Kind::MobileKey, Kind::CloudKey] {
            report.kinds.insert(kind, KindRules::full());
        }
        let card = KindRules { card: Some(CardPath::VendorEncoder), read_back: ReadBack::None, suspend: false, ..KindRules::full() };
        report.kinds.insert(Kind::Card, card);
        let system = System {
            account: w.account,
            kind: "sandbox".to_owned(),
            report: report.into(),
            created_at: now(),
            missing_since: None,
            errors: Vec::new(),
            warnings: Vec::new(),
            missing_kinds: std::collections::BTreeSet::new(),
            graces: Graces::default(),
        };
        w.put(w.system, Body::System(system));
        w.person = w.identity("Ada Example");
        w
    }

    pub(super) fn id(&mut self) -> Uuid {
        self.last += 1;
        Uuid::from_u128(self.last)
    }
    pub(super) fn put(&mut self, id: impl Into<Uuid>, body: Body) {
        let id = id.into();
        self.rows.insert(id, Row { id, workspace: WS, version: 1, body });
    }
    pub(super) fn seal(&mut self, row: impl Into<Uuid>, field: &str, secret: &str) -> Sealed {
        self.vault.seal(WS, row.into(), field, secret, &mut self.rng).unwrap()
    }
    pub(super) fn rules(&mut self, kind: Kind, change: impl FnOnce(&mut KindRules)) {
        let Body::System(system) = &mut self.rows.get_mut(&self.system.uuid()).unwrap().body else { panic!("a system") };
        change(Arc::make_mut(&mut system.report).kinds.get_mut(&kind).unwrap());
    }
    pub(super) fn edit<T: crate::plan::Kept>(&mut self, id: impl Into<Uuid>, change: impl FnOnce(&mut T)) {
        let row = self.rows.get_mut(&id.into()).unwrap();
        let mut body = T::of(&row.body).unwrap().clone();
        change(&mut body);
        row.body = body.into_body();
    }
    pub(super) fn read<T: crate::plan::Kept>(&self, id: impl Into<Uuid>) -> T {
        T::of(&self.rows[&id.into()].body).unwrap().clone()
    }

    pub(super) fn identity(&mut self, name: &str) -> UserIdentityId {
        let id: UserIdentityId = self.id().into();
        let own = self.vault.new_own_key(WS, id.uuid(), &mut self.rng).unwrap();
        let name = self.vault.seal_own(&own, WS, id.uuid(), "full_name", name, &mut self.rng).unwrap();
        let row = json!({ "key": "ada", "own_key": own, "full_name": name, "email": null, "phone": null, "email_tag": null,
            "phone_tag": null, "merged_into": null, "created_at": now(), "deleted_at": null });
        self.put(id, Body::Identity(from(row)));
        id
    }
    pub(super) fn door(&mut self, name: &str, class: DoorClass) -> AcsEntranceId {
        let id: AcsEntranceId = self.id().into();
        let mut report = EntranceReport::new(Handle::text(name), name, class);
        (report.code, report.card, report.mobile_key, report.cloud_key) = (true, true, true, true);
        report.reservation = class == DoorClass::Guest;
        report.metadata.insert("floor".to_owned(), json!(1));
        let row = Entrance { system: self.system, account: self.account, report: report.into(), created_at: now(), missing_since: None };
        self.put(id, Body::Entrance(row));
        id
    }
    pub(super) fn stay(&mut self, key: &str, doors: &[AcsEntranceId], window: Window, generation: Option<u64>, phase: StayPhase) -> StayId {
        let id: StayId = self.id().into();
        let row = json!({ "key": key, "system": self.system, "account": self.account, "doors": doors,
            "window": window, "generation": generation, "phase": phase, "grants": [], "reopened": 0,
            "claims": doors.iter().map(|door| json!({ "key": super::door_claim(&self.vault, *door), "from": window.starts_at(),
                "until": window.ends_at(), "exclusive": false })).collect::<Vec<_>>(), "created_at": now() });
        self.put(id, Body::Stay(from(row)));
        id
    }
    /// A grant with one method and one credential of it, wanted and not yet sent.
    pub(super) fn grant(&mut self, mode: &AccessMethodMode, doors: &[AcsEntranceId], window: Window, stay: Option<StayId>) -> Granted {
        let (grant, method, target) = (self.id(), self.id(), self.id());
        let kind = match mode {
            AccessMethodMode::Code => Kind::Code,
            AccessMethodMode::Card => Kind::Card,
            AccessMethodMode::MobileKey => Kind::MobileKey,
            _ => Kind::CloudKey,
        };
        let mut sorted = doors.to_vec();
        sorted.sort_unstable();
        let (pin, at_target) = (self.seal(method, "pin", "4711"), self.seal(target, "pin", "4711"));
        let code = self.seal(grant, "requested.0", "1234");
        let is_code = *mode == AccessMethodMode::Code;
        let asked = json!([{ "mode": mode, "code": is_code.then_some(code), "at": now(), "methods": [method] }]);
        self.put(
            grant,
            Body::Grant(from(json!({ "identity": self.person, "entrances": sorted, "doors": sorted, "window": window, "requested": asked,
                "stays": stay.iter().collect::<Vec<_>>(), "reservation": stay.map(|_| "res-1"), "phase": "live", "created_at": now(), "timer": null }))),
        );
        self.put(
            method,
            Body::Method(from(json!({ "mode": mode, "identity": self.person, "grants": [grant], "doors": sorted, "targets": [target],
                "pin": is_code.then_some(pin), "created_at": now() }))),
        );
        let needs = if kind == Kind::Card { Needs::Encoding } else { Needs::Nothing };
        self.put(
            target,
            Body::Target(from(json!({ "system": self.system, "account": self.account, "channel": "sandbox|tcp://hotel",
                "of": { "method": method }, "want": { "credential": { "kind": kind, "identity": self.person, "doors": sorted, "window": window, "stay": stay } },
                "rev": 1, "seen": "never", "needs": needs, "work": {}, "pin": is_code.then_some(at_target), "created_at": hours(-1000) }))),
        );
        Granted { grant: grant.into(), method: method.into(), target }
    }
    /// What is wanted is there: made, seen, issued.
    pub(super) fn carry(&mut self, it: &Granted, certainty: Certainty) {
        let generation = self.read::<Target>(it.target).credential().and_then(|c| c.stay).map(|stay| self.read::<Stay>(stay).generation);
        let at = self.now;
        self.edit::<Target>(it.target, |t| {
            let c = t.credential().unwrap().clone();
            t.seen = SeenState::Present { rev: t.rev, certainty };
            t.needs = Needs::Nothing;
            t.issued_at = t.issued_at.or(Some(at));
            t.synced_at = Some(at);
            t.made = Some(MadeCredential {
                rev: t.rev,
                doors: c.doors,
                window: c.window,
                schedule: c.schedule,
                generation: generation.flatten(),
                opens: false,
                turn: None,
                at,
            });
        });
        self.edit::<Method>(it.method, |m| {
            (m.issued, m.ever_issued, m.issued_at) = (true, true, Some(at));
        });
    }
    /// Something else is wanted of the credential.
    pub(super) fn want(&mut self, it: &Granted, change: impl FnOnce(&mut WantedCredential)) {
        self.edit::<Target>(it.target, |t| {
            let Wanted::Credential(c) = &mut t.want else { panic!("a credential") };
            change(c);
            t.rev += 1;
            if c.kind == Kind::Card {
                t.needs = Needs::Encoding;
            }
        });
        self.edit::<Method>(it.method, |m| m.issued = false);
    }
    /// The grant is deleted; what is at the systems is still there.
    pub(super) fn delete(&mut self, it: &Granted) {
        let at = self.now;
        self.edit::<Grant>(it.grant, |g| g.phase = GrantPhase::Deleted { at });
        self.edit::<Method>(it.method, |m| (m.deleted_at, m.issued) = (Some(at), false));
        self.edit::<Target>(it.target, |t| t.gone = true);
    }
    pub(super) fn gone(&mut self, it: &Granted, certainty: Certainty) {
        self.edit::<Target>(it.target, |t| t.seen = SeenState::Absent { certainty });
    }

    /// Looks at the rows, reading as often as is asked for.
    pub(super) fn look<T>(&self, view: impl Fn(&Viewer<'_>) -> Try<T>) -> crate::error::Result<T> {
        self.look_until(view).map(|(seen, _)| seen)
    }

    /// The same, with until when it may be kept.
    pub(super) fn look_until<T>(&self, view: impl Fn(&Viewer<'_>) -> Try<T>) -> crate::error::Result<(T, DateTime<Utc>)> {
        let mut facts = Facts::default();
        for _ in 0..40 {
            let reader = Reader::new(&facts);
            let present = super::Present::new(self.now);
            let v = Viewer {
                reader: &reader,
                vault: &self.vault,
                workspace: WS,
                present: &present,
                links: "https://key.example/",
                pages: "https://connect.example",
            };
            let wanted = match view(&v) {
                Ok(seen) => return Ok((seen, present.until())),
                Err(Stop::Reject(error)) => return Err(error),
                Err(Stop::Need(wanted)) => wanted,
            };
            assert!(!wanted.is_empty(), "a stop that asks for nothing never ends");
            self.fill(&mut facts, &wanted);
        }
        panic!("the view reads for ever");
    }

    fn fill(&self, facts: &mut Facts, wanted: &ReadSet) {
        let mut ids: Vec<RowId> = wanted.rows.iter().copied().collect();
        for key in &wanted.keys {
            let found: Vec<RowId> = self.rows.values().filter(|row| row.body.lookups().contains(key)).map(|row| row.id).collect();
            ids.extend(&found);
            facts.keys.insert(key.clone(), found);
        }
        for near in &wanted.near {
            let mut found: Vec<Claimed> = Vec::new();
            for row in self.rows.values() {
                let mine = row.body.claims().iter().filter(|c| c.key == near.key);
                found.extend(mine.map(|c| Claimed { claim: c.clone(), row: row.id, workspace: WS }));
            }
            found.sort_by_key(|c| c.claim.from);
            let before: Vec<_> = found.iter().filter(|c| c.claim.from < near.from).rev().take(Near::BEFORE).cloned().collect();
            let within = found.iter().filter(|c| c.claim.from >= near.from && near.until.is_none_or(|u| c.claim.from < u)).cloned();
            let after = found.iter().filter(|c| near.until.is_some_and(|u| c.claim.from >= u)).take(Near::AFTER).cloned();
            facts.near.insert(near.clone(), before.into_iter().rev().chain(within).chain(after).collect());
        }
        for id in ids {
            facts.rows.entry(id).or_insert_with(|| self.rows.get(&id).cloned().map(Arc::new));
        }
    }

    pub(super) fn access_grant(&self, it: &Granted) -> AccessGrant {
        self.look(|v| super::access_grant(v, it.grant)).unwrap()
    }
    pub(super) fn access_method(&self, it: &Granted) -> AccessMethod {
        self.look(|v| super::access_method(v, it.method)).unwrap()
    }
    pub(super) fn acs_credential(&self, it: &Granted) -> AcsCredential {
        self.look(|v| super::acs_credential(v, it.target.into())).unwrap()
    }
}

/// A grant with its only method and its only credential.
#[derive(Clone, Copy, Debug)]
pub(super) struct Granted {
    pub(super) grant: AccessGrantId,
    pub(super) method: AccessMethodId,
    pub(super) target: RowId,
}

pub(super) fn from<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub(super) fn codes_of(warnings: &[Warning]) -> Vec<&str> {
    warnings.iter().map(|warning| warning.warning_code.as_str()).collect()
}
