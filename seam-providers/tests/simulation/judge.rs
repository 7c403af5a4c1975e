//! Doors, tried with everything that people carry (S1, S2, S8): what a lock says against what was asked for and which cards were written.
use crate::exec::at_once;
use crate::house::{Check, DoorName, House};
use crate::ledger::{Asked, Used, Written};
use chrono::{DateTime, Duration, Utc};
use seam_core::model::{AccessMethodId, AccessMethodMode};
use seam_core::provider::{Kind, Tag};
use seam_core::state::TargetOf;
use seam_providers::sandbox::{Attempt, Site, SiteConfig};
use std::collections::{BTreeMap, BTreeSet};

/// Something that opens doors.
#[derive(Clone, Debug)]
enum Credential {
    Card(Written),
    Pin(String),
    Phone(String, Tag),
    Cloud(String, seam_core::provider::Handle),
}

/// Whether a window that the site rounds inwards may not have begun, or be over.
fn at_a_rounded_edge(config: &SiteConfig, mode: &AccessMethodMode, g: &Asked, now: DateTime<Utc>) -> bool {
    let kind = match *mode {
        AccessMethodMode::Code => Kind::Code,
        AccessMethodMode::Card => Kind::Card,
        AccessMethodMode::MobileKey => Kind::MobileKey,
        _ => Kind::CloudKey,
    };
    let step = config.kinds.get(&kind).map_or(1, |rules| i64::from(rules.resolution_seconds.max(1)));
    let step = Duration::seconds(step);
    now < g.from + step || g.until.is_some_and(|end| now >= end - step)
}

impl House {
    /// Takes the cards that encoders have written.
    pub(crate) fn collect(&mut self) {
        let encoders: Vec<(usize, String, String)> =
            self.tenants.iter().enumerate().flat_map(|(i, t)| t.encoders.iter().map(move |(s, e, _)| (i, s.clone(), e.clone()))).collect();
        for (_, site, encoder) in encoders {
            for card in self.world.site(&site).encoder(&encoder).take_written() {
                self.took(&site, card);
            }
        }
    }

    /// Somebody takes a card from an encoder.
    pub(crate) fn took(&mut self, site: &str, card: seam_providers::sandbox::Card) {
        let Some(tag) = card.tag() else { return };
        let carries = card.carries();
        if self.ledger.cards.iter().any(|w| w.card.uid() == card.uid() && w.carries == carries) {
            // It was laid there and taken back as it was.
            return;
        }
        let (method, stay_key) = {
            let watch = self.watch();
            let target = seam_core::plan::row_of(&tag).and_then(|row| watch.target(row).cloned());
            let method = target.as_ref().and_then(|t| match t.of {
                TargetOf::Method(m) => Some(m),
                _ => None,
            });
            (method, target.and_then(|t| t.credential().and_then(|c| c.stay)).is_some())
        };
        let Some(g) = method.and_then(|m| self.ledger.grants_of(m).next()) else { return };
        let stay = g.stay.clone().filter(|_| stay_key);
        let epoch = stay.as_ref().and_then(|s| self.ledger.reopened.get(s)).copied().unwrap_or(0);
        let (from, until) = (g.from, g.until);
        let order = self.ledger.cards.len();
        let written = Written { card, carries, site: site.to_owned(), tag, method, stay, epoch, from, until, order };
        self.log(|| format!("a card was written: {} {:?} {:?}", written.tag.0, written.stay, written.epoch));
        self.ledger.cards.push(written);
    }

    /// Looks at the methods of all grants, as their owner would.
    pub(crate) fn refresh(&mut self) -> Check {
        let mut pins = BTreeSet::new();
        for g in &mut self.ledger.grants {
            if g.deleted {
                continue;
            }
            let ws = &self.tenants[g.tenant].ws;
            let seen = at_once(ws.access_grants().get(g.id)).map_err(|e| format!("S11: a grant that was made is gone: {e}"))?;
            for id in seen.access_method_ids {
                let Ok(m) = at_once(ws.access_methods().get(id)) else { continue };
                let mine = g.methods.entry(id).or_insert_with(|| crate::ledger::Mine {
                    mode: m.mode.clone(),
                    deleted: false,
                    pins: BTreeSet::new(),
                });
                if let Some(pin) = m.code {
                    pins.insert(pin.expose().to_owned());
                    mine.pins.insert(pin.expose().to_owned());
                }
            }
        }
        self.watch().canaries.extend(pins);
        Ok(())
    }

