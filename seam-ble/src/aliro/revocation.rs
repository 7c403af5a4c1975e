//! What an element of a Revocation Document says: keys and names that are void. Keys: chapter 7.6 as the CSA's actuator writes them.

use super::{DocumentError, Instant};
use crate::bytes::Writer;
use crate::cbor::{self, CborError, Reader as CborReader};

/// One entry: by key, by name, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// SHA-256 over the credential's uncompressed public key.
    pub key_hash: Option<[u8; 32]>,
    /// What [`super::access_data::AccessData::id`] says, at most 16 bytes.
    pub id: Option<&'a [u8]>,
    /// When the lock may forget it, because the credential is over anyway.
    pub expires: Option<Instant>,
}

impl<'a> Entry<'a> {
    fn parse(reader: &mut CborReader<'a>) -> Result<Self, DocumentError> {
        let [key_hash, id, expires] = reader.int_map()?;
        let hash = |mut reader: CborReader<'_>| reader.bytes()?.try_into().map_err(|_| DocumentError::Value);
        let entry = Self {
            key_hash: key_hash.map(hash).transpose()?,
            id: id.map(|mut reader| reader.bytes()).transpose()?,
            expires: expires
                .map(|mut reader| {
                    reader.tag(1)?;
                    i64::try_from(reader.uint()?).map(Instant).map_err(|_| DocumentError::Time)
                })
                .transpose()?,
        };
        let named = entry.key_hash.is_some() || entry.id.is_some_and(|id| !id.is_empty());
        if named && entry.id.is_none_or(|id| id.len() <= 16) { Ok(entry) } else { Err(DocumentError::Value) }
    }

    fn put(&self, out: &mut Writer<'_>) -> Result<(), DocumentError> {
        let fields = [self.key_hash.is_some(), self.id.is_some(), self.expires.is_some()];
        cbor::put_map(out, fields.iter().filter(|present| **present).count())?;
        if let Some(hash) = &self.key_hash {
            cbor::put_uint(out, 0)?;
            cbor::put_bytes(out, hash)?;
        }
        if let Some(id) = self.id {
            cbor::put_uint(out, 1)?;
            cbor::put_bytes(out, id)?;
        }
        if let Some(expires) = self.expires {
            cbor::put_uint(out, 2)?;
            cbor::put_tag(out, 1)?;
            cbor::put_uint(out, u64::try_from(expires.0).map_err(|_| DocumentError::Time)?)?;
        }
        Ok(())
    }
}

/// Whether the entries replace all of this issuer that the lock holds, or change them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// 0.
    Replace,
    /// 1: add the entries, then take those to be removed away.
    Update,
}

/// What an element says.
#[derive(Clone, Debug)]
pub struct RevocationData<'a> {
    /// How to apply it.
    pub mode: Mode,
    entries: Option<CborReader<'a>>,
    removed: Option<CborReader<'a>>,
}

impl<'a> RevocationData<'a> {
    /// Reads an element's value; all entries are well formed afterwards.
    ///
    /// # Errors
    /// [`DocumentError::Cbor`], [`DocumentError::Version`], [`DocumentError::Value`], [`DocumentError::Unsupported`] with extensions: whether
    /// one of them lifts an entry cannot be known.
    pub fn parse(value: &'a [u8]) -> Result<Self, DocumentError> {
        let mut reader = CborReader::new(value);
        let [version, mode, entries, removed, extensions] = reader.int_map()?;
        reader.end()?;
        if version.ok_or(CborError::Missing)?.uint()? != 1 {
            return Err(DocumentError::Version);
        }
        if extensions.is_some() {
            return Err(DocumentError::Unsupported("extensions of a Revocation Document"));
        }
        let mode = match mode.map_or(Ok(0), |mut mode| mode.uint())? {
            0 => Mode::Replace,
            1 => Mode::Update,
            _ => return Err(DocumentError::Value),
        };
        let data = Self { mode, entries, removed };
        data.entries(|_| Ok(()))?;
        let mut some = false;
        data.removed(|_| {
            some = true;
            Ok(())
        })?;
        if some && mode == Mode::Replace { Err(DocumentError::Value) } else { Ok(data) }
    }

    /// Calls `act` for each entry that is void from now on.
    ///
    /// # Errors
    /// What `act` reports.
    pub fn entries(&self, act: impl FnMut(Entry<'a>) -> Result<(), DocumentError>) -> Result<(), DocumentError> {
        each(self.entries.clone(), act)
    }

    /// Calls `act` for each entry that is no longer void.
    ///
    /// # Errors
    /// What `act` reports.
    pub fn removed(&self, act: impl FnMut(Entry<'a>) -> Result<(), DocumentError>) -> Result<(), DocumentError> {
        each(self.removed.clone(), act)
    }
}

fn each<'a>(reader: Option<CborReader<'a>>, mut act: impl FnMut(Entry<'a>) -> Result<(), DocumentError>) -> Result<(), DocumentError> {
    let Some(mut reader) = reader else { return Ok(()) };
    (0..reader.array()?).try_for_each(|_| act(Entry::parse(&mut reader)?))
}

/// Writes an element's value.
///
/// # Errors
/// [`DocumentError::Full`]; [`DocumentError::Value`] when a replacement removes.
pub fn write(mode: Mode, entries: &[Entry<'_>], removed: &[Entry<'_>], out: &mut Writer<'_>) -> Result<(), DocumentError> {
    if mode == Mode::Replace && !removed.is_empty() {
        return Err(DocumentError::Value);
    }
    cbor::put_map(out, 3 + usize::from(!removed.is_empty()))?;
    cbor::put_uint(out, 0)?;
    cbor::put_uint(out, 1)?;
    cbor::put_uint(out, 1)?;
    cbor::put_uint(out, u64::from(mode == Mode::Update))?;
    cbor::put_uint(out, 2)?;
    cbor::put_array(out, entries.len())?;
    entries.iter().try_for_each(|entry| entry.put(out))?;
    if !removed.is_empty() {
        cbor::put_uint(out, 3)?;
        cbor::put_array(out, removed.len())?;
        removed.iter().try_for_each(|entry| entry.put(out))?;
    }
    Ok(())
}
