//! People: made, changed, deleted, erased, merged.
//!
//! Name and contacts are sealed under a key of the person's own, so that destroying the key makes unreadable what is kept of her, wherever
//! it is kept: on her row, on her grants, in a backup.
use super::change::{Outcome, Person, PersonUpdate};
use super::draft::{Draft, expose};
use super::grant::{End, end_grant, methods_of};
use super::read::Try;
use super::{instant_key, merge, method, next, phone, session, user, validate};
use crate::error::{Error, ErrorKind};
use crate::model::{AccessGrantId, AccessMethodId, AcsUserId, InstantKeyId, UserIdentityId};
use crate::state::*;
use secrecy::SecretString;
use serde_json::json;
use std::collections::BTreeSet;

/// The fields under which a person's details are sealed.
const FULL_NAME: &str = "full_name";
const EMAIL: &str = "email";
const PHONE: &str = "phone";
/// The field under which the contact of a grant is sealed: on the row and under the key of the person, so that it is erased with her.
pub(super) const CONTACT: &str = "contact";

/// The warning of a grant whose contact is another person's.
pub(super) const CONTACT_TAKEN: &str = "user_identity_email_or_phone_conflict";
/// The warning of a grant that was asked for with other details than are kept of the person.
pub(super) const DETAILS_DIFFER: &str = "user_identity_details_differ";

/// Checks what is said of a person.
pub(super) fn check(person: &Person) -> Result<(), Error> {
    if let Some(key) = &person.key {
        validate::key("user_identity_key", key)?;
    }
    if let Some(name) = &person.full_name {
        validate::name("full_name", name)?;
    }
    if let Some(email) = &person.email_address {
        validate::email("email_address", email)?;
    }
    if let Some(phone) = &person.phone_number {
        validate::phone("phone_number", phone)?;
    }
    Ok(())
}

fn email_tag(d: &Draft<'_>, email: &str) -> String {
    d.env.vault.tag(d.env.workspace, EMAIL, &validate::email_form(email))
}

fn phone_tag(d: &Draft<'_>, phone: &str) -> String {
    d.env.vault.tag(d.env.workspace, PHONE, phone)
}

/// Whether somebody else has a key, an e-mail address or a phone number.
fn is_taken(d: &Draft<'_>, index: Index, key: &str, me: Option<UserIdentityId>) -> Try<bool> {
    Ok(d.find(&Key::new(index, key))?.iter().any(|row| me.is_none_or(|me| me.uuid() != *row)))
}

fn key_conflict() -> Error {
    Error::new(ErrorKind::Conflict, "user_identity_key_conflict", "another person has this key").with_field("user_identity_key")
}

fn contact_conflict(field: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, CONTACT_TAKEN, "another person has this e-mail address or phone number").with_field(field)
}

/// A person who is there, by her id or the id of one that was merged into her.
///
/// # Errors
/// `NotFound` when she is unknown or deleted.
pub(super) fn living(d: &Draft<'_>, id: UserIdentityId) -> Try<(UserIdentityId, Identity)> {
    let (at, row) = resolved(d, id)?;
    if row.deleted_at.is_some() {
        return Err(Error::not_found("user_identity", id).into());
    }
    Ok((at, row))
}

/// The person that an id leads to, deleted or not.
pub(super) fn resolved(d: &Draft<'_>, id: UserIdentityId) -> Try<(UserIdentityId, Identity)> {
    let mut at = id;
    let mut row = d.get::<Identity>(at)?;
    while let Some(into) = row.merged_into {
        at = into;
        row = d.get::<Identity>(at)?;
    }
    Ok((at, row))
}

/// Seals a detail of a person under her own key.
pub(super) fn seal(d: &mut Draft<'_>, id: UserIdentityId, row: &Identity, field: &str, value: &str) -> Try<Sealed> {
    let own = row.own_key.as_ref().ok_or_else(|| Error::not_found("user_identity", id))?;
    let (vault, workspace) = (d.env.vault.clone(), d.env.workspace);
    Ok(vault.seal_own(own, workspace, id.uuid(), field, value, d.env.rng())?)
}

