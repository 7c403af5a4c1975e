//! How values are packed into columns.
use super::errors::corrupt;
use crate::error::Result;
use crate::model::WorkspaceId;
use crate::state::{Body, Row, RowId};
use chrono::{DateTime, Utc};
use rusqlite::types::{Value, ValueRef};
use std::sync::Arc;
use uuid::Uuid;

/// An instant in 12 bytes that sort like it: seconds with the sign turned, then nanoseconds.
pub(super) fn instant(at: DateTime<Utc>) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&(at.timestamp() ^ i64::MIN).to_be_bytes());
    bytes[8..].copy_from_slice(&at.timestamp_subsec_nanos().to_be_bytes());
    bytes
}

/// An instant in few bytes: whole seconds as a number.
pub(super) fn moment(at: DateTime<Utc>) -> Value {
    if at.timestamp_subsec_nanos() == 0 { Value::Integer(at.timestamp()) } else { Value::Blob(instant(at).to_vec()) }
}

/// An end in few bytes; none is empty.
pub(super) fn end(at: Option<DateTime<Utc>>) -> Value {
    at.map_or(Value::Blob(Vec::new()), moment)
}

pub(super) fn read_moment(value: ValueRef<'_>) -> Option<DateTime<Utc>> {
    match value {
        ValueRef::Integer(seconds) => DateTime::from_timestamp(seconds, 0),
        ValueRef::Blob(bytes) => read_instant(bytes),
        _ => None,
    }
}

pub(super) fn read_instant(bytes: &[u8]) -> Option<DateTime<Utc>> {
    let seconds = i64::from_be_bytes(bytes.get(..8)?.try_into().ok()?) ^ i64::MIN;
    let nanos = u32::from_be_bytes(bytes.get(8..12)?.try_into().ok()?);
    DateTime::from_timestamp(seconds, nanos)
}

/// An end that was read; the outer `None` when it is none of ours.
pub(super) fn read_end(value: ValueRef<'_>) -> Option<Option<DateTime<Utc>>> {
    if value == ValueRef::Blob(&[]) { Some(None) } else { read_moment(value).map(Some) }
}

/// A look-up key: one that begins with an id in hexadecimal takes half the room.
pub(super) fn key(text: &str) -> Vec<u8> {
    if let Some((head, tail)) = text.split_at_checked(32) {
        let lower = head.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if let (true, Ok(id)) = (lower, Uuid::parse_str(head)) {
            return [&[1], &id.as_bytes()[..], tail.as_bytes()].concat();
        }
    }
    [&[0], text.as_bytes()].concat()
}

pub(super) fn id(bytes: &[u8]) -> Result<Uuid> {
    Uuid::from_slice(bytes).map_err(|_| corrupt("id", format_args!("{} bytes", bytes.len())))
}

/// A value as a document.
pub(super) fn document(value: &impl serde::Serialize) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(512);
    add_document(&mut out, value)?;
    Ok(out)
}

/// Writes a value as a document behind what is there.
pub(super) fn add_document(out: &mut Vec<u8>, value: &impl serde::Serialize) -> Result<()> {
    super::document::write(out, value).map_err(|e| {
        crate::error::Error::new(crate::error::ErrorKind::Internal, "row_has_no_document", "a row cannot be written").with_source(e)
    })
}

/// Reads what [`document`] made.
pub(super) fn read_document<T: serde::de::DeserializeOwned>(bytes: &[u8], bad: impl Fn() -> crate::error::Error) -> Result<T> {
    super::document::read(bytes).map_err(|e| bad().with_source(e))
}

pub(super) fn row(id: RowId, workspace: WorkspaceId, version: i64, document: &[u8]) -> Result<Arc<Row>> {
    let body: Body = read_document(document, || corrupt("row", id))?;
    let version = u64::try_from(version).map_err(|_| corrupt("row", id))?;
    Ok(Arc::new(Row { id, workspace, version, body }))
}

/// Which rows a commit wrote: ids, each with its version in seven-bit groups.
pub(super) fn wrote(rows: impl ExactSizeIterator<Item = (RowId, u64)>) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() * 17);
    for (id, version) in rows {
        out.extend_from_slice(id.as_bytes());
        let mut left = version;
        while left > 0x7f {
            out.push((left & 0x7f) as u8 | 0x80);
            left >>= 7;
        }
        out.push(left as u8);
    }
    out
}

pub(super) fn read_wrote(mut bytes: &[u8]) -> Option<Vec<(RowId, u64)>> {
    let mut rows = Vec::new();
    while !bytes.is_empty() {
        let (head, tail) = bytes.split_at_checked(16)?;
        bytes = tail;
        let mut version = 0u64;
        for shift in (0..64).step_by(7) {
            let (&byte, tail) = bytes.split_first()?;
            bytes = tail;
            version |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        rows.push((Uuid::from_slice(head).ok()?, version));
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_sort_as_bytes() {
        let mut all: Vec<DateTime<Utc>> = [i64::MIN / 1_000_000_000, -1, 0, 1, 1_800_000_000]
            .into_iter()
            .flat_map(|s| [DateTime::from_timestamp(s, 0), DateTime::from_timestamp(s, 999_999_999)])
            .flatten()
            .chain([DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC])
            .collect();
        all.sort();
        assert!(all.windows(2).all(|w| instant(w[0]) < instant(w[1])));
        for at in all {
            assert_eq!(read_instant(&instant(at)), Some(at));
            assert_eq!(read_moment(ValueRef::from(&moment(at))), Some(at));
            assert_eq!(read_end(ValueRef::from(&end(Some(at)))), Some(Some(at)));
        }
        assert_eq!(read_end(ValueRef::from(&end(None))), Some(None));
        assert_eq!(read_end(ValueRef::Blob(&[1, 2])), None);
    }

    #[test]
    fn different_keys_stay_different() {
        let hex = "0123456789abcdef0123456789abcdef";
        let texts = ["", hex, &hex.to_uppercase(), &format!("{hex}/x"), &hex[..31], "0123456789abcdef0123456789abcdeé"];
        let packed: std::collections::BTreeSet<_> = texts.iter().map(|t| key(t)).collect();
        assert_eq!(packed.len(), texts.len());
        assert_eq!(key(hex).len(), 17);
    }

    #[test]
    fn versions_of_any_size_come_back() {
        let rows: Vec<_> = [0, 1, 127, 128, 300, u64::MAX].iter().map(|v| (Uuid::from_u128(u128::from(*v)), *v)).collect();
        assert_eq!(read_wrote(&wrote(rows.iter().copied())), Some(rows));
        assert_eq!(read_wrote(&[1, 2, 3]), None);
    }
}
