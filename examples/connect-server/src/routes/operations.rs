//! What operators ask: is it alive, can it serve, what has it done; and the description of the routes.
use crate::app::App;
use crate::http::problem::Problem;
use crate::http::service::answer;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::routing::get;
use std::sync::Arc;

/// Adds the routes that need no key. `described`: the routes that do, as an OpenAPI document.
pub(super) fn mount(app: &Arc<App>, described: String, router: Router) -> Router {
    let describing = Arc::clone(app);
    let health = Arc::clone(app);
    let ready = Arc::clone(app);
    let metrics = Arc::clone(app);
    router
        .route(
            "/health",
            get(move |request: Request| async move {
                answer(&health, "/health", request, async |_, _| Ok(text("application/json", r#"{"ok":true}"#.to_owned()))).await
            }),
        )
        .route(
            "/openapi.json",
            get(move |request: Request| async move {
                answer(&describing, "/openapi.json", request, async |_, _| Ok(text("application/json", described.clone()))).await
            }),
        )
        .route(
            "/ready",
            get(move |request: Request| async move { answer(&ready, "/ready", request, async |_, _| is_ready(&ready).await).await }),
        )
        .route(
            "/metrics",
            get(move |request: Request| async move {
                let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                answer(&metrics, "/metrics", request, async |_, _| Ok(text(kind, metrics.metrics.text()))).await
            }),
        )
}

fn text(kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// Whether the store answers.
async fn is_ready(app: &App) -> Result<Response<Body>, Problem> {
    let not = |_| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", "the database does not answer");
    app.seam.workspaces().await.map_err(not)?;
    Ok(text("application/json", r#"{"ok":true}"#.to_owned()))
}
