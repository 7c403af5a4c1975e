//! Accounts: connected, changed, disconnected, connected again; entrances bound anew.
use super::super::{NewAccount, NewCredential, NewGrant, NewMethod, NewSpace, Outcome, account, space, timer, user};
use super::{Table, id, scan_of, simple};
use crate::error::ErrorKind;
use crate::model::{AccessMethodMode, Holder, Shown, SpaceId};
use crate::provider::{ChannelReport, DoorLimit, Kind, KindRules};
use crate::state::*;
use chrono::Duration;
use secrecy::ExposeSecret;

#[test]
fn a_pin_in_the_lock_is_taken_whether_anybody_is_connected_or_not() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    let (ann, ben) = (t.person("Ann"), t.person("Ben"));
    let wished = |g: &mut NewGrant| g.methods = vec![NewMethod::preferred_code("471193")];
    let now = t.now;
    let first = t.grant(ann, AccessMethodMode::Code, |g| {
        g.entrances = vec![site.doors[0]];
        g.starts_at = Some(now + Duration::hours(1));
        wished(g);
    });
    t.carry_out();
    t.run(|d| account::disconnect(d, site.account)).unwrap();
    // Her grant starts while nobody is connected.
    t.pass(Duration::hours(1));
    t.run(|d| timer::on_timer(d, first)).unwrap();
    let again = t.connect();
    t.scan(again, &scan_of(&simple("a"), &["101"]));
    let second = t.grant(ben, AccessMethodMode::Code, |g| {
        g.entrances = vec![site.doors[0]];
        wished(g);
    });
    let pin = |g| {
        let m = t.get::<Grant>(g).requested[0].methods[0];
        t.env().open(m.uuid(), "pin", t.get::<Method>(m).pin.as_ref().unwrap()).unwrap().expose_secret().to_owned()
    };
    assert_eq!(pin(first), "471193");
    assert_ne!(pin(second), "471193", "two people, one PIN, one door");
}

#[test]
fn settings_are_sealed_and_never_repeated() {
    let mut t = Table::new();
    let account = t.connect();
    let row = t.get::<Account>(account);
    assert!(!serde_json::to_string(&row).unwrap().contains("geheim"));
    assert_eq!((row.work.due_at, row.settings_rev), (Some(t.now), 1));
    let bad = |t: &mut Table, kind: &str, settings: &str| {
        let new = NewAccount { kind: kind.to_owned(), settings: Shown::new(settings) };
        let e = t.run(|d| account::connect(d, &new)).unwrap_err();
        assert!(!e.to_string().contains("geheim"));
        e.field().unwrap().to_owned()
    };
    assert_eq!(bad(&mut t, "Sand Box", "{}"), "kind");
    assert_eq!(bad(&mut t, "", "{}"), "kind");
    assert_eq!(bad(&mut t, "sandbox", "geheim"), "settings");
    assert_eq!(bad(&mut t, "sandbox", "[\"geheim\"]"), "settings");
    assert_eq!(bad(&mut t, "sandbox", &format!("{{\"a\":\"{}\"}}", "x".repeat(70_000))), "settings");
}

#[test]
fn new_settings_are_tried_at_once() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    t.edit::<Account>(site.account, |a| a.work.attempt = 7);
    let settings = Shown::new("{\"password\":\"neu\"}");
    t.run(|d| account::update(d, site.account, &settings)).unwrap();
    let row = t.get::<Account>(site.account);
    assert_eq!((row.settings_rev, row.work.due_at, row.work.attempt), (2, Some(t.now), 0));
    assert_eq!(t.env().open(site.account.uuid(), "settings", &row.settings).unwrap().expose_secret(), settings.expose());
    t.pass(Duration::minutes(1));
    t.run(|d| account::rescan(d, site.account)).unwrap();
    assert_eq!(t.get::<Account>(site.account).work.due_at, Some(t.now));
    assert_eq!(t.run(|d| account::rescan(d, id(99))).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(t.run(|d| account::confirm_held(d, site.account)).unwrap_err().code(), "nothing_held");
}

