use super::*;
use futures_util::future::join;

fn code(s: &Stage) -> Want {
    s.code("123456", "gym", window("01T10:00", "03T11:00"))
}

#[test]
fn a_silent_site_refuses_or_loses() {
    run(async {
        let s = Stage::hotel();
        s.site.go_silent(Silence::RefusesConnections);
        let failure = s.put(&code(&s), None, "a").await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Nothing, Reason::Offline));
        assert_eq!(s.site.calls("put"), 0);
        for (silence, held) in [(Silence::LosesRequests, 0), (Silence::LosesAnswers, 1)] {
            s.site.go_silent(silence);
            let want = code(&s);
            let started = s.world.now();
            let (answer, ()) = join(s.put(&want, None, "a"), async { s.clock.advance(TimeDelta::seconds(10)) }).await;
            assert_eq!(answer.unwrap_err().effect, Effect::Unknown);
            assert_eq!(s.world.now() - started, TimeDelta::seconds(10), "the caller waited out its limit");
            assert_eq!(s.site.count(Kind::Code, &tag("a")), held);
        }
        s.site.speak();
        s.put(&code(&s), None, "a").await.unwrap();
    });
}

#[test]
fn failures_lies_and_delays_are_planned() {
    run(async {
        let s = Stage::hotel();
        let busy = Failure::nothing(Reason::Busy, "later");
        s.site.fail_next(1, &busy, When::Before);
        s.site.fail_next(1, &Failure::unknown(Reason::Garbled, "what?"), When::After);
        s.site.spare_next(1);
        s.site.lie_next(1);
        let gym = s.site.door("gym");
        assert_eq!(s.put(&code(&s), None, "a").await.unwrap_err().reason, Reason::Busy);
        assert_eq!(s.site.count(Kind::Code, &tag("a")), 0);
        assert_eq!(s.put(&code(&s), None, "a").await.unwrap_err().reason, Reason::Garbled);
        assert!(gym.enter_pin("123456").opened);
        s.remove(&code(&s), None, "a").await.unwrap();
        s.put(&code(&s), None, "a").await.unwrap();
        assert!(!gym.enter_pin("123456").opened, "success was claimed");

        s.site.be_slow(Duration::from_secs(4));
        let want = code(&s);
        let waits = async {
            s.clock.advance(TimeDelta::seconds(1));
            assert!(!gym.enter_pin("123456").opened);
            s.clock.advance(TimeDelta::seconds(1));
            tokio::task::yield_now().await;
            s.clock.advance(TimeDelta::seconds(2));
        };
        join(s.put(&want, None, "a"), waits).await.0.unwrap();
        assert!(gym.enter_pin("123456").opened);
        assert_eq!(s.site.most_in_flight(), 1);
    });
}

#[test]
fn what_happens_behind_our_back_shows() {
    run(async {
        let s = Stage::hotel();
        let handle = s.put(&code(&s), None, "a").await.unwrap().handle.unwrap();
        let is = |found: Found| match found {
            Found::Present(seen) => seen.as_wanted,
            _ => None,
        };
        assert_eq!(is(s.find(&code(&s), "a").await), Some(true));
        assert!(s.site.edit_by_hand(&handle, HandEdit::Pin("999999".to_owned())));
        assert_eq!(is(s.find(&code(&s), "a").await), Some(false));
        s.site.add_code_by_hand("gym", "777777", None, None);
        assert!(s.site.delete_by_hand(&handle));
        let page = s.provider.inventory().unwrap().held(&s.system, None).await.unwrap().unwrap();
        assert_eq!(page.things.len(), 1);
        assert_eq!(page.things[0].tag, None);
        assert!(!format!("{page:?} {:?} {:?}", s.site, s.world).contains("777777"));
    });
}

#[test]
fn what_cannot_be_is_refused_before_the_wire() {
    run(async {
        let s = Stage::hotel();
        let guest = |doors: &[&str]| s.guest(Body::Card { number: None }, doors, window("01T10:00", "03T11:00"), Role::Open, 0);
        let mut suspended = guest(&["101"]);
        suspended.suspended = true;
        let mut foreign = guest(&["101"]);
        foreign.doors = s.doors(&["102"]);
        for (spec, reason) in [
            (suspended, Reason::Unsupported),
            (foreign, Reason::Invalid),
            (guest(&["109"]), Reason::NotThere),
            (guest(&[]), Reason::Invalid),
            (s.credential(Body::CloudKey, &["101"], window("01T10:00", "03T11:00")), Reason::Unsupported),
        ] {
            let failure = s.encode_at("desk-1", &spec, "x").await.unwrap_err();
            assert_eq!((failure.effect, failure.reason), (Effect::Refused, reason), "{failure}");
        }
        assert_eq!(s.site.calls("encode"), 0);
        let other = SystemRef { id: AcsSystemId::from_uuid(Uuid::nil()), handle: Handle::text("elsewhere") };
        let t = tag("x");
        let call = Call { system: &other, ..s.call(&t) };
        assert_eq!(s.provider.put(&code(&s), None, &call).await.unwrap_err().reason, Reason::NotThere);
    });
}

#[test]
fn settings_are_checked_and_not_repeated() {
    let s = Stage::hotel();
    #[derive(Debug)]
    struct NoMemo;
    #[async_trait::async_trait]
    impl Memo for NoMemo {
        async fn load(&self) -> Result<(u64, SecretString), Failure> {
            Ok((0, SecretString::from("")))
        }
        async fn swap(&self, _: u64, _: SecretString) -> Result<bool, Failure> {
            Ok(false)
        }
    }
    let factory = SandboxFactory::new(s.world.clone());
    let env = || ProviderEnv::new(Arc::clone(s.world.clock()), Arc::new(NoMemo));
    for bad in ["", "{}", r#"{"site":""}"#, r#"{"site":"hotel","password":"hunter2"}"#] {
        let failure = factory.open(SecretString::from(bad), env()).unwrap_err();
        assert_eq!(failure.effect, Effect::Refused);
        assert!(!failure.to_string().contains("hunter2"));
    }
    run(async {
        let known = factory.open(SecretString::from(r#"{"site":"hotel"}"#), env()).unwrap();
        assert!(known.readiness().await.is_empty());
        let unknown = factory.open(SecretString::from(r#"{"site":"motel"}"#), env()).unwrap();
        assert!(unknown.readiness().await[0].blocking);
    });
}

#[test]
fn ten_thousand_doors_in_one_call_take_no_time() {
    run(async {
        let s = Stage::new(SiteConfig::hotel("hotel", 10_000));
        let names: Vec<String> = (101..10_101).map(|n: u32| n.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut spec = s.credential(Body::Card { number: None }, &[], window("01T10:00", "03T11:00"));
        let door = |n: &&str| seam_core::provider::Door {
            id: AcsEntranceId::from_uuid(Uuid::nil()),
            handle: Handle::text(*n),
            class: DoorClass::Guest,
        };
        spec.doors = names.iter().map(door).collect();
        let started = std::time::Instant::now();
        s.encode_at("desk-1", &spec, "master").await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        s.site.reconfigure(|c| c.rule(Kind::Card, |r| r.doors = DoorLimit::Many { guest: 64, common: 8 }));
        assert_eq!(s.encode_at("desk-1", &spec, "master").await.unwrap_err().reason, Reason::Unsupported);
    });
}
