//! Doors, tried as people try them.
use super::decide;
use super::state::{CardState, Content, Key, LogLine, SiteState, Thing};
use super::token::{Card, Phone, Presented};
use super::world::World;
use chrono::{DateTime, Utc};
use seam_core::provider::{CardPath, EntranceReport, Handle, Kind, Tag};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a door opened, or did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Why {
    /// It opened.
    Opened,
    /// It opened, and the lock moved on: earlier guests' keys are dead here.
    OpenedAndOverrode,
    /// The window has not begun.
    NotYetValid,
    /// The window is over.
    Expired,
    /// Not one of the credential's doors.
    WrongDoor,
    /// A later guest has used the lock.
    Overridden,
    /// The lock's issue number would jump too far.
    JumpTooLarge,
    /// No such code.
    UnknownCode,
    /// Suspended.
    Suspended,
    /// Nothing that this site knows.
    NoCredential,
    /// Not at this hour of the week.
    OutsideSchedule,
    /// A cancelling card has named the key here.
    Blocked,
    /// A cancelling card was presented: the lock has noted it and stays shut.
    Cancelled,
    /// The door cannot read such a thing.
    NotRead,
    /// The site is silent, and this door decides nothing alone.
    Offline,
}

impl Why {
    /// Whether the door opened.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Opened | Self::OpenedAndOverrode)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Opened => "opened",
            Self::OpenedAndOverrode => "opened, earlier guests are out",
            Self::NotYetValid => "not yet valid",
            Self::Expired => "expired",
            Self::WrongDoor => "not for this door",
            Self::Overridden => "overridden by a later guest",
            Self::JumpTooLarge => "issue number too far ahead",
            Self::UnknownCode => "unknown code",
            Self::Suspended => "suspended",
            Self::NoCredential => "no credential of this site",
            Self::OutsideSchedule => "outside its hours",
            Self::Blocked => "blocked by a cancelling card",
            Self::Cancelled => "cancelling card noted",
            Self::NotRead => "the door cannot read it",
            Self::Offline => "the site does not answer",
        })
    }
}

/// What came of trying a door.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attempt {
    /// When, by the world's clock.
    pub at: DateTime<Utc>,
    /// The door.
    pub door: String,
    /// Whether it opened.
    pub opened: bool,
    /// Why.
    pub why: Why,
    /// The vendor's name of the credential, where one was recognized.
    pub credential: Option<Handle>,
    /// Our tag of it, where it is known.
    pub tag: Option<Tag>,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.door, self.why)
    }
}

/// A door of a site.
#[derive(Clone, Debug)]
pub struct Door {
    world: World,
    site: String,
    name: String,
}

impl Door {
    pub(super) fn new(world: World, site: String, name: String) -> Self {
        Self { world, site, name }
    }

    /// Its name, which is its handle too.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Holds a card or a phone to it.
    pub fn present(&self, what: impl Into<Presented>) -> Attempt {
        match what.into() {
            Presented::Card(card) => self.present_card(&card),
            Presented::Phone(phone) => self.present_phone(&phone),
        }
    }

    /// Types digits.
    pub fn enter_pin(&self, pin: &str) -> Attempt {
        self.attempt(Kind::Code, |site, door, now| {
            if !door.code {
                return (Why::NotRead, None, None);
            }
            let at = decide::lock_time(site, &self.name, now);
            let (why, id) = decide::code(site, &self.name, pin, at);
            let tag = id.as_ref().and_then(|id| site.things.get(id)?.tag.clone());
            (why, id, tag)
        })
    }

    /// Unlocks it from afar, as the holder of this cloud key does with the vendor's app.
    pub fn cloud_open(&self, credential: &Handle) -> Attempt {
        self.attempt(Kind::CloudKey, |site, door, now| {
            if !door.cloud_key {
                return (Why::NotRead, None, None);
            }
            let id = credential.as_text().unwrap_or_default();
            let known = site.things.get(id).filter(|t| t.kind == Kind::CloudKey);
            let tag = known.and_then(|t| t.tag.clone());
            let why = if known.is_some() { decide::by_cloud(site, &self.name, id, now) } else { Why::NoCredential };
            (why, known.is_some().then(|| id.to_owned()), tag)
        })
    }

