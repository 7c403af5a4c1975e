//! What a door may know of one credential, and whether it opens in each of these cases.
//!
//! Every case that the stored facts leave open is looked at: it opens in all of them (yes), in none (no), or in some (perhaps). So "yes" and
//! "no" are never guesses.
use super::answer::Says;
use super::status;
use super::target::{best, mode};
use crate::model::{AcsEntranceId, Holder, StayId, Weekly, Window};
use crate::plan::residual::system_reaches;
use crate::provider::{Certainty, DoorClass, DoorLimit, Effect, EndsBy, Kind, KindRules, Needs};
use crate::state::{Doing, Entrance, Other, SeenState, Stay, StayPhase, System, Target, Wanted};
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use std::ops::{BitAnd, BitOr};

/// Yes, no, or it depends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Maybe {
    /// In no case.
    No,
    /// In some cases.
    Perhaps,
    /// In all cases.
    Yes,
}

impl Maybe {
    fn of(cases: &[bool]) -> Self {
        match (cases.contains(&true), cases.contains(&false)) {
            (true, false) => Self::Yes,
            (true, true) => Self::Perhaps,
            (false, _) => Self::No,
        }
    }
}
impl BitAnd for Maybe {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        self.min(other)
    }
}
impl BitOr for Maybe {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.max(other)
    }
}

/// The door and the instant that are asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    pub(super) door: AcsEntranceId,
    pub(super) entrance: &'a Entrance,
    pub(super) system: &'a System,
    pub(super) at: DateTime<Utc>,
    pub(super) now: DateTime<Utc>,
    /// Stays that have or had this door.
    pub(super) stays: &'a [(StayId, &'a Stay)],
}

impl Scene<'_> {
    fn class(&self) -> DoorClass {
        self.entrance.report.class
    }
    /// The time zone of the site, where it is known; schedules of a site without one are in UTC.
    pub(super) fn zone(&self) -> Option<Tz> {
        self.system.report.time_zone.as_deref()?.parse().ok()
    }
    fn takes(&self, kind: Kind) -> bool {
        let report = &self.entrance.report;
        match kind {
            Kind::Code => report.code,
            Kind::Card => report.card,
            Kind::MobileKey => report.mobile_key,
            Kind::CloudKey => report.cloud_key,
            Kind::Biometric => false,
            Kind::Access | Kind::User | Kind::Stay => true,
        }
    }
}

/// A credential, or a permission, that may be known at the door.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    pub(super) target: &'a Target,
    pub(super) rules: &'a KindRules,
    pub(super) holder: Holder,
    pub(super) lost: bool,
    pub(super) stay: Option<(StayId, &'a Stay)>,
}

/// What is in a lock or on a card.
#[derive(Clone, Copy, Debug)]
struct Content<'a> {
    doors: &'a [AcsEntranceId],
    window: &'a Window,
    schedule: Option<&'a Weekly>,
}

