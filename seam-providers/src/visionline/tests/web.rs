//! The web interface, when things go wrong; and mobile keys.
use super::*;
use crate::net::sim::{Misbehaviour, SimCertificate};
use crate::visionline::sim::{DoorPlan, LOGIN, Port};
use serde_json::json;

async fn phones(plan: impl FnOnce(&mut HotelPlan)) -> Stage {
    stage(plan, |s| s["mobile_keys"] = json!(true)).await
}

fn key(room: &str, hours: i64, role: Role) -> Want {
    let mut spec = card(room, hours, role);
    spec.body = Body::mobile_key();
    Want::Credential(spec)
}

impl Stage {
    async fn put(&self, key: &Tag, want: &Want) -> Result<Receipt, Failure> {
        let call = self.call(key);
        self.pass(self.provider.put(want, None, &call)).await
    }
}

#[tokio::test]
async fn a_session_is_made_once_and_made_anew_when_it_is_gone() {
    let s = phones(|_| {}).await;
    for n in 0..3 {
        s.put(&tag(&format!("key{n}")), &key("101", 20, Role::Join { with: Vec::new() })).await.unwrap();
    }
    assert_eq!(s.sim.logins(), 1);
    s.sim.forget_sessions();
    s.put(&tag("later"), &key("101", 20, Role::Join { with: Vec::new() })).await.unwrap();
    assert_eq!(s.sim.logins(), 2);
    s.clock.advance(TimeDelta::hours(2));
    s.put(&tag("muchlater"), &key("101", 20, Role::Join { with: Vec::new() })).await.unwrap();
    assert_eq!(s.sim.logins(), 3, "an idle session is over");
}

#[tokio::test]
async fn a_server_that_refuses_every_signature_is_asked_twice_and_no_more() {
    let s = phones(|_| {}).await;
    s.put(&tag("first"), &key("101", 20, Role::Open)).await.unwrap();
    let before = s.sim.requests();
    s.sim.answer_with(401, None, u32::MAX);
    let failure = s.put(&tag("second"), &key("101", 20, Role::Open)).await.unwrap_err();
    assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::Unauthenticated));
    assert!(s.sim.requests() - before <= 3, "{} requests", s.sim.requests() - before);
    // It logs everybody in, and knows no session.
    s.sim.answer_with(200, None, 0);
    s.sim.reconfigure(|plan| plan.session_life = TimeDelta::zero());
    let before = s.sim.requests();
    let failure = s.put(&tag("third"), &key("101", 20, Role::Open)).await.unwrap_err();
    assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::Unauthenticated));
    assert_eq!(s.sim.requests() - before, 4, "two logins, and the request under each");
}

#[tokio::test]
async fn pauses_errors_and_garbage_are_told_for_what_they_are() {
    let s = phones(|_| {}).await;
    let (tag, want) = (tag("key"), key("101", 20, Role::Open));
    s.provider.systems().await.unwrap();
    s.sim.answer_with(429, Some(("Retry-After", "17")), 1);
    let failure = s.put(&tag, &want).await.unwrap_err();
    assert_eq!(
        (failure.effect, failure.reason, failure.retry_after),
        (Effect::Nothing, Reason::RateLimited, Some(Duration::from_secs(17)))
    );
    s.sim.answer_with(429, Some(("Retry-After", "99999999999999")), 1);
    assert_eq!(s.put(&tag, &want).await.unwrap_err().retry_after, Some(crate::net::LONGEST_PAUSE));
    // The look before it changes nothing; after the look it would have.
    s.sim.answer_with(503, None, 1);
    assert_eq!(s.put(&tag, &want).await.unwrap_err().effect, Effect::Nothing);
    for how in [
        Misbehaviour::Garbage(b"HTTP/1.1 200 X\r\nContent-Length: 3\r\n\r\n{]}".to_vec()),
        Misbehaviour::Garbage(b"\0\xff\r\n\r\n".to_vec()),
        Misbehaviour::HalfAnswer,
    ] {
        s.sim.misbehave(Some(how.clone())).await.unwrap();
        let failure = s.put(&tag, &want).await.unwrap_err();
        assert_eq!(failure.effect, Effect::Nothing, "{how:?}: {failure}");
    }
    s.sim.misbehave(Some(Misbehaviour::Drip)).await.unwrap();
    s.put(&tag, &want).await.unwrap();
    assert_eq!(s.sim.cards_of(&tag.0).len(), 1);
}

