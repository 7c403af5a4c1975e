//! What every provider must keep, tried at the doors of its simulator.
//!
//! [`check`] puts, finds and removes things of every kind that the provider reports, while a [`Judge`] tries the doors, counts by hand what
//! is held, and spoils the wire. Nothing is believed because it was read back.
//!
//! ```text
//! let findings = seam_core::conformance::provider::check(&provider, &judge).await;
//! findings.assert_clean();
//! ```
mod build;
mod effects;
mod encoders;
mod judge;
mod lives;
mod logs;
mod pins;
mod report;
mod windows;

pub use judge::{Fault, Issued, Judge, SamePin, Tried};

use crate::encoder::JobControl;
use crate::model::{AcsEntranceId, AcsSystemId};
use crate::provider::{
    AccessSystemProvider, Call, Door, EntranceReport, Failure, Found, GroupReport, Handle, Kind, KindRules, Notes, Receipt, SystemRef,
    SystemReport, Tag, Want,
};
use async_trait::async_trait;
use futures_util::future::{Either, select};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use uuid::Uuid;

/// The limit that calls of the suite bring with them.
const WITHIN: Duration = Duration::from_secs(20);
/// How much longer than its limit a call may take.
const GRACE: Duration = Duration::from_secs(2);

/// A rule that a provider breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Breach {
    /// The rule, in snake case: `put_twice_is_one`.
    pub rule: &'static str,
    /// What was seen.
    pub seen: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.seen)
    }
}

/// What came of a check.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Findings {
    /// How many times a rule was tried.
    pub tried: u32,
    /// The rules that are broken.
    pub breaches: Vec<Breach>,
    /// What could not be tried, and why.
    pub skipped: BTreeSet<String>,
}

impl Findings {
    /// Whether a rule is broken.
    #[must_use]
    pub fn breaks(&self, rule: &str) -> bool {
        self.breaches.iter().any(|b| b.rule == rule)
    }

    /// # Panics
    /// A rule is broken, or nothing was tried.
    pub fn assert_clean(&self) {
        assert!(self.breaches.is_empty(), "{self}");
        assert!(self.tried > 0, "nothing was tried: {self}");
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} rules broken in {} trials", self.breaches.len(), self.tried)?;
        for breach in &self.breaches {
            writeln!(f, "  {breach}")?;
        }
        for skipped in &self.skipped {
            writeln!(f, "  skipped: {skipped}")?;
        }
        Ok(())
    }
}

/// Checks a provider against all rules, for every system and every kind that it reports.
///
/// The systems are left without anything of the suite's in them, but for what cannot be taken away: written cards. Time moves forward by some
/// weeks at coarse resolutions, by some hours else: use a virtual clock.
pub async fn check(provider: &dyn AccessSystemProvider, judge: &dyn Judge) -> Findings {
    let mut findings = Findings::default();
    let reports = match provider.systems().await {
        Ok(reports) => reports,
        Err(failure) => {
            findings.breaches.push(Breach { rule: "systems_are_reported", seen: failure.to_string() });
            return findings;
        }
    };
    report::account(provider, &reports, &mut findings).await;
    for (n, report) in (1..).zip(reports) {
        let system = SystemRef { id: AcsSystemId::from_uuid(Uuid::from_u128(n)), handle: report.handle.clone() };
        let mut suite =
            Suite { provider, judge, system, report, doors: Vec::new(), groups: Vec::new(), made: 0, secrets: Vec::new(), findings };
        suite.run().await;
        findings = suite.findings;
    }
    findings
}

/// One system under test.
struct Suite<'a> {
    provider: &'a dyn AccessSystemProvider,
    judge: &'a dyn Judge,
    system: SystemRef,
    report: SystemReport,
    doors: Vec<(Door, EntranceReport)>,
    groups: Vec<GroupReport>,
    made: u32,
    secrets: Vec<SecretString>,
    findings: Findings,
}

#[derive(Debug)]
struct NoNotes;

#[async_trait]
impl Notes for NoNotes {
    async fn keep(&self, _half_way: &Handle) -> Result<(), Failure> {
        Ok(())
    }
}

