//! What a person asks for at a device, and the answers to questions.
use super::change::{EncodeWhat, NewEncode, Outcome, Resolution};
use super::draft::Draft;
use super::read::Try;
use super::{doors, method, next, settle, stay};
use crate::error::{Effect, Error, ErrorKind};
use crate::model::{AccessMethodId, AccessMethodMode, AcsCredentialId, AcsEncoderId, AcsEntranceId, ActionAttemptId, codes};
use crate::provider::{CardPath, Certainty, Kind, Needs, Receipt};
use crate::state::*;
use chrono::Duration;

/// The longest wait for a card, in seconds.
const LONGEST_WAIT: u32 = 600;
/// How long an attempt may wait for its turn, beside waiting for the card.
pub(super) const QUEUE: Duration = Duration::seconds(120);

pub(super) fn wait(seconds: u32) -> Result<u32, Error> {
    if (1..=LONGEST_WAIT).contains(&seconds) {
        Ok(seconds)
    } else {
        Err(Error::invalid("wait_seconds", format!("a card is waited for from 1 to {LONGEST_WAIT} seconds")))
    }
}

pub(super) fn new_attempt(
    d: &mut Draft<'_>,
    action: Action,
    system: crate::model::AcsSystemId,
    account: crate::model::ConnectedAccountId,
    channel: Channel,
    wait_seconds: u32,
) -> Outcome {
    let id = ActionAttemptId::from_uuid(d.env.mint());
    let now = d.now();
    let attempt = Attempt {
        action,
        system,
        account,
        channel,
        actor: d.env.actor.clone(),
        created_at: now,
        begin_at: now,
        expires_at: now + QUEUE + Duration::seconds(i64::from(wait_seconds)),
        wait_seconds,
        cancel_asked: false,
        state: AttemptState::Waiting,
    };
    d.set(id, attempt);
    Outcome::Attempt(id)
}

/// Asks for a card to be written.
pub(super) fn encode(d: &mut Draft<'_>, new: &NewEncode) -> Try<Outcome> {
    let wait_seconds = wait(new.wait_seconds)?;
    let encoder = d.get::<Encoder>(new.encoder)?;
    let (row, method) = match new.what {
        EncodeWhat::Credential(id) => {
            let t = d.get::<Target>(id)?;
            let method = if let TargetOf::Method(m) = t.of { Some(m) } else { None };
            (id.uuid(), method)
        }
        EncodeWhat::Method(id) => (card_of(d, id, Some(encoder.system))?, Some(id)),
    };
    let t = d.get::<Target>(row)?;
    if t.gone || t.credential().is_none() {
        return Err(Error::not_found("acs_credential", row).into());
    }
    if t.is_unassigned() {
        let e = Error::new(ErrorKind::Conflict, "credential_unassigned", "nobody has this credential: assign it first");
        return Err(e.with_field("acs_credential_id").into());
    }
    if t.system != encoder.system {
        return Err(Error::invalid("acs_encoder_id", "the encoder belongs to another access system than the card").into());
    }
    let rules = method::rules_of(d, &t)?;
    let by_own = rules.card == Some(CardPath::OwnEncoder);
    let by_systems = matches!(rules.card, Some(CardPath::VendorEncoder | CardPath::PushThenVendorEncoder));
    if t.kind() != Kind::Card || (encoder.own && !by_own) || (!encoder.own && !by_systems) {
        let message =
            if by_own { "this card is written by a reader of our own" } else { "this credential is not written by such an encoder" };
        return Err(doors::unsupported("not_encodable", message.to_owned(), t.system).into());
    }
    let action = Action::Encode { target: row, method, encoder: new.encoder };
    Ok(new_attempt(d, action, encoder.system, encoder.account, encoder.channel(), wait_seconds))
}

/// The card of a method: its only one, or the one at a system.
fn card_of(d: &Draft<'_>, id: AccessMethodId, system: Option<crate::model::AcsSystemId>) -> Try<RowId> {
    let m = d.get::<Method>(id)?;
    if m.deleted_at.is_some() {
        return Err(Error::not_found("access_method", id).into());
    }
    if m.mode != AccessMethodMode::Card {
        return Err(Error::invalid("access_method_id", "only a card is encoded or assigned").into());
    }
    d.hint(m.targets.iter().copied());
    d.gather()?;
    let mut cards = Vec::new();
    for row in &m.targets {
        let t = d.get::<Target>(*row)?;
        if !t.gone && system.is_none_or(|s| s == t.system) {
            cards.push(*row);
        }
    }
    match cards.as_slice() {
        [one] => Ok(*one),
        [] if m.is_over() => {
            Err(Error::new(ErrorKind::Conflict, "access_method_ended", "the access method has ended").with_field("access_method_id").into())
        }
        [] => Err(Error::invalid("acs_encoder_id", "the card has nothing at this encoder's access system").into()),
        _ => Err(Error::invalid("access_method_id", "the card stands for several credentials; name one of them").into()),
    }
}

