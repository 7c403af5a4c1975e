//! Secure dynamic messaging: the card puts its number, a counter and a MAC into the address that any phone reads, and the backend checks them
//! (NT4H2421Gx section 9.3, NXP AN12196 section 3).
//!
//! - [`Sdm`]: what is mirrored where, as the card keeps it.
//! - [`SdmUrl`]: a template of the address; it makes the file and the settings, and takes a received address apart again.
//! - [`Tap`]: what came with one tap: decrypted and verified with the keys, without a card.
mod url;
mod verify;

pub use url::SdmUrl;
pub use verify::{Keys, SdmError, Tap, TapIdentity, VerifiedTap};

use super::settings::{Access, KeyNo};
use crate::error::CardError;

/// Hexadecimal digits of a serial number.
pub(super) const UID_DIGITS: u32 = 14;
/// Hexadecimal digits of the read counter.
pub(super) const COUNTER_DIGITS: u32 = 6;
/// Hexadecimal digits of a MAC.
pub(super) const MAC_DIGITS: u32 = 16;

/// Which cipher the card uses. Switching to LRP is for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// AES-128, as a card comes.
    Aes,
    /// The leakage resilient primitive.
    Lrp,
}

impl Suite {
    /// Hexadecimal digits of the encrypted number and counter.
    #[must_use]
    pub fn identity_digits(self) -> u32 {
        match self {
            Self::Aes => 32,
            Self::Lrp => 48,
        }
    }
}

/// How number and counter of the card are mirrored. Offsets count bytes of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Not at all.
    None,
    /// As digits that anybody reads.
    Plain {
        /// Where 14 digits of the serial number go.
        uid: Option<u32>,
        /// Where 6 digits of the counter go.
        counter: Option<u32>,
    },
    /// Encrypted together, so that taps of one card cannot be told to be of one card.
    Encrypted(Encrypted),
}

/// Number and counter, encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encrypted {
    /// With which key. It is the same in all cards, as the backend does not yet know which card it is.
    pub key: KeyNo,
    /// Where the digits go: 32 with AES, 48 with LRP.
    pub offset: u32,
    /// Whether the serial number is in it.
    pub uid: bool,
    /// Whether the counter is in it.
    pub counter: bool,
}

impl Identity {
    pub(super) fn has_uid(&self) -> bool {
        matches!(self, Self::Plain { uid: Some(_), .. } | Self::Encrypted(Encrypted { uid: true, .. }))
    }
    pub(super) fn has_counter(&self) -> bool {
        matches!(self, Self::Plain { counter: Some(_), .. } | Self::Encrypted(Encrypted { counter: true, .. }))
    }
}

/// The MAC, and what of the file is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// The key of MAC and encryption. It should differ from card to card.
    pub key: KeyNo,
    /// The first byte of the file that the MAC covers, besides number and counter, which it always covers.
    pub covers_from: u32,
    /// What is encrypted: a part between there and the MAC.
    pub data: Option<Region>,
    /// Where 16 digits of the MAC go; the end of what it covers.
    pub mac_at: u32,
}

/// Bytes of the file that are encrypted: the first half holds the clear text, all of it is overwritten with digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// The first byte.
    pub offset: u32,
    /// A multiple of 32 bytes.
    pub length: u32,
}

/// What is mirrored into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sdm {
    /// Number and counter.
    pub identity: Identity,
    /// MAC and encrypted part.
    pub mirror: Option<Mirror>,
    /// After so many taps (0 to FFFFFE) the card answers no more; `None`: never.
    pub counter_limit: Option<u32>,
    /// Who may ask for the counter.
    pub counter_read: Access,
}

impl Sdm {
    /// Refuses what the card would refuse, before it sees it (NT4H2421Gx table 71).
    pub(super) fn check(&self) -> Result<(), CardError> {
        let err = |what| Err(CardError::Invalid(what));
        if matches!(
            self.identity,
            Identity::Plain { uid: None, counter: None } | Identity::Encrypted(Encrypted { uid: false, counter: false, .. })
        ) {
            return err("a mirror of neither number nor counter");
        }
        let counted = self.identity.has_counter();
        if !counted && (self.counter_limit.is_some() || self.counter_read != Access::Never) {
            return err("a limit or a right of a counter that is not mirrored");
        }
        if let Some(mirror) = self.mirror {
            if mirror.covers_from > mirror.mac_at {
                return err("a MAC that lies before what it covers");
            }
            if let Some(data) = mirror.data {
                let end = data.offset.saturating_add(data.length);
                if data.length == 0 || !data.length.is_multiple_of(32) || data.offset < mirror.covers_from || end > mirror.mac_at {
                    return err("an encrypted part that its MAC does not cover");
                }
                if !(counted && self.identity.has_uid()) {
                    return err("an encrypted part without number and counter");
                }
            }
        }
        let mut places = self.places();
        places.sort_unstable();
        if places.windows(2).any(|pair| pair[0].1 > pair[1].0) || places.iter().any(|&(_, end)| end > 0x00ff_ffff) {
            return err("mirrors that overlap");
        }
        Ok(())
    }

    /// Where digits go, as first byte and end. Of an encrypted identity the shorter form counts, as the settings do not say which it is.
    fn places(&self) -> Vec<(u32, u32)> {
        let mut places = Vec::new();
        let mut add = |at: u32, length: u32| places.push((at, at.saturating_add(length)));
        match self.identity {
            Identity::None => {}
            Identity::Plain { uid, counter } => {
                uid.into_iter().for_each(|at| add(at, UID_DIGITS));
                counter.into_iter().for_each(|at| add(at, COUNTER_DIGITS));
            }
            Identity::Encrypted(Encrypted { offset, .. }) => add(offset, Suite::Aes.identity_digits()),
        }
        if let Some(mirror) = self.mirror {
            add(mirror.mac_at, MAC_DIGITS);
            mirror.data.into_iter().for_each(|data| add(data.offset, data.length));
        }
        places
    }
}
