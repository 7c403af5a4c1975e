//! MIFARE Classic: trailers, directories, and a job at a simulated card and reader.
use super::{array, bytes, faults, is_of_a_fault};
use hex_literal::hex;
use proptest::prelude::*;
use seam_encoders::apdu::StatusWord;
use seam_encoders::classic::access::{ClassicKey, Conditions, DataAccess, Trailer, TrailerAccess};
use seam_encoders::classic::job::{self, Order, SectorKeys, SectorOrder};
use seam_encoders::classic::mad::{Aid, Directory, Version, checksum};
use seam_encoders::classic::{ClassicError, Size, driver};
use seam_encoders::dialogue::Dialogue;
use seam_encoders::error::CardError;
use seam_encoders::sim::classic::ClassicCard;
use seam_encoders::sim::{Fault, Field, SimulatedCard};

const UID: [u8; 4] = [0xde, 0xad, 0x12, 0x34];
const OWNER: Aid = Aid { cluster: 0x38, application: 0x11 };

/// libfreefare `test_mad.c` and `test_mifare_classic_mad.c` (NXP AN10787), proxmark3 `gallaghertest.c`.
#[test]
fn checksums_of_directories() {
    for (data, crc) in [
        ("01010801080108000000000000040003100310021002100000000000001130", 0x89),
        ("0103E103E103E103E103E10000000000000000000000000000000000000000", 0xc4),
        ("0103E103E103E103E103E103E1000000000000000000000000000000000000", 0xab),
        ("00000000000000000000000000000000000000000000000000000000000000", 0xce),
        ("0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000", 0x16),
        ("00000000000000000000000000000000000000000000000000124811481248", 0xbd),
    ] {
        assert_eq!(checksum(&bytes(data)), crc);
        let mut whole = vec![crc];
        whole.extend(bytes(data));
        if let Ok(low) = <[u8; 32]>::try_from(whole.as_slice()) {
            let directory = Directory::parse(&low, None).unwrap();
            assert_eq!(directory.publisher(), bytes(data)[0]);
            assert_eq!(directory.to_bytes().0, low);
            let mut changed = low;
            changed[9] ^= 4;
            assert_eq!(Directory::parse(&changed, None), Err(ClassicError::Directory("the checksum is wrong")));
        }
    }
}

#[test]
fn a_card_of_phones_has_its_sectors_in_the_directory() {
    let directory = Directory::parse(&array("C40103E103E103E103E103E10000000000000000000000000000000000000000"), None);
    // libfreefare's dump has the checksum in front of the information byte.
    assert_eq!(directory.unwrap().sectors_of(Aid::NDEF), [1, 2, 3, 4, 5]);
}

/// libfreefare `test_mifare_classic_create_trailer_block.c`, proxmark3 `gallaghertest.c`.
#[test]
fn trailers() {
    let transport = Trailer {
        key_a: ClassicKey::factory(),
        conditions: Conditions::TRANSPORT,
        general: 0x42,
        key_b: ClassicKey::new(hex!("DEADBEEFFFFF")),
    };
    assert_eq!(*transport.to_block(), hex!("FFFFFFFFFFFFFF078042DEADBEEFFFFF"));
    let directory = Trailer {
        key_a: ClassicKey::directory(),
        conditions: Conditions { data: [DataAccess::WriteB; 3], trailer: TrailerAccess::AllB },
        general: 0xc1,
        key_b: ClassicKey::factory(),
    };
    assert_eq!(*directory.to_block(), hex!("A0A1A2A3A4A5787788C1FFFFFFFFFFFF"));
    assert_eq!(directory.conditions, Conditions::READ_A_WRITE_B);
    for trailer in [transport, directory] {
        assert_eq!(Trailer::parse(&trailer.to_block()), Ok(trailer));
    }
}

#[test]
fn only_one_in_4096_access_bits_is_a_set_of_conditions() {
    let mut good = 0;
    for low in 0..=u8::MAX {
        for mid in 0..=u8::MAX {
            // The third byte is free, the other two repeat it and the rest: for each there is one partner or none.
            let high = mid >> 4;
            for high in [high, high | 0x40, !high] {
                if let Ok(conditions) = Conditions::parse([low, mid, high]) {
                    assert_eq!(conditions.to_bytes(), [low, mid, high]);
                    good += 1;
                }
            }
        }
    }
    assert!(good > 0);
    assert_eq!(Conditions::parse([0xff, 0x07, 0x81]), Err(ClassicError::AccessBits));
}

#[test]
fn conditions_that_stay_for_ever_are_known() {
    for (condition, is_final) in [
        (TrailerAccess::Transport, false),
        (TrailerAccess::AllB, false),
        (TrailerAccess::KeysA, true),
        (TrailerAccess::KeysB, true),
        (TrailerAccess::ConditionsB, true),
        (TrailerAccess::Frozen, true),
        (TrailerAccess::FrozenToo, true),
        (TrailerAccess::FrozenReadableB, true),
    ] {
        assert_eq!(condition.is_final(), is_final, "{condition:?}");
    }
}

