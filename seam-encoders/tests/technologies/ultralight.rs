//! Ultralight cards: a job at each, with and without protection, and a fault at every command.
use super::ntag424_card::Counting;
use super::{faults, is_of_a_fault};
use hex_literal::hex;
use seam_encoders::Course;
use seam_encoders::dialogue::Dialogue;
use seam_encoders::error::CardError;
use seam_encoders::keys::{Key, KeyType};
use seam_encoders::ndef::{Message, Record, tlv};
use seam_encoders::sim::ultralight::UltralightCard;
use seam_encoders::sim::{Fault, FaultKind, Field, SimulatedCard};
use seam_encoders::ultralight::job::{self, Order, Protection};
use seam_encoders::ultralight::{self, AesKeyNo, Kind, Password, Reader, authenticate, authenticate_aes, prove_password};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const UID: [u8; 7] = [0x04, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66];
const OTHER: [u8; 7] = [0x04, 0x99, 0x88, 0x77, 0x66, 0x55, 0x44];

fn card(kind: Kind, uid: [u8; 7]) -> UltralightCard {
    match kind {
        Kind::Ev1Small => UltralightCard::ev1_small(uid),
        Kind::Ev1Large => UltralightCard::ev1_large(uid),
        Kind::C => UltralightCard::c(uid),
        Kind::Ntag213 => UltralightCard::ntag213(uid),
        Kind::Ntag215 => UltralightCard::ntag215(uid),
        Kind::Ntag216 => UltralightCard::ntag216(uid),
        _ => UltralightCard::aes(uid),
    }
}

fn key(bytes: [u8; 16]) -> Key {
    Key::new(KeyType::TwoKeyTripleDes, &bytes).unwrap()
}

fn key_for(kind: Kind, bytes: [u8; 16]) -> Key {
    if kind == Kind::Aes { Key::aes(bytes, 0) } else { key(bytes) }
}

fn protection(kind: Kind, reading_too: bool) -> Protection {
    match kind {
        Kind::C | Kind::Aes => Protection::Key { key: key_for(kind, hex!("00112233445566778899AABBCCDDEEFF")), reading_too },
        _ => Protection::Password { password: Password::new(*b"pass", *b"ok"), reading_too },
    }
}

fn order(kind: Kind, new: Protection) -> Order {
    let message = Message::new(vec![Record::uri("https://door.example/a").unwrap()]);
    Order { uid: UID, kind, reader: Reader::Pn532, message, old: Protection::Open, new }
}

fn write(field: &mut Field, order: &Order) -> Result<(), CardError> {
    let order = order.clone();
    field.run(Dialogue::new(|card| async move {
        job::write_card(&card, &order, &(), &mut Counting(7)).await?;
        job::verify(&card, &order, &mut Counting(7)).await
    }))
}

/// The data of a card, as a phone reads it.
fn as_a_phone(field: &mut Field, kind: Kind) -> Result<Option<Message>, CardError> {
    field.reset();
    let area = field.run(Dialogue::<_, CardError>::new(move |card| async move {
        let mut area = Vec::new();
        for page in ultralight::FIRST..kind.end() {
            area.extend(ultralight::read(&card, page).await?);
        }
        Ok(area)
    }))?;
    Ok(tlv::message(&area).unwrap())
}

#[test]
fn each_card_is_written_and_protected() {
    for kind in [Kind::Ev1Small, Kind::Ev1Large, Kind::C, Kind::Aes, Kind::Ntag213, Kind::Ntag215, Kind::Ntag216] {
        let order = order(kind, protection(kind, false));
        let mut field = Field::with(card(kind, UID));
        write(&mut field, &order).unwrap();
        assert_eq!(as_a_phone(&mut field, kind), Ok(Some(order.message.clone())), "{kind:?}");
        // Without the proof nothing can be changed any more, and with it everything.
        field.reset();
        let refused = field.run(Dialogue::<_, CardError>::new(|card| async move { ultralight::write(&card, 5, [0; 4]).await }));
        assert_eq!(refused, Err(CardError::Garbage("a write that the reader calls failed")));
        field.reset();
        let mut changed = order.clone();
        changed.message = Message::new(vec![Record::text("en", "moved").unwrap()]);
        write(&mut field, &changed).unwrap();
        assert_eq!(as_a_phone(&mut field, kind), Ok(Some(changed.message)));
    }
}

