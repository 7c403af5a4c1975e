//! The journal: one JSON line for each change, so that the locks of a virtual site remember across a restart.
use super::config::SiteConfig;
use super::encoder::EncoderState;
use super::state::{CardState, LockMemory, LogLine, PhoneState, Room, Row, SiteState, Thing};
use super::world::State;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A row as it is now; a row without content is gone.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Entry {
    Site(Box<SiteConfig>),
    Sequence(String, u64),
    Thing(String, String, Option<Box<Thing>>),
    Lock(String, String, LockMemory),
    Room(String, String, Room),
    Phone(String, String, PhoneState),
    Encoder(String, String, EncoderState),
    Log(String, u64, Option<LogLine>),
    Pending(String, u64, Option<LogLine>),
    Card(String, Option<Box<CardState>>),
    Cards(u64),
}

/// A file that has grown by less than this is not written anew.
const SMALL: u64 = 16 * 1024 * 1024;

/// The open file.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// Bytes when it was last written anew, and since.
    whole: u64,
    grown: u64,
    small: u64,
}

impl Journal {
    /// Reads the file into `state`, writes it anew without what is out of date, and goes on behind that.
    pub(super) fn open(path: &Path, state: &mut State) -> io::Result<Self> {
        let old = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        own(&old)?;
        replay(BufReader::new(&old), state)?;
        Self::anew(path.to_owned(), state)
    }

    /// Writes the whole state into a new file, and puts that into the place of the old one.
    fn anew(path: PathBuf, state: &State) -> io::Result<Self> {
        let mut fresh = path.clone();
        fresh.as_mut_os_string().push(".new");
        let mut out = BufWriter::new(File::create(&fresh)?);
        snapshot(&mut out, state)?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        own(&file)?;
        file.sync_all()?;
        std::fs::rename(&fresh, &path)?;
        let whole = file.metadata()?.len();
        Ok(Self { path, file, whole, grown: 0, small: SMALL })
    }

    /// Writes what was touched as one line.
    pub(super) fn append(&mut self, state: &mut State) -> io::Result<()> {
        let mut entries = Vec::new();
        for site in state.sites.values_mut() {
            for row in std::mem::take(&mut site.touched) {
                entries.push(entry(site, &row));
            }
        }
        for uid in std::mem::take(&mut state.touched_cards) {
            let row = state.cards.get(&uid).cloned().map(Box::new);
            entries.push(Entry::Card(uid, row));
        }
        if std::mem::take(&mut state.touched_count) {
            entries.push(Entry::Cards(state.next_card));
        }
        if entries.is_empty() {
            return Ok(());
        }
        let mut line = serde_json::to_vec(&entries)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.grown += line.len() as u64;
        if self.grown > self.small.max(3 * self.whole) {
            *self = Self { small: self.small, ..Self::anew(self.path.clone(), state)? };
        }
        Ok(())
    }

    /// Makes the file be written anew after so many bytes.
    #[cfg(test)]
    pub(super) fn keep_small(&mut self, bytes: u64) {
        self.small = bytes;
    }
}

/// Two worlds on one file would each undo what the other wrote.
fn own(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|e| match e {
        TryLockError::WouldBlock => io::Error::new(io::ErrorKind::WouldBlock, "another world is open on this file"),
        TryLockError::Error(e) => e,
    })
}

fn entry(site: &SiteState, row: &Row) -> Entry {
    let name = site.config.name.clone();
    match row {
        Row::Config => Entry::Site(Box::new(site.config.clone())),
        Row::Sequence => Entry::Sequence(name, site.sequence),
        Row::Thing(id) => Entry::Thing(name, id.clone(), site.things.get(id).cloned().map(Box::new)),
        Row::Lock(door) => Entry::Lock(name, door.clone(), site.locks.get(door).cloned().unwrap_or_default()),
        Row::Room(door) => Entry::Room(name, door.clone(), site.rooms.get(door).cloned().unwrap_or_default()),
        Row::Phone(phone) => {
            let gone = PhoneState { online: true, enrolled: true, keys: Default::default() };
            Entry::Phone(name, phone.clone(), site.phones.get(phone).cloned().unwrap_or(gone))
        }
        Row::Encoder(encoder) => Entry::Encoder(name, encoder.clone(), site.encoders.get(encoder).cloned().unwrap_or_default()),
        Row::Log(n) => Entry::Log(name, *n, site.log.get(n).cloned()),
        Row::Pending(n) => Entry::Pending(name, *n, site.pending.get(n).cloned()),
    }
}

