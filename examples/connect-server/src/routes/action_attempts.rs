//! What persons asked for at devices.
use super::{Paging, count};
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::route::Gives::{One, Pages};
use crate::http::route::{Route, Verb, route};
use schemars::JsonSchema;
use seam_core::model::ActionAttemptId;
use serde::Deserialize;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Read, "/action_attempts/get", "An attempt.", One("action_attempt"), get).for_sessions(),
        route(Verb::Read, "/action_attempts/list", "Attempts by their ids.", Pages("action_attempts", "action_attempt"), list),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    action_attempt_id: ActionAttemptId,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    #[serde(default)]
    #[schemars(length(max = 1000))]
    action_attempt_ids: Vec<ActionAttemptId>,
    #[serde(flatten)]
    page: Paging,
}

async fn get(call: Call, p: Which) -> Outcome {
    Answer::of("action_attempt", &call.ws.action_attempts().get(p.action_attempt_id).await?)
}

async fn list(call: Call, p: List) -> Outcome {
    let limit = count(p.page.limit).unwrap_or(500);
    Answer::page("action_attempts", &call.ws.action_attempts().page(&p.action_attempt_ids, p.page.page_cursor.as_deref(), limit).await?)
}
