//! Scans: what an account shows becomes rows.
use super::super::discover::{Scan, ScannedSystem, apply_scan};
use super::{Table, door, id, scan_of, simple};
use crate::model::{AcsSystemId, ConnectedAccountId};
use crate::provider::{ChannelReport, EncoderReport, Failure, GroupReport, Handle, Reason};
use crate::state::*;
use chrono::Duration;
use proptest::prelude::*;

fn fail(t: &mut Table, account: ConnectedAccountId, reason: Reason) -> Duration {
    let failure: Result<Scan, Failure> = Err(Failure::nothing(reason, "the vendor says Ann Smith"));
    t.run(|d| apply_scan(d, account, &failure)).unwrap();
    t.get::<Account>(account).work.due_at.unwrap() - t.now
}

#[test]
fn a_first_scan_makes_rows_and_tells_them_once() {
    let mut t = Table::new();
    let account = t.connect();
    let mut scan = scan_of(&simple("a"), &["101", "102", "101"]);
    scan.systems[0].encoders = Some(vec![EncoderReport::new(Handle::text("desk"), "Desk", ChannelReport::new("tcp://desk:1", 1), 30)]);
    scan.systems[0].groups = Some(vec![GroupReport::new(Handle::text("g"), "All", vec![Handle::text("102"), Handle::text("101")])]);
    t.scan(account, &scan);
    assert_eq!(
        t.told(),
        [
            "connected_account.created",
            "connected_account.connected",
            "acs_system.added",
            "acs_system.connected",
            "acs_entrance.added",
            "acs_entrance.added",
            "acs_encoder.added",
            "connected_account.completed_first_sync",
        ]
    );
    let system = AcsSystemId::from_uuid(t.all::<System>()[0].0);
    assert_eq!(t.get::<System>(system).kind, "sandbox");
    let mut doors = vec![t.door(system, "101"), t.door(system, "102")];
    doors.sort();
    assert_eq!(t.all::<Group>()[0].1.entrances, doors);
    let row = t.get::<Account>(account);
    assert_eq!((row.synced_at, row.work.due_at, row.work.in_flight), (Some(t.now), Some(t.now + Duration::minutes(15)), None));
    // The same again changes nothing but the account.
    t.pass(Duration::minutes(15));
    t.scan(account, &scan);
    assert_eq!(t.told(), Vec::<String>::new());
    assert_eq!(t.last.as_ref().unwrap().put.len(), 1);
}

#[test]
fn what_is_no_longer_shown_is_missing_and_comes_back() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101", "102"]);
    t.told();
    let mut scan = scan_of(&simple("a"), &["102"]);
    scan.systems[0].report.name = "Renamed".to_owned();
    t.scan(site.account, &scan);
    assert_eq!(t.get::<Entrance>(site.doors[0]).missing_since, Some(t.now));
    assert_eq!(t.get::<Entrance>(site.doors[1]).missing_since, None);
    assert_eq!(t.get::<System>(site.system).report.name, "Renamed");
    let since = t.now;
    t.pass(Duration::minutes(15));
    t.scan(site.account, &scan);
    assert_eq!(t.get::<Entrance>(site.doors[0]).missing_since, Some(since), "since it was first missed");
    // A list that could not be read says nothing.
    scan.systems[0].entrances = None;
    t.scan(site.account, &scan);
    assert_eq!(t.get::<Entrance>(site.doors[1]).missing_since, None);
    t.scan(site.account, &scan_of(&simple("a"), &["101", "102"]));
    assert_eq!(t.get::<Entrance>(site.doors[0]).missing_since, None);
    assert_eq!(t.told(), ["acs_entrance.removed", "acs_entrance.added"], "each told once");
    t.scan(site.account, &Scan { systems: Vec::new() });
    t.scan(site.account, &Scan { systems: Vec::new() });
    assert!(t.get::<System>(site.system).missing_since.is_some());
    t.scan(site.account, &scan_of(&simple("a"), &["101", "102"]));
    assert!(t.get::<System>(site.system).missing_since.is_none());
    assert_eq!(t.told(), ["acs_system.disconnected", "acs_system.connected"]);
}

