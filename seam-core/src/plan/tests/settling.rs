//! What an answer means when what is wanted has changed meanwhile, when it is only half an answer, or when it is no answer at all.
use super::super::begin::CallWhat;
use super::super::change::{GrantUpdate, NewCredential, Resolution};
use super::super::settle::Report;
use super::super::{Outcome, attempt, grant, user};
use super::{Table, by_groups, direct_code, scan_of, simple};
use crate::model::{AccessGrantId, AccessMethodMode, AcsCredentialId, AcsSystemId, AcsUserId, Shown};
use crate::provider::{
    Certainty, Failure, Found, GroupReport, Handle, Kind, KindRules, Made, PinRules, ReadBack, Reason, Receipt, Repeat, Seen, SystemReport,
};
use crate::state::*;
use chrono::Duration;

/// A grant of a code at one door, and the code's target.
fn code(t: &mut Table, report: &SystemReport) -> (AccessGrantId, RowId) {
    let site = t.site(report, &["101"]);
    let who = t.person("Ann");
    let g = t.grant(who, AccessMethodMode::Code, |g| g.entrances = vec![site.doors[0]]);
    (g, t.targets_of(g)[0])
}

fn looked_for() -> SystemReport {
    let mut report = simple("a");
    report.kinds.insert(Kind::Code, KindRules { repeat: Repeat::AfterFind, ..KindRules::full() });
    report
}

fn unknown() -> Result<Receipt, Failure> {
    Err(Failure::unknown(Reason::TimedOut, "no answer"))
}

fn shorten(t: &mut Table, g: AccessGrantId) {
    let update = GrantUpdate::new(g).ends_at(t.now + Duration::days(1));
    t.run(|d| grant::update(d, &update)).unwrap();
}

#[test]
fn a_look_is_about_what_was_wanted_when_it_began() {
    let mut t = Table::new();
    let (g, row) = code(&mut t, &looked_for());
    assert!(matches!(t.begin(row), Some(CallWhat::Put { .. })));
    t.done(row, unknown());
    t.pass(Duration::seconds(30));
    assert!(matches!(t.begin(row), Some(CallWhat::Find { .. })));
    shorten(&mut t, g);
    t.found(row, Found::Present(Seen::new(Handle::text("v"), Some(true))));
    let x = t.get::<Target>(row);
    assert_eq!((x.seen, x.rev), (SeenState::Present { rev: 1, certainty: Certainty::Verified }, 2));
    assert_eq!((x.work.due_at, x.made.map(|m| m.rev)), (Some(t.now), Some(1)), "the lock holds ten days, one is wanted");
}

#[test]
fn what_was_refused_is_not_what_is_wanted_now() {
    let mut t = Table::new();
    let (g, row) = code(&mut t, &simple("a"));
    t.begin(row);
    shorten(&mut t, g);
    t.done(row, Err(Failure::refused(Reason::WindowRefused, "too long")));
    let x = t.get::<Target>(row);
    assert_eq!((x.work.due_at, x.work.failure), (Some(t.now), None));
    t.begin(row);
    t.done(row, Err(Failure::refused(Reason::WindowRefused, "too long")));
    let x = t.get::<Target>(row);
    assert_eq!((x.work.due_at, x.work.failure.map(|f| f.reason)), (None, Some(Reason::WindowRefused)));
}

#[test]
fn no_system_is_left_alone_for_longer_than_a_day() {
    for effect in [Failure::nothing, Failure::unknown, Failure::refused] {
        let mut t = Table::new();
        let (_, row) = code(&mut t, &looked_for());
        t.begin(row);
        t.done(row, Err(effect(Reason::RateLimited, "later").with_retry_after(std::time::Duration::MAX)));
        assert_eq!(t.get::<Target>(row).work.due_at, Some(t.now + Duration::days(1)));
    }
}

#[test]
fn what_is_loaded_later_waits_without_an_old_failure() {
    let mut t = Table::new();
    let mut report = looked_for();
    report.kinds.insert(Kind::Code, KindRules { load_ahead_seconds: 3600, repeat: Repeat::AfterFind, ..KindRules::full() });
    let (g, row) = code(&mut t, &report);
    let starts = t.now + Duration::days(3);
    t.begin(row);
    t.done(row, unknown());
    let update = GrantUpdate::new(g).starts_at(starts).ends_at(starts + Duration::days(1));
    t.run(|d| grant::update(d, &update)).unwrap();
    t.pass(Duration::seconds(30));
    assert!(matches!(t.begin(row), Some(CallWhat::Find { .. })));
    t.found(row, Found::Absent);
    let work = t.get::<Target>(row).work;
    assert_eq!((work.due_at, work.failure, work.attempt), (Some(starts - Duration::hours(1)), None, 0));
}

