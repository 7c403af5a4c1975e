//! What a credential that was made still opens although it is no longer wanted.
//!
//! Revoked is what we decided; dead is what the door knows. A PIN or an online door forgets when the system has taken it out, and that counts
//! once it was seen. A card at an offline door carries its right in itself: nothing that is done at the vendor reaches that lock. It dies when
//! the key of a later stay is used there (a guest door of its stay), else at its own end.
use crate::model::{AccessMethodId, AcsEntranceId, Map, ResidualAccess, ResidualReason, Weekly, Window};
use crate::planted::{self, Bug};
use crate::provider::{Certainty, DoorClass, Effect, EndsBy, Kind, KindRules};
use crate::state::{Doing, Entrance, RowId, SeenState, Stay, Target, TargetOf, Wanted};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How a credential dies at a door once it is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Dies {
    /// It is dead, and that was seen.
    NowAndSeen,
    /// The system took the withdrawal; the door or phone learns of it at its next synchronisation.
    AtNextSync,
    /// When the key of a later stay is used at the door; at its own end at the latest.
    AtNextOverrideThere,
    /// At the end that it carries in itself; `None`: nothing ends it by itself.
    AtItsOwnEnd(Option<DateTime<Utc>>),
    /// When the withdrawal has been seen at the system.
    WhenRemovalIsSeen,
}

impl fmt::Display for Dies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NowAndSeen => f.write_str("is dead, and that was seen"),
            Self::AtNextSync => f.write_str("dies when the door is next synchronised"),
            Self::AtNextOverrideThere => f.write_str("dies when the key of a later stay is used at the door"),
            Self::AtItsOwnEnd(Some(end)) => write!(f, "dies at its own end, {}", crate::model::time::text(*end)),
            Self::AtItsOwnEnd(None) => f.write_str("has no end of its own"),
            Self::WhenRemovalIsSeen => f.write_str("dies when its removal has been seen"),
        }
    }
}

/// What is known at the system of what is wanted now: of the withdrawal, of the new doors or times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// It was seen in force.
    Seen,
    /// The system took it.
    Taken,
    /// A call about it had no answer.
    Unknown,
    /// It is still to be sent.
    OnItsWay,
}

fn word(target: &Target) -> Word {
    match target.seen {
        SeenState::Absent { certainty: Certainty::Verified } => Word::Seen,
        SeenState::Absent { certainty: Certainty::Accepted } => Word::Taken,
        SeenState::Present { rev, certainty } if !target.gone && rev == target.rev => match certainty {
            Certainty::Verified => Word::Seen,
            Certainty::Accepted => Word::Taken,
        },
        SeenState::Unknown { .. } => Word::Unknown,
        SeenState::Present { .. } | SeenState::Never => Word::OnItsWay,
    }
}

/// Whether what is done at the system reaches this door at all. An offline lock never hears of a card that was taken back.
#[must_use]
pub fn system_reaches(kind: Kind, class: DoorClass) -> bool {
    kind != Kind::Card || class == DoorClass::Online
}

/// How a credential of this kind dies at a door of this class when it is taken away. `overridable`: it belongs to a stay that has this door.
#[must_use]
pub fn dies(kind: Kind, class: DoorClass, overridable: bool, own_end: Option<DateTime<Utc>>) -> Dies {
    match class {
        _ if system_reaches(kind, class) => Dies::WhenRemovalIsSeen,
        DoorClass::Guest if overridable => Dies::AtNextOverrideThere,
        _ => Dies::AtItsOwnEnd(own_end),
    }
}

/// Doors and window of something that may be out there.
struct Left<'a> {
    doors: &'a [AcsEntranceId],
    window: &'a Window,
    schedule: Option<&'a Weekly>,
}

/// What is wanted of doors and time, and whether it is to open at all.
fn wanted(target: &Target) -> Option<(Left<'_>, bool)> {
    match &target.want {
        Wanted::Credential(c) => Some((Left { doors: &c.doors, window: &c.window, schedule: c.schedule.as_ref() }, target.is_withheld())),
        Wanted::Access { doors, window, schedule, suspended, .. } => {
            Some((Left { doors, window, schedule: schedule.as_ref() }, *suspended))
        }
        Wanted::Stay { .. } | Wanted::User { .. } => None,
    }
}

