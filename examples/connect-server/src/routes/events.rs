//! Events.
use super::{count, whole};
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::problem::Problem;
use crate::http::route::Gives::{Many, One};
use crate::http::route::{Route, Verb, route};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use seam_core::api::EventFilter;
use seam_core::model::{EventId, EventType};
use serde::Deserialize;
use uuid::Uuid;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Read, "/events/get", "An event.", One("event"), get),
        route(Verb::Read, "/events/list", "The events since an instant, or between two.", Many("events", "event"), list),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Get {
    event_id: Option<EventId>,
    #[schemars(length(min = 1))]
    event_type: Option<String>,
    device_id: Option<Uuid>,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    since: Option<String>,
    #[schemars(length(min = 2, max = 2))]
    between: Option<Vec<String>>,
    event_type: Option<String>,
    #[serde(default)]
    event_types: Vec<String>,
    #[serde(default)]
    event_ids: Vec<EventId>,
    access_grant_id: Option<Uuid>,
    #[serde(default)]
    #[schemars(length(max = 100))]
    access_grant_ids: Vec<Uuid>,
    access_method_id: Option<Uuid>,
    #[serde(default)]
    #[schemars(length(max = 100))]
    access_method_ids: Vec<Uuid>,
    acs_access_group_id: Option<Uuid>,
    acs_credential_id: Option<Uuid>,
    acs_encoder_id: Option<Uuid>,
    acs_entrance_id: Option<Uuid>,
    acs_system_id: Option<Uuid>,
    #[serde(default)]
    acs_system_ids: Vec<Uuid>,
    acs_user_id: Option<Uuid>,
    connect_webview_id: Option<Uuid>,
    connected_account_id: Option<Uuid>,
    device_id: Option<Uuid>,
    #[serde(default)]
    device_ids: Vec<Uuid>,
    space_id: Option<Uuid>,
    #[serde(default)]
    #[schemars(length(max = 100))]
    space_ids: Vec<Uuid>,
    user_identity_id: Option<Uuid>,
    #[schemars(range(min = 0, max = 10_000))]
    limit: Option<f64>,
    #[schemars(range(min = 0))]
    unstable_offset: Option<f64>,
}

async fn get(call: Call, p: Get) -> Outcome {
    let events = call.ws.events();
    if let Some(id) = p.event_id {
        return Answer::of("event", &events.get(id).await?);
    }
    if p.event_type.is_none() && p.device_id.is_none() {
        return Err(Problem::invalid("event_id", "Required, unless event_type or device_id is given"));
    }
    // The latest one that fits.
    let filter = EventFilter::builder()
        .event_types(p.event_type.into_iter().map(EventType::from).collect())
        .about(p.device_id.into_iter().collect())
        .build();
    let (mut after, mut last) = (0, None);
    loop {
        let page = events.search(&filter, after, 1000).await?;
        let full = page.events.len() == 1000;
        (after, last) = (page.next, page.events.into_iter().next_back().map(|(_, e)| e).or(last));
        if !full {
            break;
        }
    }
    match last {
        Some(event) => Answer::of("event", &event),
        None => Err(Problem::not_found("event", "there is no such event")),
    }
}

fn instant(param: &str, text: &str) -> Result<DateTime<Utc>, Problem> {
    let parsed = DateTime::parse_from_rfc3339(text).map(|at| at.with_timezone(&Utc));
    parsed.map_err(|_| Problem::invalid(param, "Invalid datetime"))
}

async fn list(call: Call, p: List) -> Outcome {
    let (since, until) = match (&p.since, p.between.as_deref()) {
        (Some(since), None) => (instant("since", since)?, None),
        (None, Some([from, to])) => {
            let (from, to) = (instant("between", from)?, instant("between", to)?);
            if from >= to {
                return Err(Problem::invalid("between", "the first instant must be before the second"));
            }
            (from, Some(to))
        }
        (None, None) if !p.event_ids.is_empty() => (DateTime::UNIX_EPOCH, None),
        _ => return Err(Problem::invalid("since", "exactly one of since and between is required")),
    };
    let types: Vec<EventType> = p.event_types.into_iter().chain(p.event_type).map(EventType::from).collect();
    if types.iter().any(|t| !EventType::ALL.contains(t)) {
        return Err(Problem::invalid("event_type", "there is no event of this type"));
    }
    // Between two instants: neither of them counts. Since one: it does.
    let (since, after) = if p.between.is_some() { (None, Some(since)) } else { (Some(since), None) };
    let filter =
        EventFilter::builder().event_types(types).event_ids(p.event_ids).maybe_since(since).maybe_after(after).maybe_until(until).build();
    let filter = filter
        .and_about(p.access_grant_id.into_iter().chain(p.access_grant_ids))
        .and_about(p.access_method_id.into_iter().chain(p.access_method_ids))
        .and_about(p.acs_access_group_id)
        .and_about(p.acs_credential_id)
        .and_about(p.acs_encoder_id)
        .and_about(p.acs_entrance_id)
        .and_about(p.acs_system_id.into_iter().chain(p.acs_system_ids))
        .and_about(p.acs_user_id)
        .and_about(p.connect_webview_id)
        .and_about(p.connected_account_id)
        .and_about(p.device_id.into_iter().chain(p.device_ids))
        .and_about(p.space_id.into_iter().chain(p.space_ids))
        .and_about(p.user_identity_id);
    let (limit, mut skip) = (count(p.limit).unwrap_or(500), p.unstable_offset.map_or(0, whole));
    let (mut after, mut found) = (0, Vec::new());
    while found.len() < limit {
        let wanted = (limit - found.len() + skip).min(1000);
        let page = call.ws.events().search(&filter, after, wanted).await?;
        let full = page.events.len() == wanted;
        after = page.next;
        let passed = skip.min(page.events.len());
        skip -= passed;
        found.extend(page.events.into_iter().skip(passed).map(|(_, event)| event));
        if !full {
            break;
        }
    }
    Answer::of("events", &found)
}
