//! Cards at encoders, over both interfaces; and the PMS port, when things go wrong.
use super::*;
use crate::net::sim::Misbehaviour;
use crate::visionline::error;
use crate::visionline::sim::{DoorPlan, Port};
use crate::visionline::wire::pms::Line;
use serde_json::json;

fn over_pms(v: &mut Value) {
    v["encode_by"] = json!("pms");
}

async fn read(s: &Stage) -> Result<seam_core::encoder::CardSeen, Failure> {
    let (tag, control) = (tag("scan"), s.control());
    let call = s.call(&tag);
    s.pass(s.provider.encoders().unwrap().read(&Handle::text("Desk1"), &call, &control)).await
}

#[tokio::test]
async fn cards_open_join_and_override_over_both_interfaces() {
    for change in [over_pms, |_: &mut Value| {}] {
        let s = stage(|_| {}, change).await;
        let join = || Role::Join { with: Vec::new() };
        let mut made = Vec::new();
        for (name, role) in [("anna", Role::Open), ("ben", join()), ("next", Role::Open)] {
            s.sim.clear("Desk1");
            let plastic = s.sim.blank_card();
            s.sim.lay("Desk1", &plastic);
            let mut spec = card("101", 20, role);
            spec.doors.push(door("gym", DoorClass::Common));
            spec.doors.push(door("lobby", DoorClass::Implicit));
            let receipt = s.encode(&tag(name), &spec).await.unwrap();
            assert_eq!(receipt.certainty, Certainty::Accepted);
            let seen = read(&s).await.unwrap();
            assert_eq!((seen.number.as_deref(), seen.tag), (Some(plastic.serial()), Some(tag(name))));
            made.push(plastic);
            if name == "ben" {
                let together = [&made[1], &made[0], &made[1]];
                assert!(together.iter().all(|card| s.sim.present("101", card).opened), "guests of one stay live side by side");
            }
        }
        let opens = |door: &str| made.iter().map(|card| s.sim.present(door, card).opened).collect::<Vec<_>>();
        assert_eq!(opens("101"), [true, true, true], "until the next guest's card is used");
        assert_eq!(opens("101"), [false, false, true]);
        for door in ["gym", "lobby"] {
            assert_eq!(opens(door), [true, true, true], "{door}");
        }
        assert_eq!(opens("102"), [false, false, false]);
        let overridden: Vec<bool> = s.sim.cards_of("").iter().map(|c| c.overridden).collect();
        assert_eq!(overridden, [true, true, false]);
    }
}

#[tokio::test]
async fn a_check_in_is_one_request_and_a_login_for_all() {
    for (change, login) in [(over_pms as fn(&mut Value), 0), (|_| {}, 1)] {
        let s = stage(|p| p.auto_card = true, change).await;
        for n in 0..5 {
            s.encode(&tag(&format!("card{n}")), &card("101", 20, Role::Open)).await.unwrap();
        }
        assert_eq!(s.sim.requests(), 5 + login, "the floor is one request per card");
    }
}

