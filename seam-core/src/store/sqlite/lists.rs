//! Pages of lists that were read lately, for as long as no commit has touched what they hold.
use crate::model::WorkspaceId;
use crate::state::{Key, Row, RowId, RowKind};
use crate::store::ListQuery;
use crate::store::changes::{Changes, Looked, Mark, Touched};
use crate::store::recent::Recent;
use std::sync::Arc;

/// A page: the workspace, the kind, the key, after what, how many.
type Asked = (WorkspaceId, RowKind, Option<Key>, Option<RowId>, usize);

fn asked(workspace: WorkspaceId, query: &ListQuery) -> Asked {
    (workspace, query.kind, query.key.clone(), query.after, query.limit)
}

struct Kept {
    rows: Vec<Arc<Row>>,
    looked: Looked,
    since: Mark,
}

impl Kept {
    /// Whether a row that was added since stands on the page.
    fn has_grown(&self, changes: &Changes, workspace: WorkspaceId, query: &ListQuery) -> bool {
        // Of the rows of a key: the key was touched then.
        if query.key.is_some() {
            return false;
        }
        let full = self.rows.last().filter(|_| self.rows.len() >= query.limit);
        changes.least_added(workspace, query.kind, self.since).is_some_and(|least| full.is_none_or(|last| least < last.id))
    }
}

/// Pages, at most so many rows in all, and the webhooks of all workspaces.
pub(super) struct Lists {
    pages: Recent<Asked, Kept>,
    webhooks: Option<Kept>,
}

impl Lists {
    pub(super) fn new(room: usize) -> Self {
        Self { pages: Recent::new(room), webhooks: None }
    }

    pub(super) fn webhooks(&mut self, changes: &Changes) -> Option<Vec<Arc<Row>>> {
        self.webhooks = self.webhooks.take().filter(|kept| changes.is_untouched(&kept.looked, kept.since));
        self.webhooks.as_ref().map(|kept| kept.rows.clone())
    }

    /// Keeps the webhooks that were read after `since`.
    pub(super) fn keep_webhooks(&mut self, since: Mark, rows: &[Arc<Row>]) {
        let mut touched = Touched::default();
        touched.webhooks();
        rows.iter().for_each(|row| touched.row(row.id));
        self.webhooks = Some(Kept { rows: rows.to_vec(), looked: touched.into(), since });
    }

    pub(super) fn get(&mut self, changes: &Changes, workspace: WorkspaceId, query: &ListQuery) -> Option<Vec<Arc<Row>>> {
        let asked = asked(workspace, query);
        let kept = self.pages.get(&asked, weight)?;
        if changes.is_untouched(&kept.looked, kept.since) && !kept.has_grown(changes, workspace, query) {
            return Some(kept.rows.clone());
        }
        self.pages.remove(&asked);
        None
    }

    /// Keeps what was read after `since`.
    pub(super) fn keep(&mut self, since: Mark, workspace: WorkspaceId, query: ListQuery, rows: &[Arc<Row>]) {
        let mut touched = Touched::default();
        rows.iter().for_each(|row| touched.row(row.id));
        query.key.iter().for_each(|key| touched.key(workspace, key));
        let kept = Kept { rows: rows.to_vec(), looked: touched.into(), since };
        let weight = weight(&kept);
        self.pages.insert(asked(workspace, &query), kept, weight);
    }
}

fn weight(kept: &Kept) -> usize {
    1 + kept.rows.len()
}
