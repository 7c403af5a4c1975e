//! What customers' systems push: people, rooms, reservations. The doors say what came of it.
use super::*;
use seam_core::api::{DeleteData, GrantFilter, PushData, PushReport, SpaceFilter};
use seam_core::error::ErrorKind::{Conflict, InvalidInput, NotFound, Unsupported};
use seam_core::model::CustomerThing::{self, AccessGrant as Grant, Reservation, Space, UserIdentity};
use seam_core::plan::{AutomationRules, CreationStrategy, NewClientSession, NewSpace};
use serde_json::{Value, json};

/// A hotel whose rooms are a customer's spaces.
async fn hilltop() -> House {
    let h = hotel().await;
    for room in ["101", "102", "gym"] {
        let new = NewSpace::builder().name(room).key(room).entrances([h.door(room).await]).customer_key("hilltop").build();
        h.ws.spaces().create(new).await.unwrap();
    }
    push(
        &h,
        json!({"guests": [{"guest_key": "ada", "name": "Ada", "phone_number": "+491701234567"}, {"guest_key": "ben", "name": "Ben"}]}),
    )
    .await;
    h
}

async fn push_with(h: &House, mut data: Value, rules: AutomationRules) -> PushReport {
    data["customer_key"] = json!("hilltop");
    let data: PushData = serde_json::from_value(data).unwrap();
    h.ws.customers().push_data(&data, &rules).await.unwrap()
}
async fn push(h: &House, data: Value) -> PushReport {
    push_with(h, data, AutomationRules::default()).await
}
async fn clean(h: &House, data: Value) {
    let report = push(h, data).await;
    assert!(report.skipped.is_empty(), "{report:?}");
    h.settle().await;
}
/// Nothing was done, and this is why.
fn skipped(report: &PushReport, thing: CustomerThing, kind: ErrorKind, code: &str) {
    assert_eq!(report.skipped.len(), 1, "{report:?}");
    let one = &report.skipped[0];
    assert_eq!((one.thing, one.why.kind(), one.why.code()), (thing, kind, code), "{one:?}");
}
async fn grants(h: &House) -> Vec<AccessGrant> {
    h.ws.access_grants().list(&GrantFilter::builder().customer_key("hilltop").build()).await.unwrap().items
}
async fn pin(h: &House) -> String {
    let grants = grants(h).await;
    assert_eq!(grants.len(), 1);
    h.code_of(&grants[0]).await
}
async fn written(h: &House) -> usize {
    h.ws.events().list(0, 1000).await.unwrap().len()
}
fn stay(room: &str) -> Value {
    json!({
        "reservation_key": "r-1", "guest_key": "ada", "room_keys": [room], "common_area_keys": ["gym"], "name": "Ada's stay",
        "starts_at": "2026-03-02T08:00:00Z", "ends_at": "2026-03-09T18:00:00Z",
    })
}

#[tokio::test]
async fn a_reservation_becomes_a_grant_and_is_pushed_as_often_as_one_likes() {
    let h = hilltop().await;
    clean(&h, json!({"reservations": [stay("101")]})).await;
    let made = grants(&h).await.remove(0);
    assert_eq!((made.name.as_deref(), made.reservation_key.as_deref(), made.space_ids.len()), (Some("Ada's stay"), Some("r-1"), 2));
    let modes: Vec<_> = made.requested_access_methods.iter().map(|m| m.mode.clone()).collect();
    assert_eq!(modes, [AccessMethodMode::Code, AccessMethodMode::MobileKey, AccessMethodMode::Card]);
    let pin = pin(&h).await;
    assert_eq!(h.opened_by(&pin), set(["gym"]), "rooms take no PIN");
    let before = written(&h).await;
    for _ in 0..3 {
        clean(&h, json!({"reservations": [stay("101")]})).await;
    }
    assert_eq!((written(&h).await, grants(&h).await[0].access_grant_id), (before, made.access_grant_id));
    // What is not said stays as it is.
    clean(&h, json!({"reservations": [{"reservation_key": "r-1"}]})).await;
    assert_eq!(written(&h).await, before);
}

