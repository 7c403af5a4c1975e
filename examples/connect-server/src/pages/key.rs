//! The Instant Key page's questions: what does this link open, redeem it, open that door.
//!
//! Nobody who opens a link has a key of the API: the code in the address is the secret until it is redeemed, the token that came of it afterwards.
//! The token is kept in a cookie that no script reads, so that a guest who closes the page has not lost a link that works once; `SameSite=Strict`, and
//! asked for by our own pages only ([`guard`](super::guard)), so that no other page uses it in her name. It ends with the key.
use super::guard::{self, Peer};
use super::{json, own};
use crate::app::App;
use crate::http::problem::Problem;
use crate::http::service::{answer, body_of, object_in};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::routing::any;
use futures_util::FutureExt;
use seam_core::model::{ActionResult, ActionStatus, ClientSession, InstantKeyId};
use seam_core::view::{KeyContents, KeyDoor, KeyState, RemoteUnlock};
use seam_core::{AcsEntranceId, Actor, ErrorKind, Workspace};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// For how long an answer waits for a door.
const DOOR_WITHIN: Duration = Duration::from_secs(20);

/// A question about a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    Contents,
    Redeem,
    Unlock,
}

/// Adds what the page asks.
pub(super) fn mount(app: &Arc<App>, mut router: Router) -> Router {
    // The paths are written with a placeholder: that is what the log and the counters are told.
    for (path, ask) in [("/i/{code}/contents", Ask::Contents), ("/i/{code}/redeem", Ask::Redeem), ("/i/{code}/unlock", Ask::Unlock)] {
        let app = Arc::clone(app);
        let serve = move |request: Request| {
            let app = Arc::clone(&app);
            async move { own(answer(&app, path, request, async |_, request| served(Arc::clone(&app), ask, request).boxed().await).await) }
        };
        router = router.route(path, any(serve));
    }
    router
}

async fn served(app: Arc<App>, ask: Ask, request: Request) -> Result<Response<Body>, Problem> {
    let (parts, body) = request.into_parts();
    app.guard.address(parts.extensions.get::<Peer>().copied())?;
    let wanted = if ask == Ask::Contents { Method::GET } else { Method::POST };
    if parts.method != wanted {
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", format!("this route takes {wanted}")));
    }
    let code = parts.uri.path().split('/').nth(2).unwrap_or_default();
    if ask != Ask::Contents && !guard::is_own_page(&parts.headers, &app.public_url) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_our_page", "only this server's own pages may ask this"));
    }
    let (ws, contents) = found(&app, code).await?;
    let ws = ws.acting_as(Actor::Person(format!("instant key {}", contents.instant_key_id)));
    if ask != Ask::Contents {
        app.guard.link(contents.instant_key_id.uuid())?;
    }
    let token = cookie(&parts.headers, contents.instant_key_id);
    match ask {
        Ask::Contents => {
            let redeemed = is_redeemed(&ws, &contents, token).await?;
            Ok(json(&shown(&contents, redeemed)))
        }
        Ask::Redeem => redeem(&app, &ws, code, &contents, token).await,
        Ask::Unlock => {
            let asked = object_in(&body_of(&parts.headers, body).await?)?;
            let door: AcsEntranceId = asked["acs_entrance_id"]
                .as_str()
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| Problem::invalid("acs_entrance_id", "Invalid uuid"))?;
            unlock(&ws, code, token.unwrap_or_default(), door).await
        }
    }
}

/// The link with a code, in whatever workspace.
async fn found(app: &App, code: &str) -> Result<(Workspace, KeyContents), Problem> {
    for ws in app.workspaces() {
        match ws.instant_keys().contents(code).await {
            Ok(contents) => return Ok((ws.clone(), contents)),
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(e.into()),
        }
    }
    Err(Problem::not_found("instant_key", "there is no such instant key"))
}

/// Whether this browser has redeemed the link.
async fn is_redeemed(ws: &Workspace, contents: &KeyContents, token: Option<&str>) -> Result<bool, Problem> {
    let Some(token) = token else { return Ok(false) };
    match ws.client_sessions().authenticate(token).await {
        Ok(session) => Ok(session.client_session_id == contents.client_session_id),
        Err(e) if e.kind() == ErrorKind::Unauthenticated => Ok(false),
        Err(e) => Err(e.into()),
    }
}