/// It becomes part of a header, and of a path.
#[tokio::test]
async fn a_session_without_a_name_that_can_be_sent_is_none() {
    let s = stage(|_| {}, |_| {}).await;
    for bad in ["", "a b", "a\\r\\nX: y", "\u{f6}", &"x".repeat(257)] {
        let body = format!(r#"{{"id":"{bad}","accessKey":"key"}}"#);
        let answer = format!("HTTP/1.1 201 X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        s.sim.misbehave(Some(Misbehaviour::Garbage(answer.into_bytes()))).await.unwrap();
        let before = s.sim.requests();
        let failure = s.encode(&tag("card"), &card("101", 20, Role::Open)).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Nothing, Reason::Garbled), "{bad:?}");
        assert_eq!(s.sim.requests() - before, 1, "the login alone: {bad:?}");
    }
}

/// The rest of it is not read: it would fill the memory.
#[tokio::test]
async fn an_answer_that_is_too_long_is_none() {
    let s = phones(|_| {}).await;
    s.provider.systems().await.unwrap();
    let body = format!("[{}]", " ".repeat(crate::net::LONGEST_ANSWER));
    let answer = format!("HTTP/1.1 200 X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    s.sim.misbehave(Some(Misbehaviour::Garbage(answer.into_bytes()))).await.unwrap();
    let failure = s.provider.inventory().unwrap().entrances(&s.system).await.unwrap_err();
    assert_eq!((failure.effect, failure.reason, failure.message.as_str()), (Effect::Nothing, Reason::Garbled, "the answer is too long"));
}

#[tokio::test]
async fn an_unknown_outcome_of_an_encode_is_one_whatever_came_instead_of_an_answer() {
    let s = stage(|p| p.auto_card = true, |_| {}).await;
    s.provider.systems().await.unwrap();
    let cases = [
        (Misbehaviour::LoseAnswers, Reason::TimedOut),
        (Misbehaviour::LoseRequests, Reason::TimedOut),
        (Misbehaviour::HalfAnswer, Reason::Other),
        (Misbehaviour::Garbage(b"\0\xff\r\n\r\n".to_vec()), Reason::Other),
        (Misbehaviour::Garbage(b"HTTP/1.1 502 X\r\nContent-Length: 0\r\n\r\n".to_vec()), Reason::Other),
    ];
    for (how, reason) in cases {
        s.sim.misbehave(Some(how.clone())).await.unwrap();
        let failure = s.encode(&tag("card"), &card("101", 20, Role::Open)).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Unknown, reason), "{how:?}: {failure}");
        s.sim.misbehave(None).await.unwrap();
    }
    s.sim.misbehave(Some(Misbehaviour::Offline)).await.unwrap();
    let failure = s.encode(&tag("card"), &card("101", 20, Role::Open)).await.unwrap_err();
    assert_eq!((failure.effect, failure.reason), (Effect::Nothing, Reason::Offline));
}

#[tokio::test]
async fn a_certificate_that_is_not_the_pinned_one_or_has_another_name_gets_nothing() {
    let s = stage(|_| {}, |_| {}).await;
    s.provider.systems().await.unwrap();
    let before = s.sim.requests();
    let other = SimCertificate::new(&["visionline.example"]).unwrap();
    s.sim.server(Port::Web).change_certificate(other.clone());
    s.sim.server(Port::Web).cut_off().await.unwrap();
    let failure = s.encode(&tag("card"), &card("101", 20, Role::Open)).await.unwrap_err();
    assert_eq!(failure.effect, Effect::Nothing, "{failure}");
    let rooted = provider_at(&s.sim, &s.clock, |v| v["web"]["certificates"] = json!({"root_certificates": other.pem()})).unwrap();
    assert_eq!(rooted.systems().await.unwrap_err().effect, Effect::Nothing, "the name in it is not the server's");
    assert_eq!(s.sim.requests(), before, "no signature and no password went out");
}

