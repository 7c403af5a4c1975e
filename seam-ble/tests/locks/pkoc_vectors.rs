//! Values from outside.
//!
//! NFC: the test values of the PKOC specification, as `smithee-solutions/openpkoc` (Apache-2.0) has them in `include/ob-pkoc-testvectors.h`. They are
//! the only published ones.
//!
//! Bluetooth: no values are published. These come from a script in another language with other libraries, which follows PSIA's reference app with
//! fixed keys and signatures after RFC 6979: they keep the bytes from changing unnoticed and prove nothing about other implementations.
use crate::support::{hex, hex_n, key, public, written};
use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
use seam_ble::crypto::{Crypto, PublicKey, Secret, Signature, SigningKey};
use seam_ble::pkoc::nfc::{self, Card};
use seam_ble::pkoc::{
    Anchor, Certificate, Device, FirstAnswer, LocationId, NO_END, ProtocolVersion, Reader, ReadersOfSite, Response, Site, SiteId, Wire,
};

const NFC_PRIVATE: &str = "c0c93d0ee2c83d077a91448478f438d633f0c9f863799f9574151fa1260d1349";
const NFC_PUBLIC: &str = concat!(
    "040ec5d87dc39d14a2c5480686da860c82b16be0b6903b525f84848b79fd463e32bbda1f0252c33503c5287035e6eac55d138d0650dcfb5281d59a9c",
    "f4124d2831",
);
const NFC_COMMAND: &str = concat!(
    "80800001385c0201004c106fcf5012b224043b09350a4fc5e56a8f4d207a25432a462d4a404e635266556a586edfee8022966311eda1eb0242ac1200",
    "0200",
);
const NFC_TRANSACTION: &str = "6fcf5012b224043b09350a4fc5e56a8f";
const NFC_RESPONSE: &str = concat!(
    "5a41040ec5d87dc39d14a2c5480686da860c82b16be0b6903b525f84848b79fd463e32bbda1f0252c33503c5287035e6eac55d138d0650dcfb5281d5",
    "9a9cf4124d28319e40b98613070c78010b04ed306d143f94ee6dc4eca2585b621405731fb3a53cd877a21685de18435da7cbcc38f1d926300a454efe",
    "e3594cec5effe28c7feac03d7d9000",
);

const BLE_SITE_ID: &str = "101112131415161718191a1b1c1d1e1f";
const BLE_READER_LOCATION_ID: &str = "303132333435363738393a3b3c3d3e3f";
const BLE_ECDH_Z: &str = "ccfc261f58193c98ca4ad4a53bbac6f0ee29bc4d48438090446908622ca79af6";
const BLE_AES_KEY: &str = "98f5bf15dbc72627acd9a8ab61ce21349ea3496d79136adf08ad381cc9c0fa25";
const BLE_SIGNATURE_INPUT: &str = concat!(
    "101112131415161718191a1b1c1d1e1f303132333435363738393a3b3c3d3e3fd65a93977caa3d1b081852ff57a79e465f1660577304baead505dd3a",
    "48589cf30217e617f0b6443928278f96999e69a23a4f2c152bdf6d6cdf66e5b80282d4ed",
);
const BLE_MSG1_READER: &str = concat!(
    "0c0503000000010221020217e617f0b6443928278f96999e69a23a4f2c152bdf6d6cdf66e5b80282d4ed0d10303132333435363738393a3b3c3d3e3f",
    "0e10101112131415161718191a1b1c1d1e1f",
);
const BLE_MSG2_DEVICE: &str = concat!(
    "074104d65a93977caa3d1b081852ff57a79e465f1660577304baead505dd3a48589cf350185e895372df6221ea3a137557e473fddb6755f05bd507c3",
    "c533fce9c912850c050300000001",
);
const BLE_MSG3_READER: &str = concat!(
    "0340aaf9231b5270d64f019b346d84c4a381ca11a48df635826baf7ffbb752a4530a588ac3f161906eeb1d3227ec88458769afd2a9886d24bfe70e5e",
    "0b70546d628f",
);
const BLE_MSG4_DEVICE: &str = concat!(
    "4081a22c252ecd9736a749a0e560ddd3c0192ff46498388c811d98de7c8c53b26ed34072973f903562f00892c691b131e4478faff9eb9fe475eefc3b",
    "90fea35c4941581c894cc7fdb8b891bd4beaccffec8b9f43386bcde6262bc67b8ef23f31e6ca27a6cb1b063702fae390b0aecf90dcc6d8d2fe0627e2",
    "ef4c353129201cc50bc7cd29bf36e0caad3b3eecb25ddcc2f4d19a1ab913fd368d28f062e98b72402b0400124f",
);
const BLE_MSG4_PLAIN: &str = concat!(
    "0141040ec5d87dc39d14a2c5480686da860c82b16be0b6903b525f84848b79fd463e32bbda1f0252c33503c5287035e6eac55d138d0650dcfb5281d5",
    "9a9cf4124d283103401a23b32438add6a505e1622212cda2c79aa4f4d9cbf57f5632a18e2e67bfa87e3a78ce1bcc02cfbc114e1469c4184648931252",
    "bfe8c94ff0e08af13dc90cfa8509046553f1000c050300000001",
);
const BLE_MSG5_READER: &str = "040103";
const BLE_CERTIFICATE: &str = concat!(
    "10818a01303132333435363738393a3b3c3d3e3f101112131415161718191a1b1c1d1e1f00000000ffffffff0351a7580833898ea1b183cbd7350a40",
    "99078c6ef1c1e18e970cd7683035f25e7da872cf3d2765101f807eb465d28fb4972f88f9a0dfd8c7122b2723ecf4c8b31b1b5a5a9691f502173e4099",
    "1c37a1732761d45bcb6086322c81d0bf1dd737506d",
);