#[tokio::test]
async fn a_changed_reservation_changes_its_grant() {
    let h = hilltop().await;
    clean(&h, json!({"reservations": [stay("101")]})).await;
    let made = grants(&h).await.remove(0);
    let code = pin(&h).await;
    let mut longer = stay("101");
    longer["ends_at"] = json!("2026-03-11T10:00:00Z");
    longer["name"] = json!("Ada and Bo");
    clean(&h, json!({"reservations": [longer.clone()]})).await;
    let now = grants(&h).await.remove(0);
    assert_eq!(
        (now.access_grant_id, now.ends_at, now.name.as_deref()),
        (made.access_grant_id, Some(at("2026-03-11T10:00:00Z")), Some("Ada and Bo"))
    );
    assert_eq!(pin(&h).await, code);
    // The gym is no longer part of it, and no stay's: the grant stays.
    longer["common_area_keys"] = json!([]);
    clean(&h, json!({"reservations": [longer]})).await;
    let now = grants(&h).await.remove(0);
    assert_eq!((now.access_grant_id, now.space_ids.len()), (made.access_grant_id, 1));
    assert!(!h.opens("gym", &code), "who lost the gym does not open it");
}

#[tokio::test]
async fn another_room_or_another_guest_is_another_grant() {
    let h = hilltop().await;
    clean(&h, json!({"reservations": [stay("101")]})).await;
    let first = grants(&h).await.remove(0);
    clean(&h, json!({"reservations": [stay("102")]})).await;
    let moved = grants(&h).await.into_iter().find(|g| g.access_grant_id != first.access_grant_id).unwrap();
    assert_eq!((moved.reservation_key.as_deref(), moved.user_identity_id), (Some("r-1"), first.user_identity_id));
    let code = h.code_of(&moved).await;
    assert!(h.opens("gym", &code));
    let mut bens = stay("102");
    bens["guest_key"] = json!("ben");
    clean(&h, json!({"bookings": [bens]})).await;
    let live: Vec<_> = grants(&h).await.into_iter().filter(|g| !g.warnings.iter().any(|w| w.warning_code == "being_deleted")).collect();
    assert_eq!(live.len(), 1, "bookings are reservations");
    assert_ne!(live[0].user_identity_id, moved.user_identity_id);
    assert!(!h.opens("gym", &code), "Ada's PIN is Ada's");
}

#[tokio::test]
async fn a_reservation_goes_with_its_key_its_guest_or_its_customer() {
    let h = hilltop().await;
    let gone = async |data: Value| {
        let data: DeleteData = serde_json::from_value(data).unwrap();
        let report = h.ws.customers().delete_data(&data).await.unwrap();
        h.settle().await;
        report
    };
    clean(&h, json!({"reservations": [stay("101")]})).await;
    let code = pin(&h).await;
    assert!(gone(json!({"reservation_keys": ["r-1"]})).await.skipped.is_empty());
    assert!(!h.opens("gym", &code));
    skipped(&gone(json!({"booking_keys": ["r-1"]})).await, Reservation, NotFound, "access_grant_not_found");
    clean(&h, json!({"reservations": [stay("101")]})).await;
    let code = pin(&h).await;
    assert!(gone(json!({"guest_keys": ["ada"]})).await.skipped.is_empty());
    assert!(!h.opens("gym", &code));
    skipped(&push(&h, json!({"reservations": [stay("101")]})).await, Reservation, NotFound, "user_identity_not_found");
    let mut bens = stay("101");
    bens["guest_key"] = json!("ben");
    clean(&h, json!({"reservations": [bens]})).await;
    let code = pin(&h).await;
    let session = h.ws.client_sessions().create(NewClientSession::builder().customer_key("hilltop").build()).await.unwrap();
    let other = NewSpace::builder().name("Other").key("other").build();
    h.ws.spaces().create(other).await.unwrap();
    assert!(gone(json!({"customer_keys": ["hilltop"]})).await.skipped.is_empty());
    assert!(!h.opens("gym", &code));
    assert!(grants(&h).await.is_empty());
    let left = h.ws.spaces().list(&SpaceFilter::default()).await.unwrap().items;
    assert_eq!(left.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["Other"]);
    refused(NotFound, "user_identity_not_found", h.ws.user_identities().get_by_key("ben")).await;
    refused(NotFound, "client_session_not_found", h.ws.client_sessions().get(session.client_session_id)).await;
    // What nobody pushed is nobody's to delete this way.
    skipped(&gone(json!({"space_keys": ["other"]})).await, Space, NotFound, "space_not_found");
    h.ws.user_identities().create(Person::keyed("clerk")).await.unwrap();
    skipped(&gone(json!({"user_keys": ["clerk"]})).await, UserIdentity, NotFound, "user_identity_not_found");
}

