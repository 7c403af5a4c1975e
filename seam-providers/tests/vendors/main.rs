//! The whole engine on every vendor's fake: one table of systems and scenarios, a test for each of its cells. The memory store, the providers, real sockets of
//! this host, and locks that decide by what they were told.
#![cfg(all(feature = "visionline", feature = "salto-space", feature = "salto-ks", feature = "sim"))]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed test is a failed test, with its line")]
mod drift;
mod each_request;
mod evidence;
mod scenarios;
#[path = "../stand/mod.rs"]
mod stand;
mod systems;

macro_rules! table {
    ($($system:ident: $($scenario:ident),+;)+) => {
        $(mod $system {
            $(#[tokio::test]
            async fn $scenario() {
                crate::scenarios::$scenario(crate::systems::$system().await).await;
            })+
        })+
    };
}

// Where a column is not there, the system has no such thing, and says so: no server of users and permissions overrides anybody (what ends a key there is its
// end, and its removal), and Salto KS has no encoders. The drift of users at Salto Space and KS has tests of its own (`drift`).
table! {
    visionline_web: create, join, extend, change_rooms, revoke, replace, encode,
        slow_answers, dripping_answers, lost_answers, lost_requests, half_answers, crash, made_by_hand;
    visionline_pms: create, join, extend, change_rooms, revoke, replace, encode,
        slow_answers, dripping_answers, lost_answers, lost_requests, half_answers, crash, made_by_hand;
    vision_pmsif: create, join, extend, change_rooms, revoke, replace, encode,
        slow_answers, dripping_answers, lost_answers, lost_requests, half_answers, crash, made_by_hand;
    salto_pms: create, join, extend, change_rooms, revoke, replace, encode,
        slow_answers, dripping_answers, lost_answers, lost_requests, half_answers, crash, made_by_hand;
    salto_ship_http: create, join, extend, change_rooms, revoke, encode,
        slow_answers, dripping_answers, lost_answers, lost_requests, half_answers, crash;
    salto_ship_stp: create, join, extend, change_rooms, revoke, encode,
        slow_answers, dripping_answers, lost_answers, lost_requests, half_answers, crash;
    salto_ks: create, join, extend, change_rooms, revoke, no_encoder,
        slow_answers, dripping_answers, lost_answers, lost_requests, half_answers, crash;
}
