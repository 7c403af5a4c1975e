//! Drift: what a system holds against what is wanted there.
use super::super::account;
use super::super::drift::{HELD, ORPHANS};
use super::super::tag_of;
use super::{Site, Table, scan_of, simple};
use crate::model::{AccessMethodMode, Window};
use crate::provider::{CardPath, Certainty, Handle, Held, Kind, KindRules, Needs, ReadBack, SystemReport, Tag};
use crate::state::*;
use chrono::Duration;
use secrecy::SecretString;

const NONE: [RowId; 0] = [];

/// A site with so many codes in place, each of another person.
fn house(report: &SystemReport, codes: usize) -> (Table, Site, Vec<RowId>) {
    let mut t = Table::new();
    let site = t.site(report, &["101", "102"]);
    let mut rows = Vec::new();
    for n in 0..codes {
        let who = t.person(&format!("Guest {n}"));
        let grant = t.grant(who, AccessMethodMode::Code, |g| g.entrances = vec![site.doors[0]]);
        rows.extend(t.targets_of(grant));
    }
    t.carry_out();
    t.told();
    (t, site, rows)
}

/// The thing as it was put.
fn held(t: &Table, row: RowId) -> Held {
    let target = t.get::<Target>(row);
    let mut held = Held::new(target.kind(), target.handle.clone().unwrap(), Some(tag_of(row)));
    held.window = target.credential().map(|c| c.window);
    held.doors = target.credential().unwrap().doors.iter().map(|d| t.get::<Entrance>(*d).report.handle.clone()).collect();
    held
}

fn show(t: &mut Table, site: &Site, report: &SystemReport, things: &[Held]) {
    let mut scan = scan_of(report, &["101", "102"]);
    scan.systems[0].held = Some(things.to_vec());
    t.scan(site.account, &scan);
}

fn looked_at(t: &Table, rows: &[RowId]) -> Vec<RowId> {
    rows.iter().copied().filter(|r| t.get::<Target>(*r).work.look && t.get::<Target>(*r).work.due_at == Some(t.now)).collect()
}

#[test]
fn all_in_place_is_left_alone() {
    let report = simple("a");
    let (mut t, site, rows) = house(&report, 8);
    let things: Vec<Held> = rows.iter().map(|r| held(&t, *r)).collect();
    t.pass(Duration::minutes(15));
    show(&mut t, &site, &report, &things);
    assert_eq!(t.last.as_ref().unwrap().put.len(), 1, "the account alone");
    assert!(t.told().is_empty());
}

#[test]
fn a_missing_one_is_looked_at() {
    let report = simple("a");
    let (mut t, site, rows) = house(&report, 8);
    let things: Vec<Held> = rows[1..].iter().map(|r| held(&t, *r)).collect();
    show(&mut t, &site, &report, &things);
    assert_eq!(looked_at(&t, &rows), rows[..1]);
    assert_eq!(t.get::<Account>(site.account).held, None);
    // As long as that look is not settled, nothing more is done.
    let rev = t.get::<Target>(rows[0]).rev;
    t.pass(Duration::minutes(15));
    show(&mut t, &site, &report, &things);
    assert_eq!(t.last.as_ref().unwrap().put.len(), 1);
    assert_eq!(t.get::<Target>(rows[0]).rev, rev);
}

#[test]
fn an_edited_one_is_looked_at() {
    let report = simple("a");
    let (mut t, site, rows) = house(&report, 8);
    let now = t.now;
    let edits: [&dyn Fn(&mut Held); 3] =
        [&|h| h.window = Window::new(now, Some(now + Duration::days(99))).ok(), &|h| h.doors.push(Handle::text("102")), &|h| {
            h.pin = Some(SecretString::from("999999999"))
        }];
    for (n, edit) in edits.iter().enumerate() {
        let mut things: Vec<Held> = rows.iter().map(|r| held(&t, *r)).collect();
        edit(&mut things[n]);
        show(&mut t, &site, &report, &things);
        assert_eq!(looked_at(&t, &rows), [rows[n]], "edit {n}");
        t.carry_out();
    }
    // What is not shown was not edited; another order of doors neither.
    let mut things: Vec<Held> = rows.iter().map(|r| held(&t, *r)).collect();
    (things[0].window, things[1].doors) = (None, Vec::new());
    show(&mut t, &site, &report, &things);
    assert_eq!(looked_at(&t, &rows), NONE);
}

