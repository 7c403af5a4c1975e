//! Preconditions: each alone, and one that fails among many callers.
use super::world::{World, held, space, target};
use crate::state::*;
use crate::store::{CanServe, CommitError, Conflict};
use futures_util::future::join_all;
use std::time::Duration;
use uuid::Uuid;

/// A predicate, and the conflict that is expected when it does not hold.
struct Case {
    name: &'static str,
    holds: bool,
    only_if: OnlyIf,
    conflict: Conflict,
}

/// Every predicate, in cases that hold and cases that do not. Leaves a channel held.
async fn cases(w: &World) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name, holds, only_if, conflict| cases.push(Case { name, holds, only_if, conflict });

    let row = w.put_one(w.row(space(None, &[]))).await;
    let row = w.put_one(row).await;
    let foreign = w.row(space(None, &[]));
    w.commit(w.foreign(w.set(vec![foreign.clone()]))).await.unwrap();
    let absent = w.id();
    for (name, holds, row, version) in [
        ("unchanged: in this version", true, row.id, 2),
        ("unchanged: an older one", false, row.id, 1),
        ("unchanged: a newer one", false, row.id, 3),
        ("unchanged: not there", false, row.id, 0),
        ("unchanged: still not there", true, absent, 0),
        ("unchanged: never was", false, absent, 1),
        ("unchanged: of another workspace, so not there", true, foreign.id, 0),
        ("unchanged: of another workspace", false, foreign.id, 1),
    ] {
        add(name, holds, OnlyIf::Unchanged { row, version }, Conflict::Row(row));
    }

    let door = w.id();
    let spaces = w.put((0..3).map(|_| w.row(space(None, &[door]))).collect()).await;
    let ids: Vec<RowId> = spaces.iter().map(|s| s.id).collect();
    let key = Key::id(Index::SpacesWith, door);
    let nothing = Key::id(Index::SpacesWith, absent);
    for (name, holds, key, rows) in [
        ("listed: these", true, &key, ids.clone()),
        ("listed: one fewer", false, &key, ids[..2].to_vec()),
        ("listed: one more", false, &key, [&ids[..], &[absent]].concat()),
        ("listed: none", false, &key, Vec::new()),
        ("listed: in another order", false, &key, ids.iter().rev().copied().collect()),
        ("listed: nothing", true, &nothing, Vec::new()),
        ("listed: something", false, &nothing, ids.clone()),
    ] {
        add(name, holds, OnlyIf::Listed { key: key.clone(), rows }, Conflict::Listed(key.clone()));
    }

    let pin = ClaimKey(w.id());
    let claim = Claim { key: pin, from: w.at(100), until: Some(w.at(200)), exclusive: true };
    let holder = w.put_one(w.row(held(w.id(), vec![claim]))).await;
    for (name, holds, from, until, gap, except) in [
        ("free: before", true, 0, Some(100), 0, Uuid::nil()),
        ("free: after", true, 200, Some(300), 0, Uuid::nil()),
        ("free: overlaps the start", false, 0, Some(101), 0, Uuid::nil()),
        ("free: overlaps the end", false, 199, Some(300), 0, Uuid::nil()),
        ("free: within", false, 120, Some(130), 0, Uuid::nil()),
        ("free: around", false, 0, Some(300), 0, Uuid::nil()),
        ("free: for good from before", false, 0, None, 0, Uuid::nil()),
        ("free: for good from after", true, 200, None, 0, Uuid::nil()),
        ("free: with a gap before", true, 0, Some(90), 10, Uuid::nil()),
        ("free: with too small a gap before", false, 0, Some(91), 10, Uuid::nil()),
        ("free: with a gap after", true, 210, Some(300), 10, Uuid::nil()),
        ("free: with too small a gap after", false, 209, Some(300), 10, Uuid::nil()),
        ("free: its own", true, 0, None, 10, holder.id),
    ] {
        let until = until.map(|u| w.at(u));
        add(name, holds, OnlyIf::Free { key: pin, from: w.at(from), until, gap_seconds: gap, except }, Conflict::NotFree(pin));
    }

    let channel = Channel::new("sandbox", "door");
    let idle = Channel::new("sandbox", "idle");
    w.put_one(w.row(target(&channel, Some(w.at(0)), false))).await;
    let can = CanServe { kinds: ["sandbox".to_owned()].into(), ..Default::default() };
    let lease = w.store.claim(w.id().into(), &can, Duration::from_secs(3600)).await.unwrap().unwrap();
    for (name, holds, channel, fence) in [
        ("fence: held", true, &channel, lease.fence),
        ("fence: an older one", false, &channel, lease.fence - 1),
        ("fence: one never given", false, &channel, lease.fence + 1),
        ("fence: another channel", false, &idle, lease.fence),
    ] {
        add(name, holds, OnlyIf::Fence { channel: channel.clone(), fence }, Conflict::Fence(channel.clone()));
    }
    cases
}

