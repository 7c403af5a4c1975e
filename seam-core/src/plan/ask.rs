//! What is asked for, thing by thing: the contents of a [`Change`](super::Change), with builders for the larger ones.
use crate::model::{
    AccessGrantId, AccessMethodId, AccessMethodMode, AcsAccessGroupId, AcsCredentialId, AcsEncoderId, AcsEntranceId, AcsSystemId,
    AcsUserId, Holder, Shown, SpaceId, UserIdentityId, Weekly,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A new workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewWorkspace {
    /// Its name.
    pub name: String,
    /// Made for trying things out: simulate calls are allowed.
    pub sandbox: bool,
}

/// A new grant: who, where, when, how. Who and how must be said; all else has a default.
///
/// ```
/// use seam_core::{NewGrant, NewMethod, Person};
/// # let room = seam_core::model::AcsEntranceId::from_uuid(uuid::Uuid::nil());
/// let stay = NewGrant::builder()
///     .who(Person::named("Anna"))
///     .entrances([room])
///     .methods([NewMethod::card(), NewMethod::card(), NewMethod::code()])
///     .reservation("booking-4711")
///     .build();
/// assert_eq!(stay.methods.len(), 3);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, bon::Builder)]
#[builder(on(String, into))]
pub struct NewGrant {
    /// Who.
    #[builder(into)]
    pub who: Who,
    /// Where: entrances (or `device_ids`, their second name).
    #[serde(default)]
    #[builder(default, into)]
    pub entrances: Vec<AcsEntranceId>,
    /// Where: spaces by id.
    #[serde(default)]
    #[builder(default, into)]
    pub spaces: Vec<SpaceId>,
    /// Where: spaces by key.
    #[serde(default)]
    #[builder(default, into)]
    pub space_keys: Vec<String>,
    /// From when; `None`: from now.
    #[serde(default)]
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when; `None`: ongoing.
    #[serde(default)]
    pub ends_at: Option<DateTime<Utc>>,
    /// At which hours.
    #[serde(default)]
    pub schedule: Option<Weekly>,
    /// How.
    #[builder(into)]
    pub methods: Vec<NewMethod>,
    /// Guest or staff.
    #[serde(default)]
    #[builder(default)]
    pub holder: Holder,
    /// The stay's key.
    #[serde(default)]
    pub reservation: Option<String>,
    /// All doors of the party, where other members of it will have more of them than this grant.
    #[serde(default)]
    #[builder(default, into)]
    pub party_entrances: Vec<AcsEntranceId>,
    /// The caller's key of the grant.
    #[serde(default)]
    pub key: Option<String>,
    /// The caller's name of the grant.
    #[serde(default)]
    pub name: Option<String>,
}

/// Who is granted access.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// A person that is known.
    Known(UserIdentityId),
    /// A person by her key alone, or a new one.
    ///
    /// The key alone identifies: an e-mail address or phone number that another person has never makes two people one, and never fails the
    /// grant (the contact is kept on the grant, with a warning).
    Inline(Person),
}

impl Who {
    /// Somebody of this name who is not known yet. Two of the same name are two people: give a [`Person`] a key to find her again.
    #[must_use]
    pub fn named(full_name: impl Into<String>) -> Self {
        Self::Inline(Person::named(full_name))
    }
}

impl From<Person> for Who {
    fn from(person: Person) -> Self {
        Self::Inline(person)
    }
}
impl From<UserIdentityId> for Who {
    fn from(id: UserIdentityId) -> Self {
        Self::Known(id)
    }
}

/// A person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, bon::Builder)]
#[builder(on(String, into))]
pub struct Person {
    /// The caller's key.
    #[serde(default)]
    pub key: Option<String>,
    /// Full name.
    #[serde(default)]
    pub full_name: Option<String>,
    /// E-mail address.
    #[serde(default)]
    pub email_address: Option<String>,
    /// Phone number in E.164.
    #[serde(default)]
    pub phone_number: Option<String>,
}

impl Person {
    /// Somebody of this name, without a key.
    #[must_use]
    pub fn named(full_name: impl Into<String>) -> Self {
        Self { full_name: Some(full_name.into()), ..Self::default() }
    }
    /// The person of this key: the one that is known, else a new one.
    #[must_use]
    pub fn keyed(key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..Self::default() }
    }
}

/// What changes of a person: outer `None` leaves it, inner `None` clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonUpdate {
    /// The caller's key.
    #[serde(default, with = "double")]
    pub key: Option<Option<String>>,
    /// Full name.
    #[serde(default, with = "double")]
    pub full_name: Option<Option<String>>,
    /// E-mail address.
    #[serde(default, with = "double")]
    pub email_address: Option<Option<String>>,
    /// Phone number in E.164.
    #[serde(default, with = "double")]
    pub phone_number: Option<Option<String>>,
}

/// A requested method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewMethod {
    /// How.
    pub mode: AccessMethodMode,
    /// A PIN that is preferred: 4 to 9 digits. A preference, not a promise.
    #[serde(default)]
    pub code: Option<Shown>,
    /// How many times the link of a mobile key can be redeemed, from 1.
    #[serde(default)]
    pub instant_key_max_use_count: Option<u32>,
}

