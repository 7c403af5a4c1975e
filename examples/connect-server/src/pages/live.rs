//! The event stream as it happens: server-sent events whose ids are places in the stream, so that a reader that was cut off goes on where it was.
use crate::app::App;
use crate::http::decode::form_pairs;
use crate::http::problem::Problem;
use crate::http::service::{answer, caller};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::routing::any;
use futures_util::{FutureExt, stream};
use seam_core::api::EventFilter;
use seam_core::model::Event;
use seam_core::{ErrorKind, Workspace};
use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

const PATH: &str = "/events/stream";
/// Nothing happens for so long: a line says that the stream is still there, so that nobody in between closes it.
const QUIET: Duration = Duration::from_secs(15);
/// What happens within this time is sent in one piece: a busy workspace is read ten times a second for a stream, not at every commit.
const GATHER: Duration = Duration::from_millis(100);

/// Adds `GET /events/stream`.
pub(super) fn mount(app: &Arc<App>, router: Router) -> Router {
    let app = Arc::clone(app);
    let serve = move |request: Request| {
        let app = Arc::clone(&app);
        async move { answer(&app, PATH, request, async |id, request| open(Arc::clone(&app), id, request).boxed().await).await }
    };
    router.route(PATH, any(serve))
}

/// A reader of the stream.
struct Feed {
    app: Arc<App>,
    ws: Workspace,
    after: u64,
    began: bool,
    _place: OwnedSemaphorePermit,
}

async fn open(app: Arc<App>, id: Uuid, request: Request) -> Result<Response<Body>, Problem> {
    let call = caller(&app, id, request.method(), request.headers()).await?;
    if call.session.is_some() {
        // The stream tells of everybody.
        return Err(Problem::forbidden());
    }
    if *request.method() != Method::GET {
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this route takes GET"));
    }
    let Ok(place) = Arc::clone(&app.streams).try_acquire_owned() else {
        let mut problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_streams", "too many streams are open; ask again");
        problem.retry_after = Some(Duration::from_secs(10));
        return Err(problem);
    };
    let after = match request.headers().get("last-event-id") {
        Some(place) => place.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| invalid("last-event-id"))?,
        None => begin(&app, &call.ws, request.uri().query().unwrap_or_default()).await?,
    };
    let feed = Feed { app, ws: call.ws, after, began: false, _place: place };
    let body = Body::from_stream(stream::unfold(feed, |feed| next(feed).boxed()));
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Some proxies hold back what they think is one answer.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

fn invalid(param: &str) -> Problem {
    Problem::invalid(param, "a place in the event stream, as a whole number from 0")
}

/// Where a stream begins: `after` a place, so many events before the `last` one, or with what happens from now on.
async fn begin(app: &App, ws: &Workspace, query: &str) -> Result<u64, Problem> {
    let named = |name: &'static str| {
        let value = form_pairs(query).find(|(key, _)| key == name);
        value.map(|(_, value)| value.parse::<u64>().map_err(|_| invalid(name))).transpose()
    };
    if let Some(after) = named("after")? {
        return Ok(after);
    }
    // The end of the stream: what is found from now on is nothing, and the search says where it stopped.
    let now = EventFilter::builder().since(app.now()).build();
    let end = ws.events().search(&now, 0, 1000).await?.next;
    Ok(end.saturating_sub(named("last")?.unwrap_or(0).min(1000)))
}

/// The next piece of a stream; `None`: it ends. A reader that was cut off asks again with the id that it has seen last.
async fn next(mut feed: Feed) -> Option<(Result<String, Infallible>, Feed)> {
    if !std::mem::replace(&mut feed.began, true) {
        return Some((Ok("retry: 2000\n: the stream begins\n\n".to_owned()), feed));
    }
    let waited = async {
        tokio::time::sleep(GATHER).await;
        feed.ws.events().wait(feed.after, QUIET).await
    };
    let events = tokio::select! {
        biased;
        () = feed.app.ended() => return None,
        events = waited => events,
    };
    let text = match events {
        Ok(events) => {
            feed.after = events.last().map_or(feed.after, |(place, _)| *place);
            written(&events)
        }
        Err(e) if e.kind() == ErrorKind::Timeout => ": still here\n\n".to_owned(),
        Err(_) => return None,
    };
    Some((Ok(text), feed))
}

/// Events as they are sent. What JSON writes has no line ends.
fn written(events: &[(u64, Event)]) -> String {
    let mut text = String::new();
    for (place, event) in events {
        let data = serde_json::to_string(event).unwrap_or_default();
        let _ = write!(text, "id: {place}\ndata: {data}\n\n");
    }
    text
}
