//! EXCHANGE: what reader and device tell each other once both are known, and the mailbox.
//!
//! The device keeps some bytes per reader group in which readers leave data for each other. One EXCHANGE reads, writes and sets; here it
//! does all of that or nothing. Several can be one ([`Request::more`]): what they write waits until the last, and is forgotten when the session ends
//! before it (as the CSA's actuator does it). Reads are answered at once, from the mailbox as it is.

use super::AliroError;
use crate::bytes::{Bytes, Full, Writer, be16};
use crate::tlv::{self, Reader as TlvReader, TlvError};

/// What the reader says of the outcome (tag 97). Over BLE it is left out after a success, for a notification tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderStatus(pub u16);

impl ReaderStatus {
    /// The credential's key is not known.
    pub const KEY_NOT_FOUND: Self = Self(0x0001);
    /// The credential's key has expired.
    pub const KEY_EXPIRED: Self = Self(0x0002);
    /// The credential's key, or its document's issuer, is not trusted.
    pub const KEY_NOT_TRUSTED: Self = Self(0x0003);
    /// A signature does not verify.
    pub const INVALID_SIGNATURE: Self = Self(0x0004);
    /// Data is malformed.
    pub const INVALID_FORMAT: Self = Self(0x0006);
    /// Data is well formed and wrong.
    pub const INVALID_CONTENT: Self = Self(0x0007);
    /// The rights do not cover this door or hour.
    pub const NO_ACCESS: Self = Self(0x0025);
    /// The lock itself fails.
    pub const HARDWARE: Self = Self(0x0026);
    /// It is locked now.
    pub const SECURED: Self = Self(0x0100);
    /// It is unlocked now.
    pub const UNSECURED: Self = Self(0x0101);
    /// It is jammed.
    pub const JAMMED: Self = Self(0x0102);
    /// It begins to lock.
    pub const SECURING: Self = Self(0x0180);
    /// It begins to unlock.
    pub const UNSECURING: Self = Self(0x0181);

    /// Whether access was granted.
    pub const fn is_success(self) -> bool {
        self.0 & 0x0100 != 0
    }
}

/// A request to the mailbox. Offsets and lengths in bytes from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailboxRequest<'a> {
    /// Tag 87: give these bytes.
    Read {
        /// Where they begin.
        offset: u16,
        /// How many.
        length: u16,
    },
    /// Tag 8A: write these bytes.
    Write {
        /// Where they begin.
        offset: u16,
        /// What to write.
        data: &'a [u8],
    },
    /// Tag 95: fill with one value.
    Set {
        /// Where to begin.
        offset: u16,
        /// How many.
        length: u16,
        /// With what.
        value: u8,
    },
}

impl MailboxRequest<'_> {
    fn put(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        match *self {
            Self::Read { offset, length } => tlv::put(out, 0x87, &[&offset.to_be_bytes(), &length.to_be_bytes()]),
            Self::Write { offset, data } => tlv::put(out, 0x8A, &[&offset.to_be_bytes(), data]),
            Self::Set { offset, length, value } => tlv::put(out, 0x95, &[&offset.to_be_bytes(), &length.to_be_bytes(), &[value]]),
        }
    }

    fn written_length(&self) -> usize {
        match self {
            Self::Read { .. } => 6,
            Self::Set { .. } => 7,
            // Tag, length in its shortest form, offset.
            Self::Write { data, .. } => {
                let value = data.len() + 2;
                1 + value
                    + if value < 0x80 {
                        1
                    } else if value < 0x100 {
                        2
                    } else {
                        3
                    }
            }
        }
    }
}

/// What a reader sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Request<'a> {
    /// In their order.
    pub mailbox: &'a [MailboxRequest<'a>],
    /// Tag 97.
    pub status: Option<ReaderStatus>,
    /// Tag AE: for the phone's app.
    pub notify: Option<&'a [u8]>,
    /// What is written waits for further EXCHANGEs: all of it takes effect with the first one that has requests to the mailbox and not this.
    pub more: bool,
}

impl Request<'_> {
    /// Writes the text to be encrypted.
    ///
    /// # Errors
    /// [`Full`] when it does not fit.
    pub fn write(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        if !self.mailbox.is_empty() {
            let length = self.mailbox.iter().map(MailboxRequest::written_length).sum::<usize>();
            tlv::put_header(out, 0xBA, 3 + length)?;
            tlv::put(out, 0x8C, &[&[u8::from(self.more)]])?;
            self.mailbox.iter().try_for_each(|request| request.put(out))?;
        }
        self.status.map_or(Ok(()), |status| tlv::put(out, 0x97, &[&status.0.to_be_bytes()]))?;
        self.notify.map_or(Ok(()), |notify| tlv::put(out, 0xAE, &[notify]))
    }
}

