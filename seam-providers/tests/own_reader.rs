//! Cards written by readers of our own: the site computes what is written, the engine that has the reader writes it.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod support;

use chrono::Duration;
use seam_core::encoder::{CardFailure, CardProblem, CardState};
use seam_core::error::ErrorKind;
use seam_core::model::{AcsSystemId, ActionAttempt, ActionResult, ActionStatus};
use seam_core::plan::NewEncoder;
use seam_core::{AccessMethodId, AcsEncoderId, Engine, EngineConfig, NewGrant, NewMethod, Who};
use seam_providers::sandbox::{Card, Reader, SandboxFactory, SiteConfig, Why};
use std::cell::RefCell;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration as Wait;
use support::{Stage, at, stage_with};

const END: &str = "local:usb:desk";

struct Desk {
    stage: Stage,
    reader: Reader,
    encoder: AcsEncoderId,
    system: AcsSystemId,
}

impl Deref for Desk {
    type Target = Stage;
    fn deref(&self) -> &Stage {
        &self.stage
    }
}

async fn desk() -> Desk {
    let kept = RefCell::new(None);
    let stage = stage_with("2026-03-01T08:00:00Z", SiteConfig::hotel_with_own_readers("hotel", 3), |world, config| {
        let reader = Reader::new(world);
        config.card_encoders.insert(END.to_owned(), Arc::new(reader.clone()));
        kept.replace(Some(reader));
    })
    .await;
    let system = stage.ws.acs().systems().list(None, 10).await.unwrap().items[0].acs_system_id;
    let new = NewEncoder::builder().system(system).end(END).name("Front desk").card_wait_seconds(40).build();
    let encoder = stage.ws.acs().encoders().add(new).await.unwrap().acs_encoder_id;
    Desk { stage, reader: kept.into_inner().unwrap(), encoder, system }
}

