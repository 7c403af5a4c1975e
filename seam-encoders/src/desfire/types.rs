//! The small values of the protocol.
use std::fmt;

use crate::error::CardError;
use crate::keys::KeyType;

/// The number of an application, 24 bits; 0 is the card itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Aid(u32);

impl Aid {
    /// The card itself.
    pub const PICC: Self = Self(0);

    /// From its number.
    ///
    /// # Errors
    /// [`CardError::Invalid`] when it has more than 24 bits.
    pub fn new(number: u32) -> Result<Self, CardError> {
        if number > 0x00FF_FFFF { Err(CardError::Invalid("an application number has 24 bits")) } else { Ok(Self(number)) }
    }
    /// Its number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
    /// As it goes to the card: lowest byte first.
    #[must_use]
    pub fn wire(self) -> [u8; 3] {
        let [a, b, c, _] = self.0.to_le_bytes();
        [a, b, c]
    }
    /// As it came from the card: lowest byte first.
    #[must_use]
    pub fn from_wire([a, b, c]: [u8; 3]) -> Self {
        Self(u32::from_le_bytes([a, b, c, 0]))
    }
    /// As it is written: highest byte first. Keys are diversified with it in this order.
    #[must_use]
    pub fn bytes(self) -> [u8; 3] {
        let [_, a, b, c] = self.0.to_be_bytes();
        [a, b, c]
    }
}

impl fmt::Display for Aid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06X}", self.0)
    }
}
impl fmt::Debug for Aid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aid({self})")
    }
}

/// How the content of a file travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommMode {
    /// As it is.
    Plain,
    /// With a MAC.
    Mac,
    /// Encrypted, and with a MAC (EV2) or a CRC inside (EV1).
    Full,
}

impl CommMode {
    pub(crate) fn wire(self) -> u8 {
        match self {
            Self::Plain => 0,
            Self::Mac => 1,
            Self::Full => 3,
        }
    }
    pub(crate) fn from_wire(options: u8) -> Self {
        match options & 3 {
            1 => Self::Mac,
            3 => Self::Full,
            _ => Self::Plain,
        }
    }
}

/// Who may do something with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// Whoever authenticated with this key, 0 to 13.
    Key(u8),
    /// Everybody; what they do then travels plain.
    Free,
    /// Nobody.
    Never,
}

impl Right {
    fn nibble(self) -> Result<u16, CardError> {
        match self {
            Self::Key(key_no @ 0..=13) => Ok(key_no.into()),
            Self::Key(_) => Err(CardError::Invalid("keys of an application have the numbers 0 to 13")),
            Self::Free => Ok(14),
            Self::Never => Ok(15),
        }
    }
    fn from_nibble(nibble: u16) -> Self {
        match nibble & 15 {
            14 => Self::Free,
            15 => Self::Never,
            key_no => Self::Key(key_no as u8),
        }
    }
}

/// Who may read, write and change a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccessRights {
    /// Read (of a value: get and debit).
    pub read: Right,
    /// Write (of a value: get, debit and limited credit).
    pub write: Right,
    /// Read and write (of a value: all).
    pub read_write: Right,
    /// Change these rights.
    pub change: Right,
}

impl AccessRights {
    /// Everything with one key.
    #[must_use]
    pub fn all(key_no: u8) -> Self {
        let right = Right::Key(key_no);
        Self { read: right, write: right, read_write: right, change: right }
    }
    pub(crate) fn wire(self) -> Result<[u8; 2], CardError> {
        let bits = self.read.nibble()? << 12 | self.write.nibble()? << 8 | self.read_write.nibble()? << 4 | self.change.nibble()?;
        Ok(bits.to_le_bytes())
    }
    pub(crate) fn from_wire(bytes: [u8; 2]) -> Self {
        let bits = u16::from_le_bytes(bytes);
        Self {
            read: Right::from_nibble(bits >> 12),
            write: Right::from_nibble(bits >> 8),
            read_write: Right::from_nibble(bits >> 4),
            change: Right::from_nibble(bits),
        }
    }
}

/// Which key changes the keys of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyChange {
    /// This one, 0 (the master key) to 13.
    Key(u8),
    /// Each key changes itself.
    Itself,
    /// None; only the master key can still be changed, if its bit says so.
    Frozen,
}

/// What may be done with an application, or with the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeySettings {
    /// Which key changes keys. For the card itself: [`KeyChange::Key`] of 0.
    pub change_key: KeyChange,
    /// These settings can be changed.
    pub settings_changeable: bool,
    /// Files (of the card: applications) are made and deleted without the master key.
    pub free_create_delete: bool,
    /// Files (of the card: applications) are listed without the master key.
    pub free_listing: bool,
    /// The master key can be changed.
    pub master_key_changeable: bool,
}

