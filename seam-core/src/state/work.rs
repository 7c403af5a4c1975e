//! Rows of work: targets, repeated until true, and attempts, made at most once.
use super::*;
use crate::model::{
    AccessMethodId, AcsAccessGroupId, AcsEncoderId, AcsEntranceId, AcsSystemId, AcsUserId, ConnectedAccountId, StayId, UserIdentityId,
    Weekly, Window,
};
use crate::provider::{Certainty, Effect, Handle, Kind, Needs, Reason};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One thing at one system: what is wanted, what was seen, what is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The system.
    pub system: AcsSystemId,
    /// Its account.
    pub account: ConnectedAccountId,
    /// The physical end.
    pub channel: Channel,
    /// What it belongs to.
    pub of: TargetOf,
    /// What is wanted.
    pub want: Wanted,
    /// Counts up with every change of `want`.
    pub rev: u64,
    /// It is to be taken away. Sticky: it never comes back.
    #[serde(default)]
    pub gone: bool,
    /// What was last seen.
    pub seen: SeenState,
    /// The vendor's ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<Handle>,
    /// What is still missing before it opens a door.
    #[serde(default = "nothing", skip_serializing_if = "is_nothing")]
    pub needs: Needs,
    /// What the last credential that left this row can do: on a card in somebody's pocket, in a lock's memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<MadeCredential>,
    /// What is being sent, or was sent last, exactly: what is wanted may have changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<MadeCredential>,
    /// What else is out there, or may be, oldest first: cards that were made before, and whatever was sent without an answer. Each is a thing of
    /// its own: two encodes without an answer may have made two cards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Other>,
    /// Until when the system says that what was taken away with the last call may still open: the whole thing after a removal, what it could do
    /// before after a put.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_open_until: Option<DateTime<Utc>>,
    /// The PIN, sealed: wanted, or made by the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Sealed>,
    /// The link of a mobile key, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Sealed>,
    /// The card's number, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_number: Option<Sealed>,
    /// Keyed hash of the card's number, to find by it what a card carried before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_tag: Option<String>,
    /// What is to be done.
    pub work: Work,
    /// The window that was asked for, of a credential that was issued directly: nothing else keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Window>,
    /// When what is wanted is decided anew: its window has an end only because the system asks for one, or our timer ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renew_at: Option<DateTime<Utc>>,
    /// That it was taken away has been told. Once, also if it is found there again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told_deleted: bool,
    /// How many of the first claims belong to what the lock held before (a PIN that was changed): given up when the new one is seen.
    #[serde(default)]
    pub stale_claims: u16,
    /// PINs and slots that it occupies, until their absence is verified.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Claim>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was first issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<DateTime<Utc>>,
    /// When the wanted state was last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synced_at: Option<DateTime<Utc>>,
}

fn nothing() -> Needs {
    Needs::Nothing
}
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_nothing(needs: &Needs) -> bool {
    *needs == Needs::Nothing
}

/// What a target belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TargetOf {
    /// An access method.
    Method(AccessMethodId),
    /// A user of the system.
    User(AcsUserId),
    /// A stay.
    Stay(StayId),
    /// Nothing: a credential issued directly.
    Direct,
}

/// What is wanted. Ids and sealed secrets only; the vendor's handles and the person's name are looked up when it is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Wanted {
    /// A stay.
    Stay {
        /// Its doors.
        doors: Vec<AcsEntranceId>,
        /// Its window.
        window: Window,
    },
    /// A user.
    User {
        /// When it may pass at all.
        window: Option<Window>,
        /// Suspended.
        suspended: bool,
    },
    /// A user's permission.
    Access {
        /// The user.
        user: AcsUserId,
        /// Exactly these doors.
        doors: Vec<AcsEntranceId>,
        /// Existing groups that cover exactly these doors.
        groups: Vec<AcsAccessGroupId>,
        /// When.
        window: Window,
        /// At which hours.
        schedule: Option<Weekly>,
        /// Suspended.
        suspended: bool,
    },
    /// A credential.
    Credential(WantedCredential),
}

/// A wanted credential.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WantedCredential {
    /// What.
    pub kind: Kind,
    /// For whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<UserIdentityId>,
    /// The user, where credentials belong to users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<AcsUserId>,
    /// The doors at this system, in ascending order.
    pub doors: Vec<AcsEntranceId>,
    /// The credential's window.
    pub window: Window,
    /// At which hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Weekly>,
    /// Suspended: nothing opens.
    #[serde(default)]
    pub suspended: bool,
    /// The slot in the lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u16>,
    /// The stay; `None` for staff and where no door takes part in reservations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stay: Option<StayId>,
}

