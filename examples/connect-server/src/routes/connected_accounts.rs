//! Connected accounts.
use super::Paging;
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::decode::given;
use crate::http::route::Gives::{Nothing, One, Own, Pages};
use crate::http::route::{Route, Verb, route};
use schemars::JsonSchema;
use seam_core::api::AccountFilter;
use seam_core::model::{ConnectedAccountId, SpaceId};
use seam_core::plan::AccountUpdate;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Read, "/connected_accounts/get", "An account.", One("connected_account"), get),
        route(Verb::Read, "/connected_accounts/list", "The accounts.", Pages("connected_accounts", "connected_account"), list),
        route(
            Verb::Change,
            "/connected_accounts/update",
            "Changes the name or the metadata of an account.",
            One("connected_account"),
            update,
        ),
        route(Verb::Remove, "/connected_accounts/delete", "Disconnects an account; its grants end.", Nothing, delete),
        route(Verb::Do, "/connected_accounts/sync", "Reads an account anew.", Nothing, sync),
        route(
            Verb::Read,
            "/connected_accounts/get_readiness",
            "What stands between an account and its first grant.",
            Own("readiness"),
            readiness,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    connected_account_id: ConnectedAccountId,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    #[schemars(length(min = 1))]
    customer_key: Option<String>,
    space_id: Option<SpaceId>,
    #[serde(default)]
    custom_metadata_has: Map<String, Value>,
    #[schemars(length(min = 1))]
    search: Option<String>,
    #[serde(flatten)]
    page: Paging,
}

#[derive(Deserialize, JsonSchema)]
struct Update {
    connected_account_id: ConnectedAccountId,
    #[serde(default, deserialize_with = "given")]
    display_name: Option<Option<String>>,
    #[schemars(length(min = 1))]
    customer_key: Option<String>,
    custom_metadata: Option<Map<String, Value>>,
}

async fn get(call: Call, p: Which) -> Outcome {
    Answer::of("connected_account", &call.ws.connected_accounts().get(p.connected_account_id).await?)
}

async fn list(call: Call, p: List) -> Outcome {
    let filter = AccountFilter::builder()
        .maybe_customer_key(p.customer_key)
        .maybe_space_id(p.space_id)
        .custom_metadata_has(p.custom_metadata_has.into_iter().collect())
        .maybe_search(p.search)
        .build();
    let filter = p.page.of(filter);
    Answer::page("connected_accounts", &call.ws.connected_accounts().search(&filter).await?)
}

async fn update(call: Call, p: Update) -> Outcome {
    let mut update = AccountUpdate::builder().account(p.connected_account_id).build();
    update.display_name = p.display_name;
    update.customer_key = p.customer_key;
    update.custom_metadata = p.custom_metadata;
    Answer::of("connected_account", &call.ws.connected_accounts().change(update).await?)
}

async fn delete(call: Call, p: Which) -> Outcome {
    call.ws.connected_accounts().delete(p.connected_account_id).await?;
    Answer::done()
}

async fn sync(call: Call, p: Which) -> Outcome {
    call.ws.connected_accounts().rescan(p.connected_account_id).await?;
    Answer::done()
}

async fn readiness(call: Call, p: Which) -> Outcome {
    Answer::of("readiness", &call.ws.connected_accounts().readiness(p.connected_account_id).await?)
}
