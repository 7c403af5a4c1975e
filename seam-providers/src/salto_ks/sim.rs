//! A fake of the Salto KS cloud and its locks, on a socket of this host: token endpoint and Connect interface at one address.
//!
//! What it assumes beyond what is known, with the confidence of its source (M: measured by others, T: clients, I: inferred): a site user's record shows
//! `expires_at` as it was sent (I); an access group lets its members pass its locks at the times of its schedules, and at all times without one (I);
//! `start_date` and `end_date` are instants (T, its zone I); a lock knows of a change at once, unless [`KsSim::set_locks_synced`] says otherwise (M: it may
//! take long); refresh tokens are used once (I).
use crate::net::sim::{HttpAnswer, HttpAsked, HttpConversation, HttpService, Server, ServerOptions};
use async_trait::async_trait;
use base64::Engine as _;
use chrono::{DateTime, TimeDelta, Utc};
use seam_core::clock::Clock;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The site of the fake.
pub const SITE: &str = "7d0f1f36-1d0e-4c53-9d3a-000000000001";
/// Its locks: one with a keypad and a gateway, one without.
pub const LOCKS: [&str; 2] = ["5a0f1f36-1d0e-4c53-9d3a-0000000000a1", "5a0f1f36-1d0e-4c53-9d3a-0000000000a2"];
/// Locks on a page of the list.
const PAGE: usize = 100;

/// A lock of the fake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimLock {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// It has a keypad, and a gateway.
    pub keypad: bool,
}

/// The code that opens by remote unlock.
pub const OTP: &str = "482913";

#[derive(Clone, Debug, Default)]
struct User {
    alias: String,
    expires_at: Option<DateTime<Utc>>,
    seat: bool,
    use_pin: bool,
    pin: Option<String>,
    made_at: DateTime<Utc>,
}

#[derive(Clone, Debug, Default)]
struct Group {
    name: String,
    locks: BTreeSet<String>,
    /// Ids on the platform.
    members: BTreeSet<String>,
    schedules: Vec<(DateTime<Utc>, DateTime<Utc>)>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    users: BTreeMap<String, User>,
    groups: BTreeMap<String, Group>,
    entries: Vec<(DateTime<Utc>, String, String)>,
    access: BTreeMap<String, DateTime<Utc>>,
    refresh: BTreeSet<String>,
    seats: usize,
    role_delay: TimeDelta,
    unsynced: bool,
    wait: Option<u64>,
    refuses_tokens: bool,
    logins: u64,
    requests: Vec<String>,
    opened: u64,
    fast: TimeDelta,
    locks: Vec<SimLock>,
    /// Locks on a page.
    page: usize,
    most_seats: usize,
    full_at: Option<DateTime<Utc>>,
}

struct Cloud {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
}

/// The cloud.
pub struct KsSim {
    cloud: Arc<Cloud>,
    /// Its server.
    pub server: Server,
}

impl fmt::Debug for KsSim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KsSim").field("server", &self.server).finish_non_exhaustive()
    }
}

