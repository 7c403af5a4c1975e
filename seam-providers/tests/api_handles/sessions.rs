//! Client sessions: what a token reaches, and when it no longer does.
use super::*;
use seam_core::api::SessionFilter;
use seam_core::clock::Clock;
use seam_core::error::ErrorKind::{Conflict, Exhausted, InvalidInput, NotFound, Unauthenticated};
use seam_core::model::{ClientSession, ClientSessionId, ConnectWebviewId, ConnectedAccountId, EventType, UserIdentityId};
use seam_core::plan::{NewClientSession, SessionAccess};

async fn person(h: &House, name: &str) -> UserIdentityId {
    h.ws.user_identities().create(Person::named(name)).await.unwrap().user_identity_id
}

async fn session_of(h: &House, person: UserIdentityId) -> ClientSession {
    h.ws.client_sessions().create(NewClientSession::builder().user_identity_id(person).build()).await.unwrap()
}

async fn lets_in(h: &House, session: &ClientSession) -> Result<()> {
    h.seam.authenticate(session.token.expose()).await.map(drop)
}

#[tokio::test]
async fn a_token_reaches_what_its_session_was_given() {
    let h = hotel().await;
    let ada = person(&h, "Ada").await;
    let account = h.ws.connected_accounts().list(None, 10).await.unwrap().items[0].connected_account_id;
    let new = NewClientSession::builder()
        .user_identifier_key("guest-7")
        .user_identity_id(ada)
        .customer_key("hilltop")
        .connected_account_ids([account, account])
        .expires_at(at("2026-03-05T00:00:00Z"))
        .build();
    let made = h.ws.client_sessions().create(new).await.unwrap();
    assert!(made.token.expose().starts_with("seam_cst"));
    assert!(!format!("{made:?}").contains(made.token.expose()), "a token is in no log");
    let (ws, found) = h.seam.authenticate(made.token.expose()).await.unwrap();
    assert_eq!((ws.id(), &found), (h.ws.id(), &made));
    assert!(found.is_of(ada) && found.reaches_account(account) && found.reaches_customer("hilltop"));
    assert_eq!((found.connected_account_ids.clone(), found.user_identity_ids.clone()), (vec![account], vec![ada]));
    assert_eq!(h.ws.client_sessions().get_by_key("guest-7").await.unwrap(), made);
    assert_eq!(h.ws.client_sessions().get(made.client_session_id).await.unwrap(), made);
    // Another workspace knows neither the session nor its token.
    refused(NotFound, "client_session_not_found", h.other.client_sessions().get(made.client_session_id)).await;
    refused(Unauthenticated, "invalid_client_session_token", h.other.client_sessions().authenticate(made.token.expose())).await;
    // An account that is gone is reached no longer.
    h.ws.connected_accounts().delete(account).await.unwrap();
    assert!(h.ws.client_sessions().get(made.client_session_id).await.unwrap().connected_account_ids.is_empty());
}

#[tokio::test]
async fn a_token_that_was_changed_or_made_up_is_nobodys() {
    let h = hotel().await;
    let ada = person(&h, "Ada").await;
    let made = session_of(&h, ada).await;
    let token = made.token.expose();
    let other_end = format!("{}{}", &token[..token.len() - 1], if token.ends_with('0') { "1" } else { "0" });
    let elsewhere = token.replace(&h.ws.id().uuid().simple().to_string(), &h.other.id().uuid().simple().to_string());
    for wrong in [
        "",
        "seam_cst1",
        &token[..token.len() - 1],
        &other_end,
        &elsewhere,
        &token.to_uppercase(),
        &format!("{token} "),
        "seam_apikey1_token",
    ] {
        let e = h.seam.authenticate(wrong).await.unwrap_err();
        assert_eq!((e.kind(), e.code()), (Unauthenticated, "invalid_client_session_token"));
        assert!(wrong.len() < 12 || !format!("{e} {e:?}").contains(wrong), "no error repeats a token");
    }
    let second = session_of(&h, ada).await;
    assert_ne!(second.token, made.token);
}

