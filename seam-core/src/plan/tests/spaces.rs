//! Spaces, and the grants that follow them.
use super::super::draft::expose;
use super::super::{NewSpace, Outcome, SpaceUpdate, space};
use super::{Site, Table, by_groups, scan_of, simple};
use crate::error::ErrorKind;
use crate::model::{AccessGrantId, AccessMethodId, AccessMethodMode, AcsEntranceId, AcsSystemId, Shown, SpaceId};
use crate::provider::{GroupReport, Handle, PinRules};
use crate::state::*;
use serde_json::json;

fn new(name: &str, entrances: &[AcsEntranceId]) -> NewSpace {
    NewSpace::builder().name(name).entrances(entrances.to_vec()).build()
}
fn create(t: &mut Table, new: &NewSpace) -> SpaceId {
    match t.run(|d| space::create(d, new)).unwrap() {
        Outcome::Space(id) => id,
        other => panic!("{other:?}"),
    }
}
fn start() -> (Table, Site) {
    let mut t = Table::new();
    let site = t.site(&simple("a"), &["101", "102", "gym"]);
    t.told();
    (t, site)
}

#[test]
fn a_space_tells_its_complete_lists() {
    let (mut t, site) = start();
    t.edit::<Entrance>(site.doors[1], |e| {
        std::sync::Arc::make_mut(&mut e.report).channel = Some(crate::provider::ChannelReport::new("ble:1", 1))
    });
    let id = create(&mut t, &NewSpace { key: Some("room".to_owned()), ..new("Room", &[site.doors[1], site.doors[0], site.doors[1]]) });
    assert_eq!(t.get::<Space>(id).entrances, [site.doors[1], site.doors[0]], "each once, in the order given");
    t.run(|d| space::change_entrances(d, id, &[site.doors[2]], &[site.doors[0]])).unwrap();
    let told: Vec<_> = t.events.drain(..).map(|e| (e.event_type, serde_json::Value::Object(e.payload))).collect();
    let payload =
        |doors: &[AcsEntranceId]| json!({ "space_id": id, "space_key": "room", "acs_entrance_ids": doors, "device_ids": [site.doors[1]] });
    assert_eq!(told[0], ("space.created".to_owned(), payload(&[site.doors[1], site.doors[0]])));
    assert_eq!(told[1], ("space.device_membership_changed".to_owned(), payload(&[site.doors[1], site.doors[2]])));
    // The same again is no change.
    t.run(|d| space::change_entrances(d, id, &[site.doors[2]], &[site.doors[0]])).unwrap();
    let same = SpaceUpdate::new(id).entrances(vec![site.doors[2], site.doors[1]]);
    t.run(|d| space::update(d, &same)).unwrap();
    assert_eq!(t.told(), Vec::<String>::new());
    assert!(t.last.as_ref().unwrap().put.is_empty());
}

#[test]
fn what_is_wrong_is_named() {
    let (mut t, site) = start();
    let id = create(&mut t, &NewSpace { key: Some("room".to_owned()), ..new("Room", &[]) });
    let e = t.run(|d| space::create(d, &NewSpace { key: Some("room".to_owned()), ..new("Other", &[]) })).unwrap_err();
    assert_eq!((e.kind(), e.code()), (ErrorKind::Conflict, "space_key_conflict"));
    let e = t.run(|d| space::create(d, &new("X", &[super::id(77)]))).unwrap_err();
    assert_eq!((e.kind(), e.field()), (ErrorKind::NotFound, Some("acs_entrance_ids")));
    let e = t.run(|d| space::change_entrances(d, id, &site.doors, &site.doors)).unwrap_err();
    assert_eq!(e.field(), Some("acs_entrance_ids"));
    let many: Vec<AcsEntranceId> = (0..10_000).map(super::id).collect();
    let e = t.run(|d| space::create(d, &new("X", &many))).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::InvalidInput);
    assert_eq!(t.reads, 0, "ten thousand doors are refused before they are read");
    t.workspace = super::id(0xB);
    let e = t.run(|d| space::delete(d, id)).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::NotFound, "of another workspace");
    let e = t.run(|d| space::create(d, &new("X", &site.doors))).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::NotFound);
}

