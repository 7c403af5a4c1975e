//! Lists as JSON: whatever has changed in between, and however long ago a page was asked for, they say what the lists say.
use super::support::{MORNING, Stage, at, stage_over};
use chrono::Duration;
use seam_core::api::{GrantFilter, IdentityFilter, UserFilter, Written};
use seam_core::clock::{Clock, ManualClock};
use seam_core::model::{Page, Shown};
use seam_core::plan::PersonUpdate;
use seam_core::store::{MemoryStore, SqliteStore, Store};
use seam_core::{AccessMethodMode, GrantUpdate, NewGrant, NewMethod, NewUser, Person, Who};
use seam_providers::sandbox::SiteConfig;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// SplitMix64: enough to draw a story.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).unwrap()
    }
    fn of<T: Copy>(&mut self, among: &[T]) -> Option<T> {
        (!among.is_empty()).then(|| among[self.below(among.len())])
    }
}

fn compare<T: Serialize>(what: &str, read: &Page<T>, written: &Page<Written>) -> Option<String> {
    let written: Value = serde_json::from_str(&serde_json::to_string(written).unwrap()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), written, "{what}");
    read.pagination.next_page_cursor.clone()
}

/// Every page of every list, read and written at the same instant.
async fn say_the_same(stage: &Stage, what: &str) {
    for limit in [2, 500] {
        let mut cursor = None;
        loop {
            let filter = UserFilter::builder().limit(limit).maybe_page_cursor(cursor).build();
            let users = stage.ws.acs().users();
            cursor = compare(what, &users.list(&filter).await.unwrap(), &users.list_written(&filter).await.unwrap());
            if cursor.is_none() {
                break;
            }
        }
        loop {
            let filter = GrantFilter::builder().limit(limit).maybe_page_cursor(cursor).build();
            let grants = stage.ws.access_grants();
            cursor = compare(what, &grants.list(&filter).await.unwrap(), &grants.list_written(&filter).await.unwrap());
            if cursor.is_none() {
                break;
            }
        }
        loop {
            let filter = IdentityFilter::builder().limit(limit).maybe_page_cursor(cursor).build();
            let people = stage.ws.user_identities();
            cursor = compare(what, &people.list(&filter).await.unwrap(), &people.list_written(&filter).await.unwrap());
            if cursor.is_none() {
                break;
            }
        }
    }
    // Of one person: by a key, and by a search, which is never kept.
    for person in stage.ws.user_identities().list(&IdentityFilter::default()).await.unwrap().items {
        let of = GrantFilter::builder().user_identity_id(person.user_identity_id).build();
        let grants = stage.ws.access_grants();
        compare(what, &grants.list(&of).await.unwrap(), &grants.list_written(&of).await.unwrap());
    }
    let search = UserFilter::builder().search("a").build();
    let users = stage.ws.acs().users();
    compare(what, &users.list(&search).await.unwrap(), &users.list_written(&search).await.unwrap());
}

