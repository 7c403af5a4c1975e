//! Connected accounts.
use super::count;
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::route::Gives::{Nothing, One, Pages};
use crate::http::route::{Route, Verb, route};
use schemars::JsonSchema;
use seam_core::model::ConnectedAccountId;
use serde::Deserialize;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Read, "/connected_accounts/get", "An account.", One("connected_account"), get),
        route(Verb::Read, "/connected_accounts/list", "The accounts.", Pages("connected_accounts", "connected_account"), list),
        route(Verb::Remove, "/connected_accounts/delete", "Disconnects an account; its grants end.", Nothing, delete),
        route(Verb::Do, "/connected_accounts/sync", "Reads an account anew.", Nothing, sync),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    connected_account_id: ConnectedAccountId,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    #[schemars(range(min = 0, max = 10_000))]
    limit: Option<f64>,
    page_cursor: Option<String>,
}

async fn get(call: Call, p: Which) -> Outcome {
    Answer::of("connected_account", &call.ws.connected_accounts().get(p.connected_account_id).await?)
}

async fn list(call: Call, p: List) -> Outcome {
    let limit = count(p.limit).unwrap_or(500);
    Answer::page("connected_accounts", &call.ws.connected_accounts().list(p.page_cursor.as_deref(), limit).await?)
}

async fn delete(call: Call, p: Which) -> Outcome {
    call.ws.connected_accounts().delete(p.connected_account_id).await?;
    Answer::done()
}

async fn sync(call: Call, p: Which) -> Outcome {
    call.ws.connected_accounts().rescan(p.connected_account_id).await?;
    Answer::done()
}
