//! The TLVs of PKOC 1.x: one byte of tag, one of length (at most 7F; longer needs the two-byte form 81 xx of BER).
use thiserror::Error;

/// What is wrong with a TLV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TlvError {
    /// The bytes end inside it.
    #[error("the data ends inside a TLV")]
    Truncated,
    /// A length in a form that the protocol does not have.
    #[error("a length in a form that does not exist here")]
    Length,
}

/// A tag and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The tag.
    pub tag: u8,
    /// The value, at most 255 bytes.
    pub value: &'a [u8],
}

/// Reads TLVs one after another; ends after the first error.
pub fn fields(bytes: &[u8]) -> impl Iterator<Item = Result<Field<'_>, TlvError>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let read = next(rest);
        rest = read.map_or(&[], |(_, after)| after);
        Some(read.map(|(field, _)| field))
    })
}

fn next(bytes: &[u8]) -> Result<(Field<'_>, &[u8]), TlvError> {
    let [tag, length, rest @ ..] = bytes else { return Err(TlvError::Truncated) };
    let (length, rest) = match (*length, rest) {
        (short @ 0..=0x7f, rest) => (short, rest),
        (0x81, [long @ 0x80..=0xff, rest @ ..]) => (*long, rest),
        (0x81, []) => return Err(TlvError::Truncated),
        _ => return Err(TlvError::Length),
    };
    let (value, rest) = rest.split_at_checked(usize::from(length)).ok_or(TlvError::Truncated)?;
    Ok((Field { tag: *tag, value }, rest))
}

/// Appends a TLV of at most 127 bytes: all that a reader sends is shorter.
pub(super) fn push(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    debug_assert!(value.len() <= 0x7f, "a reader sends nothing longer");
    out.push(tag);
    out.push(u8::try_from(value.len()).unwrap_or(0x7f));
    out.extend_from_slice(value);
}