fn snapshot(out: &mut impl Write, state: &State) -> io::Result<()> {
    let mut line = |entry: Entry| -> io::Result<()> {
        serde_json::to_writer(&mut *out, &[entry])?;
        out.write_all(b"\n")
    };
    for site in state.sites.values() {
        let rows = [Row::Config, Row::Sequence].into_iter();
        let rows = rows.chain(site.things.iter().map(|(id, _)| Row::Thing(id.clone())));
        let rows = rows.chain(site.locks.keys().cloned().map(Row::Lock));
        let rows = rows.chain(site.rooms.keys().cloned().map(Row::Room));
        let rows = rows.chain(site.phones.keys().cloned().map(Row::Phone));
        let rows = rows.chain(site.encoders.keys().cloned().map(Row::Encoder));
        let rows = rows.chain(site.log.keys().copied().map(Row::Log));
        for row in rows.chain(site.pending.keys().copied().map(Row::Pending)) {
            line(entry(site, &row))?;
        }
    }
    for (uid, card) in &state.cards {
        line(Entry::Card(uid.clone(), Some(Box::new(card.clone()))))?;
    }
    line(Entry::Cards(state.next_card))
}

/// A last line without its end is what a killed process left: its change was never answered.
fn replay(mut from: impl BufRead, state: &mut State) -> io::Result<()> {
    let mut line = Vec::new();
    let mut number = 0_u64;
    loop {
        line.clear();
        number += 1;
        if from.read_until(b'\n', &mut line)? == 0 || line.last() != Some(&b'\n') {
            return Ok(());
        }
        let entries: Vec<Entry> = serde_json::from_slice(&line)
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, format!("line {number} of the journal does not decode: {e}")))?;
        for entry in entries {
            apply(entry, state).map_err(|site| {
                let text = format!("line {number} of the journal names the site {site:?}, which was not there before");
                io::Error::new(io::ErrorKind::InvalidData, text)
            })?;
        }
    }
}

fn apply(entry: Entry, state: &mut State) -> Result<(), String> {
    fn at<'a>(state: &'a mut State, site: &str) -> Result<&'a mut SiteState, String> {
        state.sites.get_mut(site).ok_or_else(|| site.to_owned())
    }
    fn set<K: Ord, V>(rows: &mut std::collections::BTreeMap<K, V>, key: K, row: Option<V>) {
        match row {
            Some(row) => rows.insert(key, row),
            None => rows.remove(&key),
        };
    }
    match entry {
        Entry::Site(config) => match state.sites.get_mut(&config.name) {
            Some(site) => site.config = *config,
            None => {
                state.sites.insert(config.name.clone(), SiteState::new(*config, true));
            }
        },
        Entry::Sequence(site, n) => at(state, &site)?.sequence = n,
        Entry::Thing(site, id, row) => at(state, &site)?.things.set(&id, row.map(|r| *r)),
        Entry::Lock(site, door, row) => set(&mut at(state, &site)?.locks, door, Some(row)),
        Entry::Room(site, door, row) => set(&mut at(state, &site)?.rooms, door, Some(row)),
        Entry::Phone(site, phone, row) => set(&mut at(state, &site)?.phones, phone, Some(row)),
        Entry::Encoder(site, encoder, row) => set(&mut at(state, &site)?.encoders, encoder, Some(row)),
        Entry::Log(site, n, row) => set(&mut at(state, &site)?.log, n, row),
        Entry::Pending(site, n, row) => set(&mut at(state, &site)?.pending, n, row),
        Entry::Card(uid, row) => set(&mut state.cards, uid, row.map(|r| *r)),
        Entry::Cards(n) => state.next_card = n,
    }
    Ok(())
}
