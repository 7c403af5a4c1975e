//! Grants: who, where, when, how.
use super::related::Wanted;
use super::{Named, Paging, PersonFields, named};
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::decode::given;
use crate::http::problem::Problem;
use crate::http::route::Gives::{Batch, Nothing, One, Pages};
use crate::http::route::{Route, Verb, route};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use seam_core::api::{GrantFilter, UnmanagedFilter};
use seam_core::model::{AcsEntranceId, AcsSystemId, Shown, SpaceId, UserIdentityId};
use seam_core::{AccessGrantId, AccessMethodMode, GrantUpdate, NewGrant, NewMethod, Who};
use serde::Deserialize;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Do, "/access_grants/create", "Grants access: who, where, when, how.", One("access_grant"), create),
        route(Verb::Read, "/access_grants/get", "A grant.", One("access_grant"), get),
        route(Verb::Read, "/access_grants/list", "The grants.", Pages("access_grants", "access_grant"), list).for_sessions(),
        route(Verb::Read, "/access_grants/get_related", "Grants with what belongs to them.", Batch, get_related),
        route(Verb::Change, "/access_grants/update", "Changes the window or the name of a grant.", Nothing, update),
        route(Verb::Remove, "/access_grants/delete", "Takes a grant away.", Nothing, delete),
        route(Verb::Do, "/access_grants/request_access_methods", "Adds methods to a grant.", One("access_grant"), request_access_methods),
        route(
            Verb::Read,
            "/access_grants/unmanaged/get",
            "Access that a system holds and that was not granted here.",
            One("access_grant"),
            get_unmanaged,
        ),
        route(
            Verb::Read,
            "/access_grants/unmanaged/list",
            "The access that systems hold and that was not granted here.",
            Pages("access_grants", "unmanaged_access_grant"),
            list_unmanaged,
        ),
        route(Verb::Change, "/access_grants/unmanaged/update", "Takes such access over, where that can be.", Nothing, manage),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Method {
    #[schemars(extend("enum" = ["code", "card", "mobile_key", "cloud_key"]))]
    mode: AccessMethodMode,
    #[schemars(length(min = 4, max = 9), regex(pattern = r"^\d+$"))]
    code: Option<String>,
    #[schemars(range(min = 1, max = 1000))]
    instant_key_max_use_count: Option<u32>,
}

/// Deprecated: a place by its parts.
#[derive(Deserialize, JsonSchema)]
struct Location {
    #[serde(default)]
    acs_entrance_ids: Vec<AcsEntranceId>,
    #[serde(default)]
    device_ids: Vec<AcsEntranceId>,
}

#[derive(Deserialize, JsonSchema)]
struct Create {
    user_identity_id: Option<UserIdentityId>,
    user_identity: Option<PersonFields>,
    #[schemars(length(min = 1))]
    access_grant_key: Option<String>,
    #[serde(default)]
    acs_entrance_ids: Vec<AcsEntranceId>,
    #[serde(default)]
    device_ids: Vec<AcsEntranceId>,
    location: Option<Location>,
    #[serde(default)]
    location_ids: Vec<SpaceId>,
    #[serde(default)]
    space_ids: Vec<SpaceId>,
    #[serde(default)]
    space_keys: Vec<String>,
    starts_at: Option<DateTime<Utc>>,
    ends_at: Option<DateTime<Utc>>,
    name: Option<String>,
    requested_access_methods: Vec<Method>,
    #[schemars(length(min = 1))]
    reservation_key: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Get {
    access_grant_id: Option<AccessGrantId>,
    #[schemars(length(min = 1))]
    access_grant_key: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    access_grant_id: AccessGrantId,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    #[serde(default)]
    access_grant_ids: Vec<AccessGrantId>,
    #[schemars(length(min = 1))]
    #[serde(default, deserialize_with = "given")]
    access_grant_key: Option<Option<String>>,
    acs_entrance_id: Option<AcsEntranceId>,
    device_id: Option<AcsEntranceId>,
    acs_system_id: Option<AcsSystemId>,
    #[schemars(length(min = 1))]
    customer_key: Option<String>,
    location_id: Option<SpaceId>,
    space_id: Option<SpaceId>,
    #[schemars(length(min = 1))]
    reservation_key: Option<String>,
    user_identity_id: Option<UserIdentityId>,
    #[schemars(length(min = 1))]
    search: Option<String>,
    #[serde(flatten)]
    page: Paging,
}

#[derive(Deserialize, JsonSchema)]
struct GetRelated {
    #[serde(default)]
    access_grant_ids: Vec<AccessGrantId>,
    #[serde(default)]
    access_grant_keys: Vec<String>,
    include: Option<Vec<String>>,
    #[serde(default)]
    exclude: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Update {
    access_grant_id: Option<AccessGrantId>,
    #[schemars(length(min = 1))]
    access_grant_key: Option<String>,
    starts_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "given")]
    ends_at: Option<Option<DateTime<Utc>>>,
    #[serde(default, deserialize_with = "given")]
    name: Option<Option<String>>,
}

#[derive(Deserialize, JsonSchema)]
struct RequestMethods {
    access_grant_id: AccessGrantId,
    #[schemars(length(min = 1))]
    requested_access_methods: Vec<Method>,
}

#[derive(Deserialize, JsonSchema)]
struct ListUnmanaged {
    acs_system_id: Option<AcsSystemId>,
    acs_entrance_id: Option<AcsEntranceId>,
    user_identity_id: Option<UserIdentityId>,
    #[schemars(length(min = 1))]
    reservation_key: Option<String>,
    #[serde(flatten)]
    page: Paging,
}

