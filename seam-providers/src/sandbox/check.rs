//! What can be seen to be wrong before anything is sent.
use super::config::SiteConfig;
use chrono::{DateTime, Utc};
use seam_core::model::Window;
use seam_core::provider::{
    AccessSpec, Body, CredentialSpec, Door, DoorClass, DoorLimit, EntranceReport, Failure, Handle, Kind, KindRules, PinRules, Reason,
    StaySpec, UserSpec, Want,
};
use secrecy::ExposeSecret;
use std::collections::{BTreeMap, BTreeSet};

/// A want that the site can hold, in its own words.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) rules: KindRules,
    /// The window at the site's resolution.
    pub(super) window: Option<Window>,
    pub(super) doors: Vec<String>,
}

pub(super) fn check(config: &SiteConfig, want: &Want) -> Result<Checked, Failure> {
    let kind = want.kind();
    let Some(rules) = config.kinds.get(&kind) else {
        return Err(Failure::unsupported(format!("{} cannot hold a {kind:?}", config.name)));
    };
    let (window, doors) = match want {
        Want::Stay(stay) => (Some(stay.window), stay_doors(config, stay)?),
        Want::User(user) => (user_window(user)?, Vec::new()),
        Want::Access(access) => (Some(access.window), access_doors(config, rules, access)?),
        Want::Credential(credential) => (Some(credential.window), credential_doors(config, rules, credential)?),
        _ => return Err(Failure::unsupported("nothing is known of such a thing here")),
    };
    let window = window.map(|w| fit(rules, w)).transpose()?;
    Ok(Checked { rules: rules.clone(), window, doors })
}

fn user_window(user: &UserSpec) -> Result<Option<Window>, Failure> {
    if user.name.trim().is_empty() {
        return Err(Failure::refused(Reason::Invalid, "a user has a name"));
    }
    Ok(user.window)
}

fn stay_doors(config: &SiteConfig, stay: &StaySpec) -> Result<Vec<String>, Failure> {
    if config.stay.is_none() {
        return Err(Failure::unsupported("this site knows no stays"));
    }
    if stay.key.is_empty() || stay.generation == 0 {
        return Err(Failure::refused(Reason::Invalid, "a stay has a key and an issue number of at least 1"));
    }
    names(config, &stay.doors, |_| true)
}

fn access_doors(config: &SiteConfig, rules: &KindRules, access: &AccessSpec) -> Result<Vec<String>, Failure> {
    if access.user.is_none() {
        return Err(Failure::refused(Reason::NotThere, "a permission needs its user first"));
    }
    if access.schedule.is_some() && !rules.schedule {
        return Err(Failure::unsupported("this site keeps no weekly schedules"));
    }
    if access.suspended && !rules.suspend {
        return Err(Failure::unsupported("a permission cannot be suspended here"));
    }
    let doors = names(config, &access.doors, |_| true)?;
    if doors.is_empty() {
        return Err(Failure::refused(Reason::Invalid, "a permission names its doors"));
    }
    within_limit(rules, &access.doors)?;
    Ok(doors)
}

fn credential_doors(config: &SiteConfig, rules: &KindRules, credential: &CredentialSpec) -> Result<Vec<String>, Failure> {
    if credential.schedule.is_some() && !rules.schedule {
        return Err(Failure::unsupported("such a credential keeps no weekly schedule here"));
    }
    if credential.suspended && !rules.suspend {
        return Err(Failure::unsupported("such a credential cannot be suspended here"));
    }
    if let Body::Code { pin, slot } = &credential.body {
        let Some(pins) = &config.pin else { return Err(Failure::unsupported("this site takes no PINs")) };
        check_pin(pins, pin.as_ref().map(|p| p.expose_secret()))?;
        check_slot(pins, *slot)?;
    }
    if rules.doors == DoorLimit::ByUser {
        return match &credential.user {
            Some(_) => Ok(Vec::new()),
            None => Err(Failure::refused(Reason::NotThere, "a credential needs its user first")),
        };
    }
    let kind = credential.body.kind();
    let able = |door: &EntranceReport| match kind {
        Kind::Code => door.code,
        Kind::Card => door.card,
        Kind::MobileKey => door.mobile_key,
        Kind::CloudKey => door.cloud_key,
        _ => false,
    };
    let doors = names(config, &credential.doors, able)?;
    if doors.is_empty() {
        return Err(Failure::refused(Reason::Invalid, "a credential names its doors"));
    }
    within_limit(rules, &credential.doors)?;
    if let Some((stay, _)) = &credential.stay {
        stay_doors(config, stay)?;
        let of_stay: BTreeSet<_> = stay.doors.iter().filter_map(|d| d.handle.as_text()).collect();
        let mut guest = credential.doors.iter().filter(|d| d.class == DoorClass::Guest);
        if let Some(door) = guest.find(|d| d.handle.as_text().is_none_or(|name| !of_stay.contains(name))) {
            return Err(Failure::refused(Reason::Invalid, format!("{} is no door of the stay", show(&door.handle))));
        }
    }
    Ok(doors)
}