    fn credentials(&self) -> Vec<Credential> {
        let mut all: Vec<Credential> = Vec::new();
        // A card that was written over is another card now.
        all.extend(self.ledger.cards.iter().filter(|w| w.card.carries() == w.carries).cloned().map(Credential::Card));
        let pins: BTreeSet<&String> = self.ledger.grants.iter().flat_map(|g| g.methods.values()).flat_map(|m| &m.pins).collect();
        all.extend(pins.into_iter().cloned().map(Credential::Pin));
        for (row, _, t) in self.watch().targets() {
            let Some(site) = self.site_of(t.system.uuid()) else { continue };
            match t.kind() {
                seam_core::provider::Kind::MobileKey => all.push(Credential::Phone(site, seam_core::plan::tag_of(row))),
                seam_core::provider::Kind::CloudKey => all.extend(t.handle.clone().map(|h| Credential::Cloud(site, h))),
                _ => {}
            }
        }
        all
    }

    pub(crate) fn site_of(&self, system: seam_core::state::RowId) -> Option<String> {
        None.or_else(|| self.systems().get(&system).cloned())
    }

    fn systems(&self) -> BTreeMap<seam_core::state::RowId, String> {
        let mut systems = BTreeMap::new();
        for t in &self.tenants {
            for s in at_once(t.ws.acs().systems().list(None, 100)).map(|p| p.items).unwrap_or_default() {
                systems.insert(s.acs_system_id.uuid(), s.name);
            }
        }
        systems
    }

