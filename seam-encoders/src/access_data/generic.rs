//! NXP AN10957, "Generic Access Control Data Model": 40 bytes and a MAC that ties them to one card.
//!
//! Sources: the layout and the worked example of AN10957 rev. 1.1 (2011) as restated on gorferay.com and in the public tool `openbadger`; the MAC
//! of that example (`8FB0EF8EB12AC1F3`) is reproduced below. The application note itself was not read; its second file, the card identifier
//! object, is left out because its signature is not covered by any public number.
use zeroize::Zeroizing;

use super::{AccessData, AccessFormat, FileContent};
use crate::crypto::{MacKey, Vector, equal};
use crate::desfire::{AccessRights, Aid, CommMode, FileKind, FileSettings, Right};
use crate::error::CardError;
use crate::keys::{Key, KeyType, diversify};

/// Bytes before the MAC.
const DATA: usize = 40;
/// Bytes of the MAC.
const MAC: usize = 8;
/// Version 1.0, with which the object begins.
const VERSION: [u8; 2] = [1, 0];

/// The format, with the key that vouches for the data. That key is never on a card: only the system that issues and checks has it.
#[derive(Clone, Debug)]
pub struct GenericAccess {
    aid: Aid,
    file: u8,
    rights: AccessRights,
    master: Key,
}

impl GenericAccess {
    /// The format in the application F532F0, file 2, read with key 1 and written with key 2.
    ///
    /// # Errors
    /// [`CardError::Unsupported`] with a master key that is not AES.
    pub fn new(master: Key) -> Result<Self, CardError> {
        if master.kind() != KeyType::Aes128 {
            return Err(CardError::Unsupported("access data signed with a key that is not AES"));
        }
        let rights = AccessRights { read: Right::Key(1), write: Right::Key(2), read_write: Right::Never, change: Right::Key(0) };
        Ok(Self { aid: Aid::new(0x00F5_32F0)?, file: 2, rights, master })
    }
    /// In another place: readers are told where to look.
    #[must_use]
    pub fn at(mut self, aid: Aid, file: u8, rights: AccessRights) -> Self {
        (self.aid, self.file, self.rights) = (aid, file, rights);
        self
    }

    /// The MAC over the data under a key of this card's own (AN10922 of the serial number), from a vector that is the serial number, padded.
    fn mac(&self, uid: &[u8], data: &[u8]) -> Result<[u8; MAC], CardError> {
        if !matches!(uid.len(), 4 | 7 | 10) {
            return Err(CardError::Invalid("a serial number has 4, 7 or 10 bytes"));
        }
        let key = MacKey::new(diversify(&self.master, uid)?.cipher());
        let mut vector = [0; 16];
        vector[..uid.len()].copy_from_slice(uid);
        vector[uid.len()] = 0x80;
        let mut mac = key.begin(Vector(vector));
        mac.update(data);
        Ok(*mac.finish().0.first_chunk().expect("16 bytes begin with 8"))
    }
}

