//! What the engine tells of a withdrawal that locks have confirmed, and of one that they have not.
use crate::house::*;
use chrono::TimeDelta;
use seam_ble::lock::Refusal;
use seam_providers::open_lock::DocumentForm;
use seam_providers::open_lock::sim::Answer;

const FROM: &str = "2026-03-01T14:00:00Z";
const TO: &str = "2026-03-05T10:00:00Z";

#[tokio::test]
async fn a_suspension_that_the_lock_confirmed_is_told_as_in_force_before_the_documents_lapse() {
    for form in [DocumentForm::Compact, DocumentForm::Aliro] {
        let h = house_of(|site| site.in_form(form)).await;
        h.site.tell_locks().await.unwrap();
        let anna = h.grant(h.wish("Anna", &["101"], "stay-1", FROM, TO).await).await;
        let ben = h.grant(h.wish("Ben", &["101"], "stay-1", FROM, TO).await).await;
        let (a, mut b) = (h.phone(&anna).await, h.phone(&ben).await);
        let start = at(FROM) + TimeDelta::minutes(30);
        h.go(start).await;
        assert!(h.opens("101", &a) && h.opens("101", &b));
        h.ws.access_grants().suspend(anna.access_grant_id).await.unwrap();
        h.settle().await;
        let (room, lapse) = (h.door("101").await, at("2026-03-02T14:00:00Z"));
        assert_eq!(h.left(&anna).await, [(room, Some(lapse))], "{form:?}");
        // Three hours without a receipt: nothing else is told.
        h.go(start + TimeDelta::hours(3)).await;
        assert_eq!(h.left(&anna).await, [(room, Some(lapse))]);
        assert!(h.opens("101", &a), "as is said");
        let method = h.method(&anna).await;
        assert_eq!(h.credential(&method).await.is_latest_desired_state_synced_with_provider, None);
        // The list gets there with another guest, and the lock's word for it back with the same.
        b.sync(&h.desk()).await.unwrap();
        assert!(h.opens("101", &b));
        assert_eq!(h.try_door("101", &a), Answer::Refused(Refusal::Revoked));
        h.go(start + TimeDelta::hours(6)).await;
        assert_eq!(h.left(&anna).await, [(room, Some(lapse))], "the receipt is in Ben's pocket");
        b.sync(&h.desk()).await.unwrap();
        let told = h.told("access_method").await;
        h.go(start + TimeDelta::hours(7)).await;
        assert!(h.left(&anna).await.is_empty(), "{form:?}");
        assert_eq!(h.credential(&h.method(&anna).await).await.is_latest_desired_state_synced_with_provider, Some(true));
        assert_eq!(h.told("access_method").await, told, "asked again and again, and not told as revoked each time");
    }
}

// The engine does not ask again about what is gone: in a grant's history the rest stands until the documents lapse. Which doors have confirmed it
// meanwhile, the issuer says.
#[tokio::test]
async fn what_a_deleted_key_still_opens_is_told_per_door_by_the_issuer() {
    let h = house().await;
    h.site.tell_locks().await.unwrap();
    let anna = h.grant(h.wish("Anna", &["101", "gym"], "stay-1", FROM, TO).await).await;
    let ben = h.grant(h.wish("Ben", &["101"], "stay-1", FROM, TO).await).await;
    let (a, mut b) = (h.phone(&anna).await, h.phone(&ben).await);
    h.go(at(FROM) + TimeDelta::minutes(30)).await;
    let tag = h.tag(&h.method(&anna).await).await;
    let gym = h.door("gym").await;
    h.ws.access_grants().delete(anna.access_grant_id).await.unwrap();
    h.settle().await;
    b.sync(&h.desk()).await.unwrap();
    assert!(h.opens("101", &b) && !h.opens("101", &a) && h.opens("gym", &a));
    assert_eq!(h.desk().still_opens(&tag).await.unwrap().len(), 2, "nobody has heard of it");
    b.sync(&h.desk()).await.unwrap();
    let still = h.desk().still_opens(&tag).await.unwrap();
    let lapse = at("2026-03-02T14:00:00Z");
    assert!(still.len() == 1 && still[0].until == lapse, "{still:?}");
    let shown = serde_json::to_string(&h.ws.acs().entrances().by_name("gym").await.unwrap()).unwrap();
    assert!(shown.contains(&still[0].entrance.to_string()), "{shown}");
    assert!(h.left(&anna).await.contains(&(gym, Some(lapse))));
    h.go(lapse).await;
    assert!(h.desk().still_opens(&tag).await.unwrap().is_empty() && h.left(&anna).await.is_empty());
    assert!(!h.opens("gym", &a));
}
