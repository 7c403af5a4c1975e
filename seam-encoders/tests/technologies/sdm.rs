//! Addresses of secure dynamic messaging: the vectors, and taps of the simulated card judged by the backend.
use super::array;
use hex_literal::hex;
use seam_encoders::keys::{Key, KeyType};
use seam_encoders::ntag424::Suite;
use seam_encoders::ntag424::sdm::{Keys, SdmError, SdmUrl};
use seam_encoders::ntag424::settings::KeyNo;

fn zero() -> Key {
    Key::zero(KeyType::Aes128)
}

/// NXP AN12196 tables 1, 4 and 5.
#[test]
fn macs_of_the_application_note() {
    let keys = |uid: &str, counter: [u8; 3]| Keys::derive(Suite::Aes, &zero(), Some(&array(uid)), Some(&counter)).unwrap();
    assert_eq!(keys("04DE5F1EACC040", hex!("3D0000")).mac(b""), hex!("94EED9EE65337086"));
    assert_eq!(keys("04958CAA5C5E80", hex!("080000")).mac(b"CEE9A53E3E463EF1F459635736738962&cmac="), hex!("ECC1E7F6C6C73BF6"));
    let other = Key::aes(hex!("5ACE7E50AB65D5D51FD5BF5A16B8205B"), 0);
    let derived = Keys::derive(Suite::Aes, &other, Some(&hex!("04C767F2066180")), Some(&hex!("010000"))).unwrap();
    // The session keys of table 1, seen through what they do.
    let mac = seam_encoders::crypto::MacKey::new(seam_encoders::crypto::BlockCipher::aes(&hex!("3A3E8110E05311F7A3FCF0D969BF2B48")));
    let whole = mac.cmac(&[b"x"]);
    assert_eq!(derived.mac(b"x"), std::array::from_fn(|at| whole[2 * at + 1]));
    let encryption = seam_encoders::crypto::BlockCipher::aes(&hex!("66DA61797E23DECA5D8ECA13BBADF7A9"));
    let mut first = [0; 16];
    first[0] = 1;
    let mut vector = seam_encoders::crypto::Vector(encryption.encrypted_block(first));
    let mut data = *b"sixteen letters!";
    encryption.encrypt_cbc(&mut vector, &mut data).unwrap();
    assert_eq!(derived.decrypt(hex!("010000"), data.to_vec()), b"sixteen letters!");
}

/// NXP AN12196 tables 3 and 4, and the master key of the same with LRP (nfc-ev2-crypto, in the tests of the crate ntag424 0.1.1): the session keys
/// themselves, and that what is derived does what they do.
#[test]
fn session_keys_byte_for_byte() {
    use seam_encoders::crypto::{BlockCipher, MacKey, Vector, lrp::Lrp};
    let master = MacKey::new(zero().cipher());
    let encryption = hex!("8097D73344D53F963B09E23E03B62336");
    assert_eq!(master.cmac(&[&hex!("C33C00010080 04958CAA5C5E80 010000")]), encryption);
    let mut vector = Vector(BlockCipher::aes(&encryption).encrypted_block(hex!("01000000000000000000000000000000")));
    let mut data = *b"sixteen letters!";
    BlockCipher::aes(&encryption).encrypt_cbc(&mut vector, &mut data).unwrap();
    let keys = Keys::derive(Suite::Aes, &zero(), Some(&hex!("04958CAA5C5E80")), Some(&hex!("010000"))).unwrap();
    assert_eq!(keys.decrypt(hex!("010000"), data.to_vec()), b"sixteen letters!");

    let mac = hex!("3FB5F6E3A807A03D5E3570ACE393776F");
    assert_eq!(master.cmac(&[&hex!("3CC300010080 04DE5F1EACC040 3D0000")]), mac);
    let whole = MacKey::new(BlockCipher::aes(&mac)).cmac(&[b"x"]);
    let keys = Keys::derive(Suite::Aes, &zero(), Some(&hex!("04DE5F1EACC040")), Some(&hex!("3D0000"))).unwrap();
    assert_eq!(keys.mac(b"x"), std::array::from_fn(|at| whole[2 * at + 1]));
    // Table 5.
    assert_eq!(master.cmac(&[&hex!("3CC300010080 04958CAA5C5E80 080000")]), hex!("3ED0920E5E6A0320D823D5987FEAFBB1"));

    let mac = hex!("99C2FD9C885C2CA3C9089C20057310C0");
    assert_eq!(Lrp::for_mac(&[0; 16]).cmac(&hex!("00010080 042E1D222A6380 6A0000 1EE1")), mac);
    let whole = Lrp::for_mac(&mac).cmac(b"x");
    let keys = Keys::derive(Suite::Lrp, &zero(), Some(&hex!("042E1D222A6380")), Some(&hex!("6A0000"))).unwrap();
    assert_eq!(keys.mac(b"x"), std::array::from_fn(|at| whole[2 * at + 1]));
}

