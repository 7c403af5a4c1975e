//! Pages on which somebody connects an account.
use super::*;
use seam_core::api::{AccountFilter, SystemFilter, WebviewFilter};
use seam_core::clock::Clock;
use seam_core::error::ErrorKind::{Conflict, InvalidInput, NotFound, Unauthenticated};
use seam_core::model::{ConnectWebview, ConnectWebviewId, EventType, Map, SpaceId, WebviewStatus};
use seam_core::plan::{AccountUpdate, NewClientSession, NewConnectWebview, NewSpace};
use seam_core::provider::{AccessSystemProvider, Failure, ProviderEnv, ProviderFactory};
use seam_providers::sandbox::SandboxFactory;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration as Wait;

/// Opens nothing, whatever it is given.
#[derive(Debug)]
struct Strict;

impl ProviderFactory for Strict {
    fn kind(&self) -> &'static str {
        "strict"
    }
    fn settings_schema(&self) -> Value {
        json!({"type": "object", "required": ["host", "password"], "additionalProperties": false, "properties": {
            "host": {"type": "string", "minLength": 3},
            "password": {"type": "string"},
        }})
    }
    fn open(&self, _: SecretString, _: ProviderEnv) -> std::result::Result<Arc<dyn AccessSystemProvider>, Failure> {
        Err(Failure::refused(seam_core::provider::Reason::Invalid, "the host is not a host"))
    }
}

async fn page(h: &House, new: NewConnectWebview) -> ConnectWebview {
    h.ws.connect_webviews().create(new).await.unwrap()
}

fn meta(pairs: Value) -> serde_json::Map<String, Value> {
    pairs.as_object().unwrap().clone()
}
fn pairs(pairs: Value) -> Map {
    serde_json::from_value(pairs).unwrap()
}

#[tokio::test]
async fn an_account_is_connected_on_a_page() {
    let h = hotel().await;
    h.world.add(SiteConfig::hotel("annex", 1));
    let factory = SandboxFactory::new(h.world.clone());
    let new = NewConnectWebview::builder()
        .accepted_providers(["sandbox".to_owned()])
        .custom_metadata(meta(json!({"property": "annex", "vip": true})))
        .customer_key("hilltop")
        .custom_redirect_url("myapp://done")
        .build();
    let made = page(&h, new).await;
    let id = made.connect_webview_id;
    assert_eq!((&made.status, made.login_successful, made.connected_account_id), (&WebviewStatus::Pending, false, None));
    let url = made.url.expose().to_owned();
    assert!(url.contains(&id.to_string()) && !format!("{made:?}").contains(&url));
    // Who has the address, and nobody else, opens the page.
    let token = url.rsplit('=').next().unwrap();
    let (ws, seen) = h.seam.open_webview(id, token).await.unwrap();
    assert_eq!((ws.id(), seen), (h.ws.id(), made.clone()));
    let other = format!("{}{}", &token[..token.len() - 1], if token.ends_with('0') { "1" } else { "0" });
    for wrong in ["", "x", &other] {
        refused(Unauthenticated, "invalid_connect_webview_token", h.seam.open_webview(id, wrong)).await;
    }
    refused(Unauthenticated, "invalid_connect_webview_token", h.other.connect_webviews().open(id, token)).await;

    refused(NotFound, "connect_webview_not_found", h.ws.connect_webviews().readiness(id)).await;
    let waiting = h.ws.connect_webviews().submit(id, &factory, &json!({"site": "annex"})).await.unwrap();
    assert_eq!((waiting.status, waiting.connected_account_id), (WebviewStatus::Pending, None), "its login was not seen to work yet");
    h.settle().await;
    let done = h.ws.connect_webviews().wait(id, Wait::ZERO).await.unwrap();
    assert_eq!((done.status, done.login_successful, done.selected_provider.as_deref()), (WebviewStatus::Authorized, true, Some("sandbox")));
    let account = h.ws.connected_accounts().get(done.connected_account_id.unwrap()).await.unwrap();
    assert_eq!(
        (account.customer_key.as_deref(), &account.custom_metadata),
        (Some("hilltop"), &pairs(json!({"property": "annex", "vip": true})))
    );
    let ready = h.ws.connect_webviews().readiness(id).await.unwrap();
    assert!(ready.ready && ready.findings.is_empty() && ready.checked_at.is_some(), "{ready:?}");
    refused(Conflict, "connect_webview_submitted", h.ws.connect_webviews().submit(id, &factory, &json!({"site": "annex"}))).await;
    for told in [EventType::CONNECTED_ACCOUNT_CREATED, EventType::CONNECTED_ACCOUNT_CONNECTED] {
        let filter = EventFilter::builder().event_types(vec![told]).about(vec![id.uuid()]).build();
        let events = h.ws.events().search(&filter, 0, 9).await.unwrap().events;
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].1.payload["connected_account_id"], account.connected_account_id.to_string());
        assert_eq!(events[0].1.payload["customer_key"], "hilltop");
        assert!(!serde_json::to_string(&events[0].1).unwrap().contains("property"), "what the caller keeps may name somebody");
    }
    let systems = h.ws.acs().systems().search(&SystemFilter::builder().customer_key("hilltop").build()).await.unwrap().items;
    assert_eq!(systems.iter().map(|s| s.connected_account_id).collect::<Vec<_>>(), [account.connected_account_id]);
    // A session that reaches the page reaches the account.
    let session = h.ws.client_sessions().create(NewClientSession::builder().connect_webview_ids([id]).build()).await.unwrap();
    assert!(session.reaches_account(account.connected_account_id) && session.reaches_webview(id));
    h.ws.connect_webviews().delete(id).await.unwrap();
    refused(NotFound, "connect_webview_not_found", h.ws.connect_webviews().delete(id)).await;
    refused(Unauthenticated, "invalid_connect_webview_token", h.seam.open_webview(id, token)).await;
    h.ws.connected_accounts().get(account.connected_account_id).await.unwrap();
}

