//! How an object is held against its table of fields.
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Debug;

/// What the field table of an object says.
pub(super) struct Table {
    /// An object with every field of the table, the additive ones included.
    pub(super) full: Value,
    /// The fields that are always written.
    pub(super) required: &'static [&'static str],
    /// Those of them that may be null.
    pub(super) null: &'static [&'static str],
    /// Fields that the table calls optional and that are written all the same, with what they say without a value.
    pub(super) always: Value,
}

/// Reads, writes, reads again; what was written.
pub(super) fn round<T: DeserializeOwned + Serialize + PartialEq + Debug>(json: &Value) -> Value {
    let object: T = serde_json::from_value(json.clone()).unwrap_or_else(|e| panic!("{e} in {json:#}"));
    let written = serde_json::to_value(&object).unwrap();
    let again: T = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(again, object);
    // As text as well: a member that is written twice would be lost on the way through a `Value`.
    let text = serde_json::to_string(&object).unwrap();
    for key in written.as_object().unwrap().keys() {
        let top_level = serde_json::from_str::<Members>(&text).unwrap().0;
        assert_eq!(top_level.iter().filter(|other| *other == key).count(), 1, "{key} in {text}");
    }
    written
}

/// The names of the members of an object, repeated ones included.
struct Members(Vec<String>);

impl<'de> serde::Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> serde::de::Visitor<'de> for Visit {
            type Value = Members;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut names = Vec::new();
                while let Some((name, _)) = map.next_entry::<String, serde::de::IgnoredAny>()? {
                    names.push(name);
                }
                Ok(Members(names))
            }
        }
        deserializer.deserialize_map(Visit)
    }
}

fn only(full: &Value, keys: &[&str]) -> Value {
    let members = full.as_object().unwrap();
    for key in keys {
        assert!(members.contains_key(*key), "the sample has no {key}");
    }
    members.iter().filter(|(key, _)| keys.contains(&key.as_str())).map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// Holds an object against its table.
pub(super) fn check<T: DeserializeOwned + Serialize + PartialEq + Debug>(table: &Table) {
    let Table { full, required, null, always } = table;
    // Everything comes back as it was.
    assert_eq!(round::<T>(full), *full);

    // What this version does not know comes back too, whatever its shape.
    let mut unknown = full.clone();
    unknown["acme_metadata"] = json!({ "door": 7, "nested": { "list": [1, 2.5, "x", null, true] } });
    unknown["from_the_future"] = json!([null, -1, 18_446_744_073_709_551_615_u64]);
    unknown["null_from_the_future"] = Value::Null;
    assert_eq!(round::<T>(&unknown), unknown);

    // The least object has exactly the required fields.
    let least = only(full, required);
    let mut expected = least.clone();
    for (key, value) in always.as_object().unwrap() {
        expected[key] = value.clone();
    }
    assert_eq!(round::<T>(&least), expected);

    // Optional fields that come as null are absent afterwards.
    let mut nulls = least.clone();
    for key in full.as_object().unwrap().keys().filter(|key| !required.contains(&key.as_str())) {
        if !matches!(full[key], Value::Bool(_) | Value::Array(_)) && key != "holder" {
            nulls[key] = Value::Null;
        }
    }
    assert_eq!(round::<T>(&nulls), expected);

    // Required fields that may be null are written as null, also when they were absent.
    let mut with_nulls = expected.clone();
    let mut without = least.clone();
    for key in *null {
        with_nulls[key] = Value::Null;
        without.as_object_mut().unwrap().remove(*key);
    }
    assert_eq!(round::<T>(&with_nulls), with_nulls);
    assert_eq!(round::<T>(&without), with_nulls);

    // Required arrays that are absent are read as empty and written.
    let mut bare = least.clone();
    let mut empty = expected.clone();
    for key in required.iter().filter(|key| full[**key].is_array()) {
        bare.as_object_mut().unwrap().remove(*key);
        empty[*key] = json!([]);
    }
    assert_eq!(round::<T>(&bare), empty);
}
