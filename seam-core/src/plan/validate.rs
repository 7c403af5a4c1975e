//! Checks that need no state: lengths, characters, counts, windows. Each names the field that is wrong and never repeats its content.
use super::change::NewMethod;
use crate::error::{Error, Result};
use crate::model::{AccessMethodMode, AcsEntranceId, Window};
use crate::state::Actor;
use chrono::{DateTime, Utc};

/// The longest name or key, in characters.
pub(super) const MAX_TEXT: usize = 256;
/// Doors of one grant or one space. A credential for more is not one that a lock can hold; a request for more is a mistake.
pub(super) const MAX_DOORS: usize = 2_000;
/// Methods asked for in one call.
pub(super) const MAX_METHODS: usize = 50;
/// Spaces named in one call.
pub(super) const MAX_SPACES: usize = 200;
/// How often the link of a mobile key can be redeemed, at most.
pub(super) const MAX_USES: u32 = 1_000;
/// The longest e-mail address (RFC 5321, 4.5.3.1.3: a path of 256 octets, less its brackets).
const MAX_EMAIL: usize = 254;

/// Characters that have no place in a name: controls, and those that break or turn the line they are shown in.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

fn text(field: &str, value: &str) -> Result<()> {
    if value.trim().is_empty() {
        return Err(Error::invalid(field, "it is empty"));
    }
    let length = value.chars().take(MAX_TEXT + 1).count();
    if length > MAX_TEXT {
        return Err(Error::invalid(field, format!("it is longer than {MAX_TEXT} characters")));
    }
    if value.chars().any(is_unprintable) {
        return Err(Error::invalid(field, "it contains control characters"));
    }
    Ok(())
}

/// A name for people: 1 to 256 characters, not all blank, no control characters.
///
/// # Errors
/// `InvalidInput`.
pub(super) fn name(field: &str, value: &str) -> Result<()> {
    text(field, value)
}

/// A key of the caller: 1 to 256 characters, no control characters. Compared byte for byte.
///
/// # Errors
/// `InvalidInput`.
pub(super) fn key(field: &str, value: &str) -> Result<()> {
    text(field, value)
}

/// Who acts and why, as they are kept in the audit: as names are.
///
/// # Errors
/// `InvalidInput`.
pub(super) fn who_and_why(actor: &Actor, reason: Option<&str>) -> Result<()> {
    match actor {
        Actor::Person(id) | Actor::Kiosk(id) | Actor::Integration(id) => text("actor", id)?,
        Actor::Engine => {}
    }
    reason.map_or(Ok(()), |reason| text("reason", reason))
}

/// The name of a consumer of events: as keys are, but not as those of webhooks.
///
/// # Errors
/// `InvalidInput`.
pub(crate) fn consumer(name: &str) -> Result<()> {
    if name.starts_with(crate::state::CONSUMER) {
        return Err(Error::invalid("consumer", "names that begin with `webhook:` are those of webhooks"));
    }
    text("consumer", name)
}

/// An e-mail address, by its shape: one `@`, something before it, a domain with a dot after it, no blanks.
///
/// # Errors
/// `InvalidInput`.
pub(super) fn email(field: &str, value: &str) -> Result<()> {
    let wrong = || Error::invalid(field, "it is not an e-mail address");
    if value.len() > MAX_EMAIL || value.chars().any(|c| c.is_whitespace() || is_unprintable(c)) {
        return Err(wrong());
    }
    let (local, domain) = value.rsplit_once('@').ok_or_else(wrong)?;
    let labels: Vec<&str> = domain.split('.').collect();
    let local_ok = !local.is_empty() && local.len() <= 64 && !local.contains(['@', ',', ';', '<', '>']);
    let label_ok =
        |l: &&str| !l.is_empty() && !l.starts_with('-') && !l.ends_with('-') && l.chars().all(|c| c.is_alphanumeric() || c == '-');
    if local_ok && labels.len() >= 2 && labels.iter().all(label_ok) { Ok(()) } else { Err(wrong()) }
}

/// The form of an e-mail address under which it is looked up. What is kept and sent is what the caller wrote.
pub(super) fn email_form(value: &str) -> String {
    value.to_lowercase()
}

