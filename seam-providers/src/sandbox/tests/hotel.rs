use super::*;
use seam_core::provider::Denial;

const CARD: Body = Body::Card { number: None };

#[test]
fn first_use_overrides_and_joiners_do_not() {
    run(async {
        let s = Stage::hotel();
        let stay = window("01T15:00", "03T11:00");
        let first = s.card(&s.guest(CARD, &["101", "gym"], stay, Role::Open, 0), "one").await;
        let joiner = s.card(&s.guest(CARD, &["101"], stay, Role::Join { with: vec![] }, 0), "two").await;
        assert_eq!(s.try_card("101", &first), Why::NotYetValid);
        s.goto("01T15:00");
        assert_eq!(s.try_card("101", &first), Why::Opened);
        assert_eq!(s.try_card("101", &joiner), Why::Opened);
        assert_eq!(s.try_card("102", &first), Why::WrongDoor);

        let next = s.card(&s.guest(CARD, &["101"], window("02T15:00", "05T11:00"), Role::Open, 0), "three").await;
        s.goto("02T15:00");
        assert_eq!(s.try_card("101", &first), Why::Opened, "the lock does not know of a key that was not used");
        assert_eq!(s.try_card("101", &next), Why::OpenedAndOverrode);
        assert_eq!(s.try_card("101", &first), Why::Overridden);
        assert_eq!(s.try_card("101", &joiner), Why::Overridden);
        assert_eq!(s.try_card("gym", &first), Why::Opened, "a common door is never overridden");
        s.goto("03T11:00");
        assert_eq!(s.try_card("gym", &first), Why::Expired);
    });
}

#[test]
fn staff_is_neither_overridden_nor_overrides() {
    run(async {
        let s = Stage::hotel();
        let staff = s.card(&s.credential(CARD, &["101", "102"], window("01T00:00", "30T00:00")), "staff").await;
        let guest = s.card(&s.guest(CARD, &["101"], window("01T10:00", "03T11:00"), Role::Open, 0), "guest").await;
        assert_eq!(s.try_card("101", &staff), Why::Opened);
        assert_eq!(s.site.door("101").generation(), 0);
        assert_eq!(s.try_card("101", &guest), Why::Opened);
        assert_eq!(s.try_card("101", &staff), Why::Opened);
        assert_eq!(s.try_card("101", &guest), Why::Opened);
    });
}

#[test]
fn a_jump_that_is_too_large_is_refused() {
    run(async {
        let mut config = SiteConfig::hotel("hotel", 1);
        config.stay.as_mut().unwrap().longest_jump_seconds = Some(7 * 86_400);
        let s = Stage::new(config);
        let week = |from, to| s.guest(CARD, &["101"], window(from, to), Role::Open, 0);
        let (one, far, near) = (week("01T10:00", "02T10:00"), week("20T10:00", "21T10:00"), week("07T10:00", "30T10:00"));
        let (one, far, near) = (s.card(&one, "one").await, s.card(&far, "far").await, s.card(&near, "near").await);
        assert_eq!(s.try_card("101", &one), Why::Opened);
        s.goto("20T10:00");
        assert_eq!(s.try_card("101", &far), Why::JumpTooLarge);
        assert_eq!(s.try_card("101", &near), Why::OpenedAndOverrode);
    });
}

#[test]
fn a_revoked_card_works_until_its_end_and_a_cancelling_card_blocks_it() {
    run(async {
        let s = Stage::hotel();
        let spec = s.guest(CARD, &["101", "gym"], window("01T10:00", "03T11:00"), Role::Open, 0);
        let card = s.card(&spec, "one").await;
        let handle = card.carries().unwrap();
        let gone = s.remove(&Want::Credential(spec.clone()), Some(&handle), "one").await.unwrap();
        assert_eq!(gone.may_open_until, Some(at("03T11:00")));
        assert_eq!(s.try_card("gym", &card), Why::Opened);
        let cancel = s.site.cancelling_card(&handle);
        assert_eq!(s.try_card("gym", &cancel), Why::Cancelled);
        assert_eq!(s.try_card("gym", &card), Why::Blocked);
        assert_eq!(s.try_card("101", &card), Why::Opened, "only the lock that was visited knows");
        s.goto("03T11:00");
        let gone = s.remove(&Want::Credential(spec), None, "one").await.unwrap();
        assert_eq!((gone.certainty, gone.may_open_until), (Certainty::Verified, None));
    });
}

