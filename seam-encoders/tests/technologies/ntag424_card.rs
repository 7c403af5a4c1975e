//! The driver at the simulated card: what works, what each side refuses, and a fault at every command of a whole job.
use seam_encoders::apdu::StatusWord;
use seam_encoders::dialogue::{Dialogue, Random};
use seam_encoders::error::CardError;
use seam_encoders::keys::{Key, KeyType};
use seam_encoders::ndef;
use seam_encoders::ntag424::job::{self, FileOrder, Order};
use seam_encoders::ntag424::sdm::{SdmError, SdmUrl};
use seam_encoders::ntag424::settings::{Access, CommMode, FileSettings, KeyNo, Rights};
use seam_encoders::ntag424::{File, Ntag424, Suite};
use seam_encoders::sim::ntag424::Ntag424Card;
use seam_encoders::sim::{Fault, Field};

pub(crate) const UID: [u8; 7] = [0x04, 0x95, 0x8c, 0xaa, 0x5c, 0x5e, 0x80];
const OTHER: [u8; 7] = [0x04, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66];

/// Numbers that differ and are the same in every run.
#[derive(Clone)]
pub(crate) struct Counting(pub(crate) u8);

impl Random for Counting {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CardError> {
        for byte in out {
            self.0 = self.0.wrapping_mul(37).wrapping_add(11);
            *byte = self.0;
        }
        Ok(())
    }
}

fn key(number: u8) -> Key {
    Key::aes([0x10 + number; 16], 1)
}

fn zeros() -> [Key; 5] {
    std::array::from_fn(|_| Key::zero(KeyType::Aes128))
}

pub(crate) fn url(suite: Suite) -> SdmUrl {
    SdmUrl::new(suite, "https://door.example/t?p={picc}&d={data:room 412 level 4}&m={mac}").unwrap()
}

fn order(suite: Suite) -> Order {
    let (content, sdm) = url(suite).layout(KeyNo::new(1).unwrap(), KeyNo::new(2).unwrap()).unwrap();
    let master = Access::Key(KeyNo::MASTER);
    let key3 = Access::Key(KeyNo::new(3).unwrap());
    Order {
        uid: UID,
        suite,
        old: vec![zeros()],
        new: std::array::from_fn(|number| key(u8::try_from(number).unwrap())),
        ndef: FileOrder {
            content,
            settings: FileSettings {
                mode: CommMode::Mac,
                rights: Rights { read: Access::Free, write: key3, read_write: Access::Never, change: master },
                sdm: Some(sdm),
            },
        },
        url: Some(url(suite)),
        proprietary: Some(FileOrder {
            content: b"what only the issuer reads, and more than one block of it".to_vec(),
            settings: FileSettings {
                mode: CommMode::Full,
                rights: Rights { read: key3, write: key3, read_write: master, change: master },
                sdm: None,
            },
        }),
    }
}

fn card(suite: Suite, uid: [u8; 7]) -> Ntag424Card {
    let card = Ntag424Card::new(uid);
    if suite == Suite::Lrp { card.with_lrp() } else { card }
}

fn write(field: &mut Field, order: &Order) -> Result<(), CardError> {
    let order = order.clone();
    field.run(Dialogue::new(|card| async move {
        job::write(&card, &order, &(), &mut Counting(1)).await?;
        job::verify(&card, &order, &mut Counting(1)).await
    }))
}

/// A tap, as a phone and the backend see it.
fn tap(field: &mut Field, suite: Suite) -> String {
    field.reset();
    let length = order(suite).ndef.content.len();
    let file = field
        .run(Dialogue::<_, CardError>::new(|card| async move { Ntag424::select(card).await?.read(File::Ndef, 0, length).await }))
        .unwrap();
    ndef::file::message(&file).unwrap().unwrap().records()[0].as_uri().unwrap().unwrap()
}