impl Suite<'_> {
    async fn run(&mut self) {
        report::system(self);
        if !self.discover().await {
            return;
        }
        let kinds: Vec<(Kind, KindRules)> = self.report.kinds.iter().map(|(k, r)| (*k, r.clone())).collect();
        for (kind, rules) in &kinds {
            lives::check(self, *kind, rules).await;
            lives::refusals(self, *kind, rules).await;
            lives::suspension(self, *kind, rules).await;
            windows::check(self, *kind, rules).await;
            effects::check(self, *kind, rules).await;
        }
        pins::check(self).await;
        encoders::check(self).await;
        encoders::unlock(self).await;
        logs::check(self).await;
    }

    async fn discover(&mut self) -> bool {
        if let Some(inventory) = self.provider.inventory() {
            let both = (inventory.entrances(&self.system).await, inventory.groups(&self.system).await);
            let (Ok(doors), Ok(groups)) = both else {
                self.breach("inventory_is_told", "entrances and groups were asked for in quiet times and refused");
                return false;
            };
            report::inventory(self, &doors, &groups);
            let id = |n: usize| AcsEntranceId::from_uuid(Uuid::from_u128(n as u128 + 1));
            let door = |(n, d): (usize, EntranceReport)| (Door { id: id(n), handle: d.handle.clone(), class: d.class }, d);
            self.doors = doors.into_iter().enumerate().map(door).collect();
            self.groups = groups;
        } else {
            self.doors = self.judge.doors(&self.system);
        }
        if self.doors.is_empty() {
            self.skip("the system has no doors");
        }
        !self.doors.is_empty()
    }

    fn breach(&mut self, rule: &'static str, seen: impl Into<String>) {
        let seen = format!("{}: {}", self.report.name, seen.into());
        self.findings.breaches.push(Breach { rule, seen });
    }

    /// A rule was tried; it is broken unless `kept`.
    fn must(&mut self, rule: &'static str, kept: bool, seen: impl FnOnce() -> String) {
        self.findings.tried += 1;
        if !kept {
            self.breach(rule, seen());
        }
    }

    fn skip(&mut self, what: impl Into<String>) {
        let what = format!("{}: {}", self.report.name, what.into());
        self.findings.skipped.insert(what);
    }

    /// Nothing that may be shown tells a PIN.
    fn show(&mut self, what: &impl fmt::Debug) -> String {
        let text = format!("{what:?}");
        // Fewer digits turn up in a date by accident.
        let told = self.secrets.iter().any(|s| s.expose_secret().len() >= 6 && text.contains(s.expose_secret()));
        self.must("secrets_stay_out_of_debug", !told, || "a PIN shows in the debug text of an answer".to_owned());
        text
    }

    fn call<'c>(&'c self, tag: &Tag, attempt: u32) -> Call<'c> {
        Call { system: &self.system, tag: tag.clone(), attempt, within: WITHIN, operator: Some("conformance"), notes: &NoNotes }
    }

    async fn put(&mut self, want: &Want, had: Option<&Handle>, tag: &Tag) -> Result<Receipt, Failure> {
        let answer = self.timed("put", self.provider.put(want, had, &self.call(tag, 1))).await;
        self.keep("put", answer)
    }

    async fn remove(&mut self, last: &Want, had: Option<&Handle>, tag: &Tag) -> Result<Receipt, Failure> {
        let answer = self.timed("remove", self.provider.remove(last, had, &self.call(tag, 1))).await;
        self.keep("remove", answer)
    }

    async fn find(&mut self, want: &Want, had: Option<&Handle>, tag: &Tag) -> Result<Found, Failure> {
        let answer = self.timed("find", self.provider.find(want, had, &self.call(tag, 1))).await;
        self.keep("find", answer)
    }

    /// Writes a card at the first encoder.
    async fn encode(&mut self, want: &Want, had: Option<&Handle>, tag: &Tag) -> Option<Result<Receipt, Failure>> {
        let Want::Credential(spec) = want else { return None };
        let encoders = self.provider.encoders()?;
        let at = encoders.list(&self.system).await.ok()?.into_iter().next()?.handle;
        if !self.judge.lay_card(&at).await {
            return None;
        }
        let now = self.judge.now();
        let limit = |by: u32| now + chrono::Duration::seconds(i64::from(by));
        let control = JobControl::new(limit(10), limit(15));
        let answer = self.timed("encode", encoders.encode(spec, had, &at, &self.call(tag, 1), &control)).await;
        Some(self.keep("encode", answer))
    }

    /// Runs a call; time passes while it waits. `None`: it was given up, for it is over its limit.
    async fn timed<T>(&self, _verb: &'static str, call: impl Future<Output = Result<T, Failure>>) -> Option<Result<T, Failure>> {
        let step = Duration::from_millis(500);
        let started = self.judge.now();
        let mut call = pin!(call);
        loop {
            match select(call.as_mut(), pin!(self.judge.pass(step))).await {
                Either::Left((answer, _)) => return Some(answer),
                Either::Right(_) => {
                    let gone = (self.judge.now() - started).to_std().unwrap_or_default();
                    if gone > WITHIN + GRACE {
                        return None;
                    }
                }
            }
        }
    }

    fn keep<T: fmt::Debug>(&mut self, verb: &'static str, answer: Option<Result<T, Failure>>) -> Result<T, Failure> {
        self.must("within_is_obeyed", answer.is_some(), || format!("a {verb} ran longer than its limit of {} s", WITHIN.as_secs()));
        let answer = answer.unwrap_or_else(|| Err(Failure::unknown(crate::provider::Reason::TimedOut, "given up by the suite")));
        self.show(&answer);
        answer
    }
}
