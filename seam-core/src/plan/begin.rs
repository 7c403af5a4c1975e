//! Beginning work: what is about to be done is written down before it is done, and the call is described as plain data.
use super::draft::Draft;
use super::next::{self, Next};
use super::read::Try;
use super::{access_log, card, credential, guest, method, settle, spec, stay, timer, user};
use crate::error::Effect;
use crate::model::{ConnectedAccountId, StayId, codes};
use crate::planted::{self, Bug};
use crate::provider::{CredentialSpec, Door, Handle, Kind, Role, StaySpec, SystemRef, Tag, Want};
use crate::state::*;
use chrono::Duration;
use secrecy::ExposeSecret;

/// How long an ordinary call may take.
pub const CALL_LIMIT: Duration = Duration::seconds(20);
/// How long after its limit a call that has not come back counts as lost.
pub const MARGIN: Duration = Duration::seconds(2);
/// How long reading a whole account may take.
const SCAN_LIMIT: Duration = Duration::seconds(120);
/// What an encoder may take beside waiting for the card.
const EXCHANGE: Duration = Duration::seconds(30);

/// A call to a provider, as plain data.
#[derive(Clone, Debug)]
pub struct CallPlan {
    /// The row that it is about.
    pub row: RowId,
    /// The account whose provider makes it.
    pub account: ConnectedAccountId,
    /// The system that is meant; `None` when the whole account is.
    pub system: Option<SystemRef>,
    /// What.
    pub what: CallWhat,
    /// Our short name of the row.
    pub tag: Tag,
    /// 1 for the first try.
    pub attempt: u32,
    /// The time limit.
    pub within: Duration,
    /// Who asked.
    pub operator: Option<String>,
}

/// What is called.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CallWhat {
    /// Put.
    Put {
        /// What.
        want: Want,
        /// Its handle.
        had: Option<Handle>,
    },
    /// Remove.
    Remove {
        /// What.
        want: Want,
        /// Its handle.
        had: Option<Handle>,
    },
    /// Find.
    Find {
        /// What.
        want: Want,
        /// Its handle.
        had: Option<Handle>,
    },
    /// Write a card at the system's encoder.
    Encode {
        /// What.
        card: Box<CredentialSpec>,
        /// Its handle.
        had: Option<Handle>,
        /// The encoder.
        encoder: Handle,
        /// For how long a card is waited for.
        card_wait: Duration,
    },
    /// Read a card at the system's encoder.
    Read {
        /// The encoder.
        encoder: Handle,
        /// For how long a card is waited for.
        card_wait: Duration,
    },
    /// Write a card at a reader of our own: the system computes what is written.
    Write {
        /// What.
        card: Box<CredentialSpec>,
        /// Its handle.
        had: Option<Handle>,
        /// The reader.
        end: String,
        /// For how long a card is waited for.
        card_wait: Duration,
    },
    /// Look at a card at a reader of our own.
    Present {
        /// The reader.
        end: String,
        /// For how long a card is waited for.
        card_wait: Duration,
    },
    /// Unlock a door.
    Unlock {
        /// On behalf of whom.
        card: Box<CredentialSpec>,
        /// Its handle.
        had: Option<Handle>,
        /// The door.
        door: Door,
    },
    /// Read the whole account.
    Scan {
        /// And look what stands between it and its first grant.
        readiness: bool,
    },
    /// Read on in the access log.
    Log {
        /// Where to go on.
        cursor: Option<String>,
    },
}

impl CallWhat {
    /// What is called, in one word.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Put { .. } => "put",
            Self::Remove { .. } => "remove",
            Self::Find { .. } => "find",
            Self::Encode { .. } => "encode",
            Self::Read { .. } => "read",
            Self::Write { .. } => "write",
            Self::Present { .. } => "present",
            Self::Unlock { .. } => "unlock",
            Self::Scan { .. } => "scan",
            Self::Log { .. } => "log",
        }
    }
}

