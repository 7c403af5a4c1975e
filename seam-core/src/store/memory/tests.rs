use super::*;
use crate::clock::ManualClock;
use crate::state::{Actor, Audit, Body, EventDraft, OnlyIf, Row, RowKind, Space};
use serde_json::json;
use uuid::Uuid;

fn row(ws: WorkspaceId, n: u128) -> Row {
    let space: Space = serde_json::from_value(json!({
        "name": "Gym", "key": format!("space-{n}"), "entrances": [], "created_at": "2026-01-01T00:00:00Z", "deleted_at": null
    }))
    .unwrap();
    Row { id: Uuid::from_u128(n), workspace: ws, version: 0, body: Body::Space(space) }
}

fn set(ws: WorkspaceId, n: u128, put: Vec<Row>) -> Changeset {
    let at = DateTime::UNIX_EPOCH;
    let event = EventDraft {
        id: Uuid::from_u128(n).into(),
        event_type: "space.created".to_owned(),
        at,
        order_key: Uuid::nil(),
        payload: serde_json::Map::new(),
    };
    let audit = Audit { actor: Actor::Engine, reason: None, what: "space.create".to_owned(), subject: None, at };
    Changeset { id: Uuid::from_u128(n).into(), workspace: ws, only_if: Vec::new(), put, events: vec![event], audit }
}

#[tokio::test]
async fn a_row_is_written_once_found_by_key_and_told() {
    let store = MemoryStore::new(Arc::new(ManualClock::new(DateTime::UNIX_EPOCH)));
    let ws = WorkspaceId::from_uuid(Uuid::from_u128(1));
    let changed = store.changed();
    assert_eq!(store.commit(set(ws, 1, vec![row(ws, 7)])).await.unwrap().last_event, 1);
    changed.await;
    let again = store.commit(set(ws, 2, vec![row(ws, 7)])).await.unwrap_err();
    assert!(matches!(again, CommitError::Conflict(Conflict::Row(_))));
    let stale = OnlyIf::Unchanged { row: Uuid::from_u128(7), version: 0 };
    let refused = store.commit(Changeset { only_if: vec![stale], ..set(ws, 3, Vec::new()) }).await.unwrap_err();
    assert!(matches!(refused, CommitError::Conflict(Conflict::Row(_))));
    let key = Key::new(Index::SpaceKey, "space-7");
    let what = ReadSet { keys: [key.clone()].into(), ..ReadSet::default() };
    assert_eq!(store.read(ws, &what).await.unwrap().keys[&key], [Uuid::from_u128(7)]);
    assert_eq!(store.list(ws, &ListQuery::all(RowKind::Space)).await.unwrap()[0].version, 1);
    let chain = store.audit(ws, 0, 10).await.unwrap();
    assert_eq!(verify_audit(&chain, &audit_genesis(ws)), Ok(()));
    assert!(verify_told(&chain[0], &store.events(ws, 0, 10).await.unwrap()));
}
