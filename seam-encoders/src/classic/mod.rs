//! MIFARE Classic 1K and 4K through the storage commands of PC/SC. **Legacy: for systems that still have it, never for a new one.**
//!
//! Its cipher (Crypto-1) is broken: a card and its keys can be copied in minutes with a phone's worth of hardware, whatever keys are chosen.
//! A door that believes a Classic card believes whoever stood near one. Nothing here can change that; [`LEGACY`] says it where a person
//! chooses a technology.
//!
//! The reader speaks Crypto-1 itself (PC/SC part 3, supplement 2.02: `FF 82`, `FF 86`, `FF B0`, `FF D6`), so this is a driver for readers
//! rather than for cards. There is no secure messaging: what the reader says is believed, and every write is read back.
//!
//! - [`access`]: access conditions and sector trailers, [`mad`]: the directory, [`driver`]: single steps, [`job`]: a whole card.
pub mod access;
pub mod driver;
pub mod job;
pub mod mad;

use crate::error::CardError;

/// What a person should read before choosing this technology.
pub const LEGACY: &str = "MIFARE Classic can be copied by anybody who comes near a card; use it only where the locks know nothing else";

/// What is wrong with a sector, a trailer or a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClassicError {
    /// A trailer whose access bits and their inverses do not agree.
    #[error("access bits that contradict themselves")]
    AccessBits,
    /// A sector that the card, or its directory, does not have.
    #[error("there is no sector {0}")]
    Sector(u8),
    /// A directory that is not one.
    #[error("the directory of the card is broken: {0}")]
    Directory(&'static str),
}

impl From<ClassicError> for CardError {
    fn from(error: ClassicError) -> Self {
        match error {
            ClassicError::AccessBits => Self::Garbage("access bits that contradict themselves"),
            ClassicError::Sector(_) => Self::Invalid("there is no such sector"),
            ClassicError::Directory(what) => Self::Garbage(what),
        }
    }
}

/// How large a card is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// 1 KiB: 16 sectors of 4 blocks.
    K1,
    /// 4 KiB: 32 sectors of 4 blocks and 8 of 16.
    K4,
}

impl Size {
    /// How many sectors it has.
    #[must_use]
    pub fn sectors(self) -> u8 {
        match self {
            Self::K1 => 16,
            Self::K4 => 40,
        }
    }

    /// The blocks of a sector that hold data, in order. Block 0 of the card is the manufacturer's and not among them.
    ///
    /// # Errors
    /// [`ClassicError::Sector`]: the card does not have it.
    pub fn data_blocks(self, sector: u8) -> Result<std::ops::Range<u8>, ClassicError> {
        let trailer = self.trailer(sector)?;
        Ok(match sector {
            0 => 1..trailer,
            1..32 => sector * 4..trailer,
            _ => trailer - 15..trailer,
        })
    }

    /// The block of a sector that holds its keys.
    ///
    /// # Errors
    /// [`ClassicError::Sector`]: the card does not have it.
    pub fn trailer(self, sector: u8) -> Result<u8, ClassicError> {
        if sector >= self.sectors() {
            return Err(ClassicError::Sector(sector));
        }
        Ok(if sector < 32 { sector * 4 + 3 } else { 128 + (sector - 32) * 16 + 15 })
    }
}