impl KsSim {
    /// Starts with a hundred seats.
    ///
    /// # Errors
    /// There is no port to be had.
    pub async fn start(clock: Arc<dyn Clock>) -> io::Result<Self> {
        let lock = |(n, id): (usize, &&str)| SimLock { id: (*id).to_owned(), name: format!("D\u{f6}r {n}"), keypad: n == 0 };
        // One on each page.
        Self::start_at(clock, LOCKS.iter().enumerate().map(lock).collect(), 1).await
    }
    /// Starts with a hundred seats, at these locks.
    ///
    /// # Errors
    /// There is no port to be had.
    pub async fn start_with(clock: Arc<dyn Clock>, locks: Vec<SimLock>) -> io::Result<Self> {
        Self::start_at(clock, locks, PAGE).await
    }
    async fn start_at(clock: Arc<dyn Clock>, locks: Vec<SimLock>, page: usize) -> io::Result<Self> {
        let state = State { seats: 100, locks, page, ..State::default() };
        let cloud = Arc::new(Cloud { state: Mutex::new(state), clock: Arc::clone(&clock) });
        let server = Server::start(Arc::new(HttpConversation(Front(Arc::clone(&cloud)))), ServerOptions::new(clock)).await?;
        Ok(Self { cloud, server })
    }
    /// Settings of an account.
    #[must_use]
    pub fn settings(&self) -> Value {
        let url = format!("http://{}", self.server.address());
        json!({"identity_url": url, "api_url": url, "client_id": "client", "client_secret": "planted-client-secret", "login": "password",
               "user": "desk@example.com", "password": "planted-password"})
    }
    /// So many users can have a seat.
    pub fn set_seats(&self, seats: usize) {
        self.cloud.state().seats = seats;
    }
    /// The most seats that were taken at a time.
    #[must_use]
    pub fn most_seats(&self) -> usize {
        self.cloud.state().most_seats
    }
    /// When all seats were last taken, at a request.
    #[must_use]
    pub fn full_at(&self) -> Option<DateTime<Utc>> {
        self.cloud.state().full_at
    }
    /// So long after a user was made PINs and groups do not know her.
    pub fn set_role_delay(&self, delay: TimeDelta) {
        self.cloud.state().role_delay = delay;
    }
    /// Whether locks know of changes.
    pub fn set_locks_synced(&self, synced: bool) {
        self.cloud.state().unsynced = !synced;
    }
    /// Requests are answered with 429 and this pause in seconds; `None`: no more.
    pub fn set_wait(&self, seconds: Option<u64>) {
        self.cloud.state().wait = seconds;
    }
    /// Every access token is refused.
    pub fn refuse_tokens(&self, refuse: bool) {
        self.cloud.state().refuses_tokens = refuse;
    }
    /// All access tokens end now.
    pub fn end_tokens(&self) {
        self.cloud.state().access.clear();
    }
    /// A person removes a user whose name ends so.
    pub fn remove_user(&self, name_ends: &str) {
        self.cloud.state().users.retain(|_, u| !u.alias.ends_with(name_ends));
    }
    /// A person takes the right to a PIN from a user whose name ends so.
    pub fn forbid_pin(&self, name_ends: &str) {
        for user in self.cloud.state().users.values_mut().filter(|u| u.alias.ends_with(name_ends)) {
            (user.use_pin, user.pin) = (false, None);
        }
    }
    /// A person makes a user with this name.
    pub fn add_user(&self, name: &str) {
        let mut state = self.cloud.state();
        let (id, made_at) = (state.id(), self.cloud.clock.now());
        state.users.insert(id, User { alias: name.to_owned(), seat: true, made_at, ..User::default() });
    }
    /// A person takes a user's seat.
    pub fn take_seat(&self, name_ends: &str) {
        for user in self.cloud.state().users.values_mut().filter(|u| u.alias.ends_with(name_ends)) {
            user.seat = false;
        }
    }
    /// Sets the cloud's clock wrong: so much fast, or slow when negative. Its locks are right.
    pub fn set_clock_fast(&self, by: TimeDelta) {
        self.cloud.state().fast = by;
        self.server.set_clock_fast(by);
    }
    /// How often somebody logged in with a password.
    #[must_use]
    pub fn logins(&self) -> u64 {
        self.cloud.state().logins
    }
    /// Doors that were opened from afar.
    #[must_use]
    pub fn opened(&self) -> u64 {
        self.cloud.state().opened
    }
    /// Method and path of the requests, in their order; forgotten when told.
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.cloud.state().requests)
    }
    /// Users whose name ends so.
    #[must_use]
    pub fn users_named(&self, ends: &str) -> u32 {
        u32::try_from(self.cloud.state().users.values().filter(|u| u.alias.ends_with(ends)).count()).unwrap_or(u32::MAX)
    }
    /// Groups of this name that let somebody pass.
    #[must_use]
    pub fn groups_in_force(&self, name: &str) -> u32 {
        let state = self.cloud.state();
        u32::try_from(state.groups.values().filter(|g| g.name == name && !g.members.is_empty()).count()).unwrap_or(u32::MAX)
    }
    /// Groups, whatever is in them.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.cloud.state().groups.len()
    }
    /// Whether a user may use a PIN.
    #[must_use]
    pub fn may_use_pin(&self, user: &str) -> bool {
        self.cloud.state().users.get(user).is_some_and(|u| u.use_pin)
    }
    /// Types digits at a lock.
    #[must_use]
    pub fn enter(&self, lock: &str, pin: &str) -> bool {
        let now = self.cloud.clock.now();
        let mut state = self.cloud.state();
        let passes = |(id, user): (&String, &User)| {
            let right = user.use_pin && user.seat && user.pin.as_deref() == Some(pin) && user.expires_at.is_none_or(|at| now < at);
            right
                && state.groups.values().any(|g| {
                    let in_time = g.schedules.is_empty() || g.schedules.iter().any(|(from, to)| *from <= now && now < *to);
                    g.locks.contains(lock) && g.members.contains(&platform(id)) && in_time
                })
        };
        let open = !state.unsynced && state.users.iter().any(passes);
        let category = if open { "lock_opened_in_the_fake" } else { "lock_rejected" };
        state.entries.push((now, lock.to_owned(), category.to_owned()));
        open
    }
}

