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

#[tokio::test]
async fn a_cursor_goes_on_with_its_own_list_only() {
    use seam_core::api::UnmanagedFilter;
    let h = hotel().await;
    let system = h.system().await;
    let first =
        |search: Option<&str>| EntranceFilter::builder().acs_system_id(system).limit(1).maybe_search(search.map(str::to_owned)).build();
    let page = h.ws.acs().entrances().search(&first(None)).await.unwrap();
    let cursor = page.pagination.next_page_cursor.unwrap();
    let mut seen: BTreeSet<_> = page.items.iter().map(|e| e.acs_entrance_id).collect();
    let mut next = Some(cursor.clone());
    while let Some(cursor) = next {
        // Another length of the page is no other list.
        let filter = EntranceFilter::builder().acs_system_id(system).limit(2).page_cursor(cursor).build();
        let page = h.ws.acs().entrances().search(&filter).await.unwrap();
        assert!(page.items.iter().all(|e| seen.insert(e.acs_entrance_id)), "nothing comes twice");
        next = page.pagination.next_page_cursor;
    }
    assert_eq!(seen.len(), h.ws.acs().entrances().list(None, None, None, 1000).await.unwrap().items.len());
    let mut wrong = first(Some("1"));
    wrong.page_cursor = Some(cursor.clone());
    refused(InvalidInput, "mismatched_page_parameters", h.ws.acs().entrances().search(&wrong)).await;
    let all = EntranceFilter::builder().page_cursor(cursor.as_str()).build();
    refused(InvalidInput, "mismatched_page_parameters", h.ws.acs().entrances().search(&all)).await;
    let users = UnmanagedFilter::builder().page_cursor(cursor.as_str()).build();
    refused(InvalidInput, "mismatched_page_parameters", h.ws.user_identities().search_unmanaged(&users)).await;
    for bad in ["", "x", &cursor[1..], &format!("{cursor}0"), &"z".repeat(48), &"é".repeat(24), &"x".repeat(10_000)] {
        let filter = EntranceFilter::builder().acs_system_id(system).page_cursor(bad).build();
        let e = h.ws.acs().entrances().search(&filter).await.unwrap_err();
        assert_eq!((e.kind(), e.code(), e.field()), (InvalidInput, "invalid_input", Some("page_cursor")), "{bad:.60}");
    }
}

#[tokio::test]
async fn what_was_found_is_listed_and_never_taken_over() {
    use seam_core::api::UnmanagedFilter;
    use seam_core::error::ErrorKind::Unsupported;
    use seam_core::provider::{Handle, Held, Kind};
    let mut config = SiteConfig::office("office");
    let held = |kind, handle: &str, name: &str, door: &str| {
        let mut held = Held::new(kind, Handle::text(handle), None);
        (held.name, held.doors) = (Some(name.into()), vec![Handle::text(door)]);
        held
    };
    config.also_held = vec![
        held(Kind::User, "u-1", "Ada", "lab"),
        held(Kind::User, "u-2", "Ben", "lab"),
        held(Kind::Access, "a-1", "Night shift", "lab"),
        held(Kind::Card, "c-1", "Old card", "garage"),
    ];
    let o = house(config, "office").await;
    o.pass(Duration::minutes(31)).await;
    let of = UnmanagedFilter::builder;
    let people = o.ws.user_identities().search_unmanaged(&of().build()).await.unwrap().items;
    assert_eq!(people.len(), 2);
    let found = o.ws.user_identities().search_unmanaged(&of().search("ada").build()).await.unwrap().items;
    assert_eq!(found.iter().map(|p| p.display_name.as_str()).collect::<Vec<_>>(), ["Ada"]);
    assert!(
        o.ws.user_identities().search_unmanaged(&of().created_before(at("2026-01-01T00:00:00Z")).build()).await.unwrap().items.is_empty()
    );
    let one = o.ws.user_identities().search_unmanaged(&of().limit(1).build()).await.unwrap();
    let rest = of().limit(1).page_cursor(one.pagination.next_page_cursor.unwrap()).build();
    assert_eq!(o.ws.user_identities().search_unmanaged(&rest).await.unwrap().items.len(), 1);
    let users = o.ws.acs().users().search_unmanaged(&of().acs_system_id(o.system().await).build()).await.unwrap().items;
    assert_eq!(users.len(), 2);
    assert_eq!(o.ws.acs().users().get_unmanaged(users[0].acs_user_id).await.unwrap(), users[0]);
    let grants = o.ws.access_grants().search_unmanaged(&of().acs_entrance_id(o.door("lab").await).build()).await.unwrap().items;
    assert_eq!(grants.iter().map(|g| g.display_name.as_str()).collect::<Vec<_>>(), ["Night shift"]);
    assert!(o.ws.access_grants().search_unmanaged(&of().acs_entrance_id(o.door("garage").await).build()).await.unwrap().items.is_empty());
    let cards = o.ws.acs().credentials().search_unmanaged(&of().search("old").build()).await.unwrap().items;
    assert_eq!(cards.len(), 1);
    let id = grants[0].access_grant_id;
    assert!(o.ws.access_methods().list_unmanaged(id).await.unwrap().is_empty());
    refused(Unsupported, "unmanaged_not_convertible", o.ws.access_grants().manage(id)).await;
    refused(Unsupported, "unmanaged_not_convertible", o.ws.user_identities().manage(people[0].user_identity_id)).await;
    refused(NotFound, "not_found", o.other.access_grants().manage(id)).await;
    assert!(o.other.user_identities().search_unmanaged(&of().build()).await.unwrap().items.is_empty());
}
