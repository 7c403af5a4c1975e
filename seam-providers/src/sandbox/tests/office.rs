use super::*;

struct Office {
    stage: Stage,
    user: Handle,
}

const ALWAYS: (&str, &str) = ("01T00:00", "30T00:00");

impl Office {
    async fn open() -> Self {
        let stage = Stage::new(SiteConfig::office("office"));
        let user = stage.put(&user("Ada"), None, "ada").await.unwrap().handle.unwrap();
        Self { stage, user }
    }
    fn access(&self, doors: &[&str], groups: &[&str]) -> AccessSpec {
        let groups = groups.iter().map(|g| Handle::text(*g)).collect();
        let (doors, window) = (self.stage.doors(doors), window(ALWAYS.0, ALWAYS.1));
        AccessSpec { user: Some(self.user.clone()), doors, groups, window, schedule: None, suspended: false }
    }
    fn credential(&self, body: Body) -> Want {
        let mut spec = self.stage.credential(body, &[], window(ALWAYS.0, ALWAYS.1));
        spec.user = Some(self.user.clone());
        Want::Credential(spec)
    }
}

fn user(name: &str) -> Want {
    Want::User(UserSpec { name: name.to_owned(), email: None, phone: None, window: None, suspended: false })
}

fn code(digits: &str) -> Body {
    Body::Code { pin: Some(pin(digits)), slot: None }
}

#[test]
fn groups_must_cover_exactly() {
    run(async {
        let o = Office::open().await;
        let s = &o.stage;
        let too_much = s.put(&Want::Access(o.access(&["office"], &["staff"])), None, "a").await.unwrap_err();
        assert_eq!((too_much.effect, too_much.reason), (Effect::Refused, Reason::Unsupported));
        assert!(too_much.message.contains("also open entrance"), "{too_much}");
        let too_little = s.put(&Want::Access(o.access(&["office", "entrance", "lab"], &["staff"])), None, "a").await.unwrap_err();
        assert_eq!(too_little.reason, Reason::Unsupported);
        s.put(&Want::Access(o.access(&["office", "entrance", "lab"], &["staff", "research"])), None, "a").await.unwrap();
    });
}

#[test]
fn doors_decide_at_each_opening() {
    run(async {
        let o = Office::open().await;
        let s = &o.stage;
        let mut access = o.access(&["office", "entrance"], &["staff"]);
        s.put(&Want::Access(access.clone()), None, "a").await.unwrap();
        s.put(&o.credential(code("4711")), None, "pin").await.unwrap();
        let try_pin = |door: &str| s.site.door(door).enter_pin("4711").why;
        assert_eq!((try_pin("office"), try_pin("lab")), (Why::Opened, Why::WrongDoor));
        access.suspended = true;
        s.put(&Want::Access(access), None, "a").await.unwrap();
        assert_eq!(try_pin("office"), Why::Suspended);
        s.remove(&user("Ada"), Some(&o.user), "ada").await.unwrap();
        assert_eq!(try_pin("office"), Why::UnknownCode);
        assert!(s.site.held().is_empty(), "a user goes with all that is hers");
    });
}

#[test]
fn pins_belong_to_users_and_are_unique() {
    run(async {
        let o = Office::open().await;
        let s = &o.stage;
        s.put(&o.credential(code("4711")), None, "pin").await.unwrap();
        let second = s.put(&o.credential(code("4712")), None, "second").await.unwrap_err();
        assert_eq!((second.effect, second.reason), (Effect::Refused, Reason::Clash));
        let other = s.put(&user("Bob"), None, "bob").await.unwrap().handle;
        let mut spec = s.credential(code("4711"), &[], window(ALWAYS.0, ALWAYS.1));
        spec.user = other;
        let taken = s.put(&Want::Credential(spec), None, "bobs").await.unwrap_err();
        assert_eq!((taken.effect, taken.reason), (Effect::Refused, Reason::PinRefused));
        let missing = s.put(&Want::Credential(s.credential(code("4713"), &[], window(ALWAYS.0, ALWAYS.1))), None, "x").await.unwrap_err();
        assert_eq!(missing.reason, Reason::NotThere);
    });
}

#[test]
fn registered_cards_are_assigned_by_number() {
    run(async {
        let o = Office::open().await;
        let s = &o.stage;
        s.put(&Want::Access(o.access(&["entrance"], &["everyone"])), None, "a").await.unwrap();
        let card = s.world.blank_card();
        let numbered = |n: &Card| o.credential(Body::Card { number: Some(n.uid().to_owned()) });
        assert_eq!(s.put(&numbered(&card), None, "card").await.unwrap_err().reason, Reason::NotThere);
        s.site.register_card(&card);
        assert_eq!(s.put(&o.credential(Body::Card { number: None }), None, "card").await.unwrap().needs, Needs::Assignment);
        s.put(&numbered(&card), None, "card").await.unwrap();
        assert_eq!(s.site.door("entrance").present(&card).why, Why::Opened);
        assert_eq!(s.put(&numbered(&card), None, "other").await.unwrap_err().reason, Reason::Clash);
        let seen = s.site.encoder("reader-1");
        seen.put_card(&card);
        let seen = s.provider.encoders().unwrap().read(&Handle::text("reader-1"), &s.call(&tag("scan")), &s.control()).await.unwrap();
        assert_eq!((seen.number.as_deref(), seen.tag), (Some(card.uid()), Some(tag("card"))));
        s.remove(&numbered(&card), None, "card").await.unwrap();
        assert_eq!(s.site.door("entrance").present(&card).why, Why::NoCredential);
        s.put(&numbered(&card), None, "other").await.unwrap();
    });
}

#[test]
fn cloud_keys_unlock_from_afar() {
    run(async {
        let o = Office::open().await;
        let s = &o.stage;
        s.put(&Want::Access(o.access(&["garage"], &["parking"])), None, "a").await.unwrap();
        let want = o.credential(Body::CloudKey);
        let handle = s.put(&want, None, "cloud").await.unwrap().handle.unwrap();
        let Want::Credential(spec) = want else { unreachable!() };
        let unlock = AccessSystemProvider::unlock(&s.provider).unwrap();
        let (garage, lab) = (s.doors(&["garage"]).remove(0), s.doors(&["lab"]).remove(0));
        unlock.unlock(&spec, Some(&handle), &garage, &s.call(&tag("cloud"))).await.unwrap();
        let refused = unlock.unlock(&spec, Some(&handle), &lab, &s.call(&tag("cloud"))).await.unwrap_err();
        assert_eq!((refused.effect, refused.reason), (Effect::Refused, Reason::Forbidden));
        assert!(s.site.door("garage").cloud_open(&handle).opened);
        let lines = s.provider.access_log().unwrap().entries(&s.system, None).await.unwrap().entries;
        assert_eq!(lines.iter().map(|l| l.opened).collect::<Vec<_>>(), [true, false, true]);
    });
}

#[test]
fn a_put_that_is_repeated_blindly_makes_two_where_the_cloud_makes_ids() {
    run(async {
        let o = Office::open().await;
        let s = &o.stage;
        s.put(&user("Ada"), None, "ada").await.unwrap();
        assert!(matches!(s.find(&user("Ada"), "ada").await, Found::Several(2)));
        s.remove(&user("Ada"), None, "ada").await.unwrap();
        assert!(matches!(s.find(&user("Ada"), "ada").await, Found::Absent));
    });
}
