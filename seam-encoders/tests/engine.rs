//! The engine with a reader of ours: it asks the system what to write, and this crate writes it.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod support;

use async_trait::async_trait;
use chrono::Duration;
use seam_core::clock::{Clock, ManualClock};
use seam_core::encoder::{CardEncoder, CardFailure, CardImage, CardSeen, JobControl, Technology};
use seam_core::model::{ActionAttempt, ActionStatus};
use seam_core::plan::NewEncoder;
use seam_core::provider::ProviderFactory;
use seam_core::store::{MemoryStore, StaticKeys, Store, Vault};
use seam_core::{AccessMethodId, AcsEncoderId, Engine, EngineConfig, NewGrant, NewMethod, Seam, Who, Workspace};
use seam_encoders::access_data::{AccessData, AccessFormat, FileContent, GenericAccess};
use seam_encoders::job::{DesfireProfile, Encoder, EncoderBuilder, Journal, MemoryJournal};
use seam_encoders::keys::{Diversified, FixedKeys, Key};
use seam_encoders::sim::{DesfireCard, DesfireModel};
use seam_encoders::sim::{Fault, FaultKind};
use seam_encoders::transport::SimulatedReader;
use seam_providers::sandbox::{SandboxFactory, SiteConfig, World};
use std::sync::{Arc, Mutex};
use support::{OURS, PagesCard, PagesProfile};

const END: &str = "local:usb:desk";

struct Hotel {
    clock: Arc<ManualClock>,
    reader: SimulatedReader,
    journal: Arc<MemoryJournal>,
    engine: Engine,
    ws: Workspace,
    encoder: AcsEncoderId,
}

/// A hotel of the sandbox whose cards are written at a reader of ours.
async fn hotel() -> Hotel {
    hotel_with(|encoder| Arc::new(encoder.profile(PagesProfile::of("sandbox")).build())).await
}

async fn hotel_with(encoder: impl FnOnce(EncoderBuilder) -> Arc<dyn CardEncoder>) -> Hotel {
    let clock = Arc::new(ManualClock::new("2026-03-01T08:00:00Z".parse().unwrap()));
    let time = || Arc::clone(&clock) as Arc<dyn Clock>;
    let world = World::new(time());
    world.add(SiteConfig::hotel_with_own_readers("hotel", 3));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(time()));
    let vault = Vault::new(Arc::new(StaticKeys::new([7; 32])));
    let seam = Seam::with_options(Arc::clone(&store), vault.clone(), "https://keys.example", Some(1));
    let (reader, journal) = (SimulatedReader::new("desk"), Arc::new(MemoryJournal::default()));
    let encoder = encoder(Encoder::at(reader.clone()).clock(time()).journal(Arc::clone(&journal) as Arc<dyn Journal>));
    let mut config = EngineConfig::default();
    config.seed = Some(2);
    config.card_encoders.insert(END.to_owned(), encoder);
    let factories: Vec<Arc<dyn ProviderFactory>> = vec![Arc::new(SandboxFactory::new(world))];
    let engine = Engine::new(store, vault, factories, config);
    let ws = seam.create_workspace("Aurora", true).await.unwrap();
    ws.connected_accounts().connect("sandbox", &serde_json::json!({ "site": "hotel" })).await.unwrap();
    engine.round().await.unwrap();
    let system = ws.acs().systems().list(None, 10).await.unwrap().items[0].acs_system_id;
    let new = NewEncoder::builder().system(system).end(END).name("Front desk").card_wait_seconds(40).build();
    let encoder = ws.acs().encoders().add(new).await.unwrap().acs_encoder_id;
    Hotel { clock, reader, journal, engine, ws, encoder }
}

impl Hotel {
    async fn guest(&self) -> AccessMethodId {
        let door = self.ws.acs().entrances().by_name("101").await.unwrap().acs_entrance_id;
        let (from, to) = ("2026-03-01T15:00:00Z".parse().unwrap(), "2026-03-03T11:00:00Z".parse().unwrap());
        let new = NewGrant::builder().who(Who::named("Ada")).entrances(vec![door]).starts_at(from).ends_at(to).reservation("first");
        let grant = self.ws.access_grants().create(new.methods(vec![NewMethod::card()]).build()).await.unwrap();
        self.engine.round().await.unwrap();
        grant.access_method_ids[0]
    }
    async fn encode(&self, method: AccessMethodId) -> ActionAttempt {
        let asked = self.ws.access_methods().encode(method, self.encoder).await.unwrap();
        let until = self.clock.now() + Duration::minutes(1);
        while let Some(next) = self.engine.round().await.unwrap().filter(|next| *next <= until) {
            self.clock.set(next.max(self.clock.now()));
        }
        self.ws.action_attempts().get(asked.action_attempt_id).await.unwrap()
    }
    async fn is_issued(&self, method: AccessMethodId) -> bool {
        self.ws.access_methods().get(method).await.unwrap().is_issued
    }
}

