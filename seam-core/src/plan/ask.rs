//! What is asked for, thing by thing: the contents of a [`Change`](super::Change), with builders for the larger ones.
use super::double;
use crate::model::{
    AccessGrantId, AccessMethodId, AccessMethodMode, AcsAccessGroupId, AcsCredentialId, AcsEncoderId, AcsEntranceId, AcsSystemId,
    AcsUserId, Holder, Shown, SpaceId, UserIdentityId, Weekly,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A new workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewWorkspace {
    /// Its name.
    pub name: String,
    /// Made for trying things out: simulate calls are allowed.
    pub sandbox: bool,
}

impl NewWorkspace {
    /// A workspace of this name. `sandbox`: simulate calls are allowed in it.
    #[must_use]
    pub fn new(name: impl Into<String>, sandbox: bool) -> Self {
        Self { name: name.into(), sandbox }
    }
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
#[non_exhaustive]
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
#[non_exhaustive]
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

impl PersonUpdate {
    /// Changes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// Has this key; `None`: none.
    #[must_use]
    pub fn key(mut self, key: Option<String>) -> Self {
        self.key = Some(key);
        self
    }
    /// Is called so; `None`: not at all.
    #[must_use]
    pub fn full_name(mut self, name: Option<String>) -> Self {
        self.full_name = Some(name);
        self
    }
    /// Has this e-mail address; `None`: none.
    #[must_use]
    pub fn email_address(mut self, address: Option<String>) -> Self {
        self.email_address = Some(address);
        self
    }
    /// Has this phone number, in E.164; `None`: none.
    #[must_use]
    pub fn phone_number(mut self, number: Option<String>) -> Self {
        self.phone_number = Some(number);
        self
    }
}

/// A requested method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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
    /// Its link can be redeemed so many times, from 1.
    #[must_use]
    pub fn redeemable(mut self, times: u32) -> Self {
        self.instant_key_max_use_count = Some(times);
        self
    }
}

/// What changes of a grant: outer `None` leaves it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
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
#[non_exhaustive]
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
}

impl SpaceUpdate {
    /// Changes nothing yet.
    #[must_use]
    pub fn new(space: SpaceId) -> Self {
        Self { space, name: None, entrances: None, customer_data: None }
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
}

/// A new account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewAccount {
    /// The provider kind.
    pub kind: String,
    /// The settings, as JSON text that fits the kind's schema.
    pub settings: Shown,
}

impl NewAccount {
    /// An account of this provider kind, with settings that fit the kind's schema.
    #[must_use]
    pub fn new(kind: impl Into<String>, settings: &serde_json::Value) -> Self {
        Self { kind: kind.into(), settings: Shown::new(settings.to_string()) }
    }
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
}

impl NewEncode {
    /// A card, at an encoder where it is waited for so many seconds.
    #[must_use]
    pub fn new(what: EncodeWhat, encoder: AcsEncoderId, wait_seconds: u32) -> Self {
        Self { what, encoder, wait_seconds }
    }
}

/// What is written on a card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EncodeWhat {
    /// A method's card. Its only credential, or the one at the encoder's system.
    Method(AccessMethodId),
    /// A credential.
    Credential(AcsCredentialId),
}

/// The answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
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
#[non_exhaustive]
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
#[non_exhaustive]
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

impl UserUpdate {
    /// Changes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// Is called so.
    #[must_use]
    pub fn full_name(mut self, name: impl Into<String>) -> Self {
        self.full_name = Some(name.into());
        self
    }
    /// Has this e-mail address.
    #[must_use]
    pub fn email_address(mut self, address: impl Into<String>) -> Self {
        self.email_address = Some(address.into());
        self
    }
    /// Has this phone number, in E.164.
    #[must_use]
    pub fn phone_number(mut self, number: impl Into<String>) -> Self {
        self.phone_number = Some(number.into());
        self
    }
    /// May pass from then, until then if an end is given; `None`: at any time.
    #[must_use]
    pub fn schedule(mut self, schedule: Option<FromTo>) -> Self {
        self.schedule = Some(schedule);
        self
    }
}

/// A start, and an end if there is one.
pub type FromTo = (DateTime<Utc>, Option<DateTime<Utc>>);

/// A credential issued directly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, bon::Builder)]
#[non_exhaustive]
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

/// A reader of our own that is put to use at a system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, bon::Builder)]
#[builder(on(String, into))]
#[non_exhaustive]
pub struct NewEncoder {
    /// The system whose cards it writes.
    pub system: AcsSystemId,
    /// Its end, as `local:usb:reader-3`: the name under which an engine has it
    /// ([`EngineConfig::card_encoders`](crate::EngineConfig::card_encoders)).
    pub end: String,
    /// Its name for people.
    pub name: String,
    /// For how long it is left alone after an unknown outcome, in seconds, 1 to 600: longer than a job there can hang.
    #[builder(default = 60)]
    pub card_wait_seconds: u32,
}

/// Who has a direct credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CredentialOwner {
    /// A user of the credential's system.
    User(AcsUserId),
    /// A person: the user that she is there, made if she is not there yet.
    Identity(UserIdentityId),
}

impl From<AcsUserId> for CredentialOwner {
    fn from(id: AcsUserId) -> Self {
        Self::User(id)
    }
}
impl From<UserIdentityId> for CredentialOwner {
    fn from(id: UserIdentityId) -> Self {
        Self::Identity(id)
    }
}
