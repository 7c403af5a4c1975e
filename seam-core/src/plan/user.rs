//! stub
#![allow(unused_variables)]
use super::change::*;
use super::draft::Draft;
use super::read::Try;
use crate::model::{AcsAccessGroupId, AcsCredentialId, AcsSystemId, AcsUserId, ConnectedAccountId, Shown, UserIdentityId};
use crate::state::*;
use chrono::{DateTime, Utc};
pub(super) fn create(d: &mut Draft<'_>, p: &NewUser) -> Try<Outcome> {
    Ok(Outcome::Done)
}
pub(super) fn update(d: &mut Draft<'_>, id: AcsUserId, u: &UserUpdate) -> Try<Outcome> {
    Ok(Outcome::Done)
}
pub(super) fn delete(d: &mut Draft<'_>, id: AcsUserId) -> Try<Outcome> {
    Ok(Outcome::Done)
}
pub(super) fn suspend(d: &mut Draft<'_>, id: AcsUserId, s: bool) -> Try<Outcome> {
    Ok(Outcome::Done)
}
pub(super) fn set_membership(d: &mut Draft<'_>, id: AcsUserId, g: AcsAccessGroupId, s: bool) -> Try<Outcome> {
    Ok(Outcome::Done)
}
pub(super) fn create_credential(d: &mut Draft<'_>, p: &NewCredential) -> Try<Outcome> {
    Ok(Outcome::Done)
}
pub(super) fn update_credential(d: &mut Draft<'_>, id: AcsCredentialId, c: Option<&Shown>, e: Option<DateTime<Utc>>) -> Try<Outcome> {
    Ok(Outcome::Done)
}
pub(super) fn delete_credential(d: &mut Draft<'_>, id: AcsCredentialId) -> Try<Outcome> {
    Ok(Outcome::Done)
}
pub(super) fn ensure_user(d: &mut Draft<'_>, s: AcsSystemId, a: ConnectedAccountId, i: UserIdentityId) -> Try<AcsUserId> {
    unimplemented!()
}
pub(super) fn profile_of(d: &Draft<'_>, id: AcsUserId, u: &AcsUser) -> Try<Person> {
    unimplemented!()
}
pub(super) fn blank_target(d: &Draft<'_>, s: &System, id: AcsSystemId, of: TargetOf, want: Wanted) -> Target {
    unimplemented!()
}