#[test]
fn grants_follow_the_membership() {
    let (mut t, site) = start();
    let id = create(&mut t, &new("Room", &site.doors[..1]));
    let ann = t.person("Ann");
    let grant = t.grant(ann, AccessMethodMode::Code, |g| g.spaces = vec![id]);
    t.run(|d| space::change_entrances(d, id, &site.doors[1..2], &[])).unwrap();
    let mut both = site.doors[..2].to_vec();
    both.sort();
    assert_eq!(t.get::<Grant>(grant).doors, both);
    assert_eq!(t.get::<Target>(t.targets_of(grant)[0]).credential().unwrap().doors, both);
    let update = SpaceUpdate::new(id).name("Suite").entrances(vec![site.doors[2]]);
    t.run(|d| space::update(d, &update)).unwrap();
    assert_eq!(t.get::<Grant>(grant).doors, [site.doors[2]]);
    assert_eq!(t.get::<Space>(id).name, "Suite");
    // An empty space ends nothing: it may be filled again.
    t.run(|d| space::change_entrances(d, id, &[], &site.doors)).unwrap();
    assert!(t.get::<Grant>(grant).is_live());
}

/// The methods of a grant that want something of the system of a door, each with how many things it wants there.
fn serving(t: &Table, grant: AccessGrantId, system: AcsSystemId) -> Vec<(AccessMethodId, usize)> {
    let wanted = |row: &RowId| Some(t.get::<Target>(*row)).is_some_and(|t| !t.gone && t.system == system && t.credential().is_some());
    let of = |m: &AccessMethodId| (*m, t.get::<Method>(*m).targets.iter().filter(|row| wanted(row)).count());
    t.get::<Grant>(grant).requested[0].methods.iter().map(of).filter(|(_, things)| *things > 0).collect()
}

#[test]
fn a_door_that_comes_back_is_served_by_one_method() {
    for by_vendor in [false, true] {
        let mut t = Table::new();
        let mut report = by_groups("office");
        report.pin = Some(PinRules { per_user: true, made_by_vendor: by_vendor, ..PinRules::digits(4, 8) });
        let office = t.site(&report, &["lab"]);
        let mut scan = scan_of(&report, &["lab"]);
        scan.systems[0].groups = Some(vec![GroupReport::new(Handle::text("g"), "g", vec![Handle::text("lab")])]);
        t.scan(office.account, &scan);
        let hotel = t.site(&simple("hotel"), &["gym"]);
        let id = create(&mut t, &new("Room", &[office.doors[0], hotel.doors[0]]));
        let ann = t.person("Ann");
        let grant = t.grant(ann, AccessMethodMode::Code, |g| g.spaces = vec![id]);
        let before = serving(&t, grant, office.system);
        assert_eq!((before.len(), before[0].1), (1, 1));
        t.run(|d| space::change_entrances(d, id, &[], &office.doors)).unwrap();
        assert_eq!(serving(&t, grant, office.system), []);
        t.run(|d| space::change_entrances(d, id, &office.doors, &[])).unwrap();
        assert_eq!(serving(&t, grant, office.system), before, "made by the vendor: {by_vendor}");
        // Her PIN there is another grant's by now: it serves this one too, and is the only one.
        t.run(|d| space::change_entrances(d, id, &[], &office.doors)).unwrap();
        let other = t.grant(ann, AccessMethodMode::Code, |g| g.entrances = office.doors.clone());
        t.run(|d| space::change_entrances(d, id, &office.doors, &[])).unwrap();
        assert_eq!(serving(&t, grant, office.system), serving(&t, other, office.system));
    }
}

#[test]
fn a_pin_that_was_taken_meanwhile_does_not_come_back_to_its_door() {
    let (mut t, site) = start();
    let id = create(&mut t, &new("Rooms", &site.doors[..2]));
    let ann = t.person("Ann");
    let grant = t.grant(ann, AccessMethodMode::Code, |g| g.spaces = vec![id]);
    let pin_at = |t: &Table, grant: AccessGrantId, door: AcsEntranceId| -> Vec<String> {
        let methods = t.get::<Grant>(grant).requested[0].methods.clone();
        let opens =
            |row: &RowId| Some(t.get::<Target>(*row)).is_some_and(|t| !t.gone && t.credential().is_some_and(|c| c.doors.contains(&door)));
        let mine = methods.into_iter().filter(|m| t.get::<Method>(*m).targets.iter().any(opens));
        mine.map(|m| t.env().open(m.uuid(), "pin", &t.get::<Method>(m).pin.unwrap()).unwrap()).map(|pin| expose(&pin).to_owned()).collect()
    };
    let hers = pin_at(&t, grant, site.doors[0]);
    assert_eq!(hers, pin_at(&t, grant, site.doors[1]));
    t.run(|d| space::change_entrances(d, id, &[], &site.doors[..1])).unwrap();
    t.carry_out();
    let bob = t.person("Bob");
    let his = t.grant(bob, AccessMethodMode::Code, |g| {
        g.entrances = site.doors[..1].to_vec();
        g.methods[0].code = Some(Shown::new(hers[0].clone()));
    });
    assert_eq!(pin_at(&t, his, site.doors[0]), hers, "it was free");
    t.run(|d| space::change_entrances(d, id, &site.doors[..1], &[])).unwrap();
    let again = pin_at(&t, grant, site.doors[0]);
    assert_eq!((again.len(), again != hers), (1, true), "one PIN at the door, and not Bob's");
    assert_eq!(pin_at(&t, grant, site.doors[1]), hers, "and hers stays where she kept it");
    // Bob leaves, the door goes and comes again: one PIN still.
    t.run(|d| super::super::grant::delete(d, his)).unwrap();
    t.carry_out();
    t.run(|d| space::change_entrances(d, id, &[], &site.doors[..1])).unwrap();
    t.run(|d| space::change_entrances(d, id, &site.doors[..1], &[])).unwrap();
    assert_eq!(pin_at(&t, grant, site.doors[0]).len(), 1);
}

