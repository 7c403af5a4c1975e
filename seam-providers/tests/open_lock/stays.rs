//! Stays from check-in to check-out.
use crate::house::*;
use chrono::TimeDelta;
use seam_ble::lock::Refusal;
use seam_core::GrantUpdate;
use seam_core::model::Holder;
use seam_providers::open_lock::sim::Answer;

const FROM: &str = "2026-03-01T14:00:00Z";
const TO: &str = "2026-03-05T10:00:00Z";

#[tokio::test]
async fn a_stay() {
    let mut h = house().await;
    let anna = h.grant(h.wish("Anna", &["101", "gym"], "stay-1", FROM, TO).await).await;
    let ben = h.grant(h.wish("Ben", &["101"], "stay-1", FROM, TO).await).await;
    assert!(!h.method(&anna).await.is_issued, "no phone has come for it");
    let (mut a, mut b) = (h.phone(&anna).await, h.phone(&ben).await);
    h.go(at("2026-03-01T13:00:00Z")).await;
    assert!(h.method(&anna).await.is_issued && h.method(&ben).await.is_issued);
    assert_eq!(h.try_door("101", &a), Answer::Refused(Refusal::NotYet));

    // Two guests of one stay, in whatever order their phones come; the number is the stay's start.
    h.go(at(FROM) + TimeDelta::minutes(1)).await;
    assert!(h.opens("101", &b) && h.opens("101", &a) && h.opens("101", &b));
    assert!(h.opens("gym", &a) && !h.opens("gym", &b) && !h.opens("102", &a));
    assert_eq!(h.site.door("101").unwrap().issue(), u64::try_from(at(FROM).timestamp()).unwrap());

    // Renewed by the engine before they lapse, also over a restart of the process; a phone that stays offline falls out.
    h.restart();
    h.go(at("2026-03-02T12:00:00Z")).await;
    a.sync(&h.desk()).await.unwrap();
    h.go(at("2026-03-03T01:00:00Z")).await;
    assert!(h.opens("101", &a), "fetched thirteen hours ago");
    assert_eq!(h.try_door("101", &b), Answer::Refused(Refusal::Expired));
    b.sync(&h.desk()).await.unwrap();
    assert!(h.opens("101", &b));

    // Longer.
    h.ws.access_grants().update(GrantUpdate::new(anna.access_grant_id).ends_at(at("2026-03-06T10:00:00Z"))).await.unwrap();
    h.go(at("2026-03-05T11:00:00Z")).await;
    a.sync(&h.desk()).await.unwrap();
    b.sync(&h.desk()).await.unwrap();
    assert!(h.opens("101", &a));
    assert_eq!(h.try_door("101", &b), Answer::Refused(Refusal::Expired));

    // The next stay's key is made ahead, and ends the earlier one when it is used.
    let cleo = h.grant(h.wish("Cleo", &["101"], "stay-2", "2026-03-06T14:00:00Z", "2026-03-08T10:00:00Z").await).await;
    let c = h.phone(&cleo).await;
    assert!(h.opens("101", &a) && !h.opens("101", &c));
    // Longer, into the next stay: the room is hers until the next guest's key is used there, and not a moment longer.
    h.ws.access_grants().update(GrantUpdate::new(anna.access_grant_id).ends_at(at("2026-03-06T16:00:00Z"))).await.unwrap();
    h.go(at("2026-03-06T14:30:00Z")).await;
    a.sync(&h.desk()).await.unwrap();
    assert!(h.opens("101", &a) && h.opens("101", &c));
    assert_eq!(h.try_door("101", &a), Answer::Refused(Refusal::Superseded), "by the key that was used, not only by its end");
}

#[tokio::test]
async fn revoked_it_dies_at_the_doors_that_hear_of_it_and_lapses_at_the_others() {
    let h = house().await;
    let anna = h.grant(h.wish("Anna", &["101", "gym"], "stay-1", FROM, TO).await).await;
    let ben = h.grant(h.wish("Ben", &["101"], "stay-1", FROM, TO).await).await;
    let (a, mut b) = (h.phone(&anna).await, h.phone(&ben).await);
    h.go(at(FROM) + TimeDelta::minutes(1)).await;
    assert!(h.opens("101", &a) && h.opens("101", &b));
    h.ws.access_grants().delete(anna.access_grant_id).await.unwrap();
    h.settle().await;
    let kept = h.ws.history(anna.access_grant_id).await.unwrap();
    let (room, gym) = (h.door("101").await, h.door("gym").await);
    let left: Vec<_> = kept.grant.residual_access.iter().map(|r| r.acs_entrance_id).collect();
    assert!(left.contains(&room) && left.contains(&gym), "{left:?}");
    assert!(kept.grant.residual_access.iter().all(|r| r.until.is_some_and(|until| until <= at("2026-03-02T14:01:00Z"))), "{kept:?}");
    assert!(h.opens("101", &a), "nobody told the door");
    b.sync(&h.desk()).await.unwrap();
    assert!(h.opens("101", &b));
    assert_eq!(h.try_door("101", &a), Answer::Refused(Refusal::Revoked));
    assert!(h.opens("gym", &a), "nobody told this one");
    h.go(at("2026-03-02T14:02:00Z")).await;
    assert_eq!(h.try_door("gym", &a), Answer::Refused(Refusal::Expired));
    let later = h.ws.history(anna.access_grant_id).await.unwrap();
    assert!(later.grant.residual_access.is_empty(), "{:?}", later.grant.residual_access);
}

