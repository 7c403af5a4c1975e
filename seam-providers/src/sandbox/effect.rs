//! What a call does to the site, once it has reached it.
use super::check::Checked;
use super::decide::is_offline;
use super::faults::Bug;
use super::state::{Pin, SiteState, StayMark, Thing};
use super::stays;
use chrono::{DateTime, Utc};
use seam_core::provider::{
    AccessSpec, Body, CardPath, CredentialSpec, DoorLimit, Failure, Found, Groups, Handle, Kind, Made, Needs, ReadBack, Reason, Receipt,
    Repeat, Role, Seen, StaySpec, Tag, UserSpec, Want,
};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;

/// Makes the site hold it.
pub(super) fn put(site: &mut SiteState, checked: &Checked, want: &Want, had: Option<&Handle>, tag: &Tag) -> Result<Receipt, Failure> {
    match want {
        Want::Stay(stay) => put_stay(site, checked, stay, had, tag),
        Want::User(user) => put_user(site, checked, user, had, tag),
        Want::Access(access) => put_access(site, checked, access, had, tag),
        Want::Credential(credential) => match &credential.body {
            Body::Code { pin, slot } => put_code(site, checked, credential, pin.as_ref(), *slot, had, tag),
            Body::Card { number } => put_card(site, checked, credential, number.as_deref(), had, tag),
            Body::MobileKey { endpoint } => put_mobile_key(site, checked, credential, endpoint.as_deref(), had, tag),
            Body::CloudKey => put_cloud_key(site, checked, credential, had, tag),
            _ => Err(Failure::unsupported("nothing is known of such a credential here")),
        },
        _ => Err(Failure::unsupported("nothing is known of such a thing here")),
    }
}

/// The ids of what the site holds of our row: by its handle, else by its tag.
pub(super) fn ids(site: &SiteState, kind: Kind, had: Option<&Handle>, tag: &Tag) -> Vec<String> {
    let mut ids = site.things.tagged(kind, tag);
    if let Some(id) = had.and_then(Handle::as_text)
        && site.things.get(id).is_some_and(|t| t.kind == kind)
        && !ids.iter().any(|i| i == id)
    {
        ids.insert(0, id.to_owned());
    }
    ids
}

