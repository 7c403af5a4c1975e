//! What the cases are made of: a store, two workspaces, rows that exercise every kind of derived thing.
use crate::clock::{Clock, ManualClock};
use crate::model::WorkspaceId;
use crate::state::*;
use crate::store::{CommitError, Committed, Store};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use uuid::Uuid;

/// When every case begins: 2026-01-01T00:00:00Z.
pub(super) const START: DateTime<Utc> = DateTime::from_timestamp(1_767_225_600, 0).unwrap();

/// The last id that was given. Ids are never given twice in a process, so that a store can be opened again in the middle of a case.
static LAST: AtomicU64 = AtomicU64::new(0);

/// A store under test.
#[derive(Debug)]
pub struct World {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The clock that its leases run by.
    pub clock: Arc<ManualClock>,
    /// The workspace that cases use.
    pub ws: WorkspaceId,
    /// Another one.
    pub other: WorkspaceId,
}

impl World {
    /// A world around an empty store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<ManualClock>) -> Self {
        let ws = WorkspaceId::from_uuid(Uuid::from_u128(0xa));
        Self { store, clock, ws, other: WorkspaceId::from_uuid(Uuid::from_u128(0xb)) }
    }
    /// A new id, greater than all before.
    pub fn id(&self) -> Uuid {
        let n = LAST.fetch_add(1, Relaxed) + 1;
        Uuid::from_u128((u128::from(n) << 80) | 0x7000_8000_0000_0000_0000)
    }
    /// The instant `seconds` after the beginning.
    #[must_use]
    pub fn at(&self, seconds: i64) -> DateTime<Utc> {
        START + TimeDelta::seconds(seconds)
    }
    /// Moves the clock.
    pub fn advance(&self, seconds: i64) {
        self.clock.set(self.clock.now() + TimeDelta::seconds(seconds));
    }
    /// A row that is not stored yet.
    pub fn row(&self, body: Body) -> Row {
        Row { id: self.id(), workspace: self.ws, version: 0, body }
    }
    /// A changeset of the workspace that writes rows and tells one event.
    pub fn set(&self, put: Vec<Row>) -> Changeset {
        self.set_if(Vec::new(), put)
    }
    /// The same under preconditions.
    pub fn set_if(&self, only_if: Vec<OnlyIf>, put: Vec<Row>) -> Changeset {
        let id = self.id();
        Changeset { id: id.into(), workspace: self.ws, only_if, put, events: vec![event(id)], audit: audit_of(id) }
    }
    /// The same in the other workspace.
    pub fn foreign(&self, mut set: Changeset) -> Changeset {
        set.workspace = self.other;
        set.put.iter_mut().for_each(|row| row.workspace = self.other);
        set
    }
    /// Commits rows and gives them back as stored.
    pub async fn put(&self, rows: Vec<Row>) -> Vec<Row> {
        let stored = rows.iter().map(|row| Row { version: row.version + 1, ..row.clone() }).collect();
        self.store.commit(self.set(rows)).await.unwrap();
        stored
    }
    /// Commits one row and gives it back as stored.
    pub async fn put_one(&self, row: Row) -> Row {
        self.put(vec![row]).await.remove(0)
    }
    /// Commits a changeset.
    ///
    /// # Errors
    /// As the store's.
    pub async fn commit(&self, set: Changeset) -> Result<Committed, CommitError> {
        self.store.commit(set).await
    }
    /// A stored row.
    pub async fn get(&self, workspace: WorkspaceId, id: RowId) -> Option<Arc<Row>> {
        let what = ReadSet { rows: [id].into(), ..ReadSet::default() };
        self.store.read(workspace, &what).await.unwrap().rows.remove(&id).unwrap()
    }
    /// The rows that a key finds.
    pub async fn find(&self, workspace: WorkspaceId, key: &Key) -> Vec<RowId> {
        let what = ReadSet { keys: [key.clone()].into(), ..ReadSet::default() };
        let facts = self.store.read(workspace, &what).await.unwrap();
        assert!(facts.keys[key].iter().all(|id| facts.rows[id].as_ref().is_some_and(|row| row.id == *id)), "a key's rows come with it");
        facts.keys[key].clone()
    }
    /// Whether a window is free, as a commit says.
    pub async fn is_free(&self, key: ClaimKey, window: (i64, Option<i64>), gap_seconds: i64, except: RowId) -> bool {
        let only_if = OnlyIf::Free { key, from: self.at(window.0), until: window.1.map(|u| self.at(u)), gap_seconds, except };
        let set = Changeset { events: Vec::new(), ..self.set_if(vec![only_if], Vec::new()) };
        match self.store.commit(set).await {
            Ok(_) => true,
            Err(CommitError::Conflict(crate::store::Conflict::NotFree(k))) if k == key => false,
            other => panic!("free or not free: {other:?}"),
        }
    }
}

