//! What can be asked for, as data. The same [`Change`] serves the deed, the preview, the inbox and the simulation.
use crate::model::{
    AccessGrantId, AccessMethodId, AccessMethodMode, AcsAccessGroupId, AcsCredentialId, AcsEncoderId, AcsEntranceId, AcsSystemId,
    AcsUserId, ActionAttemptId, ConnectedAccountId, Holder, InstantKeyId, Shown, SpaceId, UserIdentityId, Weekly, WorkspaceId,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Something that is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// Make a workspace.
    CreateWorkspace(NewWorkspace),
    /// Grant access.
    CreateGrant(Box<NewGrant>),
    /// Change a grant's window, schedule or name.
    UpdateGrant(GrantUpdate),
    /// Take a grant away, for good.
    DeleteGrant {
        /// The grant.
        grant: AccessGrantId,
    },
    /// Suspend a grant, or take it up again.
    SuspendGrant {
        /// The grant.
        grant: AccessGrantId,
        /// Suspended or not.
        suspended: bool,
    },
    /// Add methods to a grant.
    RequestMethods {
        /// The grant.
        grant: AccessGrantId,
        /// How.
        methods: Vec<NewMethod>,
    },
    /// Take methods away.
    DeleteMethods(MethodsOf),
    /// A card is lost: make another in its place that ends the lost one.
    ReplaceLost {
        /// The lost card's method.
        method: AccessMethodId,
    },

    /// Make a space.
    CreateSpace(NewSpace),
    /// Change a space. Lists replace the sets.
    UpdateSpace(SpaceUpdate),
    /// Add entrances to a space, or remove some. Grants follow.
    ChangeSpaceEntrances {
        /// The space.
        space: SpaceId,
        /// To be added.
        add: Vec<AcsEntranceId>,
        /// To be removed.
        remove: Vec<AcsEntranceId>,
    },
    /// Delete a space. Grants on it lose its doors; a grant without any door left is deleted.
    DeleteSpace {
        /// The space.
        space: SpaceId,
    },

    /// Make a person.
    CreateIdentity(Person),
    /// Change a person.
    UpdateIdentity {
        /// The person.
        identity: UserIdentityId,
        /// What changes.
        update: PersonUpdate,
    },
    /// Delete a person, with all her grants and users.
    DeleteIdentity {
        /// The person.
        identity: UserIdentityId,
    },
    /// Delete a person and make unreadable what is kept of her.
    EraseIdentity {
        /// The person.
        identity: UserIdentityId,
    },
    /// Make several persons one.
    MergeIdentities {
        /// The one that stays.
        identity: UserIdentityId,
        /// Those that go up in it, at most 20.
        merged: Vec<UserIdentityId>,
    },

    /// Connect an account.
    Connect(NewAccount),
    /// Change an account's settings.
    UpdateAccount {
        /// The account.
        account: ConnectedAccountId,
        /// The new settings.
        settings: Shown,
    },
    /// Disconnect an account. Nothing is taken away at the vendor.
    Disconnect {
        /// The account.
        account: ConnectedAccountId,
    },
    /// Read the account again soon: systems, entrances, groups, encoders, what is held.
    Rescan {
        /// The account.
        account: ConnectedAccountId,
    },
    /// Carry out what was held because it would end too much.
    ConfirmHeld {
        /// The account.
        account: ConnectedAccountId,
    },
    /// Set by how much credentials' windows are wider than grants' at a system, in seconds.
    SetGraces {
        /// The system.
        system: AcsSystemId,
        /// Before the start, in seconds.
        arrival: u32,
        /// After the end, in seconds; never past the next stay's start.
        departure: u32,
    },
    /// Bind an entrance to another vendor id: the lock was replaced, the door was renamed.
    RebindEntrance {
        /// The entrance that grants know.
        entrance: AcsEntranceId,
        /// The entrance that the system shows now; it goes up in the first.
        to: AcsEntranceId,
    },

    /// Write a credential on a card.
    Encode(NewEncode),
    /// Read a card.
    Scan {
        /// The encoder.
        encoder: AcsEncoderId,
        /// For how long a card is waited for, in seconds.
        wait_seconds: u32,
    },
    /// Assign a registered card to a method.
    AssignCard {
        /// The method.
        method: AccessMethodId,
        /// The card's number.
        number: Shown,
    },
    /// Unlock a door remotely, on behalf of the holder of a method.
    Unlock {
        /// The method (of mode `cloud_key`).
        method: AccessMethodId,
        /// The door.
        entrance: AcsEntranceId,
    },
    /// Stop an attempt.
    CancelAttempt {
        /// The attempt.
        attempt: ActionAttemptId,
    },
    /// Answer a question.
    Resolve {
        /// What it is asked of.
        credential: AcsCredentialId,
        /// The answer.
        answer: Resolution,
    },

    /// Make an instant key for all mobile keys of a person.
    CreateInstantKey {
        /// The person.
        identity: UserIdentityId,
        /// How many times it can be redeemed, from 1.
        max_use_count: u32,
    },
    /// Delete an instant key.
    DeleteInstantKey {
        /// The key.
        instant_key: InstantKeyId,
    },
    /// Redeem an instant key once.
    RedeemInstantKey {
        /// The short code of its link.
        code: Shown,
    },

    /// Make a user at an access system.
    CreateUser(NewUser),
    /// Change a user's profile or schedule.
    UpdateUser {
        /// The user.
        user: AcsUserId,
        /// What changes.
        update: UserUpdate,
    },
    /// Delete a user at an access system, with her credentials there.
    DeleteUser {
        /// The user.
        user: AcsUserId,
    },
    /// Suspend a user, or take her up again.
    SuspendUser {
        /// The user.
        user: AcsUserId,
        /// Suspended or not.
        suspended: bool,
    },
    /// Put a user into a group, or take her out.
    SetMembership {
        /// The user.
        user: AcsUserId,
        /// The group.
        group: AcsAccessGroupId,
        /// In or out.
        member: bool,
    },
    /// Issue a credential directly.
    CreateCredential(Box<NewCredential>),
    /// Change a direct credential's PIN or end.
    UpdateCredential {
        /// The credential.
        credential: AcsCredentialId,
        /// The new PIN.
        code: Option<Shown>,
        /// The new end.
        ends_at: Option<DateTime<Utc>>,
    },
    /// Delete a direct credential.
    DeleteCredential {
        /// The credential.
        credential: AcsCredentialId,
    },
}

