//! What an instant key hands over: whose it is, which doors it opens and when, and which of them open from afar.
use super::Viewer;
use crate::model::{
    AccessMethodId, AccessMethodMode, AcsEntranceId, ClientSessionId, InstantKeyId, Shown, UserIdentityId, Window, WorkspaceId, time,
};
use crate::plan::Try;
use crate::state::{Entrance, Grant, Index, InstantKey, Key, Method, RowId, System, Target, session_of};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;

/// What an instant key hands over. Looking at it uses nothing up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeyContents {
    /// The link.
    pub instant_key_id: InstantKeyId,
    /// The workspace that it belongs to.
    pub workspace_id: WorkspaceId,
    /// The session that it opens: who shows its token, has redeemed it.
    pub client_session_id: ClientSessionId,
    /// The person whose keys they are.
    pub user_identity_id: UserIdentityId,
    /// The method that it was made for; none: all mobile keys of the person. One that is over is named too: such a link hands nothing over.
    #[serde(skip)]
    pub access_method_id: Option<AccessMethodId>,
    /// The person's name, where one is known. Nothing else of her: a link may be passed on.
    pub holder: Option<Shown>,
    /// Whether it can be redeemed.
    #[serde(flatten)]
    pub state: KeyState,
    /// From when it cannot be redeemed.
    #[serde(with = "time::instant")]
    pub expires_at: DateTime<Utc>,
    /// The doors, by name. Empty once it was deleted.
    pub doors: Vec<KeyDoor>,
}

/// Whether an instant key can be redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
#[non_exhaustive]
pub enum KeyState {
    /// It can.
    Open {
        /// How often still.
        uses_left: u32,
    },
    /// It was redeemed as often as it may be.
    UsedUp,
    /// Its time has passed.
    Expired,
    /// Somebody took it back.
    Deleted,
}

/// A door of an instant key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeyDoor {
    /// The door.
    pub acs_entrance_id: AcsEntranceId,
    /// What it is called.
    pub display_name: String,
    /// From when the key opens it.
    #[serde(with = "time::instant")]
    pub starts_at: DateTime<Utc>,
    /// Until when; none: without an end.
    #[serde(with = "time::option")]
    pub ends_at: Option<DateTime<Utc>>,
    /// The time zone of the site (IANA), where it is known.
    pub time_zone: Option<String>,
    /// The phone's own key opens it, held to the lock.
    pub mobile_key: bool,
    /// Whether it opens from afar.
    #[serde(flatten)]
    pub remote: RemoteUnlock,
}

/// Whether a door opens from afar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "remote_unlock")]
#[non_exhaustive]
pub enum RemoteUnlock {
    /// Now, by this cloud key.
    Ready {
        /// The cloud key.
        access_method_id: AccessMethodId,
    },
    /// The cloud key is not at the access system yet.
    NotIssued,
    /// Its time has not come.
    NotYet,
    /// Its time has passed.
    Over,
    /// It is suspended.
    Suspended,
    /// The person has no key of the kind that opens from afar.
    Never,
}

impl RemoteUnlock {
    /// Of several keys to one door the one that comes closest to opening it.
    fn rank(self) -> u8 {
        match self {
            Self::Ready { .. } => 5,
            Self::NotIssued => 4,
            Self::NotYet => 3,
            Self::Suspended => 2,
            Self::Over => 1,
            Self::Never => 0,
        }
    }
}

/// Whether a link can be redeemed, at an instant. The engine deletes a link when its time has passed: that is no other end than its own.
fn state_of(key: &InstantKey, now: DateTime<Utc>) -> KeyState {
    let left = key.max_use_count.saturating_sub(key.used);
    match key.deleted_at {
        Some(at) if at < key.expires_at => KeyState::Deleted,
        _ if now >= key.expires_at => KeyState::Expired,
        Some(_) => KeyState::Deleted,
        None if left == 0 => KeyState::UsedUp,
        None => KeyState::Open { uses_left: left },
    }
}

/// What an instant key hands over. One that was made for a method has the doors of that method's grants; one that was made for a person those of all
/// her grants. Mobile keys and cloud keys count: cards and codes are handed over otherwise.
pub(crate) fn key_contents(v: &Viewer<'_>, id: InstantKeyId) -> Try<KeyContents> {
    let row = v.get::<InstantKey>(id)?;
    let state = state_of(row, v.now());
    let session = match row.session {
        Some(session) => v.try_get::<crate::state::ClientSession>(session)?,
        None => None,
    };
    let state = if session.is_some_and(crate::state::ClientSession::is_shut) { KeyState::Deleted } else { state };
    let person = super::staying_id(v, row.identity)?;
    let doors = if state == KeyState::Deleted { Vec::new() } else { doors(v, row, person)? };
    Ok(KeyContents {
        instant_key_id: id,
        workspace_id: v.workspace,
        client_session_id: session_of(id, row),
        user_identity_id: person,
        access_method_id: row.method,
        holder: super::user_identity(v, person)?.full_name.map(Shown::new),
        state,
        expires_at: row.expires_at,
        doors,
    })
}

/// What one method of one grant does at one door.
struct At {
    window: Window,
    mobile: bool,
    remote: RemoteUnlock,
}

