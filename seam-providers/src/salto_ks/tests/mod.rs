//! Tests of Salto KS.
mod errors;
mod paths;

use crate::http::HttpClient;
use crate::net::sim::Misbehaviour;
use crate::net::stand::misbehaviour;
use crate::salto_ks::sim::{KsSim, LOCKS, OTP, SITE};
use crate::salto_ks::{KsFactory, OneTimeCodes};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use seam_core::clock::{Clock, ManualClock};
use seam_core::conformance::provider::{Fault, Issued, Judge, SamePin, Tried, check};
use seam_core::model::{AcsEntranceId, AcsSystemId, Window};
use seam_core::provider::*;
use secrecy::{ExposeSecret, SecretString};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Debug, Default)]
struct Record(Mutex<(u64, String)>);

#[async_trait]
impl Memo for Record {
    async fn load(&self) -> Result<(u64, SecretString), Failure> {
        let (version, text) = self.0.lock().unwrap().clone();
        Ok((version, SecretString::from(text)))
    }
    async fn swap(&self, version: u64, new: SecretString) -> Result<bool, Failure> {
        let mut record = self.0.lock().unwrap();
        let first = record.0 == version;
        if first {
            *record = (version + 1, new.expose_secret().to_owned());
        }
        Ok(first)
    }
}

#[derive(Debug, Default)]
struct Kept(Mutex<Vec<Handle>>);

#[async_trait]
impl Notes for Kept {
    async fn keep(&self, handle: &Handle) -> Result<(), Failure> {
        self.0.lock().unwrap().push(handle.clone());
        Ok(())
    }
}

#[derive(Debug)]
struct Codes(&'static str);

#[async_trait]
impl OneTimeCodes for Codes {
    async fn code(&self, _: &str) -> Option<SecretString> {
        Some(SecretString::from(self.0)).filter(|_| !self.0.is_empty())
    }
}

type Change = fn(method: HttpMethod, url: &str, answer: HttpResponse) -> Result<HttpResponse, Failure>;

/// Does what it is asked to, and changes the answers.
#[derive(Debug)]
struct Between(HttpClient, Change);

#[async_trait]
impl HttpTransport for Between {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let (method, url) = (request.method, request.url.clone());
        (self.1)(method, &url, self.0.send(request).await?)
    }
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

struct Stage {
    clock: Arc<ManualClock>,
    sim: KsSim,
    memo: Arc<Record>,
    provider: Arc<dyn AccessSystemProvider>,
    system: SystemRef,
    notes: Kept,
    waits: AtomicBool,
}

impl Stage {
    async fn new(code: &'static str) -> Self {
        let clock = Arc::new(ManualClock::new("2026-05-04T10:00:00Z".parse().unwrap()));
        let sim = KsSim::start(Arc::clone(&clock) as Arc<dyn Clock>).await.unwrap();
        let memo = Arc::new(Record::default());
        let provider = Self::open(&clock, &sim, &memo, code);
        let system = SystemRef { id: AcsSystemId::from_uuid(uuid::Uuid::nil()), handle: Handle::text(SITE) };
        Self { clock, sim, memo, provider, system, notes: Kept::default(), waits: AtomicBool::new(false) }
    }
    fn open(clock: &Arc<ManualClock>, sim: &KsSim, memo: &Arc<Record>, code: &'static str) -> Arc<dyn AccessSystemProvider> {
        Self::open_over(Arc::new(HttpClient::for_providers().unwrap()), clock, sim, memo, code)
    }
    fn open_over(
        http: Arc<dyn HttpTransport>,
        clock: &Arc<ManualClock>,
        sim: &KsSim,
        memo: &Arc<Record>,
        code: &'static str,
    ) -> Arc<dyn AccessSystemProvider> {
        let factory = KsFactory::new(http).with_codes(Arc::new(Codes(code)));
        let settings = sim.settings();
        assert_eq!(check_settings(&factory.settings_schema(), &settings), []);
        let env = ProviderEnv::new(Arc::clone(clock) as Arc<dyn Clock>, Arc::clone(memo) as Arc<dyn Memo>);
        factory.open(SecretString::from(settings.to_string()), env).unwrap()
    }
    /// The same account, with something between us and the cloud.
    fn behind(&self, change: Change) -> Arc<dyn AccessSystemProvider> {
        let http = Arc::new(Between(HttpClient::for_providers().unwrap(), change));
        Self::open_over(http, &self.clock, &self.sim, &self.memo, OTP)
    }
    fn call(&self, tag: &str) -> Call<'_> {
        let within = Duration::from_secs(20);
        Call { system: &self.system, tag: Tag(tag.to_owned()), attempt: 1, within, operator: None, notes: &self.notes }
    }
    async fn put(&self, want: &Want, had: Option<&Handle>, tag: &str) -> Result<Receipt, Failure> {
        self.provider.put(want, had, &self.call(tag)).await
    }
    fn user(&self) -> Want {
        Want::User(UserSpec { name: "Ana Sanz".to_owned(), email: None, phone: None, window: None, suspended: false })
    }
    fn access(&self, user: &Handle, hours: i64) -> Want {
        let door = Door { id: AcsEntranceId::from_uuid(uuid::Uuid::nil()), handle: Handle::text(LOCKS[0]), class: DoorClass::Online };
        let now = self.clock.now();
        let window = Window::new(now, Some(now + TimeDelta::hours(hours))).unwrap();
        Want::Access(AccessSpec { user: Some(user.clone()), doors: vec![door], groups: vec![], window, schedule: None, suspended: false })
    }
    fn credential(&self, user: &Handle, body: Body) -> CredentialSpec {
        let window = Window::new(self.clock.now(), None).unwrap();
        let (holder, user) = ("Ana".to_owned(), Some(user.clone()));
        CredentialSpec { user, holder, doors: vec![], window, schedule: None, suspended: false, body, stay: None }
    }
    fn pin(&self, user: &Handle) -> Want {
        Want::Credential(self.credential(user, Body::Code { pin: None, slot: None }))
    }
}

