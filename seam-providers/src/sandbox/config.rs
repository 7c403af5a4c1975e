//! What a virtual site is: its doors, and the rules that it reports and keeps.
use chrono_tz::Tz;
use seam_core::provider::{
    CardPath, DoorClass, DoorLimit, EndsBy, EntranceReport, GroupReport, Groups, Handle, Held, JoinBy, Kind, KindRules, PinRules, ReadBack,
    Repeat, StayRules,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a site's doors take their decisions from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Shape {
    /// Offline locks: they know their clock, their issue number and what a card or phone says. Codes are kept by the lock.
    Hotel,
    /// Online doors: the cloud decides at each opening from its users, permissions and credentials.
    Office,
    /// Stand-alone locks that keep codes, in slots or by name.
    Locks,
}

/// A vendor whose words a site uses for what it is and holds (`external_type`). The public API knows no words for virtual sites, and some of its
/// clients refuse words that they do not know. It changes nothing of what the site does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Resembles {
    /// Offline locks of a hotel.
    Visionline,
    /// A cloud with groups.
    Brivo,
}

/// What a vendor calls things.
pub(super) struct Words {
    pub(super) system: &'static str,
    pub(super) credential: &'static str,
    pub(super) user: Option<&'static str>,
    pub(super) group: Option<&'static str>,
}

impl Resembles {
    pub(super) fn words(self) -> Words {
        match self {
            Self::Visionline => Words { system: "visionline_system", credential: "visionline_card", user: None, group: None },
            Self::Brivo => {
                Words { system: "brivo_account", credential: "brivo_credential", user: Some("brivo_user"), group: Some("brivo_group") }
            }
        }
    }
}

/// A virtual site. Made by one of the constructors, then changed field by field; it behaves as its rules say.
///
/// ```
/// use seam_providers::sandbox::SiteConfig;
/// use seam_core::provider::{JoinBy, Kind};
///
/// let mut site = SiteConfig::hotel("alps", 20);
/// site.rule(Kind::Card, |rules| rules.resolution_seconds = 60);
/// if let Some(stay) = &mut site.stay {
///     stay.join = JoinBy::CurrentGuest;
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SiteConfig {
    /// The name: the handle of the system, and the `site` of the settings.
    pub name: String,
    /// Where doors take their decisions from.
    pub shape: Shape,
    /// Whose words it uses; `None`: its own.
    #[serde(default)]
    pub resembles: Option<Resembles>,
    /// IANA time zone, for weekly schedules.
    pub time_zone: String,
    /// The doors. Their handles are their names.
    pub doors: Vec<EntranceReport>,
    /// The groups.
    pub groups: Vec<GroupReport>,
    /// How permissions are given.
    pub group_rules: Groups,
    /// What the site can hold, and how.
    pub kinds: BTreeMap<Kind, KindRules>,
    /// How stays work.
    pub stay: Option<StayRules>,
    /// How PINs work.
    pub pin: Option<PinRules>,
    /// Names of the encoders.
    pub encoders: Vec<String>,
    /// A blank card always lies on an encoder, and written cards go to its tray.
    pub auto_card: bool,
    /// Encoders refuse to overwrite a key that is valid still.
    pub protects_cards: bool,
    /// So many codes fit into one lock; `None`: any number.
    pub code_capacity: Option<u32>,
    /// A lock takes a PIN that another code at it has already.
    pub takes_equal_pins: bool,
    /// Lists of what is held show the PINs.
    pub shows_pins: bool,
    /// A mobile key waits until its phone is enrolled.
    pub phones_enrol: bool,
    /// Offline locks tell their log at once; else when it is collected.
    pub logs_at_once: bool,
    /// So many lines of the log are kept.
    pub log_capacity: u32,
    /// How often the log is to be read, in seconds; `None`: the site says that it has none. At first `None`.
    pub log_seconds: Option<u32>,
    /// What others have put there and no door here asks for: fingerprints, say. Lists show it.
    #[serde(default)]
    pub also_held: Vec<Held>,
    /// Requests that the site serves at once.
    pub in_flight: u16,
    /// Requests that the site serves per second; `None`: any number. A faster caller is told to wait.
    pub per_second: Option<f32>,
}

