//! What an operator asks beyond the public API: may this person pass this door, and how full is a space.
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::problem::Problem;
use crate::http::route::Gives::Own;
use crate::http::route::{Route, Verb, route};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use seam_core::AcsEntranceId;
use seam_core::model::{ConnectedAccountId, SpaceId, UserIdentityId};
use seam_core::view::{CanEnter, Fact};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(
            Verb::Read,
            "/access/explain",
            "Whether a person can pass an entrance at an instant (now, if none is given), and the facts that decide it.",
            Own("explanation"),
            explain,
        ),
        route(
            Verb::Read,
            "/connected_accounts/readiness",
            "What stands between an account and its first grant.",
            Own("readiness"),
            readiness,
        ),
        route(
            Verb::Read,
            "/spaces/occupancy",
            "Who may be in a space now, who was last seen there, and how many people were entitled to be, hour by hour (at most 366 days).",
            Own("occupancy"),
            occupancy,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Explain {
    user_identity_id: UserIdentityId,
    acs_entrance_id: AcsEntranceId,
    at: Option<DateTime<Utc>>,
}

#[derive(Deserialize, JsonSchema)]
struct Readiness {
    connected_account_id: ConnectedAccountId,
}

#[derive(Deserialize, JsonSchema)]
struct Occupancy {
    space_id: SpaceId,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

/// A fact, with a sentence for a person.
fn told(fact: &Fact) -> Result<Value, Problem> {
    let unwritten = |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "a fact could not be written");
    let mut value = serde_json::to_value(fact).map_err(unwritten)?;
    value["message"] = fact.to_string().into();
    Ok(value)
}

async fn explain(call: Call, p: Explain) -> Outcome {
    let explained = call.ws.explain(p.user_identity_id, p.acs_entrance_id, p.at.unwrap_or_else(|| call.app.now())).await?;
    let (answer, why) = match &explained.can_enter {
        CanEnter::Yes => ("yes", None),
        CanEnter::Perhaps { why } => ("perhaps", Some(told(why)?)),
        _ => ("no", None),
    };
    let facts = explained.facts.iter().map(told).collect::<Result<Vec<_>, _>>()?;
    let mut explanation = json!({
        "user_identity_id": explained.user_identity_id,
        "acs_entrance_id": explained.acs_entrance_id,
        "at": explained.at,
        "can_enter": answer,
        "facts": facts,
    });
    if let Some(why) = why {
        explanation["why"] = why;
    }
    Answer::of("explanation", &explanation)
}

async fn occupancy(call: Call, p: Occupancy) -> Outcome {
    Answer::of("occupancy", &call.ws.spaces().occupancy(p.space_id, p.from, p.to).await?)
}

async fn readiness(call: Call, p: Readiness) -> Outcome {
    let found = call.ws.connected_accounts().readiness(p.connected_account_id).await?;
    Answer::of("readiness", &json!({"checked_at": found.checked_at, "ready": found.ready, "findings": found.findings}))
}
