//! The provider: from what is wanted to calls of the clients.
use super::check::{self, Checked};
use super::client::WebClient;
use super::config::{Config, Way};
use super::port::PmsPort;
use super::report;
use super::wire::web::{CardShown, CardWanted, DoorOperation};
use super::wire::{read_web_time, web_time};
use crate::net::Deadline;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use seam_core::clock::Clock;
use seam_core::model::Window;
use seam_core::provider::{
    AccessSystemProvider, Body, Call, CardImages, CredentialSpec, EntranceReport, Failure, Finding, Found, GroupReport, Handle, HeldPage,
    Inventory, Kind, Reason, Receipt, SystemRef, SystemReport, Tag, VendorEncoders, Want,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long a call may take that brings no limit with it.
const USUAL_LIMIT: Duration = Duration::from_secs(15);

/// Which phone belongs to whom. Phones are enrolled at the maker's Credential Services by the app of the host and its backend; their interface is not
/// public, so the host supplies what it knows.
#[async_trait]
pub trait MobileEndpoints: fmt::Debug + Send + Sync + 'static {
    /// The endpoint id of the phone for which a key is made: by our tag of the key, and by the holder's name. `None`: no phone is enrolled yet.
    ///
    /// # Errors
    /// `Nothing` when it cannot be told now.
    async fn endpoint(&self, key: &Tag, holder: &str) -> Result<Option<String>, Failure>;
}

/// An account at one Visionline server.
pub(super) struct VisionlineProvider {
    pub(super) config: Config,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) web: Option<WebClient>,
    pub(super) pms: Option<PmsPort>,
    pub(super) endpoints: Option<Arc<dyn MobileEndpoints>>,
}

impl fmt::Debug for VisionlineProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VisionlineProvider").field("end", &self.config.end()).finish_non_exhaustive()
    }
}

impl fmt::Display for VisionlineProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Visionline at {}", self.config.end())
    }
}

/// What is kept of a mobile key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeyHandle {
    /// The id that the server gave it.
    card: Option<String>,
    /// A guest room of it, and its first minute: where the server shows it.
    room: String,
    starts: String,
}

impl VisionlineProvider {
    pub(super) fn new(config: Config, clock: Arc<dyn Clock>, endpoints: Option<Arc<dyn MobileEndpoints>>) -> Result<Self, Failure> {
        let web = match &config.settings.web {
            Some(web) => Some(WebClient::new(web, &config, Arc::clone(&clock))?),
            None => None,
        };
        let pms = config.settings.pms.as_ref().map(PmsPort::new).transpose()?;
        if config.settings.mobile_keys && endpoints.is_none() {
            return Err(Failure::refused(Reason::Invalid, "mobile keys need the endpoints of phones, which this host does not supply"));
        }
        Ok(Self { config, clock, web, pms, endpoints })
    }

    pub(super) fn phones(&self) -> bool {
        self.config.settings.mobile_keys && self.endpoints.is_some()
    }
    pub(super) fn deadline(&self, within: Duration) -> Deadline {
        Deadline::after(&self.clock, within)
    }
    pub(super) fn web(&self) -> Result<&WebClient, Failure> {
        self.web.as_ref().ok_or_else(|| Failure::unsupported("the web interface is not set up"))
    }
    pub(super) fn right_system(&self, system: &Handle) -> Result<(), Failure> {
        match *system == report::handle() {
            true => Ok(()),
            false => Err(Failure::refused(Reason::NotThere, "the account has no such system")),
        }
    }

    /// The doors that the server shows, and those of the settings. Without the web interface nothing lists doors: then it is only tried to reach the server.
    async fn doors(&self) -> Result<Vec<EntranceReport>, Failure> {
        let deadline = self.deadline(USUAL_LIMIT);
        let shown = match (&self.web, &self.pms) {
            (Some(web), _) => web.doors(&deadline).await?,
            (None, Some(pms)) => {
                pms.reach(&deadline).await?;
                Vec::new()
            }
            (None, None) => Vec::new(),
        };
        Ok(report::entrances(&self.config, &shown, self.phones()))
    }

