//! What was asked for, and what people carry: all that the judge knows. It knows nothing of targets, roles or numbers.
use crate::house::DoorName;
use chrono::{DateTime, Utc};
use seam_core::model::{AccessGrantId, AccessMethodId, AccessMethodMode, SpaceId, UserIdentityId};
use seam_core::provider::Tag;
use seam_providers::sandbox::Card;
use std::collections::{BTreeMap, BTreeSet};

type Instant = DateTime<Utc>;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) grants: Vec<Asked>,
    pub(crate) people: Vec<(usize, UserIdentityId)>,
    pub(crate) spaces: Vec<SpaceAsked>,
    pub(crate) cards: Vec<Written>,
    /// How often each stay was opened again, by a lost card that had been made.
    pub(crate) reopened: BTreeMap<String, u32>,
    /// Stays of which a grant was ever given another start, or that were perhaps opened again: their number is not what it is for the others.
    pub(crate) moved: BTreeSet<String>,
    /// What has opened each guest door, in order: stay, how often it had been opened again, its window.
    pub(crate) used: BTreeMap<DoorName, Vec<Used>>,
    /// Things that somebody has changed by hand: nothing is expected there until it is repaired.
    pub(crate) spoiled: BTreeSet<String>,
    /// Digits that somebody has given to a lock by hand.
    pub(crate) by_hand: BTreeSet<String>,
    pub(crate) stays: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct SpaceAsked {
    pub(crate) tenant: usize,
    pub(crate) id: SpaceId,
    pub(crate) doors: BTreeSet<DoorName>,
    pub(crate) deleted: bool,
}

/// A grant as it was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) tenant: usize,
    pub(crate) id: AccessGrantId,
    pub(crate) person: UserIdentityId,
    pub(crate) entrances: BTreeSet<DoorName>,
    pub(crate) spaces: Vec<SpaceId>,
    pub(crate) from: Instant,
    pub(crate) until: Option<Instant>,
    pub(crate) suspended: bool,
    pub(crate) deleted: bool,
    pub(crate) stay: Option<String>,
    pub(crate) methods: BTreeMap<AccessMethodId, Mine>,
    /// When any of it was last changed.
    pub(crate) changed: Instant,
}

#[derive(Clone, Debug)]
pub(crate) struct Mine {
    pub(crate) mode: AccessMethodMode,
    pub(crate) deleted: bool,
    /// Every PIN that it ever had.
    pub(crate) pins: BTreeSet<String>,
}

/// A card that an encoder has written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) card: Card,
    pub(crate) carries: Option<seam_core::provider::Handle>,
    pub(crate) site: String,
    pub(crate) tag: Tag,
    pub(crate) method: Option<AccessMethodId>,
    pub(crate) stay: Option<String>,
    pub(crate) epoch: u32,
    /// The window that was asked for when it was written.
    pub(crate) from: Instant,
    pub(crate) until: Option<Instant>,
    pub(crate) order: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Used {
    pub(crate) stay: String,
    pub(crate) epoch: u32,
    pub(crate) from: Instant,
    pub(crate) until: Option<Instant>,
}

impl Ledger {
    pub(crate) fn doors_of(&self, g: &Asked) -> BTreeSet<DoorName> {
        let mut doors = g.entrances.clone();
        for s in &self.spaces {
            if !s.deleted && g.spaces.contains(&s.id) {
                doors.extend(s.doors.iter().cloned());
            }
        }
        doors
    }

    /// The grants that a method serves.
    pub(crate) fn grants_of(&self, method: AccessMethodId) -> impl Iterator<Item = &Asked> {
        self.grants.iter().filter(move |g| g.methods.contains_key(&method))
    }

    /// Whether somebody may pass a door with a method now, by what was asked for.
    pub(crate) fn allows(&self, method: AccessMethodId, door: &DoorName, now: Instant) -> bool {
        self.grants_of(method).any(|g| {
            !g.deleted
                && !g.suspended
                && g.methods.get(&method).is_some_and(|m| !m.deleted)
                && g.from <= now
                && g.until.is_none_or(|end| now < end)
                && self.doors_of(g).contains(door)
        })
    }

    /// Whether the person of a method may pass a door now, by whatever grant. `strict`: nothing is under way, so a deleted method is dead.
    pub(crate) fn person_may(&self, method: AccessMethodId, door: &DoorName, now: Instant, strict: bool) -> bool {
        let counts = |g: &&Asked| !strict || (!g.deleted && g.methods.get(&method).is_some_and(|m| !m.deleted));
        let mut owners = self.grants_of(method).filter(counts).map(|g| g.person);
        owners.any(|p| {
            let hers = self.grants.iter().filter(|g| g.person == p);
            hers.flat_map(|g| g.methods.keys()).any(|m| self.allows(*m, door, now))
        })
    }

    /// Stays that begin when a card's stay does and got their first key later: their keys end the card. Where nothing goes wrong, that is the order
    /// in which cards were written; of a phone it is not seen from outside.
    pub(crate) fn opened_after(&self, stay: &str, w: &Written) -> BTreeSet<String> {
        let plain = |stay: &str| {
            let mut of = self.grants.iter().filter(|g| g.stay.as_deref() == Some(stay));
            let cards = of.all(|g| g.methods.values().all(|m| m.mode != AccessMethodMode::MobileKey));
            cards && !self.moved.contains(stay) && !self.reopened.contains_key(stay)
        };
        let mut first: BTreeMap<&str, &Written> = BTreeMap::new();
        for other in &self.cards {
            if let Some(key) = &other.stay {
                first.entry(key).or_insert(other);
            }
        }
        let later = first.into_iter().filter(|(key, other)| *key != stay && other.from == w.from && other.order > w.order && plain(key));
        later.map(|(key, _)| key.to_owned()).filter(|_| plain(stay)).collect()
    }

    pub(crate) fn live(&self) -> Vec<usize> {
        self.grants.iter().enumerate().filter(|(_, g)| !g.deleted).map(|(i, _)| i).collect()
    }
}
