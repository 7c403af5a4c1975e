//! Who is in a space.
use super::paging::{Among, body};
use super::{EventFilter, Spaces};
use crate::error::{Error, Result};
use crate::model::{AccessGrantId, EventType, SpaceId};
use crate::state::{Grant, Row, RowId, RowKind};
use crate::view::occupancy::{self, LastSeen, Occupancy};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

impl Spaces<'_> {
    /// Who may be in a space now, who was last seen at its entrances, and how many grants held in each hour that a range touches.
    ///
    /// The doors are the space's present ones, and those of a grant its last. All grants of the workspace are read, and the events of the range: an index by
    /// door would be written with every grant at the lobby.
    ///
    /// # Errors
    /// `InvalidInput` (`until`) for a range that is empty or longer than 366 days; `NotFound`; `Store` (may be retried).
    pub async fn occupancy(self, space: SpaceId, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Occupancy> {
        let Some((first, count)) = occupancy::hours(from, until) else {
            return Err(Error::invalid("until", "a range has a length, and at most 366 days of it"));
        };
        let doors = self.ws.look(|v| occupancy::doors(v, space)).await?;
        let here = |row: &Row| body::<Grant>(row).is_some_and(|grant| grant.doors.iter().any(|door| doors.contains(door)));
        let rows = self.ws.every(RowKind::Grant, Among::All, here, |v, row| {
            let grant = v.reader.get::<Grant>(row)?;
            Ok((occupancy::presence(grant), occupancy::occupant(v, AccessGrantId::from_uuid(row), &doors)?))
        });
        let (times, entitled): (Vec<_>, Vec<_>) = rows.await?.into_iter().unzip();
        Ok(Occupancy {
            space_id: space,
            entitled: entitled.into_iter().flatten().collect(),
            seen: self.seen(doors.iter().map(|door| door.uuid()).collect(), from, until).await?,
            hours: occupancy::series(&times, first, count),
        })
    }

    /// Who was let in at doors within a range, and when last.
    async fn seen(self, doors: Vec<RowId>, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<LastSeen>> {
        let mut last = BTreeMap::new();
        if doors.is_empty() {
            return Ok(Vec::new());
        }
        // A system may tell late: what counts is when it happened, so everything that was recorded since is looked at.
        let filter = EventFilter::builder().event_types(vec![EventType::LOCK_UNLOCKED]).about(doors).since(from).build();
        let mut after = 0;
        loop {
            let page = self.ws.events().search(&filter, after, 1000).await?;
            let full = page.events.len() == 1000;
            for entry in page.events.iter().filter_map(|(_, event)| super::access_log::entry(event)) {
                let (Some(person), at) = (entry.user_identity_id, entry.occurred_at) else { continue };
                if at >= from && at < until {
                    let seen = LastSeen::new(person, entry.acs_entrance_id, at);
                    let had = last.entry(person).or_insert_with(|| seen.clone());
                    if had.at <= at {
                        *had = seen;
                    }
                }
            }
            after = page.next;
            if !full {
                break;
            }
        }
        let mut seen: Vec<LastSeen> = last.into_values().collect();
        seen.sort_by_key(|seen| (std::cmp::Reverse(seen.at), seen.user_identity_id));
        Ok(seen)
    }
}
