//! What must hold for any bytes: nothing panics, and what is accepted is written again as it was read.
use seam_encoders::apdu::{Command, Response};
use seam_encoders::classic::access::{Conditions, Trailer};
use seam_encoders::classic::mad::Directory;
use seam_encoders::ndef::Message;
use seam_encoders::ndef::file::{self, Capability};
use seam_encoders::ndef::tlv;
use seam_encoders::ntag424::Suite;
use seam_encoders::ntag424::sdm::SdmUrl;
use seam_encoders::ntag424::settings::FileSettings;
use seam_encoders::pkoc;

/// Commands and answers.
pub fn apdu(bytes: &[u8]) {
    if let Ok(command) = Command::parse(bytes) {
        assert_eq!(command.bytes(), bytes);
    }
    if let Ok(response) = Response::parse(bytes) {
        assert_eq!([response.data(), &response.status().0.to_be_bytes()].concat(), bytes);
    }
}

/// NDEF messages, and the files and records that they are made of.
pub fn ndef(bytes: &[u8]) {
    if let Ok(message) = Message::parse(bytes) {
        let written = message.to_bytes();
        // Chunks were put together and lengths shortened: shorter, but the same message.
        assert!(written.len() <= bytes.len());
        assert_eq!(Message::parse(&written).as_ref(), Ok(&message));
        for record in message.records() {
            let _ = (record.as_uri(), record.as_text());
        }
    }
    let _ = (file::message(bytes), Capability::parse(bytes));
}

/// The TLVs of memory cards and of PKOC.
pub fn tlv(bytes: &[u8]) {
    if let Ok(blocks) = tlv::parse(bytes) {
        let written = tlv::to_bytes(&blocks).expect("blocks that were read can be written");
        assert_eq!(tlv::parse(&written), Ok(blocks));
    }
    let _ = tlv::message(bytes);
    let fields: usize = pkoc::fields(bytes).flatten().map(|field| 2 + field.value.len()).sum();
    assert!(fields <= bytes.len());
    let _ = pkoc::PublicKey::parse(bytes);
}

/// Directories and trailers of MIFARE Classic.
pub fn classic(bytes: &[u8]) {
    if let Some((low, rest)) = bytes.split_first_chunk::<32>()
        && let Ok(directory) = Directory::parse(low, rest.first_chunk::<48>())
    {
        let (low, high) = directory.to_bytes();
        assert_eq!(Directory::parse(&low, high.as_ref()), Ok(directory));
    }
    if let Some(block) = bytes.first_chunk::<16>()
        && let Ok(trailer) = Trailer::parse(block)
    {
        assert_eq!(*trailer.to_block(), *block);
    }
    if let Some(three) = bytes.first_chunk::<3>()
        && let Ok(conditions) = Conditions::parse(*three)
    {
        assert_eq!(conditions.to_bytes(), *three);
    }
}

/// Settings of an NTAG 424, templates of addresses and received addresses.
pub fn ntag424(bytes: &[u8]) {
    if let Ok((settings, _)) = FileSettings::parse(bytes)
        && let Ok(written) = settings.to_bytes()
    {
        // As the card tells them: a type, the size between rights and mirrors.
        let told = [&[0][..], &written[..3], &bytes[4..7], &written[3..]].concat();
        assert_eq!(FileSettings::parse(&told).map(|(settings, _)| settings), Ok(settings));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for suite in [Suite::Aes, Suite::Lrp] {
        let template = SdmUrl::new(suite, "https://door.example/t?p={picc}&m={mac}").expect("a template");
        let _ = template.tap(text);
        if let Ok(template) = SdmUrl::new(suite, text) {
            let _ = template.tap(text);
        }
    }
}