impl<'a> Known<'a> {
    fn wanted(&self) -> Option<(Content<'a>, bool)> {
        match &self.target.want {
            Wanted::Credential(c) => {
                Some((Content { doors: &c.doors, window: &c.window, schedule: c.schedule.as_ref() }, self.target.is_withheld()))
            }
            Wanted::Access { doors, window, schedule, suspended, .. } => {
                Some((Content { doors, window, schedule: schedule.as_ref() }, *suspended))
            }
            Wanted::User { .. } | Wanted::Stay { .. } => None,
        }
    }
    fn made(&self) -> Option<Content<'a>> {
        // The schedule that it was made with is not kept; it is the present one unless that has just changed.
        let schedule = self.wanted().and_then(|(want, _)| want.schedule);
        self.target.made.as_ref().map(|made| Content { doors: &made.doors, window: &made.window, schedule })
    }
    /// What it could do before, where the system says until when that may still be done.
    fn earlier(&self, at: DateTime<Utc>) -> impl Iterator<Item = Content<'a>> {
        let target = self.target;
        let still = target.earlier_until().is_some_and(|until| at < until);
        // A suspended one is put with the doors and times that it had.
        let had = target.made.iter().filter(|_| target.is_withheld()).chain(target.others.iter().map(|other| &other.can));
        had.filter(move |_| still).map(|had| Content { doors: &had.doors, window: &had.window, schedule: had.schedule.as_ref() })
    }
    fn by_user(&self) -> bool {
        self.rules.doors == DoorLimit::ByUser && self.target.kind() != Kind::Access
    }
    /// A key of a later stay kills it at this door.
    fn overridable(&self, scene: &Scene<'_>) -> bool {
        matches!(self.target.kind(), Kind::Card | Kind::MobileKey)
            && scene.class() == DoorClass::Guest
            && self.stay.is_some_and(|(_, stay)| stay.doors.contains(&scene.door))
    }
    /// Revisions of which a call has had no answer, or has none yet.
    fn unanswered(&self) -> impl Iterator<Item = u64> {
        let unknown = match self.target.seen {
            SeenState::Unknown { rev } => Some(rev),
            _ => None,
        };
        let under_way = self.target.work.in_flight.and_then(|now| match now.doing {
            Doing::Put { rev } | Doing::Encode { rev } => Some(rev),
            Doing::Remove | Doing::Find { .. } | Doing::Scan | Doing::Log => None,
        });
        unknown.into_iter().chain(under_way)
    }
    /// A removal has had no answer, or has none yet.
    fn removal_unanswered(&self) -> bool {
        let work = &self.target.work;
        let failed = work.failure.as_ref().is_some_and(|failed| failed.effect == Effect::Unknown);
        failed || work.look || work.in_flight.is_some_and(|now| now.doing == Doing::Remove)
    }
}

/// Whether a content opens the door at the instant, if the door keeps its window.
fn opens(known: &Known<'_>, scene: &Scene<'_>, content: Content<'_>) -> bool {
    has_door(known, scene, content) && content.window.contains(scene.at) && admits(scene, content.schedule)
}

fn has_door(known: &Known<'_>, scene: &Scene<'_>, content: Content<'_>) -> bool {
    match scene.class() {
        DoorClass::Implicit => known.holder.is_guest(),
        _ => known.by_user() || content.doors.contains(&scene.door),
    }
}

fn admits(scene: &Scene<'_>, schedule: Option<&Weekly>) -> bool {
    schedule.is_none_or(|schedule| schedule.admits(scene.at, scene.zone().unwrap_or(Tz::UTC)))
}

/// The cases of something that is at the system, or on the card, in this form.
fn there(known: &Known<'_>, scene: &Scene<'_>, content: Content<'_>, cases: &mut Vec<bool>) {
    if known.rules.ends == EndsBy::Itself {
        cases.push(opens(known, scene, content));
        return;
    }
    // The lock keeps no window: it opens as long as it is there, and it is there until we have taken it away.
    let open = has_door(known, scene, content) && admits(scene, content.schedule);
    cases.push(open);
    let taken_away_by_then = scene.at > scene.now && content.window.is_over(scene.at) && system_reaches(known.target.kind(), scene.class());
    if taken_away_by_then {
        cases.push(false);
    }
}

/// Whether the door opens for a credential or permission, over all cases that are left open.
pub(super) fn opens_at(known: &Known<'_>, scene: &Scene<'_>) -> Maybe {
    let target = known.target;
    let Some((want, suspended)) = known.wanted() else { return Maybe::No };
    if !scene.takes(target.kind()) || scene.at < target.created_at {
        return Maybe::No;
    }
    let wish = !suspended && opens(known, scene, want);
    let mut cases = Vec::new();
    if system_reaches(target.kind(), scene.class()) {
        at_system(known, scene, want, &mut cases);
    } else {
        on_card(known, scene, &mut cases);
    }
    if scene.at > scene.now && !target.gone && !target.is_in_place() {
        // By then it has probably been carried out.
        if system_reaches(target.kind(), scene.class()) || suspended {
            cases.push(wish);
        } else {
            there(known, scene, want, &mut cases);
        }
    }
    if known.lost {
        cases.push(false);
    }
    if scene.at < scene.now && target.made.as_ref().is_some_and(|made| scene.at < made.at) {
        cases.push(false);
    }
    if later_key(known, scene).is_some() {
        cases.push(false);
    }
    Maybe::of(&cases)
}

