//! Pages for people: operations, the description of the routes, the instant key, the form that connects an account.
//!
//! Plain HTML, CSS and JavaScript, carried in the program. Nothing is loaded from elsewhere, no script stands in a page, and what a page shows is
//! written as text: the policy sent with each of them refuses anything else.
mod connect;
pub mod guard;
mod insight;
mod key;
mod live;

use crate::app::App;
use crate::http::problem::Problem;
use crate::http::route::Route;
use crate::http::service::answer;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::routing::any;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What a page may do: show what is of this server, ask this server, nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; \
                      base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

/// A file that pages are made of.
struct Asset {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

/// A page, at a path of the router.
static PAGES: [Asset; 4] = [
    Asset { path: "/", kind: HTML, text: include_str!("assets/operations.html") },
    Asset { path: "/docs", kind: HTML, text: include_str!("assets/docs.html") },
    Asset { path: "/i/{code}", kind: HTML, text: include_str!("assets/key.html") },
    Asset { path: "/connect/connect_webviews/view", kind: HTML, text: include_str!("assets/connect.html") },
];

/// The same page at an address without a token, where the token stands behind a `#`.
static CONNECT: Asset = Asset { path: "/connect/{connect_webview_id}", kind: HTML, text: include_str!("assets/connect.html") };

static FILES: [Asset; 8] = [
    Asset { path: "/assets/style.css", kind: STYLE, text: include_str!("assets/style.css") },
    Asset { path: "/assets/page.js", kind: SCRIPT, text: include_str!("assets/page.js") },
    Asset { path: "/assets/operations.js", kind: SCRIPT, text: include_str!("assets/operations.js") },
    Asset { path: "/assets/plot.js", kind: SCRIPT, text: include_str!("assets/plot.js") },
    Asset { path: "/assets/docs.js", kind: SCRIPT, text: include_str!("assets/docs.js") },
    Asset { path: "/assets/key.js", kind: SCRIPT, text: include_str!("assets/key.js") },
    Asset { path: "/assets/connect.js", kind: SCRIPT, text: include_str!("assets/connect.js") },
    Asset { path: "/assets/icon.svg", kind: "image/svg+xml", text: include_str!("assets/icon.svg") },
];

/// The routes that the pages need and the clients have not: they take a key, like every route of the API.
pub fn routes() -> Vec<Route> {
    insight::routes()
}

/// Adds the pages, and what belongs to them alone.
pub fn mount(app: &Arc<App>, mut router: Router) -> Router {
    for asset in PAGES.iter().chain(&FILES) {
        let (app, tag) = (Arc::clone(app), tag(asset.text));
        let show = move |request: Request| {
            let (app, tag) = (Arc::clone(&app), tag.clone());
            async move { own(answer(&app, asset.path, request, async |_, request: Request| shown(asset, &tag, &request)).await) }
        };
        router = router.route(asset.path, any(show));
    }
    connect::mount(app, key::mount(app, live::mount(app, router)), &CONNECT)
}

/// An answer for the pages of this server only: other origins are not invited to read it.
fn own(mut response: Response<Body>) -> Response<Body> {
    let headers = response.headers_mut();
    for name in [
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        header::ACCESS_CONTROL_ALLOW_METHODS,
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
    ] {
        headers.remove(name);
    }
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // The address of an instant key is a secret: it goes nowhere else.
    set(header::REFERRER_POLICY, "no-referrer");
    response
}

/// A page or a file, unless the browser has it already.
fn shown(asset: &Asset, tag: &str, request: &Request) -> Result<Response<Body>, Problem> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this page takes GET"));
    }
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|v| v.as_bytes() == tag.as_bytes());
    let mut response = Response::new(Body::from(if known { "" } else { asset.text }));
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    if asset.kind == HTML {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    }
    Ok(response)
}

/// What tells one version of a file from another.
fn tag(text: &str) -> String {
    let hash = Sha256::digest(text);
    let hex: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// An answer in JSON that nobody keeps.
fn json(body: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A header as text.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_page_has_a_script_or_a_style_in_it_or_reaches_out() {
        for page in &PAGES {
            let text = page.text.to_ascii_lowercase();
            assert!(text.starts_with("<!doctype html>"), "{}", page.path);
            for wrong in ["http://", "https://", "style=", "<style", "onclick", "onload", "javascript:"] {
                assert!(!text.contains(wrong), "{} has {wrong}", page.path);
            }
            for tag in text.split("<script").skip(1) {
                assert!(tag.starts_with(" type=\"module\" src=\"/assets/") && tag.contains("></script>"), "{}: <script{tag}", page.path);
            }
            for needed in ["lang=\"en\"", "name=\"viewport\"", "<title>", "<main", "<noscript>"] {
                assert!(text.contains(needed), "{} lacks {needed}", page.path);
            }
        }
    }

    #[test]
    fn every_file_that_a_page_names_is_served() {
        for page in &PAGES {
            for named in page.text.split('"').filter(|part| part.starts_with("/assets/")) {
                assert!(FILES.iter().any(|file| file.path == named), "{} names {named}", page.path);
            }
        }
    }

    #[test]
    fn scripts_write_text_and_never_markup() {
        for file in FILES.iter().filter(|file| file.kind == SCRIPT) {
            for wrong in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "localStorage", "https://"]
            {
                assert!(!file.text.contains(wrong), "{} has {wrong}", file.path);
            }
        }
    }
}
