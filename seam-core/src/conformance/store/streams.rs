//! Events, outcomes, consumers, waking.
use super::world::{World, event, space};
use crate::model::ChangesetId;
use crate::state::*;
use futures_util::future::{join, join_all};
use uuid::Uuid;

/// With many callers in two workspaces, each workspace's events are 1, 2, 3, ..., those of a commit stand together and in order, and its
/// answer names the last of them.
pub async fn events_have_no_gap(w: &World) {
    let callers = (0..64).map(|n: usize| async move {
        for round in 0..4 {
            let mut set = w.set(vec![w.row(space(None, &[]))]);
            set.events = (0..(n + round) % 4).map(|_| event(w.id())).collect();
            let set = if n.is_multiple_of(3) { w.foreign(set) } else { set };
            let (workspace, told) = (set.workspace, set.events.clone());
            let last = w.commit(set).await.unwrap().last_event;
            let first = last + 1 - told.len() as u64;
            let stored = w.store.events(workspace, first - 1, told.len()).await.unwrap();
            let expected: Vec<StoredEvent> = told.into_iter().zip(first..).map(|(event, seq)| StoredEvent { seq, event }).collect();
            assert_eq!(stored, expected);
        }
    });
    join_all(callers).await;
    for workspace in [w.ws, w.other] {
        let events = w.store.events(workspace, 0, 10_000).await.unwrap();
        assert!(events.len() > 50 && events.iter().zip(1..).all(|(e, seq)| e.seq == seq));
    }
}

/// Every page of events is the stretch that was asked for.
pub async fn event_pages(w: &World) {
    let mut all = Vec::new();
    for n in [3, 0, 1, 0, 0, 7, 2, 0, 5] {
        let mut set = w.set(Vec::new());
        set.events = (0..n).map(|_| event(w.id())).collect();
        all.extend(set.events.clone());
        assert_eq!(w.commit(set).await.unwrap().last_event, all.len() as u64);
    }
    for after in 0..=all.len() + 2 {
        for at_most in [0, 1, 2, 5, 100] {
            let page = w.store.events(w.ws, after as u64, at_most).await.unwrap();
            let expected: Vec<StoredEvent> = all.iter().cloned().zip(1..).map(|(event, seq)| StoredEvent { seq, event }).collect();
            let expected: Vec<StoredEvent> = expected.into_iter().skip(after).take(at_most).collect();
            assert_eq!(page, expected, "after {after}, at most {at_most}");
        }
    }
    assert!(w.store.events(w.ws, u64::MAX, 10).await.unwrap().is_empty());
}

/// A commit is known by its id, and what was refused is not.
pub async fn outcomes(w: &World) {
    let row = w.row(space(None, &[]));
    let set = w.set(vec![row.clone()]);
    let refused = w.set_if(vec![OnlyIf::Unchanged { row: row.id, version: 7 }], Vec::new());
    let committed = w.commit(set.clone()).await.unwrap();
    assert!(w.commit(refused.clone()).await.is_err());
    for _ in 0..20 {
        w.put_one(w.row(space(None, &[]))).await;
    }
    assert_eq!(w.store.outcome(w.ws, set.id).await.unwrap(), Some(committed));
    assert_eq!(w.store.outcome(w.ws, refused.id).await.unwrap(), None);
    assert_eq!(w.store.outcome(w.ws, ChangesetId::from_uuid(Uuid::max())).await.unwrap(), None);
}

/// A consumer moves forward only, on its own, and never past the last event.
pub async fn consumers_only_move_forward(w: &World) {
    assert_eq!(w.store.cursor(w.ws, "bus").await.unwrap(), 0);
    w.store.ack(w.ws, "bus", 5).await.unwrap();
    assert_eq!(w.store.cursor(w.ws, "bus").await.unwrap(), 0, "there is nothing to acknowledge yet");
    for _ in 0..10 {
        w.commit(w.set(Vec::new())).await.unwrap();
    }
    for (upto, stands) in [(0, 0), (4, 4), (2, 4), (9, 9), (9, 9), (99, 10), (3, 10)] {
        w.store.ack(w.ws, "bus", upto).await.unwrap();
        assert_eq!(w.store.cursor(w.ws, "bus").await.unwrap(), stands, "after {upto}");
    }
    assert_eq!(w.store.cursor(w.ws, "webhooks").await.unwrap(), 0);
    assert_eq!(w.store.cursor(w.other, "bus").await.unwrap(), 0);
    let acks = [7, 3, 9, 1, 8].map(|upto| w.store.ack(w.ws, "webhooks", upto));
    assert!(join_all(acks).await.iter().all(Result::is_ok));
    assert_eq!(w.store.cursor(w.ws, "webhooks").await.unwrap(), 9);
}

/// Whoever waits for a change is woken by a commit that came after the call, even if it waits later, and not left waiting.
pub async fn changed_wakes(w: &World) {
    let early = w.store.changed();
    w.put_one(w.row(space(None, &[]))).await;
    early.await;
    let waiting = join_all((0..10).map(|_| w.store.changed()));
    join(waiting, w.commit(w.set(Vec::new()))).await.1.unwrap();
    drop(w.store.changed());
}
