//! What is beside the caches is found like what is in them, however far the settling has come.
use super::*;
use crate::state::{Body, Channel, Claim, Class, Index, Key, Near, Space};
use crate::store::CanServe;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

const ROWS: u64 = 60;
const PLACES: u64 = 30;
const CLAIMS: u64 = 10;

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn id(n: u64) -> RowId {
    Uuid::from_u128(u128::from(n))
}

fn workspace() -> WorkspaceId {
    WorkspaceId::from_uuid(id(9_999))
}

fn at(n: u64) -> DateTime<Utc> {
    DateTime::from_timestamp(n.cast_signed(), 0).unwrap()
}

fn row(n: u64, version: u64) -> Arc<Row> {
    let space: Space = serde_json::from_value(json!({
        "name": "Gym", "key": null, "entrances": [], "created_at": "2026-01-01T00:00:00Z", "deleted_at": null
    }))
    .unwrap();
    Arc::new(Row { id: id(n), workspace: workspace(), version, body: Body::Space(space) })
}

/// Every third is unique.
fn place(n: u64) -> Place {
    let index = if n.is_multiple_of(3) { Index::SpaceKey } else { Index::SpacesWith };
    (Some(workspace()), Key { index, key: format!("key {n}").into() })
}

fn key(n: u64) -> ClaimKey {
    ClaimKey(id(n))
}

fn claimed(n: u64) -> Claimed {
    let claim = Claim { key: key(n % CLAIMS), from: at(n), until: Some(at(n + 1)), exclusive: true };
    Claimed { claim, row: id(n), workspace: workspace() }
}

fn due(n: u64, at_second: u64) -> Due {
    Due { channel: Channel::from(format!("door:{}", n % 4).as_str()), class: Class::Give, at: at(at_second) }
}

/// What is committed, told in plain maps.
#[derive(Default)]
struct Plain {
    rows: BTreeMap<u64, u64>,
    places: BTreeMap<u64, BTreeSet<RowId>>,
    claims: BTreeSet<u64>,
    due: BTreeMap<u64, Due>,
    outcomes: BTreeMap<Uuid, u64>,
}

impl Plain {
    fn commit(&mut self, dice: &mut Dice, rows: u64) -> Change {
        let mut change = Change::default();
        for _ in 0..rows {
            let n = dice.below(ROWS);
            let version = self.rows.entry(n).or_default();
            *version += 1;
            change.rows.insert(id(n), row(n, *version));
            let (p, there) = (dice.below(PLACES), dice.below(3) > 0);
            let holders = self.places.entry(p).or_default();
            if there && p.is_multiple_of(3) && !holders.contains(&id(n)) {
                // A unique key passes on: whoever had it gives it up first.
                for other in std::mem::take(holders) {
                    change.places.entry(place(p)).or_default().push((other, false));
                }
            }
            if there {
                holders.insert(id(n))
            } else {
                holders.remove(&id(n))
            };
            change.places.entry(place(p)).or_default().push((id(n), there));
            let c = dice.below(200);
            let there = self.claims.insert(c) || !self.claims.remove(&c);
            change.claims.entry(key(c % CLAIMS)).or_default().changes.push((claimed(c), there));
            let after = (dice.below(3) > 0).then(|| due(n, dice.below(1_000)));
            let before = match &after {
                Some(after) => self.due.insert(n, after.clone()),
                None => self.due.remove(&n),
            };
            change.due.push((id(n), before, after));
        }
        let outcome = Uuid::from_u128(u128::from(dice.below(u64::MAX)) << 64);
        self.outcomes.insert(outcome, rows);
        change.outcomes.push((workspace(), outcome.into(), Committed { last_event: rows }));
        change
    }

    /// Asks for something, and learns it as a reader would where it is not known.
    fn ask(&self, head: &mut Head, dice: &mut Dice) {
        let (n, p, c) = (dice.below(ROWS), dice.below(PLACES), dice.below(CLAIMS));
        let stored = self.rows.get(&n).map(|version| row(n, *version));
        let as_numbers = |row: &Option<Arc<Row>>| row.as_ref().map(|row| (row.id, row.version));
        match dice.below(6) {
            0 => match head.row(id(n)) {
                Some(known) => assert_eq!(as_numbers(&known), as_numbers(&stored)),
                None => head.learn_row(id(n), stored),
            },
            1 => {
                let version = self.rows.get(&n).copied().unwrap_or(1).cast_signed();
                assert_eq!(as_numbers(&head.row_in_version(id(n), version - 1)), None);
                let known = head.row_in_version(id(n), version);
                assert!(known.is_none() || as_numbers(&known) == as_numbers(&stored));
            }
            2 => {
                let held: Vec<_> = self.places.get(&p).into_iter().flatten().copied().collect();
                match head.places(&place(p)) {
                    Some(known) => assert_eq!(known.iter().collect::<Vec<_>>(), held),
                    None => head.learn_place(place(p), held.into_iter().collect()),
                }
            }
            3 => {
                let of_key: Vec<_> = self.claims.iter().filter(|n| *n % CLAIMS == c).map(|n| claimed(*n)).collect();
                let all = Near { key: key(c), from: at(0), until: None };
                match head.claims(key(c)) {
                    Some(known) => assert_eq!(known.near(&all), of_key),
                    None => {
                        let mut set = ClaimSet::default();
                        of_key.iter().for_each(|Claimed { claim, row, workspace }| set.insert(claim, *row, *workspace));
                        head.learn_claims(key(c), set);
                    }
                }
            }
            4 => {
                let can = CanServe::only((0..4).map(|n| due(n, 0).channel));
                let next = self.due.values().map(|due| due.at).min();
                assert_eq!(head.agenda().next_due(&can, at(0)), next);
            }
            _ => {
                let nth = usize::try_from(dice.below(20)).unwrap();
                if let Some((outcome, last_event)) = self.outcomes.iter().nth(nth) {
                    let known = head.outcome(workspace(), (*outcome).into());
                    assert_eq!(known.map(|committed| committed.last_event), Some(*last_event));
                }
            }
        }
    }
}

#[test]
fn what_is_not_yet_in_its_place_is_found() {
    let mut unsettled = 0;
    for seed in 0..300 {
        let (mut dice, mut plain) = (Dice(seed), Plain::default());
        let mut head = Head::new(Agenda::new(0), 10_000);
        for step in 0..20 {
            // The filter is full at once, in the middle, or never.
            if step == seed % 3 * 10 {
                for p in plain.places.keys() {
                    head.absent.add_place(&place(*p));
                }
                plain.claims.iter().for_each(|c| head.absent.add_claim(key(c % CLAIMS)));
                head.absent.is_full();
            }
            let rows = if dice.below(4) == 0 { 1 + dice.below(3) } else { 60 + dice.below(60) };
            let change = plain.commit(&mut dice, rows);
            head.publish(change);
            unsettled += u32::from(head.is_unsettled());
            for _ in 0..dice.below(12) {
                if dice.below(6) == 0 {
                    head.settle_some();
                }
                plain.ask(&mut head, &mut dice);
            }
        }
        head.settle();
        assert!(!head.is_unsettled() && !head.settle_some());
        (0..200).for_each(|_| plain.ask(&mut head, &mut dice));
    }
    assert!(unsettled > 1_000, "{unsettled} commits were large");
}
