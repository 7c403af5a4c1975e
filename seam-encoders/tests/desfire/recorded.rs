//! The driver against the recording of a real DESFire EV3, byte for byte.
//!
//! Source: the crate `desox` 0.5.4 (MIT), `src/replay`. That recording has native frames and begins each write with its header alone; what
//! matters to the card is the command as a whole, so commands are compared as wholes here, while the answers come in the frames of the card.
use seam_encoders::apdu::Response;
use seam_encoders::desfire::{
    AccessRights, Aid, ApplicationSettings, ChangeKey, CommMode, Desfire, FileKind, FileSettings, Generation, KeyChange, KeySettings,
};
use seam_encoders::dialogue::{Dialogue, Step};
use seam_encoders::error::CardError;
use seam_encoders::keys::{Key, KeyType};
use std::collections::VecDeque;

use super::support::{hex, replaying};

/// One command as a whole, and the frames of its answer.
struct Exchange {
    command: Vec<u8>,
    frames: VecDeque<Vec<u8>>,
}

/// Puts the frames of a recording together. A frame with `AF` and data continues a command, one without asks for more of the answer; the second
/// pass of an authentication stands for itself.
fn exchanges(recording: &str) -> VecDeque<Exchange> {
    let mut exchanges: VecDeque<Exchange> = VecDeque::new();
    let mut authenticates = false;
    for line in recording.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (sent, came) = line.split_once(' ').expect("two columns");
        let (sent, came) = (hex(sent), hex(came));
        match exchanges.back_mut() {
            Some(before) if sent == [0xAF] => before.frames.push_back(came),
            Some(before) if sent[0] == 0xAF && !authenticates => {
                before.command.extend(&sent[1..]);
                before.frames = VecDeque::from([came]);
            }
            _ => exchanges.push_back(Exchange { command: sent.clone(), frames: VecDeque::from([came]) }),
        }
        authenticates = matches!(sent[0], 0x1A | 0xAA);
    }
    exchanges
}

/// Plays the card's part.
fn replay<T>(recording: &str, mut dialogue: Dialogue<T>) -> Result<T, CardError> {
    let mut exchanges = exchanges(recording);
    let mut so_far = Vec::new();
    let mut rest = VecDeque::new();
    let mut answer = None;
    loop {
        let command = match dialogue.step(answer) {
            Step::Send(command) => command,
            Step::Done(result) => {
                assert!(exchanges.is_empty() && rest.is_empty(), "the driver stopped {} exchanges early", exchanges.len());
                return result;
            }
        };
        let frame = if command.ins() == 0xAF && command.data().is_empty() {
            rest.pop_front().expect("the card has more to say")
        } else {
            let is_new = so_far.is_empty();
            if is_new {
                so_far.push(command.ins());
            }
            so_far.extend_from_slice(command.data());
            let expected = exchanges.front().expect("the recording goes on");
            if so_far.len() < expected.command.len() {
                vec![0xAF]
            } else {
                assert_eq!(so_far, expected.command, "after {} exchanges to come", exchanges.len());
                so_far.clear();
                rest = exchanges.pop_front().expect("was just there").frames;
                rest.pop_front().expect("an answer has a frame")
            }
        };
        let (status, data) = frame.split_first().expect("a frame has a status");
        answer = Some(Response::parse([data, &[0x91, *status]].concat()).expect("has a status word"));
    }
}

fn des(byte: u8) -> Key {
    Key::new(KeyType::TwoKeyTripleDes, &[byte; 16]).expect("16 bytes")
}
fn settings(settings_changeable: bool) -> KeySettings {
    KeySettings {
        change_key: KeyChange::Key(0),
        settings_changeable,
        free_create_delete: false,
        free_listing: false,
        master_key_changeable: settings_changeable,
    }
}
fn one_key(key_type: KeyType) -> ApplicationSettings {
    ApplicationSettings { keys: settings(true), key_count: 1, key_type }
}
fn aid() -> Aid {
    Aid::from_wire([1, 2, 3])
}
async fn change_own(card: &mut Desfire, new: &Key) -> Result<(), CardError> {
    card.change_key(ChangeKey { key_no: 0, new, old: None }).await
}