impl Change {
    /// The name of the operation, as `resource.verb`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateWorkspace(_) => "workspaces.create",
            Self::CreateGrant(_) => "access_grants.create",
            Self::UpdateGrant(_) => "access_grants.update",
            Self::DeleteGrant { .. } => "access_grants.delete",
            Self::SuspendGrant { .. } => "access_grants.suspend",
            Self::RequestMethods { .. } => "access_grants.request_access_methods",
            Self::DeleteMethods(_) => "access_methods.delete",
            Self::ReplaceLost { .. } => "access_methods.replace_lost",
            Self::CreateSpace(_) => "spaces.create",
            Self::UpdateSpace(_) => "spaces.update",
            Self::ChangeSpaceEntrances { .. } => "spaces.change_entrances",
            Self::DeleteSpace { .. } => "spaces.delete",
            Self::CreateIdentity(_) => "user_identities.create",
            Self::UpdateIdentity { .. } => "user_identities.update",
            Self::DeleteIdentity { .. } => "user_identities.delete",
            Self::EraseIdentity { .. } => "user_identities.erase",
            Self::MergeIdentities { .. } => "user_identities.merge",
            Self::Connect(_) => "connected_accounts.connect",
            Self::UpdateAccount { .. } => "connected_accounts.update",
            Self::Disconnect { .. } => "connected_accounts.delete",
            Self::Rescan { .. } => "connected_accounts.rescan",
            Self::ConfirmHeld { .. } => "connected_accounts.confirm_held",
            Self::SetGraces { .. } => "acs_systems.set_graces",
            Self::RebindEntrance { .. } => "acs_entrances.rebind",
            Self::Encode(_) => "access_methods.encode",
            Self::Scan { .. } => "acs_encoders.scan_credential",
            Self::AssignCard { .. } => "access_methods.assign_card",
            Self::Unlock { .. } => "access_methods.unlock_door",
            Self::CancelAttempt { .. } => "action_attempts.cancel",
            Self::Resolve { .. } => "questions.resolve",
            Self::CreateInstantKey { .. } => "instant_keys.create",
            Self::DeleteInstantKey { .. } => "instant_keys.delete",
            Self::RedeemInstantKey { .. } => "instant_keys.redeem",
            Self::CreateUser(_) => "acs_users.create",
            Self::UpdateUser { .. } => "acs_users.update",
            Self::DeleteUser { .. } => "acs_users.delete",
            Self::SuspendUser { .. } => "acs_users.suspend",
            Self::SetMembership { .. } => "acs_users.set_membership",
            Self::CreateCredential(_) => "acs_credentials.create",
            Self::UpdateCredential { .. } => "acs_credentials.update",
            Self::DeleteCredential { .. } => "acs_credentials.delete",
        }
    }
}

