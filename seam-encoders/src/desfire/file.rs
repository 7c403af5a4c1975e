//! Files of an application.
use super::ins;
use super::types::{AccessRights, CommMode, Right, three_bytes};
use crate::error::CardError;

/// The settings of a file. As sent when it is made, and as the card tells them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSettings {
    /// How its content travels.
    pub mode: CommMode,
    /// Who may do what.
    pub rights: AccessRights,
    /// What it is.
    pub kind: FileKind,
}

/// What a file is. Sizes are bytes and have 24 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// Bytes, written at once.
    Standard {
        /// Bytes.
        size: u32,
    },
    /// Bytes, written when the transaction is committed.
    Backup {
        /// Bytes.
        size: u32,
    },
    /// A number, changed when the transaction is committed.
    Value(ValueLimits),
    /// Records, until it is full.
    LinearRecords {
        /// Bytes in one.
        size: u32,
        /// How many fit.
        max: u32,
        /// How many there are; not sent.
        current: u32,
    },
    /// Records, the newest over the oldest; one less than `max` can be read.
    CyclicRecords {
        /// Bytes in one.
        size: u32,
        /// How many fit, at least 2.
        max: u32,
        /// How many there are; not sent.
        current: u32,
    },
    /// The counter and the MAC of the last transaction. Made by [`Desfire::create_transaction_mac_file`](super::Desfire::create_transaction_mac_file).
    TransactionMac {
        /// The version of its key.
        key_version: u8,
    },
}

/// The limits of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueLimits {
    /// It cannot fall below.
    pub lower: i32,
    /// It cannot rise above.
    pub upper: i32,
    /// When it is made: its first value. As the card tells it: how much can be given back by a limited credit.
    pub value: i32,
    /// Limited credit is allowed.
    pub limited_credit: bool,
    /// It can be read without authentication.
    pub free_get: bool,
}

impl FileSettings {
    /// In which mode its content travels to one who authenticated with this key, or did not: rights that are free are used plain.
    #[must_use]
    pub fn mode_for(&self, right: Right, authenticated: Option<u8>) -> CommMode {
        let by_key = [right, self.rights.read_write].iter().any(|right| matches!(right, Right::Key(key) if Some(*key) == authenticated));
        if by_key { self.mode } else { CommMode::Plain }
    }

    /// The command that makes it, and what follows the number of the file.
    pub(crate) fn creation(&self) -> Result<(u8, Vec<u8>), CardError> {
        let mut data = vec![self.mode.wire()];
        data.extend(self.rights.wire()?);
        let ins = match &self.kind {
            FileKind::Standard { size } => {
                data.extend(three_bytes(*size)?);
                ins::CREATE_STANDARD_FILE
            }
            FileKind::Backup { size } => {
                data.extend(three_bytes(*size)?);
                ins::CREATE_BACKUP_FILE
            }
            FileKind::Value(limits) => {
                [limits.lower, limits.upper, limits.value].iter().for_each(|number| data.extend(number.to_le_bytes()));
                data.push(u8::from(limits.limited_credit) | u8::from(limits.free_get) << 1);
                ins::CREATE_VALUE_FILE
            }
            FileKind::LinearRecords { size, max, .. } => {
                data.extend(three_bytes(*size)?);
                data.extend(three_bytes(*max)?);
                ins::CREATE_LINEAR_RECORD_FILE
            }
            FileKind::CyclicRecords { size, max, .. } => {
                data.extend(three_bytes(*size)?);
                data.extend(three_bytes(*max)?);
                ins::CREATE_CYCLIC_RECORD_FILE
            }
            FileKind::TransactionMac { .. } => return Err(CardError::Invalid("a file for transaction MACs is made with its key")),
        };
        Ok((ins, data))
    }

