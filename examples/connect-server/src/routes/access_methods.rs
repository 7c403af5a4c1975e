//! Access methods: PINs, cards, mobile keys, cloud keys.
use super::related::Wanted;
use super::{CARD_WAIT, Paging};
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::problem::Problem;
use crate::http::route::Gives::{Batch, Many, Nothing, One, Pages};
use crate::http::route::{Route, Verb, route};
use schemars::JsonSchema;
use seam_core::api::{MethodFilter, RelatedKind, Select};
use seam_core::model::{AcsEncoderId, AcsEntranceId, SpaceId};
use seam_core::plan::MethodsOf;
use seam_core::{AccessGrantId, AccessMethodId, ErrorKind};
use serde::Deserialize;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Read, "/access_methods/get", "A method.", One("access_method"), get).for_sessions(),
        route(
            Verb::Read,
            "/access_methods/list",
            "The methods of a grant or at an entrance.",
            Pages("access_methods", "access_method"),
            list,
        ),
        route(Verb::Read, "/access_methods/get_related", "Methods with what belongs to them.", Batch, get_related),
        route(Verb::Remove, "/access_methods/delete", "Takes a method away, or all of a grant or a stay.", Nothing, delete),
        route(Verb::Do, "/access_methods/encode", "Writes a method's card.", One("action_attempt"), encode),
        route(Verb::Do, "/access_methods/assign_card", "Gives a card that exists to a method.", One("action_attempt"), assign_card),
        route(Verb::Do, "/access_methods/unlock_door", "Opens a door with a cloud key.", One("action_attempt"), unlock_door).for_sessions(),
        route(
            Verb::Read,
            "/access_methods/unmanaged/get",
            "A method that a system holds and that was not made here.",
            One("access_method"),
            get_unmanaged,
        ),
        route(
            Verb::Read,
            "/access_methods/unmanaged/list",
            "The methods of access that was not granted here.",
            Many("access_methods", "unmanaged_access_method"),
            list_unmanaged,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    access_method_id: AccessMethodId,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    access_grant_id: Option<AccessGrantId>,
    #[schemars(length(min = 1))]
    access_grant_key: Option<String>,
    acs_entrance_id: Option<AcsEntranceId>,
    device_id: Option<AcsEntranceId>,
    space_id: Option<SpaceId>,
    #[serde(flatten)]
    page: Paging,
}

#[derive(Deserialize, JsonSchema)]
struct GetRelated {
    #[schemars(length(min = 1))]
    access_method_ids: Vec<AccessMethodId>,
    include: Option<Vec<String>>,
    #[serde(default)]
    exclude: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Delete {
    access_method_id: Option<AccessMethodId>,
    access_grant_id: Option<AccessGrantId>,
    #[schemars(length(min = 1))]
    reservation_key: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Encode {
    access_method_id: AccessMethodId,
    acs_encoder_id: AcsEncoderId,
}

#[derive(Deserialize, JsonSchema)]
struct AssignCard {
    access_method_id: AccessMethodId,
    #[schemars(length(min = 1))]
    card_number: String,
}

#[derive(Deserialize, JsonSchema)]
struct Unlock {
    access_method_id: AccessMethodId,
    acs_entrance_id: AcsEntranceId,
}

#[derive(Deserialize, JsonSchema)]
struct ListUnmanaged {
    access_grant_id: AccessGrantId,
}

async fn get(call: Call, p: Which) -> Outcome {
    reaches(&call, p.access_method_id).await?;
    Answer::of("access_method", &call.ws.access_methods().get(p.access_method_id).await?)
}

async fn list(call: Call, p: List) -> Outcome {
    let grant = match (p.access_grant_id, p.access_grant_key) {
        (Some(id), _) => Some(id),
        (None, Some(key)) => Some(call.ws.access_grants().get_by_key(&key).await?.access_grant_id),
        (None, None) => None,
    };
    let entrance = p.acs_entrance_id.or(p.device_id);
    if grant.is_none() && entrance.is_none() {
        return Err(Problem::invalid("access_grant_id", "Required, unless access_grant_key or acs_entrance_id is given"));
    }
    let filter = MethodFilter::builder().maybe_access_grant_id(grant).maybe_acs_entrance_id(entrance).maybe_space_id(p.space_id).build();
    let filter = p.page.of(filter);
    Answer::page("access_methods", &call.ws.access_methods().list(&filter).await?)
}

const RELATED: [&str; 8] =
    ["spaces", "devices", "acs_entrances", "access_grants", "access_methods", "instant_keys", "client_sessions", "acs_credentials"];

async fn get_related(call: Call, p: GetRelated) -> Outcome {
    let wanted = Wanted::new(&RELATED, p.include.as_deref(), &p.exclude);
    wanted.batch(&call.ws.access_methods().get_related(&p.access_method_ids, &wanted.select()).await?)
}

async fn delete(call: Call, p: Delete) -> Outcome {
    let which = match (p.access_method_id, p.access_grant_id, p.reservation_key) {
        (Some(id), None, None) => MethodsOf::Method(id),
        (None, Some(grant), None) => MethodsOf::Grant(grant),
        (None, None, Some(key)) => MethodsOf::Reservation(key),
        _ => {
            let text = "exactly one of access_method_id, access_grant_id and reservation_key is required";
            return Err(Problem::invalid("access_method_id", text));
        }
    };
    call.ws.access_methods().delete_of(which).await?;
    Answer::done()
}

async fn encode(call: Call, p: Encode) -> Outcome {
    Answer::of("action_attempt", &call.ws.access_methods().encode_within(p.access_method_id, p.acs_encoder_id, CARD_WAIT).await?)
}

async fn assign_card(call: Call, p: AssignCard) -> Outcome {
    Answer::of("action_attempt", &call.ws.access_methods().assign_card(p.access_method_id, &p.card_number).await?)
}

/// A session reaches its own person's methods; another's are as unknown to it as none.
async fn reaches(call: &Call, method: AccessMethodId) -> Result<(), Problem> {
    let Some(own) = call.session.as_ref() else { return Ok(()) };
    let unknown = || Problem::not_found("access_method", "there is no such access method");
    let grants = Select::only([RelatedKind::AccessGrants]);
    let related = match call.ws.access_methods().get_related(&[method], &grants).await {
        Err(e) if e.kind() == ErrorKind::NotFound => return Err(unknown()),
        related => related?,
    };
    let hers = related.access_grants.iter().any(|grant| own.is_of(grant.user_identity_id));
    if hers { Ok(()) } else { Err(unknown()) }
}

async fn unlock_door(call: Call, p: Unlock) -> Outcome {
    reaches(&call, p.access_method_id).await?;
    Answer::of("action_attempt", &call.ws.access_methods().unlock_door(p.access_method_id, p.acs_entrance_id).await?)
}

async fn get_unmanaged(call: Call, p: Which) -> Outcome {
    Answer::of("access_method", &call.ws.access_methods().get_unmanaged(p.access_method_id).await?)
}

async fn list_unmanaged(call: Call, p: ListUnmanaged) -> Outcome {
    let all = match call.ws.access_methods().list_unmanaged(p.access_grant_id).await {
        // A grant of ours has no methods that are not ours.
        Err(e) if e.kind() == ErrorKind::NotFound => call.ws.access_grants().get(p.access_grant_id).await.map(|_| Vec::new())?,
        all => all?,
    };
    Answer::of("access_methods", &all)
}
