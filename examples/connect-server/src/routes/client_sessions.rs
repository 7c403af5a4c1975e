//! Client sessions: what a phone or a page may see.
use crate::app::Call;
use crate::http::answer::{Answer, Outcome};
use crate::http::problem::Problem;
use crate::http::route::Gives::{Many, Nothing, One};
use crate::http::route::{Route, Verb, route};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use seam_core::api::SessionFilter;
use seam_core::model::{ClientSession, ClientSessionId, ConnectWebviewId, ConnectedAccountId, UserIdentityId};
use seam_core::plan::{NewClientSession, SessionAccess};
use serde::Deserialize;

pub(super) fn routes() -> Vec<Route> {
    vec![
        route(Verb::Add, "/client_sessions/create", "Makes a session.", One("client_session"), create),
        route(Verb::Do, "/client_sessions/get_or_create", "The open session of a key, or a new one.", One("client_session"), get_or_create),
        route(Verb::Read, "/client_sessions/get", "A session.", One("client_session"), get).for_sessions(),
        route(Verb::Read, "/client_sessions/list", "The sessions.", Many("client_sessions", "client_session"), list),
        route(Verb::Change, "/client_sessions/grant_access", "Lets a session see more.", One("client_session"), grant_access),
        route(Verb::Do, "/client_sessions/revoke", "Ends a session; it stays to be looked at.", Nothing, revoke),
        route(Verb::Remove, "/client_sessions/delete", "Deletes a session.", Nothing, delete),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Create {
    #[schemars(length(min = 1))]
    user_identifier_key: Option<String>,
    user_identity_id: Option<UserIdentityId>,
    #[schemars(length(min = 1, max = 1))]
    user_identity_ids: Option<Vec<UserIdentityId>>,
    #[schemars(length(min = 1))]
    customer_key: Option<String>,
    #[serde(default)]
    connected_account_ids: Vec<ConnectedAccountId>,
    #[serde(default)]
    connect_webview_ids: Vec<ConnectWebviewId>,
    expires_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize, JsonSchema)]
struct Get {
    client_session_id: Option<ClientSessionId>,
    #[schemars(length(min = 1))]
    user_identifier_key: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct List {
    client_session_id: Option<ClientSessionId>,
    connect_webview_id: Option<ConnectWebviewId>,
    #[schemars(length(min = 1))]
    user_identifier_key: Option<String>,
    user_identity_id: Option<UserIdentityId>,
    #[serde(default)]
    without_user_identifier_key: bool,
}

#[derive(Deserialize, JsonSchema)]
struct GrantAccess {
    client_session_id: Option<ClientSessionId>,
    #[schemars(length(min = 1))]
    user_identifier_key: Option<String>,
    user_identity_id: Option<UserIdentityId>,
    #[schemars(length(min = 1, max = 1))]
    user_identity_ids: Option<Vec<UserIdentityId>>,
    #[serde(default)]
    connected_account_ids: Vec<ConnectedAccountId>,
    #[serde(default)]
    connect_webview_ids: Vec<ConnectWebviewId>,
}

#[derive(Deserialize, JsonSchema)]
struct Which {
    client_session_id: ClientSessionId,
}

/// The person, under her present name or the old one, which is a list of one.
fn person(id: Option<UserIdentityId>, ids: Option<Vec<UserIdentityId>>) -> Option<UserIdentityId> {
    id.or_else(|| ids.into_iter().flatten().next())
}

fn asked(p: Create) -> NewClientSession {
    NewClientSession::builder()
        .maybe_user_identifier_key(p.user_identifier_key)
        .maybe_user_identity_id(person(p.user_identity_id, p.user_identity_ids))
        .maybe_customer_key(p.customer_key)
        .connected_account_ids(p.connected_account_ids)
        .connect_webview_ids(p.connect_webview_ids)
        .maybe_expires_at(p.expires_at)
        .build()
}

async fn create(call: Call, p: Create) -> Outcome {
    if call.repeats {
        return get_or_create(call, p).await;
    }
    Answer::of("client_session", &call.ws.client_sessions().create(asked(p)).await?)
}

async fn get_or_create(call: Call, p: Create) -> Outcome {
    Answer::of("client_session", &call.ws.client_sessions().get_or_create(asked(p)).await?)
}

async fn one(call: &Call, id: Option<ClientSessionId>, key: Option<String>) -> Result<ClientSession, Problem> {
    Ok(match super::named(["client_session_id", "user_identifier_key"], id, key)? {
        super::Named::Id(id) => call.ws.client_sessions().get(id).await?,
        super::Named::Key(key) => call.ws.client_sessions().get_by_key(&key).await?,
    })
}

/// A session sees itself, whatever it asks for.
async fn get(call: Call, p: Get) -> Outcome {
    if let Some(own) = &call.session {
        return Answer::of("client_session", own);
    }
    Answer::of("client_session", &one(&call, p.client_session_id, p.user_identifier_key).await?)
}

async fn list(call: Call, p: List) -> Outcome {
    let filter = SessionFilter::builder()
        .maybe_client_session_id(p.client_session_id)
        .maybe_connect_webview_id(p.connect_webview_id)
        .maybe_user_identifier_key(p.user_identifier_key)
        .maybe_user_identity_id(p.user_identity_id)
        .without_user_identifier_key(p.without_user_identifier_key)
        .build();
    Answer::of("client_sessions", &call.ws.client_sessions().list(&filter).await?)
}

async fn grant_access(call: Call, p: GrantAccess) -> Outcome {
    let id = one(&call, p.client_session_id, p.user_identifier_key).await?.client_session_id;
    let access = SessionAccess::builder()
        .maybe_user_identity_id(person(p.user_identity_id, p.user_identity_ids))
        .connected_account_ids(p.connected_account_ids)
        .connect_webview_ids(p.connect_webview_ids)
        .build();
    Answer::of("client_session", &call.ws.client_sessions().grant_access(id, access).await?)
}

async fn revoke(call: Call, p: Which) -> Outcome {
    call.ws.client_sessions().revoke(p.client_session_id).await?;
    Answer::done()
}

async fn delete(call: Call, p: Which) -> Outcome {
    call.ws.client_sessions().delete(p.client_session_id).await?;
    Answer::done()
}
