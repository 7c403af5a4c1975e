//! PKOC: the published example, and a simulated credential.
use super::{bytes, faults, is_of_a_fault};
use proptest::prelude::*;
use seam_encoders::dialogue::{Dialogue, RecordedRandom};
use seam_encoders::error::CardError;
use seam_encoders::pkoc::{self, PublicKey, ReaderId, Width, fields};
use seam_encoders::sim::pkoc::PkocCard;
use seam_encoders::sim::{Fault, Field};

/// The worked example of PKOC 1.1, as the tests of Z-bit `asymcred` carry it.
#[test]
fn the_numbers_of_a_credential() {
    let key = "040EC5D87DC39D14A2C5480686DA860C82B16BE0B6903B525F84848B79FD463E32BBDA1F0252C33503C5287035E6EAC55D138D0650DCFB5281D59A9CF4124D2831";
    let key = PublicKey::parse(&bytes(key)).unwrap();
    assert_eq!(key.credential(Width::Bits256), bytes("0EC5D87DC39D14A2C5480686DA860C82B16BE0B6903B525F84848B79FD463E32"));
    assert_eq!(key.credential(Width::Bits75), bytes("025F84848B79FD463E32"));
    assert_eq!(key.credential(Width::Bits64), bytes("84848B79FD463E32"));
    assert_eq!(format!("{key:?}"), "PublicKey(..)");
}

#[test]
fn a_point_that_is_not_on_the_curve_is_no_key() {
    let good = PkocCard::new([7; 32]).unwrap().public();
    assert!(PublicKey::parse(&good).is_ok());
    let mut off = good.clone();
    off[64] ^= 1;
    assert_eq!(PublicKey::parse(&off), Err(CardError::Garbage("a public key that is not on the curve")));
    let mut infinity = vec![0; 65];
    assert!(PublicKey::parse(&infinity).is_err());
    infinity[0] = 4;
    assert!(PublicKey::parse(&infinity).is_err());
    assert!(PublicKey::parse(&good[..64]).is_err());
    // Compressed, as another protocol would send it.
    assert!(PublicKey::parse(&[&[2], &good[1..33]].concat()).is_err());
}

fn read(field: &mut Field) -> Result<PublicKey, CardError> {
    field.run(Dialogue::new(|card| async move { pkoc::read(&card, ReaderId([0x4d; 32]), &mut RecordedRandom::new([0x31; 16])).await }))
}

#[test]
fn a_credential_is_read_and_proven() {
    let card = PkocCard::new([7; 32]).unwrap();
    let public = card.public();
    let mut sent = Vec::new();
    let mut field = Field::with(card);
    let dialogue =
        Dialogue::<_, CardError>::new(
            |card| async move { pkoc::read(&card, ReaderId([0x4d; 32]), &mut RecordedRandom::new([0x31; 16])).await },
        );
    let key = dialogue.run(|command| {
        sent.push(command.bytes().to_vec());
        match field.transmit(command.bytes()) {
            seam_encoders::sim::Reply::Answer(answer, _) => Some(answer),
            _ => None,
        }
    });
    assert_eq!(key.unwrap().to_bytes().to_vec(), public);
    assert_eq!(sent[0], bytes("00A4040008A00000089800000100"));
    assert_eq!(sent[1], [bytes("80800001385C0201004C10"), vec![0x31; 16], bytes("4D20"), vec![0x4d; 32], vec![0]].concat());
}

#[test]
fn a_credential_that_cannot_sign_is_not_believed() {
    assert_eq!(read(&mut Field::with(PkocCard::new([7; 32]).unwrap().lying())), Err(CardError::NotGenuine { key_no: 0 }));
}

/// One signature and two keys: whose it is, is not guessed, in whichever order they come.
#[test]
fn an_answer_with_two_keys_is_refused() {
    let other = [&[0x5a, 65][..], &PkocCard::new([8; 32]).unwrap().public()].concat();
    for at_the_end in [false, true] {
        let mut field = Field::with(PkocCard::new([7; 32]).unwrap());
        let dialogue = Dialogue::<_, CardError>::new(|card| async move {
            pkoc::read(&card, ReaderId([0x4d; 32]), &mut RecordedRandom::new([0x31; 16])).await
        });
        let result = dialogue.run(|command| {
            let seam_encoders::sim::Reply::Answer(answer, _) = field.transmit(command.bytes()) else { panic!("the card answers") };
            let (data, status) = answer.split_at(answer.len() - 2);
            Some(match (command.ins(), at_the_end) {
                (0x80, true) => [data, &other, status].concat(),
                (0x80, false) => [&other, data, status].concat(),
                _ => answer,
            })
        });
        assert_eq!(result, Err(CardError::Garbage("a TLV that comes twice")));
    }
}

#[test]
fn another_version_is_unsupported_and_not_guessed() {
    let mut field = Field::with(PkocCard::new([7; 32]).unwrap().with_version([0x02, 0x00]));
    assert!(matches!(read(&mut field), Err(CardError::Unsupported(_))));
    assert_eq!(field.sent(), 1);
}

#[test]
fn every_fault_is_typed_and_a_repeat_reads() {
    for at in 0..2 {
        for (name, fault) in faults(|| Box::new(PkocCard::new([9; 32]).unwrap())) {
            let mut field = Field::with(PkocCard::new([7; 32]).unwrap());
            field.plan(Fault { at, kind: fault() });
            match read(&mut field) {
                Ok(_) => assert!(name == "another card" && at == 0, "{name} at {at}"),
                Err(CardError::Unsupported(_)) => assert_eq!(at, 0, "{name}"),
                Err(error) => assert!(is_of_a_fault(&error), "{name} at {at}: {error:?}"),
            }
            if field.put_back().is_none() {
                field.reset();
            }
            assert!(read(&mut field).is_ok(), "the repeat after {name} at {at}");
        }
    }
}

/// Each byte of the answer counts: none can be changed so that a key is still believed.
#[test]
fn a_changed_answer_is_not_believed() {
    for byte in 0..133 {
        let mut field = Field::with(PkocCard::new([7; 32]).unwrap());
        field.plan(Fault { at: 1, kind: seam_encoders::sim::FaultKind::Flipped(byte, 0) });
        assert!(read(&mut field).is_err(), "byte {byte}");
    }
}

proptest! {
    #[test]
    fn fields_are_read_back(all in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..256)), 0..5)) {
        let mut bytes = Vec::new();
        for (tag, value) in &all {
            bytes.push(*tag);
            if value.len() > 0x7f {
                bytes.push(0x81);
            }
            bytes.push(u8::try_from(value.len()).unwrap());
            bytes.extend(value);
        }
        let read: Vec<_> = fields(&bytes).map(|field| field.map(|field| (field.tag, field.value.to_vec()))).collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(read, all);
    }
}
