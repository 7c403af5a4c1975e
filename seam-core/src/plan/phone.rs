//! Phones of a sandbox. Keys reach real phones by their instant keys; a record here says that somebody has a phone, and nothing hangs on it.
use super::change::{NewPhone, Outcome};
use super::draft::Draft;
use super::read::Try;
use super::{identity, validate};
use crate::error::{Error, ErrorKind};
use crate::model::{EventType, PhoneId, UserIdentityId};
use crate::state::*;
use serde_json::json;

/// The most phones of a person.
const MOST: usize = 100;

/// Makes a phone in a sandbox. The person's phone with the same installation is given as it is.
///
/// # Errors
/// `InvalidInput` for a field, and (`workspace_not_sandbox`) outside a sandbox; `NotFound` for the person.
pub(super) fn create(d: &mut Draft<'_>, new: &NewPhone) -> Try<Outcome> {
    if !d.get::<WorkspaceRow>(d.env.workspace)?.sandbox {
        let message = "phones are simulated in sandbox workspaces only";
        return Err(Error::new(ErrorKind::InvalidInput, "workspace_not_sandbox", message).into());
    }
    if !["android", "ios"].contains(&new.operating_system.as_str()) {
        return Err(Error::invalid("phone_metadata.operating_system", "it is neither android nor ios").into());
    }
    for (field, text) in [
        ("phone_metadata.os_version", &new.os_version),
        ("phone_metadata.device_manufacturer", &new.device_manufacturer),
        ("phone_metadata.device_model", &new.device_model),
    ] {
        validate::name(field, text)?;
    }
    if let Some(key) = &new.custom_sdk_installation_id {
        validate::key("custom_sdk_installation_id", key)?;
    }
    let (person, _) = identity::living(d, new.user_identity_id)?;
    let has = d.find_exactly(&Key::id(Index::PhonesOf, person))?;
    d.hint(has.iter().copied());
    d.gather()?;
    for row in &has {
        let phone = d.get::<Phone>(*row)?;
        if phone.installation.is_some() && phone.installation == new.custom_sdk_installation_id {
            return Ok(Outcome::Phone(PhoneId::from_uuid(*row)));
        }
    }
    validate::at_most("user_identity_id", has.len() + 1, MOST)?;
    let id = PhoneId::from_uuid(d.env.mint());
    let phone = Phone {
        identity: person,
        system: new.operating_system.clone(),
        system_version: new.os_version.clone(),
        manufacturer: new.device_manufacturer.clone(),
        model: new.device_model.clone(),
        installation: new.custom_sdk_installation_id.clone(),
        created_at: d.now(),
        deactivated_at: None,
    };
    d.set(id, phone);
    Ok(Outcome::Phone(id))
}

/// Deactivates a phone. Deactivated already is not found.
///
/// # Errors
/// `NotFound`.
pub(super) fn deactivate(d: &mut Draft<'_>, id: PhoneId) -> Try<Outcome> {
    let mut phone = d.get::<Phone>(id)?;
    if phone.deactivated_at.is_some() {
        return Err(Error::not_found("phone", id).into());
    }
    phone.deactivated_at = Some(d.now());
    phone.installation = None;
    let person = phone.identity;
    d.set(id, phone);
    d.event(EventType::PHONE_DEACTIVATED.as_str(), person, json!({ "device_id": id }));
    Ok(Outcome::Done)
}

/// Deactivates the phones of a person.
pub(super) fn deactivate_all_of(d: &mut Draft<'_>, person: UserIdentityId) -> Try<()> {
    for row in d.find_exactly(&Key::id(Index::PhonesOf, person))? {
        deactivate(d, PhoneId::from_uuid(row))?;
    }
    Ok(())
}

/// Makes the phones of a person another's.
pub(super) fn move_all(d: &mut Draft<'_>, to: UserIdentityId, from: UserIdentityId) -> Try<()> {
    for row in d.find_exactly(&Key::id(Index::PhonesOf, from))? {
        let mut phone = d.get::<Phone>(row)?;
        phone.identity = to;
        d.set(row, phone);
    }
    Ok(())
}