#[tokio::test]
async fn encoders_say_what_is_wrong() {
    for change in [over_pms, |_: &mut Value| {}] {
        let s = stage(|_| {}, change).await;
        let try_once = async |s: &Stage| s.encode(&tag("card"), &card("101", 20, Role::Open)).await.unwrap_err();
        let what = |f: &Failure| (f.effect, f.reason);
        assert_eq!(what(&try_once(&s).await), (Effect::Nothing, Reason::NoCard));
        s.sim.set_offline("Desk1", true);
        assert_eq!(what(&try_once(&s).await), (Effect::Nothing, Reason::EncoderOffline));
        s.sim.set_offline("Desk1", false);
        s.sim.lay("Desk1", &s.sim.foreign_card());
        assert_eq!(what(&try_once(&s).await), (Effect::Nothing, Reason::BadCard));
        let mut strange = card("109", 20, Role::Open);
        strange.holder = String::new();
        let failure = s.encode(&tag("card"), &strange).await.unwrap_err();
        assert!(failure.vendor_code.is_some(), "{failure}");
        assert!(s.sim.cards_of("card").is_empty());
    }
    let s = stage(|_| {}, |_| {}).await;
    let guest = s.sim.make_by_hand("101", TimeDelta::days(1));
    s.sim.lay("Desk1", &guest);
    assert_eq!(
        s.encode(&tag("card"), &card("102", 20, Role::Open)).await.unwrap_err().reason,
        Reason::BadCard,
        "a valid key is not written over"
    );
    let bold = provider_at(&s.sim, &s.clock, |v| v["overwrite_valid_cards"] = json!(true)).unwrap();
    let (tag, control) = (tag("card"), s.control());
    let call = s.call(&tag);
    s.pass(bold.encoders().unwrap().encode(&card("102", 20, Role::Open), None, &Handle::text("Desk1"), &call, &control)).await.unwrap();
    assert!(s.sim.cards_of("by hand")[0].overwritten);
}

#[tokio::test]
async fn a_time_limit_before_the_server_s_own_wait_is_over_leaves_an_unknown_outcome() {
    for change in [over_pms, |_: &mut Value| {}] {
        let s = stage(|p| p.card_wait = Duration::from_secs(60), change).await;
        let failure = s.encode(&tag("card"), &card("101", 20, Role::Open)).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Unknown, Reason::TimedOut));
        // And so it was: the next guest's card is what the server waits for. The encoder is left alone for as long as the report says.
        s.sim.lay("Desk1", &s.sim.blank_card());
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            if !s.sim.cards_of("card").is_empty() {
                break;
            }
        }
        assert_eq!(s.sim.cards_of("card").len(), 1);
        let wait = s.provider.encoders().unwrap().list(&s.system).await.unwrap()[0].card_wait_seconds;
        assert_eq!(wait, 60);
    }
}

#[tokio::test]
async fn answers_of_the_pms_port_are_taken_for_what_they_are() {
    let s = stage(|p| p.auto_card = true, over_pms).await;
    let cases: [(&str, Option<Effect>, Reason); 12] = [
        ("CCA;EA1;RC0;\r\n", None, Reason::Other),
        ("CCA;EA1;RC0;\n", None, Reason::Other),
        ("CCA;EA1;RC0;\r\nCCA;EA1;RC41;\r\n", None, Reason::Other),
        ("CCA;EA1;RC0;", None, Reason::Other),
        ("CCA;EA2;RC0;\r\n", Some(Effect::Unknown), Reason::Garbled),
        ("CCB;EA1;RC13;\r\n", Some(Effect::Unknown), Reason::Garbled),
        ("CCA;EA1;\r\n", Some(Effect::Unknown), Reason::Garbled),
        ("CCA;EA1;RCx;\r\n", Some(Effect::Unknown), Reason::Garbled),
        ("CCA;EA1;RC72;ETfatal;\r\n", Some(Effect::Unknown), Reason::Other),
        ("CCA;EA1;RC999;\r\n", Some(Effect::Unknown), Reason::Other),
        ("CCA;EA1;RC41;\r\n", Some(Effect::Nothing), Reason::NoCard),
        ("hello\r\n", Some(Effect::Unknown), Reason::Garbled),
    ];
    for (bytes, effect, reason) in cases {
        s.sim.misbehave(Some(Misbehaviour::Garbage(bytes.as_bytes().to_vec()))).await.unwrap();
        match (s.encode(&tag("card"), &card("101", 20, Role::Open)).await, effect) {
            (Ok(_), None) => {}
            (Err(failure), Some(effect)) => assert_eq!((failure.effect, failure.reason), (effect, reason), "{bytes:?}"),
            (other, _) => panic!("{bytes:?}: {other:?}"),
        }
    }
    for (how, effect) in [
        (Misbehaviour::HalfAnswer, Effect::Unknown),
        (Misbehaviour::LoseAnswers, Effect::Unknown),
        (Misbehaviour::Offline, Effect::Nothing),
    ] {
        s.sim.misbehave(Some(how.clone())).await.unwrap();
        assert_eq!(s.encode(&tag("card"), &card("101", 20, Role::Open)).await.unwrap_err().effect, effect, "{how:?}");
    }
    s.sim.misbehave(Some(Misbehaviour::Drip)).await.unwrap();
    s.encode(&tag("card"), &card("101", 20, Role::Open)).await.unwrap();
    s.sim.misbehave(None).await.unwrap();
    s.sim.reconfigure(|p| p.pms_lines_end = false);
    s.encode(&tag("card"), &card("101", 20, Role::Open)).await.unwrap();
    // Visionline does not allow this host's address: it closes.
    s.sim.reconfigure(|p| p.pms_allowed = false);
    let failure = s.encode(&tag("card"), &card("101", 20, Role::Open)).await.unwrap_err();
    assert_ne!(failure.effect, Effect::Refused, "{failure}");
}