#[tokio::test]
async fn a_pin_is_the_preferred_one_else_of_the_phone_else_any() {
    let h = hilltop().await;
    let rules = || AutomationRules::builder().modes([AccessMethodMode::Code]).phone_digits_as_code(true).build();
    let gym = |key: &str, guest: &str, code: Option<&str>| {
        let mut stay = json!({"reservation_key": key, "guest_key": guest, "facility_keys": ["gym"], "ends_at": "2026-03-09T18:00:00Z"});
        if let Some(code) = code {
            stay["preferred_code"] = json!(code);
        }
        json!({"reservations": [stay]})
    };
    let code_of = async |key: &str| {
        let found = h.ws.access_grants().list(&GrantFilter::builder().reservation_key(key).build()).await.unwrap().items;
        h.code_of(&found[0]).await
    };
    for (data, key) in [(gym("a", "ada", Some("8642")), "a"), (gym("b", "ada", None), "b"), (gym("c", "ben", None), "c")] {
        assert!(push_with(&h, data, rules()).await.skipped.is_empty(), "{key}");
        h.settle().await;
    }
    let (a, b, c) = (code_of("a").await, code_of("b").await, code_of("c").await);
    assert_eq!((a.as_str(), b.as_str()), ("8642", "4567"));
    assert!(c.len() >= 4 && c != a && c != b, "Ben has no phone");
    skipped(&push_with(&h, gym("d", "ben", Some("12x4")), rules()).await, Reservation, InvalidInput, "invalid_input");
}

#[tokio::test]
async fn what_is_issued_is_the_first_the_first_two_or_all() {
    let h = hilltop().await;
    let modes = [AccessMethodMode::Card, AccessMethodMode::MobileKey, AccessMethodMode::Code];
    for (n, (strategy, cards, wanted)) in [
        (CreationStrategy::First, 2, vec!["card", "card"]),
        (CreationStrategy::FirstTwo, 1, vec!["card", "mobile_key"]),
        (CreationStrategy::All, 1, vec!["card", "mobile_key", "code"]),
    ]
    .into_iter()
    .enumerate()
    {
        let rules = AutomationRules::builder().modes(modes.clone()).strategy(strategy).cards(cards).instant_key_max_use_count(3).build();
        let day = 3 + n;
        let stay = json!({
            "reservation_key": format!("r-{n}"), "guest_key": "ada", "room_keys": ["101"], "facility_keys": ["gym"],
            "starts_at": format!("2026-03-0{day}T15:00:00Z"), "ends_at": format!("2026-03-0{}T11:00:00Z", day + 1),
        });
        assert!(push_with(&h, json!({"reservations": [stay]}), rules).await.skipped.is_empty());
        let found = h.ws.access_grants().list(&GrantFilter::builder().reservation_key(format!("r-{n}")).build()).await.unwrap().items;
        let asked = &found[0].requested_access_methods;
        assert_eq!(asked.iter().map(|m| m.mode.as_str()).collect::<Vec<_>>(), wanted, "{strategy:?}");
        assert!(asked.iter().all(|m| m.mode != AccessMethodMode::MobileKey || m.instant_key_max_use_count == Some(3)));
    }
}

