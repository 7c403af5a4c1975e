//! The address of a tap, as a template.
use super::super::settings::{Access, KeyNo};
use super::{COUNTER_DIGITS, Encrypted, Identity, MAC_DIGITS, Mirror, Region, Sdm, Suite, Tap, UID_DIGITS};
use crate::error::CardError;
use crate::ndef::{Message, Record, file};
use std::fmt;

/// A template of the address that a tap opens, as `https://door.example/t?p={picc}&m={mac}`.
///
/// | placeholder | what the card puts there |
/// | --- | --- |
/// | `{picc}` | serial number and counter, encrypted |
/// | `{uid}`, `{counter}` | the same as digits that anybody reads |
/// | `{data:TEXT}` | `TEXT` (16 characters, or a multiple), encrypted anew with each tap |
/// | `{mac}` | the MAC; it must be the last placeholder, and covers the address from the first placeholder on |
///
/// Each may stand there once, `{picc}` not beside `{uid}` or `{counter}`.
#[derive(Clone, PartialEq, Eq)]
pub struct SdmUrl {
    suite: Suite,
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Picc,
    Uid,
    Counter,
    Data(String),
    Mac,
}

impl fmt::Debug for SdmUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is encrypted on the way stands in the template in clear.
        f.debug_struct("SdmUrl").field("suite", &self.suite).field("parts", &self.parts.len()).finish_non_exhaustive()
    }
}

impl SdmUrl {
    /// Reads a template.
    ///
    /// # Errors
    /// [`CardError::Invalid`]: a placeholder that is unknown, comes twice or does not fit the others; no MAC; nothing that identifies the card.
    pub fn new(suite: Suite, template: &str) -> Result<Self, CardError> {
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((text, after)) = rest.split_once('{') {
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
            let (name, after) = after.split_once('}').ok_or(CardError::Invalid("a placeholder without an end"))?;
            parts.push(match name.split_once(':') {
                None if name == "picc" => Part::Picc,
                None if name == "uid" => Part::Uid,
                None if name == "counter" => Part::Counter,
                None if name == "mac" => Part::Mac,
                Some(("data", clear)) if !clear.is_empty() && clear.is_ascii() && clear.len().is_multiple_of(16) => {
                    Part::Data(clear.to_owned())
                }
                _ => return Err(CardError::Invalid("a placeholder that is not known, or data that is not of 16 characters")),
            });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        let url = Self { suite, parts };
        url.check()?;
        Ok(url)
    }

    fn check(&self) -> Result<(), CardError> {
        let count = |wanted: fn(&Part) -> bool| self.parts.iter().filter(|part| wanted(part)).count();
        let (picc, uid) = (count(|part| *part == Part::Picc), count(|part| *part == Part::Uid));
        let (counter, mac) = (count(|part| *part == Part::Counter), count(|part| *part == Part::Mac));
        let data = count(|part| matches!(part, Part::Data(_)));
        if mac != 1 || [picc, uid, counter, data].iter().any(|&n| n > 1) || picc + uid == 0 || (picc > 0 && uid + counter > 0) {
            return Err(CardError::Invalid("an address needs one {mac} and either one {picc} or one {uid}"));
        }
        if data > 0 && picc + counter == 0 {
            return Err(CardError::Invalid("{data} needs a counter"));
        }
        if self.parts.iter().rev().find(|part| !matches!(part, Part::Text(_))) != Some(&Part::Mac) {
            return Err(CardError::Invalid("{mac} must be the last placeholder"));
        }
        Ok(())
    }

    /// With which cipher.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.suite
    }

    fn width(&self, part: &Part) -> u32 {
        match part {
            Part::Text(text) => u32::try_from(text.len()).unwrap_or(u32::MAX),
            Part::Picc => self.suite.identity_digits(),
            Part::Uid => UID_DIGITS,
            Part::Counter => COUNTER_DIGITS,
            Part::Data(clear) => u32::try_from(2 * clear.len()).unwrap_or(u32::MAX),
            Part::Mac => MAC_DIGITS,
        }
    }

