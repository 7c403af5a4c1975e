//! Commands of the PMS protocol and their answers, as plain types. No I/O.
//!
//! Sources as for [frames](super::frame). What stands in brackets says how sure a fact is: T is in released clients, T- in code without a sign that it met a
//! real server, I is inferred. Not known to anybody outside: the answers of check-out and modification (an echo is assumed), and the layout of several serial
//! numbers.
use super::frame::{Frame, FrameError};
use chrono::{NaiveDate, NaiveDateTime};
use std::fmt;

/// Characters of a room's name (T).
pub const LONGEST_ROOM: usize = 24;
/// Rooms of one key (T).
pub const MOST_ROOMS: usize = 4;
/// Names that a room must not have: the answer to a read says what kind of key it saw in the place of the first room.
pub const RESERVED_ROOMS: [&str; 4] = ["LM", "LR", "LC", "LD"];

/// Symbols of the authorisations 1 to 62, in this order (T).
const SYMBOLS: &[u8; 62] = b"123456789abcdefghijklmnopqrstuvwxyz!#$%&()*+,-./:;<=>?@[\\]^_{}";

/// A right beside the rooms, by its number in the list of PMS authorisations, 1 to 62: a zone, or an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authorisation(u8);

impl Authorisation {
    /// The one of this number, 1 to 62.
    #[must_use]
    pub fn new(number: u8) -> Option<Self> {
        (1..=62).contains(&number).then_some(Self(number))
    }
    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
    fn symbol(self) -> char {
        SYMBOLS.get(usize::from(self.0) - 1).map_or(' ', |b| char::from(*b))
    }
}

/// The symbols of authorisations, in the order of their numbers.
fn symbols(of: &[Authorisation]) -> String {
    let mut sorted = of.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.into_iter().map(Authorisation::symbol).collect()
}

fn authorisations(text: &str) -> Vec<Authorisation> {
    let number = |c: char| SYMBOLS.iter().position(|s| char::from(*s) == c).and_then(|n| u8::try_from(n + 1).ok());
    text.chars().filter_map(number).filter_map(Authorisation::new).collect()
}

/// `HHMMDDMMYY`, the civil time of the server in whole minutes, in the years 2000 to 2099 (T). (The sibling protocol of another maker has eight digits.)
#[must_use]
pub fn time_text(at: NaiveDateTime) -> Option<String> {
    use chrono::Datelike;
    (2000..2100).contains(&at.year()).then(|| at.format("%H%M%d%m%y").to_string())
}

fn time(text: &str) -> Option<NaiveDateTime> {
    if text.len() != 10 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let two = |n: usize| text.get(n..n + 2).and_then(|t| t.parse::<u32>().ok());
    let date = NaiveDate::from_ymd_opt(2000 + i32::try_from(two(8)?).ok()?, two(6)?, two(4)?)?;
    date.and_hms_opt(two(0)?, two(2)?, 0)
}

/// What becomes of the card at the encoder before the answer comes (T).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The answer comes when the card was taken away: `E`.
    Await,
    /// The answer comes at once: `R`.
    Ignore,
}

impl Removal {
    const fn letter(self) -> &'static str {
        match self {
            Self::Await => "E",
            Self::Ignore => "R",
        }
    }
}

/// What a key is to its room (T).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Of a new guest, `CN`: the first use ends older guests' keys at the lock.
    New,
    /// Of the present guest, `CC`.
    Copy,
    /// For one opening, `CA`.
    OneShot,
}

impl KeyKind {
    const fn word(self) -> &'static str {
        match self {
            Self::New => "CN",
            Self::Copy => "CC",
            Self::OneShot => "CA",
        }
    }
}

/// Rooms, rights and times of a key. `Debug` leaves out the operator: it may hold a name.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyContent {
    /// The rooms, the main one first; one to four.
    pub rooms: Vec<String>,
    /// Rights that are given beside the rooms.
    pub granted: Vec<Authorisation>,
    /// Rights that are denied.
    pub denied: Vec<Authorisation>,
    /// From when on.
    pub starts: Option<NaiveDateTime>,
    /// Until when.
    pub ends: Option<NaiveDateTime>,
    /// Who made it, at most 24 characters. It is read back with the key.
    pub operator: String,
}

impl fmt::Debug for KeyContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyContent")
            .field("rooms", &self.rooms)
            .field("starts", &self.starts)
            .field("ends", &self.ends)
            .finish_non_exhaustive()
    }
}

/// Which record of a door's audit trail (T).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// The first: `WF`.
    First,
    /// The next: `WN`.
    Next,
    /// The same again: `WR`.
    Again,
}

