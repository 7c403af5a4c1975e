//! The reader of bookings.
#[cfg(test)]
mod common;

use hotel_checkin::bookings::{self, BookingsError, Status};
use hotel_checkin::world::clock;

const ROW: &str = "Resort Hotel,0,342,2015,July,27,30,2,1,2,1,1,C,A,3,Check-Out,8/2/2015";

fn read(row: &str) -> Result<Vec<bookings::Booking>, BookingsError> {
    bookings::read(format!("{}\n{ROW}\n{row}\n", common::HEADER).as_bytes())
}

/// The column and the line of the error that a row gives.
fn refused(row: &str) -> (&'static str, u64) {
    match read(row) {
        Err(BookingsError::Row { line, column, .. }) => (column, line),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_row_is_read() {
    let booking = read(ROW).unwrap().remove(1);
    assert_eq!((booking.nights, booking.lead_time, booking.adults, booking.children, booking.changes), (3, 342, 2, 2, 3));
    assert_eq!((booking.room_type.as_str(), booking.status), ("A", Status::CheckedOut));
    assert_eq!(booking.window().from, clock(booking.arrival, 15, 0));
    assert_eq!(booking.window().until, clock(booking.status_date, 11, 0));
    assert_eq!(booking.booked_on().to_string(), "2014-08-22");
}

#[test]
fn a_stay_without_a_night_is_a_day_use_and_a_booking_without_adults_has_one_guest() {
    let booking = read("Resort Hotel,0,0,2015,July,27,1,0,0,0,0,0,C,A,0,Check-Out,7/1/2015").unwrap().remove(1);
    assert_eq!(booking.window().from, clock(booking.arrival, 9, 0));
    assert_eq!(booking.window().until, clock(booking.arrival, 18, 0));
    assert_eq!(booking.guests(), 1);
}

#[test]
fn a_bad_row_is_named_by_its_line_and_column() {
    for (from, to, column) in [
        ("July", "Juli", "arrival_date_month"),
        (",30,", ",32,", "arrival_date_day_of_month"),
        (",2015,July", ",1066,July", "arrival_date_year"),
        ("342", "-1", "lead_time"),
        ("342", "", "lead_time"),
        (",A,3,", ",,3,", "assigned_room_type"),
        ("Check-Out", "Checked out", "reservation_status"),
        ("8/2/2015", "2015-08-02", "reservation_status_date"),
        ("8/2/2015", "13/2/2015", "reservation_status_date"),
        ("8/2/2015", "8/2/2015/1", "reservation_status_date"),
        ("8/2/2015", "8/2", "reservation_status_date"),
        (",2,1,2,1,1,", ",2,1,x,1,1,", "adults"),
        (",2,1,2,1,1,", ",99999999999,1,2,1,1,", "stays_in_weekend_nights"),
    ] {
        assert_eq!(refused(&ROW.replacen(from, to, 1)), (column, 3), "{from} -> {to}");
    }
    let february = ROW.replacen("July,27,30", "February,7,30", 1);
    assert_eq!(refused(&february), ("arrival_date_day_of_month", 3));
    let cancelled = ROW.replacen("Check-Out,8/2/2015", "Canceled,8/2/2015", 1);
    assert_eq!(refused(&cancelled), ("reservation_status_date", 3), "cancelled after arrival");
}

#[test]
fn a_table_of_something_else_and_a_missing_file_are_said() {
    assert!(matches!(bookings::read("a,b\n1,2\n".as_bytes()), Err(BookingsError::NoColumn("lead_time"))));
    assert!(matches!(bookings::read("".as_bytes()), Err(BookingsError::NoColumn("lead_time"))));
    assert!(matches!(read("too,few"), Err(BookingsError::Read(_))));
    assert!(matches!(bookings::open("no/such/file.csv".as_ref()), Err(BookingsError::Open { .. })));
}

#[test]
fn the_real_bookings_are_all_read() {
    let Some(bookings) = common::real() else { return };
    assert_eq!(bookings.len(), 14_938);
    let count = |status| bookings.iter().filter(|b| b.status == status).count();
    assert_eq!((count(Status::CheckedOut), count(Status::Cancelled), count(Status::NoShow)), (6_938, 7_793, 207));
}
