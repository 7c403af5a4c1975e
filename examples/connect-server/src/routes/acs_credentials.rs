//! Credentials.
use super::Paging;
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::route::Gives::{Many, Nothing, One, Pages};
use crate::http::route::{Route, Verb, route};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use seam_core::api::CredentialFilter;
use seam_core::model::{AcsCredentialId, AcsEntranceId, AcsSystemId, AcsUserId, Holder, Shown, UserIdentityId};
use seam_core::{AccessMethodMode, NewCredential};
use serde::Deserialize;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Do, "/acs/credentials/create", "Makes a credential for a user.", One("acs_credential"), create),
        route(Verb::Read, "/acs/credentials/get", "A credential.", One("acs_credential"), get),
        route(Verb::Read, "/acs/credentials/list", "The credentials.", Pages("acs_credentials", "acs_credential"), list),
        route(Verb::Change, "/acs/credentials/update", "Changes the code or the end of a credential.", One("acs_credential"), update),
        route(Verb::Remove, "/acs/credentials/delete", "Deletes a credential.", Nothing, delete),
        route(Verb::Change, "/acs/credentials/assign", "Gives a credential to a user.", One("acs_credential"), assign),
        route(Verb::Change, "/acs/credentials/unassign", "Takes a credential from its user.", One("acs_credential"), unassign),
        route(
            Verb::Read,
            "/acs/credentials/list_accessible_entrances",
            "The entrances that a credential opens.",
            Many("acs_entrances", "acs_entrance"),
            list_accessible_entrances,
        ),
    ]
}

/// What Visionline wants to know of a credential. The SDK decides about overriding and joining when a key is made.
#[derive(Deserialize, JsonSchema)]
struct Visionline {
    #[schemars(extend("enum" = ["guest", "staff", null]))]
    card_function_type: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Create {
    access_method: AccessMethodMode,
    acs_system_id: Option<AcsSystemId>,
    acs_user_id: Option<AcsUserId>,
    user_identity_id: Option<UserIdentityId>,
    #[serde(default)]
    allowed_acs_entrance_ids: Vec<AcsEntranceId>,
    #[schemars(regex(pattern = r"^\d+$"))]
    code: Option<String>,
    starts_at: Option<DateTime<Utc>>,
    ends_at: Option<DateTime<Utc>>,
    visionline_metadata: Option<Visionline>,
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    acs_credential_id: AcsCredentialId,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    acs_system_id: Option<AcsSystemId>,
    acs_user_id: Option<AcsUserId>,
    user_identity_id: Option<UserIdentityId>,
    is_multi_phone_sync_credential: Option<bool>,
    #[schemars(length(min = 1))]
    search: Option<String>,
    created_before: Option<DateTime<Utc>>,
    #[serde(flatten)]
    page: Paging,
}

#[derive(Deserialize, JsonSchema)]
struct Update {
    acs_credential_id: AcsCredentialId,
    #[schemars(regex(pattern = r"^\d+$"))]
    code: Option<String>,
    ends_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize, JsonSchema)]
struct Owned {
    acs_credential_id: AcsCredentialId,
    acs_user_id: Option<AcsUserId>,
    user_identity_id: Option<UserIdentityId>,
}

async fn create(call: Call, p: Create) -> Outcome {
    let staff = p.visionline_metadata.is_some_and(|v| v.card_function_type.as_deref() == Some("staff"));
    let new = NewCredential::builder()
        .mode(p.access_method)
        .maybe_system(p.acs_system_id)
        .maybe_user(p.acs_user_id)
        .maybe_identity(p.user_identity_id)
        .entrances(p.allowed_acs_entrance_ids)
        .maybe_code(p.code.map(Shown::new))
        .maybe_starts_at(p.starts_at)
        .maybe_ends_at(p.ends_at)
        .holder(if staff { Holder::Staff } else { Holder::Guest })
        .build();
    Answer::of("acs_credential", &call.ws.acs().credentials().create(new).await?)
}

async fn get(call: Call, p: Which) -> Outcome {
    Answer::of("acs_credential", &call.ws.acs().credentials().get(p.acs_credential_id).await?)
}

async fn list(call: Call, p: List) -> Outcome {
    let filter = CredentialFilter::builder()
        .maybe_acs_system_id(p.acs_system_id)
        .maybe_acs_user_id(p.acs_user_id)
        .maybe_user_identity_id(p.user_identity_id)
        .maybe_is_multi_phone_sync_credential(p.is_multi_phone_sync_credential)
        .maybe_search(p.search)
        .maybe_created_before(p.created_before)
        .build();
    let filter = p.page.of(filter);
    Answer::page("acs_credentials", &call.ws.acs().credentials().list(&filter).await?)
}

async fn update(call: Call, p: Update) -> Outcome {
    Answer::of("acs_credential", &call.ws.acs().credentials().update(p.acs_credential_id, p.code.as_deref(), p.ends_at).await?)
}

async fn delete(call: Call, p: Which) -> Outcome {
    call.ws.acs().credentials().delete(p.acs_credential_id).await?;
    Answer::done()
}

async fn assign(call: Call, p: Owned) -> Outcome {
    let to = super::owner(p.acs_user_id, p.user_identity_id)?;
    Answer::of("acs_credential", &call.ws.acs().credentials().assign(p.acs_credential_id, to).await?)
}

async fn unassign(call: Call, p: Owned) -> Outcome {
    let from = match (p.acs_user_id, p.user_identity_id) {
        (None, None) => None,
        (user, person) => Some(super::owner(user, person)?),
    };
    Answer::of("acs_credential", &call.ws.acs().credentials().unassign(p.acs_credential_id, from).await?)
}

async fn list_accessible_entrances(call: Call, p: Which) -> Outcome {
    Answer::of("acs_entrances", &call.ws.acs().credentials().list_accessible_entrances(p.acs_credential_id).await?)
}