#[test]
fn neither_another_message_nor_less_protection_is_taken_for_what_was_written() {
    for kind in [Kind::Ev1Small, Kind::C, Kind::Aes] {
        let order = order(kind, protection(kind, false));
        let mut field = Field::with(card(kind, UID));
        write(&mut field, &order).unwrap();
        let mut verify = |order: &Order| {
            let order = order.clone();
            field.reset();
            field.run(Dialogue::<_, CardError>::new(|card| async move { job::verify(&card, &order, &mut Counting(7)).await }))
        };
        assert_eq!(verify(&order), Ok(()));
        let message = Message::new(vec![Record::uri("https://door.example/b").unwrap()]);
        assert_eq!(verify(&Order { message, ..order.clone() }), Err(CardError::NotAsWritten), "{kind:?}");
        assert!(verify(&Order { uid: OTHER, ..order.clone() }).is_err());
        // A card that asks for nothing.
        let mut open = Field::with(card(kind, UID));
        write(&mut open, &Order { new: Protection::Open, ..order.clone() }).unwrap();
        open.reset();
        let closed = order.clone();
        let verified = open.run(Dialogue::<_, CardError>::new(|card| async move { job::verify(&card, &closed, &mut Counting(7)).await }));
        assert!(verified.is_err(), "{kind:?}");
    }
}

#[test]
fn a_card_that_has_the_key_and_asks_for_it_nowhere_is_not_as_written() {
    for (kind, page, byte, nowhere) in [(Kind::Ev1Small, 0x10, 3, 0xff), (Kind::C, 42, 0, 0x30), (Kind::Aes, 0x29, 3, 0x3c)] {
        let order = order(kind, protection(kind, false));
        let mut field = Field::with(card(kind, UID));
        write(&mut field, &order).unwrap();
        field.reset();
        let new = order.new.clone();
        field
            .run(Dialogue::<_, CardError>::new(|card| async move {
                match &new {
                    Protection::Password { password, .. } => prove_password(&card, Reader::Pn532, password).await?,
                    Protection::Key { key, .. } if kind == Kind::Aes => {
                        authenticate_aes(&card, Reader::Pn532, AesKeyNo::Data, key, &mut Counting(5)).await.map(drop)?;
                    }
                    Protection::Key { key, .. } => authenticate(&card, Reader::Pn532, key, &mut Counting(5)).await?,
                    Protection::Open => {}
                }
                let mut gate = ultralight::read(&card, page).await?;
                gate[byte] = nowhere;
                ultralight::write(&card, page, gate).await
            }))
            .unwrap();
        field.reset();
        let verified = field.run(Dialogue::<_, CardError>::new(|card| async move { job::verify(&card, &order, &mut Counting(7)).await }));
        assert_eq!(verified, Err(CardError::NotAsWritten), "{kind:?}");
    }
}

#[test]
fn a_card_may_be_closed_to_reading_too_and_opened_with_the_proof() {
    for kind in [Kind::Ev1Small, Kind::C, Kind::Aes] {
        let order = order(kind, protection(kind, true));
        let mut field = Field::with(card(kind, UID));
        write(&mut field, &order).unwrap();
        assert!(as_a_phone(&mut field, kind).is_err());
        field.reset();
        write(&mut field, &order).unwrap();
    }
}