#[test]
fn a_system_that_shows_existence_only_cannot_tell_an_edit() {
    let mut report = simple("a");
    report.kinds.insert(Kind::Code, KindRules { read_back: ReadBack::Existence, ..KindRules::full() });
    let (mut t, site, rows) = house(&report, 2);
    let mut things: Vec<Held> = rows.iter().map(|r| held(&t, *r)).collect();
    things[0].window = Window::new(t.now, None).ok();
    show(&mut t, &site, &report, &things);
    assert_eq!(looked_at(&t, &rows), NONE);
    report.kinds.insert(Kind::Code, KindRules { read_back: ReadBack::None, ..KindRules::full() });
    show(&mut t, &site, &report, &[]);
    assert_eq!(looked_at(&t, &rows), NONE, "what cannot be read back is not missed");
}

#[test]
fn what_was_just_changed_is_not_drift() {
    let report = simple("a");
    let (mut t, site, rows) = house(&report, 3);
    let now = t.now;
    t.edit::<Target>(rows[0], |x| x.synced_at = Some(now - Duration::minutes(1)));
    t.edit::<Target>(rows[1], |x| x.work.in_flight = Some(InFlight { fence: 1, doing: Doing::Put { rev: 1 } }));
    t.edit::<Target>(rows[2], |x| x.seen = SeenState::Unknown { rev: 1 });
    show(&mut t, &site, &report, &[]);
    assert_eq!(looked_at(&t, &rows), NONE);
    assert!(rows.iter().all(|r| !t.get::<Target>(*r).work.look));
    assert!(rows.iter().all(|r| matches!(t.get::<Target>(*r).seen, SeenState::Present { .. } | SeenState::Unknown { .. })));
}

#[test]
fn too_much_at_once_waits_for_a_person() {
    let report = simple("a");
    let (mut t, site, rows) = house(&report, 30);
    let shown = |t: &Table, n: usize| rows[..n].iter().map(|r| held(t, *r)).collect::<Vec<_>>();
    // 6 of 30 are a fifth: repaired.
    let things = shown(&t, 24);
    show(&mut t, &site, &report, &things);
    assert_eq!(looked_at(&t, &rows).len(), 6);
    t.carry_out();
    // 7 are more: held, and told once.
    for _ in 0..2 {
        t.pass(Duration::minutes(15));
        let things = shown(&t, 23);
        show(&mut t, &site, &report, &things);
        assert_eq!(looked_at(&t, &rows), NONE);
    }
    assert_eq!(t.told(), ["connected_account.changes_held"]);
    let note = t.get::<Account>(site.account).held.unwrap();
    assert_eq!((note.code.as_str(), note.at), (HELD, t.now - Duration::minutes(15)));
    assert_eq!(note.details["systems"][site.system.to_string()]["count"], 7);
    // Confirmed, but by then all are missing: that is not what was confirmed.
    t.run(|d| account::confirm_held(d, site.account)).unwrap();
    assert_eq!(t.get::<Account>(site.account).work.due_at, Some(t.now));
    show(&mut t, &site, &report, &[]);
    assert_eq!(looked_at(&t, &rows), NONE);
    let note = t.get::<Account>(site.account).held.unwrap();
    assert_eq!(note.details["systems"][site.system.to_string()]["count"], 30);
    t.run(|d| account::confirm_held(d, site.account)).unwrap();
    show(&mut t, &site, &report, &[]);
    assert_eq!(looked_at(&t, &rows).len(), 30);
    assert_eq!(t.get::<Account>(site.account).held, None);
}

