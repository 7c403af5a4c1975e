//! The plug for state: one trait, a memory store, and (feature `sqlite`) an SQLite store.
mod audit;
pub(crate) mod changes;
mod logic;
mod memory;
pub(crate) mod perform;
pub(crate) mod recent;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(all(feature = "fuzzing", feature = "sqlite"))]
pub(crate) use sqlite::fuzzing;
pub(crate) mod stream;
mod vault;

pub use audit::{audit_genesis, verify_audit, verify_told};
pub use changes::{Changes, Looked, Mark};
pub use memory::MemoryStore;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStats, SqliteStore};
pub(crate) use vault::hex;
pub use vault::{KeyProvider, StaticKeys, Vault};

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::model::{ChangesetId, InstanceId, WorkspaceId};
use crate::state::*;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

/// Where state lives.
///
/// # Contract
/// - **A commit is all or nothing and durable when it returns.** All preconditions are checked against the state in which it is applied. A failed
///   precondition touches only its own changeset, however many callers share a transaction.
/// - **A read is one snapshot.** Rows of other workspaces are not there.
/// - **Events** get sequence numbers 1, 2, 3, ... per workspace, without a gap, in the order of the commits; so do audit entries, each hashed with
///   the one before it.
/// - **A channel has one owner** at a time. Leases are measured by the store's own clock. A fence is never given twice.
/// - What is derived of a row ([`Body::lookups`], [`Body::claims`], [`Row::due`]) changes in the same commit as the row.
#[async_trait]
pub trait Store: Debug + Send + Sync + 'static {
    /// The store's clock, by which leases run.
    fn clock(&self) -> &Arc<dyn Clock>;

    /// What tells whether something that was looked at was touched by a commit since, so that what was made of it can be kept; `None`: this store
    /// cannot tell, and everything is made anew.
    fn changes(&self) -> Option<&Changes> {
        None
    }

    /// Reads rows by id, rows by key, claims near windows, in one snapshot. Claims are told of all workspaces.
    ///
    /// # Errors
    /// `Store` when the database cannot be used (may be retried while [`Error::is_passing`](crate::error::Error::is_passing)); `Corrupt` for a row that
    /// does not decode.
    async fn read(&self, workspace: WorkspaceId, what: &ReadSet) -> Result<Facts>;

    /// Applies a changeset.
    ///
    /// # Errors
    /// As [`CommitError`] says: whether it may have been written is always told.
    async fn commit(&self, set: Changeset) -> std::result::Result<Committed, CommitError>;

    /// Decides and commits with nobody in between: what a caller does after its optimistic commit has met a conflict.
    /// Gives the decision back, so that the caller finds its answer in it.
    ///
    /// # Errors
    /// As [`commit`](Self::commit), and whatever the decision refuses for.
    async fn transact(
        &self,
        workspace: WorkspaceId,
        decision: Box<dyn Decision>,
    ) -> std::result::Result<(Committed, Box<dyn Decision>), CommitError>;

    /// Whether a commit whose answer was lost has happened. Asked soon after it; a store may forget commits that are older than a day.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    async fn outcome(&self, workspace: WorkspaceId, id: ChangesetId) -> Result<Option<Committed>>;

    /// Lists rows in the order of their ids, a page at a time.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    async fn list(&self, workspace: WorkspaceId, query: &ListQuery) -> Result<Vec<Arc<Row>>>;

    /// All workspaces, in the order of their ids.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    async fn workspaces(&self) -> Result<Vec<WorkspaceId>>;

    /// The webhooks of all workspaces that are not deleted, in the order of the workspaces, then of their own ids. An engine asks for them often: a
    /// store that can tell answers in one look, and from memory while none of them changes.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    async fn webhooks(&self) -> Result<Vec<Arc<Row>>> {
        let wanted = ReadSet { keys: BTreeSet::from([webhooks_key()]), ..ReadSet::default() };
        let mut rows = Vec::new();
        for workspace in self.workspaces().await? {
            rows.extend(self.read(workspace, &wanted).await?.rows.into_values().flatten());
        }
        Ok(rows)
    }

    /// Takes one channel that has something due now, which nobody holds and which `can` serve: the one with the most urgent class, then the
    /// longest due. `None` when there is none.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    async fn claim(&self, me: InstanceId, can: &CanServe, lease: Duration) -> Result<Option<Lease>>;

    /// Renews the lease and gives what is due now on the channel: most urgent class first, then the earliest. `None` when the lease is lost.
    ///
    /// # Errors
    /// As [`read`](Self::read). A lease that is lost is no error.
    async fn due(&self, lease: &Lease, for_another: Duration, at_most: usize) -> Result<Option<Vec<Arc<Row>>>>;

    /// Gives a channel back. Harmless when the lease is lost.
    ///
    /// # Errors
    /// As [`read`](Self::read); the lease then runs out by itself.
    async fn release(&self, lease: &Lease) -> Result<()>;

    /// The next instant at which something is due, or a lease of another instance runs out on a channel with something due; `None` when nothing is.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    async fn next_due(&self, can: &CanServe) -> Result<Option<DateTime<Utc>>>;

    /// Returns when something has been committed since the call; the wait counts from the call, not from the first poll. Cancel-safe. May return too
    /// often, never too seldom.
    async fn changed(&self);

    /// Events after `after`, in order.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    async fn events(&self, workspace: WorkspaceId, after: u64, at_most: usize) -> Result<Vec<StoredEvent>>;

    /// Where a named consumer stands: the last event it has acknowledged, 0 at first.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    async fn cursor(&self, workspace: WorkspaceId, consumer: &str) -> Result<u64>;

    /// Moves a named consumer forward. Never moves it back, nor past the last event that there is.
    ///
    /// # Errors
    /// As [`read`](Self::read); whether the cursor moved is seen by [`cursor`](Self::cursor). the name was checked.
    async fn ack(&self, workspace: WorkspaceId, consumer: &str, upto: u64) -> Result<()>;

    /// The audit chain after `after`, in order.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    async fn audit(&self, workspace: WorkspaceId, after: u64, at_most: usize) -> Result<Vec<AuditEntry>>;
}

