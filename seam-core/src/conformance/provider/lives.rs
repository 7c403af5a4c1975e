//! One thing's life: put, put again, found, suspended, removed, removed again.
use super::build::{Piece, seconds};
use super::{Suite, Tried};
use crate::model::{AcsEntranceId, DaySet, TimeOfDay, Weekly, WeeklySpan, Window};
use crate::provider::{
    CardPath, Certainty, Door, DoorClass, DoorLimit, Effect, EndsBy, Failure, Found, Handle, Held, Kind, KindRules, ReadBack, Reason,
    Receipt, Repeat, Want,
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Whether a put alone makes it.
pub(super) fn is_put(rules: &KindRules) -> bool {
    matches!(rules.card, None | Some(CardPath::Preassigned))
}

/// A new thing, valid now and in place.
pub(super) async fn in_place(suite: &mut Suite<'_>, kind: Kind, rules: &KindRules) -> Option<Piece> {
    let window = suite.window_now(rules)?;
    let mut piece = suite.piece(kind, window, window).await?;
    match suite.issue(&mut piece, None).await {
        None => None,
        Some(Ok(())) => Some(piece),
        Some(Err(failure)) => {
            suite.breach("what_is_right_is_taken", format!("a {kind:?} was refused: {failure}"));
            suite.clear(&mut piece).await;
            None
        }
    }
}

pub(super) async fn check(suite: &mut Suite<'_>, kind: Kind, rules: &KindRules) {
    absent(suite, kind, rules).await;
    let Some(mut piece) = in_place(suite, kind, rules).await else { return };
    suite.count("put_makes_one", &piece, 1, "after it was put").await;
    suite.expect("what_is_put_opens", &piece, Tried::Opened, "inside its window").await;
    if let Some(receipt) = &piece.receipt {
        let sure = rules.read_back != ReadBack::None || receipt.certainty == Certainty::Accepted;
        suite.must("verified_needs_a_look", sure, || format!("{kind:?} is called verified, though nothing can be read back"));
    }
    there(suite, &piece, rules, None, "by its tag").await;
    there(suite, &piece, rules, piece.handle(), "by its handle").await;
    listed(suite, &piece, rules).await;
    if is_put(rules) {
        again(suite, &mut piece, rules).await;
    }
    gone(suite, &mut piece, rules).await;
}

/// Put again, it is one still.
async fn again(suite: &mut Suite<'_>, piece: &mut Piece, rules: &KindRules) {
    let had = piece.handle();
    let answer = suite.put(&piece.want, had.as_ref(), &piece.tag).await;
    suite.must("put_can_be_repeated", answer.is_ok(), || format!("{:?} put again with its handle: {answer:?}", piece.kind));
    piece.receipt = answer.ok().or(piece.receipt.take());
    suite.count("put_twice_is_one", piece, 1, "after it was put twice").await;
    if rules.repeat == Repeat::Safe {
        let answer = suite.put(&piece.want, None, &piece.tag).await;
        suite.must("put_can_be_repeated", answer.is_ok(), || format!("{:?} put again without its handle: {answer:?}", piece.kind));
        piece.receipt = answer.ok().or(piece.receipt.take());
        suite.count("put_twice_is_one", piece, 1, "after it was put again without its handle").await;
    }
    suite.expect("what_is_put_opens", piece, Tried::Opened, "after it was put again").await;
}

async fn there(suite: &mut Suite<'_>, piece: &Piece, rules: &KindRules, had: Option<Handle>, how: &str) {
    let found = suite.find(&piece.want, had.as_ref(), &piece.tag).await;
    let kept = match (&found, rules.read_back) {
        (Ok(Found::CannotTell), ReadBack::None) => true,
        (Ok(Found::Present(seen)), ReadBack::Existence | ReadBack::Full) => seen.as_wanted != Some(false),
        _ => false,
    };
    suite.must("what_is_there_is_found", kept, || format!("{:?} looked for {how}: {found:?}", piece.kind));
}

/// It is on the list of what is held, with our tag or under its handle. What the system cannot show need not be.
async fn listed(suite: &mut Suite<'_>, piece: &Piece, rules: &KindRules) {
    let Some(inventory) = suite.provider.inventory() else { return };
    let mut cursor = None;
    let mut mine: Option<Held> = None;
    for _ in 0..1000 {
        let page = inventory.held(&suite.system, cursor.as_deref()).await;
        suite.show(&page);
        match page {
            Err(failure) => return suite.breach("held_is_told", failure.to_string()),
            Ok(None) => return,
            Ok(Some(page)) => {
                let handle = piece.handle();
                let is_mine = |h: &Held| h.kind == piece.kind && (h.tag.as_ref() == Some(&piece.tag) || Some(&h.handle) == handle.as_ref());
                mine = mine.or_else(|| page.things.into_iter().find(is_mine));
                cursor = page.next;
            }
        }
        if cursor.is_none() {
            break;
        }
    }
    suite.must("pages_end", cursor.is_none(), || "the list of what is held never ends".to_owned());
    let kept = mine.is_some() || rules.read_back == ReadBack::None;
    suite.must("what_is_there_is_listed", kept, || format!("{:?} is not on the list of what is held", piece.kind));
    if let (Some(shown), Some(pin)) = (mine.and_then(|h| h.pin), &piece.pin) {
        use secrecy::ExposeSecret;
        let same = shown.expose_secret() == pin.expose_secret();
        suite.must("listed_pins_are_right", same, || "the list shows another PIN than was put".to_owned());
    }
}

/// Removed, it is gone; removed again, that is well too.
async fn gone(suite: &mut Suite<'_>, piece: &mut Piece, rules: &KindRules) {
    let had = piece.handle();
    let first = suite.remove(&piece.want, had.as_ref(), &piece.tag).await;
    suite.must("remove_works", first.is_ok(), || format!("{:?}: {first:?}", piece.kind));
    if first.is_ok() {
        suite.count("removed_is_gone", piece, 0, "after it was removed").await;
        dead(suite, piece, first.as_ref().ok()).await;
        let found = suite.find(&piece.want, had.as_ref(), &piece.tag).await;
        let kept = matches!((&found, rules.read_back), (Ok(Found::Absent), _) | (Ok(Found::CannotTell), ReadBack::None));
        suite.must("removed_is_not_found", kept, || format!("{:?}: {found:?}", piece.kind));
    }
    let second = suite.remove(&piece.want, had.as_ref(), &piece.tag).await;
    suite.must("remove_can_be_repeated", second.is_ok(), || format!("{:?} removed twice: {second:?}", piece.kind));
    let third = suite.remove(&piece.want, None, &piece.tag).await;
    suite.must("remove_can_be_repeated", third.is_ok(), || format!("{:?} removed again without its handle: {third:?}", piece.kind));
    suite.clear(piece).await;
}

/// It opens no longer than the receipt of its removal admits.
async fn dead(suite: &mut Suite<'_>, piece: &Piece, receipt: Option<&Receipt>) {
    let until: Option<DateTime<Utc>> = receipt.and_then(|r| r.may_open_until);
    if until.is_none_or(|until| until <= suite.judge.now()) {
        suite.expect("removed_opens_nothing", piece, Tried::Refused, "after a removal that left no residue").await;
    }
}

/// What was never there is not found and can be removed.
async fn absent(suite: &mut Suite<'_>, kind: Kind, rules: &KindRules) {
    let Some(window) = suite.window_now(rules) else { return };
    let Some(mut piece) = suite.piece(kind, window, window).await else { return };
    let found = suite.find(&piece.want, None, &piece.tag).await;
    let kept = matches!((&found, rules.read_back), (Ok(Found::Absent), _) | (Ok(Found::CannotTell), ReadBack::None));
    suite.must("absent_is_not_found", kept, || format!("{kind:?} that was never put: {found:?}"));
    let removed = suite.remove(&piece.want, None, &piece.tag).await;
    suite.must("remove_of_absent_is_ok", removed.is_ok(), || format!("{kind:?} that was never put: {removed:?}"));
    suite.clear(&mut piece).await;
}

/// A rule, the reason to be told, whether it is known before the wire, and how a want is made to break it.
type Refusal = (&'static str, Option<Reason>, bool, Box<dyn Fn(&mut Want)>);

/// What the report rules out is refused, before anything is sent where that can be known.
pub(super) async fn refusals(suite: &mut Suite<'_>, kind: Kind, rules: &KindRules) {
    let Some(now) = suite.window_now(rules) else { return };
    let mut tries: Vec<Refusal> = Vec::new();
    if !rules.suspend {
        tries.push(("suspension_is_refused_where_it_is_unknown", Some(Reason::Unsupported), true, Box::new(|w| suspend(w, true))));
    }
    if !rules.schedule && kind != Kind::User && kind != Kind::Stay {
        tries.push(("schedules_are_refused_where_they_are_unknown", Some(Reason::Unsupported), true, Box::new(schedule)));
    }
    if rules.end_required {
        let ongoing = Window::new(now.starts_at(), None).ok();
        tries.push((
            "ongoing_is_refused_where_an_end_is_required",
            Some(Reason::WindowRefused),
            true,
            Box::new(move |w| set_window(w, ongoing)),
        ));
    }
    if rules.resolution_seconds > 1 {
        let small = Window::new(now.starts_at() + seconds(1), Some(now.starts_at() + seconds(2))).ok();
        let edge = now.starts_at().timestamp() % i64::from(rules.resolution_seconds);
        if edge + 2 < i64::from(rules.resolution_seconds) {
            tries.push((
                "windows_finer_than_the_resolution_are_refused",
                Some(Reason::WindowRefused),
                true,
                Box::new(move |w| set_window(w, small)),
            ));
        }
    }
    if let Some(longest) = rules.longest_seconds {
        let end = now.starts_at() + seconds(longest + 2 * u64::from(rules.resolution_seconds) + 2);
        let long = Window::new(now.starts_at(), Some(end)).ok();
        tries.push(("windows_that_are_too_long_are_refused", Some(Reason::WindowRefused), true, Box::new(move |w| set_window(w, long))));
    }
    if kind != Kind::User && rules.doors != DoorLimit::ByUser {
        tries.push(("unknown_doors_are_refused", None, false, Box::new(strange_door)));
    }
    for (rule, reason, early, change) in tries {
        let Some(mut piece) = suite.piece(kind, now, now).await else { continue };
        change(&mut piece.want);
        refused(suite, &mut piece, rule, reason, early).await;
    }
}

/// It is refused, for this reason, without a trace, and where `early` without a request.
pub(super) async fn refused(suite: &mut Suite<'_>, piece: &mut Piece, rule: &'static str, reason: Option<Reason>, early: bool) {
    let before = suite.judge.requests();
    let Some(answer) = suite.issue(piece, None).await else { return };
    let after = suite.judge.requests();
    let right = |f: &Failure| f.effect == Effect::Refused && reason.is_none_or(|r| f.reason == r);
    let kept = matches!(&answer, Err(failure) if right(failure));
    suite.must(rule, kept, || format!("{:?}: {answer:?}, not refused as {reason:?}", piece.kind));
    // A card is made at an encoder, which is looked for first.
    let silent = !early || before.is_none() || before == after || piece.kind == Kind::Card && !matches!(piece.want, Want::User(_));
    suite.must("what_cannot_be_is_refused_before_the_wire", silent, || format!("{rule}: {:?} was sent all the same", piece.kind));
    if answer.is_err() {
        suite.count("refused_leaves_nothing", piece, 0, rule).await;
    }
    suite.clear(piece).await;
}

fn suspend(want: &mut Want, yes: bool) {
    match want {
        Want::User(u) => u.suspended = yes,
        Want::Access(a) => a.suspended = yes,
        Want::Credential(c) => c.suspended = yes,
        Want::Stay(_) => {}
    }
}

fn schedule(want: &mut Want) {
    let hours = TimeOfDay::new(8, 0).zip(TimeOfDay::new(18, 0));
    let weekly = hours.and_then(|(from, to)| Weekly::new([WeeklySpan::new(DaySet::EVERY_DAY, from, to)]).ok());
    match want {
        Want::Access(a) => a.schedule = weekly,
        Want::Credential(c) => c.schedule = weekly,
        _ => {}
    }
}

fn set_window(want: &mut Want, window: Option<Window>) {
    let Some(window) = window else { return };
    match want {
        Want::User(u) => u.window = Some(window),
        Want::Access(a) => a.window = window,
        Want::Credential(c) => c.window = window,
        Want::Stay(s) => s.window = window,
    }
}

fn strange_door(want: &mut Want) {
    let handle = Handle::text("no such door in all the world");
    let door = Door { id: AcsEntranceId::from_uuid(Uuid::from_u128(u128::MAX)), handle, class: DoorClass::Common };
    match want {
        Want::Access(a) => a.doors = vec![door],
        Want::Credential(c) => c.doors = vec![door],
        Want::Stay(s) => s.doors = vec![door],
        Want::User(_) => {}
    }
}

/// Suspended, it opens nothing; taken up again, it does.
pub(super) async fn suspension(suite: &mut Suite<'_>, kind: Kind, rules: &KindRules) {
    // A user and a permission are tried with a credential that stands on them.
    let shown = match kind {
        Kind::Stay => return,
        Kind::User | Kind::Access => {
            let by_user = suite.report.kinds.iter().find(|(_, r)| r.doors == DoorLimit::ByUser && is_put(r));
            match by_user {
                Some((kind, rules)) => (*kind, rules.clone()),
                None => return suite.skip(format!("{kind:?}: no credential stands on it")),
            }
        }
        _ => (kind, rules.clone()),
    };
    if !rules.suspend || !is_put(&shown.1) {
        return;
    }
    let Some(mut piece) = in_place(suite, shown.0, &shown.1).await else { return };
    for (suspended, expected) in [(true, Tried::Refused), (false, Tried::Opened)] {
        let need = piece.needs.iter_mut().find(|(w, ..)| w.kind() == kind);
        let (want, tag, had) = match need {
            Some((want, tag, had)) => {
                suspend(want, suspended);
                (want.clone(), tag.clone(), had.clone())
            }
            None => {
                suspend(&mut piece.want, suspended);
                (piece.want.clone(), piece.tag.clone(), piece.handle())
            }
        };
        let answer = suite.put(&want, had.as_ref(), &tag).await;
        suite.must("suspension_works", answer.is_ok(), || format!("{kind:?}, suspended {suspended}: {answer:?}"));
        let engine = shown.1.ends == EndsBy::Engine && kind != Kind::User && kind != Kind::Access;
        if answer.is_ok() && (suspended || !engine) {
            suite.expect("suspended_opens_nothing", &piece, expected, if suspended { "suspended" } else { "taken up again" }).await;
        }
    }
    suite.clear(&mut piece).await;
}