impl SiteConfig {
    /// An override hotel: rooms `101` and up, `gym`, `lobby` and `pool`, encoders `desk-1` and `desk-2`.
    ///
    /// Cards are written by its encoders, codes work at the common doors, mobile keys everywhere; a key joins its stay by the issue number.
    #[must_use]
    pub fn hotel(name: impl Into<String>, rooms: u32) -> Self {
        let mut site = Self::empty(name, Shape::Hotel);
        site.doors = (0..rooms).map(|n| door(&(u64::from(n) + 101).to_string(), DoorClass::Guest)).collect();
        site.doors.extend(["gym", "lobby", "pool"].map(|n| door(n, DoorClass::Common)));
        for door in &mut site.doors {
            door.reservation = door.class == DoorClass::Guest;
            door.code = door.class == DoorClass::Common;
            door.card = true;
            door.mobile_key = true;
        }
        site.encoders = vec!["desk-1".to_owned(), "desk-2".to_owned()];
        site.stay = Some(StayRules { join: JoinBy::Generation, role_per_door: true, required: true, longest_jump_seconds: None });
        site.pin = Some(PinRules::digits(4, 6));
        site.with(Kind::Card, |r| {
            (r.repeat, r.read_back, r.card) = (Repeat::Never, ReadBack::Existence, Some(CardPath::VendorEncoder));
            (r.suspend, r.end_required) = (false, true);
        })
        .with(Kind::MobileKey, |r| {
            (r.repeat, r.end_required, r.load_ahead_seconds) = (Repeat::AfterFind, true, 30 * 86_400);
        })
        .with(Kind::Code, |r| r.doors = DoorLimit::One)
    }

    /// The same hotel without encoders: its cards are written by readers of our own, with images that the site computes.
    #[must_use]
    pub fn hotel_with_own_readers(name: impl Into<String>, rooms: u32) -> Self {
        let mut site = Self::hotel(name, rooms);
        site.encoders.clear();
        site.rule(Kind::Card, |r| r.card = Some(CardPath::OwnEncoder));
        site
    }

    /// A group-based cloud: doors `entrance`, `office`, `lab`, `garage`; groups `everyone` (entrance), `staff` (entrance, office),
    /// `research` (lab), `parking` (garage). A user has one PIN; cards are assigned by their number; encoder `reader-1` reads cards.
    #[must_use]
    pub fn office(name: impl Into<String>) -> Self {
        let mut site = Self::empty(name, Shape::Office);
        site.doors = ["entrance", "office", "lab", "garage"].map(|n| door(n, DoorClass::Online)).into();
        for door in &mut site.doors {
            (door.code, door.card, door.cloud_key) = (true, true, true);
        }
        let group =
            |name: &str, doors: &[&str]| GroupReport::new(Handle::text(name), name, doors.iter().map(|d| Handle::text(*d)).collect());
        site.groups = vec![
            group("everyone", &["entrance"]),
            group("staff", &["entrance", "office"]),
            group("research", &["lab"]),
            group("parking", &["garage"]),
        ];
        site.group_rules = Groups::Fixed;
        site.encoders = vec!["reader-1".to_owned()];
        let mut pin = PinRules::digits(4, 8);
        (pin.per_user, pin.unique_in_system) = (true, true);
        site.pin = Some(pin);
        site.shows_pins = false;
        site.takes_equal_pins = false;
        site.with(Kind::User, |r| r.repeat = Repeat::AfterFind)
            .with(Kind::Access, |r| r.schedule = true)
            .with(Kind::Code, |r| r.doors = DoorLimit::ByUser)
            .with(Kind::Card, |r| (r.doors, r.card) = (DoorLimit::ByUser, Some(CardPath::Preassigned)))
            .with(Kind::CloudKey, |r| (r.doors, r.repeat) = (DoorLimit::ByUser, Repeat::AfterFind))
    }

