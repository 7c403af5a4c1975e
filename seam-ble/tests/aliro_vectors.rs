//! Byte for byte against what others have published, on each backend.

mod support;

use seam_ble::aliro::ble::advert::{Address, dynamic_tag};
use seam_ble::aliro::certificate::Profile0000;
use seam_ble::aliro::channel::{Channel, Side};
use seam_ble::aliro::command::{Auth1, Command, ControlFlow};
use seam_ble::aliro::device::{Device, Trust};
use seam_ble::aliro::keys::{self, ChannelKeys, Transcript, Usage};
use seam_ble::aliro::reader::{Auth0Outcome, Reader, ReaderRandom, StoredPhone};
use seam_ble::aliro::response::{self, Cryptogram};
use seam_ble::aliro::{AliroError, Instant, Interface, Proprietary, TransactionId, Version};
use seam_ble::bytes::{Bytes, Writer};
use seam_ble::crypto::{CryptoError, PublicKey, Secret, Signature, SigningKey};
use seam_ble::tlv::TlvError;
use support::vectors::*;
use support::{Backend, Phone, array, hex, proprietary, public_key, reader_id, written};

fn transcript(interface: Interface) -> Transcript {
    Transcript {
        interface,
        version: Version::V1_0,
        reader: reader_id(),
        reader_key_x: *public_key(READER_LONG_TERM_PUBLIC).x(),
        transaction: TransactionId(array(TRANSACTION_IDENTIFIER)),
        reader_ephemeral: public_key(READER_EPHEMERAL_PUBLIC),
        device_ephemeral: public_key(DEVICE_EPHEMERAL_PUBLIC),
        flags: array(COMMAND_PARAMETERS_AND_TRANSACTION_CODE),
        proprietary: proprietary(),
        vendor: Bytes::new(),
    }
}

fn agreed<B: Backend>(crypto: &B) -> Secret<32> {
    let (key, own) = crypto.agreement_key(&Secret::new(array(READER_EPHEMERAL_PRIVATE))).unwrap();
    let peer = public_key(DEVICE_EPHEMERAL_PUBLIC);
    assert_eq!(crypto.agree(&key, &peer).unwrap().expose(), &array(OWN_ECDH_X));
    keys::agree(crypto, &key, &own, &peer, &TransactionId(array(TRANSACTION_IDENTIFIER))).unwrap()
}

fn okm(keys: &keys::StandardKeys) -> Vec<u8> {
    [&keys.exchange_reader, &keys.exchange_device, &keys.step_up, &keys.ble, &keys.ranging].map(|key| *key.expose()).concat()
}

fn key_pairs_belong_together<B: Backend>() {
    for (private, public) in [
        (READER_LONG_TERM_PRIVATE, READER_LONG_TERM_PUBLIC),
        (READER_EPHEMERAL_PRIVATE, READER_EPHEMERAL_PUBLIC),
        (DEVICE_LONG_TERM_PRIVATE, DEVICE_LONG_TERM_PUBLIC),
        (DEVICE_EPHEMERAL_PRIVATE, DEVICE_EPHEMERAL_PUBLIC),
    ] {
        assert_eq!(B::key(array(private)).public_key(), public_key(public));
    }
}

fn the_standard_phase_derives_the_published_keys<B: Backend>() {
    let crypto = B::default();
    let (agreed, nfc) = (agreed(&crypto), transcript(Interface::Nfc));
    assert_eq!(agreed.expose(), &array(KDH_X963_SHA256));
    assert_eq!(nfc.proprietary.tlv(), hex(PROPRIETARY_INFORMATION_TLV));
    assert_eq!(nfc.salt(b"Volatile****", None).unwrap().as_slice(), hex(SALT_VOLATILE));
    let keys = keys::standard(&crypto, &agreed, &nfc).unwrap();
    assert_eq!(keys.exchange_reader.expose(), &array(EXCHANGE_SK_READER));
    assert_eq!(keys.exchange_device.expose(), &array(EXCHANGE_SK_DEVICE));
    assert_eq!(okm(&keys), hex(OWN_OKM160_NFC));
    assert_eq!(okm(&keys::standard(&crypto, &agreed, &transcript(Interface::Ble)).unwrap()), hex(OWN_OKM160_BLE_INTERFACE_C3));
    let persistent = keys::persistent(&crypto, &agreed, &nfc, &public_key(DEVICE_LONG_TERM_PUBLIC)).unwrap();
    assert_eq!(persistent.expose(), &array(OWN_K_PERSISTENT_NFC));
    let ble =
        ChannelKeys::ble(&crypto, &keys::standard(&crypto, &agreed, &transcript(Interface::Ble)).unwrap().ble, &[1, 0], Version::V1_0)
            .unwrap();
    let nfc = ChannelKeys::ble(&crypto, &keys.ble, &[1, 0], Version::V1_0).unwrap();
    let own = [array(OWN_BLE_SK_READER_VERSIONS_0100_SELECTED_0100), array(OWN_BLE_SK_DEVICE)];
    assert!([ble, nfc].iter().any(|keys| [*keys.reader.expose(), *keys.device.expose()] == own));
}