    /// The content of the NDEF file, with zeros where the card puts digits, and what to mirror where.
    ///
    /// `meta` encrypts `{picc}`, `file` makes the MAC and encrypts `{data}`. The counter can be asked for by nobody and has no limit; set the
    /// fields of the result for more.
    ///
    /// # Errors
    /// [`CardError::TooLong`]: more than the 256 bytes of the file. [`CardError::Invalid`]: a placeholder within the prefix of the address
    /// (`https://`).
    pub fn layout(&self, meta: KeyNo, file: KeyNo) -> Result<(Vec<u8>, Sdm), CardError> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Data(clear) => {
                    text.push_str(clear);
                    text.push_str(&"0".repeat(clear.len()));
                }
                other => text.push_str(&"0".repeat(self.width(other) as usize)),
            }
        }
        let record = Record::uri(&text).map_err(|_| CardError::Invalid("an address that is too long"))?;
        // All of the address but its abbreviated prefix stands at the end of the file.
        let written = record.payload().len() - 1;
        let content = file::to_bytes(&Message::new(vec![record])).map_err(|_| CardError::Invalid("an address that is too long"))?;
        if content.len() > super::super::File::Ndef.size() {
            return Err(CardError::TooLong { length: content.len(), max: super::super::File::Ndef.size() });
        }
        let mut at = i64::try_from(content.len()).unwrap_or(i64::MAX) - i64::try_from(text.len()).unwrap_or(i64::MAX);
        let first_written = content.len() - written;
        let mut place = |part: &Part| {
            let start = at;
            at += i64::from(self.width(part));
            u32::try_from(start).ok().filter(|&start| start as usize >= first_written)
        };
        let mut identity = Identity::None;
        let (mut covers_from, mut data, mut mac_at) = (None, None, 0);
        for part in &self.parts {
            let start = place(part);
            if matches!(part, Part::Text(_)) {
                continue;
            }
            let start = start.ok_or(CardError::Invalid("a placeholder in the prefix of the address"))?;
            covers_from.get_or_insert(start);
            match part {
                Part::Text(_) => {}
                Part::Picc => identity = Identity::Encrypted(Encrypted { key: meta, offset: start, uid: true, counter: true }),
                Part::Uid | Part::Counter => {
                    let (mut uid, mut counter) = match identity {
                        Identity::Plain { uid, counter } => (uid, counter),
                        _ => (None, None),
                    };
                    *(if *part == Part::Uid { &mut uid } else { &mut counter }) = Some(start);
                    identity = Identity::Plain { uid, counter };
                }
                Part::Data(_) => data = Some(Region { offset: start, length: self.width(part) }),
                Part::Mac => mac_at = start,
            }
        }
        let mirror = Mirror { key: file, covers_from: covers_from.unwrap_or(mac_at), data, mac_at };
        Ok((content, Sdm { identity, mirror: Some(mirror), counter_limit: None, counter_read: Access::Never }))
    }

    /// Takes a received address apart. Digits may have become lower case on the way; everything else must be as in the template.
    ///
    /// # Errors
    /// [`SdmError::Form`](super::SdmError::Form): not an address of this template.
    pub fn tap(&self, url: &str) -> Result<Tap, super::SdmError> {
        let mut rest = url;
        let mut tap = Tap::new(self.suite);
        let mut covered = String::new();
        let mut covering = false;
        for part in &self.parts {
            let (value, after) = rest.split_at_checked(self.width(part) as usize).ok_or(super::SdmError::Form)?;
            rest = after;
            match part {
                Part::Text(text) => {
                    if value != text {
                        return Err(super::SdmError::Form);
                    }
                    if covering {
                        covered.push_str(value);
                    }
                    continue;
                }
                Part::Picc => tap.encrypted = Some(bytes(value)?),
                Part::Uid => tap.uid = Some(array(value)?),
                Part::Counter => {
                    let [high, mid, low] = array(value)?;
                    tap.counter = Some([low, mid, high]);
                }
                Part::Data(_) => tap.data = Some(bytes(value)?),
                Part::Mac => {
                    tap.mac = array(value)?;
                    tap.covered = std::mem::take(&mut covered).into_bytes();
                    continue;
                }
            }
            covering = true;
            covered.push_str(&value.to_ascii_uppercase());
        }
        if rest.is_empty() { Ok(tap) } else { Err(super::SdmError::Form) }
    }
}

fn bytes(digits: &str) -> Result<Vec<u8>, super::SdmError> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).ok_or(super::SdmError::Form);
    digits.as_bytes().as_chunks::<2>().0.iter().map(|[high, low]| Ok(digit(*high)? << 4 | digit(*low)?)).collect()
}

fn array<const N: usize>(digits: &str) -> Result<[u8; N], super::SdmError> {
    bytes(digits)?.try_into().map_err(|_| super::SdmError::Form)
}
