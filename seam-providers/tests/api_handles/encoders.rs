//! Encoders: cards that are handed out in one step, and outcomes that are told in advance in the words of the public API.
use super::*;
use seam_core::api::CredentialFilter;
use seam_core::error::ErrorKind::{InvalidInput, NotFound};
use seam_core::model::{ActionAttempt, ActionResult, ActionStatus, ActionType, ScanResult, codes};
use seam_core::{AccessMethodMode, AcsEncoderId};
use seam_providers::sandbox::{Card, EncodeFailure, ScanFailure, ScanScenario};
use std::time::Duration as Wait;

const WAIT: Wait = Wait::from_secs(30);

impl House {
    async fn encoder(&self, name: &str) -> AcsEncoderId {
        self.ws.acs().encoders().by_name(name).await.unwrap().acs_encoder_id
    }
    fn at_encoder(&self, name: &str) -> seam_providers::sandbox::Encoder {
        self.world.site(self.site).encoder(name)
    }
    async fn done(&self, asked: ActionAttempt) -> ActionAttempt {
        self.settle().await;
        self.ws.action_attempts().get(asked.action_attempt_id).await.unwrap()
    }
    /// A registered card is laid on the reader and given to somebody.
    async fn hand_out(&self, card: &Card, to: AcsUserId) -> ActionAttempt {
        let reader = self.encoder("reader-1").await;
        self.at_encoder("reader-1").put_card(card);
        let asked = self.ws.acs().encoders().scan_to_assign_credential(reader, to, WAIT).await.unwrap();
        assert_eq!(asked.action_type, ActionType::ScanToAssignCredential);
        let done = self.done(asked).await;
        self.at_encoder("reader-1").take_card();
        done
    }
    async fn cards_of(&self, user: AcsUserId) -> usize {
        let filter = CredentialFilter::builder().acs_user_id(user).build();
        self.ws.acs().credentials().list(&filter).await.unwrap().items.len()
    }
    fn opens_with(&self, card: &Card) -> BTreeSet<String> {
        let doors = self.world.site(self.site).doors();
        doors.iter().filter(|door| door.present(card).opened).map(|door| door.name().to_owned()).collect()
    }
    async fn scanned(&self) -> ScanResult {
        let desk = self.encoder("desk-1").await;
        let done = self.done(self.ws.acs().encoders().scan_credential(desk, WAIT).await.unwrap()).await;
        match done.result {
            Some(ActionResult::Scan(scan)) => *scan,
            other => panic!("{other:?}, {:?}", done.error),
        }
    }
}

fn credential(done: &ActionAttempt) -> AcsCredential {
    match &done.result {
        Some(ActionResult::Credential(credential)) => (**credential).clone(),
        other => panic!("{other:?}, {:?}", done.error),
    }
}

fn failed(done: &ActionAttempt) -> &str {
    assert_eq!(done.status, ActionStatus::Error, "{done:?}");
    &done.error.as_ref().unwrap().r#type
}

async fn office_by_hand() -> House {
    let mut config = SiteConfig::office("office");
    config.auto_card = false;
    house(config, "office").await
}

#[tokio::test]
async fn a_registered_card_is_read_and_is_hers_in_one_step() {
    let o = office_by_hand().await;
    let (ada, bo) = (o.user("Ada", &["staff"]).await, o.user("Bo", &["research"]).await);
    let card = o.world.blank_card();
    o.world.site("office").register_card(&card);
    let done = o.hand_out(&card, ada).await;
    let made = credential(&done);
    assert_eq!((made.acs_user_id, made.card_number.as_deref()), (Some(ada), Some(card.uid())));
    assert_eq!((made.access_method.clone(), made.is_issued), (AccessMethodMode::Card, Some(true)));
    assert_eq!(o.opens_with(&card), set(["entrance", "office"]));

    // Twice is once.
    assert_eq!(credential(&o.hand_out(&card, ada).await).acs_credential_id, made.acs_credential_id);
    assert_eq!(o.cards_of(ada).await, 1);
    // It is hers: nobody else gets it, and nothing has changed.
    let refused = o.hand_out(&card, bo).await;
    assert_eq!(failed(&refused), codes::action_error::UNCATEGORIZED_ERROR);
    assert_eq!((o.cards_of(bo).await, o.opens_with(&card)), (0, set(["entrance", "office"])));
    // Given back, it goes to the next.
    o.ws.acs().credentials().unassign(made.acs_credential_id, None).await.unwrap();
    o.settle().await;
    assert_eq!(o.opens_with(&card), set([]));
    let again = credential(&o.hand_out(&card, bo).await);
    assert_eq!((again.acs_credential_id, again.acs_user_id), (made.acs_credential_id, Some(bo)));
    assert_eq!(o.opens_with(&card), set(["lab"]));
}

