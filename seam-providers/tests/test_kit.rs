//! The virtual hotel for integrators' tests, tested as they use it.
#![cfg(feature = "test-kit")]
use chrono::{DateTime, TimeDelta, Utc};
use seam_core::clock::Clock;
use seam_core::model::ActionStatus;
use seam_core::{AccessGrantId, AccessMethodMode, ErrorKind, GrantUpdate, NewGrant, NewMethod, Result, Who};
use seam_providers::sandbox::{JobOutcome, Silence, SiteConfig, When, Why};
use seam_providers::test_kit::{Instant, TestHotel};
use std::time::Duration;

const FROM: &str = "2026-03-01 15:00";
const TO: &str = "2026-03-03 11:00";

fn at(text: &str) -> DateTime<Utc> {
    text.instant()
}

#[tokio::test]
async fn a_stay_opens_and_ends_on_time() -> Result<()> {
    let hotel = TestHotel::new().rooms(3).build().await;
    assert_eq!(hotel.now(), at("2026-03-01 08:00"), "building a hotel takes no time");
    let anna = hotel.check_in("Anna", "101", FROM, TO).await?;
    assert_eq!(hotel.now(), at("2026-03-01 08:00"), "nor does checking in");
    assert_eq!(hotel.door("101").present(&anna.card).why, Why::NotYetValid);
    hotel.at("2026-03-01 15:00").await;
    for door in ["101", "gym", "lobby", "pool"] {
        assert!(hotel.door(door).present(&anna.card).opened, "{door}");
    }
    assert_eq!(hotel.door("102").present(&anna.card).why, Why::WrongDoor);
    assert!(hotel.door("pool").enter_pin(anna.pin()).opened);
    hotel.at("2026-03-03 10:59").await;
    assert!(hotel.door("101").present(&anna.card).opened);
    hotel.advance(TimeDelta::minutes(1)).await;
    assert_eq!(hotel.door("101").present(&anna.card).why, Why::Expired);
    assert!(!hotel.door("pool").enter_pin(anna.pin()).opened);
    Ok(())
}

#[tokio::test]
async fn an_extension_is_written_onto_the_same_card() -> Result<()> {
    let hotel = TestHotel::new().build().await;
    let anna = hotel.check_in("Anna", "101", FROM, TO).await?;
    hotel.at("2026-03-03 10:00").await;
    assert!(hotel.door("101").present(&anna.card).opened);
    let later = GrantUpdate::new(anna.access_grant_id).ends_at(at("2026-03-03 14:00"));
    hotel.workspace().access_grants().update(later).await?;
    hotel.at("2026-03-03 12:00").await;
    assert!(hotel.door("gym").enter_pin(anna.pin()).opened);
    assert!(!hotel.door("101").present(&anna.card).opened);
    hotel.encode_onto(&anna.card, anna.card_method_id).await?;
    assert!(hotel.door("101").present(&anna.card).opened);
    hotel.at("2026-03-03 14:00").await;
    assert!(!hotel.door("101").present(&anna.card).opened);
    Ok(())
}

/// What a run leaves behind, in full.
async fn a_run(seed: u64) -> Result<String> {
    let hotel = TestHotel::new().rooms(2).seed(seed).build().await;
    let mut seen = String::new();
    for room in ["101", "102"] {
        hotel.site().lose_next(1, When::After);
        let guest = hotel.check_in("Guest", room, FROM, TO).await?;
        seen += &format!("{} {}\n", guest.access_grant_id, guest.pin());
    }
    hotel.at("2026-03-01 15:00").await;
    hotel.go_silent();
    hotel.at("2026-03-02 00:00").await;
    hotel.speak();
    hotel.at("2026-03-04 00:00").await;
    for (n, event) in hotel.workspace().events().list(0, 1000).await? {
        seen += &format!("{n} {event:?}\n");
    }
    Ok(seen)
}

#[tokio::test]
async fn the_same_seed_gives_the_same_run() -> Result<()> {
    let (one, same, other) = (a_run(7).await?, a_run(7).await?, a_run(8).await?);
    assert!(one.lines().count() > 10, "{one}");
    assert_eq!(one, same);
    assert_ne!(one, other);
    Ok(())
}

