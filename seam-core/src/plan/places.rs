//! Entrances, groups and encoders of a scanned system become rows, found again by the vendor's handle.
use super::discover::ScannedSystem;
use super::draft::Draft;
use super::read::Try;
use super::{doors, member};
use crate::model::{AcsAccessGroupId, AcsEncoderId, AcsEntranceId, AcsSystemId, ConnectedAccountId, EventType};
use crate::provider::{DoorClass, EncoderReport, EntranceReport, GroupReport, Handle};
use crate::state::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Where a scanned system is.
pub(super) struct Here<'a> {
    pub(super) account: ConnectedAccountId,
    pub(super) system: AcsSystemId,
    pub(super) kind: &'a str,
    /// It was known before this scan.
    pub(super) known: bool,
}

/// Rows of a system by handle.
struct Known {
    entrances: BTreeMap<String, AcsEntranceId>,
    groups: BTreeMap<String, AcsAccessGroupId>,
    encoders: BTreeMap<String, AcsEncoderId>,
}

fn text(handle: &Handle) -> String {
    handle.0.to_string()
}

/// Applies what a system showed of its places. Channels that moved are added to `moved`.
pub(super) fn apply(d: &mut Draft<'_>, here: &Here<'_>, scanned: &ScannedSystem, moved: &mut BTreeMap<Channel, Channel>) -> Try<()> {
    let mut known = known(d, here)?;
    if let Some(list) = &scanned.entrances {
        entrances(d, here, list, &mut known, moved)?;
    }
    if let Some(list) = &scanned.groups {
        let changed = groups(d, here, list, &mut known)?;
        member::regroup(d, here.system, &changed)?;
    }
    if let Some(list) = &scanned.encoders {
        encoders(d, here, list, &mut known)?;
    }
    Ok(())
}

fn known(d: &Draft<'_>, here: &Here<'_>) -> Try<Known> {
    let mut known = Known { entrances: BTreeMap::new(), groups: BTreeMap::new(), encoders: BTreeMap::new() };
    if !here.known {
        return Ok(known);
    }
    let rows = d.find(&Key::id(Index::PlacesOf, here.system))?;
    d.hint(rows.iter().copied());
    d.gather()?;
    for row in rows {
        match d.reader().row(row)?.map(|r| &r.body) {
            Some(Body::Entrance(e)) => drop(known.entrances.insert(text(&e.report.handle), AcsEntranceId::from_uuid(row))),
            Some(Body::Group(g)) => drop(known.groups.insert(text(&g.handle), AcsAccessGroupId::from_uuid(row))),
            Some(Body::Encoder(e)) => drop(known.encoders.insert(text(&e.report.handle), AcsEncoderId::from_uuid(row))),
            _ => {}
        }
    }
    Ok(known)
}

fn entrances(
    d: &mut Draft<'_>,
    here: &Here<'_>,
    list: &[EntranceReport],
    known: &mut Known,
    moved: &mut BTreeMap<Channel, Channel>,
) -> Try<()> {
    let system = d.get::<System>(here.system)?;
    let mut shown = BTreeSet::new();
    for report in list {
        if !shown.insert(text(&report.handle)) {
            continue;
        }
        let Some(id) = known.entrances.get(&text(&report.handle)).copied() else {
            let id = new_entrance(d, here, report.clone(), true);
            known.entrances.insert(text(&report.handle), id);
            continue;
        };
        let old = d.get::<Entrance>(id)?;
        let new = Entrance { report: report.clone().into(), missing_since: None, ..old.clone() };
        if old.missing_since.is_some() {
            tell(d, &EventType::ACS_ENTRANCE_ADDED, here, "acs_entrance_id", id.uuid());
        }
        if new != old {
            let (was, is) = (doors::channel_of(&system, Some(&old)), doors::channel_of(&system, Some(&new)));
            if old.report.channel.is_some() && was != is {
                moved.insert(was, is);
            }
            d.set(id, new);
        }
    }
    for (handle, id) in &known.entrances {
        let old = d.get::<Entrance>(*id)?;
        if !shown.contains(handle) && old.missing_since.is_none() {
            d.set(*id, Entrance { missing_since: Some(d.now()), ..old });
            tell(d, &EventType::ACS_ENTRANCE_REMOVED, here, "acs_entrance_id", id.uuid());
        }
    }
    Ok(())
}

