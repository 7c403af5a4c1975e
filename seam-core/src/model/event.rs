//! What happened.
use super::notice::texts;
use super::{
    AccessGrantId, AccessMethodId, AcsAccessGroupId, AcsCredentialId, AcsEncoderId, AcsEntranceId, AcsSystemId, AcsUserId, ActionAttempt,
    ConnectedAccountId, EventId, EventType, Map, ObjectError, SpaceId, UserIdentityId, Warning, Window, WorkspaceId, time,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Something that happened in a workspace. Events never carry a PIN: read it from the method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// The id of the event. Delivered twice, it is the same.
    pub event_id: EventId,
    /// What happened.
    pub event_type: EventType,
    /// The workspace in which it happened.
    pub workspace_id: WorkspaceId,
    /// When the event was recorded.
    #[serde(with = "time::instant")]
    pub created_at: DateTime<Utc>,
    /// When it happened; earlier than recorded where an access system told of it later.
    #[serde(with = "time::instant")]
    pub occurred_at: DateTime<Utc>,
    /// One sentence for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_description: Option<String>,
    /// Ids and what else belongs to the type.
    #[serde(flatten)]
    pub payload: Map,
}

/// What an event says, before it has an id and an instant.
///
/// There is one constructor per family of types; the type is an argument where the members are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EventBody {
    /// What happened.
    pub event_type: EventType,
    /// Ids and what else belongs to the type.
    pub payload: Map,
}

impl EventBody {
    /// A body with this payload. Members that every event has, and anything called `code`, are left out of it.
    #[must_use]
    pub fn new(event_type: EventType, mut payload: Map) -> Self {
        const KEPT_OUT: [&str; 7] = ["event_id", "event_type", "workspace_id", "created_at", "occurred_at", "event_description", "code"];
        payload.retain(|key, _| !KEPT_OUT.contains(&key.as_str()));
        Self { event_type, payload }
    }

    /// The event of this body.
    #[must_use]
    pub fn into_event(self, event_id: EventId, workspace_id: WorkspaceId, created_at: DateTime<Utc>, occurred_at: DateTime<Utc>) -> Event {
        let Self { event_type, payload } = Self::new(self.event_type, self.payload);
        Event { event_id, event_type, workspace_id, created_at, occurred_at, event_description: None, payload }
    }