/// Opens a detail of a person. `None` once she is erased.
pub(super) fn open(d: &Draft<'_>, id: UserIdentityId, row: &Identity, field: &str, sealed: Option<&Sealed>) -> Try<Option<SecretString>> {
    let (Some(own), Some(sealed)) = (row.own_key.as_ref(), sealed) else { return Ok(None) };
    Ok(Some(d.env.vault.open_own(own, d.env.workspace, id.uuid(), field, sealed)?))
}

/// What is kept of a person, in the clear.
pub(super) fn details(d: &Draft<'_>, id: UserIdentityId, row: &Identity) -> Try<Person> {
    let text = |secret: Option<SecretString>| secret.map(|s| expose(&s).to_owned());
    Ok(Person {
        key: row.key.clone(),
        full_name: text(open(d, id, row, FULL_NAME, row.full_name.as_ref())?),
        email_address: text(open(d, id, row, EMAIL, row.email.as_ref())?),
        phone_number: text(open(d, id, row, PHONE, row.phone.as_ref())?),
    })
}

/// What a person is called: her name, else what else is known of her. Never empty, because systems want a name.
pub(super) fn name_of(d: &Draft<'_>, identity: UserIdentityId) -> Try<String> {
    let (id, row) = resolved(d, identity)?;
    if row.own_key.is_none() {
        return Ok("Erased person".to_owned());
    }
    let known = details(d, id, &row)?;
    let names = [known.full_name, known.email_address, known.phone_number, known.key];
    Ok(names.into_iter().flatten().find(|n| !n.trim().is_empty()).unwrap_or_else(|| "Unnamed person".to_owned()))
}

/// Her phone number; `None` when she has none, or was erased.
pub(super) fn phone_number_of(d: &Draft<'_>, identity: UserIdentityId) -> Try<Option<SecretString>> {
    let (id, row) = resolved(d, identity)?;
    if row.own_key.is_none() {
        return Ok(None);
    }
    open(d, id, &row, PHONE, row.phone.as_ref())
}

pub(super) fn set_name(d: &mut Draft<'_>, id: UserIdentityId, row: &mut Identity, value: Option<&str>) -> Try<()> {
    row.full_name = value.map(|v| seal(d, id, row, FULL_NAME, v)).transpose()?;
    Ok(())
}

pub(super) fn set_email(d: &mut Draft<'_>, id: UserIdentityId, row: &mut Identity, value: Option<&str>) -> Try<()> {
    row.email = value.map(|v| seal(d, id, row, EMAIL, v)).transpose()?;
    row.email_tag = value.map(|v| email_tag(d, v));
    Ok(())
}

pub(super) fn set_phone(d: &mut Draft<'_>, id: UserIdentityId, row: &mut Identity, value: Option<&str>) -> Try<()> {
    row.phone = value.map(|v| seal(d, id, row, PHONE, v)).transpose()?;
    row.phone_tag = value.map(|v| phone_tag(d, v));
    Ok(())
}

/// Makes a row of what is known; nothing is checked.
fn make(d: &mut Draft<'_>, person: &Person) -> Try<UserIdentityId> {
    let id = UserIdentityId::from_uuid(d.env.mint());
    let (vault, workspace) = (d.env.vault.clone(), d.env.workspace);
    let mut row = Identity {
        key: person.key.clone(),
        own_key: Some(vault.new_own_key(workspace, id.uuid(), d.env.rng())?),
        full_name: None,
        email: None,
        phone: None,
        email_tag: None,
        phone_tag: None,
        customer: None,
        merged: Vec::new(),
        merged_keys: Vec::new(),
        merged_into: None,
        created_at: d.now(),
        deleted_at: None,
        warnings: Vec::new(),
    };
    set_name(d, id, &mut row, person.full_name.as_deref())?;
    set_email(d, id, &mut row, person.email_address.as_deref())?;
    set_phone(d, id, &mut row, person.phone_number.as_deref())?;
    d.set(id, row);
    Ok(id)
}

/// Makes a person.
///
/// # Errors
/// `InvalidInput` for a field; `Conflict` when another person has the key (`user_identity_key_conflict`), or the e-mail address or phone
/// number (`user_identity_email_or_phone_conflict`).
pub(super) fn create(d: &mut Draft<'_>, person: &Person) -> Try<Outcome> {
    check(person)?;
    refuse_taken(d, person, None)?;
    Ok(Outcome::Identity(make(d, person)?))
}

