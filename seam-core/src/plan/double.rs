//! `Option<Option<T>>` as data: absent, `null`, value.
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[expect(clippy::option_option, clippy::ref_option, reason = "absent, null and a value are three things")]
pub(super) fn serialize<T: Serialize, S: Serializer>(value: &Option<Option<T>>, to: S) -> Result<S::Ok, S::Error> {
    // The outer level is told by a one-element list, so that the same data reads back in any format.
    match value {
        None => to.serialize_none(),
        Some(inner) => [inner].serialize(to),
    }
}
#[expect(clippy::option_option, reason = "absent, null and a value are three things")]
pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Ok(Option::<[Option<T>; 1]>::deserialize(from)?.map(|[inner]| inner))
}
