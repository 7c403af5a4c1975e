//! What can be seen to be wrong before anything is kept. Pure.
use super::config::Settings;
use super::hours::MAX_SPANS;
use super::ledger::{DocumentForm, Opens, Right, seconds};
use seam_core::model::{Weekly, Window};
use seam_core::provider::{CredentialSpec, Door, DoorClass, Failure, Kind, Reason, Role, Want};
use uuid::Uuid;

/// A wish that can be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checked {
    pub(super) doors: Vec<Opens>,
    pub(super) window: Window,
    pub(super) hours: Option<Weekly>,
    pub(super) suspended: bool,
}

/// Checks a wish.
///
/// # Errors
/// `Refused`: another kind than a mobile key, hours of the week where or as many as documents have no place for, a window of which nothing is left, a door that the map does not have.
pub(super) fn check(settings: &Settings, want: &Want) -> Result<Checked, Failure> {
    let Want::Credential(credential) = want else {
        return Err(Failure::unsupported(format!("an open lock holds no {:?} of its own", want.kind())));
    };
    match credential.body.kind() {
        Kind::MobileKey => credential_spec(settings, credential),
        other => Err(Failure::unsupported(format!("an open lock opens for mobile keys, not for a {other:?}"))),
    }
}

fn credential_spec(settings: &Settings, credential: &CredentialSpec) -> Result<Checked, Failure> {
    match &credential.schedule {
        Some(_) if settings.documents != DocumentForm::Aliro => {
            return Err(Failure::unsupported("the documents of this account have no place for hours of the week"));
        }
        Some(hours) if hours.spans().len() > MAX_SPANS => {
            return Err(Failure::unsupported(format!("a document has a place for {MAX_SPANS} spans of the week")));
        }
        _ => {}
    }
    if seconds(&credential.window).is_none() {
        return Err(Failure::refused(Reason::WindowRefused, "nothing is left of the window in whole seconds"));
    }
    if credential.doors.is_empty() {
        return Err(Failure::refused(Reason::Invalid, "a key without a door"));
    }
    let mut doors = Vec::with_capacity(credential.doors.len());
    for door in &credential.doors {
        doors.push(opens(settings, credential, door)?);
    }
    doors.sort_by_key(|d| d.entrance);
    doors.dedup();
    Ok(Checked { doors, window: credential.window, hours: credential.schedule.clone(), suspended: credential.suspended })
}

fn opens(settings: &Settings, credential: &CredentialSpec, door: &Door) -> Result<Opens, Failure> {
    let not_there = || Failure::refused(Reason::NotThere, "the map of the site has no such entrance");
    let id: Uuid = door.handle.as_text().and_then(|text| text.parse().ok()).ok_or_else(not_there)?;
    // By the map as it is now, not as it was when the door was found: the lock goes by how it was fitted.
    let class = settings.entrance(id).ok_or_else(not_there)?.class.class();
    let right = match (class, &credential.stay) {
        (DoorClass::Guest, Some((stay, role))) => {
            if !stay.doors.iter().any(|d| d.handle == door.handle) {
                return Err(Failure::refused(Reason::Invalid, "a room of the key is none of its stay"));
            }
            Right::Stay { issue: stay.generation, opens: *role == Role::Open }
        }
        // The planner lets no guest without a stay come here: whoever has none at a room was asked for as staff.
        (DoorClass::Guest, None) => Right::Staff,
        _ => Right::Common,
    };
    Ok(Opens { entrance: id, right })
}
