//! Grants: made, changed, ended.
use super::draft::Draft;
use super::read::Try;
use crate::model::AccessGrantId;

/// How a grant ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Its end has passed.
    Expired,
    /// It is deleted.
    Deleted,
}

/// Ends a live grant: its methods, its part in the stay, what it wants of systems. Nothing if it is not live.
pub(super) fn end_grant(_d: &mut Draft<'_>, _grant: AccessGrantId, _how: End) -> Try<()> {
    Ok(())
}

/// Makes what is wanted of systems fit the grant as this draft sees it: its window, its doors (spaces may have changed), its suspension.
pub(super) fn reweave_grant(_d: &mut Draft<'_>, _grant: AccessGrantId) -> Try<()> {
    Ok(())
}