#[test]
fn codes_keep_their_window_in_the_lock() {
    run(async {
        let s = Stage::hotel();
        let code = s.code("0042", "gym", window("01T15:00", "02T11:00"));
        let receipt = s.put(&code, None, "code").await.unwrap();
        assert_eq!(receipt.certainty, Certainty::Verified);
        let gym = s.site.door("gym");
        assert_eq!(gym.enter_pin("0042").why, Why::NotYetValid);
        s.goto("01T15:00");
        let opened = gym.enter_pin("0042");
        assert_eq!((opened.why, opened.tag), (Why::Opened, Some(tag("code"))));
        assert_eq!(gym.enter_pin("42").why, Why::UnknownCode);
        assert_eq!(s.site.door("101").enter_pin("0042").why, Why::NotRead);
        gym.set_clock_ahead(20 * 3600);
        assert_eq!(gym.enter_pin("0042").why, Why::Expired, "the lock goes by its own clock");
        gym.set_clock_ahead(0);
        s.remove(&code, None, "code").await.unwrap();
        assert_eq!(gym.enter_pin("0042").why, Why::UnknownCode);
    });
}

#[test]
fn phones_get_and_lose_keys_when_they_are_online() {
    run(async {
        let s = Stage::hotel();
        let stay = window("01T10:00", "03T11:00");
        let want = Want::Credential(s.guest(
            Body::MobileKey { endpoint: Some("phone-1".to_owned()), phone_number: None },
            &["101", "pool"],
            stay,
            Role::Open,
            0,
        ));
        let receipt = s.put(&want, None, "key").await.unwrap();
        assert_eq!(receipt.certainty, Certainty::Verified);
        let phone = s.site.phone("key");
        assert_eq!(phone.name(), "phone-1");
        assert_eq!(s.site.door("101").present(&phone).why, Why::Opened);
        phone.go_offline();
        let gone = s.remove(&want, receipt.handle.as_ref(), "key").await.unwrap();
        assert_eq!((gone.certainty, gone.may_open_until), (Certainty::Accepted, Some(at("03T11:00"))));
        assert_eq!(s.site.door("pool").present(&phone).why, Why::Opened);
        phone.go_online();
        assert_eq!(s.site.door("pool").present(&phone).why, Why::NoCredential);
    });
}

#[test]
fn a_phone_waits_to_be_enrolled_where_that_is_asked_for() {
    run(async {
        let mut config = SiteConfig::hotel("hotel", 1);
        config.phones_enrol = true;
        let s = Stage::new(config);
        let stay = window("01T10:00", "03T11:00");
        let want = Want::Credential(s.guest(Body::mobile_key(), &["101"], stay, Role::Open, 0));
        let receipt = s.put(&want, None, "key").await.unwrap();
        assert_eq!(receipt.needs, Needs::Phone);
        assert!(receipt.made.link.is_some());
        let phone = s.site.phone("key");
        assert_eq!(s.site.door("101").present(&phone).why, Why::NoCredential);
        phone.enrol();
        assert_eq!(s.site.door("101").present(&phone).why, Why::Opened);
        assert_eq!(s.put(&want, receipt.handle.as_ref(), "key").await.unwrap().needs, Needs::Nothing);
    });
}

