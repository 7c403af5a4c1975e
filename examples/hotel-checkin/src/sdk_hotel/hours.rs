//! Hours of staff.
use crate::hotel::HotelError;
use crate::world::Hours;
use chrono::{Timelike, Weekday};
use seam_core::model::{TimeOfDay, Weekly, WeeklySpan};

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
