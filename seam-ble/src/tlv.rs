//! Tag, length, value, as the NFC commands, reader certificates and PKOC write them.
//!
//! Reading is strict, because two writings of one message are two ways past a check: a length has its shortest form, an indefinite length
//! does not exist, and nothing may follow the last object. Tags have one byte, or two when the low five bits of the first are set
//! (ISO/IEC 7816-4, 5.2.2.1).

use core::fmt;

use crate::bytes::{Full, Writer, be16};

/// How lengths are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthForm {
    /// Up to 127 in one byte, then `81 xx`, then `82 xx xx`: each value in its shortest form.
    Ber,
    /// Always one byte, 0 to 255: PKOC up to 1.x.
    OneByte,
}

/// Why bytes are no list of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlvError {
    /// They end inside an object.
    Truncated,
    /// A length in a longer form than needed, an indefinite one, or one above 65 535.
    Length,
    /// A tag of more than two bytes, or a second byte that says there are more.
    Tag,
    /// One tag twice in a list where each stands once.
    Duplicate(u16),
    /// A tag that must be there is not.
    Missing(u16),
    /// A tag that has no place in this list.
    Unexpected(u16),
    /// A value whose length its tag does not allow.
    Value(u16),
}

impl fmt::Display for TlvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the object ends too early"),
            Self::Length => f.write_str("a length is not in its shortest form"),
            Self::Tag => f.write_str("a tag has more than two bytes"),
            Self::Duplicate(tag) => write!(f, "tag {tag:02X} stands twice"),
            Self::Missing(tag) => write!(f, "tag {tag:02X} is missing"),
            Self::Unexpected(tag) => write!(f, "tag {tag:02X} has no place here"),
            Self::Value(tag) => write!(f, "the value of tag {tag:02X} has a wrong length"),
        }
    }
}

impl core::error::Error for TlvError {}

/// One object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// One or two bytes; two as `0x7F21`.
    pub tag: u16,
    /// What it holds.
    pub value: &'a [u8],
}

impl fmt::Debug for Tlv<'_> {
    // Without the value: some tags carry what nobody should print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tlv({:02X}, {} bytes)", self.tag, self.value.len())
    }
}

impl<'a> Tlv<'a> {
    /// The value, when it has exactly `N` bytes.
    ///
    /// # Errors
    /// [`TlvError::Value`] for any other length.
    pub fn exactly<const N: usize>(&self) -> Result<&'a [u8; N], TlvError> {
        self.value.try_into().map_err(|_| TlvError::Value(self.tag))
    }
}

/// Reads objects one after the other.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    form: LengthForm,
}

