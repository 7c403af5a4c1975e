//! Instant keys: a link that enrols a phone's own key, so many times and no more.
use crate::house::*;
use chrono::TimeDelta;
use seam_core::error::{Error, ErrorKind};
use seam_core::{AccessGrant, NewMethod};
use seam_providers::open_lock::sim::Phone;

const FROM: &str = "2026-03-01T14:00:00Z";
const TO: &str = "2026-03-05T10:00:00Z";

/// A phone opens the link: it makes a key for what is offered, and proves it.
async fn redeem(h: &House, code: &str, seed: u8) -> Result<Phone, Error> {
    let offer = h.desk().offer(&h.ws, code).await?;
    let mut phone = Phone::new(seed);
    let mut proofs = Vec::new();
    for credential in &offer.credentials {
        proofs.push(phone.make_key(&offer.applicant, &offer.challenge.nonce, credential).unwrap());
    }
    h.desk().accept(&h.ws, code, &offer.challenge, &proofs).await?;
    phone.sync(&h.desk()).await.unwrap();
    Ok(phone)
}

fn code_of(url: &seam_core::model::Shown) -> String {
    url.expose().rsplit('/').next().unwrap().to_owned()
}

async fn own_link(h: &House, grant: &AccessGrant) -> String {
    code_of(h.method(grant).await.instant_key_url.as_ref().unwrap())
}

#[tokio::test]
async fn a_link_enrols_as_many_phones_as_it_may() {
    let h = house().await;
    let mut two = NewMethod::mobile_key();
    two.instant_key_max_use_count = Some(2);
    let mut wish = h.wish("Anna", &["101"], "stay-1", FROM, TO).await;
    wish.methods = vec![two];
    let anna = h.grant(wish).await;
    let code = own_link(&h, &anna).await;
    // A wrong proof uses nothing up.
    let offer = h.desk().offer(&h.ws, &code).await.unwrap();
    let mut proof = Phone::new(9).make_key(&offer.applicant, &[0; 32], &offer.credentials[0]).unwrap();
    let wrong = h.desk().accept(&h.ws, &code, &offer.challenge, std::slice::from_ref(&proof)).await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Unauthenticated);
    // Nor does a credential that the link does not have.
    proof.credential.0 = "0".repeat(32);
    let strange = h.desk().accept(&h.ws, &code, &offer.challenge, &[proof]).await.unwrap_err();
    assert_eq!(strange.kind(), ErrorKind::InvalidInput);

    let (first, second) = (redeem(&h, &code, 1).await.unwrap(), redeem(&h, &code, 2).await.unwrap());
    assert_eq!(redeem(&h, &code, 3).await.unwrap_err().kind(), ErrorKind::Exhausted);
    h.go(at(FROM) + TimeDelta::minutes(1)).await;
    assert!(h.opens("101", &first) && h.opens("101", &second));
    assert!(h.method(&anna).await.is_issued);
    for unknown in ["", "0000000000"] {
        assert_eq!(redeem(&h, unknown, 4).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn a_link_of_a_person_brings_all_her_keys_and_one_of_a_method_only_its_own() {
    let h = house().await;
    let here = h.grant(h.wish("Anna", &["101"], "stay-1", FROM, TO).await).await;
    let mut wish = h.wish("Anna", &["102"], "stay-2", FROM, TO).await;
    wish.who = seam_core::Who::Known(here.user_identity_id);
    let there = h.grant(wish).await;
    let one = redeem(&h, &own_link(&h, &there).await, 1).await.unwrap();
    let link = h.ws.instant_keys().generate(here.user_identity_id, 1).await.unwrap();
    let all = redeem(&h, &code_of(&link.instant_key_url), 2).await.unwrap();
    h.go(at(FROM) + TimeDelta::minutes(1)).await;
    assert!(!h.opens("101", &one) && h.opens("102", &one));
    assert!(h.opens("101", &all) && h.opens("102", &all));
    // Deleted, it brings nothing to anybody.
    let link = h.ws.instant_keys().generate(here.user_identity_id, 3).await.unwrap();
    h.ws.instant_keys().delete(link.instant_key_id).await.unwrap();
    assert_eq!(redeem(&h, &code_of(&link.instant_key_url), 3).await.unwrap_err().kind(), ErrorKind::NotFound);
}

// Two phones open the same link at once, which may be redeemed once: one of them gets a key, whichever was counted.
#[tokio::test]
async fn a_link_that_is_redeemed_twice_at_once_enrols_one_phone() {
    let h = house().await;
    let anna = h.grant(h.wish("Anna", &["101"], "stay-1", FROM, TO).await).await;
    let link = h.ws.instant_keys().generate(anna.user_identity_id, 1).await.unwrap();
    let code = code_of(&link.instant_key_url);
    let (one, two) = tokio::join!(redeem(&h, &code, 1), redeem(&h, &code, 2));
    assert_eq!([&one, &two].into_iter().filter(|phone| phone.is_ok()).count(), 1, "{one:?} {two:?}");
    let late = one.as_ref().err().or(two.as_ref().err()).unwrap();
    assert_eq!(late.kind(), ErrorKind::Exhausted);
    assert_eq!(h.site.records.dump().lines().filter(|line| line.contains("/phone/")).count(), 1);
    h.go(at(FROM) + TimeDelta::minutes(1)).await;
    assert!(h.opens("101", one.as_ref().or(two.as_ref()).unwrap()));
}

// A link that was made for one method is for that one, also when the method is gone: it never becomes one for all keys of its person.
#[tokio::test]
async fn the_link_of_a_method_that_is_gone_hands_nothing_over() {
    let h = house().await;
    let here = h.grant(h.wish("Anna", &["101"], "stay-1", FROM, TO).await).await;
    let mut wish = h.wish("Anna", &["102"], "stay-2", FROM, TO).await;
    wish.who = seam_core::Who::Known(here.user_identity_id);
    let there = h.grant(wish).await;
    let code = own_link(&h, &there).await;
    let offered = h.desk().offer(&h.ws, &code).await.unwrap();
    assert_eq!(offered.credentials, [h.tag(&h.method(&there).await).await]);
    h.ws.access_methods().delete(h.method(&there).await.access_method_id).await.unwrap();
    h.settle().await;
    assert_eq!(h.desk().offer(&h.ws, &code).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(redeem(&h, &code, 1).await.unwrap_err().kind(), ErrorKind::NotFound);
}
