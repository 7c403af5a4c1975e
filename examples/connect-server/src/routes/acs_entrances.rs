//! Entrances.
use super::Paging;
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::problem::Problem;
use crate::http::route::Gives::{Many, Nothing, One, Own, Pages};
use crate::http::route::{Route, Verb, route};
use schemars::JsonSchema;
use seam_core::api::{CredentialFilter, EntranceFilter};
use seam_core::model::{AcsCredentialId, AcsEntranceId, AcsSystemId, AcsUserId, ConnectedAccountId, SpaceId, UserIdentityId};
use seam_core::plan::tag_of;
use seam_core::{AccessMethodId, ErrorKind};
use serde::Deserialize;
use serde_json::json;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Read, "/acs/entrances/get", "An entrance.", One("acs_entrance"), get),
        route(Verb::Read, "/acs/entrances/list", "The entrances.", Pages("acs_entrances", "acs_entrance"), list),
        route(Verb::Do, "/acs/entrances/grant_access", "Lets a user or a person through an entrance.", Nothing, grant_access),
        route(
            Verb::Read,
            "/acs/entrances/list_credentials_with_access",
            "The credentials that open an entrance.",
            Many("acs_credentials", "acs_credential"),
            list_credentials_with_access,
        ),
        route(Verb::Do, "/acs/entrances/unlock", "Opens an entrance from afar.", One("action_attempt"), unlock),
        route(
            Verb::Do,
            "/acs/entrances/simulate/use_credential",
            "Somebody tries a door of the sandbox: opened or not, and why.",
            Own("use"),
            use_credential,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    acs_entrance_id: AcsEntranceId,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    access_method_id: Option<AccessMethodId>,
    acs_credential_id: Option<AcsCredentialId>,
    #[serde(default)]
    acs_entrance_ids: Vec<AcsEntranceId>,
    acs_system_id: Option<AcsSystemId>,
    connected_account_id: Option<ConnectedAccountId>,
    #[schemars(length(min = 1))]
    customer_key: Option<String>,
    location_id: Option<SpaceId>,
    space_id: Option<SpaceId>,
    #[schemars(length(min = 1))]
    search: Option<String>,
    #[serde(flatten)]
    page: Paging,
}

#[derive(Deserialize, JsonSchema)]
struct GrantAccess {
    acs_entrance_id: AcsEntranceId,
    acs_user_id: Option<AcsUserId>,
    user_identity_id: Option<UserIdentityId>,
}

#[derive(Deserialize, JsonSchema)]
struct WithAccess {
    acs_entrance_id: AcsEntranceId,
    #[serde(default)]
    include_if: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Unlock {
    acs_entrance_id: AcsEntranceId,
    acs_credential_id: AcsCredentialId,
}

#[derive(Deserialize, JsonSchema)]
struct Use {
    acs_entrance_id: AcsEntranceId,
    acs_credential_id: Option<AcsCredentialId>,
    access_method_id: Option<AccessMethodId>,
}

async fn get(call: Call, p: Which) -> Outcome {
    Answer::of("acs_entrance", &call.ws.acs().entrances().get(p.acs_entrance_id).await?)
}

async fn list(call: Call, p: List) -> Outcome {
    let filter = EntranceFilter::builder()
        .acs_entrance_ids(p.acs_entrance_ids)
        .maybe_access_method_id(p.access_method_id)
        .maybe_acs_credential_id(p.acs_credential_id)
        .maybe_acs_system_id(p.acs_system_id)
        .maybe_connected_account_id(p.connected_account_id)
        .maybe_customer_key(p.customer_key)
        .maybe_space_id(p.space_id.or(p.location_id))
        .maybe_search(p.search)
        .build();
    let filter = p.page.or(900).of(filter);
    Answer::page("acs_entrances", &call.ws.acs().entrances().search(&filter).await?)
}

async fn grant_access(call: Call, p: GrantAccess) -> Outcome {
    let who = super::owner(p.acs_user_id, p.user_identity_id)?;
    call.ws.acs().entrances().grant_access(p.acs_entrance_id, who).await?;
    Answer::done()
}

async fn list_credentials_with_access(call: Call, p: WithAccess) -> Outcome {
    let mut all = call.ws.acs().entrances().list_credentials_with_access(p.acs_entrance_id).await?;
    // The one condition that the API knows: of those systems that tell it, the valid ones.
    if p.include_if.iter().any(|c| c == "visionline_metadata.is_valid") {
        all.retain(|c| c.extra.get("visionline_metadata").and_then(|m| m.get("is_valid")).is_none_or(|v| v == true));
    }
    Answer::of("acs_credentials", &all)
}

async fn unlock(call: Call, p: Unlock) -> Outcome {
    Answer::of("action_attempt", &call.ws.acs().entrances().unlock(p.acs_entrance_id, p.acs_credential_id).await?)
}

async fn use_credential(call: Call, p: Use) -> Outcome {
    let acs = call.ws.acs();
    let entrance = acs.entrances().get(p.acs_entrance_id).await?;
    let system = acs.systems().get(entrance.acs_system_id).await?;
    let Some(site) = call.app.world.find_site(&system.name) else {
        return Err(Problem::new(axum::http::StatusCode::BAD_REQUEST, "not_a_sandbox", "this entrance is not in a sandbox"));
    };
    let credential = match (p.acs_credential_id, p.access_method_id) {
        (Some(id), None) => match acs.credentials().get(id).await {
            // A card that was deleted is still in somebody's pocket.
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e.into()),
            _ => Some(id),
        },
        (None, Some(method)) => {
            let of = CredentialFilter::builder().access_method_id(method).limit(1000).build();
            let mut all = acs.credentials().list(&of).await?.items;
            let opens = acs.entrances().list_credentials_with_access(p.acs_entrance_id).await?;
            let here = all.iter().find(|c| opens.iter().any(|o| o.acs_credential_id == c.acs_credential_id)).cloned();
            all.retain(|c| c.acs_system_id == entrance.acs_system_id);
            here.or(all.pop()).map(|c| c.acs_credential_id)
        }
        _ => return Err(Problem::invalid("acs_credential_id", "exactly one of acs_credential_id and access_method_id is required")),
    };
    let Some(credential) = credential else {
        return Answer::of("use", &json!({"opened": false, "reason": "no_credential", "message": "nothing of it is at this system"}));
    };
    let tried = site.door(&entrance.display_name).use_credential(&tag_of(credential.uuid()));
    Answer::of("use", &json!({"opened": tried.opened, "reason": tried.why, "message": tried.why.to_string()}))
}
