//! Single things: events, attempts, links, waiting.
use super::*;
use seam_core::error::ErrorKind::{Conflict, NotFound};
use seam_core::model::EventId;
use std::time::Duration as Wait;

#[tokio::test]
async fn an_event_is_found_by_its_id() {
    let o = office().await;
    for n in 0..20 {
        o.ws.user_identities().create(Person::named(format!("Person {n}"))).await.unwrap();
        o.user(&format!("User {n}"), &[]).await;
        o.pass(Duration::minutes(20)).await;
    }
    let all = o.ws.events().list(0, 1000).await.unwrap();
    for (_, event) in &all {
        assert_eq!(o.ws.events().get(event.event_id).await.unwrap(), *event);
    }
    let first = all[0].1.event_id;
    refused(NotFound, "event_not_found", o.other.events().get(first)).await;
    refused(NotFound, "event_not_found", o.ws.events().get(EventId::from_uuid(uuid::Uuid::from_u128(9)))).await;
}

#[tokio::test]
async fn attempts_are_listed_by_their_ids() {
    let h = hotel().await;
    let desk = h.ws.acs().encoders().by_name("desk-1").await.unwrap().acs_encoder_id;
    let one = h.ws.acs().encoders().scan_credential(desk, Wait::from_secs(5)).await.unwrap();
    let two = h.ws.acs().encoders().scan_credential(desk, Wait::from_secs(5)).await.unwrap();
    let ids = [two.action_attempt_id, one.action_attempt_id];
    let listed = h.ws.action_attempts().list(&ids).await.unwrap();
    assert_eq!(listed.iter().map(|a| a.action_attempt_id).collect::<Vec<_>>(), [one.action_attempt_id, two.action_attempt_id]);
    assert!(h.other.action_attempts().list(&ids).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_link_is_found_without_being_used_up() {
    let h = hotel().await;
    let person = h.ws.user_identities().create(Person::named("Ada")).await.unwrap().user_identity_id;
    let made = h.ws.instant_keys().generate(person, 1).await.unwrap();
    let url = made.instant_key_url.expose().to_owned();
    let code = url.rsplit('/').next().unwrap().to_owned();
    for _ in 0..3 {
        assert_eq!(h.ws.instant_keys().get_by_url(&url).await.unwrap().instant_key_id, made.instant_key_id);
        assert_eq!(h.ws.instant_keys().get_by_code(&code.to_lowercase()).await.unwrap().instant_key_id, made.instant_key_id);
    }
    h.ws.instant_keys().redeem(&code).await.unwrap();
    let elsewhere = format!("https://elsewhere.example/{code}");
    let e = h.ws.instant_keys().get_by_url(&elsewhere).await.unwrap_err();
    assert_eq!(e.kind(), NotFound);
    assert!(!format!("{e:?}").contains(&code), "no error repeats a code");
    refused(NotFound, "instant_key_not_found", h.other.instant_keys().get_by_url(&url)).await;
}

#[tokio::test]
async fn waiting_is_for_methods_that_can_still_be_issued() {
    let h = hotel().await;
    let gym = h.door("gym").await;
    let new = h.wish(Who::named("Ada"), vec![gym], vec![NewMethod::code(), NewMethod::card()]);
    let grant = h.grant(new).await;
    let id = grant.access_grant_id;
    let methods = h.ws.access_methods().of_grant(id).await.unwrap();
    let card = methods.iter().find(|m| m.mode == AccessMethodMode::Card).unwrap().access_method_id;
    let code = methods.iter().find(|m| m.mode == AccessMethodMode::Code).unwrap().access_method_id;
    // The card waits for a person who never comes; once it is deleted, nobody waits for it.
    h.ws.access_methods().delete(card).await.unwrap();
    h.ws.access_grants().wait_until_issued(id, Wait::ZERO).await.unwrap();
    refused(NotFound, "access_method_not_found", h.ws.access_methods().wait_until_issued(card, Wait::ZERO)).await;
    // Its door cannot be told for a while: it is there, and being deleted.
    h.world.site("hotel").go_silent(seam_providers::sandbox::Silence::RefusesConnections);
    h.ws.access_methods().delete(code).await.unwrap();
    refused(Conflict, "access_method_ended", h.ws.access_methods().wait_until_issued(code, Wait::ZERO)).await;
    refused(Conflict, "no_access_method", h.ws.access_grants().wait_until_issued(id, Wait::ZERO)).await;
    h.ws.access_grants().delete(id).await.unwrap();
    refused(Conflict, "access_grant_ended", h.ws.access_grants().wait_until_issued(id, Wait::ZERO)).await;
    refused(NotFound, "access_grant_not_found", h.other.access_grants().wait_until_issued(id, Wait::ZERO)).await;
}

#[tokio::test]
async fn a_fingerprint_is_shown_as_somebody_elses_credential_and_cannot_be_asked_for() {
    use seam_core::provider::{Handle, Held, Kind};
    let mut config = SiteConfig::office("office");
    let mut finger = Held::new(Kind::Biometric, Handle::text("finger-1"), None);
    (finger.name, finger.doors) = (Some("Ada, left thumb".into()), vec![Handle::text("lab")]);
    config.also_held = vec![finger];
    let o = house(config, "office").await;
    o.pass(Duration::minutes(31)).await;
    let system = o.system().await;
    let found = o.ws.acs().credentials().list_unmanaged(system, None, 10).await.unwrap().items;
    assert_eq!((found.len(), &found[0].access_method, found[0].is_managed), (1, &AccessMethodMode::Biometric, false));
    assert_eq!(serde_json::to_value(&found[0]).unwrap()["access_method"], "biometric");
    let id = found[0].acs_credential_id;
    assert_eq!(o.ws.acs().credentials().get_unmanaged(id).await.unwrap(), found[0]);
    refused(NotFound, "not_found", o.other.acs().credentials().get_unmanaged(id)).await;
    let lab = o.door("lab").await;
    let wish = o.wish(Who::named("Ada"), vec![lab], vec![NewMethod::new(AccessMethodMode::Biometric)]);
    assert_eq!(o.ws.access_grants().create(wish).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    let user = o.user("Ada", &[]).await;
    let wish = NewCredential::builder().user(user).mode(AccessMethodMode::Biometric).build();
    assert_eq!(o.ws.acs().credentials().create(wish).await.unwrap_err().kind(), ErrorKind::InvalidInput);
}