fn refuse_taken(d: &Draft<'_>, person: &Person, me: Option<UserIdentityId>) -> Try<()> {
    if let Some(key) = &person.key
        && is_taken(d, Index::IdentityKey, key, me)?
    {
        return Err(key_conflict().into());
    }
    if let Some(email) = &person.email_address
        && is_taken(d, Index::IdentityEmail, &email_tag(d, email), me)?
    {
        return Err(contact_conflict("email_address").into());
    }
    if let Some(phone) = &person.phone_number
        && is_taken(d, Index::IdentityPhone, &phone_tag(d, phone), me)?
    {
        return Err(contact_conflict("phone_number").into());
    }
    Ok(())
}

/// The person of a grant, from what the grant's request says of her.
///
/// The key alone identifies. With a known key it is that person, and what she lacks is filled in; else it is a new one. An e-mail address or
/// phone number that another person has makes nobody one with her and refuses nothing: it is kept on the grant, with a warning. So are
/// contacts that differ from what is kept of her.
///
/// Gives the person, the contact for the grant (sealed on her row and under her key, as the JSON of a [`Person`]), and the warnings for it.
///
/// # Errors
/// `InvalidInput` for a field.
pub(super) fn inline_identity(d: &mut Draft<'_>, person: &Person) -> Try<(UserIdentityId, Option<Sealed>, Vec<Note>)> {
    check(person).map_err(|e| {
        let field = format!("user_identity.{}", e.field().unwrap_or_default());
        e.with_field(field)
    })?;
    let known = match &person.key {
        Some(key) => d.find(&Key::new(Index::IdentityKey, key.as_str()))?.first().copied().map(UserIdentityId::from_uuid),
        None => None,
    };
    let email_taken = match &person.email_address {
        Some(email) => is_taken(d, Index::IdentityEmail, &email_tag(d, email), known)?,
        None => false,
    };
    let phone_taken = match &person.phone_number {
        Some(phone) => is_taken(d, Index::IdentityPhone, &phone_tag(d, phone), known)?,
        None => false,
    };
    let mut usable = person.clone();
    usable.email_address = usable.email_address.filter(|_| !email_taken);
    usable.phone_number = usable.phone_number.filter(|_| !phone_taken);
    let (id, differing) = match known {
        Some(id) => (id, fill_in(d, id, &usable)?),
        None => (make(d, &usable)?, Person::default()),
    };
    let contact = Person {
        email_address: if email_taken { person.email_address.clone() } else { differing.email_address.clone() },
        phone_number: if phone_taken { person.phone_number.clone() } else { differing.phone_number.clone() },
        ..Person::default()
    };
    let mut warnings = Vec::new();
    if email_taken || phone_taken {
        warnings.push(note(d, CONTACT_TAKEN, "Another person has this e-mail address or phone number; it is kept with this grant only."));
    }
    if differing != Person::default() {
        warnings.push(note(d, DETAILS_DIFFER, "Other details are kept of the person with this key; they were not changed."));
    }
    let contact = if contact == Person::default() {
        None
    } else {
        let row = d.get::<Identity>(id)?;
        let text = json!({ "email_address": contact.email_address, "phone_number": contact.phone_number }).to_string();
        Some(seal(d, id, &row, CONTACT, &text)?)
    };
    Ok((id, contact, warnings))
}

/// Leaves out the contacts that another person has.
pub(super) fn leave_out_taken(d: &Draft<'_>, person: &mut Person, me: Option<UserIdentityId>) -> Try<()> {
    if let Some(email) = &person.email_address
        && is_taken(d, Index::IdentityEmail, &email_tag(d, email), me)?
    {
        person.email_address = None;
    }
    if let Some(phone) = &person.phone_number
        && is_taken(d, Index::IdentityPhone, &phone_tag(d, phone), me)?
    {
        person.phone_number = None;
    }
    Ok(())
}

fn note(d: &Draft<'_>, code: &str, message: &str) -> Note {
    Note { code: code.to_owned(), message: message.to_owned(), at: d.now(), details: serde_json::Map::new() }
}

