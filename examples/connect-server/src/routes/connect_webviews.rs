//! Pages on which somebody connects an access system.
use super::Paging;
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::problem::Problem;
use crate::http::route::Gives::{Nothing, One, Pages};
use crate::http::route::{Route, Verb, route};
use schemars::JsonSchema;
use seam_core::api::WebviewFilter;
use seam_core::model::ConnectWebviewId;
use seam_core::plan::NewConnectWebview;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Do, "/connect_webviews/create", "Makes a page on which a system is connected.", One("connect_webview"), create),
        route(Verb::Read, "/connect_webviews/get", "A page.", One("connect_webview"), get),
        route(Verb::Read, "/connect_webviews/list", "The pages.", Pages("connect_webviews", "connect_webview"), list),
        route(Verb::Remove, "/connect_webviews/delete", "Deletes a page; the account stays.", Nothing, delete),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Create {
    #[serde(default)]
    accepted_providers: Vec<String>,
    #[serde(default)]
    excluded_providers: Vec<String>,
    /// A name for a set of providers. Those that this server has are all offered.
    #[expect(dead_code, reason = "clients send it; every provider is in every category here")]
    provider_category: Option<String>,
    #[serde(default)]
    custom_metadata: Map<String, Value>,
    #[schemars(length(min = 1))]
    customer_key: Option<String>,
    custom_redirect_url: Option<String>,
    custom_redirect_failure_url: Option<String>,
    #[serde(default)]
    wait_for_device_creation: bool,
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    connect_webview_id: ConnectWebviewId,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    #[schemars(length(min = 1))]
    customer_key: Option<String>,
    #[serde(default)]
    custom_metadata_has: Map<String, Value>,
    #[schemars(length(min = 1))]
    search: Option<String>,
    #[serde(flatten)]
    page: Paging,
}

async fn create(call: Call, p: Create) -> Outcome {
    let known: Vec<&str> = call.app.factories.iter().map(|f| f.kind()).collect();
    if let Some(unknown) = p.accepted_providers.iter().find(|kind| !known.contains(&kind.as_str())) {
        let shown: String = unknown.chars().take(60).collect();
        return Err(Problem::invalid("accepted_providers", format!("this server has no provider {shown:?}; it has {}", known.join(", "))));
    }
    let new = NewConnectWebview::builder()
        .accepted_providers(p.accepted_providers)
        .excluded_providers(p.excluded_providers)
        .custom_metadata(p.custom_metadata)
        .maybe_customer_key(p.customer_key)
        .maybe_custom_redirect_url(p.custom_redirect_url)
        .maybe_custom_redirect_failure_url(p.custom_redirect_failure_url)
        .wait_for_device_creation(p.wait_for_device_creation)
        .build();
    Answer::of("connect_webview", &call.ws.connect_webviews().create(new).await?)
}

async fn get(call: Call, p: Which) -> Outcome {
    Answer::of("connect_webview", &call.ws.connect_webviews().get(p.connect_webview_id).await?)
}

async fn list(call: Call, p: List) -> Outcome {
    let filter = WebviewFilter::builder()
        .maybe_customer_key(p.customer_key)
        .custom_metadata_has(p.custom_metadata_has.into_iter().collect())
        .maybe_search(p.search)
        .build();
    let filter = p.page.of(filter);
    Answer::page("connect_webviews", &call.ws.connect_webviews().list(&filter).await?)
}

async fn delete(call: Call, p: Which) -> Outcome {
    call.ws.connect_webviews().delete(p.connect_webview_id).await?;
    Answer::done()
}
