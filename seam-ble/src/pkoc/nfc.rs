//! PKOC over NFC: one command, one signature over the reader's transaction number.
//!
//! The reader proves nothing and the card's public key is shown to whoever asks: this is a card in a phone's shape, good where a touch is wanted.
//! The signature covers the 16 bytes of the transaction number and nothing else (checked against the published test values), so neither version
//! nor reader is bound: a reader nearby can pass a challenge on to a phone far away.

use super::PkocError;
use crate::apdu::{Command, Response, Status};
use crate::bytes::Writer;
use crate::crypto::{Crypto, PublicKey, Signature, SigningKey};
use crate::tlv::{self, TlvError};

/// The application.
pub const AID: [u8; 8] = [0xA0, 0x00, 0x00, 0x08, 0x98, 0x00, 0x00, 0x01];
/// The only version of the NFC profile.
pub const VERSION: [u8; 2] = [1, 0];

const TRANSACTION: u16 = 0x4C;
const READER: u16 = 0x4D;
const VERSIONS: u16 = 0x5C;
const PUBLIC_KEY: u16 = 0x5A;
const SIGNATURE: u16 = 0x9E;

/// A reader that begins: select the application with these bytes.
pub const SELECT: [u8; 14] = [0x00, 0xA4, 0x04, 0x00, 8, 0xA0, 0x00, 0x00, 0x08, 0x98, 0x00, 0x00, 0x01, 0x00];

/// The reader's state after SELECT was sent.
#[derive(Debug)]
pub struct Selecting(());

/// Begins: writes SELECT.
///
/// # Errors
/// [`PkocError::Full`].
pub fn select(out: &mut Writer<'_>) -> Result<Selecting, PkocError> {
    out.put(&SELECT)?;
    Ok(Selecting(()))
}

impl Selecting {
    /// Takes the answer to SELECT and writes AUTHENTICATE. `transaction` are 16 fresh random bytes; `reader` is site and location.
    ///
    /// # Errors
    /// [`PkocError::Nfc`] with another status than `9000`; [`PkocError::Tlv`] when version 1.0 is not offered.
    pub fn authenticate(
        self,
        response: &[u8],
        transaction: [u8; 16],
        reader: &[u8; 32],
        out: &mut Writer<'_>,
    ) -> Result<Authenticating, PkocError> {
        let mut fields = tlv::Reader::new(done(response)?);
        let mut offered = false;
        // Other objects may stand beside the versions.
        while let Some(field) = fields.next()? {
            offered |= field.tag == VERSIONS && field.value.as_chunks::<2>().0.contains(&VERSION);
        }
        if !offered {
            return Err(PkocError::Tlv(TlvError::Missing(VERSIONS)));
        }
        let mut data = [0; 56];
        let mut body = Writer::new(&mut data);
        tlv::put(&mut body, VERSIONS, &[&VERSION])?;
        tlv::put(&mut body, TRANSACTION, &[&transaction])?;
        tlv::put(&mut body, READER, &[reader])?;
        Command::new(0x80, 0x80, 0x00, 0x01, body.as_slice()).write(out)?;
        Ok(Authenticating { transaction })
    }
}

/// The reader's state after AUTHENTICATE was sent.
#[derive(Debug)]
pub struct Authenticating {
    transaction: [u8; 16],
}

impl Authenticating {
    /// Takes the answer and gives the key that the card has proven.
    ///
    /// # Errors
    /// [`PkocError::Nfc`], [`PkocError::Tlv`], [`PkocError::Crypto`].
    pub fn finish<C: Crypto>(self, crypto: &C, response: &[u8]) -> Result<PublicKey, PkocError> {
        let [key, signature] = tlv::pick(tlv::Reader::new(done(response)?), [PUBLIC_KEY, SIGNATURE])?;
        let key = PublicKey::from_uncompressed(key.ok_or(TlvError::Missing(PUBLIC_KEY))?)?;
        let signature = Signature::from_slice(signature.ok_or(TlvError::Missing(SIGNATURE))?)?;
        crypto.verify(&key, &self.transaction, &signature)?;
        Ok(key)
    }
}

fn done(response: &[u8]) -> Result<&[u8], PkocError> {
    let response = Response::parse(response).map_err(|_| PkocError::Nfc(Status::WRONG_LENGTH))?;
    if response.status == Status::OK { Ok(response.data) } else { Err(PkocError::Nfc(response.status)) }
}

/// A card, or a phone that acts as one.
#[derive(Debug)]
pub struct Card<K> {
    key: K,
    selected: bool,
}

impl<K: SigningKey> Card<K> {
    /// A card that was not selected yet.
    pub const fn new(key: K) -> Self {
        Self { key, selected: false }
    }

    /// The field went away: the next reader selects again.
    pub const fn deselect(&mut self) {
        self.selected = false;
    }

    /// Answers a command; what is wrong with it is told by the status word. One selection allows one signature.
    ///
    /// # Errors
    /// [`PkocError::Full`] when the answer does not fit into `out` (141 bytes at most).
    pub fn answer(&mut self, command: &[u8], out: &mut Writer<'_>) -> Result<(), PkocError> {
        let mut data = [0; 140];
        let mut body = Writer::new(&mut data);
        let status = match self.perform(command, &mut body) {
            Ok(()) => Status::OK,
            Err(status) => {
                self.selected = false;
                body = Writer::new(&mut []);
                status
            }
        };
        Ok(Response { data: body.as_slice(), status }.write(out)?)
    }

    fn perform(&mut self, command: &[u8], body: &mut Writer<'_>) -> Result<(), Status> {
        let command = Command::parse(command).map_err(|_| Status::WRONG_LENGTH)?;
        match (command.cla, command.ins) {
            (0x00, 0xA4) if (command.p1, command.p2) != (4, 0) => Err(Status::WRONG_P1_P2),
            (0x00, 0xA4) if command.data != AID => Err(Status::NOT_FOUND),
            (0x00, 0xA4) => {
                self.selected = true;
                tlv::put(body, VERSIONS, &[&VERSION]).map_err(|_| Status::WRONG_LENGTH)
            }
            (0x80, 0x80) if (command.p1, command.p2) != (0, 1) => Err(Status::WRONG_P1_P2),
            (0x80, 0x80) if !core::mem::take(&mut self.selected) => Err(Status::CONDITIONS),
            (0x80, 0x80) => self.sign(command.data, body),
            (0x00 | 0x80, _) => Err(Status::INSTRUCTION),
            _ => Err(Status::CLASS),
        }
    }

    fn sign(&self, data: &[u8], body: &mut Writer<'_>) -> Result<(), Status> {
        let fields = tlv::pick(tlv::Reader::new(data), [VERSIONS, TRANSACTION, READER]).map_err(|_| Status::WRONG_DATA)?;
        let [Some(version), Some(transaction), Some(reader)] = fields else { return Err(Status::WRONG_DATA) };
        if version != VERSION || transaction.len() != 16 || reader.len() != 32 {
            return Err(Status::WRONG_DATA);
        }
        let signature = self.key.sign(transaction).map_err(|_| Status::SECURITY)?;
        tlv::put(body, PUBLIC_KEY, &[self.key.public_key().as_bytes()]).map_err(|_| Status::WRONG_LENGTH)?;
        tlv::put(body, SIGNATURE, &[signature.as_bytes()]).map_err(|_| Status::WRONG_LENGTH)
    }
}