#[tokio::test]
async fn a_person_gets_a_user_with_her_card() {
    let o = office_by_hand().await;
    let person = o.ws.user_identities().create(Person::named("Cleo")).await.unwrap().user_identity_id;
    let card = o.world.blank_card();
    o.world.site("office").register_card(&card);
    o.at_encoder("reader-1").put_card(&card);
    let reader = o.encoder("reader-1").await;
    let done = o.done(o.ws.acs().encoders().scan_to_assign_credential(reader, person, WAIT).await.unwrap()).await;
    let made = credential(&done);
    assert_eq!((made.user_identity_id, made.card_number.as_deref()), (Some(person), Some(card.uid())));
    let lab = o.group("research").await;
    o.ws.acs().access_groups().add_user(lab, made.acs_user_id.unwrap()).await.unwrap();
    o.settle().await;
    assert_eq!(o.opens_with(&card), set(["lab"]));
}

#[tokio::test]
async fn what_fails_in_one_step_has_changed_nothing() {
    let o = office_by_hand().await;
    let ada = o.user("Ada", &["staff"]).await;
    let reader = o.encoder("reader-1").await;
    let encoders = o.ws.acs().encoders();
    o.at_encoder("reader-1").next_credential_scan_will_fail(ScanFailure::NoCredentialOnEncoder, None);
    let none = o.done(encoders.scan_to_assign_credential(reader, ada, WAIT).await.unwrap()).await;
    assert_eq!(failed(&none), codes::action_error::NO_CREDENTIAL_ON_ENCODER);
    // The system does not know the card.
    let stranger = o.world.blank_card();
    assert_eq!(failed(&o.hand_out(&stranger, ada).await), codes::action_error::UNCATEGORIZED_ERROR);
    o.at_encoder("reader-1").next_credential_scan_will_fail(ScanFailure::ActionAttemptExpired, None);
    assert_eq!(failed(&o.hand_out(&stranger, ada).await), codes::action_error::ACTION_ATTEMPT_EXPIRED);
    assert_eq!(o.cards_of(ada).await, 0);
    // A credential that waits for a card waits on when the system refuses one, and takes the next.
    let waiting = NewCredential::builder().user(ada).mode(AccessMethodMode::Card).build();
    let waiting = o.ws.acs().credentials().create(waiting).await.unwrap().acs_credential_id;
    o.settle().await;
    assert_eq!(failed(&o.hand_out(&stranger, ada).await), codes::action_error::UNCATEGORIZED_ERROR);
    let card = o.world.blank_card();
    o.world.site("office").register_card(&card);
    let made = credential(&o.hand_out(&card, ada).await);
    assert_eq!((made.acs_credential_id, o.cards_of(ada).await), (waiting, 1));
    assert_eq!(o.opens_with(&card), set(["entrance", "office"]));

    refused(NotFound, "acs_encoder_not_found", o.other.acs().encoders().scan_to_assign_credential(reader, ada, WAIT)).await;
    refused(InvalidInput, "invalid_input", encoders.scan_to_assign_credential(reader, ada, Wait::ZERO)).await;
}

#[tokio::test]
async fn a_blank_card_of_a_hotel_is_no_credential() {
    let h = hotel().await;
    let person = h.ws.user_identities().create(Person::named("Ada")).await.unwrap().user_identity_id;
    let desk = h.encoder("desk-1").await;
    let done = h.done(h.ws.acs().encoders().scan_to_assign_credential(desk, person, WAIT).await.unwrap()).await;
    assert_eq!(failed(&done), codes::action_error::NO_CREDENTIAL_ON_ENCODER);
}

