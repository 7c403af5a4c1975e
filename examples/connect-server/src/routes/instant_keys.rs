//! Instant keys.
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::problem::Problem;
use crate::http::route::Gives::{Many, Nothing, One};
use crate::http::route::{Route, Verb, route};
use schemars::JsonSchema;
use seam_core::model::{InstantKeyId, UserIdentityId};
use serde::Deserialize;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Read, "/instant_keys/get", "An instant key.", One("instant_key"), get),
        route(Verb::Read, "/instant_keys/list", "The instant keys.", Many("instant_keys", "instant_key"), list),
        route(Verb::Remove, "/instant_keys/delete", "Deletes an instant key.", Nothing, delete),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Get {
    instant_key_id: Option<InstantKeyId>,
    instant_key_url: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    user_identity_id: Option<UserIdentityId>,
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    instant_key_id: InstantKeyId,
}

async fn get(call: Call, p: Get) -> Outcome {
    let key = match (p.instant_key_id, p.instant_key_url) {
        (Some(id), None) => call.ws.instant_keys().get(id).await?,
        (None, Some(url)) => call.ws.instant_keys().get_by_url(&url).await?,
        _ => return Err(Problem::invalid("instant_key_id", "exactly one of instant_key_id and instant_key_url is required")),
    };
    Answer::of("instant_key", &key)
}

async fn list(call: Call, p: List) -> Outcome {
    let Some(person) = p.user_identity_id else {
        return Err(Problem::invalid("user_identity_id", "Required"));
    };
    Answer::of("instant_keys", &call.ws.instant_keys().list(person).await?)
}

async fn delete(call: Call, p: Which) -> Outcome {
    call.ws.instant_keys().delete(p.instant_key_id).await?;
    Answer::done()
}
