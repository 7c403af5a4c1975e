//! The guests' side: keys of rooms over the PMS protocol.
use super::config::PmsSettings;
use super::error::invalid;
use super::frame::FrameCodec;
use super::line::Line;
use super::pms::{Answer, Authorisation, Command, KeyContent, KeyKind, KeyRead, MOST_ROOMS, Removal, serial_number};
use crate::net::Deadline;
use crate::net::civil::inwards;
use crate::net::tcp::TcpEnd;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use seam_core::clock::Clock;
use seam_core::encoder::{CardSeen, JobControl};
use seam_core::model::Window;
use seam_core::provider::{
    Body, Call, CardPath, ChannelReport, CredentialSpec, Door, DoorClass, DoorLimit, Effect, EncoderReport, EndsBy, EntranceReport,
    Failure, Finding, Found, Handle, JoinBy, Kind, KindRules, ReadBack, Reason, Receipt, Repeat, Role, StayRules, StaySpec, SystemReport,
    Tag, Want,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The handle of the system.
pub(super) const SYSTEM: &str = "guests";
/// Authorisations that exist at all.
const AUTHORISATIONS: u16 = 62;
/// The resolution of the protocol's times, in seconds.
const MINUTE: u32 = 60;

/// The guests' side of an account.
#[derive(Debug)]
pub(super) struct Guests {
    name: String,
    zone: Tz,
    settings: PmsSettings,
    end: TcpEnd,
    line: Line,
    clock: Arc<dyn Clock>,
}

/// What a door's handle names.
enum Place<'a> {
    Room(&'a str),
    Right(Authorisation),
}

/// Our name of a row in 24 characters: the operator of a key, which is read back with it. A row's id is a number of 128 bits, and 22 letters and digits
/// hold it.
pub(super) fn mark(tag: &Tag) -> Result<String, Failure> {
    let text = &tag.0;
    if text.len() == 32
        && let Ok(mut number) = u128::from_str_radix(text, 16)
        && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
    {
        let mut digits = [b'0'; MARK];
        for digit in digits.iter_mut().rev() {
            *digit = DIGITS.get(usize::try_from(number % 62).unwrap_or_default()).copied().unwrap_or(b'0');
            number /= 62;
        }
        return Ok(digits.iter().map(|b| char::from(*b)).collect());
    }
    match text.len() < MARK && !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        true => Ok(text.clone()),
        false => Err(invalid("the name of the row does not fit into the operator's field")),
    }
}

/// The row that a mark names. `None`: whoever wrote the key was not this service.
pub(super) fn unmark(mark: &str) -> Option<Tag> {
    if mark.is_empty() || !mark.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    if mark.len() != MARK {
        return Some(Tag(mark.to_owned()));
    }
    let digit = |b: u8| DIGITS.iter().position(|d| *d == b).and_then(|n| u128::try_from(n).ok());
    let number = mark.bytes().try_fold(0_u128, |sum, b| sum.checked_mul(62)?.checked_add(digit(b)?));
    number.map(|n| Tag(format!("{n:032x}")))
}

/// What is remembered of a key on a phone: what it says, and not whose phone that is.
fn phone_handle(content: &KeyContent) -> Handle {
    let time = |at: Option<chrono::NaiveDateTime>| at.and_then(super::pms::time_text);
    let granted: Vec<u8> = content.granted.iter().map(|right| right.number()).collect();
    Handle(
        json!({"key": content.operator, "rooms": content.rooms, "granted": granted, "from": time(content.starts), "until": time(content.ends)}),
    )
}

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const MARK: usize = 22;

impl Guests {
    pub(super) fn new(name: &str, zone: Tz, settings: PmsSettings, clock: Arc<dyn Clock>) -> Self {
        let end = TcpEnd { host: settings.host.clone(), port: settings.port };
        let line = Line::new(end.clone(), FrameCodec { skip_lrc: settings.skip_lrc }, Arc::clone(&clock));
        Self { name: format!("{name}: guests"), zone, settings, end, line, clock }
    }

    fn channel(&self) -> ChannelReport {
        // One request at a time, for all rooms and all encoders.
        ChannelReport::new(self.end.to_string(), 1)
    }

    /// The server, whatever port its interface has.
    fn fingerprint(&self) -> String {
        format!("salto-space-pms {}", self.end.host.to_ascii_lowercase())
    }

