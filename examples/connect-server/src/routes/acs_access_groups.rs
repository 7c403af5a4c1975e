//! Access groups.
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::route::Gives::{Many, Nothing, One};
use crate::http::route::{Route, Verb, route};
use schemars::JsonSchema;
use seam_core::api::AccessGroupFilter;
use seam_core::model::{AcsAccessGroup, AcsAccessGroupId, AcsSystemId, AcsUserId, UserIdentityId};
use serde::Deserialize;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Read, "/acs/access_groups/get", "A group.", One("acs_access_group"), get),
        route(Verb::Read, "/acs/access_groups/list", "The groups.", Many("acs_access_groups", "acs_access_group"), list),
        route(Verb::Read, "/acs/access_groups/list_users", "The users in a group.", Many("acs_users", "acs_user"), list_users),
        route(
            Verb::Read,
            "/acs/access_groups/list_accessible_entrances",
            "The entrances that a group opens.",
            Many("acs_entrances", "acs_entrance"),
            list_accessible_entrances,
        ),
        route(Verb::Add, "/acs/access_groups/add_user", "Puts a user or a person into a group.", Nothing, add_user),
        route(Verb::Remove, "/acs/access_groups/remove_user", "Takes a user or a person out of a group.", Nothing, remove_user),
        route(Verb::Remove, "/acs/access_groups/delete", "Deletes a group, where the system lets others do that.", Nothing, delete),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    acs_access_group_id: AcsAccessGroupId,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    acs_system_id: Option<AcsSystemId>,
    acs_user_id: Option<AcsUserId>,
    user_identity_id: Option<UserIdentityId>,
    #[schemars(length(min = 1))]
    search: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Member {
    acs_access_group_id: AcsAccessGroupId,
    acs_user_id: Option<AcsUserId>,
    user_identity_id: Option<UserIdentityId>,
}

async fn get(call: Call, p: Which) -> Outcome {
    Answer::of("acs_access_group", &call.ws.acs().access_groups().get(p.acs_access_group_id).await?)
}

async fn list(call: Call, p: List) -> Outcome {
    let mut filter = AccessGroupFilter::builder()
        .maybe_acs_system_id(p.acs_system_id)
        .maybe_acs_user_id(p.acs_user_id)
        .maybe_user_identity_id(p.user_identity_id)
        .maybe_search(p.search)
        .limit(1000)
        .build();
    let mut all: Vec<AcsAccessGroup> = Vec::new();
    loop {
        let page = call.ws.acs().access_groups().list(&filter).await?;
        all.extend(page.items);
        filter.page_cursor = page.pagination.next_page_cursor;
        if filter.page_cursor.is_none() {
            return Answer::of("acs_access_groups", &all);
        }
    }
}

async fn list_users(call: Call, p: Which) -> Outcome {
    Answer::of("acs_users", &call.ws.acs().access_groups().list_users(p.acs_access_group_id).await?)
}

async fn list_accessible_entrances(call: Call, p: Which) -> Outcome {
    Answer::of("acs_entrances", &call.ws.acs().access_groups().list_accessible_entrances(p.acs_access_group_id).await?)
}

async fn add_user(call: Call, p: Member) -> Outcome {
    let who = super::owner(p.acs_user_id, p.user_identity_id)?;
    call.ws.acs().access_groups().add_user(p.acs_access_group_id, who).await?;
    Answer::done()
}

async fn remove_user(call: Call, p: Member) -> Outcome {
    let who = super::owner(p.acs_user_id, p.user_identity_id)?;
    call.ws.acs().access_groups().remove_user(p.acs_access_group_id, who).await?;
    Answer::done()
}

async fn delete(call: Call, p: Which) -> Outcome {
    call.ws.acs().access_groups().delete(p.acs_access_group_id).await?;
    Answer::done()
}
