//! The NDEF file and the capability container of Type 4 cards (NFC Forum, Type 4 Tag 2.0, sections 4.2 and 5.1).
use super::{Message, NdefError};

/// The content of an NDEF file: the length of the message in two bytes, big endian, then the message.
///
/// # Errors
/// [`NdefError::NoRoom`]: a message of more than 65534 bytes.
pub fn to_bytes(message: &Message) -> Result<Vec<u8>, NdefError> {
    let message = message.to_bytes();
    let length = u16::try_from(message.len()).ok().filter(|&n| n != u16::MAX).ok_or(NdefError::NoRoom)?;
    Ok([&length.to_be_bytes(), message.as_slice()].concat())
}

/// The message of an NDEF file; `None` where its length is 0, as while another reader writes it.
///
/// # Errors
/// [`NdefError`]: a length beyond the file, or a broken message.
pub fn message(file: &[u8]) -> Result<Option<Message>, NdefError> {
    let (length, rest) = file.split_first_chunk::<2>().ok_or(NdefError::Truncated)?;
    let length = usize::from(u16::from_be_bytes(*length));
    if length == 0 {
        return Ok(None);
    }
    Message::parse(rest.get(..length).ok_or(NdefError::Truncated)?).map(Some)
}

/// What the capability container says of the NDEF file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capability {
    /// The identifier of the NDEF file.
    pub file_id: u16,
    /// Its size in bytes, the length field included.
    pub size: u16,
    /// Whether it may be read without a key.
    pub read_free: bool,
    /// Whether it may be written without a key.
    pub write_free: bool,
    /// The most bytes that one read may ask for.
    pub read_at_most: u16,
    /// The most bytes that one write may carry.
    pub write_at_most: u16,
}

impl Capability {
    /// Reads a capability container (mapping version 2.x).
    ///
    /// # Errors
    /// [`NdefError::Truncated`] or [`NdefError::Length`]: not such a container.
    pub fn parse(container: &[u8]) -> Result<Self, NdefError> {
        let (length, _) = container.split_first_chunk::<2>().ok_or(NdefError::Truncated)?;
        let container = container.get(..usize::from(u16::from_be_bytes(*length))).ok_or(NdefError::Truncated)?;
        let Some((head, _)) = container.split_first_chunk::<15>() else { return Err(NdefError::Truncated) };
        let [_, _, version, read_high, read_low, write_high, write_low, tag, tag_length, id_high, id_low, size_high, size_low, read, write] =
            *head;
        if version >> 4 != 2 || tag != 0x04 || tag_length != 0x06 {
            return Err(NdefError::Length);
        }
        Ok(Self {
            file_id: u16::from_be_bytes([id_high, id_low]),
            size: u16::from_be_bytes([size_high, size_low]),
            read_free: read == 0,
            write_free: write == 0,
            read_at_most: u16::from_be_bytes([read_high, read_low]),
            write_at_most: u16::from_be_bytes([write_high, write_low]),
        })
    }
}