fn new_entrance(d: &mut Draft<'_>, here: &Here<'_>, report: EntranceReport, shown: bool) -> AcsEntranceId {
    let id = AcsEntranceId::from_uuid(d.env.mint());
    let missing_since = (!shown).then(|| d.now());
    let row = Entrance { system: here.system, account: here.account, report: report.into(), created_at: d.now(), missing_since };
    d.set(id, row);
    if shown {
        tell(d, &EventType::ACS_ENTRANCE_ADDED, here, "acs_entrance_id", id.uuid());
    }
    id
}

/// Gives those that are new or gone, and those whose doors are others now.
fn groups(d: &mut Draft<'_>, here: &Here<'_>, list: &[GroupReport], known: &mut Known) -> Try<BTreeSet<AcsAccessGroupId>> {
    let mut shown = BTreeSet::new();
    let mut changed = BTreeSet::new();
    for report in list {
        if !shown.insert(text(&report.handle)) {
            continue;
        }
        let mut doors = BTreeSet::new();
        for handle in &report.entrances {
            let id = match known.entrances.get(&text(handle)) {
                Some(id) => *id,
                None => {
                    // A door that the system does not list. Left out, the group would seem to open less than it does, and be used where it
                    // opens more than was granted. So it is an entrance that is missing.
                    let name = handle.as_text().map_or_else(|| text(handle), ToOwned::to_owned);
                    let id = new_entrance(d, here, EntranceReport::new(handle.clone(), name, DoorClass::Online), false);
                    known.entrances.insert(text(handle), id);
                    id
                }
            };
            doors.insert(id);
        }
        let entrances: Vec<AcsEntranceId> = doors.into_iter().collect();
        if let Some(id) = known.groups.get(&text(&report.handle)).copied() {
            let old = d.get::<Group>(id)?;
            let (name, schedule) = (report.name.clone(), report.schedule.clone());
            let new = Group { name, entrances, window: report.window, schedule, missing_since: None, ..old.clone() };
            let same = (&new.entrances, &new.window, &new.schedule) == (&old.entrances, &old.window, &old.schedule);
            if !same || old.missing_since.is_some() {
                changed.insert(id);
            }
            if new != old {
                d.set(id, new);
            }
        } else {
            let id = AcsAccessGroupId::from_uuid(d.env.mint());
            let group = Group {
                system: here.system,
                account: here.account,
                handle: report.handle.clone(),
                name: report.name.clone(),
                entrances,
                window: report.window,
                schedule: report.schedule.clone(),
                created_at: d.now(),
                missing_since: None,
            };
            d.set(id, group);
            changed.insert(id);
        }
    }
    for (handle, id) in &known.groups {
        let old = d.get::<Group>(*id)?;
        if !shown.contains(handle) && old.missing_since.is_none() {
            changed.insert(*id);
            d.set(*id, Group { missing_since: Some(d.now()), ..old });
            tell(d, &EventType::ACS_ACCESS_GROUP_DELETED, here, "acs_access_group_id", id.uuid());
        }
    }
    Ok(changed)
}

fn encoders(d: &mut Draft<'_>, here: &Here<'_>, list: &[EncoderReport], known: &mut Known) -> Try<()> {
    const ID: &str = "acs_encoder_id";
    let mut shown = BTreeSet::new();
    for report in list {
        if !shown.insert(text(&report.handle)) {
            continue;
        }
        if let Some(id) = known.encoders.get(&text(&report.handle)).copied() {
            let old = d.get::<Encoder>(id)?;
            let new = Encoder { report: report.clone(), missing_since: None, ..old.clone() };
            if old.missing_since.is_some() {
                tell(d, &EventType::ACS_ENCODER_ADDED, here, ID, id.uuid());
            }
            if new != old {
                d.set(id, new);
            }
        } else {
            let id = AcsEncoderId::from_uuid(d.env.mint());
            let encoder = Encoder {
                system: here.system,
                account: here.account,
                kind: here.kind.to_owned(),
                report: report.clone(),
                created_at: d.now(),
                missing_since: None,
                quarantined_until: None,
                own: false,
            };
            d.set(id, encoder);
            tell(d, &EventType::ACS_ENCODER_ADDED, here, ID, id.uuid());
        }
    }
    for (handle, id) in &known.encoders {
        let old = d.get::<Encoder>(*id)?;
        if !old.own && !shown.contains(handle) && old.missing_since.is_none() {
            d.set(*id, Encoder { missing_since: Some(d.now()), ..old });
            tell(d, &EventType::ACS_ENCODER_REMOVED, here, ID, id.uuid());
        }
    }
    Ok(())
}

fn tell(d: &mut Draft<'_>, event: &EventType, here: &Here<'_>, what: &str, id: RowId) {
    d.event(event.as_str(), id, json!({ what: id, "acs_system_id": here.system, "connected_account_id": here.account }));
}
