//! Stored notes as warnings and errors of the public model, and small texts.
use crate::model::{Map, ObjectError, Warning};
use crate::state::Note;
use serde_json::Value;

/// JSON members as a map of the model.
pub(super) fn map(members: &serde_json::Map<String, Value>) -> Map {
    members.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// A note as a warning.
pub(super) fn warning(note: &Note) -> Warning {
    Warning { warning_code: note.code.clone(), message: note.message.clone(), created_at: note.at, details: map(&note.details) }
}

/// A note as an error.
pub(super) fn error(note: &Note) -> ObjectError {
    ObjectError { error_code: note.code.clone(), message: note.message.clone(), created_at: note.at, details: map(&note.details) }
}

/// Notes as warnings.
pub(super) fn warnings(notes: &[Note]) -> Vec<Warning> {
    notes.iter().map(warning).collect()
}

/// Notes as errors.
pub(super) fn errors(notes: &[Note]) -> Vec<ObjectError> {
    notes.iter().map(error).collect()
}

/// What an access system says of a thing, under the one name that the model has for it: `<kind>_metadata`.
pub(super) fn metadata(kind: &str, members: &serde_json::Map<String, Value>) -> Map {
    if members.is_empty() { Map::new() } else { Map::new().with(&format!("{kind}_metadata"), Value::Object(members.clone())) }
}

/// A name in snake case as a label: `front_desk` as `Front desk`.
pub(super) fn label(snake: &str) -> String {
    let spaced = snake.replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The first of these that is not blank, else the last resort.
pub(super) fn named<'a>(names: impl IntoIterator<Item = Option<&'a str>>, else_named: &str) -> String {
    names.into_iter().flatten().map(str::trim).find(|name| !name.is_empty()).unwrap_or(else_named).to_owned()
}

/// Adds a warning unless one of that code is there: a stored fact goes before what is derived.
pub(super) fn add(to: &mut Vec<Warning>, warning: Warning) {
    if to.iter().all(|there| there.warning_code != warning.warning_code) {
        to.push(warning);
    }
}
