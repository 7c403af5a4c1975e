//! Stays that follow one another: whose number is higher, whose keys end when the next begins, and which doors belong to the party.
use super::super::begin::CallWhat;
use super::super::change::{EncodeWhat, GrantUpdate, NewEncode, NewSpace};
use super::super::{NewGrant, NewMethod, Outcome, account, attempt, grant, space};
use super::{Table, door, scan_of, simple};
use crate::model::{AccessGrantId, AccessMethodMode, AcsEncoderId, AcsEntranceId, AcsSystemId, SpaceId};
use crate::provider::{
    CardPath, ChannelReport, DoorClass, EncoderReport, EntranceReport, Failure, Found, Handle, JoinBy, Kind, KindRules, Needs, ReadBack,
    Reason, Receipt, Repeat, Role, StayRules, SystemReport,
};
use crate::state::*;
use chrono::{DateTime, Duration, Utc};

pub(super) struct Hotel {
    pub(super) t: Table,
    pub(super) system: AcsSystemId,
    pub(super) room: AcsEntranceId,
    gym: AcsEntranceId,
    desk: AcsEncoderId,
}

fn room(name: &str) -> EntranceReport {
    let mut room = door(name);
    room.class = DoorClass::Guest;
    room.reservation = true;
    room
}

pub(super) fn hotel_report(path: CardPath) -> SystemReport {
    let mut report = simple("h");
    let repeat = if path == CardPath::VendorEncoder { Repeat::Never } else { Repeat::Safe };
    let card = KindRules { repeat, read_back: ReadBack::Existence, card: Some(path), suspend: false, ..KindRules::full() };
    report.kinds.insert(Kind::Card, card);
    report.kinds.insert(Kind::MobileKey, KindRules::full());
    report.stay = Some(StayRules { join: JoinBy::Generation, role_per_door: true, required: true, longest_jump_seconds: None });
    report
}

fn hotel(path: CardPath) -> Hotel {
    hotel_of(&hotel_report(path))
}

pub(super) fn hotel_of(report: &SystemReport) -> Hotel {
    let mut t = Table::new();
    let account = t.connect();
    let mut scan = scan_of(report, &[]);
    let mut gym = door("gym");
    gym.class = DoorClass::Common;
    scan.systems[0].entrances = Some(vec![room("101"), gym]);
    scan.systems[0].encoders = Some(vec![EncoderReport::new(Handle::text("desk"), "desk", ChannelReport::new("enc", 1), 60)]);
    t.scan(account, &scan);
    let system = AcsSystemId::from_uuid(t.find(&Key::id(Index::SystemsOf, account))[0]);
    let desk = AcsEncoderId::from_uuid(t.all::<Encoder>()[0].0);
    let (room, gym) = (t.door(system, "101"), t.door(system, "gym"));
    Hotel { t, system, room, gym, desk }
}

impl Hotel {
    fn new() -> Self {
        hotel(CardPath::VendorEncoder)
    }
    fn book(&mut self, mode: AccessMethodMode, key: &str, from: DateTime<Utc>, until: DateTime<Utc>) -> AccessGrantId {
        let who = self.t.person(key);
        let room = self.room;
        self.t.grant(who, mode, |g| {
            g.entrances = vec![room];
            g.reservation = Some(key.to_owned());
            g.starts_at = Some(from);
            g.ends_at = Some(until);
        })
    }
    pub(super) fn card(&mut self, key: &str, from: DateTime<Utc>, until: DateTime<Utc>) -> AccessGrantId {
        self.book(AccessMethodMode::Card, key, from, until)
    }
    /// Begins to write the card of a grant; the attempt.
    pub(super) fn encode(&mut self, grant: AccessGrantId) -> (RowId, Option<CallWhat>) {
        let method = self.t.get::<Grant>(grant).requested[0].methods[0];
        let ask = NewEncode { what: EncodeWhat::Method(method), encoder: self.desk, wait_seconds: 30 };
        let Outcome::Attempt(attempt) = self.t.run(|d| attempt::encode(d, &ask)).unwrap() else { panic!() };
        (attempt.uuid(), self.t.begin(attempt))
    }
    /// Writes the card of a grant: its number, and whether it opens its stay.
    pub(super) fn write(&mut self, grant: AccessGrantId) -> (u64, bool) {
        let (attempt, call) = self.encode(grant);
        self.t.done(attempt, Ok(Receipt::verified()));
        let Some(CallWhat::Encode { card, .. }) = call else { panic!("{:?}", self.t.get::<Attempt>(attempt).state) };
        card.stay.map(|(stay, role)| (stay.generation, matches!(role, Role::Open))).unwrap()
    }
    pub(super) fn stay(&self, key: &str) -> Stay {
        self.t.all::<Stay>().into_iter().find(|(_, s)| s.key == key).unwrap().1
    }
    fn window_of(&self, grant: AccessGrantId) -> crate::model::Window {
        self.t.get::<Target>(self.t.targets_of(grant)[0]).credential().unwrap().window
    }
    pub(super) fn in_days(&self, days: i64) -> DateTime<Utc> {
        self.t.now + Duration::days(days)
    }
}

