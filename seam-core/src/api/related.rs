//! What belongs together: grants, methods and spaces with everything around them, in a fixed number of reads however many they are.
use super::Workspace;
use crate::error::{Error, Result};
use crate::model::{
    AccessGrant, AccessGrantId, AccessMethod, AccessMethodId, AcsAccessGroup, AcsAccessGroupId, AcsCredential, AcsCredentialId,
    AcsEntrance, AcsEntranceId, AcsSystem, AcsSystemId, ClientSession, ClientSessionId, ConnectedAccount, ConnectedAccountId, InstantKey,
    InstantKeyId, Space, SpaceId, UserIdentity, UserIdentityId,
};
use crate::plan::{Kept, Try};
use crate::state::{self, Index, Key, RowId, RowKind, Target, Wanted};
use crate::view::{self, Viewer};
use std::collections::BTreeSet;

/// What belongs to grants, methods or spaces.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Related {
    /// Grants.
    pub access_grants: Vec<AccessGrant>,
    /// Methods.
    pub access_methods: Vec<AccessMethod>,
    /// Entrances.
    pub acs_entrances: Vec<AcsEntrance>,
    /// Systems.
    pub acs_systems: Vec<AcsSystem>,
    /// The groups through which people pass the doors.
    pub acs_access_groups: Vec<AcsAccessGroup>,
    /// The credentials of methods.
    pub acs_credentials: Vec<AcsCredential>,
    /// Accounts.
    pub connected_accounts: Vec<ConnectedAccount>,
    /// The links of mobile keys.
    pub instant_keys: Vec<InstantKey>,
    /// The sessions that these links open.
    pub client_sessions: Vec<ClientSession>,
    /// Spaces.
    pub spaces: Vec<Space>,
    /// People.
    pub user_identities: Vec<UserIdentity>,
}

/// A kind of related thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RelatedKind {
    /// Grants.
    AccessGrants,
    /// Methods.
    AccessMethods,
    /// Entrances.
    AcsEntrances,
    /// Systems.
    AcsSystems,
    /// Groups.
    AcsAccessGroups,
    /// Credentials.
    AcsCredentials,
    /// Accounts.
    ConnectedAccounts,
    /// Instant keys.
    InstantKeys,
    /// Client sessions.
    ClientSessions,
    /// Spaces.
    Spaces,
    /// People.
    UserIdentities,
}

/// Which kinds of related things are wanted.
///
/// ```
/// use seam_core::api::{RelatedKind, Select};
/// let doors = Select::only([RelatedKind::AcsEntrances]);
/// let all_but_people = Select::all().without([RelatedKind::UserIdentities]);
/// # let _ = (doors, all_but_people);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Select {
    include: Option<BTreeSet<RelatedKind>>,
    exclude: BTreeSet<RelatedKind>,
}

impl Select {
    /// All that belongs to the thing.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }
    /// Only these.
    #[must_use]
    pub fn only(kinds: impl IntoIterator<Item = RelatedKind>) -> Self {
        Self { include: Some(kinds.into_iter().collect()), exclude: BTreeSet::new() }
    }
    /// Not these.
    #[must_use]
    pub fn without(mut self, kinds: impl IntoIterator<Item = RelatedKind>) -> Self {
        self.exclude.extend(kinds);
        self
    }
    fn has(&self, kind: RelatedKind) -> bool {
        self.include.as_ref().is_none_or(|include| include.contains(&kind)) && !self.exclude.contains(&kind)
    }
}

/// What is named first, and what was found around it.
#[derive(Debug, Default)]
struct Around {
    grants: BTreeSet<AccessGrantId>,
    methods: BTreeSet<AccessMethodId>,
    doors: BTreeSet<AcsEntranceId>,
    systems: BTreeSet<AcsSystemId>,
    groups: BTreeSet<AcsAccessGroupId>,
    credentials: BTreeSet<RowId>,
    accounts: BTreeSet<ConnectedAccountId>,
    links: BTreeSet<InstantKeyId>,
    sessions: BTreeSet<ClientSessionId>,
    spaces: BTreeSet<SpaceId>,
    people: BTreeSet<UserIdentityId>,
}

