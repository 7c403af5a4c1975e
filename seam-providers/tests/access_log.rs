//! Access logs, from the sandbox's doors to the event stream: every line once, whatever fails on the way.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod support;

use chrono::Duration;
use seam_core::api::EventFilter;
use seam_core::clock::Clock;
use seam_core::engine::{CallObserver, Fault};
use seam_core::model::EventType;
use seam_core::plan::begin::{CallPlan, CallWhat};
use seam_core::provider::{Failure, Reason};
use seam_core::{AccessMethodMode, NewGrant, NewMethod, NewSpace, Who};
use seam_providers::sandbox::SiteConfig;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use support::{Stage, at, stage};

/// Makes every other reading of the log fail, before or after it was made.
#[derive(Debug, Default)]
struct Unreliable(AtomicU32);

impl CallObserver for Unreliable {
    fn before(&self, plan: &CallPlan) -> Fault {
        if !matches!(plan.what, CallWhat::Log { .. }) {
            return Fault::None;
        }
        match self.0.fetch_add(1, Ordering::Relaxed) % 4 {
            1 => Fault::LoseAnswer,
            3 => Fault::Instead(Failure::nothing(Reason::Busy, "not now")),
            _ => Fault::None,
        }
    }
}

async fn office(observer: Option<Arc<dyn CallObserver>>) -> Stage {
    let mut config = SiteConfig::office("office");
    config.log_seconds = Some(60);
    stage(config, observer).await
}

#[tokio::test]
async fn what_a_door_saw_is_told_with_the_person_and_the_method() {
    let o = office(None).await;
    let lab = o.door("lab").await;
    let new = NewGrant::builder()
        .who(Who::named("Ada"))
        .entrances(vec![lab])
        .starts_at(at("2026-03-02T08:00:00Z"))
        .ends_at(at("2026-03-02T18:00:00Z"))
        .methods(vec![NewMethod::new(AccessMethodMode::Code)])
        .build();
    let grant = o.ws.access_grants().create(new).await.unwrap();
    o.pass(Duration::minutes(2)).await;
    let method = o.ws.access_grants().get(grant.access_grant_id).await.unwrap().access_method_ids[0];
    let pin = o.ws.access_methods().get(method).await.unwrap().code.unwrap();
    let opened_at = o.clock.now();
    assert!(o.world.site("office").door("lab").enter_pin(pin.expose()).opened);
    assert!(!o.world.site("office").door("garage").enter_pin("0000").opened);
    o.pass(Duration::minutes(2)).await;

    let page = o.ws.acs().access_log().list(&[], None, 0, 100).await.unwrap();
    assert_eq!(page.entries.len(), 2, "each line once: {page:?}");
    let (opened, refused) = (&page.entries[0], &page.entries[1]);
    assert!(opened.opened && !refused.opened);
    assert_eq!((opened.acs_entrance_id, opened.occurred_at), (lab, opened_at));
    assert_eq!((opened.method.as_deref(), opened.access_method_id), (Some("keycode"), Some(method)));
    assert_eq!(opened.user_identity_id, Some(grant.user_identity_id));
    assert_eq!(refused.acs_entrance_id, o.door("garage").await);
    assert_eq!((refused.reason_code.as_deref(), refused.user_identity_id), (Some("unknown_code"), None));
    let hers = o.ws.acs().access_log().list(&[grant.user_identity_id.uuid()], None, 0, 100).await.unwrap();
    assert_eq!(hers.entries, std::slice::from_ref(opened));
    let told = serde_json::to_string(&o.ws.events().list(0, 1000).await.unwrap().iter().map(|(_, e)| e).collect::<Vec<_>>()).unwrap();
    assert!(!told.contains(pin.expose()), "events never carry a PIN");
}

#[tokio::test]
async fn every_line_is_told_once_whatever_fails() {
    let o = office(Some(Arc::new(Unreliable::default()))).await;
    let mut tried = Vec::new();
    for _ in 0..40 {
        o.pass(Duration::seconds(47)).await;
        assert!(!o.world.site("office").door("office").enter_pin("1").opened);
        tried.push(o.clock.now());
    }
    o.pass(Duration::hours(3)).await;
    let told = o.ws.acs().access_log().list(&[], None, 0, 1000).await.unwrap();
    assert_eq!(told.entries.iter().map(|e| e.occurred_at).collect::<Vec<_>>(), tried);
}

#[tokio::test]
async fn a_system_that_keeps_no_log_any_more_is_not_asked() {
    let o = office(None).await;
    o.pass(Duration::minutes(5)).await;
    let site = o.world.site("office");
    assert!(site.calls("entries") >= 5);
    site.reconfigure(|config| config.log_seconds = None);
    o.pass(Duration::minutes(20)).await;
    let asked = site.calls("entries");
    o.pass(Duration::minutes(20)).await;
    assert_eq!(site.calls("entries"), asked);
    site.reconfigure(|config| config.log_seconds = Some(60));
    o.pass(Duration::minutes(20)).await;
    assert!(site.calls("entries") > asked);
}

#[tokio::test]
async fn a_search_finds_what_reading_everything_finds() {
    let o = office(None).await;
    let door = o.world.site("office").door("office");
    for n in 0..60 {
        o.pass(Duration::minutes(9)).await;
        let _ = (n % 3 == 0).then(|| door.enter_pin("1"));
        let _ = o.ws.spaces().create(NewSpace::builder().name(format!("space {n}")).build()).await.unwrap();
    }
    o.pass(Duration::minutes(9)).await;
    let all = o.ws.events().list(0, 1000).await.unwrap();
    let (first, last) = (all[0].1.created_at, all[all.len() - 1].1.created_at);
    for types in [vec![], vec![EventType::LOCK_ACCESS_DENIED], vec![EventType::SPACE_CREATED, EventType::LOCK_UNLOCKED]] {
        for hour in -1..12 {
            let (since, until) = (first + Duration::hours(hour), last - Duration::hours(hour / 2));
            let filter = EventFilter::builder().event_types(types.clone()).since(since).until(until).build();
            let wanted: Vec<u64> = all
                .iter()
                .filter(|(_, e)| (types.is_empty() || types.contains(&e.event_type)) && e.created_at >= since && e.created_at < until)
                .map(|(seq, _)| *seq)
                .collect();
            let (mut got, mut after) = (Vec::new(), 0);
            loop {
                let page = o.ws.events().search(&filter, after, 7).await.unwrap();
                got.extend(page.events.iter().map(|(seq, _)| *seq));
                after = page.next;
                if page.events.len() < 7 {
                    break;
                }
            }
            assert_eq!(got, wanted, "{types:?} since {since} until {until}");
        }
    }
}
