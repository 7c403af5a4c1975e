//! Spaces: named sets of entrances. Grants on a space follow its membership.
use super::change::{NewSpace, Outcome, ParentSpace, SpaceUpdate};
use super::draft::Draft;
use super::grant::{End, end_grant};
use super::read::Try;
use super::reweave::reweave_grant;
use super::{rebind, validate};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AccessGrantId, AcsEntranceId, ConnectedAccountId, EventType, Geolocation, SpaceId};
use crate::state::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const ENTRANCES: &str = "acs_entrance_ids";
const ACCOUNTS: &str = "connected_account_ids";
/// The most accounts of a space.
const MAX_ACCOUNTS: usize = 200;
/// How deep spaces lie within one another, at most: a bed in a room in a flat on a floor in a wing of a house on a site of a city is 9.
const MAX_DEPTH: usize = 16;
/// The most members and the most bytes of `customer_data`.
const MAX_DATA: (usize, usize) = (50, 16 * 1024);

/// Makes a space. Without entrances it can be granted all the same: grants follow.
///
/// # Errors
/// `InvalidInput` for a field; `Conflict` when another space has the key (`space_key_conflict`); `NotFound` for an entrance.
pub(super) fn create(d: &mut Draft<'_>, new: &NewSpace) -> Try<Outcome> {
    validate::name("name", &new.name)?;
    if let Some(key) = &new.customer_key {
        validate::key("customer_key", key)?;
    }
    if let Some(key) = &new.key {
        validate::key("space_key", key)?;
        if !d.find(&Key::new(Index::SpaceKey, key.as_str()))?.is_empty() {
            return Err(Error::new(ErrorKind::Conflict, "space_key_conflict", "another space has this key").with_field("space_key").into());
        }
    }
    let entrances = each_once(&new.entrances)?;
    check_there(d, &entrances)?;
    let accounts = accounts_there(d, &new.connected_accounts)?;
    check_place(new.geolocation)?;
    let id = SpaceId::from_uuid(d.env.mint());
    let parent = new.parent.as_ref().map(|parent| parent_of(d, parent, id)).transpose()?;
    let space = Space {
        name: new.name.clone(),
        key: new.key.clone(),
        customer_key: new.customer_key.clone(),
        customer_data: new.customer_data.as_ref().map(|data| merge_data(None, data)).transpose()?.flatten(),
        parent,
        geolocation: new.geolocation,
        accounts,
        entrances,
        created_at: d.now(),
        deleted_at: None,
    };
    tell(d, &EventType::SPACE_CREATED, id, &space)?;
    d.set(id, space);
    Ok(Outcome::Space(id))
}

/// A space that is there.
fn living(d: &Draft<'_>, id: SpaceId) -> Try<Space> {
    let space = d.get::<Space>(id)?;
    if space.deleted_at.is_some() {
        return Err(Error::not_found("space", id).into());
    }
    Ok(space)
}

/// Changes a space. A list of entrances is the whole new set. The key stays.
///
/// # Errors
/// As [`create`]; what [`reweave_grant`] cannot do at an access system (`Unsupported`), for the whole change.
pub(super) fn update(d: &mut Draft<'_>, update: &SpaceUpdate) -> Try<Outcome> {
    let id = update.space;
    let mut space = living(d, id)?;
    if let Some(name) = &update.name {
        validate::name("name", name)?;
        space.name.clone_from(name);
    }
    if let Some(data) = &update.customer_data {
        space.customer_data = merge_data(space.customer_data.as_ref(), data)?;
    }
    if let Some(place) = update.geolocation {
        check_place(place)?;
        space.geolocation = place;
    }
    if let Some(parent) = &update.parent {
        space.parent = parent.as_ref().map(|parent| parent_of(d, parent, id)).transpose()?;
    }
    let before = space.entrances.clone();
    if let Some(entrances) = &update.entrances {
        let wanted = each_once(entrances)?;
        // Those that stay keep their places, so that the same set in another order is no change.
        space.entrances.retain(|e| wanted.contains(e));
        let added: Vec<AcsEntranceId> = wanted.into_iter().filter(|e| !space.entrances.contains(e)).collect();
        check_there(d, &added)?;
        space.entrances.extend(added);
    }
    settle_membership(d, id, space, &before)?;
    Ok(Outcome::Space(id))
}

/// Adds entrances to a space and removes others. Adding what is in and removing what is not is fine.
///
/// # Errors
/// `InvalidInput` when an entrance is to be added and removed, or the space would hold too many; `NotFound`; as [`update`].
pub(super) fn change_entrances(d: &mut Draft<'_>, id: SpaceId, add: &[AcsEntranceId], remove: &[AcsEntranceId]) -> Try<Outcome> {
    let mut space = living(d, id)?;
    let add = each_once(add)?;
    let remove = each_once(remove)?;
    if add.iter().any(|e| remove.contains(e)) {
        return Err(Error::invalid(ENTRANCES, "an entrance cannot be added and removed at once").into());
    }
    check_there(d, &add)?;
    let before = space.entrances.clone();
    let has: BTreeSet<AcsEntranceId> = before.iter().copied().collect();
    let remove: BTreeSet<AcsEntranceId> = remove.into_iter().collect();
    space.entrances.retain(|e| !remove.contains(e));
    space.entrances.extend(add.into_iter().filter(|e| !has.contains(e)));
    validate::at_most(ENTRANCES, space.entrances.len(), validate::MAX_DOORS)?;
    settle_membership(d, id, space, &before)?;
    Ok(Outcome::Space(id))
}

