//! Frames of the L2CAP channel: `protocol ‖ id ‖ length (2, big endian) ‖ payload`.

use crate::aliro::AliroError;
use crate::aliro::channel::Channel;
use crate::bytes::{Bytes, Full, Writer, be16};
use crate::crypto::{Crypto, TAG};

/// Bytes before the payload.
pub const HEADER: usize = 4;

/// What a message belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// 0: commands and their answers, never encrypted by BLE keys.
    AccessProtocol,
    /// 1: UWB ranging.
    Ranging,
    /// 2: notifications.
    Notification,
    /// 3: time synchronisation.
    Supplementary,
    /// 4: for an app of somebody else.
    ThirdParty,
}

const PROTOCOLS: [Protocol; 5] =
    [Protocol::AccessProtocol, Protocol::Ranging, Protocol::Notification, Protocol::Supplementary, Protocol::ThirdParty];

impl Protocol {
    fn byte(self) -> u8 {
        PROTOCOLS.iter().position(|protocol| *protocol == self).map_or(0, |place| place as u8)
    }
}

/// Ids of [`Protocol::AccessProtocol`].
pub mod access_protocol {
    /// A command.
    pub const REQUEST: u8 = 0;
    /// Its answer.
    pub const RESPONSE: u8 = 1;
}

/// One message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it belongs to.
    pub protocol: Protocol,
    /// Which one of that.
    pub id: u8,
    /// At most 65 535 bytes.
    pub payload: &'a [u8],
}

impl core::fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Message({:?} {}, {} bytes)", self.protocol, self.id, self.payload.len())
    }
}

impl<'a> Message<'a> {
    /// A command on its way to the phone.
    pub const fn request(command: &'a [u8]) -> Self {
        Self { protocol: Protocol::AccessProtocol, id: access_protocol::REQUEST, payload: command }
    }

    /// An answer on its way to the lock.
    pub const fn response(answer: &'a [u8]) -> Self {
        Self { protocol: Protocol::AccessProtocol, id: access_protocol::RESPONSE, payload: answer }
    }

    /// Reads exactly one message.
    ///
    /// # Errors
    /// [`AliroError::Short`] when the length does not fit the bytes, [`AliroError::Value`] for an unknown protocol.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, AliroError> {
        let ([protocol, id, a, b], payload) = bytes.split_first_chunk().ok_or(AliroError::Short)?;
        let protocol = *PROTOCOLS.get(usize::from(*protocol)).ok_or(AliroError::Value)?;
        if payload.len() == be16([*a, *b]) { Ok(Self { protocol, id: *id, payload }) } else { Err(AliroError::Short) }
    }

    /// The payload, when it is this message.
    ///
    /// # Errors
    /// [`AliroError::OutOfOrder`] when it is another one.
    pub fn expect(&self, protocol: Protocol, id: u8) -> Result<&'a [u8], AliroError> {
        if (self.protocol, self.id) == (protocol, id) { Ok(self.payload) } else { Err(AliroError::OutOfOrder) }
    }

    /// Writes it in the clear.
    ///
    /// # Errors
    /// [`Full`].
    pub fn write(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        out.put(&header(self.protocol, self.id, self.payload.len())?)?;
        out.put(self.payload)
    }

    /// Writes it encrypted.
    ///
    /// # Errors
    /// [`AliroError::Full`], [`AliroError::ChannelClosed`]; [`AliroError::OutOfOrder`] for a command, which has its own encryption.
    pub fn write_sealed<C: Crypto>(&self, channel: &mut Channel, crypto: &C, out: &mut Writer<'_>) -> Result<(), AliroError> {
        if self.protocol == Protocol::AccessProtocol {
            return Err(AliroError::OutOfOrder);
        }
        let associated = header(self.protocol, self.id, self.payload.len())?;
        if out.remaining() < HEADER + self.payload.len() + TAG {
            return Err(AliroError::Full);
        }
        out.put(&header(self.protocol, self.id, self.payload.len() + TAG)?)?;
        let start = out.len();
        out.put(self.payload)?;
        let tag = channel.seal(crypto, &associated, &mut out.as_mut_slice()[start..])?;
        Ok(out.put(&tag)?)
    }

    /// Reads an encrypted message, decrypted in place.
    ///
    /// # Errors
    /// As [`Message::parse`]; [`AliroError::OutOfOrder`] for a command, [`AliroError::Crypto`], which closes the channel.
    pub fn open<C: Crypto>(bytes: &'a mut [u8], channel: &mut Channel, crypto: &C) -> Result<Self, AliroError> {
        let Message { protocol, id, payload } = Message::parse(bytes)?;
        if protocol == Protocol::AccessProtocol {
            return Err(AliroError::OutOfOrder);
        }
        let associated = header(protocol, id, payload.len().checked_sub(TAG).ok_or(AliroError::Short)?)?;
        let payload = channel.open(crypto, &associated, &mut bytes[HEADER..])?;
        Ok(Self { protocol, id, payload })
    }
}

