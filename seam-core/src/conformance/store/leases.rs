//! Channels: who gets which, for how long, and what is due on them.
use super::world::{Random, World, target, timer};
use crate::clock::Clock;
use crate::model::InstanceId;
use crate::state::*;
use crate::store::{CanServe, CommitError, Conflict, Lease};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn can(kinds: &[&str]) -> CanServe {
    CanServe { kinds: kinds.iter().map(|k| (*k).to_owned()).collect(), ..CanServe::default() }
}

fn channel(name: &str) -> Channel {
    Channel::new("sandbox", name)
}

async fn claim(w: &World, me: InstanceId, can: &CanServe) -> Option<Lease> {
    w.store.claim(me, can, MINUTE).await.unwrap()
}

/// A person before a revocation before a start; then the longest due; nothing that is not due.
pub async fn urgent_first(w: &World) {
    let me = w.id().into();
    w.put(vec![
        w.row(target(&channel("give-late"), Some(w.at(-10)), false)),
        w.row(target(&channel("give-early"), Some(w.at(-20)), false)),
        w.row(target(&channel("revoke"), Some(w.at(-5)), true)),
        w.row(timer(&channel("person"), w.at(0))),
        w.row(target(&channel("later"), Some(w.at(1)), true)),
        w.row(target(&channel("give-early"), Some(w.at(5)), true)),
    ])
    .await;
    let can = can(&["sandbox"]);
    let mut fences = Vec::new();
    for name in ["person", "revoke", "give-early", "give-late"] {
        let lease = claim(w, me, &can).await.unwrap();
        assert_eq!((&lease.channel, lease.owner), (&channel(name), me));
        fences.push(lease.fence);
    }
    assert_eq!(claim(w, me, &can).await, None);
    assert!(fences.windows(2).all(|f| f[0] < f[1]) && fences[0] > 0);
    w.advance(1);
    assert_eq!(claim(w, me, &can).await.unwrap().channel, channel("later"));
}

/// An instance gets channels of its kinds, and of local ends only its own.
pub async fn only_what_can_be_served(w: &World) {
    let usb = Channel::new("reader", "local:usb-1");
    let rows = [channel("a"), Channel::new("other", "b"), usb.clone(), Channel::timer(w.ws)];
    w.put(rows.iter().map(|c| w.row(target(c, Some(w.at(0)), false))).collect()).await;
    let me = w.id().into();
    assert_eq!(claim(w, me, &can(&[])).await, None);
    assert_eq!(claim(w, me, &can(&["reader"])).await, None);
    assert_eq!(w.store.next_due(&can(&["reader"])).await.unwrap(), None);
    let mut here = can(&["reader"]);
    here.local.insert("local:usb-1".to_owned());
    assert_eq!(w.store.next_due(&here).await.unwrap(), Some(w.at(0)));
    assert_eq!(claim(w, me, &here).await.unwrap().channel, usb);
    assert_eq!(claim(w, me, &can(&[Channel::TIMER])).await.unwrap().channel, Channel::timer(w.ws));
    assert_eq!(claim(w, me, &can(&["other"])).await.unwrap().channel.kind(), "other");
}

async fn holds(w: &World, lease: &Lease) -> bool {
    let only_if = OnlyIf::Fence { channel: lease.channel.clone(), fence: lease.fence };
    match w.commit(Changeset { events: Vec::new(), ..w.set_if(vec![only_if], Vec::new()) }).await {
        Ok(_) => true,
        Err(CommitError::Conflict(Conflict::Fence(c))) if c == lease.channel => false,
        other => panic!("{other:?}"),
    }
}

/// A lease ends by the store's clock, unless it is renewed, or when it is given back.
pub async fn leases_run_by_the_clock(w: &World) {
    let (me, you): (InstanceId, InstanceId) = (w.id().into(), w.id().into());
    let can = can(&["sandbox"]);
    w.put_one(w.row(target(&channel("a"), Some(w.at(0)), false))).await;
    let first = claim(w, me, &can).await.unwrap();
    assert_eq!(claim(w, you, &can).await, None);
    assert_eq!(claim(w, me, &can).await, None, "not even the owner gets it twice");
    w.advance(59);
    assert!(holds(w, &first).await);
    assert_eq!(w.store.due(&first, MINUTE, 10).await.unwrap().unwrap().len(), 1);
    w.advance(59);
    assert!(holds(w, &first).await && claim(w, you, &can).await.is_none(), "it was renewed");
    w.advance(1);
    assert!(!holds(w, &first).await);
    assert_eq!(w.store.due(&first, MINUTE, 10).await.unwrap(), None, "an ended lease is not renewed");
    let second = claim(w, you, &can).await.unwrap();
    assert!(second.fence > first.fence);
    w.store.release(&first).await.unwrap();
    assert!(holds(w, &second).await && !holds(w, &first).await, "a lost lease releases nothing");
    let impostor = Lease { owner: me, ..second.clone() };
    assert_eq!(w.store.due(&impostor, MINUTE, 10).await.unwrap(), None);
    w.store.release(&second).await.unwrap();
    w.store.release(&second).await.unwrap();
    assert!(!holds(w, &second).await);
    let third = claim(w, me, &can).await.unwrap();
    assert!(third.fence > second.fence);
}

