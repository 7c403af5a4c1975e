//! Frames: `STX sep field sep field … sep ETX LRC`, and the control bytes between them.
use std::fmt;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const ENQ: u8 = 0x05;
const ACK: u8 = 0x06;
const NAK: u8 = 0x15;
/// Stands before the first field, between fields and after the last one.
const SEPARATOR: u8 = 0xB3;
/// In the place of the check byte: "not computed".
const UNCHECKED: u8 = 0x0D;
/// No message of the family comes near it; a stream without an end is cut here.
const LONGEST: usize = 4096;

/// One message: a command word or an error code, then its fields. `Debug` shows the first field and how many there are, because others name rooms
/// and guests.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    fields: Vec<String>,
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("word", &self.word()).field("fields", &(self.fields.len() - 1)).finish()
    }
}

/// Why bytes are no frame, or text is no field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The check byte is wrong.
    #[error("the check byte of a message is wrong")]
    Check,
    /// It does not begin with a separator, or holds bytes that no text of this family has.
    #[error("a message is malformed")]
    Malformed,
    /// It has no end within 4096 bytes.
    #[error("a message has no end")]
    TooLong,
    /// A text that cannot be sent: only printable ASCII is safe, because the code page of the other side is not known and the separator is a
    /// letter in most of them.
    #[error("a field may hold printable ASCII only")]
    Text,
}

impl Frame {
    /// A message of these fields; the first is the command word.
    ///
    /// # Errors
    /// [`FrameError::Text`] when a field holds anything but printable ASCII, [`FrameError::TooLong`] above 4096 bytes, [`FrameError::Malformed`]
    /// without a command word.
    pub fn new<T: Into<String>>(fields: impl IntoIterator<Item = T>) -> Result<Self, FrameError> {
        let fields: Vec<String> = fields.into_iter().map(Into::into).collect();
        if fields.iter().any(|field| field.bytes().any(|b| !(b' '..=b'~').contains(&b))) {
            return Err(FrameError::Text);
        }
        if fields.first().is_none_or(String::is_empty) {
            return Err(FrameError::Malformed);
        }
        if fields.iter().map(|field| field.len() + 1).sum::<usize>() > LONGEST - 4 {
            return Err(FrameError::TooLong);
        }
        Ok(Self { fields })
    }
    /// The first field.
    #[must_use]
    pub fn word(&self) -> &str {
        &self.fields[0]
    }
    /// A field, counted from 0 (the command word). One that was not sent is empty: a sender may leave off what is empty at the end.
    #[must_use]
    pub fn field(&self, index: usize) -> &str {
        self.fields.get(index).map_or("", String::as_str)
    }
    /// The bytes on the line.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![STX, SEPARATOR];
        for field in &self.fields {
            bytes.extend_from_slice(field.as_bytes());
            bytes.push(SEPARATOR);
        }
        bytes.push(ETX);
        let check = bytes[1..].iter().fold(0, |check, b| check ^ b);
        bytes.push(check);
        bytes
    }
    /// Reads what stands between STX and ETX.
    fn parse(body: &[u8]) -> Result<Self, FrameError> {
        let body = body.strip_prefix(&[SEPARATOR]).ok_or(FrameError::Malformed)?;
        let body = body.strip_suffix(&[SEPARATOR]).unwrap_or(body);
        // What a person typed at the other side may be of any code page; such a letter is shown as unknown and refuses nothing.
        let text = |field: &[u8]| field.iter().map(|b| if (b' '..=b'~').contains(b) { char::from(*b) } else { '\u{fffd}' }).collect();
        let fields: Vec<String> = body.split(|b| *b == SEPARATOR).map(text).collect();
        if fields.first().is_none_or(String::is_empty) { Err(FrameError::Malformed) } else { Ok(Self { fields }) }
    }
}

/// A control byte between messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// "Are you there?" (05)
    Enquire,
    /// Accepted, ready. (06)
    Accepted,
    /// Not accepted, not ready. (15)
    Refused,
}

impl Control {
    /// The byte on the line.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Enquire => ENQ,
            Self::Accepted => ACK,
            Self::Refused => NAK,
        }
    }
}

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A control byte.
    Control(Control),
    /// A message, or why it is none.
    Frame(Result<Frame, FrameError>),
}

/// Takes the bytes of a line one by one, however they were cut. `Debug` shows no byte of them.
#[derive(Default)]
pub struct Decoder {
    state: Inside,
    body: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Inside {
    #[default]
    Nothing,
    Body,
    Check,
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("inside", &self.state).finish_non_exhaustive()
    }
}

