//! The driver and the simulated card, which were written independently of each other.
use seam_encoders::apdu::StatusWord;
use seam_encoders::desfire::{
    AccessRights, Aid, ApplicationSettings, ChangeKey, CommMode, Desfire, FileKind, FileSettings, Generation, KeyChange, KeySettings,
    Right, TransactionMac, TransactionMacKey, ValueLimits, ins,
};
use seam_encoders::error::CardError;
use seam_encoders::keys::{Key, KeyType};
use seam_encoders::sim::DesfireModel;

use super::support::{UID, card, with};

const MODES: [CommMode; 3] = [CommMode::Plain, CommMode::Mac, CommMode::Full];

/// How a session is begun.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Messaging {
    Ev1,
    Ev2,
}

pub(crate) fn aid() -> Aid {
    Aid::new(0x00F5_3210).expect("24 bits")
}
pub(crate) fn application(key_type: KeyType, key_count: u8) -> ApplicationSettings {
    ApplicationSettings { keys: KeySettings::FACTORY, key_count, key_type }
}
pub(crate) fn rights(read: u8, write: u8) -> AccessRights {
    AccessRights { read: Right::Key(read), write: Right::Key(write), read_write: Right::Never, change: Right::Key(0) }
}
pub(crate) fn file(mode: CommMode, rights: AccessRights, kind: FileKind) -> FileSettings {
    FileSettings { mode, rights, kind }
}

pub(crate) async fn authenticate(card: &mut Desfire, messaging: Messaging, key_no: u8, key: &Key) -> Result<(), CardError> {
    match messaging {
        Messaging::Ev1 => card.authenticate_ev1(key_no, key).await,
        Messaging::Ev2 => card.authenticate_ev2_first(key_no, key).await,
    }
}

/// An application on a card as from the factory.
pub(crate) async fn make_application(card: &mut Desfire, settings: ApplicationSettings) -> Result<(), CardError> {
    card.authenticate_ev1(0, &Key::zero(KeyType::TwoKeyTripleDes)).await?;
    card.create_application(aid(), settings).await?;
    card.select(aid()).await
}

/// The ways to speak to a card: its model, the type of its keys and the messaging.
const WAYS: [(DesfireModel, KeyType, Messaging); 6] = [
    (DesfireModel::Ev1, KeyType::Aes128, Messaging::Ev1),
    (DesfireModel::Ev1, KeyType::TwoKeyTripleDes, Messaging::Ev1),
    (DesfireModel::Ev1, KeyType::ThreeKeyTripleDes, Messaging::Ev1),
    (DesfireModel::Ev2, KeyType::Aes128, Messaging::Ev2),
    (DesfireModel::Ev3, KeyType::Aes128, Messaging::Ev2),
    (DesfireModel::Ev3, KeyType::Aes128, Messaging::Ev1),
];

#[test]
fn data_of_every_length_come_back_in_every_way() {
    for (model, key_type, messaging) in WAYS {
        for (number, mode) in MODES.into_iter().enumerate() {
            let (inside, mut field) = card(model);
            let number = number as u8;
            with(&mut field, |mut card| async move {
                make_application(&mut card, application(key_type, 2)).await?;
                authenticate(&mut card, messaging, 0, &Key::zero(key_type)).await?;
                let kind = if number == 1 { FileKind::Backup { size: 300 } } else { FileKind::Standard { size: 300 } };
                card.create_file(number, &file(mode, AccessRights::all(0), kind)).await?;
                // Around the lengths of blocks and frames.
                for length in [1_u32, 7, 8, 15, 16, 17, 35, 36, 43, 44, 45, 47, 48, 49, 52, 59, 60, 104, 111, 112, 113, 300] {
                    let data: Vec<u8> = (0..length).map(|i| (i * 7 + length) as u8).collect();
                    card.write_data(number, 300 - length, &data, mode).await?;
                    if number == 1 {
                        card.commit().await?;
                    }
                    let read = card.read_data(number, 300 - length, length, mode).await?;
                    assert_eq!(read[..], data, "{model:?} {key_type:?} {messaging:?} {mode:?} {length}");
                }
                Ok(())
            })
            .expect("the card does all of it");
            let content = inside.lock().expect("no panic").content(aid().number(), number).expect("there is such a file");
            assert_eq!(content[299], (299 * 7_u32 + 300) as u8);
        }
    }
}

