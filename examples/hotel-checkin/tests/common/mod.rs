//! Bookings for tests: a small house with all that the real one has, made by dice.
#![allow(dead_code, reason = "each test file uses some of it")]
use chrono::{Days, NaiveDate};
use hotel_checkin::bookings::{self, Booking};
use hotel_checkin::dice::Dice;
use std::fmt::Write;
use std::path::PathBuf;

/// The bookings' columns, in the order of the data set.
pub(crate) const HEADER: &str = "hotel,is_canceled,lead_time,arrival_date_year,arrival_date_month,arrival_date_week_number,arrival_date_day_of_month,\
stays_in_weekend_nights,stays_in_week_nights,adults,children,babies,reserved_room_type,assigned_room_type,booking_changes,reservation_status,\
reservation_status_date";

/// A table of so many bookings. Twelve weeks around the day on which clocks change; full enough that rooms turn over daily.
pub(crate) fn table(count: u64, seed: u64) -> String {
    let mut dice = Dice::new(seed, 99);
    let mut table = format!("{HEADER}\n");
    for _ in 0..count {
        let arrival = NaiveDate::from_ymd_opt(2015, 9, 1).unwrap() + Days::new(dice.below(84));
        let nights = if dice.chance(4) { 0 } else { 1 + dice.below(5) };
        let lead = if dice.chance(25) { 0 } else { 1 + dice.below(90) };
        let adults = [0, 1, 2, 2, 2, 3][usize::try_from(dice.below(6)).unwrap()];
        let changes = if dice.chance(30) { 1 + dice.below(3) } else { 0 };
        let (status, date) = match dice.below(20) {
            0 => ("No-Show", arrival),
            1..=3 => ("Canceled", arrival - Days::new(dice.below(lead + 1))),
            4..=5 => ("Canceled", arrival),
            6 if nights > 2 => ("Check-Out", arrival + Days::new(1)),
            _ => ("Check-Out", arrival + Days::new(nights)),
        };
        let kind = if dice.chance(60) { "A" } else { "B" };
        writeln!(
            table,
            "Test,0,{lead},{},{},1,{},0,{nights},{adults},{},0,A,{kind},{changes},{status},{}",
            arrival.format("%Y"),
            arrival.format("%B"),
            arrival.format("%-d"),
            dice.below(2),
            date.format("%-m/%-d/%Y"),
        )
        .unwrap();
    }
    table
}

/// So many bookings.
pub(crate) fn bookings(count: u64, seed: u64) -> Vec<Booking> {
    bookings::read(table(count, seed).as_bytes()).unwrap()
}

/// The real bookings, where they lie beside the repository.
pub(crate) fn real() -> Option<Vec<Booking>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/hotel_bookings.csv");
    if path.exists() {
        return Some(bookings::open(&path).unwrap());
    }
    println!("skipped: there is no {}", path.display());
    None
}