/// What is on a card that only the lock itself reads.
fn on_card(known: &Known<'_>, scene: &Scene<'_>, cases: &mut Vec<bool>) {
    match known.made() {
        Some(made) => {
            there(known, scene, made, cases);
            // What was decided is not on it, and it is not known with which hours it was written.
            if made.schedule.is_some() && known.target.made.as_ref().is_some_and(|m| m.rev != known.target.rev) {
                there(known, scene, Content { schedule: None, ..made }, cases);
            }
        }
        None => cases.push(false),
    }
    unanswered(known, scene, cases);
    let target = known.target;
    if matches!(target.seen, SeenState::Absent { .. }) && target.may_open_until.is_some_and(|until| scene.at < until) {
        // It was taken back, and it is not known what the card was written with last, if at all.
        cases.extend([true, false]);
    }
}

/// What calls without an answer may have brought: nothing, what is wanted, or what was wanted before, of which no record is kept.
fn unanswered(known: &Known<'_>, scene: &Scene<'_>, cases: &mut Vec<bool>) {
    let Some((want, suspended)) = known.wanted() else { return };
    for rev in known.unanswered() {
        cases.push(false);
        if rev != known.target.rev || rev > 1 {
            cases.push(true);
        } else if !suspended {
            there(known, scene, want, cases);
        }
    }
}

/// What is at a system, in a lock that it reaches, or on a phone.
fn at_system(known: &Known<'_>, scene: &Scene<'_>, want: Content<'_>, cases: &mut Vec<bool>) {
    let target = known.target;
    let was = |cases: &mut Vec<bool>| match known.made() {
        Some(made) => {
            there(known, scene, made, cases);
            if target.made.as_ref().is_some_and(|m| m.rev != target.rev) {
                // What was made does not say whether it was made with hours, or suspended.
                if made.schedule.is_some() {
                    there(known, scene, Content { schedule: None, ..made }, cases);
                }
                if known.rules.suspend {
                    cases.push(false);
                }
            }
        }
        // A permission keeps no record of what it was before.
        None if target.kind() == Kind::Access => cases.extend([true, false]),
        None => cases.push(false),
    };
    match target.seen {
        SeenState::Never => cases.push(false),
        SeenState::Present { rev, certainty } => {
            if rev != target.rev {
                was(cases);
                if rev == 0 || certainty < best(Some(known.rules)) {
                    // Somebody edited it there, or what was sent before was never seen in force: what it is now is not known.
                    cases.extend([true, false]);
                }
            } else if target.needs == Needs::Nothing {
                if suspended(known) {
                    cases.push(false);
                } else {
                    there(known, scene, want, cases);
                }
                if target.earlier_until().is_some() {
                    known.earlier(scene.at).for_each(|had| there(known, scene, had, cases));
                } else if certainty < best(Some(known.rules)) {
                    // The system has taken it; the door may still know nothing, or what was before, of which no record is kept.
                    cases.push(false);
                    if rev > 1 {
                        cases.push(true);
                    }
                }
            } else {
                was(cases);
            }
            let leaves = (target.gone || suspended(known)) && scene.at > scene.now;
            // Where the system says until when, the look that is due then is about no removal.
            if leaves || (known.removal_unanswered() && target.earlier_until().is_none()) {
                cases.push(false);
            }
        }
        SeenState::Absent { certainty } => {
            cases.push(false);
            if certainty == Certainty::Accepted {
                was(cases);
                let unseen = certainty < best(Some(known.rules)) && target.rev > 1;
                if unseen || target.made.as_ref().is_none_or(|made| made.rev != target.rev) {
                    // A put that had no answer, or was only taken, may have left something of which no record is kept.
                    cases.push(true);
                }
            }
            let still = target.may_open_until.is_some_and(|until| scene.at < until);
            let had = |other: &Other| other.can.doors.contains(&scene.door);
            if still && (known.made().is_none_or(|made| has_door(known, scene, made)) || target.others.iter().any(had)) {
                cases.push(true);
            }
        }
        SeenState::Unknown { .. } => was(cases),
    }
    unanswered(known, scene, cases);
}

fn suspended(known: &Known<'_>) -> bool {
    known.wanted().is_some_and(|(_, suspended)| suspended)
}

