//! What a replay ends with.
use crate::hotel::Counts;
use crate::replay::Tally;
use crate::script::{Note, Script};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The summary.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Bookings that were replayed.
    pub bookings: u64,
    /// Grants that were made.
    pub grants: u64,
    /// Access methods that were made.
    pub access_methods: u64,
    /// Credentials that were made at the access system.
    pub credentials: u64,
    /// Events that were told.
    pub events: u64,
    /// Doors that were tried.
    pub door_attempts: u64,
    /// Answers that were not what the oracle says; two people with one PIN count too.
    pub wrong_answers: u64,
    /// Grants per second of the calls that made them durable.
    pub durable_grants_per_second: f64,
    /// The most memory that this process had, in bytes; 0 where the system does not tell.
    pub peak_memory_bytes: u64,
    /// How long this process took, in seconds.
    pub seconds: f64,
    /// Special cases, and right answers by their reason.
    pub counts: BTreeMap<&'static str, u64>,
}

impl Summary {
    /// Sums up.
    #[must_use]
    pub fn new(script: &Script, tally: &Tally, hotel: Counts, took: Duration) -> Self {
        let mut counts: BTreeMap<&'static str, u64> =
            Note::ALL.into_iter().map(|note| (note.name(), tally.notes.get(&note).copied().unwrap_or(0))).collect();
        let bookings = counts.remove(Note::Booking.name()).unwrap_or(0);
        counts.extend(tally.verdicts.iter().map(|(verdict, n)| (verdict.name(), *n)));
        counts.insert("operations", tally.operations);
        if hotel.requests > 0 {
            counts.insert("requests_to_the_system", hotel.requests);
        }
        if hotel.seats > 0 {
            counts.insert("seats_at_most", hotel.seats);
        }
        counts.insert("rooms", script.plan.doors.iter().filter(|door| door.room).count() as u64);
        counts.insert("same_day_turnovers", script.turnovers as u64);
        Self {
            bookings,
            grants: tally.grants,
            access_methods: hotel.access_methods,
            credentials: hotel.credentials,
            events: hotel.events,
            door_attempts: tally.door_attempts,
            wrong_answers: tally.wrong_answers,
            durable_grants_per_second: if hotel.granting.is_zero() {
                0.0
            } else {
                rounded(hotel.granted as f64 / hotel.granting.as_secs_f64())
            },
            peak_memory_bytes: peak_memory(),
            seconds: rounded(took.as_secs_f64()),
            counts,
        }
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The most memory that this process had, where Linux tells it.
#[must_use]
pub fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")).and_then(|number| number.trim().parse::<u64>().ok());
    kibibytes.map_or(0, |n| n * 1024)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: String| writeln!(f, "{:<38} {value:>14}", name.replace('_', " "));
        row("bookings", self.bookings.to_string())?;
        row("grants", self.grants.to_string())?;
        row("access_methods", self.access_methods.to_string())?;
        row("credentials", self.credentials.to_string())?;
        row("events", self.events.to_string())?;
        row("door_attempts", self.door_attempts.to_string())?;
        row("wrong_answers", self.wrong_answers.to_string())?;
        row("durable_grants_per_second", format!("{:.0}", self.durable_grants_per_second))?;
        row("peak_memory_mebibytes", (self.peak_memory_bytes >> 20).to_string())?;
        row("seconds", format!("{:.1}", self.seconds))?;
        for (name, count) in &self.counts {
            row(&format!("  {name}"), count.to_string())?;
        }
        Ok(())
    }
}
