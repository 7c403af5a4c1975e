//! What every store decides alike, whatever it keeps its rows in: what a row gives away, whether a changeset may be applied, what a
//! reader is told. Pure, so that two stores cannot differ in it.
mod agenda;
mod apply;
mod claims;
mod derive;
mod facts;

pub(super) use agenda::Agenda;
pub(super) use apply::{Heads, Written, check, next_versions};
pub(super) use claims::{Asked, ClaimSet};
#[cfg(feature = "sqlite")]
pub(super) use derive::{Derived, Diff};
pub(super) use derive::{Place, place};
pub(super) use facts::{decide, facts};

use crate::error::Result;
use crate::state::{Channel, ClaimKey, Claimed, Near, Row, RowId};
use std::sync::Arc;

/// One state of the store, as preconditions and readers look at it.
pub(super) trait View {
    /// A row, of whatever workspace.
    fn row(&mut self, id: RowId) -> Result<Option<Arc<Row>>>;
    /// The row that a new one would replace. May say that there is none without looking, if the write then fails on it.
    fn before_new(&mut self, id: RowId) -> Result<Option<Arc<Row>>> {
        self.row(id)
    }
    /// The rows that a unique key finds. May say that there are none without looking, if the write then fails on them.
    fn holders(&mut self, place: &Place) -> Result<Vec<RowId>> {
        self.ids(place)
    }
    /// The rows that a key finds, in the order of their ids.
    fn ids(&mut self, place: &Place) -> Result<Vec<RowId>>;
    /// The claims near a window.
    fn near(&mut self, near: &Near) -> Result<Vec<Claimed>>;
    /// Whether no claim of the key meets the window, but those of one row.
    fn is_free(&mut self, key: ClaimKey, asked: &Asked) -> Result<bool>;
    /// Whether the channel is held under this fence.
    fn holds(&mut self, channel: &Channel, fence: u64) -> bool;
}