/// A command. `Debug` leaves out phone numbers and texts.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Write a key: `CN`, `CC`, `CA` (T).
    Key {
        /// What it is to its room.
        kind: KeyKind,
        /// The encoder's name.
        encoder: String,
        /// When the answer comes; none: the field stays empty.
        removal: Option<Removal>,
        /// What is written.
        content: KeyContent,
        /// Tell the serial number of the card.
        serial: bool,
    },
    /// Push a key to the vendor's app on a phone: `CNM`, `CCM` (T, its answer T-).
    MobileKey {
        /// Of a new guest; else of the present one.
        is_new: bool,
        /// The phone in E.164, with its plus.
        phone: String,
        /// What the key opens.
        content: KeyContent,
        /// Shown on the phone, at most 256 characters.
        text: String,
    },
    /// Make a key for an app of one's own: `CNMB`, `CCMB` (T).
    MobileKeyBytes {
        /// Of a new guest; else of the present one.
        is_new: bool,
        /// The phone; may be empty.
        phone: String,
        /// What the key opens.
        content: KeyContent,
        /// Tell the installation's id, too.
        installation: bool,
    },
    /// Extend or move a guest: `MC` (T-). Fails when the room is free.
    Modify {
        /// The room.
        room: String,
        /// The new room.
        to: Option<String>,
        /// The new end.
        ends: NaiveDateTime,
    },
    /// Check a room out: `CO` (T). It updates the list of guests; keys open until their end or the next guest's key.
    CheckOut {
        /// The room.
        room: String,
    },
    /// Read a key: `LT` (T).
    ReadKey {
        /// The encoder's name.
        encoder: String,
        /// When the answer comes.
        removal: Removal,
    },
    /// Read the text of track 1, 2 or 3: `L1` .. (T).
    ReadTrack {
        /// 1 to 3.
        track: u8,
        /// The encoder's name.
        encoder: String,
        /// When the answer comes.
        removal: Removal,
    },
    /// Write the text of track 1, 2 or 3: `P1` .. (T).
    WriteTrack {
        /// 1 to 3.
        track: u8,
        /// The encoder's name.
        encoder: String,
        /// When the answer comes.
        removal: Removal,
        /// The text.
        text: String,
    },
    /// Read a record of a door's audit trail (T).
    Audit {
        /// Which.
        walk: Walk,
        /// The door.
        door: String,
    },
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Command").field(&self.word()).finish()
    }
}

fn rooms4(rooms: &[String]) -> impl Iterator<Item = String> {
    (0..MOST_ROOMS).map(|n| rooms.get(n).cloned().unwrap_or_default())
}

fn times(content: &KeyContent) -> [String; 2] {
    [content.starts, content.ends].map(|at| at.and_then(time_text).unwrap_or_default())
}

impl Command {
    /// The command word.
    #[must_use]
    pub fn word(&self) -> String {
        let or = |is_new: bool, new: &str, copy: &str| if is_new { new.to_owned() } else { copy.to_owned() };
        match self {
            Self::Key { kind, .. } => kind.word().to_owned(),
            Self::MobileKey { is_new, .. } => or(*is_new, "CNM", "CCM"),
            Self::MobileKeyBytes { is_new, .. } => or(*is_new, "CNMB", "CCMB"),
            Self::Modify { .. } => "MC".to_owned(),
            Self::CheckOut { .. } => "CO".to_owned(),
            Self::ReadKey { .. } => "LT".to_owned(),
            Self::ReadTrack { track, .. } => format!("L{track}"),
            Self::WriteTrack { track, .. } => format!("P{track}"),
            Self::Audit { walk, .. } => match walk {
                Walk::First => "WF".to_owned(),
                Walk::Next => "WN".to_owned(),
                Walk::Again => "WR".to_owned(),
            },
        }
    }

    /// What the answer repeats after the command word: the encoder, the phone, the room, the door.
    fn subject(&self) -> &str {
        match self {
            Self::Key { encoder, .. }
            | Self::ReadKey { encoder, .. }
            | Self::ReadTrack { encoder, .. }
            | Self::WriteTrack { encoder, .. } => encoder,
            Self::MobileKey { phone, .. } | Self::MobileKeyBytes { phone, .. } => phone,
            Self::Modify { room, .. } => room,
            Self::CheckOut { .. } => "0",
            Self::Audit { door, .. } => door,
        }
    }

    /// Whether it may change something: a key, the list of guests.
    #[must_use]
    pub const fn changes(&self) -> bool {
        !matches!(self, Self::ReadKey { .. } | Self::ReadTrack { .. } | Self::Audit { .. })
    }