/// Fills in what a known person lacks. Gives what differs from what she has.
fn fill_in(d: &mut Draft<'_>, id: UserIdentityId, asked: &Person) -> Try<Person> {
    let mut row = d.get::<Identity>(id)?;
    d.depend_on(id);
    let has = details(d, id, &row)?;
    let mut filled = false;
    let mut differs = Person::default();
    let same_email = |a: &str, b: &str| validate::email_form(a) == validate::email_form(b);
    match (&has.full_name, &asked.full_name) {
        (None, Some(new)) => {
            set_name(d, id, &mut row, Some(new))?;
            filled = true;
        }
        (Some(old), Some(new)) if old != new => differs.full_name = Some(new.clone()),
        _ => {}
    }
    match (&has.email_address, &asked.email_address) {
        (None, Some(new)) => {
            set_email(d, id, &mut row, Some(new))?;
            filled = true;
        }
        (Some(old), Some(new)) if !same_email(old, new) => differs.email_address = Some(new.clone()),
        _ => {}
    }
    match (&has.phone_number, &asked.phone_number) {
        (None, Some(new)) => {
            set_phone(d, id, &mut row, Some(new))?;
            filled = true;
        }
        (Some(old), Some(new)) if old != new => differs.phone_number = Some(new.clone()),
        _ => {}
    }
    if filled {
        let merged = row.merged.clone();
        d.set(id, row);
        push_profile(d, id, &merged)?;
    }
    Ok(differs)
}

/// Changes a person. Her users in access systems follow.
///
/// # Errors
/// As [`create`]; `NotFound`.
pub(super) fn update(d: &mut Draft<'_>, id: UserIdentityId, update: &PersonUpdate) -> Try<Outcome> {
    let (id, mut row) = living(d, id)?;
    let new = Person {
        key: update.key.clone().flatten(),
        full_name: update.full_name.clone().flatten(),
        email_address: update.email_address.clone().flatten(),
        phone_number: update.phone_number.clone().flatten(),
    };
    check(&new)?;
    refuse_taken(d, &new, Some(id))?;
    let has = details(d, id, &row)?;
    if update.key.is_some() {
        row.key.clone_from(&new.key);
        row.merged_keys.retain(|k| Some(k) != new.key.as_ref());
    }
    let mut seen_outside = false;
    if update.full_name.is_some() && new.full_name != has.full_name {
        set_name(d, id, &mut row, new.full_name.as_deref())?;
        seen_outside = true;
    }
    if update.email_address.is_some() && new.email_address != has.email_address {
        set_email(d, id, &mut row, new.email_address.as_deref())?;
        seen_outside = true;
    }
    if update.phone_number.is_some() && new.phone_number != has.phone_number {
        set_phone(d, id, &mut row, new.phone_number.as_deref())?;
        seen_outside = true;
    }
    let merged = row.merged.clone();
    d.set(id, row);
    if seen_outside {
        push_profile(d, id, &merged)?;
    }
    Ok(Outcome::Identity(id))
}

/// The users of a person in access systems are put again: name and contacts are looked up when they are sent.
pub(super) fn push_profile(d: &mut Draft<'_>, id: UserIdentityId, merged: &[UserIdentityId]) -> Try<()> {
    for user in users_of(d, id, merged)? {
        let row = d.get::<AcsUser>(user)?;
        let mut t = d.get::<Target>(row.target)?;
        if !t.gone {
            let rules = method::rules_of(d, &t)?;
            next::again(&mut t, &rules, d.now());
            d.set(row.target, t);
        }
    }
    Ok(())
}

/// The users of a person and of those who were merged into her.
pub(super) fn users_of(d: &mut Draft<'_>, id: UserIdentityId, merged: &[UserIdentityId]) -> Try<Vec<AcsUserId>> {
    let keys: Vec<Key> = std::iter::once(id).chain(merged.iter().copied()).map(|i| Key::id(Index::UsersOf, i)).collect();
    d.reader().hint_keys(keys.iter().cloned());
    d.gather()?;
    let mut users = BTreeSet::new();
    for key in &keys {
        users.extend(d.find_exactly(key)?);
    }
    Ok(users.into_iter().map(AcsUserId::from_uuid).collect())
}

