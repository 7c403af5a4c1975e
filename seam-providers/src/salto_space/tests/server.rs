//! What a server is, beside what it answers: its certificate, its clock, its address, its size.
use super::stage::{Stage, Way, ZONE, call};
use crate::net::sim::{Misbehaviour, SimCertificate};
use crate::salto_space::config::Settings;
use crate::salto_space::sim::{SimDoor, SimTry};
use crate::salto_space::users::Users;
use seam_core::clock::Clock;
use seam_core::encoder::JobControl;
use seam_core::provider::*;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Nobody who shows another certificate, or one for another name, is told the login.
#[tokio::test]
async fn a_certificate_that_is_not_the_pinned_one_or_has_another_name_gets_nothing() {
    let own = SimCertificate::new(&["127.0.0.1"]).unwrap();
    let s = Stage::new(Way::Http, |o| o.certificate = Some(own.clone())).await;
    let with = |certificates| {
        let mut settings = s.sim.ship_settings(false);
        settings["ship"]["certificates"] = certificates;
        Stage::open(&s.clock, &settings).unwrap()
    };
    let pinned = with(json!({"pinned_sha256": [own.sha256_hex()]}));
    assert!(pinned.readiness().await.is_empty());
    let before = s.sim.ship.requests();
    let unknown = s.provider.readiness().await;
    assert_eq!(unknown[0].code, "ship_not_ready", "nobody has vouched for it");
    let other = SimCertificate::new(&["space.example"]).unwrap();
    s.sim.ship.change_certificate(other.clone());
    s.sim.ship.cut_off().await.unwrap();
    for provider in [pinned, with(json!({"root_certificates": other.pem()}))] {
        let failure = provider.inventory().unwrap().entrances(&s.system()).await.unwrap_err();
        assert_eq!(failure.effect, Effect::Nothing, "{failure}");
    }
    assert_eq!(s.sim.ship.requests(), before, "no request and no login went out");
}

#[tokio::test]
async fn a_server_with_another_time_zone_or_a_wrong_clock_is_told_of() {
    let s = Stage::new(Way::Http, |_| {}).await;
    assert!(s.provider.readiness().await.is_empty());
    let mut settings = s.sim.ship_settings(false);
    settings["time_zone"] = json!("America/New_York");
    let codes: Vec<String> = Stage::open(&s.clock, &settings).unwrap().readiness().await.into_iter().map(|f| f.code).collect();
    assert_eq!(codes, ["clock_or_time_zone_differs"]);
    s.sim.set_clock_fast(chrono::TimeDelta::minutes(-20));
    let slow = s.provider.readiness().await;
    assert!(slow[0].message.contains("20 minutes"), "{}", slow[0].message);
}

#[tokio::test]
async fn pauses_are_passed_on_and_a_refused_login_is_not_tried_again() {
    let s = Stage::new(Way::Http, |_| {}).await;
    let system = s.system();
    let user = Want::User(UserSpec { name: "Ana".to_owned(), email: None, phone: None, window: None, suspended: false });
    let answer = |text: &str| Some(Misbehaviour::Garbage(text.as_bytes().to_vec()));
    s.sim.ship.misbehave(answer("HTTP/1.1 429 X\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n")).await.unwrap();
    let failure = s.provider.put(&user, None, &call(&system, "row")).await.unwrap_err();
    assert_eq!((failure.effect, failure.retry_after), (Effect::Nothing, Some(Duration::from_secs(17))));
    let before = s.sim.ship.requests();
    s.sim.ship.misbehave(answer("HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n")).await.unwrap();
    let failure = s.provider.put(&user, None, &call(&system, "row")).await.unwrap_err();
    assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::Unauthenticated));
    assert_eq!(s.sim.ship.requests() - before, 1);
}

/// What names a system for good does not change when it is reached otherwise.
#[tokio::test]
async fn the_identity_of_a_system_is_its_server() {
    let s = Stage::new(Way::Pms, |_| {}).await;
    let print = async |settings: serde_json::Value| {
        let provider = Stage::open(&s.clock, &settings).unwrap();
        provider.systems().await.unwrap().remove(0).fingerprint
    };
    let mut moved = s.sim.pms_settings();
    moved["pms"]["port"] = json!(4711);
    assert_eq!(print(moved).await, print(s.sim.pms_settings()).await);
    let mut prints = Vec::new();
    for address in ["http://Space.example:8100/", "https://space.example/ship", "stp://space.example:8050", "https://[::1]:8100/"] {
        let mut settings = s.sim.ship_settings(false);
        settings["ship"]["address"] = json!(address);
        prints.push(print(settings).await);
    }
    assert!(prints[0] == prints[1] && prints[1] == prints[2] && prints[2] != prints[3], "{prints:?}");
    assert!(prints[3].ends_with(" [::1]"), "{prints:?}");
}

/// A list of many users is longer than a frame of other protocols may be.
#[tokio::test]
async fn a_long_list_comes_over_stp_in_full() {
    let s = Stage::new(Way::Stp, |_| {}).await;
    for n in 0..150 {
        let title = "x".repeat(9000);
        let user = format!(
            "<SaltoDBUser><ExtUserID>U{n:03}</ExtUserID><FirstName>F</FirstName><LastName>{n}</LastName><GPF1>{title}</GPF1></SaltoDBUser>"
        );
        let request = format!("<RequestCall><RequestName>SaltoDBUser.Insert</RequestName><Params>{user}</Params></RequestCall>");
        assert!(!s.sim.ask_ship(&request).await.contains("Exception"));
    }
    let page = s.provider.inventory().unwrap().held(&s.system(), None).await.unwrap().unwrap();
    assert_eq!(page.things.len(), 150);
}

