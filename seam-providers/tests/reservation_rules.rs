//! What a reservation allows: the rules by their stable names and titles, and that a refusal changes nothing.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod support;

use seam_core::api::GrantFilter;
use seam_core::error::ErrorKind;
use seam_core::{AccessGrant, Error, NewGrant, NewMethod, Who};
use seam_providers::sandbox::SiteConfig;
use support::{Stage, at, stage};

async fn hotel() -> Stage {
    stage(SiteConfig::hotel("hotel", 4), None).await
}

/// A guest's wish. Days are of March 2026.
async fn ask(s: &Stage, doors: &[&str], days: (u32, u32), key: Option<&str>) -> Result<AccessGrant, Error> {
    let new = NewGrant::builder()
        .who(Who::named("Guest"))
        .entrances(s.doors(doors).await)
        .starts_at(at(&format!("2026-03-{:02}T15:00:00Z", days.0)))
        .ends_at(at(&format!("2026-03-{:02}T11:00:00Z", days.1)))
        .methods([NewMethod::card()])
        .maybe_reservation(key)
        .build();
    s.ws.access_grants().create(new).await
}

/// Refused with this name and title, and nothing was written: no event, no link of the audit chain.
async fn refused(s: &Stage, doors: &[&str], days: (u32, u32), key: Option<&str>, kind: ErrorKind, code: &str, title: &str) {
    let before = (s.ws.events().list(0, 1000).await.unwrap().len(), s.ws.events().audit(0, 1000).await.unwrap().len());
    let e = ask(s, doors, days, key).await.unwrap_err();
    assert_eq!((e.kind(), e.code(), e.field()), (kind, code, Some("reservation_key")), "{e}");
    assert!(e.message().starts_with(title), "{title:?} begins {:?}", e.message());
    assert!(e.context().iter().any(|(key, value)| *key == "title" && value == title), "{e:?}");
    let after = (s.ws.events().list(0, 1000).await.unwrap().len(), s.ws.events().audit(0, 1000).await.unwrap().len());
    assert_eq!(before, after);
}

const CHANGE: &str = "Reservation entrance change requires cleanup.";
const JOINER: &str = "Reservation joiner entrance set conflict.";
const FRAMES: &str = "Reservation time frames must overlap.";

#[tokio::test]
async fn r1_a_key_needs_an_entrance_that_can_belong_to_a_reservation() {
    let s = hotel().await;
    let title = "reservation_key not supported.";
    refused(&s, &["gym", "pool"], (2, 4), Some("R"), ErrorKind::InvalidInput, "reservation_key_not_supported", title).await;
    ask(&s, &["gym", "101"], (2, 4), Some("R")).await.unwrap();
}

#[tokio::test]
async fn r1b_a_guest_at_such_an_entrance_needs_a_key() {
    let s = hotel().await;
    let title = "reservation_key required for guest cards.";
    refused(&s, &["101"], (2, 4), None, ErrorKind::InvalidInput, "reservation_key_required", title).await;
    ask(&s, &["gym"], (2, 4), None).await.unwrap();
}

#[tokio::test]
async fn r2_a_party_has_its_doors_and_no_others() {
    let s = hotel().await;
    let first = ask(&s, &["101", "102", "gym"], (2, 4), Some("R")).await.unwrap();
    refused(&s, &["103"], (2, 4), Some("R"), ErrorKind::Conflict, "reservation_entrance_change", CHANGE).await;
    // Doors that cannot belong to a reservation do not count.
    ask(&s, &["101", "102", "pool"], (2, 4), Some("R")).await.unwrap();
    // Cleaned up, the key is free for other doors.
    for g in s.ws.access_grants().list(&GrantFilter::default()).await.unwrap().items {
        s.ws.access_grants().delete(g.access_grant_id).await.unwrap();
    }
    assert!(first.reservation_key.is_some());
    ask(&s, &["103"], (2, 4), Some("R")).await.unwrap();
}

#[tokio::test]
async fn r3_a_joiner_has_the_same_doors_or_fewer() {
    let s = hotel().await;
    ask(&s, &["101", "102"], (2, 4), Some("R")).await.unwrap();
    ask(&s, &["102"], (2, 4), Some("R")).await.unwrap();
    refused(&s, &["101", "102", "103"], (2, 4), Some("R"), ErrorKind::Conflict, "reservation_joiner_entrance_set", JOINER).await;
    // Some of the party's doors and another: that is no joiner with more doors, that is another set.
    refused(&s, &["102", "103"], (2, 4), Some("R"), ErrorKind::Conflict, "reservation_entrance_change", CHANGE).await;
}

#[tokio::test]
async fn r4_grants_of_a_stay_overlap_or_touch() {
    let s = hotel().await;
    ask(&s, &["101"], (2, 4), Some("R")).await.unwrap();
    refused(&s, &["101"], (5, 6), Some("R"), ErrorKind::Conflict, "reservation_time_frames", FRAMES).await;
    ask(&s, &["101"], (3, 9), Some("R")).await.unwrap();
    // The stay is longer by now.
    ask(&s, &["101"], (5, 6), Some("R")).await.unwrap();
    // Another key is another stay: at the same door, at the same time too. The lock decides by first use.
    ask(&s, &["101"], (2, 4), Some("S")).await.unwrap();
}