#[test]
fn a_card_is_written_proven_and_tapped() {
    for suite in [Suite::Aes, Suite::Lrp] {
        let mut field = Field::with(card(suite, UID));
        write(&mut field, &order(suite)).unwrap();
        let address = tap(&mut field, suite);
        let tap_of = |address: &str| url(suite).tap(address).unwrap();
        let verified = tap_of(&address).verify(&key(1), &key(2), Some(1)).unwrap();
        // The first tap was that of the proof.
        assert_eq!((verified.uid, verified.counter), (Some(UID), Some(2)));
        assert_eq!(verified.data.unwrap(), b"room 412 level 4");
        assert_eq!(tap_of(&address.to_lowercase()).verify(&key(1), &key(2), Some(1)).map(|tap| tap.counter), Ok(Some(2)));

        assert_eq!(tap_of(&address).verify(&key(1), &key(2), Some(2)), Err(SdmError::Replayed { counter: 2, seen: 2 }));
        assert_eq!(tap_of(&address).verify(&key(1), &key(3), None), Err(SdmError::Mac));
        let again = tap(&mut field, suite);
        assert_ne!(address, again);
        // Every single digit of the address counts.
        for (at, digit) in address.char_indices().filter(|(at, digit)| *at > 24 && digit.is_ascii_hexdigit()) {
            let other = if digit == '0' { '1' } else { '0' };
            let changed: String = address.char_indices().map(|(index, was)| if index == at { other } else { was }).collect();
            let believed = url(suite).tap(&changed).is_ok_and(|tap| tap.verify(&key(1), &key(2), None).is_ok());
            assert!(!believed, "{changed}");
        }
    }
}

/// The job takes the fewest commands that the protocol allows for what it does; a change of this number is a change of how long a guest waits.
#[test]
fn a_job_needs_so_many_commands() {
    let mut field = Field::with(card(Suite::Aes, UID));
    write(&mut field, &order(Suite::Aes)).unwrap();
    // Writing: select, 2 to authenticate, number, 3 per file and one to open the third file, 2 per key, the master key. Proof: select, tap, 2,
    // number, 2 per file, 2 per key.
    assert_eq!(field.sent(), (1 + 2 + 1 + 2 * 3 + 1 + 4 * 2 + 1) + (1 + 1 + 2 + 1 + 2 * 2 + 4 * 2));
}

#[test]
fn neither_other_content_nor_other_settings_are_taken_for_what_was_written() {
    let mut field = Field::with(card(Suite::Aes, UID));
    write(&mut field, &order(Suite::Aes)).unwrap();
    let verified = |field: &mut Field, change: &dyn Fn(&mut Order)| {
        let mut order = order(Suite::Aes);
        change(&mut order);
        field.reset();
        verify(field, &order)
    };
    assert_eq!(verified(&mut field, &|_| {}), Ok(()));
    // Not of the address, which a tap would give away.
    let content = |order: &mut Order| order.proprietary.iter_mut().for_each(|file| file.content[3] ^= 1);
    assert_eq!(verified(&mut field, &content), Err(CardError::NotAsWritten));
    let master = Access::Key(KeyNo::MASTER);
    let settings = |order: &mut Order| order.proprietary.iter_mut().for_each(|file| file.settings.rights.write = master);
    assert_eq!(verified(&mut field, &settings), Err(CardError::NotAsWritten));
    assert_eq!(verified(&mut field, &|order| order.ndef.settings.rights.write = master), Err(CardError::NotAsWritten));
    let key = |order: &mut Order| order.new[4] = Key::aes([0x99; 16], 1);
    assert!(matches!(verified(&mut field, &key), Err(CardError::AuthenticationRefused { key_no: 4, .. })));
}

#[test]
fn a_finished_card_may_be_written_again() {
    let mut field = Field::with(card(Suite::Aes, UID));
    write(&mut field, &order(Suite::Aes)).unwrap();
    field.reset();
    write(&mut field, &order(Suite::Aes)).unwrap();
}

fn faults(suite: Suite) -> Vec<super::NamedFault> {
    super::faults(move || Box::new(card(suite, OTHER)))
}

#[test]
fn a_fault_at_every_command_is_typed_and_a_repeat_finishes() {
    faults_at_every_command(Suite::Aes);
}

#[test]
fn a_fault_at_every_command_with_lrp_is_typed_and_a_repeat_finishes() {
    faults_at_every_command(Suite::Lrp);
}

fn faults_at_every_command(suite: Suite) {
    // LRP is computed slowly, and only what differs for the driver is tried with it.
    let kinds = |name: &str| suite == Suite::Aes || ["pulled after", "mute", "garbage", "another card"].contains(&name);
    let order = order(suite);
    let mut field = Field::with(card(suite, UID));
    write(&mut field, &order).unwrap();
    let commands = field.sent();
    let mut harmless = Vec::new();
    for at in 0..commands {
        for (name, fault) in faults(suite).into_iter().filter(|(name, _)| kinds(name)) {
            let mut field = Field::with(card(suite, UID));
            field.plan(Fault { at, kind: fault() });
            let result = write(&mut field, &order);
            match &result {
                Ok(()) => harmless.push((at, name)),
                Err(error) if super::is_of_a_fault(error) => {}
                Err(other) => panic!("{name} at {at}: {other:?}"),
            }
            if name == "another card" {
                // A new card with the same old keys was put there: nothing of it has changed.
                let other = field.take().expect("the other card");
                let mut alone = Field::default();
                alone.put(other);
                let untouched = Order { uid: OTHER, new: zeros(), ndef: blank(File::Ndef), url: None, proprietary: None, ..order.clone() };
                assert_eq!(verify(&mut alone, &untouched), Ok(()), "the other card at {at}");
            }
            if field.put_back().is_none() {
                field.reset();
            }
            assert_eq!(write(&mut field, &order), Ok(()), "the repeat after {name} at {at}, which gave {result:?}");
        }
    }
    // Only the answer to SELECT means nothing beyond its status.
    let selects = [0, 20];
    assert!(harmless.iter().all(|(at, name)| selects.contains(at) && *name == "garbage that a reader calls done"), "{harmless:?}");
}