#[test]
fn the_current_guest_is_joined_whoever_that_is() {
    run(async {
        let mut config = SiteConfig::hotel("hotel", 1);
        config.stay.as_mut().unwrap().join = JoinBy::CurrentGuest;
        config.rule(Kind::Stay, |_| {});
        let s = Stage::new(config);
        let stay = window("01T10:00", "03T11:00");
        let join = s.guest(CARD, &["101"], stay, Role::Join { with: vec![] }, 0);
        let refused = s.encode_at("desk-1", &join, "early").await.unwrap_err();
        assert_eq!((refused.effect, refused.reason), (Effect::Refused, Reason::NotThere));
        let one = s.card(&s.guest(CARD, &["101"], stay, Role::Open, 0), "one").await;
        let two = s.card(&join, "two").await;
        assert_eq!(s.try_card("101", &one), Why::Opened);
        assert_eq!(s.try_card("101", &two), Why::Opened);
        // Made ahead, the next stay's key makes joiners of this stay join the next one: the planner has to wait.
        s.card(&s.guest(CARD, &["101"], window("03T15:00", "05T11:00"), Role::Open, 0), "next").await;
        let late = s.card(&s.guest(CARD, &["101"], stay, Role::Join { with: vec![] }, 0), "late").await;
        assert_eq!(s.try_card("101", &late), Why::OpenedAndOverrode);
        assert_eq!(s.try_card("101", &one), Why::Overridden);
    });
}

#[test]
fn cards_are_joined_and_copied_by_list_and_by_key() {
    run(async {
        for join in [JoinBy::CardList, JoinBy::Key] {
            let mut config = SiteConfig::hotel("hotel", 1);
            config.stay.as_mut().unwrap().join = join;
            let s = Stage::new(config);
            let stay = window("01T10:00", "03T11:00");
            let one = s.card(&s.guest(CARD, &["101"], stay, Role::Open, 0), "one").await;
            let with = vec![one.carries().unwrap()];
            s.card(&s.guest(CARD, &["101"], window("03T15:00", "05T11:00"), Role::Open, 0), "next").await;
            let two = s.card(&s.guest(CARD, &["101"], stay, Role::Join { with: with.clone() }, 0), "two").await;
            let copy = s.card(&s.guest(CARD, &["101"], stay, Role::Copy { of: with[0].clone() }, 0), "copy").await;
            for card in [&one, &two, &copy, &one] {
                assert_eq!(s.try_card("101", card), Why::Opened, "{join:?}");
            }
        }
    });
}

#[test]
fn an_online_door_of_a_hotel_goes_by_the_record() {
    run(async {
        let mut config = SiteConfig::hotel("hotel", 1).with_door("garage", DoorClass::Online);
        config.doors.last_mut().unwrap().card = true;
        let s = Stage::new(config);
        let spec = s.credential(CARD, &["garage", "gym"], window("01T10:00", "03T11:00"));
        let card = s.card(&spec, "one").await;
        assert_eq!(s.try_card("garage", &card), Why::Opened);
        s.remove(&Want::Credential(spec), None, "one").await.unwrap();
        assert_eq!(s.try_card("garage", &card), Why::NoCredential);
        assert_eq!(s.try_card("gym", &card), Why::Opened);
    });
}

#[test]
fn logs_of_offline_locks_are_read_when_they_are_collected() {
    run(async {
        let s = Stage::hotel();
        s.site.door("gym").enter_pin("1234");
        let log = s.provider.access_log().unwrap();
        assert!(log.entries(&s.system, None).await.unwrap().entries.is_empty());
        s.site.collect_logs(None);
        let page = log.entries(&s.system, None).await.unwrap();
        assert_eq!((page.entries.len(), page.entries[0].opened), (1, false));
        assert_eq!(page.entries[0].denied, Some(Denial::UnknownCode));
        let after = log.entries(&s.system, page.next.as_deref()).await.unwrap();
        assert!(after.entries.is_empty());
        assert_eq!(after.next, page.next);
    });
}

#[test]
fn windows_are_rounded_inwards() {
    run(async {
        let mut config = SiteConfig::hotel("hotel", 1);
        config.rule(Kind::Code, |r| r.resolution_seconds = 3600);
        let s = Stage::new(config);
        let code = s.code("1234", "gym", window("01T12:30", "01T14:30"));
        s.put(&code, None, "code").await.unwrap();
        s.goto("01T12:45");
        assert_eq!(s.site.door("gym").enter_pin("1234").why, Why::NotYetValid);
        s.goto("01T13:00");
        assert_eq!(s.site.door("gym").enter_pin("1234").why, Why::Opened);
        s.goto("01T14:00");
        assert_eq!(s.site.door("gym").enter_pin("1234").why, Why::Expired);
        let empty = s.put(&s.code("1234", "gym", window("01T15:10", "01T15:50")), None, "other").await.unwrap_err();
        assert_eq!((empty.effect, empty.reason), (Effect::Refused, Reason::WindowRefused));
    });
}

