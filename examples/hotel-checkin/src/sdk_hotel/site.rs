//! The virtual site: the doors of the plan, as a sandbox system with offline locks.
use crate::hotel::HotelError;
use crate::world::{HotelPlan, Hours, ZONE};
use chrono::{Timelike, Weekday};
use seam_core::model::{TimeOfDay, Weekly, WeeklySpan};
use seam_core::provider::{DoorClass, Handle};
use seam_providers::sandbox::SiteConfig;

/// The site's name.
pub(super) const SITE: &str = "hotel";
/// Its encoders. One that ended in doubt stands still for a while; the next one is used then.
pub(super) const DESKS: [&str; 4] = ["desk-1", "desk-2", "desk-3", "desk-4"];

/// The site with the doors of the plan.
pub(super) fn config(plan: &HotelPlan) -> SiteConfig {
    let mut site = SiteConfig::hotel(SITE, 1).in_zone(ZONE);
    let like = |class| site.doors.iter().find(|door| door.class == class).cloned();
    let (room, common) = (like(DoorClass::Guest), like(DoorClass::Common));
    let doors = plan.doors.iter().filter_map(|door| {
        let mut new = if door.room { room.clone() } else { common.clone() }?;
        new.handle = Handle::text(door.name.as_str());
        new.name.clone_from(&door.name);
        new.code = door.keypad;
        Some(new)
    });
    let doors = doors.collect();
    site.doors = doors;
    site.encoders = DESKS.map(str::to_owned).into();
    // The replay lays the cards that it means on the encoders.
    site.auto_card = false;
    site.log_capacity = 100;
    site
}

/// Hours, in the words of the SDK.
pub(super) fn weekly(hours: Hours) -> Result<Weekly, HotelError> {
    let days = [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
    let days = days.into_iter().zip(hours.days).filter_map(|(day, works)| works.then_some(day)).collect::<seam_core::model::DaySet>();
    let time = |time: chrono::NaiveTime| {
        let part = |n: u32| u8::try_from(n).ok();
        part(time.hour())
            .zip(part(time.minute()))
            .and_then(|(hour, minute)| TimeOfDay::new(hour, minute))
            .ok_or("there is no such time of day")
    };
    Ok(Weekly::new([WeeklySpan::new(days, time(hours.from)?, time(hours.to)?)])?)
}
