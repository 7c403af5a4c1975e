//! What was done, one line per finished operation, so that a replay that was killed is taken up at the next one.
//!
//! A line holds what the oracle has to know and cannot ask again: whether a door opened, what guests were told, what the hotel
//! wants to be reminded of. It is the memory of the guests, beside the state of the SDK and the virtual locks. The guests are not
//! real; a real program would never write a PIN into a file.
use crate::hotel::Memo;
use crate::script::Script;
use crate::world::{GrantNo, Instant};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;

/// What came of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// When it was done, when that was later than it was meant to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Instant>,
    /// For a door: whether it opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<bool>,
    /// What the door said.
    #[serde(skip)]
    pub why: String,
    /// PINs that guests were told on this occasion.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<(GrantNo, String)>,
    /// The guest has no PIN, and all seats of the access system were taken lately.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_seat: bool,
    /// What the hotel wants to be reminded of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memo: Memo,
}

#[derive(Serialize, Deserialize)]
struct Line {
    op: u64,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    replay: u32,
    seed: u64,
    bookings: u64,
    operations: u64,
    digest: u64,
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// It cannot be read or written.
    #[error("the journal cannot be read or written")]
    Io(#[from] io::Error),
    /// It belongs to other bookings, to another seed or to another version of this program.
    #[error("the journal belongs to another replay: other bookings, another seed or another version")]
    Other,
    /// A line in the middle is unreadable.
    #[error("line {0} of the journal is unreadable")]
    Line(u64),
}

/// The journal.
#[derive(Debug)]
pub struct Journal {
    file: File,
    buffer: Vec<u8>,
}

impl Journal {
    /// Opens a journal and reads what was done. What a killed process left of its last line is cut off.
    ///
    /// # Errors
    /// [`JournalError`]: it cannot be used, or belongs to something else. Nothing is changed then.
    pub fn open(path: &Path, script: &Script) -> Result<(Self, Vec<Outcome>), JournalError> {
        let header = Header {
            replay: 1,
            seed: script.seed,
            bookings: script.bookings as u64,
            operations: script.ops.len() as u64,
            digest: script.digest(),
        };
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut lines = BufReader::new(&mut file);
        let (mut done, mut whole, mut line) = (Vec::new(), 0, Vec::new());
        let mut number = 0;
        loop {
            line.clear();
            let read = lines.read_until(b'\n', &mut line)?;
            if line.last() != Some(&b'\n') {
                break;
            }
            number += 1;
            if number == 1 {
                let found: Header = serde_json::from_slice(&line).map_err(|_| JournalError::Other)?;
                if found != header {
                    return Err(JournalError::Other);
                }
            } else {
                let found: Line = serde_json::from_slice(&line).map_err(|_| JournalError::Line(number))?;
                if found.op != done.len() as u64 || found.op >= header.operations {
                    return Err(JournalError::Line(number));
                }
                done.push(found.outcome);
            }
            whole += read as u64;
        }
        drop(lines);
        file.set_len(whole)?;
        file.seek(SeekFrom::Start(whole))?;
        let mut journal = Self { file, buffer: Vec::new() };
        if number == 0 {
            journal.line(&header)?;
        }
        Ok((journal, done))
    }

    /// Writes down that an operation is finished. The line has left the process when this returns.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finished(&mut self, op: usize, outcome: &Outcome) -> Result<(), JournalError> {
        self.line(&Line { op: op as u64, outcome: outcome.clone() })
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), JournalError> {
        self.buffer.clear();
        serde_json::to_writer(&mut self.buffer, line).map_err(io::Error::from)?;
        self.buffer.push(b'\n');
        self.file.write_all(&self.buffer)?;
        Ok(())
    }
}