fn header(protocol: Protocol, id: u8, length: usize) -> Result<[u8; HEADER], Full> {
    let [high, low] = u16::try_from(length).map_err(|_| Full)?.to_be_bytes();
    Ok([protocol.byte(), id, high, low])
}

/// Puts messages together out of what the channel delivers: a message may come in several pieces, and several in one.
#[derive(Debug)]
pub struct Inbox<const N: usize> {
    held: Bytes<N>,
    /// The message given out last.
    given: usize,
}

impl<const N: usize> Inbox<N> {
    /// Nothing held.
    pub const fn new() -> Self {
        Self { held: Bytes::new(), given: 0 }
    }

    /// Takes what the channel delivered. An empty piece changes nothing.
    ///
    /// # Errors
    /// [`AliroError::Full`] when more is held than `N` bytes: whoever sends that shall be disconnected.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), AliroError> {
        self.drop_given();
        Ok(self.held.put(piece)?)
    }

    /// The next whole message, or none until more is delivered.
    ///
    /// # Errors
    /// [`AliroError::Full`] when the one that has begun is longer than `N` bytes, before they are waited for; [`AliroError::Value`] when it
    /// belongs to no protocol.
    #[expect(clippy::should_implement_trait, reason = "what it gives borrows from the inbox")]
    pub fn next(&mut self) -> Result<Option<&mut [u8]>, AliroError> {
        self.drop_given();
        let Some(&[protocol, _, a, b]) = self.held.first_chunk::<HEADER>() else { return Ok(None) };
        if usize::from(protocol) >= PROTOCOLS.len() {
            return Err(AliroError::Value);
        }
        let length = HEADER + be16([a, b]);
        if length > N {
            return Err(AliroError::Full);
        }
        if self.held.len() < length {
            return Ok(None);
        }
        self.given = length;
        Ok(Some(&mut self.held.as_mut_slice()[..length]))
    }

    fn drop_given(&mut self) {
        if self.given > 0 {
            let left = self.held.len() - self.given;
            self.held.as_mut_slice().copy_within(core::mem::take(&mut self.given).., 0);
            self.held.truncate(left);
        }
    }

    /// Whether a message has begun and not ended.
    pub fn is_waiting(&self) -> bool {
        self.held.len() > self.given
    }
}

impl<const N: usize> Default for Inbox<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn whole(inbox: &mut Inbox<64>) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        while let Some(message) = inbox.next().unwrap() {
            messages.push(message.to_vec());
        }
        messages
    }

    #[test]
    fn messages_come_whole_however_they_are_cut() {
        let messages = [&[0, 0, 0, 2, 7, 8][..], &[2, 5, 0, 0], &[0, 1, 0, 3, 1, 2, 3]];
        let stream = messages.concat();
        for cut in 0..=stream.len() {
            for other in cut..=stream.len() {
                let mut inbox = Inbox::<64>::new();
                let mut seen = Vec::new();
                for piece in [&stream[..cut], &stream[cut..other], &stream[other..]] {
                    inbox.push(piece).unwrap();
                    seen.extend(whole(&mut inbox));
                }
                assert_eq!(seen, messages, "{cut} {other}");
                assert!(!inbox.is_waiting());
            }
        }
    }

    #[test]
    fn a_message_longer_than_the_inbox_is_refused_at_its_header() {
        let mut inbox = Inbox::<64>::new();
        inbox.push(&[0, 0, 0, 61]).unwrap();
        assert_eq!(inbox.next(), Err(AliroError::Full));
        let mut inbox = Inbox::<64>::new();
        inbox.push(&[0, 0, 0, 60]).unwrap();
        assert_eq!(inbox.next(), Ok(None));
        assert!(inbox.is_waiting());
        assert_eq!(inbox.push(&[1; 61]), Err(AliroError::Full));
    }

    #[test]
    fn a_message_of_no_protocol_is_refused() {
        let mut inbox = Inbox::<64>::new();
        inbox.push(&[5, 0, 0, 0]).unwrap();
        assert_eq!(inbox.next(), Err(AliroError::Value));
        assert_eq!(Message::parse(&[5, 0, 0, 0]), Err(AliroError::Value));
        assert_eq!(Message::parse(&[0, 0, 0, 1]), Err(AliroError::Short));
        assert_eq!(Message::parse(&[0, 0, 0, 0, 9]), Err(AliroError::Short));
    }

    proptest::proptest! {
        #[test]
        fn no_pieces_make_it_panic(pieces: Vec<Vec<u8>>) {
            let mut inbox = Inbox::<64>::new();
            for piece in pieces {
                let _ = inbox.push(&piece);
                while let Ok(Some(message)) = inbox.next() {
                    Message::parse(message).unwrap();
                }
            }
        }
    }
}
