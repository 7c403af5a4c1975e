//! Who is in a space: who may be there by her grants, who was last seen there, and how many grants held hour by hour.
use super::{Viewer, hidden};
use crate::model::{AccessGrantId, AcsEntranceId, SpaceId, UserIdentityId, time};
use crate::plan::Try;
use crate::state::{Entrance, Grant, GrantPhase, Space, System};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Who is in a space, over a range of hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Occupancy {
    /// The space.
    pub space_id: SpaceId,
    /// Who may pass an entrance of the space right now by a grant: its time has come, its hours allow it, it is not suspended. In the order in which the
    /// grants were made.
    pub entitled: Vec<Occupant>,
    /// The last time that each person was let in at an entrance of the space within the range, by the access logs that were read; the latest first.
    pub seen: Vec<LastSeen>,
    /// The hours of the range, in UTC, each with what held in it.
    pub hours: Vec<OccupancyHour>,
}

/// Somebody who may be in a space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Occupant {
    /// By this grant.
    pub access_grant_id: AccessGrantId,
    /// The person.
    pub user_identity_id: UserIdentityId,
    /// By these entrances of the space.
    pub acs_entrance_ids: Vec<AcsEntranceId>,
    /// Since when.
    #[serde(with = "time::instant")]
    pub starts_at: DateTime<Utc>,
    /// Until when; `None`: ongoing.
    #[serde(with = "time::option")]
    pub ends_at: Option<DateTime<Utc>>,
    /// She is staff.
    pub is_staff: bool,
}

/// When somebody was last let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LastSeen {
    /// The person.
    pub user_identity_id: UserIdentityId,
    /// The entrance.
    pub acs_entrance_id: AcsEntranceId,
    /// When.
    #[serde(with = "time::instant")]
    pub at: DateTime<Utc>,
}

impl LastSeen {
    pub(crate) fn new(user_identity_id: UserIdentityId, acs_entrance_id: AcsEntranceId, at: DateTime<Utc>) -> Self {
        Self { user_identity_id, acs_entrance_id, at }
    }
}

/// What held in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OccupancyHour {
    /// When the hour begins.
    #[serde(with = "time::instant")]
    pub from: DateTime<Utc>,
    /// Grants that held at some time within it, suspended ones included.
    pub grants: u32,
    /// The people of these grants.
    pub people: u32,
}

/// A grant's time in a space: from, until (exclusive; `None`: ongoing).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Presence {
    pub(crate) person: UserIdentityId,
    pub(crate) from: DateTime<Utc>,
    pub(crate) until: Option<DateTime<Utc>>,
}

/// The longest range, in hours: a leap year.
pub(crate) const MOST_HOURS: usize = 366 * 24;

/// The whole hours that a range touches: the first, and how many. `None` for an empty range, one of more than a leap year, or one at the end of time.
pub(crate) fn hours(from: DateTime<Utc>, until: DateTime<Utc>) -> Option<(DateTime<Utc>, usize)> {
    let first = from.duration_trunc(TimeDelta::hours(1)).ok()?;
    let length = until.signed_duration_since(first);
    let whole = usize::try_from(length.num_hours()).ok()?;
    let count = whole + usize::from(length > TimeDelta::hours(length.num_hours()));
    (from < until && count <= MOST_HOURS).then_some((first, count))
}

/// How many grants and people held in each of `count` hours from `first` on. Linear in grants and hours.
pub(crate) fn series(all: &[Presence], first: DateTime<Utc>, count: usize) -> Vec<OccupancyHour> {
    let mut grants = vec![0i64; count + 1];
    let mut people = vec![0i64; count + 1];
    let mut spans: BTreeMap<UserIdentityId, Vec<(usize, usize)>> = BTreeMap::new();
    for presence in all {
        let Some((begin, end)) = span(presence, first, count) else { continue };
        grants[begin] += 1;
        grants[end] -= 1;
        spans.entry(presence.person).or_default().push((begin, end));
    }
    for mut spans in spans.into_values() {
        spans.sort_unstable();
        let mut covered = 0;
        for (begin, end) in spans {
            // A person with two grants is one person.
            let begin = begin.max(covered);
            if begin < end {
                people[begin] += 1;
                people[end] -= 1;
                covered = end;
            }
        }
    }
    let (mut grants_now, mut people_now) = (0, 0);
    (0..count)
        .map(|i| {
            grants_now += grants[i];
            people_now += people[i];
            let number = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
            OccupancyHour { from: first + TimeDelta::hours(i as i64), grants: number(grants_now), people: number(people_now) }
        })
        .collect()
}

