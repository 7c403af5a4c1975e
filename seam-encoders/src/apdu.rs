//! Commands to a card and its answers: short APDUs of ISO 7816-4.
//!
//! Extended length is left out on purpose: DESFire and NTAG 424 cards take short APDUs only.
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

use crate::error::CardError;

/// The most bytes that the data of a command may have.
pub const MAX_DATA: usize = 255;

/// A command to a card. Its data may hold secrets: it is wiped when dropped, and `Debug` shows the header and the length only.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    /// As it goes to the card: header, then Lc and data, then Le.
    bytes: Zeroizing<Vec<u8>>,
    data: u8,
}

wiped!(Command: bytes);

impl Command {
    /// A command without data that expects no data: four bytes.
    #[must_use]
    pub fn new(cla: u8, ins: u8, p1: u8, p2: u8) -> Self {
        Self::with_capacity([cla, ins, p1, p2], 0)
    }

    /// A command with data (0 to 255 bytes; none at all leaves out Lc).
    ///
    /// # Errors
    /// [`CardError::TooLong`] when there are more; nothing was sent.
    pub fn with_data(cla: u8, ins: u8, p1: u8, p2: u8, data: &[u8]) -> Result<Self, CardError> {
        Self::of_parts([cla, ins, p1, p2], &[data])
    }

    /// As [`with_data`](Self::with_data), with data that comes in parts.
    ///
    /// # Errors
    /// [`CardError::TooLong`] when the parts are more than 255 bytes together; nothing was sent.
    pub fn of_parts(header: [u8; 4], parts: &[&[u8]]) -> Result<Self, CardError> {
        let length = parts.iter().map(|part| part.len()).sum();
        let lc = u8::try_from(length).map_err(|_| CardError::TooLong { length, max: MAX_DATA })?;
        let mut command = Self::with_capacity(header, length);
        if lc > 0 {
            command.bytes.push(lc);
            parts.iter().for_each(|part| command.bytes.extend_from_slice(part));
            command.data = lc;
        }
        Ok(command)
    }

    /// Room for all of it at once: a vector that grows would leave a copy of secrets behind.
    fn with_capacity(header: [u8; 4], data: usize) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(header.len() + data + 2));
        bytes.extend_from_slice(&header);
        Self { bytes, data: 0 }
    }

    /// The same, expecting up to `le` bytes of data (0 means 256).
    #[must_use]
    pub fn expecting(mut self, le: u8) -> Self {
        let end = self.end_of_data();
        self.bytes.truncate(end);
        self.bytes.push(le);
        self
    }

    /// Reads a command from its bytes.
    ///
    /// # Errors
    /// [`CardError::Garbage`] when they are not one short APDU.
    pub fn parse(bytes: &[u8]) -> Result<Self, CardError> {
        let (header, body) = bytes.split_first_chunk::<4>().ok_or(CardError::Garbage("a command without a header"))?;
        let (data, le) = match body {
            [] => (body, None),
            [le] => (&body[..0], Some(*le)),
            [0, ..] => return Err(CardError::Garbage("a command of extended length")),
            [lc, rest @ ..] if rest.len() == usize::from(*lc) => (rest, None),
            [lc, rest @ .., le] if rest.len() == usize::from(*lc) => (rest, Some(*le)),
            _ => return Err(CardError::Garbage("a command whose length is not that of its data")),
        };
        let command = Self::of_parts(*header, &[data])?;
        Ok(le.into_iter().fold(command, Self::expecting))
    }

    /// As it goes to the card.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
    /// CLA, INS, P1 and P2.
    #[must_use]
    pub fn header(&self) -> [u8; 4] {
        [self.bytes[0], self.bytes[1], self.bytes[2], self.bytes[3]]
    }
    /// The class byte.
    #[must_use]
    pub fn cla(&self) -> u8 {
        self.bytes[0]
    }
    /// The instruction byte.
    #[must_use]
    pub fn ins(&self) -> u8 {
        self.bytes[1]
    }
    /// The data; empty when there is none.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        if self.data == 0 { &[] } else { &self.bytes[5..self.end_of_data()] }
    }
    /// How much data is expected (0 means 256); `None`: none.
    #[must_use]
    pub fn le(&self) -> Option<u8> {
        self.bytes.get(self.end_of_data()).copied()
    }
    fn end_of_data(&self) -> usize {
        if self.data == 0 { 4 } else { 5 + usize::from(self.data) }
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [cla, ins, p1, p2] = self.header();
        write!(f, "Command({cla:02X} {ins:02X} {p1:02X} {p2:02X}, {} bytes)", self.data)
    }
}

/// What a card answered: data and a status word. `Debug` leaves out the data.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// Without the status word.
    data: Zeroizing<Vec<u8>>,
    status: StatusWord,
}

wiped!(Response: data);

impl Response {
    /// An answer as a reader gives it.
    ///
    /// # Errors
    /// [`CardError::Lost`] when it is shorter than a status word: readers (`PCSC_API`: `SCardTransmit` with `vpcd`, observed) report a card that was
    /// pulled away during the exchange as success with no bytes.
    pub fn parse(bytes: impl Into<Vec<u8>>) -> Result<Self, CardError> {
        let mut data = Zeroizing::new(bytes.into());
        let Some(&[sw1, sw2]) = data.last_chunk::<2>() else { return Err(CardError::Lost) };
        let length = data.len() - 2;
        data[length..].zeroize();
        data.truncate(length);
        Ok(Self { data, status: StatusWord(u16::from_be_bytes([sw1, sw2])) })
    }
    /// The data before the status word.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }
    /// The data, for the caller to keep.
    #[must_use]
    pub fn into_data(self) -> Zeroizing<Vec<u8>> {
        self.data
    }
    /// The status word.
    #[must_use]
    pub fn status(&self) -> StatusWord {
        self.status
    }
    /// The data if the status word is 9000.
    ///
    /// # Errors
    /// [`CardError::Status`] with any other.
    pub fn ok(self) -> Result<Zeroizing<Vec<u8>>, CardError> {
        if self.status == StatusWord::OK { Ok(self.data) } else { Err(CardError::Status(self.status)) }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} bytes, {})", self.data.len(), self.status)
    }
}

