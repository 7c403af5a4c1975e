//! The flattened rest of an object.
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// JSON members in key order: the details of a warning, the payload of an event, or everything of an object that has
/// no field of its own (the metadata of an access system, members of newer API versions).
///
/// It is a [`BTreeMap`] in every respect but one: `Debug` prints `[redacted]` for members whose name says that they
/// hold a PIN, a token, a link with a token in it or a password, at any depth.
///
/// Do not put a key here that the object has as a field: it would be written twice.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Map(BTreeMap<String, Value>);

impl Map {
    /// No members.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The map with one member more; an earlier one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// The plain map inside.
    #[must_use]
    pub fn into_inner(self) -> BTreeMap<String, Value> {
        self.0
    }
}

impl Deref for Map {
    type Target = BTreeMap<String, Value>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Map {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl From<BTreeMap<String, Value>> for Map {
    fn from(members: BTreeMap<String, Value>) -> Self {
        Self(members)
    }
}

impl<K: Into<String>> FromIterator<(K, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(members: I) -> Self {
        Self(members.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }
}

impl IntoIterator for Map {
    type Item = (String, Value);
    type IntoIter = std::collections::btree_map::IntoIter<String, Value>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a String, &'a Value);
    type IntoIter = std::collections::btree_map::Iter<'a, String, Value>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(key, value)| (key, Member(key, value)))).finish()
    }
}

/// A member as `Debug` may show it.
struct Member<'a>(&'a str, &'a Value);

impl fmt::Debug for Member<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Value::Null => f.write_str("null"),
            _ if is_secret(self.0) => f.write_str("[redacted]"),
            Value::Object(members) => f.debug_map().entries(members.iter().map(|(key, value)| (key, Member(key, value)))).finish(),
            Value::Array(items) => f.debug_list().entries(items.iter().map(|item| Member(self.0, item))).finish(),
            plain => write!(f, "{plain}"),
        }
    }
}

/// Whether a member of this name holds something that opens a door or an account.
fn is_secret(key: &str) -> bool {
    const PLAIN: [&str; 4] = ["error_code", "warning_code", "mutation_code", "reason_code"];
    const WHOLE: [&str; 6] = ["code", "pin", "token", "secret", "password", "instant_key_url"];
    const ENDS: [&str; 5] = ["_code", "_pin", "_token", "_secret", "_password"];
    !PLAIN.contains(&key) && (WHOLE.contains(&key) || ENDS.iter().any(|end| key.ends_with(end)))
}
