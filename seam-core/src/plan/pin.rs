//! PINs: one for all doors of a grant where the systems allow it, never the same for two people at a door at the same time plus a gap.
use super::account;
use super::draft::Draft;
use super::read::Try;
use crate::error::{Error, ErrorKind};
use crate::model::{AcsEntranceId, AcsSystemId, Window};
use crate::planted::{self, Bug};
use crate::provider::{EndsBy, Handle, PinRules};
use crate::state::*;
use rand::RngExt;
use std::fmt::Write as _;

/// How many candidates are looked at in one read.
const BATCH: usize = 16;
/// How many candidates are drawn before the whole space is searched.
const DRAWS: usize = 256;

/// Where a PIN must be unique, and the rules there.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) system: AcsSystemId,
    /// The physical door or system, in words that are the same in every workspace.
    pub(super) domain: String,
    pub(super) rules: PinRules,
    pub(super) ends: EndsBy,
    pub(super) doors: Vec<AcsEntranceId>,
}

/// The physical place where a PIN must be unique: the door, or the whole system. The lock holds its PINs whether we are connected or not, so
/// disconnecting does not rename the place.
pub(super) fn domain(system: &System, door: Option<&Handle>, rules: &PinRules) -> String {
    let bare = account::bare(&system.report.fingerprint);
    match door {
        Some(handle) if !rules.unique_in_system => format!("{bare}/{}", handle.0),
        _ => bare.to_owned(),
    }
}

/// The key under which a PIN is claimed.
pub(super) fn key(d: &Draft<'_>, domain: &str, pin: &str) -> ClaimKey {
    d.env.vault.claim_key("pin", domain, pin)
}

/// The claim of a PIN at a place. Where the lock keeps the window, the claim ends with it; where our timer ends it, it is claimed for good, until
/// its absence has been verified.
pub(super) fn claim(d: &Draft<'_>, place: &Place, pin: &str, window: &Window) -> Claim {
    let until = match place.ends {
        EndsBy::Itself => window.ends_at(),
        EndsBy::Engine => None,
    };
    Claim { key: key(d, &place.domain, pin), from: window.starts_at(), until, exclusive: true }
}

/// Whether digits satisfy rules.
pub(super) fn fits(pin: &str, rules: &PinRules) -> bool {
    let length = u8::try_from(pin.len()).unwrap_or(u8::MAX);
    pin.bytes().all(|b| b.is_ascii_digit())
        && (rules.shortest..=rules.longest).contains(&length)
        && rules.max.is_none_or(|max| pin.parse::<u64>().is_ok_and(|n| n <= max && n > 0))
}

/// PINs that everybody tries first: one digit repeated, digits counting up or down, years, a pair repeated.
pub(super) fn is_weak(pin: &str) -> bool {
    let digits: Vec<i16> = pin.bytes().map(|b| i16::from(b) - i16::from(b'0')).collect();
    let steps: Vec<i16> = digits.windows(2).map(|w| w[1] - w[0]).collect();
    let constant = |step: i16| steps.iter().all(|s| *s == step);
    let pairs = digits.len() >= 4 && digits.len().is_multiple_of(2) && digits.chunks(2).all(|c| c == &digits[..2]);
    let year = digits.len() == 4 && (pin.starts_with("19") || pin.starts_with("20"));
    constant(0) || constant(1) || constant(-1) || pairs || year
}

/// The length that PINs of these places have: six digits if all can, else as near to it as they can.
pub(super) fn length(places: &[Place]) -> Option<u8> {
    let shortest = places.iter().map(|p| p.rules.shortest).max()?;
    let longest = places.iter().map(|p| p.rules.longest).min()?;
    (shortest <= longest).then(|| 6.clamp(shortest, longest))
}

/// Splits places into as few groups as can share one PIN: places whose lengths have something in common go together.
pub(super) fn groups(places: Vec<Place>) -> Vec<Vec<Place>> {
    let mut groups: Vec<Vec<Place>> = Vec::new();
    for place in places {
        // A PIN that the system makes, or that belongs to the user there, is a secret of its own.
        let alone = place.rules.made_by_vendor || place.rules.per_user;
        let found = groups.iter_mut().find(|g| {
            if alone {
                g[0].system == place.system
            } else {
                let mut with: Vec<Place> = g.to_vec();
                with.push(place.clone());
                !(g[0].rules.made_by_vendor || g[0].rules.per_user) && length(&with).is_some()
            }
        });
        match found {
            Some(group) => group.push(place),
            None => groups.push(vec![place]),
        }
    }
    groups
}

