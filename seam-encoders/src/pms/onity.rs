//! The dialect of Onity's HT22, HT24 and HT28: requests, answers and error codes.
//!
//! A key for a new guest voids the previous guest's keys at the room's lock when it is first used there; a copy joins the guest who is in. Times
//! are whole hours of the site's clock, without a zone.
use super::{Frame, FrameError, Line, LineError};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use seam_core::encoder::{CardFailure, CardProblem, CardState};
use std::fmt;
use tokio::io::{AsyncRead, AsyncWrite};

/// The port that the program listens on unless the site chose another.
pub const PORT: u16 = 6669;

/// A whole hour of the site's civil time: what the dialect can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hour(NaiveDateTime);

impl Hour {
    /// The first whole hour at or after a start: a window is never widened. `None` outside 2000 to 2099, which the two digits of a year can tell.
    #[must_use]
    pub fn of_start(at: NaiveDateTime) -> Option<Self> {
        let hour = Self::of_end(at)?;
        if hour.0 == at { Some(hour) } else { Self::of_end(at.checked_add_signed(TimeDelta::hours(1))?) }
    }
    /// The last whole hour at or before an end.
    #[must_use]
    pub fn of_end(at: NaiveDateTime) -> Option<Self> {
        use chrono::Datelike;
        let hour = at.date().and_time(NaiveTime::from_hms_opt(at.hour(), 0, 0)?);
        (2000..2100).contains(&hour.year()).then_some(Self(hour))
    }
    /// The civil time.
    #[must_use]
    pub fn at(self) -> NaiveDateTime {
        self.0
    }
    fn text(self) -> String {
        self.0.format("%H%d%m%y").to_string()
    }
    fn parse(text: &str) -> Option<Self> {
        if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let two = |at: usize| text[at..at + 2].parse::<u32>().ok();
        let date = NaiveDate::from_ymd_opt(2000 + i32::try_from(two(6)?).ok()?, two(4)?, two(2)?)?;
        Some(Self(date.and_hms_opt(two(0)?, 0, 0)?))
    }
}

/// Whose key is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// For a new guest: ends the keys of the previous one.
    NewGuest,
    /// For somebody who shares the room with the guest who is in.
    Copy,
    /// Opens once. At most four per guest.
    OneShot,
}

/// What the encoder does with the card afterwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Eject {
    /// Gives it back.
    #[default]
    Front,
    /// Keeps it for another task.
    Keep,
    /// Gives it out at its back.
    Back,
}

impl Eject {
    fn letter(self) -> &'static str {
        match self {
            Self::Front => "E",
            Self::Keep => "R",
            Self::Back => "T",
        }
    }
}

/// A key to be made. `Debug` leaves out rooms and texts.
#[derive(Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The encoder's number in the list of peripherals.
    pub encoder: u16,
    /// Whose key it is.
    pub role: Role,
    /// How many cards one request makes, 1 to 9.
    pub cards: u8,
    /// One to four rooms; the first is the main one.
    pub rooms: Vec<String>,
    /// Numbers of the authorisations that the key has (a pool, a safe), 1 to 8.
    pub granted: Vec<u8>,
    /// Numbers of the authorisations that it has not.
    pub denied: Vec<u8>,
    /// From when on; `None`: at once.
    pub starts: Option<Hour>,
    /// Until when.
    pub ends: Hour,
    /// Who makes it, for the record of the system.
    pub operator: String,
    /// What becomes of the card afterwards.
    pub eject: Eject,
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("NewKey");
        f.field("encoder", &self.encoder).field("role", &self.role).field("cards", &self.cards).field("rooms", &self.rooms.len());
        f.finish_non_exhaustive()
    }
}

impl NewKey {
    /// One card for a new guest of a room, valid until `ends`.
    #[must_use]
    pub fn new(encoder: u16, room: impl Into<String>, ends: Hour) -> Self {
        Self {
            encoder,
            role: Role::NewGuest,
            cards: 1,
            rooms: vec![room.into()],
            granted: Vec::new(),
            denied: Vec::new(),
            starts: None,
            ends,
            operator: String::new(),
            eject: Eject::default(),
        }
    }

    fn frame(&self) -> Result<Frame, OnityError> {
        let invalid = |what| Err(OnityError::Invalid(what));
        if self.rooms.is_empty() || self.rooms.len() > 4 || self.rooms.iter().any(String::is_empty) {
            return invalid("a key opens one to four named rooms");
        }
        if !(1..=9).contains(&self.cards) {
            return invalid("one request makes 1 to 9 cards");
        }
        if self.granted.iter().chain(&self.denied).any(|n| !(1..=8).contains(n)) {
            return invalid("authorisations have the numbers 1 to 8");
        }
        if self.starts.is_some_and(|starts| starts >= self.ends) {
            return invalid("a key ends after it starts");
        }
        // Answers would not tell these rooms from kinds of cards.
        if self.rooms.iter().any(|room| Unreadable::of(room).is_some()) {
            return invalid("the name of the room is a word of the protocol");
        }
        let word = match self.role {
            Role::NewGuest => "CN",
            Role::Copy => "CC",
            Role::OneShot => "CA",
        };
        let numbers = |list: &[u8]| list.iter().map(u8::to_string).collect::<String>();
        let mut fields = vec![if self.cards == 1 { word.to_owned() } else { format!("{word}{}", self.cards) }];
        fields.push(self.encoder.to_string());
        fields.push(self.eject.letter().to_owned());
        fields.extend((0..4).map(|n| self.rooms.get(n).cloned().unwrap_or_default()));
        fields.push(numbers(&self.granted));
        fields.push(numbers(&self.denied));
        fields.push(self.starts.map(Hour::text).unwrap_or_default());
        fields.push(self.ends.text());
        fields.push(self.operator.clone());
        // Texts for the ISO tracks of a magnetic stripe.
        fields.extend([String::new(), String::new()]);
        Ok(Frame::new(fields)?)
    }
}

