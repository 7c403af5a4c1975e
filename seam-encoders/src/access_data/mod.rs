//! What a card says at a door, in a format that belongs to no vendor of locks, and the slot for formats that do.
//!
//! A format says which application and files it wants, and how [`AccessData`] stands in them. The format here is that of NXP's public
//! "Generic Access Control Data Model" ([`GenericAccess`]), for readers that are **online**: it has no validity and no doors in it. Formats for
//! offline locks of several vendors (as OSS Standard Offline) are for members of their associations; [`AccessFormat`] is where they would go.
mod generic;

pub use generic::GenericAccess;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::desfire::{Aid, FileSettings};
use crate::error::CardError;
use crate::job::{from_hex, to_hex};

/// A way to lay access data down on a DESFire card.
pub trait AccessFormat: fmt::Debug + Send + Sync {
    /// Its name, as `an10957`.
    fn name(&self) -> &'static str;
    /// The application that it lives in.
    fn aid(&self) -> Aid;
    /// The files that it needs there.
    fn files(&self) -> Vec<(u8, FileSettings)>;
    /// What stands in those files for this card. `uid` is the card's true serial number, of 4, 7 or 10 bytes.
    ///
    /// # Errors
    /// [`CardError::Invalid`] for data that the format cannot hold, [`CardError::Key`] without the keys that it needs.
    fn encode(&self, uid: &[u8], data: &AccessData) -> Result<Vec<FileContent>, CardError>;
    /// Reads it back, and checks that it was made for this card.
    ///
    /// # Errors
    /// [`CardError::Integrity`] when it was not, or was changed since; [`CardError::Garbage`] when it is not of this format.
    fn decode(&self, uid: &[u8], files: &[FileContent]) -> Result<AccessData, CardError>;
}

/// The content of one file. `Debug` shows its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct FileContent {
    /// Its number.
    pub file: u8,
    /// From its first byte on.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for FileContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileContent({}, {} bytes)", self.file, self.bytes.len())
    }
}

/// Who a card stands for. Numbers are as the access system has them, highest byte first; `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessData {
    /// The site or facility.
    pub site: [u8; 5],
    /// The credential within it.
    pub credential: [u8; 8],
    /// How often it was issued again.
    pub reissue: u8,
    /// A PIN that the reader asks for; zero when there is none.
    pub pin: Zeroizing<[u8; 4]>,
    /// The customer's own.
    pub customer: [u8; 20],
}

impl AccessData {
    /// A credential of a site, for the first time, without a PIN.
    ///
    /// # Errors
    /// [`CardError::Invalid`] when the site has more than 40 bits.
    pub fn new(site: u64, credential: u64) -> Result<Self, CardError> {
        let [0, 0, 0, site @ ..] = site.to_be_bytes() else { return Err(CardError::Invalid("a site has 40 bits")) };
        Ok(Self { site, credential: credential.to_be_bytes(), reissue: 0, pin: Zeroizing::new([0; 4]), customer: [0; 20] })
    }
    /// From `{"site": 1, "credential": 2, "reissue": 0, "pin": "00001234", "customer": "C0FFEE"}`, of which the last three may be left out. The PIN is
    /// 8 hexadecimal digits and the customer's own at most 40, filled with zeros. `None` for anything else.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let said = Said::deserialize(value).ok()?;
        let mut data = Self::new(said.site, said.credential).ok()?;
        data.reissue = said.reissue;
        if let Some(pin) = said.pin {
            *data.pin = from_hex(&Zeroizing::new(pin))?.try_into().ok()?;
        }
        let customer = from_hex(&said.customer)?;
        data.customer.get_mut(..customer.len())?.copy_from_slice(&customer);
        Some(data)
    }
    /// As [`from_json`](Self::from_json) reads it, but for the PIN, which is not told.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let [a, b, c, d, e] = self.site;
        let said = Said {
            site: u64::from_be_bytes([0, 0, 0, a, b, c, d, e]),
            credential: u64::from_be_bytes(self.credential),
            reissue: self.reissue,
            pin: None,
            customer: to_hex(&self.customer),
        };
        serde_json::to_value(said).unwrap_or_default()
    }
    /// Whether both are the same, in a time that does not tell where they differ.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let pins = self.pin.ct_eq(&*other.pin);
        bool::from(pins)
            && (self.site, self.credential, self.reissue, self.customer) == (other.site, other.credential, other.reissue, other.customer)
    }
}

/// Access data as an image of a card says it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    site: u64,
    credential: u64,
    #[serde(default)]
    reissue: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<String>,
    #[serde(default)]
    customer: String,
}

impl fmt::Debug for AccessData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessData").field("reissue", &self.reissue).finish_non_exhaustive()
    }
}