/// NXP AN12196 table 3: the encrypted part of a file, sixteen times the letter x.
#[test]
fn the_encrypted_part_of_the_application_note() {
    let keys = Keys::derive(Suite::Aes, &zero(), Some(&hex!("04958CAA5C5E80")), Some(&hex!("010000"))).unwrap();
    assert_eq!(keys.decrypt(hex!("010000"), hex!("94592FDE69FA06E8E3B6CA686A22842B").to_vec()), b"xxxxxxxxxxxxxxxx");
}

/// NXP AN12196 table 2 and 4: the address of a tap with an empty input of the MAC is one whose first placeholder is the MAC, so the number is read
/// from an address that was put together here, and only its identity is checked.
#[test]
fn encrypted_identities() {
    let url = SdmUrl::new(Suite::Aes, "https://example.com/?p={picc}&m={mac}").unwrap();
    let tap = url.tap("https://example.com/?p=EF963FF7828658A599F3041510671E88&m=0000000000000000").unwrap();
    let who = tap.identify(&zero()).unwrap();
    assert_eq!((who.uid, who.counter), (Some(hex!("04DE5F1EACC040")), Some(0x3d)));
    assert_eq!(tap.verify(&zero(), &zero(), None), Err(SdmError::Mac));
    assert_eq!(tap.identify(&Key::aes([1; 16], 0)), Err(SdmError::Identity));
    // A real tag with LRP (nfc-ev2-crypto, in the tests of the crate ntag424 0.1.1).
    let url = SdmUrl::new(Suite::Lrp, "https://example.com/?p={picc}&m={mac}").unwrap();
    let tap = url.tap("https://example.com/?p=AAE1508939ECF6FF26BCE407959AB1A5EC022819A35CD293&m=0000000000000000").unwrap();
    let who = tap.identify(&zero()).unwrap();
    assert_eq!((who.uid, who.counter), (Some(hex!("042E1D222A6380")), Some(0x6a)));
}

#[test]
fn an_address_without_a_counter_is_not_believed_where_counters_are_compared() {
    let url = SdmUrl::new(Suite::Aes, "https://example.com/?u={uid}&m={mac}").unwrap();
    let mac = Keys::derive(Suite::Aes, &zero(), Some(&hex!("04DE5F1EACC040")), None).unwrap().mac(b"04DE5F1EACC040&m=");
    let digits: String = mac.iter().map(|byte| format!("{byte:02X}")).collect();
    let tap = url.tap(&format!("https://example.com/?u=04DE5F1EACC040&m={digits}")).unwrap();
    assert_eq!(tap.verify(&zero(), &zero(), None).map(|tap| tap.uid), Ok(Some(hex!("04DE5F1EACC040"))));
    assert_eq!(tap.verify(&zero(), &zero(), Some(0)), Err(SdmError::Uncounted));
}

#[test]
fn templates_that_make_no_sense_are_refused() {
    for template in [
        "https://example.com/",
        "https://example.com/?m={mac}",
        "https://example.com/?p={picc}",
        "https://example.com/?p={picc}&u={uid}&m={mac}",
        "https://example.com/?p={picc}&m={mac}&again={mac}",
        "https://example.com/?m={mac}&p={picc}",
        "https://example.com/?u={uid}&d={data:0123456789abcdef}&m={mac}",
        "https://example.com/?p={picc}&d={data:short}&m={mac}",
        "https://example.com/?p={picc}&m={mac",
        "https://example.com/?p={unknown}&m={mac}",
    ] {
        assert!(SdmUrl::new(Suite::Aes, template).is_err(), "{template}");
    }
    let key = KeyNo::new(1).unwrap();
    let long = format!("https://example.com/{}?p={{picc}}&m={{mac}}", "x".repeat(200));
    assert!(SdmUrl::new(Suite::Aes, &long).unwrap().layout(key, key).is_err());
}

#[test]
fn an_address_of_another_form_is_not_a_tap() {
    let url = SdmUrl::new(Suite::Aes, "https://example.com/?u={uid}&c={counter}&m={mac}").unwrap();
    let good = "https://example.com/?u=04DE5F1EACC040&c=00003D&m=94EED9EE65337086";
    let tap = url.tap(good).unwrap();
    assert_eq!(tap.identify(&zero()).unwrap().counter, Some(0x3d));
    for bad in [
        good.replace("https", "http"),
        good.replace("04DE", "0xDE"),
        good.replace("04DE", "+4DE"),
        good.replace("3D&", "3\u{e9}&"),
        format!("{good}0"),
        good[..good.len() - 1].to_owned(),
        String::new(),
    ] {
        assert_eq!(url.tap(&bad), Err(SdmError::Form), "{bad}");
    }
}