#[test]
fn encoders_come_and_go() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &[]);
    t.told();
    let mut scan = scan_of(&simple("a"), &[]);
    let desk = EncoderReport::new(Handle::text("desk"), "Desk", ChannelReport::new("tcp://desk:1", 1), 30);
    for shown in [vec![desk.clone()], vec![], vec![], vec![desk]] {
        scan.systems[0].encoders = Some(shown);
        t.scan(site.account, &scan);
    }
    assert_eq!(t.told(), ["acs_encoder.added", "acs_encoder.removed", "acs_encoder.added"]);
    assert_eq!(t.all::<Encoder>().len(), 1);
}

#[test]
fn a_group_that_opens_an_unknown_door_does_not_look_smaller() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    let mut scan = scan_of(&simple("a"), &["101"]);
    scan.systems[0].groups = Some(vec![GroupReport::new(Handle::text("g"), "G", vec![Handle::text("101"), Handle::text("safe")])]);
    t.scan(site.account, &scan);
    t.scan(site.account, &scan);
    assert_eq!(t.all::<Group>()[0].1.entrances.len(), 2);
    let safe = t.door(site.system, "safe");
    assert!(t.get::<Entrance>(safe).missing_since.is_some());
    assert_eq!(t.all::<Entrance>().len(), 2);
}

#[test]
fn a_thousand_doors_are_read_in_a_few_goes() {
    let mut t = Table::new();
    let names: Vec<String> = (0..1000).map(|n| format!("door {n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let account = t.connect();
    let mut scan = scan_of(&simple("a"), &names);
    scan.systems[0].held = Some(Vec::new());
    t.scan(account, &scan);
    assert_eq!(t.all::<Entrance>().len(), 1000);
    t.pass(Duration::minutes(15));
    t.scan(account, &scan);
    assert!(t.reads <= 6, "{} reads", t.reads);
    assert_eq!(t.last.as_ref().unwrap().put.len(), 1);
}

#[test]
fn failures_back_off_and_are_told_once() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    t.told();
    let mut waits = Vec::new();
    for _ in 0..12 {
        waits.push(fail(&mut t, site.account, Reason::Offline));
    }
    for (n, wait) in waits.iter().enumerate() {
        let full = Duration::seconds(30 << n.min(7)).min(Duration::hours(1));
        assert!(*wait >= full / 2 && *wait <= full, "{n}: {wait}");
    }
    assert!(waits[8..].iter().any(|w| w != &waits[8]), "without jitter all accounts come back together");
    assert_eq!(t.get::<Account>(site.account).work.attempt, 12);
    let event = t.events.iter().find(|e| e.event_type == "acs_system.disconnected").unwrap().clone();
    assert_eq!(event.payload["acs_system_errors"][0]["error_code"], "acs_system_disconnected");
    assert_eq!(event.payload["connected_account_errors"][0]["error_code"], "provider_service_unavailable");
    assert!(!serde_json::to_string(&t.events).unwrap().contains("Smith"), "a vendor's message may name a person");
    assert_eq!(t.told(), ["acs_system.disconnected"]);
    assert!(!t.get::<Account>(site.account).errors.is_empty());
    t.scan(site.account, &scan_of(&simple("a"), &["101"]));
    assert_eq!(t.told(), ["acs_system.connected"]);
    let row = t.get::<Account>(site.account);
    assert_eq!((row.errors.len(), row.work.attempt, row.work.failure), (0, 0, None));
    assert!(t.get::<System>(site.system).errors.is_empty());
}

#[test]
fn a_refused_login_disconnects_the_account() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    t.told();
    fail(&mut t, site.account, Reason::Unauthenticated);
    fail(&mut t, site.account, Reason::Unauthenticated);
    assert_eq!(t.told(), ["connected_account.disconnected", "connected_account.reauthorization_requested", "acs_system.disconnected"]);
    t.scan(site.account, &scan_of(&simple("a"), &["101"]));
    assert_eq!(
        t.told(),
        ["connected_account.connected", "acs_system.connected", "connected_account.completed_first_sync_after_reconnection"]
    );
}

