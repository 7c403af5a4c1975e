//! Where the keys of a card come from.
use std::collections::BTreeMap;
use std::fmt;

use super::{Key, KeyError, diversify};

/// Gives the keys of cards.
///
/// An implementation may keep master keys, ask a service, or hold one key per card. It never logs them.
pub trait KeySource: fmt::Debug + Send + Sync {
    /// The key of one card.
    ///
    /// - `uid`: the card's serial number, 4, 7 or 10 bytes (with random numbers switched on: the one that the card tells after authentication);
    /// - `aid`: the application, in the byte order in which the system diversifies with it; empty where a technology has none;
    /// - `key_no`: the number of the key at the card;
    /// - `version`: the version of the key.
    ///
    /// # Errors
    /// [`KeyError::None`] when there is no such key, [`KeyError::Unavailable`] when the source does not answer.
    fn derive(&self, uid: &[u8], aid: &[u8], key_no: u8, version: u8) -> Result<Key, KeyError>;
}

/// The same keys in every card, by application, number and version: the factory keys of new cards, and tests.
#[derive(Clone, Debug, Default)]
pub struct FixedKeys(BTreeMap<(Vec<u8>, u8, u8), Key>);

impl FixedKeys {
    /// With one more key, under its own version.
    #[must_use]
    pub fn with(mut self, aid: &[u8], key_no: u8, key: Key) -> Self {
        self.0.insert((aid.to_vec(), key_no, key.version()), key);
        self
    }
    fn get(&self, aid: &[u8], key_no: u8, version: u8) -> Result<&Key, KeyError> {
        self.0.get(&(aid.to_vec(), key_no, version)).ok_or(KeyError::None { key_no, version })
    }
}

impl KeySource for FixedKeys {
    fn derive(&self, _uid: &[u8], aid: &[u8], key_no: u8, version: u8) -> Result<Key, KeyError> {
        self.get(aid, key_no, version).cloned()
    }
}

/// A key per card by AN10922 from master keys. The input is the UID, the application and a name of the system, in this order, as in the example of
/// the application note.
#[derive(Clone, Debug)]
pub struct Diversified {
    masters: FixedKeys,
    system: Vec<u8>,
}

impl Diversified {
    /// From these master keys; `system` is public, and the same for all cards of a system.
    #[must_use]
    pub fn new(masters: FixedKeys, system: &[u8]) -> Self {
        Self { masters, system: system.to_vec() }
    }
}

impl KeySource for Diversified {
    fn derive(&self, uid: &[u8], aid: &[u8], key_no: u8, version: u8) -> Result<Key, KeyError> {
        let master = self.masters.get(aid, key_no, version)?;
        Ok(diversify(master, &[uid, aid, &self.system].concat())?.with_version(version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    #[test]
    fn a_card_gets_its_own_key_and_unknown_ones_are_refused() {
        let aid = hex!("3042F5");
        let master = Key::aes(hex!("00112233445566778899AABBCCDDEEFF"), 1);
        let keys = Diversified::new(FixedKeys::default().with(&aid, 2, master), &hex!("4E585020416275"));
        // Source: NXP AN10922.
        let key = keys.derive(&hex!("04782E21801D80"), &aid, 2, 1).expect("there is this key");
        assert_eq!((key.bytes(), key.version()), (&hex!("A8DD63A3B89D54B37CA802473FDA9175")[..], 1));
        assert_eq!(keys.derive(&hex!("04782E21801D80"), &aid, 2, 9), Err(KeyError::None { key_no: 2, version: 9 }));
        let shown = format!("{keys:?}");
        assert!(!shown.contains("33") && shown.contains("version: 1"), "{shown}");
    }

    #[test]
    fn the_version_of_a_des_key_is_in_its_parity_bits() {
        let key = Key::zero(super::super::KeyType::ThreeKeyTripleDes).with_version(0xA5);
        assert_eq!(key.bytes()[..8], [1, 0, 1, 0, 0, 1, 0, 1]);
        assert_eq!(Key::new(key.kind(), key.bytes()).expect("24 bytes").version(), 0xA5);
    }
}
