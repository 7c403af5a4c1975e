//! The settings of a file: how its bytes travel, who may do what, and what is mirrored into it (NT4H2421Gx sections 8.2.3 and 10.7).
use super::sdm::{Encrypted, Identity, Mirror, Sdm};
use crate::error::CardError;

pub use crate::desfire::CommMode;

/// A key of the application: 0 (the master) to 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyNo(u8);

impl KeyNo {
    /// The application's master key: it changes keys, its own included.
    pub const MASTER: Self = Self(0);

    /// A key number.
    ///
    /// # Errors
    /// [`CardError::Invalid`]: above 4.
    pub fn new(number: u8) -> Result<Self, CardError> {
        if number <= 4 { Ok(Self(number)) } else { Err(CardError::Invalid("an NTAG 424 has keys 0 to 4")) }
    }
    /// The number.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

/// Who may do one thing with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever proved this key.
    Key(KeyNo),
    /// Anybody.
    Free,
    /// Nobody.
    Never,
}

impl Access {
    fn nibble(self) -> u8 {
        match self {
            Self::Key(key) => key.number(),
            Self::Free => 0xe,
            Self::Never => 0xf,
        }
    }
    fn parse(nibble: u8) -> Result<Self, CardError> {
        match nibble & 0xf {
            0xe => Ok(Self::Free),
            0xf => Ok(Self::Never),
            key => KeyNo::new(key).map(Self::Key).map_err(|_| CardError::Garbage("a right of a key that does not exist")),
        }
    }
}

/// Who may read, write, do both, and change these settings. Either of two rights suffices for reading and for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Read.
    pub read: Access,
    /// Write.
    pub write: Access,
    /// Read and write.
    pub read_write: Access,
    /// Change the settings.
    pub change: Access,
}

impl Rights {
    /// Everything for the master key alone.
    pub const MASTER: Self = {
        let master = Access::Key(KeyNo::MASTER);
        Self { read: master, write: master, read_write: master, change: master }
    };

    fn word(self) -> [u8; 2] {
        [self.read_write.nibble() << 4 | self.change.nibble(), self.read.nibble() << 4 | self.write.nibble()]
    }
    fn parse([low, high]: [u8; 2]) -> Result<Self, CardError> {
        Ok(Self {
            read: Access::parse(high >> 4)?,
            write: Access::parse(high)?,
            read_write: Access::parse(low >> 4)?,
            change: Access::parse(low)?,
        })
    }
    /// How a holder of `key` (or nobody) reaches a file with this pair of rights: `None` not at all, `Some(true)` under the protection of its
    /// settings, `Some(false)` in clear, because only the right of everybody allows it (NT4H2421Gx section 8.2.3.3).
    pub(super) fn reached_by(key: Option<KeyNo>, one: Access, other: Access) -> Option<bool> {
        if key.is_some_and(|key| [one, other].contains(&Access::Key(key))) {
            Some(true)
        } else {
            [one, other].contains(&Access::Free).then_some(false)
        }
    }
}

/// The settings of a file that can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSettings {
    /// How its bytes travel.
    pub mode: CommMode,
    /// Who may do what.
    pub rights: Rights,
    /// What is mirrored into it when somebody without a key reads it.
    pub sdm: Option<Sdm>,
}

impl FileSettings {
    /// The bytes of `ChangeFileSettings` after the file number (NT4H2421Gx table 69).
    ///
    /// # Errors
    /// [`CardError::Invalid`]: mirrors that the card would refuse.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CardError> {
        let mut out = vec![self.mode.wire() | u8::from(self.sdm.is_some()) << 6];
        out.extend(self.rights.word());
        if let Some(sdm) = &self.sdm {
            sdm.check()?;
            write_sdm(sdm, &mut out);
        }
        Ok(out)
    }

    /// Reads the answer of `GetFileSettings` (NT4H2421Gx table 73): the settings and the size of the file in bytes.
    ///
    /// # Errors
    /// [`CardError::Garbage`]: not such an answer. [`CardError::Unsupported`]: mirrors that are not known here (tag tamper; a counter that is
    /// counted and not mirrored).
    pub fn parse(bytes: &[u8]) -> Result<(Self, u32), CardError> {
        let mut input = Input(bytes);
        let [kind, option] = input.array()?;
        let rights = Rights::parse(input.array()?)?;
        let size = input.u24()?;
        if kind != 0 || option & 0b1011_1100 != 0 {
            return Err(CardError::Garbage("settings of a file that this card does not have"));
        }
        let mode = CommMode::from_wire(option);
        let sdm = if option & 0x40 == 0 { None } else { Some(read_sdm(&mut input)?) };
        if !input.0.is_empty() {
            return Err(CardError::Garbage("settings of a file that are too long"));
        }
        Ok((Self { mode, rights, sdm }, size))
    }
}

