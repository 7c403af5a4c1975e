//! For fuzz targets: what callers send back.
use super::paging::At;
use uuid::Uuid;

/// The list whose cursors are looked at.
const LIST: &str = "a list";

pub(crate) fn page_cursor(text: &str) -> Option<Uuid> {
    At::plain(Some(text), 1, LIST).after().ok().flatten()
}

pub(crate) fn page_cursor_after(id: Uuid) -> String {
    At::plain(None, 1, LIST).cursor(id)
}
