//! The provider: cards at encoders, and nothing else.
use super::client::Pmsif;
use super::config::{Config, EncoderSettings};
use super::wire::{Job, is_sendable, time};
use crate::net::Deadline;
use crate::net::civil::{self as rounding, CivilWindow};
use crate::visionline::check::STAY;
use crate::visionline::wire::pms::sendable;
use crate::visionline::wire::read_serial;
use async_trait::async_trait;
use chrono::NaiveDateTime;
use seam_core::clock::Clock;
use seam_core::encoder::{CardSeen, JobControl};
use seam_core::model::civil;
use seam_core::provider::{
    AccessSystemProvider, Call, CardPath, ChannelReport, CredentialSpec, DoorClass, DoorLimit, EncoderReport, EndsBy, EntranceReport,
    Failure, Finding, Found, GroupReport, Handle, HeldPage, Inventory, Kind, KindRules, ReadBack, Reason, Receipt, Repeat, Role, SystemRef,
    SystemReport, VendorEncoders, Want,
};
use serde_json::json;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Windows have whole minutes.
const RESOLUTION: u32 = 60;
/// How long a call may take that brings no limit with it.
const USUAL_LIMIT: Duration = Duration::from_secs(15);

/// An account at one Vision server.
#[derive(Debug)]
pub(super) struct VisionProvider {
    config: Config,
    clock: Arc<dyn Clock>,
    pmsif: Pmsif,
}

impl fmt::Display for VisionProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VingCard Vision at {}", self.config.end())
    }
}

/// The handle of the account's one system.
pub(super) fn handle() -> Handle {
    Handle::text("site")
}

impl VisionProvider {
    pub(super) fn new(config: Config, clock: Arc<dyn Clock>) -> Self {
        let pmsif = Pmsif::new(&config);
        Self { config, clock, pmsif }
    }

    fn right_system(&self, system: &Handle) -> Result<(), Failure> {
        match *system == handle() {
            true => Ok(()),
            false => Err(Failure::refused(Reason::NotThere, "the account has no such system")),
        }
    }

    /// What a card needs: its room, its times, and the command that makes it.
    fn check(&self, want: &Want) -> Result<(String, CivilWindow, NaiveDateTime, u8), Failure> {
        let Want::Credential(credential) = want else {
            return Err(Failure::unsupported(format!("Vision holds no {:?} of its own", want.kind())));
        };
        if credential.body.kind() != Kind::Card {
            return Err(Failure::unsupported("Vision makes cards only"));
        }
        if credential.suspended || credential.schedule.is_some() {
            return Err(Failure::unsupported("how a card is cancelled, or given hours of the week, is not publicly documented"));
        }
        let Some((_, role)) = &credential.stay else {
            return Err(Failure::unsupported("how a staff card is made is not publicly documented"));
        };
        let window = rounding::inwards(&credential.window, self.config.server_zone, RESOLUTION)?;
        let ends = window.ends.ok_or_else(|| Failure::refused(Reason::WindowRefused, "a card of Vision has an end"))?;
        let mut rooms = credential.doors.iter().filter(|d| d.class != DoorClass::Implicit);
        let (room, more) = (rooms.next(), rooms.next());
        let room = match room {
            Some(door) if door.class == DoorClass::Guest && more.is_none() => door.handle.as_text().unwrap_or_default(),
            _ => {
                return Err(Failure::unsupported(
                    "a card of Vision is for one room; how a common door is granted is not publicly documented",
                ));
            }
        };
        if !self.config.settings.rooms.iter().any(|known| known == room) {
            return Err(Failure::refused(Reason::NotThere, "the settings have no such room"));
        }
        if !is_sendable(room) {
            return Err(Failure::unsupported("the code page is not documented, and the room's name is not plain ASCII"));
        }
        let is_later = window.starts.date() > civil::clock(self.clock.now(), self.config.server_zone).date();
        let command = match (role, is_later) {
            (Role::Open, false) => b'I',
            (Role::Open, true) => b'G',
            (_, false) => b'H',
            (_, true) => return Err(Failure::unsupported("how a guest joins a stay before its day is not publicly documented")),
        };
        Ok((room.to_owned(), window, ends, command))
    }

    fn encoder(&self, encoder: &EncoderSettings) -> EncoderReport {
        // Whether several may register at once is not known: all encoders are one channel.
        let channel = ChannelReport::new(format!("vision://{}", self.config.end()), 1);
        EncoderReport::new(Handle::text(&encoder.name), &encoder.name, channel, self.config.settings.card_wait_seconds)
    }
}

