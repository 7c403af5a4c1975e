//! What access systems hold and we did not make: listed, never changed.
use super::Workspace;
use super::paging::{At, body, holds, paged};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AcsEntranceId, AcsSystemId, Page};
use crate::plan::Try;
use crate::state::{Entrance, Index, Key, Row, RowId, RowKind, Unmanaged};
use crate::view::Viewer;
use chrono::{DateTime, Utc};

/// Which of the things that were found are listed. All that is set must hold.
#[derive(Clone, Debug, Default, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct UnmanagedFilter {
    /// At this system.
    pub acs_system_id: Option<AcsSystemId>,
    /// For this entrance.
    pub acs_entrance_id: Option<AcsEntranceId>,
    /// Of the stay that its system knows under this key.
    pub reservation_key: Option<String>,
    /// With this in its name or its system's id, whatever the case.
    pub search: Option<String>,
    /// Found before this instant.
    pub created_before: Option<DateTime<Utc>>,
    /// From here on.
    pub page_cursor: Option<String>,
    /// How many at most: 1 to 1,000; 500 if not set.
    pub limit: Option<usize>,
}
paged!(UnmanagedFilter);

impl Workspace {
    /// A page of what was found, of the kinds that a view shows.
    pub(super) async fn found<T>(&self, filter: &UnmanagedFilter, see: impl Fn(&Viewer<'_>, RowId) -> Try<T>) -> Result<Page<T>> {
        let door = match filter.acs_entrance_id {
            Some(id) => Some(self.look(|v| Ok(v.reader.get::<Entrance>(id)?.clone())).await?),
            None => None,
        };
        let system = filter.acs_system_id.or(door.as_ref().map(|door| door.system));
        let keep = |row: &Row| {
            body::<Unmanaged>(row).is_some_and(|u| {
                let handle = u.held.handle.as_text();
                filter.acs_system_id.is_none_or(|id| u.system == id)
                    && door.as_ref().is_none_or(|door| u.system == door.system && u.held.doors.contains(&door.report.handle))
                    && filter.reservation_key.as_deref().is_none_or(|key| handle == Some(key))
                    && filter.created_before.is_none_or(|at| u.created_at < at)
                    && holds(filter.search.as_deref(), [u.held.name.as_deref(), handle])
            })
        };
        self.page(RowKind::Unmanaged, system.map(|id| Key::id(Index::UnmanagedAt, id)), At::of(filter), keep, see).await
    }
}

/// What was found is never taken over: what we did not issue we cannot answer for.
pub(super) fn not_taken_over<T>() -> Result<T> {
    let message = "what was found in an access system is shown and never changed: make a grant of your own in its place";
    Err(Error::new(ErrorKind::Unsupported, "unmanaged_not_convertible", message).with_field("is_managed"))
}
