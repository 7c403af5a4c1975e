//! Things that a system holds and that are not ours: shown, never changed. Their PINs count as taken.
use super::draft::{Draft, expose};
use super::drift::{DoorMap, handle_text};
use super::pin;
use super::read::Try;
use crate::model::{AcsSystemId, ConnectedAccountId};
use crate::provider::{Held, PinRules};
use crate::state::*;
use chrono::{DateTime, Duration, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// For how long the PIN of something that is no longer listed counts as taken. One list that was cut short frees no PIN.
const LINGER: Duration = Duration::hours(1);

/// The row of a thing: the same for as long as the vendor calls it the same, so that what comes back is not another.
fn row_of(d: &Draft<'_>, system: AcsSystemId, handle: &str) -> RowId {
    d.env.vault.claim_key("unmanaged", &system.to_string(), handle).0
}

/// Makes rows of what a system holds and is not ours. What is no longer held is marked as gone.
pub(super) fn apply(d: &mut Draft<'_>, account: ConnectedAccountId, system_id: AcsSystemId, things: &[&Held], doors: &DoorMap) -> Try<()> {
    let known = d.find(&Key::id(Index::UnmanagedAt, system_id))?;
    // One row per handle; some vendors give a user and her PIN the same one.
    let mut shown: BTreeMap<RowId, Vec<&Held>> = BTreeMap::new();
    for h in things {
        shown.entry(row_of(d, system_id, &handle_text(&h.handle))).or_default().push(h);
    }
    d.hint(known.iter().chain(shown.keys()).copied());
    d.gather()?;
    let now = d.now();
    let system = d.get::<System>(system_id)?;
    for (row, held) in &shown {
        let old = d.try_get::<Unmanaged>(*row)?;
        let created_at = old.as_ref().map_or(now, |o| o.created_at);
        let mut claims = BTreeSet::new();
        if let Some(rules) = &system.report.pin {
            for h in held {
                claims.extend(claims_of(d, &system, rules, h, doors, created_at));
            }
        }
        let new = Unmanaged {
            system: system_id,
            account,
            held: Held { pin: None, ..held[0].clone() },
            created_at,
            gone_at: None,
            claims: claims.into_iter().collect(),
        };
        if old.as_ref() != Some(&new) {
            d.set(*row, new);
        }
    }
    let gone: BTreeSet<RowId> = known.into_iter().filter(|row| !shown.contains_key(row)).collect();
    for row in gone {
        let mut thing = d.get::<Unmanaged>(row)?;
        thing.gone_at = Some(now);
        for claim in &mut thing.claims {
            claim.until = Some(claim.until.map_or(now + LINGER, |until| until.min(now + LINGER)));
        }
        d.set(row, thing);
    }
    Ok(())
}

/// What a foreign PIN occupies. Not exclusive: it was there without asking us.
fn claims_of(d: &Draft<'_>, system: &System, rules: &PinRules, h: &Held, doors: &DoorMap, since: DateTime<Utc>) -> Vec<Claim> {
    let Some(digits) = &h.pin else { return Vec::new() };
    let domains: BTreeSet<String> = if h.doors.is_empty() {
        // Where it works is not shown: it may be anywhere.
        let all = doors.values().filter(|(_, e)| e.report.code).map(|(_, e)| pin::domain(system, Some(&e.report.handle), rules));
        all.chain([pin::domain(system, None, rules)]).collect()
    } else {
        h.doors.iter().map(|door| pin::domain(system, Some(door), rules)).collect()
    };
    let from = h.window.map_or(since, |w| w.starts_at());
    let until = h.window.and_then(|w| w.ends_at());
    domains.iter().map(|domain| Claim { key: pin::key(d, domain, expose(digits)), from, until, exclusive: false }).collect()
}