fn doors(v: &Viewer<'_>, link: &InstantKey, person: UserIdentityId) -> Try<Vec<KeyDoor>> {
    let grants: Vec<RowId> = match link.method {
        Some(method) => v.get::<Method>(method)?.grants.iter().map(|grant| grant.uuid()).collect(),
        None => v.reader.find(&Key::id(Index::GrantsOf, person))?.to_vec(),
    };
    let grants: Vec<&Grant> = v.all::<Grant, RowId>(&grants)?.into_iter().map(|(_, grant)| grant).filter(|grant| grant.is_live()).collect();
    let ids: Vec<AccessMethodId> =
        grants.iter().flat_map(|grant| grant.requested.iter().flat_map(|asked| asked.methods.iter().copied())).collect();
    let methods: BTreeMap<AccessMethodId, &Method> = v.all::<Method, _>(&ids)?.into_iter().collect();
    v.reader.hint(methods.values().flat_map(|method| method.targets.iter().copied().chain(method.doors.iter().map(|door| door.uuid()))));
    v.reader.gather()?;
    let mut found: BTreeMap<AcsEntranceId, Vec<At>> = BTreeMap::new();
    for grant in grants {
        for id in grant.requested.iter().flat_map(|asked| &asked.methods) {
            let Some(method) = methods.get(id).filter(|method| !method.is_over()) else { continue };
            let mobile = method.mode == AccessMethodMode::MobileKey && link.method.is_none_or(|own| own == *id);
            if !mobile && method.mode != AccessMethodMode::CloudKey {
                continue;
            }
            for door in method.doors.iter().filter(|door| grant.doors.contains(door)) {
                let remote = if mobile { RemoteUnlock::Never } else { remote(v, *id, method, *door, grant.suspended)? };
                found.entry(*door).or_default().push(At { window: grant.window, mobile, remote });
            }
        }
    }
    let mut doors = Vec::with_capacity(found.len());
    for (id, at) in found {
        let entrance = v.get::<Entrance>(id)?;
        let Some(window) = at.iter().map(|one| one.window).reduce(|a, b| a.hull(&b)) else { continue };
        doors.push(KeyDoor {
            acs_entrance_id: id,
            display_name: super::notes::named([Some(entrance.report.name.as_str()), entrance.report.handle.as_text()], "Entrance"),
            starts_at: window.starts_at(),
            ends_at: window.ends_at(),
            time_zone: v.get::<System>(entrance.system)?.report.time_zone.clone(),
            mobile_key: at.iter().any(|one| one.mobile),
            remote: at.iter().map(|one| one.remote).max_by_key(|remote| remote.rank()).unwrap_or(RemoteUnlock::Never),
        });
    }
    doors.sort_by(|a, b| a.display_name.cmp(&b.display_name).then(a.acs_entrance_id.cmp(&b.acs_entrance_id)));
    Ok(doors)
}

/// Whether a cloud key opens a door from afar now. Whoever carries the unlock out looks again.
fn remote(v: &Viewer<'_>, id: AccessMethodId, method: &Method, door: AcsEntranceId, suspended: bool) -> Try<RemoteUnlock> {
    let system = v.get::<Entrance>(door)?.system;
    let mut here = None;
    for row in &method.targets {
        let target = v.get::<Target>(*row)?;
        if !target.gone && target.system == system && target.credential().is_some() {
            here = Some(target);
        }
    }
    let Some(target) = here else { return Ok(RemoteUnlock::NotIssued) };
    let Some(credential) = target.credential() else { return Ok(RemoteUnlock::NotIssued) };
    Ok(if suspended || target.is_withheld() {
        RemoteUnlock::Suspended
    } else if credential.window.is_over(v.now()) {
        RemoteUnlock::Over
    } else if !credential.window.contains(v.now()) {
        RemoteUnlock::NotYet
    } else if !method.issued {
        RemoteUnlock::NotIssued
    } else {
        RemoteUnlock::Ready { access_method_id: id }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Sealed;

    fn link(used: u32, expires: i64, deleted: Option<i64>) -> InstantKey {
        let at = |s: i64| DateTime::from_timestamp(s, 0).expect("an instant");
        InstantKey {
            identity: UserIdentityId::from_uuid(uuid::Uuid::from_u128(1)),
            method: None,
            code: Sealed(String::new()),
            code_tag: String::new(),
            session: None,
            max_use_count: 2,
            used,
            created_at: at(0),
            expires_at: at(expires),
            deleted_at: deleted.map(at),
        }
    }

    #[test]
    fn a_link_says_why_it_cannot_be_redeemed() {
        let now = DateTime::from_timestamp(100, 0).expect("an instant");
        assert_eq!(state_of(&link(0, 200, None), now), KeyState::Open { uses_left: 2 });
        assert_eq!(state_of(&link(1, 101, None), now), KeyState::Open { uses_left: 1 });
        assert_eq!(state_of(&link(2, 200, None), now), KeyState::UsedUp);
        assert_eq!(state_of(&link(0, 100, None), now), KeyState::Expired);
        assert_eq!(state_of(&link(0, 200, Some(50)), now), KeyState::Deleted);
        // Deleted by somebody before its end is deleted for good; by the engine at its end is expired.
        assert_eq!(state_of(&link(0, 80, Some(50)), now), KeyState::Deleted);
        assert_eq!(state_of(&link(0, 80, Some(90)), now), KeyState::Expired);
        assert_eq!(state_of(&link(2, 80, Some(90)), now), KeyState::Expired);
    }
}