/// Begins whatever is due on a row. `None`: there is nothing to call; what the draft says is to be committed all the same.
pub(crate) fn begin(d: &mut Draft<'_>, row: RowId, fence: u64) -> Try<Option<CallPlan>> {
    match d.reader().row(row)?.map(|r| r.body.kind()) {
        Some(RowKind::Target) => begin_target(d, row, fence),
        Some(RowKind::Attempt) => begin_attempt(d, row, fence),
        Some(RowKind::Account) => begin_account(d, row, fence),
        Some(RowKind::LogFeed) => access_log::begin(d, row, fence),
        Some(RowKind::Grant) => {
            timer::on_timer(d, crate::model::AccessGrantId::from_uuid(row))?;
            Ok(None)
        }
        _ => Ok(None),
    }
}

fn begin_account(d: &mut Draft<'_>, row: RowId, fence: u64) -> Try<Option<CallPlan>> {
    let mut account = d.get::<Account>(row)?;
    if account.deleted_at.is_some() || account.work.due_at.is_none_or(|at| at > d.now()) {
        return Ok(None);
    }
    account.work.in_flight = Some(InFlight { fence, doing: Doing::Scan });
    account.work.due_at = Some(d.now() + SCAN_LIMIT + MARGIN);
    let attempt = account.work.attempt + 1;
    let readiness = account.wants_readiness();
    d.set(row, account);
    Ok(Some(CallPlan {
        row,
        account: ConnectedAccountId::from_uuid(row),
        system: None,
        what: CallWhat::Scan { readiness },
        tag: spec::tag_of(row),
        attempt,
        within: SCAN_LIMIT,
        operator: None,
    }))
}

fn begin_target(d: &mut Draft<'_>, row: RowId, fence: u64) -> Try<Option<CallPlan>> {
    let mut t = d.get::<Target>(row)?;
    let now = d.now();
    if t.work.due_at.is_none_or(|at| at > now) {
        return Ok(None);
    }
    if t.work.in_flight.is_some() {
        // The limit of that call has passed and nobody settled it: its owner is gone, and what it did is not known.
        settle::lost(d, row)?;
        return Ok(None);
    }
    if d.get::<Account>(t.account)?.deleted_at.is_some() {
        // Disconnected: nothing is sent, until the installation is connected again.
        t.work.due_at = None;
        d.set(row, t);
        return Ok(None);
    }
    if t.renew_at.is_some_and(|at| at <= now) {
        renew(d, row)?;
        t = d.get::<Target>(row)?;
        if t.work.due_at.is_none_or(|at| at > now) {
            return Ok(None);
        }
    }
    let rules = method::rules_of(d, &t)?;
    let doing = match next::next(&t, &rules, now) {
        Next::Do(doing) => doing,
        Next::Rest | Next::Ask(_) => {
            next::schedule(&mut t, &rules, now);
            d.set(row, t);
            return Ok(None);
        }
    };
    if matches!(doing, Doing::Put { .. })
        && let Some(after) = t.work.after
        && let Some(first) = d.try_get::<Target>(after)?
        && !matches!(first.seen, SeenState::Present { .. })
    {
        // Not before the user is there.
        t.work.due_at = Some(first.work.due_at.map_or(now + Duration::seconds(30), |at| at.max(now)) + Duration::seconds(1));
        d.set(row, t);
        return Ok(None);
    }
    let rooms = match t.of {
        TargetOf::Stay(_) => match guest::before_telling(d, row, doing)? {
            None => return Ok(None),
            rooms => rooms,
        },
        _ => None,
    };
    let (mut cast, mut turn) = (None, None);
    // What is written on a card later is cast then: on its way to the system it opens nothing.
    let makes_key = matches!(doing, Doing::Put { .. }) && !card::is_plastic(&rules);
    if let (true, Some(id)) = (makes_key, t.credential().and_then(|c| c.stay)) {
        match cast_in(d, id, row, &t)? {
            Ok((spec, role, its)) => (cast, turn) = (Some((spec, role)), its),
            Err(_) => {
                // Another key of the stay is being made, or an earlier stay is not closed.
                let mut t = d.get::<Target>(row)?;
                t.work.due_at = Some(now + Duration::seconds(30));
                d.set(row, t);
                return Ok(None);
            }
        }
    } else if let Some(id) = t.credential().and_then(|c| c.stay) {
        cast = shown(d, id)?;
    }
    let sent = sending(d, &t, cast.as_ref(), turn);
    let mut want = spec::want(d, row, &t, cast, None)?;
    if let (Want::Stay(stay), Some(rooms)) = (&mut want, rooms) {
        stay.doors.retain(|door| rooms.contains(&door.id));
    }
    if !rules.suspend || planted::is(Bug::SuspendedSentOpen) {
        // Suspending is taking away here: what is removed or looked for is the thing as it was put.
        not_suspended(&mut want);
    }
    // The row may have been changed by casting; the mark goes on what this draft sees.
    let mut t = d.get::<Target>(row)?;
    t.work.in_flight = Some(InFlight { fence, doing }).filter(|_| !planted::is(Bug::CalledUnmarked));
    t.work.due_at = Some(now + CALL_LIMIT + MARGIN);
    if makes_key {
        t.sent = sent;
    }
    let had = t.handle.clone();
    let plan = CallPlan {
        row,
        account: t.account,
        system: Some(spec::system_ref(d, t.system)?),
        what: match doing {
            Doing::Remove => CallWhat::Remove { want, had },
            Doing::Find { .. } => CallWhat::Find { want, had },
            _ => CallWhat::Put { want, had },
        },
        tag: spec::tag_of(row),
        attempt: t.work.attempt + 1,
        within: CALL_LIMIT,
        operator: None,
    };
    d.set(row, t);
    Ok(Some(plan))
}

