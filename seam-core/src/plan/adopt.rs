//! A system that was connected before is connected again: what was granted there goes on. And channels that moved.
use super::draft::Draft;
use super::read::Try;
use super::{method, next};
use crate::model::{AcsSystemId, ConnectedAccountId};
use crate::state::*;
use std::collections::{BTreeMap, BTreeSet};

/// Gives a system that is left over from a disconnected account to another, with its places, users, stays and targets. What rested is due
/// again.
pub(super) fn adopt(d: &mut Draft<'_>, id: AcsSystemId, account: ConnectedAccountId) -> Try<()> {
    let keys = [Index::PlacesOf, Index::TargetsAt, Index::UnmanagedAt].map(|index| Key::id(index, id));
    d.reader().hint_keys(keys.iter().cloned());
    d.gather()?;
    let mut rows = BTreeSet::new();
    for key in &keys {
        rows.extend(d.find_exactly(key)?);
    }
    d.hint(rows.iter().copied());
    d.gather()?;
    // Users and stays are found through what is wanted of the system for them.
    for row in rows.clone() {
        if let Some(t) = d.try_get::<Target>(row)? {
            match t.of {
                TargetOf::User(user) => drop(rows.insert(user.uuid())),
                TargetOf::Stay(stay) => drop(rows.insert(stay.uuid())),
                _ => {}
            }
            if let Some(c) = t.credential() {
                rows.extend(c.user.map(|u| u.uuid()));
                rows.extend(c.stay.map(|s| s.uuid()));
            }
        }
    }
    d.hint(rows.iter().copied());
    d.gather()?;
    let mut system = d.get::<System>(id)?;
    system.account = account;
    d.set(id, system);
    let now = d.now();
    for row in rows {
        let Some(body) = d.reader().row(row)?.map(|r| r.body.clone()) else { continue };
        match body {
            Body::Entrance(x) => d.set(row, Entrance { account, ..x }),
            Body::Group(x) => d.set(row, Group { account, ..x }),
            Body::Encoder(x) => d.set(row, Encoder { account, ..x }),
            Body::Unmanaged(x) => d.set(row, Unmanaged { account, ..x }),
            Body::LogFeed(x) => {
                let work = Work { due_at: Some(now), ..Work::default() };
                d.set(row, LogFeed { account, work, ..x });
            }
            Body::User(x) => d.set(row, AcsUser { account, ..x }),
            Body::Stay(x) => d.set(row, Stay { account, ..x }),
            Body::Target(x) => {
                let mut t = Target { account, ..x };
                let rules = method::rules_of(d, &t)?;
                // A call that was under way when the account went has no owner any more; it is settled as lost.
                next::schedule(&mut t, &rules, now);
                if t.work.in_flight.is_some() {
                    t.work.due_at = Some(now);
                }
                d.set(row, t);
            }
            _ => {}
        }
    }
    Ok(())
}

/// The physical end of a system or of a lock has another name now (it has moved to another address): what is to be done goes there.
pub(super) fn move_channels(d: &mut Draft<'_>, id: AcsSystemId, moved: &BTreeMap<Channel, Channel>) -> Try<()> {
    let rows = d.find(&Key::id(Index::TargetsAt, id))?;
    d.hint(rows.iter().copied());
    d.gather()?;
    for row in rows {
        let mut t = d.get::<Target>(row)?;
        if let Some(to) = moved.get(&t.channel) {
            t.channel = to.clone();
            d.set(row, t);
        }
    }
    Ok(())
}