#[tokio::test]
async fn a_session_ends() {
    let h = hotel().await;
    let ada = person(&h, "Ada").await;
    let (revoked, deleted, kept) = (session_of(&h, ada).await, session_of(&h, ada).await, session_of(&h, ada).await);
    let sessions = || h.ws.client_sessions();
    sessions().revoke(revoked.client_session_id).await.unwrap();
    sessions().revoke(revoked.client_session_id).await.unwrap();
    sessions().delete(deleted.client_session_id).await.unwrap();
    refused(Unauthenticated, "client_session_revoked", lets_in(&h, &revoked)).await;
    refused(Unauthenticated, "invalid_client_session_token", lets_in(&h, &deleted)).await;
    refused(NotFound, "client_session_not_found", sessions().delete(deleted.client_session_id)).await;
    refused(NotFound, "client_session_not_found", sessions().revoke(deleted.client_session_id)).await;
    refused(NotFound, "client_session_not_found", sessions().get(deleted.client_session_id)).await;
    assert!(sessions().get(revoked.client_session_id).await.unwrap().revoked_at.is_some());
    lets_in(&h, &kept).await.unwrap();
    h.pass(Duration::days(30)).await;
    refused(Unauthenticated, "client_session_expired", lets_in(&h, &kept)).await;
    let filter = EventFilter::builder().event_types(vec![EventType::CLIENT_SESSION_DELETED]).build();
    assert_eq!(h.told(filter.clone()).await, 1);
    let event = h.ws.events().search(&filter, 0, 9).await.unwrap().events.remove(0).1;
    assert_eq!(event.payload["client_session_id"], deleted.client_session_id.to_string());
}

#[tokio::test]
async fn a_key_of_the_caller_has_one_session() {
    let h = hotel().await;
    let keyed = || NewClientSession::builder().user_identifier_key("guest-7");
    let sessions = || h.ws.client_sessions();
    let first = sessions().get_or_create(keyed().build()).await.unwrap();
    assert_eq!(sessions().get_or_create(keyed().build()).await.unwrap(), first);
    refused(Conflict, "client_session_token_already_exists", sessions().create(keyed().build())).await;
    // Revoked or expired, it makes room.
    sessions().revoke(first.client_session_id).await.unwrap();
    refused(NotFound, "client_session_not_found", sessions().get_by_key("guest-7")).await;
    let second = sessions().create(keyed().expires_at(h.clock.now() + Duration::hours(1)).build()).await.unwrap();
    assert_ne!(second.client_session_id, first.client_session_id);
    h.pass(Duration::hours(1)).await;
    let third = sessions().get_or_create(keyed().build()).await.unwrap();
    assert_ne!(third.client_session_id, second.client_session_id);
    refused(NotFound, "client_session_not_found", sessions().get(second.client_session_id)).await;
    assert_eq!(sessions().get_by_key("guest-7").await.unwrap(), third);
    let other = h.other.client_sessions().create(keyed().build()).await.unwrap();
    assert_ne!(other.token, third.token, "a key is unique in its workspace only");
}

#[tokio::test]
async fn access_is_added_to_a_session() {
    let h = hotel().await;
    let (ada, ben) = (person(&h, "Ada").await, person(&h, "Ben").await);
    let account = h.ws.connected_accounts().list(None, 10).await.unwrap().items[0].connected_account_id;
    let made = h.ws.client_sessions().create(NewClientSession::default()).await.unwrap();
    let id = made.client_session_id;
    let give = |access| h.ws.client_sessions().grant_access(id, access);
    let now = give(SessionAccess::builder().user_identity_id(ada).build()).await.unwrap();
    assert!(now.is_of(ada) && now.connected_account_ids.is_empty());
    let now = give(SessionAccess::builder().connected_account_ids([account]).user_identity_id(ben).build()).await.unwrap();
    assert!(now.is_of(ben) && !now.is_of(ada) && now.reaches_account(account));
    assert_eq!(now.token, made.token);
    // Found under the new person only.
    let of = async |person| h.ws.client_sessions().list(&SessionFilter::builder().user_identity_id(person).build()).await.unwrap().len();
    assert_eq!((of(ada).await, of(ben).await), (0, 1));
    refused(InvalidInput, "invalid_input", give(SessionAccess::default())).await;
    let nobody = UserIdentityId::from_uuid(uuid::Uuid::from_u128(9));
    refused(NotFound, "user_identity_not_found", give(SessionAccess::builder().user_identity_id(nobody).build())).await;
    let foreign = h.other.user_identities().create(Person::named("Zoe")).await.unwrap().user_identity_id;
    refused(NotFound, "user_identity_not_found", give(SessionAccess::builder().user_identity_id(foreign).build())).await;
    h.ws.client_sessions().revoke(id).await.unwrap();
    refused(Conflict, "client_session_revoked", give(SessionAccess::builder().user_identity_id(ada).build())).await;
}