/// A card that was read.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CardRead {
    /// A guest's key.
    Guest(GuestKey),
    /// Something else.
    Other(Unreadable),
}

impl fmt::Debug for CardRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guest(_) => f.write_str("Guest(..)"),
            Self::Other(kind) => f.debug_tuple("Other").field(kind).finish(),
        }
    }
}

/// What stands on a guest's key.
#[derive(Clone, PartialEq, Eq)]
pub struct GuestKey {
    /// The rooms, the main one first.
    pub rooms: Vec<String>,
    /// Whether it is valid for the main room; `false` after a check-out or a new guest.
    pub is_current: bool,
    /// `0` the original, `1` to `4` a copy, `I` a later one, `A` a one-shot key.
    pub copy: String,
    /// Numbers of authorisations, as sent.
    pub granted: String,
    /// From when on; `None`: no start.
    pub starts: Option<Hour>,
    /// Until when; `None`: without an end.
    pub ends: Option<Hour>,
    /// Who made it, where the system still knows.
    pub operator: String,
    /// The serial number of a contactless card, where the encoder tells it.
    pub serial: Option<String>,
}

impl fmt::Debug for GuestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuestKey").field("is_current", &self.is_current).field("copy", &self.copy).finish_non_exhaustive()
    }
}

/// A card that is no valid guest's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// A guest's key that is no longer valid (`LC`).
    InvalidGuest,
    /// A master or special card (`LM`).
    Master,
    /// A spare card for guests (`LR`).
    Spare,
    /// A diagnostic card (`LS`).
    Diagnostic,
    /// A card of another site or none at all (`LD`).
    Unknown,
}

impl Unreadable {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "LC" => Self::InvalidGuest,
            "LM" => Self::Master,
            "LR" => Self::Spare,
            "LS" => Self::Diagnostic,
            "LD" => Self::Unknown,
            _ => return None,
        })
    }
}

/// An error code of the dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// `ES`: the request is not understood.
    Syntax,
    /// `NC`: the encoder does not answer its program.
    EncoderOffline,
    /// `NF`: the program's files are missing or damaged.
    NoFiles,
    /// `OV`: the encoder has not finished an earlier task.
    Busy,
    /// `EP`: the card was offered the wrong way round, or has no track.
    Track,
    /// `EF`: the card was recorded in another format, or is damaged.
    Format,
    /// `EN`: recorded too weakly.
    Level,
    /// `ET`: the card is stuck.
    Stuck,
    /// `TD`: no such room.
    NoRoom,
    /// `ED`: no card was offered in time.
    NoCard,
    /// `EA`: the guest has four one-shot keys already.
    NoMoreOneShots,
    /// `OS`: the room is out of service.
    OutOfService,
}

impl Code {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "ES" => Self::Syntax,
            "NC" => Self::EncoderOffline,
            "NF" => Self::NoFiles,
            "OV" => Self::Busy,
            "EP" => Self::Track,
            "EF" => Self::Format,
            "EN" => Self::Level,
            "ET" => Self::Stuck,
            "TD" => Self::NoRoom,
            "ED" => Self::NoCard,
            "EA" => Self::NoMoreOneShots,
            "OS" => Self::OutOfService,
            _ => return None,
        })
    }
    /// Whether it is about what was asked, and so comes before any card is made.
    fn is_of_the_request(self) -> bool {
        matches!(self, Self::Syntax | Self::Busy | Self::NoRoom | Self::OutOfService)
    }
    /// How the card was left by a request to write one. The codes are about the magnetic stripe: where the encoder complains about what it recorded,
    /// nothing is known.
    #[must_use]
    pub fn card_state(self) -> CardState {
        match self {
            Self::Format | Self::Level | Self::Stuck => CardState::Unknown,
            _ => CardState::Untouched,
        }
    }
}