#[test]
fn a_look_that_is_refused_for_good_leaves_a_question() {
    let mut t = Table::new();
    let (_, row) = code(&mut t, &looked_for());
    t.begin(row);
    t.done(row, unknown());
    t.pass(Duration::seconds(30));
    t.begin(row);
    t.report(row, &Report::Found(Err(Failure::refused(Reason::Forbidden, "not allowed"))));
    assert!(t.get::<Target>(row).work.due_at.is_some(), "the right to look may be given again");
    t.pass(Duration::hours(1));
    t.begin(row);
    t.report(row, &Report::Found(Err(Failure::refused(Reason::Unsupported, "cannot look"))));
    let x = t.get::<Target>(row);
    assert_eq!((x.work.due_at, x.work.asks.map(|q| q.kind)), (None, Some(QuestionKind::DidItHappen)));
}

#[test]
fn several_of_what_was_taken_away_all_go() {
    let mut t = Table::new();
    let (g, row) = code(&mut t, &looked_for());
    t.begin(row);
    t.done(row, unknown());
    t.run(|d| grant::delete(d, g)).unwrap();
    let mut waits = Vec::new();
    for _ in 0..6 {
        t.pass(Duration::minutes(1));
        assert!(matches!(t.begin(row), Some(CallWhat::Remove { had: None, .. })));
        t.done(row, Ok(Receipt::verified()));
        assert!(matches!(t.begin(row), Some(CallWhat::Find { .. })));
        t.found(row, Found::Several(2));
        let x = t.get::<Target>(row);
        assert_eq!(x.work.asks, None, "revocation waits for nobody");
        waits.push(x.work.due_at.unwrap() - t.now);
    }
    assert!(waits[5] > waits[0] * 8, "{waits:?}");
    t.pass(Duration::minutes(5));
    t.begin(row);
    t.done(row, Ok(Receipt::verified()));
    t.begin(row);
    t.found(row, Found::Absent);
    assert!(t.get::<Target>(row).is_dead());
}

#[test]
fn which_one_is_answered_by_looking_again_or_by_putting_again() {
    for answer in [Resolution::Happened, Resolution::DidNot, Resolution::Redo] {
        let mut t = Table::new();
        let (_, row) = code(&mut t, &simple("a"));
        t.begin(row);
        t.done(row, Ok(Receipt::verified().with_handle(Handle::text("v"))));
        t.edit::<Target>(row, |x| {
            x.work.look = true;
            x.work.due_at = Some(x.created_at);
        });
        t.begin(row);
        t.found(row, Found::Several(2));
        assert_eq!(t.get::<Target>(row).work.asks.map(|q| q.kind), Some(QuestionKind::WhichOne));
        t.run(|d| attempt::resolve(d, AcsCredentialId::from_uuid(row), answer)).unwrap();
        assert_eq!(t.get::<Target>(row).work.asks, None);
        let next = t.begin(row);
        match answer {
            Resolution::Happened => assert!(matches!(next, Some(CallWhat::Find { .. })), "{next:?}"),
            _ => assert!(matches!(next, Some(CallWhat::Put { .. })), "{next:?}"),
        }
    }
}

#[test]
fn what_was_only_accepted_is_looked_at_and_issued_when_it_was_seen() {
    let mut t = Table::new();
    let (g, row) = code(&mut t, &simple("a"));
    let method = t.get::<Grant>(g).requested[0].methods[0];
    t.begin(row);
    t.told();
    t.done(row, Ok(Receipt::accepted().with_handle(Handle::text("v"))));
    assert!(!t.get::<Method>(method).issued);
    assert_eq!(t.told(), Vec::<String>::new());
    let due = t.get::<Target>(row).work.due_at.unwrap();
    assert!(due > t.now && due < t.now + Duration::minutes(1));
    // It is not there yet: it is put and looked at again, each time later.
    let mut waits = Vec::new();
    for _ in 0..5 {
        t.pass(Duration::minutes(1));
        t.begin(row);
        t.found(row, Found::Absent);
        t.begin(row);
        t.done(row, Ok(Receipt::accepted().with_handle(Handle::text("v"))));
        waits.push(t.get::<Target>(row).work.due_at.unwrap() - t.now);
    }
    assert!(waits[4] > waits[0] * 4, "{waits:?}");
    t.pass(Duration::minutes(2));
    t.begin(row);
    // The system has the wish, and does not say that it has come true: that is no proof, and it is looked at again.
    t.found(row, Found::Present(Seen::new(Handle::text("v"), None)));
    assert!(!t.get::<Method>(method).issued);
    assert!(t.get::<Target>(row).work.due_at.is_some_and(|due| due > t.now));
    t.pass(Duration::minutes(15));
    t.begin(row);
    t.found(row, Found::Present(Seen::new(Handle::text("v"), Some(true))));
    assert!(t.get::<Method>(method).issued);
    let told = t.told();
    assert_eq!(told.iter().filter(|e| *e == "acs_credential.issued").count(), 1, "{told:?}");
    assert!(!told.contains(&"acs_credential.reissued".to_owned()));
    assert_eq!(t.get::<Target>(row).work.due_at, None);
}

