//! Spaces within spaces, with accounts, places and stay defaults.
use super::*;
use seam_core::api::SpaceFilter;
use seam_core::error::ErrorKind::{InvalidInput, NotFound};
use seam_core::model::{ConnectedAccountId, Geolocation, SpaceId};
use seam_core::plan::{NewSpace, ParentSpace, SpaceUpdate};
use serde_json::json;

async fn space(h: &House, key: &str, within: Option<SpaceId>) -> SpaceId {
    let new = NewSpace::builder().name(key).key(key).maybe_parent(within).build();
    h.ws.spaces().create(new).await.unwrap().space_id
}

async fn listed(h: &House, filter: SpaceFilter) -> Vec<String> {
    let mut names: Vec<String> = h.ws.spaces().list(&filter).await.unwrap().items.into_iter().map(|s| s.name).collect();
    names.sort();
    names
}

#[tokio::test]
async fn spaces_lie_within_spaces() {
    let h = hotel().await;
    let site = space(&h, "site", None).await;
    let wing = space(&h, "wing", Some(site)).await;
    let room = space(&h, "room", Some(wing)).await;
    assert_eq!(listed(&h, SpaceFilter::builder().parent_space_id(site).build()).await, ["wing"]);
    assert_eq!(listed(&h, SpaceFilter::builder().parent_space_key("wing").build()).await, ["room"]);
    assert!(listed(&h, SpaceFilter::builder().parent_space_key("wing").parent_space_id(site).build()).await.is_empty());
    assert!(listed(&h, SpaceFilter::builder().parent_space_key("none").build()).await.is_empty());
    let put = |id, parent| h.ws.spaces().update(SpaceUpdate::new(id).parent(parent));
    for within in [site, wing, room] {
        let e = put(site, Some(ParentSpace::Id(within))).await.unwrap_err();
        assert_eq!((e.kind(), e.field()), (InvalidInput, Some("parent_space_id")), "no circle");
    }
    refused(NotFound, "space_not_found", put(site, Some(ParentSpace::Key("none".into())))).await;
    let foreign = h.other.spaces().create(NewSpace::builder().name("theirs").build()).await.unwrap().space_id;
    refused(NotFound, "space_not_found", put(site, Some(foreign.into()))).await;
    put(room, Some(ParentSpace::Key("site".into()))).await.unwrap();
    assert_eq!(listed(&h, SpaceFilter::builder().parent_space_id(site).build()).await, ["room", "wing"]);
    assert_eq!(put(room, None).await.unwrap().parent_space_id, None);
    // One that is gone holds nothing.
    h.ws.spaces().delete(site).await.unwrap();
    let wing = h.ws.spaces().get(wing).await.unwrap();
    assert_eq!((wing.parent_space_id, wing.parent_space_key), (None, None));
    let mut deep = room;
    for n in 0..15 {
        deep = space(&h, &format!("level {n}"), Some(deep)).await;
    }
    let one_more = NewSpace::builder().name("too deep").parent(deep).build();
    assert_eq!(h.ws.spaces().create(one_more).await.unwrap_err().kind(), InvalidInput);
}

#[tokio::test]
async fn accounts_belong_to_spaces() {
    let h = hotel().await;
    let account = h.ws.connected_accounts().list(None, 10).await.unwrap().items[0].connected_account_id;
    let (with, without) = (space(&h, "with", None).await, space(&h, "without", None).await);
    let by = || SpaceFilter::builder().connected_account_id(account).build();
    assert!(listed(&h, by()).await.is_empty());
    h.ws.spaces().add_connected_account(with, account).await.unwrap();
    h.ws.spaces().add_connected_account(with, account).await.unwrap();
    h.ws.spaces().add_acs_entrances(without, vec![h.door("gym").await]).await.unwrap();
    assert_eq!(listed(&h, by()).await, ["with", "without"], "by the account, or by an entrance of it");
    h.ws.spaces().remove_connected_account(with, account).await.unwrap();
    h.ws.spaces().remove_connected_account(with, account).await.unwrap();
    assert_eq!(listed(&h, by()).await, ["without"]);
    let nothing = ConnectedAccountId::from_uuid(uuid::Uuid::from_u128(9));
    refused(NotFound, "connected_account_not_found", h.ws.spaces().add_connected_account(with, nothing)).await;
    refused(NotFound, "space_not_found", h.other.spaces().add_connected_account(with, account)).await;
    let new = NewSpace::builder().name("x").connected_accounts([nothing]).build();
    refused(NotFound, "connected_account_not_found", h.ws.spaces().create(new)).await;
}

#[tokio::test]
async fn stay_defaults_are_merged_and_checked() {
    let h = hotel().await;
    let id = space(&h, "room", None).await;
    let data = |data| h.ws.spaces().update_by_key("room", move |u| u.customer_data(data));
    data(json!({"default_checkin_time": "15:00", "default_checkout_time": "11:00:30", "time_zone": "Europe/Berlin", "pms_name": "R1"}))
        .await
        .unwrap();
    let now = data(json!({"default_checkout_time": null, "address": "Hill 1"})).await.unwrap().customer_data.unwrap();
    assert_eq!(
        (now.default_checkin_time.as_deref(), now.default_checkout_time, now.address.as_deref()),
        (Some("15:00"), None, Some("Hill 1"))
    );
    assert_eq!(now.extra["pms_name"], "R1");
    for bad in [
        json!({"default_checkin_time": "9:00"}),
        json!({"default_checkin_time": "24:00"}),
        json!({"default_checkin_time": "15:60"}),
        json!({"default_checkin_time": "15:00:60"}),
        json!({"default_checkin_time": "15:00 "}),
        json!({"default_checkin_time": 15}),
        json!({"time_zone": "Mars/Base"}),
        json!([]),
    ] {
        assert_eq!(data(bad.clone()).await.unwrap_err().kind(), InvalidInput, "{bad}");
    }
    let at = |north, east| h.ws.spaces().update(SpaceUpdate::new(id).geolocation(Some(Geolocation::new(north, east))));
    assert_eq!(at(-90.0, 180.0).await.unwrap().geolocation, Some(Geolocation::new(-90.0, 180.0)));
    for (north, east) in [(90.1, 0.0), (0.0, -180.1), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
        assert_eq!(at(north, east).await.unwrap_err().field(), Some("geolocation"));
    }
    assert_eq!(h.ws.spaces().update(SpaceUpdate::new(id).geolocation(None)).await.unwrap().geolocation, None);
}