/// What a device received.
#[derive(Clone, Debug)]
pub struct Received<'a> {
    mailbox: &'a [u8],
    /// Whether what is written waits for further EXCHANGEs; none when there are no requests to the mailbox.
    more: Option<bool>,
    /// Tag 97.
    pub status: Option<ReaderStatus>,
    /// Tag AE.
    pub notify: Option<&'a [u8]>,
}

impl<'a> Received<'a> {
    /// Reads the decrypted text; all requests to the mailbox are well formed afterwards.
    ///
    /// # Errors
    /// [`AliroError::Tlv`]; [`AliroError::Unsupported`] for a ranging key or an update of documents.
    pub fn parse(text: &'a [u8]) -> Result<Self, AliroError> {
        let [mailbox, status, notify, ranging, update] = tlv::pick(TlvReader::new(text), [0xBA, 0x97, 0xAE, 0x98, 0x81])?;
        if ranging.is_some() || update.is_some() {
            return Err(AliroError::Unsupported("a ranging key or an update of documents in EXCHANGE"));
        }
        let status = status.map(|status| status.try_into().map(u16::from_be_bytes).map_err(|_| TlvError::Value(0x97))).transpose()?;
        let (mailbox, more) = match mailbox {
            None => (&[][..], None),
            Some(content) => {
                let mut reader = TlvReader::new(content);
                let more = match reader.expect(0x8C)?.exactly()? {
                    [0] => false,
                    [1] => true,
                    _ => return Err(AliroError::Value),
                };
                (reader.rest(), Some(more))
            }
        };
        let received = Self { mailbox, more, status: status.map(ReaderStatus), notify };
        received.each(|_| Ok(()))?;
        Ok(received)
    }

    fn each(&self, act: impl FnMut(MailboxRequest<'a>) -> Result<(), AliroError>) -> Result<(), AliroError> {
        each(self.mailbox, act)
    }

    /// Carries the requests out and writes what was read, with the status of success behind it. `waiting` are the requests of earlier EXCHANGEs of the
    /// same session that wait for this one.
    ///
    /// # Errors
    /// [`AliroError::Mailbox`] when a request reaches beyond the end, [`AliroError::Full`] when the answer does not fit or too much waits; the mailbox is
    /// then as it was, and nothing waits any more.
    pub fn apply(&self, waiting: &mut Waiting, mailbox: &mut [u8], out: &mut Writer<'_>) -> Result<(), AliroError> {
        let start = out.len();
        let applied = self.try_apply(waiting, mailbox, out);
        if applied.is_err() {
            waiting.forget();
            out.truncate(start);
        }
        applied
    }

    fn try_apply(&self, waiting: &mut Waiting, mailbox: &mut [u8], out: &mut Writer<'_>) -> Result<(), AliroError> {
        // First all are looked at, then all are done: the second round cannot fail.
        let mut answer = STATUS;
        let held = waiting.0.clone();
        let earlier: &[u8] = if self.more == Some(false) { &held } else { &[] };
        let mut look = |request: MailboxRequest<'_>| -> Result<(), AliroError> {
            let (offset, length) = match request {
                MailboxRequest::Read { offset, length } => {
                    answer += 2 + usize::from(length);
                    (offset, usize::from(length))
                }
                MailboxRequest::Write { offset, data } => (offset, data.len()),
                MailboxRequest::Set { offset, length, .. } => (offset, usize::from(length)),
            };
            if usize::from(offset) + length > mailbox.len() { Err(AliroError::Mailbox) } else { Ok(()) }
        };
        each(earlier, &mut look)?;
        self.each(look)?;
        if answer > out.remaining() {
            return Err(AliroError::Full);
        }
        let mut act = |request: MailboxRequest<'_>| -> Result<(), AliroError> {
            let range = |offset: u16, length: usize| usize::from(offset)..usize::from(offset) + length;
            match request {
                MailboxRequest::Read { offset, length } => {
                    out.put(&length.to_be_bytes())?;
                    out.put(mailbox.get(range(offset, length.into())).ok_or(AliroError::Mailbox)?)?;
                }
                waits if self.more == Some(true) => {
                    let mut one = Bytes::<WAITING_MAX>::new();
                    one.fill(|out| waits.put(out))?;
                    waiting.0.put(&one)?;
                }
                MailboxRequest::Write { offset, data } => {
                    mailbox.get_mut(range(offset, data.len())).ok_or(AliroError::Mailbox)?.copy_from_slice(data);
                }
                MailboxRequest::Set { offset, length, value } => {
                    mailbox.get_mut(range(offset, length.into())).ok_or(AliroError::Mailbox)?.fill(value);
                }
            }
            Ok(())
        };
        each(earlier, &mut act)?;
        self.each(act)?;
        if self.more == Some(false) {
            waiting.forget();
        }
        Ok(put_status(out, 0)?)
    }
}

