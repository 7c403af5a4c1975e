//! What a caller makes ready, so that the one writer need not.
use super::codec;
use crate::error::Result;
use crate::model::{ChangesetId, WorkspaceId};
use crate::state::{Actor, Changeset, OnlyIf, Row};
use crate::store::audit;
use crate::store::changes::Touched;
use crate::store::logic::{self, Derived};
use std::sync::Arc;

/// A changeset with all that can be known of it without the state that it meets: its rows as they are stored, what they give away, and what
/// it is in the file.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) id: ChangesetId,
    pub(super) workspace: WorkspaceId,
    /// A caller waits for it, who may ask again at once. The engine asks when a system has answered.
    pub(super) of_a_caller: bool,
    pub(super) only_if: Vec<OnlyIf>,
    /// In their next versions.
    pub(super) rows: Vec<Arc<Row>>,
    /// What the rows give away, until it is taken: whoever needs it again makes it anew.
    pub(super) derived: Option<Vec<Derived>>,
    /// What the new rows among them touch.
    pub(super) touched: Touched,
    /// The documents of the rows, one behind the other.
    documents: Vec<u8>,
    /// Where each document ends.
    ends: Vec<usize>,
    /// How many events it tells.
    pub(super) events_told: usize,
    pub(super) events: Vec<u8>,
    pub(super) audit: Vec<u8>,
    pub(super) told: Option<audit::Hash>,
    /// Ids and new versions of the rows.
    pub(super) wrote: Vec<u8>,
    /// What the commit says of itself in the audit chain.
    pub(super) content: audit::Hash,
}

impl Ready {
    /// Also gives what is no longer needed: whoever is in a hurry throws it away later.
    pub(super) fn of(set: Changeset) -> Result<(Box<Self>, impl Sized)> {
        let Changeset { id, workspace, only_if, put, events, audit } = set;
        let rows = logic::next_versions(put);
        let (mut documents, mut ends) = (Vec::with_capacity(rows.len() * 384), Vec::with_capacity(rows.len()));
        for row in &rows {
            codec::add_document(&mut documents, &row.body)?;
            ends.push(documents.len());
        }
        let derived: Vec<_> = rows.iter().map(|row| Derived::of(row)).collect();
        let mut touched = Touched::default();
        let new = rows.iter().zip(&derived).filter(|(row, _)| row.version == 1);
        new.for_each(|(row, derived)| touched.new_row(row.id, derived));
        let told = audit::told(events.iter());
        let wrote = rows.iter().map(|row| (row.id, row.version));
        let ready = Self {
            id,
            workspace,
            of_a_caller: audit.actor != Actor::Engine,
            only_if,
            derived: Some(derived),
            touched,
            documents,
            ends,
            events_told: events.len(),
            events: if events.is_empty() { Vec::new() } else { codec::document(&events)? },
            audit: codec::document(&audit)?,
            told,
            wrote: codec::wrote(wrote.clone()),
            content: audit::content(id, wrote, told.as_ref(), &audit),
            rows,
        };
        Ok((Box::new(ready), (events, audit)))
    }

    /// The documents of the rows.
    pub(super) fn documents(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(&0).chain(&self.ends);
        begins.zip(&self.ends).map(|(from, to)| &self.documents[*from..*to])
    }
}
