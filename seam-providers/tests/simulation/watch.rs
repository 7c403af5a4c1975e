//! Looks at every commit: legal edges (M1), stale workers (S7), roles in a stay (S8), events (S12), marks before calls (S13), secrets (S14), calls
//! per hour (L4).
use crate::hooks::Hooks;
use chrono::{DateTime, Duration, Utc};
use seam_core::error::Effect;
use seam_core::model::{AcsEncoderId, WorkspaceId};
use seam_core::plan::begin::CallPlan;
use seam_core::state::*;
use seam_core::store::Lease;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;

type Instant = DateTime<Utc>;

/// Calls for one row within an hour, at most. Retries double from 2 s to 15 min: a dozen; as much again for the questions in between.
const CALLS_PER_HOUR: usize = 60;

#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) rows: BTreeMap<RowId, Row>,
    /// What was told, as the changesets said.
    pub(crate) told: BTreeMap<WorkspaceId, Vec<EventDraft>>,
    pub(crate) hooks: Hooks,
    pub(crate) wrong: Vec<String>,
    pub(crate) commits: u64,
    pub(crate) calls: u64,
    /// Calls that change something at a vendor.
    pub(crate) writes: u64,
    pub(crate) leases: BTreeMap<Channel, Held>,
    pub(crate) last_calls: BTreeMap<RowId, VecDeque<Instant>>,
    /// An encode or scan there ended without an answer: when.
    pub(crate) doubtful: BTreeMap<AcsEncoderId, Instant>,
    /// Digits that must show nowhere.
    pub(crate) canaries: BTreeSet<String>,
    pub(crate) trace: Option<Vec<String>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Held {
    fence: u64,
    owner: seam_core::model::InstanceId,
    until: Instant,
    released: bool,
}

impl Watch {
    fn fail(&mut self, text: String) {
        if self.wrong.len() < 5 {
            self.wrong.push(text);
        }
    }

