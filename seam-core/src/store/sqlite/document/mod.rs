//! Documents as the file keeps them: what serde makes JSON of, in a third of the room and without the detour over text.
//!
//! The data model is JSON's: whatever goes through `serde_json` goes through this and comes back as the same value, also with members and
//! variants that this version does not know. A value begins with one byte:
//!
//! | byte | then |
//! | --- | --- |
//! | [`NULL`], [`FALSE`], [`TRUE`] | |
//! | [`FLOAT`] | eight bytes |
//! | [`LESS`] | how far below −1, in seven-bit groups |
//! | [`NUMBER`] | an integer in seven-bit groups; those below 15 are in the byte itself ([`SMALL`]) |
//! | [`LIST`] | values, and [`END`] |
//! | [`MAP`] | keys, each with its value, and [`END`]; a key is a text |
//! | [`SINGLE`] | the one key of a map and its value: how a variant with content is written |
//! | [`ID`] | an id's 16 bytes, for its 36 characters |
//! | [`NEAR`] | the last ten bytes of an id that begins as the one before: made in the same millisecond |
//! | [`AGAIN`] | which of the ids of the document it is once more |
//! | [`HEX`] | a length and a text, a length and bytes: the text, and the bytes in hexadecimal behind it |
//! | [`INSTANT`] | the digits of its fraction, the seconds since 1970 (zigzag) and the fraction, for an instant written in UTC |
//! | [`NAME`] | the number of a name in the list; the first are in the byte itself ([`NAMES`]) |
//! | [`TEXT`] | a length and the text; up to 31 bytes the length is in the byte itself ([`SHORT`]) |
mod names;
mod read;
mod text;
mod write;

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

const NULL: u8 = 0x00;
const FALSE: u8 = 0x01;
const TRUE: u8 = 0x02;
const FLOAT: u8 = 0x03;
const LESS: u8 = 0x04;
const NUMBER: u8 = 0x05;
const LIST: u8 = 0x06;
const MAP: u8 = 0x07;
const END: u8 = 0x08;
const SINGLE: u8 = 0x09;
const ID: u8 = 0x0a;
const HEX: u8 = 0x0b;
const INSTANT: u8 = 0x0c;
const NAME: u8 = 0x0d;
const TEXT: u8 = 0x0e;
const AGAIN: u8 = 0x0f;
/// The first of fifteen.
const SMALL: u8 = 0x10;
const NEAR: u8 = 0x1f;
/// The first of thirty-two.
const SHORT: u8 = 0x20;
/// The first of all that are left.
const NAMES: u8 = 0x40;
/// How many names have a byte of their own.
const NAMED: usize = 0x100 - NAMES as usize;
/// How many ids of a document are remembered.
const IDS: usize = 256;
/// How many bytes of an id say when it was made.
const WHEN: usize = 6;
/// As deep as `serde_json` reads.
const DEEPEST: u8 = 128;

/// Writes a value as a document behind what is there.
///
/// # Errors
/// The value has no JSON: a map with keys that are no text, say. What was written of it is behind what was there.
pub(super) fn write(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> Result<(), Unfit> {
    value.serialize(&mut write::Writer::new(out))
}

/// The value of a document.
///
/// # Errors
/// The document is damaged, or of another type.
pub(super) fn read<T: DeserializeOwned>(document: &[u8]) -> Result<T, Unfit> {
    let mut reader = read::Reader::new(document);
    let value = T::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Why a value has no document, or a document no value.
#[derive(Debug)]
pub(super) struct Unfit(String);

impl Unfit {
    fn new(why: &str) -> Self {
        Self(why.to_owned())
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for Unfit {}
impl serde::ser::Error for Unfit {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self(why.to_string())
    }
}
impl serde::de::Error for Unfit {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Self(why.to_string())
    }
}

#[cfg(test)]
mod tests;