#[test]
fn what_the_card_says_of_itself() {
    let dialogue = replaying(&hex("32c28fdafd3960de"), |mut card| async move {
        card.authenticate_ev1(0, &des(0)).await?;
        let settings = card.key_settings().await?;
        let version = card.key_version(0).await?;
        let applications = card.applications().await?;
        let uid = card.card_uid().await?;
        Ok((settings, version, applications, uid, card.version().await?))
    });
    let (settings, key_version, applications, uid, version) = replay(METADATA, dialogue).expect("the card and the driver agree");
    assert_eq!(settings, ApplicationSettings { keys: KeySettings::FACTORY, key_count: 1, key_type: KeyType::TwoKeyTripleDes });
    assert_eq!((key_version, applications), (0, Vec::new()));
    assert_eq!((uid.to_vec(), version.uid), (hex("0464d59add1e90"), uid));
    assert_eq!(version.generation(), Some(Generation::Ev3));
}

#[test]
fn an_application_is_made_frozen_and_deleted() {
    let random = [hex("32c28fdafd3960de"), vec![1; 16], hex("32c28fdafd3960de")].concat();
    let dialogue = replaying(&random, |mut card| async move {
        card.authenticate_ev1(0, &des(0)).await?;
        card.create_application(aid(), one_key(KeyType::Aes128)).await?;
        card.select(aid()).await?;
        card.authenticate_ev1(0, &Key::zero(KeyType::Aes128)).await?;
        assert_eq!(card.key_settings().await?, one_key(KeyType::Aes128));
        assert_eq!(card.key_version(0).await?, 0);
        assert!(card.file_ids().await?.is_empty());
        card.change_key_settings(settings(false)).await?;
        assert_eq!(card.key_settings().await?, ApplicationSettings { keys: settings(false), ..one_key(KeyType::Aes128) });
        card.select(Aid::PICC).await?;
        card.authenticate_ev1(0, &des(0)).await?;
        card.delete_application(aid()).await
    });
    replay(APPLICATION, dialogue).expect("the card and the driver agree");
}

#[test]
fn files_are_written_and_read_in_all_modes() {
    let random = [hex("32c28fdafd3960de"), hex("c6b781428d978837a6360899119f0da4")].concat();
    let dialogue = replaying(&random, |mut card| async move {
        card.authenticate_ev1(0, &des(0)).await?;
        card.create_application(aid(), one_key(KeyType::Aes128)).await?;
        card.select(aid()).await?;
        card.authenticate_ev1(0, &Key::zero(KeyType::Aes128)).await?;
        let files = [(1, CommMode::Plain), (2, CommMode::Mac), (3, CommMode::Full)];
        let kind = FileKind::Standard { size: POEM.len() as u32 };
        for (file, mode) in files {
            card.create_file(file, &FileSettings { mode, rights: AccessRights::all(0), kind: kind.clone() }).await?;
        }
        for (file, mode) in files {
            let told = card.file_settings(file).await?;
            assert_eq!(told, FileSettings { mode, rights: AccessRights::all(0), kind: kind.clone() });
            card.write_data(file, 0, POEM, mode).await?;
            assert_eq!(card.read_data(file, 0, POEM.len() as u32, mode).await?[..], POEM[..]);
        }
        Ok(())
    });
    replay(FILES, dialogue).expect("the card and the driver agree");
}

#[test]
fn keys_are_changed_within_a_type() {
    for (recording, kind, randoms) in [
        (KEY_DES, KeyType::TwoKeyTripleDes, ["C0FFEED00D000001", "C0FFEED00D000002"]),
        (KEY_AES, KeyType::Aes128, ["C0FFEEBADCAB1EF00DF00DF00DF00D01", "C0FFEEBADCAB1EF00DF00DF00DF00D02"]),
    ] {
        let random = [hex("C0FFEED00D000000"), hex(randoms[0]), hex(randoms[1])].concat();
        let dialogue = replaying(&random, move |mut card| async move {
            let new = Key::new(kind, &[2; 16])?;
            card.authenticate_ev1(0, &des(0)).await?;
            card.create_application(aid(), one_key(kind)).await?;
            card.select(aid()).await?;
            card.authenticate_ev1(0, &Key::zero(kind)).await?;
            change_own(&mut card, &new).await?;
            assert_eq!(card.authenticated(), None);
            card.authenticate_ev1(0, &new).await
        });
        replay(recording, dialogue).expect("the card and the driver agree");
    }
}

