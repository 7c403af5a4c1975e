//! What is due, through which channels, and who holds them. Kept in memory, in the order in which it is asked for.
use crate::model::InstanceId;
use crate::planted::{self, Bug};
use crate::state::{Channel, Class, Due, RowId};
use crate::store::{CanServe, Lease};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

type Instant = DateTime<Utc>;

/// What is due, and who holds what.
#[derive(Debug)]
pub(in crate::store) struct Agenda {
    /// What is due on each channel, most urgent class first.
    channels: BTreeMap<Channel, BTreeMap<Class, BTreeSet<(Instant, RowId)>>>,
    /// The longest due of each class of each channel.
    heads: BTreeSet<(Class, Instant, Channel)>,
    leases: BTreeMap<Channel, Held>,
    last_fence: u64,
}

#[derive(Debug)]
struct Held {
    owner: InstanceId,
    fence: u64,
    until: Instant,
}

impl Agenda {
    /// Nothing due, nothing held. Fences are given from `last_fence` + 1 on.
    pub(in crate::store) fn new(last_fence: u64) -> Self {
        Self { channels: BTreeMap::new(), heads: BTreeSet::new(), leases: BTreeMap::new(), last_fence }
    }

    pub(in crate::store) fn add(&mut self, due: &Due, row: RowId) {
        self.change(due, |set| {
            set.insert((due.at, row));
        });
    }

    pub(in crate::store) fn remove(&mut self, due: &Due, row: RowId) {
        self.change(due, |set| {
            set.remove(&(due.at, row));
        });
    }

    /// Forgets what is due, and keeps who holds what.
    #[cfg(feature = "sqlite")]
    pub(in crate::store) fn forget_due(&mut self) {
        self.channels.clear();
        self.heads.clear();
    }

    fn change(&mut self, due: &Due, act: impl FnOnce(&mut BTreeSet<(Instant, RowId)>)) {
        let classes = self.channels.entry(due.channel.clone()).or_default();
        let set = classes.entry(due.class).or_default();
        let before = set.first().map(|(at, _)| *at);
        act(set);
        let after = set.first().map(|(at, _)| *at);
        if set.is_empty() {
            classes.remove(&due.class);
        }
        if classes.is_empty() {
            self.channels.remove(&due.channel);
        }
        if before != after {
            if let Some(at) = before {
                self.heads.remove(&(due.class, at, due.channel.clone()));
            }
            if let Some(at) = after {
                self.heads.insert((due.class, at, due.channel.clone()));
            }
        }
    }

    fn holder(&self, channel: &Channel, now: Instant) -> Option<&Held> {
        self.leases.get(channel).filter(|held| held.until > now)
    }

    pub(in crate::store) fn holds(&self, channel: &Channel, fence: u64, now: Instant) -> bool {
        self.holder(channel, now).is_some_and(|held| held.fence == fence)
    }

    /// Takes the channel with the most urgent and then longest due work.
    pub(in crate::store) fn claim(&mut self, me: InstanceId, can: &CanServe, lease: Duration, now: Instant) -> Option<Lease> {
        let channel = CLASSES.into_iter().find_map(|class| {
            let due = self.heads.range(first_of(class)..).take_while(|(c, at, _)| *c == class && *at <= now);
            due.map(|(_, _, channel)| channel)
                .find(|c| can.serves(c) && self.holder(c, now).is_none_or(|held| held.owner != me && planted::is(Bug::LeaseIgnored)))
                .cloned()
        })?;
        self.last_fence += 1;
        let fence = self.last_fence;
        self.leases.insert(channel.clone(), Held { owner: me, fence, until: after(now, lease) });
        Some(Lease { channel, owner: me, fence })
    }

    /// Renews a lease and tells what is due; `None` when it is lost.
    pub(in crate::store) fn due(&mut self, lease: &Lease, for_another: Duration, at_most: usize, now: Instant) -> Option<Vec<RowId>> {
        if !self.is_current(lease, now) {
            return None;
        }
        if let Some(held) = self.leases.get_mut(&lease.channel) {
            held.until = after(now, for_another);
        }
        let classes = self.channels.get(&lease.channel).into_iter().flat_map(BTreeMap::values);
        let due = classes.flat_map(|set| set.iter().take_while(|(at, _)| *at <= now));
        Some(due.take(at_most).map(|(_, row)| *row).collect())
    }

    /// Gives a channel back; says whether it was held.
    pub(in crate::store) fn release(&mut self, lease: &Lease, now: Instant) -> bool {
        let current = self.is_current(lease, now);
        if current {
            self.leases.remove(&lease.channel);
        }
        current
    }

    fn is_current(&self, lease: &Lease, now: Instant) -> bool {
        self.holder(&lease.channel, now).is_some_and(|held| held.fence == lease.fence && held.owner == lease.owner)
    }

    /// The next instant at which there is something to claim.
    pub(in crate::store) fn next_due(&self, can: &CanServe, now: Instant) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        for class in CLASSES {
            for (_, at, channel) in self.heads.range(first_of(class)..).take_while(|(c, _, _)| *c == class) {
                if next.is_some_and(|next| next <= *at) {
                    break;
                }
                if can.serves(channel) {
                    let from = self.holder(channel, now).map_or(*at, |held| held.until.max(*at));
                    next = Some(next.map_or(from, |next| next.min(from)));
                }
            }
        }
        next
    }
}

const CLASSES: [Class; 4] = [Class::Person, Class::Revoke, Class::Give, Class::Scan];

fn first_of(class: Class) -> (Class, Instant, Channel) {
    (class, Instant::MIN_UTC, Channel::from(""))
}

fn after(now: Instant, by: Duration) -> Instant {
    if planted::is(Bug::LeaseForEver) {
        return Instant::MAX_UTC;
    }
    chrono::TimeDelta::from_std(by).ok().and_then(|by| now.checked_add_signed(by)).unwrap_or(Instant::MAX_UTC)
}
