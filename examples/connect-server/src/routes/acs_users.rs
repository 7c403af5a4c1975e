//! Users of access systems.
use super::Paging;
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::decode::given;
use crate::http::problem::Problem;
use crate::http::route::Gives::{Many, Nothing, One, Pages};
use crate::http::route::{Route, Verb, route};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use seam_core::api::UserFilter;
use seam_core::model::{AcsAccessGroupId, AcsSystemId, AcsUserId, UserIdentityId};
use seam_core::plan::UserUpdate;
use seam_core::{NewUser, Person};
use serde::Deserialize;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Do, "/acs/users/create", "Makes a user.", One("acs_user"), create),
        route(Verb::Read, "/acs/users/get", "A user.", One("acs_user"), get),
        route(Verb::Read, "/acs/users/list", "The users.", Pages("acs_users", "acs_user"), list),
        route(Verb::Change, "/acs/users/update", "Changes a user.", Nothing, update),
        route(Verb::Remove, "/acs/users/delete", "Deletes a user, with her credentials.", Nothing, delete),
        route(Verb::Do, "/acs/users/suspend", "Suspends a user.", Nothing, suspend),
        route(Verb::Do, "/acs/users/unsuspend", "Takes a suspended user up again.", Nothing, unsuspend),
        route(Verb::Add, "/acs/users/add_to_access_group", "Puts a user into a group.", Nothing, add_to_access_group),
        route(Verb::Remove, "/acs/users/remove_from_access_group", "Takes a user out of a group.", Nothing, remove_from_access_group),
        route(
            Verb::Read,
            "/acs/users/list_accessible_entrances",
            "The entrances that a user opens.",
            Many("acs_entrances", "acs_entrance"),
            list_accessible_entrances,
        ),
        route(
            Verb::Do,
            "/acs/users/revoke_access_to_all_entrances",
            "Takes everything away that a user opens.",
            Nothing,
            revoke_access_to_all_entrances,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Schedule {
    starts_at: Option<DateTime<Utc>>,
    ends_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize, JsonSchema)]
struct Create {
    acs_system_id: AcsSystemId,
    #[schemars(length(min = 1))]
    full_name: String,
    #[serde(default)]
    acs_access_group_ids: Vec<AcsAccessGroupId>,
    access_schedule: Option<Schedule>,
    #[schemars(email)]
    email: Option<String>,
    #[schemars(email)]
    email_address: Option<String>,
    phone_number: Option<String>,
    user_identity_id: Option<UserIdentityId>,
}

/// A user by her id, or as the user that a person is at a system.
#[derive(Deserialize, JsonSchema)]
struct Which {
    acs_user_id: Option<AcsUserId>,
    user_identity_id: Option<UserIdentityId>,
    acs_system_id: Option<AcsSystemId>,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    acs_system_id: Option<AcsSystemId>,
    user_identity_id: Option<UserIdentityId>,
    user_identity_email_address: Option<String>,
    user_identity_phone_number: Option<String>,
    #[schemars(length(min = 1))]
    search: Option<String>,
    created_before: Option<DateTime<Utc>>,
    #[serde(flatten)]
    page: Paging,
}

#[derive(Deserialize, JsonSchema)]
struct Update {
    #[serde(flatten)]
    who: Which,
    #[serde(default, deserialize_with = "given")]
    access_schedule: Option<Option<Schedule>>,
    #[schemars(email)]
    email: Option<String>,
    #[schemars(email)]
    email_address: Option<String>,
    #[schemars(length(min = 1))]
    full_name: Option<String>,
    phone_number: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Membership {
    acs_access_group_id: AcsAccessGroupId,
    acs_user_id: Option<AcsUserId>,
    user_identity_id: Option<UserIdentityId>,
}

async fn create(call: Call, p: Create) -> Outcome {
    // The API wants a name always; where there is a person, hers counts.
    let profile = Person::builder()
        .full_name(p.full_name)
        .maybe_email_address(p.email_address.or(p.email))
        .maybe_phone_number(p.phone_number)
        .build();
    let window = p.access_schedule.map_or((None, None), |s| (s.starts_at, s.ends_at));
    let new = NewUser::builder()
        .system(p.acs_system_id)
        .maybe_identity(p.user_identity_id)
        .profile(if p.user_identity_id.is_some() { Person::default() } else { profile })
        .groups(p.acs_access_group_ids)
        .maybe_starts_at(window.0)
        .maybe_ends_at(window.1)
        .build();
    Answer::of("acs_user", &call.ws.acs().users().create(new).await?)
}

async fn user(call: &Call, p: &Which) -> Result<AcsUserId, Problem> {
    Ok(call.ws.acs().users().resolve(p.acs_user_id, p.user_identity_id, p.acs_system_id).await?)
}

async fn get(call: Call, p: Which) -> Outcome {
    let id = user(&call, &p).await?;
    Answer::of("acs_user", &call.ws.acs().users().get(id).await?)
}

async fn list(call: Call, p: List) -> Outcome {
    let filter = UserFilter::builder()
        .maybe_acs_system_id(p.acs_system_id)
        .maybe_user_identity_id(p.user_identity_id)
        .maybe_user_identity_email_address(p.user_identity_email_address)
        .maybe_user_identity_phone_number(p.user_identity_phone_number)
        .maybe_search(p.search)
        .maybe_created_before(p.created_before)
        .build();
    let filter = p.page.of(filter);
    Answer::page("acs_users", &call.ws.acs().users().list_written(&filter).await?)
}

async fn update(call: Call, p: Update) -> Outcome {
    let id = user(&call, &p.who).await?;
    let mut update = UserUpdate::new();
    update.full_name = p.full_name;
    update.email_address = p.email_address.or(p.email);
    update.phone_number = p.phone_number;
    update.schedule = match p.access_schedule {
        None => None,
        Some(None) => Some(None),
        Some(Some(Schedule { starts_at: Some(from), ends_at })) => Some(Some((from, ends_at))),
        Some(Some(_)) => return Err(Problem::invalid("access_schedule.starts_at", "Required")),
    };
    call.ws.acs().users().update(id, update).await?;
    Answer::done()
}

async fn delete(call: Call, p: Which) -> Outcome {
    let id = user(&call, &p).await?;
    call.ws.acs().users().delete(id).await?;
    Answer::done()
}

async fn suspend(call: Call, p: Which) -> Outcome {
    let id = user(&call, &p).await?;
    call.ws.acs().users().suspend(id, true).await?;
    Answer::done()
}

async fn unsuspend(call: Call, p: Which) -> Outcome {
    let id = user(&call, &p).await?;
    call.ws.acs().users().suspend(id, false).await?;
    Answer::done()
}

async fn add_to_access_group(call: Call, p: Membership) -> Outcome {
    let who = super::owner(p.acs_user_id, p.user_identity_id)?;
    call.ws.acs().access_groups().add_user(p.acs_access_group_id, who).await?;
    Answer::done()
}

async fn remove_from_access_group(call: Call, p: Membership) -> Outcome {
    let who = super::owner(p.acs_user_id, p.user_identity_id)?;
    call.ws.acs().access_groups().remove_user(p.acs_access_group_id, who).await?;
    Answer::done()
}

async fn list_accessible_entrances(call: Call, p: Which) -> Outcome {
    let id = user(&call, &p).await?;
    Answer::of("acs_entrances", &call.ws.acs().users().list_accessible_entrances(id).await?)
}

async fn revoke_access_to_all_entrances(call: Call, p: Which) -> Outcome {
    let id = user(&call, &p).await?;
    call.ws.acs().users().revoke_access_to_all_entrances(id).await?;
    Answer::done()
}