#[test]
fn a_grant_made_meanwhile_is_not_left_behind() {
    let (mut t, site) = start();
    let id = create(&mut t, &new("Room", &site.doors[..1]));
    let ann = t.person("Ann");
    let (_, set) = t.decide(|d| space::change_entrances(d, id, &site.doors[1..2], &[])).unwrap();
    t.grant(ann, AccessMethodMode::Code, |g| g.spaces = vec![id]);
    assert!(t.apply(&set).is_err());
}

#[test]
fn a_deleted_space_takes_only_its_own_doors() {
    let (mut t, site) = start();
    let room = create(&mut t, &new("Room", &site.doors[..1]));
    let gym = create(&mut t, &new("Gym", &site.doors[2..]));
    let ann = t.person("Ann");
    let only = t.grant(ann, AccessMethodMode::Code, |g| g.spaces = vec![room]);
    let two_spaces = t.grant(ann, AccessMethodMode::Code, |g| g.spaces = vec![room, gym]);
    let and_a_door = t.grant(ann, AccessMethodMode::Code, |g| {
        g.spaces = vec![room];
        g.entrances = vec![site.doors[1]];
    });
    t.run(|d| space::delete(d, room)).unwrap();
    assert!(matches!(t.get::<Grant>(only).phase, GrantPhase::Deleted { .. }));
    let grant = t.get::<Grant>(two_spaces);
    assert!(grant.is_live() && grant.doors == [site.doors[2]] && grant.spaces == [gym]);
    assert_eq!(t.get::<Grant>(and_a_door).doors, [site.doors[1]]);
    assert_eq!(t.run(|d| space::delete(d, room)).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(t.run(|d| space::change_entrances(d, room, &[], &[])).unwrap_err().kind(), ErrorKind::NotFound);
    t.run(|d| space::delete(d, gym)).unwrap();
    assert!(!t.get::<Grant>(two_spaces).is_live(), "now it has none left");
}

#[test]
fn stay_defaults_are_merged_and_checked() {
    let (mut t, _) = start();
    let data = json!({ "default_checkin_time": "15:00", "time_zone": "Europe/Berlin", "pms_id": "7" });
    let id = create(&mut t, &NewSpace { customer_data: Some(data), ..new("Room", &[]) });
    let mut set = |data: serde_json::Value| {
        let update = SpaceUpdate::new(id).customer_data(data);
        let done = t.run(|d| space::update(d, &update));
        done.map(|_| t.get::<Space>(id).customer_data)
    };
    let after = set(json!({ "default_checkin_time": "16:30:00", "pms_id": null })).unwrap();
    assert_eq!(after, Some(json!({ "default_checkin_time": "16:30:00", "time_zone": "Europe/Berlin" })));
    for (bad, field) in [
        (json!({ "default_checkout_time": "25:00" }), "customer_data.default_checkout_time"),
        (json!({ "time_zone": "Mars/North" }), "customer_data.time_zone"),
        (json!({ "x": { "y": 1 } }), "customer_data.x"),
        (json!([]), "customer_data"),
        (json!({ "x": "y".repeat(20_000) }), "customer_data"),
    ] {
        assert_eq!(set(bad).unwrap_err().field(), Some(field));
    }
    assert_eq!(set(json!({ "default_checkin_time": null, "time_zone": null })).unwrap(), None);
}