/// The hours that a presence touches, as indices: the first, and the one after the last.
fn span(presence: &Presence, first: DateTime<Utc>, count: usize) -> Option<(usize, usize)> {
    let last = first + TimeDelta::hours(count as i64);
    let from = presence.from.max(first);
    let until = presence.until.unwrap_or(last).min(last);
    if from >= until {
        return None;
    }
    let begin = usize::try_from((from - first).num_hours()).ok()?;
    let length = until - first;
    let end = usize::try_from(length.num_hours()).ok()? + usize::from(length > TimeDelta::hours(length.num_hours()));
    Some((begin, end.min(count)))
}

/// The entrances of a space that is there.
pub(crate) fn doors(v: &Viewer<'_>, id: SpaceId) -> Try<BTreeSet<AcsEntranceId>> {
    let row = v.get::<Space>(id)?;
    if row.deleted_at.is_some() {
        return hidden::<Space, _>(id);
    }
    Ok(row.entrances.iter().copied().collect())
}

/// A grant's time, until it ended or was deleted.
pub(crate) fn presence(grant: &Grant) -> Presence {
    let gone = match grant.phase {
        GrantPhase::Live => None,
        GrantPhase::Ended { at } | GrantPhase::Deleted { at } => Some(at),
    };
    let until = [grant.window.ends_at(), gone].into_iter().flatten().min();
    Presence { person: grant.identity, from: grant.window.starts_at(), until }
}

/// Who of a grant may pass some doors now.
pub(crate) fn occupant(v: &Viewer<'_>, id: AccessGrantId, doors: &BTreeSet<AcsEntranceId>) -> Try<Option<Occupant>> {
    let grant = v.get::<Grant>(id)?;
    if !grant.is_live() || grant.suspended || !grant.window.contains(v.now()) {
        return Ok(None);
    }
    let mut open: Vec<AcsEntranceId> = grant.doors.iter().copied().filter(|door| doors.contains(door)).collect();
    if let Some(hours) = &grant.schedule {
        let entrances = v.all::<Entrance, _>(&open)?;
        v.reader.hint(entrances.iter().map(|(_, door)| door.system.uuid()));
        v.reader.gather()?;
        let mut admitted = BTreeSet::new();
        for (id, door) in entrances {
            let zone = v.try_get::<System>(door.system)?.and_then(|system| system.report.time_zone.as_deref()?.parse::<Tz>().ok());
            if hours.admits(v.now(), zone.unwrap_or(Tz::UTC)) {
                admitted.insert(id);
            }
        }
        open.retain(|door| admitted.contains(door));
    }
    Ok((!open.is_empty()).then(|| Occupant {
        access_grant_id: id,
        user_identity_id: grant.identity,
        acs_entrance_ids: open,
        starts_at: grant.window.starts_at(),
        ends_at: grant.window.ends_at(),
        is_staff: !grant.holder.is_guest(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + minutes * 60, 0).unwrap()
    }
    fn person(n: u128) -> UserIdentityId {
        UserIdentityId::from_uuid(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn a_range_is_whole_hours() {
        // 1,800,000,000 is a whole hour.
        assert_eq!(hours(at(0), at(60)), Some((at(0), 1)));
        assert_eq!(hours(at(59), at(61)), Some((at(0), 2)));
        assert_eq!(hours(at(0), at(60) + TimeDelta::nanoseconds(1)), Some((at(0), 2)));
        assert_eq!(hours(at(-1), at(0)), Some((at(-60), 1)));
        assert_eq!(hours(at(0), at(366 * 24 * 60)), Some((at(0), MOST_HOURS)));
        for (from, until) in
            [(at(0), at(0)), (at(1), at(0)), (at(0), at(366 * 24 * 60 + 1)), (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC)]
        {
            assert_eq!(hours(from, until), None);
        }
    }

    proptest! {
        /// Against asking each hour of each grant.
        #[test]
        fn each_hour_counts_what_touches_it(
            all in prop::collection::vec((0u128..4, -200i64..900, prop::option::of(-200i64..900)), 0..12),
            count in 1usize..12,
        ) {
            let all: Vec<Presence> = all.into_iter().map(|(p, from, until)| Presence { person: person(p), from: at(from), until: until.map(at) }).collect();
            let got = series(&all, at(0), count);
            prop_assert_eq!(got.len(), count);
            for (i, hour) in got.iter().enumerate() {
                let (from, until) = (at(i as i64 * 60), at(i as i64 * 60 + 60));
                let here: Vec<&Presence> = all.iter()
                    .filter(|p| p.until.is_none_or(|u| p.from < u) && p.from < until && p.until.is_none_or(|u| u > from))
                    .collect();
                let people: BTreeSet<UserIdentityId> = here.iter().map(|p| p.person).collect();
                prop_assert_eq!((hour.from, hour.grants as usize, hour.people as usize), (from, here.len(), people.len()));
            }
        }
    }
}