#[tokio::test]
async fn a_server_with_a_wrong_clock_is_told_its_own_time_and_both_date_headers_are_signed() {
    let s = phones(|_| {}).await;
    s.sim.set_clock_fast(TimeDelta::hours(3));
    s.put(&tag("fast"), &key("101", 20, Role::Open)).await.unwrap();
    assert_eq!(s.sim.logins(), 1);
    let aah = provider_at(&s.sim, &s.clock, |v| v["web"]["x_aah_date"] = json!(true)).unwrap();
    let doors = aah.inventory().unwrap().entrances(&s.system).await.unwrap();
    assert_eq!(doors.len(), 6);
}

#[tokio::test]
async fn names_of_doors_are_kept_as_they_are() {
    let odd = ["0101", "101", "Zi 7/ö&=?", "Suite \"A\"", "+1"];
    let s = phones(|p| p.doors = odd.map(DoorPlan::room).into()).await;
    for (n, name) in odd.iter().enumerate() {
        let tag = tag(&format!("room{n}"));
        s.put(&tag, &key(name, 20, Role::Open)).await.unwrap();
        s.put(&tag, &key(name, 20, Role::Open)).await.unwrap();
        let cards = s.sim.cards_of(&tag.0);
        assert_eq!(cards.len(), 1, "{name}: found again by its name");
        assert_eq!(cards[0].doors, [(*name).to_owned()]);
        for other in odd {
            assert_eq!(s.sim.present_phone(other, &phone_of(&tag)).opened, other == *name, "{name} at {other}");
        }
    }
}

#[tokio::test]
async fn times_are_those_of_the_server_s_clock() {
    for (zone, starts) in
        [("Europe/Berlin", "2026-03-01T13:00:00"), ("UTC", "2026-03-01T12:00:00"), ("Asia/Kolkata", "2026-03-01T17:30:00")]
    {
        for interface in ["web", "pms"] {
            let s = stage(
                |p| (p.zone, p.auto_card) = (zone.parse().unwrap(), true),
                |v| {
                    v["time_zone"] = json!("Europe/Berlin");
                    v["server_time_zone"] = json!(zone);
                    v["encode_by"] = json!(interface);
                },
            )
            .await;
            s.encode(&tag("card"), &card("101", 20, Role::Open)).await.unwrap();
            assert_eq!(s.sim.cards_of("card")[0].starts, starts.parse().unwrap(), "{zone} {interface}");
            assert!(s.sim.present("101", &s.sim.last_written().unwrap()).opened);
        }
    }
}

#[tokio::test]
async fn a_mobile_key_is_made_once_grows_and_never_shrinks() {
    let s = phones(|_| {}).await;
    let (anna, ben) = (tag("anna"), tag("ben"));
    let first = s.put(&anna, &key("101", 20, Role::Open)).await.unwrap();
    assert_eq!(first.certainty, Certainty::Accepted);
    s.put(&anna, &key("101", 20, Role::Open)).await.unwrap();
    assert_eq!(s.sim.cards_of(&anna.0).len(), 1, "asked for twice, made once");
    s.put(&ben, &key("101", 20, Role::Join { with: Vec::new() })).await.unwrap();
    // Longer: as a joiner, for an override would end Ben's.
    s.put(&anna, &key("101", 44, Role::Open)).await.unwrap();
    let cards = s.sim.cards_of(&anna.0);
    assert_eq!(cards.iter().map(|c| c.opened).collect::<Vec<_>>(), [true, false]);
    assert!(s.sim.present_phone("101", &phone_of(&ben)).opened && s.sim.present_phone("101", &phone_of(&anna)).opened);
    // Shorter: it would stay on the phone.
    let failure = s.put(&anna, &key("101", 4, Role::Open)).await.unwrap_err();
    assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::Unsupported));
    // Taken away: until when it opens is told, not hidden.
    let removed = s.provider.remove(&key("101", 44, Role::Open), None, &s.call(&anna)).await.unwrap();
    assert_eq!(removed.may_open_until, Some(at(NOON) + TimeDelta::hours(44)));
    // An unknown outcome is repeated, and there is still one.
    let lost = tag("lost");
    s.sim.misbehave(Some(Misbehaviour::LoseAnswers)).await.unwrap();
    assert_eq!(s.put(&lost, &key("102", 20, Role::Open)).await.unwrap_err().effect, Effect::Nothing, "the look was lost");
    s.sim.misbehave(None).await.unwrap();
    s.put(&lost, &key("102", 20, Role::Open)).await.unwrap();
    assert_eq!(s.sim.cards_of(&lost.0).len(), 1);
}