impl Decoder {
    /// Whether a message has begun that did not end yet.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.state != Inside::Nothing
    }
    /// The next byte. Bytes between messages that mean nothing are skipped, as noise on a serial line is.
    pub fn take(&mut self, byte: u8) -> Option<Event> {
        match self.state {
            Inside::Nothing => match byte {
                STX => {
                    self.begin();
                    None
                }
                ENQ => Some(Event::Control(Control::Enquire)),
                ACK => Some(Event::Control(Control::Accepted)),
                NAK => Some(Event::Control(Control::Refused)),
                _ => None,
            },
            Inside::Body if byte == STX => {
                // The sender began again.
                self.begin();
                None
            }
            Inside::Body if byte == ETX => {
                self.state = Inside::Check;
                None
            }
            Inside::Body if self.body.len() >= LONGEST => {
                self.state = Inside::Nothing;
                Some(Event::Frame(Err(FrameError::TooLong)))
            }
            Inside::Body => {
                self.body.push(byte);
                None
            }
            // Exactly one byte of any value, also one that would be a control byte elsewhere.
            Inside::Check => {
                self.state = Inside::Nothing;
                let expected = self.body.iter().fold(ETX, |check, b| check ^ b);
                let good = byte == UNCHECKED || byte == expected;
                Some(Event::Frame(if good { Frame::parse(&self.body) } else { Err(FrameError::Check) }))
            }
        }
    }
    fn begin(&mut self) {
        self.state = Inside::Body;
        self.body.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(bytes: &[u8]) -> Vec<Event> {
        let mut decoder = Decoder::default();
        bytes.iter().filter_map(|b| decoder.take(*b)).collect()
    }

    #[test]
    fn a_checkout_is_these_bytes() {
        // Check byte worked out by hand: B3^43^4F^B3^30^B3^31^30^31^B3^03 = 0F.
        let frame = Frame::new(["CO", "0", "101"]).unwrap();
        let bytes = [0x02, 0xB3, 0x43, 0x4F, 0xB3, 0x30, 0xB3, 0x31, 0x30, 0x31, 0xB3, 0x03, 0x0F];
        assert_eq!(frame.to_bytes(), bytes);
        assert_eq!(decoded(&bytes), [Event::Frame(Ok(frame))]);
    }

    #[test]
    fn the_check_byte_may_be_any_byte_or_not_computed() {
        // Rooms for which the check byte is STX, ETX, ENQ, ACK, NAK and a line feed: a reader that looks for those breaks here.
        for wanted in [0x02, 0x03, 0x05, 0x06, 0x0A, 0x15] {
            let names = (b'0'..b'z').flat_map(|a| (b'0'..b'z').map(move |b| String::from_utf8(vec![a, b]).unwrap()));
            let mut frames = names.map(|room| Frame::new(["CO", "0", &room]).unwrap());
            let frame = frames.find(|frame| frame.to_bytes().ends_with(&[wanted])).unwrap();
            let mut bytes = frame.to_bytes();
            bytes.push(ACK);
            assert_eq!(decoded(&bytes), [Event::Frame(Ok(frame.clone())), Event::Control(Control::Accepted)]);
            let check = bytes.len() - 2;
            bytes[check] = UNCHECKED;
            assert_eq!(decoded(&bytes)[0], Event::Frame(Ok(frame.clone())));
            bytes[check] = wanted ^ 0x40;
            assert_ne!(bytes[check], UNCHECKED);
            assert_eq!(decoded(&bytes)[0], Event::Frame(Err(FrameError::Check)));
        }
    }

    #[test]
    fn what_is_empty_at_the_end_may_be_left_off_and_other_code_pages_are_borne() {
        let Some(Event::Frame(Ok(short))) = decoded(b"\x02\xb3LT\xb31\xb3Ren\xe9\x03\x0d").pop() else { panic!() };
        assert_eq!((short.word(), short.field(1), short.field(2), short.field(7)), ("LT", "1", "Ren\u{fffd}", ""));
        assert_eq!(decoded(b"\x02LT\xb3\x03\x0d"), [Event::Frame(Err(FrameError::Malformed))]);
        assert_eq!(decoded(b"\x02\xb3\xb3\x03\x0d"), [Event::Frame(Err(FrameError::Malformed))]);
    }

    #[test]
    fn text_that_could_split_a_field_is_not_sent() {
        for bad in ["a\u{b3}b", "a\rb", "é", "\u{3}"] {
            assert_eq!(Frame::new(["CN", bad]), Err(FrameError::Text));
        }
        assert_eq!(Frame::new(["CN", &"x".repeat(5000)]), Err(FrameError::TooLong));
        assert_eq!(Frame::new([""]), Err(FrameError::Malformed));
    }

    proptest! {
        #[test]
        fn a_frame_survives_noise_around_it(fields in prop::collection::vec("[ -~]{0,12}", 1..8), noise in "[ -~]{0,9}") {
            prop_assume!(!fields[0].is_empty());
            let frame = Frame::new(fields).unwrap();
            let mut bytes = noise.clone().into_bytes();
            bytes.extend(frame.to_bytes());
            bytes.extend(noise.bytes());
            prop_assert_eq!(decoded(&bytes), [Event::Frame(Ok(frame))]);
        }
        #[test]
        fn nothing_makes_it_panic_or_grow(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let mut decoder = Decoder::default();
            for b in bytes {
                decoder.take(b);
                prop_assert!(decoder.body.len() <= LONGEST);
            }
        }
    }
}