impl<'a> Reader<'a> {
    /// Objects with lengths in their shortest BER form.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::with(bytes, LengthForm::Ber)
    }

    /// Objects with lengths in the given form.
    pub fn with(bytes: &'a [u8], form: LengthForm) -> Self {
        Self { rest: bytes, form }
    }

    /// What is not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next object, or none at the end.
    ///
    /// # Errors
    /// [`TlvError::Truncated`], [`TlvError::Length`] or [`TlvError::Tag`]; the reader then stays where it was.
    #[expect(clippy::should_implement_trait, reason = "an iterator of results would let a caller go on after an error")]
    pub fn next(&mut self) -> Result<Option<Tlv<'a>>, TlvError> {
        let Some((&first, mut rest)) = self.rest.split_first() else { return Ok(None) };
        let mut tag = u16::from(first);
        if first & 0x1F == 0x1F {
            let (&second, after) = rest.split_first().ok_or(TlvError::Truncated)?;
            if second & 0x80 != 0 {
                return Err(TlvError::Tag);
            }
            tag = tag << 8 | u16::from(second);
            rest = after;
        }
        let (length, rest) = self.length(rest)?;
        let (value, rest) = rest.split_at_checked(length).ok_or(TlvError::Truncated)?;
        self.rest = rest;
        Ok(Some(Tlv { tag, value }))
    }

    fn length(&self, bytes: &'a [u8]) -> Result<(usize, &'a [u8]), TlvError> {
        let (&first, rest) = bytes.split_first().ok_or(TlvError::Truncated)?;
        if self.form == LengthForm::OneByte {
            return Ok((usize::from(first), rest));
        }
        match (first, rest) {
            (0..=0x7F, rest) => Ok((usize::from(first), rest)),
            (0x81, [length, rest @ ..]) if *length > 0x7F => Ok((usize::from(*length), rest)),
            (0x82, [high, low, rest @ ..]) if *high > 0 => Ok((be16([*high, *low]), rest)),
            (0x81, []) | (0x82, [] | [_]) => Err(TlvError::Truncated),
            _ => Err(TlvError::Length),
        }
    }

    /// The next object, which has this tag.
    ///
    /// # Errors
    /// As [`Reader::next`]; [`TlvError::Missing`] when the bytes end, [`TlvError::Unexpected`] when another tag stands there.
    pub fn expect(&mut self, tag: u16) -> Result<Tlv<'a>, TlvError> {
        let tlv = self.next()?.ok_or(TlvError::Missing(tag))?;
        if tlv.tag == tag { Ok(tlv) } else { Err(TlvError::Unexpected(tlv.tag)) }
    }

    /// Nothing may follow.
    ///
    /// # Errors
    /// As [`Reader::next`]; [`TlvError::Unexpected`] with the tag that follows.
    pub fn end(&mut self) -> Result<(), TlvError> {
        match self.next()? {
            None => Ok(()),
            Some(tlv) => Err(TlvError::Unexpected(tlv.tag)),
        }
    }
}

/// Picks the objects of `tags` out of a list where each stands at most once, in any order; nothing else may stand there.
///
/// # Errors
/// As [`Reader::next`]; [`TlvError::Duplicate`] and [`TlvError::Unexpected`].
pub fn pick<'a, const N: usize>(mut reader: Reader<'a>, tags: [u16; N]) -> Result<[Option<&'a [u8]>; N], TlvError> {
    let mut found = [None; N];
    while let Some(tlv) = reader.next()? {
        let place = tags.iter().position(|tag| *tag == tlv.tag).ok_or(TlvError::Unexpected(tlv.tag))?;
        if found[place].replace(tlv.value).is_some() {
            return Err(TlvError::Duplicate(tlv.tag));
        }
    }
    Ok(found)
}

/// Writes an object whose value is given in pieces, with a BER length.
///
/// # Errors
/// [`Full`] when it does not fit, or its value has more than 65 535 bytes.
pub fn put(out: &mut Writer<'_>, tag: u16, value: &[&[u8]]) -> Result<(), Full> {
    put_header(out, tag, value.iter().map(|piece| piece.len()).sum())?;
    value.iter().try_for_each(|piece| out.put(piece))
}

/// Writes an object with the length in the given form.
///
/// # Errors
/// [`Full`] when it does not fit, or the form has no such length.
pub fn put_with(out: &mut Writer<'_>, form: LengthForm, tag: u16, value: &[&[u8]]) -> Result<(), Full> {
    match form {
        LengthForm::Ber => put(out, tag, value),
        LengthForm::OneByte => {
            put_tag(out, tag)?;
            out.byte(u8::try_from(value.iter().map(|piece| piece.len()).sum::<usize>()).map_err(|_| Full)?)?;
            value.iter().try_for_each(|piece| out.put(piece))
        }
    }
}

/// Writes tag and length of an object whose `length` bytes of value the caller writes next.
///
/// # Errors
/// [`Full`] when they do not fit, or `length` is above 65 535.
pub fn put_header(out: &mut Writer<'_>, tag: u16, length: usize) -> Result<(), Full> {
    put_tag(out, tag)?;
    let [high, low] = u16::try_from(length).map_err(|_| Full)?.to_be_bytes();
    match (high, low) {
        (0, 0..=0x7F) => out.byte(low),
        (0, _) => out.put(&[0x81, low]),
        _ => out.put(&[0x82, high, low]),
    }
}