/// What is due on a channel: most urgent first, then the longest due, then by id; nothing that is not due; no more than asked for.
pub async fn due_in_order(w: &World) {
    let here = channel("a");
    let mut expected = Vec::new();
    for (at, gone, person) in [(-3, false, false), (-9, false, false), (0, true, false), (-1, true, false), (-2, false, true)] {
        let body = if person { timer(&here, w.at(at)) } else { target(&here, Some(w.at(at)), gone) };
        let row = w.put_one(w.row(body)).await;
        expected.push((row.due().unwrap().class, at, row));
    }
    w.put(vec![w.row(target(&here, Some(w.at(1)), true)), w.row(target(&channel("b"), Some(w.at(-99)), true))]).await;
    let foreign = w.foreign(w.set(vec![w.row(target(&here, Some(w.at(-4)), false))]));
    expected.push((Class::Give, -4, Row { version: 1, ..foreign.put[0].clone() }));
    w.commit(foreign).await.unwrap();
    expected.sort_by_key(|(class, at, row)| (*class, *at, row.id));
    let expected: Vec<Row> = expected.into_iter().map(|(_, _, row)| row).collect();

    let can = can(&["sandbox"]);
    let lease = claim(w, w.id().into(), &can).await.unwrap();
    assert_eq!(lease.channel, here);
    for at_most in [0, 1, 4, 100] {
        let due = w.store.due(&lease, MINUTE, at_most).await.unwrap().unwrap();
        let due: Vec<Row> = due.iter().map(|row| Row::clone(row)).collect();
        assert_eq!(due, expected[..at_most.min(expected.len())]);
    }
    w.advance(1);
    assert_eq!(w.store.due(&lease, MINUTE, 100).await.unwrap().unwrap().len(), expected.len() + 1);
}

/// The next instant: the earliest due of what is free, or the end of the lease that keeps something due.
pub async fn next_due_instants(w: &World) {
    let can = can(&["sandbox"]);
    assert_eq!(w.store.next_due(&can).await.unwrap(), None);
    w.put(vec![w.row(target(&channel("a"), Some(w.at(-5)), false)), w.row(target(&channel("b"), Some(w.at(500)), true))]).await;
    assert_eq!(w.store.next_due(&can).await.unwrap(), Some(w.at(-5)));
    let lease = claim(w, w.id().into(), &can).await.unwrap();
    assert_eq!(w.store.next_due(&can).await.unwrap(), Some(w.at(60)));
    w.put_one(w.row(target(&channel("c"), Some(w.at(30)), false))).await;
    assert_eq!(w.store.next_due(&can).await.unwrap(), Some(w.at(30)));
    w.advance(60);
    assert_eq!(w.store.next_due(&can).await.unwrap(), Some(w.at(-5)));
    w.store.release(&lease).await.unwrap();
    assert_eq!(w.store.next_due(&can).await.unwrap(), Some(w.at(-5)));
    assert_eq!(w.store.next_due(&super::leases::can(&["other"])).await.unwrap(), None);
}

/// Three instances claim, renew, give back and fall asleep at random: a channel never has two owners, and no fence is given twice.
pub async fn one_owner_at_a_time(w: &World) {
    let can = can(&["sandbox"]);
    let names: Vec<Channel> = (0..5).map(|n| channel(&n.to_string())).collect();
    w.put(names.iter().map(|c| w.row(target(c, Some(w.at(0)), false))).collect()).await;
    let instances: Vec<InstanceId> = (0..3).map(|_| w.id().into()).collect();
    let mut random = Random(5);
    let mut held: BTreeMap<Channel, (Lease, chrono::DateTime<chrono::Utc>)> = BTreeMap::new();
    let mut old: Vec<Lease> = Vec::new();
    let mut fences = BTreeSet::new();
    for _ in 0..600 {
        let now = w.clock.now();
        held.retain(|_, (_, until)| *until > now);
        match random.below(5) {
            0 | 1 => {
                let me = instances[random.below(3) as usize];
                match w.store.claim(me, &can, MINUTE).await.unwrap() {
                    Some(lease) => {
                        assert!(!held.contains_key(&lease.channel), "{} has an owner", lease.channel);
                        assert!(fences.insert(lease.fence) && fences.last() == Some(&lease.fence));
                        old.push(lease.clone());
                        held.insert(lease.channel.clone(), (lease, now + MINUTE));
                    }
                    None => assert_eq!(held.len(), names.len()),
                }
            }
            2 if !old.is_empty() => {
                let lease = old[random.below(old.len() as u64) as usize].clone();
                let current = held.get(&lease.channel).is_some_and(|(l, _)| *l == lease);
                assert_eq!(w.store.due(&lease, MINUTE, 1).await.unwrap().is_some(), current);
                if current {
                    held.insert(lease.channel.clone(), (lease, now + MINUTE));
                }
            }
            3 if !old.is_empty() => {
                let lease = old[random.below(old.len() as u64) as usize].clone();
                assert_eq!(holds(w, &lease).await, held.get(&lease.channel).is_some_and(|(l, _)| *l == lease));
                w.store.release(&lease).await.unwrap();
                held.retain(|_, (l, _)| *l != lease);
            }
            _ => w.advance(random.between(0, 40)),
        }
    }
}
