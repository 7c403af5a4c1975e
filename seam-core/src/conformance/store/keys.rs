//! Unique keys, and what a workspace sees of another.
use super::world::{World, held, space, system};
use crate::state::*;
use crate::store::{CommitError, Conflict, ListQuery};
use futures_util::future::join_all;
use uuid::Uuid;

fn key_conflict(result: Result<crate::store::Committed, CommitError>) -> (Key, RowId) {
    match result {
        Err(CommitError::Conflict(Conflict::KeyTaken(key, row))) => (key, row),
        other => panic!("the key should be taken: {other:?}"),
    }
}

/// A unique key finds one row of a workspace; a row that gives it up frees it.
pub async fn unique_keys(w: &World) {
    let gym = Key::new(Index::SpaceKey, "gym");
    let mut first = w.put_one(w.row(space(Some("gym"), &[]))).await;
    let second = w.row(space(Some("gym"), &[]));
    assert_eq!(key_conflict(w.commit(w.set(vec![second.clone()])).await), (gym.clone(), first.id));
    assert!(w.get(w.ws, second.id).await.is_none());
    w.commit(w.foreign(w.set(vec![w.row(space(Some("gym"), &[]))]))).await.unwrap();
    assert_eq!(w.find(w.ws, &gym).await, [first.id]);
    let again = w.put_one(first.clone()).await;
    first = again;
    first.body = space(None, &[]);
    w.put_one(first).await;
    assert!(w.find(w.ws, &gym).await.is_empty());
    let second = w.put_one(second).await;
    assert_eq!(w.find(w.ws, &gym).await, [second.id]);
    // Keys that look alike.
    for other in ["Gym", "gym ", "", "gym/1", &Uuid::max().simple().to_string(), &Uuid::max().simple().to_string().to_uppercase()] {
        w.put_one(w.row(space(Some(other), &[]))).await;
    }
}

/// In one changeset a key may pass from one row to another, in whatever order they are written; two rows may not both have it.
pub async fn a_key_passes_from_row_to_row(w: &World) {
    let rows = w.put(vec![w.row(space(Some("a"), &[])), w.row(space(Some("b"), &[]))]).await;
    let swap = |x: &Row, y: &Row| {
        let mut swapped = [x.clone(), y.clone()];
        (swapped[0].body, swapped[1].body) = (y.body.clone(), x.body.clone());
        swapped.to_vec()
    };
    let rows = w.put(swap(&rows[0], &rows[1])).await;
    assert_eq!(w.find(w.ws, &Key::new(Index::SpaceKey, "a")).await, [rows[1].id]);
    let mut back = swap(&rows[0], &rows[1]);
    back.reverse();
    let rows = w.put(back).await;
    assert_eq!(w.find(w.ws, &Key::new(Index::SpaceKey, "a")).await, [rows[1].id]);
    let twice = vec![w.row(space(Some("c"), &[])), w.row(space(Some("c"), &[]))];
    let first = twice[0].id;
    assert_eq!(key_conflict(w.commit(w.set(twice)).await), (Key::new(Index::SpaceKey, "c"), first));
    let freed = vec![Row { body: space(None, &[]), ..rows[1].clone() }, w.row(space(Some("a"), &[]))];
    w.put(freed).await;
}

/// A fingerprint is unique in all workspaces; the one that is refused is not told by whom.
pub async fn global_keys(w: &World) {
    let key = Key::new(Index::Fingerprint, "house-1");
    let own = w.put_one(w.row(system("house-1", w.id()))).await;
    let foreign = w.foreign(w.set(vec![w.row(system("house-1", w.id()))]));
    assert_eq!(key_conflict(w.commit(foreign.clone()).await), (key.clone(), Uuid::nil()));
    assert_eq!(key_conflict(w.commit(w.set(vec![w.row(system("house-1", w.id()))])).await), (key.clone(), own.id));
    assert_eq!(w.find(w.ws, &key).await, [own.id]);
    assert!(w.find(w.other, &key).await.is_empty());
    let none = OnlyIf::Listed { key: key.clone(), rows: Vec::new() };
    w.commit(w.foreign(w.set_if(vec![none], Vec::new()))).await.unwrap();
    w.put_one(Row { body: system("house-2", w.id()), ..own }).await;
    w.commit(foreign).await.unwrap();
    assert!(w.find(w.ws, &key).await.is_empty());
    assert_eq!(w.find(w.other, &key).await.len(), 1);
}

/// Of 64 callers who want the same key, one gets it, and the others are told who.
pub async fn one_key_for_many_callers(w: &World) {
    for round in 0..8 {
        let name = format!("key-{round}");
        let rows: Vec<Row> = (0..64).map(|_| w.row(space(Some(&name), &[]))).collect();
        let results = join_all(rows.iter().map(|row| w.commit(w.set(vec![row.clone()])))).await;
        let winners: Vec<RowId> = rows.iter().zip(&results).filter(|(_, r)| r.is_ok()).map(|(row, _)| row.id).collect();
        assert_eq!(winners.len(), 1);
        for result in results.into_iter().filter(Result::is_err) {
            assert_eq!(key_conflict(result), (Key::new(Index::SpaceKey, name.as_str()), winners[0]));
        }
        assert_eq!(w.find(w.ws, &Key::new(Index::SpaceKey, name.as_str())).await, winners);
    }
}

/// Whatever the id, another workspace's things are not there.
pub async fn other_workspaces_are_not_there(w: &World) {
    let door = w.id();
    let own = w.put_one(w.row(space(Some("own"), &[door]))).await;
    let set = w.set(vec![w.row(held(w.id(), Vec::new()))]);
    let committed = w.commit(set.clone()).await.unwrap();
    assert_eq!(w.store.outcome(w.ws, set.id).await.unwrap(), Some(committed));
    w.store.ack(w.ws, "webhooks", 2).await.unwrap();
    for stranger in [w.other, w.id().into()] {
        assert!(w.get(stranger, own.id).await.is_none());
        assert!(w.find(stranger, &Key::new(Index::SpaceKey, "own")).await.is_empty());
        assert!(w.find(stranger, &Key::id(Index::SpacesWith, door)).await.is_empty());
        assert!(w.store.list(stranger, &ListQuery::all(RowKind::Space)).await.unwrap().is_empty());
        assert!(w.store.list(stranger, &ListQuery::by(RowKind::Space, Key::id(Index::SpacesWith, door))).await.unwrap().is_empty());
        assert!(w.store.events(stranger, 0, 10).await.unwrap().is_empty());
        assert!(w.store.audit(stranger, 0, 10).await.unwrap().is_empty());
        assert_eq!(w.store.outcome(stranger, set.id).await.unwrap(), None);
        assert_eq!(w.store.cursor(stranger, "webhooks").await.unwrap(), 0);
        // Its id cannot be written either, neither as it is nor anew.
        for version in [own.version, 0] {
            let grab = Changeset { workspace: stranger, ..w.set(vec![Row { workspace: stranger, version, ..own.clone() }]) };
            let refused = w.commit(grab).await;
            assert!(matches!(refused, Err(CommitError::Conflict(Conflict::Row(id))) if id == own.id), "{refused:?}");
        }
    }
    assert_eq!(*w.get(w.ws, own.id).await.unwrap(), own);
}