/// What was last seen of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeenState {
    /// Nothing was sent yet.
    Never,
    /// It is there, as wanted in revision `rev`.
    Present {
        /// The revision.
        rev: u64,
        /// How sure.
        certainty: Certainty,
    },
    /// It is not there.
    Absent {
        /// How sure.
        certainty: Certainty,
    },
    /// A call about revision `rev` had no answer.
    Unknown {
        /// The revision.
        rev: u64,
    },
}

/// What a credential that was made can do, whoever holds it now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeCredential {
    /// The revision that it was made from.
    pub rev: u64,
    /// Its doors.
    pub doors: Vec<AcsEntranceId>,
    /// Its window.
    pub window: Window,
    /// At which hours; none: at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Weekly>,
    /// Its issue number at the stay's doors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// It opened the stay.
    #[serde(default)]
    pub opens: bool,
    /// Its turn among the openings of the rooms, where it opened the stay and the system keeps one present guest for each room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Something that left a row beside what counts there now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    /// What it can do, and when it was made or sent.
    pub can: MadeCredential,
    /// Nobody knows whether it was made.
    #[serde(default)]
    pub doubtful: bool,
    /// Keyed hash of the card's number, where it is known: writing over that card ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_tag: Option<String>,
}

/// So many other things are told apart; beyond that the oldest two count as one that can do what either can.
const OTHERS: usize = 16;

/// What is to be done with a target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// How many tries of the present work have failed.
    #[serde(default)]
    pub attempt: u32,
    /// What is being done now. Written before the call; with an older fence than the channel's it means an unknown outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<InFlight>,
    /// Not before this row has been seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<RowId>,
    /// What a person has to decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<Question>,
    /// The last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failed>,
    /// A look is wanted although everything seems done (a drift scan, an unknown put that was removed).
    #[serde(default)]
    pub look: bool,
    /// What is there as it was put is to be put once more: its system asked for that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub renew: bool,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// The fence of the channel under which it was begun.
    pub fence: u64,
    /// What.
    pub doing: Doing,
}

/// What is done with a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    /// Put what is wanted in this revision.
    Put {
        /// The revision.
        rev: u64,
    },
    /// Take it away.
    Remove,
    /// Look whether what is wanted in this revision is there.
    Find {
        /// The revision.
        rev: u64,
    },
    /// Write it on a card (by an attempt).
    Encode {
        /// The revision.
        rev: u64,
    },
    /// Read the account: systems, entrances, groups, encoders, what is held.
    Scan,
    /// Read on in the access log.
    Log,
}

/// A failure, kept for `explain` and for the warnings. No secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// What may have happened.
    pub effect: Effect,
    /// Why.
    pub reason: Reason,
    /// One sentence.
    pub message: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A question for a person: the engine stands still here rather than guess.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// What is asked.
    pub kind: QuestionKind,
    /// Since when: when the call was begun that is asked about, where it is about one.
    pub at: DateTime<Utc>,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum QuestionKind {
    /// Was the card written? Presenting the same card again answers it; so does encoding the method again.
    WasTheCardWritten,
    /// Did the system take it? It cannot tell, and doing it twice would be wrong.
    DidItHappen,
    /// More than one thing carries our tag. Which is right?
    WhichOne,
}

impl MadeCredential {
    /// The most that two credentials can do together.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let mut doors = self.doors;
        doors.extend(other.doors);
        doors.sort();
        doors.dedup();
        let schedule = if self.schedule == other.schedule { self.schedule } else { None };
        let window = self.window.hull(&other.window);
        Self { doors, window, schedule, generation: self.generation.max(other.generation), ..other }
    }
}