#[tokio::test]
async fn a_lost_phone_is_replaced() {
    let h = house().await;
    let anna = h.grant(h.wish("Anna", &["101"], "stay-1", FROM, TO).await).await;
    let ben = h.grant(h.wish("Ben", &["101"], "stay-1", FROM, TO).await).await;
    let (lost, mut b) = (h.phone(&anna).await, h.phone(&ben).await);
    h.go(at(FROM) + TimeDelta::minutes(1)).await;
    assert!(h.opens("101", &lost) && h.opens("101", &b));
    // The method stays, and with it its link; the one phone goes.
    let tag = h.tag(&h.method(&anna).await).await;
    let until = h.desk().forget(&tag, &lost.public_key(&tag).unwrap()).await.unwrap();
    assert_eq!(until, Some(at("2026-03-02T14:00:00Z")), "a door that nobody tells");
    let new = h.phone(&anna).await;
    assert!(h.opens("101", &new), "which tells the door");
    assert_eq!(h.try_door("101", &lost), Answer::Refused(Refusal::Revoked));
    // Renewed and renewed, the lost one comes never back; the others go on.
    h.go(at("2026-03-02T08:00:00Z")).await;
    b.sync(&h.desk()).await.unwrap();
    assert!(h.opens("101", &b));
    assert_eq!(h.try_door("101", &lost), Answer::Refused(Refusal::Revoked));
}

#[tokio::test]
async fn erased_nothing_of_her_is_left_but_what_doors_must_know() {
    let h = house().await;
    let anna = h.grant(h.wish("Anna Canary", &["101"], "stay-canary", FROM, TO).await).await;
    let mut a = h.phone(&anna).await;
    h.go(at(FROM) + TimeDelta::minutes(1)).await;
    assert!(h.opens("101", &a));
    let person = anna.user_identity_id;
    for word in ["Canary", "canary", &person.to_string(), &person.uuid().simple().to_string()] {
        assert!(!h.site.records.dump().contains(word), "{word} is kept by the issuer");
    }
    let tag = h.tag(&h.method(&anna).await).await;
    h.ws.access_grants().delete(anna.access_grant_id).await.unwrap();
    h.settle().await;
    h.ws.user_identities().erase(person).await.unwrap();
    h.settle().await;
    a.sync(&h.desk()).await.unwrap();
    assert_eq!(h.try_door("101", &a), Answer::Refused(Refusal::Revoked));
    h.go(at("2026-03-03T08:00:00Z")).await;
    h.desk().sweep().await.unwrap();
    assert!(!h.site.records.dump().contains(&tag.0));
}

#[tokio::test]
async fn staff_are_asked_for_and_a_guest_has_a_stay() {
    let h = house().await;
    let mut guest = h.wish("Anna", &["101"], "", FROM, TO).await;
    guest.reservation = None;
    let refused = h.ws.access_grants().create(guest.clone()).await.unwrap_err();
    assert_eq!(refused.code(), "reservation_key_required");
    guest.holder = Holder::Staff;
    let maid = h.grant(guest).await;
    let m = h.phone(&maid).await;
    h.go(at(FROM) + TimeDelta::minutes(1)).await;
    let before = h.site.door("101").unwrap().issue();
    assert!(h.opens("101", &m));
    assert_eq!(h.site.door("101").unwrap().issue(), before);
}

#[tokio::test]
async fn a_phone_is_waited_for_patiently_and_noticed() {
    let h = house().await;
    // One that is renewed, and one that is not.
    let long = h.grant(h.wish("Anna", &["101"], "stay-1", FROM, TO).await).await;
    let short = h.grant(h.wish("Ben", &["102"], "stay-2", FROM, "2026-03-01T20:00:00Z").await).await;
    h.go(at(FROM)).await;
    let issue = |name: &str| h.site.door(name).unwrap().issue();
    let asked = h.site.records.requests();
    h.go(at("2026-03-01T18:00:00Z")).await;
    // Two keys, four hours: a look every minute would be a thousand requests, and more with the writes.
    let asked = h.site.records.requests() - asked;
    assert!(asked < 300, "{asked} requests while nothing happened");
    assert!(!h.method(&long).await.is_issued && !h.method(&short).await.is_issued);
    let (a, b) = (h.phone(&long).await, h.phone(&short).await);
    assert!(h.opens("101", &a) && h.opens("102", &b), "the doors do not wait for the engine");
    h.go(at("2026-03-01T19:30:00Z")).await;
    assert!(h.method(&long).await.is_issued && h.method(&short).await.is_issued);
    assert_eq!(issue("101"), u64::try_from(at(FROM).timestamp()).unwrap(), "waiting has not moved the number");
}
