//! A row, and what a store derives from it.
use super::*;
use crate::model::WorkspaceId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// The id of a row: the UUID of the typed id of what it holds.
pub type RowId = Uuid;

/// A stored thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its id; time-ordered.
    pub id: RowId,
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// 0 in a row that is not stored yet; given by the store: 1 at first, then counting up.
    pub version: u64,
    /// What it holds.
    pub body: Body,
}

/// What a row holds.
#[expect(clippy::large_enum_variant, reason = "most rows are targets, and every row lives behind an `Arc`: a box would only add a step")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Body {
    /// A tenant's settings.
    Workspace(WorkspaceRow),
    /// A connected account.
    Account(Account),
    /// An access system.
    System(System),
    /// An entrance.
    Entrance(Entrance),
    /// A group of an access system.
    Group(Group),
    /// An encoder.
    Encoder(Encoder),
    /// A space.
    Space(Space),
    /// A person.
    Identity(Identity),
    /// A user of an access system.
    User(AcsUser),
    /// A grant.
    Grant(Grant),
    /// An access method.
    Method(Method),
    /// A stay.
    Stay(Stay),
    /// A thing wanted at a system.
    Target(Target),
    /// Something a person asked for.
    Attempt(Attempt),
    /// An instant key.
    InstantKey(InstantKey),
    /// An answer kept under an idempotency key.
    Answer(Answer),
    /// Something that a system holds and that is not ours.
    Unmanaged(Unmanaged),
    /// How far a system's access log has been read.
    LogFeed(LogFeed),
    /// A client session.
    ClientSession(ClientSession),
    /// An endpoint that is told what happens.
    Webhook(Webhook),
}

/// The kind of a row, for listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum RowKind {
    /// [`Body::Workspace`]
    Workspace = 0,
    /// [`Body::Account`]
    Account = 1,
    /// [`Body::System`]
    System = 2,
    /// [`Body::Entrance`]
    Entrance = 3,
    /// [`Body::Group`]
    Group = 4,
    /// [`Body::Encoder`]
    Encoder = 5,
    /// [`Body::Space`]
    Space = 6,
    /// [`Body::Identity`]
    Identity = 7,
    /// [`Body::User`]
    User = 8,
    /// [`Body::Grant`]
    Grant = 9,
    /// [`Body::Method`]
    Method = 10,
    /// [`Body::Stay`]
    Stay = 11,
    /// [`Body::Target`]
    Target = 12,
    /// [`Body::Attempt`]
    Attempt = 13,
    /// [`Body::InstantKey`]
    InstantKey = 14,
    /// [`Body::Answer`]
    Answer = 15,
    /// [`Body::Unmanaged`]
    Unmanaged = 16,
    /// [`Body::LogFeed`]
    LogFeed = 17,
    /// [`Body::ClientSession`]
    ClientSession = 24,
    /// [`Body::Webhook`]
    Webhook = 25,
}

impl Body {
    /// The kind.
    #[must_use]
    pub fn kind(&self) -> RowKind {
        match self {
            Self::Workspace(_) => RowKind::Workspace,
            Self::Account(_) => RowKind::Account,
            Self::System(_) => RowKind::System,
            Self::Entrance(_) => RowKind::Entrance,
            Self::Group(_) => RowKind::Group,
            Self::Encoder(_) => RowKind::Encoder,
            Self::Space(_) => RowKind::Space,
            Self::Identity(_) => RowKind::Identity,
            Self::User(_) => RowKind::User,
            Self::Grant(_) => RowKind::Grant,
            Self::Method(_) => RowKind::Method,
            Self::Stay(_) => RowKind::Stay,
            Self::Target(_) => RowKind::Target,
            Self::Attempt(_) => RowKind::Attempt,
            Self::InstantKey(_) => RowKind::InstantKey,
            Self::Answer(_) => RowKind::Answer,
            Self::Unmanaged(_) => RowKind::Unmanaged,
            Self::LogFeed(_) => RowKind::LogFeed,
            Self::ClientSession(_) => RowKind::ClientSession,
            Self::Webhook(_) => RowKind::Webhook,
        }
    }

    /// Under which keys the row is found. A row that is deleted or ended gives fewer keys: it is kept, but no longer found by them.
    #[must_use]
    pub fn lookups(&self) -> Vec<Key> {
        match self {
            Self::Workspace(_) => Vec::new(),
            Self::Account(r) => r.lookups(),
            Self::System(r) => r.lookups(),
            Self::Entrance(r) => r.lookups(),
            Self::Group(r) => r.lookups(),
            Self::Encoder(r) => r.lookups(),
            Self::Space(r) => r.lookups(),
            Self::Identity(r) => r.lookups(),
            Self::User(r) => r.lookups(),
            Self::Grant(r) => r.lookups(),
            Self::Method(r) => r.lookups(),
            Self::Stay(r) => r.lookups(),
            Self::Target(r) => r.lookups(),
            Self::Attempt(r) => r.lookups(),
            Self::InstantKey(r) => r.lookups(),
            Self::Answer(r) => r.lookups(),
            Self::Unmanaged(r) => r.lookups(),
            Self::LogFeed(r) => r.lookups(),
            Self::ClientSession(r) => r.lookups(),
            Self::Webhook(r) => r.lookups(),
        }
    }

    /// What the row occupies: PINs, slots, stays at doors.
    #[must_use]
    pub fn claims(&self) -> &[Claim] {
        match self {
            Self::Target(t) => &t.claims,
            Self::Stay(s) => &s.claims,
            Self::Unmanaged(u) => &u.claims,
            _ => &[],
        }
    }
}

/// When a row is to be worked on, and through which physical end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Due {
    /// The physical end.
    pub channel: Channel,
    /// Who goes first.
    pub class: Class,
    /// When.
    pub at: DateTime<Utc>,
}

/// Who goes first on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Class {
    /// A person waits.
    Person = 0,
    /// Access is to be taken away.
    Revoke = 1,
    /// Access is to be given or changed.
    Give = 2,
    /// Looking around: discovery and drift.
    Scan = 3,
}

/// A physical end of the world, as `kind|end`: the provider kind that can serve it, and its [`key`](crate::provider::ChannelReport::key).
///
/// The engine's own timers are channels of the kind `timer`, one per workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Channel(Arc<str>);

impl Channel {
    /// The channel of a provider kind at a physical end.
    #[must_use]
    pub fn new(kind: &str, end: &str) -> Self {
        Self(format!("{kind}|{end}").into())
    }
    /// The engine's timers of a workspace.
    #[must_use]
    pub fn timer(workspace: WorkspaceId) -> Self {
        Self::new(Self::TIMER, &workspace.to_string())
    }
    /// The kind of the engine's own timers.
    pub const TIMER: &'static str = "timer";
    /// The deliveries of a webhook.
    #[must_use]
    pub fn webhook(id: impl Into<Uuid>) -> Self {
        Self::new(Self::WEBHOOK, &id.into().simple().to_string())
    }
    /// The kind of the deliveries of webhooks. They are claimed one by one ([`CanServe::only`](crate::store::CanServe::only)), when there is something
    /// to deliver.
    pub const WEBHOOK: &'static str = "webhook";
    /// The provider kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.split('|').next().unwrap_or_default()
    }
    /// The physical end.
    #[must_use]
    pub fn end(&self) -> &str {
        self.0.split_once('|').map_or("", |(_, end)| end)
    }
    /// Both.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Channel {
    fn from(s: &str) -> Self {
        Self(s.into())
    }
}
impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
