//! What goes wrong on the wires.
use super::stage::{Stage, Way, call};
use crate::net::sim::Misbehaviour;
use crate::salto_space::error;
use crate::salto_space::frame::FrameCodec;
use crate::salto_space::ship::{NoAnswer, Request, StpCodec, time};
use crate::salto_space::ship_client::body;
use crate::salto_space::sim::{PmsFaults, SimLogin};
use crate::salto_space::xml::{Node, XmlError};
use bytes::BytesMut;
use chrono::TimeDelta;
use proptest::prelude::*;
use seam_core::clock::Clock;
use seam_core::encoder::JobControl;
use seam_core::model::{AcsEntranceId, Window};
use seam_core::provider::*;
use tokio_util::codec::{Decoder, Encoder};

fn door(handle: &str, class: DoorClass) -> Door {
    Door { id: AcsEntranceId::from_uuid(uuid::Uuid::nil()), handle: Handle::text(handle), class }
}

impl Stage {
    fn guest(&self, room: &str) -> CredentialSpec {
        let now = self.clock.now();
        let window = Window::new(now, Some(now + TimeDelta::days(2))).unwrap();
        let doors = vec![door(room, DoorClass::Guest)];
        let stay = StaySpec { key: "stay".to_owned(), generation: 1, doors: doors.clone(), window };
        let body = Body::Card { number: None };
        CredentialSpec {
            user: None,
            holder: "Ana".to_owned(),
            doors,
            window,
            schedule: None,
            suspended: false,
            body,
            stay: Some((stay, Role::Open)),
        }
    }
    async fn encode(&self, room: &str) -> Result<Receipt, Failure> {
        let system = self.system();
        let call = call(&system, "row");
        let now = self.clock.now();
        let control = JobControl::new(now + TimeDelta::seconds(20), now + TimeDelta::seconds(25));
        let encoders = self.provider.encoders().unwrap();
        self.sim.lay("Desk 1", &self.sim.blank_card());
        self.pass_while(encoders.encode(&self.guest(room), None, &Handle::text("Desk 1"), &call, &control)).await
    }
    async fn user(&self, tag: &str) -> Result<Receipt, Failure> {
        let system = self.system();
        let call = call(&system, tag);
        let user = UserSpec { name: "J\u{fc}rgen <&> S\u{e1}nz".to_owned(), email: None, phone: None, window: None, suspended: false };
        self.pass_while(self.provider.put(&Want::User(user), None, &call)).await
    }
}

#[tokio::test]
async fn the_pms_line_says_what_may_have_happened() {
    let faults = PmsFaults::default;
    let cases = [
        ("in order", faults(), None),
        ("not ready twice", PmsFaults { not_ready: 2, ..faults() }, None),
        ("never ready", PmsFaults { not_ready: u32::MAX, ..faults() }, Some((Effect::Nothing, Reason::Busy))),
        ("refuses twice", PmsFaults { refuses: 2, ..faults() }, None),
        ("a storm of refusals", PmsFaults { refuses: u32::MAX, ..faults() }, Some((Effect::Nothing, Reason::Busy))),
        ("wrong check byte", PmsFaults { wrong_lrc: true, ..faults() }, Some((Effect::Unknown, Reason::Garbled))),
        ("silent", PmsFaults { late: true, ..faults() }, Some((Effect::Unknown, Reason::TimedOut))),
    ];
    for (what, faults, expected) in cases {
        let s = Stage::new(Way::Pms, |_| {}).await;
        s.sim.set_pms_faults(faults);
        let answer = s.encode("room/101").await;
        assert_eq!(answer.as_ref().err().map(|f| (f.effect, f.reason)), expected, "{what}: {answer:?}");
        assert!(s.sim.take_requests().len() <= 1, "{what}: never written twice");
    }
}

