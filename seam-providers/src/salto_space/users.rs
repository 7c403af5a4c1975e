//! The users' side: users, access levels, PINs and keys over SHIP.
use super::config::{ShipEnd, ShipSettings};
use super::error::invalid;
use super::pms::serial_number;
use super::ship::{LONGEST_ID, Request, time, time_text};
use super::ship_client::ShipClient;
use super::xml::Node;
use crate::net::Deadline;
use crate::net::civil::{CivilWindow, inwards};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use seam_core::clock::Clock;
use seam_core::encoder::JobControl;
use seam_core::model::{Window, civil};
use seam_core::provider::{
    AccessSpec, Body, Call, CardPath, ChannelReport, CredentialSpec, DoorClass, DoorLimit, Effect, EncoderReport, EndsBy, Failure, Finding,
    Found, Groups, Handle, Kind, KindRules, Needs, PinRules, ReadBack, Reason, Receipt, Repeat, Seen, SystemReport, UserSpec, Want,
};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;

/// The handle of the system.
pub(super) const SYSTEM: &str = "users";
/// Calls that read, where nobody says for how long.
pub(super) const USUAL: Duration = Duration::from_secs(30);
/// Users of a page.
pub(super) const PAGE: usize = 200;
/// How often the audit trail is read, in seconds.
const LOG_SECONDS: u32 = 60;

/// The users' side of an account.
#[derive(Debug)]
pub(super) struct Users {
    name: String,
    pub(super) zone: Tz,
    pub(super) settings: ShipSettings,
    pub(super) client: ShipClient,
    pub(super) clock: Arc<dyn Clock>,
    channel: String,
}

impl Users {
    pub(super) fn new(name: &str, zone: Tz, settings: ShipSettings, clock: &Arc<dyn Clock>) -> Result<Self, Failure> {
        let client = ShipClient::new(&settings)?;
        let channel = match settings.end()? {
            ShipEnd::Http(url) => url,
            ShipEnd::Stp(end) => format!("stp {end}"),
        };
        Ok(Self { name: format!("{name}: users"), zone, settings, client, clock: Arc::clone(clock), channel })
    }

    pub(super) fn report(&self) -> SystemReport {
        // Whether it stands more than one request at once is not known.
        let channel = ChannelReport::new(self.channel.clone(), 1);
        let mut report =
            SystemReport::new(Handle::text(SYSTEM), self.name.clone(), format!("salto-space-ship {}", self.settings.host()), channel);
        "salto_space_system".clone_into(&mut report.external_type);
        "Salto Space".clone_into(&mut report.external_type_display_name);
        report.time_zone = Some(self.zone.name().to_owned());
        report.groups = Groups::Own;
        // Ids are ours, and an update takes the place of what was there.
        let mut user = KindRules::full();
        (user.repeat, user.read_back, user.schedule) = (Repeat::Safe, ReadBack::Existence, false);
        let mut access = user.clone();
        access.end_required = true;
        let mut code = KindRules::full();
        // A PIN has no times of its own.
        (code.repeat, code.ends, code.doors) = (Repeat::Safe, EndsBy::Engine, DoorLimit::ByUser);
        (code.load_ahead_seconds, code.schedule) = (0, false);
        let mut pin = PinRules::digits(4, 8);
        pin.per_user = true;
        report.kinds = [(Kind::User, user), (Kind::Access, access)].into();
        report.external_types = [(Kind::User, "salto_space_user".to_owned()), (Kind::Access, "salto_space_group".to_owned())].into();
        if !self.settings.keypads.is_empty() {
            report.pin = Some(pin);
            report.kinds.insert(Kind::Code, code);
        }
        if !self.settings.encoders.is_empty() {
            let mut card = KindRules::full();
            // Nor has a card: it is the user's key. How one is cancelled is not public.
            (card.repeat, card.read_back, card.ends) = (Repeat::Safe, ReadBack::None, EndsBy::Engine);
            (card.doors, card.card, card.end_required) = (DoorLimit::ByUser, Some(CardPath::PushThenVendorEncoder), true);
            (card.suspend, card.schedule, card.load_ahead_seconds) = (false, false, 0);
            report.kinds.insert(Kind::Card, card);
            report.external_types.insert(Kind::Card, "salto_space_key".to_owned());
        }
        report.access_log_seconds = Some(LOG_SECONDS);
        report
    }

    pub(super) fn encoders(&self) -> Vec<EncoderReport> {
        let report = |id: &String| {
            let channel = ChannelReport::new(format!("{} encoder {id}", self.channel), 1);
            EncoderReport::new(Handle::text(id), id.clone(), channel, self.settings.card_wait_seconds)
        };
        self.settings.encoders.iter().map(report).collect()
    }