/// The id to write to: the one we had, or, where a repeat overwrites, the one with our tag, or a new one.
fn place(site: &mut SiteState, checked: &Checked, kind: Kind, had: Option<&Handle>, tag: &Tag) -> String {
    let known = had.and_then(Handle::as_text).filter(|id| site.things.get(id).is_some_and(|t| t.kind == kind)).map(str::to_owned);
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

fn done(checked: &Checked, id: &str) -> Receipt {
    let receipt = if checked.rules.read_back == ReadBack::None { Receipt::accepted() } else { Receipt::verified() };
    receipt.with_handle(Handle::text(id))
}

fn put_stay(site: &mut SiteState, checked: &Checked, stay: &StaySpec, had: Option<&Handle>, tag: &Tag) -> Result<Receipt, Failure> {
    let id = place(site, checked, Kind::Stay, had, tag);
    let mut thing = Thing::new(Kind::Stay, Some(tag.clone()), stay.key.clone());
    thing.doors.clone_from(&checked.doors);
    thing.window = checked.window;
    thing.stay = Some(StayMark { key: stay.key.clone(), generation: stay.generation, role: Role::Open });
    site.set_thing(&id, Some(thing));
    Ok(done(checked, &id))
}

fn put_user(site: &mut SiteState, checked: &Checked, user: &UserSpec, had: Option<&Handle>, tag: &Tag) -> Result<Receipt, Failure> {
    if user.suspended && !checked.rules.suspend {
        return Err(Failure::unsupported("a user cannot be suspended here"));
    }
    let id = place(site, checked, Kind::User, had, tag);
    let mut thing = Thing::new(Kind::User, Some(tag.clone()), user.name.clone());
    (thing.window, thing.suspended) = (checked.window, user.suspended);
    site.set_thing(&id, Some(thing));
    Ok(done(checked, &id))
}

fn user_there(site: &SiteState, user: Option<&Handle>) -> Result<Option<String>, Failure> {
    let Some(handle) = user else { return Ok(None) };
    let id = handle.as_text().unwrap_or_default();
    match site.things.get(id) {
        Some(thing) if thing.kind == Kind::User => Ok(Some(id.to_owned())),
        _ => Err(Failure::refused(Reason::NotThere, "there is no such user")),
    }
}

fn put_access(site: &mut SiteState, checked: &Checked, access: &AccessSpec, had: Option<&Handle>, tag: &Tag) -> Result<Receipt, Failure> {
    let user = user_there(site, access.user.as_ref())?;
    let mut groups = Vec::new();
    if site.config.group_rules == Groups::Fixed {
        let mut covered = BTreeSet::new();
        for handle in &access.groups {
            let Some(group) = site.config.groups.iter().find(|g| g.handle == *handle) else {
                return Err(Failure::refused(Reason::NotThere, "there is no such group"));
            };
            covered.extend(group.entrances.iter().filter_map(Handle::as_text).map(str::to_owned));
            groups.extend(handle.as_text().map(str::to_owned));
        }
        let wanted: BTreeSet<String> = checked.doors.iter().cloned().collect();
        if let Some(more) = covered.difference(&wanted).next() {
            return Err(Failure::unsupported(format!("the groups would also open {more}")));
        }
        if let Some(less) = wanted.difference(&covered).next() {
            return Err(Failure::unsupported(format!("no group given opens {less}")));
        }
    }
    let id = place(site, checked, Kind::Access, had, tag);
    let mut thing = Thing::new(Kind::Access, Some(tag.clone()), String::new());
    (thing.user, thing.groups, thing.window, thing.suspended) = (user, groups, checked.window, access.suspended);
    thing.doors.clone_from(&checked.doors);
    thing.schedule.clone_from(&access.schedule);
    site.set_thing(&id, Some(thing));
    Ok(done(checked, &id))
}

/// What all credentials have.
fn credential_thing(checked: &Checked, credential: &CredentialSpec, user: Option<String>, tag: &Tag) -> Thing {
    let mut thing = Thing::new(credential.body.kind(), Some(tag.clone()), credential.holder.clone());
    (thing.user, thing.window, thing.suspended) = (user, checked.window, credential.suspended);
    thing.doors.clone_from(&checked.doors);
    thing.schedule.clone_from(&credential.schedule);
    thing
}

fn put_code(
    site: &mut SiteState,
    checked: &Checked,
    credential: &CredentialSpec,
    pin: Option<&SecretString>,
    slot: Option<u16>,
    had: Option<&Handle>,
    tag: &Tag,
) -> Result<Receipt, Failure> {
    let user = user_there(site, credential.user.as_ref())?;
    let mut made = Made::default();
    let mut pin = match pin {
        Some(pin) => pin.expose_secret().to_owned(),
        None => {
            let pin = vendor_pin(site, had, tag);
            made.pin = Some(SecretString::from(pin.clone()));
            pin
        }
    };
    if site.faults.bug == Some(Bug::LeadingZeroDropped) {
        pin = pin.trim_start_matches('0').to_owned();
    }
    let door = checked.doors.first().cloned();
    let known = match slot {
        Some(slot) => Some(format!("{}-{slot}", door.as_deref().unwrap_or_default())).filter(|id| site.things.get(id).is_some()),
        None => ids(site, Kind::Code, had, tag).into_iter().next(),
    };
    let mine = |id: &String| known.as_ref() == Some(id);
    let pins = site.config.pin.as_ref();
    let same = |t: &Thing| t.pin.as_ref().is_some_and(|p| p.0 == pin);
    if pins.is_some_and(|p| p.unique_in_system) && site.things.iter().any(|(id, t)| same(t) && !mine(id)) {
        return Err(Failure::refused(Reason::PinRefused, "the PIN is taken"));
    }
    if let Some(door) = &door {
        if !site.config.takes_equal_pins && site.things.codes_at(door).any(|(id, t)| same(t) && !mine(id)) {
            return Err(Failure::refused(Reason::PinRefused, "the PIN is taken"));
        }
        let full = site.config.code_capacity.is_some_and(|most| site.things.codes_at(door).count() >= most as usize);
        if full && known.is_none() {
            // A stand-alone lock says no more than no.
            let reason = if site.config.shape == super::config::Shape::Locks { Reason::Other } else { Reason::Full };
            return Err(Failure::refused(reason, "the lock refused"));
        }
    }
    let other = |(id, t): (&String, &Thing)| t.kind == Kind::Code && t.user.is_some() && t.user == user && !mine(id);
    if pins.is_some_and(|p| p.per_user) && site.things.iter().any(other) {
        return Err(Failure::refused(Reason::Clash, "the user has a PIN already"));
    }
    let id = match (slot, &door) {
        (Some(slot), Some(door)) => format!("{door}-{slot}"),
        _ => place(site, checked, Kind::Code, had, tag),
    };
    let mut thing = credential_thing(checked, credential, user, tag);
    (thing.pin, thing.slot) = (Some(Pin(pin)), slot);
    if slot.is_some() {
        // A slot remembers digits and nothing else.
        (thing.tag, thing.name, thing.window) = (None, String::new(), None);
    }
    site.set_thing(&id, Some(thing));
    Ok(done(checked, &id).with_made(made))
}

/// A PIN of the site's own making: it keeps the one that it made before.
fn vendor_pin(site: &mut SiteState, had: Option<&Handle>, tag: &Tag) -> String {
    let before = ids(site, Kind::Code, had, tag).into_iter().next();
    if let Some(pin) = before.and_then(|id| site.things.get(&id)?.pin.clone()) {
        return pin.0;
    }
    let length = site.config.pin.as_ref().map_or(6, |p| p.longest).clamp(1, 18);
    let most = 10_u64.pow(u32::from(length));
    loop {
        // Spread over the range and different each time: nobody guesses the neighbour's from his own.
        let pin = site.next().wrapping_mul(0x9E37_79B9_7F4A_7C15) % most;
        let pin = format!("{pin:0width$}", width = usize::from(length));
        if !site.things.iter().any(|(_, t)| t.pin.as_ref().is_some_and(|p| p.0 == pin)) {
            return pin;
        }
    }
}

fn put_card(
    site: &mut SiteState,
    checked: &Checked,
    credential: &CredentialSpec,
    number: Option<&str>,
    had: Option<&Handle>,
    tag: &Tag,
) -> Result<Receipt, Failure> {
    if checked.rules.card != Some(CardPath::Preassigned) {
        // Only the encoder makes a card say something.
        let known = had.and_then(Handle::as_text).filter(|id| site.things.get(id).is_some());
        let receipt = Receipt::accepted().with_needs(Needs::Encoding);
        return Ok(match known {
            Some(id) => receipt.with_handle(Handle::text(id)),
            None => receipt,
        });
    }
    let user = user_there(site, credential.user.as_ref())?;
    let Some(number) = number else {
        return Ok(Receipt::accepted().with_needs(Needs::Assignment));
    };
    let registered = site.things.numbered(number).find(|(_, t)| t.kind == Kind::Card).map(|(id, t)| (id.clone(), t.tag.clone()));
    let id = match registered {
        None => return Err(Failure::refused(Reason::NotThere, "there is no such card")),
        Some((_, Some(of))) if of != *tag => return Err(Failure::refused(Reason::Clash, "the card belongs to somebody else")),
        Some((id, _)) => id,
    };
    for other in ids(site, Kind::Card, had, tag).into_iter().filter(|other| *other != id) {
        release_card(site, &other);
    }
    let mut thing = credential_thing(checked, credential, user, tag);
    thing.number = Some(number.to_owned());
    site.set_thing(&id, Some(thing));
    let mut made = Made::default();
    made.card_number = Some(number.to_owned());
    Ok(done(checked, &id).with_made(made))
}

/// A registered card without a holder.
pub(super) fn release_card(site: &mut SiteState, id: &str) {
    let number = site.things.get(id).and_then(|t| t.number.clone());
    let mut free = Thing::new(Kind::Card, None, String::new());
    free.number = number;
    site.set_thing(id, Some(free));
}

fn put_mobile_key(
    site: &mut SiteState,
    checked: &Checked,
    credential: &CredentialSpec,
    endpoint: Option<&str>,
    had: Option<&Handle>,
    tag: &Tag,
) -> Result<Receipt, Failure> {
    let user = user_there(site, credential.user.as_ref())?;
    let id = place(site, checked, Kind::MobileKey, had, tag);
    let before = site.things.get(&id).cloned();
    let (stay, numbers) = stays::numbers(site, credential, before.as_ref())?;
    let phone = endpoint.or(credential.user.as_ref().and_then(Handle::as_text)).unwrap_or(&tag.0).to_owned();
    let mut thing = credential_thing(checked, credential, user, tag);
    (thing.stay, thing.numbers, thing.phone) = (stay, numbers, Some(phone.clone()));
    site.set_thing(&id, Some(thing));
    if let Some(old) = before.and_then(|b| b.phone).filter(|old| *old != phone) {
        site.sync_phone(&old);
    }
    site.sync_phone(&phone);
    let (online, enrolled) = site.phones.get(&phone).map_or((false, false), |p| (p.online, p.enrolled));
    if !enrolled {
        let mut made = Made::default();
        made.link = Some(SecretString::from(format!("https://keys.example.com/{}/{id}", site.config.name)));
        return Ok(Receipt::accepted().with_handle(Handle::text(id)).with_needs(Needs::Phone).with_made(made));
    }
    Ok(if online { done(checked, &id) } else { Receipt::accepted().with_handle(Handle::text(id)) })
}

fn put_cloud_key(
    site: &mut SiteState,
    checked: &Checked,
    credential: &CredentialSpec,
    had: Option<&Handle>,
    tag: &Tag,
) -> Result<Receipt, Failure> {
    let user = user_there(site, credential.user.as_ref())?;
    let id = place(site, checked, Kind::CloudKey, had, tag);
    let thing = credential_thing(checked, credential, user, tag);
    site.set_thing(&id, Some(thing));
    Ok(done(checked, &id))
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
        Want::Credential(c) if kind == Kind::Card && rules.card == Some(CardPath::VendorEncoder) => {
            let offline = |d: &seam_core::provider::Door| d.handle.as_text().and_then(|n| site.config.door(n)).is_some_and(is_offline);
            c.window.ends_at().filter(|_| c.doors.iter().any(offline))
        }
        Want::Credential(c) if rules.read_back == ReadBack::None => c.window.ends_at(),
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
            (Kind::Stay, _) => {
                let key = thing.stay.as_ref().map(|s| s.key.clone()).unwrap_or_default();
                stays::check_out(site, &key, &thing.doors);
            }
            (Kind::User, _) => remove_all_of(site, &id),
            _ => {}
        }
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
    let as_wanted = (rules.read_back == ReadBack::Full).then(|| same(site, thing, checked, want));
    let arrived = thing.phone.as_ref().is_none_or(|p| site.phones.get(p).is_some_and(|p| p.keys.get(id) == site.key(id).as_ref()));
    let mut seen = Seen::new(Handle::text(id.clone()), as_wanted.filter(|_| arrived));
    seen.window = thing.window;
    if site.config.pin.as_ref().is_some_and(|p| p.made_by_vendor) {
        seen.made.pin = thing.pin.as_ref().map(|p| SecretString::from(p.0.clone()));
    }
    seen.made.card_number.clone_from(&thing.number);
    Found::Present(seen)
}

fn same(site: &SiteState, thing: &Thing, checked: &Checked, want: &Want) -> bool {
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
                let _ = site;
                body && stay && thing.schedule == c.schedule && thing.suspended == c.suspended && (!by_user || user(&c.user))
            }
            _ => true,
        }
}

/// What a system answers that claims success.
pub(super) fn claimed(checked: &Checked) -> Receipt {
    done(checked, "thing-of-nobody")
}