#[tokio::test]
async fn an_attempt_that_nobody_can_begin_expires() {
    let h = hotel().await;
    let desk = h.encoder("desk-1").await;
    let asked = h.ws.acs().encoders().scan_credential(desk, WAIT).await.unwrap();
    let again = h.ws.action_attempts().get(asked.action_attempt_id).await.unwrap();
    assert_eq!(again.status, ActionStatus::Pending);
    // No engine runs meanwhile.
    h.clock.advance(Duration::minutes(10));
    let expired = h.ws.action_attempts().get(asked.action_attempt_id).await.unwrap();
    assert_eq!(failed(&expired), codes::action_error::ACTION_ATTEMPT_EXPIRED);
    assert_eq!(failed(&h.done(asked).await), codes::action_error::ACTION_ATTEMPT_EXPIRED, "and nobody begins it later");
}

#[tokio::test]
async fn every_outcome_of_an_encode_can_be_told_in_advance() {
    let h = hotel().await;
    let room = h.door("101").await;
    let mut wish = h.wish(Who::named("Ada"), vec![room], vec![NewMethod::card()]);
    wish.reservation = Some("stay-1".to_owned());
    let grant = h.grant(wish).await;
    let filter = CredentialFilter::builder().access_method_id(grant.access_method_ids[0]).build();
    let card = h.ws.acs().credentials().list(&filter).await.unwrap().items[0].acs_credential_id;
    let person = h.ws.user_identities().create(Person::named("Bo")).await.unwrap().user_identity_id;
    let pin = NewCredential::builder().identity(person).system(h.system().await).mode(AccessMethodMode::Code);
    let pin = pin.entrances([h.door("gym").await]).build();
    let other = h.ws.acs().credentials().create(pin).await.unwrap().acs_credential_id;
    let (desk, id) = (h.at_encoder("desk-1"), h.encoder("desk-1").await);
    let encode = async || h.done(h.ws.acs().encoders().encode_credential(id, card, WAIT).await.unwrap()).await;
    for code in ["no_credential_on_encoder", "encoding_interrupted", "uncategorized_error", "action_attempt_expired"] {
        desk.next_credential_encode_will_fail(EncodeFailure::from_code(code).unwrap(), None);
        assert_eq!(failed(&encode().await), code);
    }
    assert_eq!(EncodeFailure::from_code("encoder_on_fire"), None);
    // Of another credential: not of this one, which is asked next.
    desk.next_credential_encode_will_fail(EncodeFailure::UncategorizedError, Some(other));
    desk.next_credential_encode_will_fail(EncodeFailure::ActionAttemptExpired, Some(card));
    assert_eq!(failed(&encode().await), "action_attempt_expired");
    assert_eq!(encode().await.status, ActionStatus::Success);
    desk.next_credential_encode_will_fail(EncodeFailure::NoCredentialOnEncoder, None);
    desk.next_credential_encode_will_succeed();
    assert_eq!(encode().await.status, ActionStatus::Success, "what was told last counts");
}