#[derive(Deserialize, JsonSchema)]
struct Manage {
    access_grant_id: AccessGrantId,
    #[schemars(extend("const" = true))]
    #[expect(dead_code, reason = "the schema knows its only value")]
    is_managed: bool,
}

fn methods(asked: Vec<Method>) -> Vec<NewMethod> {
    let method = |m: Method| {
        let mut new = NewMethod::new(m.mode);
        new.code = m.code.map(Shown::new);
        new.instant_key_max_use_count = m.instant_key_max_use_count;
        new
    };
    asked.into_iter().map(method).collect()
}

async fn create(call: Call, p: Create) -> Outcome {
    let who = match (p.user_identity_id, p.user_identity) {
        (Some(id), None) => Who::Known(id),
        (None, Some(new)) => Who::Inline(new.into()),
        (None, None) => return Err(Problem::invalid("user_identity_id", "Required, unless user_identity is given")),
        (Some(_), Some(_)) => return Err(Problem::invalid("user_identity", "not together with user_identity_id")),
    };
    let (more, devices) = p.location.map_or_else(Default::default, |l| (l.acs_entrance_ids, l.device_ids));
    let new = NewGrant::builder()
        .who(who)
        .entrances([p.acs_entrance_ids, p.device_ids, more, devices].concat())
        .spaces([p.space_ids, p.location_ids].concat())
        .space_keys(p.space_keys)
        .maybe_starts_at(p.starts_at)
        .maybe_ends_at(p.ends_at)
        .methods(methods(p.requested_access_methods))
        .maybe_reservation(p.reservation_key)
        .maybe_key(p.access_grant_key)
        .maybe_name(p.name)
        .build();
    Answer::of("access_grant", &call.ws.access_grants().create(new).await?)
}

async fn get(call: Call, p: Get) -> Outcome {
    let grant = match named(["access_grant_id", "access_grant_key"], p.access_grant_id, p.access_grant_key)? {
        Named::Id(id) => call.ws.access_grants().get(id).await?,
        Named::Key(key) => call.ws.access_grants().get_by_key(&key).await?,
    };
    Answer::of("access_grant", &grant)
}

async fn list(call: Call, p: List) -> Outcome {
    let filter = GrantFilter::builder()
        .access_grant_ids(p.access_grant_ids)
        .without_key(p.access_grant_key == Some(None))
        .maybe_access_grant_key(p.access_grant_key.flatten())
        .maybe_acs_entrance_id(p.acs_entrance_id.or(p.device_id))
        .maybe_acs_system_id(p.acs_system_id)
        .maybe_customer_key(p.customer_key)
        .maybe_space_id(p.space_id.or(p.location_id))
        .maybe_reservation_key(p.reservation_key)
        .maybe_user_identity_id(call.person(p.user_identity_id)?)
        .maybe_search(p.search)
        .build();
    let filter = p.page.of(filter);
    Answer::page("access_grants", &call.ws.access_grants().list_written(&filter).await?)
}

const RELATED: [&str; 8] =
    ["spaces", "devices", "acs_entrances", "connected_accounts", "acs_systems", "user_identities", "acs_access_groups", "access_methods"];

async fn get_related(call: Call, p: GetRelated) -> Outcome {
    let mut ids = p.access_grant_ids;
    ids.extend(call.ws.access_grants().ids_of(&p.access_grant_keys).await?);
    if ids.is_empty() {
        return Err(Problem::invalid("access_grant_ids", "Required, unless access_grant_keys is given"));
    }
    let wanted = Wanted::new(&RELATED, p.include.as_deref(), &p.exclude);
    wanted.batch(&call.ws.access_grants().get_related(&ids, &wanted.select()).await?)
}

async fn update(call: Call, p: Update) -> Outcome {
    let change = |mut update: GrantUpdate| {
        update.starts_at = p.starts_at;
        update.ends_at = p.ends_at;
        update.name = p.name;
        update
    };
    let grants = call.ws.access_grants();
    match named(["access_grant_id", "access_grant_key"], p.access_grant_id, p.access_grant_key)? {
        Named::Id(id) => grants.update(change(GrantUpdate::new(id))).await?,
        Named::Key(key) => grants.update_by_key(&key, change).await?,
    };
    Answer::done()
}

async fn delete(call: Call, p: Which) -> Outcome {
    call.ws.access_grants().delete(p.access_grant_id).await?;
    Answer::done()
}

async fn request_access_methods(call: Call, p: RequestMethods) -> Outcome {
    let methods = methods(p.requested_access_methods);
    Answer::of("access_grant", &call.ws.access_grants().request_access_methods(p.access_grant_id, methods).await?)
}

async fn get_unmanaged(call: Call, p: Which) -> Outcome {
    Answer::of("access_grant", &call.ws.access_grants().get_unmanaged(p.access_grant_id).await?)
}

async fn list_unmanaged(call: Call, p: ListUnmanaged) -> Outcome {
    let filter = UnmanagedFilter::builder()
        .maybe_acs_system_id(p.acs_system_id)
        .maybe_acs_entrance_id(p.acs_entrance_id)
        .maybe_reservation_key(p.reservation_key)
        .build();
    let filter = p.page.of(filter);
    let mut page = call.ws.access_grants().search_unmanaged(&filter).await?;
    if let Some(person) = p.user_identity_id {
        page.items.retain(|g| g.user_identity_id == Some(person));
    }
    Answer::page("access_grants", &page)
}

async fn manage(call: Call, p: Manage) -> Outcome {
    call.ws.access_grants().manage(p.access_grant_id).await?;
    Answer::done()
}
