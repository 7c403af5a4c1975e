//! What an explanation says: an answer, and the facts that decide it.
use crate::model::{AccessGrantId, AccessMethodId, AccessMethodMode, AcsCredentialId, AcsEntranceId, ResidualReason, UserIdentityId, time};
use crate::plan::residual::Dies;
use crate::state::QuestionKind;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whether a person can enter at a door at an instant, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The person.
    pub user_identity_id: UserIdentityId,
    /// The door.
    pub acs_entrance_id: AcsEntranceId,
    /// The instant.
    #[serde(with = "time::instant")]
    pub at: DateTime<Utc>,
    /// The answer.
    pub can_enter: CanEnter,
    /// The facts: of the door first, then of each grant, then of each credential. What decided stands among them.
    pub facts: Vec<Fact>,
}

/// Whether a person can enter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CanEnter {
    /// Something that she has opens the door.
    Yes,
    /// Nothing that she has opens the door.
    No,
    /// It depends on something that is not known here: what the lock has learned, what a call came to, what happens until then.
    Perhaps {
        /// The first of the facts that leave it open.
        why: Box<Fact>,
    },
}

impl fmt::Display for CanEnter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes => f.write_str("Yes."),
            Self::No => f.write_str("No."),
            Self::Perhaps { why } => write!(f, "Perhaps: {why}"),
        }
    }
}

/// One fact, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fact {
    /// The grant that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_grant_id: Option<AccessGrantId>,
    /// The method that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_method_id: Option<AccessMethodId>,
    /// The credential that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acs_credential_id: Option<AcsCredentialId>,
    /// What is so.
    #[serde(flatten)]
    pub says: Says,
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.says.fmt(f)
    }
}

impl From<Says> for Fact {
    fn from(says: Says) -> Self {
        Self { access_grant_id: None, access_method_id: None, acs_credential_id: None, says }
    }
}