#[test]
fn a_held_change_that_goes_away_is_forgotten() {
    let report = simple("a");
    let (mut t, site, rows) = house(&report, 30);
    show(&mut t, &site, &report, &[]);
    assert!(t.get::<Account>(site.account).held.is_some());
    let things: Vec<Held> = rows.iter().map(|r| held(&t, *r)).collect();
    show(&mut t, &site, &report, &things);
    assert_eq!(t.get::<Account>(site.account).held, None);
    assert_eq!(looked_at(&t, &rows), NONE);
}

#[test]
fn up_to_five_are_repaired_in_a_small_house() {
    let report = simple("a");
    let (mut t, site, rows) = house(&report, 5);
    show(&mut t, &site, &report, &[]);
    assert_eq!(looked_at(&t, &rows).len(), 5);
    let (mut t, site, rows) = house(&report, 6);
    show(&mut t, &site, &report, &[]);
    assert_eq!(looked_at(&t, &rows).len(), 0);
}

#[test]
fn a_card_that_is_missing_is_to_be_written_again() {
    let mut report = simple("a");
    report.kinds.insert(Kind::Card, KindRules { card: Some(CardPath::VendorEncoder), ..KindRules::full() });
    let mut t = Table::new();
    let site = t.site(&report, &["101", "102"]);
    let ann = t.person("Ann");
    let grant = t.grant(ann, AccessMethodMode::Card, |g| g.entrances = vec![site.doors[0]]);
    let row = t.targets_of(grant)[0];
    t.carry_out();
    t.edit::<Target>(row, |x| x.needs = Needs::Nothing);
    let method = t.get::<Grant>(grant).requested[0].methods[0];
    t.edit::<Method>(method, |m| (m.issued, m.told_encoding) = (true, false));
    t.told();
    show(&mut t, &site, &report, &[]);
    let target = t.get::<Target>(row);
    assert_eq!((target.seen, target.needs), (SeenState::Absent { certainty: Certainty::Accepted }, Needs::Encoding));
    assert!(!t.get::<Method>(method).issued);
    assert_eq!(t.told(), ["access_method.revoked", "access_method.card_encoding_required"]);
    show(&mut t, &site, &report, &[]);
    assert!(t.told().is_empty());
}

#[test]
fn what_was_revoked_and_is_there_again_is_removed_again() {
    let report = simple("a");
    let (mut t, site, rows) = house(&report, 1);
    let thing = held(&t, rows[0]);
    let hour_ago = t.now - Duration::hours(1);
    t.edit::<Target>(rows[0], |x| {
        x.gone = true;
        x.seen = SeenState::Absent { certainty: Certainty::Verified };
        x.synced_at = Some(hour_ago);
    });
    assert!(t.find(&Key::id(Index::TargetsAt, site.system)).is_empty(), "it is found by its tag alone");
    // Another thing in the same place does not carry the tag: it is nobody's business.
    let mut other = thing.clone();
    other.tag = None;
    show(&mut t, &site, &report, &[other]);
    assert_eq!(t.get::<Target>(rows[0]).work.due_at, None);
    show(&mut t, &site, &report, &[thing]);
    let target = t.get::<Target>(rows[0]);
    assert!(target.gone && target.work.due_at == Some(t.now), "due to be removed");
    assert_eq!(target.work.asks, None);
}

#[test]
fn our_thing_under_another_vendor_id_keeps_its_tag() {
    let report = simple("a");
    let (mut t, site, rows) = house(&report, 1);
    let mut thing = held(&t, rows[0]);
    thing.handle = Handle::text("v-new");
    show(&mut t, &site, &report, &[thing.clone()]);
    assert_eq!(t.get::<Target>(rows[0]).handle, Some(Handle::text("v-new")));
    assert_eq!(looked_at(&t, &rows), NONE);
    // Without a tag it is known by the id.
    thing.tag = None;
    show(&mut t, &site, &report, &[thing.clone()]);
    assert_eq!((looked_at(&t, &rows), t.all::<Unmanaged>().len()), (vec![], 0));
    // Two of them: the look asks a person.
    let mut twin = held(&t, rows[0]);
    twin.handle = Handle::text("v-twin");
    let first = held(&t, rows[0]);
    show(&mut t, &site, &report, &[first, twin]);
    assert_eq!(looked_at(&t, &rows), rows);
}