#[tokio::test]
async fn grants_are_pushed_under_their_keys() {
    let h = hilltop().await;
    let wish = json!({"access_grants": [{"access_grant_key": "g-1", "tenant_key": "ada", "space_keys": ["gym"]}]});
    clean(&h, wish.clone()).await;
    let made = h.ws.access_grants().get_by_key("g-1").await.unwrap();
    assert_eq!((made.ends_at, made.space_ids.len()), (None, 1));
    clean(&h, wish).await;
    assert_eq!(grants(&h).await.len(), 1);
    // One that was made otherwise is not taken over.
    let gym = h.door("gym").await;
    h.grant(NewGrant { key: Some("own".into()), ..h.wish(Who::named("Zoe"), vec![gym], vec![NewMethod::code()]) }).await;
    let taken = push(&h, json!({"access_grants": [{"access_grant_key": "own", "tenant_key": "ada", "space_keys": ["gym"]}]})).await;
    skipped(&taken, Grant, Conflict, "access_grant_key_conflict");
    let data: DeleteData = serde_json::from_value(json!({"access_grant_keys": ["g-1", "own"]})).unwrap();
    let report = h.ws.customers().delete_data(&data).await.unwrap();
    assert_eq!((report.done.len(), report.done[0].key.as_str()), (1, "g-1"));
    skipped(&report, Grant, NotFound, "access_grant_not_found");
}

#[tokio::test]
async fn spaces_and_people_are_kept_up() {
    let h = hotel().await;
    clean(
        &h,
        json!({
            "rooms": [{"room_key": "r", "name": "Room", "parent_site_key": "site"}],
            "sites": [{"site_key": "site", "name": "Site", "geolocation": {"latitude": 52.5, "longitude": 13.4}, "customer_data": {"time_zone": "Europe/Berlin", "default_checkin_time": "15:00"}}],
            "users": [{"user_key": "u", "name": "Uma", "email_address": "uma@example.com"}],
        }),
    )
    .await;
    let site = h.ws.spaces().get_by_key("site").await.unwrap();
    let room = h.ws.spaces().get_by_key("r").await.unwrap();
    assert_eq!((room.parent_space_id, room.parent_space_key.as_deref()), (Some(site.space_id), Some("site")));
    assert_eq!(site.geolocation, Some(seam_core::model::Geolocation::new(52.5, 13.4)));
    assert_eq!(site.customer_data.as_ref().unwrap().time_zone.as_deref(), Some("Europe/Berlin"));
    clean(
        &h,
        json!({
            "sites": [{"site_key": "site", "name": "The site", "customer_data": {"default_checkin_time": null}}],
            "users": [{"user_key": "u", "name": "Uma B."}],
        }),
    )
    .await;
    let site = h.ws.spaces().get_by_key("site").await.unwrap();
    let data = site.customer_data.unwrap();
    assert_eq!((site.name.as_str(), data.time_zone.as_deref(), data.default_checkin_time), ("The site", Some("Europe/Berlin"), None));
    let uma = h.ws.user_identities().get_by_key("u").await.unwrap();
    assert_eq!((uma.full_name.as_deref(), uma.email_address.as_deref()), (Some("Uma B."), Some("uma@example.com")));
}

