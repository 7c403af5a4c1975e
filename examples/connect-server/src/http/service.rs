//! From a request to an answer: who asks, how often, with what; then the route's handler.
use super::auth::{Token, token};
use super::problem::Problem;
use super::route::Route;
use crate::app::{App, Call};
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use axum::routing::any;
use futures_util::{FutureExt, StreamExt};
use rand::RngExt;
use serde_json::{Map, Value};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::{Builder, Uuid};

/// The largest body that is read.
const BODY: usize = 1 << 20;
/// A body that is too large is read to its end up to here, so that the client can read why it was refused.
const DRAINED: usize = 32 << 20;
/// For how long a body may come.
const BODY_WITHIN: Duration = Duration::from_secs(20);
/// For how long a handler may work.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const REQUEST_ID: HeaderName = HeaderName::from_static("seam-request-id");

/// The router over some routes.
pub fn router(app: &Arc<App>, routes: Vec<Route>) -> Router {
    let mut router = Router::new();
    for route in routes {
        let (app, path, route) = (Arc::clone(app), route.path, Arc::new(route));
        router = router.route(
            path,
            any(move |request: Request| {
                let (app, route) = (Arc::clone(&app), Arc::clone(&route));
                async move { answer(&app, route.path, request, async |id, request| routed(&app, &route, id, request).await).await }
            }),
        );
    }
    let app = Arc::clone(app);
    router.fallback(move |request: Request| {
        let app = Arc::clone(&app);
        async move {
            answer(&app, "unknown", request, async |_, request: Request| {
                let shown: String = request.uri().path().chars().take(120).collect();
                Err(Problem::new(StatusCode::NOT_FOUND, "route_not_found", format!("there is no route {shown}")))
            })
            .await
        }
    })
}

/// What belongs to every answer: its id, its headers, its line in the log, its place in the counters.
pub async fn answer(
    app: &App,
    route: &'static str,
    request: Request,
    work: impl AsyncFnOnce(Uuid, Request) -> Result<Response<Body>, Problem>,
) -> Response<Body> {
    // Of the thread's own generator: an id of a request need not ask the system.
    let id = Builder::from_random_bytes(rand::rng().random()).into_uuid();
    let (began, method) = (Instant::now(), request.method().clone());
    let mut response = if method == Method::OPTIONS {
        let mut allowed = Response::new(Body::empty());
        *allowed.status_mut() = StatusCode::NO_CONTENT;
        preflight(allowed.headers_mut());
        allowed
    } else {
        match AssertUnwindSafe(work(id, request)).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(problem)) => problem.into_response(),
            Err(_) => {
                tracing::error!(%id, route, "a handler panicked");
                Problem::internal().into_response()
            }
        }
    };
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, value);
    }
    share(headers);
    let (status, took) = (response.status().as_u16(), began.elapsed());
    app.metrics.served(route, status, took);
    tracing::info!(%id, %method, route, status, ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX), "answered");
    response
}

/// What a browser asks before it asks: what pages may send.
fn preflight(headers: &mut HeaderMap) {
    const MAY_SEND: &str = "authorization, content-type, idempotency-key, seam-workspace, seam-sdk-name, seam-sdk-version, seam-lts-version, \
                            client-session-token, seam-client-session-token, seam-publishable-key, seam-user-identifier-key";
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(MAY_SEND));
}

/// Pages of any origin may ask: they need a key all the same.
fn share(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("seam-request-id, retry-after"));
}

/// Who asks, and for which workspace. Counted against the rate of the key.
///
/// # Errors
/// `unauthorized`, `rate_limited`, and what the store says.
pub async fn caller(app: &Arc<App>, id: Uuid, method: &Method, headers: &HeaderMap) -> Result<Call, Problem> {
    let (workspace, session) = match token(headers)? {
        Token::ApiKey(key) => (app.keys.workspace_of(key).ok_or_else(|| Problem::unauthorized("this API key is not known"))?, None),
        Token::ClientSession(token) => {
            let (workspace, session) = app.seam.authenticate(token).await?;
            (workspace.id(), Some(session))
        }
    };
    app.pace(workspace)?;
    let once = match headers.get("idempotency-key").map(HeaderValue::to_str) {
        None => None,
        Some(Ok(key)) if (1..=255).contains(&key.len()) => Some(key.to_owned()),
        Some(_) => return Err(Problem::invalid("idempotency-key", "1 to 255 characters of ASCII")),
    };
    let ws = app.workspace(workspace)?;
    let ws = match once {
        Some(key) => ws.once(key),
        None => ws,
    };
    Ok(Call { app: Arc::clone(app), ws, session, repeats: *method == Method::PUT, request: id })
}

