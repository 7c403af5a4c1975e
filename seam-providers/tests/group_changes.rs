//! Groups that somebody changes at the access system itself: nothing is given silently, nobody is shut out for it, and revocation still wins.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod support;

use chrono::{Duration, Weekday};
use seam_core::error::ErrorKind;
use seam_core::model::{AccessGrantId, EventType, Weekly, WeeklySpan};
use seam_core::provider::{GroupReport, Handle};
use seam_core::{AccessGrant, AccessMethodMode, AcsEntranceId, NewGrant, NewMethod, Who};
use seam_providers::sandbox::SiteConfig;
use std::ops::Deref;
use support::{Stage, at, stage};

struct Office(Stage);

impl Deref for Office {
    type Target = Stage;
    fn deref(&self) -> &Stage {
        &self.0
    }
}

async fn office() -> Office {
    Office(stage(SiteConfig::office("office"), None).await)
}

impl Office {
    fn wish(&self, who: Who, doors: Vec<AcsEntranceId>) -> NewGrant {
        NewGrant::builder()
            .who(who)
            .entrances(doors)
            .starts_at(at("2026-03-02T08:00:00Z"))
            .ends_at(at("2026-03-09T18:00:00Z"))
            .methods(vec![NewMethod::new(AccessMethodMode::Code)])
            .build()
    }
    async fn grant(&self, who: Who, doors: &[&str]) -> AccessGrant {
        let ids = self.doors(doors).await;
        let g = self.ws.access_grants().create(self.wish(who, ids)).await.unwrap();
        self.pass(Duration::minutes(1)).await;
        self.get(g.access_grant_id).await
    }
    async fn get(&self, id: AccessGrantId) -> AccessGrant {
        self.ws.access_grants().get(id).await.unwrap()
    }
    async fn pin(&self, g: &AccessGrant) -> String {
        self.ws.access_methods().get(g.access_method_ids[0]).await.unwrap().code.unwrap().expose().to_owned()
    }
    fn opens(&self, door: &str, pin: &str) -> bool {
        self.world.site("office").door(door).enter_pin(pin).opened
    }
    /// Somebody changes the groups at the system; the next reading shows it.
    async fn groups(&self, groups: &[(&str, &[&str])]) {
        let groups = groups
            .iter()
            .map(|(name, doors)| GroupReport::new(Handle::text(*name), *name, doors.iter().map(|d| Handle::text(*d)).collect()))
            .collect();
        self.world.site("office").reconfigure(|config| config.groups = groups);
        self.pass(Duration::minutes(31)).await;
    }
}

fn warns(g: &AccessGrant, code: &str) -> bool {
    g.warnings.iter().any(|w| w.warning_code == code)
}

const EVERYONE: (&str, &[&str]) = ("everyone", &["entrance"]);

#[tokio::test]
async fn a_group_that_opens_more_is_told_keeps_nobody_out_and_is_given_to_nobody_else() {
    let o = office().await;
    let ada = o.grant(Who::named("Ada"), &["lab"]).await;
    let other = o.grant(Who::Known(ada.user_identity_id), &["entrance"]).await;
    let pin = o.pin(&ada).await;
    assert!(o.opens("lab", &pin) && !o.opens("garage", &pin));

    o.groups(&[EVERYONE, ("research", &["lab", "garage"])]).await;
    assert!(o.opens("lab", &pin), "nobody is shut out");
    assert!(o.opens("garage", &pin), "the system opens it: that is what has to be told");
    let g = o.get(ada.access_grant_id).await;
    assert!(warns(&g, "overprovisioned_access") && !warns(&g, "underprovisioned_access"), "{:?}", g.warnings);
    assert!(!warns(&o.get(other.access_grant_id).await, "overprovisioned_access"), "the other grant has nothing to do with it");

    let lab = o.door("lab").await;
    let refused = o.ws.access_grants().create(o.wish(Who::named("Bo"), vec![lab])).await.unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (ErrorKind::Unsupported, "would_also_open"));

    // The person's other grant can still be taken away, and this one too.
    o.ws.access_grants().delete(other.access_grant_id).await.unwrap();
    o.pass(Duration::minutes(1)).await;
    assert!(!o.opens("entrance", &pin) && o.opens("lab", &pin));
    o.ws.access_grants().delete(ada.access_grant_id).await.unwrap();
    o.pass(Duration::minutes(1)).await;
    assert!(!o.opens("lab", &pin) && !o.opens("garage", &pin));
}