#[tokio::test]
async fn sessions_are_listed() {
    let h = hotel().await;
    let (ada, ben) = (person(&h, "Ada").await, person(&h, "Ben").await);
    let a =
        h.ws.client_sessions().create(NewClientSession::builder().user_identity_id(ada).user_identifier_key("a").build()).await.unwrap();
    h.pass(Duration::seconds(1)).await;
    let b = session_of(&h, ben).await;
    h.other.client_sessions().create(NewClientSession::default()).await.unwrap();
    let list = async |filter: SessionFilter| -> Vec<ClientSessionId> {
        h.ws.client_sessions().list(&filter).await.unwrap().into_iter().map(|s| s.client_session_id).collect()
    };
    let (a, b) = (a.client_session_id, b.client_session_id);
    assert_eq!(list(SessionFilter::default()).await, [a, b]);
    assert_eq!(list(SessionFilter::builder().user_identity_id(ben).build()).await, [b]);
    assert_eq!(list(SessionFilter::builder().user_identifier_key("a").build()).await, [a]);
    assert_eq!(list(SessionFilter::builder().without_user_identifier_key(true).build()).await, [b]);
    assert_eq!(list(SessionFilter::builder().client_session_id(a).build()).await, [a]);
    assert!(list(SessionFilter::builder().client_session_id(a).user_identity_id(ben).build()).await.is_empty());
    let page = ConnectWebviewId::from_uuid(uuid::Uuid::from_u128(9));
    assert!(list(SessionFilter::builder().connect_webview_id(page).build()).await.is_empty());
}