#[tokio::test]
async fn settings_that_do_not_fit_connect_nothing() {
    let h = hotel().await;
    let id = page(&h, NewConnectWebview::default()).await.connect_webview_id;
    let before = h.ws.connected_accounts().list(None, 10).await.unwrap().items.len();
    for (bad, field) in [
        (json!({"host": "h.example"}), "settings.password"),
        (json!({"host": "h", "password": "hunter2"}), "settings.host"),
        (json!({"host": "h.example", "password": 7}), "settings.password"),
        (json!({"host": "h.example", "password": "hunter2", "port": 1}), "settings.port"),
        (json!("hunter2"), "settings"),
        (json!({"host": "h.example", "password": "hunter2"}), "settings"),
    ] {
        let e = h.ws.connect_webviews().submit(id, &Strict, &bad).await.unwrap_err();
        assert_eq!((e.kind(), e.field()), (InvalidInput, Some(field)), "{bad}: {e}");
        assert!(!format!("{e} {e:?}").contains("hunter2"), "no error repeats a password");
    }
    let e = h.ws.connect_webviews().readiness(id).await.unwrap_err();
    assert_eq!(e.kind(), NotFound);
    assert_eq!(h.ws.connected_accounts().list(None, 10).await.unwrap().items.len(), before);
    let only = page(&h, NewConnectWebview::builder().accepted_providers(["strict".to_owned()]).build()).await.connect_webview_id;
    let none = page(&h, NewConnectWebview::builder().excluded_providers(["sandbox".to_owned()]).build()).await.connect_webview_id;
    let factory = SandboxFactory::new(h.world.clone());
    for page in [only, none] {
        let e = h.ws.connect_webviews().submit(page, &factory, &json!({"site": "hotel"})).await.unwrap_err();
        assert_eq!((e.kind(), e.field()), (InvalidInput, Some("provider")));
    }
    let nothing = ConnectWebviewId::from_uuid(uuid::Uuid::from_u128(9));
    refused(NotFound, "connect_webview_not_found", h.ws.connect_webviews().submit(nothing, &factory, &json!({"site": "hotel"}))).await;
    refused(NotFound, "connect_webview_not_found", h.other.connect_webviews().submit(id, &factory, &json!({"site": "hotel"}))).await;
}

