//! Pages of rows, and what a filter is made of.
use super::Workspace;
use super::written::Written;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Page;
use crate::plan::{Kept, Try};
use crate::state::{Key, ReadSet, Row, RowId, RowKind};
use crate::store::{Changes, ListQuery, hex};
use crate::view::Viewer;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::ops::Bound;
use std::sync::Arc;

/// How many things a page holds if nothing else is said.
pub(super) const PAGE: usize = 500;

/// How many rows are looked at for one page. A filter that lets few of them through has no index: its page is shorter then, or empty, and goes on.
const LOOKED_AT: usize = 10_000;

/// Among which rows a list looks.
#[derive(Clone, Debug)]
pub(super) enum Among {
    /// All of a kind.
    All,
    /// Those that a key finds.
    By(Key),
    /// These.
    These(BTreeSet<RowId>),
}

impl From<Option<Key>> for Among {
    fn from(key: Option<Key>) -> Self {
        key.map_or(Self::All, Self::By)
    }
}
impl From<Key> for Among {
    fn from(key: Key) -> Self {
        Self::By(key)
    }
}
impl Among {
    /// Only those of it that are among these too. What a key would find has to be checked of each row then.
    pub(super) fn only(self, ids: impl IntoIterator<Item = impl Into<RowId>>) -> Self {
        let ids: BTreeSet<RowId> = ids.into_iter().map(Into::into).collect();
        Self::These(match self {
            Self::These(had) => had.intersection(&ids).copied().collect(),
            Self::All | Self::By(_) => ids,
        })
    }
}

/// From where, and how many, of what was asked for.
#[derive(Clone, Debug)]
pub(super) struct At<'a> {
    cursor: Option<&'a str>,
    limit: usize,
    /// What was asked for, in short: a cursor goes on with the same only.
    bound: String,
}

impl<'a> At<'a> {
    /// As a filter says.
    pub(super) fn of<F: Filter>(filter: &'a F) -> Self {
        let asked = format!("{:?}", filter.clone().on_page(None, None));
        Self { limit: filter.limit().unwrap_or(PAGE), ..Self::plain(filter.cursor(), PAGE, &asked) }
    }
    /// Of a list that is told apart from others by `asked`.
    pub(super) fn plain(cursor: Option<&'a str>, limit: usize, asked: &str) -> Self {
        let hash = Sha256::digest(asked.as_bytes());
        let bound = hex(&hash[..8]);
        Self { cursor, limit, bound }
    }

    /// The row after which the page starts.
    ///
    /// # Errors
    /// `InvalidInput` for what no list gave, and (`mismatched_page_parameters`) for what another list gave.
    pub(super) fn after(&self) -> Result<Option<RowId>> {
        let Some(cursor) = self.cursor else { return Ok(None) };
        let parts = cursor.split_at_checked(32).filter(|(_, bound)| bound.len() == 16 && bound.bytes().all(|b| b.is_ascii_hexdigit()));
        let parts = parts.and_then(|(id, bound)| Some((uuid::Uuid::try_parse(id).ok()?, bound)));
        let Some((id, bound)) = parts else {
            return Err(Error::invalid("page_cursor", "this cursor was not given by a list").with_context("page_cursor", "unknown"));
        };
        if bound != self.bound {
            let message = "a page is gone on with by the same parameters that gave its cursor";
            return Err(Error::new(ErrorKind::InvalidInput, "mismatched_page_parameters", message).with_field("page_cursor"));
        }
        Ok(Some(id))
    }
    /// The cursor of what comes after a row.
    pub(super) fn cursor(&self, id: RowId) -> String {
        format!("{}{}", id.simple(), self.bound)
    }
}

/// A filter of a list with pages.
pub trait Paged {
    /// The same things, from a cursor on and so many of them at most: 1 to 1,000; 500 if not said.
    #[must_use]
    fn on_page(self, page_cursor: Option<String>, limit: Option<usize>) -> Self;
}

/// What a list reads of a filter with pages.
pub(super) trait Filter: Paged + Clone + Debug {
    fn cursor(&self) -> Option<&str>;
    fn limit(&self) -> Option<usize>;
}

/// Implements [`Paged`] and [`Filter`] for filters with `page_cursor` and `limit`.
macro_rules! paged {
    ($($filter:ty),+ $(,)?) => {$(
        impl $crate::api::paging::Paged for $filter {
            fn on_page(self, page_cursor: Option<String>, limit: Option<usize>) -> Self {
                Self { page_cursor, limit, ..self }
            }
        }
        impl $crate::api::paging::Filter for $filter {
            fn cursor(&self) -> Option<&str> {
                self.page_cursor.as_deref()
            }
            fn limit(&self) -> Option<usize> {
                self.limit
            }
        }
    )+};
}
pub(super) use paged;

/// What a view shows, if it passes: otherwise as if it were not there, so that a page goes on to the next.
pub(super) fn passing<T>(seen: Try<T>, keep: impl FnOnce(&T) -> bool) -> Try<T> {
    match seen {
        Ok(x) if !keep(&x) => Err(Error::not_found("object", "passed over").into()),
        seen => seen,
    }
}

/// Whether any of these texts holds what is searched for, whatever the case of its letters.
pub(super) fn holds<'a>(search: Option<&str>, texts: impl IntoIterator<Item = Option<&'a str>>) -> bool {
    let Some(search) = search else { return true };
    let search = search.trim().to_lowercase();
    texts.into_iter().flatten().any(|text| text.to_lowercase().contains(&search))
}

/// A body of a kind, if the row holds one.
pub(super) fn body<T: Kept>(row: &Row) -> Option<&T> {
    T::of(&row.body)
}