/// The time of a target has come: whoever wants it decides anew what is wanted of it.
fn renew(d: &mut Draft<'_>, row: RowId) -> Try<()> {
    let mut t = d.get::<Target>(row)?;
    t.renew_at = None;
    let rules = method::rules_of(d, &t)?;
    next::schedule(&mut t, &rules, d.now());
    let (of, system) = (t.of, t.system);
    d.set(row, t);
    match of {
        TargetOf::Method(m) => method::fit(d, m),
        TargetOf::User(u) => user::renew(d, u, system),
        TargetOf::Direct => credential::renew(d, row),
        TargetOf::Stay(_) => Ok(()),
    }
}

fn not_suspended(want: &mut Want) {
    match want {
        Want::User(user) => user.suspended = false,
        Want::Access(access) => access.suspended = false,
        Want::Credential(credential) => credential.suspended = false,
        _ => {}
    }
}

/// A stay, a credential's role in it, and the number under which it opens the stay.
type Cast = (StaySpec, Role, Option<u64>);

/// Casts a credential in its stay, in the provider's terms.
fn cast_in(d: &mut Draft<'_>, id: StayId, row: RowId, t: &Target) -> Try<Result<Cast, stay::NotNow>> {
    let Some(rules) = d.get::<System>(t.system)?.report.stay else { return Ok(Err(stay::NotNow::Closed)) };
    let doors = t.credential().map(|c| c.doors.clone()).unwrap_or_default();
    match stay::cast(d, id, row, &doors, &rules)? {
        Ok(casting) => {
            let stay = d.get::<Stay>(id)?;
            let spec = StaySpec { generation: casting.generation, ..spec::stay_spec(d, &stay)? };
            Ok(Ok((spec, casting.role, casting.turn)))
        }
        Err(not_now) => Ok(Err(not_now)),
    }
}

/// What a credential will be able to do once it is made.
fn sending(d: &Draft<'_>, t: &Target, cast: Option<&(StaySpec, Role)>, turn: Option<u64>) -> Option<MadeCredential> {
    let (doors, window, schedule) = match &t.want {
        Wanted::Credential(c) => (&c.doors, c.window, &c.schedule),
        Wanted::Access { doors, window, schedule, .. } => (doors, *window, schedule),
        Wanted::Stay { .. } | Wanted::User { .. } => return None,
    };
    Some(MadeCredential {
        rev: t.rev,
        doors: doors.clone(),
        window,
        schedule: schedule.clone(),
        generation: cast.map(|(stay, _)| stay.generation),
        opens: matches!(cast, Some((_, Role::Open))),
        turn,
        at: d.now(),
    })
}

