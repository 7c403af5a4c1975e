//! What a row gives away beside itself, and how that changes with it.
use crate::model::WorkspaceId;
use crate::state::{Claim, Due, Key, Row};

/// A key and where it counts: in one workspace, or (`None`) in all of them.
pub(in crate::store) type Place = (Option<WorkspaceId>, Key);

/// Where a key of a workspace counts.
pub(in crate::store) fn place(workspace: WorkspaceId, key: &Key) -> Place {
    ((!key.index.is_global()).then_some(workspace), key.clone())
}

/// What a row gives away: each key and each claim once, in order.
#[derive(Debug, Default)]
pub(in crate::store) struct Derived {
    keys: Vec<Place>,
    claims: Vec<Claim>,
    due: Option<Due>,
}

impl Derived {
    pub(in crate::store) fn of(row: &Row) -> Self {
        let mut keys: Vec<Place> = row.body.lookups().iter().map(|k| place(row.workspace, k)).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut claims = row.body.claims().to_vec();
        claims.sort_unstable();
        claims.dedup();
        Self { keys, claims, due: row.due() }
    }

    #[cfg(feature = "sqlite")]
    pub(in crate::store) fn keys(&self) -> &[Place] {
        &self.keys
    }
    #[cfg(feature = "sqlite")]
    pub(in crate::store) fn claims(&self) -> &[Claim] {
        &self.claims
    }
}

/// How what is derived of a row changes when the row does.
#[derive(Debug, Default)]
pub(in crate::store) struct Diff {
    pub(in crate::store) keys_gone: Vec<Place>,
    pub(in crate::store) keys_new: Vec<Place>,
    pub(in crate::store) claims_gone: Vec<Claim>,
    pub(in crate::store) claims_new: Vec<Claim>,
    pub(in crate::store) due_before: Option<Due>,
    pub(in crate::store) due_after: Option<Due>,
}

/// Compares what two versions of a row give away.
pub(in crate::store) fn diff(old: Option<&Row>, new: Derived) -> Diff {
    let Some(old) = old.map(Derived::of) else {
        return Diff { keys_new: new.keys, claims_new: new.claims, due_after: new.due, ..Diff::default() };
    };
    let (keys_gone, keys_new) = without(old.keys, new.keys);
    let (claims_gone, claims_new) = without(old.claims, new.claims);
    Diff { keys_gone, keys_new, claims_gone, claims_new, due_before: old.due, due_after: new.due }
}

/// Two sorted lists, each without what the other has too.
fn without<T: Ord>(a: Vec<T>, b: Vec<T>) -> (Vec<T>, Vec<T>) {
    let (mut only_a, mut only_b) = (Vec::new(), Vec::new());
    let (mut a, mut b) = (a.into_iter().peekable(), b.into_iter().peekable());
    loop {
        match (a.peek(), b.peek()) {
            (Some(x), Some(y)) if x == y => (_, _) = (a.next(), b.next()),
            (Some(x), Some(y)) if x < y => only_a.extend(a.next()),
            (_, Some(_)) => only_b.extend(b.next()),
            (Some(_), None) => only_a.extend(a.next()),
            (None, None) => return (only_a, only_b),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::without;

    #[test]
    fn what_both_have_is_in_neither() {
        assert_eq!(without(vec![1, 2, 4, 6], vec![2, 3, 4, 7]), (vec![1, 6], vec![3, 7]));
        assert_eq!(without(vec![], vec![1]), (vec![], vec![1]));
        assert_eq!(without(vec![1], vec![]), (vec![1], vec![]));
        assert_eq!(without(vec![1, 2], vec![1, 2]), (vec![], vec![]));
    }
}
