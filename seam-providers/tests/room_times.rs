//! Times at a room: what outlasts a grant ends when the next stay begins, and a room that was empty for long opens for the next guest.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod support;

use chrono::{DateTime, Duration, Utc};
use seam_core::model::ActionStatus;
use seam_core::{AccessGrant, AccessMethodId, Change, NewGrant, NewMethod, Who};
use seam_providers::sandbox::{Card, SiteConfig, Why};
use std::ops::Deref;
use support::{Stage, at, stage_from};

const BEGIN: &str = "2026-03-01T08:00:00Z";

struct Hotel(Stage);

impl Deref for Hotel {
    type Target = Stage;
    fn deref(&self) -> &Stage {
        &self.0
    }
}

async fn hotel(change: impl FnOnce(&mut SiteConfig)) -> Hotel {
    let mut config = SiteConfig::hotel("hotel", 3);
    change(&mut config);
    Hotel(stage_from(BEGIN, config, None).await)
}

impl Hotel {
    async fn grant(&self, room: &str, method: NewMethod, from: DateTime<Utc>, to: DateTime<Utc>, stay: Option<&str>) -> AccessGrant {
        let new = NewGrant::builder().who(Who::named("Ada")).entrances(vec![self.door(room).await]).methods(vec![method]);
        let mut new = new.starts_at(from).ends_at(to).build();
        new.reservation = stay.map(str::to_owned);
        let made = self.ws.access_grants().create(new).await.unwrap();
        self.engine.round().await.unwrap();
        self.ws.access_grants().get(made.access_grant_id).await.unwrap()
    }
    async fn pin(&self, grant: &AccessGrant) -> String {
        let method = self.ws.access_methods().get(grant.access_method_ids[0]).await.unwrap();
        method.code.unwrap().expose().to_owned()
    }
    fn enter(&self, room: &str, pin: &str) -> Why {
        self.world.site("hotel").door(room).enter_pin(pin).why
    }
    async fn card(&self, method: AccessMethodId) -> Card {
        let desk = self.ws.acs().encoders().by_name("desk-1").await.unwrap().acs_encoder_id;
        let asked = self.ws.access_methods().encode(method, desk).await.unwrap();
        self.engine.round().await.unwrap();
        let done = self.ws.action_attempts().get(asked.action_attempt_id).await.unwrap();
        assert_eq!(done.status, ActionStatus::Success, "{:?}", done.error);
        self.world.site("hotel").encoder("desk-1").take_written().pop().unwrap()
    }
    fn tries(&self, room: &str, card: &Card) -> Why {
        self.world.site("hotel").door(room).present(card).why
    }
}

#[tokio::test]
async fn the_grace_of_a_pin_without_a_reservation_ends_when_a_later_stay_is_booked() {
    let h = hotel(|config| {
        config.stay.as_mut().unwrap().required = false;
        config.doors.iter_mut().for_each(|door| door.code = true);
    })
    .await;
    let system = h.ws.acs().systems().list(None, 10).await.unwrap().items[0].acs_system_id;
    h.ws.apply(Change::SetGraces { system, arrival: 0, departure: 7200 }).await.unwrap();
    let end = at("2026-03-03T11:00:00Z");
    let walk_in = h.grant("101", NewMethod::code(), at(BEGIN), end, None).await;
    let neighbour = h.grant("102", NewMethod::code(), at(BEGIN), end, None).await;
    let (pin, other) = (h.pin(&walk_in).await, h.pin(&neighbour).await);
    // Booked afterwards: one begins within the grace, one long after it; one at another room.
    let soon = h.grant("101", NewMethod::card(), end + Duration::minutes(30), end + Duration::days(1), Some("soon")).await;
    h.grant("101", NewMethod::card(), end + Duration::days(4), end + Duration::days(5), Some("later")).await;
    let card = h.card(soon.access_method_ids[0]).await;
    // No engine runs any more: what counts is what the locks were told when the stay was booked.
    h.clock.set(end + Duration::minutes(29));
    assert_eq!([h.enter("101", &pin), h.enter("102", &other)], [Why::Opened; 2], "within the grace");
    h.clock.set(end + Duration::minutes(31));
    assert_eq!(h.enter("101", &pin), Why::Expired, "the next guest's time has begun");
    assert_eq!(h.enter("102", &other), Why::Opened);
    assert_eq!(h.tries("101", &card), Why::Opened);
    h.clock.set(end + Duration::hours(3));
    assert_eq!(h.enter("102", &other), Why::Expired, "its grace is over as well");
}