    /// The same with one member more, unless it has no value.
    #[must_use]
    pub fn with(mut self, key: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.payload.insert(key.to_owned(), value.into());
        }
        Self::new(self.event_type, self.payload)
    }

    fn of<const N: usize>(event_type: EventType, members: [(&str, Value); N]) -> Self {
        Self::new(event_type, members.into_iter().collect())
    }

    /// `access_grant.created`, `.deleted`, `.access_granted_to_all_doors`.
    #[must_use]
    pub fn access_grant(event_type: EventType, grant: AccessGrantId) -> Self {
        Self::of(event_type, [("access_grant_id", json!(grant.to_string()))])
    }

    /// `access_grant.access_granted_to_door`, `.access_to_door_lost`.
    #[must_use]
    pub fn access_grant_door(event_type: EventType, grant: AccessGrantId, entrance: AcsEntranceId) -> Self {
        Self::access_grant(event_type, grant).with("acs_entrance_id", Some(entrance.to_string()))
    }

    /// `access_grant.access_times_changed`, with the new window.
    #[must_use]
    pub fn access_times_changed(grant: AccessGrantId, key: Option<&str>, window: &Window) -> Self {
        Self::access_grant(EventType::ACCESS_GRANT_ACCESS_TIMES_CHANGED, grant)
            .with("access_grant_key", key)
            .with("starts_at", Some(time::text(window.starts_at())))
            .with("ends_at", window.ends_at().map(time::text))
    }

    /// `access_grant.could_not_create_requested_access_methods`.
    #[must_use]
    pub fn could_not_create_requested_access_methods(grant: AccessGrantId, error_message: &str, missing: &[AcsEntranceId]) -> Self {
        Self::access_grant(EventType::ACCESS_GRANT_COULD_NOT_CREATE_REQUESTED_ACCESS_METHODS, grant)
            .with("error_message", Some(error_message))
            .with("missing_device_ids", (!missing.is_empty()).then(|| texts(missing)))
    }

    /// All `access_method.*`, with the grants that the method serves and those of their keys that exist.
    #[must_use]
    pub fn access_method(event_type: EventType, method: AccessMethodId, grants: &[AccessGrantId], keys: &[String]) -> Self {
        Self::of(event_type, [("access_grant_ids", texts(grants)), ("access_method_id", json!(method.to_string()))])
            .with("access_grant_keys", (!keys.is_empty()).then(|| texts(keys)))
    }

    /// `acs_system.connected`, `.added`.
    #[must_use]
    pub fn acs_system(event_type: EventType, system: AcsSystemId, account: Option<ConnectedAccountId>) -> Self {
        Self::of(event_type, [("acs_system_id", json!(system.to_string()))]).with("connected_account_id", account.map(|id| id.to_string()))
    }

    /// `acs_system.disconnected`, with what is wrong at the system and at its account.
    #[must_use]
    pub fn acs_system_disconnected(
        system: AcsSystemId,
        account: Option<ConnectedAccountId>,
        at_system: (&[ObjectError], &[Warning]),
        at_account: (&[ObjectError], &[Warning]),
    ) -> Self {
        Self::acs_system(EventType::ACS_SYSTEM_DISCONNECTED, system, account)
            .with("acs_system_errors", Some(json!(at_system.0)))
            .with("acs_system_warnings", Some(json!(at_system.1)))
            .with("connected_account_errors", Some(json!(at_account.0)))
            .with("connected_account_warnings", Some(json!(at_account.1)))
    }

    /// All `acs_credential.*`.
    #[must_use]
    pub fn acs_credential(
        event_type: EventType,
        credential: AcsCredentialId,
        system: AcsSystemId,
        account: Option<ConnectedAccountId>,
    ) -> Self {
        Self::acs_system(event_type, system, account).with("acs_credential_id", Some(credential.to_string()))
    }

    /// All `acs_user.*`.
    #[must_use]
    pub fn acs_user(event_type: EventType, user: AcsUserId, system: AcsSystemId, account: Option<ConnectedAccountId>) -> Self {
        Self::acs_system(event_type, system, account).with("acs_user_id", Some(user.to_string()))
    }

    /// All `acs_encoder.*`.
    #[must_use]
    pub fn acs_encoder(event_type: EventType, encoder: AcsEncoderId, system: AcsSystemId, account: Option<ConnectedAccountId>) -> Self {
        Self::acs_system(event_type, system, account).with("acs_encoder_id", Some(encoder.to_string()))
    }

    /// `acs_access_group.deleted`.
    #[must_use]
    pub fn acs_access_group_deleted(group: AcsAccessGroupId, system: AcsSystemId, account: Option<ConnectedAccountId>) -> Self {
        Self::acs_system(EventType::ACS_ACCESS_GROUP_DELETED, system, account).with("acs_access_group_id", Some(group.to_string()))
    }

    /// `acs_entrance.added`, `.removed`.
    #[must_use]
    pub fn acs_entrance(event_type: EventType, entrance: AcsEntranceId, system: AcsSystemId, account: Option<ConnectedAccountId>) -> Self {
        Self::acs_system(event_type, system, account).with("acs_entrance_id", Some(entrance.to_string()))
    }

    /// The `connected_account.*` that say nothing of errors. For `.created` and `.successful_login` add
    /// `connect_webview_id` where there is one.
    #[must_use]
    pub fn connected_account(event_type: EventType, account: ConnectedAccountId, customer_key: Option<&str>) -> Self {
        Self::of(event_type, [("connected_account_id", json!(account.to_string()))]).with("customer_key", customer_key)
    }

    /// `connected_account.disconnected`, `.reauthorization_requested`, with what is wrong.
    #[must_use]
    pub fn connected_account_failed(
        event_type: EventType,
        account: ConnectedAccountId,
        errors: &[ObjectError],
        warnings: &[Warning],
    ) -> Self {
        Self::connected_account(event_type, account, None)
            .with("connected_account_errors", Some(json!(errors)))
            .with("connected_account_warnings", Some(json!(warnings)))
    }

    /// All `space.*`, with the full lists as they are after the event.
    #[must_use]
    pub fn space(
        event_type: EventType,
        space: SpaceId,
        space_key: Option<&str>,
        entrances: &[AcsEntranceId],
        devices: &[AcsEntranceId],
    ) -> Self {
        Self::of(
            event_type,
            [("space_id", json!(space.to_string())), ("acs_entrance_ids", texts(entrances)), ("device_ids", texts(devices))],
        )
        .with("space_key", space_key)
    }

    /// `lock.locked`, `lock.unlocked`, `lock.access_denied` at an entrance. Add `method` (`keycode`, `manual`,
    /// `automatic`, `unknown`, `remote`, `card`), `is_via_bluetooth`, `is_via_nfc`, `reason` or `action_attempt_id` as
    /// they are known.
    #[must_use]
    pub fn lock(
        event_type: EventType,
        entrance: AcsEntranceId,
        system: AcsSystemId,
        account: ConnectedAccountId,
        user: Option<AcsUserId>,
        person: Option<UserIdentityId>,
    ) -> Self {
        Self::acs_entrance(event_type, entrance, system, Some(account))
            .with("device_id", Some(entrance.to_string()))
            .with("acs_user_id", user.map(|id| id.to_string()))
            .with("user_identity_id", person.map(|id| id.to_string()))
    }

    /// The `action_attempt.*` of a finished remote command.
    #[must_use]
    pub fn action_attempt(event_type: EventType, attempt: &ActionAttempt, entrance: Option<AcsEntranceId>) -> Self {
        Self::of(
            event_type,
            [
                ("action_attempt_id", json!(attempt.action_attempt_id.to_string())),
                ("action_type", json!(attempt.action_type.as_str())),
                ("status", json!(attempt.status.as_str())),
            ],
        )
        .with("device_id", entrance.map(|id| id.to_string()))
    }
}
