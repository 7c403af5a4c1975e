//! Bad input through the public API: a clear typed error that names the field, repeats no more than a line of what was sent, and nothing written.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod support;

use chrono::{DateTime, Utc};
use seam_core::error::ErrorKind::{self, InvalidInput, NotFound};
use seam_core::plan::Person;
use seam_core::state::Actor;
use seam_core::{AccessGrantId, AcsEntranceId, Error, GrantUpdate, NewGrant, NewMethod, NewSpace, Who, Workspace};
use seam_providers::sandbox::SiteConfig;
use std::time::Duration;
use support::{Stage, at, stage};
use uuid::Uuid;

/// A hotel, and another workspace with a hotel of its own.
async fn two() -> (Stage, Workspace) {
    let s = stage(SiteConfig::hotel("hotel", 3), None).await;
    s.world.add(SiteConfig::hotel("other", 1));
    let other = s.seam.create_workspace("Other", true).await.unwrap();
    s.connect(&other, "other").await;
    (s, other)
}

async fn written(ws: &Workspace) -> (usize, usize) {
    (ws.events().list(0, 1000).await.unwrap().len(), ws.events().audit(0, 1000).await.unwrap().len())
}

/// The error is this one, fits into a line of a log, and nothing was written.
async fn is<T: std::fmt::Debug>(s: &Stage, what: &str, kind: ErrorKind, field: Option<&str>, done: impl Future<Output = Result<T, Error>>) {
    let before = written(&s.ws).await;
    let e = done.await.expect_err(what);
    assert_eq!((e.kind(), e.field()), (kind, field), "{what}: {e}");
    let text = format!("{e} {e:?}");
    assert!(text.len() < 1200 && !text.chars().any(char::is_control), "{what}: {text}");
    assert_eq!(written(&s.ws).await, before, "{what} wrote something");
}

fn big() -> String {
    "x".repeat(10_000)
}

#[tokio::test]
async fn windows() {
    let (s, _) = two().await;
    let gym = s.door("gym").await;
    let wish = |from: DateTime<Utc>, to: DateTime<Utc>| {
        NewGrant::builder().who(Who::named("A")).entrances([gym]).methods([NewMethod::code()]).starts_at(from).ends_at(to).build()
    };
    let noon = at("2026-03-03T12:00:00Z");
    for (what, from, to) in [
        ("ends before it starts", noon, at("2026-03-03T11:00:00Z")),
        ("empty", noon, noon),
        ("over already", at("2026-02-01T00:00:00Z"), at("2026-02-02T00:00:00Z")),
        ("the last instant of the calendar", noon, DateTime::<Utc>::MAX_UTC),
        ("the first instant of the calendar", DateTime::<Utc>::MIN_UTC, noon),
    ] {
        let e = s.ws.access_grants().create(wish(from, to)).await.unwrap_err();
        assert!(matches!(e.field(), Some("starts_at" | "ends_at")), "{what}: {e:?}");
        let field = e.field().map(str::to_owned);
        is(&s, what, InvalidInput, field.as_deref(), s.ws.access_grants().create(wish(from, to))).await;
    }
    s.ws.access_grants().create(wish(noon, at("9998-12-31T23:59:59Z"))).await.unwrap();
}

#[tokio::test]
async fn ids() {
    let (s, other) = two().await;
    let unknown = AcsEntranceId::from_uuid(Uuid::from_u128(9));
    let foreign = other.acs().entrances().by_name("gym").await.unwrap().acs_entrance_id;
    let wish = |doors: Vec<AcsEntranceId>| NewGrant::builder().who(Who::named("A")).entrances(doors).methods([NewMethod::code()]).build();
    is(&s, "unknown entrance", NotFound, Some("acs_entrance_ids"), s.ws.access_grants().create(wish(vec![unknown]))).await;
    is(&s, "foreign entrance", NotFound, Some("acs_entrance_ids"), s.ws.access_grants().create(wish(vec![foreign]))).await;
    let party = NewGrant::builder().who(Who::named("A")).entrances([s.door("101").await]).party_entrances([foreign]);
    let party = party.reservation("r").methods([NewMethod::card()]).build();
    is(&s, "foreign party entrance", NotFound, Some("party_entrance_ids"), s.ws.access_grants().create(party)).await;

    let gym = s.door("gym").await;
    let grant = s.ws.access_grants().create(wish(vec![gym])).await.unwrap().access_grant_id;
    // To another workspace a foreign id and an unknown one are the same.
    let (theirs, nobodys) = (other.access_grants().get(grant).await.unwrap_err(), AccessGrantId::from_uuid(Uuid::from_u128(9)));
    let nobodys = other.access_grants().get(nobodys).await.unwrap_err();
    assert_eq!((theirs.kind(), theirs.code()), (nobodys.kind(), nobodys.code()));
    is(&s, "deleted by another workspace", NotFound, None, other.access_grants().delete(grant)).await;
    is(&s, "history in another workspace", NotFound, None, other.history(grant)).await;
}