#[async_trait]
impl Judge for Stage {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
    async fn pass(&self, time: Duration) {
        if time <= Duration::from_millis(500) {
            tokio::time::sleep(Duration::from_millis(3)).await;
            if !self.waits.load(Ordering::SeqCst) {
                return;
            }
        }
        self.clock.advance(TimeDelta::from_std(time).unwrap());
    }
    async fn try_door(&self, door: &Handle, issued: &Issued<'_>) -> Tried {
        match (issued.want.kind(), issued.pin) {
            (Kind::Code, Some(pin)) => self.try_pin(door, pin.expose_secret()).await,
            _ => Tried::Cannot,
        }
    }
    async fn try_pin(&self, door: &Handle, pin: &str) -> Tried {
        if self.sim.enter(door.as_text().unwrap(), pin) { Tried::Opened } else { Tried::Refused }
    }
    async fn holds(&self, issued: &Issued<'_>) -> Option<u32> {
        match issued.want {
            Want::User(_) => Some(self.sim.users_named(&issued.tag.0)),
            Want::Access(_) => Some(self.sim.groups_in_force(&issued.tag.0)),
            Want::Credential(c) if c.body.kind() == Kind::Code => {
                Some(u32::from(self.sim.may_use_pin(c.user.as_ref()?.0.get("site_user")?.as_str()?)))
            }
            _ => None,
        }
    }
    fn requests(&self) -> Option<u64> {
        Some(self.sim.server.requests())
    }
    async fn spoil(&self, fault: Option<Fault>) -> bool {
        let Ok(how) = misbehaviour(fault) else { return false };
        self.waits.store(how.is_some(), Ordering::SeqCst);
        self.sim.server.misbehave(how).await.unwrap();
        true
    }
    async fn lay_card(&self, _: &Handle) -> bool {
        false
    }
    async fn registered_card(&self) -> Option<String> {
        None
    }
    fn same_pin(&self) -> SamePin {
        SamePin::Taken
    }
}

#[tokio::test]
async fn the_suite_of_providers() {
    let stage = Stage::new(OTP).await;
    let findings = check(&*stage.provider, &stage).await;
    findings.assert_clean();
    assert!(findings.tried > 100, "{findings}");
}