/// A new workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewWorkspace {
    /// Its name.
    pub name: String,
    /// Made for trying things out: simulate calls are allowed.
    pub sandbox: bool,
}

/// A new grant: who, where, when, how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewGrant {
    /// Who.
    pub who: Who,
    /// Where: entrances (or `device_ids`, their second name).
    #[serde(default)]
    pub entrances: Vec<AcsEntranceId>,
    /// Where: spaces by id.
    #[serde(default)]
    pub spaces: Vec<SpaceId>,
    /// Where: spaces by key.
    #[serde(default)]
    pub space_keys: Vec<String>,
    /// From when; `None`: from now.
    #[serde(default)]
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when; `None`: ongoing.
    #[serde(default)]
    pub ends_at: Option<DateTime<Utc>>,
    /// At which hours.
    #[serde(default)]
    pub schedule: Option<Weekly>,
    /// How.
    pub methods: Vec<NewMethod>,
    /// Guest or staff.
    #[serde(default)]
    pub holder: Holder,
    /// The stay's key.
    #[serde(default)]
    pub reservation: Option<String>,
    /// All doors of the party, where other members of it will have more of them than this grant.
    #[serde(default)]
    pub party_entrances: Vec<AcsEntranceId>,
    /// The caller's key of the grant.
    #[serde(default)]
    pub key: Option<String>,
    /// The caller's name of the grant.
    #[serde(default)]
    pub name: Option<String>,
}

/// Who is granted access.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// A person that is known.
    Known(UserIdentityId),
    /// A person by her key alone, or a new one.
    ///
    /// The key alone identifies: an e-mail address or phone number that another person has never makes two people one, and never fails the
    /// grant (the contact is kept on the grant, with a warning).
    Inline(Person),
}

/// A person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The caller's key.
    #[serde(default)]
    pub key: Option<String>,
    /// Full name.
    #[serde(default)]
    pub full_name: Option<String>,
    /// E-mail address.
    #[serde(default)]
    pub email_address: Option<String>,
    /// Phone number in E.164.
    #[serde(default)]
    pub phone_number: Option<String>,
}

/// What changes of a person: outer `None` leaves it, inner `None` clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonUpdate {
    /// The caller's key.
    #[serde(default, with = "double")]
    pub key: Option<Option<String>>,
    /// Full name.
    #[serde(default, with = "double")]
    pub full_name: Option<Option<String>>,
    /// E-mail address.
    #[serde(default, with = "double")]
    pub email_address: Option<Option<String>>,
    /// Phone number in E.164.
    #[serde(default, with = "double")]
    pub phone_number: Option<Option<String>>,
}

/// A requested method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewMethod {
    /// How.
    pub mode: AccessMethodMode,
    /// A PIN that is preferred: 4 to 9 digits. A preference, not a promise.
    #[serde(default)]
    pub code: Option<Shown>,
    /// How many times the link of a mobile key can be redeemed, from 1.
    #[serde(default)]
    pub instant_key_max_use_count: Option<u32>,
}

impl NewMethod {
    /// A method of this mode.
    #[must_use]
    pub fn new(mode: AccessMethodMode) -> Self {
        Self { mode, code: None, instant_key_max_use_count: None }
    }
}

/// What changes of a grant: outer `None` leaves it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GrantUpdate {
    /// The grant.
    pub grant: AccessGrantId,
    /// From when.
    #[serde(default)]
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when; inner `None`: ongoing.
    #[serde(default, with = "double")]
    pub ends_at: Option<Option<DateTime<Utc>>>,
    /// At which hours; inner `None`: always.
    #[serde(default, with = "double")]
    pub schedule: Option<Option<Weekly>>,
    /// The caller's name; inner `None` clears it.
    #[serde(default, with = "double")]
    pub name: Option<Option<String>>,
}

impl GrantUpdate {
    /// Changes nothing yet.
    #[must_use]
    pub fn new(grant: AccessGrantId) -> Self {
        Self { grant, starts_at: None, ends_at: None, schedule: None, name: None }
    }
}

/// Which methods are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodsOf {
    /// One.
    Method(AccessMethodId),
    /// All of a grant.
    Grant(AccessGrantId),
    /// All of a stay.
    Reservation(String),
}

/// A new space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewSpace {
    /// Its name.
    pub name: String,
    /// The caller's key.
    #[serde(default)]
    pub key: Option<String>,
    /// Its entrances.
    #[serde(default)]
    pub entrances: Vec<AcsEntranceId>,
    /// The customer it belongs to.
    #[serde(default)]
    pub customer_key: Option<String>,
    /// Stay defaults.
    #[serde(default)]
    pub customer_data: Option<serde_json::Value>,
}