#[test]
fn the_card_tells_what_it_is() {
    for (model, key_type, messaging) in WAYS {
        let (_, mut field) = card(model);
        let (version, uid, free, applications) = with(&mut field, move |mut card| async move {
            let version = card.version().await?;
            make_application(&mut card, application(key_type, 1)).await?;
            authenticate(&mut card, messaging, 0, &Key::zero(key_type)).await?;
            assert_eq!(card.version().await?, version);
            let (uid, free) = (card.card_uid().await?, card.free_memory().await?);
            assert_eq!(card.key_settings().await?, application(key_type, 1));
            card.select(Aid::PICC).await?;
            Ok((version, uid, free, card.applications().await?))
        })
        .expect("the card does all of it");
        let generation = [Generation::Ev1, Generation::Ev2, Generation::Ev3][model as usize];
        assert_eq!((version.generation(), version.uid, uid), (Some(generation), UID, UID));
        assert!(free > 4000);
        assert_eq!(applications, [aid()]);
    }
}

#[test]
fn the_newest_messaging_is_taken_and_a_session_goes_on_with_another_key() {
    let (_, mut field) = card(DesfireModel::Ev2);
    with(&mut field, |mut card| async move {
        card.version().await?;
        make_application(&mut card, application(KeyType::Aes128, 3)).await?;
        let key = Key::zero(KeyType::Aes128);
        card.authenticate(0, &key).await?;
        let kind = FileKind::Backup { size: 4 };
        card.create_file(1, &file(CommMode::Full, rights(2, 1), kind)).await?;
        card.authenticate(1, &key).await?;
        card.write_data(1, 0, b"room", CommMode::Full).await?;
        // What was written in the session is still there to be committed: the identifier is the same.
        card.authenticate(2, &key).await?;
        assert_eq!(card.authenticated(), Some(2));
        card.commit().await?;
        assert_eq!(card.read_data(1, 0, 4, CommMode::Full).await?[..], *b"room");
        // A first authentication would not work here any more for the key that may write.
        assert!(matches!(card.write_data(1, 0, b"door", CommMode::Full).await, Err(CardError::Status(_))));
        Ok(())
    })
    .expect("the card does all of it");
}

#[test]
fn keys_are_changed_by_themselves_and_by_the_master() {
    for (model, key_type, messaging) in WAYS {
        let (inside, mut field) = card(model);
        let bytes: Vec<u8> = (0..key_type.length() as u8).map(|i| i * 10 + 3).collect();
        let new = Key::new(key_type, &bytes).expect("a key of this type").with_version(0x42);
        let stored = new.clone();
        with(&mut field, move |mut card| async move {
            make_application(&mut card, application(key_type, 3)).await?;
            let zero = Key::zero(key_type);
            authenticate(&mut card, messaging, 0, &zero).await?;
            card.change_key(ChangeKey { key_no: 2, new: &new, old: Some(&zero) }).await?;
            assert_eq!(card.key_version(2).await?, 0x42);
            card.change_key(ChangeKey { key_no: 2, new: &zero, old: Some(&new) }).await?;
            card.change_key(ChangeKey { key_no: 2, new: &new, old: Some(&zero) }).await?;
            assert_eq!(card.authenticated(), Some(0), "another key leaves the session");
            card.change_key(ChangeKey { key_no: 0, new: &new, old: None }).await?;
            assert_eq!(card.authenticated(), None, "its own key ends it");
            authenticate(&mut card, messaging, 2, &new).await?;
            authenticate(&mut card, messaging, 0, &new).await
        })
        .expect("the card does all of it");
        let card = inside.lock().expect("no panic");
        assert_eq!(card.key(aid().number(), 0), Some((stored.bytes().to_vec(), 0x42)));
        assert_eq!(card.key(aid().number(), 2), Some((stored.bytes().to_vec(), 0x42)));
        assert_eq!(card.key(aid().number(), 1).expect("there is such a key").0, vec![0; key_type.length()]);
    }
}

