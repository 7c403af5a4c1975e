//! What a put does to the site, once it has reached it.
use super::check::Checked;
use super::config::Shape;
use super::effect::{done, ids, place, release_card};
use super::faults::Bug;
use super::state::{Pin, SiteState, StayMark, Thing};
use super::stays;
use seam_core::provider::{
    AccessSpec, Body, CardPath, CredentialSpec, Failure, Groups, Handle, Kind, Made, Needs, Reason, Receipt, Role, StaySpec, Tag, UserSpec,
    Want,
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
            Body::MobileKey { endpoint, .. } => put_mobile_key(site, checked, credential, endpoint.as_deref(), had, tag),
            Body::CloudKey => put_cloud_key(site, checked, credential, had, tag),
            _ => Err(Failure::unsupported("nothing is known of such a credential here")),
        },
        _ => Err(Failure::unsupported("nothing is known of such a thing here")),
    }
}

fn put_stay(site: &mut SiteState, checked: &Checked, stay: &StaySpec, had: Option<&Handle>, tag: &Tag) -> Result<Receipt, Failure> {
    stays::change(site, &stay.key, &checked.doors)?;
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
    let door = checked.doors.first();
    let known = match slot {
        Some(slot) => door.map(|d| format!("{d}-{slot}")).filter(|id| site.things.get(id).is_some()),
        None => ids(site, Kind::Code, had, tag).into_iter().next(),
    };
    let mine = |id: &String| known.as_ref() == Some(id);
    let pins = site.config.pin.as_ref();
    let same = |t: &Thing| t.pin.as_ref().is_some_and(|p| p.0 == pin);
    if pins.is_some_and(|p| p.unique_in_system) && site.things.iter().any(|(id, t)| same(t) && !mine(id)) {
        return Err(Failure::refused(Reason::PinRefused, "the PIN is taken"));
    }
    for door in &checked.doors {
        if !site.config.takes_equal_pins && site.things.codes_at(door).any(|(id, t)| same(t) && !mine(id)) {
            return Err(Failure::refused(Reason::PinRefused, "the PIN is taken"));
        }
        let full = site.config.code_capacity.is_some_and(|most| site.things.codes_at(door).count() >= most as usize);
        if full && known.is_none() {
            // A stand-alone lock says no more than no.
            let reason = if site.config.shape == Shape::Locks { Reason::Other } else { Reason::Full };
            return Err(Failure::refused(reason, "the lock refused"));
        }
    }
    let other = |(id, t): (&String, &Thing)| t.kind == Kind::Code && t.user.is_some() && t.user == user && !mine(id);
    if pins.is_some_and(|p| p.per_user) && site.things.iter().any(other) {
        return Err(Failure::refused(Reason::Clash, "the user has a PIN already"));
    }
    let id = match (slot, door) {
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
