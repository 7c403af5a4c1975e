//! Many callers at once.
use super::transact::members;
use super::world::{Random, World, held, space};
use crate::state::*;
use crate::store::{CommitError, Conflict};
use futures_util::future::{join, join_all};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// 64 optimistic callers on one row: each succeeds in the end, and none overwrites another.
pub async fn many_commits_on_one_row(w: &World) {
    let id = w.put_one(w.row(space(None, &[]))).await.id;
    let tries = AtomicUsize::new(0);
    let callers = (0..64).map(|_| async {
        let member = w.id();
        loop {
            tries.fetch_add(1, Relaxed);
            let mut row = Row::clone(&*w.get(w.ws, id).await.unwrap());
            if let Body::Space(space) = &mut row.body {
                space.entrances.push(member.into());
            }
            match w.commit(w.set(vec![row])).await {
                Ok(_) => return,
                Err(CommitError::Conflict(Conflict::Row(row))) if row == id => {}
                Err(other) => panic!("{other:?}"),
            }
        }
    });
    join_all(callers).await;
    let row = w.get(w.ws, id).await.unwrap();
    assert_eq!((members(&row), row.version), (64, 65));
    eprintln!("  64 optimistic callers on one row: {} decisions", tries.load(Relaxed));
}

/// Of 64 callers who want one PIN at one door at overlapping times, one gets it; at disjoint times all do.
pub async fn one_pin_for_many_callers(w: &World) {
    for (round, (length, winners)) in [(10, 64), (20, 32), (640, 1)].into_iter().enumerate() {
        let key = ClaimKey(w.id());
        let callers = (0..64).map(|n| async move {
            let row = w.row(held(w.id(), Vec::new()));
            let (from, until) = (w.at(n * 10), Some(w.at(n * 10 + length)));
            let free = OnlyIf::Free { key, from, until, gap_seconds: 0, except: row.id };
            let claim = Claim { key, from, until, exclusive: true };
            let Body::Unmanaged(body) = &row.body else { unreachable!() };
            let row = Row { body: Body::Unmanaged(Unmanaged { claims: vec![claim], ..body.clone() }), ..row };
            match w.commit(w.set_if(vec![free], vec![row])).await {
                Ok(_) => 1,
                Err(CommitError::Conflict(Conflict::NotFree(k))) if k == key => 0,
                Err(other) => panic!("{other:?}"),
            }
        });
        let won: usize = join_all(callers).await.into_iter().sum();
        // Which ones fit beside each other depends on who came first.
        assert!(if winners == 32 { (22..=32).contains(&won) } else { won == winners }, "round {round}: {won}");
        let near = Near { key, from: w.at(0), until: None };
        let facts = w.store.read(w.ws, &ReadSet { near: [near.clone()].into(), ..ReadSet::default() }).await.unwrap();
        let claims = &facts.near[&near];
        assert_eq!(claims.len(), won);
        assert!(claims.windows(2).all(|c| c[0].claim.until.is_some_and(|u| u <= c[1].claim.from)));
    }
}

/// Rows, keys and claims that always change together are always read together, while they change. There are more of them than a store
/// with a small memory keeps, so that it has some at hand and has to fetch the others.
pub async fn reads_are_one_state(w: &World) {
    let (door, pin) = (w.id(), ClaimKey(w.id()));
    let claim = |n: u64| Claim { key: pin, from: w.at(n as i64), until: None, exclusive: true };
    let mut rows: Vec<Row> = (0..40).map(|_| w.row(space(None, &[]))).collect();
    rows.push(w.row(held(w.id(), vec![claim(1)])));
    let rows = w.put(rows).await;
    let ids: Vec<RowId> = rows.iter().map(|row| row.id).collect();
    let near = Near { key: pin, from: w.at(0), until: None };
    let by_door = Key::id(Index::SpacesWith, door);
    let done = AtomicUsize::new(0);
    let writer = async {
        let mut rows = rows.clone();
        for n in 2..120 {
            // The first space is at the door in even versions only.
            rows[0].body = space(None, if n % 2 == 0 { std::slice::from_ref(&door) } else { &[] });
            rows[40].body = held(ids[40], vec![claim(n)]);
            rows = w.put(rows).await;
        }
        done.store(1, Relaxed);
    };
    let readers = (0..6).map(|n| {
        let mut random = Random(n);
        let (ids, by_door, near, done) = (&ids, &by_door, &near, &done);
        async move {
            let mut last = 0;
            while done.load(Relaxed) == 0 {
                // All of it, or some of it.
                let all = random.one_in(2);
                let some = ids[..40].iter().filter(|_| all || random.one_in(4)).chain(&ids[40..]).copied();
                let what = ReadSet { rows: some.collect(), keys: [by_door.clone()].into(), near: [near.clone()].into() };
                let facts = w.store.read(w.ws, &what).await.unwrap();
                let versions: Vec<u64> = facts.rows.values().map(|row| row.as_ref().unwrap().version).collect();
                let version = versions[0];
                assert!(versions.iter().all(|v| *v == version), "{versions:?}");
                let claims = &facts.near[near];
                assert_eq!(claims.len(), 1);
                assert_eq!(claims[0].claim.from, w.at(version as i64));
                assert_eq!(facts.keys[by_door].len(), usize::from(version.is_multiple_of(2)), "version {version}");
                assert!(version >= last, "a reader never sees less than before");
                last = version;
                yield_once().await;
            }
        }
    });
    join(writer, join_all(readers)).await;
}

/// Lets the others go on.
async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if yielded {
            return std::task::Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