#[test]
fn the_key_of_the_card_may_get_another_type() {
    let (inside, mut field) = card(DesfireModel::Ev2);
    with(&mut field, |mut card| async move {
        let (des, aes) = (Key::zero(KeyType::TwoKeyTripleDes), Key::aes([7; 16], 3));
        let three = Key::new(KeyType::ThreeKeyTripleDes, &[0x22; 24])?;
        card.authenticate_ev1(0, &des).await?;
        card.change_key(ChangeKey { key_no: 0, new: &three, old: None }).await?;
        card.authenticate_ev1(0, &three).await?;
        card.change_key(ChangeKey { key_no: 0, new: &aes, old: None }).await?;
        card.authenticate_ev2_first(0, &aes).await?;
        card.change_key_settings(KeySettings { free_listing: false, ..KeySettings::FACTORY }).await?;
        card.enable_random_uid().await?;
        assert_eq!(card.card_uid().await?, UID);
        card.select(Aid::PICC).await?;
        assert!(card.applications().await.is_err());
        Ok(())
    })
    .expect("the card does all of it");
    let (key, _) = inside.lock().expect("no panic").key(0, 0).expect("the card has a key");
    assert_eq!(key, [7; 16]);
}

#[test]
fn each_key_changes_itself_where_the_settings_say_so() {
    for messaging in [Messaging::Ev1, Messaging::Ev2] {
        let (_, mut field) = card(DesfireModel::Ev3);
        with(&mut field, move |mut card| async move {
            let settings = KeySettings { change_key: KeyChange::Itself, ..KeySettings::FACTORY };
            make_application(&mut card, ApplicationSettings { keys: settings, ..application(KeyType::Aes128, 3) }).await?;
            let (zero, new) = (Key::zero(KeyType::Aes128), Key::aes([9; 16], 1));
            authenticate(&mut card, messaging, 1, &zero).await?;
            card.change_key(ChangeKey { key_no: 1, new: &new, old: None }).await?;
            authenticate(&mut card, messaging, 0, &zero).await?;
            assert!(matches!(card.change_key(ChangeKey { key_no: 1, new: &zero, old: Some(&new) }).await, Err(CardError::Status(_))));
            authenticate(&mut card, messaging, 1, &new).await
        })
        .expect("the card does all of it");
    }
}