fn nfc_key() -> SoftwareKey {
    SoftwareKey::from_bytes(&Secret::new(hex_n(NFC_PRIVATE))).unwrap()
}

#[test]
fn the_published_card_signature_verifies_on_every_backend() {
    fn check<C: Crypto>(crypto: &C) {
        let (_, selecting) = written(nfc::select).unwrap();
        let command = hex(NFC_COMMAND);
        let reader: [u8; 32] = command[command.len() - 33..command.len() - 1].try_into().unwrap();
        let (sent, state) = written(|out| selecting.authenticate(&hex("5c0201009000"), hex_n(NFC_TRANSACTION), &reader, out)).unwrap();
        assert_eq!(sent, command);
        assert_eq!(state.finish(crypto, &hex(NFC_RESPONSE)).unwrap().as_bytes().as_slice(), hex(NFC_PUBLIC));
    }
    check(&RustCrypto);
    #[cfg(feature = "aws-lc")]
    check(&seam_ble::crypto::aws_lc::AwsLc);
}

#[test]
fn a_card_with_the_published_key_answers_the_published_command() {
    let mut card = Card::new(nfc_key());
    assert_eq!(written(|out| card.answer(&nfc::SELECT, out)).unwrap().0, hex("5c0201009000"));
    let (answer, ()) = written(|out| card.answer(&hex(NFC_COMMAND), out)).unwrap();
    // The published signature was made with a random number, so only the rest can be equal.
    let published = hex(NFC_RESPONSE);
    assert_eq!((answer.len(), &answer[..69], &answer[133..]), (135, &published[..69], &published[133..]));
}

