//! Stays from check-in to check-out, over each interface.
use crate::house::*;
use seam_core::model::{AccessMethodMode, ActionStatus};
use seam_core::{GrantUpdate, NewMethod};
use serde_json::{Value, json};

const FROM: &str = "2026-03-01T14:00:00Z";
const TO: &str = "2026-03-03T10:00:00Z";

async fn a_stay(change: impl FnOnce(&mut Value)) {
    let h = house(change).await;
    let anna = h.grant(h.wish("Anna", &["101", "gym"], CARD, Some("stay-1"), FROM, TO).await).await;
    let ben = h.grant(h.wish("Ben", &["101"], CARD, Some("stay-1"), FROM, TO).await).await;
    let (anna_card, ben_card) = (h.method(&anna).await, h.method(&ben).await);
    // Two guests: the first card opens the stay, the second joins; the gym is for whom it was asked.
    let a1 = h.encode(anna_card).await;
    let b1 = h.encode(ben_card).await;
    assert!(!h.opens("101", &a1), "not before its time");
    h.go(at(FROM)).await;
    for card in [&a1, &b1, &a1] {
        assert!(h.opens("101", card));
    }
    assert!(h.opens("gym", &a1) && !h.opens("gym", &b1) && !h.opens("102", &a1) && h.opens("lobby", &b1));

    // Longer: the cards are written again and join.
    for grant in [&anna, &ben] {
        h.ws.access_grants().update(GrantUpdate::new(grant.access_grant_id).ends_at(at("2026-03-04T10:00:00Z"))).await.unwrap();
    }
    h.go(at("2026-03-02T11:00:00Z")).await;
    let a2 = h.encode(anna_card).await;
    let b2 = h.encode(ben_card).await;
    h.go(at("2026-03-03T11:00:00Z")).await;
    assert!(!h.opens("101", &a1), "a card ends when it was made to end");
    assert!(h.opens("101", &a2) && h.opens("101", &b2));
    assert!(h.sim.cards_of("").iter().skip(1).all(|c| !c.opened), "one override per stay");

    // Lost: the new card ends it once it is used; the other guest's is made again.
    let replaced = h.ws.access_methods().replace_lost(ben_card).await.unwrap();
    h.settle().await;
    let b3 = h.encode(replaced.access_method_id).await;
    assert!(h.opens("101", &b2), "until the new card is used, the lock knows nothing");
    assert!(h.opens("101", &b3));
    assert!(!h.opens("101", &b2) && !h.opens("101", &a2));
    let a3 = h.encode(anna_card).await;
    assert!(h.opens("101", &a3) && h.opens("101", &b3));

    // The next stay waits: Visionline would join its guest to the present one.
    let cleo = h.grant(h.wish("Cleo", &["101"], CARD, Some("stay-2"), "2026-03-04T14:00:00Z", "2026-03-06T10:00:00Z").await).await;
    let cleo_card = h.method(&cleo).await;
    let early = h.try_encode(cleo_card, Some(&h.sim.blank_card())).await;
    assert_eq!(early.status, ActionStatus::Error);
    assert!(h.sim.cards_of("Cleo").is_empty(), "nothing was sent");
    assert!(h.opens("101", &a3));

    // Moved: another room, another key of the stay; what is left of the first is told.
    h.ws.access_grants().delete(anna.access_grant_id).await.unwrap();
    h.ws.access_grants().delete(ben.access_grant_id).await.unwrap();
    h.settle().await;
    let moved = h.grant(h.wish("Anna", &["102", "gym"], CARD, Some("stay-1b"), "2026-03-03T12:00:00Z", "2026-03-04T10:00:00Z").await).await;
    let a4 = h.encode(h.method(&moved).await).await;
    h.go(at("2026-03-03T13:00:00Z")).await;
    assert!(h.opens("102", &a4) && !h.opens("101", &a4) && h.opens("gym", &a4));
    let kept = h.ws.history(anna.access_grant_id).await.unwrap();
    let left: Vec<_> = kept.grant.residual_access.iter().map(|r| r.acs_entrance_id).collect();
    assert!(left.contains(&h.door("101").await) && h.opens("101", &a3), "deleted, it opens until its end: {left:?}");

    // The next guest's card takes the room over when it is used.
    h.go(at("2026-03-04T14:00:00Z")).await;
    let c1 = h.encode(cleo_card).await;
    assert!(h.opens("101", &c1));
    assert!(!h.opens("101", &a3));
    let opened: Vec<bool> = h.sim.cards_of("").iter().map(|c| c.opened).collect();
    // Anna, Ben; both again; Ben's replacement, Anna again; Anna in the other room; Cleo.
    assert_eq!(opened, [true, false, false, false, true, false, true, true]);
}