/// These rows, all of them.
fn each<'a, T: Kept, I: Copy + Into<RowId> + std::fmt::Display>(v: &Viewer<'a>, ids: &BTreeSet<I>) -> Try<Vec<(I, &'a T)>> {
    v.reader.hint(ids.iter().map(|id| (*id).into()));
    v.reader.gather()?;
    ids.iter().map(|id| Ok((*id, v.reader.get::<T>(*id)?))).collect()
}

impl Around {
    fn of_grants(v: &Viewer<'_>, ids: &BTreeSet<AccessGrantId>) -> Try<Self> {
        let mut all = Self { grants: ids.clone(), ..Self::default() };
        for (_, grant) in each::<state::Grant, _>(v, ids)? {
            all.methods.extend(grant.requested.iter().flat_map(|asked| asked.methods.iter().copied()));
            all.doors.extend(&grant.doors);
            all.spaces.extend(&grant.spaces);
            all.people.insert(grant.identity);
        }
        all.of_methods(v)?;
        all.of_doors(v)?;
        Ok(all)
    }
    fn of_method_ids(v: &Viewer<'_>, ids: &BTreeSet<AccessMethodId>) -> Try<Self> {
        let mut all = Self { methods: ids.clone(), ..Self::default() };
        for (_, method) in each::<state::Method, _>(v, ids)? {
            all.grants.extend(&method.grants);
            all.doors.extend(&method.doors);
            all.people.insert(method.identity);
        }
        for (_, grant) in each::<state::Grant, _>(v, &all.grants)? {
            all.spaces.extend(&grant.spaces);
        }
        all.of_methods(v)?;
        all.of_doors(v)?;
        Ok(all)
    }
    fn of_spaces(v: &Viewer<'_>, ids: &BTreeSet<SpaceId>) -> Try<Self> {
        let mut all = Self { spaces: ids.clone(), ..Self::default() };
        for (_, space) in each::<state::Space, _>(v, ids)? {
            all.doors.extend(&space.entrances);
        }
        v.reader.hint_keys(ids.iter().map(|id| Key::id(Index::GrantsOn, *id)));
        v.reader.gather()?;
        for id in ids {
            all.grants.extend(v.reader.find(&Key::id(Index::GrantsOn, *id))?.iter().copied().map(AccessGrantId::from_uuid));
        }
        for (_, grant) in each::<state::Grant, _>(v, &all.grants)? {
            all.methods.extend(grant.requested.iter().flat_map(|asked| asked.methods.iter().copied()));
        }
        all.of_doors(v)?;
        Ok(all)
    }
    /// The credentials and links of the methods, and the groups that their users are in.
    fn of_methods(&mut self, v: &Viewer<'_>) -> Try<()> {
        for (_, method) in each::<state::Method, _>(v, &self.methods)? {
            self.credentials.extend(&method.targets);
            self.links.extend(method.instant_key);
        }
        self.sessions.extend(each::<state::InstantKey, _>(v, &self.links)?.into_iter().filter_map(|(_, key)| key.session));
        let users: BTreeSet<_> =
            each::<Target, RowId>(v, &self.credentials)?.into_iter().filter_map(|(_, target)| target.credential()?.user).collect();
        v.reader.hint_keys(users.iter().map(|user| Key::id(Index::TargetsOfUser, *user)));
        v.reader.gather()?;
        for user in users {
            let hanging: BTreeSet<RowId> = v.reader.find(&Key::id(Index::TargetsOfUser, user))?.iter().copied().collect();
            for (_, target) in each::<Target, RowId>(v, &hanging)? {
                if let (Wanted::Access { groups, doors, .. }, false) = (&target.want, target.gone)
                    && doors.iter().any(|door| self.doors.contains(door))
                {
                    self.groups.extend(groups);
                }
            }
        }
        Ok(())
    }
    fn of_doors(&mut self, v: &Viewer<'_>) -> Try<()> {
        for (_, door) in each::<state::Entrance, _>(v, &self.doors)? {
            self.systems.insert(door.system);
            self.accounts.insert(door.account);
        }
        Ok(())
    }
}

