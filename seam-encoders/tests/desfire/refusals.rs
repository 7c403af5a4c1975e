//! What must not work: each wrong thing is refused, by the card or by the driver, and nothing of it stays.
use proptest::prelude::*;
use seam_encoders::apdu::StatusWord;
use seam_encoders::desfire::{AccessRights, ChangeKey, CommMode, Desfire, FileKind, FileSettings, KeyChange, KeySettings, Version};
use seam_encoders::dialogue::Dialogue;
use seam_encoders::error::{CardError, Effect};
use seam_encoders::keys::{Key, KeyType};
use seam_encoders::sim::{DesfireCard, DesfireModel, Fault, FaultKind, Field, Reply, SimulatedCard};

use super::card::{Messaging, aid, application, authenticate, file, make_application, rights};
use super::support::{Counting, UID, card, with};

const BOTH: [(DesfireModel, Messaging); 2] = [(DesfireModel::Ev1, Messaging::Ev1), (DesfireModel::Ev2, Messaging::Ev2)];

fn status(word: u16) -> CardError {
    CardError::Status(StatusWord(word))
}

/// A card with an application of AES keys and a file of 100 bytes in mode full.
fn prepared(model: DesfireModel) -> (std::sync::Arc<std::sync::Mutex<DesfireCard>>, Field) {
    let (inside, mut field) = card(model);
    with(&mut field, |mut card| async move {
        make_application(&mut card, application(KeyType::Aes128, 3)).await?;
        card.authenticate_ev1(0, &Key::zero(KeyType::Aes128)).await?;
        card.create_file(1, &file(CommMode::Full, rights(1, 1), FileKind::Standard { size: 100 })).await
    })
    .expect("the card does all of it");
    // A field of its own, which counts from 0.
    let field = Field::with(std::sync::Arc::clone(&inside));
    (inside, field)
}

#[test]
fn a_wrong_key_is_refused_by_the_card() {
    for (model, messaging) in BOTH {
        let (_, mut field) = prepared(model);
        let result = with(&mut field, move |mut card| async move {
            card.select(aid()).await?;
            authenticate(&mut card, messaging, 1, &Key::aes([1; 16], 0)).await
        });
        assert_eq!(result, Err(CardError::AuthenticationRefused { key_no: 1, status: StatusWord(0x91AE) }));
        let result =
            with(&mut field, move |mut card| async move { authenticate(&mut card, messaging, 9, &Key::zero(KeyType::Aes128)).await });
        assert_eq!(result, Err(CardError::AuthenticationRefused { key_no: 9, status: StatusWord(0x9140) }));
    }
}

/// A card that does not know the key, but answers an authentication nevertheless.
#[test]
fn a_card_that_cannot_prove_the_key_is_refused() {
    for (messaging, last) in [(Messaging::Ev1, 16), (Messaging::Ev2, 32)] {
        let dialogue = Dialogue::new(|card| async move {
            let mut card = Desfire::new(card, Counting(1));
            authenticate(&mut card, messaging, 0, &Key::zero(KeyType::Aes128)).await
        });
        let mut passes = 0;
        let result = dialogue.run(|_| {
            passes += 1;
            Some(if passes == 1 { [&[0x11; 16][..], &[0x91, 0xAF]].concat() } else { [&vec![0x22; last][..], &[0x91, 0x00]].concat() })
        });
        assert_eq!(result, Err(CardError::NotGenuine { key_no: 0 }));
    }
}

/// Every bit of every answer of a whole job: a flipped one never goes through as if nothing was.
#[test]
fn a_flipped_bit_in_any_answer_is_found_out() {
    for (model, messaging) in BOTH {
        let count = {
            let (_, mut field) = prepared(model);
            job(&mut field, messaging).expect("nothing is wrong");
            field.sent()
        };
        for at in 0..count {
            for (byte, bit) in [(0, 0), (1, 7), (7, 3), (15, 2), (30, 4), (99, 0)] {
                let (inside, mut field) = prepared(model);
                field.plan(Fault { at, kind: FaultKind::Flipped(byte, bit) });
                let result = job(&mut field, messaging);
                assert!(result.is_err(), "{model:?}: answer {at}, byte {byte}, bit {bit}");
                // A wrong answer to what only reads leaves the card as it was.
                field.reset();
                job(&mut field, messaging).expect("a repeat goes through");
                assert_eq!(inside.lock().expect("no panic").content(aid().number(), 1).expect("there is such a file")[..5], *b"Ahoy!");
            }
        }
    }
}