#[tokio::test]
async fn a_silent_system_gets_its_work_when_it_speaks_again() -> Result<()> {
    let hotel = TestHotel::new().build().await;
    let anna = hotel.check_in("Anna", "101", FROM, TO).await?;
    hotel.at(FROM).await;
    hotel.go_silent();
    hotel.workspace().access_grants().delete(anna.access_grant_id).await?;
    hotel.settle().await;
    assert!(hotel.door("gym").enter_pin(anna.pin()).opened, "the lock does not know yet");
    hotel.advance(TimeDelta::hours(2)).await;
    assert!(hotel.workspace().access_grants().get(anna.access_grant_id).await.is_ok(), "and it is not hidden that it does not");
    hotel.speak();
    let kept = hotel.wait(hotel.workspace().access_grants().wait_until_removed(anna.access_grant_id, Duration::from_secs(7200))).await?;
    assert!(!hotel.door("gym").enter_pin(anna.pin()).opened);
    assert!(!kept.grant.residual_access.is_empty(), "the card works until the next guest's");
    Ok(())
}

#[tokio::test]
async fn a_call_without_an_answer_is_under_way_until_time_passes() -> Result<()> {
    let hotel = TestHotel::new().build().await;
    hotel.site().go_silent(Silence::LosesAnswers);
    let grant = pin_for_the_gym(&hotel).await?;
    let before = hotel.now();
    hotel.settle().await;
    assert_eq!(hotel.now(), before, "settling takes no time");
    assert_eq!(hotel.site().calls("put"), 1);
    assert!(!is_issued(&hotel, grant).await?);
    hotel.advance(TimeDelta::seconds(5)).await;
    assert_eq!(hotel.now(), before + TimeDelta::seconds(5), "the test stands in the middle of the call");
    assert!(!is_issued(&hotel, grant).await?);
    hotel.speak();
    hotel.wait(hotel.workspace().access_grants().wait_until_issued(grant, Duration::from_secs(600))).await?;
    assert!(hotel.now() > before + TimeDelta::seconds(5), "the answer that was lost was waited for");
    Ok(())
}

#[tokio::test]
async fn who_is_given_access_now_is_let_in_now() -> Result<()> {
    let hotel = TestHotel::new().starting("2026-03-01T08:00:00.400Z").build().await;
    let grant = pin_for_the_gym(&hotel).await?;
    hotel.settle().await;
    let methods = hotel.workspace().access_methods().of_grant(grant).await?;
    let pin = methods.iter().find_map(|m| m.code.clone()).unwrap();
    assert_eq!(hotel.door("gym").enter_pin(pin.expose()).why, Why::Opened);
    Ok(())
}

#[tokio::test]
async fn a_call_that_hangs_holds_up_no_other_call_to_the_same_system() -> Result<()> {
    let hotel = TestHotel::new().build().await;
    hotel.site().lose_next(1, When::Before);
    let before = hotel.now();
    let anna = hotel.check_in("Anna", "101", FROM, TO).await?;
    assert_eq!(hotel.site().calls("put"), 3, "one call for each common door, and the first hangs");
    let ben = hotel.check_in("Ben", "102", FROM, TO).await?;
    assert_eq!((hotel.now(), hotel.site().calls("put")), (before, 6));
    assert!(is_issued(&hotel, ben.access_grant_id).await?);
    assert!(!is_issued(&hotel, anna.access_grant_id).await?);
    Ok(())
}

