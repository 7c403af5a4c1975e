//! People.
use super::{Named, Paging, PersonFields, count, named};
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::decode::given;
use crate::http::problem::Problem;
use crate::http::route::Gives::{Many, Nothing, One, Pages};
use crate::http::route::{Route, Verb, route};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use seam_core::api::{IdentityFilter, UnmanagedFilter};
use seam_core::model::{AcsEntranceId, AcsSystemId, AcsUserId, UserIdentity, UserIdentityId};
use seam_core::{ErrorKind, PersonUpdate};
use serde::Deserialize;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Do, "/user_identities/create", "Makes a person.", One("user_identity"), create),
        route(Verb::Read, "/user_identities/get", "A person.", One("user_identity"), get).for_sessions(),
        route(Verb::Read, "/user_identities/list", "The people.", Pages("user_identities", "user_identity"), list),
        route(Verb::Change, "/user_identities/update", "Changes a person.", Nothing, update),
        route(Verb::Remove, "/user_identities/delete", "Deletes a person with all that she has.", Nothing, delete),
        route(Verb::Do, "/user_identities/merge", "Makes several people one.", Nothing, merge),
        route(Verb::Add, "/user_identities/add_acs_user", "Says that a user is a person.", Nothing, add_acs_user),
        route(Verb::Remove, "/user_identities/remove_acs_user", "Says that a user is not this person.", Nothing, remove_acs_user),
        route(Verb::Read, "/user_identities/list_acs_users", "The users that a person is.", Many("acs_users", "acs_user"), list_acs_users),
        route(
            Verb::Read,
            "/user_identities/list_acs_systems",
            "The systems in which a person is a user.",
            Many("acs_systems", "acs_system"),
            list_acs_systems,
        ),
        route(
            Verb::Read,
            "/user_identities/list_accessible_entrances",
            "The entrances that a person opens.",
            Many("acs_entrances", "acs_entrance"),
            list_accessible_entrances,
        )
        .for_sessions(),
        route(
            Verb::Read,
            "/user_identities/list_accessible_devices",
            "The devices that a person opens, where they are not entrances: none. Entrances are listed by list_accessible_entrances.",
            Many("devices", "device"),
            list_accessible_devices,
        ),
        route(
            Verb::Add,
            "/user_identities/grant_access_to_device",
            "Lets a person through a device: an entrance, here.",
            Nothing,
            grant_access_to_device,
        ),
        route(
            Verb::Remove,
            "/user_identities/revoke_access_to_device",
            "Not here: delete the grant, or take the person out of the group.",
            Nothing,
            revoke_access_to_device,
        ),
        route(
            Verb::Read,
            "/user_identities/unmanaged/get",
            "A person whom a system knows and who was not made here.",
            One("user_identity"),
            get_unmanaged,
        ),
        route(
            Verb::Read,
            "/user_identities/unmanaged/list",
            "The people whom systems know and who were not made here.",
            Pages("user_identities", "unmanaged_user_identity"),
            list_unmanaged,
        ),
        route(Verb::Change, "/user_identities/unmanaged/update", "Takes such a person over, where that can be.", Nothing, manage),
        route(
            Verb::Do,
            "/user_identities/generate_instant_key",
            "Makes a link for all mobile keys of a person.",
            One("instant_key"),
            generate_instant_key,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Create {
    #[serde(default)]
    acs_system_ids: Vec<AcsSystemId>,
    #[serde(flatten)]
    person: PersonFields,
}

#[derive(Deserialize, JsonSchema)]
struct Get {
    user_identity_id: Option<UserIdentityId>,
    #[schemars(length(min = 1))]
    user_identity_key: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    #[serde(default)]
    user_identity_ids: Vec<UserIdentityId>,
    #[schemars(length(min = 1))]
    search: Option<String>,
    created_before: Option<DateTime<Utc>>,
    credential_manager_acs_system_id: Option<AcsSystemId>,
    #[serde(flatten)]
    page: Paging,
}

#[derive(Deserialize, JsonSchema)]
struct Update {
    user_identity_id: UserIdentityId,
    #[schemars(email)]
    #[serde(default, deserialize_with = "given")]
    email_address: Option<Option<String>>,
    #[schemars(length(min = 1))]
    #[serde(default, deserialize_with = "given")]
    full_name: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    phone_number: Option<Option<String>>,
    #[schemars(length(min = 1))]
    #[serde(default, deserialize_with = "given")]
    user_identity_key: Option<Option<String>>,
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    user_identity_id: UserIdentityId,
}

#[derive(Deserialize, JsonSchema)]
struct Merge {
    user_identity_id: Option<UserIdentityId>,
    #[schemars(length(min = 1))]
    user_identity_key: Option<String>,
    #[schemars(length(min = 1, max = 20))]
    merged_user_identity_ids: Option<Vec<UserIdentityId>>,
    #[schemars(length(min = 1, max = 20))]
    merged_user_identity_keys: Option<Vec<String>>,
}

#[derive(Deserialize, JsonSchema)]
struct AddUser {
    acs_user_id: AcsUserId,
    user_identity_id: Option<UserIdentityId>,
    #[schemars(length(min = 1))]
    user_identity_key: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct RemoveUser {
    acs_user_id: AcsUserId,
    user_identity_id: UserIdentityId,
}

#[derive(Deserialize, JsonSchema)]
struct ListUnmanaged {
    #[schemars(length(min = 1))]
    search: Option<String>,
    created_before: Option<DateTime<Utc>>,
    #[serde(flatten)]
    page: Paging,
}

#[derive(Deserialize, JsonSchema)]
struct Manage {
    user_identity_id: UserIdentityId,
    #[schemars(extend("const" = true))]
    #[expect(dead_code, reason = "the schema knows its only value")]
    is_managed: bool,
}

#[derive(Deserialize, JsonSchema)]
struct Device {
    device_id: AcsEntranceId,
    user_identity_id: UserIdentityId,
}

#[derive(Deserialize, JsonSchema)]
struct GenerateKey {
    user_identity_id: UserIdentityId,
    #[schemars(range(min = 1, max = 1000))]
    max_use_count: Option<f64>,
}

async fn create(call: Call, p: Create) -> Outcome {
    Answer::of("user_identity", &call.ws.user_identities().create_at(p.person.into(), &p.acs_system_ids).await?)
}

async fn one(call: &Call, id: Option<UserIdentityId>, key: Option<String>) -> Result<UserIdentity, Problem> {
    Ok(match named(["user_identity_id", "user_identity_key"], id, key)? {
        Named::Id(id) => call.ws.user_identities().get(id).await?,
        Named::Key(key) => call.ws.user_identities().get_by_key(&key).await?,
    })
}

async fn get(call: Call, p: Get) -> Outcome {
    let person = match &call.session {
        Some(_) => call.person(p.user_identity_id)?,
        None => p.user_identity_id,
    };
    Answer::of("user_identity", &one(&call, person, p.user_identity_key).await?)
}

async fn list(call: Call, p: List) -> Outcome {
    let filter = IdentityFilter::builder()
        .user_identity_ids(p.user_identity_ids)
        .maybe_credential_manager_acs_system_id(p.credential_manager_acs_system_id)
        .maybe_search(p.search)
        .maybe_created_before(p.created_before)
        .build();
    let filter = p.page.of(filter);
    Answer::page("user_identities", &call.ws.user_identities().list_written(&filter).await?)
}

async fn update(call: Call, p: Update) -> Outcome {
    let mut update = PersonUpdate::new();
    update.key = p.user_identity_key;
    update.full_name = p.full_name;
    update.email_address = p.email_address;
    update.phone_number = p.phone_number;
    call.ws.user_identities().update(p.user_identity_id, update).await?;
    Answer::done()
}

async fn delete(call: Call, p: Which) -> Outcome {
    call.ws.user_identities().delete(p.user_identity_id).await?;
    Answer::done()
}

async fn merge(call: Call, p: Merge) -> Outcome {
    let people = call.ws.user_identities();
    match (p.user_identity_id, p.merged_user_identity_ids, p.user_identity_key, p.merged_user_identity_keys) {
        (Some(id), Some(gone), None, None) => people.merge(id, gone).await?,
        (None, None, Some(key), Some(gone)) => people.merge_by_keys(&key, &gone).await?,
        _ => return Err(Problem::invalid("user_identity_id", "ids with merged_user_identity_ids, or keys with merged_user_identity_keys")),
    };
    Answer::done()
}

async fn add_acs_user(call: Call, p: AddUser) -> Outcome {
    match named(["user_identity_id", "user_identity_key"], p.user_identity_id, p.user_identity_key)? {
        Named::Id(id) => call.ws.user_identities().add_acs_user(id, p.acs_user_id).await?,
        Named::Key(key) => call.ws.user_identities().add_acs_user_by_key(&key, p.acs_user_id).await?,
    };
    Answer::done()
}

async fn remove_acs_user(call: Call, p: RemoveUser) -> Outcome {
    call.ws.user_identities().remove_acs_user(p.user_identity_id, p.acs_user_id).await?;
    Answer::done()
}

async fn list_acs_users(call: Call, p: Which) -> Outcome {
    Answer::of("acs_users", &call.ws.user_identities().list_acs_users(p.user_identity_id).await?)
}

async fn list_acs_systems(call: Call, p: Which) -> Outcome {
    Answer::of("acs_systems", &call.ws.user_identities().list_acs_systems(p.user_identity_id).await?)
}

async fn list_accessible_entrances(call: Call, p: Which) -> Outcome {
    call.person(Some(p.user_identity_id))?;
    Answer::of("acs_entrances", &call.ws.user_identities().list_accessible_entrances(p.user_identity_id).await?)
}

async fn generate_instant_key(call: Call, p: GenerateKey) -> Outcome {
    let times = count(p.max_use_count).and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
    Answer::of("instant_key", &call.ws.instant_keys().generate(p.user_identity_id, times).await?)
}

async fn list_accessible_devices(call: Call, p: Which) -> Outcome {
    call.ws.user_identities().get(p.user_identity_id).await?;
    let none: [(); 0] = [];
    Answer::both(["devices", "accessible_devices"], &none)
}

async fn get_unmanaged(call: Call, p: Which) -> Outcome {
    Answer::of("user_identity", &call.ws.user_identities().get_unmanaged(p.user_identity_id).await?)
}

async fn list_unmanaged(call: Call, p: ListUnmanaged) -> Outcome {
    let filter = UnmanagedFilter::builder().maybe_search(p.search).maybe_created_before(p.created_before).build();
    let filter = p.page.of(filter);
    Answer::page("user_identities", &call.ws.user_identities().search_unmanaged(&filter).await?)
}

async fn manage(call: Call, p: Manage) -> Outcome {
    call.ws.user_identities().manage(p.user_identity_id).await?;
    Answer::done()
}

/// A device is an entrance under its second name, and is missed as a device.
async fn device(call: &Call, id: AcsEntranceId) -> Result<AcsEntranceId, Problem> {
    match call.ws.acs().entrances().get(id).await {
        Ok(entrance) => Ok(entrance.acs_entrance_id),
        Err(e) if e.kind() == ErrorKind::NotFound => Err(Problem::not_found("device", "there is no such device")),
        Err(e) => Err(e.into()),
    }
}

async fn grant_access_to_device(call: Call, p: Device) -> Outcome {
    call.ws.user_identities().get(p.user_identity_id).await?;
    let door = device(&call, p.device_id).await?;
    call.ws.acs().entrances().grant_access(door, p.user_identity_id).await?;
    Answer::done()
}

async fn revoke_access_to_device(call: Call, p: Device) -> Outcome {
    call.ws.user_identities().get(p.user_identity_id).await?;
    device(&call, p.device_id).await?;
    let text = "delete the access grant, or take the person out of the access group";
    Err(Problem::new(StatusCode::BAD_REQUEST, "not_supported", text))
}
