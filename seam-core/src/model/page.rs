//! Lists in pages.
use serde::{Deserialize, Serialize};

/// One page of a list.
///
/// On the wire of the HTTP API the items stand under a key that is named after the resource, beside `pagination`; here
/// they are `items`. A page may be shorter than was asked for, or empty, and still go on: of a list without an index for its filter only so many
/// rows are looked at for one page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items of the page, in the stable order of the list.
    pub items: Vec<T>,
    /// Whether and how it goes on.
    pub pagination: Pagination,
}

impl<T> Page<T> {
    /// A page that goes on at this cursor, or the last one.
    #[must_use]
    pub fn new(items: Vec<T>, next_page_cursor: Option<String>) -> Self {
        let has_next_page = next_page_cursor.is_some();
        Self { items, pagination: Pagination { has_next_page, next_page_cursor, next_page_url: None } }
    }

    /// The same page with every item turned into something else.
    #[must_use]
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), pagination: self.pagination }
    }
}

/// Whether and how a list goes on after a page. All three members are always written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pagination {
    /// Whether there are more items.
    pub has_next_page: bool,
    /// What to pass for the next page, together with the same filters; null on the last. Opaque.
    #[serde(default)]
    pub next_page_cursor: Option<String>,
    /// The address of the next page, where there is an HTTP server; else null.
    #[serde(default)]
    pub next_page_url: Option<String>,
}