impl Target {
    /// The wanted credential, if it is one.
    #[must_use]
    pub fn credential(&self) -> Option<&WantedCredential> {
        match &self.want {
            Wanted::Credential(c) => Some(c),
            _ => None,
        }
    }
    /// When what is wanted opens, if it opens anything.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        match &self.want {
            Wanted::Credential(c) => Some(c.window),
            Wanted::Access { window, .. } => Some(*window),
            Wanted::Stay { .. } | Wanted::User { .. } => None,
        }
    }
    /// The kind of the thing.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.want {
            Wanted::Stay { .. } => Kind::Stay,
            Wanted::User { .. } => Kind::User,
            Wanted::Access { .. } => Kind::Access,
            Wanted::Credential(c) => c.kind,
        }
    }
    /// Whether it is a credential that was issued directly and was taken from whoever had it: it is kept, and opens nothing until it is given to
    /// somebody.
    #[must_use]
    pub fn is_unassigned(&self) -> bool {
        self.of == TargetOf::Direct && self.credential().is_some_and(|c| c.user.is_none() && c.identity.is_none())
    }
    /// Whether it is a credential that is kept and opens nothing: suspended, or nobody's.
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        self.is_unassigned() || self.credential().is_some_and(|c| c.suspended)
    }
    /// Whether what is wanted now has been seen.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        !self.gone && self.needs == Needs::Nothing && matches!(self.seen, SeenState::Present { rev, .. } if rev == self.rev)
    }
    /// Until when what it could do before may still be done, although the system has taken what is wanted now.
    #[must_use]
    pub fn earlier_until(&self) -> Option<DateTime<Utc>> {
        let taken = matches!(self.seen, SeenState::Present { rev, .. } if rev == self.rev) && !self.gone;
        self.may_open_until.filter(|_| taken)
    }
    /// Remembers something that is out there, or may be.
    pub fn remember(&mut self, other: Other) {
        self.others.push(other);
        if self.others.len() > OTHERS {
            let oldest = self.others.remove(0);
            let next = &mut self.others[0];
            next.can = oldest.can.or(next.can.clone());
            next.doubtful &= oldest.doubtful;
            next.card_tag = None;
        }
    }
    /// The latest thing of which nobody knows whether it was made, if it was sent after what counts now.
    #[must_use]
    pub fn doubtful(&self) -> Option<&Other> {
        let since = self.made.as_ref().map(|made| made.at);
        self.others.iter().rfind(|other| other.doubtful && since.is_none_or(|since| other.can.at >= since))
    }
    /// When the lock may open for it, also by what is being sent or may have been: from the first instant to the last.
    #[must_use]
    pub fn held_window(&self) -> Option<Window> {
        let sent = self.sent.as_ref().filter(|_| self.work.in_flight.is_some());
        let all = self.made.iter().chain(sent).chain(self.others.iter().map(|other| &other.can));
        all.map(|made| made.window).reduce(|a, b| a.hull(&b))
    }
    /// Takes that one out of the list.
    pub fn take_doubtful(&mut self) -> Option<MadeCredential> {
        let at = self.doubtful()?.can.at;
        let i = self.others.iter().rposition(|other| other.doubtful && other.can.at == at)?;
        Some(self.others.remove(i).can)
    }
    /// Whether it was taken away, and nobody is still to look whether it is.
    #[must_use]
    pub fn is_out(&self) -> bool {
        self.gone
            && match self.seen {
                SeenState::Absent { certainty } => certainty == Certainty::Verified || !self.work.look,
                SeenState::Never | SeenState::Present { .. } | SeenState::Unknown { .. } => false,
            }
    }
    /// Whether nothing of it is left, for sure.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.gone && matches!(self.seen, SeenState::Absent { certainty: Certainty::Verified })
    }
    pub(super) fn lookups(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        if !self.is_dead() {
            keys.push(Key::id(Index::TargetsAt, self.system));
        }
        match &self.want {
            Wanted::Access { user, .. } if !self.is_dead() => keys.push(Key::id(Index::TargetsOfUser, *user)),
            Wanted::Credential(WantedCredential { user: Some(user), .. }) if !self.is_dead() => {
                keys.push(Key::id(Index::TargetsOfUser, *user));
            }
            // Issued directly to a person, without a user: found by the person.
            Wanted::Credential(WantedCredential { user: None, identity: Some(identity), .. })
                if self.of == TargetOf::Direct && !self.is_dead() =>
            {
                keys.push(Key::id(Index::TargetsOfUser, *identity));
            }
            _ => {}
        }
        if let Some(identity) = self.credential().and_then(|c| c.identity)
            && self.of == TargetOf::Direct
            && self.card_number.is_some()
        {
            keys.push(Key::id(Index::CardsOf, identity));
        }
        let cards: BTreeSet<&String> = self.card_tag.iter().chain(self.others.iter().filter_map(|other| other.card_tag.as_ref())).collect();
        keys.extend(cards.into_iter().map(|tag| Key::new(Index::CardNumber, tag.as_str())));
        if self.work.asks.is_some() {
            keys.push(Key::new(Index::Questions, "open"));
        }
        keys
    }
}

/// Something that a person asked for: made at most once, expiring, never repeated by the engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// What.
    pub action: Action,
    /// The system.
    pub system: AcsSystemId,
    /// Its account.
    pub account: ConnectedAccountId,
    /// The physical end: the encoder's, or the system's.
    pub channel: Channel,
    /// Who asked.
    pub actor: Actor,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Not to be begun before.
    pub begin_at: DateTime<Utc>,
    /// When it is too late to begin.
    pub expires_at: DateTime<Utc>,
    /// For how long a card is waited for, in seconds.
    pub wait_seconds: u32,
    /// Somebody wants it stopped.
    #[serde(default)]
    pub cancel_asked: bool,
    /// Where it stands.
    pub state: AttemptState,
}