#[tokio::test]
async fn every_outcome_of_a_scan_can_be_told_in_advance() {
    let h = hotel().await;
    let room = h.door("101").await;
    let mut wish = h.wish(Who::named("Ada"), vec![room], vec![NewMethod::card(), NewMethod::card()]);
    wish.reservation = Some("stay-1".to_owned());
    let grant = h.grant(wish).await;
    let (desk, id) = (h.at_encoder("desk-1"), h.encoder("desk-1").await);
    let mut cards = Vec::new();
    for method in &grant.access_method_ids {
        let done = h.done(h.ws.access_methods().encode(*method, id).await.unwrap()).await;
        cards.push(credential(&done).acs_credential_id);
    }
    let scan = async |scenario: ScanScenario| {
        desk.next_credential_scan_will_succeed(scenario);
        let scan = h.scanned().await;
        let warnings: Vec<String> = scan.warnings.iter().map(|w| w.warning_code.clone()).collect();
        (scan.acs_credential_on_seam.map(|c| c.acs_credential_id), warnings, scan.acs_credential_on_encoder.unwrap().is_issued)
    };
    let named = |name: &str, card| ScanScenario::from_name(name, card).unwrap();
    assert_eq!(scan(named("credential_exists_on_seam", Some(cards[0]))).await, (Some(cards[0]), vec![], Some(true)));
    assert_eq!(scan(ScanScenario::default()).await, (Some(cards[1]), vec![], Some(true)), "the one that was made last");
    let out_of_sync = vec![codes::warning::ACS_CREDENTIAL_ON_ENCODER_OUT_OF_SYNC.to_owned()];
    assert_eq!(scan(named("credential_on_encoder_needs_update", Some(cards[0]))).await, (Some(cards[0]), out_of_sync, Some(true)));
    let not_found = vec![codes::warning::ACS_CREDENTIAL_ON_SEAM_NOT_FOUND.to_owned()];
    assert_eq!(scan(named("credential_does_not_exist_on_seam", None)).await, (None, not_found, Some(true)));
    assert_eq!(scan(named("credential_on_encoder_is_empty", None)).await, (None, vec![], Some(false)));
    assert_eq!(ScanScenario::from_name("credential_is_issued", None), None);

    let read = async || h.done(h.ws.acs().encoders().scan_credential(id, WAIT).await.unwrap()).await;
    for code in ["no_credential_on_encoder", "uncategorized_error", "action_attempt_expired"] {
        desk.next_credential_scan_will_fail(ScanFailure::from_code(code).unwrap(), None);
        assert_eq!(failed(&read().await), code);
    }
    assert_eq!(ScanFailure::from_code("encoding_interrupted"), None);
    // Narrowed to a credential: another card is read, that one is not.
    let written = desk.take_written();
    desk.next_credential_scan_will_fail(ScanFailure::UncategorizedError, Some(cards[0]));
    desk.put_card(&written[1]);
    assert_eq!(read().await.status, ActionStatus::Success);
    desk.take_card();
    desk.put_card(&written[0]);
    assert_eq!(failed(&read().await), "uncategorized_error");
    assert_eq!(read().await.status, ActionStatus::Success);
}

/// Whether any row of the store holds a card number that can still be opened.
async fn numbers_kept(h: &House, credential: seam_core::model::AcsCredentialId) -> bool {
    use seam_core::state::{Body, ReadSet};
    let reads = ReadSet { rows: [credential.uuid()].into(), ..ReadSet::default() };
    let facts = h.seam.store().read(h.ws.id(), &reads).await.unwrap();
    let row = facts.rows[&credential.uuid()].clone().unwrap();
    match &row.body {
        Body::Target(t) => t.card_number.is_some(),
        _ => panic!("no credential"),
    }
}

#[tokio::test]
async fn who_is_erased_leaves_no_card_number_behind() {
    let o = office_by_hand().await;
    let people = o.ws.user_identities();
    let (ada, twin) = (
        people.create(Person::named("Ada")).await.unwrap().user_identity_id,
        people.create(Person::named("Ada Twin")).await.unwrap().user_identity_id,
    );
    let reader = o.encoder("reader-1").await;
    let mut credentials = Vec::new();
    for person in [ada, twin, ada] {
        let card = o.world.blank_card();
        o.world.site("office").register_card(&card);
        o.at_encoder("reader-1").put_card(&card);
        let done = o.done(o.ws.acs().encoders().scan_to_assign_credential(reader, person, WAIT).await.unwrap()).await;
        credentials.push(credential(&done));
        if person == twin {
            // Somebody looks what it is, later.
            let scan = o.done(o.ws.acs().encoders().scan_credential(reader, WAIT).await.unwrap()).await;
            let Some(ActionResult::Scan(seen)) = scan.result else { panic!("{:?}", scan.error) };
            assert_eq!(seen.acs_credential_on_encoder.unwrap().card_number.as_deref(), Some(card.uid()));
        }
        o.at_encoder("reader-1").take_card();
    }
    // One is dead before, one user is gone before, and the twin became one with her.
    o.ws.acs().credentials().delete(credentials[2].acs_credential_id).await.unwrap();
    o.settle().await;
    o.world.site("office").go_silent(seam_providers::sandbox::Silence::RefusesConnections);
    o.ws.acs().users().delete(credentials[0].acs_user_id.unwrap()).await.unwrap();
    people.merge(ada, vec![twin]).await.unwrap();
    for made in &credentials {
        assert!(numbers_kept(&o, made.acs_credential_id).await, "the test looks where it was");
    }
    people.erase(ada).await.unwrap();
    for made in &credentials {
        assert!(!numbers_kept(&o, made.acs_credential_id).await);
    }
    o.world.site("office").speak();
    o.settle().await;
    for made in credentials {
        assert!(!numbers_kept(&o, made.acs_credential_id).await, "nor does it come back");
    }
}
