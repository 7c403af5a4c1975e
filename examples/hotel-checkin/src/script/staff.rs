//! The staff: their cards and their hours, and doors tried at both edges of them.
use super::pen::Pen;
use super::{Deed, Notes};
use crate::bookings::Booking;
use crate::dice::Dice;
use crate::world::{CardNo, DoorNo, FIRST_ROOM, GYM, HotelPlan, Hours, Instant, LOBBY, Staff, Token, Window, clock, date_of};
use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};

/// Opens everything, always.
pub(super) const MASTER: CardNo = CardNo(1);
/// Opens rooms from Monday to Saturday, 08:00 to 16:00.
pub(super) const HOUSEKEEPING: CardNo = CardNo(2);
/// Opens the common doors from 22:00 to 06:00.
pub(super) const PORTER: CardNo = CardNo(3);
/// Opens the gym for a year.
const TRAINER: CardNo = CardNo(4);

/// Puts the staff into the plan, gives them their cards before anything else happens, and lets them try doors.
pub(super) fn hire(plan: &mut HotelPlan, bookings: &[Booking], pen: &mut Pen, mut dice: Dice) {
    let (Some(first), Some(opened), Some(last)) = (
        bookings.iter().map(Booking::booked_on).min(),
        bookings.iter().map(|b| b.arrival).min(),
        bookings.iter().map(|b| date_of(b.window().until)).max(),
    ) else {
        return;
    };
    let from = clock(first - Days::new(1), 6, 0);
    let until = clock(last + Days::new(120), 12, 0);
    let rooms = (FIRST_ROOM..).take(plan.doors.len().saturating_sub(FIRST_ROOM.into())).map(DoorNo);
    let hours = |days, from, to| {
        Some(Hours {
            days,
            from: NaiveTime::from_hms_opt(from, 0, 0).unwrap_or_default(),
            to: NaiveTime::from_hms_opt(to, 0, 0).unwrap_or_default(),
        })
    };
    let always = Window { from, until };
    let year = Window { from: clock(opened, 9, 0), until: clock(opened + Days::new(365), 18, 0) };
    let staff = |name, doors, window, hours, card| Staff { name, doors, window, hours, card };
    plan.staff = vec![
        staff("master", [LOBBY, GYM].into_iter().chain(rooms.clone()).collect(), always, None, MASTER),
        staff(
            "housekeeping",
            [LOBBY].into_iter().chain(rooms.clone()).collect(),
            always,
            hours([true, true, true, true, true, true, false], 8, 16),
            HOUSEKEEPING,
        ),
        staff("night porter", vec![LOBBY, GYM], always, hours([true; 7], 22, 6), PORTER),
        staff("trainer", vec![GYM], year, None, TRAINER),
    ];
    for place in (0..).take(plan.staff.len()) {
        pen.write(from - TimeDelta::minutes(30), None, Deed::Hire(place), Notes::default());
    }
    let mut show = |at: Instant, door, card| pen.write(at, None, Deed::Try { door, token: Token::Card(card) }, Notes::default());
    for at in edges(year) {
        show(at, GYM, TRAINER);
    }
    let rooms: Vec<DoorNo> = rooms.collect();
    for day in opened.iter_days().take_while(|day| *day <= last) {
        if !dice.chance(12) && !clocks_change(day) {
            continue;
        }
        let room = usize::try_from(dice.below(rooms.len() as u64)).ok().and_then(|i| rooms.get(i)).copied().unwrap_or(LOBBY);
        for at in edges(Window { from: clock(day, 8, 0), until: clock(day, 16, 0) }) {
            show(at, room, HOUSEKEEPING);
        }
        for at in edges(Window { from: clock(day, 22, 0), until: clock(day + Days::new(1), 6, 0) }) {
            show(at, LOBBY, PORTER);
        }
        show(clock(day, 12, 0), LOBBY, PORTER);
        show(clock(day, 3, 0), GYM, PORTER);
        show(clock(day, 10, 0), GYM, HOUSEKEEPING);
        show(clock(day, 3, 30), GYM, MASTER);
    }
}

/// The last second before, the first and the last one within, the first one after.
fn edges(window: Window) -> [Instant; 4] {
    let second = TimeDelta::seconds(1);
    [window.from - second, window.from, window.until - second, window.until]
}

/// Whether the hotel's clocks change in the night to this day or to the next.
fn clocks_change(day: NaiveDate) -> bool {
    let noon = |d: NaiveDate| clock(d, 12, 0);
    noon(day + Days::new(1)) - noon(day) != TimeDelta::days(1) || noon(day) - noon(day - Days::new(1)) != TimeDelta::days(1)
}
