//! Phones of a sandbox.
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::route::Gives::{Many, Nothing, One};
use crate::http::route::{Route, Verb, route};
use schemars::JsonSchema;
use seam_core::model::{AcsCredentialId, PhoneId, UserIdentityId};
use seam_core::plan::NewPhone;
use serde::Deserialize;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Read, "/phones/get", "A phone.", One("phone"), get),
        route(Verb::Read, "/phones/list", "The phones.", Many("phones", "phone"), list),
        route(Verb::Remove, "/phones/deactivate", "Takes a phone out of use.", Nothing, deactivate),
        route(Verb::Do, "/phones/simulate/create_sandbox_phone", "Gives a person a virtual phone.", One("phone"), create_sandbox_phone),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    device_id: PhoneId,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    owner_user_identity_id: Option<UserIdentityId>,
    acs_credential_id: Option<AcsCredentialId>,
}

#[derive(Deserialize, JsonSchema)]
struct Create {
    user_identity_id: UserIdentityId,
    custom_sdk_installation_id: Option<String>,
    #[serde(default)]
    phone_metadata: Metadata,
}

#[derive(Default, Deserialize, JsonSchema)]
struct Metadata {
    #[schemars(extend("enum" = ["android", "ios", null]))]
    operating_system: Option<String>,
    os_version: Option<String>,
    device_manufacturer: Option<String>,
    device_model: Option<String>,
}

async fn get(call: Call, p: Which) -> Outcome {
    Answer::of("phone", &call.ws.phones().get(p.device_id).await?)
}

async fn list(call: Call, p: List) -> Outcome {
    Answer::of("phones", &call.ws.phones().list(p.owner_user_identity_id, p.acs_credential_id).await?)
}

async fn deactivate(call: Call, p: Which) -> Outcome {
    call.ws.phones().deactivate(p.device_id).await?;
    Answer::done()
}

async fn create_sandbox_phone(call: Call, p: Create) -> Outcome {
    let about = p.phone_metadata;
    let new = NewPhone::builder()
        .user_identity_id(p.user_identity_id)
        .maybe_custom_sdk_installation_id(p.custom_sdk_installation_id)
        .maybe_operating_system(about.operating_system)
        .maybe_os_version(about.os_version)
        .maybe_device_manufacturer(about.device_manufacturer)
        .maybe_device_model(about.device_model)
        .build();
    Answer::of("phone", &call.ws.phones().create_sandbox_phone(new).await?)
}
