//! What is taken away while a grant lives, through the whole engine: told until the documents that say otherwise have lapsed.
use crate::house::*;
use chrono::TimeDelta;
use seam_ble::lock::Refusal;
use seam_core::view::{CanEnter, Says};
use seam_core::{AcsEntranceId, NewSpace};
use seam_providers::open_lock::DocumentForm;
use seam_providers::open_lock::sim::Answer;

const FROM: &str = "2026-03-01T14:00:00Z";
const TO: &str = "2026-03-05T10:00:00Z";

async fn says(h: &House, grant: &seam_core::AccessGrant, door: AcsEntranceId, at: chrono::DateTime<chrono::Utc>) -> (CanEnter, bool) {
    let told = h.ws.explain(grant.user_identity_id, door, at).await.unwrap();
    let residual = told.facts.iter().any(|fact| matches!(fact.says, Says::Residual { .. }));
    (told.can_enter, residual)
}

#[tokio::test]
async fn a_door_less_is_told_until_the_documents_lapse() {
    for form in [DocumentForm::Compact, DocumentForm::Aliro] {
        let h = house_of(|site| site.in_form(form)).await;
        let (room, gym) = (h.door("101").await, h.door("gym").await);
        let space = h.ws.spaces().create(NewSpace::builder().name("House").entrances(vec![room, gym]).build()).await.unwrap();
        let mut wish = h.wish("Anna", &[], "stay-1", FROM, TO).await;
        wish.spaces = vec![space.space_id];
        let anna = h.grant(wish).await;
        let mut a = h.phone(&anna).await;
        h.go(at(FROM) + TimeDelta::minutes(30)).await;
        assert!(h.opens("101", &a) && h.opens("gym", &a));
        assert!(h.method(&anna).await.is_issued && h.left(&anna).await.is_empty());

        h.ws.spaces().remove_acs_entrances(space.space_id, vec![gym]).await.unwrap();
        h.settle().await;
        let lapse = at("2026-03-02T14:00:00Z");
        assert_eq!(h.left(&anna).await, [(gym, Some(lapse))], "{form:?}");
        assert!(h.opens("gym", &a), "as is said");
        let now = at(FROM) + TimeDelta::minutes(31);
        let (gym_now, residual) = says(&h, &anna, gym, now).await;
        assert!(matches!(gym_now, CanEnter::Perhaps { .. }) && residual, "{gym_now:?}");
        assert_eq!(says(&h, &anna, room, now).await.0, CanEnter::Yes, "what is wanted is in force");
        assert_eq!(says(&h, &anna, gym, lapse).await.0, CanEnter::No);
        let method = h.method(&anna).await;
        assert!(method.is_issued, "nothing was taken from her room");
        let credential = h.credential(&method).await;
        assert_eq!(credential.is_latest_desired_state_synced_with_provider, None, "and the rest was not confirmed by any lock");
        let told = h.told("access_method").await;
        assert_eq!(told.last().map(String::as_str), Some("access_method.reissued"), "what is left of it works");

        // Half a day later it is renewed, which takes nothing of that back. The phone stays offline.
        h.go(lapse - TimeDelta::minutes(1)).await;
        assert_eq!(h.left(&anna).await, [(gym, Some(lapse))]);
        assert!(h.opens("gym", &a) && h.opens("101", &a));
        h.go(lapse + TimeDelta::minutes(1)).await;
        assert_eq!(h.try_door("gym", &a), Answer::Refused(Refusal::Expired));
        assert!(h.left(&anna).await.is_empty());
        let credential = h.credential(&h.method(&anna).await).await;
        assert_eq!(credential.is_latest_desired_state_synced_with_provider, Some(true), "now nobody has anything else");
        a.sync(&h.desk()).await.unwrap();
        assert!(h.opens("101", &a) && !h.opens("gym", &a));
        assert_eq!(h.told("access_method").await, told, "renewed twice, and not told as revoked or issued again");
    }
}

#[tokio::test]
async fn a_suspension_is_told_until_the_documents_lapse() {
    let h = house().await;
    let anna = h.grant(h.wish("Anna", &["101"], "stay-1", FROM, TO).await).await;
    let ben = h.grant(h.wish("Ben", &["101"], "stay-1", FROM, TO).await).await;
    let (mut a, mut b) = (h.phone(&anna).await, h.phone(&ben).await);
    h.go(at(FROM) + TimeDelta::minutes(30)).await;
    let room = h.door("101").await;
    h.ws.access_grants().suspend(anna.access_grant_id).await.unwrap();
    h.settle().await;
    let lapse = at("2026-03-02T14:00:00Z");
    assert_eq!(h.left(&anna).await, [(room, Some(lapse))]);
    assert!(h.opens("101", &a), "nobody told the door");
    b.sync(&h.desk()).await.unwrap();
    assert!(h.opens("101", &b));
    assert_eq!(h.try_door("101", &a), Answer::Refused(Refusal::Revoked));
    assert_eq!(h.left(&anna).await.len(), 1, "of which the issuer hears nothing");
    // Taken up again, nothing is withdrawn.
    h.ws.access_grants().resume(anna.access_grant_id).await.unwrap();
    h.settle().await;
    assert!(h.left(&anna).await.is_empty());
    a.sync(&h.desk()).await.unwrap();
    assert!(h.opens("101", &a));
    h.ws.access_grants().suspend(anna.access_grant_id).await.unwrap();
    h.settle().await;
    let until = h.left(&anna).await[0].1.unwrap();
    assert!(until > lapse - TimeDelta::hours(1) && until <= lapse + TimeDelta::hours(24), "{until}");
    h.go(until + TimeDelta::minutes(1)).await;
    assert!(h.left(&anna).await.is_empty());
    assert!(!h.opens("101", &a));
}

