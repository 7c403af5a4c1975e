//! What can be asked for, as data. The same [`Change`] serves the deed, the preview, the inbox and the simulation.
pub use super::ask::*;
pub use super::ask_account::*;
pub use super::ask_customer::*;
pub use super::ask_session::*;
pub use super::ask_space::*;
pub use super::webhook::{NewWebhook, WebhookChange};
use crate::model::{
    AccessGrantId, AccessMethodId, AcsAccessGroupId, AcsCredentialId, AcsEncoderId, AcsEntranceId, AcsSystemId, AcsUserId, ActionAttemptId,
    ClientSessionId, ConnectWebviewId, ConnectedAccountId, CustomerThing, InstantKeyId, PhoneId, Shown, SpaceId, UserIdentityId, WebhookId,
    WorkspaceId,
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
    /// Add an account to a space, or remove it. Grants do not follow.
    SetSpaceAccount {
        /// The space.
        space: SpaceId,
        /// The account.
        account: ConnectedAccountId,
        /// In or out.
        within: bool,
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
    /// Make a page on which somebody connects an account.
    CreateWebview(NewConnectWebview),
    /// Connect the account that was filled in on a page.
    SubmitWebview {
        /// The page.
        webview: ConnectWebviewId,
        /// The account.
        account: NewAccount,
    },
    /// Delete a page. The account that came of it stays.
    DeleteWebview {
        /// The page.
        webview: ConnectWebviewId,
    },
    /// Change what the caller keeps with an account.
    ChangeAccount(AccountUpdate),
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
    /// The system has said that something changed: read the account again soon.
    Notice {
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

    /// Put a reader of our own to use at a system.
    AddEncoder(NewEncoder),
    /// Remove a reader of our own.
    RemoveEncoder {
        /// The reader.
        encoder: AcsEncoderId,
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
    /// Read a card and give the credential that is found to somebody.
    ScanToAssign {
        /// The encoder.
        encoder: AcsEncoderId,
        /// To whom.
        to: CredentialOwner,
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
    /// Unlock a door remotely, on behalf of the holder of a credential.
    UnlockWith {
        /// The credential (of mode `cloud_key`).
        credential: AcsCredentialId,
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

    /// Make or change a person of a customer, by her key.
    PutCustomerPerson(CustomerPerson),
    /// Make or change a space of a customer, by its key.
    PutCustomerSpace(CustomerSpace),
    /// Make or change the grant of a customer's reservation, by its key.
    PutReservation(Box<CustomerReservation>),
    /// Take away what a customer's key names.
    DeleteCustomerThing {
        /// What.
        thing: CustomerThing,
        /// The key.
        key: String,
    },

    /// Make a phone in a sandbox.
    CreatePhone(NewPhone),
    /// Deactivate a phone.
    DeactivatePhone {
        /// The phone.
        phone: PhoneId,
    },

    /// Make a client session.
    CreateClientSession(NewClientSession),
    /// Make a client session, or name the one that its `user_identifier_key` has.
    GetOrCreateClientSession(NewClientSession),
    /// Let a client session reach more.
    GrantSessionAccess {
        /// The session.
        session: ClientSessionId,
        /// What more.
        access: SessionAccess,
    },
    /// Refuse a client session's token from now on. The session is still shown.
    RevokeClientSession {
        /// The session.
        session: ClientSessionId,
    },
    /// Delete a client session.
    DeleteClientSession {
        /// The session.
        session: ClientSessionId,
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
    /// Put somebody into a group; a person without a user at its system gets one.
    JoinGroup {
        /// Who.
        who: CredentialOwner,
        /// The group.
        group: AcsAccessGroupId,
    },
    /// Let somebody pass an entrance, by the groups that open it and nothing else.
    GrantEntrance {
        /// Who.
        who: CredentialOwner,
        /// The entrance.
        entrance: AcsEntranceId,
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
    /// Give a direct credential that is nobody's to somebody.
    AssignCredential {
        /// The credential.
        credential: AcsCredentialId,
        /// To whom.
        to: CredentialOwner,
    },
    /// Take a direct credential from whoever has it. It is kept, and opens nothing.
    UnassignCredential {
        /// The credential.
        credential: AcsCredentialId,
        /// From whom it is to be taken; `None`: whoever has it.
        from: Option<CredentialOwner>,
    },
    /// Suspend a direct credential, or take it up again.
    SuspendCredential {
        /// The credential.
        credential: AcsCredentialId,
        /// Suspended or not.
        suspended: bool,
    },
    /// Take everything away that a user opens at her system. She stays.
    RevokeUserAccess {
        /// The user.
        user: AcsUserId,
    },
    /// Make a user that is nobody's a person's.
    LinkUser {
        /// The user.
        user: AcsUserId,
        /// The person.
        identity: UserIdentityId,
    },
    /// A user is no longer a person's. She keeps the person's name and contacts.
    UnlinkUser {
        /// The user.
        user: AcsUserId,
        /// The person.
        identity: UserIdentityId,
    },

    /// Make, change or delete an endpoint that is told what happens.
    Webhook(WebhookChange),
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
            Self::SetSpaceAccount { .. } => "spaces.set_connected_account",
            Self::DeleteSpace { .. } => "spaces.delete",
            Self::CreateIdentity(_) => "user_identities.create",
            Self::UpdateIdentity { .. } => "user_identities.update",
            Self::DeleteIdentity { .. } => "user_identities.delete",
            Self::EraseIdentity { .. } => "user_identities.erase",
            Self::MergeIdentities { .. } => "user_identities.merge",
            Self::Connect(_) => "connected_accounts.connect",
            Self::CreateWebview(_) => "connect_webviews.create",
            Self::SubmitWebview { .. } => "connect_webviews.submit",
            Self::DeleteWebview { .. } => "connect_webviews.delete",
            Self::ChangeAccount(_) => "connected_accounts.change",
            Self::UpdateAccount { .. } => "connected_accounts.update",
            Self::Disconnect { .. } => "connected_accounts.delete",
            Self::Rescan { .. } => "connected_accounts.rescan",
            Self::Notice { .. } => "connected_accounts.notice",
            Self::ConfirmHeld { .. } => "connected_accounts.confirm_held",
            Self::SetGraces { .. } => "acs_systems.set_graces",
            Self::RebindEntrance { .. } => "acs_entrances.rebind",
            Self::AddEncoder(_) => "acs_encoders.add",
            Self::RemoveEncoder { .. } => "acs_encoders.remove",
            Self::Encode(_) => "access_methods.encode",
            Self::Scan { .. } => "acs_encoders.scan_credential",
            Self::ScanToAssign { .. } => "acs_encoders.scan_to_assign_credential",
            Self::AssignCard { .. } => "access_methods.assign_card",
            Self::Unlock { .. } => "access_methods.unlock_door",
            Self::UnlockWith { .. } => "acs_entrances.unlock",
            Self::CancelAttempt { .. } => "action_attempts.cancel",
            Self::Resolve { .. } => "questions.resolve",
            Self::CreateInstantKey { .. } => "instant_keys.create",
            Self::DeleteInstantKey { .. } => "instant_keys.delete",
            Self::RedeemInstantKey { .. } => "instant_keys.redeem",
            Self::PutCustomerPerson(_) => "customers.put_user_identity",
            Self::PutCustomerSpace(_) => "customers.put_space",
            Self::PutReservation(_) => "customers.put_reservation",
            Self::DeleteCustomerThing { .. } => "customers.delete",
            Self::CreatePhone(_) => "phones.create_sandbox_phone",
            Self::DeactivatePhone { .. } => "phones.deactivate",
            Self::CreateClientSession(_) => "client_sessions.create",
            Self::GetOrCreateClientSession(_) => "client_sessions.get_or_create",
            Self::GrantSessionAccess { .. } => "client_sessions.grant_access",
            Self::RevokeClientSession { .. } => "client_sessions.revoke",
            Self::DeleteClientSession { .. } => "client_sessions.delete",
            Self::CreateUser(_) => "acs_users.create",
            Self::UpdateUser { .. } => "acs_users.update",
            Self::DeleteUser { .. } => "acs_users.delete",
            Self::SuspendUser { .. } => "acs_users.suspend",
            Self::SetMembership { .. } => "acs_users.set_membership",
            Self::JoinGroup { .. } => "acs_access_groups.add_user",
            Self::GrantEntrance { .. } => "acs_entrances.grant_access",
            Self::CreateCredential(_) => "acs_credentials.create",
            Self::UpdateCredential { .. } => "acs_credentials.update",
            Self::DeleteCredential { .. } => "acs_credentials.delete",
            Self::AssignCredential { .. } => "acs_credentials.assign",
            Self::UnassignCredential { .. } => "acs_credentials.unassign",
            Self::SuspendCredential { .. } => "acs_credentials.suspend",
            Self::RevokeUserAccess { .. } => "acs_users.revoke_access_to_all_entrances",
            Self::LinkUser { .. } => "user_identities.add_acs_user",
            Self::UnlinkUser { .. } => "user_identities.remove_acs_user",
            Self::Webhook(change) => change.name(),
        }
    }
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
    /// An encoder.
    Encoder(AcsEncoderId),
    /// An attempt.
    Attempt(ActionAttemptId),
    /// An instant key.
    InstantKey(InstantKeyId),
    /// A user.
    User(AcsUserId),
    /// A credential.
    Credential(AcsCredentialId),
    /// A client session.
    ClientSession(ClientSessionId),
    /// A webhook.
    Webhook(WebhookId),
    /// A page on which an account is connected.
    Webview(ConnectWebviewId),
    /// A phone.
    Phone(PhoneId),
}
