//! What a site reports of itself.
use super::config::{Shape, SiteConfig};
use super::state::{SiteState, Thing};
use seam_core::provider::{ChannelReport, EncoderReport, EntranceReport, Handle, Held, HeldPage, Kind, SystemReport};
use secrecy::SecretString;

/// Things on one page.
const PAGE: usize = 100;
/// How long an encoder waits for a card.
const CARD_WAIT_SECONDS: u32 = 30;

pub(super) fn system(config: &SiteConfig) -> SystemReport {
    let mut channel = ChannelReport::new(format!("sandbox://{}", config.name), config.in_flight);
    channel.per_second = config.per_second;
    let mut report = SystemReport::new(Handle::text(&config.name), &config.name, format!("sandbox:{}", config.name), channel);
    let (own, label) = match config.shape {
        Shape::Hotel => ("sandbox_hotel", "Virtual hotel"),
        Shape::Office => ("sandbox_office", "Virtual office"),
        Shape::Locks => ("sandbox_lock", "Virtual lock"),
    };
    let own = config.resembles.map_or(own, |vendor| vendor.words().system);
    (report.external_type, report.external_type_display_name) = (own.to_owned(), label.to_owned());
    report.time_zone = Some(config.time_zone.clone());
    report.kinds = config.kinds.clone();
    report.stay = config.stay;
    report.pin = config.pin.clone();
    report.access_log_seconds = config.log_seconds;
    report.groups = config.group_rules;
    for kind in config.kinds.keys() {
        if let Some(vendor) = config.resembles {
            let words = vendor.words();
            let word = match kind {
                Kind::User => words.user,
                Kind::Access => words.group,
                _ => Some(words.credential),
            };
            report.external_types.extend(word.map(|word| (*kind, word.to_owned())));
            continue;
        }
        let word = match kind {
            Kind::Stay => "stay",
            Kind::User => "user",
            Kind::Access => "group",
            Kind::Code => "code",
            Kind::Card => "card",
            Kind::MobileKey => "mobile_key",
            Kind::CloudKey => "cloud_key",
            _ => "thing",
        };
        report.external_types.insert(*kind, format!("sandbox_{word}"));
    }
    report
}

pub(super) fn entrances(config: &SiteConfig) -> Vec<EntranceReport> {
    config.doors.clone()
}

pub(super) fn encoders(config: &SiteConfig) -> Vec<EncoderReport> {
    let report = |name: &String| {
        let channel = ChannelReport::new(format!("sandbox://{}/encoder/{name}", config.name), 1);
        EncoderReport::new(Handle::text(name), name, channel, CARD_WAIT_SECONDS)
    };
    config.encoders.iter().map(report).collect()
}

pub(super) fn held(site: &SiteState, cursor: Option<&str>) -> HeldPage {
    let shown = site.things.after(cursor).filter(|(_, t)| !is_free_card(t));
    let mut page: Vec<(&String, &Thing)> = shown.take(PAGE + 1).collect();
    let more = page.len() > PAGE;
    page.truncate(PAGE);
    let next = page.last().filter(|_| more).map(|(id, _)| (*id).clone());
    let mut things: Vec<Held> = page.into_iter().map(|(id, thing)| held_thing(site, id, thing)).collect();
    if next.is_none() {
        things.extend(site.config.also_held.iter().cloned());
    }
    HeldPage::new(things, next)
}

/// A registered card that nobody has.
pub(super) fn is_free_card(thing: &Thing) -> bool {
    thing.kind == Kind::Card && thing.tag.is_none() && thing.user.is_none() && thing.doors.is_empty()
}

pub(super) fn held_thing(site: &SiteState, id: &str, thing: &Thing) -> Held {
    let mut held = Held::new(thing.kind, Handle::text(id), thing.tag.clone());
    held.name = Some(thing.name.clone()).filter(|n| !n.is_empty());
    held.doors = thing.doors.iter().map(Handle::text).collect();
    held.window = thing.window;
    held.pin = thing.pin.as_ref().filter(|_| site.config.shows_pins).map(|p| SecretString::from(p.0.clone()));
    held
}