impl NewMethod {
    /// A method of this mode.
    #[must_use]
    pub fn new(mode: AccessMethodMode) -> Self {
        Self { mode, code: None, instant_key_max_use_count: None }
    }
    /// A PIN.
    #[must_use]
    pub fn code() -> Self {
        Self::new(AccessMethodMode::Code)
    }
    /// A PIN, this one if it is free and the systems take it: 4 to 9 digits.
    #[must_use]
    pub fn preferred_code(code: impl Into<Shown>) -> Self {
        Self { code: Some(code.into()), ..Self::code() }
    }
    /// A card. Each one is asked for by itself: two cards, two methods.
    #[must_use]
    pub fn card() -> Self {
        Self::new(AccessMethodMode::Card)
    }
    /// A key on a phone.
    #[must_use]
    pub fn mobile_key() -> Self {
        Self::new(AccessMethodMode::MobileKey)
    }
    /// A right to unlock from afar.
    #[must_use]
    pub fn cloud_key() -> Self {
        Self::new(AccessMethodMode::CloudKey)
    }
}

/// What changes of a grant: outer `None` leaves it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GrantUpdate {
    /// The grant.
    pub grant: AccessGrantId,
    /// From when.
    #[serde(default)]
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when; inner `None`: ongoing.
    #[serde(default, with = "double")]
    pub ends_at: Option<Option<DateTime<Utc>>>,
    /// At which hours; inner `None`: always.
    #[serde(default, with = "double")]
    pub schedule: Option<Option<Weekly>>,
    /// The caller's name; inner `None` clears it.
    #[serde(default, with = "double")]
    pub name: Option<Option<String>>,
}

impl GrantUpdate {
    /// Changes nothing yet.
    #[must_use]
    pub fn new(grant: AccessGrantId) -> Self {
        Self { grant, starts_at: None, ends_at: None, schedule: None, name: None }
    }
    /// Begins then.
    #[must_use]
    pub fn starts_at(mut self, at: DateTime<Utc>) -> Self {
        self.starts_at = Some(at);
        self
    }
    /// Ends then.
    #[must_use]
    pub fn ends_at(mut self, at: DateTime<Utc>) -> Self {
        self.ends_at = Some(Some(at));
        self
    }
    /// Has no end.
    #[must_use]
    pub fn ongoing(mut self) -> Self {
        self.ends_at = Some(None);
        self
    }
    /// Holds at these hours; `None`: always.
    #[must_use]
    pub fn schedule(mut self, hours: Option<Weekly>) -> Self {
        self.schedule = Some(hours);
        self
    }
    /// Is called so; `None`: not at all.
    #[must_use]
    pub fn name(mut self, name: Option<String>) -> Self {
        self.name = Some(name);
        self
    }
}

/// Which methods are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MethodsOf {
    /// One.
    Method(AccessMethodId),
    /// All of a grant.
    Grant(AccessGrantId),
    /// All of a stay.
    Reservation(String),
}

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
}

/// What changes of a space.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
}

/// A new account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewAccount {
    /// The provider kind.
    pub kind: String,
    /// The settings, as JSON text that fits the kind's schema.
    pub settings: Shown,
}

/// A card to be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewEncode {
    /// What is written.
    pub what: EncodeWhat,
    /// Where.
    pub encoder: AcsEncoderId,
    /// For how long a card is waited for, in seconds.
    pub wait_seconds: u32,
    /// Write although the stay of somebody else is protected or still open.
    #[serde(default)]
    pub would_end: bool,
}

/// What is written on a card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EncodeWhat {
    /// A method's card. Its only credential, or the one at the encoder's system.
    Method(AccessMethodId),
    /// A credential.
    Credential(AcsCredentialId),
}

/// The answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// It happened.
    Happened,
    /// It did not.
    DidNot,
    /// Do it again.
    Redo,
}

/// A new user of an access system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, bon::Builder)]
pub struct NewUser {
    /// The system.
    pub system: AcsSystemId,
    /// The person, if she is known.
    #[serde(default)]
    pub identity: Option<UserIdentityId>,
    /// Name and contacts, where there is no person.
    #[serde(default)]
    #[builder(default)]
    pub profile: Person,
    /// Groups.
    #[serde(default)]
    #[builder(default, into)]
    pub groups: Vec<AcsAccessGroupId>,
    /// From when she may pass.
    #[serde(default)]
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when.
    #[serde(default)]
    pub ends_at: Option<DateTime<Utc>>,
}

/// What changes of a user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UserUpdate {
    /// Full name.
    #[serde(default)]
    pub full_name: Option<String>,
    /// E-mail address.
    #[serde(default)]
    pub email_address: Option<String>,
    /// Phone number in E.164.
    #[serde(default)]
    pub phone_number: Option<String>,
    /// When she may pass: start and end; inner `None` clears it.
    #[serde(default, with = "double")]
    pub schedule: Option<Option<FromTo>>,
}

/// A start, and an end if there is one.
pub type FromTo = (DateTime<Utc>, Option<DateTime<Utc>>);

/// A credential issued directly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, bon::Builder)]
pub struct NewCredential {
    /// The user.
    #[serde(default)]
    pub user: Option<AcsUserId>,
    /// Or the person, with the system.
    #[serde(default)]
    pub identity: Option<UserIdentityId>,
    /// The system, with the person.
    #[serde(default)]
    pub system: Option<AcsSystemId>,
    /// How.
    pub mode: AccessMethodMode,
    /// The PIN.
    #[serde(default)]
    #[builder(into)]
    pub code: Option<Shown>,
    /// The doors; where the user's permissions say, none.
    #[serde(default)]
    #[builder(default, into)]
    pub entrances: Vec<AcsEntranceId>,
    /// From when; `None`: now.
    #[serde(default)]
    pub starts_at: Option<DateTime<Utc>>,
    /// Until when.
    #[serde(default)]
    pub ends_at: Option<DateTime<Utc>>,
    /// Guest or staff.
    #[serde(default)]
    #[builder(default)]
    pub holder: Holder,
}

/// `Option<Option<T>>`: absent, `null`, value.
mod double {
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
}
