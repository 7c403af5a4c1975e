//! What a customer's own system pushes: people, places and reservations by its keys. Pushed again they are the same; changed, what was made of
//! them follows; one reservation is one commit.
use super::change::{
    AutomationRules, CustomerPerson, CustomerReservation, CustomerSpace, GrantUpdate, NewGrant, NewMethod, NewSpace, Outcome, ParentSpace,
    Person, PersonUpdate, SpaceUpdate, Who,
};
use super::doors::{self, Doors};
use super::draft::{Draft, expose};
use super::grant::{End, end_grant};
use super::read::Try;
use super::reweave::reweave_grant;
use super::{grant, identity, session, space, validate};
use crate::error::{Error, ErrorKind};
use crate::model::{
    AccessGrantId, AccessMethodMode, AcsEntranceId, ClientSessionId, CustomerThing, Holder, Shown, SpaceId, UserIdentityId,
};
use crate::state::*;
use std::collections::BTreeSet;

/// The most cards of one reservation.
const MAX_CARDS: u32 = 50;

/// Refuses what belongs to another customer: keys are unique in the workspace, and one customer must not change another's.
fn of_this_customer(has: Option<&str>, customer: &str, field: &'static str) -> Result<(), Error> {
    match has {
        Some(other) if other != customer => {
            Err(Error::new(ErrorKind::Conflict, "customer_key_conflict", "this key belongs to another customer").with_field(field))
        }
        _ => Ok(()),
    }
}

/// Makes or changes a person by her key.
///
/// # Errors
/// `InvalidInput` for a field; `Conflict`: the key is another customer's (`customer_key_conflict`), the e-mail address or phone number another person's
/// (`user_identity_email_or_phone_conflict`).
pub(super) fn person(d: &mut Draft<'_>, new: &CustomerPerson) -> Try<Outcome> {
    validate::key("customer_key", &new.customer_key)?;
    let mut who = Person {
        key: Some(new.key.clone()),
        full_name: new.full_name.clone(),
        email_address: new.email_address.clone(),
        phone_number: new.phone_number.clone(),
    };
    identity::check(&who)?;
    let known = d.find(&Key::new(Index::IdentityKey, new.key.as_str()))?.first().copied().map(UserIdentityId::from_uuid);
    if new.shared_contacts {
        identity::leave_out_taken(d, &mut who, known)?;
    }
    let id = match known {
        None => match identity::create(d, &who)? {
            Outcome::Identity(id) => id,
            _ => return Err(Error::new(ErrorKind::Internal, "unexpected_outcome", "a person was expected").into()),
        },
        Some(id) => {
            of_this_customer(d.get::<Identity>(id)?.customer.as_deref(), &new.customer_key, "user_identity_key")?;
            let update = PersonUpdate {
                key: None,
                full_name: who.full_name.map(Some),
                email_address: who.email_address.map(Some),
                phone_number: who.phone_number.map(Some),
            };
            identity::update(d, id, &update)?;
            id
        }
    };
    let mut row = d.get::<Identity>(id)?;
    row.customer = Some(new.customer_key.clone());
    d.set(id, row);
    Ok(Outcome::Identity(id))
}

/// Makes or changes a space by its key. Its entrances are not a customer's to say: they stay.
///
/// # Errors
/// `InvalidInput` for a field; `NotFound` for the space that is to hold it; `Conflict` when the key is another customer's (`customer_key_conflict`).
pub(super) fn place(d: &mut Draft<'_>, new: &CustomerSpace) -> Try<Outcome> {
    validate::key("customer_key", &new.customer_key)?;
    validate::key("space_key", &new.key)?;
    let parent = new.parent_key.clone().map(ParentSpace::Key);
    let Some(row) = d.find(&Key::new(Index::SpaceKey, new.key.as_str()))?.first().copied() else {
        let new = NewSpace {
            name: new.name.clone(),
            key: Some(new.key.clone()),
            entrances: Vec::new(),
            customer_key: Some(new.customer_key.clone()),
            customer_data: new.customer_data.clone(),
            connected_accounts: Vec::new(),
            geolocation: new.geolocation,
            parent,
        };
        return space::create(d, &new);
    };
    let id = SpaceId::from_uuid(row);
    of_this_customer(d.get::<Space>(id)?.customer_key.as_deref(), &new.customer_key, "space_key")?;
    let mut update = SpaceUpdate::new(id).name(new.name.as_str());
    update.customer_data.clone_from(&new.customer_data);
    update.geolocation = new.geolocation.map(Some);
    update.parent = parent.map(Some);
    space::update(d, &update)?;
    let mut row = d.get::<Space>(id)?;
    row.customer_key = Some(new.customer_key.clone());
    d.set(id, row);
    Ok(Outcome::Space(id))
}