/// A decision that is asked again with more facts until it is done.
pub trait Decision: Send {
    /// Decides on these facts. Asked anew from the start each time.
    ///
    /// # Errors
    /// The request cannot be granted; nothing is written.
    fn decide(&mut self, facts: &Facts) -> Result<Step>;
}

/// What a decision came to.
#[derive(Debug)]
pub enum Step {
    /// More facts are needed.
    Need(ReadSet),
    /// This is to be committed.
    Done(Box<Changeset>),
    /// Nothing is to be written.
    Nothing,
}

/// A commit that was applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The sequence number of the workspace's last event after it.
    pub last_event: u64,
}

/// A commit that was not applied, or perhaps was.
#[derive(Clone, Debug)]
pub enum CommitError {
    /// A precondition does not hold. Nothing was written.
    Conflict(Conflict),
    /// The answer to the commit was lost: ask [`Store::outcome`].
    InDoubt(ChangesetId),
    /// The decision refused, or the database cannot be used. Nothing was written.
    Failed(Error),
}

impl From<Error> for CommitError {
    fn from(e: Error) -> Self {
        Self::Failed(e)
    }
}

/// Which precondition does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conflict {
    /// A row is not in the expected version.
    Row(RowId),
    /// A unique key finds another row. The id is nil when that row belongs to another workspace.
    KeyTaken(Key, RowId),
    /// A key finds other rows than expected.
    Listed(Key),
    /// A claim meets another.
    NotFree(ClaimKey),
    /// The channel is no longer held.
    Fence(Channel),
}

/// What to list.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Rows of this kind.
    pub kind: RowKind,
    /// Only rows found by this key.
    pub key: Option<Key>,
    /// Only rows after this id.
    pub after: Option<RowId>,
    /// How many at most.
    pub limit: usize,
}

impl ListQuery {
    /// All rows of a kind, 500 at a time.
    #[must_use]
    pub fn all(kind: RowKind) -> Self {
        Self { kind, key: None, after: None, limit: 500 }
    }
    /// Rows of a kind that a key finds.
    #[must_use]
    pub fn by(kind: RowKind, key: Key) -> Self {
        Self { kind, key: Some(key), after: None, limit: 500 }
    }
}

/// What an instance can serve. It must not claim a channel whose provider it does not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CanServe {
    /// Provider kinds with a registered factory. The engine's own timers are the kind [`Channel::TIMER`].
    pub kinds: BTreeSet<String>,
    /// Ends that only this machine has; an end that starts with `local:` is served by nobody else.
    pub local: BTreeSet<String>,
    /// Channels that are served whatever their kind: of work that is claimed only when its owner knows that there is some (webhooks).
    pub channels: BTreeSet<Channel>,
}

impl CanServe {
    /// Nothing but these channels.
    #[must_use]
    pub fn only(channels: impl IntoIterator<Item = Channel>) -> Self {
        Self { channels: channels.into_iter().collect(), ..Self::default() }
    }
    /// Whether a channel may be claimed.
    #[must_use]
    pub fn serves(&self, channel: &Channel) -> bool {
        self.channels.contains(channel)
            || self.kinds.contains(channel.kind()) && (!channel.end().starts_with("local:") || self.local.contains(channel.end()))
    }
}

/// A channel that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The channel.
    pub channel: Channel,
    /// Who holds it.
    pub owner: InstanceId,
    /// Counts up with every claim of the channel.
    pub fence: u64,
}

/// A seed from the operating system.
pub(crate) fn os_seed() -> u64 {
    use rand::Rng as _;
    let mut rng: rand::rngs::StdRng = rand::make_rng();
    rng.next_u64()
}