#[tokio::test]
async fn a_stay_that_ends_earlier_is_told_where_documents_go_beyond_its_end() {
    let h = house().await;
    let anna = h.grant(h.wish("Anna", &["101"], "stay-1", FROM, TO).await).await;
    let a = h.phone(&anna).await;
    h.go(at(FROM) + TimeDelta::minutes(30)).await;
    let room = h.door("101").await;
    let ends = |end: &str| seam_core::GrantUpdate::new(anna.access_grant_id).ends_at(at(end));
    h.ws.access_grants().update(ends("2026-03-03T10:00:00Z")).await.unwrap();
    h.settle().await;
    assert!(h.left(&anna).await.is_empty(), "her documents lapse before that");
    h.ws.access_grants().update(ends("2026-03-02T10:00:00Z")).await.unwrap();
    h.settle().await;
    let lapse = at("2026-03-02T14:00:00Z");
    assert_eq!(h.left(&anna).await, [(room, Some(lapse))]);
    h.go(lapse - TimeDelta::minutes(1)).await;
    assert!(h.opens("101", &a), "four hours after her stay, as was said");
    assert_eq!(h.left(&anna).await, [(room, Some(lapse))]);
    h.go(lapse + TimeDelta::minutes(1)).await;
    assert!(!h.opens("101", &a) && h.left(&anna).await.is_empty());
}

// The issuer's records cannot be reached for a day and a half: keys lapse, nothing is claimed, and afterwards everything goes on.
#[tokio::test]
async fn while_the_issuer_is_down_keys_lapse_and_afterwards_they_are_renewed() {
    use seam_providers::open_lock::RecordFault;
    let h = house().await;
    let anna = h.grant(h.wish("Anna", &["101"], "stay-1", FROM, TO).await).await;
    let mut a = h.phone(&anna).await;
    h.go(at(FROM) + TimeDelta::minutes(30)).await;
    assert!(h.opens("101", &a));
    h.site.records.spoil(Some(RecordFault::Offline));
    assert!(a.sync(&h.desk()).await.is_err(), "the phone keeps what it has");
    h.go(at("2026-03-02T13:59:00Z")).await;
    assert!(h.opens("101", &a), "what was handed out holds");
    h.go(at("2026-03-03T02:00:00Z")).await;
    assert_eq!(h.try_door("101", &a), Answer::Refused(Refusal::Expired), "nobody renewed it, and nobody else can");
    h.ws.access_grants().suspend(anna.access_grant_id).await.unwrap();
    h.settle().await;
    assert!(!h.left(&anna).await.is_empty(), "it is not known that nothing opens");
    h.ws.access_grants().resume(anna.access_grant_id).await.unwrap();
    h.settle().await;
    h.site.records.spoil(None);
    h.go(at("2026-03-03T03:00:00Z")).await;
    a.sync(&h.desk()).await.unwrap();
    assert!(h.opens("101", &a));
    assert!(h.method(&anna).await.is_issued && h.left(&anna).await.is_empty());
}

// A phone that has a connection at any time in the second half of its documents' time never falls out, for the whole stay; and no renewal is told.
#[tokio::test]
async fn documents_are_renewed_before_they_lapse_for_the_whole_stay() {
    let h = house().await;
    let anna = h.grant(h.wish("Anna", &["101"], "stay-1", FROM, "2026-03-09T10:00:00Z").await).await;
    let mut a = h.phone(&anna).await;
    h.go(at(FROM) + TimeDelta::minutes(30)).await;
    let before = (h.told("access_method").await, h.told("acs_credential").await);
    let mut now = at(FROM) + TimeDelta::minutes(30);
    while now < at("2026-03-09T09:00:00Z") {
        now += TimeDelta::minutes(11 * 60 + 59);
        h.go(now.min(at("2026-03-09T09:59:00Z"))).await;
        assert!(h.opens("101", &a), "at {now} what it fetched half a day before has lapsed");
        a.sync(&h.desk()).await.unwrap();
    }
    assert_eq!((h.told("access_method").await, h.told("acs_credential").await), before);
    h.go(at("2026-03-09T10:05:00Z")).await;
    assert_eq!(h.try_door("101", &a), Answer::Refused(Refusal::Expired), "with the stay");
}