    pub(super) async fn readiness(&self, deadline: &Deadline) -> Vec<Finding> {
        match self.client.ask(&Request::new("GetInfo"), deadline).await {
            Err(failure) => vec![Finding::new(true, "ship_not_ready", format!("The SHIP interface is not ready: {}.", failure.message))],
            Ok(info) => {
                let here = civil::clock(self.clock.now(), self.zone);
                let off = time(info.text_of("DateTime")).map(|there| (there - here).num_minutes().abs()).filter(|off| *off >= 5);
                let say = |off| format!("The server's clock and the time zone of the settings are {off} minutes apart.");
                off.map(|off| Finding::new(true, "clock_or_time_zone_differs", say(off))).into_iter().collect()
            }
        }
    }

    pub(super) fn deadline(&self, call: &Call<'_>) -> Deadline {
        Deadline::after(&self.clock, call.within)
    }

    pub(super) async fn put(&self, want: &Want, call: &Call<'_>) -> Result<Receipt, Failure> {
        let deadline = self.deadline(call);
        let id = our_id(&call.tag.0)?;
        match want {
            Want::User(user) => {
                let request = Request::new("SaltoDBUser.InsertOrUpdate").with_node(self.user(id, user)?);
                self.client.ask(&request, &deadline).await?;
                Ok(Receipt::accepted().with_handle(Handle::text(id)))
            }
            Want::Access(access) => self.put_access(id, access, call.attempt, &deadline).await,
            Want::Credential(spec) => {
                let user = self.holder(spec)?;
                match &spec.body {
                    Body::Code { pin: Some(pin), .. } if self.report().pin.is_some() => {
                        digits(pin)?;
                        self.set_pin(user, if spec.suspended { "0" } else { "1" }, pin.expose_secret(), &deadline).await?;
                        Ok(Receipt::accepted().with_handle(pin_handle(user)))
                    }
                    Body::Card { .. } if !self.settings.encoders.is_empty() => {
                        card_is_possible(spec)?;
                        // The key is the user's: only the encoder makes one, and says so if she is not there. Nothing is sent before.
                        Ok(Receipt::accepted().with_needs(Needs::Encoding))
                    }
                    _ => Err(Failure::unsupported(
                        "such a credential cannot be given over SHIP, or its doors and encoders are not in the settings",
                    )),
                }
            }
            _ => Err(Failure::unsupported("the requests of SHIP's hotel part are not public")),
        }
    }

    fn user(&self, id: &str, user: &UserSpec) -> Result<Node, Failure> {
        let (first, last) = names(&user.name, id);
        let mut node = Node::new("SaltoDBUser").with("ExtUserID", id).with("FirstName", first).with("LastName", last);
        let window = user.window.map(|w| inwards(&w, self.zone, 1)).transpose()?;
        if let Some(window) = window {
            node = node.with("UserActivation", time_text(window.starts));
        }
        node = match window.and_then(|w| w.ends) {
            Some(ends) => node.with("UserExpiration.Enabled", "1").with("UserExpiration", time_text(ends)),
            None => node.with("UserExpiration.Enabled", "0"),
        };
        if let Some(phone) = &user.phone {
            node = node.with("PhoneNumber", phone.clone());
        }
        Ok(node.with("IsBanned", if user.suspended { "1" } else { "0" }))
    }

    /// An access level of its own for each permission. Suspended it has no doors.
    async fn put_access(&self, id: &str, access: &AccessSpec, attempt: u32, deadline: &Deadline) -> Result<Receipt, Failure> {
        if access.schedule.is_some() {
            return Err(Failure::unsupported("how SHIP's tables of hours are written is not public"));
        }
        if access.window.ends_at().is_none() {
            return Err(Failure::refused(Reason::WindowRefused, "a permission needs an end"));
        }
        let user = access.user.as_ref().and_then(Handle::as_text).ok_or_else(|| invalid("a permission belongs to a user"))?;
        let window = inwards(&access.window, self.zone, 1)?;
        let doors: Vec<&str> =
            access.doors.iter().map(|d| d.handle.as_text().filter(|t| !t.is_empty())).collect::<Option<_>>().ok_or_else(no_door)?;
        let mut level = Node::new("SaltoDBGroup").with("ExtGroupID", id).with("Name", id);
        let mut permissions = Node::new("SaltoDB.AccessPermissionList.Group_Door");
        for door in doors.iter().filter(|_| !access.suspended) {
            let permission = Node::new("SaltoDB.AccessPermission.Group_Door").with("ExtDoorID", *door).with("UsePeriod", "1");
            permissions = permissions.with_node(permission.with_node(period(&window)));
        }
        let member = Node::new("SaltoDB.Membership.User_Group").with("ExtUserID", user);
        level = level.with_node(permissions).with_node(Node::new("SaltoDB.MembershipList.User_Group").with_node(member));
        let insert = Request::new("SaltoDBGroup.Insert").with_node(level.clone());
        let update = Request::new("SaltoDBGroup.Update").with_node(level);
        let (first, second, other) = if attempt <= 1 { (&insert, &update, Reason::Clash) } else { (&update, &insert, Reason::NotThere) };
        let done = match self.client.ask(first, deadline).await {
            // Exactly these two say that the other one is meant.
            Err(f) if f.reason == other && matches!(f.vendor_code.as_deref(), Some("10" | "11")) => self.client.ask(second, deadline).await,
            done => done,
        };
        done.map(|_| Receipt::accepted().with_handle(Handle::text(id)))
    }