#[async_trait]
impl AccessSystemProvider for VisionProvider {
    async fn systems(&self) -> Result<Vec<SystemReport>, Failure> {
        self.pmsif.reach(&Deadline::after(&self.clock, USUAL_LIMIT)).await?;
        let channel = ChannelReport::new(format!("vision://{}", self.config.end()), 1);
        let name = self.config.settings.name.trim();
        let mut report = SystemReport::new(handle(), name, format!("vision:{}", self.config.settings.host.to_ascii_lowercase()), channel);
        report.external_type = "vingcard_vision_system".to_owned();
        report.external_type_display_name = "VingCard Vision site".to_owned();
        report.time_zone = Some(self.config.zone.name().to_owned());
        report.stay = Some(STAY);
        let mut rules = KindRules::full();
        rules.repeat = Repeat::Never;
        rules.read_back = ReadBack::None;
        rules.ends = EndsBy::Itself;
        rules.doors = DoorLimit::Many { guest: 1, common: 0 };
        rules.suspend = false;
        rules.end_required = true;
        rules.resolution_seconds = RESOLUTION;
        rules.card = Some(CardPath::VendorEncoder);
        report.kinds.insert(Kind::Card, rules);
        report.external_types.insert(Kind::Card, "vingcard_vision_card".to_owned());
        Ok(vec![report])
    }
    async fn readiness(&self) -> Vec<Finding> {
        match self.systems().await {
            Ok(_) if self.config.settings.encoders.is_empty() => {
                vec![Finding::new(true, "no_encoder", "no encoder is named in the settings; the server does not list them")]
            }
            Ok(_) => Vec::new(),
            Err(failure) if failure.reason == Reason::Unauthenticated => vec![Finding::new(true, "licence_refused", failure.message)],
            Err(failure) => vec![Finding::unreachable(&failure)],
        }
    }
    async fn put(&self, want: &Want, _had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        self.right_system(&call.system.handle)?;
        self.check(want)?;
        Err(Failure::unsupported("a card of Vision is written while it lies on an encoder"))
    }
    async fn remove(&self, last: &Want, _had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        self.right_system(&call.system.handle)?;
        // How a card is cancelled is not publicly documented. It opens until its own end, or until the next guest's is used.
        let zone = self.config.server_zone;
        let window = match last {
            Want::Credential(c) => rounding::inwards(&c.window, zone, RESOLUTION).ok().and_then(|w| w.instants(zone).ok()),
            _ => None,
        };
        Ok(match window.and_then(|w| w.ends_at()) {
            Some(until) => Receipt::accepted().with_may_open_until(until),
            None => Receipt::accepted(),
        })
    }
    async fn find(&self, _want: &Want, _had: Option<&Handle>, call: &Call<'_>) -> Result<Found, Failure> {
        self.right_system(&call.system.handle)?;
        Ok(Found::CannotTell)
    }
    fn inventory(&self) -> Option<&dyn Inventory> {
        Some(self)
    }
    fn encoders(&self) -> Option<&dyn VendorEncoders> {
        Some(self)
    }
}

#[async_trait]
impl Inventory for VisionProvider {
    /// The rooms of the settings: Vision lists none.
    async fn entrances(&self, system: &SystemRef) -> Result<Vec<EntranceReport>, Failure> {
        self.right_system(&system.handle)?;
        let room = |name: &String| {
            let mut room = EntranceReport::new(Handle::text(name), name, DoorClass::Guest);
            (room.card, room.reservation) = (true, true);
            room
        };
        Ok(self.config.settings.rooms.iter().map(room).collect())
    }
    async fn groups(&self, system: &SystemRef) -> Result<Vec<GroupReport>, Failure> {
        self.right_system(&system.handle)?;
        Ok(Vec::new())
    }
    async fn held(&self, system: &SystemRef, _cursor: Option<&str>) -> Result<Option<HeldPage>, Failure> {
        self.right_system(&system.handle)?;
        Ok(None)
    }
}

#[async_trait]
impl VendorEncoders for VisionProvider {
    async fn list(&self, system: &SystemRef) -> Result<Vec<EncoderReport>, Failure> {
        self.right_system(&system.handle)?;
        Ok(self.config.settings.encoders.iter().map(|e| self.encoder(e)).collect())
    }

    /// It stays open until Vision has an answer: how a job is cancelled is not publicly documented.
    async fn encode(
        &self,
        card: &CredentialSpec,
        _had: Option<&Handle>,
        at: &Handle,
        call: &Call<'_>,
        control: &JobControl,
    ) -> Result<Receipt, Failure> {
        self.right_system(&call.system.handle)?;
        let (room, window, ends, command) = self.check(&Want::Credential(card.clone()))?;
        let settings = &self.config.settings;
        let known = at.as_text().and_then(|name| settings.encoders.iter().find(|e| e.name == name));
        let encoder = known.ok_or_else(|| Failure::refused(Reason::NotThere, "the settings have no such encoder"))?;
        if control.is_cancelled() {
            return Err(Failure::nothing(Reason::Cancelled, "the job was cancelled before it began"));
        }
        let fields = vec![
            (b'R', room),
            (b'T', settings.user_type.clone()),
            (b'F', call.tag.0.clone()),
            (b'N', sendable(&card.holder, 32)),
            (b'U', settings.user_group.clone()),
            (b'D', time(window.starts)),
            (b'O', time(ends)),
            // Empty: it is asked for.
            (b'S', String::new()),
        ];
        let (encoder, source) = (format!("{:02}", encoder.number), settings.source.clone());
        let job = Job { command, fields, encoder, source, operator: Default::default() };
        let deadline = Deadline::after(&self.clock, call.within).not_after(control.done_by);
        let answer = self.pmsif.encode(job, &deadline).await?;
        let mut receipt = Receipt::accepted();
        receipt.made.card_number = answer.field(b'S').and_then(read_serial);
        receipt.handle = receipt.made.card_number.as_ref().map(|serial| Handle(json!({ "serial": serial })));
        Ok(receipt)
    }

    async fn read(&self, _at: &Handle, _call: &Call<'_>, _control: &JobControl) -> Result<CardSeen, Failure> {
        Err(Failure::unsupported("with which fields a card is read is not publicly documented"))
    }
}
