//! What the cloud, or a row of the store, says becomes part of a path only where it can do no harm there.
use super::{Change, OTP, Stage};
use crate::salto_ks::sim::LOCKS;
use seam_core::model::AcsEntranceId;
use seam_core::provider::*;

const BAD: [&str; 6] = ["", "../users", "5a0f1f36/../../users", "5a0f1f36?x=1", "5a0f1f36 0001", "5a0f1f3"];

/// A list says itself where it goes on. The token goes nowhere but to the server of the settings.
#[tokio::test]
async fn a_list_goes_on_at_the_same_server_or_not_at_all() {
    let s = Stage::new(OTP).await;
    // Between the cloud and the provider is room for a function, and none for a text: one for each link.
    let links: [Change; 3] = [
        |_, url, answer| Ok(next_page(url, answer, "https://elsewhere.example/locks?page=2")),
        |_, url, answer| Ok(next_page(url, answer, "//elsewhere.example/locks")),
        |_, url, answer| Ok(next_page(url, answer, "locks?page=2")),
    ];
    for (n, link) in links.into_iter().enumerate() {
        s.sim.take_requests();
        let failure = s.behind(link).inventory().unwrap().entrances(&s.system).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Nothing, Reason::Garbled), "link {n}");
        assert_eq!(s.sim.take_requests().len(), 2, "the site, and one page: link {n}");
    }
}

fn next_page(url: &str, answer: HttpResponse, link: &str) -> HttpResponse {
    match url.contains("/locks") {
        true => HttpResponse::new(200).with_body(format!(r#"{{"items":[{{"id":"{}"}}],"next_page_link":"{link}"}}"#, LOCKS[0]), false),
        false => answer,
    }
}

#[tokio::test]
async fn handles_that_are_no_ids_are_refused_before_anything_is_sent() {
    let s = Stage::new(OTP).await;
    let user = s.put(&s.user(), None, "user").await.unwrap().handle.unwrap();
    s.sim.take_requests();
    for bad in BAD {
        let Want::Access(mut access) = s.access(&user, 2) else { unreachable!() };
        access.doors[0].handle = Handle::text(bad);
        let failure = s.put(&Want::Access(access), None, "access").await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::NotThere), "{bad}");
        let system = SystemRef { id: s.system.id, handle: Handle::text(bad) };
        let call = Call { system: &system, ..s.call("user") };
        let failure = s.provider.put(&s.user(), None, &call).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::NotThere), "{bad}");
        let failure = s.provider.inventory().unwrap().entrances(&system).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::NotThere), "{bad}");
        let door = Door { id: AcsEntranceId::from_uuid(uuid::Uuid::nil()), handle: Handle::text(bad), class: DoorClass::Online };
        let spec = s.credential(&user, Body::CloudKey);
        let failure = s.provider.unlock().unwrap().unlock(&spec, None, &door, &s.call("key")).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::NotThere), "{bad}");
    }
    assert_eq!((s.sim.take_requests(), s.sim.opened()), (Vec::<String>::new(), 0));
}

/// A group is for the person on the platform, and a user of the site alone is none.
#[tokio::test]
async fn a_permission_for_nobody_is_refused_before_anything_is_sent() {
    let s = Stage::new(OTP).await;
    let site_user = Handle(serde_json::json!({"site_user": "5a0f1f36-1d0e-4c53-9d3a-0000000000a1"}));
    for user in [Handle::text("somebody"), site_user] {
        let failure = s.put(&s.access(&user, 2), None, "access").await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::Invalid));
    }
    assert!(s.sim.take_requests().is_empty());
}

/// A lock, a user or a site whose id is none is passed over, and what was made under such a name is in doubt.
#[tokio::test]
async fn ids_of_the_cloud_that_are_none_are_passed_over() {
    let s = Stage::new(OTP).await;
    let strange = s.behind(|method, url, answer| {
        let bad = r#"{"id":"../../x","user":{"id":"../../y"},"subscription_state":"subscribed","roles":["r"]}"#;
        Ok(match (method, url) {
            (HttpMethod::Get, url) if url.ends_with("/sites") => HttpResponse::new(200).with_body(format!("[{bad}]"), false),
            (HttpMethod::Get, url) if url.ends_with("/locks") => HttpResponse::new(200).with_body(format!(r#"{{"items":[{bad}]}}"#), false),
            (HttpMethod::Get, url) if url.ends_with("/users") => HttpResponse::new(200).with_body(format!("[{bad}]"), false),
            (HttpMethod::Post, url) if url.ends_with("/guests") => HttpResponse::new(201).with_body(bad, false),
            _ => answer,
        })
    });
    assert!(strange.systems().await.unwrap().is_empty());
    assert!(strange.inventory().unwrap().entrances(&s.system).await.unwrap().is_empty());
    assert!(strange.inventory().unwrap().held(&s.system, None).await.unwrap().unwrap().things.is_empty());
    let failure = strange.put(&s.user(), None, &s.call("user")).await.unwrap_err();
    assert_eq!((failure.effect, failure.reason, failure.left), (Effect::Unknown, Reason::Garbled, None));
    assert!(s.sim.take_requests().iter().all(|request| !request.contains("..")));
}
