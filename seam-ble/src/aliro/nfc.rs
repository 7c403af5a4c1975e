//! Long commands and answers over NFC: command chaining, GET RESPONSE, and the parts they leave.
//!
//! Without extended lengths a command carries at most 255 bytes and an answer 256. A longer command goes in parts, each but the last with bit
//! 4 of its class set and each answered `9000`; a longer answer ends with `61xx`, and GET RESPONSE fetches the rest (ISO/IEC 7816-4).

use super::AliroError;
use super::command::{Command, ins};
use crate::apdu::{self, ApduError, Response, Status};
use crate::bytes::{Bytes, Writer};

const CHAINED: u8 = 0x10;
/// The most bytes of data in a short command.
pub const SHORT_COMMAND: usize = 255;
/// The most bytes of data in a short answer; one less than 256, which some phones do not send.
pub const SHORT_ANSWER: usize = 254;

/// The reader's end: cuts a command into parts.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    command: apdu::Command<'a>,
    sent: usize,
    done: bool,
}

impl<'a> Parts<'a> {
    /// Takes a whole command.
    ///
    /// # Errors
    /// [`AliroError::Apdu`] when it is none.
    pub fn new(bytes: &'a [u8]) -> Result<Self, AliroError> {
        Ok(Self { command: apdu::Command::parse(bytes)?, sent: 0, done: false })
    }

    /// Writes the next part; false when all are written.
    ///
    /// # Errors
    /// [`AliroError::Full`].
    pub fn next(&mut self, out: &mut Writer<'_>) -> Result<bool, AliroError> {
        if self.done {
            return Ok(false);
        }
        let rest = &self.command.data[self.sent..];
        let last = rest.len() <= SHORT_COMMAND;
        let data = &rest[..rest.len().min(SHORT_COMMAND)];
        let cla = if last { self.command.cla } else { self.command.cla | CHAINED };
        apdu::Command { cla, data, le: if last { self.command.le.map(|le| le.min(256)) } else { None }, ..self.command }.write(out)?;
        self.sent += data.len();
        self.done = last;
        Ok(true)
    }
}

/// The reader's end: puts an answer together.
#[derive(Debug)]
pub struct Collector<'a> {
    whole: Writer<'a>,
}

/// What a reader does after a part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collected {
    /// Send GET RESPONSE for so many bytes.
    More(u16),
    /// The answer is whole, with its status.
    Whole,
}

impl<'a> Collector<'a> {
    /// Collects into `space`.
    pub fn new(space: &'a mut [u8]) -> Self {
        Self { whole: Writer::new(space) }
    }

    /// Takes a part.
    ///
    /// # Errors
    /// [`AliroError::Apdu`] for a malformed one, or one without data that announces more: such a phone could go on for ever;
    /// [`AliroError::Full`] when the answer is longer than the space.
    pub fn push(&mut self, part: &[u8]) -> Result<Collected, AliroError> {
        let response = Response::parse(part)?;
        self.whole.put(response.data)?;
        match response.status.remaining() {
            Some(_) if response.data.is_empty() => Err(ApduError::Short.into()),
            Some(count) => Ok(Collected::More(count)),
            None => {
                self.whole.put(&response.status.0.to_be_bytes())?;
                Ok(Collected::Whole)
            }
        }
    }

    /// Writes GET RESPONSE for `count` bytes.
    ///
    /// # Errors
    /// [`AliroError::Full`].
    pub fn get_response(count: u16, out: &mut Writer<'_>) -> Result<(), AliroError> {
        Ok(apdu::Command { cla: 0, ins: ins::GET_RESPONSE, p1: 0, p2: 0, data: &[], le: Some(count.into()) }.write(out)?)
    }

    /// The whole answer.
    pub fn finish(self) -> &'a mut [u8] {
        self.whole.finish()
    }
}

/// The phone's end: puts a chained command together, and hands an answer out in parts. Holds up to `N` bytes of either.
#[derive(Debug)]
pub struct Link<const N: usize> {
    command: Bytes<N>,
    header: Option<[u8; 4]>,
    answer: Bytes<N>,
    given: usize,
}

/// What a phone does with a command off the air.
#[derive(Debug)]
pub enum Taken<'l> {
    /// Send what was written; nothing to handle.
    Reply,
    /// Handle this whole command and give its answer to [`Link::answer`].
    Command(&'l mut [u8]),
}