#[tokio::test]
async fn a_session_is_asked_for_rightly_or_not_made() {
    let h = hotel().await;
    let nobody = uuid::Uuid::from_u128(9);
    let new = NewClientSession::builder;
    let late = h.clock.now() + Duration::days(366);
    for (what, kind, bad) in [
        ("expired", InvalidInput, new().expires_at(h.clock.now()).build()),
        ("too long", InvalidInput, new().expires_at(late).build()),
        ("no key", InvalidInput, new().user_identifier_key("").build()),
        ("a key of 10,000 letters", InvalidInput, new().user_identifier_key("x".repeat(10_000)).build()),
        ("no customer", InvalidInput, new().customer_key(" ").build()),
        ("nobody", NotFound, new().user_identity_id(UserIdentityId::from_uuid(nobody)).build()),
        ("no account", NotFound, new().connected_account_ids([ConnectedAccountId::from_uuid(nobody)]).build()),
        ("no webview", NotFound, new().connect_webview_ids([ConnectWebviewId::from_uuid(nobody)]).build()),
        ("many accounts", InvalidInput, new().connected_account_ids(vec![ConnectedAccountId::from_uuid(nobody); 10_000]).build()),
    ] {
        let e = h.ws.client_sessions().create(bad.clone()).await.expect_err(what);
        assert_eq!(e.kind(), kind, "{what}: {e}");
        assert!(e.field().is_some() || what == "nobody", "{what}: {e}");
        assert_eq!(h.ws.client_sessions().get_or_create(bad).await.expect_err(what).kind(), kind, "{what}");
    }
    assert!(h.ws.client_sessions().list(&SessionFilter::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn sessions_follow_their_person() {
    let h = hotel().await;
    let (ada, old, gone) = (person(&h, "Ada").await, person(&h, "Ada L.").await, person(&h, "Ben").await);
    let (kept, ended) = (session_of(&h, old).await, session_of(&h, gone).await);
    h.ws.user_identities().merge(ada, vec![old]).await.unwrap();
    let (_, now) = h.seam.authenticate(kept.token.expose()).await.unwrap();
    assert!(now.is_of(ada));
    h.ws.user_identities().delete(gone).await.unwrap();
    refused(Unauthenticated, "invalid_client_session_token", lets_in(&h, &ended)).await;
    h.ws.user_identities().erase(ada).await.unwrap();
    refused(Unauthenticated, "invalid_client_session_token", lets_in(&h, &kept)).await;
    assert_eq!(h.told(EventFilter::builder().event_types(vec![EventType::CLIENT_SESSION_DELETED]).build()).await, 2);
}

#[tokio::test]
async fn a_mobile_key_opens_a_session() {
    let h = hotel().await;
    let room = h.door("101").await;
    let wish = |key: &str, uses| NewGrant {
        reservation: Some(key.to_owned()),
        ..h.wish(Who::named("Ada"), vec![room], vec![NewMethod::mobile_key().redeemable(uses)])
    };
    let grant = h.grant(wish("stay-1", 2)).await;
    let method = h.ws.access_methods().of_grant(grant.access_grant_id).await.unwrap().remove(0);
    let token = method.client_session_token.clone().unwrap();
    assert_eq!(grant.client_session_token, Some(token.clone()));
    let code = method.instant_key_url.as_ref().unwrap().expose().rsplit('/').next().unwrap().to_owned();
    for _ in 0..2 {
        let redeemed = h.ws.instant_keys().redeem(&code).await.unwrap();
        assert_eq!(redeemed.client_session.token, token);
        assert_eq!(redeemed.client_session.client_session_id, redeemed.instant_key.client_session_id);
        assert!(redeemed.client_session.is_of(grant.user_identity_id));
        // It works as long as the key does.
        assert_eq!(redeemed.client_session.expires_at, grant.ends_at.unwrap());
    }
    refused(Exhausted, "instant_key_used_up", h.ws.instant_keys().redeem(&code)).await;
    let (_, session) = h.seam.authenticate(token.expose()).await.unwrap();
    let select = seam_core::api::Select::all();
    let related = h.ws.access_methods().get_related(&[method.access_method_id], &select).await.unwrap();
    assert_eq!(related.client_sessions, std::slice::from_ref(&session));
    // The stay is made longer, then taken away.
    let later = at("2026-03-12T10:00:00Z");
    h.ws.access_grants().update(seam_core::GrantUpdate::new(grant.access_grant_id).ends_at(later)).await.unwrap();
    assert_eq!(h.ws.client_sessions().get(session.client_session_id).await.unwrap().expires_at, later);
    h.ws.access_grants().delete(grant.access_grant_id).await.unwrap();
    refused(Unauthenticated, "invalid_client_session_token", h.seam.authenticate(token.expose())).await;
    refused(NotFound, "instant_key_not_found", h.ws.instant_keys().redeem(&code)).await;
}

#[tokio::test]
async fn a_link_and_its_session_end_together() {
    let h = hotel().await;
    let ada = person(&h, "Ada").await;
    for how in 0..3 {
        let link = h.ws.instant_keys().generate(ada, 5).await.unwrap();
        let url = link.instant_key_url.expose().to_owned();
        let code = url.rsplit('/').next().unwrap();
        let session = h.ws.instant_keys().redeem(code).await.unwrap().client_session;
        let another = SessionAccess::builder().user_identity_id(person(&h, "Ben").await).build();
        refused(Conflict, "client_session_of_instant_key", h.ws.client_sessions().grant_access(session.client_session_id, another)).await;
        match how {
            0 => h.ws.instant_keys().delete(link.instant_key_id).await.unwrap(),
            1 => h.ws.client_sessions().revoke(session.client_session_id).await.unwrap(),
            _ => h.ws.client_sessions().delete(session.client_session_id).await.unwrap(),
        }
        assert_eq!(lets_in(&h, &session).await.unwrap_err().kind(), Unauthenticated, "{how}");
        refused(NotFound, "instant_key_not_found", h.ws.instant_keys().redeem(code)).await;
        assert!(h.ws.instant_keys().list(ada).await.unwrap().is_empty());
    }
    assert!(h.ws.instant_keys().list_all().await.unwrap().is_empty());
}