#[tokio::test]
async fn frames_over_a_noisy_line_are_sent_three_times_and_wrong_checksums_are_no_answer() {
    let serial = |v: &mut Value| (v["encode_by"], v["pms"]["serial_frames"]) = (json!("pms"), json!(true));
    let s = stage(|p| (p.auto_card, p.pms_serial) = (true, true), serial).await;
    s.sim.reconfigure(|p| p.pms_naks = 2);
    s.encode(&tag("card"), &card("101", 20, Role::Open)).await.unwrap();
    s.sim.reconfigure(|p| p.pms_naks = 100);
    let before = s.sim.server(Port::Pms).requests();
    let failure = s.encode(&tag("card"), &card("101", 20, Role::Open)).await.unwrap_err();
    assert_eq!((failure.effect, failure.reason), (Effect::Nothing, Reason::Garbled), "a storm of refusals ends");
    assert_eq!(s.sim.server(Port::Pms).requests(), before);
    s.sim.reconfigure(|p| p.pms_naks = 0);
    for wrong in ["\u{2}CCA;EA1;RC0;00\u{3}", "\u{2}CCA;EA1;RC0;\u{3}", "\u{6}\u{6}", "\u{15}"] {
        s.sim.misbehave(Some(Misbehaviour::Garbage(wrong.as_bytes().to_vec()))).await.unwrap();
        let failure = s.encode(&tag("card"), &card("101", 20, Role::Open)).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Unknown, Reason::Garbled), "{wrong:?}");
    }
}

#[tokio::test]
async fn what_the_pms_port_cannot_say_is_refused_before_anything_is_sent() {
    let s = stage(
        |p| p.auto_card = true,
        |v| {
            over_pms(v);
            v["doors"] = json!([{"name": "gym", "class": "common"}]);
        },
    )
    .await;
    let refused = async |change: fn(&mut CredentialSpec)| {
        let mut spec = card("101", 20, Role::Open);
        change(&mut spec);
        s.encode(&tag("card"), &spec).await.map(drop).unwrap_err().reason
    };
    assert_eq!(refused(|c| c.doors.push(door("102", DoorClass::Guest))).await, Reason::Unsupported);
    assert_eq!(refused(|c| c.doors = vec![door("Zimmer ö", DoorClass::Guest)]).await, Reason::Unsupported);
    assert_eq!(refused(|c| c.doors = vec![door("1;GR2", DoorClass::Guest)]).await, Reason::Unsupported);
    assert_eq!(refused(|c| c.doors.push(door("gym", DoorClass::Common))).await, Reason::NotThere, "no number is known");
    assert_eq!(s.sim.requests(), 0);
    let mut foreign = card("101", 20, Role::Open);
    foreign.holder = "Müller; GR102".to_owned();
    s.encode(&tag("card"), &foreign).await.unwrap();
    assert!(s.sim.cards_of("M?ller? GR102")[0].doors == ["101"]);
}

