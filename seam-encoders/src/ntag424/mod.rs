//! NTAG 424 DNA: a card or key fob that a phone reads without an app, and that proves itself to a backend with every tap.
//!
//! - [`Ntag424`] is a card whose application is selected, [`Session`] one to which a key was proven: AES or LRP, both with secure messaging.
//! - [`sdm`]: addresses that the card fills with its number, a counter and a MAC, and what the backend does with them.
//! - [`job`]: a whole card, from the factory to the hand of a guest, so that an interrupted job is finished by repeating it.
//! - [`originality`]: the manufacturer's signature.
//!
//! Facts: NXP NT4H2421Gx (data sheet), AN12196, AN12321, AN12304; compared with the crate `ntag424` 0.1.1 and its recordings of real tags. The
//! tag tamper version differs in what is [`Unsupported`](crate::error::CardError::Unsupported) here.
mod auth;
pub mod job;
pub mod originality;
#[cfg(test)]
mod recordings;
pub mod sdm;
mod session;
pub mod settings;

pub use sdm::Suite;
pub use session::Session;

use zeroize::Zeroizing;

use crate::apdu::{Command, Response, StatusWord};
use crate::dialogue::{Card, Random};
use crate::error::CardError;
use crate::keys::Key;
use settings::KeyNo;

/// The name of the application (NFC Forum, Type 4 Tag).
pub const APPLICATION: [u8; 7] = [0xd2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x01];

/// The files, which every card has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// Says how the NDEF file may be used.
    CapabilityContainer,
    /// What a phone reads; the only file with mirrors.
    Ndef,
    /// For the issuer.
    Proprietary,
}

impl File {
    /// Its number in commands.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::CapabilityContainer => 1,
            Self::Ndef => 2,
            Self::Proprietary => 3,
        }
    }
    /// Its size in bytes.
    #[must_use]
    pub fn size(self) -> usize {
        match self {
            Self::CapabilityContainer => 32,
            Self::Ndef => 256,
            Self::Proprietary => 128,
        }
    }
    /// Refuses a part that lies outside.
    fn holds(self, offset: usize, length: usize) -> Result<(), CardError> {
        match offset.checked_add(length) {
            Some(end) if end <= self.size() => Ok(()),
            end => Err(CardError::TooLong { length: end.unwrap_or(usize::MAX), max: self.size() }),
        }
    }
}

/// What a chip says of itself, before any key.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Version {
    /// The vendor; 4 is NXP.
    pub vendor: u8,
    /// Product and version of the hardware, as `04 02 30 00` for NTAG 424 DNA.
    pub hardware: [u8; 4],
    /// Version of the software.
    pub software: [u8; 2],
    /// Its serial number; `None` when it hides it.
    pub uid: Option<[u8; 7]>,
}

impl std::fmt::Debug for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Version").field("hardware", &self.hardware).field("software", &self.software).finish_non_exhaustive()
    }
}

/// Sends a native command in its ISO wrapping: `90 INS 00 00 Lc .. 00`.
async fn native(card: &Card, instruction: u8, parts: &[&[u8]]) -> Result<Response, CardError> {
    card.transmit(Command::of_parts([0x90, instruction, 0, 0], parts)?.expecting(0)).await
}

/// The 24 bit offset and length of a part of a file.
fn part(file: File, offset: usize, length: usize) -> Result<[u8; 7], CardError> {
    file.holds(offset, length)?;
    let three = |value: usize| u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
    let ([a, b, c, _], [x, y, z, _]) = (three(offset), three(length));
    Ok([file.number(), a, b, c, x, y, z])
}

/// A card whose application is selected, and to which no key was proven.
#[derive(Debug)]
pub struct Ntag424 {
    card: Card,
}

