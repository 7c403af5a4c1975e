//! SHIP's requests and answers as plain types, and the STP frames around them. No I/O.
//!
//! Sources: recorded answers in a building-management product's driver, notes taken from a live server, and clients that ran on hardware. The vendor gives its
//! specification under an agreement only; nothing here comes from it. The requests of the hotel part, of reservations and of cancelling a key are not
//! public, and so not here.
use super::xml::{Node, XmlError};
use crate::net::LONGEST_ANSWER;
use bytes::{Buf, BytesMut};
use chrono::{Days, NaiveDate, NaiveDateTime};
use std::fmt;
use std::io;
use tokio_util::codec::{Decoder, Encoder};

/// The media type of SHIP over HTTP.
pub const MEDIA_TYPE: &str = "application/vnd.saltosystems.ship.v1+xml";
/// The header of custom authentication.
pub const KEY_HEADER: &str = "Salto-SHIP-Key";
/// Characters of an external id, by the table of the vendor's import.
pub const LONGEST_ID: usize = 32;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    name: &'static str,
    params: Vec<Node>,
}

impl Request {
    /// A request without parameters.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, params: Vec::new() }
    }
    /// With a parameter.
    #[must_use]
    pub fn with(mut self, name: &str, text: impl Into<String>) -> Self {
        self.params.push(Node { text: text.into(), ..Node::new(name) });
        self
    }
    /// With a parameter.
    #[must_use]
    pub fn with_node(mut self, node: Node) -> Self {
        self.params.push(node);
        self
    }
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
    /// Whether it changes nothing at the system.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        self.name == "GetInfo" || self.name.ends_with(".Read") || self.name.ends_with("StatusList")
    }

    /// As it is sent.
    #[must_use]
    pub fn document(&self) -> String {
        let mut call = Node::new("RequestCall").with("RequestName", self.name);
        if !self.params.is_empty() {
            let mut params = Node::new("Params");
            params.children.clone_from(&self.params);
            call = call.with_node(params);
        }
        call.document()
    }

    /// What an answer says.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn answer(&self, document: &str) -> Result<Node, NoAnswer> {
        let mut root = Node::parse(document).map_err(NoAnswer::Xml)?;
        if root.name != "RequestResponse" {
            return Err(NoAnswer::Strange);
        }
        if root.text_of("RequestName") != self.name {
            return Err(NoAnswer::Stranger);
        }
        if let Some(exception) = root.child("Exception") {
            let code = exception.text_of("Code").parse().map_err(|_| NoAnswer::Strange)?;
            return Err(NoAnswer::Exception { code, message: exception.text_of("Message").to_owned() });
        }
        let params = root.children.iter().position(|c| c.name == "Params");
        Ok(params.map(|n| root.children.swap_remove(n)).unwrap_or_default())
    }
}

/// What came instead of an answer.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoAnswer {
    /// The system declines.
    Exception {
        /// Its code.
        code: u32,
        /// Its text.
        message: String,
    },
    /// The answer to something else.
    Stranger,
    /// XML that is no answer.
    Strange,
    /// No XML.
    Xml(XmlError),
}

impl fmt::Debug for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exception { code, .. } => write!(f, "Exception({code})"),
            Self::Stranger => f.write_str("Stranger"),
            Self::Strange => f.write_str("Strange"),
            Self::Xml(e) => write!(f, "Xml({e:?})"),
        }
    }
}

/// A civil time of the server.
#[must_use]
pub fn time_text(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// A civil time as the server writes it: an end of a day is `T24:00:00`, months and days may lack their zero. `None` also for the dates that mean none
/// (1900-01-01 and 2000-01-01, at midnight).
#[must_use]
pub fn time(text: &str) -> Option<NaiveDateTime> {
    let (date, time) = text.split_once('T')?;
    let mut parts = date.splitn(3, '-').map(str::parse::<u32>);
    let mut next = || parts.next()?.ok();
    let (year, month, day) = (next()?, next()?, next()?);
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let mut parts = time.splitn(3, ':').map(str::parse::<u32>);
    let mut next = || parts.next()?.ok();
    let (hour, minute, second) = (next()?, next()?, next()?);
    let at = match (hour, minute, second) {
        (24, 0, 0) => date.checked_add_days(Days::new(1))?.and_hms_opt(0, 0, 0)?,
        _ => date.and_hms_opt(hour, minute, second)?,
    };
    let none = [1900, 2000].map(|y| NaiveDate::from_ymd_opt(y, 1, 1).and_then(|d| d.and_hms_opt(0, 0, 0)));
    (!none.contains(&Some(at))).then_some(at)
}

/// STP: `STP/00/<bytes>/<xml>`, both ways. Other clients send wrong lengths; this one counts bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct StpCodec;

/// The longest head of a frame: `STP/00/` and eight digits and a stroke.
const LONGEST_HEAD: usize = 16;

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

impl Decoder for StpCodec {
    type Item = String;
    type Error = io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<String>, io::Error> {
        const PREFIX: &[u8] = b"STP/00/";
        let known = bytes.len().min(PREFIX.len());
        if bytes.get(..known) != PREFIX.get(..known) {
            return Err(broken("no STP"));
        }
        let Some(stroke) = bytes.iter().skip(PREFIX.len()).position(|b| *b == b'/').map(|n| n + PREFIX.len()) else {
            return if bytes.len() > LONGEST_HEAD { Err(broken("no length")) } else { Ok(None) };
        };
        let digits = bytes.get(PREFIX.len()..stroke).unwrap_or_default();
        let right = (1..=8).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
        let length =
            std::str::from_utf8(digits).ok().and_then(|t| t.parse::<usize>().ok()).filter(|n| right && *n <= LONGEST_ANSWER - LONGEST_HEAD);
        let length = length.ok_or_else(|| broken("no length that is possible"))?;
        if bytes.len() < stroke + 1 + length {
            return Ok(None);
        }
        bytes.advance(stroke + 1);
        let body = bytes.split_to(length);
        String::from_utf8(body.to_vec()).map(Some).map_err(|_| broken("no UTF-8"))
    }
}

impl Encoder<&str> for StpCodec {
    type Error = io::Error;

    fn encode(&mut self, document: &str, bytes: &mut BytesMut) -> Result<(), io::Error> {
        bytes.extend_from_slice(format!("STP/00/{}/", document.len()).as_bytes());
        bytes.extend_from_slice(document.as_bytes());
        Ok(())
    }
}
