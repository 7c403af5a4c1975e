//! Commands and responses of ISO/IEC 7816-4, short and extended.

use core::fmt;

use crate::bytes::{Full, Writer, be16};

/// The status word of a response, its last two bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u16);

impl Status {
    /// `9000`: done.
    pub const OK: Self = Self(0x9000);
    /// `6700`: the length of the data is wrong.
    pub const WRONG_LENGTH: Self = Self(0x6700);
    /// `6982`: not allowed before the peer is authenticated.
    pub const SECURITY: Self = Self(0x6982);
    /// `6985`: not in this order.
    pub const CONDITIONS: Self = Self(0x6985);
    /// `6A80`: the data is wrong.
    pub const WRONG_DATA: Self = Self(0x6A80);
    /// `6A82`: no such application.
    pub const NOT_FOUND: Self = Self(0x6A82);
    /// `6A86`: P1 or P2 is wrong.
    pub const WRONG_P1_P2: Self = Self(0x6A86);
    /// `6D00`: no such instruction.
    pub const INSTRUCTION: Self = Self(0x6D00);
    /// `6E00`: no such class.
    pub const CLASS: Self = Self(0x6E00);

    /// How many bytes are still to be fetched with GET RESPONSE, when the status is `61xx`; `6100` says 256 or more.
    pub fn remaining(self) -> Option<u16> {
        match self.0.to_be_bytes() {
            [0x61, 0] => Some(256),
            [0x61, count] => Some(u16::from(count)),
            _ => None,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

/// Why bytes are no command or response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApduError {
    /// Fewer bytes than a header or a status word.
    Short,
    /// The length fields do not agree with the number of bytes.
    Length,
}

impl fmt::Display for ApduError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Short => "fewer bytes than a header",
            Self::Length => "the length fields do not agree with the bytes",
        })
    }
}

impl core::error::Error for ApduError {}

/// A command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Command<'a> {
    /// Class.
    pub cla: u8,
    /// Instruction.
    pub ins: u8,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: u8,
    /// At most 65 535 bytes.
    pub data: &'a [u8],
    /// How many bytes of answer are expected, 1 to 65 536; none when the field is absent. Up to 256 in a short command.
    pub le: Option<u32>,
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cla, ins, p1, p2, data, le } = self;
        write!(f, "Command({cla:02X} {ins:02X} {p1:02X} {p2:02X}, {} bytes, le {le:?})", data.len())
    }
}

impl<'a> Command<'a> {
    /// A command that expects up to 256 bytes of answer (Le `00`), as the commands of Aliro do.
    pub fn new(cla: u8, ins: u8, p1: u8, p2: u8, data: &'a [u8]) -> Self {
        Self { cla, ins, p1, p2, data, le: Some(256) }
    }

    /// The same without an Le field.
    #[must_use]
    pub fn without_le(self) -> Self {
        Self { le: None, ..self }
    }

    /// Reads a whole command.
    ///
    /// # Errors
    /// [`ApduError::Short`] below four bytes, [`ApduError::Length`] when Lc, Le and the number of bytes do not agree.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ApduError> {
        let ([cla, ins, p1, p2], body) = bytes.split_first_chunk().ok_or(ApduError::Short)?;
        let short = |le: u8| if le == 0 { 256 } else { u32::from(le) };
        let long = |le: [u8; 2]| if le == [0, 0] { 65_536 } else { u32::from(u16::from_be_bytes(le)) };
        let (data, le): (&[u8], _) = match body {
            [] => (&[], None),
            [le] => (&[], Some(short(*le))),
            [0, high, low] => (&[], Some(long([*high, *low]))),
            [0, high, low, rest @ ..] => match (be16([*high, *low]), rest) {
                (0, _) => return Err(ApduError::Length),
                (count, data) if data.len() == count => (data, None),
                (count, [data @ .., high, low]) if data.len() == count => (data, Some(long([*high, *low]))),
                _ => return Err(ApduError::Length),
            },
            [0, _] => return Err(ApduError::Length),
            [count, data @ ..] if data.len() == usize::from(*count) => (data, None),
            [count, data @ .., le] if data.len() == usize::from(*count) => (data, Some(short(*le))),
            _ => return Err(ApduError::Length),
        };
        Ok(Self { cla: *cla, ins: *ins, p1: *p1, p2: *p2, data, le })
    }

    /// Writes the command: short while data and answer fit, extended otherwise.
    ///
    /// # Errors
    /// [`Full`] when it does not fit, or data or Le are above their ranges.
    pub fn write(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        out.put(&[self.cla, self.ins, self.p1, self.p2])?;
        let [high, low] = u16::try_from(self.data.len()).map_err(|_| Full)?.to_be_bytes();
        // Modulo: the largest answer is written as zero.
        let le = self.le.map(|le| u16::try_from(le % 65_536).unwrap_or(0).to_be_bytes());
        let extended = high != 0 || self.le.is_some_and(|le| le > 256);
        if self.le.is_some_and(|le| le == 0 || le > 65_536) {
            return Err(Full);
        }
        match (extended, self.data.is_empty()) {
            (false, true) => {}
            (false, false) => out.byte(low)?,
            (true, true) => out.byte(0)?,
            (true, false) => out.put(&[0, high, low])?,
        }
        out.put(self.data)?;
        match (le, extended) {
            (None, _) => Ok(()),
            (Some([_, low]), false) => out.byte(low),
            (Some(both), true) => out.put(&both),
        }
    }
}

