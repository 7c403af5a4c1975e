//! The times that documents and certificates write, as seconds.

use core::fmt;

/// Seconds since 1970-01-01T00:00:00Z, without leap seconds. Years 0 to 9999 can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

const DAY: i64 = 86_400;

/// Days since 1970-01-01 of a date of the Gregorian calendar, counted in eras of 400 years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * shifted + 2) / 5 + 1, (shifted + 2) % 12 + 1);
    (year + era * 400 + i64::from(month <= 2), month, day)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
}

impl Instant {
    fn from_parts(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64) -> Option<Self> {
        let number = days(year, month, day);
        // A day that the month does not have comes back as another one.
        let real = (1..=12).contains(&month) && civil(number) == (year, month, day);
        (real && hour < 24 && minute < 60 && second < 60).then_some(Self(number * DAY + hour * 3_600 + minute * 60 + second))
    }

    /// Reads `2026-02-26T15:54:26Z` (RFC 3339 in UTC, whole seconds), the only form that documents have.
    pub fn from_rfc3339(text: &[u8]) -> Option<Self> {
        let text: &[u8; 20] = text.try_into().ok()?;
        let punctuation = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
        if punctuation.into_iter().any(|(place, byte)| text[place] != byte) {
            return None;
        }
        let part = |from: usize, to: usize| number(&text[from..to]);
        Self::from_parts(part(0, 4)?, part(5, 7)?, part(8, 10)?, part(11, 13)?, part(14, 16)?, part(17, 19)?)
    }

    /// Writes the same form; none outside the years 0 to 9999.
    pub fn to_rfc3339(self) -> Option<[u8; 20]> {
        let (year, month, day) = civil(self.0.div_euclid(DAY));
        let second = self.0.rem_euclid(DAY);
        if !(0..10_000).contains(&year) {
            return None;
        }
        let mut text = *b"0000-00-00T00:00:00Z";
        let parts = [(0, 4, year), (5, 2, month), (8, 2, day), (11, 2, second / 3_600), (14, 2, second / 60 % 60), (17, 2, second % 60)];
        for (from, width, value) in parts {
            let mut rest = value;
            for place in (from..from + width).rev() {
                // A remainder of ten fits.
                text[place] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
                rest /= 10;
            }
        }
        Some(text)
    }

    /// Reads the time of a certificate: 13 characters with a year of two digits (50 to 99 are 1950 to 1999), or 15 (RFC 5280, 4.1.2.5).
    pub fn from_x509(text: &[u8]) -> Option<Self> {
        let (year, rest) = match text.len() {
            13 => (number(&text[..2])? + if text[0] >= b'5' { 1900 } else { 2000 }, &text[2..]),
            15 => (number(&text[..4])?, &text[4..]),
            _ => return None,
        };
        let part = |from: usize| number(&rest[from..from + 2]);
        if rest[10] != b'Z' {
            return None;
        }
        Self::from_parts(year, part(0)?, part(2)?, part(4)?, part(6)?, part(8)?)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_rfc3339() {
            Some(text) => f.write_str(core::str::from_utf8(&text).unwrap_or("?")),
            None => write!(f, "{} s", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_read_and_write() {
        // By `date -u +%s -d ...`.
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2026-02-26T15:54:26Z", 1_772_121_266),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("1969-12-31T23:59:59Z", -1),
        ] {
            assert_eq!(Instant::from_rfc3339(text.as_bytes()), Some(Instant(seconds)), "{text}");
            assert_eq!(Instant(seconds).to_rfc3339().unwrap(), text.as_bytes());
        }
        assert_eq!(Instant::from_x509(b"490101000000Z"), Instant::from_rfc3339(b"2049-01-01T00:00:00Z"));
        assert_eq!(Instant::from_x509(b"500101000000Z"), Instant::from_rfc3339(b"1950-01-01T00:00:00Z"));
        assert_eq!(Instant::from_x509(b"20500101000000Z"), Instant::from_rfc3339(b"2050-01-01T00:00:00Z"));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01t00:00:00Z",
            "2026-01-01T00:00:00+",
            "2026-01-01T00:00:00",
            "+026-01-01T00:00:00Z",
        ] {
            assert_eq!(Instant::from_rfc3339(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Instant::from_x509(b"2001010000000"), None);
        assert_eq!(Instant::from_x509(b""), None);
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(seconds in -62_167_219_200_i64..253_402_300_800) {
            let text = Instant(seconds).to_rfc3339().unwrap();
            assert_eq!(Instant::from_rfc3339(&text), Some(Instant(seconds)));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: std::vec::Vec<u8>, seconds: i64) {
            let _ = (Instant::from_rfc3339(&bytes), Instant::from_x509(&bytes), Instant(seconds).to_rfc3339());
        }
    }
}
