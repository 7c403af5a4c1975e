//! The small part of CBOR (RFC 8949) that signed documents need, without an allocator.
//!
//! Reading is strict: integers and lengths in their shortest form, no indefinite lengths, no floats, no simple values but `false`, `true` and
//! `null`. The order of keys in a map is left to whoever reads the map, for published documents do not sort them; a map's keys are to be read
//! so that one that stands twice is refused.

use core::fmt;

use crate::bytes::{Full, Writer};

/// How deep [`Reader::skip`] and [`Reader::raw`] go: more levels than any document has, and few enough for a small stack.
pub const MAX_DEPTH: usize = 12;

/// Why bytes are not what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CborError {
    /// They end inside an item, or an array or map says more items than there are bytes.
    Truncated,
    /// A number or length in a longer form than needed, or an indefinite length.
    NotCanonical,
    /// A float, a reserved form, or a simple value that is not `false`, `true` or `null`.
    Unsupported,
    /// A text that is not UTF-8.
    Text,
    /// An item of another type or tag than the place needs.
    Type,
    /// More levels than [`MAX_DEPTH`].
    Depth,
    /// Something follows the last item.
    Trailing,
    /// A key that stands twice in its map.
    Duplicate,
    /// A key that must be in its map is not.
    Missing,
    /// A key that has no place in its map.
    UnknownKey,
}

impl fmt::Display for CborError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the item ends too early",
            Self::NotCanonical => "a number or length is not in its shortest form",
            Self::Unsupported => "a kind of item that no document has",
            Self::Text => "a text is not UTF-8",
            Self::Type => "an item of another type is expected",
            Self::Depth => "items are nested too deeply",
            Self::Trailing => "something follows the last item",
            Self::Duplicate => "a key stands twice in its map",
            Self::Missing => "a key is missing from its map",
            Self::UnknownKey => "a key has no place in its map",
        })
    }
}

impl core::error::Error for CborError {}

