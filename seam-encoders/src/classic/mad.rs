//! The MIFARE application directory (NXP AN10787): which sector of a card belongs to whom.
//!
//! Version 1 lies in blocks 1 and 2 of sector 0 and describes sectors 1 to 15. Version 2 adds blocks 0 to 2 of sector 16, for sectors 17 to
//! 39 of a 4K card.
use super::ClassicError;

/// Bytes of the directory in sector 0.
pub const LOW: usize = 32;
/// Bytes of the directory in sector 16.
pub const HIGH: usize = 48;

/// To whom a sector belongs: a function cluster and an application in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Aid {
    /// The function cluster, as 38 for access control.
    pub cluster: u8,
    /// The application in the cluster.
    pub application: u8,
}

impl Aid {
    /// The sector is free.
    pub const FREE: Self = Self { cluster: 0x00, application: 0x00 };
    /// The sector is defect.
    pub const DEFECT: Self = Self { cluster: 0x00, application: 0x01 };
    /// The sector is reserved.
    pub const RESERVED: Self = Self { cluster: 0x00, application: 0x02 };
    /// There is no such sector on this card.
    pub const ABSENT: Self = Self { cluster: 0x00, application: 0x05 };
    /// The sector holds NDEF (NXP AN1305).
    pub const NDEF: Self = Self { cluster: 0xe1, application: 0x03 };
}

/// Which version of the directory a card has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Sectors 1 to 15.
    One,
    /// Sectors 1 to 15 and 17 to 39.
    Two,
}

impl Version {
    /// What the general purpose byte of sector 0 says; `None`: there is no directory.
    ///
    /// # Errors
    /// [`ClassicError::Directory`]: a version that does not exist.
    pub fn of(general: u8) -> Result<Option<Self>, ClassicError> {
        if general & 0x80 == 0 {
            return Ok(None);
        }
        match general & 0x03 {
            1 => Ok(Some(Self::One)),
            2 => Ok(Some(Self::Two)),
            _ => Err(ClassicError::Directory("a version that does not exist")),
        }
    }
    /// The general purpose byte of sector 0 for a card of several applications: directory there, several applications, version.
    #[must_use]
    pub fn general(self) -> u8 {
        match self {
            Self::One => 0xc1,
            Self::Two => 0xc2,
        }
    }
}

/// A directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    publisher: [u8; 2],
    low: [Aid; 15],
    high: Option<[Aid; 23]>,
}

impl Directory {
    /// An empty directory.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self { publisher: [0; 2], low: [Aid::FREE; 15], high: (version == Version::Two).then_some([Aid::FREE; 23]) }
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> Version {
        if self.high.is_some() { Version::Two } else { Version::One }
    }

    /// The sector of the card's publisher; 0: nobody says.
    #[must_use]
    pub fn publisher(&self) -> u8 {
        self.publisher[0]
    }

    /// Says which sector is the publisher's, in both parts of the directory.
    ///
    /// # Errors
    /// [`ClassicError::Sector`]: the directory does not describe it.
    pub fn set_publisher(&mut self, sector: u8) -> Result<(), ClassicError> {
        if sector != 0 && self.owner(sector).is_none() {
            return Err(ClassicError::Sector(sector));
        }
        self.publisher = [sector, if self.high.is_some() { sector } else { 0 }];
        Ok(())
    }

    /// Reads a directory; `high` are the bytes of sector 16.
    ///
    /// # Errors
    /// [`ClassicError::Directory`]: the checksum is wrong, or the publisher's sector does not exist.
    pub fn parse(low: &[u8; LOW], high: Option<&[u8; HIGH]>) -> Result<Self, ClassicError> {
        let (publisher_low, low) = part(low, if high.is_some() { 0x27 } else { 0x0f })?;
        let (publisher_high, high) = match high.map(|high| part(high, 0x27)).transpose()? {
            Some((publisher, high)) => (publisher, Some(high)),
            None => (0, None),
        };
        Ok(Self { publisher: [publisher_low, publisher_high], low, high })
    }

    /// The bytes of sector 0 and, in version 2, of sector 16, with their checksums.
    #[must_use]
    pub fn to_bytes(&self) -> ([u8; LOW], Option<[u8; HIGH]>) {
        let low = bytes(self.publisher[0], &self.low);
        (low, self.high.map(|high| bytes(self.publisher[1], &high)))
    }

    /// To whom a sector belongs; `None`: the directory does not describe it.
    #[must_use]
    pub fn owner(&self, sector: u8) -> Option<Aid> {
        match sector {
            1..=15 => self.low.get(usize::from(sector) - 1).copied(),
            17..=39 => self.high.as_ref()?.get(usize::from(sector) - 17).copied(),
            _ => None,
        }
    }

    /// Gives a sector to somebody.
    ///
    /// # Errors
    /// [`ClassicError::Sector`]: the directory does not describe it.
    pub fn assign(&mut self, sector: u8, owner: Aid) -> Result<(), ClassicError> {
        let entry = match sector {
            1..=15 => self.low.get_mut(usize::from(sector) - 1),
            17..=39 => self.high.as_mut().and_then(|high| high.get_mut(usize::from(sector) - 17)),
            _ => None,
        };
        *entry.ok_or(ClassicError::Sector(sector))? = owner;
        Ok(())
    }

    /// The sectors of somebody, in ascending order.
    #[must_use]
    pub fn sectors_of(&self, owner: Aid) -> Vec<u8> {
        (1..=39).filter(|&sector| self.owner(sector) == Some(owner)).collect()
    }
}

fn part<const SIZE: usize, const ENTRIES: usize>(bytes: &[u8; SIZE], last_sector: u8) -> Result<(u8, [Aid; ENTRIES]), ClassicError> {
    let (crc, covered) = bytes.split_first().ok_or(ClassicError::Directory("no bytes"))?;
    let (info, entries) = covered.split_first().ok_or(ClassicError::Directory("no bytes"))?;
    if *crc != checksum(covered) {
        return Err(ClassicError::Directory("the checksum is wrong"));
    }
    // The two high bits are reserved. Sector 16 holds the directory itself and so cannot be a publisher's.
    let publisher = info & 0x3f;
    if publisher == 0x10 || publisher > last_sector {
        return Err(ClassicError::Directory("the publisher's sector does not exist"));
    }
    let mut out = [Aid::FREE; ENTRIES];
    for (entry, [application, cluster]) in out.iter_mut().zip(entries.as_chunks::<2>().0) {
        *entry = Aid { cluster: *cluster, application: *application };
    }
    Ok((publisher, out))
}

fn bytes<const SIZE: usize>(publisher: u8, entries: &[Aid]) -> [u8; SIZE] {
    let mut out = [0; SIZE];
    out[1] = publisher;
    for (place, entry) in out[2..].as_chunks_mut::<2>().0.iter_mut().zip(entries) {
        *place = [entry.application, entry.cluster];
    }
    out[0] = checksum(&out[1..]);
    out
}

/// CRC-8 with polynomial 1D and start C7 over the information byte and the entries (NXP AN10787 section 3.7).
#[must_use]
pub fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0xc7, |crc, byte| (0..8).fold(crc ^ byte, |crc, _| if crc & 0x80 == 0 { crc << 1 } else { crc << 1 ^ 0x1d }))
}