#[tokio::test]
async fn answers_to_somebody_else_and_codes_mean_what_they_say() {
    use Effect::{Nothing, Refused, Unknown};
    let cases = [
        ("CN,Desk 2", Unknown, Reason::Garbled),
        ("LT,Desk 1,LM", Unknown, Reason::Garbled),
        ("ES,Desk 1", Refused, Reason::Invalid),
        ("NC,Desk 1", Nothing, Reason::EncoderOffline),
        ("OV,Desk 1", Nothing, Reason::Busy),
        ("EP,Desk 1", Nothing, Reason::NoCard),
        ("EF,Desk 1", Nothing, Reason::BadCard),
        ("TD,Desk 1", Refused, Reason::NotThere),
        ("ED", Nothing, Reason::NoCard),
        ("EA,Desk 1", Refused, Reason::Clash),
        ("OS,Desk 1", Refused, Reason::Clash),
        ("EO,Desk 1", Nothing, Reason::Busy),
        ("EV,Desk 1", Nothing, Reason::BadCard),
        ("NF", Nothing, Reason::Other),
        ("WE,Desk 1", Refused, Reason::Other),
        ("EG,Desk 1,Something", Unknown, Reason::Other),
        ("ZZ,Desk 1", Unknown, Reason::Other),
    ];
    let s = Stage::new(Way::Pms, |_| {}).await;
    for (fields, effect, reason) in cases {
        let answers = Some(fields.split(',').map(str::to_owned).collect());
        s.sim.set_pms_faults(PmsFaults { answers, ..PmsFaults::default() });
        let failure = s.encode("room/101").await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (effect, reason), "{fields}");
    }
}

#[test]
fn every_code_of_ship_has_its_meaning_and_so_has_every_other() {
    use Effect::{Nothing, Refused, Unknown};
    let table: [(&[u32], Effect, Reason); 13] = [
        (&[7, 12, 500, 501, 502, 503, 600, 601], Refused, Reason::Invalid),
        (&[10, 102, 202, 203, 205, 305], Refused, Reason::Clash),
        (&[11, 100, 200, 300, 400], Refused, Reason::NotThere),
        (&[13], Refused, Reason::Unsupported),
        (&[14, 301], Refused, Reason::Full),
        (&[101, 201, 402], Nothing, Reason::Busy),
        (&[204], Refused, Reason::Forbidden),
        (&[206], Refused, Reason::WindowRefused),
        (&[302, 304, 306], Nothing, Reason::BadCard),
        (&[303, 403], Nothing, Reason::NoCard),
        (&[401, 406, 407], Nothing, Reason::EncoderOffline),
        (&[405], Nothing, Reason::Cancelled),
        // A failure inside may have come halfway; 6, 0 and the rest say nothing of this request, or nobody has documented them.
        (&[0, 1, 4, 5, 6, 404, 9999, u32::MAX], Unknown, Reason::Other),
    ];
    for (codes, effect, reason) in table {
        for code in codes {
            let said = NoAnswer::Exception { code: *code, message: "planted".to_owned() };
            let (wrote, read) = (error::ship(&said, true), error::ship(&said, false));
            assert_eq!((wrote.effect, wrote.reason, wrote.vendor_code), (effect, reason, Some(code.to_string())));
            assert_eq!((read.effect, read.reason), (if effect == Unknown { Nothing } else { effect }, reason), "{code} of a read");
            assert!(!wrote.message.contains("planted"), "{code}");
        }
    }
}