#[tokio::test]
async fn what_cannot_be_done_is_skipped_whole() {
    let h = hilltop().await;
    let before = written(&h).await;
    let r = |change: Value| {
        let mut all = stay("101");
        for (key, value) in change.as_object().unwrap() {
            all[key] = value.clone();
        }
        json!({"reservations": [all]})
    };
    for (data, kind, code) in [
        (r(json!({"guest_key": "nobody"})), NotFound, "user_identity_not_found"),
        (r(json!({"user_key": "ben"})), InvalidInput, "invalid_input"),
        (r(json!({"guest_key": null})), InvalidInput, "invalid_input"),
        (r(json!({"room_keys": ["103"]})), NotFound, "space_not_found"),
        (r(json!({"room_keys": null, "common_area_keys": null})), InvalidInput, "invalid_input"),
        (r(json!({"room_keys": [], "common_area_keys": []})), InvalidInput, "invalid_input"),
        (r(json!({"ends_at": "2026-03-01T00:00:00Z"})), InvalidInput, "invalid_input"),
        (r(json!({"ends_at": "2026-02-01T00:00:00Z", "starts_at": "2026-01-01T00:00:00Z"})), InvalidInput, "invalid_input"),
        (r(json!({"reservation_key": ""})), InvalidInput, "invalid_input"),
        (r(json!({"reservation_key": "x".repeat(10_000)})), InvalidInput, "invalid_input"),
        (r(json!({"name": "\u{202E}evil"})), InvalidInput, "invalid_input"),
    ] {
        skipped(&push(&h, data).await, Reservation, kind, code);
    }
    let none = AutomationRules::builder().modes([AccessMethodMode::CloudKey]).build();
    let data = json!({"reservations": [{"reservation_key": "q", "guest_key": "ada", "room_keys": ["101"]}]});
    skipped(&push_with(&h, data.clone(), none).await, Reservation, Unsupported, "access_methods_not_supported");
    for rules in [AutomationRules::builder().cards(0).build(), AutomationRules::builder().modes([]).build()] {
        skipped(&push_with(&h, data.clone(), rules).await, Reservation, InvalidInput, "invalid_input");
    }
    assert_eq!(written(&h).await, before);
    // One that cannot be done keeps nobody else's from being done.
    let mut other = stay("102");
    other["reservation_key"] = json!("r-2");
    let report = push(&h, json!({"reservations": [{"reservation_key": "q"}, other]})).await;
    assert_eq!((report.done.len(), report.skipped.len()), (1, 1));
}

#[tokio::test]
async fn two_people_with_one_address_are_two_or_one_is_skipped() {
    let h = hotel().await;
    let two = json!({"guests": [
        {"guest_key": "a", "name": "Ann", "email_address": "home@example.com"},
        {"guest_key": "b", "name": "Bob", "email_address": "HOME@example.com"},
    ]});
    skipped(&push(&h, two.clone()).await, UserIdentity, Conflict, "user_identity_email_or_phone_conflict");
    refused(NotFound, "user_identity_not_found", h.ws.user_identities().get_by_key("b")).await;
    let report = push_with(&h, two, AutomationRules::builder().shared_contacts(true).build()).await;
    assert_eq!((report.done.len(), report.skipped.len()), (2, 0));
    assert_eq!(h.ws.user_identities().get_by_key("b").await.unwrap().email_address, None);
}

#[tokio::test]
async fn customers_do_not_reach_each_others_things() {
    let h = hilltop().await;
    clean(&h, json!({"reservations": [stay("101")]})).await;
    let before = written(&h).await;
    let data: PushData = serde_json::from_value(json!({
        "customer_key": "seaside",
        "guests": [{"guest_key": "ada", "name": "Mallory"}],
        "rooms": [{"room_key": "101", "name": "Ours"}],
        "reservations": [stay("101")],
    }))
    .unwrap();
    let report = h.ws.customers().push_data(&data, &AutomationRules::default()).await.unwrap();
    assert_eq!(report.done.len(), 0);
    assert!(report.skipped.iter().all(|s| s.why.code() == "customer_key_conflict"), "{report:?}");
    assert_eq!((report.skipped.len(), written(&h).await), (3, before));
    let mut many = PushData::of("hilltop");
    many.guests = vec![Default::default(); 5_001];
    assert_eq!(h.ws.customers().push_data(&many, &AutomationRules::default()).await.unwrap_err().kind(), InvalidInput);
    assert_eq!(
        h.ws.customers().push_data(&PushData::of(" "), &AutomationRules::default()).await.unwrap_err().field(),
        Some("customer_key")
    );
}