async fn routed(app: &Arc<App>, route: &Route, id: Uuid, request: Request) -> Result<Response<Body>, Problem> {
    let (parts, body) = request.into_parts();
    let call = match caller(app, id, &parts.method, &parts.headers).await {
        Ok(call) => call,
        Err(problem) => {
            drain(body).await;
            return Err(problem);
        }
    };
    if call.session.is_some() && !route.for_sessions {
        drain(body).await;
        return Err(Problem::forbidden());
    }
    if !route.verb.takes(&parts.method) {
        drain(body).await;
        let takes = match route.verb.method() {
            Method::POST => "POST".to_owned(),
            own => format!("{own} and POST"),
        };
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", format!("this route takes {takes}")));
    }
    let body = body_of(&parts.headers, body).await?;
    let query = parts.uri.query().unwrap_or_default();
    let asked = match parts.method {
        Method::GET | Method::DELETE => match route.params.from_query(query) {
            // Older clients send a body with DELETE.
            Value::Object(empty) if empty.is_empty() && !body.is_empty() => object_in(&body)?,
            asked => asked,
        },
        _ if body.is_empty() => route.params.from_query(query),
        _ => object_in(&body)?,
    };
    match tokio::time::timeout(ANSWER_WITHIN, (route.handler)(call, asked)).await {
        Ok(outcome) => outcome.map(super::answer::Answer::into_response),
        Err(_) => {
            // What was asked may have been done: the answer says so, and does not invite to ask again at once.
            Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, "timed_out", "the answer took too long; what was asked may have been done"))
        }
    }
}

/// The JSON object in a body.
///
/// # Errors
/// `invalid_input`: it is none.
pub fn object_in(body: &[u8]) -> Result<Value, Problem> {
    match serde_json::from_slice::<Map<String, Value>>(body) {
        Ok(map) => Ok(Value::Object(map)),
        Err(e) => {
            let text = format!("the body is not a JSON object (line {}, column {})", e.line(), e.column());
            let mut faults = super::problem::Faults::default();
            faults.add(&[], text);
            Err(faults.into())
        }
    }
}

/// A body, if it is small enough, JSON, and comes in time.
///
/// # Errors
/// `payload_too_large`, `body_unreadable`, `request_timeout`, `unsupported_media_type`.
pub async fn body_of(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let too_large = || {
        let text = format!("the body may have {BODY} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", text)
    };
    if body.size_hint().lower() > BODY as u64 {
        drain(body).await;
        return Err(too_large());
    }
    let mut stream = body.into_data_stream();
    let read = async {
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "body_unreadable", "the body broke off"))?;
            if bytes.len() + chunk.len() > BODY {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(())
    };
    match tokio::time::timeout(BODY_WITHIN, read).await {
        Ok(Ok(())) => {}
        Ok(Err(problem)) => {
            if problem.status == StatusCode::PAYLOAD_TOO_LARGE {
                drain_stream(stream).await;
            }
            return Err(problem);
        }
        Err(_) => return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", "the body did not come in time")),
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("application/json");
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !bytes.is_empty() && essence != "application/json" && !essence.ends_with("+json") {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "a body must be application/json"));
    }
    Ok(bytes)
}

/// Reads what a client still sends, so that she can read her answer; not without end.
async fn drain(body: Body) {
    drain_stream(body.into_data_stream()).await;
}

async fn drain_stream(mut stream: axum::body::BodyDataStream) {
    let mut seen = 0;
    let read = async {
        while let Some(Ok(chunk)) = stream.next().await {
            seen += chunk.len();
            if seen > DRAINED {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(5), read).await;
}