fn blank(file: File) -> FileOrder {
    let rights = Rights { read: Access::Free, write: Access::Free, read_write: Access::Free, change: Access::Key(KeyNo::MASTER) };
    FileOrder { content: vec![0; file.size()], settings: FileSettings { mode: CommMode::Plain, rights, sdm: None } }
}

fn verify(field: &mut Field, order: &Order) -> Result<(), CardError> {
    let order = order.clone();
    field.run(Dialogue::new(|card| async move { job::verify(&card, &order, &mut Counting(1)).await }))
}

#[test]
fn a_card_of_somebody_else_is_refused_and_unchanged() {
    let mut field = Field::with(card(Suite::Aes, UID).with_key(0, [0x77; 16], 3));
    let refused = CardError::AuthenticationRefused { key_no: 0, status: StatusWord(0x91ae) };
    assert_eq!(write(&mut field, &order(Suite::Aes)), Err(refused));
    let mut field = Field::with(card(Suite::Aes, OTHER));
    assert_eq!(write(&mut field, &order(Suite::Aes)), Err(CardError::Invalid("this is another card than the one that was presented")));
    // The other suite is a refusal with a status of its own.
    let mut field = Field::with(card(Suite::Lrp, UID));
    let refused = CardError::AuthenticationRefused { key_no: 0, status: StatusWord(0x919d) };
    assert_eq!(write(&mut field, &order(Suite::Aes)), Err(refused));
}

#[test]
fn an_order_that_could_not_be_repeated_is_refused_before_the_card_sees_anything() {
    let closed = |change: &dyn Fn(&mut Order)| {
        let mut order = order(Suite::Aes);
        change(&mut order);
        let mut field = Field::with(card(Suite::Aes, UID));
        let result = write(&mut field, &order);
        assert_eq!(field.sent(), 0);
        result
    };
    assert!(matches!(closed(&|order| order.new[2] = Key::aes([9; 16], 0)), Err(CardError::Invalid(_))));
    assert!(matches!(closed(&|order| order.ndef.settings.rights.change = Access::Never), Err(CardError::Invalid(_))));
    assert!(matches!(closed(&|order| order.ndef.settings.rights.read = Access::Never), Err(CardError::Invalid(_))));
    assert!(matches!(closed(&|order| order.ndef.content = vec![0; 257]), Err(CardError::TooLong { length: 257, max: 256 })));
}

#[test]
fn the_master_key_can_be_rotated_again_and_again() {
    let mut field = Field::with(card(Suite::Aes, UID));
    let mut order = order(Suite::Aes);
    for version in 1..4 {
        order.new = std::array::from_fn(|number| Key::aes([version * 16 + u8::try_from(number).unwrap(); 16], version));
        write(&mut field, &order).unwrap();
        field.reset();
        order.old = vec![order.new.clone()];
    }
}

#[test]
fn what_the_card_refuses_has_a_type_and_ends_the_session() {
    let mut field = Field::with(card(Suite::Aes, UID));
    let result = field.run(Dialogue::<_, CardError>::new(|card| async move {
        let tag = Ntag424::select(card.clone()).await?;
        assert!(tag.version().await?.hardware.starts_with(&[4, 2]));
        // Key 1 may change neither keys nor settings, nor read the third file.
        let mut session = tag.authenticate(Suite::Aes, KeyNo::new(1)?, &Key::zero(KeyType::Aes128), &mut Counting(5)).await?;
        let third = session.settings(File::Proprietary).await?;
        assert_eq!(
            session.read(File::Proprietary, &third, 0, 4).await,
            Err(CardError::Invalid("the key that was proven may not read this file"))
        );
        assert!(matches!(session.read(File::Proprietary, &third, 100, 29).await, Err(CardError::TooLong { length: 129, max: 128 })));
        session.prove(KeyNo::MASTER, &Key::zero(KeyType::Aes128), &mut Counting(6)).await?;
        // The wrong old key: the card sees it by the checksum of the new one.
        let wrong = session.change_key(KeyNo::new(1)?, &Key::aes([5; 16], 0), &Key::aes([6; 16], 1)).await;
        assert_eq!(wrong, Err(CardError::Status(StatusWord(0x911e))));
        assert_eq!(session.uid().await, Err(CardError::Misused("a session after its end")));
        Ok(())
    }));
    assert_eq!(result, Ok(()));
}

