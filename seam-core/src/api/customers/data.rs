//! What is pushed, in the public API's JSON: the same things under many names.
use crate::error::{Error, Result};
use crate::model::{Geolocation, Shown, time};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

/// What a customer's system pushes. Reads the public API's request: guests, users, residents, tenants and staff members are people; rooms, units,
/// listings, properties, buildings, common areas, facilities and sites are spaces; bookings are reservations.
///
/// ```
/// use seam_core::api::PushData;
/// let data: PushData = serde_json::from_value(serde_json::json!({
///     "customer_key": "hilltop",
///     "guests": [{"guest_key": "g-1", "name": "Anna"}],
///     "rooms": [{"room_key": "101", "name": "Room 101"}],
///     "reservations": [{"reservation_key": "r-1", "guest_key": "g-1", "room_keys": ["101"], "ends_at": "2026-03-03T11:00:00Z"}],
/// })).unwrap();
/// assert_eq!((data.people().count(), data.spaces().count(), data.stays().count()), (1, 1, 1));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PushData {
    /// The customer.
    pub customer_key: String,
    /// People.
    pub user_identities: Vec<PushedPerson>,
    /// People.
    pub guests: Vec<PushedPerson>,
    /// People.
    pub users: Vec<PushedPerson>,
    /// People.
    pub residents: Vec<PushedPerson>,
    /// People.
    pub tenants: Vec<PushedPerson>,
    /// People.
    pub staff_members: Vec<PushedPerson>,
    /// Spaces.
    pub spaces: Vec<PushedSpace>,
    /// Spaces.
    pub rooms: Vec<PushedSpace>,
    /// Spaces.
    pub units: Vec<PushedSpace>,
    /// Spaces.
    pub listings: Vec<PushedSpace>,
    /// Spaces.
    pub properties: Vec<PushedSpace>,
    /// Spaces.
    pub property_listings: Vec<PushedSpace>,
    /// Spaces.
    pub buildings: Vec<PushedSpace>,
    /// Spaces.
    pub common_areas: Vec<PushedSpace>,
    /// Spaces.
    pub facilities: Vec<PushedSpace>,
    /// Spaces that hold others.
    pub sites: Vec<PushedSpace>,
    /// Reservations.
    pub reservations: Vec<PushedReservation>,
    /// Reservations.
    pub bookings: Vec<PushedReservation>,
    /// Grants under a key.
    pub access_grants: Vec<PushedReservation>,
}

impl PushData {
    /// Nothing of this customer yet.
    #[must_use]
    pub fn of(customer_key: impl Into<String>) -> Self {
        Self { customer_key: customer_key.into(), ..Self::default() }
    }
    /// All people, whatever they are called.
    pub fn people(&self) -> impl Iterator<Item = &PushedPerson> {
        [&self.user_identities, &self.guests, &self.users, &self.residents, &self.tenants, &self.staff_members].into_iter().flatten()
    }
    /// All spaces, whatever they are called; those that hold others come first.
    pub fn spaces(&self) -> impl Iterator<Item = &PushedSpace> {
        let outer = [&self.sites, &self.buildings, &self.properties, &self.property_listings, &self.facilities];
        let inner = [&self.listings, &self.spaces, &self.units, &self.rooms, &self.common_areas];
        outer.into_iter().chain(inner).flatten()
    }
    /// All reservations and grants.
    pub fn stays(&self) -> impl Iterator<Item = &PushedReservation> {
        [&self.reservations, &self.bookings, &self.access_grants].into_iter().flatten()
    }
    /// How many things are pushed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.people().count() + self.spaces().count() + self.stays().count()
    }
    /// Whether nothing is pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PushedPerson {
    /// Her key.
    #[serde(alias = "guest_key", alias = "user_key", alias = "resident_key", alias = "tenant_key", alias = "staff_member_key")]
    pub user_identity_key: String,
    /// Full name.
    pub name: Option<String>,
    /// E-mail address.
    pub email_address: Option<String>,
    /// Phone number in E.164.
    pub phone_number: Option<String>,
}

/// A space.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PushedSpace {
    /// Its key.
    #[serde(
        alias = "room_key",
        alias = "unit_key",
        alias = "listing_key",
        alias = "property_key",
        alias = "property_listing_key",
        alias = "building_key",
        alias = "common_area_key",
        alias = "facility_key",
        alias = "site_key"
    )]
    pub space_key: String,
    /// Its name.
    pub name: String,
    /// The key of the space that holds it.
    pub parent_site_key: Option<String>,
    /// Stay defaults.
    pub customer_data: Option<Value>,
    /// Where it is.
    pub geolocation: Option<Geolocation>,
}