/// Reads requests one after the other.
fn each<'a>(mailbox: &'a [u8], mut act: impl FnMut(MailboxRequest<'a>) -> Result<(), AliroError>) -> Result<(), AliroError> {
    let mut reader = TlvReader::new(mailbox);
    while let Some(tlv) = reader.next()? {
        act(match (tlv.tag, tlv.value) {
            (0x87, &[a, b, c, d]) => MailboxRequest::Read { offset: u16::from_be_bytes([a, b]), length: u16::from_be_bytes([c, d]) },
            (0x8A, &[a, b, ref data @ ..]) => MailboxRequest::Write { offset: u16::from_be_bytes([a, b]), data },
            (0x95, &[a, b, c, d, value]) => {
                MailboxRequest::Set { offset: u16::from_be_bytes([a, b]), length: u16::from_be_bytes([c, d]), value }
            }
            (0x87 | 0x8A | 0x95, _) => return Err(TlvError::Value(tlv.tag).into()),
            _ => return Err(TlvError::Unexpected(tlv.tag).into()),
        })?;
    }
    Ok(())
}

/// How many bytes of requests a device lets wait.
pub const WAITING_MAX: usize = 512;

/// What earlier EXCHANGEs of a session wrote and set, until the last of them comes.
#[derive(Clone, Debug, Default)]
pub struct Waiting(Bytes<WAITING_MAX>);

impl Waiting {
    /// The session is over: what waited is not done.
    pub fn forget(&mut self) {
        self.0.clear();
    }

    /// Whether anything waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

const STATUS: usize = 4;

/// Writes the end of an answer: `0002` and a status, zero for success.
pub(super) fn put_status(out: &mut Writer<'_>, status: u16) -> Result<(), Full> {
    out.put(&[0, 2])?;
    out.put(&status.to_be_bytes())
}

/// What a device answered: the bytes that were read, one piece per request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    pieces: &'a [u8],
}

impl<'a> Answer<'a> {
    /// Reads the decrypted text; `reads` is how many pieces were asked for.
    ///
    /// # Errors
    /// [`AliroError::Exchange`] for any status but success, [`AliroError::Short`] or [`AliroError::Value`] when the pieces are not those
    /// that were asked for.
    pub fn parse(text: &'a [u8], reads: usize) -> Result<Self, AliroError> {
        let (pieces, [a, b, status @ ..]) = text.split_last_chunk::<STATUS>().ok_or(AliroError::Short)?;
        if [*a, *b] != [0, 2] {
            return Err(AliroError::Value);
        }
        match u16::from_be_bytes(*status) {
            0 => {}
            status => return Err(AliroError::Exchange(status)),
        }
        let answer = Self { pieces };
        let whole = answer.pieces().map(|piece| piece.len() + 2).sum::<usize>() == pieces.len();
        if whole && answer.pieces().count() == reads { Ok(answer) } else { Err(AliroError::Value) }
    }

