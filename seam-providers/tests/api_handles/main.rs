//! The handles, as an integrator calls them: what they change is judged by the doors, what they list by what was made before.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod credentials;
mod customers;
mod encoders;
mod instant_keys;
mod lists;
mod occupancy;
mod related;
mod sessions;
mod singles;
mod spaces;
#[path = "../support/mod.rs"]
mod support;
mod users;
mod webviews;
mod written;

use chrono::Duration;
use seam_core::api::EventFilter;
use seam_core::error::{ErrorKind, Result};
use seam_core::model::{AcsAccessGroupId, AcsCredential, AcsEntrance, AcsSystemId, AcsUserId};
use seam_core::{AccessGrant, AccessMethodMode, AcsEntranceId, NewCredential, NewGrant, NewMethod, NewUser, Person, Who, Workspace};
use seam_providers::sandbox::SiteConfig;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::ops::Deref;
use support::{Stage, at, stage};

/// A virtual site with the workspace that runs it, and a stranger's workspace beside it.
struct House {
    stage: Stage,
    site: &'static str,
    other: Workspace,
}

impl Deref for House {
    type Target = Stage;
    fn deref(&self) -> &Stage {
        &self.stage
    }
}

async fn office() -> House {
    let mut config = SiteConfig::office("office");
    config.log_seconds = Some(60);
    house(config, "office").await
}

async fn hotel() -> House {
    house(SiteConfig::hotel("hotel", 3), "hotel").await
}

async fn house(config: SiteConfig, site: &'static str) -> House {
    let stage = stage(config, None).await;
    let other = stage.seam.create_workspace("Other", true).await.unwrap();
    House { stage, site, other }
}

impl House {
    async fn system(&self) -> AcsSystemId {
        self.ws.acs().systems().list(None, 10).await.unwrap().items[0].acs_system_id
    }
    async fn group(&self, name: &str) -> AcsAccessGroupId {
        let filter = seam_core::api::AccessGroupFilter::builder().search(name).build();
        self.ws.acs().access_groups().list(&filter).await.unwrap().items[0].acs_access_group_id
    }
    /// A user with a name of her own, in these groups.
    async fn user(&self, name: &str, groups: &[&str]) -> AcsUserId {
        let mut ids = Vec::new();
        for group in groups {
            ids.push(self.group(group).await);
        }
        let new = NewUser::builder().system(self.system().await).profile(Person::named(name)).groups(ids).build();
        let user = self.ws.acs().users().create(new).await.unwrap().acs_user_id;
        self.settle().await;
        user
    }
    async fn settle(&self) {
        self.pass(Duration::minutes(3)).await;
    }
    /// A PIN issued directly.
    async fn pin_of(&self, user: AcsUserId) -> (AcsCredential, String) {
        let new = NewCredential::builder().user(user).mode(AccessMethodMode::Code).build();
        let made = self.ws.acs().credentials().create(new).await.unwrap();
        self.settle().await;
        let made = self.ws.acs().credentials().get(made.acs_credential_id).await.unwrap();
        let pin = made.code.clone().unwrap().expose().to_owned();
        (made, pin)
    }
    fn wish(&self, who: impl Into<Who>, doors: Vec<AcsEntranceId>, methods: Vec<NewMethod>) -> NewGrant {
        let window = (at("2026-03-02T08:00:00Z"), at("2026-03-09T18:00:00Z"));
        NewGrant::builder().who(who).entrances(doors).methods(methods).starts_at(window.0).ends_at(window.1).build()
    }
    async fn grant(&self, new: NewGrant) -> AccessGrant {
        let made = self.ws.access_grants().create(new).await.unwrap();
        self.settle().await;
        self.ws.access_grants().get(made.access_grant_id).await.unwrap()
    }
    async fn code_of(&self, grant: &AccessGrant) -> String {
        let methods = self.ws.access_methods().of_grant(grant.access_grant_id).await.unwrap();
        methods.into_iter().find_map(|m| m.code).unwrap().expose().to_owned()
    }
    fn opens(&self, door: &str, pin: &str) -> bool {
        self.world.site(self.site).door(door).enter_pin(pin).opened
    }
    /// The doors that a PIN opens.
    fn opened_by(&self, pin: &str) -> BTreeSet<String> {
        let doors = self.world.site(self.site).doors();
        doors.iter().filter(|door| door.enter_pin(pin).opened).map(|door| door.name().to_owned()).collect()
    }
    async fn told(&self, filter: EventFilter) -> usize {
        self.ws.events().search(&filter, 0, 1000).await.unwrap().events.len()
    }
}

fn names(entrances: &[AcsEntrance]) -> BTreeSet<String> {
    entrances.iter().map(|e| e.display_name.clone()).collect()
}

fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}

/// The call is refused like this.
async fn refused<T: Debug>(kind: ErrorKind, code: &str, done: impl Future<Output = Result<T>>) {
    let e = done.await.expect_err(code);
    assert_eq!((e.kind(), e.code()), (kind, code), "{e}");
}