#[test]
fn random_numbers_hide_the_card_from_everybody_but_the_holder_of_a_key() {
    let mut field = Field::with(card(Suite::Aes, UID));
    let result = field.run(Dialogue::<_, CardError>::new(|card| async move {
        let tag = Ntag424::select(card.clone()).await?;
        let mut session = tag.authenticate(Suite::Aes, KeyNo::MASTER, &Key::zero(KeyType::Aes128), &mut Counting(5)).await?;
        session.hide_uid().await?;
        assert_eq!(session.uid().await?, UID);
        let tag = Ntag424::select(card).await?;
        assert_eq!(tag.version().await?.uid, None);
        assert!(tag.signature().await.is_err());
        Ok(())
    }));
    assert_eq!(result, Ok(()));
}

#[test]
fn switching_to_lrp_is_for_ever() {
    let mut field = Field::with(card(Suite::Aes, UID));
    let result = field.run(Dialogue::<_, CardError>::new(|card| async move {
        let zero = Key::zero(KeyType::Aes128);
        let tag = Ntag424::select(card).await?;
        let session = tag.authenticate(Suite::Aes, KeyNo::MASTER, &zero, &mut Counting(5)).await?;
        let tag = session.switch_to_lrp().await?;
        let mut session = tag.authenticate(Suite::Lrp, KeyNo::MASTER, &zero, &mut Counting(6)).await?;
        session.uid().await
    }));
    assert_eq!(result, Ok(UID));
    assert!(write(&mut field, &order(Suite::Aes)).is_err());
    field.reset();
    assert_eq!(write(&mut field, &order(Suite::Lrp)), Ok(()));
}

/// The card's side of replay protection: the same command again, as an eavesdropper would send it, is refused.
#[test]
fn the_card_refuses_a_replayed_command_and_a_changed_one() {
    for (suite, changed) in [(Suite::Aes, false), (Suite::Aes, true), (Suite::Lrp, false), (Suite::Lrp, true)] {
        let mut field = Field::with(card(suite, UID));
        let mut transmit = |command: &[u8]| match field.transmit(command) {
            seam_encoders::sim::Reply::Answer(answer, _) => answer,
            other => panic!("the card answers, and not {other:?}"),
        };
        let mut last = Vec::new();
        let dialogue = Dialogue::<_, CardError>::new(move |card| async move {
            let tag = Ntag424::select(card).await?;
            let mut session = tag.authenticate(suite, KeyNo::MASTER, &Key::zero(KeyType::Aes128), &mut Counting(5)).await?;
            session.key_version(KeyNo::new(1)?).await
        });
        let version = dialogue.run(|command| {
            last = command.bytes().to_vec();
            if changed && command.ins() == 0x64 {
                let end_of_mac = last.len() - 2;
                last[end_of_mac] ^= 1;
            }
            Some(transmit(&last))
        });
        if changed {
            assert_eq!(version, Err(CardError::Status(StatusWord(0x911e))), "{suite:?}");
        } else {
            assert_eq!((version, transmit(&last)), (Ok(0), vec![0x91, 0x1e]), "{suite:?}");
        }
        // And the session is over.
        assert_eq!(transmit(&last), [0x91, 0xae], "{suite:?}");
    }
}

/// S14: neither keys, contents nor numbers of cards.
#[test]
fn orders_taps_and_sessions_show_nothing() {
    let order = order(Suite::Aes);
    let mut field = Field::with(card(Suite::Aes, UID));
    write(&mut field, &order).unwrap();
    let tap = url(Suite::Aes).tap(&tap(&mut field, Suite::Aes)).unwrap();
    let identity = tap.identify(&key(1)).unwrap();
    let verified = tap.verify(&key(1), &key(2), None).unwrap();
    let shown = format!("{order:?} {:?} {:?} {tap:?} {identity:?} {verified:?} {field:?}", order.ndef, order.url);
    // The first bytes of the number, a key and the content, as lists of numbers and as digits.
    for secret in ["149, 140", "958c", "958C", "17, 17", "1111", "room", "114, 111"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