/// One item, or the head of an array, map or tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item<'a> {
    /// 0 and above.
    Uint(u64),
    /// `-1 - n`: the field holds `n`.
    Negative(u64),
    /// A byte string.
    Bytes(&'a [u8]),
    /// A text.
    Text(&'a str),
    /// So many items follow.
    Array(usize),
    /// So many pairs follow.
    Map(usize),
    /// The item that follows has this tag.
    Tag(u64),
    /// `false` or `true`.
    Bool(bool),
    /// `null`.
    Null,
}

/// Reads items one after the other.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What is not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Nothing may follow.
    ///
    /// # Errors
    /// [`CborError::Trailing`].
    pub fn end(&self) -> Result<(), CborError> {
        if self.rest.is_empty() { Ok(()) } else { Err(CborError::Trailing) }
    }

    /// The next item, or the head of an array, map or tag. A reader that failed may stand anywhere: it is to be dropped.
    ///
    /// # Errors
    /// [`CborError::Truncated`], [`CborError::NotCanonical`], [`CborError::Unsupported`] or [`CborError::Text`].
    pub fn item(&mut self) -> Result<Item<'a>, CborError> {
        let first = self.take(1)?[0];
        let (major, info) = (first >> 5, first & 0x1F);
        if major == 7 {
            return match info {
                20 => Ok(Item::Bool(false)),
                21 => Ok(Item::Bool(true)),
                22 => Ok(Item::Null),
                31 => Err(CborError::NotCanonical),
                _ => Err(CborError::Unsupported),
            };
        }
        let number = self.argument(info)?;
        // An item has at least one byte: a count above the bytes that are left is a lie, told before anything is read.
        let count = |least: u64| match number.checked_mul(least) {
            Some(bytes) if bytes <= self.rest.len() as u64 => usize::try_from(number).map_err(|_| CborError::Truncated),
            _ => Err(CborError::Truncated),
        };
        Ok(match major {
            0 => Item::Uint(number),
            1 => Item::Negative(number),
            2 => {
                let length = count(1)?;
                Item::Bytes(self.take(length)?)
            }
            3 => {
                let length = count(1)?;
                Item::Text(core::str::from_utf8(self.take(length)?).map_err(|_| CborError::Text)?)
            }
            4 => Item::Array(count(1)?),
            5 => Item::Map(count(2)?),
            _ => Item::Tag(number),
        })
    }

    fn argument(&mut self, info: u8) -> Result<u64, CborError> {
        let (width, least) = match info {
            0..=23 => return Ok(u64::from(info)),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            31 => return Err(CborError::NotCanonical),
            _ => return Err(CborError::Unsupported),
        };
        let number = self.take(width)?.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        if number < least { Err(CborError::NotCanonical) } else { Ok(number) }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], CborError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(CborError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Passes over one whole item with all that it holds.
    ///
    /// # Errors
    /// As [`Reader::item`]; [`CborError::Depth`].
    pub fn skip(&mut self) -> Result<(), CborError> {
        self.skip_below(MAX_DEPTH)
    }

    fn skip_below(&mut self, depth: usize) -> Result<(), CborError> {
        let inner = match self.item()? {
            Item::Array(count) => count,
            Item::Map(count) => count.saturating_mul(2),
            Item::Tag(_) => 1,
            _ => return Ok(()),
        };
        let depth = depth.checked_sub(1).ok_or(CborError::Depth)?;
        (0..inner).try_for_each(|_| self.skip_below(depth))
    }

    /// The bytes of one whole item: what a digest or a signature covers.
    ///
    /// # Errors
    /// As [`Reader::skip`].
    pub fn raw(&mut self) -> Result<&'a [u8], CborError> {
        let before = self.rest;
        self.skip()?;
        Ok(&before[..before.len() - self.rest.len()])
    }

    /// A number that is not negative.
    ///
    /// # Errors
    /// As [`Reader::item`]; [`CborError::Type`].
    pub fn uint(&mut self) -> Result<u64, CborError> {
        if let Item::Uint(number) = self.item()? { Ok(number) } else { Err(CborError::Type) }
    }

    /// A byte string.
    ///
    /// # Errors
    /// As [`Reader::item`]; [`CborError::Type`].
    pub fn bytes(&mut self) -> Result<&'a [u8], CborError> {
        if let Item::Bytes(bytes) = self.item()? { Ok(bytes) } else { Err(CborError::Type) }
    }

    /// A text.
    ///
    /// # Errors
    /// As [`Reader::item`]; [`CborError::Type`].
    pub fn text(&mut self) -> Result<&'a str, CborError> {
        if let Item::Text(text) = self.item()? { Ok(text) } else { Err(CborError::Type) }
    }

    /// `false` or `true`.
    ///
    /// # Errors
    /// As [`Reader::item`]; [`CborError::Type`].
    pub fn bool(&mut self) -> Result<bool, CborError> {
        if let Item::Bool(value) = self.item()? { Ok(value) } else { Err(CborError::Type) }
    }

    /// The head of an array: how many items follow.
    ///
    /// # Errors
    /// As [`Reader::item`]; [`CborError::Type`].
    pub fn array(&mut self) -> Result<usize, CborError> {
        if let Item::Array(count) = self.item()? { Ok(count) } else { Err(CborError::Type) }
    }

    /// The head of a map: how many pairs follow.
    ///
    /// # Errors
    /// As [`Reader::item`]; [`CborError::Type`].
    pub fn map(&mut self) -> Result<usize, CborError> {
        if let Item::Map(count) = self.item()? { Ok(count) } else { Err(CborError::Type) }
    }

    /// This tag, and no other.
    ///
    /// # Errors
    /// As [`Reader::item`]; [`CborError::Type`].
    pub fn tag(&mut self, tag: u64) -> Result<(), CborError> {
        if self.item()? == Item::Tag(tag) { Ok(()) } else { Err(CborError::Type) }
    }

    /// A map whose keys are known texts: a reader per value, in the order of `keys`.
    ///
    /// # Errors
    /// As [`Reader::skip`]; [`CborError::Duplicate`], [`CborError::UnknownKey`].
    pub fn text_map<const N: usize>(&mut self, keys: [&str; N]) -> Result<[Option<Self>; N], CborError> {
        let count = self.map()?;
        self.fields(count, |reader| {
            let key = reader.text()?;
            keys.iter().position(|known| *known == key).ok_or(CborError::UnknownKey)
        })
    }

    /// A map whose keys are the integers `0..N`: a reader per value.
    ///
    /// # Errors
    /// As [`Reader::skip`]; [`CborError::Duplicate`], [`CborError::UnknownKey`].
    pub fn int_map<const N: usize>(&mut self) -> Result<[Option<Self>; N], CborError> {
        let count = self.map()?;
        self.fields(count, |reader| usize::try_from(reader.uint()?).ok().filter(|key| *key < N).ok_or(CborError::UnknownKey))
    }

    fn fields<const N: usize>(
        &mut self,
        count: usize,
        mut place: impl FnMut(&mut Self) -> Result<usize, CborError>,
    ) -> Result<[Option<Self>; N], CborError> {
        let mut found = [const { None }; N];
        for _ in 0..count {
            let place = place(self)?;
            if found[place].replace(Reader::new(self.raw()?)).is_some() {
                return Err(CborError::Duplicate);
            }
        }
        Ok(found)
    }
}

