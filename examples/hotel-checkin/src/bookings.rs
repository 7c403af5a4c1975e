//! Reads bookings: the columns of "Hotel booking demand datasets" (N. Antonio, A. de Almeida, L. Nunes, Data in Brief 22 (2019)
//! 41-49, doi 10.1016/j.dib.2018.11.126) that say who may be in which room and when.
use crate::world::{Window, clock};
use chrono::{Days, NaiveDate};
use std::io;
use std::path::{Path, PathBuf};

/// How a booking ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The guests came, and left on the day of `Booking::status_date`.
    CheckedOut,
    /// The booking was cancelled on that day.
    Cancelled,
    /// Nobody came.
    NoShow,
}

/// A booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    /// The day of arrival.
    pub arrival: NaiveDate,
    /// Nights; with 0 the room is used by day.
    pub nights: u32,
    /// Days between booking and arrival.
    pub lead_time: u32,
    /// Adults; some bookings have none.
    pub adults: u16,
    /// Children and babies.
    pub children: u16,
    /// The type of room that was given.
    pub room_type: String,
    /// How often the booking was changed.
    pub changes: u32,
    /// How it ended.
    pub status: Status,
    /// When it ended.
    pub status_date: NaiveDate,
}

impl Booking {
    /// From 15:00 on the day of arrival until 11:00 on the day of departure; without a night from 09:00 until 18:00.
    #[must_use]
    pub fn window(&self) -> Window {
        if self.nights == 0 {
            Window { from: clock(self.arrival, 9, 0), until: clock(self.arrival, 18, 0) }
        } else {
            Window { from: clock(self.arrival, 15, 0), until: clock(later(self.arrival, self.nights), 11, 0) }
        }
    }

    /// The day on which it was booked.
    #[must_use]
    pub fn booked_on(&self) -> NaiveDate {
        self.arrival.checked_sub_days(Days::new(self.lead_time.into())).unwrap_or(self.arrival)
    }

    /// Guests with a grant of their own: the adults, or one when there are none.
    #[must_use]
    pub fn guests(&self) -> u16 {
        self.adults.max(1)
    }
}

/// So many days later.
#[must_use]
pub fn later(date: NaiveDate, days: u32) -> NaiveDate {
    date.checked_add_days(Days::new(days.into())).unwrap_or(date)
}

