//! Listing.
use super::world::{Random, World, held, space, webhook};
use crate::model::WorkspaceId;
use crate::state::*;
use crate::store::ListQuery;
use std::collections::BTreeMap;
use uuid::Uuid;

async fn all_pages(w: &World, query: &ListQuery, limit: usize) -> Vec<RowId> {
    let mut query = ListQuery { limit, ..query.clone() };
    let mut ids = Vec::new();
    loop {
        let page = w.store.list(w.ws, &query).await.unwrap();
        assert!(page.len() <= limit);
        ids.extend(page.iter().map(|row| row.id));
        query.after = page.last().map(|row| row.id);
        if page.len() < limit {
            return ids;
        }
    }
}

/// Pages of any size, put together, are all rows of the kind in the order of their ids, in whatever order they were written.
pub async fn pages(w: &World) {
    let mut random = Random(11);
    let mut ids: Vec<Uuid> = (0..100).map(|_| Uuid::from_u128((u128::from(random.draw()) << 64) | u128::from(random.draw()))).collect();
    for id in &ids {
        let body = if random.one_in(3) { held(*id, Vec::new()) } else { space(None, &[]) };
        w.put_one(Row { id: *id, ..w.row(body) }).await;
    }
    w.commit(w.foreign(w.set(vec![w.row(space(None, &[]))]))).await.unwrap();
    ids.sort_unstable();
    let mut both = Vec::new();
    for kind in [RowKind::Space, RowKind::Unmanaged] {
        let whole = all_pages(w, &ListQuery::all(kind), 1000).await;
        for limit in [1, 7, whole.len(), whole.len() + 1] {
            assert_eq!(all_pages(w, &ListQuery::all(kind), limit).await, whole);
        }
        both.extend(whole);
    }
    both.sort_unstable();
    assert_eq!(both, ids);
    assert!(w.store.list(w.ws, &ListQuery::all(RowKind::Grant)).await.unwrap().is_empty());
    assert!(w.store.list(w.ws, &ListQuery { limit: 0, ..ListQuery::all(RowKind::Space) }).await.unwrap().is_empty());
    let past = ListQuery { after: Some(Uuid::max()), ..ListQuery::all(RowKind::Space) };
    assert!(w.store.list(w.ws, &past).await.unwrap().is_empty());
}

/// The same of rows that a key finds.
pub async fn pages_by_key(w: &World) {
    let (door, other) = (w.id(), w.id());
    let rows = w.put((0..30).map(|n| w.row(space(None, if n % 3 == 0 { &[] } else { std::slice::from_ref(&door) }))).collect()).await;
    let expected: Vec<RowId> = rows.iter().filter(|r| !r.body.lookups().is_empty()).map(|r| r.id).collect();
    let query = ListQuery::by(RowKind::Space, Key::id(Index::SpacesWith, door));
    // Another workspace's row under the same key is none of them.
    w.commit(w.foreign(w.set(vec![w.row(space(None, &[door]))]))).await.unwrap();
    for limit in [1, 3, 20, 21] {
        assert_eq!(all_pages(w, &query, limit).await, expected);
    }
    let none = ListQuery { limit: 0, ..query.clone() };
    assert!(w.store.list(w.ws, &none).await.unwrap().is_empty());
    let past = ListQuery { after: expected.last().copied(), ..query.clone() };
    assert!(w.store.list(w.ws, &past).await.unwrap().is_empty());
    let named = w.put_one(w.row(space(Some("named"), &[]))).await;
    let by_name = ListQuery::by(RowKind::Space, Key::new(Index::SpaceKey, "named"));
    for limit in [1, 2] {
        assert_eq!(all_pages(w, &by_name, limit).await, [named.id]);
    }
    assert_eq!(w.find(w.ws, &Key::id(Index::SpacesWith, door)).await, expected);
    let of_another_kind = ListQuery::by(RowKind::Grant, Key::id(Index::SpacesWith, door));
    assert!(w.store.list(w.ws, &of_another_kind).await.unwrap().is_empty());
    assert!(w.store.list(w.ws, &ListQuery::by(RowKind::Space, Key::id(Index::SpacesWith, other))).await.unwrap().is_empty());
}

