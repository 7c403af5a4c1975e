//! Lists of grants, methods, entrances and spaces, and changes by key.
use super::*;
use seam_core::api::{EncoderFilter, EntranceFilter, GrantFilter, MethodFilter, SpaceFilter, SystemFilter};
use seam_core::error::ErrorKind::{InvalidInput, NotFound};
use seam_core::{AccessGrantId, NewSpace};

#[tokio::test]
async fn grants_and_methods_are_listed_by_what_they_have() {
    let h = hotel().await;
    let (gym, pool) = (h.door("gym").await, h.door("pool").await);
    let spa = NewSpace::builder().name("Spa").key("spa").customer_key("wellness").entrances([pool]).build();
    let spa = h.ws.spaces().create(spa).await.unwrap().space_id;
    let on_gym = NewGrant { key: Some("k-1".into()), ..h.wish(Who::named("Ada Lovelace"), vec![gym], vec![NewMethod::code()]) };
    let on_gym = h.grant(on_gym).await;
    let on_spa = NewGrant {
        spaces: vec![spa],
        reservation: Some("r-1".into()),
        ..h.wish(Who::named("Bo"), vec![h.door("101").await], vec![NewMethod::card()])
    };
    let on_spa = h.grant(on_spa).await;
    let (first, second) = (on_gym.access_grant_id, on_spa.access_grant_id);
    let list = async |filter: GrantFilter| -> Vec<AccessGrantId> {
        h.ws.access_grants().list(&filter).await.unwrap().items.iter().map(|g| g.access_grant_id).collect()
    };
    let system = h.system().await;
    assert_eq!(list(GrantFilter::default()).await, [first, second]);
    assert_eq!(list(GrantFilter::builder().access_grant_key("k-1").build()).await, [first]);
    assert_eq!(list(GrantFilter::builder().without_key(true).build()).await, [second]);
    assert_eq!(list(GrantFilter::builder().reservation_key("r-1").build()).await, [second]);
    assert_eq!(list(GrantFilter::builder().acs_entrance_id(pool).build()).await, [second]);
    assert_eq!(list(GrantFilter::builder().customer_key("wellness").build()).await, [second]);
    assert_eq!(list(GrantFilter::builder().customer_key("nobody").build()).await, []);
    assert_eq!(list(GrantFilter::builder().acs_system_id(system).build()).await, [first, second]);
    assert_eq!(list(GrantFilter::builder().space_id(spa).build()).await, [second]);
    assert_eq!(list(GrantFilter::builder().search("lovelace").build()).await, [first]);
    assert_eq!(list(GrantFilter::builder().access_grant_ids([second, first]).limit(1).build()).await, [first]);
    let ids = GrantFilter::builder().access_grant_ids([first, second]).user_identity_id(on_spa.user_identity_id).build();
    assert_eq!(list(ids).await, [second]);
    assert!(h.other.access_grants().list(&GrantFilter::builder().acs_system_id(system).build()).await.unwrap().items.is_empty());

    let methods = async |filter: MethodFilter| -> Vec<_> {
        h.ws.access_methods().list(&filter).await.unwrap().items.iter().map(|m| m.access_method_id).collect()
    };
    assert_eq!(methods(MethodFilter::builder().access_grant_id(first).build()).await, on_gym.access_method_ids);
    assert_eq!(methods(MethodFilter::builder().access_grant_key("k-1").build()).await, on_gym.access_method_ids);
    assert_eq!(methods(MethodFilter::builder().acs_entrance_id(pool).build()).await, on_spa.access_method_ids);
    assert_eq!(methods(MethodFilter::builder().space_id(spa).build()).await, on_spa.access_method_ids);
    assert_eq!(methods(MethodFilter::builder().access_grant_id(first).space_id(spa).build()).await, []);
    refused(InvalidInput, "invalid_input", h.ws.access_methods().list(&MethodFilter::default())).await;
    let theirs = MethodFilter::builder().access_grant_id(first).build();
    refused(NotFound, "access_grant_not_found", h.other.access_methods().list(&theirs)).await;
}