/// A phone number in E.164: `+`, then 7 to 15 digits of which the first is not 0.
///
/// # Errors
/// `InvalidInput`.
pub(super) fn phone(field: &str, value: &str) -> Result<()> {
    let ok = value
        .strip_prefix('+')
        .is_some_and(|digits| (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0'));
    if ok { Ok(()) } else { Err(Error::invalid(field, "it is not a phone number in E.164, as +491701234567")) }
}

/// A PIN: 4 to 9 digits.
///
/// # Errors
/// `InvalidInput`.
pub(super) fn pin(field: &str, value: &str) -> Result<()> {
    if (4..=9).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit()) {
        Ok(())
    } else {
        Err(Error::invalid(field, "a PIN has 4 to 9 digits"))
    }
}

/// A window that ends in the future. Without a start it starts with the present second: systems keep whole seconds and round a start up, and who is
/// given access now is not to be refused for the rest of the second. Nothing existed before, so nothing opens earlier.
///
/// # Errors
/// `InvalidInput` for `ends_at` when it is empty, backwards or over; for either bound when it is outside the years 1970 to 9998.
pub(super) fn window(starts_at: Option<DateTime<Utc>>, ends_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Result<Window> {
    use crate::model::WindowError;
    let starts = starts_at.unwrap_or_else(|| DateTime::from_timestamp(now.timestamp(), 0).unwrap_or(now));
    let window = Window::new(starts, ends_at).map_err(|e| {
        let field = match &e {
            WindowError::OutOfRange { at } if ends_at.is_none_or(|end| crate::model::time::to_millis(end) != *at) => "starts_at",
            _ => "ends_at",
        };
        Error::invalid(field, e.to_string())
    })?;
    if window.is_over(now) {
        return Err(Error::invalid("ends_at", "the window is over already"));
    }
    Ok(window)
}

/// A list that is not too long.
///
/// # Errors
/// `InvalidInput`.
pub(super) fn at_most(field: &str, count: usize, most: usize) -> Result<()> {
    if count <= most { Ok(()) } else { Err(Error::invalid(field, format!("{count} are more than the {most} that are allowed at once"))) }
}

/// The doors of a grant, resolved: 1 to 2,000.
///
/// # Errors
/// `InvalidInput`.
pub(super) fn doors(doors: &[AcsEntranceId]) -> Result<()> {
    if doors.is_empty() {
        return Err(Error::invalid("acs_entrance_ids", "name at least one entrance, or a space that holds one"));
    }
    at_most("acs_entrance_ids", doors.len(), MAX_DOORS)
}

/// Requested methods: 1 to 50; a PIN only for codes, a number of redemptions only for mobile keys.
///
/// # Errors
/// `InvalidInput`.
pub(super) fn methods(methods: &[NewMethod]) -> Result<()> {
    const FIELD: &str = "requested_access_methods";
    if methods.is_empty() {
        return Err(Error::invalid(FIELD, "ask for at least one access method"));
    }
    at_most(FIELD, methods.len(), MAX_METHODS)?;
    for (i, m) in methods.iter().enumerate() {
        let of = |name: &str| format!("{FIELD}[{i}].{name}");
        mode(&of("mode"), &m.mode)?;
        if let Some(code) = &m.code {
            if m.mode != AccessMethodMode::Code {
                return Err(Error::invalid(of("code"), "only a method of mode code has a PIN"));
            }
            pin(&of("code"), code.expose())?;
        }
        if let Some(uses) = m.instant_key_max_use_count {
            if m.mode != AccessMethodMode::MobileKey {
                return Err(Error::invalid(of("instant_key_max_use_count"), "only a method of mode mobile_key has a link"));
            }
            max_uses(&of("instant_key_max_use_count"), uses)?;
        }
    }
    Ok(())
}

/// A mode that can be asked for.
///
/// # Errors
/// `InvalidInput`.
pub(super) fn mode(field: &str, mode: &AccessMethodMode) -> Result<()> {
    match mode {
        AccessMethodMode::Code | AccessMethodMode::Card | AccessMethodMode::MobileKey | AccessMethodMode::CloudKey => Ok(()),
        _ => Err(Error::invalid(field, "it is none of code, card, mobile_key, cloud_key")),
    }
}

/// How often a link can be redeemed: 1 to 1,000.
///
/// # Errors
/// `InvalidInput`.
pub(super) fn max_uses(field: &str, uses: u32) -> Result<()> {
    if (1..=MAX_USES).contains(&uses) { Ok(()) } else { Err(Error::invalid(field, format!("it must be 1 to {MAX_USES}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::model::Shown;
    use chrono::Duration;
    use proptest::prelude::*;

    fn at(s: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + s, 0).unwrap()
    }
    fn field(e: &Error) -> &str {
        assert_eq!(e.kind(), ErrorKind::InvalidInput);
        e.field().unwrap()
    }

    #[test]
    fn names_are_short_and_printable() {
        for good in ["A", "Ann Smith", "Zoë 王", &"x".repeat(256), &"é".repeat(256)] {
            name("name", good).unwrap();
        }
        let long = "x".repeat(257);
        let huge = "x".repeat(10_000);
        for bad in ["", "  ", "a\nb", "a\0", "\u{202E}evil", "a\u{2028}b", &long, &huge] {
            let e = name("full_name", bad).unwrap_err();
            assert_eq!(field(&e), "full_name");
            assert!(e.to_string().len() < 200, "the content is not repeated");
        }
    }

    #[test]
    fn contacts_have_their_shape() {
        for good in ["a@b.co", "Ann.Smith+hotel@mail.example.com", "x@münchen.example"] {
            email("email_address", good).unwrap();
        }
        let long = format!("{}@example.com", "x".repeat(65));
        for bad in ["", "a", "a@", "@b.co", "a@b", "a@@b.co", "a b@c.de", "a@b..co", "a@-b.co", "a@b.co\n", "a,b@c.de", &long] {
            assert!(email("email_address", bad).is_err(), "{bad}");
        }
        assert_eq!(email_form("Ann@Example.COM"), "ann@example.com");
        for good in ["+491701234567", "+1234567", "+123456789012345"] {
            phone("phone_number", good).unwrap();
        }
        for bad in ["", "+", "491701234567", "+0123456789", "+123456", "+1234567890123456", "+49 170 1234", "+49170a2345"] {
            assert!(phone("phone_number", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn windows_end_in_the_future() {
        let now = at(0);
        assert_eq!(window(None, None, now).unwrap().starts_at(), now);
        window(Some(at(-100)), Some(at(1)), now).unwrap();
        let over = window(Some(at(-100)), Some(at(0)), now).unwrap_err();
        assert_eq!(field(&over), "ends_at");
        assert_eq!(field(&window(Some(at(5)), Some(at(5)), now).unwrap_err()), "ends_at");
        assert_eq!(field(&window(Some(at(5)), Some(at(4)), now).unwrap_err()), "ends_at");
        let early = DateTime::from_timestamp(-1, 0).unwrap();
        assert_eq!(field(&window(Some(early), None, now).unwrap_err()), "starts_at");
        assert_eq!(field(&window(Some(early), Some(at(5)), now).unwrap_err()), "starts_at");
        let late = DateTime::<Utc>::MAX_UTC - Duration::days(1);
        assert_eq!(field(&window(None, Some(late), now).unwrap_err()), "ends_at");
    }

    #[test]
    fn lists_have_limits() {
        let door = AcsEntranceId::from_uuid(uuid::Uuid::nil());
        doors(&vec![door; MAX_DOORS]).unwrap();
        assert_eq!(field(&doors(&vec![door; 10_000]).unwrap_err()), "acs_entrance_ids");
        assert_eq!(field(&doors(&[]).unwrap_err()), "acs_entrance_ids");
        let card = NewMethod::new(AccessMethodMode::Card);
        methods(&vec![card.clone(); MAX_METHODS]).unwrap();
        assert!(methods(&vec![card; MAX_METHODS + 1]).is_err());
        assert!(methods(&[]).is_err());
    }

    #[test]
    fn methods_take_only_their_own_options() {
        let of = |mode, code: Option<&str>, uses| NewMethod { mode, code: code.map(Shown::new), instant_key_max_use_count: uses };
        methods(&[of(AccessMethodMode::Code, Some("0471"), None), of(AccessMethodMode::MobileKey, None, Some(2))]).unwrap();
        for (bad, name) in [
            (of(AccessMethodMode::Card, Some("4711"), None), "requested_access_methods[0].code"),
            (of(AccessMethodMode::Code, Some("47x1"), None), "requested_access_methods[0].code"),
            (of(AccessMethodMode::Code, None, Some(1)), "requested_access_methods[0].instant_key_max_use_count"),
            (of(AccessMethodMode::MobileKey, None, Some(0)), "requested_access_methods[0].instant_key_max_use_count"),
            (of(AccessMethodMode::Biometric, None, None), "requested_access_methods[0].mode"),
            (of(AccessMethodMode::from("voice"), None, None), "requested_access_methods[0].mode"),
        ] {
            let e = methods(std::slice::from_ref(&bad)).unwrap_err();
            assert_eq!(field(&e), name);
            assert!(!e.to_string().contains("47"), "a PIN is not repeated");
        }
    }

    proptest! {
        #[test]
        fn a_pin_is_four_to_nine_digits(text in "[0-9]{0,12}") {
            prop_assert_eq!(pin("code", &text).is_ok(), (4..=9).contains(&text.len()));
        }
        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = (name("f", &text), key("f", &text), email("f", &text), phone("f", &text), pin("f", &text));
        }
    }
}