#[test]
fn every_status_has_its_meaning_and_an_answer_that_was_cut_off_is_none() {
    use Effect::{Nothing, Refused, Unknown};
    const ANSWER: &str = "\u{feff}<RequestResponse><RequestName>GetInfo</RequestName></RequestResponse>";
    let of = |status, text: &str, is_cut| {
        let failure = body(&HttpResponse::new(status).with_body(text, is_cut)).err()?;
        assert_eq!(failure.vendor_code, Some(status.to_string()));
        Some((failure.effect, failure.reason))
    };
    let table = [
        (302, Refused, Reason::Other),
        (400, Refused, Reason::Other),
        (401, Refused, Reason::Unauthenticated),
        (403, Refused, Reason::Unauthenticated),
        (415, Refused, Reason::Other),
        (429, Nothing, Reason::RateLimited),
        (500, Unknown, Reason::Other),
        (501, Refused, Reason::Unsupported),
        (503, Unknown, Reason::RateLimited),
        (200, Unknown, Reason::Garbled),
    ];
    for (status, effect, reason) in table {
        assert_eq!(of(status, "<html>no</html>", false), Some((effect, reason)), "{status}");
    }
    assert_eq!((of(200, ANSWER, false), of(404, ANSWER, false)), (None, None), "an exception may come with any status");
    assert_eq!(of(200, ANSWER, true), Some((Unknown, Reason::Garbled)), "the rest of it was not read");
    assert_eq!(of(401, ANSWER, false), Some((Refused, Reason::Unauthenticated)));
}

#[tokio::test]
async fn whole_wires_go_wrong() {
    let cases = [
        (Misbehaviour::Offline, Effect::Nothing),
        (Misbehaviour::LoseRequests, Effect::Unknown),
        (Misbehaviour::LoseAnswers, Effect::Unknown),
        (Misbehaviour::HalfAnswer, Effect::Unknown),
        (Misbehaviour::Garbage(b"hello".to_vec()), Effect::Unknown),
    ];
    for (how, effect) in cases {
        let s = Stage::new(Way::Pms, |_| {}).await;
        s.sim.pms.misbehave(Some(how.clone())).await.unwrap();
        assert_eq!(s.encode("room/007").await.unwrap_err().effect, effect, "{how:?}");
        let s = Stage::new(Way::Stp, |_| {}).await;
        s.sim.stp.misbehave(Some(how.clone())).await.unwrap();
        assert_eq!(s.user("u").await.unwrap_err().effect, effect, "{how:?}");
    }
    for way in [Way::Pms, Way::Stp] {
        let s = Stage::new(way, |_| {}).await;
        s.sim.pms.misbehave(Some(Misbehaviour::Drip)).await.unwrap();
        s.sim.stp.misbehave(Some(Misbehaviour::Drip)).await.unwrap();
        let done = if way == Way::Pms { s.encode("room/007").await } else { s.user("u").await };
        done.unwrap();
    }
}

#[tokio::test]
async fn logins_are_checked_and_told_nowhere() {
    let logins = [SimLogin::Basic("desk".to_owned(), "planted-password".to_owned()), SimLogin::Key("planted-key".to_owned())];
    for login in logins {
        let s = Stage::new(Way::Http, |o| o.login = login.clone()).await;
        s.user("u").await.unwrap();
        let mut settings = s.sim.ship_settings(false);
        for name in ["password", "key"] {
            if settings["ship"].get(name).is_some() {
                settings["ship"][name] = serde_json::json!("planted-wrong");
            }
        }
        let wrong = Stage::open(&s.clock, &settings).unwrap();
        let failure = wrong.inventory().unwrap().entrances(&s.system()).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::Unauthenticated));
        assert!(!format!("{failure:?} {wrong:?} {wrong} {:?}", s.provider).contains("planted"));
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_without_being_repeated() {
    let s = Stage::new(Way::Pms, |_| {}).await;
    let changes: [fn(&mut serde_json::Value); 10] = [
        |v| v["time_zone"] = "Mars/Phobos".into(),
        |v| v["pms"]["rooms"] = serde_json::json!(["101", "101"]),
        |v| v["pms"]["rooms"] = serde_json::json!(["Z\u{fc}rich"]),
        |v| v["pms"]["rooms"] = serde_json::json!(["LM"]),
        |v| v["pms"]["authorisations"] = serde_json::json!([{"number": 63, "name": "x"}]),
        |v| v["pms"]["unheard-of"] = "planted".into(),
        |v| drop(v.as_object_mut().unwrap().remove("pms")),
        // The address is shown, as the name of a channel.
        |v| v["ship"] = serde_json::json!({"address": "https://desk:planted@server:8100/"}),
        |v| v["ship"] = serde_json::json!({"address": "https://server:8100/?key=planted"}),
        |v| v["ship"] = serde_json::json!({"address": "stp://planted@server:8050"}),
    ];
    for change in changes {
        let mut settings = s.sim.pms_settings();
        change(&mut settings);
        let failure = Stage::open(&s.clock, &settings).unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::Invalid));
        assert!(!failure.to_string().contains("planted"));
    }
}