#[test]
fn orphans_are_reported_and_left() {
    let report = simple("a");
    let (mut t, site, _) = house(&report, 0);
    let orphan = Held::new(Kind::Code, Handle::text("v-9"), Some(Tag(uuid::Uuid::from_u128(99).simple().to_string())));
    let named = Held::new(Kind::Code, Handle::text("v-8"), Some(Tag("Cleaner".to_owned())));
    show(&mut t, &site, &report, &[orphan, named]);
    let warnings = t.get::<System>(site.system).warnings;
    assert_eq!((warnings.len(), warnings[0].code.as_str(), &warnings[0].details["count"]), (1, ORPHANS, &serde_json::json!(1)));
    assert_eq!(t.all::<Unmanaged>().len(), 2, "both are shown");
    show(&mut t, &site, &report, &[]);
    assert!(t.get::<System>(site.system).warnings.is_empty());
}

#[test]
fn foreign_things_are_shown_and_their_pins_taken() {
    let report = simple("a");
    let (mut t, site, _) = house(&report, 0);
    let mut cleaner = Held::new(Kind::Code, Handle::text("v-1"), None);
    cleaner.doors = vec![Handle::text("101")];
    cleaner.pin = Some(SecretString::from("482915"));
    show(&mut t, &site, &report, std::slice::from_ref(&cleaner));
    let (row, thing) = t.all::<Unmanaged>()[0].clone();
    assert!(!serde_json::to_string(&thing).unwrap().contains("482915"));
    // Nobody else gets that PIN at that door; at another door they may.
    let ann = t.person("Ann");
    let wish = |g: &mut super::super::NewGrant, door| {
        g.entrances = vec![door];
        g.methods[0].code = Some(crate::model::Shown::new("482915"));
    };
    let there = t.grant(ann, AccessMethodMode::Code, |g| wish(g, site.doors[0]));
    let elsewhere = t.grant(ann, AccessMethodMode::Code, |g| wish(g, site.doors[1]));
    assert_eq!(t.get::<Grant>(there).warnings.len(), 1, "another PIN was given");
    assert_eq!(t.get::<Grant>(elsewhere).warnings.len(), 0);
    // The same list again writes nothing; what goes and comes back is the same thing.
    let unchanged = t.get::<Unmanaged>(row);
    show(&mut t, &site, &report, std::slice::from_ref(&cleaner));
    assert_eq!(t.get::<Unmanaged>(row), unchanged);
    show(&mut t, &site, &report, &[]);
    let gone = t.get::<Unmanaged>(row);
    assert_eq!((gone.gone_at, gone.claims[0].until), (Some(t.now), Some(t.now + Duration::hours(1))));
    t.pass(Duration::minutes(15));
    show(&mut t, &site, &report, &[]);
    assert_eq!(t.get::<Unmanaged>(row), gone);
    show(&mut t, &site, &report, std::slice::from_ref(&cleaner));
    assert_eq!(t.get::<Unmanaged>(row), unchanged);
    assert_eq!(t.all::<Unmanaged>().len(), 1);
}

#[test]
fn a_user_and_her_pin_may_have_one_vendor_id() {
    let report = simple("a");
    let (mut t, site, _) = house(&report, 0);
    let user = Held::new(Kind::User, Handle::text("5"), None);
    let mut code = Held::new(Kind::Code, Handle::text("5"), None);
    code.pin = Some(SecretString::from("482915"));
    show(&mut t, &site, &report, &[user, code]);
    let things = t.all::<Unmanaged>();
    assert_eq!(things.len(), 1);
    assert!(!things[0].1.claims.is_empty(), "the PIN counts all the same");
}
