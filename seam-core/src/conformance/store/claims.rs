//! Claims, against a reader that looks at all of them.
use super::world::{Random, World, held, held_claims};
use crate::state::*;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// All claims there are, as a naive store would keep them.
#[derive(Default)]
struct Naive(Vec<Claimed>);

impl Naive {
    fn put(&mut self, row: &Row) {
        self.0.retain(|c| c.row != row.id);
        let mut own: Vec<&Claim> = row.body.claims().iter().collect();
        own.sort();
        own.dedup();
        self.0.extend(own.into_iter().map(|c| Claimed { claim: c.clone(), row: row.id, workspace: row.workspace }));
        let order = |c: &Claimed| (c.claim.from, c.claim.until.is_none(), c.claim.until, c.row, c.claim.exclusive);
        self.0.sort_by_key(order);
    }
    fn near(&self, near: &Near) -> Vec<Claimed> {
        let of_key: Vec<&Claimed> = self.0.iter().filter(|c| c.claim.key == near.key).collect();
        let before: Vec<_> = of_key.iter().filter(|c| c.claim.from < near.from).copied().collect();
        let rest = of_key.iter().filter(|c| c.claim.from >= near.from);
        let (within, after): (Vec<&Claimed>, Vec<&Claimed>) = rest.partition(|c| near.until.is_none_or(|until| c.claim.from < until));
        let told = before[before.len().saturating_sub(Near::BEFORE)..].iter().chain(&within).chain(after.iter().take(Near::AFTER));
        told.map(|c| (*c).clone()).collect()
    }
    fn is_free(&self, key: ClaimKey, from: DateTime<Utc>, until: Option<DateTime<Utc>>, gap: i64, except: RowId) -> bool {
        let gap = chrono::TimeDelta::seconds(gap);
        !self.0.iter().filter(|c| c.claim.key == key && c.row != except).any(|c| {
            let over_before = c.claim.until.is_some_and(|theirs| theirs + gap <= from);
            let begins_after = until.is_some_and(|ours| ours + gap <= c.claim.from);
            !over_before && !begins_after
        })
    }
}

/// Random rows with random claims of a few keys: put, changed, given up.
async fn churn(w: &World, random: &mut Random, naive: &mut Naive, rows: &mut Vec<Row>, keys: &[ClaimKey], messy: bool) {
    let claim = |random: &mut Random| {
        let from = random.between(0, 400);
        let until = match random.below(10) {
            0 if messy => None,
            1 if messy => Some(from + random.between(-3, 200)),
            _ => Some(from + random.between(1, 12)),
        };
        let key = keys[random.below(keys.len() as u64) as usize];
        Claim { key, from: w.at(from), until: until.map(|u| w.at(u)), exclusive: !random.one_in(4) }
    };
    let mut row = if rows.is_empty() || random.one_in(2) {
        rows.push(w.row(held(w.id(), Vec::new())));
        rows.last().unwrap().clone()
    } else {
        rows[random.below(rows.len() as u64) as usize].clone()
    };
    let claims = held_claims(&mut row);
    if random.one_in(3) {
        claims.clear();
    }
    for _ in 0..random.below(4) {
        let claim = claim(random);
        // Disjoint, as claims are that were asked for first.
        let taken = naive.0.iter().chain([]).any(|c| c.claim.key == claim.key && c.claim.meets(claim.from, claim.until, 0));
        let own = claims.iter().any(|c| c.key == claim.key && c.meets(claim.from, claim.until, 0));
        if messy || !(taken || own) {
            claims.push(claim);
        }
    }
    let stored = w.put_one(row).await;
    naive.put(&stored);
    if let Some(known) = rows.iter_mut().find(|r| r.id == stored.id) {
        *known = stored;
    }
}

async fn compare(w: &World, random: &mut Random, messy: bool, rounds: usize) {
    let keys: Vec<ClaimKey> = (0..3).map(|_| ClaimKey(w.id())).collect();
    let (mut naive, mut rows) = (Naive::default(), Vec::new());
    for _ in 0..rounds {
        churn(w, random, &mut naive, &mut rows, &keys, messy).await;
        let key = keys[random.below(3) as usize];
        let from = random.between(-5, 420);
        let until = (!random.one_in(5)).then(|| from + random.between(0, 60));
        let near = Near { key, from: w.at(from), until: until.map(|u| w.at(u)) };
        let facts = w.store.read(w.ws, &ReadSet { near: [near.clone()].into(), ..ReadSet::default() }).await.unwrap();
        assert_eq!(facts.near[&near], naive.near(&near), "near {from} {until:?}");
        let gap = if random.one_in(2) { 0 } else { random.between(0, 30) };
        let except = if random.one_in(2) { Uuid::nil() } else { rows[random.below(rows.len() as u64) as usize].id };
        let free = naive.is_free(key, w.at(from), until.map(|u| w.at(u)), gap, except);
        assert_eq!(w.is_free(key, (from, until), gap, except).await, free, "free {from} {until:?} gap {gap}");
    }
}

/// `Near` tells what a reader of all claims would.
pub async fn near_as_a_naive_reader_says(w: &World) {
    compare(w, &mut Random(1), false, 400).await;
}

/// `Free` says what a reader of all claims would, also of claims that overlap, last for good, or end before they begin.
pub async fn free_as_a_naive_reader_says(w: &World) {
    for seed in 2..6 {
        compare(w, &mut Random(seed), true, 200).await;
    }
}

/// Windows and gaps that reach past the ends of time neither panic nor wrap around.
pub async fn claims_at_the_ends_of_time(w: &World) {
    let key = ClaimKey(w.id());
    let (first, last) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
    let claim = Claim { key, from: last - chrono::TimeDelta::seconds(10), until: Some(last), exclusive: true };
    w.put_one(w.row(held(w.id(), vec![claim.clone()]))).await;
    for (from, until, gap, free) in [
        (first, Some(w.at(0)), 0, true),
        (first, Some(w.at(0)), i64::MAX, false),
        (first, Some(last), 0, false),
        (first, None, i64::MAX, false),
        (last, None, 0, true),
        (last, None, 1, false),
        (last, Some(last), i64::MAX, false),
    ] {
        let only_if = OnlyIf::Free { key, from, until, gap_seconds: gap, except: Uuid::nil() };
        let found = w.commit(w.set_if(vec![only_if], Vec::new())).await;
        assert_eq!(found.is_ok(), free, "{from} {until:?} {gap}");
    }
    let near = Near { key, from: first, until: None };
    let facts = w.store.read(w.ws, &ReadSet { near: [near.clone()].into(), ..ReadSet::default() }).await.unwrap();
    assert_eq!(facts.near[&near].len(), 1);
    assert_eq!(facts.near[&near][0].claim, claim);
}

/// A PIN is taken at a door whoever took it: claims are told and counted in all workspaces.
pub async fn claims_count_in_all_workspaces(w: &World) {
    let key = ClaimKey(w.id());
    let claim = Claim { key, from: w.at(0), until: Some(w.at(10)), exclusive: true };
    let row = w.row(held(w.id(), vec![claim]));
    w.commit(w.foreign(w.set(vec![row.clone()]))).await.unwrap();
    assert!(!w.is_free(key, (5, Some(6)), 0, Uuid::nil()).await);
    let near = Near { key, from: w.at(0), until: None };
    let facts = w.store.read(w.ws, &ReadSet { near: [near.clone()].into(), ..ReadSet::default() }).await.unwrap();
    assert_eq!((facts.near[&near][0].row, facts.near[&near][0].workspace), (row.id, w.other));
}
