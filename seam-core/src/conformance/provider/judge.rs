//! The other side of a provider: its simulator, as the suite needs it.
use crate::provider::{Door, EntranceReport, Handle, Receipt, SystemRef, Tag, Want};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use std::time::Duration;

/// Tries doors, counts by hand, spoils the wire. One for each simulator.
#[async_trait]
pub trait Judge: Send + Sync {
    /// The present instant, by the clock that provider and simulator go by.
    fn now(&self) -> DateTime<Utc>;
    /// Lets so much time pass: moves the virtual clock on and returns at once, or sleeps. Must be safe to cancel.
    async fn pass(&self, time: Duration);
    /// The doors of a system whose provider has no inventory.
    fn doors(&self, _system: &SystemRef) -> Vec<(Door, EntranceReport)> {
        Vec::new()
    }
    /// Holds what was issued to a door, or types it, or asks the vendor's app: as a person would, not through the provider.
    async fn try_door(&self, door: &Handle, issued: &Issued<'_>) -> Tried;
    /// Types digits at a door.
    async fn try_pin(&self, door: &Handle, pin: &str) -> Tried;
    /// Counts in the simulator how many things of our row it holds. `None`: nobody can tell.
    async fn holds(&self, issued: &Issued<'_>) -> Option<u32>;
    /// How many requests have reached the simulator. `None`: it does not count.
    fn requests(&self) -> Option<u64>;
    /// Spoils every call from now on, or with `None` no more. `false`: the simulator cannot do that.
    async fn spoil(&self, fault: Option<Fault>) -> bool;
    /// Sees to it that one usable card lies on an encoder. `false`: it cannot.
    async fn lay_card(&self, encoder: &Handle) -> bool;
    /// Sees to it that no card lies on an encoder, now and until one is laid there. `false`: it cannot.
    async fn clear_encoder(&self, _encoder: &Handle) -> bool {
        false
    }
    /// The number of a card that is registered and belongs to nobody, a new one each time. `None`: there is none.
    async fn registered_card(&self) -> Option<String>;
    /// What the system does when two people ask for the same PIN at the same door. The suite holds the provider to it.
    fn same_pin(&self) -> SamePin;
}

/// What was issued.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Issued<'a> {
    /// What was asked for.
    pub want: &'a Want,
    /// Our tag.
    pub tag: &'a Tag,
    /// The receipt, where there was one.
    pub receipt: Option<&'a Receipt>,
    /// The PIN, ours or the system's.
    pub pin: Option<&'a SecretString>,
}

/// What came of trying a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It opened.
    Opened,
    /// It stayed shut.
    Refused,
    /// Such a thing cannot be tried at such a door.
    Cannot,
}

/// How the wire is spoilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Nobody listens.
    RefuseConnections,
    /// Requests vanish: nothing happens and no answer comes.
    LoseRequests,
    /// Answers vanish: it happens and no answer comes.
    LoseAnswers,
}

/// What a system does when two people ask for the same PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SamePin {
    /// It takes both: uniqueness is the planner's.
    Taken,
    /// It refuses the second.
    Refused,
}