impl KeySettings {
    /// As a new card has it: everything is changed with the master key, all is listed and made freely.
    pub const FACTORY: Self = Self {
        change_key: KeyChange::Key(0),
        settings_changeable: true,
        free_create_delete: true,
        free_listing: true,
        master_key_changeable: true,
    };

    pub(crate) fn wire(self) -> Result<u8, CardError> {
        let change = match self.change_key {
            KeyChange::Key(key_no @ 0..=13) => key_no,
            KeyChange::Key(_) => return Err(CardError::Invalid("keys of an application have the numbers 0 to 13")),
            KeyChange::Itself => 14,
            KeyChange::Frozen => 15,
        };
        let bits = [self.master_key_changeable, self.free_listing, self.free_create_delete, self.settings_changeable];
        Ok(bits.iter().rev().fold(change, |byte, bit| byte << 1 | u8::from(*bit)))
    }
    pub(crate) fn from_wire(byte: u8) -> Self {
        Self {
            change_key: match byte >> 4 {
                14 => KeyChange::Itself,
                15 => KeyChange::Frozen,
                key_no => KeyChange::Key(key_no),
            },
            settings_changeable: byte & 8 != 0,
            free_create_delete: byte & 4 != 0,
            free_listing: byte & 2 != 0,
            master_key_changeable: byte & 1 != 0,
        }
    }
}

/// An application: its settings, and how many keys of which type it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ApplicationSettings {
    /// What may be done with it.
    pub keys: KeySettings,
    /// How many keys, 1 to 14.
    pub key_count: u8,
    /// Of which type, all of them.
    pub key_type: KeyType,
}

impl ApplicationSettings {
    pub(crate) fn wire(self) -> Result<[u8; 2], CardError> {
        if !(1..=14).contains(&self.key_count) {
            return Err(CardError::Invalid("an application has 1 to 14 keys"));
        }
        Ok([self.keys.wire()?, self.key_count | key_type_wire(self.key_type)])
    }
    pub(crate) fn from_wire([settings, keys]: [u8; 2]) -> Result<Self, CardError> {
        let key_type = match keys & 0xC0 {
            0x00 => KeyType::TwoKeyTripleDes,
            0x40 => KeyType::ThreeKeyTripleDes,
            0x80 => KeyType::Aes128,
            _ => return Err(CardError::Garbage("a type of keys that does not exist")),
        };
        Ok(Self { keys: KeySettings::from_wire(settings), key_count: keys & 0x0F, key_type })
    }
}

pub(crate) fn key_type_wire(kind: KeyType) -> u8 {
    match kind {
        KeyType::TwoKeyTripleDes => 0x00,
        KeyType::ThreeKeyTripleDes => 0x40,
        KeyType::Aes128 => 0x80,
    }
}

/// The lowest three bytes of a length, lowest first.
///
/// # Errors
/// [`CardError::Invalid`] when it has more than 24 bits.
pub(crate) fn three_bytes(length: u32) -> Result<[u8; 3], CardError> {
    match length.to_le_bytes() {
        [a, b, c, 0] => Ok([a, b, c]),
        _ => Err(CardError::Invalid("lengths and places on a card have 24 bits")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn settings_are_read_back(byte: u8, bytes: [u8; 2], keys in 1u8..=14, kind in 0usize..3) {
            prop_assert_eq!(KeySettings::from_wire(byte).wire(), Ok(byte));
            prop_assert_eq!(AccessRights::from_wire(bytes).wire(), Ok(bytes));
            let application = [byte, keys | [0, 0x40, 0x80][kind]];
            prop_assert_eq!(ApplicationSettings::from_wire(application).and_then(ApplicationSettings::wire), Ok(application));
        }
    }

    #[test]
    fn rights_stand_where_the_cards_have_them() {
        let rights = AccessRights { read: Right::Key(1), write: Right::Key(2), read_write: Right::Key(3), change: Right::Free };
        assert_eq!(rights.wire(), Ok([0x3E, 0x12]));
        // The factory settings of a card, as in the recording of desox.
        assert_eq!(KeySettings::FACTORY.wire(), Ok(0x0F));
        assert_eq!(Aid::new(0x00DE16).map(Aid::wire), Ok([0x16, 0xDE, 0x00]));
        assert!(Aid::new(0x0100_0000).is_err() && AccessRights::all(14).wire().is_err());
    }
}