fn conflict_of(result: Result<crate::store::Committed, CommitError>) -> Option<Conflict> {
    match result {
        Ok(_) => None,
        Err(CommitError::Conflict(conflict)) => Some(conflict),
        Err(other) => panic!("{other:?}"),
    }
}

/// A changeset is applied if its predicate holds, and else writes nothing and names the predicate.
pub async fn each_predicate_holds_and_fails(w: &World) {
    for case in cases(w).await {
        let before = (w.store.events(w.ws, 0, 1000).await.unwrap().len(), w.store.audit(w.ws, 0, 1000).await.unwrap().len());
        let row = w.row(space(None, &[]));
        let set = w.set_if(vec![case.only_if], vec![row.clone()]);
        let id = set.id;
        let found = conflict_of(w.commit(set).await);
        assert_eq!(found, (!case.holds).then_some(case.conflict), "{}", case.name);
        assert_eq!(w.get(w.ws, row.id).await.is_some(), case.holds, "{}", case.name);
        assert_eq!(w.store.outcome(w.ws, id).await.unwrap().is_some(), case.holds, "{}", case.name);
        let more = usize::from(case.holds);
        let after = (w.store.events(w.ws, 0, 1000).await.unwrap().len(), w.store.audit(w.ws, 0, 1000).await.unwrap().len());
        assert_eq!(after, (before.0 + more, before.1 + more), "{}", case.name);
    }
}

/// Among 64 callers at once, one whose predicate fails touches only itself; and the second of two predicates counts as much as the first.
pub async fn one_that_fails_touches_only_itself(w: &World) {
    let cases = cases(w).await;
    let (good, bad): (Vec<Case>, Vec<Case>) = cases.into_iter().partition(|c| c.holds);
    for (n, bad) in bad.into_iter().enumerate() {
        let before = w.store.events(w.ws, 0, 100_000).await.unwrap().len();
        let rows: Vec<Row> = (0..64).map(|_| w.row(space(None, &[]))).collect();
        let place = (n * 7) % rows.len();
        let sets = rows.iter().enumerate().map(|(at, row)| {
            let mut only_if = vec![good[at % good.len()].only_if.clone()];
            if at == place {
                only_if.push(bad.only_if.clone());
            }
            w.set_if(only_if, vec![row.clone()])
        });
        let results = join_all(sets.map(|set| w.commit(set))).await;
        for (at, (result, row)) in results.into_iter().zip(&rows).enumerate() {
            let expected = (at == place).then(|| bad.conflict.clone());
            assert_eq!(conflict_of(result), expected, "{}, caller {at}", bad.name);
            assert_eq!(w.get(w.ws, row.id).await.is_some(), at != place, "{}, caller {at}", bad.name);
        }
        let events = w.store.events(w.ws, 0, 100_000).await.unwrap();
        assert_eq!(events.len(), before + 63);
        assert!(events.iter().zip(1..).all(|(e, seq)| e.seq == seq));
    }
}