#[test]
fn an_account_that_is_being_read_is_read_again_after_that() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    let limit = t.now + Duration::seconds(122);
    let begun = |t: &mut Table| {
        t.edit::<Account>(site.account, |a| {
            a.work = Work { in_flight: Some(InFlight { fence: 1, doing: Doing::Scan }), due_at: Some(limit), ..Work::default() };
        });
        t.run(|d| account::rescan(d, site.account)).unwrap();
        assert_eq!(t.get::<Account>(site.account).work.due_at, Some(limit), "not twice at once");
    };
    begun(&mut t);
    t.scan(site.account, &scan_of(&simple("a"), &["101"]));
    assert_eq!(t.get::<Account>(site.account).work, Work { due_at: Some(t.now), ..Work::default() });
    begun(&mut t);
    let failed = Err(crate::provider::Failure::nothing(crate::provider::Reason::Offline, "no answer"));
    t.run(|d| super::super::discover::apply_scan(d, site.account, &failed)).unwrap();
    let work = t.get::<Account>(site.account).work;
    assert_eq!((work.due_at, work.look, work.attempt), (Some(t.now), false, 1));
}

#[test]
fn disconnecting_takes_nothing_away_and_connecting_again_goes_on() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    let ann = t.person("Ann");
    let grant = t.grant(ann, AccessMethodMode::Code, |g| g.entrances = site.doors.clone());
    let target = t.targets_of(grant)[0];
    assert!(t.get::<Target>(target).work.due_at.is_some());
    t.run(|d| account::disconnect(d, site.account)).unwrap();
    assert!(t.get::<Grant>(grant).is_live());
    let rests = t.get::<Target>(target);
    assert!(!rests.gone && rests.work.due_at.is_none(), "nobody can carry it out now");
    assert!(t.get::<System>(site.system).missing_since.is_some());
    assert_eq!(t.run(|d| account::disconnect(d, site.account)).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(t.run(|d| account::rescan(d, site.account)).unwrap_err().kind(), ErrorKind::NotFound);

    let again = t.connect();
    t.scan(again, &scan_of(&simple("a"), &["101"]));
    assert_eq!(t.all::<System>().len(), 1);
    let system = t.get::<System>(site.system);
    assert_eq!((system.account, system.missing_since, system.report.fingerprint.as_str()), (again, None, "a"));
    assert_eq!(t.get::<Entrance>(site.doors[0]).account, again);
    let due = t.get::<Target>(target);
    assert_eq!((due.account, due.work.due_at), (again, Some(t.now)));
}

#[test]
fn a_disconnected_installation_can_be_connected_in_another_workspace() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    t.run(|d| account::disconnect(d, site.account)).unwrap();
    let first = std::mem::replace(&mut t.workspace, id(0xB));
    let other = t.site(&simple("a"), &["101"]);
    t.run(|d| account::disconnect(d, other.account)).unwrap();
    t.workspace = first;
    let again = t.connect();
    t.scan(again, &scan_of(&simple("a"), &["101"]));
    assert_eq!(t.get::<System>(site.system).account, again, "each workspace finds its own again");
}

#[test]
fn graces_have_a_limit() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    t.run(|d| account::set_graces(d, site.system, 3600, 7200)).unwrap();
    assert_eq!(t.get::<System>(site.system).graces, Graces { arrival: 3600, departure: 7200 });
    assert_eq!(t.run(|d| account::set_graces(d, site.system, 0, 700_000)).unwrap_err().field(), Some("departure"));
    assert_eq!(t.run(|d| account::set_graces(d, site.system, u32::MAX, 0)).unwrap_err().field(), Some("arrival"));
}