#[test]
fn values_and_records_change_with_the_transaction() {
    for (model, key_type, messaging) in WAYS {
        for mode in MODES {
            let (inside, mut field) = card(model);
            with(&mut field, move |mut card| async move {
                make_application(&mut card, application(key_type, 1)).await?;
                authenticate(&mut card, messaging, 0, &Key::zero(key_type)).await?;
                let limits = ValueLimits { lower: -5, upper: 100, value: 20, limited_credit: true, free_get: false };
                let all = AccessRights::all(0);
                card.create_file(1, &file(mode, all, FileKind::Value(limits))).await?;
                card.create_file(2, &file(mode, all, FileKind::CyclicRecords { size: 20, max: 3, current: 0 })).await?;
                card.create_file(3, &file(mode, all, FileKind::LinearRecords { size: 70, max: 2, current: 0 })).await?;
                card.credit(1, 30, mode).await?;
                card.abort().await?;
                assert_eq!(card.value(1, mode).await?, 20);
                card.debit(1, 15, mode).await?;
                assert_eq!(card.value(1, mode).await?, 20);
                card.commit().await?;
                assert_eq!(card.value(1, mode).await?, 5);
                card.limited_credit(1, 15, mode).await?;
                card.commit().await?;
                assert_eq!(card.value(1, mode).await?, 20);
                for round in 1..=4_u8 {
                    card.write_record(2, 0, &[round; 20], mode).await?;
                    if round <= 2 {
                        card.write_record(3, 5, &[round; 65], mode).await?;
                    }
                    card.commit().await?;
                }
                let told = card.file_settings(2).await?;
                assert_eq!(told.kind, FileKind::CyclicRecords { size: 20, max: 3, current: 2 });
                assert_eq!(card.read_records(2, 0, 2, 20, mode).await?[..], [[3; 20], [4; 20]].concat());
                assert_eq!(card.read_records(3, 1, 1, 70, mode).await?[..], [&[0; 5][..], &[1; 65]].concat());
                card.clear_records(3).await?;
                card.commit().await?;
                assert_eq!(card.file_settings(3).await?.kind, FileKind::LinearRecords { size: 70, max: 2, current: 0 });
                card.change_file_settings(1, CommMode::Plain, rights(0, 0)).await?;
                let changed = card.file_settings(1).await?;
                assert_eq!((changed.mode, changed.rights), (CommMode::Plain, rights(0, 0)));
                card.delete_file(2).await?;
                assert_eq!(card.file_ids().await?, [1, 3]);
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{model:?} {key_type:?} {messaging:?} {mode:?}: {error}"));
            assert_eq!(inside.lock().expect("no panic").content(aid().number(), 1), Some(20_i32.to_le_bytes().to_vec()));
        }
    }
}

#[test]
fn what_is_not_committed_is_gone_without_power() {
    let (inside, mut field) = card(DesfireModel::Ev2);
    with(&mut field, |mut card| async move {
        make_application(&mut card, application(KeyType::Aes128, 1)).await?;
        card.authenticate_ev2_first(0, &Key::zero(KeyType::Aes128)).await?;
        card.create_file(1, &file(CommMode::Full, AccessRights::all(0), FileKind::Backup { size: 4 })).await?;
        card.write_data(1, 0, b"lost", CommMode::Full).await
    })
    .expect("the card does all of it");
    field.reset();
    let nothing_waits = with(&mut field, |mut card| async move {
        card.select(aid()).await?;
        card.authenticate_ev2_first(0, &Key::zero(KeyType::Aes128)).await?;
        card.commit().await
    });
    assert_eq!(nothing_waits, Err(CardError::Status(StatusWord(0x910C))));
    assert_eq!(inside.lock().expect("no panic").content(aid().number(), 1), Some(vec![0; 4]));
}

#[test]
fn a_backend_checks_the_mac_of_a_transaction() {
    let (_, mut field) = card(DesfireModel::Ev2);
    let key = Key::aes([0x3C; 16], 1);
    let of_card = key.clone();
    let (transacted, again) = with(&mut field, |mut card| async move {
        make_application(&mut card, application(KeyType::Aes128, 1)).await?;
        card.authenticate_ev2_first(0, &Key::zero(KeyType::Aes128)).await?;
        let all = AccessRights::all(0);
        card.create_file(1, &file(CommMode::Full, all, FileKind::Backup { size: 40 })).await?;
        let limits = ValueLimits { lower: 0, upper: 9, value: 0, limited_credit: false, free_get: false };
        card.create_file(2, &file(CommMode::Mac, all, FileKind::Value(limits))).await?;
        let may_read = AccessRights { read: Right::Key(0), write: Right::Never, read_write: Right::Never, change: Right::Key(0) };
        card.create_transaction_mac_file(15, CommMode::Mac, may_read, &of_card).await?;
        card.write_data(1, 3, b"a night in room 12", CommMode::Full).await?;
        card.credit(2, 4, CommMode::Mac).await?;
        let transacted = card.commit_with_mac().await?;
        let stored = card.read_data(15, 0, 12, CommMode::Mac).await?;
        assert_eq!(stored[..], [&transacted.counter.to_le_bytes()[..], &transacted.value].concat());
        card.credit(2, 1, CommMode::Mac).await?;
        Ok((transacted, card.commit_with_mac().await?))
    })
    .expect("the card does all of it");
    assert_eq!((transacted.counter, again.counter), (1, 2));
    let session = TransactionMacKey::derive(&key, &UID, transacted.counter).expect("an AES key");
    let of_data = |data: &[u8]| TransactionMac::default().data(ins::WRITE_DATA, 1, [3, 0, 0], [18, 0, 0], data).value(ins::CREDIT, 2, 4);
    assert!(session.verify(&of_data(b"a night in room 12"), &transacted.value));
    assert!(!session.verify(&of_data(b"a night in room 13"), &transacted.value));
    assert!(!TransactionMacKey::derive(&key, &UID, 2).expect("an AES key").verify(&of_data(b"a night in room 12"), &transacted.value));
}
