//! stub
#![allow(unused_variables)]
use super::change::*;
use super::draft::Draft;
use super::read::Try;
use crate::model::*;
pub(super) fn connect(d: &mut Draft<'_>, n: &NewAccount) -> Try<Outcome> {
    Ok(Outcome::Done)
}
pub(super) fn update(d: &mut Draft<'_>, id: ConnectedAccountId, s: &Shown) -> Try<Outcome> {
    Ok(Outcome::Done)
}
pub(super) fn disconnect(d: &mut Draft<'_>, id: ConnectedAccountId) -> Try<Outcome> {
    Ok(Outcome::Done)
}
pub(super) fn rescan(d: &mut Draft<'_>, id: ConnectedAccountId) -> Try<Outcome> {
    Ok(Outcome::Done)
}
pub(super) fn confirm_held(d: &mut Draft<'_>, id: ConnectedAccountId) -> Try<Outcome> {
    Ok(Outcome::Done)
}
pub(super) fn set_graces(d: &mut Draft<'_>, id: AcsSystemId, a: u32, b: u32) -> Try<Outcome> {
    Ok(Outcome::Done)
}
pub(super) fn rebind(d: &mut Draft<'_>, id: AcsEntranceId, to: AcsEntranceId) -> Try<Outcome> {
    Ok(Outcome::Done)
}
