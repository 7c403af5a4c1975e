//! Access systems.
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::problem::Problem;
use crate::http::route::Gives::{Many, Nothing, One};
use crate::http::route::{Route, Verb, route};
use axum::http::StatusCode;
use schemars::JsonSchema;
use seam_core::api::SystemFilter;
use seam_core::model::{AcsSystem, AcsSystemId, ConnectedAccountId};
use serde::Deserialize;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Read, "/acs/systems/get", "An access system.", One("acs_system"), get),
        route(Verb::Read, "/acs/systems/list", "The access systems.", Many("acs_systems", "acs_system"), list),
        route(
            Verb::Read,
            "/acs/systems/list_compatible_credential_manager_acs_systems",
            "The credential managers that could serve a system. No system that can be connected here needs one.",
            Many("acs_systems", "acs_system"),
            list_credential_managers,
        ),
        route(Verb::Do, "/acs/systems/report_devices", "Tells the devices of a system that cannot list them.", Nothing, report_devices),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    acs_system_id: AcsSystemId,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    connected_account_id: Option<ConnectedAccountId>,
    #[schemars(length(min = 1))]
    customer_key: Option<String>,
    #[schemars(length(min = 1))]
    search: Option<String>,
}

async fn get(call: Call, p: Which) -> Outcome {
    Answer::of("acs_system", &call.ws.acs().systems().get(p.acs_system_id).await?)
}

async fn list(call: Call, p: List) -> Outcome {
    let mut filter = SystemFilter::builder()
        .maybe_connected_account_id(p.connected_account_id)
        .maybe_customer_key(p.customer_key)
        .maybe_search(p.search)
        .limit(1000)
        .build();
    let mut all: Vec<AcsSystem> = Vec::new();
    loop {
        let page = call.ws.acs().systems().search(&filter).await?;
        all.extend(page.items);
        filter.page_cursor = page.pagination.next_page_cursor;
        if filter.page_cursor.is_none() {
            return Answer::of("acs_systems", &all);
        }
    }
}

async fn list_credential_managers(call: Call, p: Which) -> Outcome {
    Answer::of("acs_systems", &call.ws.acs().systems().list_compatible_credential_managers(p.acs_system_id).await?)
}

/// Devices are told by systems that cannot list them. Every system that can be connected here can.
async fn report_devices(call: Call, p: Which) -> Outcome {
    call.ws.acs().systems().get(p.acs_system_id).await?;
    Err(Problem::new(StatusCode::BAD_REQUEST, "not_supported", "this system tells its doors and encoders itself"))
}
