//! What a program logs of this crate's values shows no key, no number and no content: of every technology, every type that holds one.
use seam_encoders::access_data::{AccessData, AccessFormat, FileContent, GenericAccess};
use seam_encoders::apdu::{Command, Response};
use seam_encoders::classic::access::{ClassicKey, Trailer};
use seam_encoders::classic::job::{Order as ClassicOrder, SectorKeys, SectorOrder};
use seam_encoders::classic::{Size, mad::Aid as MadAid};
use seam_encoders::crypto::lrp::Lrp;
use seam_encoders::crypto::{BlockCipher, MacKey, Vector};
use seam_encoders::desfire::ev1::{self, Ev1};
use seam_encoders::desfire::ev2::{self, Ev2, SessionKeys};
use seam_encoders::desfire::{ChangeKey, CommMode, TransactionMac, TransactionMacKey};
use seam_encoders::dialogue::{Dialogue, SystemRandom};
use seam_encoders::error::CardError;
use seam_encoders::job::{CardNumber, ClassicProfile, DesfireProfile, Ntag424Profile, Profile, Task};
use seam_encoders::keys::{Diversified, FixedKeys, Key, KeyType};
use seam_encoders::ndef::{Message, Record};
use seam_encoders::ntag424::job::{FileOrder, Order as NtagOrder};
use seam_encoders::ntag424::sdm::{Keys as SdmKeys, SdmUrl};
use seam_encoders::ntag424::settings::{Access, FileSettings, KeyNo, Rights};
use seam_encoders::ntag424::{APPLICATION, Ntag424, Suite};
use seam_encoders::pms::onity::{Hour, NewKey};
use seam_encoders::pms::{Decoder, Frame};
use seam_encoders::sim::ntag424::Ntag424Card;
use seam_encoders::sim::ultralight::UltralightCard;
use seam_encoders::sim::{DesfireCard, DesfireModel, Field};
use seam_encoders::ultralight::job::{Order as PagesOrder, Protection};
use seam_encoders::ultralight::{AesKeyNo, Kind, Password, Reader, authenticate_aes};
use serde_json::json;
use std::fmt::Debug;
use std::sync::Arc;
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// In every secret, and nowhere else.
const CANARY: u8 = 0xC7;

/// No byte of the canary, in whatever way bytes are shown; and no text that holds the word.
fn hides(what: &dyn Debug) {
    for shown in [format!("{what:?}"), format!("{what:#?}"), format!("{what:x?}")] {
        let spaced = shown.replace(|c: char| !c.is_ascii_alphanumeric(), " ").to_lowercase();
        let has = spaced.split(' ').any(|word| matches!(word, "199" | "c7") || word.contains("c7c7") || word.contains("canary"));
        assert!(!has && !shown.contains("199, 199"), "{shown}");
    }
}

fn aes() -> Key {
    Key::aes([CANARY; 16], 1)
}

#[test]
fn keys_and_what_is_computed_with_them() {
    let des = Key::new(KeyType::TwoKeyTripleDes, &[CANARY; 16]).unwrap();
    let des3 = Key::new(KeyType::ThreeKeyTripleDes, &[CANARY; 24]).unwrap();
    let fixed = || FixedKeys::default().with(&[1, 2, 3], 0, aes());
    for key in [&aes(), &des, &des3] {
        hides(key);
        hides(&key.cipher());
        hides(&MacKey::new(key.cipher()));
        hides(&ChangeKey { key_no: 0, new: key, old: Some(key) });
    }
    hides(&fixed());
    hides(&Diversified::new(fixed(), b"seam"));
    let mac = MacKey::new(BlockCipher::aes(&[CANARY; 16]));
    let mut begun = mac.begin(Vector([CANARY; 16]));
    begun.update(&[CANARY; 7]);
    hides(&begun);
    hides(&Vector([CANARY; 16]));
    hides(&Lrp::for_mac(&[CANARY; 16]));
}