#[test]
fn grants_follow_a_lock_that_was_replaced() {
    let mut t = Table::new();
    let mut report = simple("a");
    report.kinds.insert(Kind::Code, KindRules { doors: DoorLimit::One, ..KindRules::full() });
    let site = t.site(&report, &["101", "102"]);
    let ann = t.person("Ann");
    let grant = t.grant(ann, AccessMethodMode::Code, |g| g.entrances = vec![site.doors[0]]);
    let target = t.targets_of(grant)[0];
    let direct = NewCredential {
        user: None,
        identity: Some(ann),
        system: Some(site.system),
        mode: AccessMethodMode::Code,
        code: None,
        entrances: vec![site.doors[0]],
        starts_at: None,
        ends_at: None,
        holder: Holder::Staff,
    };
    let Outcome::Credential(direct) = t.run(|d| user::create_credential(d, &direct)).unwrap() else { panic!() };
    t.carry_out();
    // The lock of 101 is replaced: the system shows another, reached by itself.
    let mut scan = scan_of(&report, &["101 new", "102"]);
    scan.systems[0].entrances.as_mut().unwrap()[0].channel = Some(ChannelReport::new("ble:7", 1));
    t.scan(site.account, &scan);
    let new = t.door(site.system, "101 new");
    let Outcome::Space(floor) = t
        .run(|d| {
            let new = NewSpace::builder().name("Floor").entrances(vec![new]).build();
            space::create(d, &new)
        })
        .unwrap()
    else {
        panic!()
    };
    let before = t.get::<Target>(target);
    let old_claims = t.get::<Target>(direct).claims;
    t.told();
    t.run(|d| account::rebind(d, site.doors[0], new)).unwrap();
    let entrance = t.get::<Entrance>(site.doors[0]);
    assert_eq!((entrance.report.name.as_str(), entrance.missing_since), ("101 new", None));
    let after = t.get::<Target>(target);
    assert_eq!((after.rev, after.work.due_at), (before.rev + 1, Some(t.now)));
    assert_eq!(after.channel.end(), "ble:7");
    let direct = t.get::<Target>(direct);
    assert_eq!((direct.channel.end(), direct.rev, direct.work.due_at), ("ble:7", 2, Some(t.now)));
    assert!(direct.claims.len() == 1 && direct.claims != old_claims);
    assert_ne!(after.claims, before.claims, "the PIN is taken at the new lock");
    assert_eq!(after.credential().unwrap().doors, [site.doors[0]]);
    assert_eq!(t.get::<Space>(SpaceId::from_uuid(floor.uuid())).entrances, [site.doors[0]]);
    assert_eq!(t.door(site.system, "101 new"), site.doors[0], "the next scan finds the entrance that grants know");
    assert!(t.told().contains(&"acs_entrance.removed".to_owned()));
    t.scan(site.account, &scan);
    assert_eq!(t.told(), Vec::<String>::new());
    let e = t.run(|d| account::rebind(d, site.doors[1], new)).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::NotFound, "what went up in another is found by nobody");
}

#[test]
fn a_door_with_access_of_its_own_is_not_absorbed() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101", "102"]);
    let other = t.site(&simple("b"), &["1"]);
    let ann = t.person("Ann");
    t.grant(ann, AccessMethodMode::Code, |g| g.entrances = vec![site.doors[1]]);
    let rebind = |t: &mut Table, from, to| {
        let e = t.run(|d| account::rebind(d, from, to)).unwrap_err();
        (e.kind(), e.field().map(str::to_owned))
    };
    assert_eq!(rebind(&mut t, site.doors[0], site.doors[1]), (ErrorKind::Conflict, Some("to".to_owned())));
    assert_eq!(rebind(&mut t, site.doors[0], site.doors[0]), (ErrorKind::InvalidInput, Some("to".to_owned())));
    assert_eq!(rebind(&mut t, site.doors[0], other.doors[0]), (ErrorKind::InvalidInput, Some("to".to_owned())));
    t.scan(site.account, &scan_of(&simple("a"), &["102"]));
    assert_eq!(rebind(&mut t, site.doors[1], site.doors[0]), (ErrorKind::InvalidInput, Some("to".to_owned())));
}