#[tokio::test]
async fn entrances_are_listed_by_what_reaches_them_and_a_deleted_space_reaches_none() {
    let h = hotel().await;
    let (gym, pool) = (h.door("gym").await, h.door("pool").await);
    let spa = NewSpace::builder().name("Spa").customer_key("wellness").entrances([gym, pool]).build();
    let spa = h.ws.spaces().create(spa).await.unwrap().space_id;
    let grant = h.grant(h.wish(Who::named("Ada"), vec![gym], vec![NewMethod::code()])).await;
    let search = async |filter: EntranceFilter| names(&h.ws.acs().entrances().search(&filter).await.unwrap().items);
    let account = h.ws.connected_accounts().list(None, 1).await.unwrap().items[0].connected_account_id;
    assert_eq!(search(EntranceFilter::builder().space_id(spa).build()).await, set(["gym", "pool"]));
    assert_eq!(search(EntranceFilter::builder().customer_key("wellness").build()).await, set(["gym", "pool"]));
    assert_eq!(search(EntranceFilter::builder().customer_key("wellness").search("POO").build()).await, set(["pool"]));
    assert_eq!(search(EntranceFilter::builder().access_method_id(grant.access_method_ids[0]).build()).await, set(["gym"]));
    assert_eq!(search(EntranceFilter::builder().connected_account_id(account).build()).await.len(), 6);
    assert_eq!(search(EntranceFilter::builder().acs_entrance_ids([pool]).acs_system_id(h.system().await).build()).await, set(["pool"]));
    let filter = seam_core::api::CredentialFilter::builder().access_method_id(grant.access_method_ids[0]).build();
    let credential = h.ws.acs().credentials().list(&filter).await.unwrap().items[0].acs_credential_id;
    assert_eq!(search(EntranceFilter::builder().acs_credential_id(credential).build()).await, set(["gym"]));

    h.ws.spaces().delete(spa).await.unwrap();
    refused(NotFound, "space_not_found", h.ws.acs().entrances().search(&EntranceFilter::builder().space_id(spa).build())).await;
    refused(NotFound, "space_not_found", h.ws.acs().entrances().list(None, Some(spa), None, 10)).await;
    assert_eq!(search(EntranceFilter::builder().customer_key("wellness").build()).await, set([]));
    assert_eq!(h.ws.acs().systems().search(&SystemFilter::builder().connected_account_id(account).build()).await.unwrap().items.len(), 1);
    let desk = h.ws.acs().encoders().by_name("desk-2").await.unwrap().acs_encoder_id;
    let desks = EncoderFilter::builder().acs_encoder_ids([desk]).build();
    assert_eq!(h.ws.acs().encoders().search(&desks).await.unwrap().items[0].display_name, "desk-2");
    assert!(h.other.acs().encoders().search(&desks).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn spaces_and_grants_are_changed_by_key_and_the_doors_follow() {
    let h = hotel().await;
    let (gym, pool) = (h.door("gym").await, h.door("pool").await);
    for (name, key, customer) in [("Spa", "spa", "wellness"), ("Bar", "bar", "food")] {
        let new = NewSpace::builder().name(name).key(key).customer_key(customer).entrances([if key == "spa" { gym } else { pool }]).build();
        h.ws.spaces().create(new).await.unwrap();
    }
    let list = async |filter: SpaceFilter| -> Vec<String> {
        h.ws.spaces().list(&filter).await.unwrap().items.into_iter().map(|s| s.name).collect()
    };
    let account = h.ws.connected_accounts().list(None, 1).await.unwrap().items[0].connected_account_id;
    assert_eq!(list(SpaceFilter::builder().customer_key("food").build()).await, ["Bar"]);
    assert_eq!(list(SpaceFilter::builder().search("sp").build()).await, ["Spa"]);
    assert_eq!(list(SpaceFilter::builder().space_key("bar").build()).await, ["Bar"]);
    assert_eq!(list(SpaceFilter::builder().connected_account_id(account).build()).await, ["Spa", "Bar"]);

    let new =
        NewGrant { key: Some("k".into()), space_keys: vec!["spa".into()], ..h.wish(Who::named("Ada"), vec![], vec![NewMethod::code()]) };
    let grant = h.grant(new).await;
    let pin = h.code_of(&grant).await;
    assert!(h.opens("gym", &pin));
    h.ws.spaces().update_by_key("spa", |space| space.entrances([pool])).await.unwrap();
    h.settle().await;
    let now = h.code_of(&grant).await;
    assert!(h.opens("pool", &now) && !h.opens("gym", &pin));

    h.ws.access_grants().update_by_key("k", |grant| grant.ends_at(at("2026-03-02T12:00:00Z"))).await.unwrap();
    h.settle().await;
    h.pass(Duration::hours(5)).await;
    assert!(!h.opens("pool", &now));
    refused(NotFound, "space_not_found", h.other.spaces().update_by_key("spa", |space| space.name("Mine"))).await;
    refused(NotFound, "access_grant_not_found", h.other.access_grants().update_by_key("k", |grant| grant.ongoing())).await;
}
