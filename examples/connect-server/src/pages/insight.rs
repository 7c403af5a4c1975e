//! What an operator asks beyond the public API: may this person pass this door, and why.
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::problem::Problem;
use crate::http::route::Gives::Own;
use crate::http::route::{Route, Verb, route};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use seam_core::AcsEntranceId;
use seam_core::model::UserIdentityId;
use seam_core::view::{CanEnter, Fact};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) fn routes() -> Vec<Route> {
    vec![route(
        Verb::Read,
        "/access/explain",
        "Whether a person can pass an entrance at an instant (now, if none is given), and the facts that decide it.",
        Own("explanation"),
        explain,
    )]
}

#[derive(Deserialize, JsonSchema)]
struct Explain {
    user_identity_id: UserIdentityId,
    acs_entrance_id: AcsEntranceId,
    at: Option<DateTime<Utc>>,
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
