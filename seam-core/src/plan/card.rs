//! Cards, one by one: what was made, what may have been made, and what a card that is written over was.
use super::draft::{Draft, expose};
use super::read::Try;
use super::{method, next, settle};
use crate::model::EventType;
use crate::planted::{self, Bug};
use crate::provider::{Certainty, KindRules, Made, Needs};
use crate::state::*;

/// Whether the credential is written on cards, which the system does not reach once they are made.
pub(super) fn is_plastic(rules: &KindRules) -> bool {
    next::first_needs(rules) == Needs::Encoding
}

/// A card is about to take the place of the one that counts: that one is still in somebody's pocket, unless it is the one that was written over.
pub(super) fn put_aside(d: &Draft<'_>, t: &mut Target, number: Option<&str>) {
    let card_tag = t.card_tag.take();
    t.card_number = None;
    let written = number.map(|number| d.env.vault.tag(d.env.workspace, "card", number));
    if let Some(can) = t.made.take()
        && (written.is_none() || card_tag != written)
        && !planted::is(Bug::EarlierCardForgotten)
    {
        t.remember(Other { can, doubtful: false, card_tag });
    }
}

/// What is put at the system takes the place of the one thing there. Until that has been seen, what it was before is remembered: a phone that is out
/// of reach, or a lock that is offline, may still go by it.
pub(super) fn replaced(t: &mut Target, is_seen: bool, is_complete: bool) {
    if is_seen || planted::is(Bug::EarlierFormForgotten) {
        t.others.clear();
        return;
    }
    // Nothing is asked of a person any more: it is in one of these forms.
    t.others.iter_mut().for_each(|other| other.doubtful = false);
    let (Some(sent), Some(can)) = (t.sent.as_ref().filter(|_| is_complete), t.made.clone()) else { return };
    // What was sent once more, as it was, is nothing more.
    let same = |a: &MadeCredential, b: &MadeCredential| (&a.doors, &a.window, &a.schedule) == (&b.doors, &b.window, &b.schedule);
    t.others.retain(|other| !same(&other.can, &can) && !same(&other.can, sent));
    if !same(sent, &can) {
        t.remember(Other { can, doubtful: false, card_tag: None });
    }
}

/// What was sent may have been made. A card is one more card; what is put at the system is one thing there, in the one form or the other.
pub(super) fn doubt(t: &mut Target, sent: Option<MadeCredential>, rules: &KindRules) {
    let Some(mut can) = sent else { return };
    if planted::is(Bug::OneDoubtAtMost) {
        t.others.retain(|other| !other.doubtful);
    }
    if !is_plastic(rules)
        && let Some(earlier) = t.others.pop()
    {
        can = earlier.can.or(can);
    }
    t.remember(Other { can, doubtful: true, card_tag: None });
}

/// Whether a card that carries the credential is the one that is asked about: not one that is known to have been made, and no other is in doubt.
pub(super) fn is_the_doubtful_one(d: &Draft<'_>, t: &Target, number: Option<&str>) -> bool {
    let tag = number.map(|number| d.env.vault.tag(d.env.workspace, "card", number));
    let known =
        t.card_tag.iter().chain(t.others.iter().filter_map(|other| other.card_tag.as_ref())).any(|known| Some(known) == tag.as_ref());
    !known && t.others.iter().filter(|other| other.doubtful).count() == 1
}

/// Keeps what the system made by itself.
pub(super) fn keep_made(d: &mut Draft<'_>, row: RowId, t: &mut Target, made: &Made) -> Try<()> {
    if let Some(pin) = &made.pin {
        t.pin = Some(d.env.seal(row, "pin", expose(pin))?);
        if let TargetOf::Method(m) = t.of {
            let mut method = d.get::<Method>(m)?;
            method.pin = Some(d.env.seal(m.uuid(), "pin", expose(pin))?);
            d.set(m, method);
        }
    }
    if let Some(link) = &made.link {
        t.link = Some(d.env.seal(row, "link", expose(link))?);
    }
    if let Some(number) = &made.card_number {
        overwritten(d, row, number)?;
        let tag = d.env.vault.tag(d.env.workspace, "card", number);
        t.others.retain(|earlier| earlier.card_tag.as_ref() != Some(&tag));
        t.card_number = Some(d.env.seal(row, "card_number", number)?);
        t.card_tag = Some(tag);
    }
    Ok(())
}

/// A written card is bound by its serial: writing it ends what it carried before, also where it was an earlier card of its credential.
fn overwritten(d: &mut Draft<'_>, row: RowId, number: &str) -> Try<()> {
    let tag = d.env.vault.tag(d.env.workspace, "card", number);
    let others = d.find(&Key::new(Index::CardNumber, tag.as_str()))?;
    for other in others.into_iter().filter(|o| *o != row) {
        let Some(mut t) = d.try_get::<Target>(other)? else { continue };
        t.others.retain(|earlier| earlier.card_tag.as_ref() != Some(&tag));
        if t.card_tag.as_ref() != Some(&tag) {
            d.set(other, t);
            continue;
        }
        let rules = method::rules_of(d, &t)?;
        t.card_tag = None;
        t.card_number = None;
        t.made = None;
        t.seen = SeenState::Absent { certainty: Certainty::Verified };
        if !t.gone {
            t.needs = next::first_needs(&rules);
        }
        next::schedule(&mut t, &rules, d.now());
        settle::tell_credential(d, &EventType::ACS_CREDENTIAL_INVALIDATED, other, &t)?;
        let of = t.of;
        d.set(other, t);
        if let TargetOf::Method(m) = of
            && !d.get::<Method>(m)?.is_over()
        {
            method::unissue(d, m)?;
        }
    }
    Ok(())
}