/// Makes, changes or moves the grant of a reservation.
///
/// - New times and a new name change the grant; methods, PINs and cards stay.
/// - More spaces, and other entrances that take no part in reservations, are added to the grant and taken from it.
/// - Another room, or another person, ends the grant and makes another in the same commit (a stay's doors are fixed); the PIN is asked for again.
///
/// # Errors
/// `InvalidInput` for a field, also when the reservation is over or its spaces have no entrance; `NotFound` for the person (`person_key`) or a
/// space; `Conflict`: the key is another customer's (`customer_key_conflict`) or a grant that was not pushed has it, and the reservation rules;
/// `Unsupported` when no entrance takes any of the methods.
pub(super) fn reservation(d: &mut Draft<'_>, new: &CustomerReservation) -> Try<Outcome> {
    validate::key("customer_key", &new.customer_key)?;
    let field = if new.is_grant { "access_grant_key" } else { "reservation_key" };
    validate::key(field, &new.key)?;
    if let Some(code) = &new.preferred_code {
        validate::pin("preferred_code", code.expose())?;
    }
    check_rules(&new.rules)?;
    let person = new.person_key.as_ref().map(|key| person_of(d, key)).transpose()?;
    let spaces = new.space_keys.as_ref().map(|keys| spaces_of(d, keys)).transpose()?;
    let known = d.find(&pushed_key(new.thing(), &new.key))?.first().copied().map(AccessGrantId::from_uuid);
    let Some(id) = known else {
        if new.is_grant && !d.find(&Key::new(Index::GrantKey, new.key.as_str()))?.is_empty() {
            let e =
                Error::new(ErrorKind::Conflict, "access_grant_key_conflict", "a grant that was made otherwise has this access_grant_key");
            return Err(e.with_field(field).into());
        }
        let person = person.ok_or_else(|| Error::invalid("user_identity_key", "a new reservation names its person"))?;
        let spaces = spaces.ok_or_else(|| Error::invalid("space_keys", "a new reservation names its spaces"))?;
        return make(d, new, &Stay { person, spaces, starts_at: new.starts_at, ends_at: new.ends_at, name: new.name.clone(), code: None });
    };
    let row = d.get::<Grant>(id)?;
    of_this_customer(row.pushed.as_ref().map(|p| p.customer.as_str()), &new.customer_key, field)?;
    let wanted = Stay {
        person: person.unwrap_or(row.identity),
        spaces: spaces.unwrap_or_else(|| row.spaces.clone()),
        starts_at: Some(new.starts_at.unwrap_or_else(|| row.window.starts_at())),
        ends_at: new.ends_at.or_else(|| row.window.ends_at()),
        name: new.name.clone().or_else(|| row.name.clone()),
        code: None,
    };
    if wanted.person != row.identity || moves(d, &row, &wanted.spaces)? {
        let code = if wanted.person == row.identity { pin_to_keep(d, &row, &wanted.spaces)? } else { None };
        end_grant(d, id, End::Deleted)?;
        return make(d, new, &Stay { code, ..wanted });
    }
    if wanted.spaces != row.spaces {
        let doors = doors::resolve(d, &wanted.spaces, &row.entrances)?;
        validate::doors(&doors)?;
        let mut row = d.get::<Grant>(id)?;
        row.spaces = wanted.spaces;
        d.set(id, row);
        reweave_grant(d, id)?;
    }
    let mut update = GrantUpdate::new(id).name(wanted.name);
    update.starts_at = wanted.starts_at;
    update.ends_at = Some(wanted.ends_at);
    grant::update(d, &update)
}

/// What a reservation comes to.
struct Stay {
    person: UserIdentityId,
    spaces: Vec<SpaceId>,
    starts_at: Option<chrono::DateTime<chrono::Utc>>,
    ends_at: Option<chrono::DateTime<chrono::Utc>>,
    name: Option<String>,
    /// The PIN that the guest has already.
    code: Option<Shown>,
}