/// A page that is being filled.
struct Filling<'a, T> {
    at: At<'a>,
    limit: usize,
    after: Option<RowId>,
    items: Vec<T>,
    looked_at: usize,
}

impl<'a, T> Filling<'a, T> {
    fn new(at: At<'a>) -> Result<Self> {
        Ok(Self { limit: at.limit.clamp(1, 1000), after: at.after()?, at, items: Vec::new(), looked_at: 0 })
    }

    /// Takes what was seen of the rows that are kept of these. Gives the page, once it is full or nothing comes after it.
    fn take(&mut self, rows: &[Arc<Row>], kept: &[&Arc<Row>], seen: Vec<Option<T>>, more: Option<RowId>) -> Option<Page<T>> {
        for (row, seen) in kept.iter().zip(seen) {
            self.items.extend(seen);
            if self.items.len() == self.limit {
                let rest = rows.last().is_some_and(|last| last.id != row.id) || more.is_some();
                return Some(self.page(rest.then_some(row.id)));
            }
        }
        self.looked_at += rows.len();
        self.after = more;
        match more {
            Some(_) if self.looked_at < LOOKED_AT => None,
            last => Some(self.page(last)),
        }
    }

    fn page(&mut self, goes_on_after: Option<RowId>) -> Page<T> {
        Page::new(std::mem::take(&mut self.items), goes_on_after.map(|id| self.at.cursor(id)))
    }
}

impl Workspace {
    /// A page of rows, each seen through a view. Rows that the view does not show (deleted ones) are passed over.
    pub(super) async fn page<T>(
        &self,
        kind: RowKind,
        among: impl Into<Among>,
        at: At<'_>,
        keep: impl Fn(&Row) -> bool,
        see: impl Fn(&Viewer<'_>, RowId) -> Try<T>,
    ) -> Result<Page<T>> {
        let (among, mut filling) = (among.into(), Filling::new(at)?);
        loop {
            let (rows, more) = self.rows(kind, &among, filling.after, filling.limit).await?;
            let kept: Vec<&Arc<Row>> = rows.iter().filter(|row| keep(row)).collect();
            let seen = self.look_each(&kept, &see).await?;
            if let Some(page) = filling.take(&rows, &kept, seen, more) {
                return Ok(page);
            }
        }
    }

    /// As [`Workspace::page`], of a view that shows of a row always the same, as JSON.
    pub(super) async fn written<T: Serialize>(
        &self,
        kind: RowKind,
        among: impl Into<Among>,
        at: At<'_>,
        keep: impl Fn(&Row) -> bool,
        see: impl Fn(&Viewer<'_>, RowId) -> Try<T>,
    ) -> Result<Page<Written>> {
        let (among, mut filling) = (among.into(), Filling::new(at)?);
        loop {
            let since = self.seam.0.store.changes().map(Changes::mark);
            let (rows, more) = self.rows(kind, &among, filling.after, filling.limit).await?;
            let kept: Vec<&Arc<Row>> = rows.iter().filter(|row| keep(row)).collect();
            let seen = self.write_each(&kept, since, &see).await?;
            if let Some(page) = filling.take(&rows, &kept, seen, more) {
                return Ok(page);
            }
        }
    }

    /// Some rows after one, in the order of their ids, and the id to go on after if there may be more.
    async fn rows(&self, kind: RowKind, among: &Among, after: Option<RowId>, limit: usize) -> Result<(Vec<Arc<Row>>, Option<RowId>)> {
        let key = match among {
            Among::All => None,
            Among::By(key) => Some(key.clone()),
            Among::These(ids) => {
                let from = after.map_or(Bound::Unbounded, Bound::Excluded);
                let ids: BTreeSet<RowId> = ids.range((from, Bound::Unbounded)).take(limit).copied().collect();
                let more = ids.last().copied().filter(|_| ids.len() == limit);
                let mut facts = self.seam.0.store.read(self.id(), &ReadSet { rows: ids.clone(), ..Default::default() }).await?;
                let rows = ids.iter().filter_map(|id| facts.rows.remove(id).flatten()).filter(|row| row.body.kind() == kind);
                return Ok((rows.collect(), more));
            }
        };
        let rows = self.seam.0.store.list(self.id(), &ListQuery { kind, key, after, limit }).await?;
        let more = rows.last().map(|row| row.id).filter(|_| rows.len() >= limit);
        Ok((rows, more))
    }

    /// Everything that a page would give, page after page.
    pub(super) async fn every<T>(
        &self,
        kind: RowKind,
        among: impl Into<Among>,
        keep: impl Fn(&Row) -> bool,
        see: impl Fn(&Viewer<'_>, RowId) -> Try<T>,
    ) -> Result<Vec<T>> {
        let among = among.into();
        let mut after = None;
        let mut items = Vec::new();
        loop {
            let (rows, more) = self.rows(kind, &among, after, 1000).await?;
            let kept: Vec<&Arc<Row>> = rows.iter().filter(|row| keep(row)).collect();
            items.extend(self.look_each(&kept, &see).await?.into_iter().flatten());
            if more.is_none() {
                return Ok(items);
            }
            after = more;
        }
    }

    /// These things, as a view shows them, in the order of their ids; those that it does not show are left out.
    pub(super) async fn these<T>(
        &self,
        kind: RowKind,
        ids: impl IntoIterator<Item = impl Into<RowId>>,
        see: impl Fn(&Viewer<'_>, RowId) -> Try<T>,
    ) -> Result<Vec<T>> {
        self.every(kind, Among::All.only(ids), |_| true, see).await
    }
}