#[tokio::test]
async fn a_page_is_asked_for_rightly_or_not_made() {
    let h = hotel().await;
    let new = NewConnectWebview::builder;
    let many: serde_json::Map<String, Value> = (0..51).map(|n| (format!("k{n}"), json!(true))).collect();
    for (bad, field) in [
        (new().accepted_providers(["Sand Box".to_owned()]).build(), "accepted_providers"),
        (new().excluded_providers(vec!["x".to_owned(); 10_000]).build(), "excluded_providers"),
        (new().custom_redirect_url("javascript://alert(1)").build(), "custom_redirect_url"),
        (new().custom_redirect_url("example.com").build(), "custom_redirect_url"),
        (new().custom_redirect_failure_url("https://").build(), "custom_redirect_failure_url"),
        (new().custom_redirect_url(format!("https://{}", "x".repeat(3_000))).build(), "custom_redirect_url"),
        (new().customer_key("").build(), "customer_key"),
        (new().custom_metadata(many).build(), "custom_metadata"),
        (new().custom_metadata(meta(json!({"n": 1}))).build(), "custom_metadata"),
        (new().custom_metadata(meta(json!({"deep": {"x": "y"}}))).build(), "custom_metadata"),
        (new().custom_metadata(meta(json!({"long": "x".repeat(501)}))).build(), "custom_metadata"),
    ] {
        let e = h.ws.connect_webviews().create(bad).await.unwrap_err();
        assert_eq!((e.kind(), e.field()), (InvalidInput, Some(field)), "{e}");
    }
    assert!(h.ws.connect_webviews().list(&WebviewFilter::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn pages_and_accounts_are_found_by_what_is_kept_with_them() {
    let h = hotel().await;
    let a = page(&h, NewConnectWebview::builder().custom_metadata(meta(json!({"house": "North", "new": true}))).build()).await;
    let b = page(&h, NewConnectWebview::builder().customer_key("hilltop").accepted_providers(["nuki".to_owned()]).build()).await;
    let (a, b) = (a.connect_webview_id, b.connect_webview_id);
    let list = async |filter: WebviewFilter| -> BTreeSet<ConnectWebviewId> {
        h.ws.connect_webviews().list(&filter).await.unwrap().items.into_iter().map(|w| w.connect_webview_id).collect()
    };
    assert_eq!(list(WebviewFilter::default()).await, [a, b].into());
    assert_eq!(list(WebviewFilter::builder().customer_key("hilltop").build()).await, [b].into());
    assert_eq!(list(WebviewFilter::builder().custom_metadata_has(pairs(json!({"new": true}))).build()).await, [a].into());
    assert!(list(WebviewFilter::builder().custom_metadata_has(pairs(json!({"new": "true"}))).build()).await.is_empty());
    assert_eq!(list(WebviewFilter::builder().search("north").build()).await, [a].into());
    assert_eq!(list(WebviewFilter::builder().search("NUKI").build()).await, [b].into());
    assert!(h.other.connect_webviews().list(&WebviewFilter::default()).await.unwrap().items.is_empty());

    let account = h.ws.connected_accounts().list(None, 10).await.unwrap().items[0].connected_account_id;
    let accounts = async |filter: AccountFilter| h.ws.connected_accounts().search(&filter).await.unwrap().items.len();
    let change = |update| h.ws.connected_accounts().change(update);
    let of = || AccountUpdate::builder().account(account);
    let now = change(of().display_name(Some("Front".to_owned())).custom_metadata(meta(json!({"house": "North"}))).build()).await.unwrap();
    assert_eq!((now.display_name.as_str(), &now.custom_metadata), ("Front", &pairs(json!({"house": "North"}))));
    let now = change(of().custom_metadata(meta(json!({"floor": "1", "gone": null}))).build()).await.unwrap();
    assert_eq!(now.custom_metadata, pairs(json!({"floor": "1"})), "it takes the place of all that was there");
    change(of().customer_key("hilltop").build()).await.unwrap();
    refused(Conflict, "connected_account_of_another_customer", change(of().customer_key("seaside").build())).await;
    assert_eq!(change(of().custom_metadata(meta(json!({"n": [1]}))).build()).await.unwrap_err().field(), Some("custom_metadata"));
    assert_eq!(change(of().display_name(Some(String::new())).build()).await.unwrap_err().field(), Some("display_name"));
    assert_eq!(accounts(AccountFilter::builder().customer_key("hilltop").build()).await, 1);
    assert_eq!(accounts(AccountFilter::builder().customer_key("seaside").build()).await, 0);
    assert_eq!(accounts(AccountFilter::builder().custom_metadata_has(pairs(json!({"floor": "1"}))).build()).await, 1);
    assert_eq!(accounts(AccountFilter::builder().search("front").build()).await, 1);
    assert_eq!(accounts(AccountFilter::builder().search("back").build()).await, 0);
    let space = h.ws.spaces().create(NewSpace::builder().name("Gym").entrances([h.door("gym").await]).build()).await.unwrap().space_id;
    let empty = h.ws.spaces().create(NewSpace::builder().name("Roof").build()).await.unwrap().space_id;
    assert_eq!(accounts(AccountFilter::builder().space_id(space).build()).await, 1);
    assert_eq!(accounts(AccountFilter::builder().space_id(empty).build()).await, 0);
    let nothing = AccountFilter::builder().space_id(SpaceId::from_uuid(uuid::Uuid::from_u128(9))).build();
    refused(NotFound, "space_not_found", h.ws.connected_accounts().search(&nothing)).await;
}

#[tokio::test]
async fn what_stands_in_the_way_of_an_account_is_told() {
    let h = hotel().await;
    let account = h.ws.connected_accounts().list(None, 10).await.unwrap().items[0].connected_account_id;
    let first = h.ws.connected_accounts().readiness(account).await.unwrap();
    assert!(first.ready, "{first:?}");
    // Nobody looks twice without a reason.
    h.pass(Duration::hours(2)).await;
    assert_eq!(h.ws.connected_accounts().readiness(account).await.unwrap().checked_at, first.checked_at);
    h.ws.connected_accounts().rescan(account).await.unwrap();
    assert!(!h.ws.connected_accounts().readiness(account).await.unwrap().ready, "it is to be looked at");
    h.settle().await;
    let again = h.ws.connected_accounts().readiness(account).await.unwrap();
    assert!(again.ready && again.checked_at > first.checked_at);
    h.ws.connected_accounts().update(account, &json!({"site": "nowhere"})).await.unwrap();
    h.settle().await;
    let lost = h.ws.connected_accounts().readiness(account).await.unwrap();
    assert!(!lost.ready && lost.findings.iter().any(|f| f.blocking), "{lost:?}");
    assert!(h.clock.now() > first.checked_at.unwrap());
    refused(NotFound, "connected_account_not_found", h.other.connected_accounts().readiness(account)).await;
}