#[tokio::test]
async fn a_guest_gets_a_pin_that_opens_during_her_window() {
    let s = Stage::new(OTP).await;
    let user = s.put(&s.user(), None, "user1").await.unwrap().handle.unwrap();
    let access = s.put(&s.access(&user, 2), None, "access1").await.unwrap().handle.unwrap();
    let made = s.put(&s.pin(&user), None, "pin1").await.unwrap();
    assert_eq!(s.sim.take_requests().len(), 7, "a guest, a group with its times, lock and member, a right to a PIN and the PIN");
    let pin = made.made.pin.unwrap();
    assert!(s.sim.enter(LOCKS[0], pin.expose_secret()) && !s.sim.enter(LOCKS[1], pin.expose_secret()));
    // Asked for again it stays the same: the guest knows it.
    assert!(s.put(&s.pin(&user), made.handle.as_ref(), "pin1").await.unwrap().made.pin.is_none());
    s.clock.advance(TimeDelta::hours(2));
    assert!(!s.sim.enter(LOCKS[0], pin.expose_secret()));
    // Extended: one group takes the place of the other.
    s.put(&s.access(&user, 5), Some(&access), "access1").await.unwrap();
    assert_eq!((s.sim.groups(), s.sim.groups_in_force("access1")), (1, 1));
    assert!(s.sim.enter(LOCKS[0], pin.expose_secret()));
    assert_eq!(s.sim.logins(), 1, "one login serves all requests");
}

#[tokio::test]
async fn seats_that_run_out_silently_are_a_refusal_that_leaves_nothing() {
    let s = Stage::new(OTP).await;
    s.sim.set_seats(1);
    s.put(&s.user(), None, "one").await.unwrap();
    let refused = s.put(&s.user(), None, "two").await.unwrap_err();
    assert_eq!((refused.effect, refused.reason), (Effect::Refused, Reason::Full));
    assert_eq!((s.sim.users_named("one"), s.sim.users_named("two")), (1, 0));
}

/// A guest who was given a seat with her booking may have lost it by her arrival: only at once it is not looked at again.
#[tokio::test]
async fn a_pin_is_made_for_nobody_without_a_seat() {
    let s = Stage::new(OTP).await;
    let user = s.put(&s.user(), None, "user").await.unwrap().handle.unwrap();
    s.sim.take_seat("user");
    s.clock.advance(TimeDelta::minutes(2));
    let refused = s.put(&s.pin(&user), None, "pin").await.unwrap_err();
    assert_eq!((refused.effect, refused.reason), (Effect::Refused, Reason::Full));
    assert!(!s.sim.may_use_pin(user.0["site_user"].as_str().unwrap()));
    // What was seen is good for one PIN, and never for a look at one that is there.
    let other = s.put(&s.user(), None, "other").await.unwrap().handle.unwrap();
    let made = s.put(&s.pin(&other), None, "pin").await.unwrap();
    s.sim.take_seat("other");
    for had in [None, made.handle.as_ref()] {
        assert_eq!(s.put(&s.pin(&other), had, "pin").await.unwrap_err().reason, Reason::Full);
    }
}

/// Each page is small enough, and has another one behind it.
#[tokio::test]
async fn a_list_that_does_not_end_is_left() {
    let s = Stage::new(OTP).await;
    let endless = s.behind(|_, url, answer| match url.contains("/locks") {
        true => {
            let page = r#"{"items":[{"id":"5a0f1f36-1d0e-4c53-9d3a-0000000000a1"}],"next_page_link":"/v1.2/sites/x/locks?page=2"}"#;
            Ok(HttpResponse::new(200).with_body(format!("{page}{}", " ".repeat(crate::net::LONGEST_LIST / 3)), false))
        }
        false => Ok(answer),
    });
    s.sim.take_requests();
    let failure = endless.inventory().unwrap().entrances(&s.system).await.unwrap_err();
    assert_eq!((failure.effect, failure.reason), (Effect::Nothing, Reason::Garbled));
    assert_eq!(s.sim.take_requests().len(), 4, "the site, and three pages");
}

/// Before the first guest is sent away.
#[tokio::test]
async fn readiness_says_that_no_seat_is_free() {
    let s = Stage::new(OTP).await;
    assert_eq!(s.provider.readiness().await, []);
    s.sim.set_seats(1);
    s.put(&s.user(), None, "one").await.unwrap();
    let findings = s.provider.readiness().await;
    assert_eq!(findings.iter().map(|f| (f.code.as_str(), f.blocking)).collect::<Vec<_>>(), [("no_seat_is_free", true)]);
    assert!(findings[0].message.contains("1 of 1"), "{}", findings[0].message);
    s.sim.refuse_tokens(true);
    assert_eq!(s.provider.readiness().await[0].code, "login_refused");
}

