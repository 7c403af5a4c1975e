//! What a removal does to the site, what a look finds, and how things are named.
use super::check::Checked;
use super::decide::is_offline;
use super::faults::Bug;
use super::state::{SiteState, Thing};
use super::stays;
use chrono::{DateTime, Utc};
use seam_core::provider::{
    Body, CardPath, CredentialSpec, DoorLimit, Failure, Found, Handle, Kind, ReadBack, Reason, Receipt, Repeat, Seen, Tag, Want,
};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;

/// The ids of what the site holds of our row. A handle alone proves nothing: a registered card may be somebody else's by now.
pub(super) fn ids(site: &SiteState, kind: Kind, had: Option<&Handle>, tag: &Tag) -> Vec<String> {
    let mut ids = site.things.tagged(kind, tag);
    if let Some(at) = had.and_then(Handle::as_text).and_then(|id| ids.iter().position(|i| i == id)) {
        ids.swap(0, at);
    }
    ids
}

/// The id to write to: the one we had, or, where a repeat overwrites, the one with our tag, or a new one.
pub(super) fn place(site: &mut SiteState, checked: &Checked, kind: Kind, had: Option<&Handle>, tag: &Tag) -> String {
    let mine = |id: &&str| site.things.get(id).is_some_and(|t| t.kind == kind && t.tag.as_ref() == Some(tag));
    let known = had.and_then(Handle::as_text).filter(mine).map(str::to_owned);
    let twice = site.faults.bug == Some(Bug::PutTwiceMakesTwo);
    let by_tag = || (checked.rules.repeat == Repeat::Safe).then(|| site.things.tagged(kind, tag).into_iter().next()).flatten();
    match known.or_else(by_tag).filter(|_| !twice) {
        Some(id) => id,
        None => new_id(site, kind),
    }
}

pub(super) fn new_id(site: &mut SiteState, kind: Kind) -> String {
    let word = match kind {
        Kind::Stay => "stay",
        Kind::User => "user",
        Kind::Access => "access",
        Kind::Code => "code",
        Kind::Card => "card",
        Kind::MobileKey => "mobile",
        Kind::CloudKey => "cloud",
        _ => "thing",
    };
    format!("{word}-{:06}", site.next())
}

/// A receipt, as sure as the kind can be.
pub(super) fn done(checked: &Checked, id: &str) -> Receipt {
    let receipt = if checked.rules.read_back == ReadBack::None { Receipt::accepted() } else { Receipt::verified() };
    receipt.with_handle(Handle::text(id))
}

/// What a system answers that claims success.
pub(super) fn claimed(checked: &Checked) -> Receipt {
    done(checked, "thing-of-nobody")
}

/// A registered card without a holder.
pub(super) fn release_card(site: &mut SiteState, id: &str) {
    let number = site.things.get(id).and_then(|t| t.number.clone());
    let mut free = Thing::new(Kind::Card, None, String::new());
    free.number = number;
    site.set_thing(id, Some(free));
}

/// Makes the site not hold it.
pub(super) fn remove(site: &mut SiteState, last: &Want, had: Option<&Handle>, tag: &Tag, now: DateTime<Utc>) -> Result<Receipt, Failure> {
    let kind = last.kind();
    let rules = site.config.kinds.get(&kind).cloned();
    let Some(rules) = rules else { return Err(Failure::unsupported(format!("{} cannot hold a {kind:?}", site.config.name))) };
    if let Want::Credential(CredentialSpec { doors, body: Body::Code { slot: Some(slot), pin }, .. }) = last {
        let door = doors.first().and_then(|d| d.handle.as_text()).unwrap_or_default();
        return empty_slot(site, &format!("{door}-{slot}"), pin.as_ref());
    }
    let ids = ids(site, kind, had, tag);
    if ids.is_empty() && site.faults.bug == Some(Bug::RemoveOfAbsentFails) {
        return Err(Failure::refused(Reason::NotThere, "there is no such thing"));
    }
    let mut until = match last {
        Want::Credential(c) if kind == Kind::Card && matches!(rules.card, Some(CardPath::VendorEncoder | CardPath::OwnEncoder)) => {
            let offline = |d: &seam_core::provider::Door| d.handle.as_text().and_then(|n| site.config.door(n)).is_some_and(is_offline);
            c.window.ends_at().filter(|_| c.doors.iter().any(offline))
        }
        Want::Credential(c) if rules.read_back == ReadBack::None => c.window.ends_at(),
        // Who is checked out is off the list; the locks hear nothing of it.
        Want::Stay(stay) => stay.window.ends_at(),
        _ => None,
    };
    for id in ids {
        let Some(thing) = site.things.get(&id).cloned() else { continue };
        match thing.kind {
            Kind::Card if rules.card == Some(CardPath::Preassigned) => release_card(site, &id),
            Kind::Card => {
                // What is on the card stays on the card, by the window that was written.
                until = until.max(thing.window.and_then(|w| w.ends_at()).filter(|_| until.is_some()));
                site.set_thing(&id, None);
            }
            _ => site.set_thing(&id, None),
        }
        match (thing.kind, &thing.phone) {
            (Kind::MobileKey, Some(phone)) => {
                site.sync_phone(phone);
                if site.phones.get(phone).is_some_and(|p| p.keys.contains_key(&id)) {
                    until = thing.window.and_then(|w| w.ends_at());
                }
            }
            (Kind::User, _) => remove_all_of(site, &id),
            _ => {}
        }
    }
    if let Want::Stay(stay) = last {
        let doors: Vec<String> = stay.doors.iter().filter_map(|d| d.handle.as_text()).map(str::to_owned).collect();
        stays::check_out(site, &stay.key, &doors);
    }
    if kind == Kind::MobileKey {
        // A key may still be on a phone that is out of reach, although an earlier call took it off the record: the server waits for the phone.
        let keys = site.phones.values().flat_map(|phone| phone.keys.values()).filter(|key| key.tag.as_ref() == Some(tag));
        until = keys.filter_map(|key| key.window.ends_at()).chain(until).max();
    }
    Ok(match until.filter(|until| *until > now) {
        Some(until) => Receipt::accepted().with_may_open_until(until),
        None if rules.read_back == ReadBack::None => Receipt::accepted(),
        None => Receipt::verified(),
    })
}

