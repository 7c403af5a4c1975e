//! Decisions that are made and committed with nobody in between.
use super::world::{World, space};
use crate::error::{Error, ErrorKind, Result};
use crate::model::WorkspaceId;
use crate::state::*;
use crate::store::{CommitError, Decision, Step};
use futures_util::future::join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A decision that is a closure.
pub(super) struct Decide<F>(pub(super) F);

impl<F: FnMut(&Facts) -> Result<Step> + Send> Decision for Decide<F> {
    fn decide(&mut self, facts: &Facts) -> Result<Step> {
        (self.0)(facts)
    }
}

/// Counts one more member of a space, or says what it needs to know.
pub(super) fn join_space(w: &World, id: RowId, count: &Arc<AtomicU64>) -> Decide<impl FnMut(&Facts) -> Result<Step> + Send + use<>> {
    let (template, member, count) = (w.set(Vec::new()), w.id(), Arc::clone(count));
    Decide(move |facts: &Facts| {
        let Some(row) = facts.rows.get(&id) else {
            return Ok(Step::Need(ReadSet { rows: [id].into(), ..ReadSet::default() }));
        };
        count.fetch_add(1, Relaxed);
        let mut row = Row::clone(row.as_ref().unwrap());
        if let Body::Space(space) = &mut row.body {
            space.entrances.push(member.into());
        }
        Ok(Step::Done(Box::new(Changeset { put: vec![row], ..template.clone() })))
    })
}

pub(super) fn members(row: &Row) -> usize {
    match &row.body {
        Body::Space(space) => space.entrances.len(),
        _ => 0,
    }
}

async fn transact(
    w: &World,
    f: impl FnMut(&Facts) -> Result<Step> + Send + 'static,
) -> std::result::Result<crate::store::Committed, CommitError> {
    w.store.transact(w.ws, Box::new(Decide(f))).await.map(|(committed, _)| committed)
}

/// A decision is told what it asks for, by id, by key and by claim, and what it decides is committed.
pub async fn decisions(w: &World) {
    let door = w.id();
    let row = w.put_one(w.row(space(Some("gym"), &[door]))).await;
    let (key, by_door) = (Key::new(Index::SpaceKey, "gym"), Key::id(Index::SpacesWith, door));
    let near = Near { key: ClaimKey(door), from: w.at(0), until: None };
    let done = w.set(vec![w.row(space(None, &[]))]);
    let new = done.put[0].id;
    let id = row.id;
    let committed = transact(w, move |facts| {
        if facts.keys.is_empty() {
            assert!(facts.rows.is_empty() && facts.near.is_empty());
            return Ok(Step::Need(ReadSet { keys: [key.clone()].into(), ..ReadSet::default() }));
        }
        if facts.near.is_empty() {
            assert_eq!(facts.keys[&key], [id]);
            let (keys, near) = ([by_door.clone()].into(), [near.clone()].into());
            return Ok(Step::Need(ReadSet { keys, near, rows: [new].into() }));
        }
        assert_eq!(facts.keys[&by_door], [id]);
        assert!(facts.near[&near].is_empty() && facts.rows[&new].is_none());
        Ok(Step::Done(Box::new(done.clone())))
    });
    assert_eq!(committed.await.unwrap().last_event, 2);
    assert_eq!(w.get(w.ws, new).await.unwrap().version, 1);
}

/// A decision that refuses, wants nothing, goes round in circles, answers for another workspace or is refused writes nothing.
pub async fn decisions_that_come_to_nothing(w: &World) {
    let row = w.put_one(w.row(space(None, &[]))).await;
    let refused = transact(w, |_| Err(Error::new(ErrorKind::Exhausted, "no_pin", "no PIN is free"))).await;
    assert!(matches!(refused, Err(CommitError::Failed(e)) if e.kind() == ErrorKind::Exhausted));
    assert_eq!(transact(w, |_| Ok(Step::Nothing)).await.unwrap().last_event, 1);
    let id = row.id;
    let circles = transact(w, move |_| Ok(Step::Need(ReadSet { rows: [id].into(), ..ReadSet::default() }))).await;
    assert!(matches!(circles, Err(CommitError::Failed(e)) if e.kind() == ErrorKind::Internal));
    let foreign = w.foreign(w.set(vec![w.row(space(None, &[]))]));
    let foreign = transact(w, move |_| Ok(Step::Done(Box::new(foreign.clone())))).await;
    assert!(matches!(foreign, Err(CommitError::Failed(e)) if e.kind() == ErrorKind::Internal));
    let stale = w.set(vec![Row { version: 9, ..row.clone() }]);
    let stale = transact(w, move |_| Ok(Step::Done(Box::new(stale.clone())))).await;
    assert!(matches!(stale, Err(CommitError::Conflict(_))));
    assert_eq!(w.store.audit(w.ws, 0, 10).await.unwrap().len(), 1);
    let stranger: WorkspaceId = w.id().into();
    let nothing = w.store.transact(stranger, Box::new(Decide(|_: &Facts| Ok(Step::Nothing)))).await;
    assert_eq!(nothing.unwrap().0.last_event, 0);
}

/// 64 decisions on one row: each sees the one before it, none is lost, and none is asked much more often than once.
pub async fn many_decisions_on_one_row(w: &World) {
    let row = w.put_one(w.row(space(None, &[]))).await;
    let count = Arc::new(AtomicU64::new(0));
    let callers = (0..64).map(|_| w.store.transact(w.ws, Box::new(join_space(w, row.id, &count))));
    for result in join_all(callers).await {
        result.unwrap();
    }
    let row = w.get(w.ws, row.id).await.unwrap();
    assert_eq!((members(&row), row.version), (64, 65));
    assert!(count.load(Relaxed) <= 128, "{} decisions for 64 callers", count.load(Relaxed));
}

/// Decisions and optimistic commits on one row: nothing of either is lost.
pub async fn decisions_beside_commits(w: &World) {
    let row = w.put_one(w.row(space(None, &[]))).await;
    let id = row.id;
    let count = Arc::new(AtomicU64::new(0));
    let decided = (0..16).map(|_| async {
        w.store.transact(w.ws, Box::new(join_space(w, id, &count))).await.unwrap();
    });
    let optimistic = (0..16).map(|_| async {
        let member = w.id();
        loop {
            let mut row = Row::clone(&*w.get(w.ws, id).await.unwrap());
            if let Body::Space(space) = &mut row.body {
                space.entrances.push(member.into());
            }
            match w.commit(w.set(vec![row])).await {
                Ok(_) => return,
                Err(CommitError::Conflict(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
    });
    futures_util::future::join(join_all(decided), join_all(optimistic)).await;
    let row = w.get(w.ws, id).await.unwrap();
    assert_eq!((members(&row), row.version), (32, 33));
    let distinct: std::collections::BTreeSet<Key> = row.body.lookups().into_iter().collect();
    assert_eq!(distinct.len(), 32);
}
