//! For fuzz targets: what a damaged file may hold.
use super::{codec, document};
use crate::model::WorkspaceId;
use crate::state::{AuditEntry, Body};
use serde_json::Value;
use uuid::Uuid;

pub(crate) fn document(bytes: &[u8]) {
    let (id, workspace) = (Uuid::from_u128(1), WorkspaceId::from_uuid(Uuid::from_u128(2)));
    if let Ok(row) = codec::row(id, workspace, 3, bytes) {
        let again = codec::document(&row.body).expect("it was read");
        assert_eq!(document::read::<Body>(&again).expect("it was written"), row.body);
    }
    if let Ok(entry) = document::read::<AuditEntry>(bytes) {
        let again = codec::document(&entry).expect("it was read");
        assert_eq!(document::read::<AuditEntry>(&again).expect("it was written"), entry);
    }
    if let Ok(value) = document::read::<Value>(bytes) {
        let again = codec::document(&value).expect("it was read");
        assert_eq!(document::read::<Value>(&again).expect("it was written"), value);
        // The model is JSON's: the detour over a text is the same, but for the last bit of a fraction, which the reader of the text rounds.
        let text = serde_json::to_string(&value).expect("it has a text");
        let detour: Value = serde_json::from_str(&text).expect("it is JSON");
        assert!(has_fraction(&value) || detour == value, "{text}");
    }
    if let Some(rows) = codec::read_wrote(bytes) {
        assert_eq!(codec::read_wrote(&codec::wrote(rows.iter().copied())), Some(rows));
    }
    if let Some(at) = codec::read_instant(bytes) {
        assert_eq!(codec::read_instant(&codec::instant(at)), Some(at));
    }
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(values) => values.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        _ => false,
    }
}

pub(crate) fn document_of(json: &Value) -> Option<Vec<u8>> {
    let document = codec::document(json).ok()?;
    assert_eq!(&document::read::<Value>(&document).expect("it was written"), json);
    Some(document)
}