/// SW1 and SW2.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusWord(pub u16);

impl StatusWord {
    /// ISO 7816-4: done.
    pub const OK: Self = Self(0x9000);
    /// DESFire native: done.
    pub const NATIVE_OK: Self = Self(0x9100);
    /// DESFire native: more frames follow, or the card awaits more.
    pub const NATIVE_MORE: Self = Self(0x91AF);

    /// The status byte of a DESFire native answer (`91xx`).
    #[must_use]
    pub fn native(self) -> Option<u8> {
        let [sw1, sw2] = self.0.to_be_bytes();
        (sw1 == 0x91).then_some(sw2)
    }

    /// Its usual name; empty for one that has none here.
    ///
    /// Names: ISO 7816-4 table 6 and NXP MF2DL(H)x0 "status words" (both also in libfreefare and proxmark3).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            0x9000 | 0x9100 => "done",
            0x6300 => "no information given",
            0x6581 => "memory failure",
            0x6700 => "wrong length",
            0x6882 => "secure messaging not supported",
            0x6982 => "security status not satisfied",
            0x6983 => "authentication blocked",
            0x6985 => "conditions of use not satisfied",
            0x6988 => "secure messaging data object wrong",
            0x6A80 => "wrong data",
            0x6A81 => "function not supported",
            0x6A82 => "file not found",
            0x6A86 => "wrong parameters",
            0x6A87 => "length inconsistent with parameters",
            0x6B00 => "wrong parameters",
            0x6D00 => "instruction not supported",
            0x6E00 => "class not supported",
            0x910C => "no changes",
            0x910E => "out of memory",
            0x911C => "illegal command",
            0x911E => "integrity error",
            0x9140 => "no such key",
            0x917E => "length error",
            0x919D => "permission denied",
            0x919E => "parameter error",
            0x91A0 => "application not found",
            0x91A1 => "application integrity error",
            0x91AD => "authentication delay",
            0x91AE => "authentication error",
            0x91AF => "additional frame",
            0x91BE => "boundary error",
            0x91C1 => "card integrity error",
            0x91CA => "command aborted",
            0x91CD => "card disabled",
            0x91CE => "count error",
            0x91DE => "duplicate",
            0x91EE => "EEPROM error",
            0x91F0 => "file not found",
            0x91F1 => "file integrity error",
            _ => "",
        }
    }
}

impl fmt::Display for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        if name.is_empty() { write!(f, "{:04X}", self.0) } else { write!(f, "{:04X} ({name})", self.0) }
    }
}
impl fmt::Debug for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_four_cases_of_iso_7816() {
        assert_eq!(Command::new(0, 0xA4, 4, 0).bytes(), [0, 0xA4, 4, 0]);
        assert_eq!(Command::new(0x90, 0x60, 0, 0).expecting(0).bytes(), [0x90, 0x60, 0, 0, 0]);
        let with_data = Command::with_data(0x90, 0x5A, 0, 0, &[1, 2, 3]).expect("three bytes fit");
        assert_eq!(with_data.bytes(), [0x90, 0x5A, 0, 0, 3, 1, 2, 3]);
        let both = with_data.expecting(0);
        assert_eq!(both.bytes(), [0x90, 0x5A, 0, 0, 3, 1, 2, 3, 0]);
        assert_eq!((both.data(), both.le(), both.header()), (&[1, 2, 3][..], Some(0), [0x90, 0x5A, 0, 0]));
    }

    #[test]
    fn more_data_than_a_short_apdu_holds_is_refused() {
        assert_eq!(Command::with_data(0, 0, 0, 0, &[0; 256]), Err(CardError::TooLong { length: 256, max: 255 }));
    }

    #[test]
    fn debug_shows_no_data() {
        let command = Command::with_data(0x90, 0xC4, 0, 0, b"secret").expect("fits");
        let answer = Response::parse(*b"secret\x91\x00").expect("has a status word");
        let shown = format!("{command:?} {answer:?}");
        assert_eq!(shown, "Command(90 C4 00 00, 6 bytes) Response(6 bytes, 9100 (done))");
    }

    #[test]
    fn an_answer_shorter_than_a_status_word_is_a_card_that_is_gone() {
        assert_eq!(Response::parse([]), Err(CardError::Lost));
        assert_eq!(Response::parse([0x90]), Err(CardError::Lost));
    }

    proptest! {
        #[test]
        fn commands_are_read_back(header: [u8; 4], data in prop::collection::vec(any::<u8>(), 0..256), le: Option<u8>) {
            let command = Command::of_parts(header, &[&data]).expect("at most 255 bytes");
            let command = le.into_iter().fold(command, Command::expecting);
            prop_assert_eq!(Command::parse(command.bytes()), Ok(command));
        }
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(command) = Command::parse(&bytes) {
                prop_assert_eq!(command.bytes(), &bytes[..]);
            }
            if let Ok(response) = Response::parse(bytes.clone()) {
                prop_assert_eq!([response.data(), &response.status().0.to_be_bytes()].concat(), bytes);
            }
        }
    }
}
