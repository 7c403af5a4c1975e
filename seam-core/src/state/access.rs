//! Rows of people, grants, methods, stays, instant keys.
use super::*;
use crate::model::{
    AccessGrantId, AccessMethodId, AccessMethodMode, AcsEntranceId, AcsSystemId, ClientSessionId, ConnectedAccountId, CustomerThing,
    Holder, InstantKeyId, SpaceId, StayId, UserIdentityId, Weekly, Window,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A person. Name, e-mail and phone are sealed under a key of the person's own; `erase` destroys that key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// The caller's key.
    pub key: Option<String>,
    /// The person's own key, sealed under the store's key; `None` once erased.
    pub own_key: Option<Sealed>,
    /// Full name.
    pub full_name: Option<Sealed>,
    /// E-mail address.
    pub email: Option<Sealed>,
    /// Phone number in E.164.
    pub phone: Option<Sealed>,
    /// Keyed hash of the e-mail address, while it is this person's.
    pub email_tag: Option<String>,
    /// Keyed hash of the phone number, while it is this person's.
    pub phone_tag: Option<String>,
    /// The customer who told us of this person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Identities that were merged into this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<UserIdentityId>,
    /// Their keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged_keys: Vec<String>,
    /// The identity that this one was merged into.
    pub merged_into: Option<UserIdentityId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
    /// What is worth knowing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Note>,
}

impl Identity {
    pub(super) fn lookups(&self) -> Vec<Key> {
        if self.deleted_at.is_some() || self.merged_into.is_some() {
            return Vec::new();
        }
        let keys = self.key.iter().chain(&self.merged_keys).map(|k| Key::new(Index::IdentityKey, k.as_str()));
        let email = self.email_tag.iter().map(|t| Key::new(Index::IdentityEmail, t.as_str()));
        let phone = self.phone_tag.iter().map(|t| Key::new(Index::IdentityPhone, t.as_str()));
        let customer = self.customer.iter().map(|c| Key::new(Index::OfCustomer, c.as_str()));
        keys.chain(email).chain(phone).chain(customer).collect()
    }
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// Who.
    pub identity: UserIdentityId,
    /// The caller's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// SHA-256 of what was asked under that key, in hexadecimal: the same key with the same content gives the same grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The caller's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where: spaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spaces: Vec<SpaceId>,
    /// Where: entrances named one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entrances: Vec<AcsEntranceId>,
    /// Where, resolved: every door of the grant, in ascending order.
    pub doors: Vec<AcsEntranceId>,
    /// When.
    pub window: Window,
    /// At which hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Weekly>,
    /// Guest or staff.
    #[serde(default)]
    pub holder: Holder,
    /// How: what was asked for, and what was made of it.
    pub requested: Vec<Requested>,
    /// The stay's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<String>,
    /// The stay at each system.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stays: Vec<StayId>,
    /// What a customer's system calls it, if one has pushed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed: Option<Pushed>,
    /// Suspended: everything is kept, nothing opens.
    #[serde(default)]
    pub suspended: bool,
    /// Its life.
    pub phase: GrantPhase,
    /// The doors that have been told to work (`access_granted_to_door`).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub told: BTreeSet<AcsEntranceId>,
    /// `access_granted_to_all_doors` has been told.
    #[serde(default)]
    pub told_all: bool,
    /// Warnings that are facts, not derived from state: a PIN that was not to be had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Note>,
    /// Methods that could not be made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Note>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When the engine looks at it next: a start, an end.
    pub timer: Option<DateTime<Utc>>,
    /// Contact details that could not be put on the identity because another person has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Sealed>,
}

/// What a customer's system calls a grant that it has pushed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushed {
    /// The customer.
    pub customer: String,
    /// A reservation or a grant.
    pub thing: CustomerThing,
    /// Its key there.
    pub key: String,
}

/// By what a pushed grant is found.
#[must_use]
pub fn pushed_key(thing: CustomerThing, key: &str) -> Key {
    let kind = if thing == CustomerThing::AccessGrant { "grant" } else { "reservation" };
    Key::new(Index::PushedAs, format!("{kind}/{key}"))
}

