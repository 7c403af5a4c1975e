//! Rows: versions, all or nothing, what is derived of them.
use super::world::{World, held, space, system, target};
use crate::error::ErrorKind;
use crate::state::*;
use crate::store::{CommitError, Conflict, ListQuery};
use uuid::Uuid;

fn is_row_conflict(result: Result<crate::store::Committed, CommitError>, id: RowId) -> bool {
    matches!(result, Err(CommitError::Conflict(Conflict::Row(row))) if row == id)
}

/// A row is new once, and then written only in the version that is stored.
pub async fn versions(w: &World) {
    let new = w.row(space(None, &[]));
    let id = new.id;
    assert_eq!(w.commit(w.set(vec![new.clone()])).await.unwrap().last_event, 1);
    assert_eq!(w.get(w.ws, id).await.unwrap().version, 1);
    assert!(is_row_conflict(w.commit(w.set(vec![new.clone()])).await, id), "a new row must not exist");
    for (given, fits) in [(2, false), (1, true), (1, false), (0, false), (2, true), (u64::from(u32::MAX), false)] {
        let result = w.commit(w.set(vec![Row { version: given, ..new.clone() }])).await;
        assert_eq!(result.is_ok(), fits, "version {given}");
        assert!(fits || is_row_conflict(result, id));
    }
    assert_eq!(w.get(w.ws, id).await.unwrap().version, 3);
    let unknown = Row { version: 1, ..w.row(space(None, &[])) };
    let unknown_id = unknown.id;
    assert!(is_row_conflict(w.commit(w.set(vec![unknown])).await, unknown_id), "a row that is not there has no version");
    assert!(w.get(w.ws, unknown_id).await.is_none());
}

/// One row that cannot be written keeps all others, the events and the audit entry from being written.
pub async fn all_or_nothing(w: &World) {
    let old = w.put_one(w.row(space(Some("old"), &[]))).await;
    let fresh: Vec<Row> = (0..5).map(|n| w.row(space(Some(&format!("fresh-{n}")), &[]))).collect();
    for place in 0..=fresh.len() {
        let mut rows = fresh.clone();
        rows.insert(place, Row { version: 0, ..old.clone() });
        assert!(is_row_conflict(w.commit(w.set(rows)).await, old.id));
    }
    for row in &fresh {
        assert!(w.get(w.ws, row.id).await.is_none());
    }
    assert!(w.find(w.ws, &Key::new(Index::SpaceKey, "fresh-0")).await.is_empty());
    assert_eq!(w.store.events(w.ws, 0, 100).await.unwrap().len(), 1);
    assert_eq!(w.store.audit(w.ws, 0, 100).await.unwrap().len(), 1);
    w.put(fresh).await;
    assert_eq!(w.store.list(w.ws, &ListQuery::all(RowKind::Space)).await.unwrap().len(), 6);
}

/// Only an audit entry is a changeset too; a row of another workspace or the same row twice is not.
pub async fn what_a_changeset_may_not_be(w: &World) {
    let bare = Changeset { events: Vec::new(), ..w.set(Vec::new()) };
    assert_eq!(w.commit(bare).await.unwrap().last_event, 0);
    assert_eq!(w.store.audit(w.ws, 0, 10).await.unwrap().len(), 1);
    let foreign = Row { workspace: w.other, ..w.row(space(None, &[])) };
    let row = w.row(space(None, &[]));
    for rows in [vec![foreign], vec![row.clone(), row]] {
        match w.commit(w.set(rows)).await {
            Err(CommitError::Failed(e)) => assert_eq!(e.kind(), ErrorKind::Internal),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(w.store.audit(w.ws, 0, 10).await.unwrap().len(), 1);
}

/// Look-ups, claims and what is due are those of the last version of the row.
pub async fn what_is_derived_changes_with_the_row(w: &World) {
    let (door_a, door_b, key) = (w.id(), w.id(), ClaimKey(w.id()));
    let by = |door: Uuid| Key::id(Index::SpacesWith, door);
    let mut gym = w.put_one(w.row(space(Some("gym"), &[door_a, door_a]))).await;
    assert_eq!(w.find(w.ws, &by(door_a)).await, [gym.id]);
    gym.body = space(Some("spa"), &[door_b]);
    let mut gym = w.put_one(gym).await;
    assert!(w.find(w.ws, &by(door_a)).await.is_empty());
    assert!(w.find(w.ws, &Key::new(Index::SpaceKey, "gym")).await.is_empty());
    assert_eq!(w.find(w.ws, &by(door_b)).await, [gym.id]);
    if let Body::Space(space) = &mut gym.body {
        space.deleted_at = Some(w.at(0));
    }
    let gym = w.put_one(gym).await;
    assert!(w.find(w.ws, &by(door_b)).await.is_empty());
    assert!(w.get(w.ws, gym.id).await.is_some(), "a deleted row is kept");

    let claim = |from, until: Option<i64>| Claim { key, from: w.at(from), until: until.map(|u| w.at(u)), exclusive: true };
    let mut pin = w.put_one(w.row(held(w.id(), vec![claim(0, Some(10)), claim(0, Some(10)), claim(20, None)]))).await;
    assert!(!w.is_free(key, (5, Some(6)), 0, Uuid::nil()).await && !w.is_free(key, (500, None), 0, Uuid::nil()).await);
    pin.body = held(w.id(), vec![claim(20, Some(30))]);
    let mut pin = w.put_one(pin).await;
    assert!(w.is_free(key, (5, Some(6)), 0, Uuid::nil()).await && w.is_free(key, (500, None), 0, Uuid::nil()).await);
    assert!(!w.is_free(key, (25, Some(26)), 0, Uuid::nil()).await);
    pin.body = held(w.id(), Vec::new());
    w.put_one(pin).await;
    assert!(w.is_free(key, (25, Some(26)), 0, Uuid::nil()).await);

    let (one, two) = (Channel::new("sandbox", "one"), Channel::new("sandbox", "two"));
    let can = crate::store::CanServe { kinds: ["sandbox".to_owned()].into(), ..Default::default() };
    let mut work = w.put_one(w.row(target(&one, Some(w.at(50)), false))).await;
    assert_eq!(w.store.next_due(&can).await.unwrap(), Some(w.at(50)));
    work.body = target(&two, Some(w.at(40)), true);
    let mut work = w.put_one(work).await;
    assert_eq!(w.store.next_due(&can).await.unwrap(), Some(w.at(40)));
    work.body = target(&two, None, true);
    w.put_one(work).await;
    assert_eq!(w.store.next_due(&can).await.unwrap(), None);
}

/// What is written is read again, to the last nanosecond, with every kind of row that the suite has.
pub async fn rows_come_back_as_they_were(w: &World) {
    let key = ClaimKey(w.id());
    let fine = w.at(1) + chrono::TimeDelta::nanoseconds(123_456_789);
    let claim = Claim { key, from: fine, until: Some(fine + chrono::TimeDelta::nanoseconds(1)), exclusive: false };
    let channel = Channel::new("sandbox", "tür|ä");
    let bodies = [
        space(Some("ключ \u{1F511} \"quoted\" \\ \u{0}"), &[w.id()]),
        system("finger", w.id()),
        held(w.id(), vec![claim]),
        target(&channel, Some(fine), true),
        super::world::timer(&channel, fine),
    ];
    let rows = w.put(bodies.into_iter().map(|body| w.row(body)).collect()).await;
    for row in rows {
        assert_eq!(*w.get(w.ws, row.id).await.unwrap(), row);
    }
    assert_eq!(w.store.read(w.ws, &ReadSet::default()).await.unwrap().rows.len(), 0);
}
