//! A report that the planner can rely on contradicts itself nowhere.
use super::{Breach, Findings, Suite};
use crate::provider::{
    AccessSystemProvider, CardPath, DoorClass, DoorLimit, EndsBy, EntranceReport, GroupReport, Groups, Handle, Kind, ReadBack, Repeat,
    SystemReport,
};
use std::collections::BTreeSet;

/// Rules about all systems of the account.
pub(super) async fn account(provider: &dyn AccessSystemProvider, reports: &[SystemReport], findings: &mut Findings) {
    let mut must = |rule, kept: bool, seen: &str| {
        findings.tried += 1;
        if !kept {
            findings.breaches.push(Breach { rule, seen: seen.to_owned() });
        }
    };
    must("systems_are_reported", !reports.is_empty(), "the account reports no system");
    let handles: BTreeSet<String> = reports.iter().map(|r| r.handle.0.to_string()).collect();
    must("system_handles_are_unique", handles.len() == reports.len(), "two systems have the same handle");
    let prints: BTreeSet<&str> = reports.iter().map(|r| r.fingerprint.as_str()).collect();
    must("fingerprints_are_unique", prints.len() == reports.len(), "two systems have the same fingerprint");
    let again = provider.systems().await;
    must("reports_are_stable", again.as_deref().is_ok_and(|a| a == reports), "asked twice, the systems are not reported alike");
    let read = serde_json::to_value(reports).and_then(serde_json::from_value::<Vec<SystemReport>>);
    must("reports_survive_storage", read.is_ok_and(|r| r == reports), "a report written as JSON and read again is another one");
}

/// Rules about one system.
pub(super) fn system(suite: &mut Suite<'_>) {
    let report = suite.report.clone();
    suite.must("systems_have_names", !report.name.is_empty() && !report.fingerprint.is_empty(), || {
        "name or fingerprint is empty".to_owned()
    });
    suite.must("channels_have_keys", !report.channel.key.is_empty(), || "the key of the channel is empty".to_owned());
    suite.must("channels_take_requests", report.channel.in_flight >= 1, || "the channel takes no request at all".to_owned());
    let zone = report.time_zone.as_deref().is_none_or(|z| z.parse::<chrono_tz::Tz>().is_ok());
    suite.must("time_zones_exist", zone, || format!("{:?} is no time zone", report.time_zone));
    suite.must("systems_hold_something", !report.kinds.is_empty(), || "the system can hold nothing".to_owned());

    let has = |kind| report.kinds.contains_key(&kind);
    suite.must("pin_rules_go_with_codes", report.pin.is_some() == has(Kind::Code), || "PIN rules and codes must come together".to_owned());
    suite.must("access_needs_users", !has(Kind::Access) || has(Kind::User), || {
        "permissions belong to users, which it cannot hold".to_owned()
    });
    if let Some(pin) = &report.pin {
        let lengths = pin.shortest >= 1 && pin.shortest <= pin.longest && pin.longest <= 18;
        suite.must("pin_lengths_make_sense", lengths, || format!("PINs of {} to {} digits", pin.shortest, pin.longest));
        suite.must("slots_exist", pin.slots != Some(0), || "a lock with no slot at all".to_owned());
        let owned = report.kinds.get(&Kind::Code).is_none_or(|r| !pin.per_user || r.doors == DoorLimit::ByUser);
        suite.must("users_pins_go_by_user", owned, || "the PIN belongs to the user, so its doors are the user's".to_owned());
    }
    for (kind, rules) in &report.kinds {
        let is_card = *kind == Kind::Card;
        suite.must("card_path_goes_with_cards", rules.card.is_some() == is_card, || format!("{kind:?}: card path {:?}", rules.card));
        suite.must("resolution_is_a_second_or_more", rules.resolution_seconds >= 1, || format!("{kind:?}: resolution 0"));
        let by_user = rules.doors != DoorLimit::ByUser || has(Kind::User) && has(Kind::Access);
        suite.must("by_user_needs_users", by_user, || format!("{kind:?}: doors by user, but no users with permissions"));
        let looks = rules.repeat != Repeat::AfterFind || rules.read_back != ReadBack::None;
        suite.must("looking_needs_something_to_see", looks, || format!("{kind:?}: to be found, but nothing can be read back"));
        let early = rules.ends != EndsBy::Engine || rules.load_ahead_seconds == 0;
        suite.must("without_a_window_nothing_is_loaded_ahead", early, || format!("{kind:?}: it opens as soon as it is there"));
        let longest = rules.longest_seconds.is_none_or(|l| l >= 2 * u64::from(rules.resolution_seconds));
        suite.must("longest_window_is_not_empty", longest, || format!("{kind:?}: the longest window is {:?} s", rules.longest_seconds));
    }
    facets(suite, &report);
}

fn facets(suite: &mut Suite<'_>, report: &SystemReport) {
    let path = report.kinds.get(&Kind::Card).and_then(|r| r.card);
    let vendor = matches!(path, Some(CardPath::VendorEncoder | CardPath::PushThenVendorEncoder));
    let encoders = suite.provider.encoders().is_some();
    suite.must("vendor_cards_need_encoders", !vendor || encoders, || "the system's encoders write its cards, but it shows none".to_owned());
    let images = suite.provider.card_images().is_some();
    suite.must("own_cards_need_images", path != Some(CardPath::OwnEncoder) || images, || {
        "our encoder writes, but there are no images".to_owned()
    });
    let cloud = report.kinds.contains_key(&Kind::CloudKey);
    let unlock = suite.provider.unlock().is_some();
    suite.must("cloud_keys_need_remote_unlock", !cloud || unlock, || "cloud keys, but no remote unlock".to_owned());
}

/// Rules about doors and groups.
pub(super) fn inventory(suite: &mut Suite<'_>, doors: &[EntranceReport], groups: &[GroupReport]) {
    let report = suite.report.clone();
    let known: BTreeSet<String> = doors.iter().map(|d| d.handle.0.to_string()).collect();
    suite.must("door_handles_are_unique", known.len() == doors.len(), || "two doors have the same handle".to_owned());
    for door in doors {
        let able = [(door.code, Kind::Code), (door.card, Kind::Card), (door.mobile_key, Kind::MobileKey), (door.cloud_key, Kind::CloudKey)];
        for (able, kind) in able {
            let kept = !able || report.kinds.contains_key(&kind);
            suite
                .must("doors_take_what_the_system_holds", kept, || format!("{} takes a {kind:?}, which the system cannot hold", door.name));
        }
        let class = !door.reservation || door.class == DoorClass::Guest && report.stay.is_some();
        suite.must("reservation_doors_have_stays", class, || format!("{} takes part in reservations, but not as a guest door", door.name));
        let channel = door.channel.as_ref().is_none_or(|c| !c.key.is_empty() && c.in_flight >= 1);
        suite.must("channels_have_keys", channel, || format!("the channel of {} has no key", door.name));
    }
    let handles: BTreeSet<String> = groups.iter().map(|g| g.handle.0.to_string()).collect();
    suite.must("group_handles_are_unique", handles.len() == groups.len(), || "two groups have the same handle".to_owned());
    for group in groups {
        let strange = |h: &&Handle| !known.contains(&h.0.to_string());
        let stranger = group.entrances.iter().find(strange).map(|h| h.0.to_string());
        suite.must("groups_name_known_doors", stranger.is_none(), || format!("group {} names {stranger:?}", group.name));
    }
    let fixed = report.groups != Groups::Fixed || !groups.is_empty();
    suite.must("fixed_groups_exist", fixed, || "permissions are given by groups, and there are none".to_owned());
}
