//! PINs, digit by digit.
use super::build::digits;
use super::lives::refused;
use super::{SamePin, Suite, Tried};
use crate::provider::{Body, Effect, Kind, KindRules, PinRules, Reason};
use secrecy::SecretString;

pub(super) async fn check(suite: &mut Suite<'_>) {
    let (Some(pins), Some(rules)) = (suite.report.pin.clone(), suite.report.kinds.get(&Kind::Code).cloned()) else { return };
    if pins.made_by_vendor {
        return suite.skip("PINs: the system makes them itself");
    }
    for length in [pins.shortest, pins.longest] {
        let pin = suite.pin(length);
        exact(suite, &rules, pin, "of the shortest or longest length").await;
        let zeros = leading_zeros(suite, length);
        exact(suite, &rules, zeros, "with leading zeros").await;
    }
    for pin in unfit(&pins) {
        let Some(window) = suite.window_now(&rules) else { return };
        let Some(mut piece) = suite.piece(Kind::Code, window, window).await else { return };
        give(&mut piece, SecretString::from(pin));
        refused(suite, &mut piece, "unfit_pins_are_refused", Some(Reason::PinRefused), true).await;
    }
    if let Some(slots) = pins.slots {
        for slot in [None, Some(0), Some(slots.saturating_add(1))] {
            let Some(window) = suite.window_now(&rules) else { return };
            let Some(mut piece) = suite.piece(Kind::Code, window, window).await else { return };
            if let Some(Body::Code { slot: asked, .. }) = piece.credential().map(|c| &mut c.body) {
                *asked = slot;
            }
            refused(suite, &mut piece, "slots_that_are_not_there_are_refused", Some(Reason::Invalid), true).await;
        }
    }
    same(suite, &rules).await;
}

fn give(piece: &mut super::build::Piece, new: SecretString) {
    piece.pin = Some(new.clone());
    if let Some(Body::Code { pin, .. }) = piece.credential().map(|c| &mut c.body) {
        *pin = Some(new);
    }
}

/// `00…7`: as a number it would be another PIN.
fn leading_zeros(suite: &mut Suite<'_>, length: u8) -> SecretString {
    let last = suite.made % 9 + 1;
    let pin = SecretString::from(format!("{last:0width$}", width = usize::from(length)));
    suite.made += 1;
    pin
}

/// The door takes these digits and no others.
async fn exact(suite: &mut Suite<'_>, rules: &KindRules, pin: SecretString, what: &str) {
    let Some(window) = suite.window_now(rules) else { return };
    let Some(mut piece) = suite.piece(Kind::Code, window, window).await else { return };
    give(&mut piece, pin.clone());
    match suite.issue(&mut piece, None).await {
        Some(Ok(())) => {
            suite.expect("pins_are_kept_digit_by_digit", &piece, Tried::Opened, what).await;
            let text = digits(&pin).to_owned();
            let mut others = vec![format!("{text}0"), format!("0{text}"), text.get(1..).unwrap_or_default().to_owned()];
            others.push(text.trim_start_matches('0').to_owned());
            others.retain(|o| *o != text && !o.is_empty());
            for (door, other) in piece.doors.iter().flat_map(|d| others.iter().map(move |o| (d, o))) {
                let tried = suite.judge.try_pin(&door.handle, other).await;
                suite.must("pins_are_kept_digit_by_digit", tried != Tried::Opened, || {
                    format!("a PIN {what} of {} digits: {} other digits open", text.len(), other.len())
                });
            }
        }
        Some(Err(failure)) => suite.breach("fit_pins_are_taken", format!("a PIN {what}: {failure}")),
        None => {}
    }
    suite.clear(&mut piece).await;
}

/// PINs that break a rule, each in one way.
fn unfit(rules: &PinRules) -> Vec<String> {
    let of = |n: usize| "73915".chars().cycle().take(n).collect::<String>();
    let (shortest, longest) = (usize::from(rules.shortest), usize::from(rules.longest));
    let mut pins = vec![String::new(), of(longest + 1)];
    if shortest > 1 {
        pins.push(of(shortest - 1));
    }
    let mut letter = of(shortest - 1);
    letter.push('x');
    pins.push(letter);
    // Digits of another script are no digits to a lock.
    let mut script = of(shortest - 1);
    script.push('٣');
    pins.push(script);
    if let Some(max) = rules.max {
        let over = format!("{:0shortest$}", max.saturating_add(1));
        pins.extend((over.len() <= longest).then_some(over));
    }
    pins
}

/// Two people with the same PIN: the system does what was stated, whichever it is.
async fn same(suite: &mut Suite<'_>, rules: &KindRules) {
    let (Some(window), Some(length)) = (suite.window_now(rules), suite.report.pin.as_ref().map(|p| p.longest)) else { return };
    let pin = suite.pin(length);
    let Some(mut one) = suite.piece(Kind::Code, window, window).await else { return };
    let Some(mut other) = suite.piece(Kind::Code, window, window).await else { return };
    give(&mut one, pin.clone());
    give(&mut other, pin);
    let first = suite.issue(&mut one, None).await;
    let second = suite.issue(&mut other, None).await;
    if let (Some(first), Some(second)) = (first, second) {
        suite.must("fit_pins_are_taken", first.is_ok(), || format!("{first:?}"));
        let kept = match suite.judge.same_pin() {
            SamePin::Taken => second.is_ok(),
            SamePin::Refused => matches!(&second, Err(f) if f.effect == Effect::Refused && f.reason == Reason::PinRefused),
        };
        suite.must("equal_pins_are_treated_as_stated", kept, || format!("the second of two equal PINs: {second:?}"));
        if second.is_err() {
            suite.expect("refused_changes_nothing", &one, Tried::Opened, "after an equal PIN was refused").await;
        }
    }
    suite.clear(&mut other).await;
    suite.clear(&mut one).await;
}