#[test]
fn a_first_key_that_is_taken_back_keeps_nobody_waiting() {
    let mut h = Hotel::new();
    let (from, until) = (h.t.now, h.in_days(3));
    let (ann, ben) = (h.card("R1", from, until), h.card("R1", from, until));
    let (first, _) = h.encode(ann);
    h.t.done(first, Err(Failure::unknown(Reason::TimedOut, "no answer")));
    h.t.pass(Duration::minutes(5));
    let row = h.t.targets_of(ann)[0];
    h.t.run(|d| grant::delete(d, ann)).unwrap();
    h.t.begin(row);
    h.t.done(row, Ok(Receipt::verified()));
    h.t.pass(Duration::minutes(5));
    if h.t.begin(row).is_some() {
        h.t.found(row, Found::Absent);
    }
    assert!(h.write(ben).1, "his opens the stay");
}

#[test]
fn the_late_guest_comes_after_the_walk_in_who_has_left() {
    let mut h = Hotel::new();
    let now = h.t.now;
    let walk_in = h.card("walk-in", now, now + Duration::hours(10));
    let (seen, _) = h.write(walk_in);
    h.t.pass(Duration::hours(10));
    h.t.run(|d| grant::delete(d, walk_in)).unwrap();
    h.t.pass(Duration::hours(4));
    // Booked since yesterday afternoon, here at noon.
    let late = h.card("late", now - Duration::hours(7), now + Duration::days(3));
    assert!(h.write(late).0 > seen, "the lock would refuse a lower number");
}

#[test]
fn a_stay_that_was_closed_before_its_time_raises_no_number() {
    let mut h = Hotel::new();
    let (start, end) = (h.in_days(300), h.in_days(303));
    let far = h.card("far", start, end);
    h.write(far);
    h.t.run(|d| grant::delete(d, far)).unwrap();
    let (start, end) = (h.in_days(1), h.in_days(3));
    let near = h.card("near", start, end);
    let number = u64::try_from(start.timestamp()).unwrap();
    assert_eq!(h.write(near), (number, true), "no lock can have seen the other, and the way up to it is longer than a lock may jump");
}

#[test]
fn a_stay_that_moves_behind_another_is_opened_anew() {
    let mut h = Hotel::new();
    let d = |h: &Hotel, n| h.in_days(n);
    let (five, six, nine) = (d(&h, 5), d(&h, 6), d(&h, 9));
    let (ann, ben) = (h.card("A", five, six), h.card("B", six, nine));
    let (first, his) = (h.write(ann).0, h.write(ben).0);
    assert!(first < his);
    let later = GrantUpdate::new(ann).starts_at(d(&h, 10)).ends_at(d(&h, 12));
    h.t.run(|d| grant::update(d, &later)).unwrap();
    let again = h.write(ann);
    assert!(again.0 > his && again.1, "{again:?}");
    assert_eq!(h.stay("B").generation, Some(his));
    // And back before him: now his is remade.
    let earlier = GrantUpdate::new(ann).starts_at(five).ends_at(six);
    h.t.run(|d| grant::update(d, &earlier)).unwrap();
    let ann_now = h.stay("A").generation.unwrap();
    assert!(h.write(ben).0 > ann_now);
}

