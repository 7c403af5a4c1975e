//! What a link shows before and after it is redeemed, and what somebody who has redeemed it opens from afar.
use super::*;
use seam_core::error::ErrorKind::{Conflict, InvalidInput, NotFound, Unauthenticated};
use seam_core::model::ActionStatus;
use seam_core::provider::{DoorLimit, Kind};
use seam_core::view::{KeyContents, KeyState, RemoteUnlock};

/// A hotel of two rooms with mobile keys, and a lobby that opens from afar.
async fn house_with_a_cloud_lobby() -> House {
    let mut config = SiteConfig::hotel("hotel", 2);
    let online = SiteConfig::office("");
    config.kinds.extend(online.kinds.into_iter().filter(|(kind, _)| *kind == Kind::CloudKey));
    config.rule(Kind::CloudKey, |rules| rules.doors = DoorLimit::Many { guest: 0, common: 1 });
    for door in config.doors.iter_mut().filter(|door| door.name == "lobby") {
        (door.cloud_key, door.mobile_key) = (true, false);
    }
    house(config, "hotel").await
}

/// A stay of Ada's in a room, with a phone and a cloud key for the lobby; its code.
async fn stay(h: &House, room: &str) -> (AccessGrant, String) {
    let doors = h.doors(&[room, "lobby"]).await;
    let methods = vec![NewMethod::mobile_key(), NewMethod::new(AccessMethodMode::CloudKey)];
    let wish = NewGrant { reservation: Some(format!("stay-{room}")), ..h.wish(Who::named("Ada"), doors, methods) };
    let grant = h.grant(wish).await;
    let all = h.ws.access_methods().of_grant(grant.access_grant_id).await.unwrap();
    let url = all.into_iter().find_map(|method| method.instant_key_url).unwrap();
    (grant, url.expose().rsplit('/').next().unwrap().to_owned())
}

async fn contents(h: &House, code: &str) -> KeyContents {
    h.ws.instant_keys().contents(code).await.unwrap()
}

/// The doors by name, whether the phone opens them, whether they open from afar.
fn shown(contents: &KeyContents) -> Vec<(&str, bool, bool)> {
    contents.doors.iter().map(|d| (d.display_name.as_str(), d.mobile_key, matches!(d.remote, RemoteUnlock::Ready { .. }))).collect()
}

fn lobby(contents: &KeyContents) -> RemoteUnlock {
    contents.doors.iter().find(|door| door.display_name == "lobby").unwrap().remote
}

#[tokio::test]
async fn looking_at_a_link_uses_nothing_up() {
    let h = house_with_a_cloud_lobby().await;
    let (grant, code) = stay(&h, "101").await;
    for _ in 0..3 {
        let seen = contents(&h, &code.to_lowercase()).await;
        assert_eq!(seen.state, KeyState::Open { uses_left: 1 });
        assert_eq!(shown(&seen), [("101", true, false), ("lobby", false, true)]);
        assert_eq!(seen.holder.as_ref().unwrap().expose(), "Ada");
        assert_eq!((seen.doors[0].starts_at, seen.doors[0].ends_at), (grant.starts_at, grant.ends_at));
        assert!(!format!("{seen:?}").contains("Ada"), "a name is in no log");
    }
    h.ws.instant_keys().redeem(&code).await.unwrap();
    assert_eq!(contents(&h, &code).await.state, KeyState::UsedUp);
    for wrong in ["", "0", "0000000000", &code[1..], &format!("{code}0")] {
        refused(NotFound, "instant_key_not_found", h.ws.instant_keys().contents(wrong)).await;
    }
    refused(NotFound, "instant_key_not_found", h.other.instant_keys().contents(&code)).await;
}