/// Adds an account to a space, or removes it. Adding what is in and removing what is not is fine.
///
/// # Errors
/// `NotFound` for the space, and for an account that is to be added; `InvalidInput` when there would be too many.
pub(super) fn set_account(d: &mut Draft<'_>, id: SpaceId, account: ConnectedAccountId, within: bool) -> Try<Outcome> {
    let mut space = living(d, id)?;
    if within {
        accounts_there(d, &[account])?;
    }
    space.accounts.retain(|a| *a != account);
    if within {
        space.accounts.push(account);
        space.accounts.sort_unstable();
        validate::at_most(ACCOUNTS, space.accounts.len(), MAX_ACCOUNTS)?;
    }
    d.set(id, space);
    Ok(Outcome::Space(id))
}

/// The accounts, each once; refuses those that are not connected.
fn accounts_there(d: &Draft<'_>, ids: &[ConnectedAccountId]) -> Try<Vec<ConnectedAccountId>> {
    validate::at_most(ACCOUNTS, ids.len(), MAX_ACCOUNTS)?;
    d.hint(ids.iter().map(|id| id.uuid()));
    d.gather()?;
    for id in ids {
        if d.try_get::<Account>(*id)?.is_none_or(|account| account.deleted_at.is_some()) {
            return Err(Error::not_found("connected_account", id).with_field(ACCOUNTS).into());
        }
    }
    Ok(ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect())
}

fn check_place(place: Option<Geolocation>) -> Result<()> {
    let ok = place.is_none_or(|at| (-90.0..=90.0).contains(&at.latitude) && (-180.0..=180.0).contains(&at.longitude));
    if ok { Ok(()) } else { Err(Error::invalid("geolocation", "degrees north are -90 to 90, degrees east -180 to 180")) }
}

/// The space that is to hold another. A space is not within itself, and spaces lie within one another at most [`MAX_DEPTH`] deep.
///
/// # Errors
/// `NotFound`; `InvalidInput` for a circle or too many levels.
fn parent_of(d: &mut Draft<'_>, parent: &ParentSpace, child: SpaceId) -> Try<SpaceId> {
    let (id, field) = match parent {
        ParentSpace::Id(id) => (*id, "parent_space_id"),
        ParentSpace::Key(key) => {
            let row = d.find(&Key::new(Index::SpaceKey, key.as_str()))?.first().copied();
            (row.map(SpaceId::from_uuid).ok_or_else(|| Error::not_found("space", key).with_field("parent_space_key"))?, "parent_space_key")
        }
    };
    let mut at = Some(id);
    for _ in 0..MAX_DEPTH {
        let Some(space) = at else {
            // Nobody closes a circle meanwhile.
            d.depend_on(id);
            return Ok(id);
        };
        if space == child {
            return Err(Error::invalid(field, "a space cannot be within itself").into());
        }
        let row = d.get::<Space>(space)?;
        if row.deleted_at.is_some() && space == id {
            return Err(Error::not_found("space", id).with_field(field).into());
        }
        d.depend_on(space);
        at = row.parent;
    }
    Err(Error::invalid(field, format!("spaces lie within one another at most {MAX_DEPTH} deep")).into())
}

/// Writes a space, and where its entrances changed tells it and lets the grants follow.
///
/// The new doors of a stay that exists are added to it: a membership change never raises a reservation rule against people who are in the
/// house ([`reweave_grant`] sees to it).
fn settle_membership(d: &mut Draft<'_>, id: SpaceId, space: Space, before: &[AcsEntranceId]) -> Try<()> {
    let changed = space.entrances != before;
    d.set(id, space.clone());
    if changed {
        tell(d, &EventType::SPACE_DEVICE_MEMBERSHIP_CHANGED, id, &space)?;
        for grant in grants_on(d, id)? {
            reweave_grant(d, grant)?;
        }
    }
    Ok(())
}

/// The entrances of a space were replaced in this draft: it is told, and the grants follow.
pub(super) fn followed(d: &mut Draft<'_>, id: SpaceId) -> Try<()> {
    let space = d.get::<Space>(id)?;
    settle_membership(d, id, space, &[])
}

/// The live grants on a space. The commit holds only if nobody has made another meanwhile.
fn grants_on(d: &mut Draft<'_>, id: SpaceId) -> Try<Vec<AccessGrantId>> {
    let grants = d.find_exactly(&Key::id(Index::GrantsOn, id))?;
    d.hint(grants.iter().copied());
    d.gather()?;
    Ok(grants.into_iter().map(AccessGrantId::from_uuid).collect())
}

