//! Credentials that are issued directly: assigned, suspended, listed.
use super::*;
use seam_core::api::{CredentialFilter, EntranceFilter};
use seam_core::error::ErrorKind::{Conflict, InvalidInput, NotFound};
use seam_core::model::{AcsCredentialId, ActionStatus, EventType};

#[tokio::test]
async fn a_suspended_credential_opens_nothing_and_the_same_pin_opens_again_afterwards() {
    let o = office().await;
    let ada = o.user("Ada", &["staff"]).await;
    let (credential, pin) = o.pin_of(ada).await;
    let id = credential.acs_credential_id;
    assert_eq!(o.opened_by(&pin), set(["entrance", "office"]));

    o.ws.acs().credentials().suspend(id).await.unwrap();
    o.settle().await;
    assert_eq!(o.opened_by(&pin), set([]));
    assert_eq!(names(&o.ws.acs().credentials().list_accessible_entrances(id).await.unwrap()), set([]));
    o.ws.acs().credentials().unsuspend(id).await.unwrap();
    o.settle().await;
    assert_eq!(o.opened_by(&pin), set(["entrance", "office"]));

    let lab = o.door("lab").await;
    let grant = o.grant(o.wish(Who::named("Bo"), vec![lab], vec![NewMethod::code()])).await;
    let filter = CredentialFilter::builder().user_identity_id(grant.user_identity_id).build();
    let of_grant = o.ws.acs().credentials().list(&filter).await.unwrap().items[0].acs_credential_id;
    refused(Conflict, "credential_of_access_method", o.ws.acs().credentials().suspend(of_grant)).await;
    refused(Conflict, "credential_of_access_method", o.ws.acs().credentials().unassign(of_grant, None)).await;
    refused(NotFound, "acs_credential_not_found", o.other.acs().credentials().suspend(id)).await;
}

#[tokio::test]
async fn what_suspending_takes_away_at_the_lock_is_put_back() {
    let mut config = SiteConfig::hotel("hotel", 1);
    config.rule(seam_core::provider::Kind::Code, |rules| rules.suspend = false);
    let h = house(config, "hotel").await;
    let person = h.ws.user_identities().create(Person::named("Ada")).await.unwrap().user_identity_id;
    let new = NewCredential::builder().identity(person).system(h.system().await).mode(AccessMethodMode::Code);
    let made = h.ws.acs().credentials().create(new.entrances([h.door("gym").await]).build()).await.unwrap();
    h.settle().await;
    let pin = made.code.unwrap().expose().to_owned();
    assert!(h.opens("gym", &pin));
    h.ws.acs().credentials().suspend(made.acs_credential_id).await.unwrap();
    h.settle().await;
    assert!(!h.opens("gym", &pin));
    h.ws.acs().credentials().unsuspend(made.acs_credential_id).await.unwrap();
    h.settle().await;
    assert!(h.opens("gym", &pin));
    // As long as the lock cannot be told, it opens, and that is said.
    h.world.site("hotel").go_silent(seam_providers::sandbox::Silence::RefusesConnections);
    let left = h.ws.acs().credentials().unassign(made.acs_credential_id, Some(person.into())).await.unwrap().residual_access;
    assert!(h.opens("gym", &pin));
    assert_eq!(left.iter().map(|left| left.acs_entrance_id).collect::<Vec<_>>(), h.doors(&["gym"]).await);
    h.world.site("hotel").speak();
    h.settle().await;
    assert!(!h.opens("gym", &pin));
    assert!(h.ws.acs().credentials().get(made.acs_credential_id).await.unwrap().residual_access.is_empty());
    h.ws.acs().credentials().assign(made.acs_credential_id, person).await.unwrap();
    h.settle().await;
    assert!(h.opens("gym", &pin));
}

#[tokio::test]
async fn an_unassigned_credential_opens_nothing_and_then_what_its_next_holder_may() {
    let o = office().await;
    let (ada, bo) = (o.user("Ada", &["staff"]).await, o.user("Bo", &["research"]).await);
    let (credential, pin) = o.pin_of(ada).await;
    let (id, credentials) = (credential.acs_credential_id, o.ws.acs().credentials());
    refused(Conflict, "credential_assigned", credentials.assign(id, bo)).await;
    refused(Conflict, "credential_of_another", credentials.unassign(id, Some(bo.into()))).await;
    assert_eq!(o.opened_by(&pin), set(["entrance", "office"]), "what is refused changes nothing");

    assert_eq!(credentials.unassign(id, Some(ada.into())).await.unwrap().acs_user_id, None);
    o.settle().await;
    assert_eq!(o.opened_by(&pin), set([]));
    assert_eq!(names(&credentials.list_accessible_entrances(id).await.unwrap()), set([]));

    assert_eq!(credentials.assign(id, bo).await.unwrap().acs_user_id, Some(bo));
    o.settle().await;
    assert_eq!(o.opened_by(&pin), set(["lab"]));
    assert_eq!(names(&credentials.list_accessible_entrances(id).await.unwrap()), set(["lab"]));
    refused(NotFound, "acs_credential_not_found", o.other.acs().credentials().assign(id, bo)).await;
    refused(NotFound, "acs_credential_not_found", o.other.acs().credentials().list_accessible_entrances(id)).await;
}

