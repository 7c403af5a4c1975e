//! MIFARE Ultralight EV1, C and AES and their kin NTAG 21x: cheap cards of pages of four bytes, for NDEF and for what needs little protection.
//!
//! Pages are read and written through the storage commands of PC/SC, which every reader has. To prove a password or a key, a card wants raw commands
//! of ISO 14443-3, which PC/SC does not define: [`Reader`] says how a reader passes them on, and where it does not, what needs a proof is
//! [`Unsupported`](crate::error::CardError::Unsupported) and refused before anything was written.
//!
//! What each protection is worth: a password goes over the air in clear and is heard by whoever is near; the key of an Ultralight C proves the card
//! but protects no single command after it; that of an Ultralight AES may ([`AesSession`]), where the card was told to want it, which [`job`] does not.
//!
//! Facts: NXP data sheets MF0ULX1 (EV1), MF0ICU2 (C, with the example of its table 9), MF0AES(H)20, NTAG213/215/216; ACR122U API 2.04.
mod aes;
mod auth;
pub mod job;

pub use aes::{AesKeyNo, AesSession, authenticate_aes};
pub use auth::{Password, authenticate, prove_password};

use crate::apdu::{Command, StatusWord};
use crate::dialogue::Card;
use crate::error::CardError;

/// Bytes of a page.
pub const PAGE: usize = 4;
/// The first page that is free for data.
pub const FIRST: u8 = 4;
/// The page of one-time bits, which holds the capability container of NDEF.
pub const CAPABILITY: u8 = 3;

/// How a reader passes raw commands to a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Not at all, or not known.
    StorageOnly,
    /// With a PN532 behind a direct command (`FF 00 00 00 Lc D4 42 ..`), as the ACR122U.
    Pn532,
}

/// Which card it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ultralight EV1 with 48 bytes (MF0UL11).
    Ev1Small,
    /// Ultralight EV1 with 128 bytes (MF0UL21).
    Ev1Large,
    /// Ultralight C with 144 bytes.
    C,
    /// Ultralight AES with 144 bytes.
    Aes,
    /// NTAG 213 with 144 bytes.
    Ntag213,
    /// NTAG 215 with 504 bytes.
    Ntag215,
    /// NTAG 216 with 888 bytes.
    Ntag216,
}

impl Kind {
    /// The page after the last one that is free for data.
    #[must_use]
    pub fn end(self) -> u8 {
        match self {
            Self::Ev1Small => 0x10,
            Self::Ev1Large => 0x24,
            Self::C | Self::Aes | Self::Ntag213 => 0x28,
            Self::Ntag215 => 0x82,
            Self::Ntag216 => 0xe2,
        }
    }
    /// Bytes that are free for data.
    #[must_use]
    pub fn room(self) -> usize {
        usize::from(self.end() - FIRST) * PAGE
    }
    /// The first of four pages: first protected page, configuration, password, answer to the password.
    pub(crate) fn password_pages(self) -> Option<u8> {
        match self {
            Self::Ev1Small => Some(0x10),
            Self::Ev1Large => Some(0x25),
            Self::Ntag213 => Some(0x29),
            Self::Ntag215 => Some(0x83),
            Self::Ntag216 => Some(0xe3),
            Self::C | Self::Aes => None,
        }
    }

    /// What the answer to `GET_VERSION` (60) means.
    fn of_version(version: [u8; 8]) -> Option<Self> {
        match version {
            [_, 0x04, 0x03, _, _, _, 0x0b, _] => Some(Self::Ev1Small),
            [_, 0x04, 0x03, _, 0x01, _, 0x0e, _] => Some(Self::Ev1Large),
            [_, 0x04, 0x03, _, 0x04, _, 0x0f, _] => Some(Self::Aes),
            [_, 0x04, 0x04, _, _, _, 0x0f, _] => Some(Self::Ntag213),
            [_, 0x04, 0x04, _, _, _, 0x11, _] => Some(Self::Ntag215),
            [_, 0x04, 0x04, _, _, _, 0x13, _] => Some(Self::Ntag216),
            _ => None,
        }
    }
}