fn names(config: &SiteConfig, doors: &[Door], able: impl Fn(&EntranceReport) -> bool) -> Result<Vec<String>, Failure> {
    // One lookup table when there are many: ten thousand doors in one call are no reason to take long.
    let table: BTreeMap<&str, &EntranceReport> = match doors.len() {
        0..=8 => BTreeMap::new(),
        _ => config.doors.iter().filter_map(|d| Some((d.handle.as_text()?, d))).collect(),
    };
    let (mut names, mut seen) = (Vec::with_capacity(doors.len()), BTreeSet::new());
    for door in doors {
        let name = door.handle.as_text().unwrap_or_default();
        let known = if table.is_empty() { config.door(name) } else { table.get(name).copied() };
        let Some(known) = known else {
            return Err(Failure::refused(Reason::NotThere, format!("there is no door {}", show(&door.handle))));
        };
        if known.class == DoorClass::Implicit {
            return Err(Failure::refused(Reason::Invalid, format!("{name} opens by itself: it cannot be named")));
        }
        if !able(known) {
            return Err(Failure::unsupported(format!("{name} takes no such credential")));
        }
        if seen.insert(name) {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

fn show(handle: &Handle) -> String {
    handle.0.to_string()
}

fn within_limit(rules: &KindRules, doors: &[Door]) -> Result<(), Failure> {
    let guest = doors.iter().filter(|d| d.class == DoorClass::Guest).count();
    let common = doors.len() - guest;
    let fits = match rules.doors {
        DoorLimit::One => doors.len() <= 1,
        DoorLimit::Many { guest: g, common: c } => guest <= usize::from(g) && common <= usize::from(c),
        DoorLimit::ByUser => true,
    };
    if fits { Ok(()) } else { Err(Failure::unsupported(format!("{} doors are too many for one credential", doors.len()))) }
}

pub(super) fn check_pin(rules: &PinRules, pin: Option<&str>) -> Result<(), Failure> {
    let refused = |why: &str| Err(Failure::refused(Reason::PinRefused, why));
    match pin {
        None if rules.made_by_vendor => Ok(()),
        None => refused("a code needs a PIN here"),
        Some(_) if rules.made_by_vendor => Err(Failure::unsupported("the site makes its PINs itself")),
        Some(pin) if !pin.bytes().all(|b| b.is_ascii_digit()) => refused("a PIN has digits only"),
        Some(pin) if !(usize::from(rules.shortest)..=usize::from(rules.longest)).contains(&pin.len()) => {
            refused("the PIN is too short or too long")
        }
        Some(pin) if rules.max.is_some_and(|max| pin.parse::<u64>().map_or(true, |n| n > max)) => refused("the PIN is too large a number"),
        Some(_) => Ok(()),
    }
}

fn check_slot(rules: &PinRules, slot: Option<u16>) -> Result<(), Failure> {
    match (rules.slots, slot) {
        (None, None) => Ok(()),
        (Some(n), Some(slot)) if (1..=n).contains(&slot) => Ok(()),
        (Some(n), _) => Err(Failure::refused(Reason::Invalid, format!("a code goes into a slot from 1 to {n}"))),
        (None, Some(_)) => Err(Failure::refused(Reason::Invalid, "this site has no slots")),
    }
}

/// The window at the resolution of the site, rounded inwards.
fn fit(rules: &KindRules, window: Window) -> Result<Window, Failure> {
    if window.ends_at().is_none() && (rules.end_required || rules.longest_seconds.is_some()) {
        return Err(Failure::refused(Reason::WindowRefused, "a window needs an end here"));
    }
    let step = i64::from(rules.resolution_seconds.max(1)) * 1000;
    let up = instant(window.starts_at().timestamp_millis().checked_add(step - 1).map(|t| t.div_euclid(step) * step));
    let down = window.ends_at().map(|end| instant(Some(end.timestamp_millis().div_euclid(step) * step)));
    let rounded = up.and_then(|start| Window::new(start, down.flatten()).ok());
    let Some(rounded) = rounded.filter(|_| down.is_none_or(|d| d.is_some())) else {
        return Err(Failure::refused(Reason::WindowRefused, "the window is empty at the resolution of the site"));
    };
    match (rules.longest_seconds, rounded.length()) {
        (Some(longest), Some(length)) if length.as_secs() > longest => {
            Err(Failure::refused(Reason::WindowRefused, "the window is too long for the site"))
        }
        _ => Ok(rounded),
    }
}

fn instant(millis: Option<i64>) -> Option<DateTime<Utc>> {
    millis.and_then(DateTime::from_timestamp_millis)
}