#[tokio::test]
async fn nothing_to_open_or_to_open_it_with() {
    let (s, _) = two().await;
    let gym = s.door("gym").await;
    let grants = s.ws.access_grants();
    let no_doors = NewGrant::builder().who(Who::named("A")).methods([NewMethod::code()]).build();
    is(&s, "no doors", InvalidInput, Some("acs_entrance_ids"), grants.create(no_doors)).await;
    let no_methods = NewGrant::builder().who(Who::named("A")).entrances([gym]).methods([]).build();
    is(&s, "no methods", InvalidInput, Some("requested_access_methods"), grants.create(no_methods)).await;
    let many = (0..10_000u128).map(|n| AcsEntranceId::from_uuid(Uuid::from_u128(n + 1000)));
    let many: Vec<AcsEntranceId> = many.collect();
    let wish = NewGrant::builder().who(Who::named("A")).entrances(many.clone()).methods([NewMethod::code()]).build();
    is(&s, "ten thousand doors", InvalidInput, Some("acs_entrance_ids"), grants.create(wish)).await;
    let party = NewGrant::builder().who(Who::named("A")).entrances([s.door("101").await]).party_entrances(many);
    let party = party.reservation("r").methods([NewMethod::card()]).build();
    is(&s, "ten thousand party doors", InvalidInput, Some("party_entrance_ids"), grants.create(party)).await;
}

#[tokio::test]
async fn pins() {
    let (s, _) = two().await;
    let gym = s.door("gym").await;
    for pin in ["", "123", "1234567890", "12a4", "12 4", "１２３４"] {
        let wish = NewGrant::builder().who(Who::named("A")).entrances([gym]).methods([NewMethod::preferred_code(pin)]).build();
        let e = s.ws.access_grants().create(wish.clone()).await.unwrap_err();
        assert!(pin.is_empty() || !format!("{e} {e:?}").contains(pin), "an error never repeats a PIN");
        is(&s, pin, InvalidInput, Some("requested_access_methods[0].code"), s.ws.access_grants().create(wish)).await;
    }
}

#[tokio::test]
async fn texts() {
    let (s, _) = two().await;
    let gym = s.door("gym").await;
    let base = || NewGrant::builder().who(Who::named("A")).entrances([gym]).methods([NewMethod::code()]);
    let grants = s.ws.access_grants();
    is(&s, "10 kB name", InvalidInput, Some("name"), grants.create(base().name(big()).build())).await;
    is(&s, "control character", InvalidInput, Some("name"), grants.create(base().name("a\u{7}b").build())).await;
    is(&s, "turned around", InvalidInput, Some("name"), grants.create(base().name("a\u{202E}b").build())).await;
    let person = NewGrant::builder().who(Who::named(big())).entrances([gym]).methods([NewMethod::code()]).build();
    is(&s, "10 kB person", InvalidInput, Some("user_identity.full_name"), grants.create(person)).await;
    let key = NewGrant::builder().who(Who::named("A")).entrances([gym]).reservation(big()).methods([NewMethod::code()]).build();
    is(&s, "10 kB reservation", InvalidInput, Some("reservation_key"), grants.create(key)).await;
    for key in [big(), "a\nb".to_owned()] {
        let wish = NewGrant::builder().who(Who::named("A")).space_keys([key.clone()]).methods([NewMethod::code()]).build();
        let e = grants.create(wish).await.unwrap_err();
        assert!(e.to_string().len() < 500 && !e.to_string().contains('\n'), "{e}");
        let e = grants.get_by_key(&key).await.unwrap_err();
        assert!(e.kind() == NotFound && e.to_string().len() < 500 && !e.to_string().contains('\n'), "{e}");
    }
    is(&s, "10 kB space", InvalidInput, Some("name"), s.ws.spaces().create(NewSpace::builder().name(big()).build())).await;
    let mail = Person { email_address: Some("not an address".into()), ..Person::default() };
    is(&s, "e-mail", InvalidInput, Some("email_address"), s.ws.user_identities().create(mail)).await;
    is(&s, "10 kB reason", InvalidInput, Some("reason"), s.ws.because(big()).access_grants().create(base().build())).await;
    let actor = Actor::Person("a\nb".to_owned());
    is(&s, "actor with a line break", InvalidInput, Some("actor"), s.ws.acting_as(actor).access_grants().create(base().build())).await;
    is(&s, "nameless consumer", InvalidInput, Some("consumer"), s.ws.events().ack("", 1)).await;
    is(&s, "10 kB consumer", InvalidInput, Some("consumer"), s.ws.events().ack(&big(), 1)).await;
    is(&s, "empty idempotency key", InvalidInput, Some("idempotency_key"), s.ws.once("").access_grants().create(base().build())).await;
}