#[tokio::test]
async fn a_wait_that_is_too_short_times_out_on_the_hotels_clock() -> Result<()> {
    let hotel = TestHotel::new().build().await;
    hotel.go_silent();
    let grant = pin_for_the_gym(&hotel).await?;
    let before = hotel.now();
    let waited = hotel.wait(hotel.workspace().access_grants().wait_until_issued(grant, Duration::from_secs(90))).await;
    assert_eq!(waited.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(hotel.now(), before + TimeDelta::seconds(90));
    Ok(())
}

#[tokio::test]
async fn an_engine_that_was_down_catches_up() -> Result<()> {
    let hotel = TestHotel::new().build().await;
    let anna = hotel.check_in("Anna", "101", FROM, TO).await?;
    hotel.clock().set(at("2026-03-05 00:00"));
    let ended = |events: Vec<(u64, seam_core::model::Event)>| events.iter().any(|(_, e)| e.event_type.as_str() == "access_grant.deleted");
    assert!(!ended(hotel.workspace().events().list(0, 1000).await?));
    hotel.settle().await;
    assert_eq!(hotel.clock().now(), at("2026-03-05 00:00"));
    assert!(!hotel.door("gym").enter_pin(anna.pin()).opened);
    Ok(())
}

#[tokio::test]
async fn an_encoder_waits_for_a_card_and_says_when_none_comes() -> Result<()> {
    let hotel = TestHotel::new().site(|site| site.auto_card = false).build().await;
    let anna = hotel.check_in("Anna", "101", FROM, TO).await?;
    hotel.at(FROM).await;
    let desk = hotel.encoder_id("desk-2").await?;
    let asked = hotel.workspace().access_methods().encode(anna.card_method_id, desk).await?.action_attempt_id;
    hotel.advance(TimeDelta::seconds(20)).await;
    assert_eq!(hotel.workspace().action_attempts().get(asked).await?.status, ActionStatus::Pending);
    let card = hotel.world().blank_card();
    hotel.encoder("desk-2").put_card(&card);
    hotel.settle().await;
    assert_eq!(hotel.workspace().action_attempts().get(asked).await?.status, ActionStatus::Success);
    assert_eq!(hotel.encoder("desk-2").take_card().map(|c| c.uid().to_owned()).as_deref(), Some(card.uid()));
    assert!(hotel.door("101").present(&card).opened);

    let asked = hotel.workspace().access_methods().encode(anna.card_method_id, desk).await?.action_attempt_id;
    let done = hotel.wait(hotel.workspace().action_attempts().wait(asked, Duration::from_secs(300))).await?;
    assert_eq!(done.status, ActionStatus::Error);

    hotel.encoder("desk-1").next_encode_will_fail(JobOutcome::Uncategorized);
    let failed = hotel.encode(anna.card_method_id).await.unwrap_err();
    assert_eq!((failed.kind(), failed.code()), (ErrorKind::Failed, "encode_failed"));
    Ok(())
}

#[tokio::test]
async fn a_card_may_come_while_the_test_waits() -> Result<()> {
    let hotel = TestHotel::new().site(|site| site.auto_card = false).build().await;
    let anna = hotel.check_in("Anna", "101", FROM, TO).await?;
    let asked = hotel.workspace().access_methods().encode(anna.card_method_id, hotel.encoder_id("desk-1").await?).await?;
    let clerk = async { hotel.encoder("desk-1").put_card(&anna.card) };
    let wait = hotel.wait(hotel.workspace().action_attempts().wait(asked.action_attempt_id, Duration::from_secs(60)));
    let before = hotel.now();
    let (done, ()) = tokio::join!(wait, clerk);
    assert_eq!(done?.status, ActionStatus::Success);
    assert_eq!(hotel.now(), before, "the clerk was there before any time passed");
    Ok(())
}

#[tokio::test]
async fn phones_and_other_sites_are_there_too() -> Result<()> {
    let hotel = TestHotel::new().with(SiteConfig::slot_lock("garden", 10)).build().await;
    let doors = hotel.entrances(&["101", "front"]).await?;
    let new = NewGrant::builder()
        .who(Who::named("Anna"))
        .entrances(doors)
        .starts_at(at(FROM))
        .ends_at(at(TO))
        .methods([NewMethod::mobile_key(), NewMethod::code()])
        .reservation("stay-of-anna")
        .build();
    let grant = hotel.workspace().access_grants().create(new).await?;
    hotel.at(FROM).await;
    let phone = hotel.phone(grant.user_identity_id).await?;
    assert!(hotel.door("101").present(&phone).opened);
    let methods = hotel.workspace().access_methods().of_grant(grant.access_grant_id).await?;
    let pin = methods.iter().find(|m| m.mode == AccessMethodMode::Code).and_then(|m| m.code.clone()).unwrap();
    assert!(hotel.world().site("garden").door("front").enter_pin(pin.expose()).opened);
    let ben = hotel.check_in("Ben", "102", FROM, TO).await?;
    assert_eq!(hotel.phone(ben.user_identity_id).await.unwrap_err().kind(), ErrorKind::NotFound);
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_is_refused_like_in_earnest() -> Result<()> {
    let hotel = TestHotel::new().build().await;
    assert_eq!(hotel.check_in("Anna", "999", FROM, TO).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(hotel.check_in("Anna", "101", TO, FROM).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    Ok(())
}

async fn pin_for_the_gym(hotel: &TestHotel) -> Result<AccessGrantId> {
    let new = NewGrant::builder()
        .who(Who::named("Anna"))
        .entrances(hotel.entrances(&["gym"]).await?)
        .ends_at(at(TO))
        .methods([NewMethod::code()])
        .build();
    Ok(hotel.workspace().access_grants().create(new).await?.access_grant_id)
}

async fn is_issued(hotel: &TestHotel, grant: AccessGrantId) -> Result<bool> {
    Ok(hotel.workspace().access_methods().of_grant(grant).await?.iter().all(|m| m.is_issued))
}