    /// As it is sent. Empty fields at the end are left out, as one of the clients does.
    ///
    /// # Errors
    /// A field has a character that cannot be sent.
    pub fn frame(&self) -> Result<Frame, FrameError> {
        let mut fields = vec![self.word(), self.subject().to_owned()];
        match self {
            Self::Key { removal, content, serial, .. } => {
                fields.push(removal.map_or("", Removal::letter).to_owned());
                fields.extend(rooms4(&content.rooms));
                fields.extend([symbols(&content.granted), symbols(&content.denied)]);
                fields.extend(times(content));
                fields.push(content.operator.clone());
                fields.extend([String::new(), String::new(), String::new()]);
                fields.push(if *serial { "2" } else { "" }.to_owned());
            }
            Self::MobileKey { content, text, .. } => {
                fields.extend(mobile(content));
                fields.push(text.clone());
            }
            Self::MobileKeyBytes { content, installation, .. } => {
                fields.extend(mobile(content));
                fields.push(if *installation { "1" } else { "0" }.to_owned());
            }
            Self::Modify { to, ends, .. } => {
                fields.extend([to.clone().unwrap_or_default(), time_text(*ends).unwrap_or_default()]);
            }
            Self::CheckOut { room } => fields.push(room.clone()),
            Self::ReadKey { removal, .. } | Self::ReadTrack { removal, .. } => fields.push(removal.letter().to_owned()),
            Self::WriteTrack { removal, text, .. } => fields.extend([removal.letter().to_owned(), text.clone()]),
            Self::Audit { .. } => {}
        }
        while fields.last().is_some_and(String::is_empty) {
            fields.pop();
        }
        Frame::new(fields)
    }

    /// What the answer says.
    ///
    /// # Errors
    /// An error code, an answer to something else, or one that cannot be understood.
    pub fn answer(&self, frame: &Frame) -> Result<Answer, NoAnswer> {
        let word = frame.command();
        let end_of_trail = matches!(self, Self::Audit { .. }) && word == "WO";
        if end_of_trail {
            return Ok(Answer::EndOfTrail);
        }
        let echo = match self {
            Self::Audit { .. } => matches!(word, "WF" | "WN" | "WR"),
            _ => word == self.word(),
        };
        if !echo {
            return Err(NoAnswer::from_code(frame));
        }
        if frame.field(1) != self.subject() {
            return Err(NoAnswer::Stranger);
        }
        let text = |n: usize| Some(frame.field(n).to_owned()).filter(|t| !t.is_empty());
        Ok(match self {
            Self::Key { .. } => Answer::Written { serial: text(2) },
            Self::MobileKeyBytes { .. } => Answer::KeyBytes { key: frame.field(2).to_owned(), installation: text(3) },
            Self::ReadTrack { .. } => Answer::Track(frame.field(2).to_owned()),
            Self::ReadKey { .. } => Answer::Key(read_key(frame)?),
            Self::Audit { .. } => Answer::Record(Record::parse(frame).ok_or(NoAnswer::Garbled)?),
            _ => Answer::Done,
        })
    }
}

fn mobile(content: &KeyContent) -> Vec<String> {
    let mut fields: Vec<String> = rooms4(&content.rooms).collect();
    fields.extend([symbols(&content.granted), symbols(&content.denied)]);
    fields.extend(times(content));
    fields.push(content.operator.clone());
    fields.extend([String::new(), String::new(), String::new()]);
    fields
}

/// What came instead of an answer.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoAnswer {
    /// An error code, as it came, and the text that may go with it.
    Code {
        /// The code: two capital letters.
        code: String,
        /// Free text of the system, with the code `EG`.
        text: String,
    },
    /// The answer to something that was not asked here.
    Stranger,
    /// Fields that do not fit.
    Garbled,
}

impl fmt::Debug for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code { code, .. } => write!(f, "Code({code})"),
            Self::Stranger => f.write_str("Stranger"),
            Self::Garbled => f.write_str("Garbled"),
        }
    }
}

/// The codes that are documented (T; EV in one client only). A word of the protocol that was not asked for is no error code.
pub const CODES: [&str; 14] = ["ES", "NC", "NF", "OV", "EP", "EF", "TD", "ED", "EA", "OS", "EO", "EV", "EG", "WE"];

