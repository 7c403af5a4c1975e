//! Workspaces.
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::route::Gives::{Many, One};
use crate::http::route::{Route, Verb, route};
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Read, "/workspaces/get", "The workspace of the API key.", One("workspace"), get),
        route(Verb::Read, "/workspaces/list", "The workspaces that the API key reaches: its own.", Many("workspaces", "workspace"), list),
        route(Verb::Do, "/workspaces/reset_sandbox", "Takes away what was made in a test workspace.", One("action_attempt"), reset_sandbox),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

async fn get(call: Call, _: Nothing) -> Outcome {
    Answer::of("workspace", &call.ws.about().await?)
}

async fn list(call: Call, _: Nothing) -> Outcome {
    Answer::of("workspaces", &[call.ws.about().await?])
}

async fn reset_sandbox(call: Call, _: Nothing) -> Outcome {
    Answer::of("action_attempt", &call.ws.reset_sandbox().await?)
}