#[test]
fn what_cannot_be_read_back_is_issued_when_it_was_accepted() {
    let mut t = Table::new();
    let mut report = simple("a");
    report.kinds.insert(Kind::Code, KindRules { read_back: ReadBack::None, ..KindRules::full() });
    let (g, row) = code(&mut t, &report);
    t.begin(row);
    t.done(row, Ok(Receipt::accepted()));
    assert!(t.get::<Method>(t.get::<Grant>(g).requested[0].methods[0]).issued);
    assert_eq!(t.get::<Target>(row).work.due_at, None);
}

#[test]
fn a_removal_that_was_only_accepted_is_looked_at_and_told_once() {
    let mut t = Table::new();
    let (g, row) = code(&mut t, &simple("a"));
    t.begin(row);
    t.done(row, Ok(Receipt::verified().with_handle(Handle::text("v"))));
    t.run(|d| grant::delete(d, g)).unwrap();
    t.told();
    t.begin(row);
    t.done(row, Ok(Receipt::accepted()));
    let deleted = |told: Vec<String>| told.iter().filter(|e| *e == "acs_credential.deleted").count();
    assert_eq!(deleted(t.told()), 0);
    assert!(!t.get::<Target>(row).is_out() && !t.get::<Target>(row).claims.is_empty());
    t.pass(Duration::minutes(1));
    t.begin(row);
    t.found(row, Found::Present(Seen::new(Handle::text("v"), None)));
    t.pass(Duration::minutes(1));
    assert!(matches!(t.begin(row), Some(CallWhat::Remove { .. })));
    t.done(row, Ok(Receipt::accepted()));
    t.pass(Duration::minutes(1));
    t.begin(row);
    t.found(row, Found::Absent);
    assert_eq!(deleted(t.told()), 1);
    // A backup was played back there.
    t.edit::<Target>(row, |x| {
        x.seen = SeenState::Present { rev: x.rev, certainty: Certainty::Accepted };
        x.work.due_at = Some(x.created_at);
    });
    t.begin(row);
    t.done(row, Ok(Receipt::verified()));
    assert_eq!((t.get::<Target>(row).is_dead(), deleted(t.told())), (true, 0));
}

#[test]
fn the_old_pin_stays_taken_while_the_lock_may_have_it() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    let new = NewCredential { code: Some(Shown::new("471193")), ..direct_code(&mut t, &site, "Ann", None) };
    let Outcome::Credential(id) = t.run(|d| user::create_credential(d, &new)).unwrap() else { panic!() };
    let old = t.get::<Target>(id).claims[0].key;
    t.begin(id);
    let pin = Shown::new("582204");
    t.run(|d| user::update_credential(d, id, Some(&pin), None)).unwrap();
    t.done(id, Ok(Receipt::verified()));
    assert!(t.get::<Target>(id).claims.iter().any(|c| c.key == old), "the lock holds the old one");
    t.begin(id);
    t.done(id, Ok(Receipt::verified()));
    let claims = t.get::<Target>(id).claims;
    assert!(claims.len() == 1 && claims[0].key != old);
}

#[test]
fn a_window_that_is_being_sent_stays_claimed() {
    let mut t = Table::new();
    let (g, row) = code(&mut t, &simple("a"));
    let end = t.get::<Grant>(g).window.ends_at();
    t.begin(row);
    shorten(&mut t, g);
    assert_eq!(t.get::<Target>(row).claims[0].until, end, "the lock is about to hold the long one");
    t.done(row, Ok(Receipt::verified()));
    t.begin(row);
    t.done(row, Ok(Receipt::verified()));
    assert_eq!(t.get::<Target>(row).seen, SeenState::Present { rev: 2, certainty: Certainty::Verified });
}