/// A user goes with all that is hers.
fn remove_all_of(site: &mut SiteState, user: &str) {
    let hers: Vec<(String, Kind)> =
        site.things.iter().filter(|(_, t)| t.user.as_deref() == Some(user)).map(|(id, t)| (id.clone(), t.kind)).collect();
    let preassigned = site.config.kinds.get(&Kind::Card).is_some_and(|r| r.card == Some(CardPath::Preassigned));
    for (id, kind) in hers {
        let phone = site.things.get(&id).and_then(|t| t.phone.clone());
        if kind == Kind::Card && preassigned {
            release_card(site, &id);
        } else {
            site.set_thing(&id, None);
        }
        phone.into_iter().for_each(|p| site.sync_phone(&p));
    }
}

/// A slot is emptied if it still holds these digits: another's may have come into it since.
fn empty_slot(site: &mut SiteState, id: &str, pin: Option<&SecretString>) -> Result<Receipt, Failure> {
    let Some(there) = site.things.get(id) else {
        return match site.faults.bug {
            Some(Bug::RemoveOfAbsentFails) => Err(Failure::refused(Reason::NotThere, "the slot is empty")),
            _ => Ok(Receipt::verified()),
        };
    };
    if pin.is_none_or(|pin| there.pin.as_ref().is_some_and(|p| p.0 == pin.expose_secret())) {
        site.set_thing(id, None);
    }
    Ok(Receipt::verified())
}

/// Looks whether the site holds it.
pub(super) fn find(site: &SiteState, checked: &Checked, want: &Want, had: Option<&Handle>, tag: &Tag) -> Found {
    let rules = &checked.rules;
    if rules.read_back == ReadBack::None {
        return Found::CannotTell;
    }
    if let Want::Credential(CredentialSpec { body: Body::Code { slot: Some(slot), pin: Some(pin) }, .. }) = want {
        let id = format!("{}-{slot}", checked.doors.first().map(String::as_str).unwrap_or_default());
        let there = site.things.get(&id).and_then(|t| t.pin.as_ref());
        return match there {
            Some(p) if p.0 == pin.expose_secret() => Found::Present(Seen::new(Handle::text(id), Some(true))),
            _ => Found::Absent,
        };
    }
    let ids = ids(site, want.kind(), had, tag);
    let (Some(id), more) = (ids.first(), ids.len() > 1) else { return Found::Absent };
    if more {
        return Found::Several(u32::try_from(ids.len()).unwrap_or(u32::MAX));
    }
    let Some(thing) = site.things.get(id) else { return Found::Absent };
    let as_wanted = (rules.read_back == ReadBack::Full).then(|| same(thing, checked, want));
    let arrived = thing.phone.as_ref().is_none_or(|p| site.phones.get(p).is_some_and(|p| p.keys.get(id) == site.key(id).as_ref()));
    let mut seen = Seen::new(Handle::text(id.clone()), as_wanted.filter(|_| arrived));
    seen.window = thing.window;
    if site.config.pin.as_ref().is_some_and(|p| p.made_by_vendor) {
        seen.made.pin = thing.pin.as_ref().map(|p| SecretString::from(p.0.clone()));
    }
    seen.made.card_number.clone_from(&thing.number);
    Found::Present(seen)
}

fn same(thing: &Thing, checked: &Checked, want: &Want) -> bool {
    let sorted = |doors: &[String]| doors.iter().cloned().collect::<BTreeSet<_>>();
    let basics = thing.window == checked.window && sorted(&thing.doors) == sorted(&checked.doors);
    let user = |user: &Option<Handle>| thing.user.as_deref() == user.as_ref().and_then(Handle::as_text);
    basics
        && match want {
            Want::User(u) => thing.name == u.name && thing.suspended == u.suspended,
            Want::Access(a) => user(&a.user) && thing.schedule == a.schedule && thing.suspended == a.suspended,
            Want::Credential(c) => {
                let by_user = checked.rules.doors == DoorLimit::ByUser;
                let body = match &c.body {
                    Body::Code { pin: Some(pin), .. } => thing.pin.as_ref().is_some_and(|p| p.0 == pin.expose_secret()),
                    Body::Card { number: Some(number) } => thing.number.as_ref() == Some(number),
                    _ => true,
                };
                let stay = match (&thing.stay, &c.stay) {
                    (Some(has), Some((wants, _))) => has.key == wants.key && has.generation == wants.generation,
                    (None, None) => true,
                    // Only keys that are written carry their stay.
                    (None, Some(_)) => thing.kind == Kind::Code || thing.kind == Kind::CloudKey,
                    (Some(_), None) => false,
                };
                body && stay && thing.schedule == c.schedule && thing.suspended == c.suspended && (!by_user || user(&c.user))
            }
            _ => true,
        }
}
