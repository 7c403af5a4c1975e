//! Guests' keys on phones: the number of the person goes to the system that needs it, and to nobody else.
use crate::house::*;
use seam_core::{AccessMethodMode, GrantUpdate, Person, PersonUpdate, Who};

const KEY: &[AccessMethodMode] = &[AccessMethodMode::MobileKey];
const FROM: &str = "2026-03-01T08:00:00Z";
const TO: &str = "2026-03-03T10:00:00Z";
const PHONE: &str = "+34600111222";

fn opens(h: &Hotel, door: &str, phone: &str) -> bool {
    h.sim.present_phone(door, phone).is_open()
}

/// The requests that made keys.
fn keys(h: &Hotel) -> Vec<String> {
    h.sim.take_requests().into_iter().filter(|request| request.starts_with(['C']) && request != "CO").collect()
}

#[tokio::test]
async fn a_guest_checks_in_with_her_phone_is_joined_stays_longer_and_is_overridden() {
    let h = hotel(|o| o.mobile_keys = true).await;
    let with = |mut wish: seam_core::NewGrant, name: &str, phone: &str| {
        wish.who = Who::Inline(Person::builder().full_name(name).phone_number(phone).build());
        wish
    };
    let anna = h.grant(with(h.wish("Anna", &["007", "Right 1"], KEY, Some("stay"), FROM, TO).await, "Anna", PHONE)).await;
    assert!(h.methods(&anna).await[0].is_issued);
    assert_eq!(keys(&h), ["CNM"], "one request for a check-in");
    assert!(opens(&h, "room/007", PHONE) && opens(&h, "authorisation/1", PHONE) && !opens(&h, "room/101", PHONE));
    // Her friend has a card: it joins.
    let ben = h.guest("Ben", &["007"], "stay", FROM, TO).await;
    let card = h.encode(h.card(&ben).await).await;
    assert_eq!(keys(&h), ["CC"]);
    assert!(h.opens("room/007", &card) && opens(&h, "room/007", PHONE));
    h.ws.access_grants().update(GrantUpdate::new(anna.access_grant_id).ends_at(at("2026-03-05T10:00:00Z"))).await.unwrap();
    h.settle().await;
    assert_eq!(keys(&h), ["CCM"], "longer, and nobody is overridden for it");
    h.go(at("2026-03-04T10:00:00Z")).await;
    assert!(opens(&h, "room/007", PHONE) && !h.opens("room/007", &card));
    // The next guest's phone ends hers, once it was at the door.
    h.ws.access_grants().delete(anna.access_grant_id).await.unwrap();
    h.ws.access_grants().delete(ben.access_grant_id).await.unwrap();
    h.later(5).await;
    let next = h.wish("Carla", &["007"], KEY, Some("next"), "2026-03-04T11:00:00Z", "2026-03-06T10:00:00Z").await;
    let carla = h.grant(with(next, "Carla", "+34600333444")).await;
    h.go(at("2026-03-04T11:05:00Z")).await;
    assert!(h.methods(&carla).await[0].is_issued);
    assert!(opens(&h, "room/007", PHONE) && opens(&h, "room/007", "+34600333444") && !opens(&h, "room/007", PHONE));
    for shown in [format!("{:?}", h.engine), format!("{:?}", h.ws.events().list(0, 500).await.unwrap())] {
        assert!(!shown.contains("600111222"), "{shown}");
    }
}

/// Who has no number waits until she has one.
#[tokio::test]
async fn a_number_that_comes_later_is_used() {
    let h = hotel(|o| o.mobile_keys = true).await;
    let anna = h.grant(h.wish("Anna", &["007"], KEY, Some("stay"), FROM, TO).await).await;
    assert!(!h.methods(&anna).await[0].is_issued);
    assert!(keys(&h).is_empty());
    h.ws.user_identities().update(anna.user_identity_id, PersonUpdate::new().phone_number(Some(PHONE.to_owned()))).await.unwrap();
    h.later(20).await;
    assert!(h.methods(&anna).await[0].is_issued && opens(&h, "room/007", PHONE));
}