impl Desk {
    /// A stay in a room, one card for each name.
    async fn stay(&self, room: &str, key: &str, from: &str, to: &str, guests: usize) -> Vec<AccessMethodId> {
        let door = self.door(room).await;
        let new = NewGrant::builder().who(Who::named("Ada")).entrances(vec![door]).starts_at(at(from)).ends_at(at(to)).reservation(key);
        let grant = self.ws.access_grants().create(new.methods(vec![NewMethod::card(); guests]).build()).await.unwrap();
        self.engine.round().await.unwrap();
        grant.access_method_ids
    }
    async fn encode(&self, method: AccessMethodId) -> ActionAttempt {
        let asked = self.ws.access_methods().encode(method, self.encoder).await.unwrap();
        self.pass(Duration::minutes(1)).await;
        self.ws.action_attempts().get(asked.action_attempt_id).await.unwrap()
    }
    async fn written(&self, method: AccessMethodId) -> Card {
        let card = self.world.blank_card();
        self.reader.put_card(&card);
        let done = self.encode(method).await;
        assert_eq!(done.status, ActionStatus::Success, "{:?}", done.error);
        self.reader.take_card().unwrap()
    }
    async fn fails(&self, method: AccessMethodId, code: &str) {
        let done = self.encode(method).await;
        assert_eq!(done.error.map(|e| e.r#type).as_deref(), Some(code));
    }
    async fn is_issued(&self, method: AccessMethodId) -> bool {
        self.ws.access_methods().get(method).await.unwrap().is_issued
    }
    fn tries(&self, door: &str, card: &Card) -> Why {
        self.world.site("hotel").door(door).present(card).why
    }
}

const STAY: (&str, &str) = ("2026-03-01T15:00:00Z", "2026-03-03T11:00:00Z");

#[tokio::test]
async fn a_stay_is_opened_joined_and_followed_by_the_next_as_at_the_systems_own_encoder() {
    let d = desk().await;
    let methods = d.stay("101", "first", STAY.0, STAY.1, 2).await;
    let next = d.stay("101", "second", "2026-03-03T15:00:00Z", "2026-03-05T11:00:00Z", 1).await;
    let ahead = d.written(next[0]).await;
    d.clock.set(at(STAY.0));
    let (one, two) = (d.written(methods[0]).await, d.written(methods[1]).await);
    assert_eq!([d.tries("101", &one), d.tries("101", &two), d.tries("101", &one)], [Why::Opened; 3]);
    assert_eq!(d.tries("102", &one), Why::WrongDoor);
    assert!(d.is_issued(methods[0]).await && d.is_issued(methods[1]).await);
    d.clock.set(at("2026-03-03T15:00:00Z"));
    assert_eq!(d.tries("101", &ahead), Why::OpenedAndOverrode);

    // A card that is written again for somebody else is hers no longer, and is known as that at the reader.
    let other = d.stay("102", "third", "2026-03-03T15:00:00Z", "2026-03-05T11:00:00Z", 1).await;
    d.reader.put_card(&ahead);
    assert_eq!(d.encode(other[0]).await.status, ActionStatus::Success);
    assert_eq!([d.tries("101", &ahead), d.tries("102", &ahead)], [Why::WrongDoor, Why::Opened]);
    assert!(!d.is_issued(next[0]).await && d.is_issued(other[0]).await);
    let scan = d.ws.acs().encoders().scan_credential(d.encoder, Wait::from_secs(10)).await.unwrap();
    d.pass(Duration::minutes(1)).await;
    let Some(ActionResult::Scan(scan)) = d.ws.action_attempts().get(scan.action_attempt_id).await.unwrap().result else { panic!() };
    let known = scan.acs_credential_on_seam.unwrap();
    assert_eq!(known.card_number.as_deref(), Some(ahead.uid()));
    assert_eq!(scan.acs_credential_on_encoder.unwrap().is_issued, Some(true));
}

#[tokio::test]
async fn failures_say_what_became_of_the_card() {
    let d = desk().await;
    let m = d.stay("101", "first", STAY.0, STAY.1, 2).await;
    d.reader.next_present_will_fail(CardFailure::new(CardProblem::None, CardState::Untouched));
    d.fails(m[0], "no_credential_on_encoder").await;
    let (one, two) = (d.world.blank_card(), d.world.foreign_card());
    d.reader.put_card(&one);
    d.reader.put_card(&two);
    d.fails(m[0], "encoding_interrupted").await;
    d.reader.take_card();
    d.fails(m[0], "incompatible_card_format").await;
    d.reader.take_card();

    // Torn: it opens nothing, the stay is not opened, and a repeat finishes it.
    d.reader.put_card(&one);
    d.reader.next_write_will_fail(CardFailure::new(CardProblem::Removed, CardState::Torn), false);
    d.fails(m[0], "encoding_interrupted").await;
    assert!(d.ws.questions().await.unwrap().is_empty());
    d.clock.set(at(STAY.0));
    assert_eq!(d.tries("101", &one), Why::NoCredential);
    let card = {
        d.reader.take_card();
        d.reader.put_card(&one);
        assert_eq!(d.encode(m[0]).await.status, ActionStatus::Success);
        d.reader.take_card().unwrap()
    };
    assert_eq!(d.tries("101", &card), Why::Opened);
    // It was read back before the reader failed: it is written.
    let again = d.world.blank_card();
    d.reader.put_card(&again);
    d.reader.next_write_will_fail(CardFailure::new(CardProblem::Offline, CardState::Written), true);
    assert_eq!(d.encode(m[1]).await.status, ActionStatus::Success);
    assert_eq!(d.tries("101", &again), Why::Opened);
}

#[tokio::test]
async fn after_an_unknown_outcome_a_person_is_asked_and_the_reader_is_left_alone() {
    for was_written in [false, true] {
        let d = desk().await;
        let m = d.stay("101", "first", STAY.0, STAY.1, 2).await;
        let card = d.world.blank_card();
        d.reader.put_card(&card);
        d.reader.next_write_will_fail(CardFailure::new(CardProblem::Offline, CardState::Unknown), was_written);
        let asked = d.ws.access_methods().encode(m[0], d.encoder).await.unwrap();
        d.engine.round().await.unwrap();
        let done = d.ws.action_attempts().get(asked.action_attempt_id).await.unwrap();
        assert_eq!((done.status, d.ws.questions().await.unwrap().len()), (ActionStatus::Error, 1));
        // Left alone for as long as a job there may hang: 40 s.
        let again = d.ws.access_methods().encode(m[0], d.encoder).await.unwrap().action_attempt_id;
        d.pass(Duration::seconds(39)).await;
        assert_eq!(d.ws.action_attempts().get(again).await.unwrap().status, ActionStatus::Pending);
        d.pass(Duration::seconds(2)).await;
        // The same method again is the answer: whichever it was, there is one key now.
        assert_eq!(d.ws.action_attempts().get(again).await.unwrap().status, ActionStatus::Success);
        assert!(d.ws.questions().await.unwrap().is_empty());
        d.reader.take_card();
        let other = d.written(m[1]).await;
        d.clock.set(at(STAY.0));
        assert_eq!([d.tries("101", &card), d.tries("101", &other)], [Why::Opened; 2], "written: {was_written}");
    }
}

#[tokio::test]
async fn only_the_instance_that_has_the_reader_does_its_jobs() {
    let d = desk().await;
    let m = d.stay("101", "first", STAY.0, STAY.1, 1).await;
    d.reader.put_card(&d.world.blank_card());
    let mut config = EngineConfig::default();
    config.seed = Some(9);
    let factory = Arc::new(SandboxFactory::new(d.world.clone()));
    let elsewhere = Engine::new(Arc::clone(d.seam.store()), d.seam.vault().clone(), vec![factory], config);
    let asked = d.ws.access_methods().encode(m[0], d.encoder).await.unwrap().action_attempt_id;
    elsewhere.round().await.unwrap();
    assert_eq!(d.ws.action_attempts().get(asked).await.unwrap().status, ActionStatus::Pending);
    d.engine.round().await.unwrap();
    assert_eq!(d.ws.action_attempts().get(asked).await.unwrap().status, ActionStatus::Success);
}

#[tokio::test]
async fn a_reader_is_added_to_a_system_that_uses_it_and_removed_again() {
    let d = desk().await;
    let encoders = d.ws.acs().encoders();
    let new = |end: &str| NewEncoder::builder().system(d.system).end(end).name("Second").build();
    for wrong in ["usb:desk", "local:", "local:a|b", "local:\n"] {
        assert_eq!(encoders.add(new(wrong)).await.unwrap_err().kind(), ErrorKind::InvalidInput, "{wrong:?}");
    }
    assert_eq!(encoders.add(new(END)).await.unwrap_err().code(), "encoder_known");
    // A scan of the account, which does not list it, leaves it there.
    d.pass(Duration::hours(1)).await;
    assert!(encoders.get(d.encoder).await.unwrap().errors.is_empty());
    let m = d.stay("101", "first", STAY.0, STAY.1, 1).await;
    d.written(m[0]).await;
    encoders.remove(d.encoder).await.unwrap();
    encoders.remove(d.encoder).await.unwrap();
    assert_eq!(encoders.get(d.encoder).await.unwrap().errors[0].error_code, "acs_encoder_removed");
    d.reader.put_card(&d.world.blank_card());
    d.fails(m[0], "encoder_not_online").await;
    assert_eq!(encoders.add(new(END)).await.unwrap().acs_encoder_id, d.encoder);
    assert_eq!(d.encode(m[0]).await.status, ActionStatus::Success);

    let hotel = support::stage(SiteConfig::hotel("hotel", 1), None).await;
    let system = hotel.ws.acs().systems().list(None, 10).await.unwrap().items[0].acs_system_id;
    let refused = hotel.ws.acs().encoders().add(NewEncoder::builder().system(system).end(END).name("Desk").build()).await.unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (ErrorKind::Unsupported, "not_encodable"));
    let theirs = hotel.ws.acs().encoders().by_name("desk-1").await.unwrap().acs_encoder_id;
    assert_eq!(hotel.ws.acs().encoders().remove(theirs).await.unwrap_err().code(), "encoder_of_system");
}