#[test]
fn a_password_and_a_key_can_be_rotated() {
    for kind in [Kind::Ev1Large, Kind::C, Kind::Aes, Kind::Ntag213, Kind::Ntag216] {
        let mut field = Field::with(card(kind, UID));
        let mut order = order(kind, protection(kind, false));
        write(&mut field, &order).unwrap();
        order.old = order.new.clone();
        order.new = match kind {
            Kind::C | Kind::Aes => Protection::Key { key: key_for(kind, [0x5c; 16]), reading_too: true },
            _ => Protection::Password { password: Password::new(*b"word", *b"KO"), reading_too: true },
        };
        field.reset();
        write(&mut field, &order).unwrap();
        // The old one opens it no more.
        let mut stranger = order.clone();
        stranger.new = stranger.old.clone();
        field.reset();
        assert!(matches!(write(&mut field, &stranger), Err(CardError::AuthenticationRefused { .. })));
    }
}

#[test]
fn a_fault_at_every_command_is_typed_and_a_repeat_finishes() {
    for kind in [Kind::Ev1Small, Kind::C, Kind::Aes, Kind::Ntag215] {
        for reading_too in [false, true] {
            let order = order(kind, protection(kind, reading_too));
            let mut field = Field::with(card(kind, UID));
            write(&mut field, &order).unwrap();
            for at in 0..field.sent() {
                for (name, fault) in faults(move || Box::new(card(kind, OTHER))) {
                    let mut field = Field::with(card(kind, UID));
                    field.plan(Fault { at, kind: fault() });
                    let result = write(&mut field, &order);
                    if let Err(error) = &result {
                        let of_the_bits = *error == CardError::Invalid("the one-time bits of the card are used for something else");
                        assert!(is_of_a_fault(error) || of_the_bits, "{name} at {at}: {error:?}");
                    }
                    if field.put_back().is_none() {
                        field.reset();
                    }
                    assert_eq!(write(&mut field, &order), Ok(()), "the repeat after {name} at {at}, which gave {result:?}");
                }
            }
        }
    }
}

