//! The TLV area of Type 2 cards (Ultralight, NTAG 21x) and of MIFARE Classic (NFC Forum, Type 2 Tag 1.2, section 2.3; NXP AN1304).
use super::{Message, NdefError};

/// Type byte of a block that holds an NDEF message.
pub const NDEF: u8 = 0x03;
/// Type byte of a proprietary block.
pub const PROPRIETARY: u8 = 0xfd;
/// Ends the area. Has no length.
pub const TERMINATOR: u8 = 0xfe;
const NULL: u8 = 0x00;

/// A block: its type and its content. `NULL` and the terminator are not blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Type, neither 00 nor FE.
    pub kind: u8,
    /// Content, at most 65534 bytes.
    pub value: Vec<u8>,
}

/// Reads the blocks up to the terminator, or to the end where there is none.
///
/// # Errors
/// [`NdefError::Truncated`]: a block that is longer than the memory.
pub fn parse(area: &[u8]) -> Result<Vec<Block>, NdefError> {
    let mut rest = area;
    let mut blocks = Vec::new();
    while let Some((&kind, after)) = rest.split_first() {
        match kind {
            NULL => rest = after,
            TERMINATOR => break,
            _ => {
                let (length, after) = length(after)?;
                let (value, after) = after.split_at_checked(length).ok_or(NdefError::Truncated)?;
                blocks.push(Block { kind, value: value.to_vec() });
                rest = after;
            }
        }
    }
    Ok(blocks)
}

fn length(bytes: &[u8]) -> Result<(usize, &[u8]), NdefError> {
    match bytes {
        [0xff, high, low, rest @ ..] => Ok((usize::from(u16::from_be_bytes([*high, *low])), rest)),
        [0xff, ..] | [] => Err(NdefError::Truncated),
        [short, rest @ ..] => Ok((usize::from(*short), rest)),
    }
}

/// Writes the blocks and the terminator.
///
/// # Errors
/// [`NdefError::Length`]: a content of more than 65534 bytes, or the type of a null or terminator block.
pub fn to_bytes(blocks: &[Block]) -> Result<Vec<u8>, NdefError> {
    let mut out = Vec::new();
    for block in blocks {
        if matches!(block.kind, NULL | TERMINATOR) {
            return Err(NdefError::Length);
        }
        out.push(block.kind);
        match u16::try_from(block.value.len()).ok().filter(|&n| n != u16::MAX).ok_or(NdefError::Length)?.to_be_bytes() {
            [0, short] if short != 0xff => out.push(short),
            [high, low] => out.extend([0xff, high, low]),
        }
        out.extend_from_slice(&block.value);
    }
    out.push(TERMINATOR);
    Ok(out)
}

/// The message of the first NDEF block; `None` where there is none or an empty one.
///
/// # Errors
/// [`NdefError`]: a broken area or a broken message.
pub fn message(area: &[u8]) -> Result<Option<Message>, NdefError> {
    match parse(area)?.into_iter().find(|block| block.kind == NDEF) {
        Some(block) if !block.value.is_empty() => Message::parse(&block.value).map(Some),
        _ => Ok(None),
    }
}