/// A reservation, a booking or a grant.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct PushedReservation {
    /// Its key, of a reservation.
    #[serde(alias = "booking_key")]
    pub reservation_key: Option<String>,
    /// Its key, of a grant.
    pub access_grant_key: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// From when.
    #[serde(with = "time::option")]
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when.
    #[serde(with = "time::option")]
    pub ends_at: Option<DateTime<Utc>>,
    /// The key of the person.
    pub user_identity_key: Option<String>,
    /// The key of the person.
    pub guest_key: Option<String>,
    /// The key of the person.
    pub user_key: Option<String>,
    /// The key of the person.
    pub resident_key: Option<String>,
    /// The key of the person.
    pub tenant_key: Option<String>,
    /// Keys of spaces.
    pub space_keys: Option<Vec<String>>,
    /// Keys of spaces.
    pub room_keys: Option<Vec<String>>,
    /// Keys of spaces.
    pub unit_keys: Option<Vec<String>>,
    /// Keys of spaces.
    pub listing_keys: Option<Vec<String>>,
    /// Keys of spaces.
    pub property_keys: Option<Vec<String>>,
    /// Keys of spaces.
    pub building_keys: Option<Vec<String>>,
    /// Keys of spaces.
    pub common_area_keys: Option<Vec<String>>,
    /// Keys of spaces.
    pub facility_keys: Option<Vec<String>>,
    /// A PIN that is preferred.
    pub preferred_code: Option<Shown>,
}

impl PushedReservation {
    /// The key of the person, whatever it is called.
    ///
    /// # Errors
    /// `InvalidInput` when two of its names give different persons: a reservation has one.
    pub fn person(&self) -> Result<Option<&str>> {
        let names = [&self.user_identity_key, &self.guest_key, &self.user_key, &self.resident_key, &self.tenant_key];
        let mut given = names.into_iter().flatten();
        let first = given.next();
        if given.any(|other| Some(other) != first) {
            return Err(Error::invalid("user_identity_key", "a reservation is one person's"));
        }
        Ok(first.map(String::as_str))
    }
    /// The keys of all spaces, whatever they are called; `None` when none of the lists is given.
    #[must_use]
    pub fn places(&self) -> Option<Vec<String>> {
        let lists = [
            &self.space_keys,
            &self.room_keys,
            &self.unit_keys,
            &self.listing_keys,
            &self.property_keys,
            &self.building_keys,
            &self.common_area_keys,
            &self.facility_keys,
        ];
        let given: Vec<_> = lists.into_iter().flatten().collect();
        (!given.is_empty()).then(|| given.into_iter().flatten().cloned().collect())
    }
}

/// What of a customer's is to be deleted, by key. Reads the public API's request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(default)]
#[non_exhaustive]
pub struct DeleteData {
    /// Customers, with everything that was pushed for them.
    pub customer_keys: Vec<String>,
    /// Reservations.
    pub reservation_keys: Vec<String>,
    /// Reservations.
    pub booking_keys: Vec<String>,
    /// Grants.
    pub access_grant_keys: Vec<String>,
    /// People.
    pub user_identity_keys: Vec<String>,
    /// People.
    pub guest_keys: Vec<String>,
    /// People.
    pub user_keys: Vec<String>,
    /// People.
    pub resident_keys: Vec<String>,
    /// People.
    pub tenant_keys: Vec<String>,
    /// People.
    pub staff_member_keys: Vec<String>,
    /// Spaces.
    pub space_keys: Vec<String>,
    /// Spaces.
    pub room_keys: Vec<String>,
    /// Spaces.
    pub unit_keys: Vec<String>,
    /// Spaces.
    pub listing_keys: Vec<String>,
    /// Spaces.
    pub property_keys: Vec<String>,
    /// Spaces.
    pub property_listing_keys: Vec<String>,
    /// Spaces.
    pub building_keys: Vec<String>,
    /// Spaces.
    pub common_area_keys: Vec<String>,
    /// Spaces.
    pub facility_keys: Vec<String>,
}

impl DeleteData {
    /// All reservations, whatever they are called.
    pub fn reservations(&self) -> impl Iterator<Item = &String> {
        self.reservation_keys.iter().chain(&self.booking_keys)
    }
    /// All people, whatever they are called.
    pub fn people(&self) -> impl Iterator<Item = &String> {
        let lists =
            [&self.user_identity_keys, &self.guest_keys, &self.user_keys, &self.resident_keys, &self.tenant_keys, &self.staff_member_keys];
        lists.into_iter().flatten()
    }
    /// All spaces, whatever they are called.
    pub fn spaces(&self) -> impl Iterator<Item = &String> {
        let lists = [
            &self.space_keys,
            &self.room_keys,
            &self.unit_keys,
            &self.listing_keys,
            &self.property_keys,
            &self.property_listing_keys,
            &self.building_keys,
            &self.common_area_keys,
            &self.facility_keys,
        ];
        lists.into_iter().flatten()
    }
    /// How many keys are named.
    #[must_use]
    pub fn len(&self) -> usize {
        self.customer_keys.len()
            + self.access_grant_keys.len()
            + self.reservations().count()
            + self.people().count()
            + self.spaces().count()
    }
    /// Whether no key is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
