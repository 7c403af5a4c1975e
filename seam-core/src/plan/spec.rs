//! From stored wishes to what a provider is told: handles, names and secrets are looked up when they are sent, not before.
use super::draft::Draft;
use super::identity;
use super::read::Try;
use crate::error::Result;
use crate::model::AcsEntranceId;
use crate::provider::{AccessSpec, Body as SpecBody, CredentialSpec, Door, Handle, Kind, Role, StaySpec, SystemRef, Tag, UserSpec, Want};
use crate::state::*;
use secrecy::{ExposeSecret, SecretString};

/// Our short name of a row, stored at the vendor: the 32 hexadecimal digits of its id.
#[must_use]
pub fn tag_of(row: RowId) -> Tag {
    Tag(row.simple().to_string())
}

/// The row that a tag names, if it has the shape of ours.
#[must_use]
pub fn row_of(tag: &Tag) -> Option<RowId> {
    (tag.0.len() == 32).then(|| uuid::Uuid::try_parse(&tag.0).ok()).flatten()
}

pub(super) fn system_ref(d: &Draft<'_>, system: crate::model::AcsSystemId) -> Try<SystemRef> {
    Ok(SystemRef { id: system, handle: d.get::<System>(system)?.report.handle.clone() })
}

pub(super) fn doors(d: &Draft<'_>, ids: &[AcsEntranceId]) -> Try<Vec<Door>> {
    d.hint(ids.iter().map(|x| x.uuid()));
    d.gather()?;
    let mut out = Vec::with_capacity(ids.len());
    for id in ids {
        let e = d.get::<Entrance>(*id)?;
        out.push(Door { id: *id, handle: e.report.handle.clone(), class: e.report.class });
    }
    Ok(out)
}

fn open(d: &Draft<'_>, row: RowId, field: &str, sealed: Option<&Sealed>) -> Result<Option<SecretString>> {
    sealed.map(|s| d.env.open(row, field, s)).transpose()
}

/// What is wanted, in the provider's terms. `cast`: the stay and role that were decided for this call.
pub(super) fn want(d: &Draft<'_>, row: RowId, t: &Target, cast: Option<(StaySpec, Role)>, number: Option<String>) -> Try<Want> {
    match &t.want {
        Wanted::Stay { doors: ids, window } => {
            let TargetOf::Stay(id) = t.of else {
                return Err(crate::error::Error::not_found("stay", row).into());
            };
            let stay = d.get::<Stay>(id)?;
            Ok(Want::Stay(StaySpec { doors: doors(d, ids)?, window: *window, ..stay_spec(d, &stay)? }))
        }
        Wanted::User { window, suspended } => {
            let TargetOf::User(id) = t.of else {
                return Err(crate::error::Error::not_found("acs_user", row).into());
            };
            let user = d.get::<AcsUser>(id)?;
            let profile = super::user::profile_of(d, id, &user)?;
            Ok(Want::User(UserSpec {
                name: profile.full_name.unwrap_or_else(|| "Guest".to_owned()),
                email: profile.email_address,
                phone: profile.phone_number,
                window: *window,
                suspended: *suspended,
            }))
        }
        Wanted::Access { user, doors: ids, groups, window, schedule, suspended } => {
            let mut handles = Vec::new();
            for g in groups {
                handles.push(d.get::<Group>(*g)?.handle);
            }
            Ok(Want::Access(AccessSpec {
                user: user_handle(d, *user)?,
                doors: doors(d, ids)?,
                groups: handles,
                window: *window,
                schedule: schedule.clone(),
                suspended: *suspended,
            }))
        }
        Wanted::Credential(_) => Ok(Want::Credential(credential(d, row, t, cast, number)?)),
    }
}

/// A credential, in the provider's terms.
pub(super) fn credential(
    d: &Draft<'_>,
    row: RowId,
    t: &Target,
    cast: Option<(StaySpec, Role)>,
    number: Option<String>,
) -> Try<CredentialSpec> {
    let Some(c) = t.credential() else { return Err(crate::error::Error::not_found("acs_credential", row).into()) };
    let user = match c.user {
        Some(user) => user_handle(d, user)?,
        None => None,
    };
    let holder = match c.identity {
        Some(id) => identity::name_of(d, id)?,
        None => "Guest".to_owned(),
    };
    let body = match c.kind {
        Kind::Code => {
            // Where the system makes the PINs none is asked for: the one that it made before is known, and no wish.
            let chosen = !d.get::<System>(t.system)?.report.pin.as_ref().is_some_and(|rules| rules.made_by_vendor);
            SpecBody::Code { pin: open(d, row, "pin", t.pin.as_ref().filter(|_| chosen))?, slot: c.slot }
        }
        Kind::Card => {
            let stored = open(d, row, "card_number", t.card_number.as_ref())?.map(|s| s.expose_secret().to_owned());
            SpecBody::Card { number: number.or(stored) }
        }
        Kind::MobileKey => {
            let needed = d.get::<System>(t.system)?.report.kinds.get(&c.kind).is_some_and(|rules| rules.needs_phone_number);
            let phone_number = match c.identity.filter(|_| needed) {
                Some(id) => identity::phone_number_of(d, id)?,
                None => None,
            };
            SpecBody::MobileKey { endpoint: None, phone_number }
        }
        _ => SpecBody::CloudKey,
    };
    Ok(CredentialSpec {
        user,
        holder,
        doors: doors(d, &c.doors)?,
        window: c.window,
        schedule: c.schedule.clone(),
        suspended: c.suspended,
        body,
        stay: cast,
    })
}

fn user_handle(d: &Draft<'_>, user: crate::model::AcsUserId) -> Try<Option<Handle>> {
    let target = d.get::<AcsUser>(user)?.target;
    Ok(d.get::<Target>(target)?.handle)
}

/// A stay, in the provider's terms.
pub(super) fn stay_spec(d: &Draft<'_>, stay: &Stay) -> Try<StaySpec> {
    let doors = doors(d, &stay.doors)?;
    let generation = stay.generation.unwrap_or_else(|| u64::try_from(stay.window.starts_at().timestamp()).unwrap_or(0));
    Ok(StaySpec { key: stay.key.clone(), generation, doors, window: stay.window })
}