fn check_rules(rules: &AutomationRules) -> Result<(), Error> {
    if rules.modes.is_empty() {
        return Err(Error::invalid("modes", "name at least one access method"));
    }
    for mode in &rules.modes {
        validate::mode("modes", mode)?;
    }
    if !(1..=MAX_CARDS).contains(&rules.cards) {
        return Err(Error::invalid("cards", format!("it must be 1 to {MAX_CARDS}")));
    }
    validate::max_uses("instant_key_max_use_count", rules.instant_key_max_use_count)
}

fn person_of(d: &Draft<'_>, key: &str) -> Try<UserIdentityId> {
    match d.find(&Key::new(Index::IdentityKey, key))?.first() {
        Some(row) => Ok(UserIdentityId::from_uuid(*row)),
        None => Err(Error::not_found("user_identity", key).with_field("user_identity_key").into()),
    }
}

fn spaces_of(d: &Draft<'_>, keys: &[String]) -> Try<Vec<SpaceId>> {
    validate::at_most("space_keys", keys.len(), validate::MAX_SPACES)?;
    let keys: BTreeSet<Key> = keys.iter().map(|key| Key::new(Index::SpaceKey, key.as_str())).collect();
    d.reader().hint_keys(keys.iter().cloned());
    d.gather()?;
    let mut ids = BTreeSet::new();
    for key in &keys {
        let row = d.find(key)?.first().copied().ok_or_else(|| Error::not_found("space", &key.key).with_field("space_keys"))?;
        ids.insert(SpaceId::from_uuid(row));
    }
    Ok(ids.into_iter().collect())
}

/// Whether a grant would lose an entrance that takes part in reservations: a stay's doors are fixed, so another stay is made.
fn moves(d: &mut Draft<'_>, row: &Grant, spaces: &[SpaceId]) -> Try<bool> {
    if row.spaces == spaces {
        return Ok(false);
    }
    let has = doors::load(d, &row.doors)?;
    let will: BTreeSet<AcsEntranceId> = doors::resolve(d, spaces, &row.entrances)?.into_iter().collect();
    Ok(has.reservable().any(|door| !will.contains(&door.id)))
}

/// The PIN of a grant that moves: the guest may keep it. Where she had it at a door that she will have again, it is not free until it is gone there.
fn pin_to_keep(d: &mut Draft<'_>, row: &Grant, spaces: &[SpaceId]) -> Try<Option<Shown>> {
    let has: BTreeSet<AcsEntranceId> = row.doors.iter().copied().collect();
    let both: Vec<AcsEntranceId> = doors::resolve(d, spaces, &[])?.into_iter().filter(|door| has.contains(door)).collect();
    if !doors::load(d, &both)?.usable(&AccessMethodMode::Code).is_empty() {
        return Ok(None);
    }
    let codes = row.requested.iter().filter(|asked| asked.mode == AccessMethodMode::Code);
    for id in codes.flat_map(|asked| &asked.methods) {
        let method = d.get::<Method>(*id)?;
        if let (Some(pin), false) = (&method.pin, method.is_over()) {
            return Ok(Some(Shown::new(expose(&d.env.open(id.uuid(), "pin", pin)?))));
        }
    }
    Ok(None)
}

fn make(d: &mut Draft<'_>, asked: &CustomerReservation, stay: &Stay) -> Try<Outcome> {
    let door_ids = doors::resolve(d, &stay.spaces, &[])?;
    validate::doors(&door_ids)?;
    let doors = doors::load(d, &door_ids)?;
    let code = match (&asked.preferred_code, &stay.code) {
        (Some(code), _) | (None, Some(code)) => Some(code.clone()),
        (None, None) if asked.rules.phone_digits_as_code => phone_digits(d, stay.person)?,
        (None, None) => None,
    };
    let takes_part = doors.reservable().next().is_some();
    let new = NewGrant {
        who: Who::Known(stay.person),
        entrances: Vec::new(),
        spaces: stay.spaces.clone(),
        space_keys: Vec::new(),
        starts_at: stay.starts_at,
        ends_at: stay.ends_at,
        schedule: None,
        methods: methods(&asked.rules, &doors, code.as_ref())?,
        holder: Holder::Guest,
        reservation: takes_part.then(|| asked.key.clone()),
        party_entrances: Vec::new(),
        key: None,
        name: stay.name.clone(),
    };
    let Outcome::Grant(id) = grant::create(d, &new)? else {
        return Err(Error::new(ErrorKind::Internal, "unexpected_outcome", "a grant was expected").into());
    };
    let mut row = d.get::<Grant>(id)?;
    row.pushed = Some(Pushed { customer: asked.customer_key.clone(), thing: asked.thing(), key: asked.key.clone() });
    if asked.is_grant {
        row.key = Some(asked.key.clone());
    }
    // Also where no door takes part yet: the grant is found by it, and a door that its spaces gain later joins the stay.
    row.reservation = Some(asked.key.clone());
    d.set(id, row);
    Ok(Outcome::Grant(id))
}