/// Asks for a card to be read.
pub(super) fn scan(d: &mut Draft<'_>, id: AcsEncoderId, wait_seconds: u32) -> Try<Outcome> {
    let wait_seconds = wait(wait_seconds)?;
    let encoder = d.get::<Encoder>(id)?;
    Ok(new_attempt(d, Action::Scan { encoder: id }, encoder.system, encoder.account, encoder.channel(), wait_seconds))
}

/// Asks for a registered card to be assigned.
pub(super) fn assign(d: &mut Draft<'_>, id: AccessMethodId, number: &str) -> Try<Outcome> {
    if number.is_empty() || number.len() > 64 || number.chars().any(char::is_control) {
        return Err(Error::invalid("card_number", "a card number has 1 to 64 characters").into());
    }
    let row = card_of(d, id, None)?;
    let t = d.get::<Target>(row)?;
    let rules = method::rules_of(d, &t)?;
    if rules.card != Some(CardPath::Preassigned) {
        return Err(doors::unsupported("not_assignable", "this access system does not assign registered cards".to_owned(), t.system).into());
    }
    let system = d.get::<System>(t.system)?;
    let attempt = d.env.mint();
    let sealed = d.env.seal(attempt, "number", number)?;
    let now = d.now();
    let actor = d.env.actor.clone();
    d.set(
        attempt,
        Attempt {
            action: Action::Assign { target: row, method: Some(id), number: sealed },
            system: t.system,
            account: t.account,
            channel: doors::channel_of(&system, None),
            actor,
            created_at: now,
            begin_at: now,
            expires_at: now + QUEUE,
            wait_seconds: 0,
            cancel_asked: false,
            state: AttemptState::Waiting,
        },
    );
    Ok(Outcome::Attempt(ActionAttemptId::from_uuid(attempt)))
}

/// Asks for a door to be unlocked on behalf of the holder of a method.
pub(super) fn unlock(d: &mut Draft<'_>, id: AccessMethodId, entrance: AcsEntranceId) -> Try<Outcome> {
    let m = d.get::<Method>(id)?;
    if m.deleted_at.is_some() {
        return Err(Error::not_found("access_method", id).into());
    }
    if m.mode != AccessMethodMode::CloudKey {
        return Err(Error::invalid("access_method_id", "only a cloud key unlocks remotely").into());
    }
    let door = d.get::<Entrance>(entrance)?;
    if !m.doors.contains(&entrance) {
        return Err(Error::invalid("acs_entrance_id", "the access method does not open this entrance").into());
    }
    d.hint(m.targets.iter().copied());
    d.gather()?;
    for row in &m.targets {
        let t = d.get::<Target>(*row)?;
        let here = t.credential().is_some_and(|c| c.user.is_some() || c.doors.contains(&entrance));
        if !t.gone && t.system == door.system && here {
            let system = d.get::<System>(door.system)?;
            let channel = doors::channel_of(&system, Some(&door));
            return Ok(new_attempt(d, Action::Unlock { target: *row, method: Some(id), entrance }, door.system, t.account, channel, 0));
        }
    }
    Err(Error::new(ErrorKind::Conflict, "access_method_ended", "the access method has ended").with_field("access_method_id").into())
}

/// Asks for a door to be unlocked on behalf of the holder of a credential.
pub(super) fn unlock_with(d: &mut Draft<'_>, id: AcsCredentialId, entrance: AcsEntranceId) -> Try<Outcome> {
    let t = d.get::<Target>(id)?;
    let Some(c) = t.credential().filter(|_| !t.gone) else { return Err(Error::not_found("acs_credential", id).into()) };
    if c.kind != Kind::CloudKey {
        return Err(Error::invalid("acs_credential_id", "only a cloud key unlocks remotely").into());
    }
    if let TargetOf::Method(method) = t.of {
        return unlock(d, method, entrance);
    }
    let door = d.get::<Entrance>(entrance)?;
    if door.system != t.system || !reaches(d, &t, entrance)? {
        return Err(Error::invalid("acs_entrance_id", "the credential does not open this entrance").into());
    }
    if t.is_withheld() {
        let e = Error::new(ErrorKind::Conflict, "credential_suspended", "the credential is suspended, or nobody has it");
        return Err(e.with_field("acs_credential_id").into());
    }
    let system = d.get::<System>(door.system)?;
    let channel = doors::channel_of(&system, Some(&door));
    Ok(new_attempt(d, Action::Unlock { target: id.uuid(), method: None, entrance }, door.system, t.account, channel, 0))
}

