//! The steps that a reader takes at a card: load a key, authenticate, read, write (PC/SC part 3, supplement 2.02; ACR122U API 2.04).
use zeroize::Zeroizing;

use super::access::ClassicKey;
use crate::apdu::{Command, StatusWord};
use crate::dialogue::Card;
use crate::error::CardError;

/// Class byte of the commands that the reader itself answers.
const READER: u8 = 0xff;

/// Which of the two keys of a sector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Key A.
    A,
    /// Key B.
    B,
}

impl KeyKind {
    fn code(self) -> u8 {
        match self {
            Self::A => 0x60,
            Self::B => 0x61,
        }
    }
    /// How it is named in errors: 0 for A, 1 for B.
    fn number(self) -> u8 {
        match self {
            Self::A => 0,
            Self::B => 1,
        }
    }
}

/// The serial number of the card in the field, 4 or 7 bytes. A 4-byte one may not be unique, and may be set at will on copies.
///
/// # Errors
/// [`CardError::Garbage`]: another length; otherwise as [`Card::transmit`].
pub async fn uid(card: &Card) -> Result<Vec<u8>, CardError> {
    let uid = card.transmit(Command::new(READER, 0xca, 0, 0).expecting(0)).await?.ok()?;
    if matches!(uid.len(), 4 | 7) { Ok(uid.to_vec()) } else { Err(CardError::Garbage("a serial number of an odd length")) }
}

/// Loads a key into the volatile memory of the reader and proves it to the sector of `block`.
///
/// # Errors
/// [`CardError::AuthenticationRefused`]: another key stands there. A card that refused a key is silent until it is selected anew; readers do
/// that by themselves with the next command.
pub async fn authenticate(card: &Card, block: u8, kind: KeyKind, key: &ClassicKey) -> Result<(), CardError> {
    // Structure 00: a card key, volatile, in plain. Slot 00 is there in every reader.
    card.transmit(Command::with_data(READER, 0x82, 0x00, 0x00, key.bytes())?).await?.ok()?;
    let answer = card.transmit(Command::with_data(READER, 0x86, 0, 0, &[0x01, 0x00, block, kind.code(), 0x00])?).await?;
    match answer.status() {
        StatusWord(0x9000) => Ok(()),
        status @ StatusWord(0x6300 | 0x6982 | 0x6983) => Err(CardError::AuthenticationRefused { key_no: kind.number(), status }),
        status => Err(CardError::Status(status)),
    }
}

/// Reads a block of a sector to which a key was proven.
///
/// # Errors
/// [`CardError::Status`]: not allowed with that key; [`CardError::Garbage`]: not 16 bytes.
pub async fn read(card: &Card, block: u8) -> Result<Zeroizing<[u8; 16]>, CardError> {
    let data = card.transmit(Command::new(READER, 0xb0, 0x00, block).expecting(16)).await?.ok()?;
    data.as_slice().try_into().map(Zeroizing::new).map_err(|_| CardError::Garbage("a block that has not 16 bytes"))
}

/// Writes a block of a sector to which a key was proven. It is not proof that the block holds: read it back.
///
/// # Errors
/// [`CardError::Status`]: not allowed with that key; [`CardError::Garbage`]: the reader cannot say whether it was written.
pub async fn write(card: &Card, block: u8, data: &[u8; 16]) -> Result<(), CardError> {
    let answer = card.transmit(Command::with_data(READER, 0xd6, 0x00, block, data)?).await?;
    match answer.status() {
        StatusWord(0x9000) => Ok(()),
        // "Failed" comes after the block has gone to the card.
        StatusWord(0x6300) => Err(CardError::Garbage("a write that the reader calls failed")),
        status => Err(CardError::Status(status)),
    }
}
