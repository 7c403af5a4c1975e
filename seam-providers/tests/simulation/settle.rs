//! The end of a run: faults stop, time runs on, and then everything must be as it was asked for.
use crate::exec::{at_once, minutes};
use crate::house::{Check, House};
use chrono::{DateTime, Duration, Utc};
use seam_core::Effect;
use seam_core::plan::next::{self, Next};
use seam_core::plan::{Change, Resolution, tag_of};
use seam_core::provider::{Certainty, Kind, KindRules, Needs};
use seam_core::state::*;
use seam_core::store::{audit_genesis, verify_audit, verify_told};
use seam_core::view::question::OpenQuestion;
use std::collections::{BTreeMap, BTreeSet};

/// What the system said no to: it is tried again now and then.
fn refused(t: &Target) -> bool {
    t.work.failure.as_ref().is_some_and(|f| f.effect == Effect::Refused)
}

impl House {
    pub(crate) fn stop_faults(&mut self) {
        self.faults.plan().on = false;
        self.faults.plan().crash_at.clear();
        for site in ["hotel", "office", "slots", "mute", "inn"] {
            let s = self.world.site(site);
            s.speak();
            s.be_slow(std::time::Duration::ZERO);
        }
        for (site, encoder, _) in self.tenants.iter().flat_map(|t| &t.encoders) {
            self.world.site(site).encoder(encoder).forget_outcomes();
        }
        let phones: Vec<(String, seam_core::provider::Tag)> = {
            let watch = self.watch();
            watch.targets().filter(|(_, _, t)| t.kind() == Kind::MobileKey).map(|(row, _, t)| (t.system.to_string(), tag_of(row))).collect()
        };
        for (_, tag) in phones {
            for site in ["hotel", "inn"] {
                let phone = self.world.site(site).phone(&tag.0);
                if !phone.keys().is_empty() || self.world.site(site).count(Kind::MobileKey, &tag) > 0 {
                    phone.go_online();
                }
            }
        }
        self.restart_all();
    }

    /// Lets everything come to rest (L1) and checks it.
    pub(crate) fn settle(&mut self) -> Check {
        self.stop_faults();
        self.run_for(minutes(8))?;
        self.answer_questions()?;
        // Two readings of every account, also after the longest wait between two tries.
        self.run_for(minutes(62))?;
        self.answer_questions()?;
        self.run_for(minutes(2))?;
        self.ledger.spoiled.clear();
        self.collect();
        self.refresh()?;
        self.at_rest()?;
        self.at_the_vendor()?;
        self.no_equal_pins()?;
        let before = self.watch().writes;
        self.run_for(minutes(33))?;
        let after = self.watch().writes;
        let due = self.loads_between(self.exec.now() - minutes(33), self.exec.now());
        if after > before + self.tries_of_refused(minutes(33)) && !due {
            return Err(format!("L3: {} writes although nothing had changed for half an hour", after - before));
        }
        self.try_doors(1, true)?;
        self.encode_at_rest()?;
        self.try_doors(1, true)
    }

    /// How often what a system refuses (a user who has a PIN already, a lock that is full) is tried again in a span: four times an hour, each time with what
    /// came of it written down. That is rest too, see `at_rest`.
    fn tries_of_refused(&self, span: Duration) -> u64 {
        let watch = self.watch();
        let tried = watch.targets().filter(|(_, _, t)| refused(t) && t.work.due_at.is_some());
        tried.count() as u64 * (span.num_minutes().unsigned_abs() / 15 + 1)
    }

