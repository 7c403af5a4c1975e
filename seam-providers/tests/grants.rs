//! Grants, end to end: the memory store, the engine, the sandbox's doors.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod support;

use seam_core::model::ActionStatus;
use seam_core::{AccessGrant, AccessMethodId, AccessMethodMode, AcsEncoderId, AcsEntranceId, GrantUpdate, NewGrant, NewMethod, Who};
use seam_providers::sandbox::{Card, SiteConfig};
use std::ops::Deref;
use support::{Stage, at, stage_from};

struct Desk(Stage);

impl Deref for Desk {
    type Target = Stage;
    fn deref(&self) -> &Stage {
        &self.0
    }
}

async fn hotel() -> Desk {
    Desk(stage_from("2026-03-01T08:00:00Z", SiteConfig::hotel("hotel", 3), None).await)
}

impl Desk {
    async fn encoder(&self) -> AcsEncoderId {
        self.ws.acs().encoders().by_name("desk-1").await.unwrap().acs_encoder_id
    }
    fn wish(&self, who: &str, doors: Vec<AcsEntranceId>, modes: &[AccessMethodMode], stay: &str, from: &str, to: &str) -> NewGrant {
        NewGrant::builder()
            .who(Who::named(who))
            .entrances(doors)
            .starts_at(at(from))
            .ends_at(at(to))
            .methods(modes.iter().cloned().map(NewMethod::new).collect::<Vec<_>>())
            .reservation(stay)
            .build()
    }
    async fn grant(&self, new: NewGrant) -> AccessGrant {
        let g = self.ws.access_grants().create(new).await.unwrap();
        // It is answered from what was decided, and not read back: nobody must be able to tell.
        assert_eq!(self.ws.access_grants().get(g.access_grant_id).await.unwrap(), g);
        self.engine.round().await.unwrap();
        g
    }
    async fn method(&self, g: &AccessGrant, mode: AccessMethodMode) -> AccessMethodId {
        let g = self.ws.access_grants().get(g.access_grant_id).await.unwrap();
        g.requested_access_methods.iter().find(|r| r.mode == mode).unwrap().created_access_method_ids.last().copied().unwrap()
    }
    async fn encode(&self, m: AccessMethodId) -> Card {
        let encoder = self.encoder().await;
        let a = self.ws.access_methods().encode(m, encoder).await.unwrap();
        self.engine.round().await.unwrap();
        let a = self.ws.action_attempts().get(a.action_attempt_id).await.unwrap();
        assert_eq!(a.status, ActionStatus::Success, "{:?}", a.error);
        self.world.site("hotel").encoder("desk-1").take_written().pop().unwrap()
    }
    fn tries(&self, door: &str, card: &Card) -> (bool, String) {
        let a = self.world.site("hotel").door(door).present(card);
        (a.opened, a.why.to_string())
    }
}

#[tokio::test]
async fn two_guests_one_room_then_an_extension_a_loss_and_the_next_stay() {
    let d = hotel().await;
    let (room, gym) = (d.door("101").await, d.door("gym").await);
    let modes = [AccessMethodMode::Card, AccessMethodMode::Code];
    let anna = d.grant(d.wish("Anna", vec![room, gym], &modes, "stay-1", "2026-03-01T15:00:00Z", "2026-03-03T11:00:00Z")).await;
    let ben = d.grant(d.wish("Ben", vec![room], &[AccessMethodMode::Card], "stay-1", "2026-03-01T15:00:00Z", "2026-03-03T11:00:00Z")).await;
    let anna_card_method = d.method(&anna, AccessMethodMode::Card).await;
    let ben_card_method = d.method(&ben, AccessMethodMode::Card).await;
    let pin = d.ws.access_methods().get(d.method(&anna, AccessMethodMode::Code).await).await.unwrap();
    assert!(pin.is_issued, "{pin:?}");
    let pin = pin.code.unwrap().expose().to_owned();

    d.clock.set(at("2026-03-01T15:00:00Z"));
    d.engine.round().await.unwrap();
    let ben_card = d.encode(ben_card_method).await;
    let anna_card = d.encode(anna_card_method).await;
    assert!(d.tries("101", &anna_card).0);
    assert!(d.tries("101", &ben_card).0);
    assert!(d.tries("101", &anna_card).0);
    assert!(!d.tries("102", &anna_card).0);
    assert!(d.world.site("hotel").door("gym").enter_pin(&pin).opened);

    // Extended: the PIN stays, the cards ask to be encoded again and join.
    for g in [&anna, &ben] {
        d.ws.access_grants().update(GrantUpdate::new(g.access_grant_id).ends_at(at("2026-03-04T11:00:00Z"))).await.unwrap();
    }
    d.engine.round().await.unwrap();
    let m = d.ws.access_methods().get(anna_card_method).await.unwrap();
    assert_eq!((m.is_issued, m.is_encoding_required), (false, Some(true)));
    d.clock.set(at("2026-03-03T12:00:00Z"));
    d.engine.round().await.unwrap();
    assert!(!d.tries("101", &anna_card).0, "the card still ends when it was made to end");
    assert!(d.world.site("hotel").door("gym").enter_pin(&pin).opened, "the PIN goes on");
    let anna_card = d.encode(anna_card_method).await;
    let ben_card = d.encode(ben_card_method).await;
    assert!(d.tries("101", &anna_card).0);
    assert!(d.tries("101", &ben_card).0);

    // Ben's card is lost: the new one ends it; Anna's asks to be encoded again.
    let replacement = d.ws.access_methods().replace_lost(ben_card_method).await.unwrap();
    d.engine.round().await.unwrap();
    assert!(!d.ws.access_methods().get(anna_card_method).await.unwrap().is_issued);
    assert!(d.tries("101", &ben_card).0, "until the new card is used, the lock knows nothing");
    let ben_new = d.encode(replacement.access_method_id).await;
    assert!(d.tries("101", &ben_new).0);
    assert!(!d.tries("101", &ben_card).0);
    assert!(!d.tries("101", &anna_card).0);
    let anna_card = d.encode(anna_card_method).await;
    assert!(d.tries("101", &anna_card).0);
    assert!(d.tries("101", &ben_new).0);

    // The next stay overrides when its card is first used.
    let next = d
        .grant(d.wish(
            "Cleo",
            vec![room],
            &[AccessMethodMode::Card, AccessMethodMode::MobileKey],
            "stay-2",
            "2026-03-04T15:00:00Z",
            "2026-03-06T11:00:00Z",
        ))
        .await;
    let next_card = d.encode(d.method(&next, AccessMethodMode::Card).await).await;
    assert!(d.tries("101", &anna_card).0);
    assert!(!d.tries("101", &next_card).0, "not yet valid");
    assert!(d.tries("101", &anna_card).0, "and a try before its time ended nobody");
    d.clock.set(at("2026-03-04T15:00:00Z"));
    d.engine.round().await.unwrap();
    assert!(d.tries("101", &next_card).0);
    assert!(!d.tries("101", &anna_card).0);
    assert!(!d.world.site("hotel").door("gym").enter_pin(&pin).opened);

    // Deleted: residual access is shown.
    d.ws.access_grants().delete(next.access_grant_id).await.unwrap();
    d.engine.round().await.unwrap();
    let kept = d.ws.history(next.access_grant_id).await.unwrap();
    let left: Vec<_> = kept.grant.residual_access.iter().map(|r| r.acs_entrance_id).collect();
    assert!(left.contains(&room), "the card opens the room until the next stay: {left:?}");
    assert!(d.tries("101", &next_card).0, "and so it does");
}
