//! What a reader tells.
use super::panel::OsdpError;
use osdp::reply::Reply;
use std::fmt;
use zeroize::Zeroizing;

/// Something that happened at a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A card was read.
    Card(CardBits),
    /// Keys were pressed.
    Keys(Keys),
    /// The state of the reader itself changed.
    Local {
        /// Its case is open.
        is_tampered: bool,
        /// Its power fails.
        is_power_failing: bool,
    },
}

/// What a reader read from a card: a number of so many bits, as its format has it. `Debug` shows how many.
#[derive(Clone, PartialEq, Eq)]
pub struct CardBits {
    /// Which reader of the device, from 0.
    pub reader: u8,
    /// How many bits.
    pub bits: u16,
    /// The bits, first bit highest; the last byte is filled up with zeros.
    pub data: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for CardBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardBits").field("reader", &self.reader).field("bits", &self.bits).finish_non_exhaustive()
    }
}

/// Keys in the order in which they were pressed: `0` to `9`, `*` and `#`. `Debug` shows how many: they may be a PIN.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// Which reader of the device, from 0.
    pub reader: u8,
    /// The keys.
    pub keys: Zeroizing<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("reader", &self.reader).field("keys", &self.keys.len()).finish()
    }
}

impl Event {
    /// What the answer to a poll says; `None`: nothing happened.
    pub(super) fn of(reply: Reply) -> Result<Option<Self>, OsdpError> {
        Ok(match reply {
            Reply::Raw(raw) => {
                let data = Zeroizing::new(raw.bits);
                if data.len() != usize::from(raw.bit_count).div_ceil(8) {
                    return Err(OsdpError::Strange);
                }
                Some(Self::Card(CardBits { reader: raw.reader, bits: raw.bit_count, data }))
            }
            Reply::Keypad(keypad) => {
                let digits = Zeroizing::new(keypad.digits);
                // As sent by readers: ASCII digits, DEL for `*` and CR for `#` (OSDP 2.2, 7.12).
                let keys = digits.iter().map(|digit| match digit {
                    b'0'..=b'9' | b'*' | b'#' => Ok(char::from(*digit)),
                    0x7F => Ok('*'),
                    0x0D => Ok('#'),
                    _ => Err(OsdpError::Strange),
                });
                Some(Self::Keys(Keys { reader: keypad.reader, keys: Zeroizing::new(keys.collect::<Result<String, _>>()?) }))
            }
            Reply::LStatR(local) => Some(Self::Local { is_tampered: local.tamper != 0, is_power_failing: local.power != 0 }),
            // Others report what an enrolment does not ask for.
            _ => None,
        })
    }
}
