//! Whose a direct credential is, and whether it works.
use super::change::{CredentialOwner, Outcome};
use super::credential::direct;
use super::draft::Draft;
use super::read::Try;
use super::{identity, method, next, user};
use crate::error::{Error, ErrorKind};
use crate::model::{AcsCredentialId, AcsUserId, UserIdentityId};
use crate::provider::{Kind, Needs};
use crate::state::*;

/// Gives a credential that is nobody's to somebody. Hers already is fine.
///
/// # Errors
/// `NotFound`; `InvalidInput` for a user of another system; `Conflict` (`credential_assigned`, `credential_of_access_method`).
pub(super) fn assign(d: &mut Draft<'_>, id: AcsCredentialId, to: CredentialOwner) -> Try<Outcome> {
    let mut t = direct(d, id)?;
    let (owner, person) = owner(d, &t, to)?;
    let Some(old) = t.credential().cloned() else { return Err(Error::not_found("acs_credential", id).into()) };
    if (old.user, old.identity) == (owner, person) {
        return Ok(Outcome::Credential(id));
    }
    if !t.is_unassigned() {
        let e = Error::new(ErrorKind::Conflict, "credential_assigned", "this credential is somebody else's: unassign it first");
        return Err(e.with_field("acs_credential_id").into());
    }
    let rules = method::rules_of(d, &t)?;
    t.work.after = match owner {
        Some(user) => Some(d.get::<AcsUser>(user)?.target),
        None => None,
    };
    if next::first_needs(&rules) != Needs::Nothing {
        // What was taken from the one before is not what the next one has in her hand.
        t.needs = next::first_needs(&rules);
    }
    next::want(&mut t, Wanted::Credential(WantedCredential { user: owner, identity: person, ..old }), &rules, d.now());
    d.set(id, t);
    Ok(Outcome::Credential(id))
}

fn owner(d: &mut Draft<'_>, t: &Target, to: CredentialOwner) -> Try<(Option<AcsUserId>, Option<UserIdentityId>)> {
    match to {
        CredentialOwner::User(user) => {
            let row = user::living(d, user)?;
            if row.system != t.system {
                return Err(Error::invalid("acs_user_id", "the user belongs to another access system than the credential").into());
            }
            d.depend_on(user);
            Ok((Some(user), row.identity))
        }
        CredentialOwner::Identity(person) => {
            let (person, _) = identity::living(d, person)?;
            let has_users = d.get::<System>(t.system)?.report.kinds.contains_key(&Kind::User);
            let user = if has_users { Some(user::ensure_user(d, t.system, t.account, person)?) } else { None };
            Ok((user, Some(person)))
        }
    }
}

/// Takes a credential from whoever has it. Nobody's already is fine. It keeps its PIN; it is not at the system until somebody has it again.
///
/// # Errors
/// `NotFound`; `Conflict` (`credential_of_another`, `credential_of_access_method`).
pub(super) fn unassign(d: &mut Draft<'_>, id: AcsCredentialId, from: Option<CredentialOwner>) -> Try<Outcome> {
    let mut t = direct(d, id)?;
    let Some(old) = t.credential().cloned() else { return Err(Error::not_found("acs_credential", id).into()) };
    let hers = match from {
        None => true,
        Some(CredentialOwner::User(user)) => old.user == Some(user),
        Some(CredentialOwner::Identity(person)) => old.identity == Some(identity::resolved(d, person)?.0),
    };
    if t.is_unassigned() {
        return Ok(Outcome::Credential(id));
    }
    if !hers {
        let e = Error::new(ErrorKind::Conflict, "credential_of_another", "this credential is not hers");
        return Err(e.with_field("acs_credential_id").into());
    }
    let rules = method::rules_of(d, &t)?;
    (t.work.after, t.work.asks) = (None, None);
    // The number on a card names who had it, and erasing her would no longer find it here. The keyed hash stays, to know the card again.
    t.card_number = None;
    next::want(&mut t, Wanted::Credential(WantedCredential { user: None, identity: None, ..old }), &rules, d.now());
    d.set(id, t);
    Ok(Outcome::Credential(id))
}

/// Suspends a credential, or takes it up again.
///
/// # Errors
/// `NotFound`; `Conflict` (`credential_of_access_method`): a credential of a grant is suspended with its grant.
pub(super) fn suspend(d: &mut Draft<'_>, id: AcsCredentialId, suspended: bool) -> Try<Outcome> {
    let mut t = direct(d, id)?;
    let Some(old) = t.credential().cloned() else { return Err(Error::not_found("acs_credential", id).into()) };
    let rules = method::rules_of(d, &t)?;
    if next::want(&mut t, Wanted::Credential(WantedCredential { suspended, ..old }), &rules, d.now()) {
        if !suspended && !rules.suspend && next::first_needs(&rules) != Needs::Nothing {
            t.needs = next::first_needs(&rules);
        }
        d.set(id, t);
    }
    Ok(Outcome::Credential(id))
}
