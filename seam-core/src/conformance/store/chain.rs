//! The audit chain.
use super::world::{Random, World, event, space};
use crate::state::*;
use crate::store::{audit_genesis, verify_audit, verify_told};
use futures_util::future::join_all;
use uuid::Uuid;

async fn fill(w: &World) -> Vec<AuditEntry> {
    let callers = (0..40).map(|n: usize| async move {
        let mut set = w.set((0..n % 3).map(|_| w.row(space(None, &[]))).collect());
        set.events = (0..n % 4).map(|_| event(w.id())).collect();
        w.commit(set).await.unwrap();
    });
    join_all(callers).await;
    w.store.audit(w.ws, 0, 1000).await.unwrap()
}

/// The chain holds every commit in its place, verifies from any link on, and holds the events that were told.
pub async fn the_chain_verifies(w: &World) {
    let chain = fill(w).await;
    assert_eq!(chain.iter().map(|e| e.seq).collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());
    assert_eq!(verify_audit(&chain, &audit_genesis(w.ws)), Ok(()));
    assert_eq!(verify_audit(&[], &audit_genesis(w.ws)), Ok(()));
    let mut told = 0;
    for (n, entry) in chain.iter().enumerate() {
        assert_eq!(verify_audit(&chain[n + 1..], &entry.hash), Ok(()));
        assert_eq!(w.store.audit(w.ws, n as u64, 3).await.unwrap(), chain[n..(n + 3).min(40)]);
        let events = w.store.events(w.ws, told, (entry.last_event - told) as usize).await.unwrap();
        assert!(verify_told(entry, &events));
        if let Some((last, rest)) = events.split_last() {
            assert!(!verify_told(entry, rest));
            let mut changed = rest.to_vec();
            changed
                .push(StoredEvent { event: EventDraft { event_type: "space.deleted".to_owned(), ..last.event.clone() }, ..last.clone() });
            assert!(!verify_told(entry, &changed));
        }
        told = entry.last_event;
    }
    assert!(w.store.audit(w.ws, 40, 10).await.unwrap().is_empty() && w.store.audit(w.ws, u64::MAX, 10).await.unwrap().is_empty());
    // Another workspace's chain is another one.
    w.commit(w.foreign(w.set(Vec::new()))).await.unwrap();
    let foreign = w.store.audit(w.other, 0, 10).await.unwrap();
    assert_eq!(verify_audit(&foreign, &audit_genesis(w.other)), Ok(()));
    assert_eq!(verify_audit(&foreign, &audit_genesis(w.ws)), Err(1));
}

/// Whatever is changed, dropped, added or moved in the chain is found, at the place where it happened or right after it.
pub async fn the_chain_shows_tampering(w: &World) {
    let chain = fill(w).await;
    let genesis = audit_genesis(w.ws);
    let found = |tampered: &[AuditEntry]| verify_audit(tampered, &genesis).err();
    for n in 0..chain.len() {
        let seq = chain[n].seq;
        let changes: [fn(&mut AuditEntry); 9] = [
            |e| e.seq += 1,
            |e| e.changeset = Uuid::max().into(),
            |e| e.audit.actor = Actor::Engine,
            |e| e.audit.reason = None,
            |e| e.audit.what.push('x'),
            |e| e.wrote.push((Uuid::max(), 1)),
            |e| e.last_event += 1,
            |e| e.told.push('0'),
            |e| e.hash.replace_range(..1, if e.hash.starts_with('0') { "1" } else { "0" }),
        ];
        for change in changes {
            let mut tampered = chain.clone();
            change(&mut tampered[n]);
            assert!(found(&tampered).is_some_and(|bad| bad == seq || bad == seq + 1));
        }
        let mut dropped = chain.clone();
        dropped.remove(n);
        assert_eq!(found(&dropped), chain.get(n + 1).map(|e| e.seq), "a cut tail is seen by its missing hash only");
        let mut added = chain.clone();
        added.insert(n, chain[n].clone());
        assert!(found(&added).is_some());
        if n > 0 {
            let mut moved = chain.clone();
            moved.swap(n - 1, n);
            assert!(found(&moved).is_some());
        }
    }
    // Every bit of a hash counts.
    let mut random = Random(3);
    for _ in 0..100 {
        let mut tampered = chain.clone();
        let n = random.below(40) as usize;
        let place = random.below(64) as usize;
        let old = tampered[n].hash.as_bytes()[place];
        let new = if old == b'a' { "b" } else { "a" };
        tampered[n].hash.replace_range(place..=place, new);
        assert_eq!(found(&tampered), Some(n as u64 + 1));
    }
}
