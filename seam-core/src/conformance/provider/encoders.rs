//! Jobs at the system's encoders, and remote unlock.
use super::build::{Piece, seconds};
use super::lives::in_place;
use super::{Suite, Tried};
use crate::encoder::JobControl;
use crate::provider::{CardPath, Effect, Failure, Handle, Kind, KindRules, Reason, Receipt, Want};
use futures_util::future::{Either, select};
use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

pub(super) async fn check(suite: &mut Suite<'_>) {
    let Some(encoders) = suite.provider.encoders() else { return };
    let list = match encoders.list(&suite.system).await {
        Ok(list) => list,
        Err(failure) => return suite.breach("encoders_are_told", failure.to_string()),
    };
    suite.must("encoders_are_told", !list.is_empty(), || "the system has encoders, but none is listed".to_owned());
    let handles: BTreeSet<String> = list.iter().map(|e| e.handle.0.to_string()).collect();
    suite.must("encoder_handles_are_unique", handles.len() == list.len(), || "two encoders have the same handle".to_owned());
    for encoder in &list {
        let alone = !encoder.channel.key.is_empty() && encoder.channel.in_flight == 1;
        suite.must("one_job_at_an_encoder", alone, || format!("{}: {:?}", encoder.name, encoder.channel));
    }
    let rules = suite.report.kinds.get(&Kind::Card).cloned();
    let (Some(first), Some(rules)) = (list.first(), rules) else { return };
    if rules.card != Some(CardPath::VendorEncoder) {
        return;
    }
    written(suite, &rules, &first.handle).await;
    no_card(suite, &rules, &first.handle, false).await;
    no_card(suite, &rules, &first.handle, true).await;
    strange(suite, &rules).await;
}

/// What was written is what is read.
async fn written(suite: &mut Suite<'_>, rules: &KindRules, at: &Handle) {
    let Some(mut piece) = in_place(suite, Kind::Card, rules).await else { return };
    let number = piece.receipt.as_ref().and_then(|r| r.made.card_number.clone());
    if let Some(encoders) = suite.provider.encoders() {
        let now = suite.judge.now();
        let control = JobControl::new(now + seconds(10), now + seconds(15));
        let seen = suite.timed("read", encoders.read(at, &suite.call(&piece.tag, 1), &control)).await;
        let seen = suite.keep("read", seen);
        if matches!(&seen, Err(f) if f.effect == Effect::Refused && f.reason == Reason::Unsupported) {
            suite.skip("encoders: they write and cannot read");
            return suite.clear(&mut piece).await;
        }
        let kept = match &seen {
            Ok(card) => {
                let named =
                    card.tag.as_ref().map(|t| *t == piece.tag).or(card.carries.as_ref().map(|h| Some(h) == piece.handle().as_ref()));
                // A reader that shows no number contradicts none.
                named == Some(true) && (number.is_none() || card.number.is_none() || card.number == number)
            }
            Err(_) => false,
        };
        suite.must("written_cards_are_read", kept, || format!("{seen:?}"));
    }
    suite.clear(&mut piece).await;
}

/// A job at an empty encoder, left alone or cancelled.
async fn no_card(suite: &mut Suite<'_>, rules: &KindRules, at: &Handle, cancel: bool) {
    if !suite.judge.clear_encoder(at).await {
        return suite.skip("encoders: none can be kept empty");
    }
    let Some(window) = suite.window_now(rules) else { return };
    let Some(mut piece) = suite.piece(Kind::Card, window, window).await else { return };
    if let Some((answer, waited)) = job(suite, &piece, at, cancel).await {
        let rule = if cancel { "jobs_can_be_cancelled" } else { "jobs_end_without_a_card" };
        // A system that cannot cancel runs on until its own card wait is over.
        let nothing = matches!(&answer, Err(f) if f.effect == Effect::Nothing && (cancel || f.reason == Reason::NoCard));
        suite.must(rule, nothing, || format!("{answer:?}"));
        let soon = waited <= Duration::from_secs(7);
        suite.must("card_waits_obey_their_deadline", soon, || format!("a card was waited for during {} s instead of 5", waited.as_secs()));
        suite.count("refused_leaves_nothing", &piece, 0, "after a job without a card").await;
    }
    suite.clear(&mut piece).await;
}

async fn job(suite: &mut Suite<'_>, piece: &Piece, at: &Handle, cancel: bool) -> Option<(Result<Receipt, Failure>, Duration)> {
    let (encoders, Want::Credential(spec)) = (suite.provider.encoders()?, &piece.want) else { return None };
    let started = suite.judge.now();
    let control = JobControl::new(started + seconds(5), started + seconds(10));
    let call = suite.call(&piece.tag, 1);
    let answer = {
        let mut job = pin!(encoders.encode(spec, None, at, &call, &control));
        let mut steps = 0;
        loop {
            match select(job.as_mut(), pin!(suite.judge.pass(Duration::from_millis(500)))).await {
                Either::Left((answer, _)) => break Some(answer),
                Either::Right(_) if steps > 60 => break None,
                Either::Right(_) => steps += 1,
            }
            if cancel && steps == 2 {
                control.cancel();
            }
        }
    };
    let waited = (suite.judge.now() - started).to_std().unwrap_or_default();
    Some((suite.keep("encode", answer), waited))
}

/// An encoder that is not there is no reason to wait.
async fn strange(suite: &mut Suite<'_>, rules: &KindRules) {
    let Some(window) = suite.window_now(rules) else { return };
    let Some(mut piece) = suite.piece(Kind::Card, window, window).await else { return };
    let at = Handle::text("no such encoder in all the world");
    if let Some((answer, _)) = job(suite, &piece, &at, false).await {
        let kept = matches!(&answer, Err(f) if f.effect == Effect::Refused);
        suite.must("unknown_encoders_are_refused", kept, || format!("{answer:?}"));
    }
    suite.clear(&mut piece).await;
}

/// Remote unlock goes by what the system holds.
pub(super) async fn unlock(suite: &mut Suite<'_>) {
    let (Some(facet), Some(rules)) = (suite.provider.unlock(), suite.report.kinds.get(&Kind::CloudKey).cloned()) else { return };
    let Some(mut piece) = in_place(suite, Kind::CloudKey, &rules).await else { return };
    let had = piece.handle();
    for expected in [Tried::Opened, Tried::Refused] {
        let Want::Credential(spec) = piece.want.clone() else { return };
        for door in piece.doors.clone() {
            let answer = suite.timed("unlock", facet.unlock(&spec, had.as_ref(), &door, &suite.call(&piece.tag, 1))).await;
            let answer = suite.keep("unlock", answer);
            let kept = match (&answer, expected) {
                (Ok(_), Tried::Opened) => true,
                (Err(f), Tried::Refused) => f.effect == Effect::Refused,
                _ => false,
            };
            suite.must("remote_unlock_goes_by_what_is_held", kept, || format!("{expected:?} was expected: {answer:?}"));
        }
        if expected == Tried::Opened {
            suite.clear(&mut piece).await;
        }
    }
}