#[test]
fn the_key_of_the_card_goes_round_its_types() {
    let random = [vec![1; 8], vec![2; 8], vec![3; 16], vec![4; 16]].concat();
    let dialogue = replaying(&random, |mut card| async move {
        for (old, new) in
            [(des(0), des(2)), (des(2), Key::aes([0; 16], 0)), (Key::aes([0; 16], 0), Key::aes([1; 16], 0)), (Key::aes([1; 16], 0), des(0))]
        {
            card.authenticate_ev1(0, &old).await?;
            change_own(&mut card, &new).await?;
        }
        Ok(())
    });
    // The recording ends with the last change; its own reader did not authenticate again.
    replay(KEY_OF_CARD, dialogue).expect("the card and the driver agree");
}

#[test]
fn a_recording_that_is_changed_is_refused() {
    let changed = METADATA.replace("0009651c9dc43b6e417", "0").replace("009651c9dc43b6e417", "009651c9dc43b6e418");
    let dialogue = replaying(&hex("32c28fdafd3960de"), |mut card| async move {
        card.authenticate_ev1(0, &des(0)).await?;
        card.key_settings().await?;
        card.key_version(0).await?;
        let refused = card.applications().await;
        assert_eq!(card.authenticated(), None);
        refused
    });
    let mut exchanges = exchanges(&changed);
    let refused = dialogue.run(|_| {
        let frame = exchanges.pop_front()?.frames.pop_front()?;
        Some([&frame[1..], &[0x91, frame[0]]].concat())
    });
    assert_eq!(refused, Err(CardError::Integrity("MAC")));
}

const POEM: &[u8] = b"Had I the heavens' embroidered cloths,
Enwrought with golden and silver light,
The blue and the dim and the dark cloths
Of night and light and the half light,
I would spread the cloths under your feet:
But I, being poor, have only my dreams;
I have spread my dreams under your feet;
Tread softly because you tread on my dreams.
";

