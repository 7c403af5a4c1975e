//! The page on which somebody connects an account: the form that a provider's settings make, and what was found.
//!
//! `GET /connect/<id>/form` gives `{"form": {"status", "accepted_providers": [{"kind", "schema"}], "result"?}}`; `POST /connect/<id>` takes
//! `{"provider", "settings"}` and gives `{"result": {"status", "findings": [{"blocking", "code", "message"}], "errors", "redirect_url"?}}`. Both want the
//! page's own token, which stands in its address, in the header `connect-webview-token`. Settings hold passwords: no answer repeats them.
use super::guard::Peer;
use super::{Asset, json, own, shown, tag, text};
use crate::app::App;
use crate::http::problem::Problem;
use crate::http::service::{answer, body_of, object_in};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{Method, Response, StatusCode};
use axum::routing::any;
use futures_util::FutureExt;
use seam_core::model::{ConnectWebview, ConnectWebviewId, WebviewStatus};
use seam_core::{ErrorKind, Workspace};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const FORM: &str = "/connect/{connect_webview_id}/form";
/// For how long an answer waits until the login was tried.
const LOGIN_WITHIN: Duration = Duration::from_secs(20);

/// Adds the page and what it asks.
pub(super) fn mount(app: &Arc<App>, router: Router, page: &'static Asset) -> Router {
    let (form, submit, version) = (Arc::clone(app), Arc::clone(app), tag(page.text));
    let submit = move |request: Request| {
        let (app, version) = (Arc::clone(&submit), version.clone());
        async move {
            let work = async |_, request: Request| match *request.method() {
                Method::POST => submitted(Arc::clone(&app), request).boxed().await,
                _ => shown(page, &version, &request),
            };
            own(answer(&app, page.path, request, work).await)
        }
    };
    let form = move |request: Request| {
        let app = Arc::clone(&form);
        async move { own(answer(&app, FORM, request, async |_, request| asked(Arc::clone(&app), request).boxed().await).await) }
    };
    router.route(page.path, any(submit)).route(FORM, any(form))
}

/// The page that a visitor has opened, by its id in the path and its token in a header.
async fn opened(app: &App, parts: &Parts) -> Result<(Workspace, ConnectWebview), Problem> {
    app.guard.address(parts.extensions.get::<Peer>().copied())?;
    let id = parts.uri.path().split('/').nth(2).and_then(|text| text.parse::<ConnectWebviewId>().ok());
    let id = id.ok_or_else(|| Problem::not_found("connect_webview", "there is no such page"))?;
    Ok(app.seam.open_webview(id, text(&parts.headers, "connect-webview-token").unwrap_or_default()).await?)
}

/// What can be filled in; what came of it, if something was.
async fn asked(app: Arc<App>, request: Request) -> Result<Response<Body>, Problem> {
    let (parts, _) = request.into_parts();
    if parts.method != Method::GET {
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this route takes GET"));
    }
    let (ws, page) = opened(&app, &parts).await?;
    let accepts = |kind: &str| page.accepted_providers.is_empty() || page.accepted_providers.iter().any(|accepted| accepted == kind);
    let providers: Vec<Value> = app
        .factories
        .iter()
        .filter(|factory| accepts(factory.kind()))
        .map(|factory| json!({"kind": factory.kind(), "schema": factory.settings_schema()}))
        .collect();
    let mut form = json!({"status": page.status, "accepted_providers": providers});
    if page.selected_provider.is_some() {
        form["result"] = result(&ws, &page).await?;
    }
    Ok(json(&json!({"form": form, "ok": true})))
}

/// Connects the account, and tells what was found if the login is tried soon.
async fn submitted(app: Arc<App>, request: Request) -> Result<Response<Body>, Problem> {
    let (parts, body) = request.into_parts();
    let (ws, page) = opened(&app, &parts).await?;
    app.guard.link(page.connect_webview_id.uuid())?;
    let asked = object_in(&body_of(&parts.headers, body).await?)?;
    let kind = asked["provider"].as_str().unwrap_or_default();
    let factory = app.factories.iter().find(|factory| factory.kind() == kind);
    let factory = factory.ok_or_else(|| Problem::invalid("provider", "accounts of this kind cannot be connected here"))?;
    let webviews = ws.connect_webviews();
    let submitted = webviews.submit(page.connect_webview_id, &**factory, &asked["settings"]).await?;
    let page = match webviews.wait(page.connect_webview_id, LOGIN_WITHIN).await {
        Err(e) if e.kind() == ErrorKind::Timeout => submitted,
        page => page?,
    };
    Ok(json(&json!({"result": result(&ws, &page).await?, "ok": true})))
}

async fn result(ws: &Workspace, page: &ConnectWebview) -> Result<Value, Problem> {
    let found = ws.connect_webviews().readiness(page.connect_webview_id).await?;
    let redirect = match page.status {
        WebviewStatus::Authorized => &page.custom_redirect_url,
        WebviewStatus::Failed => &page.custom_redirect_failure_url,
        _ => &None,
    };
    // What is wrong with the account stands among the findings already, as what blocks.
    Ok(json!({"status": page.status, "findings": found.findings, "errors": [], "redirect_url": redirect}))
}