fn both_sides_sign_the_published_bytes<B: Backend>() {
    let (crypto, transcript) = (B::default(), transcript(Interface::Nfc));
    let (reader, device) = (transcript.authentication_data(Usage::Reader).unwrap(), transcript.authentication_data(Usage::Device).unwrap());
    assert_eq!(reader.as_slice(), hex(READER_AUTHENTICATION_DATA));
    assert_eq!(device.as_slice(), hex(OWN_DEVICE_AUTHENTICATION_DATA));
    let of_reader = Signature::from_slice(&hex(READER_SIGNATURE_RAW_RS)).unwrap();
    let of_device = Signature::from_slice(&hex(DEVICE_SIGNATURE_RAW_RS)).unwrap();
    assert_eq!(crypto.verify(&public_key(READER_LONG_TERM_PUBLIC), &reader, &of_reader), Ok(()));
    assert_eq!(crypto.verify(&public_key(DEVICE_LONG_TERM_PUBLIC), &device, &of_device), Ok(()));
    assert_eq!(crypto.verify(&public_key(READER_LONG_TERM_PUBLIC), &device, &of_reader), Err(CryptoError::Signature));
}

fn the_reader_sends_and_takes_the_published_messages<B: Backend>() {
    let (crypto, key) = (B::default(), B::key(array(READER_LONG_TERM_PRIVATE)));
    let (state, command) = written(|out| Reader::new(&crypto, reader_id(), &key).select(out));
    assert_eq!(command, hex(SELECT_COMMAND));
    let state = state.on_response(&hex(SELECT_RESPONSE)).unwrap();
    let random =
        ReaderRandom { ephemeral: Secret::new(array(READER_EPHEMERAL_PRIVATE)), transaction: TransactionId(array(TRANSACTION_IDENTIFIER)) };
    let (state, command) = written(|out| state.auth0(&random, false, out));
    assert_eq!(command, hex(AUTH0_COMMAND));
    let none: [&StoredPhone; 0] = [];
    let Auth0Outcome::Standard(unproven) = state.on_response(&hex(AUTH0_RESPONSE), none).unwrap() else { panic!() };
    let (state, command) = written(|out| unproven.auth1(out));
    let Ok(Command::Auth1(ours)) = Command::parse(&command) else { panic!() };
    assert_eq!(Auth1 { signature: auth1().signature, ..ours }, auth1(), "all but the signature, which has a nonce");
    // The published answer is of a draft: its tag 5E has one byte. It decrypts, and is no answer of 1.0.
    let answered = state.on_response(&mut hex(AUTH1_RESPONSE_APDU), |_| None).map(|_| ());
    assert_eq!(answered, Err(AliroError::Tlv(TlvError::Value(0x5E))));
}

fn auth1() -> Auth1<'static> {
    Auth1 { want_public_key: true, signature: Signature::from_slice(&hex(READER_SIGNATURE_RAW_RS)).unwrap(), certificate: None }
}

fn the_published_commands_are_written_again<B: Backend>() {
    for (command, bytes) in [
        (Command::Auth1(auth1()), AUTH1_COMMAND),
        (Command::ControlFlow(ControlFlow { outcome: 1, ..ControlFlow::FAILURE }), CONTROL_FLOW_COMMAND),
    ] {
        assert_eq!(written(|out| Ok(command.write(out)?)).1, hex(bytes));
        assert_eq!(Command::parse(&hex(bytes)), Ok(command));
    }
}

fn the_published_answer_decrypts<B: Backend>() {
    let crypto = B::default();
    let sealed = hex(AUTH1_RESPONSE_APDU);
    let (sealed, [0x90, 0x00]) = sealed.split_last_chunk().unwrap() else { panic!() };
    let keys = ChannelKeys { reader: Secret::new(array(EXCHANGE_SK_READER)), device: Secret::new(array(EXCHANGE_SK_DEVICE)) };
    let mut channel = Channel::new(Side::Reader, keys);
    assert_eq!(channel.open(&crypto, &[], &mut sealed.to_vec()).unwrap(), hex(AUTH1_RESPONSE_PLAINTEXT));
    let (cipher, tag) = sealed.split_last_chunk().unwrap();
    let key = Secret::new(array(EXCHANGE_SK_DEVICE));
    crypto.gcm_open(&key, &array(AUTH1_RESPONSE_IV), &[], &mut cipher.to_vec(), tag).unwrap();
    let mut text = hex(AUTH1_RESPONSE_PLAINTEXT);
    let keys = ChannelKeys { reader: Secret::new(array(EXCHANGE_SK_READER)), device: Secret::new(array(EXCHANGE_SK_DEVICE)) };
    let tag = Channel::new(Side::Device, keys).seal(&crypto, &[], &mut text).unwrap();
    assert_eq!([&text[..], &tag].concat(), sealed);
}

