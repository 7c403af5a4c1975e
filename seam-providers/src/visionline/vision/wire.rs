//! PMSif: packed C structs, little-endian, over TCP. The answer is the struct of the request, filled in. Source: 4 clients.
use bytes::{Buf, BufMut, BytesMut};
use chrono::NaiveDateTime;
use seam_core::provider::{Failure, Reason};
use std::fmt;
use std::io;
use tokio_util::codec::{Decoder, Encoder};

const SYNC: (u32, u32) = (0x5555_5555, 0xaaaa_aaaa);
const VERSION: u16 = 1;
const HEADER: usize = 18;
/// Fields in the data begin with this.
const RS: u8 = 0x1e;
const DATA: usize = 512;
/// Body sizes of the messages that are used here.
const REGISTER: usize = 44;
const UNREGISTER: usize = 4;
const ENCODE: usize = 565;

/// A message. `Debug` shows its kind: the rest is a licence, or names.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// 1: a licence code and a free name of the application.
    Register { licence: String, application: String, result: i32 },
    /// 2.
    Unregister { result: i32 },
    /// 4: an encoder, by its number.
    Encode(Job),
}

/// A job at an encoder. In the answer the command is the result.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Job {
    /// What is to be done (`ff`).
    pub(super) command: u8,
    /// The fields, in order.
    pub(super) fields: Vec<(u8, String)>,
    /// The encoder's number, two digits (`dd`).
    pub(super) encoder: String,
    /// The source address (`ss`).
    pub(super) source: String,
    /// Who asks: id and names.
    pub(super) operator: [String; 3],
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Register { result, .. } => f.debug_struct("Register").field("result", result).finish_non_exhaustive(),
            Self::Unregister { result } => f.debug_struct("Unregister").field("result", result).finish(),
            Self::Encode(job) => job.fmt(f),
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("command", &char::from(self.command)).field("encoder", &self.encoder).finish_non_exhaustive()
    }
}

impl Job {
    pub(super) fn field(&self, letter: u8) -> Option<&str> {
        self.fields.iter().find(|(l, _)| *l == letter).map(|(_, value)| value.as_str())
    }
}

/// A time: local time of the server, whole minutes. Source: 2 clients.
pub(super) fn time(time: NaiveDateTime) -> String {
    time.format("%Y%m%d%H%M").to_string()
}

/// Whether a value can stand in a field: the code page is not documented.
pub(super) fn is_sendable(value: &str) -> bool {
    value.len() <= 64 && value.bytes().all(|b| (0x20..0x7f).contains(&b))
}

/// The data with its fields.
///
/// # Errors
/// `Refused`: it is too long, or a value cannot stand in it.
pub(super) fn data(fields: &[(u8, String)]) -> Result<Vec<u8>, Failure> {
    let mut data = Vec::new();
    for (letter, value) in fields {
        if !is_sendable(value) {
            return Err(Failure::refused(Reason::Invalid, "a value cannot stand in a message of this interface"));
        }
        data.extend_from_slice(&[RS, *letter]);
        data.extend_from_slice(value.as_bytes());
    }
    // A zero ends it.
    if data.len() >= DATA { Err(Failure::refused(Reason::Invalid, "the fields do not fit into a message")) } else { Ok(data) }
}

/// Messages over TCP.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PmsifCodec;

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// A text, ended and filled up with zeros.
fn put_text(to: &mut BytesMut, text: &str, size: usize) -> io::Result<()> {
    if text.len() >= size || text.bytes().any(|b| b == 0) {
        return Err(bad("a text does not fit into its field"));
    }
    to.put_slice(text.as_bytes());
    to.put_bytes(0, size - text.len());
    Ok(())
}

fn take_text(from: &mut &[u8], size: usize) -> String {
    let (field, rest) = from.split_at(size.min(from.len()));
    *from = rest;
    let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

impl Encoder<&Message> for PmsifCodec {
    type Error = io::Error;
    fn encode(&mut self, message: &Message, to: &mut BytesMut) -> io::Result<()> {
        let (command, size) = match message {
            Message::Register { .. } => (1, REGISTER),
            Message::Unregister { .. } => (2, UNREGISTER),
            Message::Encode(_) => (4, ENCODE),
        };
        let mut bytes = BytesMut::with_capacity(HEADER + size);
        bytes.put_u32_le(SYNC.0);
        bytes.put_u32_le(SYNC.1);
        bytes.put_u16_le(VERSION);
        bytes.put_u32_le(command);
        bytes.put_u32_le(size as u32);
        match message {
            Message::Register { licence, application, result } => {
                put_text(&mut bytes, licence, 20)?;
                put_text(&mut bytes, application, 20)?;
                bytes.put_i32_le(*result);
            }
            Message::Unregister { result } => bytes.put_i32_le(*result),
            Message::Encode(job) => {
                bytes.put_u8(job.command);
                let data = data(&job.fields).map_err(|f| bad(&f.message))?;
                bytes.put_slice(&data);
                bytes.put_bytes(0, DATA - data.len());
                put_text(&mut bytes, &job.encoder, 3)?;
                put_text(&mut bytes, &job.source, 3)?;
                bytes.put_i32_le(0);
                for (text, size) in job.operator.iter().zip([10, 16, 16]) {
                    put_text(&mut bytes, text, size)?;
                }
            }
        }
        to.unsplit(bytes);
        Ok(())
    }
}

impl Decoder for PmsifCodec {
    type Item = Message;
    type Error = io::Error;
    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Message>> {
        let Some(mut header) = bytes.get(..HEADER) else { return Ok(None) };
        let sync = (header.get_u32_le(), header.get_u32_le());
        let (version, command, size) = (header.get_u16_le(), header.get_u32_le(), header.get_u32_le());
        if sync != SYNC || version != VERSION {
            return Err(bad("the message does not begin"));
        }
        let size = match (command, size as usize) {
            (1, REGISTER) | (2, UNREGISTER) | (4, ENCODE) => size as usize,
            _ => return Err(bad("a message of this kind and size is not known")),
        };
        if bytes.len() < HEADER + size {
            return Ok(None);
        }
        let message = bytes.split_to(HEADER + size);
        let mut body = &message[HEADER..];
        Ok(Some(match command {
            1 => {
                let (licence, application) = (take_text(&mut body, 20), take_text(&mut body, 20));
                Message::Register { licence, application, result: body.get_i32_le() }
            }
            2 => Message::Unregister { result: body.get_i32_le() },
            _ => {
                let command = body.get_u8();
                let (data, rest) = body.split_at(DATA);
                body = rest;
                let (encoder, source) = (take_text(&mut body, 3), take_text(&mut body, 3));
                body.advance(4);
                let operator = [10, 16, 16].map(|size| take_text(&mut body, size));
                Message::Encode(Job { command, fields: fields(data)?, encoder, source, operator })
            }
        }))
    }
}

fn fields(data: &[u8]) -> io::Result<Vec<(u8, String)>> {
    let end = data.iter().position(|b| *b == 0).unwrap_or(data.len());
    let mut parts = data[..end].split(|b| *b == RS);
    if parts.next().is_some_and(|before| !before.is_empty()) {
        return Err(bad("the data does not begin with a field"));
    }
    let field = |part: &[u8]| match part.split_first() {
        Some((letter, value)) => Ok((*letter, String::from_utf8_lossy(value).into_owned())),
        None => Err(bad("a field has no letter")),
    };
    parts.map(field).collect()
}
