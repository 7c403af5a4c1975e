//! The PMS port: lines of tags. Source: 1 client for the form, 1 client and 1 product's documentation for the meaning.
//!
//! A line is a command, then tags of two letters with their values, each ended by `;`; CR and LF end it. How an answer ends is not documented: CR LF, LF
//! and nothing at all are taken.
use super::unsendable;
use bytes::{Buf, BytesMut};
use seam_core::provider::Failure;
use std::fmt;
use std::io;
use tokio_util::codec::{Decoder, Encoder};

/// Makes a card.
pub(in crate::visionline) const CREATE: &str = "CCA";
/// Reads a card.
pub(in crate::visionline) const READ: &str = "CCB";
/// The longest line. One client reads 1024 bytes.
pub(in crate::visionline) const LONGEST_LINE: usize = 8192;

/// A request or an answer: the command and its tags, in order. `Debug` shows no values: among them are names and a password.
#[derive(Clone, PartialEq, Eq, Default)]
pub(in crate::visionline) struct Line {
    pub(in crate::visionline) command: String,
    pub(in crate::visionline) tags: Vec<(String, String)>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags: Vec<&str> = self.tags.iter().map(|(tag, _)| tag.as_str()).collect();
        f.debug_struct("Line").field("command", &self.command).field("tags", &tags).finish()
    }
}

impl Line {
    pub(in crate::visionline) fn new(command: &str) -> Self {
        Self { command: command.to_owned(), tags: Vec::new() }
    }
    /// With a tag more.
    ///
    /// # Errors
    /// `Refused` for a value with a character that ends values or lines, or that is no printable ASCII: the character set is not documented.
    pub(in crate::visionline) fn with(mut self, tag: &str, value: impl Into<String>) -> Result<Self, Failure> {
        let value = value.into();
        if !is_sendable(&value) {
            return Err(unsendable(&format!("the value of {tag}")));
        }
        self.tags.push((tag.to_owned(), value));
        Ok(self)
    }
    pub(in crate::visionline) fn get(&self, tag: &str) -> Option<&str> {
        self.tags.iter().find(|(t, _)| t == tag).map(|(_, value)| value.as_str())
    }
    pub(in crate::visionline) fn text(&self) -> String {
        let mut text = format!("{};", self.command);
        for (tag, value) in &self.tags {
            text.push_str(tag);
            text.push_str(value);
            text.push(';');
        }
        text
    }
    /// Reads a line without its end.
    ///
    /// # Errors
    /// It is no line of this interface.
    pub(in crate::visionline) fn read(bytes: &[u8]) -> io::Result<Self> {
        let bad = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidData, what.to_owned()));
        // Values may be in any character set; tags are letters.
        let text = String::from_utf8_lossy(bytes);
        let mut parts = text.trim_end_matches([';', '\r', '\n']).split(';');
        let command = parts.next().unwrap_or_default().trim();
        if !(2..=4).contains(&command.len()) || !command.bytes().all(|b| b.is_ascii_uppercase()) {
            return bad("it does not begin with a command");
        }
        let mut line = Self::new(command);
        for part in parts {
            if part.len() < 2 || !part.bytes().take(2).all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
                return bad("a part of it begins with no tag");
            }
            let (tag, value) = part.split_at(2);
            line.tags.push((tag.to_owned(), value.to_owned()));
        }
        Ok(line)
    }
    /// The result code: the whole number after `RC`.
    pub(in crate::visionline) fn result(&self) -> Option<u32> {
        self.get("RC")?.trim().parse().ok()
    }
}

/// Whether a value can stand in a line.
pub(in crate::visionline) fn is_sendable(value: &str) -> bool {
    value.len() <= 256 && value.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b';')
}

/// A name as it can stand in a line: what is no printable ASCII becomes `?`, and it has at most so many characters.
pub(in crate::visionline) fn sendable(name: &str, longest: usize) -> String {
    let plain = |c: char| if c.is_ascii() && !c.is_ascii_control() && c != ';' { c } else { '?' };
    name.chars().take(longest).map(plain).collect::<String>().trim().to_owned()
}

/// Lines over TCP.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::visionline) struct LineCodec;

impl LineCodec {
    /// Whether what came so far may be a whole answer without an end: it has a result, and its last value is ended.
    pub(in crate::visionline) fn may_be_whole(unread: &[u8]) -> bool {
        unread.last() == Some(&b';') && unread.windows(3).any(|w| w == b";RC")
    }
}

impl Encoder<&Line> for LineCodec {
    type Error = io::Error;
    fn encode(&mut self, line: &Line, to: &mut BytesMut) -> io::Result<()> {
        to.extend_from_slice(line.text().as_bytes());
        to.extend_from_slice(b"\r\n");
        Ok(())
    }
}

impl Decoder for LineCodec {
    type Item = Line;
    type Error = io::Error;
    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Line>> {
        loop {
            // However it was cut on the way: a line that is too long is none, also when its end is there already.
            let Some(end) = bytes.iter().take(LONGEST_LINE + 1).position(|b| *b == b'\n') else {
                let too_long = bytes.len() > LONGEST_LINE;
                return if too_long { Err(io::Error::new(io::ErrorKind::InvalidData, "the line has no end")) } else { Ok(None) };
            };
            let line = bytes.split_to(end);
            bytes.advance(1);
            // An empty line between two others says nothing.
            if !line.iter().all(u8::is_ascii_whitespace) {
                return Line::read(&line).map(Some);
            }
        }
    }
    fn decode_eof(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Line>> {
        if let Some(line) = self.decode(bytes)? {
            return Ok(Some(line));
        }
        let whole = Self::may_be_whole(bytes);
        let rest = bytes.split();
        if whole { Line::read(&rest).map(Some) } else { Ok(None) }
    }
}