/// An event about a thing.
#[must_use]
pub fn event(id: Uuid) -> EventDraft {
    let payload = json!({ "space_id": id, "nested": { "b": 1, "a": [true, null, "x"] } });
    EventDraft {
        id: id.into(),
        event_type: "space.changed".to_owned(),
        at: START,
        order_key: id,
        payload: payload.as_object().cloned().unwrap_or_default(),
    }
}

/// An audit note about a thing.
#[must_use]
pub fn audit_of(id: Uuid) -> Audit {
    let actor = Actor::Person("clerk-7".to_owned());
    Audit { actor, reason: Some("a guest asked".to_owned()), what: "space.change".to_owned(), subject: Some(id), at: START }
}

/// A space, found by its own key and by its entrances.
#[must_use]
pub fn space(key: Option<&str>, entrances: &[Uuid]) -> Body {
    let value = json!({ "name": "Gym", "key": key, "entrances": entrances, "created_at": START, "deleted_at": null });
    Body::Space(serde_json::from_value(value).unwrap())
}

/// An endpoint that was changed so many times.
#[must_use]
pub fn webhook(touched: u32, deleted: bool) -> Body {
    let value = json!({
        "url": "https://hooks.example", "event_types": ["*"], "secret": "", "touched": touched, "created_at": START,
        "deleted_at": deleted.then_some(START)
    });
    Body::Webhook(serde_json::from_value(value).unwrap())
}

/// A system, found by its fingerprint in all workspaces.
#[must_use]
pub fn system(fingerprint: &str, account: Uuid) -> Body {
    let report = json!({
        "handle": "s", "name": "House", "external_type": "x", "external_type_display_name": "X", "fingerprint": fingerprint,
        "time_zone": null, "kinds": {}, "stay": null, "pin": null, "groups": "none", "external_types": {},
        "channel": { "key": "tcp://house", "in_flight": 1, "per_second": null, "local": false }
    });
    let value = json!({
        "account": account, "kind": "sandbox", "report": report, "created_at": START, "missing_since": null
    });
    Body::System(serde_json::from_value(value).unwrap())
}

/// Something that claims.
#[must_use]
pub fn held(handle: Uuid, claims: Vec<Claim>) -> Body {
    let held = json!({ "kind": "code", "handle": handle, "tag": null, "name": null, "doors": [], "window": null });
    let value = json!({ "system": Uuid::nil(), "account": Uuid::nil(), "held": held, "created_at": START, "gone_at": null });
    let mut unmanaged: Unmanaged = serde_json::from_value(value).unwrap();
    unmanaged.claims = claims;
    Body::Unmanaged(unmanaged)
}

/// The claims of such a row, to be changed.
pub fn held_claims(row: &mut Row) -> &mut Vec<Claim> {
    match &mut row.body {
        Body::Unmanaged(unmanaged) => &mut unmanaged.claims,
        other => panic!("{other:?} claims nothing"),
    }
}

/// Work on a channel: to be given or (`gone`) taken away.
#[must_use]
pub fn target(channel: &Channel, due_at: Option<DateTime<Utc>>, gone: bool) -> Body {
    let stay = json!({ "stay": { "doors": [], "window": { "starts_at": START, "ends_at": null } } });
    let value = json!({
        "system": Uuid::nil(), "account": Uuid::nil(), "channel": channel, "of": "direct", "want": stay, "rev": 1, "gone": gone,
        "seen": "never", "work": { "due_at": due_at }, "created_at": START
    });
    Body::Target(serde_json::from_value(value).unwrap())
}

/// Somebody who waits at a channel since `at`.
#[must_use]
pub fn timer(channel: &Channel, at: DateTime<Utc>) -> Body {
    let value = json!({
        "action": { "scan": { "encoder": Uuid::nil() } }, "system": Uuid::nil(), "account": Uuid::nil(), "channel": channel,
        "actor": { "kind": "engine" }, "created_at": at, "begin_at": at, "expires_at": at, "wait_seconds": 30, "state": "waiting"
    });
    Body::Attempt(serde_json::from_value(value).unwrap())
}

/// Repeatable random numbers (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.draw() % n.max(1)
    }
    /// One in `n`.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
    /// A number from `from` up to, and not including, `to`.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        from + self.below((to - from).unsigned_abs()) as i64
    }
}