#[test]
fn the_bluetooth_transaction_is_the_one_of_the_script_on_every_backend() {
    fn check<C: Crypto>(crypto: &C) {
        let site = SiteId(hex_n(BLE_SITE_ID));
        let location = LocationId(hex_n(BLE_READER_LOCATION_ID));
        let reader = Reader { wire: Wire::V2, version: ProtocolVersion::psia(3), ..Reader::with_site_key(site, location, key(0x33)) };
        let sites = [Site { id: site, anchor: Anchor::SiteKey(public(0x33)), readers: ReadersOfSite::All, revoked: None }];
        let credential = hex(BLE_MSG4_PLAIN);
        let last_update = u32::from_be_bytes(credential[credential.len() - 11..credential.len() - 7].try_into().unwrap());
        let device = Device { key: nfc_key(), sites: &sites, last_update, wire: Wire::V2 };

        let (one, awaiting) = written(|out| reader.begin(crypto, &Secret::new([0x11; 32]), out)).unwrap();
        assert_eq!(one, hex(BLE_MSG1_READER));
        let (two, phone) = written(|out| device.greet(crypto, &one, &Secret::new([0x22; 32]), None, out)).unwrap();
        assert_eq!(two, hex(BLE_MSG2_DEVICE));
        let (three, awaiting) = written(|out| awaiting.receive(crypto, &reader, &two, out)).unwrap();
        assert_eq!(three, hex(BLE_MSG3_READER));
        let (four, phone) = written(|out| phone.receive(crypto, &device, &three, &[], out)).unwrap();
        assert_eq!(four, hex(BLE_MSG4_DEVICE));
        let FirstAnswer::Proof(awaiting) = awaiting else { panic!("{awaiting:?}") };
        let presented = awaiting.receive(crypto, &reader, &four).unwrap();
        assert_eq!((presented.key, presented.last_update), (nfc_key().public_key(), last_update));
        let (five, ()) = written(|out| reader.respond(Response::GRANTED, out)).unwrap();
        assert_eq!(five, hex(BLE_MSG5_READER));
        assert_eq!(phone.receive(&device, &five).unwrap(), Response::GRANTED);
    }
    check(&RustCrypto);
    // Its own signing key would sign with a random number; the key in memory makes the same bytes every time.
    #[cfg(feature = "aws-lc")]
    check(&seam_ble::crypto::aws_lc::AwsLc);
}

// What stands between the messages: the common point, the key made of it, and what both sides sign.
#[test]
fn the_keys_and_signed_bytes_are_those_of_the_script_on_every_backend() {
    fn check<C: Crypto>(crypto: &C) {
        let reader = crypto.decompress(&hex(BLE_MSG1_READER)[9..42].try_into().unwrap()).unwrap();
        let device = PublicKey::from_uncompressed(&hex(BLE_MSG2_DEVICE)[2..67]).unwrap();
        for (own, own_public, peer) in [(0x11, reader, device), (0x22, device, reader)] {
            let (session, public) = crypto.agreement_key(&Secret::new([own; 32])).unwrap();
            assert_eq!(public, own_public);
            let common = crypto.agree(&session, &peer).unwrap();
            assert_eq!(common.expose().as_slice(), hex(BLE_ECDH_Z));
            assert_eq!(crypto.sha256(&[common.expose()]).as_slice(), hex(BLE_AES_KEY));
        }
        let (signed, plain) = (hex(BLE_SIGNATURE_INPUT), hex(BLE_MSG4_PLAIN));
        let by_reader = Signature::from_slice(&hex(BLE_MSG3_READER)[2..]).unwrap();
        let by_phone = Signature::from_slice(&plain[69..133]).unwrap();
        assert_eq!(crypto.verify(&public(0x33), &signed, &by_reader), Ok(()));
        assert_eq!(crypto.verify(&nfc_key().public_key(), &signed, &by_phone), Ok(()));
    }
    check(&RustCrypto);
    #[cfg(feature = "aws-lc")]
    check(&seam_ble::crypto::aws_lc::AwsLc);
}

#[test]
fn the_certificate_is_the_one_of_the_script_on_every_backend() {
    fn check<C: Crypto>(crypto: &C) {
        let (site, location) = (SiteId(hex_n(BLE_SITE_ID)), LocationId(hex_n(BLE_READER_LOCATION_ID)));
        let bytes = hex(BLE_CERTIFICATE);
        let key_in_it: [u8; 33] = bytes[3 + 41..3 + 74].try_into().unwrap();
        let reader: PublicKey = crypto.decompress(&key_in_it).unwrap();
        let made = Certificate::issue(&key(0x44), site, location, 0, NO_END, &reader).unwrap();
        assert_eq!([&[0x10, 0x81, 0x8A], made.as_bytes().as_slice()].concat(), bytes);
        assert_eq!(made.verify(crypto, &public(0x44), site, location, None), Ok(reader));
    }
    check(&RustCrypto);
    #[cfg(feature = "aws-lc")]
    check(&seam_ble::crypto::aws_lc::AwsLc);
}