async fn redeem(app: &App, ws: &Workspace, code: &str, contents: &KeyContents, token: Option<&str>) -> Result<Response<Body>, Problem> {
    // Asked twice, by a double tap or an answer that was lost, a browser that has the key does not use the link up.
    if is_redeemed(ws, contents, token).await? {
        return Ok(json(&shown(contents, true)));
    }
    let redeemed = ws.instant_keys().redeem(code).await?;
    let contents = ws.instant_keys().contents(code).await?;
    let mut response = json(&shown(&contents, true));
    let left = (redeemed.client_session.expires_at - app.now()).num_seconds().max(0);
    let cookie = set_cookie(contents.instant_key_id, &redeemed.client_session, left, app.public_url.starts_with("https://"));
    if let Ok(mut value) = HeaderValue::from_str(&cookie) {
        value.set_sensitive(true);
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(response)
}

async fn unlock(ws: &Workspace, code: &str, token: &str, door: AcsEntranceId) -> Result<Response<Body>, Problem> {
    let attempt = ws.instant_keys().unlock(code, token, door).await?;
    let attempt = match ws.action_attempts().wait(attempt.action_attempt_id, DOOR_WITHIN).await {
        Err(e) if e.kind() == ErrorKind::Timeout => attempt,
        done => done?,
    };
    let status = match attempt.status {
        ActionStatus::Success => "success",
        ActionStatus::Pending => "pending",
        _ => "error",
    };
    let message = attempt.error.as_ref().map(|e| e.message.as_str());
    // Whether the door has said so itself, or only its system has taken the command.
    let confirmed = matches!(&attempt.result, Some(ActionResult::Unlock(r)) if r.was_confirmed_by_device == Some(true));
    Ok(json(&json!({"unlock": {"status": status, "confirmed": confirmed, "message": message}, "ok": true})))
}

/// What the page is told. A link that this browser has not redeemed and that cannot be redeemed any more tells nothing but that: it may have been
/// passed on.
fn shown(contents: &KeyContents, redeemed: bool) -> Value {
    let (state, uses_left) = match contents.state {
        KeyState::Open { uses_left } => ("open", uses_left),
        KeyState::UsedUp => ("used_up", 0),
        KeyState::Expired => ("expired", 0),
        _ => ("deleted", 0),
    };
    let mut key = json!({"state": state, "redeemed_here": redeemed});
    if redeemed || state == "open" {
        key["uses_left"] = uses_left.into();
        key["holder"] = contents.holder.as_ref().map(|name| name.expose()).into();
        key["expires_at"] = json!(contents.expires_at);
        key["doors"] = contents.doors.iter().map(door).collect();
    }
    json!({"instant_key": key, "ok": true})
}

fn door(door: &KeyDoor) -> Value {
    let remote = match door.remote {
        RemoteUnlock::Ready { .. } => "ready",
        RemoteUnlock::NotIssued => "not_issued",
        RemoteUnlock::NotYet => "not_yet",
        RemoteUnlock::Over => "over",
        RemoteUnlock::Suspended => "suspended",
        _ => "never",
    };
    json!({
        "acs_entrance_id": door.acs_entrance_id,
        "display_name": door.display_name,
        "starts_at": door.starts_at,
        "ends_at": door.ends_at,
        "time_zone": door.time_zone,
        "mobile_key": door.mobile_key,
        "remote_unlock": remote,
    })
}

fn cookie_name(id: InstantKeyId) -> String {
    format!("instant_key_{}", id.uuid().simple())
}

fn set_cookie(id: InstantKeyId, session: &ClientSession, left: i64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{}={}; Path=/i; Max-Age={left}; HttpOnly; SameSite=Strict{secure}", cookie_name(id), session.token.expose())
}

/// The token that a browser keeps of a link.
fn cookie(headers: &HeaderMap, id: InstantKeyId) -> Option<&str> {
    let name = cookie_name(id);
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|text| text.split(';'))
        .find_map(|pair| pair.trim().split_once('=').filter(|(key, _)| *key == name))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_link_has_a_cookie_of_its_own() {
        let [one, other] = [1, 2].map(|n| InstantKeyId::from_uuid(uuid::Uuid::from_u128(n)));
        let text = format!("a=b; {}=seam_cst1; {}=seam_cst2", cookie_name(one), cookie_name(other));
        let headers = HeaderMap::from_iter([(header::COOKIE, text.parse().expect("a header"))]);
        assert_eq!(cookie(&headers, one), Some("seam_cst1"));
        assert_eq!(cookie(&headers, other), Some("seam_cst2"));
        assert_eq!(cookie(&headers, InstantKeyId::from_uuid(uuid::Uuid::from_u128(3))), None);
    }
}