#[tokio::test]
async fn a_stay_that_moves_into_the_grace_ends_it_too() {
    let h = hotel(|config| {
        config.stay.as_mut().unwrap().required = false;
        config.doors.iter_mut().for_each(|door| door.code = true);
    })
    .await;
    let system = h.ws.acs().systems().list(None, 10).await.unwrap().items[0].acs_system_id;
    h.ws.apply(Change::SetGraces { system, arrival: 0, departure: 7200 }).await.unwrap();
    let end = at("2026-03-03T11:00:00Z");
    let pin = h.pin(&h.grant("101", NewMethod::code(), at(BEGIN), end, None).await).await;
    let stay = h.grant("101", NewMethod::card(), end + Duration::days(1), end + Duration::days(2), Some("stay")).await;
    let update = seam_core::GrantUpdate::new(stay.access_grant_id).starts_at(end + Duration::minutes(10));
    h.ws.access_grants().update(update).await.unwrap();
    h.engine.round().await.unwrap();
    h.clock.set(end + Duration::minutes(9));
    assert_eq!(h.enter("101", &pin), Why::Opened);
    h.clock.set(end + Duration::minutes(11));
    assert_eq!(h.enter("101", &pin), Why::Expired);
}

/// The oracle is the sandbox's lock, which takes no number that jumps further than its bound.
#[tokio::test]
async fn a_room_that_was_empty_for_longer_than_a_lock_may_jump_opens_for_the_next_guest() {
    const BOUND: i64 = 30;
    let h = hotel(|config| config.stay.as_mut().unwrap().longest_jump_seconds = Some(u64::try_from(BOUND * 86_400).unwrap())).await;
    let first = at("2026-03-01T15:00:00Z");
    let mut used = Vec::new();
    // A lock that is used, empty for half a year, then used again and again; nobody comes in the third of these stays.
    let starts = [0, 10, 190, 195, 200, 229, 231, 400];
    for (n, day) in starts.into_iter().enumerate() {
        let from = first + Duration::days(day);
        h.clock.set(from);
        let key = format!("stay-{n}");
        let one = h.grant("101", NewMethod::card(), from, from + Duration::days(3), Some(&key)).await;
        let two = h.grant("101", NewMethod::card(), from, from + Duration::days(3), Some(&key)).await;
        let cards = [h.card(two.access_method_ids[0]).await, h.card(one.access_method_ids[0]).await];
        if n == 3 {
            continue;
        }
        for card in &cards {
            assert!(h.tries("101", card).is_open(), "stay {n}: {}", h.tries("101", card));
        }
        // A lost card is replaced; the lost one is dead once the new one was used.
        let new = h.ws.access_methods().replace_lost(one.access_method_ids[0]).await.unwrap().access_method_id;
        let again = h.card(new).await;
        assert!(h.tries("101", &again).is_open(), "stay {n}: {}", h.tries("101", &again));
        assert_eq!(h.tries("101", &cards[1]), Why::Overridden, "stay {n}");
        used.push(again);
    }
    for old in &used[..used.len() - 1] {
        assert!(!h.tries("101", old).is_open());
    }
}

/// Keys that are made ahead are in reach as well, in whatever order they are made.
#[tokio::test]
async fn keys_made_ahead_are_in_reach_of_one_another() {
    let h = hotel(|config| config.stay.as_mut().unwrap().longest_jump_seconds = Some(30 * 86_400)).await;
    let first = at("2026-03-01T15:00:00Z");
    let opener = h.grant("101", NewMethod::card(), first, first + Duration::days(2), Some("first")).await;
    h.clock.set(first);
    let card = h.card(opener.access_method_ids[0]).await;
    assert!(h.tries("101", &card).is_open());
    let summer = first + Duration::days(120);
    let a = h.grant("101", NewMethod::card(), summer, summer + Duration::days(2), Some("a")).await;
    let b = h.grant("101", NewMethod::card(), summer + Duration::days(2), summer + Duration::days(4), Some("b")).await;
    let ahead = h.card(b.access_method_ids[0]).await;
    let opens = h.card(a.access_method_ids[0]).await;
    h.clock.set(summer);
    assert!(h.tries("101", &opens).is_open(), "{}", h.tries("101", &opens));
    h.clock.set(summer + Duration::days(2));
    // The key of the later stay was made first: it asks to be made again if it would be dead.
    let method = h.ws.access_methods().get(b.access_method_ids[0]).await.unwrap();
    let last = if method.is_issued { ahead } else { h.card(b.access_method_ids[0]).await };
    assert!(h.tries("101", &last).is_open(), "{}", h.tries("101", &last));
    assert!(!h.tries("101", &opens).is_open());
}