/// The same page asked for again and again, while rows come before it, into it and after it, change, come under its key and leave it: it is
/// always what is stored then.
pub async fn pages_again_and_again(w: &World) {
    let mut random = Random(12);
    let door = w.id();
    let mut rows: BTreeMap<RowId, Row> = BTreeMap::new();
    let mut ends: Vec<Option<RowId>> = vec![None];
    for step in 0..150 {
        let body = |with: bool| space(None, if with { std::slice::from_ref(&door) } else { &[] });
        let some = rows.values().nth(usize::try_from(random.below(rows.len() as u64)).unwrap()).cloned();
        let body = body(random.one_in(2));
        let row = match (some, random.below(6)) {
            (Some(old), 0..3) => Row { body, ..old },
            // One that comes before some that are there.
            (Some(near), 3) => Row { id: Uuid::from_u128(near.id.as_u128() - 1 - u128::from(random.draw())), ..w.row(body) },
            _ => w.row(body),
        };
        if step % 10 == 0 {
            ends.push(Some(row.id));
        }
        let stored = w.put_one(row).await;
        rows.insert(stored.id, stored);
        for (key, after) in
            [None, Some(Key::id(Index::SpacesWith, door))].iter().flat_map(|key| ends.iter().map(move |after| (key, *after)))
        {
            let query = ListQuery { key: key.clone(), after, limit: 7, ..ListQuery::all(RowKind::Space) };
            let is_on =
                |row: &&Row| after.is_none_or(|after| row.id > after) && key.as_ref().is_none_or(|key| row.body.lookups().contains(key));
            let expected: Vec<Row> = rows.values().filter(is_on).take(7).cloned().collect();
            for _ in 0..2 {
                let page: Vec<Row> = w.store.list(w.ws, &query).await.unwrap().iter().map(|row| Row::clone(row)).collect();
                assert_eq!(page, expected, "step {step}, {query:?}");
            }
        }
    }
}

/// All workspaces with a commit, in the order of their ids.
pub async fn workspaces_in_order(w: &World) {
    assert!(w.store.workspaces().await.unwrap().is_empty());
    w.commit(w.foreign(w.set(vec![w.row(space(None, &[]))]))).await.unwrap();
    assert_eq!(w.store.workspaces().await.unwrap(), [w.other]);
    w.put_one(w.row(space(None, &[]))).await;
    assert_eq!(w.store.workspaces().await.unwrap(), [w.ws, w.other]);
}

/// The webhooks of all workspaces, while some are made, change and are deleted: always those that are stored then, however often they are asked for.
pub async fn webhooks_of_all_workspaces(w: &World) {
    let mut random = Random(13);
    let mut rows: BTreeMap<(WorkspaceId, RowId), Row> = BTreeMap::new();
    for step in 0..120 {
        let some = rows.values().nth(usize::try_from(random.below(rows.len() as u64)).unwrap()).cloned();
        let row = match (some, random.below(6)) {
            // Deleted, or changed.
            (Some(old), choice @ 0..3) => Row { body: webhook(step, choice == 0), ..old },
            // What has nothing to do with any of them.
            (_, 3) => w.row(space(None, &[])),
            (_, 4) => Row { workspace: w.other, ..w.row(webhook(step, false)) },
            _ => w.row(webhook(step, false)),
        };
        let set = Changeset { workspace: row.workspace, ..w.set(vec![row.clone()]) };
        w.commit(set).await.unwrap();
        let stored = Row { version: row.version + 1, ..row };
        let at = (stored.workspace, stored.id);
        match &stored.body {
            Body::Webhook(webhook) if webhook.deleted_at.is_none() => drop(rows.insert(at, stored)),
            _ => drop(rows.remove(&at)),
        }
        for _ in 0..2 {
            let told: Vec<Row> = w.store.webhooks().await.unwrap().iter().map(|row| Row::clone(row)).collect();
            assert_eq!(told, rows.values().cloned().collect::<Vec<_>>(), "step {step}");
        }
    }
}
