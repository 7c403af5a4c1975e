//! What a customer's own system tells us to keep up with: its people, its places, its reservations.
use crate::model::{AccessMethodMode, Geolocation, Shown};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A person of a customer: made, or changed if her key is known. What is not said stays as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct CustomerPerson {
    /// The customer.
    pub customer_key: String,
    /// The person's key.
    pub key: String,
    /// Full name.
    #[serde(default)]
    pub full_name: Option<String>,
    /// E-mail address.
    #[serde(default)]
    pub email_address: Option<String>,
    /// Phone number in E.164.
    #[serde(default)]
    pub phone_number: Option<String>,
    /// An e-mail address or phone number that another person has is left out, instead of refusing the person.
    #[serde(default)]
    #[builder(default)]
    pub shared_contacts: bool,
}

/// A space of a customer: made, or changed if its key is known. What is not said stays as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct CustomerSpace {
    /// The customer.
    pub customer_key: String,
    /// The space's key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Stay defaults: merged per key, `null` clears.
    #[serde(default)]
    pub customer_data: Option<serde_json::Value>,
    /// Where it is.
    #[serde(default)]
    pub geolocation: Option<Geolocation>,
    /// The key of the space that holds it.
    #[serde(default)]
    pub parent_key: Option<String>,
}

/// A reservation of a customer, or a grant under a key: one grant is made of it, and follows it. What is not said stays as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct CustomerReservation {
    /// The customer.
    pub customer_key: String,
    /// Its key.
    pub key: String,
    /// Its key is an `access_grant_key`, not a `reservation_key`.
    #[serde(default)]
    #[builder(default)]
    pub is_grant: bool,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// From when. Not said at first: from now.
    #[serde(default)]
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when. Not said at first: ongoing.
    #[serde(default)]
    pub ends_at: Option<DateTime<Utc>>,
    /// The key of the person.
    #[serde(default)]
    pub person_key: Option<String>,
    /// The keys of the spaces; `None`: as they were.
    #[serde(default)]
    #[builder(into)]
    pub space_keys: Option<Vec<String>>,
    /// A PIN that is preferred.
    #[serde(default)]
    #[builder(into)]
    pub preferred_code: Option<Shown>,
    /// What is issued for it. Read when the grant is made, and when it has to be made anew.
    #[serde(default)]
    #[builder(default)]
    pub rules: AutomationRules,
}

/// What is issued for a reservation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, bon::Builder)]
#[non_exhaustive]
pub struct AutomationRules {
    /// The access methods that may be issued, the preferred one first.
    #[serde(default = "all_modes")]
    #[builder(default = all_modes(), into)]
    pub modes: Vec<AccessMethodMode>,
    /// How many of these are issued per entrance.
    #[serde(default)]
    #[builder(default)]
    pub strategy: CreationStrategy,
    /// How many cards are issued where cards are: 1 to 50.
    #[serde(default = "one")]
    #[builder(default = 1)]
    pub cards: u32,
    /// How many times the link of a mobile key can be redeemed: 1 to 1,000.
    #[serde(default = "one")]
    #[builder(default = 1)]
    pub instant_key_max_use_count: u32,
    /// Without a preferred PIN, the last four digits of the person's phone number are preferred.
    #[serde(default)]
    #[builder(default)]
    pub phone_digits_as_code: bool,
    /// A person is taken although another has her e-mail address or phone number; hers is left out.
    #[serde(default)]
    #[builder(default)]
    pub shared_contacts: bool,
}

impl Default for AutomationRules {
    fn default() -> Self {
        Self::builder().build()
    }
}

fn all_modes() -> Vec<AccessMethodMode> {
    vec![AccessMethodMode::Code, AccessMethodMode::MobileKey, AccessMethodMode::Card]
}
fn one() -> u32 {
    1
}

/// How many kinds of access methods are issued per entrance, in the order of preference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CreationStrategy {
    /// The first that the entrance takes.
    First,
    /// The first two that the entrance takes.
    FirstTwo,
    /// All that the entrance takes.
    #[default]
    All,
}

impl CreationStrategy {
    /// How many at most.
    #[must_use]
    pub fn most(self) -> usize {
        match self {
            Self::First => 1,
            Self::FirstTwo => 2,
            Self::All => usize::MAX,
        }
    }
}