fn platform(site_user: &str) -> String {
    format!("p-{site_user}")
}

struct Front(Arc<Cloud>);

#[async_trait]
impl HttpService for Front {
    async fn serve(&self, asked: HttpAsked) -> HttpAnswer {
        if asked.path() == "/connect/token" { self.0.token(&asked) } else { self.0.api(&asked) }
    }
}

fn error(status: u16, code: &str) -> HttpAnswer {
    HttpAnswer::json(status, &json!({ "ErrorCode": code, "Message": "planted" }))
}

impl Cloud {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn token(&self, asked: &HttpAsked) -> HttpAnswer {
        let expected = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("client:planted-client-secret"));
        if asked.header("authorization") != Some(&expected) {
            return HttpAnswer::json(401, &json!({"error": "invalid_client"}));
        }
        let body = String::from_utf8_lossy(&asked.body).into_owned();
        let form: BTreeMap<&str, String> =
            body.split('&').filter_map(|p| p.split_once('=')).map(|(n, v)| (n, v.replace("%40", "@").replace('+', " "))).collect();
        let says = |name: &str| form.get(name).map_or("", String::as_str);
        let mut state = self.state();
        let allowed = match says("grant_type") {
            "password" => {
                state.logins += 1;
                says("username") == "desk@example.com" && says("password") == "planted-password"
            }
            "refresh_token" => state.refresh.remove(says("refresh_token")),
            _ => return HttpAnswer::json(400, &json!({"error": "unsupported_grant_type"})),
        };
        if !allowed {
            return HttpAnswer::json(400, &json!({"error": "invalid_grant"}));
        }
        state.next += 1;
        let (access, refresh) = (format!("planted-access-{}", state.next), format!("planted-refresh-{}", state.next));
        let until = self.clock.now() + state.fast + TimeDelta::seconds(3600);
        state.access.insert(access.clone(), until);
        state.refresh.insert(refresh.clone());
        HttpAnswer::json(200, &json!({"access_token": access, "expires_in": 3600, "refresh_token": refresh, "token_type": "Bearer"}))
    }

    fn api(&self, asked: &HttpAsked) -> HttpAnswer {
        let mut state = self.state();
        let now = self.clock.now() + state.fast;
        state.requests.push(format!("{} {}", asked.method, asked.path()));
        if let Some(seconds) = state.wait {
            return HttpAnswer::new(429).with_header("Retry-After", seconds.to_string());
        }
        let token = asked.header("authorization").and_then(|h| h.strip_prefix("Bearer ")).unwrap_or_default();
        if state.refuses_tokens || state.access.get(token).is_none_or(|until| *until <= now) {
            return HttpAnswer::new(401);
        }
        let body: Value = match asked.body.is_empty() {
            true => Value::Null,
            false => match serde_json::from_slice(&asked.body) {
                Ok(body) => body,
                Err(_) => return error(400, "1101"),
            },
        };
        let parts: Vec<&str> = asked.path().split('/').skip(1).collect();
        if parts.get(2).is_some_and(|site| *site != SITE) {
            return error(400, "1100");
        }
        let (version, rest) = (parts.first().copied().unwrap_or_default(), parts.get(3..).unwrap_or_default());
        if parts == ["v1.2", "sites"] {
            return HttpAnswer::json(200, &json!([{"id": SITE, "site_uid": "1234", "customer_reference": "Aurora"}]));
        }
        state.count_seats(now);
        let answer = state.route(&asked.method, version, rest, &body, asked.query(), now);
        state.count_seats(now);
        answer
    }
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn date(body: &Value, name: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text(body, name)).ok().map(|at| at.with_timezone(&Utc))
}

