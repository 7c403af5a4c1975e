//! What is asked for of spaces.
use super::double;
use crate::model::{AcsEntranceId, ConnectedAccountId, Geolocation, SpaceId};
use serde::{Deserialize, Serialize};

/// A new space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, bon::Builder)]
#[builder(on(String, into))]
pub struct NewSpace {
    /// Its name.
    pub name: String,
    /// The caller's key.
    #[serde(default)]
    pub key: Option<String>,
    /// Its entrances.
    #[serde(default)]
    #[builder(default, into)]
    pub entrances: Vec<AcsEntranceId>,
    /// The customer it belongs to.
    #[serde(default)]
    pub customer_key: Option<String>,
    /// Stay defaults.
    #[serde(default)]
    pub customer_data: Option<serde_json::Value>,
    /// Accounts that belong to it as a whole. Grants do not follow them.
    #[serde(default)]
    #[builder(default, into)]
    pub connected_accounts: Vec<ConnectedAccountId>,
    /// Where it is.
    #[serde(default)]
    pub geolocation: Option<Geolocation>,
    /// The space that holds it.
    #[serde(default)]
    #[builder(into)]
    pub parent: Option<ParentSpace>,
}

/// The space that holds another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParentSpace {
    /// By its id.
    Id(SpaceId),
    /// By the caller's key.
    Key(String),
}

impl From<SpaceId> for ParentSpace {
    fn from(id: SpaceId) -> Self {
        Self::Id(id)
    }
}

/// What changes of a space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SpaceUpdate {
    /// The space.
    pub space: SpaceId,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// The whole new set of its entrances.
    #[serde(default)]
    pub entrances: Option<Vec<AcsEntranceId>>,
    /// Stay defaults: merged per key, `null` clears.
    #[serde(default)]
    pub customer_data: Option<serde_json::Value>,
    /// Where it is; inner `None`: not known.
    #[serde(default, with = "double")]
    pub geolocation: Option<Option<Geolocation>>,
    /// The space that holds it; inner `None`: none.
    #[serde(default, with = "double")]
    pub parent: Option<Option<ParentSpace>>,
}

impl SpaceUpdate {
    /// Changes nothing yet.
    #[must_use]
    pub fn new(space: SpaceId) -> Self {
        Self { space, name: None, entrances: None, customer_data: None, geolocation: None, parent: None }
    }
    /// Is called so.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
    /// Holds exactly these entrances.
    #[must_use]
    pub fn entrances(mut self, entrances: impl Into<Vec<AcsEntranceId>>) -> Self {
        self.entrances = Some(entrances.into());
        self
    }
    /// Has these stay defaults: merged per key, `null` clears.
    #[must_use]
    pub fn customer_data(mut self, data: serde_json::Value) -> Self {
        self.customer_data = Some(data);
        self
    }
    /// Is there; `None`: not known.
    #[must_use]
    pub fn geolocation(mut self, at: Option<Geolocation>) -> Self {
        self.geolocation = Some(at);
        self
    }
    /// Is held by this space; `None`: by none.
    #[must_use]
    pub fn parent(mut self, parent: Option<ParentSpace>) -> Self {
        self.parent = Some(parent);
        self
    }
}