/// What may be out there: what was made, and what a call without an answer may have made.
fn left(target: &Target) -> Vec<Left<'_>> {
    let known = target.made.iter().chain(target.others.iter().map(|other| &other.can)).chain(&target.sent);
    let mut left: Vec<Left<'_>> =
        known.map(|made| Left { doors: &made.doors, window: &made.window, schedule: made.schedule.as_ref() }).collect();
    let doubtful = matches!(target.seen, SeenState::Unknown { .. })
        || target.work.in_flight.is_some_and(|now| matches!(now.doing, Doing::Put { .. } | Doing::Encode { .. }));
    // A permission leaves nothing in anybody's hand, so it has no record of what was made: what was sent is what is wanted.
    let unrecorded = target.made.is_none() && !matches!(target.seen, SeenState::Never) && target.kind() == Kind::Access;
    // It was taken back, and the system (or the encode that had no answer) says that it may open beyond that.
    let beyond = matches!(target.seen, SeenState::Absent { .. }) && target.may_open_until.is_some();
    // A put without an answer was followed by a removal that was only accepted.
    let followed = matches!(target.seen, SeenState::Absent { certainty: Certainty::Accepted }) && target.made.is_none();
    if doubtful || unrecorded || beyond || followed {
        left.extend(wanted(target).map(|(want, _)| want));
    }
    left
}

/// The doors that [`residual_of`] asks for.
#[must_use]
pub fn doors_of(target: &Target) -> BTreeSet<AcsEntranceId> {
    left(target).iter().flat_map(|left| left.doors.iter().copied()).collect()
}

/// The last instant of `had` that is not in `wanted` any more: `None` if there is none, `Some(None)` if there is no last one.
fn surplus(had: &Left<'_>, wanted: &Left<'_>) -> Option<Option<DateTime<Utc>>> {
    if wanted.schedule.is_some() && wanted.schedule != had.schedule {
        // Which hours of two schedules differ is not worked out: other hours are taken to be more.
        return Some(had.window.ends_at());
    }
    let (had, wanted) = (had.window, wanted.window);
    if wanted.covers(had) {
        return None;
    }
    let after_the_end = match (had.ends_at(), wanted.ends_at()) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(had), Some(wanted)) => had > wanted,
    };
    if after_the_end {
        return Some(had.ends_at());
    }
    // Only its beginning is too early: it opens what it should not until the wanted window starts.
    Some(Some(had.ends_at().map_or(wanted.starts_at(), |end| end.min(wanted.starts_at()))))
}

/// The later of two ends; `None` is never.
fn later(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    one.zip(other).map(|(a, b)| a.max(b))
}

/// What a credential that was made still opens although it is no longer wanted: because it is taken away, suspended, replaced, or because its
/// doors became fewer or its window shorter. One entry per door, in ascending order; none once the withdrawal was seen where it counts.
///
/// - `entrances` gives the doors of [`doors_of`]; one that is not known counts as a common offline door, which is the most that can be left.
/// - `rules` are those of the target's kind, `stay` is the stay that the credential takes part in.
///
/// Never less than the locks may do: what was only accepted, and what is on a card, counts until its own end, or until the instant that the
/// system gave with the removal. A mere passing of time is trusted only where the lock or system keeps the window.
#[must_use]
pub fn residual_of<'e>(
    target: &Target,
    target_id: RowId,
    entrances: &dyn Fn(AcsEntranceId) -> Option<&'e Entrance>,
    rules: &KindRules,
    stay: Option<&Stay>,
    now: DateTime<Utc>,
) -> Vec<ResidualAccess> {
    let word = word(target);
    let (want, suspended) = match wanted(target) {
        Some((want, suspended)) => (Some(want), suspended),
        None => (None, false),
    };
    let mut found: BTreeMap<AcsEntranceId, ResidualAccess> = BTreeMap::new();
    for left in left(target).into_iter().filter(|_| !planted::is(Bug::ResidualForgotten)) {
        for door in left.doors {
            let still = want.as_ref().filter(|want| !target.gone && !suspended && want.doors.contains(door));
            let own = match still {
                Some(want) => match surplus(&left, want) {
                    Some(until) => until,
                    None => continue,
                },
                None => left.window.ends_at(),
            };
            let own = if rules.ends == EndsBy::Itself { own } else { None };
            let class = entrances(*door).map_or(DoorClass::Common, |entrance| entrance.report.class);
            let Some((until, why)) = at_door(target, word, class, in_stay(target, stay, *door), own) else {
                continue;
            };
            if until.is_some_and(|until| until <= now) {
                continue;
            }
            let this = entry(target, target_id, *door, until, why);
            match found.get_mut(door) {
                Some(there) => there.until = later(there.until, until),
                None => drop(found.insert(*door, this)),
            }
        }
    }
    found.into_values().collect()
}