const UID: u8 = 0x80;
const COUNTER: u8 = 0x40;
const LIMIT: u8 = 0x20;
const ENCRYPTED: u8 = 0x10;
const TAMPER: u8 = 0x08;
/// Hexadecimal digits: the only encoding that there is.
const ASCII: u8 = 0x01;

fn write_sdm(sdm: &Sdm, out: &mut Vec<u8>) {
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    let data = sdm.mirror.and_then(|mirror| mirror.data);
    out.push(
        flag(sdm.identity.has_uid(), UID)
            | flag(sdm.identity.has_counter(), COUNTER)
            | flag(sdm.counter_limit.is_some(), LIMIT)
            | flag(data.is_some(), ENCRYPTED)
            | ASCII,
    );
    let meta = match sdm.identity {
        Identity::None => 0xf,
        Identity::Plain { .. } => 0xe,
        Identity::Encrypted(Encrypted { key, .. }) => key.number(),
    };
    let file = sdm.mirror.map_or(0xf, |mirror| mirror.key.number());
    out.extend([0xf0 | sdm.counter_read.nibble(), meta << 4 | file]);
    let mut offset = |value: u32| out.extend_from_slice(&value.to_le_bytes()[..3]);
    match sdm.identity {
        Identity::None => {}
        Identity::Plain { uid, counter } => uid.into_iter().chain(counter).for_each(&mut offset),
        Identity::Encrypted(Encrypted { offset: at, .. }) => offset(at),
    }
    if let Some(mirror) = sdm.mirror {
        offset(mirror.covers_from);
        if let Some(data) = data {
            offset(data.offset);
            offset(data.length);
        }
        offset(mirror.mac_at);
    }
    if let Some(limit) = sdm.counter_limit {
        offset(limit);
    }
}

fn read_sdm(input: &mut Input<'_>) -> Result<Sdm, CardError> {
    let [options, low, high] = input.array()?;
    if options & TAMPER != 0 {
        return Err(CardError::Unsupported("mirroring of the tag tamper status"));
    }
    if options & 0x07 != ASCII || low & 0xf0 != 0xf0 {
        return Err(CardError::Garbage("reserved bits in the settings of a mirror"));
    }
    let has = |bit: u8| options & bit != 0;
    let identity = match (high >> 4, has(UID), has(COUNTER)) {
        (0xf, ..) => Identity::None,
        (0xe, uid, counter) => {
            let uid = if uid { Some(input.u24()?) } else { None };
            let counter = if counter { Some(input.u24()?) } else { None };
            if counter == Some(0x00ff_ffff) {
                return Err(CardError::Unsupported("a read counter that is counted and not mirrored"));
            }
            Identity::Plain { uid, counter }
        }
        (key, uid, counter) => {
            let key = KeyNo::new(key).map_err(|_| CardError::Garbage("a mirror with a key that does not exist"))?;
            Identity::Encrypted(Encrypted { key, offset: input.u24()?, uid, counter })
        }
    };
    let mirror = match high & 0xf {
        0xf => None,
        key => {
            let key = KeyNo::new(key).map_err(|_| CardError::Garbage("a mirror with a key that does not exist"))?;
            let covers_from = input.u24()?;
            let data = if has(ENCRYPTED) { Some(super::sdm::Region { offset: input.u24()?, length: input.u24()? }) } else { None };
            Some(Mirror { key, covers_from, data, mac_at: input.u24()? })
        }
    };
    let counter_limit = if has(LIMIT) { Some(input.u24()?) } else { None };
    Ok(Sdm { identity, mirror, counter_limit, counter_read: Access::parse(low)? })
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], CardError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(CardError::Garbage("settings of a file that are too short"))?;
        self.0 = rest;
        Ok(*head)
    }
    fn u24(&mut self) -> Result<u32, CardError> {
        let [a, b, c] = self.array()?;
        Ok(u32::from_le_bytes([a, b, c, 0]))
    }
}
