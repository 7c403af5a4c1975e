//! What belongs together: the lists under `batch`.
use crate::http::answer::{Answer, Outcome};
use seam_core::api::{Related, RelatedKind, Select};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// Which kinds of things are wanted: of those that a route has, what `include` names if it is given, without what `exclude` names.
pub(super) struct Wanted(Vec<&'static str>);

impl Wanted {
    pub(super) fn new(kinds: &[&'static str], include: Option<&[String]>, exclude: &[String]) -> Self {
        let named = |names: &[String], kind: &str| names.iter().any(|n| n == kind);
        let wanted = |kind: &&&'static str| include.is_none_or(|names| named(names, kind)) && !named(exclude, kind);
        Self(kinds.iter().filter(wanted).copied().collect())
    }

    /// The same, as the SDK takes it.
    pub(super) fn select(&self) -> Select {
        Select::only(self.0.iter().filter_map(|kind| {
            Some(match *kind {
                "access_grants" => RelatedKind::AccessGrants,
                "access_methods" => RelatedKind::AccessMethods,
                "acs_access_groups" => RelatedKind::AcsAccessGroups,
                "acs_credentials" => RelatedKind::AcsCredentials,
                "acs_entrances" => RelatedKind::AcsEntrances,
                "acs_systems" => RelatedKind::AcsSystems,
                "client_sessions" => RelatedKind::ClientSessions,
                "connected_accounts" => RelatedKind::ConnectedAccounts,
                "instant_keys" => RelatedKind::InstantKeys,
                "spaces" => RelatedKind::Spaces,
                "user_identities" => RelatedKind::UserIdentities,
                // Devices are entrances here: they stand there.
                _ => return None,
            })
        }))
    }

    /// What was found, each kind under its name, also one of which there is nothing.
    pub(super) fn batch(&self, related: &Related) -> Outcome {
        Answer::of("batch", &Batch { kinds: &self.0, related })
    }
}

struct Batch<'a> {
    kinds: &'a [&'static str],
    related: &'a Related,
}

impl Serialize for Batch<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (mut map, all) = (serializer.serialize_map(Some(self.kinds.len()))?, self.related);
        for kind in self.kinds {
            match *kind {
                "access_grants" => map.serialize_entry(kind, &all.access_grants),
                "access_methods" => map.serialize_entry(kind, &all.access_methods),
                "acs_access_groups" => map.serialize_entry(kind, &all.acs_access_groups),
                "acs_credentials" => map.serialize_entry(kind, &all.acs_credentials),
                "acs_entrances" => map.serialize_entry(kind, &all.acs_entrances),
                "acs_systems" => map.serialize_entry(kind, &all.acs_systems),
                "client_sessions" => map.serialize_entry(kind, &all.client_sessions),
                "connected_accounts" => map.serialize_entry(kind, &all.connected_accounts),
                "instant_keys" => map.serialize_entry(kind, &all.instant_keys),
                "spaces" => map.serialize_entry(kind, &all.spaces),
                "user_identities" => map.serialize_entry(kind, &all.user_identities),
                _ => map.serialize_entry(kind, &[(); 0]),
            }?;
        }
        map.end()
    }
}