/// What a person asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Write a credential on a card.
    Encode {
        /// The credential.
        target: RowId,
        /// Its method, where it has one.
        method: Option<AccessMethodId>,
        /// The encoder.
        encoder: AcsEncoderId,
    },
    /// Read a card.
    Scan {
        /// The encoder.
        encoder: AcsEncoderId,
    },
    /// Read a card and give the credential that is found to somebody.
    ScanToAssign {
        /// The encoder.
        encoder: AcsEncoderId,
        /// To this user,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<AcsUserId>,
        /// or to the user that this person is there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identity: Option<UserIdentityId>,
        /// What was found, once the card is read: the system is still to be told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        found: Option<FoundCard>,
    },
    /// Assign a registered card to a credential.
    Assign {
        /// The credential.
        target: RowId,
        /// Its method, where it has one.
        method: Option<AccessMethodId>,
        /// The card's number, sealed.
        number: Sealed,
    },
    /// Unlock a door on behalf of the holder of a credential.
    Unlock {
        /// The credential.
        target: RowId,
        /// Its method, where it has one.
        method: Option<AccessMethodId>,
        /// The door.
        entrance: AcsEntranceId,
    },
}

/// A card that was found at an encoder, and the credential that is to be bound to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundCard {
    /// The credential.
    pub target: RowId,
    /// What is done with it if the system refuses.
    pub undo: Undo,
    /// The card's number, sealed.
    pub number: Sealed,
}

/// What is done with a credential whose card the system refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// Nothing: it was hers before.
    Nothing,
    /// It is nobody's again.
    Unassign,
    /// It was made for this card, and goes.
    Delete,
}

/// Where an attempt stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// Nobody has begun.
    Waiting,
    /// Begun under this fence; the engine must be done with it at `until`.
    Begun {
        /// The fence of the channel.
        fence: u64,
        /// The call's time limit.
        until: DateTime<Utc>,
    },
    /// Done.
    Success {
        /// What came of it. Ids only.
        result: serde_json::Value,
        /// When.
        at: DateTime<Utc>,
    },
    /// Not done.
    Error {
        /// The error type, as the public model names it.
        #[serde(rename = "type")]
        kind: String,
        /// One sentence.
        message: String,
        /// What may have happened.
        effect: Effect,
        /// When.
        at: DateTime<Utc>,
    },
}

impl Attempt {
    /// The credential that it is about.
    #[must_use]
    pub fn target(&self) -> Option<RowId> {
        match &self.action {
            Action::Encode { target, .. } | Action::Assign { target, .. } | Action::Unlock { target, .. } => Some(*target),
            Action::ScanToAssign { found, .. } => found.as_ref().map(|found| found.target),
            Action::Scan { .. } => None,
        }
    }
    /// The encoder that it occupies.
    #[must_use]
    pub fn encoder(&self) -> Option<AcsEncoderId> {
        match &self.action {
            Action::Encode { encoder, .. } | Action::Scan { encoder } => Some(*encoder),
            Action::ScanToAssign { encoder, found, .. } => found.is_none().then_some(*encoder),
            Action::Assign { .. } | Action::Unlock { .. } => None,
        }
    }
    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, AttemptState::Success { .. } | AttemptState::Error { .. })
    }
    pub(super) fn lookups(&self) -> Vec<Key> {
        if self.is_over() {
            return Vec::new();
        }
        self.target().map(|t| Key::id(Index::AttemptsFor, t)).into_iter().collect()
    }
}

impl Row {
    /// When the row is to be worked on, and through which physical end.
    #[must_use]
    pub fn due(&self) -> Option<Due> {
        match &self.body {
            Body::Account(a) if a.deleted_at.is_none() => {
                a.work.due_at.map(|at| Due { channel: a.channel(self.id), class: Class::Scan, at })
            }
            Body::LogFeed(f) => f.work.due_at.map(|at| Due { channel: f.channel.clone(), class: Class::Scan, at }),
            // Always: whether there is something to deliver is seen in the event stream, not here.
            Body::Webhook(w) if w.is_active() => Some(Due { channel: Channel::webhook(self.id), class: Class::Scan, at: w.created_at }),
            Body::Grant(g) => g.timer.map(|at| Due { channel: Channel::timer(self.workspace), class: Class::Give, at }),
            Body::Target(t) => t.work.due_at.map(|at| {
                let class = if t.gone || t.is_withheld() { Class::Revoke } else { Class::Give };
                Due { channel: t.channel.clone(), class, at }
            }),
            Body::Attempt(a) => match a.state {
                AttemptState::Waiting => Some(Due { channel: a.channel.clone(), class: Class::Person, at: a.begin_at }),
                AttemptState::Begun { until, .. } => Some(Due { channel: a.channel.clone(), class: Class::Person, at: until }),
                _ => None,
            },
            _ => None,
        }
    }
}