    async fn set_pin(&self, user: &str, enabled: &str, pin: &str, deadline: &Deadline) -> Result<(), Failure> {
        let node = Node::new("SaltoDBUser").with("ExtUserID", user).with("PINEnabled", enabled).with("PINCode", pin);
        self.client.ask(&Request::new("SaltoDBUser.Update").with_node(node), deadline).await.map(drop)
    }

    pub(super) async fn remove(&self, last: &Want, _had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        let deadline = self.deadline(call);
        let (done, window) = match last {
            Want::User(_) => {
                let request = Request::new("SaltoDBUser.Delete").with("ExtUserID", our_id(&call.tag.0)?);
                (self.client.ask(&request, &deadline).await.map(drop), None)
            }
            Want::Access(access) => {
                let request = Request::new("SaltoDBGroup.Delete").with("ExtGroupID", our_id(&call.tag.0)?);
                // Cards carry what they were told to offline doors until they are updated.
                let offline = access.doors.iter().any(|d| d.class != DoorClass::Online);
                (self.client.ask(&request, &deadline).await.map(drop), Some(access.window).filter(|_| offline))
            }
            Want::Credential(spec) => match (&spec.body, spec.user.as_ref().and_then(Handle::as_text)) {
                (Body::Code { .. }, Some(user)) => (self.set_pin(user, "0", "", &deadline).await, None),
                // Nothing that is public takes a key from a user; her permissions are another thing.
                (Body::Card { .. }, _) => (Ok(()), Some(spec.window)),
                _ => (Ok(()), None),
            },
            _ => (Ok(()), None),
        };
        match done {
            Err(f) if f.effect == Effect::Refused && f.reason == Reason::NotThere => {}
            other => other?,
        }
        Ok(match window.and_then(|w| w.ends_at()).filter(|end| *end > self.clock.now()) {
            Some(end) => Receipt::accepted().with_may_open_until(end),
            None => Receipt::accepted(),
        })
    }

    pub(super) async fn find(&self, want: &Want, call: &Call<'_>) -> Result<Found, Failure> {
        let deadline = self.deadline(call);
        let id = our_id(&call.tag.0)?;
        Ok(match want {
            Want::User(_) => match self.read_user(id, &deadline).await? {
                Some(_) => Found::Present(Seen::new(Handle::text(id), None)),
                None => Found::Absent,
            },
            Want::Access(access) => {
                let user = access.user.as_ref().and_then(Handle::as_text).unwrap_or_default();
                let there = self.read_user(user, &deadline).await?.is_some_and(|user| levels(&user).any(|level| level == id));
                if there { Found::Present(Seen::new(Handle::text(id), None)) } else { Found::Absent }
            }
            Want::Credential(spec) if matches!(spec.body, Body::Code { .. }) => {
                let user = self.holder(spec)?;
                match self.read_user(user, &deadline).await?.filter(|u| !u.text_of("PINCode").is_empty()) {
                    None => Found::Absent,
                    Some(there) => {
                        let Body::Code { pin, .. } = &spec.body else { return Ok(Found::CannotTell) };
                        let same = pin.as_ref().is_some_and(|pin| pin.expose_secret() == there.text_of("PINCode"));
                        Found::Present(Seen::new(pin_handle(user), Some(same && there.flag("PINEnabled") != spec.suspended)))
                    }
                }
            }
            _ => Found::CannotTell,
        })
    }