#[tokio::test]
async fn a_room_with_leading_zeros_is_that_room_over_both_interfaces() {
    for interface in ["web", "pms"] {
        let s =
            stage(|p| (p.doors, p.auto_card) = (["0101", "101"].map(DoorPlan::room).into(), true), |v| v["encode_by"] = json!(interface))
                .await;
        s.encode(&tag("card"), &card("0101", 20, Role::Open)).await.unwrap();
        let plastic = s.sim.last_written().unwrap();
        assert!(s.sim.present("0101", &plastic).opened && !s.sim.present("101", &plastic).opened, "{interface}");
    }
}

#[test]
fn every_documented_result_has_its_meaning_and_so_has_every_other() {
    let of = |code: &str, writes| {
        let line = Line::read(format!("CCA;EA1;RC{code};").as_bytes()).unwrap();
        let failure = error::pms(&line, writes);
        (failure.effect, failure.reason)
    };
    use Effect::{Nothing, Refused, Unknown};
    let table = [
        ("3", Nothing, Reason::EncoderOffline),
        ("4", Nothing, Reason::Busy),
        ("7", Nothing, Reason::EncoderOffline),
        ("17", Nothing, Reason::BadCard),
        ("18", Nothing, Reason::BadCard),
        ("20", Unknown, Reason::BadCard),
        ("38", Nothing, Reason::BadCard),
        ("39", Nothing, Reason::Cancelled),
        ("40", Nothing, Reason::EncoderOffline),
        ("41", Nothing, Reason::NoCard),
        ("42", Nothing, Reason::EncoderOffline),
        ("43", Nothing, Reason::BadCard),
        ("57", Refused, Reason::Forbidden),
        ("70", Nothing, Reason::BadCard),
        ("72", Unknown, Reason::Other),
        ("73", Nothing, Reason::Busy),
        ("78", Nothing, Reason::EncoderOffline),
        ("85", Unknown, Reason::Busy),
        ("13", Unknown, Reason::Other),
        ("128", Unknown, Reason::Other),
        ("4294967296", Unknown, Reason::Garbled),
    ];
    for (code, effect, reason) in table {
        assert_eq!(of(code, true), (effect, reason), "RC{code}");
        let read = of(code, false);
        assert_eq!(read, (if effect == Unknown { Nothing } else { effect }, reason), "RC{code} of a read");
    }
}

#[test]
fn every_status_of_the_web_interface_has_its_meaning() {
    use Effect::{Nothing, Refused, Unknown};
    let none = std::collections::BTreeMap::new();
    let of = |status, body: &str, writes| {
        let answer = HttpResponse::new(status).with_body(body, false);
        let failure = error::web(&answer, writes, &none);
        (failure.effect, failure.reason, failure.vendor_code.unwrap())
    };
    for (status, effect, reason) in [
        (400, Refused, Reason::Invalid),
        (401, Refused, Reason::Unauthenticated),
        (403, Refused, Reason::Forbidden),
        (404, Refused, Reason::NotThere),
        (409, Refused, Reason::Clash),
        (418, Refused, Reason::Other),
        (429, Nothing, Reason::RateLimited),
        (500, Unknown, Reason::Other),
        (503, Unknown, Reason::Other),
        (302, Unknown, Reason::Other),
    ] {
        assert_eq!(of(status, "", true), (effect, reason, status.to_string()));
        assert_ne!(of(status, "", false).0, Unknown);
    }
    assert_eq!(of(404, r#"{"status": 404, "code": 40401}"#, true).2, "40401");
    for odd in ["[]", r#"{"code": {}}"#, r#"{"code": "a b"}"#, "<html>"] {
        assert_eq!(of(404, odd, true).2, "404", "{odd}");
    }
}
