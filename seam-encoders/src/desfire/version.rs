//! What a card says of itself.
use crate::error::CardError;

/// The answer to GetVersion. Source: the layout as in libfreefare and desox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// The chip.
    pub hardware: Part,
    /// What runs on it.
    pub software: Part,
    /// The serial number; zero when the card gives random ones.
    pub uid: [u8; 7],
    /// The production batch.
    pub batch: [u8; 5],
    /// The calendar week of production, in the card's digits (decimal digits in hexadecimal, 0x01 to 0x53; not all cards keep to it).
    pub week: u8,
    /// The year of production, in the card's digits (0x24 is 2024).
    pub year: u8,
}

/// One part of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The maker; 4 is NXP.
    pub vendor: u8,
    /// The family; 1 is DESFire, 8 DESFire Light, 4 NTAG.
    pub family: u8,
    /// The kind within the family.
    pub kind: u8,
    /// The version before the point.
    pub major: u8,
    /// The version after the point.
    pub minor: u8,
    /// The memory: 2 to the power of half of it in bytes, more than that when it is odd.
    pub storage: u8,
    /// The protocol; 5 is ISO 14443-2 and -3.
    pub protocol: u8,
}

/// Which generation a card is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Generation {
    /// The first, MF3ICD40, without AES. It speaks only the messaging that is named after it (authentication 0A), which is not spoken here:
    /// [`DesfireProfile`](crate::job::DesfireProfile) refuses such a card as unsupported, before anything is written.
    D40,
    /// EV1.
    Ev1,
    /// EV2.
    Ev2,
    /// EV3.
    Ev3,
}

impl Version {
    /// Reads it.
    ///
    /// # Errors
    /// [`CardError::Garbage`] when it does not have 28 bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, CardError> {
        let bytes: &[u8; 28] = bytes.try_into().map_err(|_| CardError::Garbage("a version that does not have 28 bytes"))?;
        let part = |at: usize| Part {
            vendor: bytes[at],
            family: bytes[at + 1],
            kind: bytes[at + 2],
            major: bytes[at + 3],
            minor: bytes[at + 4],
            storage: bytes[at + 5],
            protocol: bytes[at + 6],
        };
        let mut uid = [0; 7];
        uid.copy_from_slice(&bytes[14..21]);
        let mut batch = [0; 5];
        batch.copy_from_slice(&bytes[21..26]);
        Ok(Self { hardware: part(0), software: part(7), uid, batch, week: bytes[26], year: bytes[27] })
    }

    /// The generation; `None` for what is not a DESFire, or one that is not known here. Source: the low half of the hardware's major version, as
    /// in proxmark3 (EV1 01, EV2 12 and 22, EV3 33); EV3 also in the recording of desox.
    #[must_use]
    pub fn generation(&self) -> Option<Generation> {
        if self.hardware.family & 0x0F != 1 {
            return None;
        }
        match self.hardware.major & 0x0F {
            0 => Some(Generation::D40),
            1 => Some(Generation::Ev1),
            2 => Some(Generation::Ev2),
            3 => Some(Generation::Ev3),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    /// Sources: the recording of an EV3 card (desox 0.5.4) and the log of an EV1 card (Elmü).
    #[test]
    fn real_cards() {
        let ev3 = Version::parse(&hex!("04010133001805 04010103001805 0464d59add1e90 2113623030 40 24")).expect("28 bytes");
        assert_eq!(ev3.generation(), Some(Generation::Ev3));
        assert_eq!((ev3.uid, ev3.week, ev3.year), (hex!("0464d59add1e90"), 0x40, 0x24));
        let ev1 = Version::parse(&hex!("04010101001A05 04010101041A05 04063F72633480 BA4519E320 49 13")).expect("28 bytes");
        assert_eq!(ev1.generation(), Some(Generation::Ev1));
        assert!(Version::parse(&[4; 27]).is_err());
    }
}
