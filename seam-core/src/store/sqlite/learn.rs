//! Fills the filter of what is absent from the file, a stretch at a time, while the store is at work.
use super::Shared;
use super::codec;
use super::errors::{corrupt, typed};
use super::schema as sql;
use crate::error::Result;
use crate::state::ClaimKey;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Entries of one stretch: a few milliseconds.
const STRETCH: i64 = 4_096;

/// How far it has come.
#[derive(Debug)]
pub(super) enum Learner {
    Unique(Place),
    Lookup(Place),
    Claims(Vec<u8>),
    Done,
}

/// The last entry that was seen: index, workspace, key.
type Place = (i64, i64, Vec<u8>);

impl Learner {
    pub(super) fn new() -> Self {
        Self::Unique((-1, 0, Vec::new()))
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Adds a stretch. What is committed meanwhile is added by the writer. When the file cannot be read, the filter is given up.
    pub(super) fn go_on(&mut self, shared: &Shared, conn: &Connection) {
        let next = match &*self {
            Self::Unique(last) => places(shared, conn, sql::UNIQUE_FROM, last)
                .map(|last| last.map_or_else(|| Self::Lookup((-1, 0, Vec::new())), Self::Unique)),
            Self::Lookup(last) => {
                places(shared, conn, sql::LOOKUP_FROM, last).map(|last| last.map_or_else(|| Self::Claims(Vec::new()), Self::Lookup))
            }
            Self::Claims(last) => claims(shared, conn, last).map(|last| last.map_or(Self::Done, Self::Claims)),
            Self::Done => return,
        };
        match next {
            Ok(next) => {
                if next.is_done() {
                    shared.head().absent.is_full();
                }
                *self = next;
            }
            Err(e) => {
                tracing::warn!(error = %e, "what the file does not hold cannot be learnt: it is looked up each time");
                shared.head().absent.give_up();
                *self = Self::Done;
            }
        }
    }
}

/// Adds the keys of a stretch; gives the last, if there may be more.
fn places(shared: &Shared, conn: &Connection, text: &str, last: &Place) -> Result<Option<Place>> {
    let bad = || corrupt("look-up", "of a list");
    let mut found: Vec<Place> = Vec::new();
    {
        let mut list = conn.prepare_cached(text).map_err(typed)?;
        let mut rows = list.query(params![last.0, last.1, last.2, STRETCH]).map_err(typed)?;
        while let Some(row) = rows.next().map_err(typed)? {
            found.push((row.get(0).map_err(|_| bad())?, row.get(1).map_err(|_| bad())?, row.get(2).map_err(|_| bad())?));
        }
    }
    let mut head = shared.head();
    let names: BTreeMap<i64, Uuid> = head.workspaces.iter().map(|(id, (no, _))| (*no, id.uuid())).collect();
    for (index, ws, key) in &found {
        let scope = match ws {
            0 => None,
            // Of a workspace whose first commit is just being written: the writer adds it.
            no => match names.get(no) {
                Some(id) => Some(*id),
                None => continue,
            },
        };
        head.absent.add_stored(u8::try_from(*index).map_err(|_| bad())?, scope, key);
    }
    Ok(found.pop())
}

fn claims(shared: &Shared, conn: &Connection, last: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    {
        let mut list = conn.prepare_cached(sql::CLAIMS_FROM).map_err(typed)?;
        let mut rows = list.query(params![last, STRETCH]).map_err(typed)?;
        while let Some(row) = rows.next().map_err(typed)? {
            found.push(row.get(0).map_err(|_| corrupt("claim", "of a list"))?);
        }
    }
    let mut head = shared.head();
    for key in &found {
        head.absent.add_claim(ClaimKey(codec::id(key)?));
    }
    Ok(found.pop())
}