#[tokio::test]
async fn keys_that_are_used_again() {
    let (s, _) = two().await;
    let gym = s.door("gym").await;
    let base = || NewGrant::builder().who(Who::named("A")).entrances([gym]).methods([NewMethod::code()]);
    let once = s.ws.once("k");
    let first = once.access_grants().create(base().name("one").build()).await.unwrap();
    assert_eq!(once.access_grants().create(base().name("one").build()).await.unwrap().access_grant_id, first.access_grant_id);
    let other = once.access_grants().create(base().name("two").build());
    is(&s, "other content", ErrorKind::IdempotencyConflict, Some("idempotency_key"), other).await;
    let first = s.ws.access_grants().create(base().key("g").build()).await.unwrap();
    assert_eq!(s.ws.access_grants().create(base().key("g").build()).await.unwrap().access_grant_id, first.access_grant_id);
    let other = s.ws.access_grants().create(base().key("g").name("two").build());
    is(&s, "other grant", ErrorKind::IdempotencyConflict, Some("access_grant_key"), other).await;
}

#[tokio::test]
async fn updates_and_waits() {
    let (s, _) = two().await;
    let gym = s.door("gym").await;
    let new = NewGrant::builder().who(Who::named("A")).entrances([gym]).methods([NewMethod::code()]).build();
    let grant = s.ws.access_grants().create(new).await.unwrap();
    let id = grant.access_grant_id;
    let unknown = AccessGrantId::from_uuid(Uuid::nil());
    is(&s, "unknown grant", NotFound, None, s.ws.access_grants().update(GrantUpdate::new(unknown).ongoing())).await;
    let past = GrantUpdate::new(id).ends_at(at("2026-02-01T00:00:00Z"));
    is(&s, "an end in the past", InvalidInput, Some("ends_at"), s.ws.access_grants().update(past)).await;
    let (method, desk) = (grant.access_method_ids[0], s.ws.acs().encoders().by_name("desk-1").await.unwrap().acs_encoder_id);
    assert!(s.ws.access_methods().encode(method, desk).await.is_err(), "a code is not encoded");
    assert!(s.ws.access_methods().replace_lost(method).await.is_err(), "a code is not lost");
    // The longest wait there is: no panic, and what has happened already is seen at once.
    s.engine.round().await.unwrap();
    s.ws.access_grants().wait_until_issued(id, Duration::MAX).await.unwrap();
}

#[tokio::test]
async fn an_account_that_nobody_can_serve_says_so() {
    let (s, _) = two().await;
    let account = s.ws.connected_accounts().connect("no_such_kind", &serde_json::json!({})).await.unwrap().connected_account_id;
    let codes = async |id| -> Vec<String> {
        let account = s.ws.connected_accounts().get(id).await.unwrap();
        account.errors.iter().map(|e| e.error_code.clone()).collect()
    };
    assert!(codes(account).await.is_empty(), "it may be read yet");
    s.pass(chrono::Duration::minutes(40)).await;
    assert_eq!(codes(account).await, ["account_not_served"]);
    let misspelt = s.ws.connected_accounts().connect("sandbox", &serde_json::json!({"siite": "hotel"})).await.unwrap().connected_account_id;
    s.pass(chrono::Duration::minutes(1)).await;
    assert_eq!(codes(misspelt).await, ["invalid_settings"]);
    for served in s.ws.connected_accounts().list(None, 100).await.unwrap().items {
        let fine = served.connected_account_id != account && served.connected_account_id != misspelt;
        assert!(!fine || served.errors.is_empty(), "{:?}", served.errors);
    }
}