#[tokio::test]
async fn a_card_that_was_pulled_away_half_way_is_finished_by_asking_again() {
    let d = hotel().await;
    let method = d.guest().await;
    d.reader.put(Box::new(PagesCard::blank(1)));
    // The look at the card and the first looks of the job are over, some pages are written.
    d.reader.with_field(|f| f.plan(Fault { at: 12, kind: FaultKind::PulledAfterBytes(0) }));
    let failed = d.encode(method).await;
    assert_eq!((failed.status, failed.error.unwrap().r#type.as_str()), (ActionStatus::Error, "encoding_interrupted"));
    assert!(!d.is_issued(method).await && d.ws.questions().await.unwrap().is_empty());
    assert_eq!(d.journal.len(), 1);
    assert!(d.reader.put_back());
    assert_eq!(PagesCard::in_field(&d.reader).0, support::TORN);

    let done = d.encode(method).await;
    assert_eq!(done.status, ActionStatus::Success, "{:?}", done.error);
    let (mark, text) = PagesCard::in_field(&d.reader);
    assert!(mark == OURS && text.contains("\"101\"") && d.journal.is_empty(), "{text}");
    assert!(d.is_issued(method).await);
}

/// From the command on that makes the card live nobody can say whether it opens the door: a person is asked, and the same card again is the answer.
#[tokio::test]
async fn after_an_unknown_outcome_the_same_card_again_answers_it() {
    let d = hotel().await;
    let method = d.guest().await;
    d.reader.put(Box::new(PagesCard::blank(1)));
    let whole = {
        let probe = hotel().await;
        let method = probe.guest().await;
        probe.reader.put(Box::new(PagesCard::blank(1)));
        assert_eq!(probe.encode(method).await.status, ActionStatus::Success);
        probe.reader.with_field(|f| f.sent())
    };
    // The last command but one: the read back.
    d.reader.with_field(|f| f.plan(Fault { at: whole - 2, kind: FaultKind::PulledAfterBytes(0) }));
    assert_eq!(d.encode(method).await.status, ActionStatus::Error);
    assert_eq!(d.ws.questions().await.unwrap().len(), 1);
    assert!(d.reader.put_back());
    // The engine leaves the reader alone for as long as a job there may hang.
    let done = d.encode(method).await;
    assert_eq!(done.status, ActionStatus::Success, "{:?}", done.error);
    assert!(d.ws.questions().await.unwrap().is_empty() && d.is_issued(method).await);
}

/// The system of this hotel knows a card by a key of its own; the readers at the doors know it by a number in NXP's format.
#[derive(Debug)]
struct Numbered(Encoder);

#[async_trait]
impl CardEncoder for Numbered {
    fn technologies(&self) -> &[Technology] {
        self.0.technologies()
    }
    async fn present(&self, control: &JobControl) -> Result<CardSeen, CardFailure> {
        self.0.present(control).await
    }
    async fn write(&self, to: &CardSeen, image: &CardImage, control: &JobControl) -> Result<(), CardFailure> {
        assert!(image.content.is_object(), "the system's own image");
        let content = serde_json::json!({ "access": { "site": 7, "credential": 4711 } });
        self.0.write(to, &CardImage { technology: image.technology.clone(), content }, control).await
    }
}

#[tokio::test]
async fn access_data_reaches_a_card_through_the_engine_also_after_it_was_pulled_away() {
    let uid = [4, 1, 2, 3, 4, 5, 6];
    let format = || GenericAccess::new(Key::aes([9; 16], 0)).unwrap();
    let masters = (0..3).fold(FixedKeys::default(), |keys, number| keys.with(&[0xF5, 0x32, 0xF0], number, Key::aes([number; 16], 1)));
    let profile = DesfireProfile::access(format(), Arc::new(Diversified::new(masters, b"seam")), 1).unwrap().named("sandbox");
    let d = hotel_with(|encoder| Arc::new(Numbered(encoder.profile(profile).build()))).await;
    let method = d.guest().await;
    let card = Arc::new(Mutex::new(DesfireCard::new(DesfireModel::Ev2, uid)));
    d.reader.put(Box::new(Arc::clone(&card)));
    d.reader.with_field(|f| f.plan(Fault { at: 16, kind: FaultKind::PulledAfterBytes(0) }));
    let failed = d.encode(method).await;
    assert_eq!((failed.status, failed.error.unwrap().r#type.as_str()), (ActionStatus::Error, "encoding_interrupted"));
    assert!(!d.is_issued(method).await && d.journal.len() == 1);
    assert!(d.reader.put_back());
    let done = d.encode(method).await;
    assert_eq!(done.status, ActionStatus::Success, "{:?}", done.error);
    assert!(d.is_issued(method).await && d.journal.is_empty());
    let bytes = card.lock().unwrap().content(0x00F5_32F0, 2).unwrap().into();
    let read = format().decode(&uid, &[FileContent { file: 2, bytes }]).unwrap();
    assert!(read.is_same(&AccessData::new(7, 4711).unwrap()));
}