    pub(super) fn report(&self) -> SystemReport {
        let mut report = SystemReport::new(Handle::text(SYSTEM), self.name.clone(), self.fingerprint(), self.channel());
        "salto_space_system".clone_into(&mut report.external_type);
        "Salto Space".clone_into(&mut report.external_type_display_name);
        report.time_zone = Some(self.zone.name().to_owned());
        let mut card = KindRules::full();
        (card.repeat, card.read_back, card.ends) = (Repeat::Never, ReadBack::None, EndsBy::Itself);
        let common = u16::try_from(self.settings.authorisations.len()).unwrap_or(AUTHORISATIONS);
        card.doors = DoorLimit::Many { guest: u16::try_from(MOST_ROOMS).unwrap_or(4), common };
        (card.suspend, card.schedule, card.end_required) = (false, false, true);
        (card.resolution_seconds, card.load_ahead_seconds, card.card) = (MINUTE, 0, Some(CardPath::VendorEncoder));
        let mut stay = card.clone();
        // There is nothing of a stay that could be suspended.
        (stay.repeat, stay.card, stay.suspend) = (Repeat::Safe, None, true);
        stay.doors = DoorLimit::Many { guest: u16::MAX, common: 0 };
        report.kinds = [(Kind::Card, card), (Kind::Stay, stay)].into();
        report.stay = Some(StayRules { join: JoinBy::CurrentGuest, role_per_door: false, required: true, longest_jump_seconds: None });
        report.external_types = [(Kind::Card, "salto_space_key".to_owned())].into();
        if self.settings.mobile_keys {
            let mut key = report.kinds.get(&Kind::Card).cloned().unwrap_or_else(KindRules::full);
            (key.card, key.needs_phone_number) = (None, true);
            report.kinds.insert(Kind::MobileKey, key);
            report.external_types.insert(Kind::MobileKey, "salto_space_key".to_owned());
        }
        report
    }

    pub(super) fn entrances(&self) -> Vec<EntranceReport> {
        let mut doors = Vec::new();
        for room in &self.settings.rooms {
            let mut door = EntranceReport::new(Handle::text(format!("room/{room}")), room.clone(), DoorClass::Guest);
            (door.card, door.reservation, door.mobile_key) = (true, true, self.settings.mobile_keys);
            door.metadata.insert("room_name".to_owned(), json!(room));
            doors.push(door);
        }
        for right in &self.settings.authorisations {
            let handle = Handle::text(format!("authorisation/{}", right.number));
            let mut door = EntranceReport::new(handle, right.name.clone(), DoorClass::Common);
            (door.card, door.mobile_key) = (true, self.settings.mobile_keys);
            doors.push(door);
        }
        doors
    }

    pub(super) fn encoders(&self) -> Vec<EncoderReport> {
        let report = |name: &String| EncoderReport::new(Handle::text(name), name.clone(), self.channel(), self.settings.card_wait_seconds);
        self.settings.encoders.iter().map(report).collect()
    }