    pub(crate) fn note(&mut self, now: Instant, text: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{} {}", now.format("%m-%d %H:%M:%S%.3f"), text()));
        }
    }

    pub(crate) fn claimed(&mut self, lease: &Lease, by: std::time::Duration, now: Instant) {
        let until = now + Duration::from_std(by).unwrap_or_default();
        if let Some(old) = self.leases.get(&lease.channel) {
            if old.until > now && !old.released {
                let text = format!("S7: {} was claimed while its lease ran", lease.channel);
                self.fail(text);
            } else if lease.fence <= old.fence {
                let text = format!("S7: fence {} of {} was given twice", lease.fence, lease.channel);
                self.fail(text);
            }
        }
        self.note(now, || format!("claim {} fence {}", lease.channel, lease.fence));
        self.leases.insert(lease.channel.clone(), Held { fence: lease.fence, owner: lease.owner, until, released: false });
    }
    pub(crate) fn renewed(&mut self, lease: &Lease, by: std::time::Duration, now: Instant) {
        match self.leases.get_mut(&lease.channel) {
            Some(held) if held.fence == lease.fence && held.until > now && held.owner == lease.owner => {
                held.until = now + Duration::from_std(by).unwrap_or_default();
            }
            _ => {
                let text = format!("S7: a lease of {} that is lost was renewed", lease.channel);
                self.fail(text);
            }
        }
    }
    /// The only process is gone: whoever opens the file next takes the channels over, under higher fences.
    pub(crate) fn orphaned(&mut self) {
        self.leases.values_mut().for_each(|held| held.released = true);
    }
    pub(crate) fn released(&mut self, lease: &Lease) {
        if let Some(held) = self.leases.get_mut(&lease.channel)
            && held.fence == lease.fence
        {
            held.released = true;
        }
    }

    /// A call is about to be made: what it does must have been written down before.
    pub(crate) fn calls(&mut self, plan: &CallPlan, now: Instant) {
        self.calls += 1;
        let what = plan.what.name();
        self.note(now, || format!("call {what} {} attempt {}", plan.row.simple(), plan.attempt));
        if matches!(what, "put" | "remove" | "encode") {
            self.writes += 1;
        }
        let marked = match self.rows.get(&plan.row).map(|r| &r.body) {
            Some(Body::Target(t)) => t.work.in_flight.is_some(),
            Some(Body::Attempt(a)) => matches!(a.state, AttemptState::Begun { .. }),
            Some(Body::Account(a)) => a.work.in_flight.is_some(),
            _ => false,
        };
        if !marked {
            let text = format!("S13: a {what} of {} was made before it was written down", plan.row);
            self.fail(text);
        }
        let last = self.last_calls.entry(plan.row).or_default();
        last.push_back(now);
        while last.front().is_some_and(|at| *at + Duration::hours(1) <= now) {
            last.pop_front();
        }
        if last.len() > CALLS_PER_HOUR {
            let text = format!("L4: {} calls for {} within an hour ({what})", last.len(), plan.row);
            self.fail(text);
        }
    }

    pub(crate) fn committed(&mut self, who: usize, set: &Changeset, now: Instant) {
        self.commits += 1;
        self.note(now, || {
            let mut text = format!("commit by {who}: {}", set.audit.what);
            for e in &set.events {
                let _ = write!(text, " [{}]", e.event_type);
            }
            for row in &set.put {
                let _ = write!(text, "\n      {}", line(row));
            }
            text
        });
        self.fences(set, now);
        let told = self.told.entry(set.workspace).or_default();
        for event in &set.events {
            self.hooks.told(event.id, told.len());
            told.push(event.clone());
        }
        self.secrets(set);
        let before: BTreeMap<RowId, Row> = set.put.iter().filter_map(|r| Some((r.id, self.rows.get(&r.id)?.clone()))).collect();
        for row in &set.put {
            let mut row = row.clone();
            row.version += 1;
            let old = before.get(&row.id);
            if let Err(text) = crate::edges::edge(old, &row) {
                // An edge that breaks another invariant says so.
                let label = if text.starts_with('S') { "" } else { "M1: " };
                self.fail(format!("{label}{text} ({} {})", set.audit.what, row.id));
            }
            if let Err(text) = crate::edges::roles(old, &row, |id| before.get(&id).or_else(|| self.rows.get(&id))) {
                self.fail(format!("S8: {text} ({} {})", set.audit.what, row.id));
            }
            if let Err(text) = crate::edges::events(old, &row, set) {
                self.fail(format!("S12: {text} ({} {})", set.audit.what, row.id));
            }
            self.quarantine(old, &row, now);
            self.rows.insert(row.id, row);
        }
        self.issues(&before, set);
    }

    /// S2: what becomes issued has all its things where they are to be, as they are wanted now.
    fn issues(&mut self, before: &BTreeMap<RowId, Row>, set: &Changeset) {
        for row in &set.put {
            let Body::Method(m) = &row.body else { continue };
            let was = before.get(&row.id).is_some_and(|r| matches!(&r.body, Body::Method(m) if m.issued));
            if !m.issued || was {
                continue;
            }
            let targets = m.targets.iter().filter_map(|id| match &self.rows.get(id)?.body {
                Body::Target(t) if !t.gone => Some(t),
                _ => None,
            });
            let lacks = targets.filter(|t| !matches!(t.seen, SeenState::Present { rev, .. } if rev == t.rev)).count();
            if lacks > 0 {
                self.fail(format!(
                    "S2: {} became issued, and {lacks} of its things are not as they are wanted ({})",
                    row.id, set.audit.what
                ));
            }
        }
    }

    /// S7: what an engine writes, it writes under a fence that holds.
    fn fences(&mut self, set: &Changeset, now: Instant) {
        if set.audit.actor != Actor::Engine || !set.audit.what.starts_with("engine.") {
            return;
        }
        let mut any = false;
        for condition in &set.only_if {
            let OnlyIf::Fence { channel, fence } = condition else { continue };
            any = true;
            if self.leases.get(channel).is_none_or(|held| held.fence != *fence || held.until <= now) {
                let text = format!("S7: {} was committed under the old fence {fence} of {channel}", set.audit.what);
                self.fail(text);
            }
        }
        if !any {
            let text = format!("S7: {} was committed without a fence", set.audit.what);
            self.fail(text);
        }
    }

    /// After a job without an answer nobody's job is begun at that encoder until its card wait has passed.
    fn quarantine(&mut self, old: Option<&Row>, new: &Row, now: Instant) {
        let Body::Attempt(a) = &new.body else { return };
        let Some(encoder) = a.encoder() else { return };
        let was = old.and_then(|r| match &r.body {
            Body::Attempt(a) => Some(&a.state),
            _ => None,
        });
        match (&a.state, was) {
            (AttemptState::Begun { .. }, Some(AttemptState::Waiting))
                if self.doubtful.get(&encoder).is_some_and(|at| *at + Duration::seconds(30) > now) =>
            {
                let text = format!("S8: a job was begun at encoder {encoder} while a card may still be written there");
                self.fail(text);
            }
            (AttemptState::Error { effect: Effect::Unknown, at, .. }, Some(AttemptState::Begun { .. })) => {
                self.doubtful.insert(encoder, *at);
            }
            _ => {}
        }
    }

    /// S14: no PIN in events, audit, or what is shown of rows.
    fn secrets(&mut self, set: &Changeset) {
        if self.canaries.is_empty() {
            return;
        }
        let mut text = format!("{:?}", set.audit);
        for e in &set.events {
            let _ = write!(text, " {}", serde_json::Value::Object(e.payload.clone()));
        }
        for row in &set.put {
            let _ = write!(text, " {:?}", row.body);
        }
        // A vendor's handle may end in the digits of a PIN (`code-000095`): that is no word of its own.
        let found = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').find(|word| self.canaries.contains(*word));
        if let Some(word) = found {
            let text = format!("S14: the PIN {word} shows in {}", set.audit.what);
            self.fail(text);
        }
    }

    pub(crate) fn target(&self, row: RowId) -> Option<&Target> {
        match &self.rows.get(&row)?.body {
            Body::Target(t) => Some(t),
            _ => None,
        }
    }
    pub(crate) fn targets(&self) -> impl Iterator<Item = (RowId, WorkspaceId, &Target)> {
        self.rows.values().filter_map(|r| match &r.body {
            Body::Target(t) => Some((r.id, r.workspace, t)),
            _ => None,
        })
    }
}