impl State {
    fn id(&mut self) -> String {
        self.next += 1;
        format!("90000000-0000-4000-8000-{:012}", self.next)
    }

    fn has_lock(&self, id: &str) -> bool {
        self.locks.iter().any(|lock| lock.id == id)
    }

    fn count_seats(&mut self, now: DateTime<Utc>) {
        let taken = self.users.values().filter(|u| u.seat).count();
        self.most_seats = self.most_seats.max(taken);
        if taken >= self.seats {
            self.full_at = Some(now);
        }
    }

    fn show(&self, id: &str, user: &User, now: DateTime<Utc>) -> Value {
        let young = now < user.made_at + self.role_delay;
        json!({
            "id": id, "user": {"id": platform(id), "first_name": "", "email": null}, "alias": user.alias, "use_pin": user.use_pin,
            "roles": if young { json!([]) } else { json!([{"customer_reference": "site_guest"}]) },
            "subscription_state": if user.seat { "subscribed" } else { "suspended" }, "expires_at": user.expires_at,
        })
    }

    fn young(&self, id: &str, now: DateTime<Utc>) -> bool {
        self.users.get(id).is_some_and(|u| now < u.made_at + self.role_delay)
    }

    fn route(&mut self, method: &str, version: &str, rest: &[&str], body: &Value, query: &str, now: DateTime<Utc>) -> HttpAnswer {
        let done = || HttpAnswer::json(200, &json!({}));
        match (method, version, rest) {
            ("GET", "v1.2", []) => HttpAnswer::json(
                200,
                &json!({"id": SITE, "customer_reference": "Aurora", "pin_enabled": true, "time_zone": "Europe/Amsterdam",
                        "active_user_amount": self.users.len(), "subscribed_user_amount": self.users.values().filter(|u| u.seat).count()}),
            ),
            ("GET", "v1.2", ["subscription"]) => {
                HttpAnswer::json(200, &json!({"user_amount": self.seats, "type": "business", "features": []}))
            }
            ("GET", "v1.2", ["locks"]) => {
                let lock = |lock: &SimLock| {
                    let kind = if lock.keypad { "escutcheon_pin" } else { "escutcheon" };
                    let iq = if lock.keypad { json!({"otp_enabled": true}) } else { Value::Null };
                    json!({"id": lock.id, "customer_reference": lock.name, "lock_type": kind, "online": true, "battery_level": "fresh", "iq": iq})
                };
                let page = query.split('&').find_map(|p| p.strip_prefix("page=")?.parse::<usize>().ok()).unwrap_or(1).max(1);
                let items: Vec<Value> = self.locks.iter().skip((page - 1) * self.page).take(self.page).map(lock).collect();
                let more = page * self.page < self.locks.len();
                let next = if more { json!(format!("/v1.2/sites/{SITE}/locks?page={}", page + 1)) } else { Value::Null };
                HttpAnswer::json(200, &json!({"items": items, "next_page_link": next, "count": self.locks.len()}))
            }
            ("PATCH", _, ["locks", lock, "locking"]) if self.has_lock(lock) => {
                if text(body, "otp") != OTP {
                    return error(404, "2202");
                }
                self.opened += 1;
                done()
            }
            ("GET", "v1.2", ["users"]) => {
                let users: Vec<Value> = self.users.iter().map(|(id, u)| self.show(id, u, now)).collect();
                HttpAnswer::json(200, &json!(users))
            }
            ("POST", "v1.2", ["guests"]) => {
                let seat = self.users.values().filter(|u| u.seat).count() < self.seats;
                let user = User {
                    alias: text(body, "alias").to_owned(),
                    expires_at: date(body, "expires_at"),
                    seat,
                    made_at: now,
                    ..User::default()
                };
                let id = self.id();
                let shown = self.show(&id, &user, now);
                self.users.insert(id, user);
                HttpAnswer::json(201, &shown)
            }
            (_, "v1.2", ["users", id, rest @ ..]) => self.user(method, id, rest, body, now),
            ("POST", "v1.2", ["access_groups"]) => {
                let id = self.id();
                let name = text(body, "customer_reference").to_owned();
                self.groups.insert(id.clone(), Group { name: name.clone(), ..Group::default() });
                HttpAnswer::json(200, &json!({"id": id, "customer_reference": name}))
            }
            (_, _, ["access_groups", id, rest @ ..]) => self.group(method, id, rest, body, now),
            ("GET", "v1.1", ["entries"]) => {
                if !query.contains("utc_date_time") {
                    return error(400, "1102");
                }
                let entry = |(n, (at, lock, category)): (usize, &(DateTime<Utc>, String, String))| json!({"id": format!("{n:08}"), "event_category": category, "event_detail": null, "utc_date_time": at, "lock_id": lock});
                let items: Vec<Value> = self.entries.iter().enumerate().map(entry).rev().collect();
                HttpAnswer::json(200, &json!({"items": items, "next_page_link": null}))
            }
            (_, _, ["entries"]) => HttpAnswer::new(405),
            _ => HttpAnswer::json(404, &json!({"Message": format!("the fake knows no {method} {version} {rest:?}")})),
        }
    }