#[test]
fn sessions_with_a_desfire() {
    let rnd = || Zeroizing::new([CANARY; 16]);
    hides(&Ev1::at(BlockCipher::aes(&[CANARY; 16]), Vector([CANARY; 16])));
    hides(&ev1::Handshake::answer(&aes(), &rnd()[..], &[CANARY; 16]).unwrap().0);
    hides(&ev2::Handshake::answer(aes().cipher(), rnd(), &[CANARY; 16]).unwrap().0);
    hides(&SessionKeys::new(&[CANARY; 16], &[CANARY; 16]));
    hides(&SessionKeys::lrp(&[CANARY; 16]));
    hides(&Ev2::new(SessionKeys::new(&[CANARY; 16], &[CANARY; 16]), [0; 4], 0));
    hides(&TransactionMacKey::derive(&aes(), &[CANARY; 7], 1).unwrap());
    hides(&TransactionMac::default().data(0x3D, 1, [0; 3], [2, 0, 0], &[CANARY; 2]));
    let mut field = Field::with(DesfireCard::new(DesfireModel::Ev2, [CANARY; 7]));
    let shown = field.run(Dialogue::<_, CardError>::new(|card| async move {
        let mut card = seam_encoders::desfire::Desfire::new(card, SystemRandom);
        card.version().await?;
        card.authenticate(0, &Key::zero(KeyType::TwoKeyTripleDes)).await?;
        let new = aes();
        card.change_key(ChangeKey { key_no: 0, new: &new, old: None }).await?;
        card.authenticate(0, &new).await?;
        Ok(card)
    }));
    hides(&shown.unwrap());
}

#[test]
fn keys_and_orders_of_the_other_cards() {
    let url = SdmUrl::new(Suite::Aes, "https://canary.example/t?p={picc}&m={mac}").unwrap();
    let master = Access::Key(KeyNo::MASTER);
    let rights = Rights { read: Access::Free, write: master, read_write: Access::Never, change: master };
    let ndef = || FileOrder { content: vec![CANARY; 9], settings: FileSettings { mode: CommMode::Full, rights, sdm: None } };
    let keys = || [aes(), aes(), aes(), aes(), aes()];
    hides(&ndef());
    let order = NtagOrder {
        uid: [CANARY; 7],
        suite: Suite::Aes,
        old: vec![keys()],
        new: keys(),
        ndef: ndef(),
        url: Some(url),
        proprietary: Some(ndef()),
    };
    hides(&order);
    hides(&SdmKeys::derive(Suite::Aes, &aes(), Some(&[CANARY; 7]), None).unwrap());
    hides(&SdmKeys::derive(Suite::Lrp, &aes(), Some(&[CANARY; 7]), None).unwrap());
    let session = Field::with(Ntag424Card::new([CANARY; 7])).run(Dialogue::<_, CardError>::new(|card| async move {
        let tag = Ntag424::select(card).await?;
        tag.authenticate(Suite::Aes, KeyNo::MASTER, &Key::zero(KeyType::Aes128), &mut SystemRandom).await
    }));
    hides(&session.unwrap());

    let six = || ClassicKey::new([CANARY; 6]);
    let pair = SectorKeys { a: six(), b: six() };
    let sector = SectorOrder { sector: 1, blocks: vec![[CANARY; 16]], keys: pair.clone() };
    let owner = MadAid { cluster: 1, application: 2 };
    hides(&six());
    hides(&pair);
    hides(&sector);
    hides(&ClassicOrder { uid: vec![CANARY; 4], size: Size::K1, owner, sectors: vec![sector], directory: six(), free: six() });
    let mut trailer = [CANARY; 16];
    trailer[6..10].copy_from_slice(&[0x78, 0x77, 0x88, 0x00]);
    hides(&Trailer::parse(&trailer).unwrap());

    let password = || Password::new([CANARY; 4], [CANARY; 2]);
    let key = Protection::Key { key: aes(), reading_too: true };
    hides(&password());
    hides(&key);
    let message = Message::new(vec![Record::uri("https://canary.example/").unwrap()]);
    let old = Protection::Password { password: password(), reading_too: true };
    hides(&PagesOrder { uid: [CANARY; 7], kind: Kind::Aes, reader: Reader::Pn532, message, old, new: key });
    let session = Field::with(UltralightCard::aes([CANARY; 7])).run(Dialogue::<_, CardError>::new(|card| async move {
        authenticate_aes(&card, Reader::Pn532, AesKeyNo::Data, &Key::zero(KeyType::Aes128), &mut SystemRandom).await
    }));
    hides(&session.unwrap());
}

