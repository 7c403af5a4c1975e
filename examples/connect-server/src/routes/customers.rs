//! What customers' own systems push: reservation automations.
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::problem::{Faults, Problem};
use crate::http::route::Gives::Nothing;
use crate::http::route::{Route, Verb, route};
use schemars::JsonSchema;
use seam_core::api::{DeleteData, PushData, PushReport};
use seam_core::plan::AutomationRules;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Do, "/customers/push_data", "Brings people, places and reservations to what is pushed.", Nothing, push_data),
        route(Verb::Remove, "/customers/delete_data", "Takes pushed people, places and reservations away.", Nothing, delete_data),
    ]
}

/// People, places and reservations under their many names: `guests`, `rooms`, `bookings`, ...; see [`PushData`].
#[derive(Deserialize, JsonSchema)]
struct Push {
    #[schemars(length(min = 1))]
    customer_key: String,
    #[serde(flatten)]
    lists: Map<String, Value>,
}

fn read(lists: Map<String, Value>) -> Result<PushData, Problem> {
    serde_path_to_error::deserialize(Value::Object(lists)).map_err(|e| {
        let path = e.path().to_string();
        let mut faults = Faults::default();
        let steps: Vec<String> = path.replace('[', ".").replace(']', "").split('.').filter(|s| !s.is_empty()).map(str::to_owned).collect();
        // The message of the reader may repeat a value, and a value may be a PIN.
        faults.add(&steps.iter().map(String::as_str).collect::<Vec<_>>(), "Invalid".to_owned());
        faults.into()
    })
}

/// What is skipped is told to the log, by its key and the name of the reason: the API answers that it is done.
fn tell(call: &Call, report: &PushReport) {
    for skipped in &report.skipped {
        tracing::warn!(request = %call.request, thing = ?skipped.thing, key = %skipped.key, why = skipped.why.code(), "skipped");
    }
}

/// What each thing of a list must have, by the public API.
const REQUIRED: [(&str, &[&str]); 19] = [
    ("access_grants", &["access_grant_key"]),
    ("bookings", &["booking_key"]),
    ("buildings", &["building_key", "name"]),
    ("common_areas", &["common_area_key", "name"]),
    ("facilities", &["facility_key", "name"]),
    ("guests", &["guest_key", "name"]),
    ("listings", &["listing_key", "name"]),
    ("properties", &["property_key", "name"]),
    ("property_listings", &["property_listing_key", "name"]),
    ("reservations", &["reservation_key"]),
    ("residents", &["resident_key", "name"]),
    ("rooms", &["room_key", "name"]),
    ("sites", &["site_key", "name"]),
    ("spaces", &["space_key", "name"]),
    ("staff_members", &["staff_member_key", "name"]),
    ("tenants", &["tenant_key", "name"]),
    ("units", &["unit_key", "name"]),
    ("user_identities", &["user_identity_key", "name"]),
    ("users", &["user_key", "name"]),
];

/// # Errors
/// `invalid_input`: something lacks what it must have.
fn complete(lists: &Map<String, Value>) -> Result<(), Problem> {
    let mut faults = Faults::default();
    for (list, members) in REQUIRED {
        for (n, thing) in lists.get(list).and_then(Value::as_array).into_iter().flatten().enumerate() {
            for member in members {
                if thing.get(member).and_then(Value::as_str).is_none_or(str::is_empty) {
                    faults.add(&[list, &n.to_string(), member], "Required".to_owned());
                }
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.into()) }
}

async fn push_data(call: Call, p: Push) -> Outcome {
    complete(&p.lists)?;
    let mut lists = p.lists;
    lists.insert("customer_key".to_owned(), p.customer_key.into());
    let data = read(lists)?;
    let report = call.ws.customers().push_data(&data, &AutomationRules::default()).await?;
    tell(&call, &report);
    Answer::done()
}

async fn delete_data(call: Call, data: DeleteData) -> Outcome {
    if data.is_empty() {
        return Err(Problem::invalid("reservation_keys", "Required, unless other keys are given"));
    }
    let report = call.ws.customers().delete_data(&data).await?;
    tell(&call, &report);
    Answer::done()
}
