//! People.
use super::{Named, count, named};
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::decode::given;
use crate::http::problem::Problem;
use crate::http::route::Gives::{Many, Nothing, One, Pages};
use crate::http::route::{Route, Verb, route};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use seam_core::api::IdentityFilter;
use seam_core::model::{AcsSystemId, AcsUserId, UserIdentity, UserIdentityId};
use seam_core::{Person, PersonUpdate};
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
    #[schemars(email)]
    email_address: Option<String>,
    #[schemars(length(min = 1))]
    full_name: Option<String>,
    phone_number: Option<String>,
    #[schemars(length(min = 1))]
    user_identity_key: Option<String>,
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
    #[schemars(range(min = 0, max = 10_000))]
    limit: Option<f64>,
    page_cursor: Option<String>,
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
struct GenerateKey {
    user_identity_id: UserIdentityId,
    #[schemars(range(min = 1, max = 1000))]
    max_use_count: Option<f64>,
}

async fn create(call: Call, p: Create) -> Outcome {
    let person = Person { key: p.user_identity_key, full_name: p.full_name, email_address: p.email_address, phone_number: p.phone_number };
    if !p.acs_system_ids.is_empty() {
        return Err(Problem::invalid("acs_system_ids", "link users with user_identities/add_acs_user"));
    }
    Answer::of("user_identity", &call.ws.user_identities().create(person).await?)
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
    if let Some(manager) = p.credential_manager_acs_system_id {
        // No system that can be connected here is a credential manager: nobody has one.
        call.ws.acs().systems().get(manager).await?;
        return Answer::page("user_identities", &seam_core::model::Page::<UserIdentity>::new(Vec::new(), None));
    }
    let filter = IdentityFilter::builder()
        .user_identity_ids(p.user_identity_ids)
        .maybe_search(p.search)
        .maybe_created_before(p.created_before)
        .maybe_page_cursor(p.page_cursor)
        .maybe_limit(count(p.limit))
        .build();
    Answer::page("user_identities", &call.ws.user_identities().list(&filter).await?)
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
    let (stays, gone) = match (p.user_identity_id, p.merged_user_identity_ids, p.user_identity_key, p.merged_user_identity_keys) {
        (Some(id), Some(gone), None, None) => (id, gone),
        (None, None, Some(key), Some(keys)) => {
            let mut gone = Vec::with_capacity(keys.len());
            for key in &keys {
                gone.push(people.get_by_key(key).await?.user_identity_id);
            }
            (people.get_by_key(&key).await?.user_identity_id, gone)
        }
        _ => return Err(Problem::invalid("user_identity_id", "ids with merged_user_identity_ids, or keys with merged_user_identity_keys")),
    };
    people.merge(stays, gone).await?;
    Answer::done()
}

async fn add_acs_user(call: Call, p: AddUser) -> Outcome {
    let id = one(&call, p.user_identity_id, p.user_identity_key).await?.user_identity_id;
    call.ws.user_identities().add_acs_user(id, p.acs_user_id).await?;
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
