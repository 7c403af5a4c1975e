//! The plug for an access system: a trait, its optional facets, and plain data.
mod address;
mod facets;
mod http;
mod outcome;
mod report;
mod secret;
mod settings;
mod spec;

pub use address::not_public;
pub use facets::*;
pub use http::*;
pub use outcome::*;
pub use report::*;
pub use settings::{SettingsFault, check_settings};
pub use spec::*;

use async_trait::async_trait;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::fmt::{Debug, Display};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;

/// A connected account of an access system: it carries what is wanted to the system and reports what the system holds.
///
/// # Contract
/// - **Certainty.** `Ok` says how sure the system is ([`Certainty`]). `Err` says what may have happened ([`Failure::effect`]):
///   busy, offline and rate limited are `Nothing`; once a request may have reached the system and no answer came, it is `Unknown`.
/// - **Levels, not edges.** `put` is asked for the whole wanted thing, first time and on every change. `remove` of something that is
///   absent already is `Ok`.
/// - **Time limit.** [`Call::within`] is obeyed by closing the connection; a call that runs longer breaks the lease of its channel.
/// - **Tag.** [`Call::tag`] names our row. Where the system can store a name, a note or an external id, store it, so that
///   `find` works without a handle.
/// - **Honesty.** What the system cannot do is `Refused` with [`Reason::Unsupported`] before anything is sent. No route, field or byte
///   is guessed.
/// - **Secrets** never go into errors, `Debug` or logs.
/// - **Cancellation.** A dropped future may leave the system in any state; the engine treats it as `Unknown`.
#[async_trait]
pub trait AccessSystemProvider: Debug + Display + Send + Sync + 'static {
    /// The systems of this account and their rules. Called at connection and on every scan.
    ///
    /// # Errors
    /// `Nothing` when the account cannot be reached now, `Refused` ([`Reason::Unauthenticated`], [`Reason::Forbidden`]) when a person has to do
    /// something about the login. Never `Unknown`.
    async fn systems(&self) -> Result<Vec<SystemReport>, Failure>;
    /// Makes the system hold `want`. `had` is the handle of an earlier receipt for the same row.
    ///
    /// # Errors
    /// `Nothing`: not sent, or surely without effect; it is tried again. `Refused`: understood and not done; tried again when something changes.
    /// `Unknown`: it may have happened; the [`Repeat`] rule of the kind decides. What was asked for wrongly (a window that vanishes, a PIN of the
    /// wrong length, too many doors) is `Refused` before anything is sent.
    async fn put(&self, want: &Want, had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure>;
    /// Makes the system not hold it any more. Absent already is `Ok`.
    ///
    /// # Errors
    /// As [`put`](Self::put). Removing may always be repeated, whatever the rule says.
    async fn remove(&self, last: &Want, had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure>;
    /// Looks whether the system holds it.
    ///
    /// # Errors
    /// As [`systems`](Self::systems).
    async fn find(&self, want: &Want, had: Option<&Handle>, call: &Call<'_>) -> Result<Found, Failure>;

    /// What stands between this account and its first grant: reachability, credentials, licences, seats, doors, encoders. Empty: nothing that could be
    /// seen. Without one of its own, a provider is only asked whether it reaches its systems.
    async fn readiness(&self) -> Vec<Finding> {
        match self.systems().await {
            Err(failure) => vec![Finding::unreachable(&failure)],
            Ok(systems) if systems.is_empty() => vec![Finding::new(true, "no_system", "the account has no system")],
            Ok(_) => Vec::new(),
        }
    }

    /// Lists what the system has: entrances, groups, what is held. Needed for discovery and drift.
    fn inventory(&self) -> Option<&dyn Inventory> {
        None
    }
    /// Encoders that the system owns.
    fn encoders(&self) -> Option<&dyn VendorEncoders> {
        None
    }
    /// Card images that the system computes for our own encoder to write.
    fn card_images(&self) -> Option<&dyn CardImages> {
        None
    }
    /// Remote unlock.
    fn unlock(&self) -> Option<&dyn RemoteUnlock> {
        None
    }
    /// The record of who opened what.
    fn access_log(&self) -> Option<&dyn AccessLog> {
        None
    }
}

/// What every call brings with it.
#[derive(Debug)]
pub struct Call<'a> {
    /// The system that is meant.
    pub system: &'a SystemRef,
    /// Our short name of the row, at most 32 ASCII characters.
    pub tag: Tag,
    /// 1 for the first try, then counting up.
    pub attempt: u32,
    /// The time limit of this call.
    pub within: Duration,
    /// Who asked, for the operator field of the system, where it has one. An id or a role, never a secret.
    pub operator: Option<&'a str>,
    /// Keeps a half-way handle, durably, before the call goes on.
    pub notes: &'a dyn Notes,
}

/// Keeps a half-way handle durably: a system that answers in two steps can be found again after a crash in between.
#[async_trait]
pub trait Notes: Debug + Send + Sync {
    /// Durable when it returns.
    ///
    /// # Errors
    /// `Nothing` when the store cannot be reached, `Refused` when the channel belongs to another instance by now: stop, and send nothing more.
    async fn keep(&self, half_way: &Handle) -> Result<(), Failure>;
}

/// Which system of an account is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemRef {
    /// Our id of it.
    pub id: crate::model::AcsSystemId,
    /// The vendor's name of it.
    pub handle: Handle,
}

/// What a provider may use of its surroundings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ProviderEnv {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The provider's own sealed record.
    pub memo: Arc<dyn Memo>,
}

impl ProviderEnv {
    /// Surroundings made of their parts.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, memo: Arc<dyn Memo>) -> Self {
        Self { clock, memo }
    }
}

/// The provider's own sealed record (a rotating refresh token, say), shared by all instances, changed by compare-and-swap.
#[async_trait]
pub trait Memo: Debug + Send + Sync {
    /// The version and the content; version 0 and an empty string at first.
    ///
    /// # Errors
    /// `Nothing` when the store cannot be reached.
    async fn load(&self) -> Result<(u64, SecretString), Failure>;
    /// Replaces the content if the version is still `version`; `false` if somebody else was first.
    ///
    /// # Errors
    /// `Nothing` when the store cannot be reached; `Unknown` when it may have been replaced: load it again.
    async fn swap(&self, version: u64, new: SecretString) -> Result<bool, Failure>;
}

/// Makes providers of one kind.
pub trait ProviderFactory: Debug + Send + Sync + 'static {
    /// The kind, in snake case: the name under which accounts are connected. Never changes.
    fn kind(&self) -> &'static str;
    /// The JSON schema of the settings.
    fn settings_schema(&self) -> serde_json::Value;
    /// Opens an account. No I/O: a dead vendor does not slow a start.
    ///
    /// # Errors
    /// `Refused` when the settings do not fit the schema.
    fn open(&self, settings: SecretString, env: ProviderEnv) -> Result<Arc<dyn AccessSystemProvider>, Failure>;
}

/// One finding of a readiness check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// Whether grants can work in spite of it.
    pub blocking: bool,
    /// A stable name in snake case.
    pub code: String,
    /// One sentence for a person.
    pub message: String,
}

impl Finding {
    /// A finding.
    #[must_use]
    pub fn new(blocking: bool, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { blocking, code: code.into(), message: message.into() }
    }
    /// The account cannot be read: because its login was refused, or because nobody answers.
    #[must_use]
    pub fn unreachable(failure: &Failure) -> Self {
        let code = match failure.reason {
            Reason::Unauthenticated | Reason::Forbidden => "login_refused",
            _ => "system_unreachable",
        };
        Self::new(true, code, failure.message.clone())
    }
}
