//! stub
#![allow(unused_variables, dead_code)]
use super::change::*; use super::draft::Draft; use super::read::Try; use crate::model::*; use crate::state::{Account, Work};
pub(super) fn connect(d: &mut Draft<'_>, n: &NewAccount) -> Try<Outcome> {
    let id = ConnectedAccountId::from_uuid(d.env.mint());
    let settings = d.env.seal(id.uuid(), "settings", n.settings.expose())?;
    let now = d.now();
    d.set(id, Account { kind: n.kind.clone(), settings, settings_rev: 1, memo: None, memo_version: 0, created_at: now, synced_at: None, errors: vec![], work: Work { due_at: Some(now), ..Work::default() }, deleted_at: None, held: None });
    Ok(Outcome::Account(id))
}
pub(super) fn update(d: &mut Draft<'_>, id: ConnectedAccountId, s: &Shown) -> Try<Outcome> { Ok(Outcome::Done) }
pub(super) fn disconnect(d: &mut Draft<'_>, id: ConnectedAccountId) -> Try<Outcome> { Ok(Outcome::Done) }
pub(super) fn rescan(d: &mut Draft<'_>, id: ConnectedAccountId) -> Try<Outcome> { Ok(Outcome::Done) }
pub(super) fn confirm_held(d: &mut Draft<'_>, id: ConnectedAccountId) -> Try<Outcome> { Ok(Outcome::Done) }
pub(super) fn set_graces(d: &mut Draft<'_>, id: AcsSystemId, a: u32, b: u32) -> Try<Outcome> { Ok(Outcome::Done) }
pub(super) fn rebind(d: &mut Draft<'_>, id: AcsEntranceId, to: AcsEntranceId) -> Try<Outcome> { Ok(Outcome::Done) }