#[test]
fn new_doors_of_a_stay_have_seen_other_numbers() {
    let mut h = Hotel::new();
    let now = h.t.now;
    let account = h.t.get::<System>(h.system).account;
    let mut scan = scan_of(&hotel_report(CardPath::VendorEncoder), &[]);
    scan.systems[0].entrances = Some(vec![room("101"), room("102"), door("gym")]);
    h.t.scan(account, &scan);
    let second = h.t.door(h.system, "102");
    let other = h.t.person("Other");
    let theirs = h.t.grant(other, AccessMethodMode::Card, |g| {
        g.entrances = vec![second];
        g.reservation = Some("other".to_owned());
        g.starts_at = Some(now + Duration::hours(1));
        g.ends_at = Some(now + Duration::hours(20));
    });
    let high = h.write(theirs).0;
    h.t.pass(Duration::hours(20));
    h.t.run(|d| grant::delete(d, theirs)).unwrap();
    let first = h.room;
    let s = wing(&mut h, &[first]);
    let ann = h.t.person("Ann");
    let g = h.t.grant(ann, AccessMethodMode::Card, |g| {
        g.spaces = vec![s];
        g.reservation = Some("A".to_owned());
        g.starts_at = Some(now);
        g.ends_at = Some(now + Duration::days(3));
    });
    assert!(h.write(g).0 < high);
    h.t.run(|d| space::change_entrances(d, s, &[second], &[])).unwrap();
    assert!(h.write(g).0 > high);
}

