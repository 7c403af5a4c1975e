//! The routes, one file per resource: each decodes, calls one handle of the SDK, and encodes.
mod access_grants;
mod access_methods;
mod acs_access_groups;
mod acs_credentials;
mod acs_encoders;
mod acs_entrances;
mod acs_systems;
mod acs_users;
mod action_attempts;
mod client_sessions;
mod connect_webviews;
mod connected_accounts;
mod customers;
mod events;
mod instant_keys;
mod operations;
mod phones;
mod spaces;
mod user_identities;
mod webhooks;
mod workspaces;

use crate::app::App;
use crate::http::problem::Problem;
use crate::http::route::Route;
use axum::Router;
use seam_core::api::{RelatedKind, Select};
use seam_core::model::{AcsUserId, UserIdentityId};
use seam_core::plan::CredentialOwner;
use std::sync::Arc;

/// Every route of the API.
#[must_use]
pub fn all() -> Vec<Route> {
    let groups = [
        workspaces::routes(),
        connected_accounts::routes(),
        acs_systems::routes(),
        acs_entrances::routes(),
        acs_access_groups::routes(),
        acs_users::routes(),
        acs_credentials::routes(),
        acs_encoders::routes(),
        spaces::routes(),
        user_identities::routes(),
        access_grants::routes(),
        access_methods::routes(),
        instant_keys::routes(),
        client_sessions::routes(),
        phones::routes(),
        customers::routes(),
        connect_webviews::routes(),
        webhooks::routes(),
        events::routes(),
        action_attempts::routes(),
        crate::pages::routes(),
    ];
    groups.into_iter().flatten().collect()
}

/// The whole server.
pub fn router(app: &Arc<App>) -> Router {
    crate::pages::mount(app, operations::mount(app, crate::http::service::router(app, all())))
}

/// What `include` and `exclude` of a `get_related` say. Names that this server has no things for are passed over.
fn selection(include: Option<&[String]>, exclude: &[String]) -> Select {
    let kind = |name: &String| {
        Some(match name.as_str() {
            "access_grants" => RelatedKind::AccessGrants,
            "access_methods" => RelatedKind::AccessMethods,
            "acs_entrances" | "devices" => RelatedKind::AcsEntrances,
            "acs_systems" => RelatedKind::AcsSystems,
            "acs_access_groups" => RelatedKind::AcsAccessGroups,
            "acs_credentials" => RelatedKind::AcsCredentials,
            "client_sessions" => RelatedKind::ClientSessions,
            "connected_accounts" => RelatedKind::ConnectedAccounts,
            "instant_keys" => RelatedKind::InstantKeys,
            "spaces" => RelatedKind::Spaces,
            "user_identities" => RelatedKind::UserIdentities,
            _ => return None,
        })
    };
    let only = include.map(|names| Select::only(names.iter().filter(|n| *n != "devices").filter_map(kind)));
    only.unwrap_or_else(Select::all).without(exclude.iter().filter(|n| *n != "devices").filter_map(kind))
}

/// One of two ways to name a thing.
enum Named<I> {
    /// By its id.
    Id(I),
    /// By the caller's key.
    Key(String),
}

/// Exactly one of two ways to name a thing.
///
/// # Errors
/// `invalid_input` when there is none, or both.
fn named<I>(what: [&str; 2], id: Option<I>, key: Option<String>) -> Result<Named<I>, Problem> {
    match (id, key) {
        (Some(id), None) => Ok(Named::Id(id)),
        (None, Some(key)) => Ok(Named::Key(key)),
        (None, None) => Err(Problem::invalid(what[0], format!("Required, unless {} is given", what[1]))),
        (Some(_), Some(_)) => Err(Problem::invalid(what[1], format!("not together with {}", what[0]))),
    }
}

/// Exactly one of a user and a person.
///
/// # Errors
/// `invalid_input` when there is none, or both.
fn owner(user: Option<AcsUserId>, person: Option<UserIdentityId>) -> Result<CredentialOwner, Problem> {
    match (user, person) {
        (Some(user), None) => Ok(user.into()),
        (None, Some(person)) => Ok(person.into()),
        (None, None) => Err(Problem::invalid("acs_user_id", "Required, unless user_identity_id is given")),
        (Some(_), Some(_)) => Err(Problem::invalid("user_identity_id", "not together with acs_user_id")),
    }
}

/// A limit as the SDK takes it.
fn count(limit: Option<f64>) -> Option<usize> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the schema keeps it between 0 and 10,000")]
    limit.map(|n| (n as usize).max(1))
}