/// Whether a direct credential opens a door: one of its own, or one that its user may pass.
pub(super) fn reaches(d: &Draft<'_>, t: &Target, entrance: AcsEntranceId) -> Try<bool> {
    let Some(c) = t.credential() else { return Ok(false) };
    let Some(user) = c.user.filter(|_| !c.doors.contains(&entrance)) else { return Ok(c.doors.contains(&entrance)) };
    let permits = |p: &Target| matches!(&p.want, Wanted::Access { doors, suspended: false, .. } if doors.contains(&entrance));
    Ok(super::user::hanging(d, user)?.iter().any(|(_, p)| !p.gone && permits(p)))
}

/// Stops an attempt: one that nobody has begun ends; one that is under way is asked to end.
pub(super) fn cancel(d: &mut Draft<'_>, id: ActionAttemptId) -> Try<Outcome> {
    let mut a = d.get::<Attempt>(id)?;
    match a.state {
        AttemptState::Waiting => {
            settle::attempt_over(d, id.uuid(), codes::action_error::ACTION_ATTEMPT_EXPIRED, "The attempt was cancelled.", Effect::Nothing)?;
        }
        AttemptState::Begun { .. } => {
            a.cancel_asked = true;
            d.set(id, a);
        }
        _ => {}
    }
    Ok(Outcome::Attempt(id))
}

/// Answers a question.
pub(super) fn resolve(d: &mut Draft<'_>, id: AcsCredentialId, answer: Resolution) -> Try<Outcome> {
    let row = id.uuid();
    let t = d.get::<Target>(row)?;
    if t.work.asks.is_none() {
        return Err(Error::new(ErrorKind::Conflict, "no_open_question", "nothing is asked about this credential")
            .with_field("acs_credential_id")
            .into());
    }
    match answer {
        Resolution::Happened => resolve_happened(d, row, Receipt::accepted())?,
        Resolution::DidNot | Resolution::Redo => {
            let before = t.clone();
            let rules = method::rules_of(d, &t)?;
            let mut t = t;
            let now = d.now();
            t.work.asks = None;
            t.work.look = false;
            t.take_doubtful();
            t.seen = match (t.doubtful(), &t.made) {
                // An earlier try had no answer either: the question is now about that one.
                (Some(earlier), _) => SeenState::Unknown { rev: earlier.can.rev },
                // What was there before is still there. What the engine puts is put over it, also where it reads the same.
                (None, Some(_)) if next::is_put(&rules) => SeenState::Present { rev: 0, certainty: Certainty::Accepted },
                (None, Some(made)) => SeenState::Present { rev: made.rev, certainty: Certainty::Accepted },
                (None, None) => SeenState::Never,
            };
            if next::first_needs(&rules) == Needs::Encoding {
                t.needs = Needs::Encoding;
            }
            next::schedule(&mut t, &rules, now);
            let stay_id = t.credential().and_then(|c| c.stay);
            d.set(row, t);
            if let Some(s) = stay_id {
                stay::not_opened(d, s, row)?;
            }
            super::refresh::after(d, row, &before)?;
        }
    }
    Ok(Outcome::Credential(id))
}

/// It did happen: what was doubtful is there.
pub(super) fn resolve_happened(d: &mut Draft<'_>, row: RowId, receipt: Receipt) -> Try<()> {
    let mut t = d.get::<Target>(row)?;
    t.work.asks = None;
    let SeenState::Unknown { rev } = t.seen else {
        // It was not about a call without an answer (several things carried our mark, say): it is looked at once more.
        t.work.look = true;
        let rules = method::rules_of(d, &t)?;
        next::schedule(&mut t, &rules, d.now());
        d.set(row, t);
        return Ok(());
    };
    t.sent = t.take_doubtful();
    t.work.in_flight = Some(InFlight { fence: 0, doing: Doing::Encode { rev } });
    d.set(row, t);
    settle::settle(d, row, 0, &settle::Report::Done(Ok(receipt)))
}
