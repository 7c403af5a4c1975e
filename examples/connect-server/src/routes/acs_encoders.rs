//! Encoders, and what a sandbox is told of their next job.
use super::{CARD_WAIT, Paging};
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::problem::Problem;
use crate::http::route::Gives::{Nothing, One, Pages};
use crate::http::route::{Route, Verb, route};
use axum::http::StatusCode;
use schemars::JsonSchema;
use seam_core::AccessMethodId;
use seam_core::api::EncoderFilter;
use seam_core::model::{AcsCredentialId, AcsEncoderId, AcsSystemId, AcsUserId, UserIdentityId};
use seam_providers::sandbox::{EncodeFailure, Encoder, ScanFailure, ScanScenario};
use serde::Deserialize;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Do, "/acs/encoders/encode_credential", "Writes a card.", One("action_attempt"), encode_credential),
        route(Verb::Read, "/acs/encoders/get", "An encoder.", One("acs_encoder"), get),
        route(Verb::Read, "/acs/encoders/list", "The encoders.", Pages("acs_encoders", "acs_encoder"), list),
        route(Verb::Do, "/acs/encoders/scan_credential", "Reads a card.", One("action_attempt"), scan_credential),
        route(
            Verb::Do,
            "/acs/encoders/scan_to_assign_credential",
            "Reads a card and gives it to a user or a person.",
            One("action_attempt"),
            scan_to_assign_credential,
        ),
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
    #[serde(flatten)]
    page: Paging,
}

#[derive(Deserialize, JsonSchema)]
struct ScanToAssign {
    acs_encoder_id: AcsEncoderId,
    acs_user_id: Option<AcsUserId>,
    user_identity_id: Option<UserIdentityId>,
}

#[derive(Deserialize, JsonSchema)]
struct EncodeFails {
    acs_encoder_id: AcsEncoderId,
    #[schemars(extend("enum" = ["no_credential_on_encoder", "encoding_interrupted", "uncategorized_error", "action_attempt_expired", null]))]
    error_code: Option<String>,
    acs_credential_id: Option<AcsCredentialId>,
}

#[derive(Deserialize, JsonSchema)]
struct EncodeSucceeds {
    acs_encoder_id: AcsEncoderId,
    #[schemars(extend("enum" = ["credential_is_issued", null]))]
    #[expect(dead_code, reason = "there is one scenario; the schema checks its name")]
    scenario: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct ScanFails {
    acs_encoder_id: AcsEncoderId,
    #[schemars(extend("enum" = ["no_credential_on_encoder", "uncategorized_error", "action_attempt_expired", null]))]
    error_code: Option<String>,
    acs_credential_id_on_seam: Option<AcsCredentialId>,
}

#[derive(Deserialize, JsonSchema)]
struct ScanSucceeds {
    acs_encoder_id: AcsEncoderId,
    #[schemars(extend("enum" = [
        "credential_exists_on_seam",
        "credential_on_encoder_needs_update",
        "credential_does_not_exist_on_seam",
        "credential_on_encoder_is_empty",
        null
    ]))]
    scenario: Option<String>,
    acs_credential_id_on_seam: Option<AcsCredentialId>,
}

async fn get(call: Call, p: Which) -> Outcome {
    Answer::of("acs_encoder", &call.ws.acs().encoders().get(p.acs_encoder_id).await?)
}

async fn list(call: Call, p: List) -> Outcome {
    let systems: Vec<AcsSystemId> = p.acs_system_ids.into_iter().chain(p.acs_system_id).collect();
    let filter = EncoderFilter::builder().acs_encoder_ids(p.acs_encoder_ids).acs_system_ids(systems).build();
    let filter = p.page.of(filter);
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

async fn scan_to_assign_credential(call: Call, p: ScanToAssign) -> Outcome {
    let to = super::owner(p.acs_user_id, p.user_identity_id)?;
    Answer::of("action_attempt", &call.ws.acs().encoders().scan_to_assign_credential(p.acs_encoder_id, to, CARD_WAIT).await?)
}

fn unknown(param: &str) -> Problem {
    Problem::invalid(param, "Invalid enum value")
}

async fn next_encode_will_fail(call: Call, p: EncodeFails) -> Outcome {
    let code = p.error_code.as_deref().unwrap_or("no_credential_on_encoder");
    let failure = EncodeFailure::from_code(code).ok_or_else(|| unknown("error_code"))?;
    simulated(&call, p.acs_encoder_id).await?.next_credential_encode_will_fail(failure, p.acs_credential_id);
    Answer::done()
}

async fn next_encode_will_succeed(call: Call, p: EncodeSucceeds) -> Outcome {
    simulated(&call, p.acs_encoder_id).await?.next_credential_encode_will_succeed();
    Answer::done()
}

async fn next_scan_will_fail(call: Call, p: ScanFails) -> Outcome {
    let code = p.error_code.as_deref().unwrap_or("no_credential_on_encoder");
    let failure = ScanFailure::from_code(code).ok_or_else(|| unknown("error_code"))?;
    simulated(&call, p.acs_encoder_id).await?.next_credential_scan_will_fail(failure, p.acs_credential_id_on_seam);
    Answer::done()
}

async fn next_scan_will_succeed(call: Call, p: ScanSucceeds) -> Outcome {
    let name = p.scenario.as_deref().unwrap_or("credential_exists_on_seam");
    let finds = ScanScenario::from_name(name, p.acs_credential_id_on_seam).ok_or_else(|| unknown("scenario"))?;
    simulated(&call, p.acs_encoder_id).await?.next_credential_scan_will_succeed(finds);
    Answer::done()
}
