//! Who is in a space, and phones of a sandbox.
use super::*;
use seam_core::api::Phones;
use seam_core::clock::Clock;
use seam_core::error::ErrorKind::{InvalidInput, NotFound};
use seam_core::model::{Holder, PhoneId, PhoneType, UserIdentityId};
use seam_core::plan::{NewPhone, NewSpace};

#[tokio::test]
async fn a_space_tells_who_may_be_in_it_and_who_was_seen() {
    let o = office().await;
    let (lab, garage) = (o.door("lab").await, o.door("garage").await);
    let space = o.ws.spaces().create(NewSpace::builder().name("Lab").entrances([lab]).build()).await.unwrap().space_id;
    let now = o.clock.now();
    let wish = |name: &str, door, from: i64, to: Option<i64>| NewGrant {
        starts_at: Some(now + Duration::hours(from)),
        ends_at: to.map(|to| now + Duration::hours(to)),
        ..o.wish(Who::named(name), vec![door], vec![NewMethod::code()])
    };
    let ada = o.grant(wish("Ada", lab, 0, Some(3))).await;
    let ben = o.grant(NewGrant { holder: Holder::Staff, ..wish("Ben", lab, 2, None) }).await;
    o.grant(wish("Cleo", garage, 0, Some(9))).await;
    let occupancy =
        async |from: i64, to: i64| o.ws.spaces().occupancy(space, now + Duration::hours(from), now + Duration::hours(to)).await.unwrap();
    let counts = |o: &seam_core::view::occupancy::Occupancy| o.hours.iter().map(|h| (h.grants, h.people)).collect::<Vec<_>>();

    let first = occupancy(-1, 5).await;
    assert_eq!(counts(&first), [(0, 0), (1, 1), (1, 1), (2, 2), (1, 1), (1, 1)]);
    assert_eq!(first.entitled.iter().map(|e| e.access_grant_id).collect::<Vec<_>>(), [ada.access_grant_id], "Ben's time has not come");
    assert!(first.seen.is_empty());
    let pin = o.code_of(&ada).await;
    assert!(o.opens("lab", &pin));
    assert!(!o.opens("lab", "0000"));
    let seen_at = o.clock.now();
    o.pass(Duration::hours(2)).await;
    let later = occupancy(-1, 5).await;
    let entitled: BTreeSet<_> = later.entitled.iter().map(|e| (e.user_identity_id, e.is_staff)).collect();
    assert_eq!(entitled, [(ada.user_identity_id, false), (ben.user_identity_id, true)].into());
    assert_eq!(
        later.seen.iter().map(|s| (s.user_identity_id, s.acs_entrance_id, s.at)).collect::<Vec<_>>(),
        [(ada.user_identity_id, lab, seen_at)]
    );
    assert!(occupancy(1, 5).await.seen.is_empty(), "not within the range");
    // Suspended she may not; deleted she was there until then.
    o.ws.access_grants().suspend(ada.access_grant_id).await.unwrap();
    assert_eq!(occupancy(0, 1).await.entitled.len(), 1);
    o.ws.access_grants().delete(ben.access_grant_id).await.unwrap();
    o.settle().await;
    assert_eq!(counts(&occupancy(0, 5).await), [(1, 1), (1, 1), (2, 2), (0, 0), (0, 0)]);
}

#[tokio::test]
async fn a_range_of_hours_is_not_endless() {
    let o = office().await;
    let space = o.ws.spaces().create(NewSpace::builder().name("Lab").build()).await.unwrap().space_id;
    let now = o.clock.now();
    let ask = |from, until| o.ws.spaces().occupancy(space, from, until);
    assert_eq!(ask(now, now + Duration::days(366)).await.unwrap().hours.len(), 366 * 24);
    for (from, until) in [
        (now, now),
        (now, now - Duration::hours(1)),
        (now, now + Duration::days(367)),
        (chrono::DateTime::<chrono::Utc>::MIN_UTC, chrono::DateTime::<chrono::Utc>::MAX_UTC),
    ] {
        let e = ask(from, until).await.unwrap_err();
        assert_eq!((e.kind(), e.field()), (InvalidInput, Some("until")));
    }
    refused(NotFound, "space_not_found", o.other.spaces().occupancy(space, now, now + Duration::hours(1))).await;
}

#[tokio::test]
async fn a_sandbox_has_phones() {
    let h = hotel().await;
    let person = async |name: &str| h.ws.user_identities().create(Person::named(name)).await.unwrap().user_identity_id;
    let (ada, ben) = (person("Ada").await, person("Ben").await);
    let new = |who: UserIdentityId| NewPhone::builder().user_identity_id(who);
    let phones = || -> Phones<'_> { h.ws.phones() };
    let one = phones().create_sandbox_phone(new(ada).custom_sdk_installation_id("app-1").build()).await.unwrap();
    assert_eq!((&one.device_type, one.display_name.as_str()), (&PhoneType::Android, "Samsung Galaxy S10"));
    let again = phones().create_sandbox_phone(new(ada).custom_sdk_installation_id("app-1").build()).await.unwrap();
    assert_eq!(again, one, "one installation, one phone");
    let bens = phones().create_sandbox_phone(new(ben).operating_system("ios").device_model("iPhone 15").build()).await.unwrap();
    assert_eq!((&bens.device_type, bens.display_name.as_str()), (&PhoneType::Ios, "iPhone 15"));
    let of = async |who| phones().list(who, None).await.unwrap().into_iter().map(|p| p.device_id).collect::<BTreeSet<PhoneId>>();
    assert_eq!(of(None).await, [one.device_id, bens.device_id].into());
    assert_eq!(of(Some(ada)).await, [one.device_id].into());
    h.ws.user_identities().merge(ada, vec![ben]).await.unwrap();
    assert_eq!(of(Some(ada)).await.len(), 2);
    phones().deactivate(one.device_id).await.unwrap();
    refused(NotFound, "phone_not_found", phones().deactivate(one.device_id)).await;
    refused(NotFound, "phone_not_found", phones().get(one.device_id)).await;
    refused(NotFound, "phone_not_found", h.other.phones().get(bens.device_id)).await;
    h.ws.user_identities().delete(ada).await.unwrap();
    assert!(of(None).await.is_empty());
    let told = EventFilter::builder().event_types(vec![seam_core::model::EventType::PHONE_DEACTIVATED]).build();
    assert_eq!(h.told(told).await, 2);
    let eve = person("Eve").await;
    for bad in
        [new(eve).operating_system("symbian").build(), new(eve).os_version("").build(), new(eve).device_model("x".repeat(10_000)).build()]
    {
        assert_eq!(phones().create_sandbox_phone(bad).await.unwrap_err().kind(), InvalidInput);
    }
    refused(NotFound, "user_identity_not_found", phones().create_sandbox_phone(new(ada).build())).await;
    let real = h.seam.create_workspace("Real", false).await.unwrap();
    let guest = real.user_identities().create(Person::named("Ada")).await.unwrap().user_identity_id;
    refused(InvalidInput, "workspace_not_sandbox", real.phones().create_sandbox_phone(new(guest).build())).await;
}