#[tokio::test]
async fn a_new_user_is_waited_for() {
    let s = Stage::new(OTP).await;
    s.sim.set_role_delay(TimeDelta::seconds(5));
    let user = s.put(&s.user(), None, "user").await.unwrap().handle.unwrap();
    let not_yet = s.put(&s.access(&user, 2), None, "access").await.unwrap_err();
    assert_eq!((not_yet.effect, not_yet.reason), (Effect::Nothing, Reason::Busy));
    assert!(not_yet.retry_after.is_some());
    let found = s.provider.find(&s.user(), None, &s.call("user")).await.unwrap();
    assert!(matches!(found, Found::Present(seen) if seen.as_wanted.is_none()), "on her way");
    s.clock.advance(TimeDelta::seconds(6));
    s.put(&s.access(&user, 2), not_yet.left.as_ref(), "access").await.unwrap();
    assert_eq!(s.sim.groups(), 1, "the group of the first try is gone");
}

#[tokio::test]
async fn tokens_are_refreshed_once_and_shared() {
    let s = Stage::new(OTP).await;
    let other = Stage::open(&s.clock, &s.sim, &s.memo, OTP);
    let (one, two) = tokio::join!(s.provider.systems(), s.provider.systems());
    assert!(one.is_ok() && two.is_ok());
    other.systems().await.unwrap();
    assert_eq!(s.sim.logins(), 1, "in a process and among instances");
    // A token that ends before its time, then one whose time is over: both are refreshed, with tokens that work once.
    s.sim.end_tokens();
    s.provider.systems().await.unwrap();
    other.systems().await.unwrap();
    s.clock.advance(TimeDelta::hours(2));
    other.systems().await.unwrap();
    s.provider.systems().await.unwrap();
    assert_eq!(s.sim.logins(), 1);
}

#[tokio::test]
async fn refusals_end_and_pauses_are_passed_on() {
    let s = Stage::new(OTP).await;
    s.provider.systems().await.unwrap();
    s.sim.refuse_tokens(true);
    s.sim.take_requests();
    let refused = s.provider.systems().await.unwrap_err();
    assert_eq!((refused.effect, refused.reason), (Effect::Refused, Reason::Unauthenticated));
    assert_eq!(s.sim.take_requests().len(), 2, "tried once more with another token, and no further");
    s.sim.refuse_tokens(false);
    s.sim.set_wait(Some(17));
    let wait = s.put(&s.user(), None, "u").await.unwrap_err();
    assert_eq!((wait.effect, wait.reason, wait.retry_after), (Effect::Nothing, Reason::RateLimited, Some(Duration::from_secs(17))));
    s.sim.set_wait(None);
    s.sim.server.misbehave(Some(Misbehaviour::Garbage(b"HTTP/1.1 200 X\r\nContent-Length: 4\r\n\r\n<a/>".to_vec()))).await.unwrap();
    let garbled = s.put(&s.user(), None, "u").await.unwrap_err();
    assert_eq!((garbled.effect, garbled.reason), (Effect::Unknown, Reason::Garbled));
    s.sim.server.misbehave(Some(Misbehaviour::HalfAnswer)).await.unwrap();
    assert_eq!(s.put(&s.user(), None, "v").await.unwrap_err().effect, Effect::Unknown);
    s.sim.server.misbehave(None).await.unwrap();
    for tag in ["u", "v"] {
        let found = s.provider.find(&s.user(), None, &s.call(tag)).await.unwrap();
        assert!(matches!(found, Found::Present(_)), "{tag} was made, and is found by its tag: {found:?}");
    }
}

#[tokio::test]
async fn remote_unlock_needs_a_code_and_a_holder_with_a_seat() {
    for (code, reason) in [(OTP, None), ("000000", Some(Reason::NotThere)), ("", Some(Reason::Forbidden))] {
        let s = Stage::new(code).await;
        let user = s.put(&s.user(), None, "user").await.unwrap().handle.unwrap();
        let spec = s.credential(&user, Body::CloudKey);
        let door = Door { id: AcsEntranceId::from_uuid(uuid::Uuid::nil()), handle: Handle::text(LOCKS[0]), class: DoorClass::Online };
        let unlock = s.provider.unlock().unwrap();
        let answer = unlock.unlock(&spec, None, &door, &s.call("key")).await;
        assert_eq!(answer.as_ref().err().map(|f| f.reason), reason, "{answer:?}");
        assert_eq!(s.sim.opened(), u64::from(reason.is_none()));
        s.sim.remove_user("user");
        let gone = unlock.unlock(&spec, None, &door, &s.call("key")).await.unwrap_err();
        assert_eq!((gone.effect, gone.reason), (Effect::Refused, Reason::NotThere));
    }
}

