//! Which person a user of an access system is.
use super::change::{Outcome, Person};
use super::draft::Draft;
use super::read::Try;
use super::{identity, method, next, user};
use crate::error::{Error, ErrorKind};
use crate::model::{AcsUserId, UserIdentityId};
use crate::state::*;

/// Makes a user that is nobody's a person's. Name and contacts are the person's from then on, in one place, so that they can be erased.
///
/// # Errors
/// `NotFound`; `Conflict`: the user is somebody else's (`acs_user_of_another`), the person has a user there already (`acs_user_exists`).
pub(super) fn link(d: &mut Draft<'_>, id: AcsUserId, person: UserIdentityId) -> Try<Outcome> {
    let mut row = user::living(d, id)?;
    let (person, _) = identity::living(d, person)?;
    match row.identity {
        Some(has) if identity::resolved(d, has)?.0 == person => return Ok(Outcome::User(id)),
        Some(_) => {
            let e = Error::new(ErrorKind::Conflict, "acs_user_of_another", "this user is another person's");
            return Err(e.with_field("acs_user_id").into());
        }
        None => {}
    }
    if let Some(has) = user::of_person(d, row.system, person)? {
        let e = Error::new(ErrorKind::Conflict, "acs_user_exists", "the person has a user at this access system already");
        return Err(e.with_field("user_identity_id").with_context("acs_user_id", has).into());
    }
    (row.identity, row.profile, row.by_hand) = (Some(person), None, true);
    let target = row.target;
    d.set(id, row);
    hers(d, id, Some(person))?;
    send(d, target)?;
    Ok(Outcome::User(id))
}

/// A user is no longer a person's. She keeps the name and contacts that the system knows her by; they are her own from then on.
///
/// # Errors
/// `NotFound`; `Conflict`: the user is not that person's (`acs_user_of_another`), or grants of the person work through her (`acs_user_has_grants`).
pub(super) fn unlink(d: &mut Draft<'_>, id: AcsUserId, person: UserIdentityId) -> Try<Outcome> {
    let row = user::living(d, id)?;
    let (person, body) = identity::living(d, person)?;
    let has = row.identity.map(|has| identity::resolved(d, has)).transpose()?;
    if has.is_none_or(|(has, _)| has != person) {
        let e = Error::new(ErrorKind::Conflict, "acs_user_of_another", "this user is not that person's");
        return Err(e.with_field("acs_user_id").into());
    }
    let by_grants = user::hanging(d, id)?.into_iter().any(|(_, t)| !t.gone && matches!(t.of, TargetOf::Method(_)));
    if by_grants {
        let e = Error::new(ErrorKind::Conflict, "acs_user_has_grants", "grants of this person work through this user: end them first");
        return Err(e.with_field("acs_user_id").into());
    }
    let known = identity::details(d, person, &body)?;
    let profile = Person { key: None, full_name: Some(identity::name_of(d, person)?), ..known };
    user::keep_profile(d, id, &profile)?;
    let mut row = d.get::<AcsUser>(id)?;
    (row.identity, row.by_hand) = (None, true);
    d.set(id, row);
    hers(d, id, None)?;
    Ok(Outcome::User(id))
}

/// The direct credentials of a user are this person's. Nothing of them changes at the system, so nothing is sent: a card is not written again.
fn hers(d: &mut Draft<'_>, id: AcsUserId, person: Option<UserIdentityId>) -> Try<()> {
    for (row, mut t) in user::hanging(d, id)? {
        if let Wanted::Credential(c) = &mut t.want {
            c.identity = person;
            d.set(row, t);
        }
    }
    Ok(())
}

/// Sends the user with the name that she has now.
fn send(d: &mut Draft<'_>, target: RowId) -> Try<()> {
    let mut t = d.get::<Target>(target)?;
    let rules = method::rules_of(d, &t)?;
    next::again(&mut t, &rules, d.now());
    d.set(target, t);
    Ok(())
}
