//! Keys that are sent to phones over the PMS interface.
use super::stage::{Stage, Way, call};
use seam_core::clock::Clock;
use seam_core::model::{AcsEntranceId, Window};
use seam_core::provider::*;
use secrecy::SecretString;

const PHONE: &str = "+34600111222";

fn key(s: &Stage, phone_number: Option<&str>, hours: i64, role: Role) -> Want {
    let now = s.clock.now();
    let window = Window::new(now, Some(now + chrono::TimeDelta::hours(hours))).unwrap();
    let room = Door { id: AcsEntranceId::from_uuid(uuid::Uuid::nil()), handle: Handle::text("room/007"), class: DoorClass::Guest };
    let stay = StaySpec { key: "stay".to_owned(), generation: 1, doors: vec![room.clone()], window };
    Want::Credential(CredentialSpec {
        user: None,
        holder: "Ana".to_owned(),
        doors: vec![room],
        window,
        schedule: None,
        suspended: false,
        body: Body::MobileKey { endpoint: None, phone_number: phone_number.map(SecretString::from) },
        stay: Some((stay, role)),
    })
}

async fn put(s: &Stage, want: &Want, had: Option<&Handle>) -> Result<Receipt, Failure> {
    let system = s.system();
    s.pass_while(s.provider.put(want, had, &call(&system, "row"))).await
}

#[tokio::test]
async fn a_key_is_sent_once_is_longer_when_it_is_to_be_and_names_no_phone() {
    let s = Stage::new(Way::Pms, |o| o.mobile_keys = true).await;
    let first = put(&s, &key(&s, Some(PHONE), 24, Role::Open), None).await.unwrap();
    assert_eq!((first.certainty, s.sim.take_requests()), (Certainty::Accepted, vec!["CNM".to_owned()]));
    assert!(s.sim.present_phone("room/007", PHONE).is_open() && !s.sim.present_phone("room/101", PHONE).is_open());
    assert!(s.sim.is_occupied("007"));
    // Asked for again it is not sent again.
    let again = put(&s, &key(&s, Some(PHONE), 24, Role::Open), first.handle.as_ref()).await.unwrap();
    assert_eq!((again.handle.clone(), s.sim.take_requests()), (first.handle.clone(), vec![]));
    // Longer: a copy, for a new guest's key would end those of the others.
    let longer = put(&s, &key(&s, Some(PHONE), 48, Role::Join { with: Vec::new() }), first.handle.as_ref()).await.unwrap();
    assert_eq!(s.sim.take_requests(), ["CCM"]);
    s.clock.advance(chrono::TimeDelta::hours(30));
    assert!(s.sim.present_phone("room/007", PHONE).is_open());
    // What is kept of it and what is shown of it does not say whose phone it is on.
    for text in [longer.handle.unwrap().0.to_string(), format!("{:?}", key(&s, Some(PHONE), 1, Role::Open)), format!("{first:?}")] {
        assert!(!text.contains("600111222"), "{text}");
    }
    // No request reaches it there: until when it opens is told.
    let last = key(&s, Some(PHONE), 48, Role::Open);
    let system = s.system();
    assert!(s.provider.remove(&last, None, &call(&system, "row")).await.unwrap().may_open_until.is_some());
}

#[tokio::test]
async fn without_a_number_that_can_be_called_nothing_is_sent() {
    let s = Stage::new(Way::Pms, |o| o.mobile_keys = true).await;
    let cases = [
        (None, Reason::NotThere),
        (Some("0600111222"), Reason::Invalid),
        (Some("+34 600"), Reason::Invalid),
        (Some("+"), Reason::Invalid),
        (Some("+3460011\u{b3}222"), Reason::Invalid),
        (Some("+1234567890123456"), Reason::Invalid),
    ];
    for (number, reason) in cases {
        let failure = put(&s, &key(&s, number, 24, Role::Open), None).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Refused, reason), "{number:?}");
        assert!(number.is_none_or(|number| number.len() < 5 || !failure.to_string().contains(number)), "{failure}");
    }
    assert!(s.sim.take_requests().is_empty());
    // Without the option there are no such keys.
    let without = Stage::new(Way::Pms, |_| {}).await;
    let failure = put(&without, &key(&without, Some(PHONE), 24, Role::Open), None).await.unwrap_err();
    assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::Unsupported));
    assert!(!without.provider.systems().await.unwrap()[0].kinds.contains_key(&Kind::MobileKey));
}

/// The system says so in words of its own, and what it has done until then is not said.
#[tokio::test]
async fn a_phone_without_the_app_is_in_doubt() {
    let s = Stage::new(Way::Pms, |o| o.mobile_keys = true).await;
    s.sim.set_app(PHONE, false);
    let failure = put(&s, &key(&s, Some(PHONE), 24, Role::Open), None).await.unwrap_err();
    assert_eq!((failure.effect, failure.vendor_code.as_deref()), (Effect::Unknown, Some("EG")));
    s.sim.set_app(PHONE, true);
    put(&s, &key(&s, Some(PHONE), 24, Role::Open), failure.left.as_ref()).await.unwrap();
    assert!(s.sim.present_phone("room/007", PHONE).is_open());
}
