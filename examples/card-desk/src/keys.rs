//! The master keys of the desk. Every card gets keys of its own from them, so a card that is opened up gives away itself only.
use crate::DeskError;
use seam_encoders::classic::access::ClassicKey;
use seam_encoders::classic::job::SectorKeys;
use seam_encoders::job::SectorKeySource;
use seam_encoders::keys::{Key, KeySource, diversify};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Where the master key comes from: not from the command line, which every user of the machine can see.
const VARIABLE: &str = "CARD_DESK_KEY";

/// The master key: 16 bytes.
pub(crate) struct Master(Key);

impl Master {
    /// From the environment. The simulated card may also have one that everybody knows.
    pub(crate) fn from_env(is_virtual: bool) -> Result<Self, DeskError> {
        let Some(text) = std::env::var_os(VARIABLE) else {
            return if is_virtual {
                Ok(Self(Key::aes(*b"a key to try out", 1)))
            } else {
                Err(DeskError::Asked(format!("set {VARIABLE} to the master key: 32 hexadecimal digits (openssl rand -hex 16)")))
            };
        };
        let text = Zeroizing::new(text.to_string_lossy().into_owned());
        let bytes = Zeroizing::new(crate::desk::from_hex(&text).unwrap_or_default());
        let bytes = <[u8; 16]>::try_from(bytes.as_slice());
        bytes.map(|bytes| Self(Key::aes(bytes, 1))).map_err(|_| DeskError::Asked(format!("{VARIABLE} must be 32 hexadecimal digits")))
    }

    /// The keys of DESFire and NTAG 424 cards.
    pub(crate) fn keys(self) -> Arc<dyn KeySource> {
        Arc::new(PerKey(self.0))
    }

    /// The key that vouches for access data. It is on no card.
    pub(crate) fn access(&self) -> Result<Key, DeskError> {
        diversify(&self.0, b"access data").map_err(|e| DeskError::Card(e.into()))
    }

    /// The keys of the sector of a MIFARE Classic.
    pub(crate) fn classic(self) -> (SectorKeySource, Result<ClassicKey, DeskError>) {
        let six = |key: &Key| ClassicKey::new(key.bytes()[..6].try_into().unwrap_or([0xFF; 6]));
        let directory = diversify(&self.0, b"directory").map(|key| six(&key)).map_err(|e| DeskError::Card(e.into()));
        let master = self.0;
        let keys = move |uid: &[u8]| {
            let key = |name: &[u8]| Ok::<_, seam_encoders::error::CardError>(six(&diversify(&master, &[name, uid].concat())?));
            Ok(SectorKeys { a: key(b"a")?, b: key(b"b")? })
        };
        (Arc::new(keys), directory)
    }
}

/// One master key for every application, number and version: they all go into the diversification (AN10922).
#[derive(Debug)]
struct PerKey(Key);

impl KeySource for PerKey {
    fn derive(&self, uid: &[u8], aid: &[u8], key_no: u8, version: u8) -> Result<Key, seam_encoders::keys::KeyError> {
        Ok(diversify(&self.0, &[uid, aid, &[key_no, version]].concat())?.with_version(version))
    }
}