impl<const N: usize> Link<N> {
    /// Nothing held.
    pub const fn new() -> Self {
        Self { command: Bytes::new(), header: None, answer: Bytes::new(), given: 0 }
    }

    /// Takes a command off the air; `out` gets the reply when the link itself replies.
    ///
    /// # Errors
    /// [`AliroError::Full`] when the reply does not fit. A command that cannot be taken is answered with a status.
    pub fn take(&mut self, bytes: &[u8], out: &mut Writer<'_>) -> Result<Taken<'_>, AliroError> {
        let Ok(part) = apdu::Command::parse(bytes) else { return self.refuse(Status::WRONG_LENGTH, out) };
        let header = [part.cla & !CHAINED, part.ins, part.p1, part.p2];
        if Command::parse(bytes) == Ok(Command::GetResponse) {
            // Between the parts of a command it has no place, and without an answer nothing to give.
            if self.header.is_some() || self.given >= self.answer.len() {
                return self.refuse(Status::CONDITIONS, out);
            }
            self.put_part(out)?;
            return Ok(Taken::Reply);
        }
        self.forget_answer();
        match self.header {
            None => self.command.clear(),
            Some(started) if started == header => {}
            Some(_) => return self.refuse(Status::CONDITIONS, out),
        }
        let first = self.header.is_none();
        let chained = part.cla & CHAINED != 0;
        if first && !chained {
            self.command = match Bytes::from_slice(bytes) {
                Ok(command) => command,
                Err(_) => return self.refuse(Status::WRONG_LENGTH, out),
            };
            return Ok(Taken::Command(self.command.as_mut_slice()));
        }
        // Data first; the header of the whole is written when its length is known.
        if self.command.put(part.data).is_err() {
            return self.refuse(Status::WRONG_LENGTH, out);
        }
        if chained {
            self.header = Some(header);
            out.put(&Status::OK.0.to_be_bytes())?;
            return Ok(Taken::Reply);
        }
        self.header = None;
        let data = self.command.clone();
        let [cla, ins, p1, p2] = header;
        let whole = apdu::Command { cla, ins, p1, p2, data: &data, le: part.le };
        if self.command.fill(|out| whole.write(out)).is_err() {
            return self.refuse(Status::WRONG_LENGTH, out);
        }
        Ok(Taken::Command(self.command.as_mut_slice()))
    }

    fn refuse(&mut self, status: Status, out: &mut Writer<'_>) -> Result<Taken<'_>, AliroError> {
        self.command.clear();
        self.header = None;
        self.forget_answer();
        out.put(&status.0.to_be_bytes())?;
        Ok(Taken::Reply)
    }

    fn forget_answer(&mut self) {
        self.answer.clear();
        self.given = 0;
    }

    /// Takes the whole answer to a command and writes its first part.
    ///
    /// # Errors
    /// [`AliroError::Full`] when the answer is longer than `N`; the reader then gets a status.
    pub fn answer(&mut self, whole: &[u8], out: &mut Writer<'_>) -> Result<(), AliroError> {
        self.command.clear();
        self.forget_answer();
        if whole.len() <= SHORT_ANSWER + 2 {
            return Ok(out.put(whole)?);
        }
        if self.answer.put(whole).is_err() {
            out.put(&Status::WRONG_LENGTH.0.to_be_bytes())?;
            return Err(AliroError::Full);
        }
        self.put_part(out)
    }

    fn put_part(&mut self, out: &mut Writer<'_>) -> Result<(), AliroError> {
        let rest = &self.answer[self.given..];
        if rest.len() <= SHORT_ANSWER + 2 {
            out.put(rest)?;
            self.forget_answer();
            return Ok(());
        }
        out.put(&rest[..SHORT_ANSWER])?;
        self.given += SHORT_ANSWER;
        let left = self.answer.len() - self.given - 2;
        let count = u8::try_from(left.min(SHORT_ANSWER)).unwrap_or(0);
        Ok(out.put(&[0x61, count])?)
    }
}

impl<const N: usize> Default for Link<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    /// Sends a command of `command` bytes of data through both ends and an answer of `answer` bytes back.
    fn through(command: usize, answer: usize) -> (usize, Vec<u8>) {
        let data = vec![7; command];
        let mut space = vec![0; command + 16];
        let mut out = Writer::new(&mut space);
        apdu::Command { cla: 0, ins: 0xC3, p1: 0, p2: 0, data: &data, le: Some(256) }.write(&mut out).unwrap();
        let (mut parts, mut link, mut frames) = (Parts::new(out.as_slice()).unwrap(), Link::<2048>::new(), 0);
        let (mut whole, mut reply) = (vec![0; answer + 2], Vec::new());
        loop {
            let (mut frame, mut back) = ([0; 270], [0; 270]);
            let (mut frame, mut back) = (Writer::new(&mut frame), Writer::new(&mut back));
            if !parts.next(&mut frame).unwrap() {
                break;
            }
            frames += 1;
            if let Taken::Command(command_seen) = link.take(frame.as_slice(), &mut back).unwrap() {
                assert_eq!(apdu::data_mut(command_seen).unwrap(), &data);
                let mut answered = vec![9; answer];
                answered.extend([0x90, 0]);
                link.answer(&answered, &mut back).unwrap();
                reply = back.as_slice().to_vec();
            } else {
                assert_eq!(back.as_slice(), [0x90, 0]);
            }
        }
        let mut collector = Collector::new(&mut whole);
        while let Collected::More(count) = collector.push(&reply).unwrap() {
            let (mut frame, mut back) = ([0; 8], [0; 270]);
            let (mut frame, mut back) = (Writer::new(&mut frame), Writer::new(&mut back));
            Collector::get_response(count, &mut frame).unwrap();
            assert!(matches!(link.take(frame.as_slice(), &mut back).unwrap(), Taken::Reply));
            reply = back.as_slice().to_vec();
            frames += 1;
        }
        (frames, collector.finish().to_vec())
    }

    #[test]
    fn long_commands_and_answers_go_in_parts_and_come_whole() {
        for (command, answer, frames) in [(1, 0, 1), (255, 254, 1), (256, 255, 3), (510, 508, 3), (511, 509, 5), (1500, 1500, 11)] {
            let (needed, whole) = through(command, answer);
            assert_eq!(needed, frames, "{command} {answer}");
            assert_eq!(whole.len(), answer + 2);
            assert!(whole[..answer].iter().all(|byte| *byte == 9));
        }
    }

    #[test]
    fn a_chain_that_changes_its_command_is_refused_whole() {
        let mut link = Link::<64>::new();
        let mut send = |bytes: &[u8]| {
            let mut back = [0; 16];
            let mut back = Writer::new(&mut back);
            match link.take(bytes, &mut back).unwrap() {
                Taken::Reply => back.as_slice().to_vec(),
                Taken::Command(command) => command.to_vec(),
            }
        };
        assert_eq!(send(&[0x10, 0xC3, 0, 0, 1, 7]), [0x90, 0]);
        assert_eq!(send(&[0x00, 0xC0, 0, 0, 0]), [0x69, 0x85], "GET RESPONSE between parts");
        assert_eq!(send(&[0x10, 0xC3, 0, 0, 1, 7]), [0x90, 0]);
        assert_eq!(send(&[0x90, 0xC9, 0, 0, 1, 7]), [0x69, 0x85], "another command");
        assert_eq!(send(&[0x00, 0xC3, 0, 0, 1, 8, 0]), [0x00, 0xC3, 0, 0, 1, 8, 0], "nothing of the chain is left");
        assert_eq!(send(&[0x00, 0xC0, 0, 0, 0]), [0x69, 0x85], "no answer to give");
        assert_eq!(send(&[&[0x10, 0xC3, 0, 0, 60][..], &[1; 60]].concat()), [0x90, 0]);
        assert_eq!(send(&[&[0x10, 0xC3, 0, 0, 60][..], &[1; 60]].concat()), [0x67, 0], "longer than the link holds");
        assert_eq!(send(&[0x00]), [0x67, 0]);
    }

    #[test]
    fn a_phone_that_announces_more_and_gives_nothing_is_left() {
        let mut space = [0; 8];
        assert_eq!(Collector::new(&mut space).push(&[0x61, 0x10]), Err(ApduError::Short.into()));
    }

    proptest::proptest! {
        #[test]
        fn no_frames_make_it_panic(frames: Vec<Vec<u8>>) {
            let mut link = Link::<64>::new();
            for frame in frames {
                let mut back = [0; 300];
                let mut out = Writer::new(&mut back);
                let command = matches!(link.take(&frame, &mut out), Ok(Taken::Command(_)));
                if command {
                    let _ = link.answer(&frame, &mut out);
                }
            }
        }
    }
}
