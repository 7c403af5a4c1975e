//! The suite that every [`Store`] must pass.
//!
//! [`run`] runs every case on a fresh store. A case can be run alone; it takes a [`World`].
#![expect(clippy::missing_panics_doc, clippy::unwrap_used, reason = "a failed case is a panic with its line")]
mod chain;
mod claims;
mod keys;
mod leases;
mod listing;
mod predicates;
mod races;
mod rows;
mod streams;
mod transact;
mod world;

pub use chain::*;
pub use claims::*;
pub use keys::*;
pub use leases::*;
pub use listing::*;
pub use predicates::*;
pub use races::*;
pub use rows::*;
pub use streams::*;
pub use transact::*;
pub use world::{Random, World, audit_of, event, held, held_claims, space, system, target, timer, webhook};

use crate::clock::ManualClock;
use crate::store::Store;
use std::sync::Arc;

macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        /// The names of the cases, in the order in which they run.
        pub const CASES: &[&str] = &[$(stringify!($name)),*];

        /// Runs all cases, each on a store that `make` makes: empty, with leases that run by the given clock. The suite needs no particular
        /// runtime; its concurrency is many futures polled together.
        pub async fn run(make: impl AsyncFn(Arc<ManualClock>) -> Arc<dyn Store>) {
            $({
                let clock = Arc::new(ManualClock::new(world::START));
                let store = make(Arc::clone(&clock)).await;
                eprintln!("store case {}", stringify!($name));
                $name(&World::new(store, clock)).await;
            })*
        }
    };
}

cases![
    versions,
    all_or_nothing,
    what_a_changeset_may_not_be,
    what_is_derived_changes_with_the_row,
    rows_come_back_as_they_were,
    each_predicate_holds_and_fails,
    one_that_fails_touches_only_itself,
    unique_keys,
    a_key_passes_from_row_to_row,
    global_keys,
    one_key_for_many_callers,
    other_workspaces_are_not_there,
    near_as_a_naive_reader_says,
    free_as_a_naive_reader_says,
    claims_at_the_ends_of_time,
    claims_count_in_all_workspaces,
    events_have_no_gap,
    event_pages,
    outcomes,
    consumers_only_move_forward,
    changed_wakes,
    pages,
    pages_by_key,
    pages_again_and_again,
    workspaces_in_order,
    webhooks_of_all_workspaces,
    urgent_first,
    only_what_can_be_served,
    leases_run_by_the_clock,
    due_in_order,
    next_due_instants,
    one_owner_at_a_time,
    decisions,
    decisions_that_come_to_nothing,
    many_decisions_on_one_row,
    decisions_beside_commits,
    many_commits_on_one_row,
    one_pin_for_many_callers,
    reads_are_one_state,
    the_chain_verifies,
    the_chain_shows_tampering,
];
