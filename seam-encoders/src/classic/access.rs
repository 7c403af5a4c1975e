//! Access conditions and sector trailers (NXP MF1S50YYX data sheet, sections 8.6.3 and 8.7, tables 6 to 8).
use std::fmt;
use zeroize::Zeroizing;

use super::ClassicError;

/// What may be done with a data block. The number is `C1 C2 C3` as three bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataAccess {
    /// 0: everything with either key. How a card comes from the factory.
    Open = 0b000,
    /// 1: a value block that either key may read and decrement.
    DecrementOnly = 0b001,
    /// 2: read with either key.
    ReadOnly = 0b010,
    /// 3: read and write with key B.
    OnlyB = 0b011,
    /// 4: read with either key, write with key B.
    WriteB = 0b100,
    /// 5: read with key B.
    ReadOnlyB = 0b101,
    /// 6: a value block: read and decrement with either key, write and increment with key B.
    Value = 0b110,
    /// 7: nothing.
    Closed = 0b111,
}

/// What may be done with the trailer itself. The number is `C1 C2 C3` as three bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrailerAccess {
    /// 0: key A writes both keys; key B can be read and is no key; the conditions stay for ever.
    KeysA = 0b000,
    /// 1: key A writes everything; key B can be read and is no key. How a card comes from the factory.
    Transport = 0b001,
    /// 2: nothing can be written; key B can be read and is no key.
    FrozenReadableB = 0b010,
    /// 3: key B writes everything.
    AllB = 0b011,
    /// 4: key B writes both keys; the conditions stay for ever.
    KeysB = 0b100,
    /// 5: key B writes the conditions; the keys stay for ever.
    ConditionsB = 0b101,
    /// 6: nothing can be written.
    Frozen = 0b110,
    /// 7: nothing can be written. The card treats it as 6.
    FrozenToo = 0b111,
}

impl TrailerAccess {
    /// Whether a trailer with this condition can never be wholly changed again: keys, conditions or both stay for ever.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Transport | Self::AllB)
    }
    /// Whether key B can be read, so that the card refuses to authenticate with it.
    #[must_use]
    pub fn exposes_b(self) -> bool {
        matches!(self, Self::KeysA | Self::Transport | Self::FrozenReadableB)
    }
}

/// The conditions of one sector: three data blocks (or, in the large sectors of a 4K card, three groups of five) and the trailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// Of the data blocks.
    pub data: [DataAccess; 3],
    /// Of the trailer.
    pub trailer: TrailerAccess,
}

impl Conditions {
    /// As a card comes from the factory: `FF 07 80`.
    pub const TRANSPORT: Self = Self { data: [DataAccess::Open; 3], trailer: TrailerAccess::Transport };
    /// Read with either key, everything else with key B: `78 77 88`. What a directory and a sector of an application should have.
    pub const READ_A_WRITE_B: Self = Self { data: [DataAccess::WriteB; 3], trailer: TrailerAccess::AllB };

    /// The three bytes of a trailer. Each bit stands there twice, once inverted.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 3] {
        let groups = [self.data[0] as u8, self.data[1] as u8, self.data[2] as u8, self.trailer as u8];
        let bit = |of: u8| (0u8..).zip(groups).fold(0, |nibble, (block, group)| nibble | (group >> of & 1) << block);
        let (c1, c2, c3) = (bit(2), bit(1), bit(0));
        [(!c2 & 0xf) << 4 | (!c1 & 0xf), c1 << 4 | (!c3 & 0xf), c3 << 4 | c2]
    }

    /// Reads the three bytes of a trailer.
    ///
    /// # Errors
    /// [`ClassicError::AccessBits`]: a bit and its inverse do not agree. A card with such a trailer has lost the sector.
    pub fn parse(bytes: [u8; 3]) -> Result<Self, ClassicError> {
        let (c1, c2, c3) = (bytes[1] >> 4, bytes[2] & 0xf, bytes[2] >> 4);
        if bytes[0] != ((!c2 & 0xf) << 4 | (!c1 & 0xf)) || bytes[1] & 0xf != !c3 & 0xf {
            return Err(ClassicError::AccessBits);
        }
        let group = |block: u8| (c1 >> block & 1) << 2 | (c2 >> block & 1) << 1 | (c3 >> block & 1);
        Ok(Self { data: [data_access(group(0)), data_access(group(1)), data_access(group(2))], trailer: trailer_access(group(3)) })
    }
}