/// Deletes a space. Grants on it keep the doors that they have otherwise. A grant that has none left ends as deleted: it could never open
/// anything again, and a card that is left over should show up as residual access and not as a grant that seems to be in order.
///
/// # Errors
/// `NotFound`; as [`update`].
pub(super) fn delete(d: &mut Draft<'_>, id: SpaceId) -> Try<Outcome> {
    let mut space = living(d, id)?;
    tell(d, &EventType::SPACE_DELETED, id, &space)?;
    space.deleted_at = Some(d.now());
    d.set(id, space);
    let grants = grants_on(d, id)?;
    let mut others = BTreeSet::new();
    for grant in &grants {
        others.extend(d.get::<Grant>(*grant)?.spaces);
    }
    d.hint(others.iter().map(|s| s.uuid()));
    d.gather()?;
    for grant_id in grants {
        let mut grant = d.get::<Grant>(grant_id)?;
        let mut has_doors = !grant.entrances.is_empty();
        for other in grant.spaces.iter().filter(|s| **s != id) {
            has_doors |= d.try_get::<Space>(*other)?.is_some_and(|s| s.deleted_at.is_none() && !s.entrances.is_empty());
        }
        if has_doors {
            grant.spaces.retain(|s| *s != id);
            d.set(grant_id, grant);
            reweave_grant(d, grant_id)?;
        } else {
            end_grant(d, grant_id, End::Deleted)?;
        }
    }
    Ok(Outcome::Done)
}

fn each_once(entrances: &[AcsEntranceId]) -> Result<Vec<AcsEntranceId>> {
    validate::at_most(ENTRANCES, entrances.len(), validate::MAX_DOORS)?;
    let mut seen = BTreeSet::new();
    Ok(entrances.iter().copied().filter(|e| seen.insert(*e)).collect())
}

fn check_there(d: &Draft<'_>, entrances: &[AcsEntranceId]) -> Try<()> {
    d.hint(entrances.iter().map(|e| e.uuid()));
    d.gather()?;
    for id in entrances {
        rebind::named(d, *id, ENTRANCES)?;
    }
    Ok(())
}

/// Tells an event about a space, with its complete lists.
fn tell(d: &mut Draft<'_>, event: &EventType, id: SpaceId, space: &Space) -> Try<()> {
    d.hint(space.entrances.iter().map(|e| e.uuid()));
    d.gather()?;
    let mut devices = Vec::new();
    for entrance in &space.entrances {
        // A device is an entrance that is a lock of its own.
        if d.get::<Entrance>(*entrance)?.report.channel.is_some() {
            devices.push(*entrance);
        }
    }
    let mut fields = json!({ "space_id": id, ENTRANCES: space.entrances, "device_ids": devices });
    if let Some(key) = &space.key {
        fields["space_key"] = json!(key);
    }
    d.event(event.as_str(), id, fields);
    Ok(())
}

/// `HH:mm` or `HH:mm:ss`, each with two digits, before 24:00.
fn is_time(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let below =
        |part: &str, limit: u8| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()) && part.parse::<u8>().is_ok_and(|n| n < limit);
    match parts[..] {
        [hours, minutes] => below(hours, 24) && below(minutes, 60),
        [hours, minutes, seconds] => below(hours, 24) && below(minutes, 60) && below(seconds, 60),
        _ => false,
    }
}

/// Stay defaults with changes merged in, member by member; `null` takes one away. `None` when none are left.
fn merge_data(old: Option<&Value>, new: &Value) -> Result<Option<Value>> {
    const FIELD: &str = "customer_data";
    let Value::Object(new) = new else {
        return if new.is_null() { Ok(None) } else { Err(Error::invalid(FIELD, "it is not an object")) };
    };
    let mut data: Map<String, Value> = old.and_then(Value::as_object).cloned().unwrap_or_default();
    for (key, value) in new {
        validate::key(FIELD, key)?;
        let of = || format!("{FIELD}.{key}");
        match value {
            Value::Null => {
                data.remove(key);
                continue;
            }
            Value::String(text) => match key.as_str() {
                "default_checkin_time" | "default_checkout_time" if !is_time(text) => {
                    return Err(Error::invalid(of(), "it is not a time as 15:00"));
                }
                "time_zone" if text.parse::<chrono_tz::Tz>().is_err() => {
                    return Err(Error::invalid(of(), "it is not an IANA time zone"));
                }
                _ => {}
            },
            _ => return Err(Error::invalid(of(), "it is not a text")),
        }
        data.insert(key.clone(), value.clone());
    }
    if data.len() > MAX_DATA.0 || data.iter().map(|(k, v)| k.len() + v.as_str().map_or(0, str::len)).sum::<usize>() > MAX_DATA.1 {
        return Err(Error::invalid(FIELD, format!("it has more than {} members or {} bytes", MAX_DATA.0, MAX_DATA.1)));
    }
    Ok((!data.is_empty()).then_some(Value::Object(data)))
}