impl NoAnswer {
    fn from_code(frame: &Frame) -> Self {
        let code = frame.command();
        let known =
            ["CN", "CC", "CA", "CO", "MC", "LT", "CNM", "CCM", "CNMB", "CCMB", "WF", "WN", "WR", "WO", "L1", "L2", "L3", "P1", "P2", "P3"];
        let has_shape = code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
        if known.contains(&code) {
            Self::Stranger
        } else if has_shape {
            Self::Code { code: code.to_owned(), text: if code == "EG" { frame.field(2).to_owned() } else { String::new() } }
        } else {
            Self::Garbled
        }
    }
}

/// An answer. `Debug` leaves out serial numbers, keys and texts.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// A key was written.
    Written {
        /// The card's serial number in hexadecimal, where it was asked for.
        serial: Option<String>,
    },
    /// A key for an app.
    KeyBytes {
        /// In hexadecimal.
        key: String,
        /// The installation's id, where it was asked for.
        installation: Option<String>,
    },
    /// A key was read.
    Key(KeyRead),
    /// The text of a track.
    Track(String),
    /// A record of an audit trail.
    Record(Record),
    /// The trail has no further record.
    EndOfTrail,
    /// It was done.
    Done,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Written { .. } => "Written",
            Self::KeyBytes { .. } => "KeyBytes",
            Self::Key(_) => "Key",
            Self::Track(_) => "Track",
            Self::Record(_) => "Record",
            Self::EndOfTrail => "EndOfTrail",
            Self::Done => "Done",
        })
    }
}

/// The serial number of a card in capitals, if it is one: hexadecimal, at most 16 bytes.
#[must_use]
pub fn serial_number(text: &str) -> Option<String> {
    let is_one = (2..=32).contains(&text.len()) && text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_one.then(|| text.to_ascii_uppercase())
}

/// What lies on the encoder (T).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyRead {
    /// A staff key: `LM`.
    Staff,
    /// A spare guest key: `LR`.
    Spare,
    /// A guest's key that is no longer valid: `LC`.
    NotValid,
    /// Of another site, or none: `LD`.
    Unidentified,
    /// A guest's key.
    Guest {
        /// What stands on it.
        content: KeyContent,
        /// Valid for its main room; else that is checked out.
        checked_in: bool,
        /// 0 the original, 1, 2, I a later copy, A for one opening; as it came.
        copy: String,
    },
}

fn read_key(frame: &Frame) -> Result<KeyRead, NoAnswer> {
    let rooms: Vec<String> = (2..2 + MOST_ROOMS).map(|n| frame.field(n).to_owned()).filter(|r| !r.is_empty()).collect();
    let checked_in = match (frame.field(2), frame.field(6)) {
        ("LM", _) => return Ok(KeyRead::Staff),
        ("LR", _) => return Ok(KeyRead::Spare),
        ("LC", _) => return Ok(KeyRead::NotValid),
        ("LD", _) => return Ok(KeyRead::Unidentified),
        (_, "CI") => true,
        (_, "CO") => false,
        _ => return Err(NoAnswer::Garbled),
    };
    if rooms.is_empty() {
        return Err(NoAnswer::Garbled);
    }
    let content = KeyContent {
        rooms,
        granted: authorisations(frame.field(8)),
        denied: Vec::new(),
        starts: time(frame.field(9)),
        ends: time(frame.field(10)),
        operator: frame.field(11).to_owned(),
    };
    Ok(KeyRead::Guest { content, checked_in, copy: frame.field(7).to_owned() })
}

/// A record of a door's audit trail (T). There is no year in it, and whether the day or the month comes first is a setting of the server.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// Two numbers with a stroke: day and month, or month and day.
    pub date: (u32, u32),
    /// Hour and minute.
    pub time: (u32, u32),
    /// 0 opened, 2 invalid, 3 denied, 4 expired, 5 anti-passback; others as they came.
    pub incident: String,
    /// Coming in; else going out.
    pub inwards: bool,
    /// The room of a guest, `STAFF`, or blanks.
    pub who: String,
    /// Which copy, as it came.
    pub copy: String,
    /// The name of the member of staff.
    pub user: String,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("date", &self.date)
            .field("time", &self.time)
            .field("incident", &self.incident)
            .finish_non_exhaustive()
    }
}

impl Record {
    fn parse(frame: &Frame) -> Option<Self> {
        let pair = |text: &str, by: char| {
            let (a, b) = text.trim().split_once(by)?;
            Some((a.parse().ok()?, b.parse().ok()?))
        };
        let trimmed = |n: usize| frame.field(n).trim().to_owned();
        Some(Self {
            date: pair(frame.field(2), '/')?,
            time: pair(frame.field(3), ':')?,
            incident: trimmed(4),
            inwards: frame.field(5).trim() == "I",
            who: trimmed(6),
            copy: trimmed(7),
            user: trimmed(8),
        })
    }
}
