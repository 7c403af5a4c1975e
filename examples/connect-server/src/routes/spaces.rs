//! Spaces.
use super::related::Wanted;
use super::{Named, Paging, named};
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::problem::Problem;
use crate::http::route::Gives::{Batch, Nothing, One, Own, Pages};
use crate::http::route::{Route, Verb, route};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use seam_core::api::SpaceFilter;
use seam_core::model::{AcsEntranceId, ConnectedAccountId, SpaceId};
use seam_core::plan::{ParentSpace, SpaceUpdate};
use seam_core::{Error, NewSpace};
use serde::Deserialize;
use serde_json::Value;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Do, "/spaces/create", "Makes a space.", One("space"), create),
        route(Verb::Read, "/spaces/get", "A space.", One("space"), get),
        route(Verb::Read, "/spaces/list", "The spaces.", Pages("spaces", "space"), list),
        route(Verb::Read, "/spaces/get_related", "Spaces with what belongs to them.", Batch, get_related),
        route(Verb::Change, "/spaces/update", "Changes a space.", One("space"), update),
        route(Verb::Remove, "/spaces/delete", "Deletes a space.", Nothing, delete),
        route(Verb::Add, "/spaces/add_acs_entrances", "Puts entrances into a space.", Nothing, add_acs_entrances),
        route(Verb::Remove, "/spaces/remove_acs_entrances", "Takes entrances out of a space.", Nothing, remove_acs_entrances),
        route(Verb::Add, "/spaces/add_connected_account", "Puts an account into a space.", Nothing, add_connected_account),
        route(Verb::Remove, "/spaces/remove_connected_account", "Takes an account out of a space.", Nothing, remove_connected_account),
        route(Verb::Read, "/spaces/get_occupancy", "Who may be in a space, hour by hour.", Own("occupancy"), occupancy),
        route(Verb::Add, "/spaces/add_devices", "Puts devices into a space.", Nothing, add_devices),
        route(Verb::Remove, "/spaces/remove_devices", "Takes devices out of a space.", Nothing, remove_devices),
    ]
}

const TIME: &str = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$";

/// Stay defaults. Members that are not known are kept.
#[derive(Deserialize, serde::Serialize, JsonSchema)]
struct CustomerData {
    #[serde(default, deserialize_with = "crate::http::decode::given", skip_serializing_if = "Option::is_none")]
    address: Option<Option<String>>,
    #[schemars(regex(pattern = TIME))]
    #[serde(default, deserialize_with = "crate::http::decode::given", skip_serializing_if = "Option::is_none")]
    default_checkin_time: Option<Option<String>>,
    #[schemars(regex(pattern = TIME))]
    #[serde(default, deserialize_with = "crate::http::decode::given", skip_serializing_if = "Option::is_none")]
    default_checkout_time: Option<Option<String>>,
    #[serde(default, deserialize_with = "crate::http::decode::given", skip_serializing_if = "Option::is_none")]
    time_zone: Option<Option<String>>,
    #[serde(flatten)]
    other: serde_json::Map<String, Value>,
}

#[derive(Deserialize, JsonSchema)]
struct Create {
    #[schemars(length(min = 1))]
    name: String,
    #[schemars(length(min = 1))]
    space_key: Option<String>,
    #[serde(default)]
    acs_entrance_ids: Vec<AcsEntranceId>,
    #[serde(default)]
    device_ids: Vec<AcsEntranceId>,
    customer_data: Option<CustomerData>,
    #[schemars(length(min = 1))]
    customer_key: Option<String>,
    #[serde(default)]
    connected_account_ids: Vec<ConnectedAccountId>,
}

#[derive(Deserialize, JsonSchema)]
struct Get {
    space_id: Option<SpaceId>,
    #[schemars(length(min = 1))]
    space_key: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    #[schemars(length(min = 1))]
    customer_key: Option<String>,
    #[schemars(length(min = 1))]
    space_key: Option<String>,
    connected_account_id: Option<ConnectedAccountId>,
    parent_space_id: Option<SpaceId>,
    #[schemars(length(min = 1))]
    parent_space_key: Option<String>,
    #[schemars(length(min = 1))]
    search: Option<String>,
    #[serde(flatten)]
    page: Paging,
}