impl Ntag424 {
    /// Selects the application. Whatever session there was is over.
    ///
    /// # Errors
    /// [`CardError::NotThisTechnology`]: the card does not know it. Other Type 4 cards know it too: [`Ntag424::version`] tells them apart.
    pub async fn select(card: Card) -> Result<Self, CardError> {
        // 0C: no information about the application in the answer.
        let answer = card.transmit(Command::with_data(0x00, 0xa4, 0x04, 0x0c, &APPLICATION)?.expecting(0)).await?;
        match answer.status() {
            StatusWord::OK => Ok(Self { card }),
            StatusWord(0x6a82 | 0x6d00 | 0x6e00 | 0x6a81) => Err(CardError::NotThisTechnology { expected: "an NTAG 424 DNA" }),
            status => Err(CardError::Status(status)),
        }
    }

    /// What the chip says of itself.
    ///
    /// # Errors
    /// [`CardError::NotThisTechnology`]: another product of NXP; [`CardError::Garbage`]: not an answer of such a chip.
    pub async fn version(&self) -> Result<Version, CardError> {
        let mut parts = Zeroizing::new(Vec::new());
        let mut instruction = 0x60;
        for frame in 0..3 {
            let answer = native(&self.card, instruction, &[]).await?;
            let expected = if frame < 2 { StatusWord::NATIVE_MORE } else { StatusWord::NATIVE_OK };
            if answer.status() != expected {
                return Err(CardError::Status(answer.status()));
            }
            parts.extend_from_slice(answer.data());
            instruction = 0xaf;
        }
        let [vendor, kind, subtype, major, minor, _, _, _, _, _, soft_major, soft_minor, _, _, uid @ ..] = parts.as_slice() else {
            return Err(CardError::Garbage("a version of another length"));
        };
        if *vendor != 0x04 || *kind != 0x04 || !matches!(major, 0x30) {
            return Err(CardError::NotThisTechnology { expected: "an NTAG 424 DNA" });
        }
        Ok(Version {
            vendor: *vendor,
            hardware: [*kind, *subtype, *major, *minor],
            software: [*soft_major, *soft_minor],
            uid: uid.first_chunk().copied().filter(|uid| *uid != [0; 7]),
        })
    }

    /// Reads a part of a file that anybody may read, as a phone does. Of a file with mirrors this is a tap: the card counts it and fills the
    /// mirrors in.
    ///
    /// # Errors
    /// [`CardError::Status`]: not allowed without a key; [`CardError::TooLong`]: outside the file.
    pub async fn read(&self, file: File, offset: usize, length: usize) -> Result<Vec<u8>, CardError> {
        let answer = native(&self.card, 0xad, &[&part(file, offset, length)?]).await?;
        match answer.status() {
            StatusWord::NATIVE_OK if answer.data().len() == length => Ok(answer.data().to_vec()),
            StatusWord::NATIVE_OK => Err(CardError::Garbage("another number of bytes than asked for")),
            status => Err(CardError::Status(status)),
        }
    }

    /// Proves a key, and lets the card prove it.
    ///
    /// # Errors
    /// [`CardError::AuthenticationRefused`]: another key stands there, or the card uses the other suite (status 919D).
    /// [`CardError::NotGenuine`]: the card does not know the key.
    pub async fn authenticate(self, suite: Suite, key_no: KeyNo, key: &Key, random: &mut dyn Random) -> Result<Session, CardError> {
        let channel = auth::first(&self.card, suite, key_no, key, random).await?;
        Ok(Session::new(self.card, suite, key_no, channel))
    }

    /// The manufacturer's signature of the serial number, for [`originality::is_original`].
    ///
    /// # Errors
    /// [`CardError::Status`]: not given without a key (when numbers are hidden); [`CardError::Garbage`]: of another length.
    pub async fn signature(&self) -> Result<[u8; originality::SIGNATURE], CardError> {
        let answer = native(&self.card, 0x3c, &[&[0x00]]).await?;
        match answer.status() {
            // 9190 is what cards say here (AN12196 table 30).
            StatusWord(0x9100 | 0x9190) => answer.data().try_into().map_err(|_| CardError::Garbage("a signature of another length")),
            status => Err(CardError::Status(status)),
        }
    }
}
