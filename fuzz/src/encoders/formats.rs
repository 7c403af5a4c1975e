//! Formats that lie on cards, and what is kept about cards.
use crate::hex::{all, bytes};
use seam_encoders::access_data::{AccessFormat, FileContent, GenericAccess};
use seam_encoders::apdu::{Command, Response};
use seam_encoders::classic::access::{Conditions, Trailer};
use seam_encoders::classic::mad::Directory;
use seam_encoders::desfire::{FileKind, FileSettings as DesfireFile, Version};
use seam_encoders::job::Entry;
use seam_encoders::keys::Key;
use seam_encoders::ndef::Message;
use seam_encoders::ndef::file::{self, Capability};
use seam_encoders::ndef::tlv as ndef_tlv;
use seam_encoders::ntag424::Suite;
use seam_encoders::ntag424::sdm::SdmUrl;
use seam_encoders::ntag424::settings::FileSettings;
use seam_encoders::pkoc;
use zeroize::Zeroizing;

/// Sources: ISO/IEC 7816-4 (the four cases), NXP AN12196 (NTAG 424 DNA, 5.8 and 6), PKOC (SELECT).
pub(super) fn apdu_seeds() -> Vec<Vec<u8>> {
    all(&[
        "00A4040007D276000085010100",
        "00A4040C02E104",
        "90C400002902ABCDEF9000",
        "00A4040008A00000089800000100",
        "90710000020000009000",
        "A04CF5E5B2A1D4D5B49391AF",
        "FFCA000000",
        "00B000000000FF",
        "00D60000000100AA",
        "0484000008",
        "9000",
    ])
}

/// Commands and answers.
pub(super) fn apdu(input: &[u8]) {
    if let Ok(command) = Command::parse(input) {
        assert_eq!(command.bytes(), input);
    }
    if let Ok(response) = Response::parse(input) {
        assert_eq!([response.data(), &response.status().0.to_be_bytes()].concat(), input);
    }
}

/// Sources: NXP AN12196 (a URI), NFC Forum RTD (texts, chunks, empty records), a Wi-Fi credential, a Smart Poster.
pub(super) fn ndef_seeds() -> Vec<Vec<u8>> {
    let mut seeds = all(&[
        "D1011B550463686F6F73652E75726C2E636F6D2F6E7461673432343F653D30",
        "D1010C5402656E48656C6C6F20776F726C64",
        "910102540265 6E510102 5402656E",
        "D00000",
        "B1010354026536000 36C6576560002656C",
        "D9010803550161312E6578616D706C65",
        "C1010000000C5500 687474703A2F2F612E62",
        "D20A0B746578742F706C61696E00686F77206172652075",
        "000FD1010B5504646F6F722E65782F74",
        "001720010000FF0406E104010000000506E10500808283000000000000000000",
        "000F20003B00340406E10401000000",
    ]);
    seeds.push([&bytes("D1010A55046578616D706C652E"), &bytes("D1010154")[..]].concat());
    seeds
}

/// NDEF messages, and the files and records that they are made of.
pub(super) fn ndef(input: &[u8]) {
    if let Ok(message) = Message::parse(input) {
        let written = message.to_bytes();
        // Chunks were put together and lengths shortened: shorter, but the same message.
        assert!(written.len() <= input.len());
        assert_eq!(Message::parse(&written).as_ref(), Ok(&message));
        for record in message.records() {
            let _ = (record.as_uri(), record.as_text());
        }
    }
    let _ = (file::message(input), Capability::parse(input));
}

/// Sources: NFC Forum Type 2 Tag (an NDEF message, lock and memory control, a long length), PKOC 1.0 (version, key, signature).
pub(super) fn tlv_seeds() -> Vec<Vec<u8>> {
    all(&[
        "0304DEADBEEF030142FE",
        "0103A00C340300FE",
        "0203F1F1F10304D1000000FE",
        "03FF0100 D1010B5504646F6F722E65782F74",
        "00000003 0BD101075502 61622E6364 65FE",
        "5C0201004C1031313131313131313131313131313131",
        "5C0201005A4104",
        "9E4031",
    ])
}

