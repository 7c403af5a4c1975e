//! Texts that are numbers written out: ids, hexadecimal, instants.
use chrono::{DateTime, Datelike, NaiveDate, Timelike};

/// The characters of an id.
const ID_TEXT: usize = 36;
/// Fewer characters of hexadecimal than this stay as they are.
const LEAST_HEX: usize = 16;
/// The characters of an instant in whole seconds.
const INSTANT_TEXT: usize = 20;
/// Digits of the fractions of a second that chrono writes.
const DIGITS: [u8; 4] = [0, 3, 6, 9];

const fn value_of(c: u8) -> u8 {
    match c {
        b'0'..=b'9' => c - b'0',
        b'a'..=b'f' => c - b'a' + 10,
        _ => NO_DIGIT,
    }
}
const NO_DIGIT: u8 = 0xff;
/// The values of hexadecimal digits as we write them. A table, because long texts are looked at one character after the other.
const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut c = 0;
    while c < 256 {
        values[c] = value_of(c as u8);
        c += 1;
    }
    values
};

fn byte(high: u8, low: u8) -> Option<u8> {
    let (high, low) = (VALUES[usize::from(high)], VALUES[usize::from(low)]);
    (high | low < 16).then_some(high << 4 | low)
}

/// The bytes of an id that is written as we write ids: small letters, four hyphens.
pub(super) fn id(text: &str) -> Option<[u8; 16]> {
    let text = text.as_bytes();
    if text.len() != ID_TEXT {
        return None;
    }
    let mut bytes = [0; 16];
    let mut at = 0;
    for into in &mut bytes {
        if matches!(at, 8 | 13 | 18 | 23) {
            if text[at] != b'-' {
                return None;
            }
            at += 1;
        }
        *into = byte(text[at], text[at + 1])?;
        at += 2;
    }
    Some(bytes)
}

/// A text that ends with hexadecimal, cut where that begins: at the beginning, or behind the last point.
pub(super) fn hex(text: &str) -> Option<(&str, &str)> {
    if text.len() < LEAST_HEX {
        return None;
    }
    let cut = text.rfind('.').map_or(0, |point| point + 1);
    let (head, digits) = text.split_at(cut);
    let is_hex = |digits: &[u8]| digits.iter().all(|digit| VALUES[usize::from(*digit)] != NO_DIGIT);
    (digits.len() >= LEAST_HEX && digits.len() % 2 == 0 && is_hex(digits.as_bytes())).then_some((head, digits))
}

/// The bytes of hexadecimal digits.
pub(super) fn bytes(digits: &str) -> impl Iterator<Item = u8> {
    digits.as_bytes().chunks_exact(2).map(|pair| VALUES[usize::from(pair[0])] << 4 | VALUES[usize::from(pair[1])])
}

/// An instant of the years 0 to 9999 as chrono writes it in UTC: the digits of its fraction, the seconds since 1970, and the fraction.
pub(super) fn instant(text: &str) -> Option<(u8, i64, u32)> {
    let bytes = text.as_bytes();
    if bytes.len() < INSTANT_TEXT || bytes[10] != b'T' || bytes.last() != Some(&b'Z') {
        return None;
    }
    let number =
        |from: usize, to: usize| bytes[from..to].iter().try_fold(0u32, |sum, c| c.is_ascii_digit().then(|| sum * 10 + u32::from(c - b'0')));
    let fits = bytes[4] == b'-' && bytes[7] == b'-' && bytes[13] == b':' && bytes[16] == b':';
    let digits = match bytes.len() - INSTANT_TEXT {
        0 => 0,
        more if bytes[19] == b'.' => u8::try_from(more - 1).ok().filter(|digits| *digits > 0 && DIGITS.contains(digits))?,
        _ => return None,
    };
    let fraction = if digits == 0 { 0 } else { number(20, bytes.len() - 1)? };
    let year = i32::try_from(number(0, 4)?).ok()?;
    let day = NaiveDate::from_ymd_opt(year, number(5, 7)?, number(8, 10)?).filter(|_| fits)?;
    let seconds = day.and_hms_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?)?.and_utc().timestamp();
    Some((digits, seconds, fraction))
}

/// The text again that [`instant`] took apart; `None` when it made no such numbers.
pub(super) fn instant_text(digits: u8, seconds: i64, fraction: u32) -> Option<String> {
    let at = DateTime::from_timestamp(seconds, 0)?;
    let year = u32::try_from(at.year()).ok().filter(|year| *year <= 9999)?;
    if !DIGITS.contains(&digits) || fraction >= 10u32.pow(u32::from(digits)) {
        return None;
    }
    let mut text = String::with_capacity(INSTANT_TEXT + 10);
    let mut put = |mut number: u32, digits: u8, before: &str| {
        text.push_str(before);
        let mut place = 10u32.pow(u32::from(digits) - 1);
        while place > 0 {
            text.push(char::from(b'0' + (number / place) as u8));
            number %= place;
            place /= 10;
        }
    };
    put(year, 4, "");
    put(at.month(), 2, "-");
    put(at.day(), 2, "-");
    put(at.hour(), 2, "T");
    put(at.minute(), 2, ":");
    put(at.second(), 2, ":");
    if digits > 0 {
        put(fraction, digits, ".");
    }
    text.push('Z');
    Some(text)
}