#[derive(Deserialize, JsonSchema)]
struct GetRelated {
    #[serde(default)]
    space_ids: Vec<SpaceId>,
    #[serde(default)]
    space_keys: Vec<String>,
    include: Option<Vec<String>>,
    #[serde(default)]
    exclude: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Update {
    space_id: Option<SpaceId>,
    #[schemars(length(min = 1))]
    space_key: Option<String>,
    #[schemars(length(min = 1))]
    name: Option<String>,
    acs_entrance_ids: Option<Vec<AcsEntranceId>>,
    device_ids: Option<Vec<AcsEntranceId>>,
    customer_data: Option<CustomerData>,
    #[serde(default, deserialize_with = "crate::http::decode::given")]
    parent_space_id: Option<Option<SpaceId>>,
    #[schemars(length(min = 1))]
    #[serde(default, deserialize_with = "crate::http::decode::given")]
    parent_space_key: Option<Option<String>>,
}

#[derive(Deserialize, JsonSchema)]
struct Occupancy {
    space_id: SpaceId,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

#[derive(Deserialize, JsonSchema)]
struct Account {
    space_id: SpaceId,
    connected_account_id: ConnectedAccountId,
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    space_id: SpaceId,
}

#[derive(Deserialize, JsonSchema)]
struct Entrances {
    space_id: SpaceId,
    #[schemars(length(min = 1))]
    acs_entrance_ids: Vec<AcsEntranceId>,
}

#[derive(Deserialize, JsonSchema)]
struct Devices {
    space_id: SpaceId,
    #[schemars(length(min = 1))]
    device_ids: Vec<AcsEntranceId>,
}

fn written(data: Option<CustomerData>) -> Result<Option<Value>, Problem> {
    data.map(serde_json::to_value).transpose().map_err(|e| Problem::invalid("customer_data", e.to_string()))
}

async fn create(call: Call, p: Create) -> Outcome {
    let new = NewSpace::builder()
        .name(p.name)
        .maybe_key(p.space_key)
        .entrances([p.acs_entrance_ids, p.device_ids].concat())
        .maybe_customer_key(p.customer_key)
        .maybe_customer_data(written(p.customer_data)?)
        .connected_accounts(p.connected_account_ids)
        .build();
    Answer::of("space", &call.ws.spaces().create(new).await?)
}

async fn get(call: Call, p: Get) -> Outcome {
    let space = match named(["space_id", "space_key"], p.space_id, p.space_key)? {
        Named::Id(id) => call.ws.spaces().get(id).await?,
        Named::Key(key) => call.ws.spaces().get_by_key(&key).await?,
    };
    Answer::of("space", &space)
}

async fn list(call: Call, p: List) -> Outcome {
    let filter = SpaceFilter::builder()
        .maybe_customer_key(p.customer_key)
        .maybe_space_key(p.space_key)
        .maybe_connected_account_id(p.connected_account_id)
        .maybe_parent_space_id(p.parent_space_id)
        .maybe_parent_space_key(p.parent_space_key)
        .maybe_search(p.search)
        .build();
    let filter = p.page.of(filter);
    Answer::page("spaces", &call.ws.spaces().list(&filter).await?)
}

const RELATED: [&str; 6] = ["spaces", "devices", "acs_entrances", "connected_accounts", "acs_systems", "access_methods"];

/// An entrance that was named as a device is missed as one.
fn as_device(e: Error) -> Problem {
    let unknown = e.code() == "acs_entrance_not_found";
    let mut problem = Problem::from(e);
    if unknown {
        "device_not_found".clone_into(&mut problem.kind);
    }
    problem
}

async fn get_related(call: Call, p: GetRelated) -> Outcome {
    let mut ids = p.space_ids;
    ids.extend(call.ws.spaces().ids_of(&p.space_keys).await?);
    if ids.is_empty() {
        return Err(Problem::invalid("space_ids", "Required, unless space_keys is given"));
    }
    let wanted = Wanted::new(&RELATED, p.include.as_deref(), &p.exclude);
    wanted.batch(&call.ws.spaces().get_related(&ids, &wanted.select()).await?)
}

async fn update(call: Call, p: Update) -> Outcome {
    let id = match named(["space_id", "space_key"], p.space_id, p.space_key)? {
        Named::Id(id) => id,
        Named::Key(key) => call.ws.spaces().get_by_key(&key).await?.space_id,
    };
    let entrances = match (p.acs_entrance_ids, p.device_ids) {
        (None, None) => None,
        (some, more) => Some([some.unwrap_or_default(), more.unwrap_or_default()].concat()),
    };
    let mut update = SpaceUpdate::new(id);
    update.name = p.name;
    update.entrances = entrances;
    update.customer_data = written(p.customer_data)?;
    update.parent = match (p.parent_space_id, p.parent_space_key) {
        (None, None) => None,
        (Some(Some(id)), None) => Some(Some(ParentSpace::Id(id))),
        (None, Some(Some(key))) => Some(Some(ParentSpace::Key(key))),
        (Some(None), None) | (None, Some(None)) => Some(None),
        _ => return Err(Problem::invalid("parent_space_key", "not together with parent_space_id")),
    };
    Answer::of("space", &call.ws.spaces().update(update).await?)
}

async fn delete(call: Call, p: Which) -> Outcome {
    call.ws.spaces().delete(p.space_id).await?;
    Answer::done()
}

async fn add_acs_entrances(call: Call, p: Entrances) -> Outcome {
    call.ws.spaces().add_acs_entrances(p.space_id, p.acs_entrance_ids).await?;
    Answer::done()
}

async fn remove_acs_entrances(call: Call, p: Entrances) -> Outcome {
    call.ws.spaces().remove_acs_entrances(p.space_id, p.acs_entrance_ids).await?;
    Answer::done()
}

async fn add_devices(call: Call, p: Devices) -> Outcome {
    call.ws.spaces().add_acs_entrances(p.space_id, p.device_ids).await.map_err(as_device)?;
    Answer::done()
}

async fn remove_devices(call: Call, p: Devices) -> Outcome {
    call.ws.spaces().remove_acs_entrances(p.space_id, p.device_ids).await.map_err(as_device)?;
    Answer::done()
}

async fn add_connected_account(call: Call, p: Account) -> Outcome {
    call.ws.spaces().add_connected_account(p.space_id, p.connected_account_id).await?;
    Answer::done()
}

async fn remove_connected_account(call: Call, p: Account) -> Outcome {
    call.ws.spaces().remove_connected_account(p.space_id, p.connected_account_id).await?;
    Answer::done()
}

async fn occupancy(call: Call, p: Occupancy) -> Outcome {
    Answer::of("occupancy", &call.ws.spaces().occupancy(p.space_id, p.from, p.to).await?)
}