    fn holder<'a>(&self, spec: &'a CredentialSpec) -> Result<&'a str, Failure> {
        if spec.schedule.is_some() {
            return Err(Failure::unsupported("how SHIP's tables of hours are written is not public"));
        }
        spec.user.as_ref().and_then(Handle::as_text).ok_or_else(|| invalid("a PIN or a key belongs to a user"))
    }

    /// Writes the user's key: a new one, or the one that she has. The call returns when a card was written, or when the encoder has waited long enough.
    pub(super) async fn encode(
        &self,
        spec: &CredentialSpec,
        had: Option<&Handle>,
        at: &Handle,
        call: &Call<'_>,
        control: &JobControl,
    ) -> Result<Receipt, Failure> {
        let encoder = at.as_text().filter(|id| self.settings.encoders.iter().any(|e| e == id));
        let encoder = encoder.ok_or_else(|| Failure::refused(Reason::NotThere, "there is no such encoder in the settings"))?;
        let user = self.holder(spec)?;
        card_is_possible(spec)?;
        if control.is_cancelled() {
            return Err(Failure::nothing(Reason::Cancelled, "the job was cancelled before it began"));
        }
        let deadline = self.deadline(call).not_after(control.done_by);
        let handle = key_handle(user);
        let name = match had == Some(&handle) {
            true => UPDATE,
            false => "Encoder.SaltoDBUser.AssignNewKey",
        };
        let ask = async |name| self.client.ask(&Request::new(name).with("ExtUserID", user).with("EncoderID", encoder), &deadline).await;
        // What the answer says beside that it is one is not public.
        match ask(name).await {
            // She has a key already: a lost answer wrote it, or her last card is lost. The card on the encoder may be that key; another one is refused.
            Err(failure) if failure.vendor_code.as_deref() == Some("305") => ask(UPDATE).await.map_err(another_key)?,
            done => done?,
        };
        let mut receipt = Receipt::accepted().with_handle(handle);
        // The key is made. Its number is told by the user's record; without it the key is no less made.
        if let Ok(Some(record)) = self.read_user(user, &deadline).await {
            receipt.made.card_number = serial_number(record.text_of("CurrentROMCode"));
        }
        Ok(receipt)
    }

    /// The instant that a civil time of the server means.
    pub(super) fn instant(&self, text: &str) -> Option<DateTime<Utc>> {
        time(text).map(|at| civil::start(at, self.zone))
    }
}

/// The name of the request that writes the key anew which a user has.
const UPDATE: &str = "Encoder.SaltoDBUser.UpdateCurrentKey";

/// A user has one key, and how it is cancelled is not public: somebody has to know what to do.
fn another_key(mut failure: Failure) -> Failure {
    if failure.reason == Reason::BadCard {
        failure.message = "the user has another key: lay that one, or, if it is lost, cancel it in Salto Space".to_owned();
    }
    failure
}

fn no_door() -> Failure {
    Failure::refused(Reason::NotThere, "there is no such door")
}

fn card_is_possible(spec: &CredentialSpec) -> Result<(), Failure> {
    if spec.suspended {
        return Err(Failure::unsupported("a key cannot be suspended; its user can"));
    }
    if spec.window.ends_at().is_none() {
        return Err(Failure::refused(Reason::WindowRefused, "a key needs an end"));
    }
    Ok(())
}

fn digits(pin: &SecretString) -> Result<(), Failure> {
    let pin = pin.expose_secret();
    match (4..=8).contains(&pin.len()) && pin.bytes().all(|b| b.is_ascii_digit()) {
        true => Ok(()),
        false => Err(Failure::refused(Reason::PinRefused, "a PIN has 4 to 8 digits")),
    }
}

/// An id of ours fits into the vendor's field as it is.
fn our_id(tag: &str) -> Result<&str, Failure> {
    match (1..=LONGEST_ID).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric()) {
        true => Ok(tag),
        false => Err(invalid("the name of the row does not fit into an external id")),
    }
}

pub(super) fn pin_handle(user: &str) -> Handle {
    Handle(serde_json::json!({ "user": user, "has": "pin" }))
}

pub(super) fn key_handle(user: &str) -> Handle {
    Handle(serde_json::json!({ "user": user, "has": "key" }))
}

/// Ids of a user's access levels.
pub(super) fn levels(user: &Node) -> impl Iterator<Item = &str> {
    let list = user.child("SaltoDB.MembershipList.User_Group");
    list.into_iter().flat_map(|l| l.all("SaltoDB.Membership.User_Group")).map(|m| m.text_of("ExtGroupID"))
}

fn period(window: &CivilWindow) -> Node {
    let ends = window.ends.map(time_text).unwrap_or_default();
    Node::new("Period").with("StartDate", time_text(window.starts)).with("EndDate", ends)
}

/// First and last name. Title, first and last name together have to be unique: the last one ends with a piece of our id. At most 40 and 50 characters.
fn names(name: &str, id: &str) -> (String, String) {
    let clean: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let (first, last) = clean.trim().rsplit_once(' ').unwrap_or((clean.trim(), ""));
    let cut = |text: &str, most: usize| text.trim().chars().take(most).collect::<String>();
    let piece: String = id.chars().rev().take(8).collect::<Vec<_>>().into_iter().rev().collect();
    (cut(first, 40), format!("{} #{piece}", cut(last, 38)).trim().to_owned())
}

/// A window of the server, where it is one.
pub(super) fn window_of(users: &Users, starts: &str, ends: &str) -> Option<Window> {
    Window::new(users.instant(starts)?, users.instant(ends)).ok()
}
