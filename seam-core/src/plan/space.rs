//! stub
#![allow(unused_variables)]
use super::change::*;
use super::draft::Draft;
use super::read::Try;
use crate::model::{AcsEntranceId, SpaceId};
pub(super) fn create(d: &mut Draft<'_>, p: &NewSpace) -> Try<Outcome> {
    Ok(Outcome::Done)
}
pub(super) fn update(d: &mut Draft<'_>, u: &SpaceUpdate) -> Try<Outcome> {
    Ok(Outcome::Done)
}
pub(super) fn change_entrances(d: &mut Draft<'_>, id: SpaceId, a: &[AcsEntranceId], r: &[AcsEntranceId]) -> Try<Outcome> {
    Ok(Outcome::Done)
}
pub(super) fn delete(d: &mut Draft<'_>, id: SpaceId) -> Try<Outcome> {
    Ok(Outcome::Done)
}
