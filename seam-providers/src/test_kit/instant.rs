//! Instants as tests write them.
use chrono::{DateTime, NaiveDateTime, Utc};

/// An instant: a [`DateTime<Utc>`], or a text as `2026-03-01 15:00` (UTC) or `2026-03-01T15:00:00Z`.
pub trait Instant {
    /// The instant.
    ///
    /// # Panics
    /// The text is no instant: a test that misspells one must not pass.
    fn instant(self) -> DateTime<Utc>;
}

impl Instant for DateTime<Utc> {
    fn instant(self) -> DateTime<Utc> {
        self
    }
}

impl Instant for &str {
    fn instant(self) -> DateTime<Utc> {
        let short = NaiveDateTime::parse_from_str(self, "%Y-%m-%d %H:%M").map(|civil| civil.and_utc());
        match short.or_else(|_| self.parse()) {
            Ok(at) => at,
            Err(_) => panic!("{self:?} is no instant: write \"2026-03-01 15:00\" (UTC) or \"2026-03-01T15:00:00Z\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_short_or_in_full() {
        let at: DateTime<Utc> = "2026-03-01T15:00:00Z".parse().unwrap();
        assert_eq!([at.instant(), "2026-03-01 15:00".instant(), "2026-03-01T16:00:00+01:00".instant()], [at; 3]);
    }

    #[test]
    #[should_panic(expected = "is no instant")]
    fn a_misspelled_instant_fails_the_test() {
        let _ = "2026-02-30 15:00".instant();
    }
}