/// What is cut off by the system is found by nobody again, and may be somebody else's name.
#[tokio::test]
async fn a_name_of_a_row_that_does_not_fit_is_refused_before_anything_is_sent() {
    let s = Stage::new(Way::Http, |_| {}).await;
    for bad in ["", "a b", "a<b", "\u{fc}", &"x".repeat(33)] {
        let failure = s.user(bad).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::Invalid), "{bad:?}");
    }
    assert!(s.sim.take_requests().is_empty());
    s.user(&"x".repeat(32)).await.unwrap();
    assert_eq!(s.sim.users(), ["x".repeat(32)]);
}

/// An answer without a list and without the word that there is none: because of it nobody is absent, and no door is gone.
#[tokio::test]
async fn a_list_that_is_not_there_is_no_empty_list() {
    let s = Stage::new(Way::Http, |_| {}).await;
    s.user("row").await.unwrap();
    let system = s.system();
    let call = call(&system, "row");
    let user = Want::User(UserSpec { name: "Ana".to_owned(), email: None, phone: None, window: None, suspended: false });
    let answers = |name: &str, params: &str| {
        let body = format!("<RequestResponse><RequestName>{name}</RequestName>{params}</RequestResponse>");
        let head = format!("HTTP/1.1 200 X\r\nContent-Length: {}\r\n\r\n", body.len());
        Some(Misbehaviour::Garbage(format!("{head}{body}").into_bytes()))
    };
    s.sim.ship.misbehave(answers("SaltoDBUserList.Read", "<Params/>")).await.unwrap();
    let failure = s.pass_while(s.provider.find(&user, None, &call)).await.unwrap_err();
    assert_eq!((failure.effect, failure.reason), (Effect::Nothing, Reason::Garbled));
    let held = s.provider.inventory().unwrap().held(&system, None).await;
    assert_eq!(held.unwrap_err().reason, Reason::Garbled);
    s.sim.ship.misbehave(answers("SaltoDBDoorList.Read", "")).await.unwrap();
    let doors = s.provider.inventory().unwrap().entrances(&system).await;
    assert_eq!(doors.unwrap_err().reason, Reason::Garbled);
    // There is nobody, and it says so.
    s.sim.ship.misbehave(answers("SaltoDBUserList.Read", "<Params><EOF>1</EOF></Params>")).await.unwrap();
    assert!(matches!(s.pass_while(s.provider.find(&user, None, &call)).await.unwrap(), Found::Absent));
}