impl Workspace {
    /// Grants with what belongs to them. One that is not shown any more is not found.
    pub(super) async fn related_to_grants(&self, ids: BTreeSet<AccessGrantId>, select: &Select) -> Result<Related> {
        let around = self.look(|v| Around::of_grants(v, &ids)).await?;
        let found = self.show(&around, select, RelatedKind::AccessGrants).await?;
        there("access_grant", &ids, found.access_grants.iter().map(|g| g.access_grant_id))?;
        Ok(found)
    }
    pub(super) async fn related_to_methods(&self, ids: BTreeSet<AccessMethodId>, select: &Select) -> Result<Related> {
        let around = self.look(|v| Around::of_method_ids(v, &ids)).await?;
        let found = self.show(&around, select, RelatedKind::AccessMethods).await?;
        there("access_method", &ids, found.access_methods.iter().map(|m| m.access_method_id))?;
        Ok(found)
    }
    pub(super) async fn related_to_spaces(&self, ids: BTreeSet<SpaceId>, select: &Select) -> Result<Related> {
        let around = self.look(|v| Around::of_spaces(v, &ids)).await?;
        // Grants are named only to find the methods: they do not belong to a space's answer.
        let select = select.clone().without([RelatedKind::AccessGrants]);
        let found = self.show(&around, &select, RelatedKind::Spaces).await?;
        there("space", &ids, found.spaces.iter().map(|s| s.space_id))?;
        Ok(found)
    }

    /// Shows what was found, each kind in one go. The named things are always there.
    async fn show(&self, all: &Around, select: &Select, named: RelatedKind) -> Result<Related> {
        let has = |kind: RelatedKind| kind == named || select.has(kind);
        let mut out = Related::default();
        macro_rules! show {
            ($kind:ident, $field:ident, $row:ident, $ids:expr, $id:ident, $see:expr) => {
                if has(RelatedKind::$kind) {
                    out.$field = self.these(RowKind::$row, $ids.iter().copied(), |v, row| $see(v, $id::from_uuid(row))).await?;
                }
            };
        }
        show!(AccessGrants, access_grants, Grant, all.grants, AccessGrantId, view::access_grant);
        show!(AccessMethods, access_methods, Method, all.methods, AccessMethodId, view::access_method);
        show!(AcsEntrances, acs_entrances, Entrance, all.doors, AcsEntranceId, view::acs_entrance);
        show!(AcsSystems, acs_systems, System, all.systems, AcsSystemId, view::acs_system);
        show!(AcsAccessGroups, acs_access_groups, Group, all.groups, AcsAccessGroupId, view::acs_access_group);
        show!(AcsCredentials, acs_credentials, Target, all.credentials, AcsCredentialId, view::acs_credential);
        show!(ConnectedAccounts, connected_accounts, Account, all.accounts, ConnectedAccountId, view::connected_account);
        show!(InstantKeys, instant_keys, InstantKey, all.links, InstantKeyId, view::instant_key);
        show!(ClientSessions, client_sessions, ClientSession, all.sessions, ClientSessionId, view::client_session);
        show!(Spaces, spaces, Space, all.spaces, SpaceId, view::space);
        show!(UserIdentities, user_identities, Identity, all.people, UserIdentityId, view::user_identity);
        Ok(out)
    }
}

fn there<I: Ord + Copy + std::fmt::Display>(what: &'static str, ids: &BTreeSet<I>, found: impl Iterator<Item = I>) -> Result<()> {
    let found: BTreeSet<I> = found.collect();
    match ids.difference(&found).next() {
        Some(id) => Err(Error::not_found(what, *id)),
        None => Ok(()),
    }
}