    pub(super) async fn readiness(&self, deadline: &Deadline) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Err(failure) = self.line.probe(deadline).await {
            let what = format!("The PMS interface of Salto Space is not ready: {}.", failure.message);
            findings.push(Finding::new(true, "pms_not_ready", what));
        }
        if self.settings.encoders.is_empty() {
            findings.push(Finding::new(true, "no_encoder", "No encoder is named in the settings: no guest's card can be written."));
        }
        let unread = "Rooms, encoders and authorisations are taken from the settings: the PMS interface lists none of them.";
        findings.push(Finding::new(false, "pms_lists_nothing", unread));
        findings
    }

    fn place<'a>(&'a self, door: &'a Door) -> Result<Place<'a>, Failure> {
        let not_there = || Failure::refused(Reason::NotThere, "there is no such door among the rooms and authorisations of the settings");
        let text = door.handle.as_text().ok_or_else(not_there)?;
        if let Some(room) = text.strip_prefix("room/") {
            return self.settings.rooms.iter().find(|r| *r == room).map(|r| Place::Room(r)).ok_or_else(not_there);
        }
        let number = text.strip_prefix("authorisation/").and_then(|n| n.parse().ok()).ok_or_else(not_there)?;
        let known = self.settings.authorisations.iter().any(|a| a.number == number);
        Authorisation::new(number).filter(|_| known).map(Place::Right).ok_or_else(not_there)
    }

    fn rooms(&self, doors: &[Door]) -> Result<Vec<String>, Failure> {
        let mut rooms = Vec::new();
        for door in doors {
            if let Place::Room(room) = self.place(door)? {
                rooms.push(room.to_owned());
            }
        }
        Ok(rooms)
    }

    /// What a card will say, and whether it opens the stay. Refused before anything is sent where the protocol has no word for it.
    fn key(&self, spec: &CredentialSpec, tag: &Tag) -> Result<(KeyKind, KeyContent), Failure> {
        match spec.body {
            Body::Card { .. } => {}
            Body::MobileKey { .. } if self.settings.mobile_keys => {}
            _ => return Err(Failure::unsupported("the PMS interface makes guests' cards, and mobile keys where the settings say so")),
        }
        if spec.suspended {
            return Err(Failure::unsupported("a card cannot be suspended"));
        }
        if spec.schedule.is_some() {
            return Err(Failure::unsupported("the PMS interface knows no weekly schedule"));
        }
        if spec.window.ends_at().is_none() {
            return Err(Failure::refused(Reason::WindowRefused, "a guest's card needs an end"));
        }
        let window = inwards(&spec.window, self.zone, MINUTE)?;
        let Some((_, role)) = &spec.stay else {
            return Err(Failure::unsupported("only guests' cards are made over the PMS interface; staff keys belong to users"));
        };
        let (mut rooms, mut granted) = (Vec::new(), Vec::new());
        for door in &spec.doors {
            match self.place(door)? {
                Place::Room(room) => rooms.push(room.to_owned()),
                Place::Right(right) => granted.push(right),
            }
        }
        if rooms.is_empty() || rooms.len() > MOST_ROOMS {
            return Err(Failure::unsupported(format!("a guest's card has 1 to {MOST_ROOMS} rooms, not {}", rooms.len())));
        }
        let kind = if matches!(role, Role::Open) { KeyKind::New } else { KeyKind::Copy };
        let content =
            KeyContent { rooms, granted, denied: Vec::new(), starts: Some(window.starts), ends: window.ends, operator: mark(tag)? };
        if content.starts.into_iter().chain(content.ends).any(|at| super::pms::time_text(at).is_none()) {
            return Err(Failure::refused(Reason::WindowRefused, "the protocol knows the years 2000 to 2099"));
        }
        Ok((kind, content))
    }

    fn deadline(&self, call: &Call<'_>) -> Deadline {
        Deadline::after(&self.clock, call.within)
    }

    pub(super) async fn put(&self, want: &Want, had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        match want {
            Want::Credential(spec) => {
                let (kind, content) = self.key(spec, &call.tag)?;
                if let Body::MobileKey { phone_number, .. } = &spec.body {
                    return self.put_on_phone(kind, content, phone_number.as_ref(), had, call).await;
                }
                // The encoder makes it say something; nothing is sent before.
                Ok(Receipt::accepted().with_needs(seam_core::provider::Needs::Encoding))
            }
            Want::Stay(stay) => self.put_stay(stay, had, call).await,
            _ => Err(Failure::unsupported("the PMS interface has no users")),
        }
    }

    /// Has a key sent to the vendor's app on a phone. The answer repeats the number, and says nothing of whether the phone has it.
    async fn put_on_phone(
        &self,
        kind: KeyKind,
        content: KeyContent,
        phone_number: Option<&SecretString>,
        had: Option<&Handle>,
        call: &Call<'_>,
    ) -> Result<Receipt, Failure> {
        let handle = phone_handle(&content);
        if had == Some(&handle) {
            // It was sent so, and asking again would send another one.
            return Ok(Receipt::accepted().with_handle(handle));
        }
        let Some(phone) = phone_number.map(ExposeSecret::expose_secret) else {
            return Err(Failure::refused(Reason::NotThere, "the holder has no phone number to which her key could be sent"));
        };
        let digits = phone.strip_prefix('+').unwrap_or_default();
        if !(7..=15).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid("the holder's phone number is none of the form +34600111222"));
        }
        let command = Command::MobileKey { is_new: kind == KeyKind::New, phone: phone.to_owned(), content, text: String::new() };
        self.line.ask(&command, &self.deadline(call)).await?;
        Ok(Receipt::accepted().with_handle(handle))
    }

    /// The first key checks the room in; a later end is told by a modification.
    async fn put_stay(&self, stay: &StaySpec, had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        let rooms = self.rooms(&stay.doors)?;
        if rooms.is_empty() {
            return Err(Failure::refused(Reason::NotThere, "a stay has at least one room"));
        }
        let Some(ends) = inwards(&stay.window, self.zone, MINUTE)?.ends else {
            return Err(Failure::refused(Reason::WindowRefused, "a stay needs an end"));
        };
        let until = super::pms::time_text(ends)
            .ok_or_else(|| Failure::refused(Reason::WindowRefused, "the protocol knows the years 2000 to 2099"))?;
        let handle = Handle::text(&until);
        let deadline = self.deadline(call);
        if had.is_none_or(|had| *had == handle) {
            self.line.probe(&deadline).await?;
            return Ok(Receipt::accepted().with_handle(handle));
        }
        let mut told = false;
        for room in rooms {
            match self.line.ask(&Command::Modify { room, to: None, ends }, &deadline).await {
                Ok(_) => told = true,
                // Nothing of a list is half done. Whatever the system says in its own words, it has not changed the stay: nobody is checked in, say.
                Err(mut failure) => {
                    if failure.vendor_code.as_deref() == Some("EG") {
                        failure.effect = Effect::Refused;
                    } else if told && failure.effect == Effect::Nothing {
                        failure.effect = Effect::Unknown;
                    }
                    return Err(failure);
                }
            }
        }
        Ok(Receipt::accepted().with_handle(handle))
    }

    pub(super) async fn remove(&self, last: &Want, call: &Call<'_>) -> Result<Receipt, Failure> {
        match last {
            // No request of the protocol reaches a card: it opens until its end, or until a later guest's card was at the door.
            Want::Credential(spec) => Ok(match self.end_of(&spec.window) {
                Some(until) if until > self.clock.now() => Receipt::accepted().with_may_open_until(until),
                _ => Receipt::accepted(),
            }),
            Want::Stay(stay) => {
                let deadline = self.deadline(call);
                // A room that the settings have no more does not keep the others from being checked out.
                let known: Vec<Vec<String>> = stay.doors.chunks(1).filter_map(|door| self.rooms(door).ok()).collect();
                for room in known.into_iter().flatten() {
                    match self.line.ask(&Command::CheckOut { room }, &deadline).await {
                        // A room that is not there has no guest. Nor has one, as it seems, of which the system says something in its own words.
                        Err(failure) if matches!(failure.vendor_code.as_deref(), Some("TD" | "EG")) => {}
                        other => drop(other?),
                    }
                }
                // It is the list of guests that is changed: the keys open until their end, or until a later guest's key was at the door.
                Ok(match self.end_of(&stay.window) {
                    Some(until) if until > self.clock.now() => Receipt::accepted().with_may_open_until(until),
                    _ => Receipt::accepted(),
                })
            }
            _ => Ok(Receipt::accepted()),
        }
    }

    fn end_of(&self, window: &Window) -> Option<DateTime<Utc>> {
        inwards(window, self.zone, MINUTE).ok()?.instants(self.zone).ok()?.ends_at()
    }

    pub(super) fn find(&self) -> Found {
        // A card can be read when a person lays it on an encoder, and the list of guests not at all.
        Found::CannotTell
    }

    fn encoder<'a>(&'a self, at: &Handle) -> Result<&'a str, Failure> {
        let name = at.as_text().and_then(|name| self.settings.encoders.iter().find(|e| *e == name));
        name.map(String::as_str).ok_or_else(|| Failure::refused(Reason::NotThere, "there is no such encoder in the settings"))
    }

    fn job(&self, call: &Call<'_>, control: &JobControl) -> Result<Deadline, Failure> {
        if control.is_cancelled() {
            return Err(Failure::nothing(Reason::Cancelled, "the job was cancelled before it began"));
        }
        Ok(self.deadline(call).not_after(control.done_by))
    }

    /// The system cannot be told to stop: a job that is cancelled ends when the system's own card wait does.
    pub(super) async fn encode(
        &self,
        spec: &CredentialSpec,
        at: &Handle,
        call: &Call<'_>,
        control: &JobControl,
    ) -> Result<Receipt, Failure> {
        let encoder = self.encoder(at)?.to_owned();
        let (kind, content) = self.key(spec, &call.tag)?;
        let deadline = self.job(call, control)?;
        let handle = Handle::text(&content.operator);
        let command = Command::Key { kind, encoder, removal: Some(Removal::Ignore), content, serial: true };
        let Answer::Written { serial } = self.line.ask(&command, &deadline).await? else {
            return Err(Failure::unknown(Reason::Garbled, "the answer could not be understood"));
        };
        let mut receipt = Receipt::accepted().with_handle(handle);
        receipt.made.card_number = serial.as_deref().and_then(serial_number);
        Ok(receipt)
    }

    pub(super) async fn read(&self, at: &Handle, call: &Call<'_>, control: &JobControl) -> Result<CardSeen, Failure> {
        let encoder = self.encoder(at)?.to_owned();
        let deadline = self.job(call, control)?;
        let answer = self.line.ask(&Command::ReadKey { encoder, removal: Removal::Ignore }, &deadline).await?;
        let Answer::Key(key) = answer else { return Err(Failure::nothing(Reason::Garbled, "the answer could not be understood")) };
        // The answer does not tell the card's serial number.
        let mut seen = CardSeen::new(None);
        seen.carries = Some(Handle::text(match &key {
            KeyRead::Staff => "staff key",
            KeyRead::Spare => "spare key",
            KeyRead::NotValid => "guest key that is no longer valid",
            KeyRead::Unidentified => "not identified",
            KeyRead::Guest { content, .. } if content.operator.is_empty() => "guest key",
            KeyRead::Guest { content, .. } => content.operator.as_str(),
        }));
        if let KeyRead::Guest { content, .. } = key {
            seen.tag = unmark(&content.operator);
        }
        Ok(seen)
    }
}

/// How long a check of readiness may take.
pub(super) const READY_WITHIN: Duration = Duration::from_secs(15);