    /// Reads the answer to GetFileSettings. Source: libfreefare, proxmark3; more sets of rights (EV2) follow when bit 7 of the options says so.
    ///
    /// # Errors
    /// [`CardError::Garbage`] when it is not one; [`CardError::Unsupported`] for a file that mirrors data.
    pub fn parse(bytes: &[u8]) -> Result<Self, CardError> {
        const NONSENSE: CardError = CardError::Garbage("settings of a file that make no sense");
        let [kind, options, rights @ ..] = bytes else { return Err(NONSENSE) };
        if options & 0x40 != 0 {
            return Err(CardError::Unsupported("a file of an EV3 that mirrors data (secure dynamic messaging)"));
        }
        let (rights, rest) = rights.split_first_chunk::<2>().ok_or(NONSENSE)?;
        let (kind, rest) = match kind {
            0 | 1 => {
                let ([size], rest) = numbers(rest).ok_or(NONSENSE)?;
                (if *kind == 0 { FileKind::Standard { size } } else { FileKind::Backup { size } }, rest)
            }
            2 => {
                let (limits, rest) = rest.split_first_chunk::<13>().ok_or(NONSENSE)?;
                let number = |at: usize| i32::from_le_bytes([limits[at], limits[at + 1], limits[at + 2], limits[at + 3]]);
                let limits = ValueLimits {
                    lower: number(0),
                    upper: number(4),
                    value: number(8),
                    limited_credit: limits[12] & 1 != 0,
                    free_get: limits[12] & 2 != 0,
                };
                (FileKind::Value(limits), rest)
            }
            3 | 4 => {
                let ([size, max, current], rest) = numbers(rest).ok_or(NONSENSE)?;
                let linear = *kind == 3;
                (if linear { FileKind::LinearRecords { size, max, current } } else { FileKind::CyclicRecords { size, max, current } }, rest)
            }
            5 => match rest {
                [0x02, key_version, rest @ ..] => (FileKind::TransactionMac { key_version: *key_version }, rest),
                _ => return Err(NONSENSE),
            },
            _ => return Err(NONSENSE),
        };
        let is_whole = match rest {
            [] => options & 0x80 == 0,
            [sets, more @ ..] => options & 0x80 != 0 && more.len() == 2 * usize::from(*sets),
        };
        if !is_whole {
            return Err(NONSENSE);
        }
        Ok(Self { mode: CommMode::from_wire(*options), rights: AccessRights::from_wire(*rights), kind })
    }
}

/// So many numbers of three bytes, and what follows.
fn numbers<const N: usize>(bytes: &[u8]) -> Option<([u32; N], &[u8])> {
    let (taken, rest) = bytes.split_at_checked(3 * N)?;
    let mut numbers = [0; N];
    for (number, bytes) in numbers.iter_mut().zip(taken.chunks_exact(3)) {
        *number = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
    }
    Some((numbers, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_settings_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = FileSettings::parse(&bytes);
        }
        #[test]
        fn data_files_are_read_back(size in 0u32..0x0100_0000, rights: [u8; 2], backup: bool) {
            let kind = if backup { FileKind::Backup { size } } else { FileKind::Standard { size } };
            let settings = FileSettings { mode: CommMode::Full, rights: AccessRights::from_wire(rights), kind };
            let (_, sent) = settings.creation().expect("a size of 24 bits");
            prop_assert_eq!(FileSettings::parse(&[&[u8::from(backup)][..], &sent].concat()), Ok(settings));
        }
    }

    #[test]
    fn a_free_right_is_used_plain() {
        let rights = AccessRights { read: Right::Free, write: Right::Key(1), read_write: Right::Key(2), change: Right::Key(0) };
        let settings = FileSettings { mode: CommMode::Full, rights, kind: FileKind::Standard { size: 1 } };
        assert_eq!(settings.mode_for(rights.read, Some(1)), CommMode::Plain);
        assert_eq!(settings.mode_for(rights.write, Some(1)), CommMode::Full);
        assert_eq!(settings.mode_for(rights.read, Some(2)), CommMode::Full);
    }
}