/// Deletes a person: her live grants end, her users, direct credentials and links go.
///
/// # Errors
/// `NotFound`.
pub(super) fn delete(d: &mut Draft<'_>, id: UserIdentityId) -> Try<Outcome> {
    let (id, _) = living(d, id)?;
    remove(d, id)?;
    Ok(Outcome::Done)
}

/// Ends what a living person has, and marks her deleted. Gives the grants that were found.
fn remove(d: &mut Draft<'_>, id: UserIdentityId) -> Try<Vec<AccessGrantId>> {
    let merged = d.get::<Identity>(id)?.merged;
    let grants_key = Key::id(Index::GrantsOf, id);
    let links_key = Key::id(Index::InstantKeysOf, id);
    d.reader().hint_keys([grants_key.clone(), links_key.clone(), Key::id(Index::SessionsOf, id), Key::id(Index::PhonesOf, id)]);
    let users = users_of(d, id, &merged)?;
    let grants: Vec<AccessGrantId> = d.find_exactly(&grants_key)?.into_iter().map(AccessGrantId::from_uuid).collect();
    for grant in &grants {
        if d.get::<Grant>(*grant)?.is_live() {
            end_grant(d, *grant, End::Deleted)?;
        }
    }
    for user in users {
        user::remove(d, user)?;
    }
    for person in std::iter::once(id).chain(merged) {
        user::remove_direct_of(d, person)?;
    }
    for link in d.find_exactly(&links_key)? {
        instant_key::end(d, InstantKeyId::from_uuid(link))?;
    }
    session::end_all_of(d, id)?;
    phone::deactivate_all_of(d, id)?;
    let mut row = d.get::<Identity>(id)?;
    row.deleted_at = Some(d.now());
    d.set(id, row);
    Ok(grants)
}

/// Deletes a person, destroys her key and removes what was sealed with it. Also of a person who was deleted before; erased already is fine.
///
/// Audit, events and what access systems still have to be told hold ids only, so nothing else has to change.
///
/// # Errors
/// `NotFound`.
pub(super) fn erase(d: &mut Draft<'_>, id: UserIdentityId) -> Try<Outcome> {
    let (id, row) = resolved(d, id)?;
    let grants = if row.deleted_at.is_none() {
        remove(d, id)?
    } else {
        d.find_exactly(&Key::id(Index::GrantsOf, id))?.into_iter().map(AccessGrantId::from_uuid).collect()
    };
    for grant in grants {
        // The caller's name of a grant is often the guest's.
        let mut row = d.get::<Grant>(grant)?;
        row.name = None;
        row.contact = None;
        let methods = methods_of(&row);
        d.set(grant, row);
        for method in methods {
            forget_cards(d, method)?;
        }
    }
    let merged = d.get::<Identity>(id)?.merged;
    d.hint(merged.iter().map(|m| m.uuid()));
    d.reader().hint_keys(std::iter::once(id).chain(merged.iter().copied()).map(|person| Key::id(Index::CardsOf, person)));
    d.gather()?;
    for person in std::iter::once(id).chain(merged) {
        for card in d.find_exactly(&Key::id(Index::CardsOf, person))? {
            forget_card(d, card)?;
        }
        let mut row = d.get::<Identity>(person)?;
        row.own_key = None;
        row.key = None;
        row.merged_keys.clear();
        row.full_name = None;
        row.email = None;
        row.phone = None;
        row.email_tag = None;
        row.phone_tag = None;
        d.set(person, row);
    }
    Ok(Outcome::Done)
}

fn forget_cards(d: &mut Draft<'_>, method: AccessMethodId) -> Try<()> {
    for row in d.get::<Method>(method)?.targets {
        forget_card(d, row)?;
    }
    Ok(())
}

/// The number on a card names who had it. What is left is a keyed hash, by which a card that is written over is known again.
fn forget_card(d: &mut Draft<'_>, row: RowId) -> Try<()> {
    let mut t = d.get::<Target>(row)?;
    if t.card_number.take().is_some() {
        d.set(row, t);
    }
    Ok(())
}

/// Makes several persons one.
///
/// # Errors
/// As [`merge::merge`].
pub(super) fn merge(d: &mut Draft<'_>, id: UserIdentityId, merged: &[UserIdentityId]) -> Try<Outcome> {
    merge::merge(d, id, merged)
}