/// The TLVs of memory cards and of PKOC.
pub(super) fn tlv(input: &[u8]) {
    if let Ok(blocks) = ndef_tlv::parse(input) {
        let written = ndef_tlv::to_bytes(&blocks).expect("blocks that were read can be written");
        assert_eq!(ndef_tlv::parse(&written), Ok(blocks));
    }
    let _ = ndef_tlv::message(input);
    let fields: usize = pkoc::fields(input).flatten().map(|field| 2 + field.value.len()).sum();
    assert!(fields <= input.len());
    let _ = pkoc::PublicKey::parse(input);
}

/// Sources: NXP AN10787 (a directory with an application), the MF1S50 data sheet (delivery trailer, transport configuration).
pub(super) fn classic_seeds() -> Vec<Vec<u8>> {
    all(&[
        "890101080108010800000000000004000310031002100210000000000000113000",
        "F3010348000000000000000000000000000000000000000000000000000000000000",
        "FFFFFFFFFFFFFF078069FFFFFFFFFFFF",
        "FFFFFFFFFFFFFF078042DEADBEEFFFFF",
        "A0A1A2A3A4A5787788C1FFFFFFFFFFFF",
        "787788",
    ])
}

/// Directories and trailers of MIFARE Classic.
pub(super) fn classic(input: &[u8]) {
    if let Some((low, rest)) = input.split_first_chunk::<32>()
        && let Ok(directory) = Directory::parse(low, rest.first_chunk::<48>())
    {
        let (low, high) = directory.to_bytes();
        assert_eq!(Directory::parse(&low, high.as_ref()), Ok(directory));
    }
    if let Some(block) = input.first_chunk::<16>()
        && let Ok(trailer) = Trailer::parse(block)
    {
        assert_eq!(*trailer.to_block(), *block);
    }
    if let Some(three) = input.first_chunk::<3>()
        && let Ok(conditions) = Conditions::parse(*three)
    {
        assert_eq!(conditions.to_bytes(), *three);
    }
}

/// Sources: NXP AN12196 (5.6 and 6.9), and settings that a new card tells.
pub(super) fn settings_seeds() -> Vec<Vec<u8>> {
    all(&[
        "0040EEE0000100C1F121200000430000430000",
        "0000E0EE00010026",
        "004000E0000100C1F1212000004300004300000000",
        "0043E0EE000100D1FE1F01 200000 430000 640000 000000 8F0000",
    ])
}

/// What an NTAG 424 tells of a file.
pub(super) fn settings(input: &[u8]) {
    if let Ok((settings, _)) = FileSettings::parse(input)
        && let Ok(written) = settings.to_bytes()
    {
        // As the card tells them: a type, the size between rights and mirrors.
        let told = [&[0][..], &written[..3], &input[4..7], &written[3..]].concat();
        assert_eq!(FileSettings::parse(&told).map(|(settings, _)| settings), Ok(settings));
    }
}

/// Sources: NXP AN12196 (the addresses of 3.3 and 4.4.4) and templates over all the parts that there are.
pub(super) fn sdm_seeds() -> Vec<Vec<u8>> {
    crate::hex::texts(&[
        "https://door.example/t?p={picc}&m={mac}",
        "https://choose.url.com/ntag424?e=EF963FF7828658A599F3041510671E88&c=94EED9EE65337086",
        "https://door.example/t?p=EF963FF7828658A599F3041510671E88&m=94EED9EE65337086",
        "https://ntag.nxp.com/424?uid=04C767F2066180&ctr=000001&c=8BA6C7E4F2D5B9A1",
        "https://a.b/{uid}/{counter}/{mac}",
        "https://a.b/?d={data:0123456789abcdef}&p={picc}&m={mac}",
        "{picc}{mac}",
        "https://",
        "{data:é}",
    ])
}