/// The stay of a credential that is removed or looked for.
fn shown(d: &Draft<'_>, id: StayId) -> Try<Option<(StaySpec, Role)>> {
    Ok(match d.try_get::<Stay>(id)? {
        Some(stay) => Some((spec::stay_spec(d, &stay)?, Role::Join { with: Vec::new() })),
        None => None,
    })
}

fn begin_attempt(d: &mut Draft<'_>, row: RowId, fence: u64) -> Try<Option<CallPlan>> {
    let mut a = d.get::<Attempt>(row)?;
    let now = d.now();
    match a.state {
        AttemptState::Begun { until, .. } => {
            if now >= until && planted::is(Bug::EncodedAgain) {
                a.state = AttemptState::Waiting;
                d.set(row, a);
            } else if now >= until {
                settle::attempt_lost(d, row)?;
            }
            return Ok(None);
        }
        AttemptState::Waiting => {}
        _ => return Ok(None),
    }
    if a.begin_at > now {
        return Ok(None);
    }
    if a.cancel_asked || a.expires_at <= now {
        settle::attempt_over(
            d,
            row,
            codes::action_error::ACTION_ATTEMPT_EXPIRED,
            "The attempt expired before it was begun.",
            Effect::Nothing,
        )?;
        return Ok(None);
    }
    if let Some(id) = a.encoder() {
        let encoder = d.get::<Encoder>(id)?;
        if encoder.missing_since.is_some() {
            settle::attempt_over(d, row, codes::action_error::ENCODER_NOT_ONLINE, "The encoder is gone.", Effect::Nothing)?;
            return Ok(None);
        }
        if let Some(until) = encoder.quarantined_until.filter(|until| *until > now && !planted::is(Bug::NoQuarantine)) {
            // A card wait of the system may still be running there: nobody's key may land on somebody else's card.
            a.begin_at = until;
            a.expires_at = a.expires_at.max(until + Duration::seconds(i64::from(a.wait_seconds)));
            d.set(row, a);
            return Ok(None);
        }
    }
    let wait = Duration::seconds(i64::from(a.wait_seconds));
    let mut within = CALL_LIMIT;
    let (what, system) = match a.action.clone() {
        Action::Scan { encoder } | Action::ScanToAssign { encoder, found: None, .. } => {
            within = wait + EXCHANGE;
            let encoder = d.get::<Encoder>(encoder)?;
            let what = match encoder.own {
                true => CallWhat::Present { end: encoder.report.channel.key, card_wait: wait },
                false => CallWhat::Read { encoder: encoder.report.handle, card_wait: wait },
            };
            (what, a.system)
        }
        Action::Unlock { target, entrance, .. } => {
            let t = d.get::<Target>(target)?;
            if let Some(why) = cannot_unlock(d, &t, entrance)? {
                settle::attempt_over(d, row, "door_not_unlockable", why, Effect::Nothing)?;
                return Ok(None);
            }
            let card = Box::new(spec::credential(d, target, &t, None, None)?);
            let door = spec::doors(d, &[entrance])?.remove(0);
            (CallWhat::Unlock { card, had: t.handle, door }, t.system)
        }
        Action::Encode { target, encoder, .. } => {
            within = wait + EXCHANGE;
            let Some((card, had)) = begin_card(d, row, target, fence, None)? else { return Ok(None) };
            let (card, encoder) = (Box::new(card), d.get::<Encoder>(encoder)?);
            let what = match encoder.own {
                true => CallWhat::Write { card, had, end: encoder.report.channel.key, card_wait: wait },
                false => CallWhat::Encode { card, had, encoder: encoder.report.handle, card_wait: wait },
            };
            (what, a.system)
        }
        Action::Assign { target, number, .. } | Action::ScanToAssign { found: Some(FoundCard { target, number, .. }), .. } => {
            let number = d.env.open(row, "number", &number)?.expose_secret().to_owned();
            let Some((card, had)) = begin_card(d, row, target, fence, Some(number))? else { return Ok(None) };
            (CallWhat::Put { want: Want::Credential(card), had }, a.system)
        }
    };
    a.state = AttemptState::Begun { fence, until: now + within + MARGIN };
    let operator = match &a.actor {
        Actor::Person(id) | Actor::Kiosk(id) | Actor::Integration(id) => Some(id.clone()),
        Actor::Engine => None,
    };
    let tag = spec::tag_of(a.target().unwrap_or(row));
    let plan = CallPlan { row, account: a.account, system: Some(spec::system_ref(d, system)?), what, tag, attempt: 1, within, operator };
    d.set(row, a);
    Ok(Some(plan))
}