#[test]
fn a_foreign_override_is_what_reception_makes_by_hand() {
    run(async {
        for join in [JoinBy::Generation, JoinBy::CurrentGuest] {
            let mut config = SiteConfig::hotel("hotel", 1);
            config.stay.as_mut().unwrap().join = join;
            let s = Stage::new(config);
            let ours = s.card(&s.guest(CARD, &["101"], window("01T10:00", "03T11:00"), Role::Open, 0), "ours").await;
            assert_eq!(s.try_card("101", &ours), Why::Opened);
            let theirs = s.site.make_guest_card_by_hand(&["101", "gym"], window("01T11:00", "03T11:00"));
            let staff = s.site.make_staff_card_by_hand(&["101"], window("01T11:00", "03T11:00"));
            assert_eq!(s.try_card("101", &staff), Why::Opened);
            assert_eq!(s.try_card("101", &ours), Why::Opened);
            assert_eq!(s.try_card("101", &theirs), Why::OpenedAndOverrode);
            assert_eq!(s.try_card("101", &ours), Why::Overridden);
            let unmanaged = s.site.held().iter().filter(|h| h.tag.is_none()).count();
            assert_eq!(unmanaged, 2);
        }
    });
}

#[test]
fn a_door_that_opens_by_itself_opens_for_guests_and_is_never_named() {
    run(async {
        let mut config = SiteConfig::hotel("hotel", 1).with_door("lift", DoorClass::Implicit);
        config.doors.last_mut().unwrap().card = true;
        let s = Stage::new(config);
        let guest = s.guest(CARD, &["101"], window("01T10:00", "03T11:00"), Role::Open, 0);
        let staff = s.credential(CARD, &["101"], window("01T10:00", "03T11:00"));
        let (guest, staff) = (s.card(&guest, "guest").await, s.card(&staff, "staff").await);
        assert_eq!((s.try_card("lift", &guest), s.try_card("lift", &staff)), (Why::Opened, Why::WrongDoor));
        let named = s.credential(CARD, &["lift"], window("01T10:00", "03T11:00"));
        assert_eq!(s.encode_at("desk-1", &named, "x").await.unwrap_err().reason, Reason::Invalid);
    });
}

#[test]
fn hours_of_the_week_hold_in_the_zone_of_the_site() {
    run(async {
        use seam_core::model::{DaySet, TimeOfDay, Weekly, WeeklySpan};
        let s = Stage::new(SiteConfig::hotel("hotel", 1).in_zone(chrono_tz::Europe::Vienna));
        let hours = |h| TimeOfDay::new(h, 0).unwrap();
        let mut staff = s.credential(CARD, &["101"], window("01T10:00", "30T11:00"));
        staff.schedule = Some(Weekly::new([WeeklySpan::new(DaySet::WORKDAYS, hours(8), hours(16))]).unwrap());
        let card = s.card(&staff, "staff").await;
        // In May Vienna is two hours ahead; the 4th is a Monday.
        for (when, why) in
            [("01T13:59", Why::Opened), ("01T14:00", Why::OutsideSchedule), ("03T10:00", Why::OutsideSchedule), ("04T06:00", Why::Opened)]
        {
            s.goto(when);
            assert_eq!(s.try_card("101", &card), why, "{when}");
        }
    });
}

#[test]
fn a_new_lock_remembers_nothing_and_takes_the_guest_in_the_house() {
    run(async {
        let s = Stage::hotel();
        let card = s.card(&s.guest(CARD, &["101"], window("01T10:00", "03T11:00"), Role::Open, 0), "one").await;
        assert_eq!(s.try_card("101", &card), Why::Opened);
        s.site.door("101").replace_lock();
        assert_eq!(s.site.door("101").generation(), 0);
        assert_eq!(s.try_card("101", &card), Why::Opened);
    });
}
