//! Messages of the Connect interface as plain types, and its routes. No I/O.
//!
//! Sources: notes of what a tenant of the vendor's test environment answered (M), clients of others (T), the vendor's developer pages (V). A field or route
//! that none of them names is not here. Numbers and flags that a server leaves out are taken as absent.
use chrono::{DateTime, Utc};
use seam_core::provider::HttpMethod;
use serde::Deserialize;
use serde_json::{Value, json};

/// A site (M).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Site {
    /// A UUID: the only id that routes take.
    pub id: String,
    /// Its name.
    pub customer_reference: Option<String>,
    /// IANA zone.
    pub time_zone: Option<String>,
    /// PINs are switched on.
    pub pin_enabled: bool,
    /// How many seats are taken.
    pub subscribed_user_amount: Option<u64>,
}

impl Site {
    /// Its name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        self.customer_reference.as_deref().unwrap_or(&self.id)
    }
}

/// What a site has paid for (M).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Subscription {
    /// How many seats there are.
    pub user_amount: Option<u64>,
}

/// A lock (M).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Lock {
    /// A UUID.
    pub id: String,
    /// Its name.
    pub customer_reference: Option<String>,
    /// As `escutcheon_pin`.
    pub lock_type: Option<String>,
    /// Reached by its gateway now.
    pub online: Option<bool>,
    /// As it came.
    pub locked_state: Option<String>,
    /// As it came.
    pub battery_level: Option<Value>,
    /// Its gateway, where it has one.
    pub iq: Option<Iq>,
}

impl Lock {
    /// Whether it has a keypad, by its type.
    #[must_use]
    pub fn has_keypad(&self) -> bool {
        self.lock_type.as_deref().is_some_and(|t| t.split('_').any(|word| word == "pin"))
    }
}

/// A gateway (M).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Iq {
    /// Remote unlock asks for a one-time code.
    pub otp_enabled: Option<bool>,
}

/// A user of a site (M). There are two ids: that of the user at the site, and that of the person on the platform. `Debug` leaves out who it is.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SiteUser {
    /// The id at the site.
    pub id: String,
    /// The person.
    pub user: Option<PlatformUser>,
    /// Her name at the site.
    pub alias: Option<String>,
    /// `subscribed` or `suspended`: without a seat nothing opens, and nobody says so.
    pub subscription_state: Option<String>,
    /// She may use a PIN.
    pub use_pin: bool,
    /// From when on nothing opens.
    pub expires_at: Option<String>,
    /// Empty for about a minute after she was made.
    pub roles: Vec<Value>,
}

impl std::fmt::Debug for SiteUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SiteUser").field("id", &self.id).field("subscription_state", &self.subscription_state).finish_non_exhaustive()
    }
}

impl SiteUser {
    /// Whether she has a seat.
    #[must_use]
    pub fn has_seat(&self) -> bool {
        self.subscription_state.as_deref() == Some("subscribed")
    }
    /// The person's id on the platform.
    #[must_use]
    pub fn platform(&self) -> &str {
        self.user.as_ref().map_or("", |u| u.id.as_str())
    }
    /// When she expires.
    #[must_use]
    pub fn expires(&self) -> Option<DateTime<Utc>> {
        self.expires_at.as_deref().and_then(instant)
    }
}

/// A person on the platform (M).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PlatformUser {
    /// Her id.
    pub id: String,
}

/// What was made, by its id (M).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Made {
    /// The id.
    pub id: String,
}

/// An entry of the log (VS, M).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// As `lock_rejected`; the whole list is not public.
    pub event_category: Option<String>,
    /// As `no_access`.
    pub event_detail: Option<String>,
    /// When.
    pub utc_date_time: Option<String>,
    /// The lock.
    pub lock_id: Option<String>,
}

/// A page of a list: some routes answer so, others with the bare list (M).
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Page<T> {
    /// The bare list.
    Bare(Vec<T>),
    /// With the address of the next page.
    Items {
        /// What is on it.
        items: Vec<T>,
        /// The next page.
        #[serde(default)]
        next_page_link: Option<String>,
    },
}

/// An error (M): `{"ErrorCode":"2202","Message":".."}`. A later version answers with a problem document (RFC 7807) instead.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ErrorBody {
    /// The code.
    #[serde(rename = "ErrorCode")]
    pub code: Option<String>,
}

/// An instant, with or without its zone; without: UTC.
#[must_use]
pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    let zoned = DateTime::parse_from_rfc3339(text).ok().map(|at| at.with_timezone(&Utc));
    zoned.or_else(|| text.parse::<chrono::NaiveDateTime>().ok().map(|at| at.and_utc()))
}

/// A request: method, path, body.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The method.
    pub method: HttpMethod,
    /// The path with its version, and the query.
    pub path: String,
    /// The body.
    pub body: Option<Value>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("method", &self.method.as_str()).field("path", &self.path).finish_non_exhaustive()
    }
}

fn request(method: HttpMethod, path: String, body: Option<Value>) -> Request {
    Request { method, path, body }
}

