//! Instants on the wire: UTC, RFC 3339, whole milliseconds, `Z`.
//!
//! The modules here are for `#[serde(with = "...")]`: [`instant`] for a field that always has a value, [`option`] for
//! one that may be null or absent. Reading takes any offset and any precision; the value is turned to UTC and cut to
//! the millisecond, so that what was read is written back unchanged.
use chrono::{DateTime, SecondsFormat, Utc};

/// An instant as text, for example `2026-03-29T01:00:00.000Z`. What is finer than a millisecond is cut off.
#[must_use]
pub fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Cuts off what is finer than a millisecond. A leap second becomes the second after it.
#[must_use]
pub fn to_millis(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at)
}

/// Serde of an instant that always has a value.
pub mod instant {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes RFC 3339 with milliseconds and `Z`.
    ///
    /// # Errors
    /// What the serializer reports.
    pub fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::text(*at))
    }

    /// Reads RFC 3339 with any offset.
    ///
    /// # Errors
    /// The text is no RFC 3339 instant.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at = DateTime::parse_from_rfc3339(&text)
            .map_err(|e| serde::de::Error::custom(format_args!("{text:?} is no RFC 3339 instant: {e}")))?;
        Ok(super::to_millis(at.with_timezone(&Utc)))
    }
}

/// Serde of an instant that may be null, or absent together with `default` and `skip_serializing_if`.
pub mod option {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes an instant, or null.
    ///
    /// # Errors
    /// What the serializer reports.
    pub fn serialize<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::instant::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads an instant, or null.
    ///
    /// # Errors
    /// The text is no RFC 3339 instant.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        #[derive(Deserialize)]
        struct Wrap(#[serde(with = "super::instant")] DateTime<Utc>);
        Ok(Option::<Wrap>::deserialize(deserializer)?.map(|wrap| wrap.0))
    }
}
