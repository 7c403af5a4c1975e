use super::*;

fn slotted(s: &Stage, digits: &str, slot: u16) -> Want {
    Want::Credential(s.credential(Body::Code { pin: Some(pin(digits)), slot: Some(slot) }, &["front"], window("02T10:00", "03T10:00")))
}

#[test]
fn a_slot_opens_as_soon_as_it_is_written_and_until_it_is_cleared() {
    run(async {
        let s = Stage::new(SiteConfig::slot_lock("lock", 3));
        let want = slotted(&s, "1234", 2);
        s.put(&want, None, "a").await.unwrap();
        assert_eq!(s.site.door("front").enter_pin("1234").why, Why::Opened, "the lock keeps no window");
        s.goto("09T10:00");
        assert_eq!(s.site.door("front").enter_pin("1234").why, Why::Opened);
        s.remove(&want, None, "a").await.unwrap();
        assert_eq!(s.site.door("front").enter_pin("1234").why, Why::UnknownCode);
    });
}

#[test]
fn the_next_guests_slot_is_not_cleared_for_the_last_guest() {
    run(async {
        let s = Stage::new(SiteConfig::slot_lock("lock", 3));
        let (old, new) = (slotted(&s, "1234", 2), slotted(&s, "9876", 2));
        s.put(&old, None, "a").await.unwrap();
        s.put(&new, None, "b").await.unwrap();
        assert!(matches!(s.find(&old, "a").await, Found::Absent));
        s.remove(&old, Some(&Handle::text("front-2")), "a").await.unwrap();
        assert_eq!(s.site.door("front").enter_pin("9876").why, Why::Opened);
    });
}

#[test]
fn a_full_lock_says_no_more_than_no_and_equal_pins_are_taken() {
    run(async {
        let mut config = SiteConfig::slot_lock("lock", 3);
        config.code_capacity = Some(2);
        let s = Stage::new(config);
        s.put(&slotted(&s, "1234", 1), None, "a").await.unwrap();
        s.put(&slotted(&s, "1234", 2), None, "b").await.unwrap();
        let full = s.put(&slotted(&s, "5555", 3), None, "c").await.unwrap_err();
        assert_eq!((full.effect, full.reason), (Effect::Refused, Reason::Other));
        s.put(&slotted(&s, "5555", 2), None, "c").await.unwrap();
    });
}

#[test]
fn a_lock_that_never_answers_takes_everything_on_trust() {
    run(async {
        let s = Stage::new(SiteConfig::write_only_lock("lock"));
        let want = s.code("1234", "front", window("01T10:00", "03T10:00"));
        assert_eq!(s.put(&want, None, "a").await.unwrap().certainty, Certainty::Accepted);
        assert!(matches!(s.find(&want, "a").await, Found::CannotTell));
        assert_eq!(s.site.door("front").enter_pin("1234").why, Why::Opened);
        let gone = s.remove(&want, None, "a").await.unwrap();
        assert_eq!((gone.certainty, gone.may_open_until), (Certainty::Accepted, Some(at("03T10:00"))));
        assert!(s.provider.inventory().unwrap().held(&s.system, None).await.unwrap().is_none());
    });
}

#[test]
fn a_site_may_make_its_pins_itself() {
    run(async {
        use secrecy::ExposeSecret;
        let mut config = SiteConfig::hotel("hotel", 1);
        config.pin.as_mut().unwrap().made_by_vendor = true;
        let s = Stage::new(config);
        let spec = s.credential(Body::Code { pin: None, slot: None }, &["gym"], window("01T10:00", "03T10:00"));
        let made = s.put(&Want::Credential(spec.clone()), None, "a").await.unwrap().made.pin.unwrap();
        let again = s.put(&Want::Credential(spec), None, "a").await.unwrap().made.pin.unwrap();
        assert_eq!(made.expose_secret(), again.expose_secret());
        assert_eq!(s.site.door("gym").enter_pin(made.expose_secret()).why, Why::Opened);
    });
}