/// Somebody does something, or time passes. What is refused is refused.
async fn happens(stage: &Stage, draw: &mut Draw, n: usize) -> &'static str {
    let ws = &stage.ws;
    let people: Vec<_> =
        ws.user_identities().list(&IdentityFilter::default()).await.unwrap().items.iter().map(|p| p.user_identity_id).collect();
    let users: Vec<_> = ws.acs().users().list(&UserFilter::default()).await.unwrap().items.iter().map(|u| u.acs_user_id).collect();
    let grants: Vec<_> = ws.access_grants().list(&GrantFilter::default()).await.unwrap().items.iter().map(|g| g.access_grant_id).collect();
    let system = ws.acs().systems().list(None, 1).await.unwrap().items[0].acs_system_id;
    let hours = |from: i64, n: i64| (stage.clock.now() + Duration::hours(from), stage.clock.now() + Duration::hours(from + n));
    match draw.below(14) {
        0 | 1 => {
            let (from, until) = hours(draw.below(5) as i64 - 2, 1 + draw.below(9) as i64);
            let new = NewUser::builder().system(system).profile(Person::named(format!("Ada {n}")));
            let _ = match draw.below(3) {
                0 => ws.acs().users().create(new.starts_at(from).ends_at(until).build()).await,
                _ => ws.acs().users().create(new.build()).await,
            };
            "a user is made"
        }
        2 | 3 => {
            let doors: Vec<_> =
                ws.acs().entrances().list(None, None, None, 100).await.unwrap().items.iter().map(|e| e.acs_entrance_id).collect();
            let (from, until) = hours(draw.below(40) as i64 - 2, 3 + draw.below(40) as i64);
            let modes = [AccessMethodMode::Code, AccessMethodMode::Card, AccessMethodMode::MobileKey, AccessMethodMode::CloudKey];
            let mut method = NewMethod::new(modes[draw.below(modes.len())].clone());
            if method.mode == AccessMethodMode::Code && draw.below(3) == 0 {
                method.code = Some(Shown::new("847362"));
            }
            let who = match draw.of(&people) {
                Some(known) if draw.below(2) == 0 => Who::Known(known),
                _ => Who::named(format!("Bea {n}")),
            };
            let doors: Vec<_> = draw.of(&doors).into_iter().collect();
            let new = NewGrant::builder().who(who).entrances(doors).starts_at(from).ends_at(until).methods(vec![method]);
            let _ = ws.access_grants().create(new.maybe_reservation((draw.below(2) == 0).then(|| format!("stay {n}"))).build()).await;
            "a grant is made"
        }
        4 => {
            if let Some(user) = draw.of(&users) {
                let _ = ws.acs().users().suspend(user, draw.below(2) == 0).await;
            }
            "a user is suspended"
        }
        5 => {
            if let (Some(person), Some(user)) = (draw.of(&people), draw.of(&users)) {
                let _ = ws.user_identities().add_acs_user(person, user).await;
            }
            "a user becomes a person's"
        }
        6 => {
            if let Some(user) = draw.of(&users) {
                let _ = ws.acs().users().delete(user).await;
            }
            "a user is deleted"
        }
        7 => {
            if let Some(grant) = draw.of(&grants) {
                let _ = ws.access_grants().delete(grant).await;
            }
            "a grant is deleted"
        }
        8 => {
            if let Some(grant) = draw.of(&grants) {
                let mut update = GrantUpdate::new(grant);
                update.ends_at = Some(Some(stage.clock.now() + Duration::hours(1 + draw.below(30) as i64)));
                let _ = ws.access_grants().update(update).await;
            }
            "a grant is given another end"
        }
        9 | 10 => {
            if let Some(person) = draw.of(&people) {
                let mut update = PersonUpdate::default();
                update.full_name = Some(Some(format!("Cora {n}")));
                let _ = ws.user_identities().update(person, update).await;
            }
            "a person is renamed"
        }
        11 => {
            if let Some(person) = draw.of(&people) {
                let _ =
                    if draw.below(2) == 0 { ws.user_identities().erase(person).await } else { ws.user_identities().delete(person).await };
            }
            "a person is erased"
        }
        12 => {
            // The engine has no time for anything.
            stage.clock.set(stage.clock.now() + Duration::minutes(draw.below(900) as i64));
            "time passes"
        }
        _ => {
            stage.pass(Duration::minutes(draw.below(600) as i64)).await;
            "the engine works"
        }
    }
}

async fn story(seed: u64, site: SiteConfig, store: impl FnOnce(Arc<ManualClock>) -> Arc<dyn Store>) {
    let stage = stage_over(MORNING, site, store, |_, _| ()).await;
    let mut draw = Draw(seed);
    for n in 0..60 {
        let what = happens(&stage, &mut draw, n).await;
        say_the_same(&stage, &format!("seed {seed}, step {n}: {what}")).await;
    }
}

fn sites() -> [SiteConfig; 2] {
    [SiteConfig::hotel("hotel", 3), SiteConfig::office("office")]
}

#[tokio::test]
async fn what_is_kept_of_a_list_is_what_it_says_over_the_memory_store() {
    for seed in 0..4 {
        for site in sites() {
            story(seed, site, |clock| Arc::new(MemoryStore::new(clock as Arc<dyn Clock>))).await;
        }
    }
}

#[tokio::test]
async fn what_is_kept_of_a_list_is_what_it_says_over_sqlite() {
    for seed in 100..102 {
        for site in sites() {
            let folder = tempfile::tempdir().unwrap();
            story(seed, site, |clock| Arc::new(SqliteStore::open(folder.path().join("it.db"), clock as Arc<dyn Clock>).unwrap())).await;
        }
    }
}

#[tokio::test]
async fn who_is_erased_is_in_no_list_and_in_no_text_that_is_kept() {
    let stage =
        stage_over(MORNING, SiteConfig::hotel("hotel", 3), |clock| Arc::new(MemoryStore::new(clock as Arc<dyn Clock>)), |_, _| ()).await;
    let ada = stage.ws.user_identities().create(Person::named("Ada Erasable")).await.unwrap().user_identity_id;
    let all = IdentityFilter::default();
    let kept = stage.ws.user_identities().list_written(&all).await.unwrap();
    assert!(kept.items[0].as_str().contains("Ada Erasable"));
    assert!(!format!("{:?}", kept.items[0]).contains("Ada"));
    stage.ws.user_identities().erase(ada).await.unwrap();
    assert!(stage.ws.user_identities().list_written(&all).await.unwrap().items.is_empty());
    assert_eq!(stage.clock.now(), at(MORNING), "at once");
}