#[tokio::test]
async fn a_stay_over_the_web_interface() {
    a_stay(|_| {}).await;
}

#[tokio::test]
async fn a_stay_over_the_pms_port_alone() {
    a_stay(|s| s["web"] = Value::Null).await;
}

#[tokio::test]
async fn what_visionline_cannot_do_is_refused_when_it_is_asked_for() {
    let h = house(|s| s["common_doors_in_guest_list"] = json!(false)).await;
    let sent = h.sim.requests();
    let create = async |new| h.ws.access_grants().create(new).await.map_or_else(|e| e.code().to_owned(), |made| format!("{made:?}"));
    let of = async |doors: &[&str], modes: &[AccessMethodMode]| h.wish("Anna", doors, modes, Some("stay"), FROM, TO).await;
    assert_eq!(create(of(&["101"], &[AccessMethodMode::Code]).await).await, "access_methods_not_supported");
    assert_eq!(create(of(&["gym"], CARD).await).await, "access_methods_not_supported");
    // Beside a room, a common door is left out, and that is said.
    let part = h.grant(of(&["101", "gym"], CARD).await).await;
    assert_eq!(part.warnings.iter().map(|w| w.warning_code.as_str()).collect::<Vec<_>>(), ["entrance_not_supported"]);
    let mut alone = of(&["101"], CARD).await;
    (alone.reservation, alone.entrances) = (None, vec![h.door("102").await]);
    assert_eq!(create(alone).await, "reservation_key_required");
    let mut staff = of(&["101"], CARD).await;
    (staff.reservation, staff.holder) = (None, seam_core::model::Holder::Staff);
    // Whether staff's cards can be made is not in the report: they are asked for, and refused at the encoder, before anything is sent.
    let grant = h.grant(staff).await;
    let refused = h.try_encode(h.method(&grant).await, Some(&h.sim.blank_card())).await;
    assert_eq!(refused.status, ActionStatus::Error);
    assert!(h.sim.cards_of("").is_empty());
    assert_eq!(h.sim.requests(), sent);
}

#[tokio::test]
async fn a_phone_joins_its_stay() {
    let h = house(|s| s["mobile_keys"] = json!(true)).await;
    let anna = h.grant(h.wish("Anna", &["101"], CARD, Some("stay"), FROM, TO).await).await;
    let card = h.encode(h.method(&anna).await).await;
    h.ws.access_grants().request_access_methods(anna.access_grant_id, vec![NewMethod::new(AccessMethodMode::MobileKey)]).await.unwrap();
    h.settle().await;
    let methods = h.ws.access_methods().of_grant(anna.access_grant_id).await.unwrap();
    let phone = methods.iter().find(|m| m.mode == AccessMethodMode::MobileKey).unwrap();
    assert!(phone.is_issued, "{phone:?}");
    h.go(at(FROM)).await;
    assert!(h.sim.present_phone("101", PHONE).opened && h.opens("101", &card));
    assert_eq!(h.sim.cards_of("").iter().map(|c| c.opened).collect::<Vec<_>>(), [true, false]);
}