/// What was asked for, and what was made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Requested {
    /// How.
    pub mode: AccessMethodMode,
    /// The wanted PIN, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Sealed>,
    /// How many times the link of a mobile key can be redeemed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instant_key_max_use_count: Option<u32>,
    /// When it was asked for.
    pub at: DateTime<Utc>,
    /// The methods that were made.
    pub methods: Vec<AccessMethodId>,
}

/// The life of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantPhase {
    /// It holds, now or later.
    Live,
    /// Its end has passed.
    Ended {
        /// When the engine saw it.
        at: DateTime<Utc>,
    },
    /// It was deleted. It never comes back.
    Deleted {
        /// When.
        at: DateTime<Utc>,
    },
}

impl Grant {
    /// Whether it holds, now or later.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.phase == GrantPhase::Live
    }
    pub(super) fn lookups(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        // The key stays taken after the end, so that a late repeat finds the grant; it is free again after deletion.
        if !matches!(self.phase, GrantPhase::Deleted { .. }) {
            keys.extend(self.key.as_ref().map(|k| Key::new(Index::GrantKey, k.as_str())));
        }
        // A deleted grant is still found by its person: what its cards may open is explained, and kept for history.
        keys.push(Key::id(Index::GrantsOf, self.identity));
        if self.is_live() {
            keys.extend(self.spaces.iter().map(|s| Key::id(Index::GrantsOn, *s)));
            keys.extend(self.reservation.as_ref().map(|r| Key::new(Index::Reservation, r.as_str())));
            if let Some(pushed) = &self.pushed {
                keys.push(pushed_key(pushed.thing, &pushed.key));
                keys.push(Key::new(Index::OfCustomer, pushed.customer.as_str()));
            }
        }
        keys
    }
}

/// An access method: one PIN, one card, one mobile key, one cloud key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Method {
    /// How.
    pub mode: AccessMethodMode,
    /// The person.
    pub identity: UserIdentityId,
    /// The grants that it serves, usually one.
    pub grants: Vec<AccessGrantId>,
    /// The doors that it is for, in ascending order: those of its grants that it can open.
    pub doors: Vec<AcsEntranceId>,
    /// The things at systems that make it.
    pub targets: Vec<RowId>,
    /// The PIN, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Sealed>,
    /// Everything that it needs is in place.
    #[serde(default)]
    pub issued: bool,
    /// When it was last issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<DateTime<Utc>>,
    /// It was issued at least once: the next time is a re-issue.
    #[serde(default)]
    pub ever_issued: bool,
    /// `card_encoding_required` has been told and no card was written since.
    #[serde(default)]
    pub told_encoding: bool,
    /// The link of a mobile key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instant_key: Option<InstantKeyId>,
    /// Warnings that are facts: late, failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Note>,
    /// Entrances where it outlasts its grants by a grace although it belongs to no stay there: it ends when the next stay begins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub graced_at: Vec<AcsEntranceId>,
    /// The card was reported lost.
    #[serde(default)]
    pub lost: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When its time had passed. It is still shown, but does nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// When it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<DateTime<Utc>>,
}

impl Method {
    /// Whether it does nothing any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.deleted_at.is_some() || self.ended_at.is_some()
    }
    pub(super) fn lookups(&self) -> Vec<Key> {
        if self.is_over() {
            return Vec::new();
        }
        let graced = self.graced_at.iter().map(|door| Key::id(Index::GracedAt, *door));
        std::iter::once(Key::id(Index::MethodsOf, self.identity)).chain(graced).collect()
    }
}