    /// The card of a wish, as the web interface is told of it.
    pub(super) fn card(&self, checked: &Checked, credential: &CredentialSpec, tag: &Tag) -> CardWanted {
        CardWanted {
            expire_time: web_time(checked.ends),
            start_time: web_time(checked.window.starts),
            format: "rfid48",
            card_holder: check::holder(tag, &credential.holder),
            door_operations: vec![DoorOperation { operation: "guest".to_owned(), doors: checked.doors() }],
            serial_numbers: Vec::new(),
            end_point_id: None,
            label: None,
            description: None,
        }
    }

    /// Until when something opens that was made by this wish, and that nobody can take away.
    pub(super) fn opens_until(&self, want: &Want) -> Option<DateTime<Utc>> {
        let Want::Credential(credential) = want else { return None };
        let window = crate::net::civil::inwards(&credential.window, self.config.server_zone, check::RESOLUTION).ok()?;
        window.instants(self.config.server_zone).ok()?.ends_at()
    }

    /// Makes a mobile key, unless the one that is wanted is there.
    async fn put_key(&self, want: &Want, had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        let checked = check::check(&self.config, want, Way::Web)?;
        let Want::Credential(credential) = want else { return Err(Failure::unsupported("no credential")) };
        let web = self.web()?;
        let deadline = self.deadline(call.within);
        let (Some(room), starts) = (checked.rooms.first(), web_time(checked.window.starts)) else {
            return Err(Failure::refused(Reason::Invalid, "a key names a room"));
        };
        // A key of ours is looked for where the last one was made, and where the new one would be.
        let had: Option<KeyHandle> = had.and_then(|h| serde_json::from_value(h.0.clone()).ok());
        let mut places = BTreeSet::from([(room.clone(), starts.clone())]);
        places.extend(had.as_ref().map(|h| (h.room.clone(), h.starts.clone())));
        let mut joins = !checked.opens;
        for (room, time) in &places {
            let cards = web.cards_at(room, time, &deadline).await?;
            for card in cards.iter().filter(|c| c.is_in_force() && check::is_ours(c.card_holder.as_deref().unwrap_or_default(), &call.tag))
            {
                match self.compare(card, &checked, credential) {
                    Compared::Same => return Ok(Receipt::accepted().with_handle(key_handle(card.name(), room, time))),
                    // It was in the stay before: it must not end the keys of those who have joined since.
                    Compared::Less => joins = true,
                    Compared::More => {
                        return Err(Failure::unsupported("a key that is on a phone cannot be taken back: how is not publicly documented"));
                    }
                }
            }
        }
        let endpoint = match &credential.body {
            Body::MobileKey { endpoint: Some(endpoint), .. } => Some(endpoint.clone()),
            _ => match &self.endpoints {
                Some(endpoints) => endpoints.endpoint(&call.tag, &credential.holder).await?,
                None => None,
            },
        };
        let Some(endpoint) = endpoint else {
            let failure = Failure::refused(Reason::NotThere, "no phone is enrolled for this key yet");
            return Err(failure.with_retry_after(Duration::from_secs(60)));
        };
        let mut card = self.card(&checked, credential, &call.tag);
        card.end_point_id = Some(endpoint);
        card.label = Some("%SITENAME% %ROOMNUM%".to_owned());
        card.description = Some(self.config.settings.name.trim().to_owned());
        let role = if joins { ("autoJoin", "true") } else { ("override", "true") };
        let made = web.make(&[("action", "mobileAccess"), role], &card, &deadline).await?;
        Ok(Receipt::accepted().with_handle(key_handle(made.name(), room, &starts)))
    }