#[test]
fn a_busy_vendor_is_not_a_lost_one() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    t.told();
    let failure: Result<Scan, Failure> =
        Err(Failure::nothing(Reason::RateLimited, "later").with_retry_after(std::time::Duration::from_secs(7200)));
    t.run(|d| apply_scan(d, site.account, &failure)).unwrap();
    let row = t.get::<Account>(site.account);
    assert_eq!(row.work.due_at, Some(t.now + Duration::hours(2)), "as the vendor asks");
    assert!(row.errors.is_empty() && t.told().is_empty());
}

#[test]
fn an_installation_is_connected_once() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    let second = t.connect();
    let mut scan = scan_of(&simple("a"), &["101"]);
    scan.systems.push(ScannedSystem::new(simple("b")));
    t.scan(second, &scan);
    assert_eq!(t.all::<System>().len(), 2, "the other system of the account is taken");
    assert_eq!(t.get::<System>(site.system).account, site.account);
    let errors = t.get::<Account>(second).errors;
    assert_eq!((errors.len(), errors[0].code.as_str()), (1, "system_connected_elsewhere"));
    t.scan(site.account, &scan_of(&simple("a"), &["101"]));
    assert!(t.get::<System>(site.system).missing_since.is_none());
}

#[test]
fn an_installation_that_is_shown_twice_is_one() {
    let mut t = Table::new();
    let account = t.connect();
    let once = scan_of(&simple("a"), &["101"]).systems.remove(0);
    t.scan(account, &Scan { systems: vec![once.clone(), once] });
    assert_eq!((t.all::<System>().len(), t.all::<Entrance>().len()), (1, 1));
}

#[test]
fn an_installation_of_another_workspace_is_left_to_it() {
    let mut t = Table::new();
    t.site(&simple("a"), &["101"]);
    t.workspace = id(0xB);
    let account = t.connect();
    let scan: Result<Scan, Failure> = Ok(scan_of(&simple("a"), &["101"]));
    let e = t.run(|d| apply_scan(d, account, &scan)).unwrap_err();
    assert_eq!(e.code(), "commit_conflict", "it cannot be seen; the commit finds it");
    t.attempt = 3;
    t.run(|d| apply_scan(d, account, &scan)).unwrap();
    assert_eq!(t.get::<Account>(account).errors[0].code, "system_connected_elsewhere");
    assert_eq!(t.all::<System>().len(), 1);
}

#[test]
fn a_disconnected_account_is_not_read() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    t.run(|d| super::super::account::disconnect(d, site.account)).unwrap();
    t.told();
    t.scan(site.account, &scan_of(&simple("a"), &["101", "102"]));
    assert!(t.told().is_empty());
    assert_eq!(t.all::<Entrance>().len(), 1);
    assert_eq!(t.get::<Account>(site.account).work, Work::default());
}

#[test]
fn work_follows_a_channel_that_moves() {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101"]);
    let ann = t.person("Ann");
    let grant = t.grant(ann, crate::model::AccessMethodMode::Code, |g| g.entrances = site.doors.clone());
    let mut moved = simple("a");
    moved.channel = ChannelReport::new("tcp://elsewhere:1", 1);
    t.scan(site.account, &scan_of(&moved, &["101"]));
    assert_eq!(t.get::<Target>(t.targets_of(grant)[0]).channel.end(), "tcp://elsewhere:1");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever the lists say one after another: no row is ever lost or doubled, and a door is missing exactly when the last list lacks it.
    #[test]
    fn lists_come_and_go(lists in prop::collection::vec(prop::collection::vec(0u8..6, 0..8), 1..8)) {
        let mut t = Table::new();
        let account = t.connect();
        let mut ever = std::collections::BTreeMap::new();
        for list in &lists {
            let names: Vec<String> = list.iter().map(|n| format!("door {n}")).collect();
            let mut system = ScannedSystem::new(simple("a"));
            system.entrances = Some(names.iter().map(|n| door(n)).collect());
            t.scan(account, &Scan { systems: vec![system] });
            for (row, e) in t.all::<Entrance>() {
                let name = e.report.name.clone();
                prop_assert_eq!(e.missing_since.is_none(), names.contains(&name));
                prop_assert_eq!(*ever.entry(name).or_insert(row), row);
            }
            prop_assert_eq!(t.all::<Entrance>().len(), ever.len());
        }
    }
}