/// Writes a number that is not negative.
///
/// # Errors
/// [`Full`] when it does not fit, as of all functions that write.
pub fn put_uint(out: &mut Writer<'_>, number: u64) -> Result<(), Full> {
    put_head(out, 0, number)
}

/// Writes any number.
///
/// # Errors
/// [`Full`].
pub fn put_int(out: &mut Writer<'_>, number: i64) -> Result<(), Full> {
    match u64::try_from(number) {
        Ok(number) => put_head(out, 0, number),
        // -1 - n has the same bits as the complement of n.
        Err(_) => put_head(out, 1, !number.cast_unsigned()),
    }
}

/// Writes a byte string.
///
/// # Errors
/// [`Full`].
pub fn put_bytes(out: &mut Writer<'_>, bytes: &[u8]) -> Result<(), Full> {
    put_head(out, 2, bytes.len() as u64)?;
    out.put(bytes)
}

/// Writes the head of a byte string whose `length` bytes the caller writes next.
///
/// # Errors
/// [`Full`].
pub fn put_bytes_head(out: &mut Writer<'_>, length: usize) -> Result<(), Full> {
    put_head(out, 2, length as u64)
}

/// Writes a text.
///
/// # Errors
/// [`Full`].
pub fn put_text(out: &mut Writer<'_>, text: &str) -> Result<(), Full> {
    put_head(out, 3, text.len() as u64)?;
    out.put(text.as_bytes())
}

/// Writes the head of an array of `count` items.
///
/// # Errors
/// [`Full`].
pub fn put_array(out: &mut Writer<'_>, count: usize) -> Result<(), Full> {
    put_head(out, 4, count as u64)
}

/// Writes the head of a map of `count` pairs.
///
/// # Errors
/// [`Full`].
pub fn put_map(out: &mut Writer<'_>, count: usize) -> Result<(), Full> {
    put_head(out, 5, count as u64)
}

/// Writes a tag for the item that follows.
///
/// # Errors
/// [`Full`].
pub fn put_tag(out: &mut Writer<'_>, tag: u64) -> Result<(), Full> {
    put_head(out, 6, tag)
}

/// Writes `false` or `true`.
///
/// # Errors
/// [`Full`].
pub fn put_bool(out: &mut Writer<'_>, value: bool) -> Result<(), Full> {
    out.byte(if value { 0xF5 } else { 0xF4 })
}