    fn user(&mut self, method: &str, id: &str, rest: &[&str], body: &Value, now: DateTime<Utc>) -> HttpAnswer {
        let done = || HttpAnswer::json(200, &json!({}));
        let young = self.young(id, now);
        self.next += 1;
        let digits = format!("{:06}", self.next.wrapping_mul(770_141) % 1_000_000);
        let free = self.users.values().filter(|u| u.seat).count() < self.seats;
        let Some(user) = self.users.get_mut(id) else { return error(404, "2202") };
        match (method, rest) {
            ("PATCH", []) => {
                if let Some(yes) = body.get("use_pin") {
                    let Some(yes) = yes.as_bool() else { return error(400, "1101") };
                    if yes && young {
                        return error(403, "2203");
                    }
                    user.use_pin = yes;
                }
                if body.get("expires_at").is_some() {
                    user.expires_at = date(body, "expires_at");
                }
                done()
            }
            ("PATCH", ["subscription"]) => match text(body, "state") {
                "subscribed" if free => {
                    user.seat = true;
                    done()
                }
                "subscribed" => error(400, "1101"),
                "suspended" => {
                    user.seat = false;
                    done()
                }
                _ => error(400, "1101"),
            },
            ("DELETE", []) => {
                self.users.remove(id);
                let gone = platform(id);
                for group in self.groups.values_mut() {
                    group.members.remove(&gone);
                }
                HttpAnswer::new(202)
            }
            ("PUT", ["pin"]) if young || !user.use_pin => error(403, "2203"),
            ("PUT", ["pin"]) => {
                user.pin = Some(digits.clone());
                HttpAnswer::json(200, &json!(digits))
            }
            _ => HttpAnswer::new(404),
        }
    }

    fn group(&mut self, method: &str, id: &str, rest: &[&str], body: &Value, now: DateTime<Utc>) -> HttpAnswer {
        let done = || HttpAnswer::json(200, &json!({}));
        let member = self.users.keys().find(|u| platform(u) == text(body, "user_id")).cloned();
        let young = member.as_ref().is_some_and(|m| self.young(m, now));
        let known = self.has_lock(text(body, "lock_id"));
        let Some(group) = self.groups.get_mut(id) else { return error(404, "2202") };
        match (method, rest) {
            ("DELETE", []) => {
                self.groups.remove(id);
                done()
            }
            ("POST", ["locks"]) if known => {
                group.locks.insert(text(body, "lock_id").to_owned());
                done()
            }
            ("POST", ["users"]) if member.is_some() && !young => {
                group.members.insert(text(body, "user_id").to_owned());
                done()
            }
            ("POST", ["time_schedules"]) => {
                let (Some(from), Some(to), Some("00:00:00"), true) = (
                    date(body, "start_date"),
                    date(body, "end_date"),
                    body.get("start_time").and_then(Value::as_str),
                    body.get("days").is_none(),
                ) else {
                    return error(400, "1101");
                };
                group.schedules.push((from, to));
                done()
            }
            _ => error(404, "2202"),
        }
    }
}
