//! What the account reports of its one system. Pure.
use super::check::{COMMON_DOORS, GUEST_DOORS, RESOLUTION, STAY};
use super::config::{Cards, Config, EncoderSettings, Way};
use super::wire::web::DoorShown;
use seam_core::provider::{
    CardPath, ChannelReport, DoorClass, DoorLimit, EncoderReport, EndsBy, EntranceReport, Handle, Kind, KindRules, ReadBack, Repeat,
    SystemReport,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The handle of the account's one system.
pub(super) fn handle() -> Handle {
    Handle::text("site")
}

pub(super) fn system(config: &Config, phones: bool) -> SystemReport {
    let settings = &config.settings;
    // How many requests at once the server stands is not known: one.
    let channel = ChannelReport::new(format!("visionline://{}", config.end()), 1);
    let mut report = SystemReport::new(handle(), settings.name.trim(), format!("visionline:{}", config.installation()), channel);
    report.external_type = "visionline_system".to_owned();
    report.external_type_display_name = "Visionline site".to_owned();
    report.time_zone = Some(config.zone.name().to_owned());
    report.stay = Some(STAY);
    let card = match settings.cards {
        Cards::Encoder => CardPath::VendorEncoder,
        Cards::OwnReader => CardPath::OwnEncoder,
    };
    let way = card_way(config);
    let mut cards = rules(config, way);
    cards.card = Some(card);
    report.kinds.insert(Kind::Card, cards);
    report.external_types.insert(Kind::Card, "visionline_card".to_owned());
    if phones {
        let mut keys = rules(config, Way::Web);
        // It looks for its own key before it makes one.
        keys.repeat = Repeat::Safe;
        report.kinds.insert(Kind::MobileKey, keys);
        report.external_types.insert(Kind::MobileKey, "visionline_card".to_owned());
    }
    report
}

/// By which interface cards are made.
pub(super) fn card_way(config: &Config) -> Way {
    match config.settings.cards {
        Cards::Encoder => config.encode_by,
        Cards::OwnReader => Way::Web,
    }
}

/// Nothing that was made can be cancelled, and a card is not read back: whether it is there says nothing of whether it was taken away.
fn rules(config: &Config, way: Way) -> KindRules {
    let mut rules = KindRules::full();
    rules.repeat = Repeat::Never;
    rules.read_back = ReadBack::None;
    rules.ends = EndsBy::Itself;
    rules.suspend = false;
    rules.schedule = false;
    rules.end_required = true;
    rules.resolution_seconds = RESOLUTION;
    rules.doors = match way {
        Way::Web if config.settings.common_doors_in_guest_list => DoorLimit::Many { guest: GUEST_DOORS, common: COMMON_DOORS },
        Way::Web => DoorLimit::Many { guest: GUEST_DOORS, common: 0 },
        Way::Pms => DoorLimit::Many { guest: 1, common: COMMON_DOORS },
    };
    rules
}

/// Entrances: what the server shows, and what the settings say of it or beside it.
pub(super) fn entrances(config: &Config, shown: &[DoorShown], phones: bool) -> Vec<EntranceReport> {
    let mut doors: BTreeMap<&str, (Option<DoorClass>, Option<&DoorShown>)> = BTreeMap::new();
    for door in shown {
        if let Some(name) = door.address() {
            let class = door.door_category.as_deref().and_then(class);
            doors.entry(name).or_insert((class, Some(door)));
        }
    }
    for door in &config.settings.doors {
        doors.entry(&door.name).or_insert((None, None)).0 = Some(door.class.class());
    }
    doors.into_iter().map(|(name, (class, door))| entrance(config, name, class, door, phones)).collect()
}

/// Source of the categories: another maker's documentation. Entrances and lifts open for every guest of the rooms that they are set up for.
fn class(category: &str) -> Option<DoorClass> {
    match category {
        "guest" => Some(DoorClass::Guest),
        "common" | "common (PMS)" => Some(DoorClass::Common),
        "entrance" | "elevator reader" => Some(DoorClass::Implicit),
        _ => None,
    }
}

fn entrance(config: &Config, name: &str, class: Option<DoorClass>, shown: Option<&DoorShown>, phones: bool) -> EntranceReport {
    let local = shown.and_then(|d| d.local_name.as_deref()).filter(|n| !n.trim().is_empty());
    // A door of a kind that nobody knows is shown, and nothing is granted at it.
    let mut report = EntranceReport::new(Handle::text(name), local.unwrap_or(name), class.unwrap_or(DoorClass::Common));
    report.card = match (class, card_way(config)) {
        (Some(DoorClass::Common), Way::Web) => config.settings.common_doors_in_guest_list,
        (Some(DoorClass::Common), Way::Pms) => config.door(name).is_some_and(|d| d.number.is_some()),
        (class, _) => class.is_some(),
    };
    report.mobile_key = phones
        && match class {
            Some(DoorClass::Common) => config.settings.common_doors_in_guest_list,
            class => class.is_some(),
        };
    report.reservation = class == Some(DoorClass::Guest);
    if let Some(shown) = shown {
        let mut facts = Map::new();
        facts.insert("door_name".to_owned(), json!(name));
        if let Some(category) = &shown.door_category {
            facts.insert("door_category".to_owned(), json!(category));
        }
        report.metadata.insert("visionline_metadata".to_owned(), Value::Object(facts));
    }
    report
}

/// The encoders of the settings. Each is a channel of its own: they work beside each other.
pub(super) fn encoders(config: &Config) -> Vec<EncoderReport> {
    config.settings.encoders.iter().map(|e| encoder(config, e)).collect()
}

fn encoder(config: &Config, encoder: &EncoderSettings) -> EncoderReport {
    let channel = ChannelReport::new(format!("visionline://{}/encoder/{}", config.end(), encoder.name), 1);
    EncoderReport::new(Handle::text(&encoder.name), &encoder.name, channel, config.settings.card_wait_seconds)
}