#[tokio::test]
async fn what_is_not_public_is_unsupported_and_never_sent() {
    let s = Stage::new(OTP).await;
    let user = s.put(&s.user(), None, "user").await.unwrap().handle.unwrap();
    let before = s.sim.server.requests();
    for body in [Body::Card { number: None }, Body::mobile_key(), Body::Code { pin: Some(SecretString::from("123456")), slot: None }] {
        let refused = s.put(&Want::Credential(s.credential(&user, body)), None, "x").await.unwrap_err();
        assert_eq!((refused.effect, refused.reason), (Effect::Refused, Reason::Unsupported));
    }
    assert_eq!(s.sim.server.requests(), before);
}

/// Secrets of the settings, tokens and PINs show nowhere.
#[tokio::test]
async fn secrets_stay_out_of_what_is_shown() {
    let s = Stage::new(OTP).await;
    let user = s.put(&s.user(), None, "user").await.unwrap().handle.unwrap();
    let made = s.put(&s.pin(&user), None, "pin").await;
    let pin = made.as_ref().unwrap().made.pin.clone().unwrap();
    s.sim.refuse_tokens(true);
    let shown = format!("{:?} {} {made:?} {:?}", s.provider, s.provider, s.provider.systems().await);
    assert!(!shown.contains("planted") && !shown.contains(pin.expose_secret()), "{shown}");
}

/// The engine takes nothing away that it believes never to have been made.
#[tokio::test]
async fn what_was_made_and_could_not_be_noted_is_in_doubt() {
    let s = Stage::new(OTP).await;
    let call = || Call { notes: &NoPaper, ..s.call("user") };
    let failure = s.provider.put(&s.user(), None, &call()).await.unwrap_err();
    assert_eq!((failure.effect, s.sim.users_named("user")), (Effect::Unknown, 1));
    let user = failure.left.unwrap();
    // The group of a permission is noted before anybody is in it.
    let failure = s.provider.put(&s.access(&user, 2), None, &call()).await.unwrap_err();
    assert_eq!((failure.effect, s.sim.groups_in_force("user")), (Effect::Nothing, 0));
    assert_eq!(s.sim.groups(), 1);
    s.put(&s.access(&user, 2), failure.left.as_ref(), "user").await.unwrap();
    assert_eq!(s.sim.groups(), 1, "and it is cleared away");
}

/// The old group of a shortened permission lets somebody pass for as long as it is there: that waits for no person.
#[tokio::test]
async fn a_permission_is_put_again_until_one_group_is_left() {
    let changes: [Change; 4] = [
        |method, url, answer| match method == HttpMethod::Delete && url.contains("/access_groups/") {
            true => Ok(HttpResponse::new(429)),
            false => Ok(answer),
        },
        |method, url, answer| match method == HttpMethod::Delete && url.contains("/access_groups/") {
            true => Ok(HttpResponse::new(403)),
            false => Ok(answer),
        },
        |method, url, answer| match method == HttpMethod::Delete && url.contains("/access_groups/") {
            true => Err(Failure::unknown(Reason::TimedOut, "lost")),
            false => Ok(answer),
        },
        |_, url, answer| match url.ends_with("/users") && url.contains("/access_groups/") {
            true => Err(Failure::unknown(Reason::TimedOut, "lost")),
            false => Ok(answer),
        },
    ];
    let s = Stage::new(OTP).await;
    let user = s.put(&s.user(), None, "user").await.unwrap().handle.unwrap();
    let mut had = s.put(&s.access(&user, 9), None, "access").await.unwrap().handle;
    for (n, change) in changes.into_iter().enumerate() {
        let want = s.access(&user, 3 + i64::try_from(n).unwrap());
        let failure = s.behind(change).put(&want, had.as_ref(), &s.call("access")).await.unwrap_err();
        // Whether the person is in the new group is for somebody to say; that the old one has to go is not.
        assert_eq!(failure.effect, if n == 3 { Effect::Unknown } else { Effect::Nothing }, "{n}");
        had = s.put(&want, failure.left.as_ref(), "access").await.unwrap().handle;
        assert_eq!((s.sim.groups(), s.sim.groups_in_force("access")), (1, 1), "{n}");
    }
}