/// Why a door cannot be unlocked with this credential now; `None` if it can.
fn cannot_unlock(d: &Draft<'_>, t: &Target, entrance: crate::model::AcsEntranceId) -> Try<Option<&'static str>> {
    let Some(c) = t.credential() else { return Ok(Some("This is no credential.")) };
    let reaches = if let TargetOf::Method(m) = t.of {
        d.get::<Method>(m)?.doors.contains(&entrance)
    } else {
        super::attempt::reaches(d, t, entrance)?
    };
    Ok(if t.gone || t.is_withheld() {
        Some("The key is revoked or suspended.")
    } else if !c.window.contains(d.now()) {
        Some("The key is not valid now.")
    } else if !reaches {
        Some("The key does not open this door.")
    } else {
        None
    })
}

/// Begins a card: casts it in its stay, marks its target. `None`: it cannot be made now, and the attempt says why.
fn begin_card(
    d: &mut Draft<'_>,
    attempt: RowId,
    row: RowId,
    fence: u64,
    number: Option<String>,
) -> Try<Option<(CredentialSpec, Option<Handle>)>> {
    let t = d.get::<Target>(row)?;
    if t.gone {
        settle::attempt_over(d, attempt, codes::action_error::CREDENTIAL_DELETED, "The credential was deleted.", Effect::Nothing)?;
        return Ok(None);
    }
    if t.credential().is_none_or(|c| c.kind != Kind::Card) || t.is_withheld() {
        settle::attempt_over(
            d,
            attempt,
            codes::action_error::CREDENTIAL_CANNOT_BE_REISSUED,
            "This credential is no card, or it is suspended.",
            Effect::Nothing,
        )?;
        return Ok(None);
    }
    // What is told to the system at once names its user there.
    let waits_for_user = match t.work.after.filter(|_| number.is_some()) {
        Some(user) => d.try_get::<Target>(user)?.is_some_and(|user| !matches!(user.seen, SeenState::Present { .. })),
        None => false,
    };
    if t.work.in_flight.is_some() || waits_for_user {
        let mut a = d.get::<Attempt>(attempt)?;
        a.begin_at = d.now() + Duration::seconds(2);
        d.set(attempt, a);
        return Ok(None);
    }
    let (mut cast, mut turn) = (None, None);
    if let Some(id) = t.credential().and_then(|c| c.stay) {
        match cast_in(d, id, row, &t)? {
            Ok((spec, role, its)) => (cast, turn) = (Some((spec, role)), its),
            Err(stay::NotNow::Busy) => {
                let mut a = d.get::<Attempt>(attempt)?;
                a.begin_at = d.now() + Duration::seconds(2);
                d.set(attempt, a);
                return Ok(None);
            }
            Err(not_now) => {
                let error = not_now.error();
                settle::attempt_over(d, attempt, error.code(), error.message(), Effect::Nothing)?;
                return Ok(None);
            }
        }
    }
    let sent = sending(d, &t, cast.as_ref(), turn);
    let card = spec::credential(d, row, &t, cast, number)?;
    let mut t = d.get::<Target>(row)?;
    t.sent = sent;
    t.work.in_flight = Some(InFlight { fence, doing: Doing::Encode { rev: t.rev } });
    // Encoding the method again is the answer to the question about its card.
    t.work.asks = None;
    t.work.due_at = None;
    let had = t.handle.clone();
    d.set(row, t);
    Ok(Some((card, had)))
}
