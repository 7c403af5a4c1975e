//! Several persons become one: grants, methods, links, sessions and users move; old ids and keys keep leading to the one that stays.
use super::change::Outcome;
use super::draft::{Draft, expose};
use super::identity::{self, CONTACT};
use super::read::Try;
use super::session;
use crate::error::Error;
use crate::model::{AcsSystemId, AcsUserId, UserIdentityId};
use crate::state::*;
use std::collections::BTreeSet;

/// How many persons go up in another at once.
const MOST: usize = 20;

/// Makes several persons one. The one that stays takes over the name and the contacts that it lacks.
///
/// A person has at most one user per access system. Where both have one at the same system, those of the merged person keep what hangs on
/// them, and go with their last grant: to move a credential from one user to another would take it away for a while.
///
/// # Errors
/// `InvalidInput` for an empty or too long list or one that names the person herself; `NotFound` for anybody unknown or deleted.
pub(super) fn merge(d: &mut Draft<'_>, id: UserIdentityId, merged: &[UserIdentityId]) -> Try<Outcome> {
    const FIELD: &str = "merged_user_identity_ids";
    if merged.is_empty() || merged.len() > MOST {
        return Err(Error::invalid(FIELD, format!("name 1 to {MOST} persons")).into());
    }
    d.hint(merged.iter().map(|m| m.uuid()).chain([id.uuid()]));
    d.gather()?;
    let (id, _) = identity::living(d, id)?;
    if merged.contains(&id) {
        return Err(Error::invalid(FIELD, "a person cannot be merged into herself").into());
    }
    let mut others = BTreeSet::new();
    for other in merged {
        let (other, _) = identity::living(d, *other)?;
        // Merged into her before: asked again, it is done already.
        if other != id {
            others.insert(other);
        }
    }
    let keys = |i: UserIdentityId| {
        [Index::GrantsOf, Index::MethodsOf, Index::UsersOf, Index::InstantKeysOf, Index::SessionsOf].map(|index| Key::id(index, i))
    };
    d.reader().hint_keys(others.iter().flat_map(|m| keys(*m)));
    d.reader().hint_keys([Key::id(Index::UsersOf, id)]);
    d.gather()?;
    let before = d.get::<Identity>(id)?;
    for other in others {
        take_in(d, id, other)?;
    }
    let after = d.get::<Identity>(id)?;
    if (&before.full_name, &before.email, &before.phone) != (&after.full_name, &after.email, &after.phone) {
        identity::push_profile(d, id, &[])?;
    }
    Ok(Outcome::Identity(id))
}

fn take_in(d: &mut Draft<'_>, id: UserIdentityId, other: UserIdentityId) -> Try<()> {
    let mut row = d.get::<Identity>(id)?;
    let mut gone = d.get::<Identity>(other)?;
    let has = identity::details(d, id, &row)?;
    let brings = identity::details(d, other, &gone)?;
    if let (None, Some(name)) = (&has.full_name, &brings.full_name) {
        identity::set_name(d, id, &mut row, Some(name))?;
    }
    if let (None, Some(email)) = (&has.email_address, &brings.email_address) {
        identity::set_email(d, id, &mut row, Some(email))?;
    }
    if let (None, Some(phone)) = (&has.phone_number, &brings.phone_number) {
        identity::set_phone(d, id, &mut row, Some(phone))?;
    }
    row.merged.push(other);
    row.merged.append(&mut gone.merged.clone());
    row.merged_keys.extend(gone.key.iter().chain(&gone.merged_keys).cloned());
    gone.merged_into = Some(id);
    d.set(id, row.clone());
    d.set(other, gone.clone());
    move_grants(d, (id, &row), (other, &gone))?;
    move_users(d, id, other)?;
    session::move_all(d, id, other)?;
    for link in d.find_exactly(&Key::id(Index::InstantKeysOf, other))? {
        let mut key = d.get::<InstantKey>(link)?;
        key.identity = id;
        d.set(link, key);
    }
    Ok(())
}

fn move_grants(d: &mut Draft<'_>, to: (UserIdentityId, &Identity), from: (UserIdentityId, &Identity)) -> Try<()> {
    for row in d.find_exactly(&Key::id(Index::GrantsOf, from.0))? {
        let mut grant = d.get::<Grant>(row)?;
        grant.identity = to.0;
        if let Some(contact) = identity::open(d, from.0, from.1, CONTACT, grant.contact.as_ref())? {
            grant.contact = Some(identity::seal(d, to.0, to.1, CONTACT, expose(&contact))?);
        }
        d.set(row, grant);
    }
    Ok(())
}

/// Moves users with all that hangs on them, or, where that would make two of one person at a system, none.
fn move_users(d: &mut Draft<'_>, id: UserIdentityId, other: UserIdentityId) -> Try<()> {
    let mine = systems(d, &Key::id(Index::UsersOf, id), id)?;
    let theirs: Vec<AcsUserId> = d.find_exactly(&Key::id(Index::UsersOf, other))?.into_iter().map(AcsUserId::from_uuid).collect();
    let mut twice = false;
    for user in &theirs {
        twice |= mine.contains(&d.get::<AcsUser>(*user)?.system);
    }
    if !twice {
        for user in &theirs {
            let mut row = d.get::<AcsUser>(*user)?;
            row.identity = Some(id);
            d.set(*user, row);
        }
    }
    let methods = d.find_exactly(&Key::id(Index::MethodsOf, other))?;
    let mut targets = Vec::new();
    for method in &methods {
        targets.extend(d.get::<Method>(*method)?.targets);
    }
    d.hint(targets);
    d.gather()?;
    for row in methods {
        let mut method = d.get::<Method>(row)?;
        let mut held_by_user = false;
        for t in &method.targets {
            held_by_user |= d.get::<Target>(*t)?.credential().is_some_and(|c| c.user.is_some());
        }
        if twice && held_by_user {
            continue;
        }
        for t in method.targets.clone() {
            let mut target = d.get::<Target>(t)?;
            if let Wanted::Credential(c) = &mut target.want {
                // Whose it is changes nothing of what is at the system, so the revision stays and nothing is sent.
                c.identity = Some(id);
            }
            d.set(t, target);
        }
        method.identity = id;
        d.set(row, method);
    }
    Ok(())
}

/// The systems at which a person has a user, those included that this draft has moved to her.
fn systems(d: &Draft<'_>, key: &Key, id: UserIdentityId) -> Try<BTreeSet<AcsSystemId>> {
    let mut out = BTreeSet::new();
    for user in d.find(key)? {
        out.insert(d.get::<AcsUser>(user)?.system);
    }
    out.extend(d.written().filter_map(|r| match &r.body {
        Body::User(u) if u.identity == Some(id) && u.deleted_at.is_none() => Some(u.system),
        _ => None,
    }));
    Ok(out)
}