    /// One lock, `front`, with so many slots for PINs. It keeps no window: what is in a slot opens.
    #[must_use]
    pub fn slot_lock(name: impl Into<String>, slots: u16) -> Self {
        let mut site = Self::lock(name);
        let mut pin = PinRules::digits(4, 8);
        pin.slots = Some(slots);
        site.pin = Some(pin);
        site.with(Kind::Code, |r| {
            (r.doors, r.ends, r.load_ahead_seconds) = (DoorLimit::One, EndsBy::Engine, 0);
            (r.suspend, r.schedule) = (false, false);
        })
    }

    /// One lock, `front`, that is spoken to and never answers.
    #[must_use]
    pub fn write_only_lock(name: impl Into<String>) -> Self {
        let mut site = Self::lock(name);
        site.pin = Some(PinRules::digits(4, 8));
        site.with(Kind::Code, |r| {
            (r.doors, r.read_back, r.end_required) = (DoorLimit::One, ReadBack::None, true);
            (r.suspend, r.schedule) = (false, false);
        })
    }

    fn lock(name: impl Into<String>) -> Self {
        let mut site = Self::empty(name, Shape::Locks);
        let mut front = door("front", DoorClass::Online);
        front.code = true;
        site.doors = vec![front];
        site.in_flight = 1;
        site
    }

    fn empty(name: impl Into<String>, shape: Shape) -> Self {
        Self {
            name: name.into(),
            shape,
            resembles: None,
            time_zone: Tz::UTC.name().to_owned(),
            doors: Vec::new(),
            groups: Vec::new(),
            group_rules: Groups::None,
            kinds: BTreeMap::new(),
            stay: None,
            pin: None,
            encoders: Vec::new(),
            auto_card: true,
            protects_cards: false,
            code_capacity: None,
            takes_equal_pins: true,
            shows_pins: true,
            phones_enrol: false,
            logs_at_once: false,
            log_capacity: 10_000,
            log_seconds: None,
            also_held: Vec::new(),
            in_flight: 8,
            per_second: None,
        }
    }

    fn with(mut self, kind: Kind, change: impl FnOnce(&mut KindRules)) -> Self {
        let mut rules = KindRules::full();
        rules.schedule = true;
        change(&mut rules);
        self.kinds.insert(kind, rules);
        self
    }

    /// Changes the rules of a kind; a kind that the site could not hold before becomes one that it can.
    pub fn rule(&mut self, kind: Kind, change: impl FnOnce(&mut KindRules)) {
        change(self.kinds.entry(kind).or_insert_with(KindRules::full));
    }

    /// Puts the site into a time zone.
    #[must_use]
    pub fn in_zone(mut self, zone: Tz) -> Self {
        zone.name().clone_into(&mut self.time_zone);
        self
    }

    /// Adds a door of this class, able to do what the others of its class are, or nothing when it is the first.
    #[must_use]
    pub fn with_door(mut self, name: &str, class: DoorClass) -> Self {
        let mut new = door(name, class);
        if let Some(like) = self.doors.iter().find(|d| d.class == class) {
            let mut able = like.clone();
            (able.handle, able.name) = (new.handle, new.name);
            new = able;
        }
        self.doors.push(new);
        self
    }

    pub(super) fn zone(&self) -> Tz {
        self.time_zone.parse().unwrap_or(Tz::UTC)
    }

    pub(super) fn door(&self, name: &str) -> Option<&EntranceReport> {
        self.doors.iter().find(|d| d.handle.as_text() == Some(name))
    }
}

fn door(name: &str, class: DoorClass) -> EntranceReport {
    EntranceReport::new(Handle::text(name), name, class)
}