fn job(field: &mut Field, messaging: Messaging) -> Result<(), CardError> {
    with(field, move |mut card| async move {
        card.select(aid()).await?;
        authenticate(&mut card, messaging, 1, &Key::zero(KeyType::Aes128)).await?;
        if card.card_uid().await? != UID {
            return Err(CardError::Invalid("another card"));
        }
        card.write_data(1, 0, b"Ahoy! This is longer than one frame of a card can be, which has 59 bytes.", CommMode::Full).await?;
        if card.read_data(1, 0, 5, CommMode::Full).await?[..] == *b"Ahoy!" { Ok(()) } else { Err(CardError::NotAsWritten) }
    })
}

/// Every command of a job, changed on its way to the card by one bit: the card finds out, or the driver does.
#[test]
fn a_flipped_bit_in_any_command_is_found_out() {
    for ((model, messaging), mode) in BOTH.into_iter().flat_map(|way| [(way, CommMode::Mac), (way, CommMode::Full)]) {
        let mut at = 0;
        loop {
            let (inside, mut field) = card(model);
            with(&mut field, move |mut card| async move {
                make_application(&mut card, application(KeyType::Aes128, 2)).await?;
                card.authenticate_ev1(0, &Key::zero(KeyType::Aes128)).await?;
                card.create_file(1, &file(mode, rights(1, 1), FileKind::Standard { size: 100 })).await
            })
            .expect("the card does all of it");
            let mut sent = 0;
            let dialogue = Dialogue::new(|card| async move {
                let mut card = Desfire::new(card, Counting(7));
                card.select(aid()).await?;
                authenticate(&mut card, messaging, 1, &Key::zero(KeyType::Aes128)).await?;
                card.write_data(1, 0, &[0xEE; 100], mode).await
            });
            let result = dialogue.run(|command| {
                let mut bytes = command.bytes().to_vec();
                if sent == at {
                    // The last byte of the data.
                    let last = bytes.len() - 2;
                    bytes[last] ^= 0x10;
                }
                sent += 1;
                match field.transmit(&bytes) {
                    Reply::Answer(answer, _) => Some(answer),
                    Reply::Gone | Reply::Mute => None,
                }
            });
            let content = inside.lock().expect("no panic").content(aid().number(), 1).expect("there is such a file");
            if at >= sent {
                assert_eq!((result, content), (Ok(()), vec![0xEE; 100]));
                break;
            }
            assert!(result.is_err(), "{model:?} {mode:?}: command {at}");
            assert_eq!(content, vec![0; 100], "{model:?} {mode:?}: command {at} changed something");
            at += 1;
        }
        assert!(at >= 5, "all commands of the job were tried");
    }
}

/// A card that says less than it was asked for, or speaks before its turn.
#[test]
fn answers_of_another_length_are_refused() {
    let read = || Dialogue::new(|card| async move { Desfire::new(card, Counting(7)).read_data(1, 0, 5, CommMode::Plain).await.map(drop) });
    assert_eq!(read().run(|_| Some(vec![1, 2, 3, 4, 0x91, 0x00])), Err(CardError::Garbage("another length than was asked for")));
    assert_eq!(read().run(|_| Some(vec![1, 2, 3, 4, 5, 0x91, 0x00])), Ok(()));
    let write = Dialogue::new(|card| async move { Desfire::new(card, Counting(7)).write_data(1, 0, &[0; 80], CommMode::Plain).await });
    assert_eq!(write.run(|_| Some(vec![1, 0x91, 0xAF])), Err(CardError::Garbage("an answer before the command was whole")));
}