/// A stay: one reservation at one system. The only place that knows whether a key opens the stay or joins it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stay {
    /// The reservation key.
    pub key: String,
    /// The system.
    pub system: AcsSystemId,
    /// Its account.
    pub account: ConnectedAccountId,
    /// The party's doors that take part in reservations, in ascending order.
    pub doors: Vec<AcsEntranceId>,
    /// The hull of its grants' windows.
    pub window: Window,
    /// The issue number at its doors, once opened: the start in whole seconds, plus one for each re-opening.
    pub generation: Option<u64>,
    /// How often it was opened again (a lost card): its number is kept even while no key of it is known.
    #[serde(default)]
    pub reopened: u32,
    /// Where it stands.
    pub phase: StayPhase,
    /// Its live grants.
    pub grants: Vec<AccessGrantId>,
    /// Targets whose credentials were made in the present generation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<RowId>,
    /// The doors, occupied for the stay.
    pub claims: Vec<Claim>,
    /// The target that carries the stay itself to a system that keeps stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<RowId>,
    /// When its keys opened its rooms, in the order of all openings there; only where the system keeps one present guest for each room.
    #[serde(default, skip_serializing_if = "Turns::is_none")]
    pub turns: Turns,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// The turns of a stay's openings at its rooms. Each opening of any stay at a room has a higher one than those that were begun there before; 0: none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turns {
    /// The last one of which it is sure that a key was made.
    pub sure: u64,
    /// The last one in which a key was made or may have been.
    pub perhaps: u64,
    /// Those in which a key is being made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub under_way: Vec<u64>,
}

impl Turns {
    /// Whether there was none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
    /// The last one, whatever became of it.
    #[must_use]
    pub fn highest(&self) -> u64 {
        self.under_way.iter().copied().fold(self.perhaps.max(self.sure), u64::max)
    }
    /// An opening begins after all those that were begun at the rooms before, of which `highest` is the last one.
    pub fn begin(&mut self, highest: u64) -> u64 {
        let turn = highest.max(self.highest()) + 1;
        self.under_way.push(turn);
        turn
    }
    /// A key was surely not made in this turn.
    pub fn not_made(&mut self, turn: u64) {
        self.under_way.retain(|t| *t != turn);
    }
    /// Nobody knows whether a key was made in this turn.
    pub fn perhaps_made(&mut self, turn: u64) {
        self.not_made(turn);
        self.perhaps = self.perhaps.max(turn);
    }
    /// A key was made in this turn.
    pub fn made(&mut self, turn: u64) {
        self.perhaps_made(turn);
        self.sure = self.sure.max(turn);
    }
}

/// Where a stay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StayPhase {
    /// No key has been made.
    Planned,
    /// A key has been made.
    Open,
    /// The first key's outcome is unknown: the same method again repeats its role, others wait.
    InDoubt {
        /// The target of the first key.
        first: RowId,
    },
    /// All its grants are over.
    Closed,
}

impl Stay {
    pub(super) fn lookups(&self) -> Vec<Key> {
        if self.phase == StayPhase::Closed {
            return Vec::new();
        }
        vec![stay_key(self.system, &self.key), Key::new(Index::StaysOf, self.key.as_str())]
    }
}

/// The stay of a reservation at a system.
#[must_use]
pub fn stay_key(system: AcsSystemId, reservation: &str) -> Key {
    Key::pair(Index::StayOf, system, reservation)
}

/// An instant key: a link that hands a person's mobile keys to a phone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstantKey {
    /// The person.
    pub identity: UserIdentityId,
    /// The method that it was made for; `None`: all mobile keys of the person.
    pub method: Option<AccessMethodId>,
    /// The short code of the link, sealed.
    pub code: Sealed,
    /// Keyed hash of it, to find it by.
    pub code_tag: String,
    /// The client session that it opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<ClientSessionId>,
    /// How many times it can be redeemed.
    pub max_use_count: u32,
    /// How many times it was.
    pub used: u32,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
    /// When it was deleted.
    pub deleted_at: Option<DateTime<Utc>>,
}

impl InstantKey {
    pub(super) fn lookups(&self) -> Vec<Key> {
        // A deleted link is still known by its code, so that whoever opens it is told that it was taken back.
        let mut keys = vec![Key::new(Index::ShortCode, self.code_tag.as_str())];
        keys.extend(self.deleted_at.is_none().then(|| Key::id(Index::InstantKeysOf, self.identity)));
        keys
    }
}

/// An answer kept under an idempotency key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The key.
    pub key: String,
    /// SHA-256 of the change, in hexadecimal.
    pub digest: String,
    /// What was answered. Ids only.
    pub answer: serde_json::Value,
    /// When.
    pub at: DateTime<Utc>,
}

impl Answer {
    pub(super) fn lookups(&self) -> Vec<Key> {
        vec![Key::new(Index::Idempotency, self.key.as_str())]
    }
}
