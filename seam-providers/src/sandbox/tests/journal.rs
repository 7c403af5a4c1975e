use super::*;
use std::io::Write;

#[test]
fn locks_remember_across_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("world.jsonl");
    let clock = Arc::new(ManualClock::new(at("01T12:00")));
    let open = || {
        let world = World::open(&path, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        Stage::on(Arc::clone(&clock), world, SiteConfig::hotel("hotel", 3))
    };
    run(async {
        let (one, two);
        {
            let s = open();
            let spec = |from, to| s.guest(Body::Card { number: None }, &["101"], window(from, to), Role::Open, 0);
            one = s.card(&spec("01T10:00", "09T11:00"), "one").await.uid().to_owned();
            two = s.card(&spec("01T11:00", "09T11:00"), "two").await.uid().to_owned();
            let card = |uid: &str| s.world.card(uid).unwrap();
            assert_eq!(s.try_card("101", &card(&one)), Why::Opened);
            assert_eq!(s.try_card("101", &card(&two)), Why::OpenedAndOverrode);
            s.put(&s.code("0815", "gym", window("01T10:00", "03T11:00")), None, "code").await.unwrap();
            let phone = Want::Credential(s.guest(Body::mobile_key(), &["102"], window("01T10:00", "03T11:00"), Role::Open, 0));
            s.put(&phone, None, "phone").await.unwrap();
            s.encode_at("desk-2", &spec("01T12:00", "09T11:00"), "three").await.unwrap();
            s.site.collect_logs(Some("101"));
        }
        // A process that is killed leaves a line without its end.
        std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"[{\"lock\":[\"hotel\",\"101\",{\"gene").unwrap();
        for _ in 0..2 {
            let s = open();
            assert_eq!(s.try_card("101", &s.world.card(&one).unwrap()), Why::Overridden);
            assert_eq!(s.try_card("101", &s.world.card(&two).unwrap()), Why::Opened);
            assert_eq!(s.site.door("gym").enter_pin("0815").tag, Some(tag("code")));
            assert_eq!(s.site.door("102").present(&s.site.phone("phone")).why, Why::Opened);
            assert_eq!(s.site.count(Kind::Card, &tag("three")), 1);
            assert!(s.world.journal_error().is_none());
        }
        let s = open();
        assert_eq!(s.site.encoder("desk-2").take_written().len(), 1);
        let log = s.provider.access_log().unwrap().entries(&s.system, None).await.unwrap().entries;
        assert_eq!(log.len(), 2, "what was collected is there, what was not lies in the locks");
        let fresh = s.world.blank_card();
        assert!(fresh.is_blank());
        assert!(fresh.uid() > two.as_str(), "no serial number is given twice");
    });
}

#[test]
fn a_file_that_is_no_journal_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("world.jsonl");
    std::fs::write(&path, "these are not the lines\nyou are looking for\n").unwrap();
    let clock = Arc::new(ManualClock::new(at("01T12:00")));
    let error = World::open(&path, clock).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("these"));
}

#[test]
fn a_file_cut_anywhere_opens_with_all_that_is_before_the_cut() {
    let dir = tempfile::tempdir().unwrap();
    let (path, cut_path) = (dir.path().join("world.jsonl"), dir.path().join("cut.jsonl"));
    let clock = Arc::new(ManualClock::new(at("01T12:00")));
    let dyn_clock = || Arc::clone(&clock) as Arc<dyn Clock>;
    let s = Stage::on(Arc::clone(&clock), World::open(&path, dyn_clock()).unwrap(), SiteConfig::slot_lock("lock", 9));
    run(async {
        for n in 1..=9 {
            s.site.add_code_by_hand("front", &format!("{n:04}"), None, Some(n));
        }
    });
    let whole = std::fs::read(&path).unwrap();
    let mut most = 0;
    for cut in (0..whole.len()).step_by(29).chain([whole.len()]) {
        std::fs::write(&cut_path, &whole[..cut]).unwrap();
        let world = World::open(&cut_path, dyn_clock()).unwrap();
        let held = world.find_site("lock").map_or(0, |site| site.held().len());
        assert!(held >= most, "a longer file holds no less");
        most = held;
    }
    assert_eq!(most, 9);
}

#[test]
fn a_file_does_not_grow_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("world.jsonl");
    let clock = Arc::new(ManualClock::new(at("01T12:00")));
    let open = || {
        let world = World::open(&path, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
        Stage::on(Arc::clone(&clock), world, SiteConfig::hotel("hotel", 1))
    };
    run(async {
        let s = open();
        s.world.keep_journal_small(20_000);
        s.site.reconfigure(|c| c.log_capacity = 5);
        let card = s.site.make_guest_card_by_hand(&["101"], window("01T10:00", "03T11:00"));
        for _ in 0..400 {
            assert_eq!(s.try_card("101", &card), Why::Opened);
        }
        assert!(s.world.journal_error().is_none());
        assert!(std::fs::metadata(&path).unwrap().len() < 40_000);
        let uid = card.uid().to_owned();
        drop((s, card));
        let again = open();
        assert_eq!(again.try_card("101", &again.world.card(&uid).unwrap()), Why::Opened);
        assert_ne!(again.site.door("101").generation(), 0);
    });
}

#[test]
fn one_file_carries_one_world() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("world.jsonl");
    let open = || World::open(&path, Arc::new(ManualClock::new(at("01T12:00"))));
    let world = open().unwrap();
    assert_eq!(open().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    drop(world);
    open().unwrap();
}