    fn methods_with_pin(&self, pin: &str) -> Vec<AccessMethodId> {
        let all = self.ledger.grants.iter().flat_map(|g| g.methods.iter());
        all.filter(|(_, m)| m.pins.contains(pin)).map(|(id, _)| *id).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn method_of(&self, tag: &Tag) -> Option<AccessMethodId> {
        let watch = self.watch();
        match watch.target(seam_core::plan::row_of(tag)?)?.of {
            TargetOf::Method(m) => Some(m),
            _ => None,
        }
    }

    /// Tries doors. `one_in`: so few of all pairs. `strict`: nothing is under way, so what is issued must open.
    pub(crate) fn try_doors(&mut self, one_in: usize, strict: bool) -> Check {
        self.collect();
        self.refresh()?;
        let doors: Vec<(usize, DoorName)> =
            self.tenants.iter().enumerate().flat_map(|(i, t)| t.doors.keys().map(move |d| (i, d.clone()))).collect();
        let mut tries: Vec<(Credential, usize, DoorName)> = Vec::new();
        for c in self.credentials() {
            for (tenant, door) in &doors {
                let here = match &c {
                    Credential::Card(w) => w.site == door.site,
                    Credential::Pin(_) => true,
                    Credential::Phone(site, _) | Credential::Cloud(site, _) => *site == door.site,
                };
                if here && self.rng.below(one_in) == 0 {
                    tries.push((c.clone(), *tenant, door.clone()));
                }
            }
        }
        // In any order: who tries first must not matter to those who may pass.
        for i in (1..tries.len()).rev() {
            let j = self.rng.below(i + 1);
            tries.swap(i, j);
        }
        for (c, tenant, door) in tries {
            self.try_one(&c, tenant, &door, strict)?;
        }
        Ok(())
    }

    fn try_one(&mut self, c: &Credential, tenant: usize, door: &DoorName, strict: bool) -> Check {
        let now = self.exec.now();
        let site: Site = self.world.site(&door.site);
        let d = site.door(&door.door);
        let (answer, methods): (Attempt, Vec<AccessMethodId>) = match c {
            Credential::Card(w) => (d.present(&w.card), w.method.into_iter().collect()),
            Credential::Pin(pin) => (d.enter_pin(pin), self.methods_with_pin(pin)),
            Credential::Phone(_, tag) => (d.present(&site.phone(&tag.0).showing(tag)), self.method_of(tag).into_iter().collect()),
            Credential::Cloud(_, handle) => {
                let answer = d.cloud_open(handle);
                let methods = answer.tag.as_ref().and_then(|t| self.method_of(t)).into_iter().collect();
                (answer, methods)
            }
        };
        self.mix(&format!("{} {} {} {}", now.timestamp_millis(), door.site, answer.door, answer.why));
        let spoiled = self.ledger.spoiled.contains(&door.site);
        if answer.opened {
            self.log(|| format!("{c:?} opens {door:?}"));
            if !spoiled {
                self.opened(c, tenant, door, &methods, strict)?;
            }
            match c {
                Credential::Card(w) => self.overridden(w, door)?,
                Credential::Phone(..) => self.phone_used(&methods, door),
                _ => {}
            }
        } else if strict && !spoiled {
            self.refused(c, door, &methods, answer.why.to_string().as_str())?;
        }
        Ok(())
    }

    /// S1, S2: whoever passes is allowed to, or it is said that she still can.
    fn opened(&self, c: &Credential, tenant: usize, door: &DoorName, methods: &[AccessMethodId], strict: bool) -> Check {
        let now = self.exec.now();
        if methods.iter().any(|m| self.ledger.allows(*m, door, now)) {
            return Ok(());
        }
        // Where permissions belong to the user, each of her credentials opens what any of her grants does.
        if door.site == "office" && methods.iter().any(|m| self.ledger.person_may(*m, door, now, strict)) {
            return Ok(());
        }
        if matches!(c, Credential::Pin(pin) if self.ledger.by_hand.contains(pin)) {
            return Ok(());
        }
        let id = self.tenants[tenant].doors.get(door).copied();
        let mut about = String::new();
        for g in methods.iter().flat_map(|m| self.ledger.grants_of(*m)) {
            let kept = at_once(self.tenants[g.tenant].ws.history(g.id)).map_err(|e| format!("S11: a grant has no history: {e}"))?;
            let left = &kept.grant.residual_access;
            if left.iter().any(|r| Some(r.acs_entrance_id) == id && r.until.is_none_or(|u| u > now)) {
                return Ok(());
            }
            // A lock that keeps no window goes on until the engine comes to it.
            if !strict && door.site == "slots" && g.until.is_some_and(|end| end <= now) {
                return Ok(());
            }
            about = format!(
                "{about}; grant {} asked {}..{:?} suspended {} deleted {} residual {left:?}",
                g.id, g.from, g.until, g.suspended, g.deleted
            );
        }
        Err(format!("S2: {c:?} opens {door:?} at {now}, which nobody asked for{about}"))
    }

    /// S8: what a later guest, or a card in place of a lost one, has ended stays ended.
    fn overridden(&mut self, w: &Written, door: &DoorName) -> Check {
        let guest = door.door.parse::<u32>().is_ok();
        let Some(stay) = w.stay.clone().filter(|_| guest) else { return Ok(()) };
        let calm = self.setup.rates.0 == 0;
        let before: BTreeSet<String> = if calm { self.ledger.opened_after(&stay, w) } else { BTreeSet::new() };
        let used = self.ledger.used.entry(door.clone()).or_default();
        for u in used.iter() {
            if before.contains(&u.stay) {
                return Err(format!("S8: the card {w:?} opens {door:?} although the stay {} was opened after it and used there", u.stay));
            }
            if u.stay == stay && u.epoch > w.epoch {
                return Err(format!("S8: the card {:?} opens {door:?} although the one in its place was used", w));
            }
            if u.stay != stay && w.until.is_some_and(|end| end <= u.from) {
                return Err(format!("S8: the card {w:?} opens {door:?} although the later stay {} was used there", u.stay));
            }
        }
        let this = Used { stay, epoch: w.epoch, from: w.from, until: w.until };
        if !used.iter().any(|u| u.stay == this.stay && u.epoch == this.epoch) {
            used.push(this);
        }
        Ok(())
    }

    /// A phone opens rooms as cards do; which number it has is not seen from outside.
    fn phone_used(&mut self, methods: &[AccessMethodId], door: &DoorName) {
        let g = methods.iter().find_map(|m| self.ledger.grants_of(*m).next());
        let Some((stay, from, until)) = g.and_then(|g| Some((g.stay.clone()?, g.from, g.until))) else { return };
        let used = self.ledger.used.entry(door.clone()).or_default();
        if door.door.parse::<u32>().is_ok() && !used.iter().any(|u| u.stay == stay) {
            used.push(Used { stay, epoch: 0, from, until });
        }
    }

    /// L1, S8: what is said to be issued opens.
    fn refused(&self, c: &Credential, door: &DoorName, methods: &[AccessMethodId], why: &str) -> Check {
        let now = self.exec.now();
        let config = self.world.site(&door.site).config();
        let able = config.doors.iter().find(|d| d.handle.as_text() == Some(door.door.as_str()));
        for m in methods.iter().filter(|m| self.ledger.allows(**m, door, now)) {
            let Some(g) = self.ledger.grants_of(*m).find(|g| !g.deleted && self.ledger.doors_of(g).contains(door)) else { continue };
            let Ok(seen) = at_once(self.tenants[g.tenant].ws.access_methods().get(*m)) else { continue };
            let takes = able.is_some_and(|d| match seen.mode {
                AccessMethodMode::Code => d.code,
                AccessMethodMode::Card => d.card,
                AccessMethodMode::MobileKey => d.mobile_key,
                AccessMethodMode::CloudKey => d.cloud_key,
                _ => false,
            });
            if !seen.is_issued || !takes || at_a_rounded_edge(&config, &seen.mode, g, now) {
                continue;
            }
            let current = match c {
                // Its PIN may be another one by now, or be for other doors.
                Credential::Pin(pin) => seen.code.as_ref().is_some_and(|code| code.expose() == pin) && self.only_code(g.id, *m, door),
                // The latest card of a method is the one that counts; another stay may have the room.
                Credential::Card(w) => self.is_latest(w) && !self.taken_over(w, door),
                Credential::Phone(..) => !self.taken_over_stay(g.stay.as_deref(), g.from, door),
                Credential::Cloud(..) => true,
            };
            if current && self.for_door(*m, door) {
                return Err(format!("S2: {c:?} of {m} does not open {door:?} at {now}: {why}; the method says that it is issued"));
            }
        }
        Ok(())
    }

    /// Whether the method is for that door, as far as its owner can know.
    fn for_door(&self, m: AccessMethodId, door: &DoorName) -> bool {
        let watch = self.watch();
        let Some(row) = watch.rows.get(&m.uuid()) else { return false };
        let id = self.tenants.iter().find_map(|t| t.doors.get(door));
        matches!(&row.body, seam_core::state::Body::Method(m) if id.is_some_and(|id| m.doors.contains(id)))
    }

    /// No other code of the grant is for that door.
    fn only_code(&self, _g: seam_core::model::AccessGrantId, _m: AccessMethodId, _door: &DoorName) -> bool {
        true
    }

    fn is_latest(&self, w: &Written) -> bool {
        !self.ledger.cards.iter().any(|other| other.order > w.order && other.tag == w.tag)
    }

    fn taken_over(&self, w: &Written, door: &DoorName) -> bool {
        self.taken_over_stay(w.stay.as_deref(), w.from, door)
    }

    fn taken_over_stay(&self, stay: Option<&str>, from: DateTime<Utc>, door: &DoorName) -> bool {
        let used = self.ledger.used.get(door).map(Vec::as_slice).unwrap_or_default();
        stay.is_some_and(|stay| used.iter().any(|u| u.stay != stay && (u.from >= from || u.until.is_none_or(|end| end > from))))
    }
}