#[tokio::test]
async fn a_group_that_opens_less_is_told_until_another_gives_the_door_again() {
    let o = office().await;
    let ada = o.grant(Who::named("Ada"), &["entrance", "office"]).await;
    let pin = o.pin(&ada).await;
    assert!(o.opens("office", &pin));
    let told = o.ws.events().list(0, 1000).await.unwrap().len();

    o.groups(&[EVERYONE, ("staff", &["entrance"])]).await;
    assert!(o.opens("entrance", &pin) && !o.opens("office", &pin));
    let g = o.get(ada.access_grant_id).await;
    assert!(warns(&g, "underprovisioned_access") && !warns(&g, "overprovisioned_access"), "{:?}", g.warnings);
    let office = o.door("office").await;
    let lost = |(_, e): &&(u64, seam_core::model::Event)| {
        e.event_type == EventType::ACCESS_GRANT_ACCESS_TO_DOOR_LOST && e.payload.get("acs_entrance_id") == Some(&serde_json::json!(office))
    };
    let events = o.ws.events().list(0, 1000).await.unwrap();
    assert_eq!(events.iter().skip(told).filter(lost).count(), 1, "told once");

    o.groups(&[EVERYONE, ("staff", &["entrance"]), ("desk", &["office"])]).await;
    assert!(o.opens("office", &pin), "the new group gives it exactly");
    let g = o.get(ada.access_grant_id).await;
    assert!(!warns(&g, "underprovisioned_access") && !warns(&g, "overprovisioned_access"), "{:?}", g.warnings);
}

#[tokio::test]
async fn who_could_not_be_fitted_is_revoked_all_the_same() {
    let o = office().await;
    let ada = o.grant(Who::named("Ada"), &["lab"]).await;
    let pin = o.pin(&ada).await;
    o.groups(&[EVERYONE, ("research", &["lab", "garage"])]).await;
    o.ws.access_grants().suspend(ada.access_grant_id).await.unwrap();
    o.pass(Duration::minutes(1)).await;
    assert!(!o.opens("lab", &pin) && !o.opens("garage", &pin));
    o.clock.set(at("2026-03-09T18:00:00Z"));
    o.pass(Duration::minutes(1)).await;
    assert!(!o.opens("lab", &pin));
}

#[tokio::test]
async fn a_user_made_by_hand_stays_when_her_grants_end() {
    let o = office().await;
    let system = o.ws.acs().systems().list(None, 10).await.unwrap().items[0].acs_system_id;
    let person = o.ws.user_identities().create(seam_core::Person::named("Ada")).await.unwrap();
    let user =
        o.ws.acs().users().create(seam_core::NewUser::builder().system(system).identity(person.user_identity_id).build()).await.unwrap();
    let g = o.grant(Who::Known(person.user_identity_id), &["lab"]).await;
    o.ws.access_grants().delete(g.access_grant_id).await.unwrap();
    o.pass(Duration::minutes(1)).await;
    assert!(o.ws.acs().users().get(user.acs_user_id).await.is_ok());
}

#[tokio::test]
async fn a_group_with_hours_of_its_own_is_used_for_those_hours_only() {
    let o = office().await;
    let hours = Weekly::new([WeeklySpan::new([Weekday::Mon], "08:00".parse().unwrap(), "12:00".parse().unwrap())]).unwrap();
    let mut mornings = GroupReport::new(Handle::text("mornings"), "mornings", vec![Handle::text("lab")]);
    mornings.schedule = Some(hours.clone());
    o.world.site("office").reconfigure(|config| config.groups = vec![mornings]);
    o.pass(Duration::minutes(31)).await;
    let lab = o.door("lab").await;
    let refused = o.ws.access_grants().create(o.wish(Who::named("Ada"), vec![lab])).await.unwrap_err();
    assert_eq!(refused.code(), "would_also_open", "it would not open at all hours: {refused}");
    let mut wish = o.wish(Who::named("Ada"), vec![lab]);
    wish.schedule = Some(hours.clone());
    o.ws.access_grants().create(wish).await.unwrap();
    let groups = o.ws.acs().access_groups().list(&Default::default()).await.unwrap().items;
    assert_eq!(groups.into_iter().find(|g| g.name == "mornings").unwrap().schedule, Some(hours));
}