#[tokio::test]
async fn a_key_whose_phone_is_not_known_yet_waits() {
    #[derive(Debug)]
    struct Nobody;
    #[async_trait]
    impl MobileEndpoints for Nobody {
        async fn endpoint(&self, _: &Tag, _: &str) -> Result<Option<String>, Failure> {
            Ok(None)
        }
    }
    let s = phones(|_| {}).await;
    let mut settings = s.sim.settings();
    settings["mobile_keys"] = json!(true);
    let env = ProviderEnv::new(Arc::clone(&s.clock) as Arc<dyn Clock>, Arc::new(NoMemo));
    let open = |factory: VisionlineFactory| factory.opened(&SecretString::from(settings.to_string()), &env);
    let provider = open(VisionlineFactory::new().with_endpoints(Arc::new(Nobody))).unwrap();
    let failure = provider.put(&key("101", 20, Role::Open), None, &s.call(&tag("key"))).await.unwrap_err();
    assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::NotThere));
    assert!(failure.retry_after.is_some());
    assert_eq!(open(VisionlineFactory::new()).unwrap_err().effect, Effect::Refused, "mobile keys without endpoints are none");
}

#[tokio::test]
async fn what_is_not_known_is_refused_before_anything_is_sent() {
    let s = stage(|p| p.auto_card = true, |v| v["common_doors_in_guest_list"] = json!(false)).await;
    s.provider.systems().await.unwrap();
    let before = s.sim.requests();
    type Change = fn(&mut CredentialSpec);
    let changes: [(Change, Reason); 7] = [
        (|c| c.stay = None, Reason::Unsupported),
        (|c| c.suspended = true, Reason::Unsupported),
        (|c| c.doors.push(door("gym", DoorClass::Common)), Reason::Unsupported),
        (|c| c.doors = vec![door("lobby", DoorClass::Implicit)], Reason::Unsupported),
        (|c| c.doors.push(door("gate", DoorClass::Online)), Reason::Unsupported),
        (|c| c.doors = vec![door("", DoorClass::Guest)], Reason::NotThere),
        (|c| c.window = Window::new(c.window.starts_at(), None).unwrap(), Reason::WindowRefused),
    ];
    for (n, (change, reason)) in changes.into_iter().enumerate() {
        let mut spec = card("101", 20, Role::Open);
        change(&mut spec);
        let failure = s.encode(&tag("card"), &spec).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Refused, reason), "{n}: {failure}");
    }
    let shown = s.provider.inventory().unwrap().entrances(&s.system).await.unwrap();
    let able: Vec<(&str, bool)> = shown.iter().map(|d| (d.name.as_str(), d.card)).collect();
    assert_eq!(able, [("101", true), ("102", true), ("103", true), ("gym", false), ("lobby", true), ("pool", false)]);
    assert_eq!(s.sim.requests(), before + 1, "only the doors were asked for");
}