/// The server passes over where a page is to begin: who is not on it may be on another one.
#[tokio::test]
async fn a_list_that_repeats_itself_is_no_whole_list() {
    let s = Stage::new(Way::Http, |_| {}).await;
    let system = s.system();
    let call = call(&system, "row");
    let user = Want::User(UserSpec { name: "Ana".to_owned(), email: None, phone: None, window: None, suspended: false });
    let page = |kind: &str, ids: &[&str]| {
        let things: String = ids.iter().map(|id| format!("<SaltoDB{kind}><Ext{kind}ID>{id}</Ext{kind}ID></SaltoDB{kind}>")).collect();
        let name = format!("<RequestName>SaltoDB{kind}List.Read</RequestName>");
        let list = format!("<SaltoDB{kind}List>{things}</SaltoDB{kind}List><EOF>0</EOF>");
        let body = format!("<RequestResponse>{name}<Params>{list}</Params></RequestResponse>");
        Some(Misbehaviour::Garbage(format!("HTTP/1.1 200 X\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()))
    };
    let inventory = s.provider.inventory().unwrap();
    s.sim.ship.misbehave(page("User", &["one", "two"])).await.unwrap();
    let failure = s.pass_while(s.provider.find(&user, None, &call)).await.unwrap_err();
    assert_eq!((failure.effect, failure.reason), (Effect::Nothing, Reason::Garbled));
    let first = inventory.held(&system, None).await.unwrap().unwrap();
    assert_eq!(inventory.held(&system, first.next.as_deref()).await.unwrap_err().reason, Reason::Garbled);
    s.sim.ship.misbehave(page("Door", &["one", "two"])).await.unwrap();
    assert_eq!(inventory.entrances(&system).await.unwrap_err().message, "the list has no end", "and no state of its doors is asked for");
    // Only the id that was asked for: so ends a list whose pages begin with it.
    s.sim.ship.misbehave(page("User", &["two"])).await.unwrap();
    assert!(matches!(s.pass_while(s.provider.find(&user, None, &call)).await.unwrap(), Found::Absent));
}

/// What the system says of a request may quote it, and a PIN is in some.
#[tokio::test]
async fn the_words_of_an_exception_are_not_repeated_and_a_gateway_s_503_is_in_doubt() {
    let s = Stage::new(Way::Http, |_| {}).await;
    let exception = "<RequestResponse><RequestName>SaltoDBUser.InsertOrUpdate</RequestName><Exception><Code>7</Code><Message>planted</Message></Exception></RequestResponse>";
    let answer = format!("HTTP/1.1 200 X\r\nContent-Length: {}\r\n\r\n{exception}", exception.len());
    s.sim.ship.misbehave(Some(Misbehaviour::Garbage(answer.into_bytes()))).await.unwrap();
    let failure = s.user("row").await.unwrap_err();
    assert_eq!((failure.effect, failure.reason, failure.vendor_code.as_deref()), (Effect::Refused, Reason::Invalid, Some("7")));
    assert!(!format!("{failure}").contains("planted"), "{failure}");
    let busy = b"HTTP/1.1 503 X\r\nRetry-After: 99999999999999\r\nContent-Length: 0\r\n\r\n";
    s.sim.ship.misbehave(Some(Misbehaviour::Garbage(busy.to_vec()))).await.unwrap();
    let failure = s.user("row").await.unwrap_err();
    assert_eq!((failure.effect, failure.retry_after), (Effect::Unknown, Some(crate::net::LONGEST_PAUSE)));
    let read = s.provider.inventory().unwrap().entrances(&s.system()).await.unwrap_err();
    assert_eq!((read.effect, read.reason), (Effect::Nothing, Reason::RateLimited));
}

#[tokio::test]
async fn every_room_of_a_stay_that_is_known_is_checked_out() {
    let s = Stage::new(Way::Pms, |_| {}).await;
    let Some((mut stay, _)) = s.guest("room/101").stay else { unreachable!() };
    stay.doors = ["room/101", "room/999", "room/007"].map(|room| door(room, DoorClass::Guest)).into();
    let system = s.system();
    let call = call(&system, "row");
    s.encode("room/101").await.unwrap();
    assert!(s.sim.is_occupied("101"));
    s.pass_while(s.provider.remove(&Want::Stay(stay), None, &call)).await.unwrap();
    assert!(!s.sim.is_occupied("101"), "a room that the settings have no more keeps no other from being checked out");
    assert_eq!(s.sim.take_requests(), ["CN", "CO", "CO"]);
}

/// `MC` has no word for a stay that does not end.
#[tokio::test]
async fn a_stay_without_an_end_is_refused_before_anything_is_sent() {
    let s = Stage::new(Way::Pms, |_| {}).await;
    let (mut stay, _) = s.guest("room/101").stay.unwrap();
    stay.window = Window::new(stay.window.starts_at(), None).unwrap();
    let system = s.system();
    let call = call(&system, "row");
    let before = s.sim.pms.requests();
    for had in [None, Some(Handle::text("1100241126"))] {
        let refused = s.provider.put(&Want::Stay(stay.clone()), had.as_ref(), &call).await.unwrap_err();
        assert_eq!((refused.effect, refused.reason), (Effect::Refused, Reason::WindowRefused));
    }
    assert_eq!(s.sim.pms.requests(), before);
}

/// The number of a card goes into events and lists.
#[tokio::test]
async fn a_serial_number_is_one_or_none() {
    for (told, number) in [("04a1b2c3d4e5f6", Some("04A1B2C3D4E5F6")), ("", None), ("04A", None), ("Ana, room 101", None)] {
        let s = Stage::new(Way::Pms, |_| {}).await;
        let answers = Some(["CN", "Desk 1", told].map(str::to_owned).into());
        s.sim.set_pms_faults(PmsFaults { answers, ..PmsFaults::default() });
        assert_eq!(s.encode("room/101").await.unwrap().made.card_number.as_deref(), number, "{told:?}");
    }
}

/// Another server's answer, and XML that wants to fill the memory.
#[test]
fn bombs_and_strangers_are_no_answers() {
    let info = Request::new("GetInfo");
    let bomb = r#"<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "xxxx"><!ENTITY b "&a;&a;&a;">]><RequestResponse><RequestName>&b;</RequestName></RequestResponse>"#;
    assert_eq!(info.answer(bomb).unwrap_err(), NoAnswer::Xml(XmlError::DocumentType));
    let deep = format!("{}{}", "<a>".repeat(5000), "</a>".repeat(5000));
    assert_eq!(info.answer(&deep).unwrap_err(), NoAnswer::Xml(XmlError::TooMuch));
    assert_eq!(info.answer("<a>&unknown;</a>").unwrap_err(), NoAnswer::Xml(XmlError::Malformed));
    assert_eq!(info.answer("<a?></a?>").unwrap_err(), NoAnswer::Xml(XmlError::Malformed), "a name that is none");
    for broken in ["", "hello", "<a>", "<a></b>", "<a/><b/>", "<a>\u{0}"] {
        assert!(info.answer(broken).is_err(), "{broken:?}");
    }
    let many = format!("<a>{}</a>", "<a/>".repeat(1_000_000));
    assert_eq!(info.answer(&many).unwrap_err(), NoAnswer::Xml(XmlError::TooMuch), "small on the wire, and not in memory");
    // Nothing is kept free, or waited for, that is longer than an answer may be.
    let most = crate::net::LONGEST_ANSWER - 16;
    for (length, is_possible) in [(most, true), (most + 1, false), (99_999_999, false)] {
        let head = StpCodec.decode(&mut BytesMut::from(format!("STP/00/{length}/").as_bytes()));
        assert_eq!(head.is_ok(), is_possible, "{length}");
    }
    let other = "<RequestResponse><RequestName>SaltoDBUser.Delete</RequestName></RequestResponse>";
    assert_eq!(info.answer(other).unwrap_err(), NoAnswer::Stranger);
    let gone = "<RequestResponse><RequestName>SaltoDBUser.Delete</RequestName><Exception><Code>200</Code><Message>User does not exist</Message></Exception></RequestResponse>";
    let expected = NoAnswer::Exception { code: 200, message: "User does not exist".to_owned() };
    assert_eq!(Request::new("SaltoDBUser.Delete").answer(gone).unwrap_err(), expected);
}

/// The examples of the envelope and of STP, byte for byte.
#[test]
fn envelopes_are_the_worked_ones() {
    let xml = r#"<?xml version="1.0" encoding="ISO-8859-1"?><RequestCall><RequestName>GetInfo</RequestName></RequestCall>"#;
    let mut bytes = BytesMut::new();
    StpCodec.encode(xml, &mut bytes).unwrap();
    assert_eq!(bytes, format!("STP/00/104/{xml}").as_bytes());
    assert_eq!(StpCodec.decode(&mut bytes).unwrap().unwrap(), xml);
    // Bytes are counted, not characters: 243 of these with one accent are 244.
    let accent = format!("{}\u{e9}{}", "x".repeat(100), "x".repeat(142));
    assert_eq!(accent.chars().count(), 243);
    let mut counted = BytesMut::new();
    StpCodec.encode(accent.as_str(), &mut counted).unwrap();
    assert!(counted.starts_with(b"STP/00/244/x"));
    assert_eq!(Request::new("GetInfo").document(), xml.replace("ISO-8859-1", "UTF-8"));
    let period = || Node::new("Period").with("StartDate", "2026-11-22T15:00:00").with("EndDate", "2026-11-24T11:00:00");
    let permission = Node::new("SaltoDB.AccessPermission.User_Door").with("ExtDoorID", "R101").with("UsePeriod", "1").with_node(period());
    let user = Node::new("SaltoDBUser")
        .with("ExtUserID", "stay-7f3a-1")
        .with("FirstName", "Ana")
        .with("LastName", "Sanz")
        .with("UserActivation", "2026-11-22T15:00:00")
        .with("UserExpiration.Enabled", "1")
        .with("UserExpiration", "2026-11-24T11:00:00")
        .with("PhoneNumber", "+34600111222")
        .with("MobileAppType", "2")
        .with_node(Node::new("SaltoDB.AccessPermissionList.User_Door").with_node(permission));
    let worked = concat!(
        r#"<?xml version="1.0" encoding="UTF-8"?><RequestCall><RequestName>SaltoDBUser.InsertOrUpdate</RequestName><Params><SaltoDBUser>"#,
        "<ExtUserID>stay-7f3a-1</ExtUserID><FirstName>Ana</FirstName><LastName>Sanz</LastName>",
        "<UserActivation>2026-11-22T15:00:00</UserActivation><UserExpiration.Enabled>1</UserExpiration.Enabled><UserExpiration>2026-11-24T11:00:00</UserExpiration>",
        "<PhoneNumber>+34600111222</PhoneNumber><MobileAppType>2</MobileAppType>",
        "<SaltoDB.AccessPermissionList.User_Door><SaltoDB.AccessPermission.User_Door><ExtDoorID>R101</ExtDoorID><UsePeriod>1</UsePeriod>",
        "<Period><StartDate>2026-11-22T15:00:00</StartDate><EndDate>2026-11-24T11:00:00</EndDate></Period>",
        "</SaltoDB.AccessPermission.User_Door></SaltoDB.AccessPermissionList.User_Door></SaltoDBUser></Params></RequestCall>",
    );
    assert_eq!(Request::new("SaltoDBUser.InsertOrUpdate").with_node(user).document(), worked);
    assert_eq!(time("2026-11-22T24:00:00"), time("2026-11-23T00:00:00"), "the end of a day");
    assert_eq!((time("2000-01-01T00:00:00"), time("1900-01-01T00:00:00"), time("yesterday")), (None, None, None));
    assert!(time("2026-1-2T03:04:05").is_some());
}

proptest! {
    #[test]
    fn documents_survive(text in "\\PC{0,40}", name in "[A-Za-z][A-Za-z.]{0,12}", cuts in prop::collection::vec(1..9_usize, 1..30)) {
        let node = Node::new("Root").with(&name, text.trim());
        let document = node.document();
        prop_assert_eq!(Node::parse(&document).unwrap(), node);
        let mut all = BytesMut::new();
        StpCodec.encode(document.as_str(), &mut all).unwrap();
        let (mut unread, mut rest, mut got) = (BytesMut::new(), &all[..], Vec::new());
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            unread.extend_from_slice(now);
            rest = later;
            got.extend(StpCodec.decode(&mut unread).unwrap());
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(got, vec![document]);
    }

    #[test]
    fn any_text_is_survived(text in "\\PC{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = Node::parse(&text);
        let _ = time(&text);
        let _ = StpCodec.decode(&mut BytesMut::from(&bytes[..]));
        let mut headed = BytesMut::from(&b"STP/00/"[..]);
        headed.extend_from_slice(&bytes);
        let _ = StpCodec.decode(&mut headed);
        let _ = FrameCodec::default().decode(&mut BytesMut::from(&bytes[..]));
    }
}
