//! Encoders of our own: readers that the system does not know, at a desk of the site.
use super::change::{NewEncoder, Outcome};
use super::draft::Draft;
use super::read::Try;
use super::{doors, user};
use crate::error::{Error, ErrorKind};
use crate::model::{AcsEncoderId, EventType};
use crate::provider::{CardPath, ChannelReport, EncoderReport, Handle, Kind};
use crate::state::*;
use serde_json::json;

/// How the end of a reader begins: it is served by the instance that has it, and by no other.
pub(super) const LOCAL: &str = "local:";
/// The longest card wait of a reader, in seconds.
const LONGEST_WAIT: u32 = 600;

/// Adds a reader to a system whose cards are written by our own. One that was removed comes back under its id.
///
/// # Errors
/// `InvalidInput` for a field; `NotFound`; `Unsupported` (`not_encodable`) where the system's own encoders write the cards, or none; `Conflict`
/// (`encoder_known`).
pub(super) fn add(d: &mut Draft<'_>, new: &NewEncoder) -> Try<Outcome> {
    if !new.end.starts_with(LOCAL)
        || new.end.len() <= LOCAL.len()
        || new.end.len() > 200
        || new.end.chars().any(|c| c.is_control() || c == '|')
    {
        return Err(Error::invalid("end", format!("the end of a reader begins with {LOCAL:?} and has up to 200 characters")).into());
    }
    if new.name.trim().is_empty() || new.name.len() > 200 || new.name.chars().any(char::is_control) {
        return Err(Error::invalid("name", "a name has 1 to 200 characters").into());
    }
    if !(1..=LONGEST_WAIT).contains(&new.card_wait_seconds) {
        return Err(Error::invalid("card_wait_seconds", format!("a card is waited for from 1 to {LONGEST_WAIT} seconds")).into());
    }
    let system = d.get::<System>(new.system)?;
    if user::rules(&system, new.system, Kind::Card)?.card != Some(CardPath::OwnEncoder) {
        let message = "the cards of this access system are not written by readers of our own".to_owned();
        return Err(doors::unsupported("not_encodable", message, new.system).into());
    }
    let handle = Handle::text(&new.end);
    let report = EncoderReport::new(handle.clone(), &new.name, ChannelReport::new(&new.end, 1), new.card_wait_seconds);
    let row = match d.find_exactly(&place_key(new.system, "encoder", &handle))?.first() {
        Some(known) => {
            let old = d.get::<Encoder>(*known)?;
            if !old.own || old.missing_since.is_none() {
                let e = Error::new(ErrorKind::Conflict, "encoder_known", "the access system has this encoder already");
                return Err(e.with_field("end").into());
            }
            d.set(*known, Encoder { report, missing_since: None, ..old });
            *known
        }
        None => {
            let row = d.env.mint();
            let encoder = Encoder {
                system: new.system,
                account: system.account,
                kind: system.kind.clone(),
                report,
                created_at: d.now(),
                missing_since: None,
                quarantined_until: None,
                own: true,
            };
            d.set(row, encoder);
            row
        }
    };
    tell(d, &EventType::ACS_ENCODER_ADDED, row)?;
    Ok(Outcome::Encoder(AcsEncoderId::from_uuid(row)))
}

/// Removes a reader of our own. Jobs that wait for it end.
///
/// # Errors
/// `NotFound`; `Conflict` (`encoder_of_system`) for one that the system lists.
pub(super) fn remove(d: &mut Draft<'_>, id: AcsEncoderId) -> Try<Outcome> {
    let old = d.get::<Encoder>(id)?;
    if !old.own {
        let e = Error::new(ErrorKind::Conflict, "encoder_of_system", "this encoder is the access system's: remove it there");
        return Err(e.with_field("acs_encoder_id").into());
    }
    if old.missing_since.is_none() {
        d.set(id, Encoder { missing_since: Some(d.now()), ..old });
        tell(d, &EventType::ACS_ENCODER_REMOVED, id.uuid())?;
    }
    Ok(Outcome::Done)
}

fn tell(d: &mut Draft<'_>, event: &EventType, row: RowId) -> Try<()> {
    let encoder = d.get::<Encoder>(row)?;
    let fields = json!({ "acs_encoder_id": row, "acs_system_id": encoder.system, "connected_account_id": encoder.account });
    d.event(event.as_str(), row, fields);
    Ok(())
}