/// Whether the job said that the card may be live before a phone could read the new message; and a card that is torn before is read as empty.
#[test]
fn a_card_is_said_to_be_live_before_a_phone_reads_the_new_message() {
    #[derive(Default)]
    struct Heard(AtomicBool);
    impl Course for Heard {
        fn goes_live(&self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    for kind in [Kind::Ev1Small, Kind::C, Kind::Aes] {
        let order = order(kind, protection(kind, false));
        let before = {
            let mut before = order.clone();
            before.message = Message::new(vec![Record::uri("https://door.example/of/another/guest").unwrap()]);
            before
        };
        let mut field = Field::with(card(kind, UID));
        write(&mut field, &before).unwrap();
        let (first, job) = (field.sent(), order.clone());
        write(&mut field, &job).unwrap();
        let (mut torn, mut live) = (0, 0);
        for at in 0..field.sent() - first {
            let mut field = Field::with(card(kind, UID));
            write(&mut field, &before).unwrap();
            let from = field.sent();
            field.plan(Fault { at: from + at, kind: FaultKind::PulledAfterBytes(usize::MAX) });
            let (heard, job) = (Arc::new(Heard::default()), order.clone());
            let course = Arc::clone(&heard);
            let _ = field
                .run(Dialogue::<_, CardError>::new(|card| async move { job::write_card(&card, &job, &*course, &mut Counting(7)).await }));
            // What comes after the writing is the proof.
            if field.put_back().is_none() {
                break;
            }
            let read = as_a_phone(&mut field, kind).unwrap();
            if heard.0.load(Ordering::SeqCst) {
                live += 1;
            } else {
                torn += 1;
                assert!(read.is_none() || read.as_ref() == Some(&before.message), "{kind:?} at {at}: {read:?}");
            }
        }
        assert!(torn > 10 && live > 3, "{kind:?}: {torn} {live}");
    }
}

#[test]
fn what_is_not_known_is_unsupported_and_nothing_is_sent() {
    let refused = |kind: Kind, reader: Reader, new: Protection| {
        let mut order = order(kind, new);
        order.reader = reader;
        let mut field = Field::with(card(kind, UID));
        let result = write(&mut field, &order);
        assert_eq!(field.sent(), 0);
        result.unwrap_err()
    };
    let with_key = Protection::Key { key: key([1; 16]), reading_too: false };
    let with_password = protection(Kind::Ev1Small, false);
    assert!(matches!(refused(Kind::Aes, Reader::Pn532, with_key.clone()), CardError::Invalid(_)));
    assert!(matches!(refused(Kind::Aes, Reader::StorageOnly, protection(Kind::Aes, false)), CardError::Unsupported(_)));
    assert!(matches!(refused(Kind::Aes, Reader::Pn532, with_password.clone()), CardError::Invalid(_)));
    assert!(matches!(refused(Kind::C, Reader::StorageOnly, with_key.clone()), CardError::Unsupported(_)));
    assert!(matches!(refused(Kind::Ev1Small, Reader::StorageOnly, with_password.clone()), CardError::Unsupported(_)));
    assert!(matches!(refused(Kind::C, Reader::Pn532, with_password), CardError::Invalid(_)));
    assert!(matches!(refused(Kind::Ev1Small, Reader::Pn532, with_key), CardError::Invalid(_)));
    let aes = Protection::Key { key: Key::zero(KeyType::Aes128), reading_too: false };
    assert!(matches!(refused(Kind::C, Reader::Pn532, aes), CardError::Invalid(_)));
    // Without protection any reader will do.
    let mut open = order(Kind::Ev1Small, Protection::Open);
    open.reader = Reader::StorageOnly;
    assert_eq!(write(&mut Field::with(card(Kind::Ev1Small, UID)), &open), Ok(()));
}

#[test]
fn a_message_that_is_too_long_is_refused_before_the_card_sees_anything() {
    let mut order = order(Kind::Ev1Small, Protection::Open);
    order.message = Message::new(vec![Record::text("en", &"x".repeat(60)).unwrap()]);
    let mut field = Field::with(card(Kind::Ev1Small, UID));
    assert!(matches!(write(&mut field, &order), Err(CardError::TooLong { max: 48, .. })));
    assert_eq!(field.sent(), 0);
}

#[test]
fn a_card_says_which_it_is() {
    for kind in [Kind::Ev1Small, Kind::Ev1Large, Kind::Aes, Kind::Ntag213, Kind::Ntag215, Kind::Ntag216] {
        let mut field = Field::with(card(kind, UID));
        let said = field.run(Dialogue::<_, CardError>::new(|card| async move { ultralight::identify(&card, Reader::Pn532).await }));
        assert_eq!(said, Ok(kind));
    }
    let mut field = Field::with(card(Kind::C, UID));
    let said = field.run(Dialogue::<_, CardError>::new(|card| async move { ultralight::identify(&card, Reader::Pn532).await }));
    assert!(matches!(said, Err(CardError::NotThisTechnology { .. })));
}

#[test]
fn a_card_that_wants_macs_gets_them_and_nothing_else() {
    let mut field = Field::with(card_that_wants_macs());
    let job = write(&mut field, &order(Kind::Aes, protection(Kind::Aes, false)));
    assert_eq!(job, Err(CardError::Unsupported("a card that wants a MAC on every command")));
    field.reset();
    field
        .run(Dialogue::<_, CardError>::new(|card| async move {
            let zero = Key::zero(KeyType::Aes128);
            let mut session = authenticate_aes(&card, Reader::Pn532, AesKeyNo::Data, &zero, &mut Counting(3)).await?;
            session.write(4, *b"seam").await?;
            session.write(5, *b"card").await?;
            assert_eq!(session.read(4).await?[..8], *b"seamcard");
            // A plain command ends the session at the card.
            assert!(ultralight::read(&card, 4).await.is_err());
            assert!(matches!(session.read(4).await, Err(CardError::AuthenticationRefused { .. })));
            assert!(matches!(session.read(4).await, Err(CardError::Misused(_))));
            Ok(())
        }))
        .unwrap();
}

/// A card without a reader around it: proves its key of zeros and writes the page 4, where this becomes of the write on its way to the card. How it
/// ends, and what then stands in the page.
fn secured_write(on_its_way: impl Fn(&[u8]) -> Vec<Vec<u8>>) -> (Result<(), CardError>, [u8; 4]) {
    let mut card = card_that_wants_macs();
    card.power_on();
    let result = Dialogue::<_, CardError>::new(|card| async move {
        let zero = Key::zero(KeyType::Aes128);
        let mut session = authenticate_aes(&card, Reader::Pn532, AesKeyNo::Data, &zero, &mut Counting(3)).await?;
        session.write(4, *b"seam").await
    })
    .run(|command| {
        let is_write = command.data().get(2) == Some(&0xA2);
        let sent = if is_write { on_its_way(command.data()) } else { vec![command.data().to_vec()] };
        let frame = |data: &Vec<u8>| [&[0xFF, 0, 0, 0, u8::try_from(data.len()).unwrap()], &data[..]].concat();
        sent.iter().map(|data| card.answer(&frame(data))).last()
    });
    (result, card.memory()[4])
}

#[test]
fn a_card_that_wants_macs_refuses_every_command_whose_mac_is_wrong() {
    let whole = [0xD4, 0x42, 0xA2, 4, b's', b'e', b'a', b'm'].len() + 8;
    assert_eq!(secured_write(|write| vec![write.to_vec()]), (Ok(()), *b"seam"));
    let refused = |what: String, on_its_way: &dyn Fn(&[u8]) -> Vec<Vec<u8>>, page: &[u8; 4]| {
        let (result, stands) = secured_write(on_its_way);
        assert!(matches!(result, Err(CardError::AuthenticationRefused { .. })), "{what}: {result:?}");
        assert_eq!(stands, *page, "{what}");
    };
    // Every byte of the command and of its MAC, but for the two with which the reader is told to pass it on.
    for at in 2..whole {
        let changed = |write: &[u8]| {
            assert_eq!(write.len(), whole);
            let mut write = write.to_vec();
            write[at] ^= 0x01;
            vec![write]
        };
        refused(format!("byte {at}"), &changed, &[0; 4]);
    }
    refused("no MAC".to_owned(), &|write| vec![write[..whole - 8].to_vec()], &[0; 4]);
    refused("half a MAC".to_owned(), &|write| vec![write[..whole - 4].to_vec()], &[0; 4]);
    // The MAC of a command is that of its turn: sent again it is refused.
    refused("sent again".to_owned(), &|write| vec![write.to_vec(), write.to_vec()], b"seam");
    // After a refusal nothing of the session is taken any more, also not what would have been right.
    refused("after another".to_owned(), &|write| vec![write[..whole - 8].to_vec(), write.to_vec()], &[0; 4]);
}

#[test]
fn an_answer_that_is_not_from_the_session_is_found_out() {
    for byte in [3, 10, 20, 26] {
        let mut field = Field::with(card_that_wants_macs());
        field.plan(Fault { at: 2, kind: FaultKind::Flipped(byte, 5) });
        let result = field.run(Dialogue::<_, CardError>::new(|card| async move {
            let zero = Key::zero(KeyType::Aes128);
            let mut session = authenticate_aes(&card, Reader::Pn532, AesKeyNo::Data, &zero, &mut Counting(3)).await?;
            session.read(4).await
        }));
        assert!(matches!(result, Err(CardError::Integrity(_))), "byte {byte}: {result:?}");
    }
}

/// What a card was told to want cannot be seen from outside, so it is set up beforehand.
fn card_that_wants_macs() -> UltralightCard {
    UltralightCard::aes(UID).that_wants_macs()
}