/// The serial number of the card in the field.
///
/// # Errors
/// [`CardError::NotThisTechnology`]: not of seven bytes.
pub async fn uid(card: &Card) -> Result<[u8; 7], CardError> {
    let uid = card.transmit(Command::new(0xff, 0xca, 0, 0).expecting(0)).await?.ok()?;
    uid.as_slice().try_into().map_err(|_| CardError::NotThisTechnology { expected: "an Ultralight or NTAG 21x" })
}

/// Which card it is, by what it says of itself. Ultralight C and older cards say nothing: for them this fails.
///
/// # Errors
/// [`CardError::Unsupported`]: the reader passes no raw commands; [`CardError::NotThisTechnology`]: another card, or one that says nothing.
pub async fn identify(card: &Card, reader: Reader) -> Result<Kind, CardError> {
    let unknown = CardError::NotThisTechnology { expected: "an Ultralight EV1 or AES, or NTAG 21x" };
    let Some(version) = raw(card, reader, &[&[0x60]]).await? else { return Err(unknown) };
    version.as_slice().try_into().ok().and_then(Kind::of_version).ok_or(unknown)
}

/// Reads a page.
///
/// # Errors
/// [`CardError::Status`]: there is no such page, or it wants a proof first.
pub async fn read(card: &Card, page: u8) -> Result<[u8; PAGE], CardError> {
    let data = card.transmit(Command::new(0xff, 0xb0, 0x00, page).expecting(4)).await?.ok()?;
    // Cards always send four pages; some readers pass all of them on.
    match data.as_slice() {
        [a, b, c, d] | [a, b, c, d, ..] if matches!(data.len(), 4 | 16) => Ok([*a, *b, *c, *d]),
        _ => Err(CardError::Garbage("a page that has not four bytes")),
    }
}

/// Writes a page. It is not proof that the page holds: read it back.
///
/// # Errors
/// [`CardError::Status`]: there is no such page, or it wants a proof first; [`CardError::Garbage`]: the reader cannot say whether it was written.
pub async fn write(card: &Card, page: u8, data: [u8; PAGE]) -> Result<(), CardError> {
    let answer = card.transmit(Command::with_data(0xff, 0xd6, 0x00, page, &data)?).await?;
    match answer.status() {
        StatusWord::OK => Ok(()),
        StatusWord(0x6300) => Err(CardError::Garbage("a write that the reader calls failed")),
        status => Err(CardError::Status(status)),
    }
}

/// Reads pages back.
///
/// # Errors
/// [`CardError::NotAsWritten`]: something else stands there.
pub(crate) async fn written(card: &Card, pages: &[(u8, [u8; PAGE])]) -> Result<(), CardError> {
    for (page, data) in pages {
        if read(card, *page).await? != *data {
            return Err(CardError::NotAsWritten);
        }
    }
    Ok(())
}

/// Sends a raw command; `None`: the card refused it, or did not answer: readers do not tell these apart.
async fn raw(card: &Card, reader: Reader, parts: &[&[u8]]) -> Result<Option<Vec<u8>>, CardError> {
    match reader {
        Reader::StorageOnly => Err(CardError::Unsupported("this reader passes no raw commands to a card")),
        Reader::Pn532 => {
            let mut all: Vec<&[u8]> = vec![&[0xd4, 0x42]];
            all.extend_from_slice(parts);
            let answer = card.transmit(Command::of_parts([0xff, 0, 0, 0], &all)?).await?.ok()?;
            match answer.as_slice() {
                [0xd5, 0x43, 0x00, data @ ..] => Ok(Some(data.to_vec())),
                [0xd5, 0x43, _] => Ok(None),
                _ => Err(CardError::Garbage("an answer that is not of a PN532")),
            }
        }
    }
}
