//! What a target's row says about the thing at the system: how sure it is there, what it still needs, what it could do before.
use crate::model::{AccessMethodMode, AcsEntranceId, ObjectError, Window, codes};
use crate::plan::next;
use crate::provider::{CardPath, Certainty, Effect, EndsBy, Kind, KindRules, Needs};
use crate::state::{Graces, RowId, SeenState, System, Target};
use std::collections::BTreeSet;

/// How access is delivered by a thing of this kind; none for what is no credential.
pub(super) fn mode(kind: Kind) -> Option<AccessMethodMode> {
    match kind {
        Kind::Code => Some(AccessMethodMode::Code),
        Kind::Card => Some(AccessMethodMode::Card),
        Kind::MobileKey => Some(AccessMethodMode::MobileKey),
        Kind::CloudKey => Some(AccessMethodMode::CloudKey),
        Kind::Biometric => Some(AccessMethodMode::Biometric),
        Kind::Stay | Kind::User | Kind::Access => None,
    }
}

/// The rules of a target's kind at its system, as last reported.
pub(super) fn rules<'a>(system: &'a System, target: &Target) -> Option<&'a KindRules> {
    system.report.kinds.get(&target.kind())
}

/// The best certainty that the kind can reach: what cannot be read back is never better than accepted.
pub(super) fn best(rules: Option<&KindRules>) -> Certainty {
    rules.map_or(Certainty::Accepted, next::best)
}

/// Whether it can be used: what is wanted now is in place, as surely as its kind can be known.
pub(super) fn is_issued(target: &Target, rules: Option<&KindRules>) -> bool {
    rules.map_or(target.is_in_place(), |rules| next::is_issued(target, rules))
}

/// Whether the system has what is decided: yes when that was verified, unknown when it only took it, no while it is on its way.
pub(super) fn is_synced(target: &Target) -> Option<bool> {
    let certainty = match target.seen {
        SeenState::Present { rev, certainty } if !target.gone && rev == target.rev => certainty,
        SeenState::Absent { certainty } if target.gone => certainty,
        _ => return Some(false),
    };
    (certainty == Certainty::Verified).then_some(true)
}

/// Whether it is to be taken away and something of it may still be at the system.
pub(super) fn is_leaving(target: &Target) -> bool {
    target.gone
        && match target.seen {
            // Taken away, but somebody is still to look whether it is.
            SeenState::Absent { .. } => !target.is_out(),
            // Nothing was ever sent, unless it is being sent right now.
            SeenState::Never => target.work.in_flight.is_some(),
            SeenState::Present { .. } | SeenState::Unknown { .. } => true,
        }
}

/// Whether its end is kept by our timer only.
pub(super) fn ends_by_engine(target: &Target, rules: Option<&KindRules>) -> bool {
    !target.gone && target.credential().is_some_and(|c| c.window.ends_at().is_some()) && rules.is_some_and(|r| r.ends == EndsBy::Engine)
}

/// What a card still needs from a person. All false for anything else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct CardNeeds {
    /// It has to be written, or written again.
    pub(super) encoding: bool,
    /// It can be written now.
    pub(super) ready_for_encoding: bool,
    /// A registered card has to be bound to it.
    pub(super) assignment: bool,
    /// A card can be bound now.
    pub(super) ready_for_assignment: bool,
}

/// What a card still needs from a person. `waits`: another thing has to be there first.
pub(super) fn card_needs(target: &Target, rules: Option<&KindRules>, waits: bool) -> CardNeeds {
    let Some(path) = rules.and_then(|rules| rules.card).filter(|_| target.kind() == Kind::Card && !target.gone) else {
        return CardNeeds::default();
    };
    let suspended = target.is_withheld();
    let wanted = target.rev;
    let there = matches!(target.seen, SeenState::Present { rev, .. } if rev == wanted);
    let done = there && target.needs == Needs::Nothing;
    let free = !suspended && !waits && target.work.in_flight.is_none();
    match path {
        CardPath::Preassigned => CardNeeds {
            assignment: target.needs == Needs::Assignment || (!done && target.card_number.is_none() && target.made.is_none()),
            ready_for_assignment: !done && free,
            ..CardNeeds::default()
        },
        CardPath::VendorEncoder | CardPath::OwnEncoder => {
            CardNeeds { encoding: !done && !suspended, ready_for_encoding: !done && free, ..CardNeeds::default() }
        }
        // The credential has to be at the system before a card of it can be written.
        CardPath::PushThenVendorEncoder => {
            CardNeeds { encoding: !done && !suspended, ready_for_encoding: there && !done && free, ..CardNeeds::default() }
        }
    }
}

/// Doors that the last credential that was made could open; none when none was made.
pub(super) fn made_doors(target: &Target) -> BTreeSet<AcsEntranceId> {
    target.made.iter().flat_map(|made| made.doors.iter().copied()).collect()
}

/// Doors that are wanted of it now: none when it is to be taken away or is suspended.
pub(super) fn wanted_doors(target: &Target) -> BTreeSet<AcsEntranceId> {
    let credential = target.credential().filter(|_| !target.gone && !target.is_withheld());
    credential.into_iter().flat_map(|c| c.doors.iter().copied()).collect()
}

/// The old window, where the last credential that was made has another than the one that is wanted now.
pub(super) fn old_window(target: &Target) -> Option<Window> {
    let (made, wanted) = (target.made.as_ref()?, target.credential()?);
    (!target.gone && made.rev != target.rev && made.window != wanted.window).then_some(made.window)
}

/// A credential's window without the graces of its system: the grant's window that it was made for.
pub(super) fn without_graces(window: &Window, graces: Graces) -> Window {
    let seconds = |s: u32| chrono::Duration::seconds(i64::from(s));
    let starts = window.starts_at() + seconds(graces.arrival);
    let ends = window.ends_at().map(|end| end - seconds(graces.departure));
    Window::new(starts, ends).unwrap_or(*window)
}

/// The last failure as an error of the object, once the system has refused or has not been reached for some tries.
pub(super) fn failure_error(target: &Target, user: bool) -> Option<ObjectError> {
    let failed = target.work.failure.as_ref()?;
    if target.is_in_place() || target.is_dead() {
        return None;
    }
    let refused = failed.effect == Effect::Refused;
    if !refused && target.work.attempt < 3 {
        return None;
    }
    let code = match (target.gone, target.made.is_some() || matches!(target.seen, SeenState::Present { .. })) {
        (true, _) => codes::error::FAILED_TO_DELETE_ON_ACS_SYSTEM,
        (false, true) => codes::error::FAILED_TO_UPDATE_ON_ACS_SYSTEM,
        (false, false) => codes::error::FAILED_TO_CREATE_ON_ACS_SYSTEM,
    };
    let reason = serde_json::to_value(failed.reason).unwrap_or_default();
    let error = ObjectError::new(code, failed.message.clone(), failed.at).with("reason", reason);
    Some(if user { error.with("acs_system_id", target.system.to_string()) } else { error })
}

/// A target with its id.
pub(super) type Named<'a> = (RowId, &'a Target);
