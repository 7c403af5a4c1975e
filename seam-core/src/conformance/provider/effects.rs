//! What a failure says of its effect is true.
use super::build::Piece;
use super::lives::{in_place, is_put};
use super::{Fault, Suite, Tried};
use crate::provider::{Effect, Failure, Found, Kind, KindRules, Receipt, Repeat};

pub(super) async fn check(suite: &mut Suite<'_>, kind: Kind, rules: &KindRules) {
    for fault in [Fault::RefuseConnections, Fault::LoseRequests, Fault::LoseAnswers] {
        if !suite.judge.spoil(None).await {
            return suite.skip("faults: the wire cannot be spoilt");
        }
        put(suite, kind, rules, fault).await;
        remove(suite, kind, rules, fault).await;
    }
}

async fn put(suite: &mut Suite<'_>, kind: Kind, rules: &KindRules, fault: Fault) {
    let Some(window) = suite.window_now(rules) else { return };
    let Some(mut piece) = suite.piece(kind, window, window).await else { return };
    if !is_put(rules) {
        // A card that may have been written lies on an encoder: that is for a person.
        suite.clear(&mut piece).await;
        return;
    }
    suite.judge.spoil(Some(fault)).await;
    let answer = suite.put(&piece.want, None, &piece.tag).await;
    suite.judge.spoil(None).await;
    let held = suite.judge.holds(&piece.issued()).await;
    honest(suite, &answer, held.map(|n| n > 0), &format!("put of a {kind:?}, {fault:?}"));
    if fault == Fault::RefuseConnections {
        let nothing = matches!(&answer, Err(failure) if failure.effect == Effect::Nothing);
        suite.must("offline_is_nothing", nothing, || format!("put of a {kind:?} while nobody listened: {answer:?}"));
    }
    match &answer {
        Ok(receipt) => piece.receipt = Some(receipt.clone()),
        Err(failure) => resolve(suite, &mut piece, rules, failure).await,
    }
    suite.clear(&mut piece).await;
}

/// Success means that it happened, `Nothing` and `Refused` that it did not.
fn honest(suite: &mut Suite<'_>, answer: &Result<Receipt, Failure>, happened: Option<bool>, what: &str) {
    let Some(happened) = happened else { return suite.skip(format!("{what}: nobody can tell what happened")) };
    let told = match answer {
        Ok(_) => Some(true),
        Err(failure) if failure.effect == Effect::Unknown => None,
        Err(_) => Some(false),
    };
    let kept = told.is_none_or(|told| told == happened);
    suite.must("effects_are_honest", kept, || {
        format!("{what}: {answer:?}, though it {}", if happened { "happened" } else { "did not happen" })
    });
}

/// After a failure the rule of the kind leads to exactly one thing.
async fn resolve(suite: &mut Suite<'_>, piece: &mut Piece, rules: &KindRules, failure: &Failure) {
    let mut had = failure.left.clone();
    if failure.effect == Effect::Unknown {
        match rules.repeat {
            Repeat::Safe => {}
            Repeat::Never => return,
            Repeat::AfterFind => match suite.find(&piece.want, had.as_ref(), &piece.tag).await {
                Ok(Found::Present(seen)) => had = Some(seen.handle),
                Ok(Found::Absent) => {}
                other => suite.breach("unknown_can_be_resolved", format!("{:?} after a lost answer: {other:?}", piece.kind)),
            },
        }
    }
    let answer = suite.put(&piece.want, had.as_ref(), &piece.tag).await;
    suite.must("unknown_can_be_resolved", answer.is_ok(), || format!("{:?} put once more: {answer:?}", piece.kind));
    piece.receipt = answer.ok();
    suite.count("unknown_resolves_to_one", piece, 1, "after an unknown outcome was resolved").await;
    suite.expect("what_is_put_opens", piece, Tried::Opened, "after an unknown outcome was resolved").await;
}

async fn remove(suite: &mut Suite<'_>, kind: Kind, rules: &KindRules, fault: Fault) {
    let Some(mut piece) = in_place(suite, kind, rules).await else { return };
    let had = piece.handle();
    suite.judge.spoil(Some(fault)).await;
    let answer = suite.remove(&piece.want, had.as_ref(), &piece.tag).await;
    suite.judge.spoil(None).await;
    let held = suite.judge.holds(&piece.issued()).await;
    honest(suite, &answer, held.map(|n| n == 0), &format!("removal of a {kind:?}, {fault:?}"));
    // It is always repeatable.
    suite.clear(&mut piece).await;
    suite.count("removed_is_gone", &piece, 0, "after the removal was repeated").await;
}