/// A key that ends this one at the door once it is used there: of a later stay, or of the same stay opened again.
fn later_key<'a>(known: &Known<'a>, scene: &Scene<'a>) -> Option<Says> {
    let (own, _) = known.stay?;
    let generation = known.target.made.as_ref()?.generation?;
    if !known.overridable(scene) {
        return None;
    }
    let arrival = Duration::seconds(i64::from(scene.system.graces.arrival));
    scene.stays.iter().find_map(|(id, stay)| {
        let from = stay.window.starts_at() - arrival;
        let newer = made_generation(stay).is_some_and(|theirs| theirs > generation);
        let usable = *id == own || from <= scene.at;
        (newer && usable).then(|| Says::OverriddenIfUsed { reservation_key: stay.key.clone(), from })
    })
}

/// The highest number with which a key of a stay was made. A stay that was opened again has a number before it has a key with it.
fn made_generation(stay: &Stay) -> Option<u64> {
    match stay.phase {
        StayPhase::Planned => stay.generation.filter(|_| stay.reopened > 0).map(|next| next.saturating_sub(1)),
        StayPhase::Open | StayPhase::InDoubt { .. } | StayPhase::Closed => stay.generation,
    }
}

/// What is to be said of a credential at the door, whatever the answer.
pub(super) fn facts(known: &Known<'_>, scene: &Scene<'_>, answer: Maybe) -> Vec<Says> {
    let target = known.target;
    let mut facts = Vec::new();
    let Some(kind) = mode(target.kind()) else { return facts };
    let Some((want, suspended)) = known.wanted() else { return facts };
    if !scene.takes(target.kind()) {
        return vec![Says::NotTaken { mode: kind }];
    }
    let content = known.made().unwrap_or(want);
    if answer == Maybe::Yes {
        facts.push(Says::Opens { mode: kind, until: content.window.ends_at().filter(|_| known.rules.ends == EndsBy::Itself) });
    }
    if let Some(question) = &target.work.asks {
        facts.push(Says::WaitsForAnswer { question: question.kind, since: question.at });
    }
    if matches!(target.seen, SeenState::Unknown { .. }) || target.work.in_flight.is_some() {
        facts.push(Says::OutcomeUnknown);
    }
    if known.lost {
        facts.push(Says::Lost);
    }
    facts.extend(later_key(known, scene));
    if suspended {
        facts.push(Says::Suspended);
    }
    if target.gone && !matches!(target.seen, SeenState::Absent { .. }) {
        facts.push(Says::RevocationOnItsWay);
    }
    if !target.gone {
        facts.extend(pending(known, scene));
    }
    if !has_door(known, scene, content) && !has_door(known, scene, want) {
        facts.push(Says::OtherDoors);
    }
    if content.window.starts_at() > scene.at {
        let starts_at = content.window.starts_at();
        facts.push(Says::Before { starts_at, local: status::at(starts_at, scene.zone()) });
    }
    if let Some(ends_at) = content.window.ends_at().filter(|end| *end <= scene.at) {
        facts.push(Says::After { ends_at, local: status::at(ends_at, scene.zone()) });
        if known.rules.ends == EndsBy::Engine {
            facts.push(Says::EndsByEngine);
        }
    }
    if !admits(scene, content.schedule) {
        facts.push(Says::OutsideSchedule { local: status::at(scene.at, scene.zone()) });
    }
    facts
}

/// What a credential that is wanted still lacks.
fn pending(known: &Known<'_>, scene: &Scene<'_>) -> Option<Says> {
    let target = known.target;
    let again = target.made.is_some();
    match (target.needs, target.seen) {
        (Needs::Encoding, _) => Some(Says::NotEncoded { again }),
        (Needs::Assignment, _) => Some(Says::NotAssigned),
        (Needs::Phone, _) => Some(Says::NoPhone),
        (_, SeenState::Never) => Some(Says::NotIssued { due_at: target.work.due_at.filter(|due| *due > scene.now) }),
        (_, SeenState::Present { rev, certainty }) if rev == target.rev => (certainty < Certainty::Verified).then_some(Says::NotConfirmed),
        (_, SeenState::Present { .. }) if target.kind() == Kind::Card => Some(Says::NotEncoded { again }),
        (_, SeenState::Present { .. }) => Some(Says::ChangeOnItsWay),
        (_, SeenState::Absent { .. }) => Some(Says::NotIssued { due_at: target.work.due_at.filter(|due| *due > scene.now) }),
        (_, SeenState::Unknown { .. }) => None,
    }
}