fn put_head(out: &mut Writer<'_>, major: u8, number: u64) -> Result<(), Full> {
    let (kind, bytes) = (major << 5, number.to_be_bytes());
    match number {
        0..=23 => out.byte(kind | bytes[7]),
        24..=0xFF => out.put(&[kind | 24, bytes[7]]),
        0x100..=0xFFFF => out.put(&[kind | 25, bytes[6], bytes[7]]),
        0x1_0000..=0xFFFF_FFFF => {
            out.byte(kind | 26)?;
            out.put(&bytes[4..])
        }
        _ => {
            out.byte(kind | 27)?;
            out.put(&bytes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// From RFC 8949, appendix A.
    #[test]
    fn published_examples_read_and_write() {
        for (number, bytes) in [
            (0_i64, &[0x00][..]),
            (23, &[0x17]),
            (24, &[0x18, 0x18]),
            (1000, &[0x19, 0x03, 0xE8]),
            (1_000_000, &[0x1A, 0x00, 0x0F, 0x42, 0x40]),
            (1_000_000_000_000, &[0x1B, 0x00, 0x00, 0x00, 0xE8, 0xD4, 0xA5, 0x10, 0x00]),
            (-1, &[0x20]),
            (-1000, &[0x39, 0x03, 0xE7]),
        ] {
            let mut space = [0; 9];
            let mut out = Writer::new(&mut space);
            put_int(&mut out, number).unwrap();
            assert_eq!(out.as_slice(), bytes);
            let item = Reader::new(bytes).item();
            assert_eq!(item, Ok(u64::try_from(number).map_or(Item::Negative((-1 - number).cast_unsigned()), Item::Uint)));
        }
        assert_eq!(Reader::new(&[0x64, 0x49, 0x45, 0x54, 0x46]).text(), Ok("IETF"));
        assert_eq!(Reader::new(&[0x82, 0x01, 0x82, 0x02, 0x03, 0xFF]).raw(), Ok(&[0x82, 0x01, 0x82, 0x02, 0x03][..]));
    }

    #[test]
    fn only_the_shortest_form_is_read() {
        for (bytes, error) in [
            (&[0x18, 0x17][..], CborError::NotCanonical),
            (&[0x19, 0x00, 0xFF], CborError::NotCanonical),
            (&[0x1A, 0, 0, 0xFF, 0xFF], CborError::NotCanonical),
            (&[0x1B, 0, 0, 0, 0, 1, 0, 0, 0], CborError::NotCanonical),
            (&[0x5F, 0x41, 0, 0xFF], CborError::NotCanonical),
            (&[0x9F, 0xFF], CborError::NotCanonical),
            (&[0x1C], CborError::Unsupported),
            (&[0xF9, 0x3C, 0x00], CborError::Unsupported),
            (&[0xFB, 0, 0, 0, 0, 0, 0, 0, 0], CborError::Unsupported),
            (&[0xF7], CborError::Unsupported),
            (&[0x61, 0xFF], CborError::Text),
            (&[0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], CborError::Truncated),
            (&[0xBB, 0x80, 0, 0, 0, 0, 0, 0, 0], CborError::Truncated),
            (&[0x5A, 0xFF, 0xFF, 0xFF, 0xFF], CborError::Truncated),
        ] {
            assert_eq!(Reader::new(bytes).item(), Err(error), "{bytes:02X?}");
        }
    }

    #[test]
    fn a_nesting_bomb_stops_at_the_limit() {
        let mut bomb = std::vec![0x81; MAX_DEPTH];
        bomb.push(0x00);
        assert_eq!(Reader::new(&bomb).skip(), Ok(()));
        bomb.insert(0, 0x81);
        assert_eq!(Reader::new(&bomb).skip(), Err(CborError::Depth));
        let tags = [0xC1; 10_000];
        assert_eq!(Reader::new(&tags).skip(), Err(CborError::Depth));
    }

    #[test]
    fn a_key_stands_once_in_its_map() {
        assert_eq!(Reader::new(&[0xA2, 0x61, 0x31, 1, 0x61, 0x31, 2]).text_map(["1"]).map(|_| ()), Err(CborError::Duplicate));
        assert_eq!(Reader::new(&[0xA1, 0x61, 0x32, 1]).text_map(["1"]).map(|_| ()), Err(CborError::UnknownKey));
        assert_eq!(Reader::new(&[0xA1, 0x02, 1]).int_map::<2>().map(|_| ()), Err(CborError::UnknownKey));
        let [one, zero] = Reader::new(&[0xA1, 0x01, 0x05]).int_map::<2>().map(|[zero, one]| [one, zero]).unwrap();
        assert_eq!((one.unwrap().uint(), zero.is_none()), (Ok(5), true));
    }

    proptest::proptest! {
        #[test]
        fn a_number_reads_back(number: u64, negative: i64) {
            let mut space = [0; 18];
            let mut out = Writer::new(&mut space);
            put_uint(&mut out, number).unwrap();
            put_int(&mut out, negative).unwrap();
            let mut reader = Reader::new(out.as_slice());
            assert_eq!(reader.uint(), Ok(number));
            assert_eq!(reader.raw().map(<[u8]>::len), Ok(out.len() - Reader::new(out.as_slice()).raw().unwrap().len()));
            assert_eq!(reader.end(), Ok(()));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.skip().is_ok() {}
        }
    }
}