/// Whether the key of a later stay ends this credential at this door. Staff belongs to no stay and is ended by none.
fn in_stay(target: &Target, stay: Option<&Stay>, door: AcsEntranceId) -> bool {
    target.credential().is_some_and(|c| c.stay.is_some()) && stay.is_some_and(|stay| stay.doors.contains(&door))
}

/// Until when, and why, at one door; `None` when the door knows.
fn at_door(
    target: &Target,
    word: Word,
    class: DoorClass,
    overridable: bool,
    own: Option<DateTime<Utc>>,
) -> Option<(Option<DateTime<Utc>>, ResidualReason)> {
    let said = target.may_open_until.filter(|_| matches!(target.seen, SeenState::Absent { .. })).or(target.earlier_until());
    let until = match (said, word) {
        // What it was put as before goes by what the system gave out for it.
        (Some(said), _) if target.earlier_until().is_some() && system_reaches(target.kind(), class) => Some(said),
        // The system has looked, and knows better than the end that we have written; but of a card at an offline door it knows nothing.
        (Some(said), Word::Seen) if system_reaches(target.kind(), class) => Some(said),
        (Some(said), _) => later(own, Some(said)),
        (None, _) => own,
    };
    if !system_reaches(target.kind(), class) {
        let why = match class {
            DoorClass::Guest if overridable => ResidualReason::NextOverride,
            DoorClass::Guest => ResidualReason::OwnEnd,
            _ => ResidualReason::CommonDoor,
        };
        return Some((until, why));
    }
    let refused = target.gone && target.work.failure.as_ref().is_some_and(|failed| failed.effect == Effect::Refused);
    match word {
        Word::Seen => said.map(|said| (Some(said), ResidualReason::OwnEnd)),
        Word::Taken => Some((until, ResidualReason::NextSync)),
        Word::Unknown => Some((until, ResidualReason::OutcomeUnknown)),
        Word::OnItsWay if refused => Some((until, ResidualReason::NotRevocable)),
        Word::OnItsWay => Some((until, ResidualReason::Revoking)),
    }
}

fn entry(target: &Target, id: RowId, door: AcsEntranceId, until: Option<DateTime<Utc>>, why: ResidualReason) -> ResidualAccess {
    let method = match target.of {
        TargetOf::Method(method) => Some(method),
        _ => None::<AccessMethodId>,
    };
    ResidualAccess {
        acs_entrance_id: door,
        access_method_id: method,
        until,
        why,
        extra: Map::new().with("acs_credential_id", id.to_string()),
    }
}

/// How the credential dies at this door, as far as it has come.
#[must_use]
pub fn dies_now(target: &Target, class: DoorClass, overridable: bool) -> Dies {
    let own = target.made.as_ref().map(|made| made.window).or_else(|| wanted(target).map(|(want, _)| *want.window));
    let own = dies(target.kind(), class, overridable, own.and_then(|window| window.ends_at()));
    match (own, word(target)) {
        (Dies::WhenRemovalIsSeen, Word::Seen) if matches!(target.seen, SeenState::Absent { .. }) => {
            target.may_open_until.map_or(Dies::NowAndSeen, |until| Dies::AtItsOwnEnd(Some(until)))
        }
        (Dies::WhenRemovalIsSeen, Word::Taken) if matches!(target.seen, SeenState::Absent { .. }) => Dies::AtNextSync,
        (Dies::WhenRemovalIsSeen, Word::Taken) => match target.earlier_until() {
            Some(until) => Dies::AtItsOwnEnd(Some(until)),
            None => Dies::AtNextSync,
        },
        (own, _) => own,
    }
}