#[tokio::test]
async fn a_gateway_that_says_503_does_not_say_that_nothing_was_done() {
    let s = Stage::new(OTP).await;
    let gateway = s.behind(|method, url, answer| match url.contains("/guests") || method == HttpMethod::Get && url.contains("/locks") {
        true => Ok(HttpResponse::new(503).with_header("retry-after", "99999999999999")),
        false => Ok(answer),
    });
    let failure = gateway.put(&s.user(), None, &s.call("user")).await.unwrap_err();
    assert_eq!((failure.effect, failure.retry_after), (Effect::Unknown, Some(crate::net::LONGEST_PAUSE)));
    assert_eq!(s.sim.users_named("user"), 1);
    let read = gateway.inventory().unwrap().entrances(&s.system).await.unwrap_err();
    assert_eq!((read.effect, read.reason), (Effect::Nothing, Reason::RateLimited));
}

#[tokio::test]
async fn what_was_made_without_a_name_is_never_part_of_a_path() {
    let s = Stage::new(OTP).await;
    let user = s.put(&s.user(), None, "user").await.unwrap().handle.unwrap();
    let nameless = s.behind(|method, url, answer| match method == HttpMethod::Post && url.ends_with("/access_groups") {
        true => Ok(HttpResponse::new(200).with_body("{}", false)),
        false => Ok(answer),
    });
    s.sim.take_requests();
    let failure = nameless.put(&s.access(&user, 2), None, &s.call("access")).await.unwrap_err();
    assert_eq!((failure.effect, failure.reason), (Effect::Nothing, Reason::Garbled));
    assert_eq!(s.sim.take_requests().len(), 1);
}

/// Else she would be found otherwise than wanted at every look, and written again.
#[tokio::test]
async fn an_end_within_a_second_is_the_end_that_is_shown() {
    let s = Stage::new(OTP).await;
    let now = s.clock.now();
    let window = Window::new(now, Some(now + TimeDelta::hours(2) + TimeDelta::milliseconds(300))).unwrap();
    let Want::User(user) = s.user() else { unreachable!() };
    let want = Want::User(UserSpec { window: Some(window), ..user });
    let had = s.put(&want, None, "user").await.unwrap().handle;
    let found = s.provider.find(&want, had.as_ref(), &s.call("user")).await.unwrap();
    assert!(matches!(found, Found::Present(seen) if seen.as_wanted == Some(true)));
    s.sim.take_requests();
    s.put(&want, had.as_ref(), "user").await.unwrap();
    assert_eq!(s.sim.take_requests().len(), 1, "only looked at");
}

/// The cloud believes a token to be over that is not: another one is fetched, and nothing is lost.
#[tokio::test]
async fn a_cloud_with_a_wrong_clock_costs_a_token() {
    let s = Stage::new(OTP).await;
    s.provider.systems().await.unwrap();
    s.sim.set_clock_fast(TimeDelta::hours(-3));
    let user = s.put(&s.user(), None, "user").await.unwrap().handle.unwrap();
    assert_eq!((s.sim.users_named("user"), s.sim.logins()), (1, 1));
    s.sim.set_clock_fast(TimeDelta::hours(3));
    s.put(&s.access(&user, 2), None, "access").await.unwrap();
    assert_eq!(s.sim.logins(), 1);
}

/// An address is shown, as the name of a channel, and the login is sent to it.
#[tokio::test]
async fn addresses_with_secrets_or_in_the_clear_are_refused() {
    let s = Stage::new(OTP).await;
    let factory = KsFactory::new(Arc::new(HttpClient::for_providers().unwrap()));
    for bad in [
        "http://api.example",
        "http://127.0.0.1.example",
        "http://localhost.example:80",
        "https://user:planted@api.example",
        "https://api.example/?key=planted",
        "https://api.example#planted",
        "https://api.example/",
    ] {
        for name in ["identity_url", "api_url"] {
            let mut settings = s.sim.settings();
            settings[name] = bad.into();
            let env = ProviderEnv::new(Arc::clone(&s.clock) as Arc<dyn Clock>, Arc::clone(&s.memo) as Arc<dyn Memo>);
            let failure = factory.open(SecretString::from(settings.to_string()), env).map(drop).unwrap_err();
            assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::Invalid), "{name}: {bad}");
            assert!(!failure.to_string().contains("planted"));
        }
    }
}