/// Why a request to an Onity encoder failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnityError {
    /// The request cannot be said in this dialect; nothing was sent.
    #[error("{0}")]
    Invalid(&'static str),
    /// A text cannot be sent; nothing was sent.
    #[error(transparent)]
    Text(#[from] FrameError),
    /// The encoder's program refused, or the encoder failed.
    #[error("the encoder answers {0:?}")]
    Refused(Code),
    /// The same to a request for several cards: those before may have been made.
    #[error("the encoder answers {0:?} to a request for several cards")]
    RefusedAmong(Code),
    /// The line.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The answer is not one to this request: what was asked may have been done.
    #[error("the answer is not to what was asked")]
    Strange,
}

impl OnityError {
    /// The same in the words of the plug for encoders: what the problem is and how the card was left.
    #[must_use]
    pub fn card_failure(&self) -> CardFailure {
        let (problem, card) = match self {
            Self::Invalid(_) | Self::Text(_) => (CardProblem::NotWritable, CardState::Untouched),
            Self::Refused(code) | Self::RefusedAmong(code) => {
                let problem = match code {
                    Code::EncoderOffline | Code::NoFiles => CardProblem::Offline,
                    Code::Busy => CardProblem::Busy,
                    Code::NoCard => CardProblem::None,
                    _ => CardProblem::NotWritable,
                };
                (problem, if matches!(self, Self::RefusedAmong(_)) { CardState::Unknown } else { code.card_state() })
            }
            Self::Line(LineError::NotReady) => (CardProblem::Busy, CardState::Untouched),
            Self::Line(error) => (CardProblem::Offline, if error.is_unknown() { CardState::Unknown } else { CardState::Untouched }),
            Self::Strange => (CardProblem::Offline, CardState::Unknown),
        };
        CardFailure::new(problem, card)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    /// Makes a key. Returns the card's serial number where the encoder tells it.
    ///
    /// # Errors
    /// [`OnityError`]; its [`card_failure`](OnityError::card_failure) says how the card was left. After an unknown outcome the card is read, never
    /// written again blindly: a second key for a new guest would end the first.
    pub async fn make_key(&mut self, key: &NewKey) -> Result<Option<String>, OnityError> {
        let request = key.frame()?;
        let answer = self.asked(&request).await.map_err(|error| match error {
            OnityError::Refused(code) if key.cards > 1 && !code.is_of_the_request() => OnityError::RefusedAmong(code),
            error => error,
        })?;
        // A copy may be answered as a key.
        let word = answer.word().trim_end_matches(|c: char| c.is_ascii_digit());
        let asked = request.word().trim_end_matches(|c: char| c.is_ascii_digit());
        if word != asked && !(asked == "CC" && word == "CN") || answer.field(1) != request.field(1) {
            return Err(OnityError::Strange);
        }
        Ok(Some(answer.field(2)).filter(|serial| !serial.is_empty()).map(str::to_owned))
    }
    /// Reads the card that is offered.
    ///
    /// # Errors
    /// [`OnityError`]. Reading changes nothing.
    pub async fn read_key(&mut self, encoder: u16, eject: Eject) -> Result<CardRead, OnityError> {
        let answer = self.asked(&Frame::new(["LT", &encoder.to_string(), eject.letter()])?).await?;
        if answer.word() != "LT" || answer.field(1) != encoder.to_string() || answer.field(2).is_empty() {
            return Err(OnityError::Strange);
        }
        if let Some(other) = Unreadable::of(answer.field(2)) {
            return Ok(CardRead::Other(other));
        }
        let hour = |field: &str| if field.is_empty() { Ok(None) } else { Hour::parse(field).map(Some).ok_or(OnityError::Strange) };
        Ok(CardRead::Guest(GuestKey {
            rooms: (2..6).map(|n| answer.field(n)).filter(|room| !room.is_empty()).map(str::to_owned).collect(),
            is_current: answer.field(6) == "CI",
            copy: answer.field(7).to_owned(),
            granted: answer.field(8).to_owned(),
            starts: hour(answer.field(9))?,
            ends: hour(answer.field(10))?,
            operator: answer.field(11).to_owned(),
            serial: Some(answer.field(12)).filter(|serial| !serial.is_empty()).map(str::to_owned),
        }))
    }
    /// Checks a guest out: the system forgets the keys of the room. The keys themselves open it until the next guest's key was used there or they
    /// end.
    ///
    /// # Errors
    /// [`OnityError`]. It may always be repeated.
    pub async fn check_out(&mut self, encoder: u16, room: &str) -> Result<(), OnityError> {
        let answer = self.asked(&Frame::new(["CO", &encoder.to_string(), room])?).await?;
        if answer.word() == "CO" { Ok(()) } else { Err(OnityError::Strange) }
    }
    /// Cancels what an encoder does and has it give back the card. On a line of its own, since the other one waits for its answer.
    ///
    /// # Errors
    /// [`OnityError`]. It may always be repeated.
    pub async fn cancel(&mut self, encoder: u16) -> Result<(), OnityError> {
        let answer = self.asked(&Frame::new(["EX", &encoder.to_string()])?).await?;
        if answer.word() == "EX" { Ok(()) } else { Err(OnityError::Strange) }
    }
    async fn asked(&mut self, request: &Frame) -> Result<Frame, OnityError> {
        let answer = self.ask(request).await?;
        Code::of(answer.word()).map_or(Ok(answer), |code| Err(OnityError::Refused(code)))
    }
}

#[cfg(test)]
mod tests;