fn wing(h: &mut Hotel, doors: &[AcsEntranceId]) -> SpaceId {
    let new = NewSpace::builder().name("Wing").entrances(doors.to_vec()).build();
    match h.t.run(|d| space::create(d, &new)).unwrap() {
        Outcome::Space(id) => id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn graces_end_where_the_next_stay_begins() {
    for mode in [AccessMethodMode::Code, AccessMethodMode::MobileKey] {
        for next_first in [true, false] {
            let mut h = Hotel::new();
            let system = h.system;
            h.t.run(|d| account::set_graces(d, system, 0, 7200)).unwrap();
            let (now, noon, end) = (h.t.now, h.in_days(1), h.in_days(2));
            let (mine, next);
            if next_first {
                next = h.book(mode.clone(), "B", noon, end);
                mine = h.book(mode.clone(), "A", now, noon);
            } else {
                mine = h.book(mode.clone(), "A", now, noon);
                assert_eq!(h.window_of(mine).ends_at(), Some(noon + Duration::hours(2)));
                next = h.book(mode.clone(), "B", noon, end);
            }
            assert_eq!(h.window_of(mine).ends_at(), Some(noon), "{mode:?}, the next was booked first: {next_first}");
            // The next guest comes an hour later, then at noon again.
            for (hours, grace) in [(1, 1), (0, 0), (5, 2)] {
                let update = GrantUpdate::new(next).starts_at(noon + Duration::hours(hours));
                h.t.run(|d| grant::update(d, &update)).unwrap();
                assert_eq!(h.window_of(mine).ends_at(), Some(noon + Duration::hours(grace)), "{mode:?} {hours}");
            }
        }
    }
}

#[test]
fn nobody_writes_a_card_again_for_a_grace() {
    let mut h = Hotel::new();
    let system = h.system;
    h.t.run(|d| account::set_graces(d, system, 0, 7200)).unwrap();
    let (now, noon, end) = (h.t.now, h.in_days(1), h.in_days(2));
    let mine = h.card("A", now, noon);
    h.write(mine);
    h.card("B", noon, end);
    let t = h.t.get::<Target>(h.t.targets_of(mine)[0]);
    assert!(t.is_in_place() && t.needs == Needs::Nothing, "the next guest's card ends hers");
}

#[test]
fn a_card_that_is_pushed_before_it_is_written_opens_nothing_yet() {
    let mut h = hotel(CardPath::PushThenVendorEncoder);
    let (now, end) = (h.t.now, h.in_days(3));
    let (ann, ben) = (h.card("R1", now, end), h.card("R1", now, end));
    for g in [ann, ben] {
        let row = h.t.targets_of(g)[0];
        assert!(matches!(h.t.begin(row), Some(CallWhat::Put { .. })));
        h.t.done(row, Ok(Receipt::accepted().with_handle(Handle::text("v")).with_needs(Needs::Encoding)));
    }
    assert_eq!(h.stay("R1").phase, StayPhase::Planned);
    assert!(h.write(ben).1, "who is at the desk first opens the stay");
    assert!(!h.write(ann).1);
}

#[test]
fn a_room_without_a_reservation_is_left_out_of_a_guests_space() {
    let mut h = Hotel::new();
    let (room, gym) = (h.room, h.gym);
    let s = wing(&mut h, &[gym]);
    let ann = h.t.person("Ann");
    let g = h.t.grant(ann, AccessMethodMode::Card, |g| g.spaces = vec![s]);
    h.t.run(|d| space::change_entrances(d, s, &[room], &[])).unwrap();
    let card = h.t.get::<Target>(h.t.targets_of(g)[0]).credential().unwrap().clone();
    assert_eq!((card.doors, card.stay), (vec![gym], None));
    let grant = h.t.get::<Grant>(g);
    assert_eq!(grant.warnings.iter().map(|n| n.code.as_str()).collect::<Vec<_>>(), ["reservation_key_required"]);
    // With one it gets the stay that it had no door for.
    let ben = h.t.person("Ben");
    h.t.run(|d| space::change_entrances(d, s, &[], &[room])).unwrap();
    let g = h.t.grant(ben, AccessMethodMode::Card, |g| {
        g.spaces = vec![s];
        g.reservation = None;
    });
    h.t.edit::<Grant>(g, |g| g.reservation = Some("B".to_owned()));
    h.t.run(|d| space::change_entrances(d, s, &[room], &[])).unwrap();
    let card = h.t.get::<Target>(h.t.targets_of(g)[0]).credential().unwrap().clone();
    assert!(card.doors.contains(&room) && card.stay.is_some());
    assert_eq!(h.stay("B").grants, [g]);
    assert!(h.write(g).1);
}

#[test]
fn the_doors_of_a_party_are_kept_at_every_system() {
    let mut t = Table::new();
    let mut doors = Vec::new();
    for name in ["x", "y"] {
        let mut report = simple(name);
        report.stay = Some(StayRules { join: JoinBy::Generation, role_per_door: true, required: true, longest_jump_seconds: None });
        let account = t.connect();
        let mut scan = scan_of(&report, &[]);
        scan.systems[0].entrances = Some(vec![room("101")]);
        t.scan(account, &scan);
        let system = AcsSystemId::from_uuid(t.find(&Key::id(Index::SystemsOf, account))[0]);
        doors.push(t.door(system, "101"));
    }
    let in_party = |at: &[AcsEntranceId]| {
        let (at, all) = (at.to_vec(), doors.clone());
        move |g: &mut NewGrant| {
            g.entrances = at.clone();
            g.party_entrances = all.clone();
            g.methods = vec![NewMethod::card()];
            g.reservation = Some("R".to_owned());
        }
    };
    let people: Vec<_> = ["Ann", "Ben", "Cem", "Dee"].map(|name| t.person(name)).into();
    let ann = t.grant(people[0], AccessMethodMode::Card, in_party(&doors[..1]));
    let ben = t.grant(people[1], AccessMethodMode::Card, in_party(&doors));
    let cem = t.grant(people[2], AccessMethodMode::Card, in_party(&doors[..1]));
    assert_eq!(t.all::<Stay>().len(), 2);
    for gone in [ann, ben] {
        t.run(|d| grant::delete(d, gone)).unwrap();
    }
    // One guest with the first door is left; the party is still that of both.
    t.grant(people[3], AccessMethodMode::Card, in_party(&doors));
    t.run(|d| grant::delete(d, cem)).unwrap();
    assert!(t.all::<Stay>().iter().all(|(_, s)| s.phase != StayPhase::Closed));
}