#[tokio::test]
async fn secrets_show_nowhere() {
    let s = stage(
        |_| {},
        |v| {
            v["pms"]["operator"] = json!("pmsuser");
            v["pms"]["operator_password"] = json!("canary-of-the-pms");
        },
    )
    .await;
    let mut shown = vec![format!("{:?} {} {:?}", s.provider, s.provider, s.provider.config)];
    s.provider.systems().await.unwrap();
    shown.push(format!("{:?} {:?}", s.provider.web, s.provider.pms));
    for how in [None, Some(Misbehaviour::HalfAnswer), Some(Misbehaviour::Offline)] {
        s.sim.misbehave(how).await.unwrap();
        shown.push(format!("{:?} {:?}", s.provider.systems().await, s.encode(&tag("card"), &card("101", 20, Role::Open)).await));
    }
    shown.push(format!("{:?}", provider_at(&s.sim, &s.clock, |v| v["time_zone"] = json!("Mars")).unwrap_err()));
    shown.push(format!(
        "{:?}",
        VisionlineFactory::new()
            .opened(
                &SecretString::from(r#"{"name": "x", "web": {"password": "canary-of-the-pms"}}"#),
                &ProviderEnv::new(Arc::clone(&s.clock) as Arc<dyn Clock>, Arc::new(NoMemo)),
            )
            .map(drop)
    ));
    for text in shown {
        for secret in [LOGIN.1, "canary-of-the-pms", "key-of-session"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused_and_readiness_says_what_is_missing() {
    let s = stage(|_| {}, |_| {}).await;
    type Change = fn(&mut Value);
    let bad: [Change; 9] = [
        |v| v["time_zone"] = json!("Mars/Olympus"),
        |v| v["web"]["host"] = json!("https://server/path"),
        |v| (v["web"]["username"], v["web"]["password"]) = (json!("SYM"), json!("sym")),
        |v| (v["web"], v["pms"]) = (Value::Null, Value::Null),
        |v| (v["pms"], v["encode_by"]) = (Value::Null, json!("pms")),
        |v| (v["web"], v["cards"]) = (Value::Null, json!("own_reader")),
        |v| v["encoders"] = json!([{"name": "a"}, {"name": "a"}]),
        |v| (v["encode_by"], v["encoders"]) = (json!("pms"), json!([{"name": "a"}])),
        |v| v["pms"]["terminal"] = json!("a;b"),
    ];
    for (n, change) in bad.into_iter().enumerate() {
        let failure = provider_at(&s.sim, &s.clock, change).map(drop).unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::Invalid), "{n}");
    }
    let codes =
        async |provider: &VisionlineProvider| provider.readiness().await.into_iter().map(|f| (f.code, f.blocking)).collect::<Vec<_>>();
    assert_eq!(codes(&s.provider).await, []);
    let poor = provider_at(&s.sim, &s.clock, |v| (v["encoders"], v["common_doors_in_guest_list"]) = (json!([]), json!(false))).unwrap();
    assert_eq!(codes(&poor).await, [("doors_without_access".to_owned(), false), ("no_encoder".to_owned(), true)]);
    let wrong = provider_at(&s.sim, &s.clock, |v| v["web"]["password"] = json!("wrong")).unwrap();
    assert_eq!(codes(&wrong).await, [("login_refused".to_owned(), true)]);
    s.sim.misbehave(Some(Misbehaviour::Offline)).await.unwrap();
    assert_eq!(codes(&s.provider).await, [("system_unreachable".to_owned(), true)]);
}

/// Notes that nobody can write down.
#[derive(Debug)]
struct NoPaper;

#[async_trait]
impl Notes for NoPaper {
    async fn keep(&self, _: &Handle) -> Result<(), Failure> {
        Err(Failure::nothing(Reason::Other, "the store does not answer"))
    }
}

#[tokio::test]
async fn images_are_made_for_a_reader_of_ours() {
    let s = stage(|_| {}, |v| v["cards"] = json!("own_reader")).await;
    assert!(s.provider.encoders().is_none());
    let images = s.provider.card_images().unwrap();
    let seen = seam_core::encoder::CardSeen::new(Some("04A1B2C3D4E5F6".to_owned()));
    let image = images.image(&card("101", 20, Role::Open), None, &seen, &s.call(&tag("card"))).await.unwrap();
    assert_eq!(image.technology.0, "mifare_ultralight_ev1");
    assert_eq!(image.content["hex"].as_str().unwrap().len(), 96);
    // The server has counted the card, whatever becomes of the note.
    let forgetful = tag("forgotten");
    let call = Call { notes: &NoPaper, ..s.call(&forgetful) };
    let failure = images.image(&card("101", 20, Role::Open), None, &seen, &call).await.unwrap_err();
    assert_eq!((failure.effect, s.sim.cards_of(&forgetful.0).len()), (Effect::Unknown, 1));
    // A card was made, and nothing that could be written on it: no page of it goes to an encoder.
    let long = "0".repeat(520);
    for bad in [r#""""#, "null", r#""0123456""#, r#""0123456g""#, &format!(r#""{long}""#)] {
        let body = format!(r#"{{"id":"c-9","encryptedImage":{bad}}}"#);
        let answer = format!("HTTP/1.1 201 X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        s.sim.misbehave(Some(Misbehaviour::Garbage(answer.into_bytes()))).await.unwrap();
        let failure = images.image(&card("101", 20, Role::Open), None, &seen, &s.call(&tag("card"))).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Unknown, Reason::Garbled), "{bad}");
    }
    s.sim.misbehave(None).await.unwrap();
    let unread = seam_core::encoder::CardSeen::new(None);
    assert_eq!(images.image(&card("101", 20, Role::Open), None, &unread, &s.call(&tag("card"))).await.unwrap_err().reason, Reason::BadCard);
}
