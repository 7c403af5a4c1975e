use super::lrp_vectors::{CMACS, CODEBOOK, EVALUATIONS, SUBKEYS};
use super::{array, bytes};
use proptest::prelude::*;
use seam_encoders::crypto::lrp::Lrp;

#[test]
fn evaluations_of_the_application_note() {
    for &(name, key, nibbles, index, finish, value) in EVALUATIONS {
        let nibbles = nibbles.chars().map(|digit| u8::try_from(digit.to_digit(16).expect("a digit")).expect("a nibble"));
        assert_eq!(Lrp::updated(&array(key), index).evaluate(nibbles, finish), array(value), "{name}");
    }
}

#[test]
fn codebook_encryption_of_the_application_note_and_back() {
    for &(name, key, counter, padded, clear, encrypted) in CODEBOOK {
        let lrp = Lrp::updated(&array(key), 0);
        let mut data = bytes(clear);
        if padded {
            data.push(0x80);
            data.resize(data.len().next_multiple_of(16), 0);
        }
        let before = data.clone();
        lrp.encrypt_blocks(&mut bytes(counter), &mut data);
        assert_eq!(data, bytes(encrypted), "{name}");
        lrp.decrypt_blocks(&mut bytes(counter), &mut data);
        assert_eq!(data, before, "{name}");
    }
}

#[test]
fn cmacs_of_the_application_note() {
    for &(name, key, message, mac) in CMACS {
        assert_eq!(Lrp::for_mac(&array(key)).cmac(&bytes(message)), array(mac), "{name}");
    }
    for &(name, key, first, second) in SUBKEYS {
        assert_eq!(Lrp::for_mac(&array(key)).subkeys(), (array(first), array(second)), "{name}");
    }
}

proptest! {
    #[test]
    fn the_counter_goes_on_over_calls(key: [u8; 16], start: u32, blocks in prop::collection::vec(any::<[u8; 16]>(), 0..5)) {
        let lrp = Lrp::for_encryption(&key);
        let (mut together, mut counter) = (blocks.concat(), start.to_be_bytes());
        lrp.encrypt_blocks(&mut counter, &mut together);
        prop_assert_eq!(u32::from_be_bytes(counter), start.wrapping_add(u32::try_from(blocks.len()).unwrap()));
        let mut counter = start.to_be_bytes();
        let apart: Vec<u8> = blocks.into_iter().flat_map(|mut block| { lrp.encrypt_blocks(&mut counter, &mut block); block }).collect();
        prop_assert_eq!(together, apart);
    }
}