/// The sites of the login (M).
#[must_use]
pub fn sites() -> Request {
    request(HttpMethod::Get, "/v1.2/sites".to_owned(), None)
}

/// The routes of a site.
#[derive(Clone, Copy, Debug)]
pub struct At<'a>(pub &'a str);

impl At<'_> {
    fn path(&self, rest: &str) -> String {
        format!("/v1.2/sites/{}{rest}", self.0)
    }
    /// The site (M).
    #[must_use]
    pub fn site(&self) -> Request {
        request(HttpMethod::Get, self.path(""), None)
    }
    /// What it has paid for (M).
    #[must_use]
    pub fn subscription(&self) -> Request {
        request(HttpMethod::Get, self.path("/subscription"), None)
    }
    /// Its locks (M).
    #[must_use]
    pub fn locks(&self) -> Request {
        request(HttpMethod::Get, self.path("/locks"), None)
    }
    /// Opens a lock, which locks itself again (V, M).
    #[must_use]
    pub fn unlock(&self, lock: &str, otp: &str) -> Request {
        request(HttpMethod::Patch, self.path(&format!("/locks/{lock}/locking")), Some(json!({"locked_state": "unlocked", "otp": otp})))
    }
    /// Its users (M).
    #[must_use]
    pub fn users(&self) -> Request {
        request(HttpMethod::Get, self.path("/users"), None)
    }
    /// Makes a guest: no mail, no app (M).
    #[must_use]
    pub fn add_guest(&self, alias: &str, expires_at: Option<DateTime<Utc>>) -> Request {
        let mut body = json!({ "alias": alias });
        if let Some(at) = expires_at {
            body["expires_at"] = json!(text(at));
        }
        request(HttpMethod::Post, self.path("/guests"), Some(body))
    }
    /// Changes a user: whether she may use a PIN (M).
    #[must_use]
    pub fn allow_pin(&self, user: &str, yes: bool) -> Request {
        request(HttpMethod::Patch, self.path(&format!("/users/{user}")), Some(json!({ "use_pin": yes })))
    }
    /// Changes when a user expires (T).
    #[must_use]
    pub fn expire(&self, user: &str, at: Option<DateTime<Utc>>) -> Request {
        request(HttpMethod::Patch, self.path(&format!("/users/{user}")), Some(json!({ "expires_at": at.map(text) })))
    }
    /// Gives a user a seat, or takes it (T).
    #[must_use]
    pub fn seat(&self, user: &str, subscribed: bool) -> Request {
        let state = if subscribed { "subscribed" } else { "suspended" };
        request(HttpMethod::Patch, self.path(&format!("/users/{user}/subscription")), Some(json!({ "state": state })))
    }
    /// Removes a user: her seat is free at once (M).
    #[must_use]
    pub fn remove_user(&self, user: &str) -> Request {
        request(HttpMethod::Delete, self.path(&format!("/users/{user}")), None)
    }
    /// Makes a user's PIN anew. The answer is a bare string (M).
    #[must_use]
    pub fn make_pin(&self, user: &str) -> Request {
        request(HttpMethod::Put, self.path(&format!("/users/{user}/pin")), Some(json!({})))
    }
    /// Makes an access group (M, V).
    #[must_use]
    pub fn add_group(&self, name: &str) -> Request {
        request(HttpMethod::Post, self.path("/access_groups"), Some(json!({ "customer_reference": name })))
    }
    /// Removes it (M, V).
    #[must_use]
    pub fn remove_group(&self, group: &str) -> Request {
        request(HttpMethod::Delete, self.path(&format!("/access_groups/{group}")), None)
    }
    /// Puts a lock into a group (M, V).
    #[must_use]
    pub fn add_lock(&self, group: &str, lock: &str) -> Request {
        request(HttpMethod::Post, self.path(&format!("/access_groups/{group}/locks")), Some(json!({ "lock_id": lock })))
    }
    /// Puts a person into a group, by her id on the platform: the one at the site is not found (M).
    #[must_use]
    pub fn add_member(&self, group: &str, platform_user: &str) -> Request {
        request(HttpMethod::Post, self.path(&format!("/access_groups/{group}/users")), Some(json!({ "user_id": platform_user })))
    }
    /// Gives a group its times: all day, every day, between two instants (M, T). Times of day would make a window of each day.
    #[must_use]
    pub fn add_schedule(&self, group: &str, starts: DateTime<Utc>, ends: DateTime<Utc>) -> Request {
        let mut body = json!({"start_time": "00:00:00", "end_time": "23:59:59", "start_date": text(starts), "end_date": text(ends)});
        for day in ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] {
            body[day] = json!(true);
        }
        request(HttpMethod::Post, format!("/v1.1/sites/{}/access_groups/{group}/time_schedules", self.0), Some(body))
    }
    /// The newest entries of the log; an older version only (M).
    #[must_use]
    pub fn entries(&self, most: usize) -> Request {
        request(HttpMethod::Get, format!("/v1.1/sites/{}/entries?$top={most}&$orderby=utc_date_time%20desc", self.0), None)
    }
}

/// An instant as it is sent: UTC, and said so.
fn text(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
