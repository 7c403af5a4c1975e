//! What can be seen to be wrong before anything is sent; and what is left of a wish in the words of Visionline. Pure.
use super::config::{Config, Way};
use super::wire::pms::is_sendable;
use crate::net::civil::{self, CivilWindow};
use seam_core::provider::{CredentialSpec, Door, DoorClass, Failure, JoinBy, Kind, Reason, Role, StayRules, Tag, Want};

/// The longest name that is sent. How long the field is, is not documented.
const LONGEST_NAME: usize = 40;
/// Visionline's `rfid48` holds so many guest rooms in a row, and so many common rooms. Source: another maker's documentation.
pub(super) const GUEST_DOORS: u16 = 33;
/// See [`GUEST_DOORS`].
pub(super) const COMMON_DOORS: u16 = 28;
/// Windows have whole minutes.
pub(super) const RESOLUTION: u32 = 60;

/// How stays work: a joiner joins whoever is the room's guest; the role is a flag of the whole card; staff cannot be made, so a guest has a stay.
pub(super) const STAY: StayRules =
    StayRules { join: JoinBy::CurrentGuest, role_per_door: false, required: true, longest_jump_seconds: None };

/// A wish that can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checked {
    pub(super) window: CivilWindow,
    /// The civil end; an end is required.
    pub(super) ends: chrono::NaiveDateTime,
    /// Guest rooms, by their names.
    pub(super) rooms: Vec<String>,
    /// Common doors, by their names.
    pub(super) common: Vec<String>,
    /// Whether it ends the keys of earlier guests, or joins the present one.
    pub(super) opens: bool,
}

impl Checked {
    /// All doors that are named to the server.
    pub(super) fn doors(&self) -> Vec<String> {
        self.rooms.iter().chain(&self.common).cloned().collect()
    }
}

/// Checks a wish. `way`: by which interface it would be carried out.
///
/// # Errors
/// `Refused`: what is unknown of Visionline, what its interface cannot say, and a window of which nothing is left.
pub(super) fn check(config: &Config, want: &Want, way: Way) -> Result<Checked, Failure> {
    let Want::Credential(credential) = want else {
        return Err(Failure::unsupported(format!("Visionline holds no {:?} of its own", want.kind())));
    };
    match credential.body.kind() {
        Kind::Card => {}
        Kind::MobileKey if config.settings.mobile_keys => {}
        Kind::MobileKey => return Err(Failure::unsupported("mobile keys are not set up for this account")),
        other => return Err(Failure::unsupported(format!("Visionline holds no {other:?}"))),
    }
    credential_spec(config, credential, way)
}

fn credential_spec(config: &Config, credential: &CredentialSpec, way: Way) -> Result<Checked, Failure> {
    if credential.suspended {
        return Err(Failure::unsupported("how a card is suspended or cancelled is not publicly documented"));
    }
    if credential.schedule.is_some() {
        return Err(Failure::unsupported("how a card is given hours of the week is not publicly documented"));
    }
    let Some((_, role)) = &credential.stay else {
        return Err(Failure::unsupported("how a staff card, or a card without a room, is made is not publicly documented"));
    };
    let window = civil::inwards(&credential.window, config.server_zone, RESOLUTION)?;
    let ends = window.ends.ok_or_else(|| Failure::refused(Reason::WindowRefused, "a card of Visionline has an end"))?;
    let (mut rooms, mut common) = (Vec::new(), Vec::new());
    for door in &credential.doors {
        let name = name(door)?;
        match door.class {
            DoorClass::Guest => rooms.push(name),
            DoorClass::Common => common.push(name),
            // It opens for every guest by itself.
            DoorClass::Implicit => {}
            _ => return Err(Failure::unsupported("Visionline's doors are offline")),
        }
    }
    if rooms.is_empty() {
        return Err(Failure::unsupported("how a card without a room is made is not publicly documented"));
    }
    match way {
        Way::Web => {
            if !common.is_empty() && !config.settings.common_doors_in_guest_list {
                return Err(Failure::unsupported(
                    "how a common door is granted is not publicly documented; see common_doors_in_guest_list",
                ));
            }
            if rooms.len() > usize::from(GUEST_DOORS) || common.len() > usize::from(COMMON_DOORS) {
                return Err(Failure::unsupported("a card holds at most 33 guest rooms and 28 common rooms"));
            }
        }
        Way::Pms => {
            if rooms.len() > 1 {
                return Err(Failure::unsupported("the PMS port is known to take one room per card"));
            }
            if !rooms.iter().all(|room| is_sendable(room)) {
                return Err(Failure::unsupported(
                    "the character set of the PMS port is not documented, and the room's name is not plain ASCII",
                ));
            }
        }
    }
    Ok(Checked { window, ends, rooms, common, opens: *role == Role::Open })
}

fn name(door: &Door) -> Result<String, Failure> {
    match door.handle.as_text() {
        Some(name) if !name.is_empty() && name.len() <= 256 && !name.chars().any(char::is_control) => Ok(name.to_owned()),
        _ => Err(Failure::refused(Reason::NotThere, "a door of Visionline is addressed by its name")),
    }
}

/// The numbers of common doors, for the PMS port.
///
/// # Errors
/// `Refused` for a door whose number the settings do not say.
pub(super) fn numbers(config: &Config, common: &[String]) -> Result<Option<String>, Failure> {
    if common.len() > usize::from(COMMON_DOORS) {
        return Err(Failure::unsupported("a card holds at most 28 common rooms"));
    }
    let mut numbers = Vec::with_capacity(common.len());
    for name in common {
        let number = config.door(name).and_then(|d| d.number);
        numbers.push(number.ok_or_else(|| Failure::refused(Reason::NotThere, "the settings do not say the number of a common door"))?);
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok((!numbers.is_empty()).then(|| numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")))
}

/// The text by which people find a card in Visionline's lists, and by which we do: our tag, then the name. The tag comes first, so that a field that is
/// too short cuts the name.
pub(super) fn holder(tag: &Tag, name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    format!("{tag} {}", name.trim()).trim_end().to_owned()
}

/// Whether such a text is that of our row.
pub(super) fn is_ours(shown: &str, tag: &Tag) -> bool {
    shown.split(' ').next().is_some_and(|first| first.eq_ignore_ascii_case(&tag.0))
}

/// The tag of such a text, whoever's it is.
pub(super) fn tag_in(shown: &str) -> Option<Tag> {
    let first = shown.split(' ').next()?;
    let is_tag = (16..=32).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphanumeric());
    is_tag.then(|| Tag(first.to_ascii_lowercase()))
}