    /// Whether a window begins or ends in a span: then there is something to do.
    fn loads_between(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> bool {
        let watch = self.watch();
        let near = |at: DateTime<Utc>| at >= from - Duration::hours(1) && at <= until + minutes(5);
        watch.targets().any(|(_, _, t)| {
            t.credential().is_some_and(|c| {
                let start = c.window.starts_at();
                [0, 3600, 72 * 3600, 30 * 86_400].iter().any(|ahead| near(start - Duration::seconds(*ahead)))
                    || c.window.ends_at().is_some_and(near)
            })
        }) || self.ledger.grants.iter().any(|g| near(g.from) || g.until.is_some_and(near))
    }

    /// Answers every question by what is true, until none is left: each encode without an answer is asked about by itself.
    pub(crate) fn answer_questions(&mut self) -> Check {
        for tenant in 0..self.tenants.len() {
            let mut answered = 0;
            loop {
                let open = at_once(self.tenants[tenant].ws.questions()).map_err(|e| e.to_string())?;
                if open.is_empty() {
                    break;
                }
                answered += open.len();
                if answered > 500 {
                    return Err("L1: questions without end".to_owned());
                }
                for q in open {
                    self.answer(tenant, &q)?;
                }
            }
        }
        Ok(())
    }

    fn answer(&mut self, tenant: usize, q: &OpenQuestion) -> Check {
        self.collect();
        let tag = tag_of(q.acs_credential_id.uuid());
        // The card that was written since the call was begun that is asked about, if there is one.
        let ours = self.ledger.cards.iter().filter(|w| w.tag == tag && w.card.carries() == w.carries);
        let written = ours.filter_map(|w| w.card.changed_at()).any(|at| at >= q.since);
        let answer = if written { Resolution::Happened } else { Resolution::DidNot };
        self.log(|| format!("{:?} about {tag:?} is answered {answer:?}", q.kind));
        match self.ask(tenant, &Change::Resolve { credential: q.acs_credential_id, answer })? {
            Ok(_) => Ok(()),
            Err(e) if e.code() == "no_open_question" => Ok(()),
            Err(e) => Err(format!("L1: a question cannot be answered: {e}")),
        }
    }

    pub(crate) fn rules(&self, t: &Target) -> KindRules {
        let watch = self.watch();
        match watch.rows.get(&t.system.uuid()).map(|r| &r.body) {
            Some(Body::System(s)) => s.report.kinds.get(&t.kind()).cloned().unwrap_or_else(KindRules::full),
            _ => KindRules::full(),
        }
    }

    fn all_targets(&self) -> Vec<(RowId, Target)> {
        self.watch().targets().map(|(row, _, t)| (row, t.clone())).collect()
    }

    /// L1: nothing is due for ever, nothing stands still without a cause, no question without one.
    fn at_rest(&mut self) -> Check {
        let now = self.exec.now();
        for (row, t) in self.all_targets() {
            let rules = self.rules(&t);
            let what = format!("{:?} {row} {:?} rev {} gone {} {:?} work {:?}", t.kind(), t.of, t.rev, t.gone, t.seen, t.work);
            if t.work.in_flight.is_some() {
                return Err(format!("L1: still under way: {what}"));
            }
            if let Some(q) = &t.work.asks {
                return Err(format!("L1: a question is open that nothing asks: {q:?} {what}"));
            }
            match next::next(&t, &rules, now) {
                Next::Rest => {}
                Next::Do(Doing::Put { .. }) if t.work.due_at.is_some_and(|at| at > now) && t.work.failure.is_none() => {}
                Next::Do(Doing::Put { .. }) if refused(&t) => {}
                Next::Do(Doing::Put { .. }) if t.credential().is_some_and(|c| c.window.is_over(now)) => {}
                other => return Err(format!("L1: {other:?} is still to be done: {what}")),
            }
        }
        let waiting = self.watch().rows.values().find_map(|r| match &r.body {
            Body::Attempt(a) if !a.is_over() => Some(format!("{a:?}")),
            _ => None,
        });
        if let Some(a) = waiting {
            return Err(format!("L1: an attempt neither succeeds nor fails: {a}"));
        }
        Ok(())
    }

    /// S5, S6: every wanted thing is there once; what was taken away is not there; nothing of ours is there that nobody wants.
    fn at_the_vendor(&mut self) -> Check {
        let now = self.exec.now();
        let targets: BTreeMap<RowId, Target> = self.all_targets().into_iter().collect();
        let mut counts: BTreeMap<RowId, usize> = BTreeMap::new();
        for site in ["hotel", "office", "slots", "mute", "inn"] {
            for h in self.world.site(site).held() {
                let Some(row) = h.tag.as_ref().and_then(seam_core::plan::row_of) else { continue };
                *counts.entry(row).or_default() += 1;
                let Some(t) = targets.get(&row) else { return Err(format!("S5: an orphan at {site}: {h:?}")) };
                if t.gone && h.kind == Kind::Stay && self.another_may_have(row) {
                    continue;
                }
                if t.gone {
                    return Err(format!("S6: {site} holds what was taken away: {:?} {row} {:?}", t.kind(), t.seen));
                }
                if !next::wanted_there(t, &self.rules(t), now) {
                    return Err(format!("S1: {site} holds what is suspended: {:?} {row}", t.kind()));
                }
            }
        }
        for (row, t) in &targets {
            let rules = self.rules(t);
            let count = counts.get(row).copied().unwrap_or(0);
            if count > 1 {
                return Err(format!("S5: {count} things at the vendor for {:?} {row}", t.kind()));
            }
            let slot = t.credential().is_some_and(|c| c.slot.is_some());
            if !next::wanted_there(t, &rules, now) || t.credential().is_some_and(|c| c.window.is_over(now)) || slot {
                continue;
            }
            let sure = matches!(t.seen, SeenState::Present { rev, certainty } if rev == t.rev && (certainty == Certainty::Verified || t.kind() == Kind::Code));
            if sure && t.needs == Needs::Nothing && count == 0 {
                return Err(format!("S5: {:?} {row} is said to be there and is not ({:?})", t.kind(), t.seen));
            }
            let refused = t.work.failure.as_ref().is_some_and(|f| f.effect == Effect::Refused);
            let early = t.work.due_at.is_some_and(|at| at > now);
            if next::is_put(&rules) && count == 0 && !refused && !early {
                return Err(format!("S5: {:?} {row} is wanted and not there: {:?} {:?}", t.kind(), t.seen, t.work));
            }
        }
        self.slots(&targets)
    }

    /// Whether another stay has perhaps opened a room of this one: then nobody is checked out there.
    fn another_may_have(&self, target: RowId) -> bool {
        let watch = self.watch();
        let Some(TargetOf::Stay(id)) = watch.target(target).map(|t| t.of) else { return false };
        let Some(Body::Stay(mine)) = watch.rows.get(&id.uuid()).map(|r| &r.body) else { return false };
        watch.rows.values().any(|r| match &r.body {
            Body::Stay(s) => {
                r.id != id.uuid()
                    && s.phase != StayPhase::Closed
                    && s.turns.perhaps > mine.turns.sure
                    && s.turns.perhaps > s.turns.sure
                    && s.doors.iter().any(|d| mine.doors.contains(d))
            }
            _ => false,
        })
    }

    /// The lock with slots remembers digits alone: each is somebody's who may pass now.
    fn slots(&self, _targets: &BTreeMap<RowId, Target>) -> Check {
        let now = self.exec.now();
        let door = crate::house::DoorName { site: "slots".to_owned(), door: "front".to_owned() };
        for h in self.world.site("slots").held() {
            let Some(pin) = h.pin.as_ref().map(|p| secrecy::ExposeSecret::expose_secret(p).to_owned()) else { continue };
            let wanted = self
                .ledger
                .grants
                .iter()
                .any(|g| g.methods.iter().any(|(id, m)| m.pins.contains(&pin) && self.ledger.allows(*id, &door, now)));
            if !wanted && !self.ledger.by_hand.contains(&pin) {
                return Err(format!("S1: the slot {:?} holds a PIN whose time has passed or not come", h.handle));
            }
        }
        Ok(())
    }

    /// S3: no two people have one PIN at one door at the same time, nor within the gap.
    pub(crate) fn no_equal_pins(&self) -> Check {
        for site in ["hotel", "office", "slots", "mute", "inn"] {
            if self.ledger.spoiled.contains(site) {
                continue;
            }
            let held: Vec<_> = self.world.site(site).held().into_iter().filter(|h| h.kind == Kind::Code && h.pin.is_some()).collect();
            for (i, a) in held.iter().enumerate() {
                for b in &held[i + 1..] {
                    let same = match (&a.pin, &b.pin) {
                        (Some(x), Some(y)) => secrecy::ExposeSecret::expose_secret(x) == secrecy::ExposeSecret::expose_secret(y),
                        _ => false,
                    };
                    let ours = a.tag.is_some() || b.tag.is_some() || site == "slots";
                    let doors: BTreeSet<_> = a.doors.iter().map(|d| d.0.to_string()).collect();
                    let meet = b.doors.iter().any(|d| doors.contains(&d.0.to_string()));
                    let near = match (a.window, b.window) {
                        (Some(x), Some(y)) => x.widen(std::time::Duration::from_secs(3600)).overlaps(&y),
                        _ => true,
                    };
                    let by_hand = a.pin.as_ref().is_some_and(|p| self.ledger.by_hand.contains(secrecy::ExposeSecret::expose_secret(p)));
                    if same && ours && meet && near && !by_hand {
                        return Err(format!("S3: one PIN for two at {site}: {a:?} and {b:?}"));
                    }
                }
            }
        }
        Ok(())
    }

    /// S12, S13: the streams are what the commits said, without a gap, and the chain holds.
    pub(crate) fn streams(&mut self) -> Check {
        for tenant in 0..self.tenants.len() {
            let id = self.tenants[tenant].ws.id();
            let events = at_once(self.store.events(id, 0, usize::MAX)).map_err(|e| e.to_string())?;
            let told = self.watch().told.get(&id).cloned().unwrap_or_default();
            if events.len() != told.len() {
                return Err(format!("S12: {} events in the stream, {} were committed", events.len(), told.len()));
            }
            let mut ids = BTreeSet::new();
            for (i, (stored, said)) in events.iter().zip(&told).enumerate() {
                if stored.seq != i as u64 + 1 || stored.event != *said || !ids.insert(said.id) {
                    return Err(format!("S12: event {} is out of its place", stored.seq));
                }
            }
            let chain = at_once(self.store.audit(id, 0, usize::MAX)).map_err(|e| e.to_string())?;
            verify_audit(&chain, &audit_genesis(id)).map_err(|seq| format!("S13: the audit entry {seq} does not verify"))?;
            let mut from = 0usize;
            for entry in &chain {
                let to = usize::try_from(entry.last_event).unwrap_or(0);
                if !events.get(from..to).is_some_and(|told| verify_told(entry, told)) {
                    return Err(format!("S13: the audit entry {} names other events", entry.seq));
                }
                from = to;
            }
            let head = chain.last().map(|e| e.hash.clone()).unwrap_or_default();
            self.mix(&head);
        }
        Ok(())
    }

    /// Doors tried at the edges of windows: one second before each, and at it.
    pub(crate) fn edges(&mut self, at_most: usize) -> Check {
        let now = self.exec.now();
        let all = self.ledger.grants.iter().filter(|g| !g.deleted).flat_map(|g| [Some(g.from), g.until]).flatten();
        let edges: BTreeSet<DateTime<Utc>> = all.filter(|at| *at > now + Duration::seconds(2)).collect();
        let edges: Vec<DateTime<Utc>> = edges.into_iter().collect();
        let step = edges.len().div_ceil(at_most.max(1)).max(1);
        for at in edges.into_iter().step_by(step) {
            for instant in [at - Duration::seconds(1), at] {
                self.jump_to(instant)?;
                // What was put off for a moment comes too.
                self.try_doors(2, false)?;
            }
            self.run_for(minutes(5))?;
            self.try_doors(2, true)?;
        }
        Ok(())
    }
}