fn data_access(bits: u8) -> DataAccess {
    match bits & 7 {
        0 => DataAccess::Open,
        1 => DataAccess::DecrementOnly,
        2 => DataAccess::ReadOnly,
        3 => DataAccess::OnlyB,
        4 => DataAccess::WriteB,
        5 => DataAccess::ReadOnlyB,
        6 => DataAccess::Value,
        _ => DataAccess::Closed,
    }
}

fn trailer_access(bits: u8) -> TrailerAccess {
    match bits & 7 {
        0 => TrailerAccess::KeysA,
        1 => TrailerAccess::Transport,
        2 => TrailerAccess::FrozenReadableB,
        3 => TrailerAccess::AllB,
        4 => TrailerAccess::KeysB,
        5 => TrailerAccess::ConditionsB,
        6 => TrailerAccess::Frozen,
        _ => TrailerAccess::FrozenToo,
    }
}

/// A key of a sector: six bytes. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct ClassicKey(Zeroizing<[u8; 6]>);

wiped!(ClassicKey: 0);

impl ClassicKey {
    /// A key.
    #[must_use]
    pub fn new(bytes: [u8; 6]) -> Self {
        Self(Zeroizing::new(bytes))
    }
    /// The key with which cards come from the factory.
    #[must_use]
    pub fn factory() -> Self {
        Self::new([0xff; 6])
    }
    /// The public key A of a card's directory (NXP AN10787).
    #[must_use]
    pub fn directory() -> Self {
        Self::new([0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5])
    }
    /// The public key A of sectors with NDEF (NXP AN1305).
    #[must_use]
    pub fn ndef() -> Self {
        Self::new([0xd3, 0xf7, 0xd3, 0xf7, 0xd3, 0xf7])
    }
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 6] {
        &self.0
    }
}

impl fmt::Debug for ClassicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClassicKey(..)")
    }
}

/// The last block of a sector: key A, conditions, the general purpose byte, key B.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trailer {
    /// Key A.
    pub key_a: ClassicKey,
    /// The conditions.
    pub conditions: Conditions,
    /// The general purpose byte. In sector 0 it says whether there is a directory (NXP AN10787).
    pub general: u8,
    /// Key B.
    pub key_b: ClassicKey,
}

impl Trailer {
    /// The block to be written.
    #[must_use]
    pub fn to_block(&self) -> Zeroizing<[u8; 16]> {
        let mut block = Zeroizing::new([0; 16]);
        block[..6].copy_from_slice(self.key_a.bytes());
        block[6..9].copy_from_slice(&self.conditions.to_bytes());
        block[9] = self.general;
        block[10..].copy_from_slice(self.key_b.bytes());
        block
    }

    /// What a block that was read says. Key A always reads as zeros, and key B too where it is a key.
    ///
    /// # Errors
    /// [`ClassicError::AccessBits`]: a bit and its inverse do not agree.
    pub fn parse(block: &[u8; 16]) -> Result<Self, ClassicError> {
        let [a0, a1, a2, a3, a4, a5, x, y, z, general, b0, b1, b2, b3, b4, b5] = *block;
        Ok(Self {
            key_a: ClassicKey::new([a0, a1, a2, a3, a4, a5]),
            conditions: Conditions::parse([x, y, z])?,
            general,
            key_b: ClassicKey::new([b0, b1, b2, b3, b4, b5]),
        })
    }
}