proptest! {
    #[test]
    fn directories_are_read_back(low: [u8; 30], high: [u8; 46], publisher in 0u8..16, two: bool) {
        let mut directory = Directory::new(if two { Version::Two } else { Version::One });
        directory.set_publisher(publisher).unwrap();
        for (sector, pair) in (1u8..16).zip(low.chunks(2)).chain((17..40).zip(high.chunks(2)).filter(|_| two)) {
            directory.assign(sector, Aid { cluster: pair[0], application: pair[1] }).unwrap();
        }
        let (low, high) = directory.to_bytes();
        prop_assert_eq!(Directory::parse(&low, high.as_ref()), Ok(directory));
    }
    #[test]
    fn any_bytes_are_a_directory_or_refused(low: [u8; 32], high: Option<[[u8; 16]; 3]>) {
        let high: Option<[u8; 48]> = high.map(|high| high.concat().try_into().unwrap());
        if let Ok(directory) = Directory::parse(&low, high.as_ref()) {
            prop_assert_eq!(directory.to_bytes().0[2..].to_vec(), low[2..].to_vec());
        }
    }
}

fn order(size: Size) -> Order {
    let sector = |sector: u8, text: &[u8; 16]| SectorOrder {
        sector,
        blocks: vec![*text, [sector; 16]],
        keys: SectorKeys { a: ClassicKey::new([0xa0 | sector & 0xf; 6]), b: ClassicKey::new([0xb0 | sector & 0xf; 6]) },
    };
    let mut sectors = vec![sector(3, b"room 412        "), sector(9, b"wing C          ")];
    if size == Size::K4 {
        sectors.extend([sector(21, b"the garage      "), sector(39, b"a large sector  ")]);
    }
    Order { uid: UID.to_vec(), size, owner: OWNER, sectors, directory: ClassicKey::new([0xdd; 6]), free: ClassicKey::factory() }
}

fn card(size: Size) -> ClassicCard {
    match size {
        Size::K1 => ClassicCard::new_1k(UID),
        Size::K4 => ClassicCard::new_4k(UID),
    }
}

fn write(field: &mut Field, order: &Order) -> Result<(), CardError> {
    let order = order.clone();
    field.run(Dialogue::new(|card| async move {
        job::write(&card, &order, &()).await?;
        job::verify(&card, &order).await
    }))
}

#[test]
fn a_card_is_written_and_read_as_a_lock_reads_it() {
    for size in [Size::K1, Size::K4] {
        let mut field = Field::with(card(size));
        write(&mut field, &order(size)).unwrap();
        field.reset();
        let read = field.run(Dialogue::<_, CardError>::new(move |card| async move {
            driver::authenticate(&card, 12, driver::KeyKind::A, &ClassicKey::new([0xa3; 6])).await?;
            let text = driver::read(&card, 12).await?;
            // A lock may not write.
            assert!(matches!(driver::write(&card, 12, &[0; 16]).await, Err(CardError::Garbage(_))));
            // And the factory's key opens nothing.
            let refused = driver::authenticate(&card, 12, driver::KeyKind::A, &ClassicKey::factory()).await;
            assert_eq!(refused, Err(CardError::AuthenticationRefused { key_no: 0, status: StatusWord(0x6300) }));
            assert_eq!(driver::read(&card, 12).await, Err(CardError::Status(StatusWord(0x6982))));
            // A free sector is as it was.
            driver::authenticate(&card, 16, driver::KeyKind::A, &ClassicKey::factory()).await?;
            Ok(text.to_vec())
        }));
        assert_eq!(read.unwrap(), b"room 412        ");
    }
}

/// The data and the keys are as wanted, and everybody who has the lock's key may change them.
#[test]
fn a_sector_that_a_lock_may_write_is_not_as_written() {
    let mut field = Field::with(card(Size::K1));
    let order = order(Size::K1);
    write(&mut field, &order).unwrap();
    let keys = order.sectors[0].keys.clone();
    let verified = field.run(Dialogue::<_, CardError>::new(|card| async move {
        let conditions = Conditions { data: [DataAccess::Open; 3], trailer: TrailerAccess::AllB };
        driver::authenticate(&card, 15, driver::KeyKind::B, &keys.b).await?;
        let lax = Trailer { key_a: keys.a, conditions, general: 0x69, key_b: keys.b };
        driver::write(&card, 15, &lax.to_block()).await?;
        job::verify(&card, &order).await
    }));
    assert_eq!(verified, Err(CardError::NotAsWritten));
}

#[test]
fn a_second_application_finds_room_beside_the_first_and_takes_nothing_from_it() {
    let mut field = Field::with(card(Size::K1));
    write(&mut field, &order(Size::K1)).unwrap();
    field.reset();
    let mut other = order(Size::K1);
    other.owner = Aid { cluster: 0x38, application: 0x99 };
    assert_eq!(write(&mut field, &other), Err(CardError::Invalid("a sector that belongs to another application")));
    other.sectors.iter_mut().for_each(|wanted| wanted.sector += 1);
    field.reset();
    write(&mut field, &other).unwrap();
    field.reset();
    write(&mut field, &order(Size::K1)).unwrap();
}