/// Why a file cannot be replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BookingsError {
    /// The file cannot be opened.
    #[error("cannot open {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be read, or is no table.
    #[error("cannot read the bookings")]
    Read(#[from] csv::Error),
    /// A column is missing.
    #[error("there is no column `{0}`")]
    NoColumn(&'static str),
    /// A row says something impossible.
    #[error("line {line}: {column} is {value:?}, expected {expected}")]
    Row {
        /// The line, from 1, the header included.
        line: u64,
        /// The column.
        column: &'static str,
        /// What stands there.
        value: String,
        /// What should.
        expected: &'static str,
    },
}

/// Longest stay and longest lead time that are believed.
const YEARS: u32 = 3 * 366;

/// Reads a file.
///
/// # Errors
/// The file cannot be opened or read, lacks a column, or has a row that cannot be: see [`BookingsError`]. Nothing is skipped.
pub fn open(path: &Path) -> Result<Vec<Booking>, BookingsError> {
    let file = std::fs::File::open(path).map_err(|source| BookingsError::Open { path: path.to_owned(), source })?;
    read(io::BufReader::new(file))
}

/// Reads bookings from anywhere.
///
/// # Errors
/// As [`open`].
pub fn read(from: impl io::Read) -> Result<Vec<Booking>, BookingsError> {
    let mut table = csv::Reader::from_reader(from);
    let columns = Columns::find(table.headers()?)?;
    table.records().map(|row| columns.booking(&row?)).collect()
}

const NAMES: [&str; 13] = [
    "lead_time",
    "arrival_date_year",
    "arrival_date_month",
    "arrival_date_day_of_month",
    "stays_in_weekend_nights",
    "stays_in_week_nights",
    "adults",
    "children",
    "babies",
    "assigned_room_type",
    "booking_changes",
    "reservation_status",
    "reservation_status_date",
];

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/// Where each of [`NAMES`] stands.
struct Columns([usize; NAMES.len()]);

impl Columns {
    fn find(header: &csv::StringRecord) -> Result<Self, BookingsError> {
        let mut at = [0; NAMES.len()];
        for (name, place) in NAMES.iter().zip(&mut at) {
            *place = header.iter().position(|h| h == *name).ok_or(BookingsError::NoColumn(name))?;
        }
        Ok(Self(at))
    }

    fn booking(&self, row: &csv::StringRecord) -> Result<Booking, BookingsError> {
        let cell = |column: &'static str| Cell {
            line: row.position().map_or(0, csv::Position::line),
            column,
            text: NAMES.iter().position(|n| *n == column).and_then(|i| self.0.get(i)).and_then(|i| row.get(*i)).unwrap_or_default(),
        };
        let month = cell("arrival_date_month");
        let month = (1..).zip(MONTHS).find(|(_, name)| *name == month.text).map(|(n, _)| n).ok_or_else(|| month.wrong("a month's name"))?;
        let year = cell("arrival_date_year").number(1971, 9000)?;
        let day = cell("arrival_date_day_of_month");
        let arrival = i32::try_from(year).ok().and_then(|y| NaiveDate::from_ymd_opt(y, month, day.number(1, 31).ok()?));
        let arrival = arrival.ok_or_else(|| day.wrong("a day of that month"))?;
        let room = cell("assigned_room_type");
        if room.text.is_empty() || room.text.len() > 16 {
            return Err(room.wrong("a room type of 1 to 16 characters"));
        }
        let children = cell("children");
        // The published data have a few rows in which the children were not recorded.
        let children = if children.text == "NA" { 0 } else { children.small(200)? };
        let status = cell("reservation_status");
        let status = match status.text {
            "Check-Out" => Status::CheckedOut,
            "Canceled" => Status::Cancelled,
            "No-Show" => Status::NoShow,
            _ => return Err(status.wrong("Check-Out, Canceled or No-Show")),
        };
        let booking = Booking {
            arrival,
            nights: cell("stays_in_weekend_nights").number(0, YEARS)? + cell("stays_in_week_nights").number(0, YEARS)?,
            lead_time: cell("lead_time").number(0, YEARS)?,
            adults: cell("adults").small(500)?,
            children: children + cell("babies").small(200)?,
            room_type: room.text.to_owned(),
            changes: cell("booking_changes").number(0, 1000)?,
            status,
            status_date: cell("reservation_status_date").date()?,
        };
        if status == Status::Cancelled && !(booking.booked_on()..=arrival).contains(&booking.status_date) {
            return Err(cell("reservation_status_date").wrong("a cancellation between booking and arrival"));
        }
        Ok(booking)
    }
}

struct Cell<'a> {
    line: u64,
    column: &'static str,
    text: &'a str,
}

impl Cell<'_> {
    fn wrong(&self, expected: &'static str) -> BookingsError {
        BookingsError::Row { line: self.line, column: self.column, value: self.text.chars().take(40).collect(), expected }
    }

    fn number(&self, least: u32, most: u32) -> Result<u32, BookingsError> {
        self.text.parse().ok().filter(|n| (least..=most).contains(n)).ok_or_else(|| self.wrong("a number that a hotel can have"))
    }

    fn small(&self, most: u16) -> Result<u16, BookingsError> {
        self.number(0, most.into()).and_then(|n| u16::try_from(n).map_err(|_| self.wrong("a small number")))
    }

    /// Month, day, year, with slashes.
    fn date(&self) -> Result<NaiveDate, BookingsError> {
        let mut parts = self.text.split('/');
        let mut next = || parts.next().and_then(|part| part.parse::<u32>().ok());
        let date = match (next(), next(), next(), next()) {
            (Some(month), Some(day), Some(year @ 1971..=9000), None) => {
                i32::try_from(year).ok().and_then(|y| NaiveDate::from_ymd_opt(y, month, day))
            }
            _ => None,
        };
        date.filter(|_| self.text.split('/').count() == 3).ok_or_else(|| self.wrong("a date as month/day/year"))
    }
}