    /// Somebody comes with what carries a credential, found by our tag of it: the card that it was last written on or assigned to, the phone that
    /// it is on, its digits, or the vendor's app of its holder. Nothing that carries it: she comes with a blank card.
    pub fn use_credential(&self, tag: &Tag) -> Attempt {
        let written = self.world.look(|state| {
            let carries =
                |card: &CardState| matches!(&card.content, Content::Key(key) if key.site == self.site && key.tag.as_ref() == Some(tag));
            let cards = state.cards.iter().filter(|(_, card)| carries(card));
            cards.max_by_key(|(_, card)| card.changed_at).map(|(uid, _)| uid.clone())
        });
        if let Some(uid) = written {
            return self.present_card(&Card::new(self.world.clone(), uid));
        }
        let phone = Phone::new(self.world.clone(), self.site.clone(), &tag.0).showing(tag);
        if !phone.keys().is_empty() {
            return self.present_phone(&phone);
        }
        let known = self.world.look(|state| {
            let things = &state.sites.get(&self.site)?.things;
            let of = |kind| things.tagged(kind, tag).into_iter().find_map(|id| Some((id.clone(), things.get(&id)?.clone())));
            [Kind::Card, Kind::Code, Kind::CloudKey].into_iter().find_map(of)
        });
        match known {
            Some((_, Thing { kind: Kind::Card, number: Some(number), .. })) => self.present_card(&Card::new(self.world.clone(), number)),
            Some((_, Thing { kind: Kind::Code, pin: Some(pin), .. })) => self.enter_pin(&pin.0),
            Some((id, Thing { kind: Kind::CloudKey, .. })) => self.cloud_open(&Handle::text(id)),
            _ => self.present_card(&self.world.blank_card()),
        }
    }

    /// Makes the lock's clock run ahead by so many seconds, or behind when negative.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.world.change(|state, _| {
            if let Some(site) = state.sites.get_mut(&self.site) {
                site.lock(&self.name).fast_seconds = seconds;
            }
        });
    }

    /// The lock's issue number: 0 in one that no guest has used.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.world.look(|state| state.sites.get(&self.site).and_then(|s| s.locks.get(&self.name)).map_or(0, |l| l.generation))
    }

    /// Replaces the lock by a new one that remembers nothing.
    pub fn replace_lock(&self) {
        self.world.change(|state, _| {
            if let Some(site) = state.sites.get_mut(&self.site) {
                *site.lock(&self.name) = super::state::LockMemory::default();
            }
        });
    }

    fn present_card(&self, card: &Card) -> Attempt {
        let content = card.content();
        self.attempt(Kind::Card, |site, door, now| {
            if !door.card {
                return (Why::NotRead, None, None);
            }
            if site.config.kinds.get(&Kind::Card).is_some_and(|r| r.card == Some(CardPath::Preassigned)) {
                let assigned = site.things.numbered(card.uid()).filter(|(_, t)| t.kind == Kind::Card);
                let assigned: Vec<_> = assigned.map(|(id, t)| (decide::by_cloud(site, &self.name, id, now), id, t)).collect();
                let best = assigned.iter().find(|(why, ..)| why.is_open()).or(assigned.first());
                return best.map_or((Why::NoCredential, None, None), |(why, id, t)| (*why, Some((*id).clone()), t.tag.clone()));
            }
            match content {
                Some(Content::Key(key)) if key.site == self.site => {
                    let why = self.try_key(site, door, &key, now);
                    (why, Some(key.id), key.tag)
                }
                Some(Content::Cancels { site: of, id }) if of == self.site && decide::is_offline(door) => {
                    site.lock(&self.name).blocked.insert(id.clone());
                    (Why::Cancelled, Some(id), None)
                }
                _ => (Why::NoCredential, None, None),
            }
        })
    }

    /// A phone shows its keys one after the other, oldest first, until one opens; a refusal that knows the door counts more.
    fn present_phone(&self, phone: &Phone) -> Attempt {
        let keys = phone.on_it();
        self.attempt(Kind::MobileKey, |site, door, now| {
            if !door.mobile_key {
                return (Why::NotRead, None, None);
            }
            let mut best = (Why::NoCredential, None, None);
            for key in keys.into_iter().filter(|k| k.site == self.site) {
                let why = self.try_key(site, door, &key, now);
                if why.is_open() {
                    return (why, Some(key.id), key.tag);
                }
                if matches!(best.0, Why::NoCredential | Why::WrongDoor) {
                    best = (why, Some(key.id), key.tag);
                }
            }
            best
        })
    }

    fn try_key(&self, site: &mut SiteState, door: &EntranceReport, key: &Key, now: DateTime<Utc>) -> Why {
        if decide::is_offline(door) {
            let at = decide::lock_time(site, &self.name, now);
            decide::offline(site, door, key, at)
        } else {
            decide::by_record(site, &self.name, &key.id, now)
        }
    }

    fn attempt(
        &self,
        by: Kind,
        decide: impl FnOnce(&mut SiteState, &EntranceReport, DateTime<Utc>) -> (Why, Option<String>, Option<Tag>),
    ) -> Attempt {
        self.world.change(|state, now| {
            let found = state.sites.get_mut(&self.site).and_then(|s| Some((s.config.door(&self.name).cloned()?, s)));
            let Some((door, site)) = found else {
                let (why, door) = (Why::NotRead, self.name.clone());
                return Attempt { at: now, door, opened: false, why, credential: None, tag: None };
            };
            let (why, id, tag) = decide(site, &door, now);
            let offline = super::decide::is_offline(&door);
            let at = if offline { super::decide::lock_time(site, &self.name, now) } else { now };
            let line = LogLine { at, door: self.name.clone(), id: id.clone(), tag: tag.clone(), by, why };
            site.write_log(line, offline);
            Attempt { at: now, door: self.name.clone(), opened: why.is_open(), why, credential: id.map(Handle::text), tag }
        })
    }
}