#[test]
fn a_fault_at_every_command_is_typed_and_a_repeat_finishes() {
    for size in [Size::K1, Size::K4] {
        let order = order(size);
        let mut field = Field::with(card(size));
        write(&mut field, &order).unwrap();
        for at in 0..field.sent() {
            for (name, fault) in faults(|| Box::new(ClassicCard::new_1k([9, 8, 7, 6]))) {
                let mut field = Field::with(card(size));
                field.plan(Fault { at, kind: fault() });
                let result = write(&mut field, &order);
                if let Err(error) = &result {
                    assert!(is_of_a_fault(error), "{name} at {at}: {error:?}");
                }
                if name == "another card" {
                    let mut other = field.take().expect("the other card");
                    other.power_on();
                    let factory = ClassicCard::new_1k([9, 8, 7, 6]);
                    for block in 4..64u8 {
                        assert_eq!(block_of(&mut *other, block), factory_block(&factory, block), "block {block} of the other card at {at}");
                    }
                }
                if field.put_back().is_none() {
                    field.reset();
                }
                assert_eq!(write(&mut field, &order), Ok(()), "the repeat after {name} at {at}, which gave {result:?}");
            }
        }
    }
}

/// The directory of a card in use lies in several blocks under one checksum: between two writes it contradicts itself.
#[test]
fn a_directory_torn_between_its_blocks_is_mended() {
    for size in [Size::K1, Size::K4] {
        let used = || {
            let mut field = Field::with(card(size));
            write(&mut field, &order(size)).unwrap();
            field.reset();
            field
        };
        let mut second = order(size);
        second.owner = Aid { cluster: 0x38, application: 0x99 };
        second.sectors.iter_mut().for_each(|wanted| wanted.sector -= 1);
        let mut field = used();
        let before = field.sent();
        write(&mut field, &second).unwrap();
        for at in before..field.sent() {
            for received in [0, usize::MAX] {
                let mut field = used();
                field.plan(Fault { at, kind: seam_encoders::sim::FaultKind::PulledAfterBytes(received) });
                assert_eq!(write(&mut field, &second), Err(CardError::Lost));
                field.put_back();
                assert_eq!(write(&mut field, &second), Ok(()), "the repeat at {at}");
                field.reset();
                // The first application has lost nothing.
                let first = order(size);
                let verified = field.run(Dialogue::<_, CardError>::new(|card| async move { job::verify(&card, &first).await }));
                assert_eq!(verified, Ok(()), "the first application after a fault at {at}");
            }
        }
    }
}

/// Reads a block with the key of the factory, past the driver.
fn block_of(card: &mut dyn SimulatedCard, block: u8) -> Vec<u8> {
    card.answer(&hex!("FF82000006FFFFFFFFFFFF"));
    card.answer(&[0xff, 0x86, 0, 0, 5, 1, 0, block, 0x60, 0]);
    card.answer(&[0xff, 0xb0, 0, block, 16])
}

fn factory_block(card: &ClassicCard, block: u8) -> Vec<u8> {
    let mut data = card.memory()[usize::from(block)].to_vec();
    if block % 4 == 3 {
        // Key A never reads; key B is data while the card is as it came.
        data[..6].fill(0);
    }
    data.extend([0x90, 0x00]);
    data
}

#[test]
fn orders_that_make_no_sense_are_refused_before_the_card_sees_anything() {
    let refused = |change: &dyn Fn(&mut Order)| {
        let mut order = order(Size::K1);
        change(&mut order);
        let mut field = Field::with(card(Size::K1));
        let result = write(&mut field, &order);
        assert_eq!(field.sent(), 0);
        result
    };
    assert!(matches!(refused(&|order| order.sectors[0].sector = 0), Err(CardError::Invalid(_))));
    assert!(matches!(refused(&|order| order.sectors[0].sector = 16), Err(CardError::Invalid(_))));
    assert!(matches!(refused(&|order| order.sectors[0].sector = 9), Err(CardError::Invalid(_))));
    assert!(matches!(refused(&|order| order.sectors.clear()), Err(CardError::Invalid(_))));
    assert!(matches!(refused(&|order| order.owner = Aid::FREE), Err(CardError::Invalid(_))));
    assert!(matches!(refused(&|order| order.sectors[0].blocks = vec![[0; 16]; 4]), Err(CardError::TooLong { length: 64, max: 48 })));
}

#[test]
fn keys_are_not_shown() {
    let shown = format!(
        "{:?} {:?} {:?}",
        order(Size::K1),
        order(Size::K1).sectors[0].keys,
        Trailer::parse(&hex!("A0A1A2A3A4A5787788C1FFFFFFFFFFFF"))
    );
    assert!(!shown.contains("160") && !shown.contains("a0, a1") && shown.contains("ClassicKey(..)"), "{shown}");
}