    /// The pieces in the order of the requests.
    pub fn pieces(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.pieces;
        core::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk()?;
            let (piece, after) = after.split_at_checked(be16(*length))?;
            rest = after;
            Some(piece)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(requests: &[MailboxRequest<'_>], mailbox: &mut [u8], answer: &mut [u8]) -> Result<usize, AliroError> {
        let mut space = [0; 600];
        let mut out = Writer::new(&mut space);
        Request { mailbox: requests, status: Some(ReaderStatus::UNSECURED), notify: Some(&[1]), more: false }.write(&mut out).unwrap();
        let received = Received::parse(out.as_slice())?;
        assert_eq!((received.status, received.notify), (Some(ReaderStatus::UNSECURED), Some(&[1][..])));
        let mut out = Writer::new(answer);
        received.apply(&mut Waiting::default(), mailbox, &mut out).map(|()| out.len())
    }

    #[test]
    fn one_exchange_reads_writes_and_sets() {
        let (mut mailbox, mut answer) = ([9; 8], [0; 64]);
        let requests = [
            MailboxRequest::Write { offset: 0, data: &[1, 2] },
            MailboxRequest::Set { offset: 6, length: 2, value: 5 },
            MailboxRequest::Read { offset: 1, length: 6 },
            MailboxRequest::Read { offset: 8, length: 0 },
        ];
        let length = run(&requests, &mut mailbox, &mut answer).unwrap();
        assert_eq!(mailbox, [1, 2, 9, 9, 9, 9, 5, 5]);
        let parsed = Answer::parse(&answer[..length], 2).unwrap();
        assert!(parsed.pieces().eq([&[2, 9, 9, 9, 9, 5][..], &[]]));
        assert_eq!(Answer::parse(&answer[..length], 1), Err(AliroError::Value));
    }

    #[test]
    fn a_request_beyond_the_end_changes_nothing() {
        for bad in [
            MailboxRequest::Write { offset: 7, data: &[1, 2] },
            MailboxRequest::Set { offset: 9, length: 0, value: 5 },
            MailboxRequest::Read { offset: 0xFFFF, length: 0xFFFF },
        ] {
            let (mut mailbox, mut answer) = ([9; 8], [0; 64]);
            let requests = [MailboxRequest::Write { offset: 0, data: &[1] }, bad];
            assert_eq!(run(&requests, &mut mailbox, &mut answer), Err(AliroError::Mailbox));
            assert_eq!(mailbox, [9; 8]);
        }
        let (mut mailbox, mut answer) = ([9; 8], [0; 8]);
        let requests = [MailboxRequest::Write { offset: 0, data: &[1] }, MailboxRequest::Read { offset: 0, length: 8 }];
        assert_eq!(run(&requests, &mut mailbox, &mut answer), Err(AliroError::Full));
        assert_eq!(mailbox, [9; 8]);
    }

    #[test]
    fn what_several_write_waits_for_the_last_of_them() {
        let mut mailbox = [9; 8];
        let mut waiting = Waiting::default();
        let mut send = |requests: &[MailboxRequest<'_>], more, mailbox: &mut [u8]| {
            let (mut space, mut answer) = ([0; 1000], [0; 64]);
            let mut out = Writer::new(&mut space);
            Request { mailbox: requests, more, ..Request::default() }.write(&mut out).unwrap();
            let mut to = Writer::new(&mut answer);
            let done = Received::parse(out.as_slice()).unwrap().apply(&mut waiting, mailbox, &mut to);
            done.map(|()| (to.as_slice().to_vec(), waiting.is_empty()))
        };
        let ok = [0, 2, 0, 0];
        let read = MailboxRequest::Read { offset: 0, length: 2 };
        assert_eq!(
            send(&[MailboxRequest::Write { offset: 0, data: &[1, 2] }, read], true, &mut mailbox),
            Ok(([&[0, 2, 9, 9][..], &ok].concat(), false))
        );
        assert_eq!(send(&[], false, &mut mailbox), Ok((ok.to_vec(), false)), "without requests it says nothing of the mailbox");
        assert_eq!(send(&[MailboxRequest::Set { offset: 1, length: 2, value: 5 }], true, &mut mailbox), Ok((ok.to_vec(), false)));
        assert_eq!(mailbox, [9; 8]);
        let last = [MailboxRequest::Write { offset: 7, data: &[3] }, read];
        assert_eq!(send(&last, false, &mut mailbox), Ok(([&[0, 2, 1, 5][..], &ok].concat(), true)));
        assert_eq!(mailbox, [1, 5, 5, 9, 9, 9, 9, 3]);
        // One that cannot be done takes those that wait with it; so does one too many.
        assert!(send(&[MailboxRequest::Write { offset: 0, data: &[7] }], true, &mut mailbox).is_ok());
        assert_eq!(send(&[MailboxRequest::Write { offset: 8, data: &[7] }], false, &mut mailbox), Err(AliroError::Mailbox));
        assert_eq!(send(&[read], false, &mut mailbox).map(|(_, empty)| empty), Ok(true));
        assert_eq!(mailbox[0], 1);
        let many = [MailboxRequest::Write { offset: 0, data: &[7] }; 110];
        assert_eq!(send(&many, true, &mut mailbox), Err(AliroError::Full));
        assert_eq!(mailbox[0], 1);
    }

    #[test]
    fn a_status_that_is_no_success_is_told() {
        assert_eq!(Answer::parse(&[0, 2, 0x6A, 0x80], 0), Err(AliroError::Exchange(0x6A80)));
        assert_eq!(Answer::parse(&[0, 3, 0, 0], 0), Err(AliroError::Value));
        assert_eq!(Answer::parse(&[0, 5, 1, 0, 2, 0, 0], 1), Err(AliroError::Value), "a piece is cut");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(text: std::vec::Vec<u8>, mut mailbox: std::vec::Vec<u8>) {
            let _ = Answer::parse(&text, 1);
            let mut space = [0; 32];
            if let Ok(received) = Received::parse(&text) {
                let _ = received.apply(&mut Waiting::default(), &mut mailbox, &mut Writer::new(&mut space));
            }
        }
    }
}