/// Whether a PIN is free at all places for a window. `own`: the row whose claims do not count.
fn is_free(d: &Draft<'_>, places: &[Place], pin: &str, window: &Window, own: &dyn Fn(RowId) -> bool) -> Try<bool> {
    for place in places {
        let claim = claim(d, place, pin, window);
        let gap = i64::from(place.rules.gap_seconds);
        for other in d.near(&near_of(&claim, gap))? {
            if !own(other.row) && other.claim.meets(claim.from, claim.until, gap) {
                return Ok(false);
            }
        }
        if given_here(d, &claim, gap, own) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether this very draft has given the PIN to somebody: the store compares a commit with what is stored, not with itself.
pub(super) fn given_here(d: &Draft<'_>, claim: &Claim, gap: i64, own: &dyn Fn(RowId) -> bool) -> bool {
    d.written().any(|row| {
        !planted::is(Bug::PinTwiceInOneChange)
            && !own(row.id)
            && row.body.claims().iter().any(|c| c.exclusive && c.key == claim.key && c.meets(claim.from, claim.until, gap))
    })
}

/// What to read to know whether a claim is free: its window, widened by the gap.
pub(super) fn near_of(claim: &Claim, gap_seconds: i64) -> Near {
    let gap = chrono::Duration::seconds(gap_seconds);
    Near { key: claim.key, from: claim.from - gap, until: claim.until.map(|u| u + gap) }
}

fn hint(d: &Draft<'_>, places: &[Place], pin: &str, window: &Window) {
    for place in places {
        let claim = claim(d, place, pin, window);
        d.reader().hint_near([near_of(&claim, i64::from(place.rules.gap_seconds))]);
    }
}

/// What choosing a PIN came to.
pub(super) struct Chosen {
    pub(super) pin: String,
    /// The wanted PIN was not to be had.
    pub(super) refused_preference: bool,
}

/// Chooses a PIN for places that can share one: the preferred one if it fits and is free, else a random one that is.
///
/// The first, optimistic try draws one and lets the commit find out; after a conflict the claims are read.
///
/// # Errors
/// `Exhausted` when no PIN of the length is free at all these places.
pub(super) fn choose(
    d: &mut Draft<'_>,
    places: &[Place],
    preferred: Option<&str>,
    window: &Window,
    own: &dyn Fn(RowId) -> bool,
) -> Try<Chosen> {
    let length = length(places)
        .ok_or_else(|| Error::new(ErrorKind::Unsupported, "no_common_pin_length", "these entrances have no PIN length in common"))?;
    let fits_all = |pin: &str| places.iter().all(|p| fits(pin, &p.rules));
    if let Some(pin) = preferred
        && fits_all(pin)
    {
        hint(d, places, pin, window);
        d.gather()?;
        if is_free(d, places, pin, window, own)? {
            return Ok(Chosen { pin: pin.to_owned(), refused_preference: false });
        }
    }
    let refused_preference = preferred.is_some();
    let optimistic = d.env.attempt == 0;
    let mut drawn = Vec::with_capacity(DRAWS);
    while drawn.len() < DRAWS {
        let pin = draw(d, length);
        if fits_all(&pin) && !is_weak(&pin) {
            if optimistic && !places.iter().any(|p| given_here(d, &claim(d, p, &pin, window), i64::from(p.rules.gap_seconds), own)) {
                return Ok(Chosen { pin, refused_preference });
            }
            drawn.push(pin);
        }
    }
    for batch in drawn.chunks(BATCH) {
        for pin in batch {
            hint(d, places, pin, window);
        }
        d.gather()?;
        for pin in batch {
            if is_free(d, places, pin, window, own)? {
                return Ok(Chosen { pin: pin.clone(), refused_preference });
            }
        }
    }
    // The space is nearly full: go through all of it from a random place, if it is small enough to be gone through.
    if length <= 4 {
        let size = 10u32.pow(u32::from(length));
        let start = d.env.rng().random_range(0..size);
        for chunk in 0..size.div_ceil(256) {
            let pins: Vec<String> =
                (0..256).map(|i| (start + chunk * 256 + i) % size).map(|n| format!("{n:0width$}", width = usize::from(length))).collect();
            let pins: Vec<String> = pins.into_iter().filter(|p| fits_all(p) && !is_weak(p)).collect();
            for pin in &pins {
                hint(d, places, pin, window);
            }
            d.gather()?;
            for pin in pins {
                if is_free(d, places, &pin, window, own)? {
                    return Ok(Chosen { pin, refused_preference });
                }
            }
        }
    }
    Err(Error::new(ErrorKind::Exhausted, "no_free_pin", format!("no PIN of {length} digits is free at these entrances for this window"))
        .with_field("requested_access_methods")
        .into())
}

fn draw(d: &mut Draft<'_>, length: u8) -> String {
    let rng = d.env.rng();
    let mut pin = String::with_capacity(usize::from(length));
    for _ in 0..length {
        let _ = write!(pin, "{}", rng.random_range(0..10u8));
    }
    pin
}

/// Demands that a claim is free when it is committed.
pub(super) fn demand(d: &mut Draft<'_>, claim: &Claim, gap_seconds: u32, except: RowId) {
    d.only_if(OnlyIf::Free { key: claim.key, from: claim.from, until: claim.until, gap_seconds: i64::from(gap_seconds), except });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_pins_are_known() {
        for weak in ["0000", "777777", "1234", "987654", "2017", "1984", "121212", "4545"] {
            assert!(is_weak(weak), "{weak}");
        }
        for good in ["4711", "302718", "9182", "100200"] {
            assert!(!is_weak(good), "{good}");
        }
    }

    #[test]
    fn zero_is_no_pin_where_pins_are_numbers() {
        let mut rules = PinRules::digits(4, 6);
        assert!(fits("0007", &rules));
        rules.max = Some(999_999);
        assert!(!fits("0000", &rules));
        assert!(fits("000007", &rules));
        assert!(!fits("12a4", &rules) && !fits("123", &rules) && !fits("1234567", &rules));
    }
}