const METADATA: &str = "
1a00 afc7bbd82ff8fefae8
afc6dab54df2278d2952d560821be7e4c3 007d9abe94a9b14748
45 000f011d5c40f4990acd9c
6400 00000a361ce1ff0cdc9e
6a 009651c9dc43b6e417
51 00baf665c87723c13876c10b993668481f
60 af04010133001805
af af04010103001805
af 000464d59add1e9021136230304024979e425be4c34ca2
";
const APPLICATION: &str = "
1a00 af82c0ab236e97e3d4
af01d15278b4a08729c323c32a49239ab9 00762262dac3b103bb
ca0102030981 00f443f754bedd1448
5a010203 00
aa00 afbf8f998a924873daac8b859309b46d13
af0fdb4c644c9fac875cad7a817d26c0e35c970dd97a654fb17e09a865f39ced90 00631bd8b8f4a2d0f0f5b4ebe6034c3869
45 0009819c63702e15e62095
6400 0000245b84397350f81d
6f 00c29cc839562c5145
54c316b45d72e501bdb9de4e867a587893 00e2d7dd76bd596fab
45 0000815054da9f9ff1c9d1
5a000000 00
1a00 afdbedbb3913dd9038
af965e7b3d1767ee1356b6881560f1a68a 0024c8e9643e8bcffa
da010203 00e91840f5538652d3
";
const FILES: &str = "
1a00 afc3a3035aac0d45c2
afcb20bba3b452b2b3730899b0ce1d469c 00af1f91810749b1d8
ca0102030981 0053d3f01ba2375e21
5a010203 00
aa00 afe3798763dc7b87424240b62315154e0a
af424fed3e1903d591b5bd376b3ae6672195f829b4d145bc6a3c3322b6df1daae4 0094c0ac20045311b60c3821615b339f96
cd01000000480100 00d31ff3bce4b702e2
cd02010000480100 00c412c0f81191c31f
cd03030000480100 007bc23fcbc4ace524
f501 0000000000480100c2f74ebdeda3c77e
3d01000000480100 af
af4861642049207468652068656176656e732720656d62726f69646572656420636c6f7468732c0a456e77726f75676874207769746820676f6c6465 af
af6e20616e642073696c766572206c696768742c0a54686520626c756520616e64207468652064696d20616e6420746865206461726b20636c6f7468 af
af730a4f66206e6967687420616e64206c6967687420616e64207468652068616c66206c696768742c0a4920776f756c642073707265616420746865 af
af20636c6f74687320756e64657220796f757220666565743a0a42757420492c206265696e6720706f6f722c2068617665206f6e6c79206d79206472 af
af65616d733b0a49206861766520737072656164206d7920647265616d7320756e64657220796f757220666565743b0a547265616420736f66746c79 af
af206265636175736520796f75207472656164206f6e206d7920647265616d732e0a 00c5b8fd6289d3ef3e
bd01000000480100 af4861642049207468652068656176656e732720656d62726f69646572656420636c6f7468732c0a456e77726f75676874
af af207769746820676f6c64656e20616e642073696c766572206c696768742c0a54686520626c756520616e642074686520
af af64696d20616e6420746865206461726b20636c6f7468730a4f66206e6967687420616e64206c6967687420616e642074
af af68652068616c66206c696768742c0a4920776f756c64207370726561642074686520636c6f74687320756e6465722079
af af6f757220666565743a0a42757420492c206265696e6720706f6f722c2068617665206f6e6c79206d7920647265616d73
af af3b0a49206861766520737072656164206d7920647265616d7320756e64657220796f757220666565743b0a5472656164
af 0020736f66746c79206265636175736520796f75207472656164206f6e206d7920647265616d732e0a2c07ba95514cc127
f502 00000100004801005851ac7ca0f04606
3d02000000480100 af
af4861642049207468652068656176656e732720656d62726f69646572656420636c6f7468732c0a456e77726f75676874207769746820676f6c6465 af
af6e20616e642073696c766572206c696768742c0a54686520626c756520616e64207468652064696d20616e6420746865206461726b20636c6f7468 af
af730a4f66206e6967687420616e64206c6967687420616e64207468652068616c66206c696768742c0a4920776f756c642073707265616420746865 af
af20636c6f74687320756e64657220796f757220666565743a0a42757420492c206265696e6720706f6f722c2068617665206f6e6c79206d79206472 af
af65616d733b0a49206861766520737072656164206d7920647265616d7320756e64657220796f757220666565743b0a547265616420736f66746c79 af
af206265636175736520796f75207472656164206f6e206d7920647265616d732e0aef53ae80d029d552 008e26d6dfe0a7eb28
bd02000000480100 af4861642049207468652068656176656e732720656d62726f69646572656420636c6f7468732c0a456e77726f75676874
af af207769746820676f6c64656e20616e642073696c766572206c696768742c0a54686520626c756520616e642074686520
af af64696d20616e6420746865206461726b20636c6f7468730a4f66206e6967687420616e64206c6967687420616e642074
af af68652068616c66206c696768742c0a4920776f756c64207370726561642074686520636c6f74687320756e6465722079
af af6f757220666565743a0a42757420492c206265696e6720706f6f722c2068617665206f6e6c79206d7920647265616d73
af af3b0a49206861766520737072656164206d7920647265616d7320756e64657220796f757220666565743b0a5472656164
af 0020736f66746c79206265636175736520796f75207472656164206f6e206d7920647265616d732e0ab5b0302cbecc0eee
f503 00000300004801001deeb06518a66ee4
3d03000000480100 af
afd378605df28e8060b66d76b61b12267a549319ad476b1a0e2a378ef44c41c950 af
af8982500905a4dc2de6996e837d0fb8df3f06fa65b2decaaa23bee846a5014adb af
af9e737e21a49b4120135fa5dce4023f144179ffc4026db1d469f17e84e24adfeb af
af2aa8e7ed813ba4de52c4d53c071456becfc13458ac57e7c7b545527d76c7dad2 af
af7b20b06bb1afd21b1a6e8f8ab7e6bc103d93dca10fc15140fa41146e51c5ac06 af
af9bc60bd559b92c8edb36c4f35d80eb8bc99538ef633f58691643b9e5dc9c68f7 af
aff75bc41663944b773e5b50ebf345eb0baaa3f395d31819e103c446b30d44884a af
afbaca37ec17e7a02dc446fc1d25d045bf5225a3ee91071f2e4e96dcd31464450e af
af7df4599d0901967843f456c404a4687f17745dd3064c34b57a844bce88bf7b3a af
af5fe3b990ac15cbafdb6c6f2413e1ce0036c886ca22ced568b9ccdfaa8d80f61b af
aff949ccb956b7bcc446453300aa8f343a 00596fb2d0d52ba7ee
bd03000000480100 affc205052ed4a972e644cb77da2b250465a57a971ee96405facee77f6ce9b99366f378be5375628c738119e8d3358a52f
af afd1ac6a814ed526050be2b43350189fb8aed1b0b5f1f9ea2cd168da8c2068258865dc8cad3e0ded072049a20032f3e82a
af aff82f74ce781a301bf56e09c8e932fdb2e8a1a509ee9626a5ba463760e550ee4b9757102ca4fa1932bd035f6eefc19214
af af0de6343b2e95711eb416b0e73bdac29016cfeb1d80c61a2666cf0c6f90cdf89169046c5ecb38ecbc00e03e8f662a6822
af afa2bf54fa9e90f23d6a77604f2ea15e22daaf8aa061381a30cf11a2b78320c84708860bf0af941452d59771615efc7fa8
af afb55b8f9b9f800ac4c8e81eff834485b149aefbbefe3f231de0d96ea5b230080fe4beca207bd309a799e6f2c724ea98c0
af 00bfdb75de64058975b5ff78364de8811cc14e794ca7d49cc95f538de707e70b6a40cf6c8b85ba1ccbcad2db7e895eebdf
";
const KEY_DES: &str = "
1a00 afe171d4bc6232075d
afdb96a1fad77ddbe7e9caa1dcbbe68f84 004cd57b5146102563
ca0102030901 005040055c5839fbdf
5a010203 00
1a00 afe806441f05abf709
af73bcbdd158d440878e005f511a280e40 00a5e5759cde0ade72
c4000276c59b8597fd433fc62da9d7a1a854bd485e50c566ce7c 00
1a00 af06d3f51f014d3b77
afbc6802681d5d805f8e4b884cfaccc69a 006ea9cb3f890b41a0
";
const KEY_AES: &str = "
1a00 af0e8f138980c0b2f0
afaa695a2bb9dae7fe045cedc546d9340a 009325d04f44bba308
ca0102030981 001ba17ecceb4a4631
5a010203 00
aa00 af2c68dfd9c1e211d5020af03c8147b01e
aff2cd9ca7acf94173d340b4cdd5fc527264c54056e6bd0db15853a4f7a902afbc 00b2dc06693dc7e505798ac41ff6d0fd7f
c400cfc87d52e7cf5d2461cd87e486e1ef82ca99c8dce2b80469ed7ee5d636f6068a 00
aa00 af01b5a4ca9d90f22c91a772295eeea98f
af9c069773b7b8b99941547c6975daa5d11a5526244379feef8ea75b64179792d6 0050ba3d897c083472b996cda6754ef1a5
";
const KEY_OF_CARD: &str = "
1a00 af8dc8d62ac78b40f7
af0a94ba7f9f4eb698b02e3ddc58dac2ff 00e37d7c86999d63f4
c400bd6d8a1d9d8081cca0591f7f39ddcf62c868ba73da8b9ba2 00
1a00 afad3463c0300f23ca
af19d1eba52085ba1b6510f72968f9d00f 008bf91bf7656411a5
c480bed765948d2ba93908216473d9323f8616353b071c8aaaa7 00
aa00 afa31c2d197933f2e73c8a792bdca98dc9
afbcad772a6d2c5586db74c2d8a733c68210a0f0cb8f66b2b87fc94fae3a52d6e8 0099f6cb2a3851bbc119f2ab6a0c480bc3
c4803925c0c0c16b82d42c6bd26b7a9828ec2613a875914da06c9f8b4820a35a5c52 00
aa00 af4e3ac83695e353bdf153b5e2f344a656
af09c6485c37c3b0b714c41375daed05dbffd1277e3cc0cfd71d2d6b16ce2d6191 00e253fffaf6270ab4a4cbac9adfb22c96
c400634b5e409763345afc675ba360c64a239117b429d386be331db9a697a01d2edf 00
";