#[tokio::test]
async fn credentials_are_listed_by_what_they_belong_to() {
    let o = office().await;
    let (ada, bo) = (o.user("Ada", &["staff"]).await, o.user("Bo", &["research"]).await);
    let (of_ada, _) = o.pin_of(ada).await;
    let (of_bo, _) = o.pin_of(bo).await;
    let lab = o.door("lab").await;
    let grant = o.grant(o.wish(Who::named("Cleo"), vec![lab], vec![NewMethod::code()])).await;
    let ids = async |filter: CredentialFilter| -> Vec<AcsCredentialId> {
        o.ws.acs().credentials().list(&filter).await.unwrap().items.iter().map(|c| c.acs_credential_id).collect()
    };
    let (ada_s, bo_s) = (of_ada.acs_credential_id, of_bo.acs_credential_id);
    let all = ids(CredentialFilter::default()).await;
    assert_eq!(all[..2], [ada_s, bo_s]);
    let cleo_s = all[2];
    assert_eq!(ids(CredentialFilter::builder().acs_user_id(ada).build()).await, [ada_s]);
    assert_eq!(ids(CredentialFilter::builder().user_identity_id(grant.user_identity_id).build()).await, [cleo_s]);
    assert_eq!(ids(CredentialFilter::builder().access_method_id(grant.access_method_ids[0]).build()).await, [cleo_s]);
    assert_eq!(ids(CredentialFilter::builder().acs_system_id(o.system().await).build()).await, all);
    // Bo and Cleo pass the lab by other ways: her group, her grant.
    assert_eq!(ids(CredentialFilter::builder().acs_entrance_id(lab).build()).await, [bo_s, cleo_s]);
    let with_access = o.ws.acs().entrances().list_credentials_with_access(lab).await.unwrap();
    assert_eq!(with_access.iter().map(|c| c.acs_credential_id).collect::<Vec<_>>(), [bo_s, cleo_s]);
    assert_eq!(ids(CredentialFilter::builder().acs_entrance_id(lab).acs_user_id(ada).build()).await, []);

    let mut filter = CredentialFilter::builder().limit(1).build();
    let mut paged = Vec::new();
    loop {
        let page = o.ws.acs().credentials().list(&filter).await.unwrap();
        paged.extend(page.items.iter().map(|c| c.acs_credential_id));
        filter.page_cursor = page.pagination.next_page_cursor;
        if filter.page_cursor.is_none() {
            break;
        }
    }
    assert_eq!(paged, all);
    // To a stranger the filter names nothing.
    let theirs = CredentialFilter::builder().acs_user_id(ada).build();
    assert!(o.other.acs().credentials().list(&theirs).await.unwrap().items.is_empty());
    refused(NotFound, "acs_entrance_not_found", o.other.acs().entrances().list_credentials_with_access(lab)).await;
    let theirs = EntranceFilter::builder().acs_credential_id(ada_s).build();
    refused(NotFound, "acs_credential_not_found", o.other.acs().entrances().search(&theirs)).await;
}

#[tokio::test]
async fn a_cloud_key_unlocks_the_doors_of_its_holder_and_no_other() {
    let o = office().await;
    let (lab, garage) = (o.door("lab").await, o.door("garage").await);
    let bo = o.user("Bo", &["research"]).await;
    let new = NewCredential::builder().user(bo).mode(AccessMethodMode::CloudKey).build();
    let direct = o.ws.acs().credentials().create(new).await.unwrap().acs_credential_id;
    let grant = o.grant(o.wish(Who::named("Cleo"), vec![garage], vec![NewMethod::cloud_key()])).await;
    let filter = CredentialFilter::builder().access_method_id(grant.access_method_ids[0]).build();
    let by_grant = o.ws.acs().credentials().list(&filter).await.unwrap().items[0].acs_credential_id;
    let entrances = o.ws.acs().entrances();
    for (door, key) in [(lab, direct), (garage, by_grant)] {
        let attempt = entrances.unlock(door, key).await.unwrap();
        o.settle().await;
        let done = o.ws.action_attempts().get(attempt.action_attempt_id).await.unwrap();
        assert_eq!(done.status, ActionStatus::Success, "{:?}", done.error);
        let seen = EventFilter::builder().event_types(vec![EventType::LOCK_UNLOCKED]).about(vec![door.uuid()]).build();
        assert_eq!(o.told(seen).await, 1, "the door's own log tells that it opened");
    }
    refused(InvalidInput, "invalid_input", entrances.unlock(garage, direct)).await;
    refused(InvalidInput, "invalid_input", entrances.unlock(lab, o.pin_of(bo).await.0.acs_credential_id)).await;
    refused(NotFound, "acs_credential_not_found", o.other.acs().entrances().unlock(lab, direct)).await;
    o.ws.acs().credentials().suspend(direct).await.unwrap();
    refused(Conflict, "credential_suspended", entrances.unlock(lab, direct)).await;
}