/// The command of a session, sent again: the counter or the vector has moved on.
#[test]
fn a_replayed_command_is_refused() {
    for (model, messaging) in BOTH {
        let (inside, mut field) = prepared(model);
        let mut written = Vec::new();
        let dialogue = Dialogue::new(|card| async move {
            let mut card = Desfire::new(card, Counting(7));
            card.select(aid()).await?;
            authenticate(&mut card, messaging, 1, &Key::zero(KeyType::Aes128)).await?;
            card.write_data(1, 0, &[1; 8], CommMode::Full).await?;
            card.write_data(1, 0, &[2; 8], CommMode::Full).await
        });
        dialogue
            .run(|command| {
                if command.ins() == 0x3D && written.is_empty() {
                    written = command.bytes().to_vec();
                }
                match field.transmit(command.bytes()) {
                    Reply::Answer(answer, _) => Some(answer),
                    _ => None,
                }
            })
            .expect("the card does both");
        let mut card = inside.lock().expect("no panic");
        assert_eq!(card.answer(&written)[..], [0x91, 0x1E], "{model:?}");
        assert_eq!(card.content(aid().number(), 1).expect("there is such a file")[..8], [2; 8]);
    }
}

/// An answer of the card, given a second time for the same command.
#[test]
fn a_replayed_answer_is_refused() {
    for (model, messaging) in BOTH {
        let (_, mut field) = prepared(model);
        let mut first = None;
        let dialogue = Dialogue::new(|card| async move {
            let mut card = Desfire::new(card, Counting(7));
            card.select(aid()).await?;
            authenticate(&mut card, messaging, 1, &Key::zero(KeyType::Aes128)).await?;
            card.read_data(1, 0, 8, CommMode::Full).await?;
            card.read_data(1, 0, 8, CommMode::Full).await.map(drop)
        });
        let result: Result<(), CardError> = dialogue.run(|command| {
            if command.ins() == 0xBD && first.is_some() {
                return first.clone();
            }
            let Reply::Answer(answer, _) = field.transmit(command.bytes()) else { return None };
            if command.ins() == 0xBD {
                first = Some(answer.clone());
            }
            Some(answer)
        });
        assert!(matches!(result, Err(CardError::Integrity(_))), "{model:?}: {result:?}");
    }
}

#[test]
fn rights_and_settings_are_kept() {
    for (model, messaging) in BOTH {
        let (_, mut field) = prepared(model);
        with(&mut field, move |mut card| async move {
            let zero = Key::zero(KeyType::Aes128);
            card.select(aid()).await?;
            assert_eq!(card.read_data(1, 0, 4, CommMode::Plain).await, Err(status(0x91AE)), "not authenticated");
            authenticate(&mut card, messaging, 2, &zero).await?;
            assert_eq!(card.read_data(1, 0, 4, CommMode::Full).await, Err(status(0x91AE)), "another key");
            assert_eq!(card.authenticated(), None, "an error ends the session");
            authenticate(&mut card, messaging, 1, &zero).await?;
            assert_eq!(card.read_data(1, 99, 2, CommMode::Full).await, Err(status(0x91BE)), "beyond the end");
            authenticate(&mut card, messaging, 1, &zero).await?;
            assert!(card.write_data(1, 0, &[0; 101], CommMode::Full).await.is_err(), "longer than the file");
            authenticate(&mut card, messaging, 1, &zero).await?;
            assert_eq!(card.read_data(7, 0, 1, CommMode::Full).await, Err(status(0x91F0)), "no such file");
            authenticate(&mut card, messaging, 1, &zero).await?;
            let change = ChangeKey { key_no: 2, new: &Key::aes([1; 16], 1), old: Some(&zero) };
            assert_eq!(card.change_key(change).await, Err(status(0x91AE)), "only the master key changes keys");
            authenticate(&mut card, messaging, 0, &zero).await?;
            let wrong_old = ChangeKey { key_no: 2, new: &Key::aes([1; 16], 1), old: Some(&Key::aes([5; 16], 0)) };
            assert_eq!(card.change_key(wrong_old).await, Err(status(0x911E)), "the old key is another");
            authenticate(&mut card, messaging, 0, &zero).await?;
            card.change_key_settings(KeySettings { change_key: KeyChange::Frozen, settings_changeable: false, ..KeySettings::FACTORY })
                .await?;
            assert_eq!(card.change_key(change).await, Err(status(0x919D)), "frozen");
            authenticate(&mut card, messaging, 0, &zero).await?;
            assert_eq!(card.change_key_settings(KeySettings::FACTORY).await, Err(status(0x919D)), "not changeable");
            authenticate(&mut card, messaging, 0, &zero).await?;
            assert_eq!(card.commit().await, Err(status(0x910C)), "nothing to commit");
            Ok(())
        })
        .expect("the rest goes well");
    }
}