#[test]
fn profiles_tasks_commands_and_messages() {
    let masters = || (0..5).fold(FixedKeys::default(), |keys, n| keys.with(&[0, 0, 1], n, aes()).with(&APPLICATION, n, aes()));
    let format = GenericAccess::new(aes()).unwrap();
    hides(&format);
    hides(&DesfireProfile::new(1, 16, Arc::new(masters()), 1).unwrap());
    hides(&DesfireProfile::access(format.clone(), Arc::new(masters()), 1).unwrap());
    hides(&Ntag424Profile::new(Suite::Aes, Arc::new(masters()), 1).unwrap());
    let sector = |_: &[u8]| Ok(SectorKeys { a: ClassicKey::new([CANARY; 6]), b: ClassicKey::new([CANARY; 6]) });
    let owner = MadAid { cluster: 1, application: 2 };
    hides(&ClassicProfile::new(owner, 1, Arc::new(sector), ClassicKey::new([CANARY; 6])).unwrap());
    let data = AccessData { pin: Zeroizing::new([CANARY; 4]), ..AccessData::new(0xC7C7, 0xC7C7).unwrap() };
    hides(&data);
    hides(&FileContent { file: 2, bytes: Zeroizing::new(vec![CANARY; 4]) });
    hides(&format.encode(&[CANARY; 7], &data).unwrap());
    let task = Task::new(CardNumber(vec![CANARY; 7]), &[0x3B], json!({ "data": "C7C7C7" }), false);
    hides(&task);
    hides(&task.card);
    hides(&DesfireProfile::new(1, 16, Arc::new(masters()), 1).unwrap().write(task));
    hides(&Command::with_data(0x90, 0xC4, 0, 0, &[CANARY; 20]).unwrap());
    hides(&Response::parse([CANARY, CANARY, CANARY, 0x90, 0]).unwrap());
    let ends = Hour::of_end("2026-11-24T11:00:00".parse().unwrap()).unwrap();
    hides(&NewKey::new(3, "canary", ends));
    let frame = Frame::new(["CN", "3", "canary"]).unwrap();
    let mut decoder = Decoder::default();
    frame.to_bytes().into_iter().take(8).for_each(|byte| drop(decoder.take(byte)));
    hides(&frame);
    hides(&decoder);
}

#[cfg(feature = "osdp")]
#[test]
fn a_reader_on_a_bus() {
    use seam_encoders::osdp::{CardBits, Event, Keys, Panel, Security, Times};
    hides(&Security::Key(Zeroizing::new([CANARY; 16])));
    hides(&Event::Card(CardBits { reader: 0, bits: 26, data: Zeroizing::new(vec![CANARY; 4]) }));
    hides(&Event::Keys(Keys { reader: 0, keys: Zeroizing::new("199".to_owned()) }));
    let key = Security::Key(Zeroizing::new([CANARY; 16]));
    hides(&Panel::new(tokio::io::duplex(64).0, 1, key, Times::default(), SystemRandom));
}

/// The ciphers' own schedules are wiped only with a feature of their crates; and what holds a key is told by the compiler to do something when it ends.
#[test]
fn keys_are_wiped_when_they_end() {
    fn wiped<T: ZeroizeOnDrop>() {}
    wiped::<::aes::Aes128>();
    wiped::<des::TdesEde2>();
    wiped::<des::TdesEde3>();
    wiped::<Key>();
    wiped::<ClassicKey>();
    wiped::<Password>();
    wiped::<Command>();
    wiped::<Response>();
    wiped::<Lrp>();
    wiped::<MacKey>();
    wiped::<BlockCipher>();
}