fn put_tag(out: &mut Writer<'_>, tag: u16) -> Result<(), Full> {
    match tag.to_be_bytes() {
        [0, low] => out.byte(low),
        both => out.put(&both),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_has_one_form_only() {
        let read = |bytes: &[u8]| Reader::new(bytes).next().map(|tlv| tlv.map(|tlv| tlv.value.len()));
        assert_eq!(read(&[0x5A, 0x01, 0xAA]), Ok(Some(1)));
        assert_eq!(read(&[0x5A, 0x81, 0x01, 0xAA]), Err(TlvError::Length));
        assert_eq!(read(&[0x5A, 0x81, 0x7F]), Err(TlvError::Length));
        assert_eq!(read(&[0x5A, 0x82, 0x00, 0xFF]), Err(TlvError::Length));
        assert_eq!(read(&[0x5A, 0x80, 0x00, 0x00]), Err(TlvError::Length), "indefinite");
        assert_eq!(read(&[0x5A, 0x83, 0x01, 0x00, 0x00]), Err(TlvError::Length), "2^16");
        assert_eq!(read(&[0x5A, 0x02, 0xAA]), Err(TlvError::Truncated));
        assert_eq!(read(&[0x5A, 0x82, 0xFF, 0xFF]), Err(TlvError::Truncated));
        assert_eq!(read(&[0x5A]), Err(TlvError::Truncated));
        assert_eq!(read(&[0x7F, 0x80, 0x00]), Err(TlvError::Tag));
        assert_eq!(read(&[]), Ok(None));
    }

    #[test]
    fn a_length_of_162_differs_between_the_two_forms() {
        let (value, mut space) = ([9; 162], [0; 170]);
        let mut out = Writer::new(&mut space);
        put_with(&mut out, LengthForm::OneByte, 0x40, &[&value]).unwrap();
        assert_eq!(out.as_slice()[..2], [0x40, 0xA2]);
        assert_eq!(Reader::new(out.as_slice()).next(), Err(TlvError::Length));
        assert_eq!(Reader::with(out.as_slice(), LengthForm::OneByte).next().unwrap().unwrap().value, value);
        let mut out = Writer::new(&mut space);
        put_with(&mut out, LengthForm::Ber, 0x40, &[&value]).unwrap();
        assert_eq!(out.as_slice()[..3], [0x40, 0x81, 0xA2]);
    }

    #[test]
    fn a_list_holds_each_tag_once_and_no_other() {
        assert_eq!(pick(Reader::new(&[0x41, 1, 7, 0x42, 0]), [0x42, 0x41]), Ok([Some(&[][..]), Some(&[7][..])]));
        assert_eq!(pick(Reader::new(&[0x41, 1, 7, 0x41, 1, 7]), [0x41]), Err(TlvError::Duplicate(0x41)));
        assert_eq!(pick(Reader::new(&[0x43, 0]), [0x41]), Err(TlvError::Unexpected(0x43)));
        assert_eq!(pick(Reader::new(&[0x41, 0, 0x00]), [0x41]), Err(TlvError::Truncated), "something trails");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(tag in proptest::sample::select(&[0x41_u16, 0x5A, 0x7F21, 0x5F37]), value: std::vec::Vec<u8>) {
            let mut space = std::vec![0; value.len() + 6];
            let mut out = Writer::new(&mut space);
            put(&mut out, tag, &[&value]).unwrap();
            let mut reader = Reader::new(out.as_slice());
            assert_eq!(reader.expect(tag).unwrap().value, &value[..]);
            assert_eq!(reader.end(), Ok(()));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: std::vec::Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while let Ok(Some(_)) = reader.next() {}
        }
    }
}