#[test]
fn a_full_card_says_so_and_keeps_what_it_has() {
    let mut field = Field::with(DesfireCard::new(DesfireModel::Ev1, UID).with_memory(128));
    let full = with(&mut field, |mut card| async move {
        make_application(&mut card, application(KeyType::Aes128, 1)).await?;
        let settings = |size| file(CommMode::Plain, AccessRights::all(0), FileKind::Standard { size });
        card.create_file(1, &settings(64)).await?;
        let full = card.create_file(2, &settings(64)).await;
        assert_eq!(card.file_ids().await?, [1]);
        Ok(full)
    });
    assert_eq!(full, Ok(Err(CardError::Full)));
    assert_eq!(CardError::Full.effect(), Effect::Nothing);
}

#[test]
fn what_makes_no_sense_never_reaches_the_card() {
    let (_, mut field) = card(DesfireModel::Ev1);
    with(&mut field, |mut card| async move {
        let key = Key::zero(KeyType::Aes128);
        assert_eq!(card.read_data(1, 0, 0, CommMode::Plain).await.map(drop), Err(CardError::Invalid("reading nothing")));
        assert!(card.write_data(1, 0, &[], CommMode::Plain).await.is_err());
        assert!(card.write_data(1, 1 << 24, &[1], CommMode::Plain).await.is_err());
        assert!(card.read_data(1, 0, 4, CommMode::Full).await.is_err());
        assert!(card.card_uid().await.is_err());
        assert!(card.credit(1, -1, CommMode::Plain).await.is_err());
        assert!(card.change_key(ChangeKey { key_no: 0, new: &key, old: None }).await.is_err());
        assert!(card.authenticate_ev2_first(0, &Key::zero(KeyType::TwoKeyTripleDes)).await.is_err());
        assert!(card.authenticate_ev2_following(0, &key).await.is_err());
        Ok(())
    })
    .expect("nothing else");
    assert_eq!(field.sent(), 0);
}

/// A card that answers whatever it likes makes the driver neither panic nor run for ever.
#[derive(Debug)]
struct Babbling(Vec<Vec<u8>>, usize);
impl SimulatedCard for Babbling {
    fn power_on(&mut self) -> Vec<u8> {
        Vec::new()
    }
    fn answer(&mut self, _: &[u8]) -> Vec<u8> {
        self.1 += 1;
        self.0[self.1 % self.0.len()].clone()
    }
    fn uid(&self) -> Vec<u8> {
        vec![0; 4]
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_babbling_card_is_an_error(
        answers in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..64), prop::sample::select(vec![0x9100_u16, 0x91AF, 0x9000, 0x91AE])), 1..6)
    ) {
        let answers = answers.into_iter().map(|(data, status)| [&data[..], &status.to_be_bytes()].concat()).collect();
        let mut field = Field::with(Babbling(answers, 0));
        let _ = with(&mut field, |mut card| async move {
            let _ = card.version().await;
            let _ = card.applications().await;
            let _ = card.key_settings().await;
            let _ = card.file_settings(1).await;
            let _ = card.authenticate_ev1(0, &Key::zero(KeyType::TwoKeyTripleDes)).await;
            let _ = card.authenticate_ev2_first(0, &Key::zero(KeyType::Aes128)).await;
            let _ = card.read_data(1, 0, 20, CommMode::Plain).await;
            card.commit_with_mac().await
        });
        prop_assert!(field.sent() < 20_000);
    }

    /// Whatever is sent to the simulated card, it answers with a status word and goes on.
    #[test]
    fn the_simulated_card_takes_anything(commands in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..20), wrap: bool) {
        let mut card = DesfireCard::new(DesfireModel::Ev2, UID);
        card.power_on();
        for command in commands {
            let command = match (&command[..], wrap) {
                ([ins, params @ ..], true) => [&[0x90, *ins, 0, 0, params.len() as u8][..], params, &[0]].concat(),
                _ => command,
            };
            prop_assert!(card.answer(&command).len() >= 2);
        }
        prop_assert_eq!(card.answer(&[0x90, 0x5A, 0, 0, 3, 0, 0, 0, 0]).len(), 2);
    }

    #[test]
    fn parsers_take_anything(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Version::parse(&bytes);
        let _ = FileSettings::parse(&bytes);
    }
}