    /// What the server shows of our key, against what is wanted.
    fn compare(&self, card: &CardShown, checked: &Checked, credential: &CredentialSpec) -> Compared {
        let zone = self.config.server_zone;
        let times = card.start_time.as_deref().and_then(read_web_time).zip(card.expire_time.as_deref().and_then(read_web_time));
        let Some((starts, ends)) = times else { return Compared::More };
        let shown: BTreeSet<&str> = card.door_operations.iter().flat_map(|o| &o.doors).map(String::as_str).collect();
        let doors = checked.doors();
        let wanted: BTreeSet<&str> = doors.iter().map(String::as_str).collect();
        if (starts, ends) == (checked.window.starts, checked.ends) && shown == wanted {
            return Compared::Same;
        }
        let inside = seam_core::model::civil::window(starts, Some(ends), zone).is_ok_and(|w: Window| credential.window.covers(&w));
        if inside && shown.is_subset(&wanted) { Compared::Less } else { Compared::More }
    }
}

/// A key that is there, compared with the one that is wanted.
enum Compared {
    Same,
    /// It opens nothing that the wanted one does not.
    Less,
    /// It opens more: another door, or at another time.
    More,
}

fn key_handle(card: Option<String>, room: &str, starts: &str) -> Handle {
    let handle = KeyHandle { card, room: room.to_owned(), starts: starts.to_owned() };
    Handle(serde_json::to_value(handle).unwrap_or_default())
}

#[async_trait]
impl AccessSystemProvider for VisionlineProvider {
    async fn systems(&self) -> Result<Vec<SystemReport>, Failure> {
        let deadline = self.deadline(USUAL_LIMIT);
        match (&self.web, &self.pms) {
            (Some(web), _) => drop(web.clock_ahead(&deadline).await?),
            (None, Some(pms)) => pms.reach(&deadline).await?,
            (None, None) => {}
        }
        Ok(vec![report::system(&self.config, self.phones())])
    }

    async fn readiness(&self) -> Vec<Finding> {
        let doors = match self.doors().await {
            Ok(doors) => doors,
            Err(failure) => return vec![Finding::unreachable(&failure)],
        };
        let mut findings = Vec::new();
        if !doors.iter().any(|d| d.reservation) {
            findings.push(Finding::new(true, "no_guest_door", "no guest room is known: check the operator's rights, or name the doors"));
        }
        let silent = doors.iter().filter(|d| !d.card && !d.mobile_key).count();
        if silent > 0 {
            let message = format!(
                "{silent} doors take nothing: common doors without common_doors_in_guest_list or a number, or of a kind that is not known"
            );
            findings.push(Finding::new(false, "doors_without_access", message));
        }
        if self.encoders().is_some() && self.config.settings.encoders.is_empty() {
            findings.push(Finding::new(true, "no_encoder", "no encoder is named in the settings; the server does not list them"));
        }
        findings
    }

    async fn put(&self, want: &Want, had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        self.right_system(&call.system.handle)?;
        if want.kind() == Kind::MobileKey {
            return self.put_key(want, had, call).await;
        }
        check::check(&self.config, want, report::card_way(&self.config))?;
        Err(Failure::unsupported("a card of Visionline is written while it lies on an encoder"))
    }

    async fn remove(&self, last: &Want, _had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        self.right_system(&call.system.handle)?;
        // How a card or a key is cancelled is not publicly documented. It opens until its own end, or until the next guest's key is used.
        Ok(match self.opens_until(last) {
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
        // None that are listed for a reader of ours.
        (self.config.settings.cards == super::config::Cards::Encoder).then_some(self)
    }
    fn card_images(&self) -> Option<&dyn CardImages> {
        (self.config.settings.cards == super::config::Cards::OwnReader).then_some(self)
    }
}

#[async_trait]
impl Inventory for VisionlineProvider {
    async fn entrances(&self, system: &SystemRef) -> Result<Vec<EntranceReport>, Failure> {
        self.right_system(&system.handle)?;
        self.doors().await
    }
    async fn groups(&self, system: &SystemRef) -> Result<Vec<GroupReport>, Failure> {
        self.right_system(&system.handle)?;
        Ok(Vec::new())
    }
    /// The server lists the cards of one room at one time: never all that it has. A list that is shorter than the truth is none.
    async fn held(&self, system: &SystemRef, _cursor: Option<&str>) -> Result<Option<HeldPage>, Failure> {
        self.right_system(&system.handle)?;
        Ok(None)
    }
}
