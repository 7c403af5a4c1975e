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
mod related;
mod spaces;
mod user_identities;
mod webhooks;
mod workspaces;

use crate::app::App;
use crate::http::problem::Problem;
use crate::http::route::Route;
use axum::Router;
use schemars::JsonSchema;
use seam_core::Person;
use seam_core::api::Paged;
use seam_core::model::{AcsUserId, UserIdentityId};
use seam_core::plan::CredentialOwner;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

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
    let routes = all();
    let described = crate::openapi::document(&routes, &app.public_url).to_string();
    crate::pages::mount(app, operations::mount(app, described, crate::http::service::router(app, routes)))
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

/// For how long an encoder waits for a card.
const CARD_WAIT: Duration = Duration::from_secs(60);

/// A person as the public API writes her.
#[derive(Deserialize, JsonSchema)]
struct PersonFields {
    #[schemars(email)]
    email_address: Option<String>,
    #[schemars(length(min = 1))]
    full_name: Option<String>,
    phone_number: Option<String>,
    #[schemars(length(min = 1))]
    user_identity_key: Option<String>,
}

impl From<PersonFields> for Person {
    fn from(p: PersonFields) -> Self {
        Self { key: p.user_identity_key, full_name: p.full_name, email_address: p.email_address, phone_number: p.phone_number }
    }
}

/// Which page of a list.
#[derive(Deserialize, JsonSchema)]
struct Paging {
    #[schemars(range(min = 0, max = 10_000))]
    limit: Option<f64>,
    page_cursor: Option<String>,
}

impl Paging {
    /// The same, with another length if none was asked for.
    fn or(self, limit: u16) -> Self {
        Self { limit: self.limit.or(Some(limit.into())), ..self }
    }
    /// What is listed, from there on and as much of it.
    fn of<F: Paged>(self, filter: F) -> F {
        filter.on_page(self.page_cursor, count(self.limit))
    }
}

/// A limit as the SDK takes it.
fn count(limit: Option<f64>) -> Option<usize> {
    limit.map(|n| whole(n).max(1))
}

/// A number of things.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the schemas keep it from 0 on, and too many are as good as all"
)]
fn whole(number: f64) -> usize {
    number as usize
}
