//! A system that takes so many requests per second: the engine keeps to it, and loses no time.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod support;

use chrono::Duration;
use seam_core::{NewGrant, NewMethod, Who};
use seam_providers::sandbox::SiteConfig;
use support::stage;

#[tokio::test]
async fn the_rate_of_a_system_is_kept_and_used() {
    let mut site = SiteConfig::hotel("hotel", 2);
    (site.per_second, site.in_flight) = (Some(2.0), 8);
    let s = stage(site, None).await;
    let gym = s.door("gym").await;
    let mut grants = Vec::new();
    for n in 0..20 {
        let wish = NewGrant::builder().who(Who::named(format!("Guest {n}"))).entrances([gym]).methods([NewMethod::code()]).build();
        grants.push(s.ws.access_grants().create(wish).await.unwrap().access_grant_id);
    }
    let begun = s.world.now();
    // A call of the engine may wait for its turn: time has to go on beside it.
    let all = async {
        for grant in grants {
            s.ws.access_grants().wait_until_issued(grant, std::time::Duration::from_secs(60)).await.unwrap();
        }
    };
    let clock = async {
        loop {
            // Whatever can go on goes on first.
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            if let Some(next) = s.clock.next_wake() {
                s.clock.set(next);
            }
        }
    };
    tokio::select! {
        biased;
        () = all => {}
        ran = s.engine.run(std::future::pending()) => ran.unwrap(),
        () = clock => {}
    }
    let site = s.world.site("hotel");
    assert_eq!((site.calls("put"), site.too_early()), (20, 0));
    let took = s.world.now() - begun;
    // Twenty calls, half a second apart: nine and a half seconds from the first to the last.
    assert!(took >= Duration::milliseconds(9_500) && took < Duration::seconds(15), "{took}");
}
