//! The PMS interface over a serial line: the same text in frames, with a checksum. Source: 1 client. The digits of the checksum are in capitals
//! (inferred).
use super::pms::{LONGEST_LINE, Line};
use bytes::{Buf, BytesMut};
use std::io;
use tokio_util::codec::{Decoder, Encoder};

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const ACK: u8 = 0x06;
const NAK: u8 = 0x15;

/// What comes over the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::visionline) enum Frame {
    /// Taken.
    Ack,
    /// Not taken: its checksum was wrong.
    Nak,
    /// A line.
    Line(Line),
}

/// Frames: STX, the text, two digits of LRC, ETX.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::visionline) struct SerialCodec;

/// XOR over STX and the text.
pub(in crate::visionline) fn lrc(text: &[u8]) -> u8 {
    text.iter().fold(STX, |sum, byte| sum ^ byte)
}

impl Encoder<&Line> for SerialCodec {
    type Error = io::Error;
    fn encode(&mut self, line: &Line, to: &mut BytesMut) -> io::Result<()> {
        let text = line.text();
        to.extend_from_slice(&[STX]);
        to.extend_from_slice(text.as_bytes());
        to.extend_from_slice(format!("{:02X}", lrc(text.as_bytes())).as_bytes());
        to.extend_from_slice(&[ETX]);
        Ok(())
    }
}

impl Decoder for SerialCodec {
    type Item = Frame;
    type Error = io::Error;
    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Frame>> {
        let bad = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidData, what.to_owned()));
        match bytes.first() {
            None => Ok(None),
            Some(&ACK) => {
                bytes.advance(1);
                Ok(Some(Frame::Ack))
            }
            Some(&NAK) => {
                bytes.advance(1);
                Ok(Some(Frame::Nak))
            }
            Some(&STX) => {
                let Some(end) = bytes.iter().take(LONGEST_LINE + 1).position(|b| *b == ETX) else {
                    return if bytes.len() > LONGEST_LINE { bad("the frame has no end") } else { Ok(None) };
                };
                let frame = bytes.split_to(end + 1);
                let inner = &frame[1..end];
                let Some((text, digits)) = inner.split_at_checked(inner.len().saturating_sub(2)) else {
                    return bad("the frame is too short");
                };
                if !digits.eq_ignore_ascii_case(format!("{:02X}", lrc(text)).as_bytes()) {
                    return bad("the checksum is wrong");
                }
                Line::read(text).map(|line| Some(Frame::Line(line)))
            }
            Some(_) => bad("the frame does not begin"),
        }
    }
}
