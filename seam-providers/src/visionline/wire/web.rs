//! The objects of the web interface.
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The answer to a login. Source: vendor sample, 4 clients.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::visionline) struct SessionMade {
    pub(in crate::visionline) id: String,
    #[serde(rename = "accessKey")]
    pub(in crate::visionline) access_key: SecretString,
}

/// A door. With `details=true` the category is there (1 client); without, only `id` (1 client).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::visionline) struct DoorShown {
    pub(in crate::visionline) id: Option<String>,
    #[serde(rename = "doorName")]
    pub(in crate::visionline) door_name: Option<String>,
    #[serde(rename = "localName")]
    pub(in crate::visionline) local_name: Option<String>,
    #[serde(rename = "doorCategory")]
    pub(in crate::visionline) door_category: Option<String>,
    #[serde(rename = "doorGroup")]
    pub(in crate::visionline) door_group: Option<String>,
}

impl DoorShown {
    /// The name by which other calls address it.
    pub(in crate::visionline) fn address(&self) -> Option<&str> {
        self.id.as_deref().or(self.door_name.as_deref()).filter(|name| !name.is_empty())
    }
}

/// Doors and what is done with them. Only `guest` is public. Source: vendor sample, 4 clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::visionline) struct DoorOperation {
    pub(in crate::visionline) operation: String,
    pub(in crate::visionline) doors: Vec<String>,
}

/// A card to be made. The order of the fields is that of the vendor's sample. Source: vendor sample, 5 clients.
#[derive(Clone, Debug, Serialize)]
pub(in crate::visionline) struct CardWanted {
    #[serde(rename = "expireTime")]
    pub(in crate::visionline) expire_time: String,
    #[serde(rename = "startTime")]
    pub(in crate::visionline) start_time: String,
    pub(in crate::visionline) format: &'static str,
    #[serde(rename = "cardHolder", skip_serializing_if = "String::is_empty")]
    pub(in crate::visionline) card_holder: String,
    #[serde(rename = "doorOperations")]
    pub(in crate::visionline) door_operations: Vec<DoorOperation>,
    #[serde(rename = "serialNumbers", skip_serializing_if = "Vec::is_empty")]
    pub(in crate::visionline) serial_numbers: Vec<String>,
    #[serde(rename = "endPointID", skip_serializing_if = "Option::is_none")]
    pub(in crate::visionline) end_point_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::visionline) label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::visionline) description: Option<String>,
}

/// A card as it is shown, or the answer to its making. All of it may be missing. Source: 1 client and another maker's fake; the vendor's sample writes
/// `credentialId`, others `credentialID`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::visionline) struct CardShown {
    pub(in crate::visionline) id: Option<Value>,
    #[serde(rename = "credentialID", alias = "credentialId")]
    pub(in crate::visionline) credential_id: Option<Value>,
    #[serde(rename = "cardHolder")]
    pub(in crate::visionline) card_holder: Option<String>,
    #[serde(rename = "startTime")]
    pub(in crate::visionline) start_time: Option<String>,
    #[serde(rename = "expireTime")]
    pub(in crate::visionline) expire_time: Option<String>,
    #[serde(rename = "doorOperations")]
    pub(in crate::visionline) door_operations: Vec<DoorOperation>,
    #[serde(rename = "endpointId", alias = "endPointID", alias = "endpointID")]
    pub(in crate::visionline) endpoint_id: Option<String>,
    #[serde(rename = "serialNumbers")]
    pub(in crate::visionline) serial_numbers: Vec<String>,
    pub(in crate::visionline) cancelled: bool,
    pub(in crate::visionline) discarded: bool,
    pub(in crate::visionline) expired: bool,
    pub(in crate::visionline) overridden: bool,
    pub(in crate::visionline) overwritten: bool,
    #[serde(rename = "encryptedImage")]
    pub(in crate::visionline) encrypted_image: Option<SecretString>,
}

impl CardShown {
    /// The id of the card, as text: a number in one place, a text in another.
    pub(in crate::visionline) fn name(&self) -> Option<String> {
        [&self.credential_id, &self.id].into_iter().flatten().find_map(|value| match value {
            Value::String(text) if !text.is_empty() && text.len() <= 64 => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }
    /// Whether nothing has ended it before its time.
    pub(in crate::visionline) const fn is_in_force(&self) -> bool {
        !(self.cancelled || self.discarded || self.expired || self.overridden || self.overwritten)
    }
}

/// An error. That it is JSON with a status and a code is the vendor's (headings of its manual); the names of the fields are another maker's fake's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::visionline) struct ErrorShown {
    pub(in crate::visionline) code: Option<Value>,
}
