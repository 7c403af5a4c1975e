//! Encoders, and what a sandbox is told of their next job.
use super::count;
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::problem::Problem;
use crate::http::route::Gives::{Nothing, One, Pages};
use crate::http::route::{Route, Verb, route};
use axum::http::StatusCode;
use schemars::JsonSchema;
use seam_core::AccessMethodId;
use seam_core::api::EncoderFilter;
use seam_core::model::{AcsCredentialId, AcsEncoderId, AcsSystemId};
use seam_providers::sandbox::{Encoder, JobOutcome};
use serde::Deserialize;
use std::time::Duration;

/// For how long an encoder waits for a card.
const CARD_WAIT: Duration = Duration::from_secs(60);

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Do, "/acs/encoders/encode_credential", "Writes a card.", One("action_attempt"), encode_credential),
        route(Verb::Read, "/acs/encoders/get", "An encoder.", One("acs_encoder"), get),
        route(Verb::Read, "/acs/encoders/list", "The encoders.", Pages("acs_encoders", "acs_encoder"), list),
        route(Verb::Do, "/acs/encoders/scan_credential", "Reads a card.", One("action_attempt"), scan_credential),
        route(
            Verb::Do,
            "/acs/encoders/simulate/next_credential_encode_will_fail",
            "The next card will not be written.",
            Nothing,
            next_encode_will_fail,
        ),
        route(
            Verb::Do,
            "/acs/encoders/simulate/next_credential_encode_will_succeed",
            "The next card will be written.",
            Nothing,
            next_encode_will_succeed,
        ),
        route(
            Verb::Do,
            "/acs/encoders/simulate/next_credential_scan_will_fail",
            "The next card will not be read.",
            Nothing,
            next_scan_will_fail,
        ),
        route(
            Verb::Do,
            "/acs/encoders/simulate/next_credential_scan_will_succeed",
            "The next card will be read.",
            Nothing,
            next_scan_will_succeed,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    acs_encoder_id: AcsEncoderId,
}

#[derive(Deserialize, JsonSchema)]
struct Encode {
    acs_encoder_id: AcsEncoderId,
    acs_credential_id: Option<AcsCredentialId>,
    access_method_id: Option<AccessMethodId>,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    #[serde(default)]
    acs_encoder_ids: Vec<AcsEncoderId>,
    acs_system_id: Option<AcsSystemId>,
    #[serde(default)]
    acs_system_ids: Vec<AcsSystemId>,
    #[schemars(range(min = 0, max = 10_000))]
    limit: Option<f64>,
    page_cursor: Option<String>,
}

#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Failing {
    NoCredentialOnEncoder,
    EncodingInterrupted,
    UncategorizedError,
    ActionAttemptExpired,
}

#[derive(Deserialize, JsonSchema)]
struct EncodeFails {
    acs_encoder_id: AcsEncoderId,
    error_code: Option<Failing>,
}

#[derive(Deserialize, JsonSchema)]
struct ScanFails {
    acs_encoder_id: AcsEncoderId,
    #[schemars(extend("enum" = ["no_credential_on_encoder", "uncategorized_error", "action_attempt_expired", null]))]
    error_code: Option<Failing>,
}

async fn get(call: Call, p: Which) -> Outcome {
    Answer::of("acs_encoder", &call.ws.acs().encoders().get(p.acs_encoder_id).await?)
}

async fn list(call: Call, p: List) -> Outcome {
    let systems: Vec<AcsSystemId> = p.acs_system_ids.into_iter().chain(p.acs_system_id).collect();
    let filter = EncoderFilter::builder()
        .acs_encoder_ids(p.acs_encoder_ids)
        .acs_system_ids(systems)
        .maybe_page_cursor(p.page_cursor)
        .maybe_limit(count(p.limit))
        .build();
    Answer::page("acs_encoders", &call.ws.acs().encoders().search(&filter).await?)
}

async fn encode_credential(call: Call, p: Encode) -> Outcome {
    let attempt = match (p.acs_credential_id, p.access_method_id) {
        (Some(credential), None) => call.ws.acs().encoders().encode_credential(p.acs_encoder_id, credential, CARD_WAIT).await?,
        (None, Some(method)) => call.ws.access_methods().encode_within(method, p.acs_encoder_id, CARD_WAIT).await?,
        _ => return Err(Problem::invalid("acs_credential_id", "exactly one of acs_credential_id and access_method_id is required")),
    };
    Answer::of("action_attempt", &attempt)
}

async fn scan_credential(call: Call, p: Which) -> Outcome {
    Answer::of("action_attempt", &call.ws.acs().encoders().scan_credential(p.acs_encoder_id, CARD_WAIT).await?)
}

/// The encoder of the sandbox behind an id.
async fn simulated(call: &Call, id: AcsEncoderId) -> Result<Encoder, Problem> {
    let encoder = call.ws.acs().encoders().get(id).await?;
    let system = call.ws.acs().systems().get(encoder.acs_system_id).await?;
    let site = call.app.world.find_site(&system.name).filter(|site| site.config().encoders.contains(&encoder.display_name));
    site.map(|site| site.encoder(&encoder.display_name))
        .ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "workspace_not_sandbox", "this encoder is not in a sandbox"))
}

fn outcome(failing: Option<Failing>) -> JobOutcome {
    match failing.unwrap_or(Failing::NoCredentialOnEncoder) {
        Failing::NoCredentialOnEncoder => JobOutcome::NoCard,
        Failing::EncodingInterrupted => JobOutcome::Interrupted,
        Failing::UncategorizedError => JobOutcome::Uncategorized,
        Failing::ActionAttemptExpired => JobOutcome::Expired,
    }
}

async fn next_encode_will_fail(call: Call, p: EncodeFails) -> Outcome {
    simulated(&call, p.acs_encoder_id).await?.next_encode_will_fail(outcome(p.error_code));
    Answer::done()
}

async fn next_encode_will_succeed(call: Call, p: Which) -> Outcome {
    simulated(&call, p.acs_encoder_id).await?.next_encode_will_succeed();
    Answer::done()
}

async fn next_scan_will_fail(call: Call, p: ScanFails) -> Outcome {
    simulated(&call, p.acs_encoder_id).await?.next_scan_will_fail(outcome(p.error_code));
    Answer::done()
}

async fn next_scan_will_succeed(call: Call, p: Which) -> Outcome {
    simulated(&call, p.acs_encoder_id).await?.next_scan_will_succeed();
    Answer::done()
}
