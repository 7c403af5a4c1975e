//! Frames of the PMS protocol, byte for byte. No I/O.
//!
//! Sources: two released clients of this protocol that agree with each other (a Ruby gem of a hotel-software maker, a PHP library that names the vendor's
//! document). Both probably restate the same document; nothing here was tried at a server of the vendor.
//!
//! A frame is `STX | field0 | field1 .. | fieldN | ETX LRC` where `|` is the byte B3. The LRC is the exclusive or of all bytes after STX up to and including
//! ETX. A sender who puts 0D there asks for it not to be checked. Outside of frames three bytes are messages of their own: ENQ, ACK, NAK.
use bytes::{Buf, BufMut, BytesMut};
use std::fmt;
use std::io;
use tokio_util::codec::{Decoder, Encoder};

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const ENQ: u8 = 0x05;
const ACK: u8 = 0x06;
const NAK: u8 = 0x15;
/// Stands before, between and after the fields.
const SEPARATOR: u8 = 0xB3;
/// In place of an LRC: do not check.
const SKIP: u8 = 0x0D;

/// The longest frame that is taken, in bytes. The longest request that is known has about 600.
pub const LONGEST_FRAME: usize = 8192;

/// What goes over the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Are you ready?
    Enq,
    /// Ready; or: the frame was taken.
    Ack,
    /// Not ready; or: the frame was not taken.
    Nak,
    /// Fields.
    Frame(Frame),
    /// A frame whose LRC is wrong, that has no fields, or that broke off where another began.
    Damaged,
}

/// The fields of a frame, the command word first. `Debug` shows the command word only: fields may hold a phone number, a serial number or a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame(Vec<String>);

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({}, {} fields)", self.command(), self.0.len())
    }
}

/// What cannot be a frame.
#[derive(Debug)]
#[non_exhaustive]
pub enum FrameError {
    /// A field has a character that cannot be sent: the code page of the server is not known, so only printable ASCII goes out.
    Character,
    /// There is no command word, or it is too long for a frame.
    Length,
    /// The connection ended within a frame.
    Io(io::Error),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character => f.write_str("a field has a character that is not printable ASCII"),
            Self::Length => f.write_str("the frame is empty or too long"),
            Self::Io(e) => write!(f, "{}", e.kind()),
        }
    }
}
impl std::error::Error for FrameError {}
impl From<io::Error> for FrameError {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

impl Frame {
    /// A frame to be sent.
    ///
    /// # Errors
    /// [`FrameError::Character`] for anything but printable ASCII, [`FrameError::Length`] when there is no command word or too much.
    pub fn new<S: Into<String>>(fields: impl IntoIterator<Item = S>) -> Result<Self, FrameError> {
        let fields: Vec<String> = fields.into_iter().map(Into::into).collect();
        if !fields.iter().flat_map(|f| f.bytes()).all(|b| (0x20..0x7F).contains(&b)) {
            return Err(FrameError::Character);
        }
        let length = 4 + fields.iter().map(|f| f.len() + 1).sum::<usize>();
        if fields.first().is_none_or(String::is_empty) || length > LONGEST_FRAME {
            return Err(FrameError::Length);
        }
        Ok(Self(fields))
    }
    /// The command word.
    #[must_use]
    pub fn command(&self) -> &str {
        self.field(0)
    }
    /// A field by its number, counted from 0, the command word. Fields that were not sent are empty: senders may leave out those at the end.
    #[must_use]
    pub fn field(&self, n: usize) -> &str {
        self.0.get(n).map_or("", String::as_str)
    }
    /// All fields.
    #[must_use]
    pub fn fields(&self) -> &[String] {
        &self.0
    }
}

/// Cuts bytes into messages, and writes them.
#[derive(Clone, Copy, Debug, Default)]
pub struct FrameCodec {
    /// Send 0D in place of the LRC.
    pub skip_lrc: bool,
}

/// The LRC of what stands between STX and the LRC.
fn lrc(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}

impl Decoder for FrameCodec {
    type Item = Message;
    type Error = FrameError;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Message>, FrameError> {
        // Whatever else stands outside of a frame means nothing.
        let Some(start) = bytes.iter().position(|b| matches!(*b, STX | ENQ | ACK | NAK)) else {
            bytes.clear();
            return Ok(None);
        };
        bytes.advance(start);
        let single = match bytes.first() {
            Some(&ENQ) => Message::Enq,
            Some(&ACK) => Message::Ack,
            Some(&NAK) => Message::Nak,
            _ => return frame(bytes),
        };
        bytes.advance(1);
        Ok(Some(single))
    }
}

/// A frame, from its STX on.
fn frame(bytes: &mut BytesMut) -> Result<Option<Message>, FrameError> {
    let end = bytes.iter().skip(1).position(|b| matches!(*b, STX | ETX)).map(|n| n + 1);
    let Some(end) = end.filter(|end| *end < LONGEST_FRAME) else {
        return if bytes.len() > LONGEST_FRAME { Err(FrameError::Length) } else { Ok(None) };
    };
    if bytes.get(end) == Some(&STX) {
        bytes.advance(end);
        return Ok(Some(Message::Damaged));
    }
    // Exactly one byte follows, of whatever value.
    let Some(&check) = bytes.get(end + 1) else { return Ok(None) };
    let whole = bytes.split_to(end + 2);
    let right = check == SKIP || check == whole.get(1..=end).map_or(0, lrc);
    let body = whole.get(1..end).unwrap_or_default();
    let inner = body.strip_prefix(&[SEPARATOR]).and_then(|b| b.strip_suffix(&[SEPARATOR]));
    let (true, Some(inner)) = (right, inner) else { return Ok(Some(Message::Damaged)) };
    // One byte, one character: what is no ASCII survives, whatever its code page.
    let fields = inner.split(|b| *b == SEPARATOR).map(|f| f.iter().map(|b| char::from(*b)).collect()).collect();
    Ok(Some(Message::Frame(Frame(fields))))
}

impl Encoder<&Message> for FrameCodec {
    type Error = FrameError;

    fn encode(&mut self, message: &Message, bytes: &mut BytesMut) -> Result<(), FrameError> {
        match message {
            Message::Enq => bytes.put_u8(ENQ),
            Message::Ack => bytes.put_u8(ACK),
            Message::Nak => bytes.put_u8(NAK),
            Message::Damaged => return Err(FrameError::Length),
            Message::Frame(frame) => {
                let begin = bytes.len();
                bytes.put_u8(STX);
                for field in &frame.0 {
                    bytes.put_u8(SEPARATOR);
                    for c in field.chars() {
                        bytes.put_u8(u8::try_from(u32::from(c)).map_err(|_| FrameError::Character)?);
                    }
                }
                bytes.put_slice(&[SEPARATOR, ETX]);
                let check = if self.skip_lrc { SKIP } else { lrc(bytes.get(begin + 1..).unwrap_or_default()) };
                bytes.put_u8(check);
            }
        }
        Ok(())
    }
}