/// The data of a whole command, to be changed in place.
///
/// # Errors
/// As [`Command::parse`].
pub fn data_mut(bytes: &mut [u8]) -> Result<&mut [u8], ApduError> {
    let length = Command::parse(bytes)?.data.len();
    let start = if length > 0 && bytes.get(4) == Some(&0) { 7 } else { 5 };
    Ok(bytes.get_mut(start..start + length).unwrap_or_default())
}

/// A response.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    /// What comes before the status word.
    pub data: &'a [u8],
    /// The status word.
    pub status: Status,
}

impl fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({} bytes, {})", self.data.len(), self.status)
    }
}

impl<'a> Response<'a> {
    /// Reads a whole response.
    ///
    /// # Errors
    /// [`ApduError::Short`] below two bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ApduError> {
        let (data, status) = bytes.split_last_chunk().ok_or(ApduError::Short)?;
        Ok(Self { data, status: Status(u16::from_be_bytes(*status)) })
    }

    /// Writes the response.
    ///
    /// # Errors
    /// [`Full`] when it does not fit.
    pub fn write(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        out.put(self.data)?;
        out.put(&self.status.0.to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn the_four_cases_of_a_short_command_are_told_apart() {
        let read = |bytes| Command::parse(bytes).map(|command| (command.data.len(), command.le));
        assert_eq!(read(&[0, 0xA4, 4, 0]), Ok((0, None)));
        assert_eq!(read(&[0, 0xC0, 0, 0, 0]), Ok((0, Some(256))));
        assert_eq!(read(&[0, 0xC0, 0, 0, 2, 1, 1]), Ok((2, None)));
        assert_eq!(read(&[0, 0xC0, 0, 0, 2, 1, 1, 5]), Ok((2, Some(5))));
        assert_eq!(read(&[0, 0xC0, 0, 0, 2, 1]), Err(ApduError::Length));
        assert_eq!(read(&[0, 0xC0, 0, 0, 2, 1, 1, 5, 5]), Err(ApduError::Length));
        assert_eq!(read(&[0, 0xC0, 0, 0, 0, 0]), Err(ApduError::Length));
        assert_eq!(read(&[0, 0xC0, 0, 0, 0, 0, 0, 1]), Err(ApduError::Length));
        assert_eq!(read(&[0, 0xC0, 0]), Err(ApduError::Short));
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(header: [u8; 4], data in proptest::collection::vec(0_u8.., 0..600), le in proptest::option::of(1_u32..=65_536)) {
            let [cla, ins, p1, p2] = header;
            let command = Command { cla, ins, p1, p2, data: &data, le };
            let mut space = [0; 700];
            let mut out = Writer::new(&mut space);
            command.write(&mut out).unwrap();
            assert_eq!(Command::parse(out.as_slice()), Ok(command));
            assert_eq!(data_mut(out.as_mut_slice()), Ok(&mut data.clone()[..]));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = Command::parse(&bytes);
            let _ = Response::parse(&bytes);
        }
    }
}