/// What is so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fact")]
#[non_exhaustive]
pub enum Says {
    /// No grant and no credential of the person ever reached the door.
    NothingReachesTheDoor,
    /// The grant's end has passed.
    GrantEnded {
        /// When.
        at: DateTime<Utc>,
    },
    /// The grant was deleted.
    GrantDeleted {
        /// When.
        at: DateTime<Utc>,
    },
    /// The grant is suspended.
    GrantSuspended,
    /// The grant has this door no more.
    DoorNotInGrant,
    /// The credential opens the door.
    Opens {
        /// How.
        mode: AccessMethodMode,
        /// Until when; none: without an end.
        until: Option<DateTime<Utc>>,
    },
    /// The door does not take this kind of credential.
    NotTaken {
        /// The kind.
        mode: AccessMethodMode,
    },
    /// The credential, as it was made or is wanted, has other doors.
    OtherDoors,
    /// Its time has not come.
    Before {
        /// When it does.
        starts_at: DateTime<Utc>,
        /// The same, on the clock of the site.
        local: String,
    },
    /// Its time has passed.
    After {
        /// When it did.
        ends_at: DateTime<Utc>,
        /// The same, on the clock of the site.
        local: String,
    },
    /// The weekly schedule does not admit her at that hour.
    OutsideSchedule {
        /// The hour, on the clock of the site.
        local: String,
    },
    /// The credential is suspended.
    Suspended,
    /// The user is suspended or deleted at the system.
    UserBarred,
    /// Nothing has been sent to the system yet.
    NotIssued {
        /// When it is sent.
        due_at: Option<DateTime<Utc>>,
    },
    /// No card has been written, or not since what it opens has changed.
    NotEncoded {
        /// An older one was written and is still in the person's hand.
        again: bool,
    },
    /// No card has been assigned.
    NotAssigned,
    /// No phone has been enrolled.
    NoPhone,
    /// The system took it and cannot, or did not yet, confirm that it is in force.
    NotConfirmed,
    /// A change is on its way; the door still knows what was before.
    ChangeOnItsWay,
    /// A withdrawal is on its way.
    RevocationOnItsWay,
    /// The last call about it had no answer.
    OutcomeUnknown,
    /// It waits for a person to answer a question.
    WaitsForAnswer {
        /// What is asked.
        question: QuestionKind,
        /// Since when.
        since: DateTime<Utc>,
    },
    /// A key of a later stay was made for this door. When it is used there, this one is dead.
    OverriddenIfUsed {
        /// The reservation key of the later stay; the credential's own when its stay was opened again.
        reservation_key: String,
        /// From when that key can be used there.
        from: DateTime<Utc>,
    },
    /// The card was reported lost. Whoever has it may enter.
    Lost,
    /// Access was withdrawn, and this credential may still open the door.
    Residual {
        /// Until when; none: nothing ends it by itself.
        until: Option<DateTime<Utc>>,
        /// What the door is waiting for.
        why: ResidualReason,
        /// How it dies.
        dies: Dies,
    },
    /// The lock keeps no end: only the engine takes it away in time.
    EndsByEngine,
    /// The door opens for every guest of the system by itself.
    Implicit,
    /// The system no longer shows the door: what is known of it may be out of date.
    EntranceMissing {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// The system cannot be reached: nothing that changes gets there.
    SystemDisconnected {
        /// Since when.
        since: DateTime<Utc>,
    },
}

impl Says {
    /// Whether it is a reason why the answer is not known.
    pub(super) fn is_doubt(&self) -> bool {
        matches!(
            self,
            Self::NotConfirmed
                | Self::ChangeOnItsWay
                | Self::RevocationOnItsWay
                | Self::OutcomeUnknown
                | Self::WaitsForAnswer { .. }
                | Self::OverriddenIfUsed { .. }
                | Self::Lost
                | Self::EndsByEngine
                | Self::EntranceMissing { .. }
                | Self::NotIssued { .. }
                | Self::NotEncoded { .. }
                | Self::NotAssigned
                | Self::NoPhone
                | Self::Residual { .. }
        )
    }
}

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = |at: &DateTime<Utc>| time::text(*at);
        match self {
            Self::NothingReachesTheDoor => f.write_str("No grant of this person reaches this door."),
            Self::GrantEnded { at } => write!(f, "The grant ended on {}.", instant(at)),
            Self::GrantDeleted { at } => write!(f, "The grant was deleted on {}.", instant(at)),
            Self::GrantSuspended => f.write_str("The grant is suspended."),
            Self::DoorNotInGrant => f.write_str("The grant does not have this door any more."),
            Self::Opens { mode, until } => {
                let mode = super::status::mode_name(mode);
                match until {
                    Some(until) => write!(f, "{mode}: opens the door until {}.", instant(until)),
                    None => write!(f, "{mode}: opens the door, without an end."),
                }
            }
            Self::NotTaken { mode } => write!(f, "The door does not take this: {}.", super::status::mode_name(mode)),
            Self::OtherDoors => f.write_str("The credential has other doors."),
            Self::Before { local, .. } => write!(f, "It opens only from {local}."),
            Self::After { local, .. } => write!(f, "It opened only until {local}."),
            Self::OutsideSchedule { local } => write!(f, "The weekly schedule does not admit anybody at {local}."),
            Self::Suspended => f.write_str("The credential is suspended."),
            Self::UserBarred => f.write_str("The user is suspended or gone at the access system."),
            Self::NotIssued { due_at: Some(at) } => {
                write!(f, "Nothing has been sent to the access system yet; that happens on {}.", instant(at))
            }
            Self::NotIssued { due_at: None } => f.write_str("Nothing has been sent to the access system yet."),
            Self::NotEncoded { again: false } => f.write_str("No card has been written yet."),
            Self::NotEncoded { again: true } => f.write_str("The card was not written again since what it opens has changed."),
            Self::NotAssigned => f.write_str("No card has been assigned yet."),
            Self::NoPhone => f.write_str("No phone has been enrolled yet."),
            Self::NotConfirmed => f.write_str("The access system took it; that the door knows it was not confirmed."),
            Self::ChangeOnItsWay => f.write_str("A change is on its way; until it arrives the door knows what was before."),
            Self::RevocationOnItsWay => f.write_str("The withdrawal is on its way."),
            Self::OutcomeUnknown => {
                f.write_str("The last call about it had no answer: the door may know what was before, or what is wanted, or nothing.")
            }
            Self::WaitsForAnswer { since, .. } => write!(f, "It waits since {} for a person to answer a question.", instant(since)),
            Self::OverriddenIfUsed { reservation_key, from } => {
                write!(
                    f,
                    "A key of stay {reservation_key:?} was made for this door; once it is used there, from {} on, this one is dead.",
                    instant(from)
                )
            }
            Self::Lost => f.write_str("The card was reported lost; whoever has it may enter."),
            Self::Residual { until: Some(until), dies, .. } => {
                write!(f, "Access was withdrawn, but this may still open the door until {}: it {dies}.", instant(until))
            }
            Self::Residual { until: None, dies, .. } => write!(f, "Access was withdrawn, but this may still open the door: it {dies}."),
            Self::EndsByEngine => f.write_str("The lock keeps no end; only the engine takes it away in time."),
            Self::Implicit => f.write_str("This door opens for every guest of the access system by itself."),
            Self::EntranceMissing { since } => {
                write!(f, "The access system does not show this door since {}: what is known of it may be out of date.", instant(since))
            }
            Self::SystemDisconnected { since } => {
                write!(f, "The access system cannot be reached since {}: nothing that changes gets there.", instant(since))
            }
        }
    }
}