/// Each answer is small enough, and there is another one behind it: a list that goes on for ever would fill the memory.
#[tokio::test]
async fn a_list_of_doors_is_left_once_it_is_too_long() {
    let door = |n| SimDoor { id: format!("door-{n:04}"), name: format!("Door {n:04}"), online: false };
    let s = Stage::new(Way::Http, |o| o.doors = (0..500).map(door).collect()).await;
    let listed = async |longest: Option<usize>| {
        let settings: Settings = serde_json::from_value(s.sim.ship_settings(false)).unwrap();
        let mut users = Users::new("site", ZONE, settings.ship.unwrap(), &(Arc::clone(&s.clock) as Arc<dyn Clock>)).unwrap();
        if let Some(longest) = longest {
            users.client.longest_list = longest;
        }
        s.sim.take_requests();
        let doors = users.entrances().await.map(|doors| doors.len()).map_err(|failure| (failure.effect, failure.reason));
        (doors, s.sim.take_requests().len())
    };
    assert_eq!(listed(None).await, (Ok(500), 6), "three pages of doors, and three times the states of some of them");
    // A page has some 22,000 bytes, and the states of its doors 27,000.
    for (longest, asked) in [(1000, 1), (40_000, 2), (60_000, 4), (100_000, 5)] {
        assert_eq!(listed(Some(longest)).await, (Err((Effect::Nothing, Reason::Garbled)), asked), "{longest}");
    }
}

/// A control unit that is not spoken with decides with what it was told before: it is no online door now.
#[tokio::test]
async fn a_door_that_is_cut_off_is_not_online() {
    let s = Stage::new(Way::Http, |_| {}).await;
    let class = async || {
        let doors = s.provider.inventory().unwrap().entrances(&s.system()).await.unwrap();
        doors.into_iter().find(|d| d.handle == Handle::text("gate")).unwrap().class
    };
    assert_eq!(class().await, DoorClass::Online);
    s.sim.set_door_cut_off("gate", true);
    assert_eq!(class().await, DoorClass::Common);
}

/// A card was written and the answer lost: the next try finds that the user has a key, and writes it anew. Another card is refused, and it is said what to do.
#[tokio::test]
async fn a_user_who_has_a_key_already_gets_that_key_written_anew() {
    let s = Stage::new(Way::Http, |_| {}).await;
    let system = s.system();
    let user = Want::User(UserSpec { name: "Ana".to_owned(), email: None, phone: None, window: None, suspended: false });
    let holder = s.provider.put(&user, None, &call(&system, "user")).await.unwrap().handle;
    let now = s.clock.now();
    let window = seam_core::model::Window::new(now, Some(now + chrono::TimeDelta::days(1))).unwrap();
    let spec = CredentialSpec {
        user: holder,
        holder: "Ana".to_owned(),
        doors: Vec::new(),
        window,
        schedule: None,
        suspended: false,
        body: Body::Card { number: None },
        stay: None,
    };
    let encode = async || {
        let control = JobControl::new(s.clock.now() + chrono::TimeDelta::seconds(20), s.clock.now() + chrono::TimeDelta::seconds(25));
        let (call, desk) = (call(&system, "card"), Handle::text("Desk 1"));
        s.pass_while(s.provider.encoders().unwrap().encode(&spec, None, &desk, &call, &control)).await
    };
    let card = s.sim.blank_card();
    s.sim.lay("Desk 1", &card);
    encode().await.unwrap();
    s.sim.take_requests();
    let again = encode().await.unwrap();
    assert_eq!(again.made.card_number, Some(card.serial()));
    let asked = s.sim.take_requests();
    assert_eq!(asked[..2], ["Encoder.SaltoDBUser.AssignNewKey", "Encoder.SaltoDBUser.UpdateCurrentKey"]);
    s.sim.lay("Desk 1", &s.sim.blank_card());
    let failure = encode().await.unwrap_err();
    assert_eq!((failure.effect, failure.reason), (Effect::Nothing, Reason::BadCard));
    assert!(failure.message.contains("another key"), "{failure}");
    assert_ne!(s.sim.present("store", &card), SimTry::Unknown, "her key is still one");
}

/// The byte that takes a request and the answer to it come in one packet.
#[tokio::test]
async fn an_answer_may_come_together_with_what_is_before_it() {
    let s = Stage::new(Way::Pms, |_| {}).await;
    s.sim.pms.misbehave(Some(Misbehaviour::Packed)).await.unwrap();
    let system = s.system();
    let now = s.clock.now();
    let control = JobControl::new(now + chrono::TimeDelta::seconds(20), now + chrono::TimeDelta::seconds(25));
    s.sim.lay("Desk 1", &s.sim.staff_card());
    let call = call(&system, "row");
    let seen = s.pass_while(s.provider.encoders().unwrap().read(&Handle::text("Desk 1"), &call, &control)).await.unwrap();
    assert_eq!(seen.carries, Some(Handle::text("staff key")));
}