#[test]
fn a_suspended_user_opens_nothing() {
    let mut t = Table::new();
    let mut report = by_groups("g");
    report.pin = Some(PinRules { per_user: true, ..PinRules::digits(4, 8) });
    let account = t.connect();
    let mut scan = scan_of(&report, &["a"]);
    scan.systems[0].groups = Some(vec![GroupReport::new(Handle::text("g1"), "g1", vec![Handle::text("a")])]);
    t.scan(account, &scan);
    let system = AcsSystemId::from_uuid(t.find(&Key::id(Index::SystemsOf, account))[0]);
    let a = t.door(system, "a");
    let who = t.person("Ann");
    let g = t.grant(who, AccessMethodMode::Code, |g| g.entrances = vec![a]);
    let user = AcsUserId::from_uuid(t.all::<AcsUser>()[0].0);
    t.run(|d| user::suspend(d, user, true)).unwrap();
    t.work();
    let method = t.get::<Grant>(g).requested[0].methods[0];
    assert!(!t.get::<Method>(method).issued && t.get::<Grant>(g).told.is_empty());
    assert!(!t.told().contains(&"access_grant.access_granted_to_door".to_owned()));
    t.run(|d| user::suspend(d, user, false)).unwrap();
    t.work();
    assert!(t.get::<Method>(method).issued && t.get::<Grant>(g).told_all);
}

#[test]
fn a_pin_that_the_system_made_is_issued_when_its_digits_are_known() {
    for told in [None, Some("4711")] {
        let mut t = Table::new();
        let mut report = simple("a");
        report.pin = Some(PinRules { made_by_vendor: true, ..PinRules::digits(4, 8) });
        let (g, row) = code(&mut t, &report);
        let made = Made { pin: told.map(|digits| digits.to_owned().into()), ..Made::default() };
        t.begin(row);
        t.done(row, Ok(Receipt::verified().with_made(made)));
        let grant = t.get::<Grant>(g);
        assert_eq!(t.get::<Method>(grant.requested[0].methods[0]).issued, told.is_some(), "a PIN that nobody knows opens nothing");
        assert_eq!((grant.told_all, t.told().contains(&"access_method.issued".to_owned())), (told.is_some(), told.is_some()));
    }
}

#[test]
fn fewer_rights_that_were_only_taken_leave_what_was_there_before() {
    let mut t = Table::new();
    let (g, row) = code(&mut t, &simple("a"));
    t.begin(row);
    t.done(row, Ok(Receipt::verified()));
    let method = t.get::<Target>(row).of;
    let TargetOf::Method(method) = method else { panic!("{method:?}") };
    let had = t.get::<Target>(row).made.unwrap();
    assert!(t.get::<Method>(method).issued);
    shorten(&mut t, g);
    t.told();
    t.begin(row);
    let until = t.now + Duration::hours(5);
    t.done(row, Ok(Receipt::accepted().with_may_open_until(until)));
    let x = t.get::<Target>(row);
    assert_eq!(x.others.iter().map(|other| &other.can).collect::<Vec<_>>(), [&had]);
    assert_eq!((x.may_open_until, x.work.due_at), (Some(until), Some(until)), "nothing can be seen before");
    assert!(t.get::<Method>(method).issued, "what is wanted is in force");
    let told = t.told();
    assert!(told.contains(&"access_method.reissued".to_owned()) && !told.contains(&"access_method.revoked".to_owned()), "{told:?}");
    // Looked at early, nothing is new.
    t.pass(Duration::hours(1));
    t.edit::<Target>(row, |x| (x.work.look, x.work.due_at) = (true, Some(x.created_at)));
    assert!(matches!(t.begin(row), Some(CallWhat::Find { .. })));
    t.found(row, Found::Present(Seen::new(Handle::text("v"), None)));
    let x = t.get::<Target>(row);
    assert_eq!((x.others.len(), x.may_open_until, x.work.due_at), (1, Some(until), Some(until)));
    // Changed back, changed again: each form counts once.
    let with_end = |t: &mut Table, days| {
        let update = GrantUpdate::new(g).ends_at(t.now + Duration::days(days));
        t.run(|d| grant::update(d, &update)).unwrap();
        t.begin(row);
        t.done(row, Ok(Receipt::accepted().with_may_open_until(until)));
        t.get::<Target>(row).others.len()
    };
    assert_eq!((with_end(&mut t, 3), with_end(&mut t, 2), with_end(&mut t, 3)), (2, 3, 3));
    t.pass(Duration::hours(5));
    assert!(matches!(t.begin(row), Some(CallWhat::Find { .. })));
    t.found(row, Found::Present(Seen::new(Handle::text("v"), Some(true))));
    let x = t.get::<Target>(row);
    assert_eq!((x.others.len(), x.may_open_until), (0, None));
    assert_eq!(x.seen, SeenState::Present { rev: x.rev, certainty: Certainty::Verified });
    // Without an instant: until it is seen, too.
    shorten(&mut t, g);
    t.begin(row);
    t.done(row, Ok(Receipt::accepted()));
    assert_eq!(t.get::<Target>(row).others.len(), 1);
    assert!(!t.get::<Method>(method).issued, "nor has it been seen that what is wanted is in force");
}