fn the_device_gives_the_published_answers<B: Backend>() {
    let crypto = B::default();
    let trust = Trust::Key(public_key(READER_LONG_TERM_PUBLIC));
    let mut phone = Phone::new(Device::nfc(&crypto, proprietary()), reader_id(), trust);
    phone.wallet.key = B::key(array(DEVICE_LONG_TERM_PRIVATE));
    phone.random.ephemeral = Secret::new(array(DEVICE_EPHEMERAL_PRIVATE));
    assert_eq!(phone.send(&hex(SELECT_COMMAND)), (Ok(()), hex(SELECT_RESPONSE)));
    assert_eq!(phone.send(&hex(AUTH0_COMMAND)), (Ok(()), hex(AUTH0_RESPONSE)));
    let (result, mut answer) = phone.send(&hex(AUTH1_COMMAND));
    assert_eq!(result, Ok(()), "the published signature of the reader is taken");
    let keys = ChannelKeys { reader: Secret::new(array(EXCHANGE_SK_READER)), device: Secret::new(array(EXCHANGE_SK_DEVICE)) };
    let sealed = response::data_mut(&mut answer).unwrap();
    let text = Channel::new(Side::Reader, keys).open(&crypto, &[], sealed).unwrap();
    let published = hex(AUTH1_RESPONSE_PLAINTEXT);
    assert_eq!(text[..69], published[..69], "the key and the head of the signature");
}

/// Only x coordinates are published; the rest of the point enters no key.
fn x_only(x: &str) -> PublicKey {
    PublicKey::from_uncompressed(&[&[4][..], &hex(x), &[0; 32]].concat()).unwrap()
}

fn the_fast_phase_derives_the_published_keys<B: Backend>() {
    let crypto = B::default();
    let transcript = Transcript {
        transaction: TransactionId(array(FAST_TRANSACTION_IDENTIFIER)),
        reader_ephemeral: x_only(FAST_READER_EPHEMERAL_X),
        device_ephemeral: x_only(FAST_CREDENTIAL_EPHEMERAL_X),
        flags: array(FAST_COMMAND_PARAMETERS_AND_POLICY),
        ..transcript(Interface::Nfc)
    };
    let credential = x_only(FAST_CREDENTIAL_PUBLIC_X);
    assert_eq!(transcript.salt(b"VolatileFast", Some(&credential)).unwrap().as_slice(), hex(FAST_SALT_FAST));
    let keys = keys::fast(&crypto, &Secret::new(array(FAST_K_PERSISTENT)), &transcript, &credential).unwrap();
    assert_eq!(keys.cryptogram.expose(), &array(FAST_CRYPTOGRAM_SK));
    assert_eq!(keys.exchange_reader.expose(), &array(FAST_EXPEDITED_SK_READER));
    assert_eq!(keys.exchange_device.expose(), &array(FAST_EXPEDITED_SK_DEVICE));
    assert_eq!(keys.ble.expose(), &array(FAST_BLE_SK));
    assert_eq!(keys.ranging.expose(), &array(FAST_URSK));
    let mut cryptogram = hex(FAST_CRYPTOGRAM);
    let (text, tag) = cryptogram.split_last_chunk_mut().unwrap();
    crypto.gcm_open(&keys.cryptogram, &[0; 12], &[], text, tag).unwrap();
    assert_eq!(text, hex(FAST_CRYPTOGRAM_PLAINTEXT));
    let told = Cryptogram::parse(text).unwrap();
    let mut again = [0; 48];
    told.write(&mut Writer::new(&mut again)).unwrap();
    assert_eq!(again, text);
}

fn dynamic_tags_are_the_published_ones<B: Backend>() {
    for [key, address, expiry, tag] in DYNAMIC_TAGS {
        let expiry = u32::from_be_bytes(array(expiry));
        assert_eq!(dynamic_tag(&B::default(), &Secret::new(array(key)), Address(array(address)), expiry), array::<7>(tag));
    }
}

fn certificates_expand_to_the_published_ones<B: Backend>() {
    let crypto = B::default();
    for [issuer, reduced, x509] in CERTIFICATES {
        let (issuer, reduced) = (public_key(issuer), hex(reduced));
        let certificate = Profile0000::parse(&reduced).unwrap();
        assert_eq!(certificate.to_x509(&crypto, &issuer).unwrap().as_slice(), hex(x509));
        assert_eq!(certificate.verify(&crypto, &issuer, None), Ok(certificate.content.key));
        let (from, until) = certificate.content.validity().unwrap();
        for (now, valid) in [(from.0 - 1, false), (from.0, true), (until.0, true), (until.0 + 1, false)] {
            assert_eq!(certificate.verify(&crypto, &issuer, Some(Instant(now))).is_ok(), valid);
        }
        let other = public_key(DEVICE_LONG_TERM_PUBLIC);
        assert_eq!(certificate.verify(&crypto, &other, None), Err(AliroError::Certificate));
        assert!(Proprietary::from_content(&reduced).is_err());
    }
}

on_each_backend!(
    key_pairs_belong_together,
    the_standard_phase_derives_the_published_keys,
    both_sides_sign_the_published_bytes,
    the_reader_sends_and_takes_the_published_messages,
    the_published_commands_are_written_again,
    the_published_answer_decrypts,
    the_device_gives_the_published_answers,
    the_fast_phase_derives_the_published_keys,
    dynamic_tags_are_the_published_ones,
    certificates_expand_to_the_published_ones,
);