/// What changes of a space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpaceUpdate {
    /// The space.
    pub space: SpaceId,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// The whole new set of its entrances.
    #[serde(default)]
    pub entrances: Option<Vec<AcsEntranceId>>,
    /// Stay defaults: merged per key, `null` clears.
    #[serde(default)]
    pub customer_data: Option<serde_json::Value>,
}

/// A new account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewAccount {
    /// The provider kind.
    pub kind: String,
    /// The settings, as JSON text that fits the kind's schema.
    pub settings: Shown,
}

/// A card to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewEncode {
    /// What is written.
    pub what: EncodeWhat,
    /// Where.
    pub encoder: AcsEncoderId,
    /// For how long a card is waited for, in seconds.
    pub wait_seconds: u32,
    /// Write although the stay of somebody else is protected or still open.
    #[serde(default)]
    pub would_end: bool,
}

/// What is written on a card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EncodeWhat {
    /// A method's card. Its only credential, or the one at the encoder's system.
    Method(AccessMethodId),
    /// A credential.
    Credential(AcsCredentialId),
}

/// The answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// It happened.
    Happened,
    /// It did not.
    DidNot,
    /// Do it again.
    Redo,
}

/// A new user of an access system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewUser {
    /// The system.
    pub system: AcsSystemId,
    /// The person, if she is known.
    #[serde(default)]
    pub identity: Option<UserIdentityId>,
    /// Name and contacts, where there is no person.
    #[serde(default)]
    pub profile: Person,
    /// Groups.
    #[serde(default)]
    pub groups: Vec<AcsAccessGroupId>,
    /// From when she may pass.
    #[serde(default)]
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when.
    #[serde(default)]
    pub ends_at: Option<DateTime<Utc>>,
}

/// What changes of a user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UserUpdate {
    /// Full name.
    #[serde(default)]
    pub full_name: Option<String>,
    /// E-mail address.
    #[serde(default)]
    pub email_address: Option<String>,
    /// Phone number in E.164.
    #[serde(default)]
    pub phone_number: Option<String>,
    /// When she may pass: start and end; inner `None` clears it.
    #[serde(default, with = "double")]
    pub schedule: Option<Option<FromTo>>,
}

/// A start, and an end if there is one.
pub type FromTo = (DateTime<Utc>, Option<DateTime<Utc>>);

/// A credential issued directly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewCredential {
    /// The user.
    #[serde(default)]
    pub user: Option<AcsUserId>,
    /// Or the person, with the system.
    #[serde(default)]
    pub identity: Option<UserIdentityId>,
    /// The system, with the person.
    #[serde(default)]
    pub system: Option<AcsSystemId>,
    /// How.
    pub mode: AccessMethodMode,
    /// The PIN.
    #[serde(default)]
    pub code: Option<Shown>,
    /// The doors; where the user's permissions say, none.
    #[serde(default)]
    pub entrances: Vec<AcsEntranceId>,
    /// From when; `None`: now.
    #[serde(default)]
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when.
    #[serde(default)]
    pub ends_at: Option<DateTime<Utc>>,
    /// Guest or staff.
    #[serde(default)]
    pub holder: Holder,
}

/// What came of a change: ids of what was made or meant. Kept under the idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// Nothing to name.
    Done,
    /// A workspace.
    Workspace(WorkspaceId),
    /// A grant.
    Grant(AccessGrantId),
    /// A method.
    Method(AccessMethodId),
    /// A space.
    Space(SpaceId),
    /// A person.
    Identity(UserIdentityId),
    /// An account.
    Account(ConnectedAccountId),
    /// An attempt.
    Attempt(ActionAttemptId),
    /// An instant key.
    InstantKey(InstantKeyId),
    /// A user.
    User(AcsUserId),
    /// A credential.
    Credential(AcsCredentialId),
}

/// `Option<Option<T>>`: absent, `null`, value.
mod double {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::option_option, clippy::ref_option, reason = "absent, null and a value are three things")]
    pub(super) fn serialize<T: Serialize, S: Serializer>(value: &Option<Option<T>>, to: S) -> Result<S::Ok, S::Error> {
        // The outer level is told by a one-element list, so that the same data reads back in any format.
        match value {
            None => to.serialize_none(),
            Some(inner) => [inner].serialize(to),
        }
    }
    #[expect(clippy::option_option, reason = "absent, null and a value are three things")]
    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
        Ok(Option::<[Option<T>; 1]>::deserialize(from)?.map(|[inner]| inner))
    }
}
