//! What the card keeps without power.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::status::{BOUNDARY, PARAMETER, Refusal};

/// A key with its version.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct StoredKey {
    pub bytes: Vec<u8>,
    pub version: u8,
}

/// The card itself (application 0), or an application.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Application {
    pub settings: u8,
    /// 00, 40 or 80.
    pub kind: u8,
    pub keys: Vec<StoredKey>,
    pub files: BTreeMap<u8, File>,
}

#[derive(Clone, Deserialize, Serialize)]
pub(super) struct File {
    pub mode: u8,
    pub rights: u16,
    pub content: Content,
}

/// What a file holds, and what waits for a commit.
#[derive(Clone, Deserialize, Serialize)]
pub(super) enum Content {
    Standard(Vec<u8>),
    Backup { kept: Vec<u8>, pending: Option<Vec<u8>> },
    Value { lower: i32, upper: i32, kept: i32, options: u8, back: i32, pending: Option<i32>, debited: i32 },
    Records { is_cyclic: bool, size: usize, max: usize, kept: Vec<Vec<u8>>, pending: Option<Pending> },
    TransactionMac { key: Vec<u8>, version: u8, counter: u32, value: [u8; 8] },
}

/// Changes of a file of records.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(super) struct Pending {
    pub is_cleared: bool,
    pub record: Option<Vec<u8>>,
}

impl Application {
    pub(super) fn new(settings: u8, kind: u8, keys: u8) -> Self {
        let length = if kind == 0x40 { 24 } else { 16 };
        let key = StoredKey { bytes: vec![0; length], version: 0 };
        Self { settings, kind, keys: vec![key; keys.into()], files: BTreeMap::new() }
    }
    /// Drops what waits for a commit.
    pub(super) fn roll_back(&mut self) {
        for file in self.files.values_mut() {
            match &mut file.content {
                Content::Backup { pending, .. } => *pending = None,
                Content::Value { pending, debited, .. } => {
                    *pending = None;
                    *debited = 0;
                }
                Content::Records { pending, .. } => *pending = None,
                Content::Standard(_) | Content::TransactionMac { .. } => {}
            }
        }
    }
    /// Makes it final; whether there was anything.
    pub(super) fn commit(&mut self) -> bool {
        let mut any = false;
        for file in self.files.values_mut() {
            match &mut file.content {
                Content::Backup { kept, pending } => {
                    if let Some(new) = pending.take() {
                        *kept = new;
                        any = true;
                    }
                }
                Content::Value { kept, pending, back, debited, .. } => {
                    if let Some(new) = pending.take() {
                        *kept = new;
                        *back = std::mem::take(debited);
                        any = true;
                    }
                }
                Content::Records { is_cyclic, max, kept, pending, .. } => {
                    if let Some(pending) = pending.take() {
                        if pending.is_cleared {
                            kept.clear();
                        }
                        kept.extend(pending.record);
                        // A cyclic file needs one record to write the next into.
                        if *is_cyclic && kept.len() >= *max {
                            kept.remove(0);
                        }
                        any = true;
                    }
                }
                Content::Standard(_) | Content::TransactionMac { .. } => {}
            }
        }
        any
    }
    pub(super) fn bytes(&self) -> usize {
        self.files.values().map(File::bytes).sum::<usize>() + 32 * self.keys.len()
    }
}

impl File {
    pub(super) fn bytes(&self) -> usize {
        let bytes = match &self.content {
            Content::Standard(bytes) => bytes.len(),
            Content::Backup { kept, .. } => 2 * kept.len(),
            Content::Value { .. } | Content::TransactionMac { .. } => 32,
            Content::Records { size, max, .. } => size * max,
        };
        bytes.next_multiple_of(32)
    }
    pub(super) fn read(&self, offset: usize, length: usize) -> Result<Vec<u8>, Refusal> {
        let bytes = match &self.content {
            Content::Standard(bytes) | Content::Backup { kept: bytes, .. } => bytes,
            Content::TransactionMac { counter, value, .. } => return slice(&[&counter.to_le_bytes()[..], value].concat(), offset, length),
            Content::Value { .. } | Content::Records { .. } => return Err(PARAMETER),
        };
        slice(bytes, offset, length)
    }
    pub(super) fn write(&mut self, offset: usize, data: &[u8]) -> Result<(), Refusal> {
        let target = match &mut self.content {
            Content::Standard(bytes) => bytes,
            Content::Backup { kept, pending } => pending.get_or_insert_with(|| kept.clone()),
            Content::Value { .. } | Content::Records { .. } | Content::TransactionMac { .. } => return Err(PARAMETER),
        };
        target.get_mut(offset..offset + data.len()).ok_or(BOUNDARY)?.copy_from_slice(data);
        Ok(())
    }
    /// How much can be written in all; for a file of records, in one record.
    pub(super) fn room(&self) -> Result<usize, Refusal> {
        match &self.content {
            Content::Standard(bytes) | Content::Backup { kept: bytes, .. } => Ok(bytes.len()),
            Content::Records { size, .. } => Ok(*size),
            Content::Value { .. } | Content::TransactionMac { .. } => Err(PARAMETER),
        }
    }
    pub(super) fn settings(&self, kind: u8) -> Vec<u8> {
        let three = |number: usize| (number as u32).to_le_bytes()[..3].to_vec();
        let mut out = vec![kind, self.mode];
        out.extend(self.rights.to_le_bytes());
        match &self.content {
            Content::Standard(bytes) | Content::Backup { kept: bytes, .. } => out.extend(three(bytes.len())),
            Content::Value { lower, upper, back, options, .. } => {
                [lower, upper, back].iter().for_each(|number| out.extend(number.to_le_bytes()));
                out.push(*options);
            }
            Content::Records { size, max, kept, .. } => [*size, *max, kept.len()].iter().for_each(|number| out.extend(three(*number))),
            Content::TransactionMac { version, .. } => out.extend([0x02, *version]),
        }
        out
    }
    pub(super) fn kind(&self) -> u8 {
        match &self.content {
            Content::Standard(_) => 0,
            Content::Backup { .. } => 1,
            Content::Value { .. } => 2,
            Content::Records { is_cyclic: false, .. } => 3,
            Content::Records { is_cyclic: true, .. } => 4,
            Content::TransactionMac { .. } => 5,
        }
    }
}

fn slice(bytes: &[u8], offset: usize, length: usize) -> Result<Vec<u8>, Refusal> {
    let end = if length == 0 { bytes.len() } else { offset + length };
    bytes.get(offset..end).map(<[u8]>::to_vec).ok_or(BOUNDARY)
}