/// A row in short, for a trace.
fn line(row: &Row) -> String {
    let id = row.id.simple();
    match &row.body {
        Body::Target(t) => format!(
            "target {id} {:?} rev {} gone {} {:?} needs {:?} due {:?} flight {:?} look {} asks {:?} window {:?}",
            t.kind(),
            t.rev,
            t.gone,
            t.seen,
            t.needs,
            t.work.due_at.map(|d| d.format("%m-%d %H:%M:%S").to_string()),
            t.work.in_flight,
            t.work.look,
            t.work.asks.as_ref().map(|q| q.kind),
            t.credential().map(|c| (c.window.starts_at().to_string(), c.window.ends_at().map(|e| e.to_string()), c.suspended)),
        ),
        Body::Stay(s) => format!("stay {id} {} {:?} gen {:?} reopened {} made {}", s.key, s.phase, s.generation, s.reopened, s.made.len()),
        Body::Grant(g) => {
            format!("grant {id} {:?} {:?} suspended {} doors {} timer {:?}", g.phase, g.window, g.suspended, g.doors.len(), g.timer)
        }
        Body::Method(m) => format!("method {id} {:?} issued {} deleted {:?} ended {:?}", m.mode, m.issued, m.deleted_at, m.ended_at),
        Body::Attempt(a) => format!("attempt {id} {:?}", a.state),
        other => format!("{:?} {id}", other.kind()),
    }
}
