//! Webhooks.
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::problem::Problem;
use crate::http::route::Gives::{Many, Nothing, One, Own};
use crate::http::route::{Route, Verb, route};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use seam_core::model::{EventType, WebhookId};
use serde::Deserialize;
use std::time::Duration;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Do, "/webhooks/create", "Sends events to an address from now on.", One("webhook"), create),
        route(Verb::Read, "/webhooks/get", "A webhook, with its secret.", One("webhook"), get),
        route(Verb::Read, "/webhooks/list", "The webhooks.", Many("webhooks", "webhook"), list),
        route(Verb::Add, "/webhooks/update", "Sends other types of events.", Nothing, update),
        route(Verb::Remove, "/webhooks/delete", "Sends nothing there any more.", Nothing, delete),
        route(
            Verb::Do,
            "/webhooks/rotate_secret",
            "Signs with a new secret, and with the present one for a while.",
            One("webhook"),
            rotate,
        ),
        route(Verb::Read, "/webhooks/get_state", "What was delivered, what waits, what failed.", Own("webhook_state"), state),
        route(Verb::Do, "/webhooks/resume", "Takes up an endpoint that was given up.", Nothing, resume),
        route(Verb::Do, "/webhooks/replay", "Sends events again, with the ids they had.", Nothing, replay),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Create {
    #[schemars(length(min = 1, max = 2048))]
    url: String,
    event_types: Option<Vec<String>>,
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    webhook_id: WebhookId,
}

#[derive(Deserialize, JsonSchema)]
struct Nobody {}

#[derive(Deserialize, JsonSchema)]
struct Update {
    webhook_id: WebhookId,
    event_types: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Rotate {
    webhook_id: WebhookId,
    /// For how long the present secret signs too, in seconds; a day if not said.
    #[schemars(range(min = 0, max = 2_592_000))]
    overlap_seconds: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
struct Replay {
    webhook_id: WebhookId,
    /// What was recorded at this instant or later.
    since: Option<DateTime<Utc>>,
    /// What comes after this place in the event stream; 0: everything.
    after: Option<u64>,
}

fn types(names: Vec<String>) -> Vec<EventType> {
    names.into_iter().map(EventType::from).collect()
}

async fn create(call: Call, p: Create) -> Outcome {
    Answer::of("webhook", &call.ws.webhooks().create(&p.url, p.event_types.map(types)).await?)
}

async fn get(call: Call, p: Which) -> Outcome {
    Answer::of("webhook", &call.ws.webhooks().get(p.webhook_id).await?)
}

async fn list(call: Call, _: Nobody) -> Outcome {
    Answer::of("webhooks", &call.ws.webhooks().list().await?)
}

async fn update(call: Call, p: Update) -> Outcome {
    call.ws.webhooks().update(p.webhook_id, types(p.event_types)).await?;
    Answer::done()
}

async fn delete(call: Call, p: Which) -> Outcome {
    call.ws.webhooks().delete(p.webhook_id).await?;
    Answer::done()
}

async fn rotate(call: Call, p: Rotate) -> Outcome {
    let overlap = Duration::from_secs(p.overlap_seconds.unwrap_or(86_400).into());
    Answer::of("webhook", &call.ws.webhooks().rotate_secret(p.webhook_id, overlap).await?)
}

async fn state(call: Call, p: Which) -> Outcome {
    Answer::of("webhook_state", &call.ws.webhooks().state(p.webhook_id).await?)
}

async fn resume(call: Call, p: Which) -> Outcome {
    call.ws.webhooks().resume(p.webhook_id).await?;
    Answer::done()
}

async fn replay(call: Call, p: Replay) -> Outcome {
    match (p.since, p.after) {
        (Some(since), None) => call.ws.webhooks().replay_since(p.webhook_id, since).await?,
        (None, Some(after)) => call.ws.webhooks().replay(p.webhook_id, after).await?,
        _ => return Err(Problem::invalid("since", "exactly one of since and after is required")),
    }
    Answer::done()
}
