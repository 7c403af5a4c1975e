//! What customers' own systems push: reservation automations.
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::problem::Problem;
use crate::http::route::Gives::Nothing;
use crate::http::route::{Route, Verb, route};
use schemars::JsonSchema;
use seam_core::api::{DeleteData, PushData, PushReport};
use seam_core::plan::AutomationRules;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Do, "/customers/push_data", "Brings people, places and reservations to what is pushed.", Nothing, push_data),
        route(Verb::Do, "/customers/delete_data", "Takes pushed people, places and reservations away.", Nothing, delete_data),
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

/// Keys of what is to go, under their many names; see [`DeleteData`].
#[derive(Deserialize, JsonSchema)]
struct Delete {
    #[serde(flatten)]
    lists: Map<String, Value>,
}

fn read<T: DeserializeOwned>(lists: Map<String, Value>) -> Result<T, Problem> {
    serde_path_to_error::deserialize(Value::Object(lists)).map_err(|e| {
        let path = e.path().to_string();
        let mut faults = crate::http::problem::Faults::default();
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

async fn push_data(call: Call, p: Push) -> Outcome {
    let mut lists = p.lists;
    lists.insert("customer_key".to_owned(), p.customer_key.into());
    let data: PushData = read(lists)?;
    let report = call.ws.customers().push_data(&data, &AutomationRules::default()).await?;
    tell(&call, &report);
    Answer::done()
}

async fn delete_data(call: Call, p: Delete) -> Outcome {
    let data: DeleteData = read(p.lists)?;
    if data.is_empty() {
        return Err(Problem::invalid("reservation_keys", "Required, unless other keys are given"));
    }
    let report = call.ws.customers().delete_data(&data).await?;
    tell(&call, &report);
    Answer::done()
}