#[tokio::test]
async fn who_has_redeemed_a_link_opens_what_opens_from_afar() {
    let h = house_with_a_cloud_lobby().await;
    let (grant, code) = stay(&h, "101").await;
    let [room, lobby, gym] = h.doors(&["101", "lobby", "gym"]).await.try_into().unwrap();
    let keys = || h.ws.instant_keys();
    let token = keys().redeem(&code).await.unwrap().client_session.token;
    let asked = keys().unlock(&code, token.expose(), lobby).await.unwrap();
    h.settle().await;
    assert_eq!(h.ws.action_attempts().get(asked.action_attempt_id).await.unwrap().status, ActionStatus::Success);
    refused(Conflict, "door_not_unlockable", keys().unlock(&code, token.expose(), room)).await;
    refused(InvalidInput, "invalid_input", keys().unlock(&code, token.expose(), gym)).await;
    // Neither the code alone, nor what belongs to another link of the same person, opens anything.
    let link = keys().generate(grant.user_identity_id, 1).await.unwrap();
    let other = link.instant_key_url.expose().rsplit('/').next().unwrap();
    let others = keys().redeem(other).await.unwrap().client_session.token;
    for wrong in ["", "seam_cst1", others.expose()] {
        refused(Unauthenticated, "invalid_client_session_token", keys().unlock(&code, wrong, lobby)).await;
    }
    // A link of the person has the doors of all her grants.
    assert_eq!(shown(&contents(&h, other).await), [("101", true, false), ("lobby", false, true)]);
    keys().unlock(other, others.expose(), lobby).await.unwrap();
}

#[tokio::test]
async fn a_link_of_one_stay_shows_nothing_of_another() {
    let h = house_with_a_cloud_lobby().await;
    let (first, code) = stay(&h, "101").await;
    let who = Who::Known(first.user_identity_id);
    let wish = h.wish(who, h.doors(&["102"]).await, vec![NewMethod::mobile_key()]);
    h.grant(NewGrant { reservation: Some("stay-102".to_owned()), ..wish }).await;
    assert_eq!(shown(&contents(&h, &code).await), [("101", true, false), ("lobby", false, true)]);
    let link = h.ws.instant_keys().generate(first.user_identity_id, 1).await.unwrap();
    let all = contents(&h, link.instant_key_url.expose().rsplit('/').next().unwrap()).await;
    assert_eq!(shown(&all), [("101", true, false), ("102", true, false), ("lobby", false, true)]);
}

#[tokio::test]
async fn a_link_that_does_not_work_any_more_says_why() {
    let h = house_with_a_cloud_lobby().await;
    let (grant, code) = stay(&h, "101").await;
    let (_, kept) = stay(&h, "102").await;
    let door = h.door("lobby").await;
    let token = h.ws.instant_keys().redeem(&code).await.unwrap().client_session.token;
    h.ws.access_grants().suspend(grant.access_grant_id).await.unwrap();
    h.settle().await;
    assert_eq!(lobby(&contents(&h, &code).await), RemoteUnlock::Suspended);
    refused(Conflict, "door_not_unlockable", h.ws.instant_keys().unlock(&code, token.expose(), door)).await;
    h.ws.access_grants().delete(grant.access_grant_id).await.unwrap();
    let gone = contents(&h, &code).await;
    assert_eq!((gone.state, gone.doors.len()), (KeyState::Deleted, 0));
    refused(Unauthenticated, "invalid_client_session_token", h.ws.instant_keys().unlock(&code, token.expose(), door)).await;
    refused(NotFound, "instant_key_not_found", h.ws.instant_keys().get_by_code(&code)).await;
    // The other one's time passes.
    h.pass(Duration::days(8)).await;
    assert_eq!(contents(&h, &kept).await.state, KeyState::Expired);
    assert_eq!(contents(&h, &code).await.state, KeyState::Deleted);
}

#[tokio::test]
async fn a_link_of_a_stay_to_come_opens_nothing_yet() {
    let h = house_with_a_cloud_lobby().await;
    let doors = h.doors(&["lobby", "101"]).await;
    let methods = vec![NewMethod::mobile_key(), NewMethod::new(AccessMethodMode::CloudKey)];
    let mut wish = h.wish(Who::named("Ben"), doors, methods);
    wish.reservation = Some("later".to_owned());
    wish.starts_at = Some(at("2026-03-04T08:00:00Z"));
    let grant = h.grant(wish).await;
    let all = h.ws.access_methods().of_grant(grant.access_grant_id).await.unwrap();
    let url = all.into_iter().find_map(|method| method.instant_key_url).unwrap();
    let code = url.expose().rsplit('/').next().unwrap();
    assert_eq!(lobby(&contents(&h, code).await), RemoteUnlock::NotYet);
    h.pass(Duration::days(2)).await;
    assert!(matches!(lobby(&contents(&h, code).await), RemoteUnlock::Ready { .. }));
}