/// Templates of addresses, and addresses that came.
pub(super) fn sdm(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for suite in [Suite::Aes, Suite::Lrp] {
        let template = SdmUrl::new(suite, "https://door.example/t?p={picc}&m={mac}").expect("a template");
        let _ = template.tap(text);
        if let Ok(template) = SdmUrl::new(suite, text) {
            let _ = template.tap(text);
        }
    }
}

/// Source: the example of NXP AN10957.
pub(super) fn access_data_seeds() -> Vec<Vec<u8>> {
    all(&["010000000011220000000000065530000000000000112233445566778899001122334455667788998FB0EF8EB12AC1F3"])
}

/// Access data: either the example as it is, or refused. What has its MAC made anew is read as it was written.
pub(super) fn access_data(input: &[u8]) {
    const UID: [u8; 7] = [0x04, 0xDE, 0xAD, 0xBE, 0xEF, 0xFE, 0xED];
    let key = [0xF3, 0xF9, 0x37, 0x76, 0x98, 0x70, 0x7B, 0x68, 0x8E, 0xAF, 0x84, 0xAB, 0xE3, 0x9E, 0x37, 0x91];
    let format = GenericAccess::new(Key::aes(key, 0)).expect("an AES key");
    let file = format.files().first().map_or(0, |(file, _)| *file);
    let content = |bytes: &[u8]| vec![FileContent { file, bytes: Zeroizing::new(bytes.to_vec()) }];
    if let Ok(data) = format.decode(&UID, &content(input)) {
        assert_eq!(access_data_seeds(), [input], "nobody makes a MAC by chance");
        assert_eq!(format.encode(&UID, &data).expect("it was read"), content(input));
    }
}

/// What the journal of jobs keeps of a card.
pub(super) fn journal_seeds() -> Vec<Vec<u8>> {
    crate::hex::texts(&[
        r#"{"to":2,"or":[1],"begun_at":"2026-11-22T15:00:00Z"}"#,
        r#"{"to":255,"begun_at":"2026-11-22T15:00:00.123456789+02:00"}"#,
        r#"{"to":0,"or":[255,254,253,252,251],"begun_at":"0001-01-01T00:00:00Z"}"#,
    ])
}

/// An entry of the journal.
pub(super) fn journal(input: &[u8]) {
    if let Ok(entry) = serde_json::from_slice::<Entry>(input) {
        let written = serde_json::to_vec(&entry).expect("it was read");
        assert_eq!(serde_json::from_slice::<Entry>(&written).expect("it was written"), entry);
        // The versions that a key may have are all kept, and none twice.
        let next = Entry::after(Some(&entry), 7, entry.begun_at);
        assert!(!next.or.contains(&7) && next.or.len() <= entry.or.len() + 1);
    }
}

/// Sources: the recording of an EV3 card (desox 0.5.4), the log of an EV1 card (Elmü); settings as libfreefare and proxmark3 read them.
pub(super) fn desfire_seeds() -> Vec<Vec<u8>> {
    all(&[
        "04010133001805040101030018050464d59add1e902113623030 4024",
        "04010101001A0504010101041A0504063F72633480BA4519E320 4913",
        "0003EEEE200000",
        "010300E0300000",
        "02030030000000006400000005000000 03",
        "0303EEEE100000050000020000",
        "0403EEEE100000050000000000",
        "0503F0EF0200",
        "0083EEEE20000001EEEE",
    ])
}

/// What a DESFire tells of itself and of a file.
pub(super) fn desfire(input: &[u8]) {
    if let Ok(version) = Version::parse(input) {
        let _ = version.generation();
    }
    if let Ok(settings) = DesfireFile::parse(input) {
        let (FileKind::Standard { size } | FileKind::Backup { size }) = settings.kind else { return };
        assert!(size < 1 << 24);
    }
}
