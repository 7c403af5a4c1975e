//! The public objects: plain data, JSON-compatible with the public Seam API. No I/O.
//!
//! Three rules hold for every object here:
//! - A field that the API calls required is always written. An optional one is left out when it has no value, and a
//!   required one that may be empty is written as `null`. Reading is lenient: arrays that are missing are empty.
//! - What an access system adds (`<kind>_metadata`) and what this version does not know lives in one flattened map,
//!   `extra`, and survives a round trip. Kinds, codes and modes that are not known stay as the text they came as.
//! - Secrets that the API shows to their owner are [`Shown`]: in the JSON, never in `Debug` output.
mod access_grant;
mod access_method;
mod acs_access_group;
mod acs_credential;
mod acs_encoder;
mod acs_entrance;
mod acs_system;
mod acs_user;
mod action_attempt;
pub mod civil;
mod client_session;
pub mod codes;
mod connected_account;
mod day;
mod event;
mod event_type;
mod ids;
mod instant_key;
mod map;
mod mutation;
mod notice;
mod open;
mod page;
mod residual;
mod secret;
mod space;
pub mod time;
mod unmanaged;
mod user_identity;
mod webhook;
mod weekly;
mod window;
mod workspace;

#[cfg(test)]
mod tests;

pub use access_grant::{AccessGrant, AccessMethodRequest, Holder, RequestedAccessMethod};
pub use access_method::{AccessMethod, AccessMethodMode};
pub use acs_access_group::AcsAccessGroup;
pub use acs_credential::AcsCredential;
pub use acs_encoder::AcsEncoder;
pub use acs_entrance::AcsEntrance;
pub use acs_system::{AcsSystem, SystemLocation};
pub use acs_user::{AccessSchedule, AcsUser};
pub use action_attempt::{
    ActionAttempt, ActionError, ActionResult, ActionStatus, ActionType, CredentialOnEncoder, ScanResult, ScanWarning, UnlockResult,
};
pub use client_session::ClientSession;
pub use connected_account::{ConnectedAccount, UserIdentifier};
pub use day::{DaySet, TimeOfDay};
pub use event::{Event, EventBody};
pub use event_type::EventType;
pub use ids::*;
pub use instant_key::{InstantKey, InstantKeyCustomization};
pub use map::Map;
pub use mutation::{PendingMutation, Profile, Variant};
pub use notice::{FailedDevice, ObjectError, TimeConstraint, Warning};
pub use page::{Page, Pagination};
pub use residual::{ResidualAccess, ResidualReason};
pub use secret::Shown;
pub use space::{CustomerData, Geolocation, Space};
pub use unmanaged::{UnmanagedAccessGrant, UnmanagedAccessMethod, UnmanagedUserIdentity};
pub use user_identity::UserIdentity;
pub use webhook::{ParkedReason, Webhook, WebhookFailure, WebhookLine, WebhookState, WebhookStatus};
pub use weekly::{Weekly, WeeklyError, WeeklySpan};
pub use window::{Window, WindowError};
pub use workspace::WorkspaceInfo;