impl AccessFormat for GenericAccess {
    fn name(&self) -> &'static str {
        "an10957"
    }
    fn aid(&self) -> Aid {
        self.aid
    }
    fn files(&self) -> Vec<(u8, FileSettings)> {
        // A backup file: what is torn half-way stays as it was.
        let kind = FileKind::Backup { size: (DATA + MAC) as u32 };
        vec![(self.file, FileSettings { mode: CommMode::Full, rights: self.rights, kind })]
    }
    fn encode(&self, uid: &[u8], data: &AccessData) -> Result<Vec<FileContent>, CardError> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(DATA + MAC));
        for part in [&VERSION[..], &data.site, &data.credential, &[data.reissue], &data.pin[..], &data.customer] {
            bytes.extend_from_slice(part);
        }
        let mac = self.mac(uid, &bytes)?;
        bytes.extend_from_slice(&mac);
        Ok(vec![FileContent { file: self.file, bytes }])
    }
    fn decode(&self, uid: &[u8], files: &[FileContent]) -> Result<AccessData, CardError> {
        const NONSENSE: CardError = CardError::Garbage("access data of another format");
        let content = files.iter().find(|content| content.file == self.file).ok_or(NONSENSE)?;
        let bytes: &[u8; DATA + MAC] = content.bytes[..].try_into().map_err(|_| NONSENSE)?;
        let (data, mac) = bytes.split_at(DATA);
        if !equal(&self.mac(uid, data)?, mac) {
            return Err(CardError::Integrity("access data of another card, or changed"));
        }
        let (version, rest) = take::<2>(data).ok_or(NONSENSE)?;
        let (site, rest) = take(rest).ok_or(NONSENSE)?;
        let (credential, rest) = take(rest).ok_or(NONSENSE)?;
        let ([reissue], rest) = take(rest).ok_or(NONSENSE)?;
        let (pin, rest) = take(rest).ok_or(NONSENSE)?;
        let (customer, _) = take(rest).ok_or(NONSENSE)?;
        if version != VERSION {
            return Err(CardError::Unsupported("access data of another version"));
        }
        Ok(AccessData { site, credential, reissue, pin: Zeroizing::new(pin), customer })
    }
}

fn take<const N: usize>(bytes: &[u8]) -> Option<([u8; N], &[u8])> {
    bytes.split_first_chunk().map(|(taken, rest)| (*taken, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;
    use proptest::prelude::*;

    const UID: [u8; 7] = hex!("04DEADBEEFFEED");

    fn format() -> GenericAccess {
        GenericAccess::new(Key::aes(hex!("F3F9377698707B688EAF84ABE39E3791"), 0)).expect("an AES key")
    }

    /// Source: the example of AN10957 (key, serial number and data on gorferay.com; the MAC in the self-test of a public tool for LEAF cards).
    #[test]
    fn the_example_of_the_application_note() {
        let customer = hex!("0011223344556677889900112233445566778899");
        let data = AccessData { customer, ..AccessData::new(0x1122, 0x0006_5530).expect("40 bits") };
        let files = format().encode(&UID, &data).expect("fits");
        let expected = hex!("0100 0000001122 0000000000065530 00 00000000 0011223344556677889900112233445566778899 8FB0EF8EB12AC1F3");
        assert_eq!(files[0].bytes[..], expected);
        assert!(format().decode(&UID, &files).expect("is its own").is_same(&data));
    }

    #[test]
    fn data_of_another_card_or_key_are_refused() {
        let data = AccessData::new(1, 2).expect("40 bits");
        let files = format().encode(&UID, &data).expect("fits");
        let copied = format().decode(&hex!("04DEADBEEFFEEE"), &files);
        assert!(matches!(copied, Err(CardError::Integrity(_))));
        let other = GenericAccess::new(Key::zero(KeyType::Aes128)).expect("an AES key").decode(&UID, &files);
        assert!(matches!(other, Err(CardError::Integrity(_))));
        assert!(AccessData::new(1 << 40, 0).is_err() && GenericAccess::new(Key::zero(KeyType::TwoKeyTripleDes)).is_err());
        assert!(format().encode(&[0; 16], &data).is_err());
    }

    #[test]
    fn debug_shows_no_numbers() {
        let data = AccessData { pin: Zeroizing::new([0x77; 4]), ..AccessData::new(0x77, 0x77).expect("40 bits") };
        let shown = format!("{data:?} {:?} {:?}", format(), format().encode(&UID, &data).expect("fits"));
        assert!(!shown.contains("77") && !shown.contains("119"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let content = FileContent { file: 2, bytes: Zeroizing::new(bytes) };
            let decoded = format().decode(&UID, &[content]);
            prop_assert!(decoded.is_err());
        }
        #[test]
        fn a_changed_bit_is_found_out(byte in 0usize..48, bit in 0u8..8) {
            let mut files = format().encode(&UID, &AccessData::new(7, 9).expect("40 bits")).expect("fits");
            files[0].bytes[byte] ^= 1 << bit;
            prop_assert!(matches!(format().decode(&UID, &files), Err(CardError::Integrity(_))));
        }
    }
}