/// The methods of a reservation: for each entrance the first, the first two or all of the modes that it takes. A method reaches every entrance that
/// takes it, so an entrance may get one more than its share because of another.
fn methods(rules: &AutomationRules, doors: &Doors, code: Option<&Shown>) -> Result<Vec<NewMethod>, Error> {
    let mut modes: Vec<&AccessMethodMode> = Vec::new();
    for mode in &rules.modes {
        if !modes.contains(&mode) {
            modes.push(mode);
        }
    }
    let usable: Vec<BTreeSet<AcsEntranceId>> =
        modes.iter().map(|mode| doors.usable(mode).into_iter().map(|door| door.id).collect()).collect();
    let mut wanted = BTreeSet::new();
    for door in &doors.doors {
        wanted.extend((0..modes.len()).filter(|i| usable[*i].contains(&door.id)).take(rules.strategy.most()));
    }
    let mut methods = Vec::new();
    for i in wanted {
        match modes[i] {
            AccessMethodMode::Card => methods.extend(std::iter::repeat_n(NewMethod::card(), rules.cards as usize)),
            AccessMethodMode::MobileKey => methods.push(NewMethod::mobile_key().redeemable(rules.instant_key_max_use_count)),
            AccessMethodMode::Code => methods.push(code.map_or_else(NewMethod::code, |code| NewMethod::preferred_code(code.clone()))),
            mode => methods.push(NewMethod::new(mode.clone())),
        }
    }
    if methods.is_empty() {
        let message = "none of the entrances takes any of the access methods of the automation";
        return Err(Error::new(ErrorKind::Unsupported, "access_methods_not_supported", message).with_field("modes"));
    }
    Ok(methods)
}

/// The last four digits of a person's phone number.
fn phone_digits(d: &Draft<'_>, person: UserIdentityId) -> Try<Option<Shown>> {
    let (id, row) = identity::resolved(d, person)?;
    let phone = identity::details(d, id, &row)?.phone_number;
    Ok(phone.and_then(|number| number.len().checked_sub(4).and_then(|from| number.get(from..)).map(Shown::new)))
}

/// Takes away what a customer's key names. Only what was pushed: other things of that key are not found.
///
/// # Errors
/// `NotFound`; as deleting the space (`Unsupported`).
pub(super) fn remove(d: &mut Draft<'_>, thing: CustomerThing, key: &str) -> Try<Outcome> {
    let unknown = |what: &'static str| Error::not_found(what, key);
    match thing {
        CustomerThing::Reservation | CustomerThing::AccessGrant => {
            let row = d.find(&pushed_key(thing, key))?.first().copied().ok_or_else(|| unknown("access_grant"))?;
            grant::delete(d, AccessGrantId::from_uuid(row))
        }
        CustomerThing::UserIdentity => {
            let row = d.find(&Key::new(Index::IdentityKey, key))?.first().copied().ok_or_else(|| unknown("user_identity"))?;
            if d.get::<Identity>(row)?.customer.is_none() {
                return Err(unknown("user_identity").into());
            }
            identity::delete(d, UserIdentityId::from_uuid(row))
        }
        CustomerThing::Space => {
            let row = d.find(&Key::new(Index::SpaceKey, key))?.first().copied().ok_or_else(|| unknown("space"))?;
            if d.get::<Space>(row)?.customer_key.is_none() {
                return Err(unknown("space").into());
            }
            space::delete(d, SpaceId::from_uuid(row))
        }
        CustomerThing::ClientSession => {
            let row = d.find(&Key::new(Index::SessionFor, key))?.first().copied().ok_or_else(|| unknown("client_session"))?;
            if d.get::<ClientSession>(row)?.customer.is_none() {
                return Err(unknown("client_session").into());
            }
            session::delete(d, ClientSessionId::from_uuid(row))
        }
    }
}

impl CustomerReservation {
    fn thing(&self) -> CustomerThing {
        if self.is_grant { CustomerThing::AccessGrant } else { CustomerThing::Reservation }
    }
}
