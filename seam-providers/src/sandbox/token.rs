//! What people carry: cards and phones.
use super::state::{Content, Key};
use super::world::World;
use chrono::{DateTime, Utc};
use seam_core::provider::{Handle, Kind, Tag};
use std::fmt;

/// A physical card. A clone is the same card.
#[derive(Clone)]
pub struct Card {
    world: World,
    uid: String,
}

impl Card {
    pub(super) fn new(world: World, uid: String) -> Self {
        Self { world, uid }
    }

    /// Its serial number, in hexadecimal and upper case.
    #[must_use]
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// Whether nothing is written on it.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.content().is_none_or(|c| c == Content::Blank)
    }

    /// The credential that is written on it.
    #[must_use]
    pub fn carries(&self) -> Option<Handle> {
        self.key().map(|k| Handle::text(k.id))
    }

    /// Our tag of the credential that is written on it.
    #[must_use]
    pub fn tag(&self) -> Option<Tag> {
        self.key().and_then(|k| k.tag)
    }

    /// When it was last written, wiped or torn.
    #[must_use]
    pub fn changed_at(&self) -> Option<DateTime<Utc>> {
        self.world.look(|state| state.cards.get(&self.uid).and_then(|c| c.changed_at))
    }

    /// Wipes it.
    pub fn wipe(&self) {
        self.world.change(|state, now| state.set_card(&self.uid, Content::Blank, now));
    }

    /// Takes it out of the world: it was cut in two, and its memory is free.
    pub fn destroy(self) {
        self.world.change(|state, _| {
            state.cards.remove(&self.uid);
            if state.journaled {
                state.touched_cards.insert(self.uid.clone());
            }
        });
    }

    pub(super) fn content(&self) -> Option<Content> {
        self.world.look(|state| state.cards.get(&self.uid).map(|c| c.content.clone()))
    }

    fn key(&self) -> Option<Key> {
        match self.content()? {
            Content::Key(key) => Some(key),
            _ => None,
        }
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Card").field("uid", &self.uid).field("carries", &self.carries()).finish()
    }
}

/// A phone that has mobile keys of one site.
#[derive(Clone)]
pub struct Phone {
    world: World,
    site: String,
    name: String,
    only: Option<Tag>,
}

impl Phone {
    /// The phone of this name; the tag of a mobile key names the phone that the key is for, the tag of a user hers.
    pub(super) fn new(world: World, site: String, name: &str) -> Self {
        let found = world.look(|state| {
            let site = state.sites.get(&site)?;
            if site.phones.contains_key(name) {
                return None;
            }
            let tag = Tag(name.to_owned());
            let put = site.things.tagged(Kind::MobileKey, &tag).into_iter().find_map(|id| site.things.get(&id)?.phone.clone());
            let held = || site.phones.iter().find(|(_, p)| p.keys.values().any(|k| k.tag.as_ref() == Some(&tag)));
            let of_user = || site.things.tagged(Kind::User, &tag).into_iter().next();
            put.or_else(|| held().map(|(name, _)| name.clone())).or_else(of_user)
        });
        Self { world, site, name: found.unwrap_or_else(|| name.to_owned()), only: None }
    }

    /// The system's name of the phone.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tags of the keys on it, in the order of their making.
    #[must_use]
    pub fn keys(&self) -> Vec<Tag> {
        self.on_it().into_iter().filter_map(|k| k.tag).collect()
    }

    /// The same phone, showing only the key with this tag.
    #[must_use]
    pub fn showing(&self, tag: &Tag) -> Self {
        Self { only: Some(tag.clone()), ..self.clone() }
    }

    /// Takes it off the air: what is put or revoked from now on reaches it when it is [back](Self::go_online).
    pub fn go_offline(&self) {
        self.world.change(|state, _| {
            if let Some(site) = state.sites.get_mut(&self.site) {
                site.phone(&self.name).online = false;
            }
        });
    }

    /// Brings it back: it gets its new keys and forgets the revoked ones.
    pub fn go_online(&self) {
        self.world.change(|state, _| {
            if let Some(site) = state.sites.get_mut(&self.site) {
                site.phone(&self.name).online = true;
                site.sync_phone(&self.name);
            }
        });
    }

    /// The person enrols it, where the site asks for that.
    pub fn enrol(&self) {
        self.world.change(|state, _| {
            if let Some(site) = state.sites.get_mut(&self.site) {
                site.phone(&self.name).enrolled = true;
                site.sync_phone(&self.name);
            }
        });
    }

    pub(super) fn on_it(&self) -> Vec<Key> {
        let keys = self.world.look(|state| {
            let phone = state.sites.get(&self.site)?.phones.get(&self.name)?;
            let shown = phone.keys.values().filter(|k| self.only.is_none() || k.tag == self.only);
            Some(shown.cloned().collect())
        });
        keys.unwrap_or_default()
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phone").field("site", &self.site).field("name", &self.name).field("keys", &self.keys()).finish()
    }
}

/// What a person holds to a door.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Presented {
    /// A card.
    Card(Card),
    /// A phone.
    Phone(Phone),
}

impl From<&Card> for Presented {
    fn from(card: &Card) -> Self {
        Self::Card(card.clone())
    }
}
impl From<&Phone> for Presented {
    fn from(phone: &Phone) -> Self {
        Self::Phone(phone.clone())
    }
}
