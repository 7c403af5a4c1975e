//! Somebody changes users with the vendor's own program.
use crate::stand::at;
use crate::systems::{Ground, Key, ks_of, space_of};
use seam_core::model::AccessMethodMode;
use seam_core::{AccessGrant, AcsEntranceId};

const FROM: &str = "2026-03-01T08:00:00Z";
const TO: &str = "2026-03-03T10:00:00Z";

async fn with_pin(g: &Ground) -> (AccessGrant, Key) {
    let wish = g.house.wish("Anna", &[g.at.doors()[0]], &[AccessMethodMode::Code], None, FROM, TO).await;
    let anna = g.house.grant(wish).await;
    g.house.later(10).await;
    let code = g.house.method(&anna, &AccessMethodMode::Code).await.code.expect("there is a PIN");
    (anna, Key::Pin(code.expose().to_owned()))
}

fn request(name: &str, params: &str) -> String {
    format!("<RequestCall><RequestName>{name}</RequestName><Params>{params}</Params></RequestCall>")
}

/// What is edited or gone is put right; what is not ours is shown, and left as it is.
async fn users_at_salto_space(stp: bool) {
    let (g, space) = space_of(stp).await;
    let sim = &space.0;
    let enters = |key: &Key| matches!(key, Key::Pin(pin) if sim.enter("gate", pin).is_open());
    let (anna, pin) = with_pin(&g).await;
    assert!(enters(&pin));
    let [ours] = sim.users().try_into().expect("one user");

    // Edited: another PIN.
    let edit = format!("<SaltoDBUser><ExtUserID>{ours}</ExtUserID><PINEnabled>1</PINEnabled><PINCode>99999999</PINCode></SaltoDBUser>");
    sim.ask_ship(&request("SaltoDBUser.Update", &edit)).await;
    assert!(!enters(&pin) && enters(&Key::Pin("99999999".to_owned())));
    g.house.later(10).await;
    g.house.rescan().await;
    g.house.later(10).await;
    assert!(enters(&pin) && !enters(&Key::Pin("99999999".to_owned())), "the PIN that the guest knows is back");

    // Edited again, and somebody tells of it, many times: it is read at once and once more after half a minute, and put right.
    sim.ask_ship(&request("SaltoDBUser.Update", &edit)).await;
    sim.take_requests();
    for _ in 0..20 {
        g.house.ws.connected_accounts().notice(g.house.account().await).await.unwrap();
        g.house.settle().await;
    }
    g.house.later(2).await;
    assert_eq!(sim.take_requests().iter().filter(|r| *r == "SaltoDBDoorList.Read").count(), 2);
    assert!(enters(&pin));

    // Gone: the whole user, and with her the permission and the PIN.
    sim.ask_ship(&request("SaltoDBUser.Delete", &format!("<ExtUserID>{ours}</ExtUserID>"))).await;
    assert!(!enters(&pin));
    g.house.rescan().await;
    g.house.later(30).await;
    assert!(enters(&pin), "she is there again");

    // Not ours: a caretaker with a PIN of his own.
    let his = "<SaltoDBUser><ExtUserID>CARETAKER</ExtUserID><FirstName>Carl</FirstName><LastName>Taker</LastName><PINEnabled>1</PINEnabled><PINCode>31313131</PINCode></SaltoDBUser>";
    sim.ask_ship(&request("SaltoDBUser.Insert", his)).await;
    g.house.rescan().await;
    let door: AcsEntranceId = g.house.door(g.at.doors()[0]).await;
    let system = g.house.ws.acs().entrances().get(door).await.unwrap().acs_system_id;
    let shown = g.house.ws.acs().users().list_unmanaged(system, None, 10).await.unwrap().items;
    assert_eq!(shown.len(), 1, "{shown:?}");
    g.house.ws.access_grants().delete(anna.access_grant_id).await.unwrap();
    g.house.go(at("2026-03-04T08:00:00Z")).await;
    assert!(!enters(&pin));
    assert_eq!(sim.users(), ["CARETAKER"], "ours is gone, and he is not");
}

#[tokio::test]
async fn users_at_salto_space_over_http() {
    users_at_salto_space(false).await;
}

#[tokio::test]
async fn users_at_salto_space_over_stp() {
    users_at_salto_space(true).await;
}

/// Nothing lists the groups of Salto KS; its users, and who of them may use a PIN, are listed. The cloud makes another PIN then, which the guest is told.
#[tokio::test]
async fn users_at_salto_ks() {
    let (g, ks) = ks_of().await;
    let sim = &ks.0;
    let anna = g.guest("Anna", 0, "stay", FROM, TO).await;
    let first = g.issue(&anna).await;
    assert!(g.opens(0, &first));
    let look = async || {
        g.house.later(10).await;
        g.house.rescan().await;
        g.issue(&anna).await
    };

    // Gone: the user, and with her the membership of her group.
    sim.remove_user("");
    assert!(!g.opens(0, &first));
    let second = look().await;
    assert!(g.opens(0, &second) && !g.opens(0, &first) && !g.opens(1, &second));
    assert_eq!((sim.users_named(""), sim.groups()), (1, 1), "once, and the group of the one who is gone is gone as well");

    // She may use no PIN any more.
    sim.forbid_pin("");
    assert!(!g.opens(0, &second));
    let third = look().await;
    assert!(g.opens(0, &third) && !g.opens(0, &second));
    assert_eq!((sim.users_named(""), sim.groups()), (1, 1));

    // Nothing is wrong: nothing is made.
    sim.take_requests();
    assert_eq!(look().await, third);
    let asked = sim.take_requests();
    assert!(!asked.is_empty() && asked.iter().all(|request| request.starts_with("GET ")), "{asked:?}");

    // Not ours.
    sim.add_user("Carl Taker");
    g.house.rescan().await;
    let door: AcsEntranceId = g.house.door(g.at.doors()[0]).await;
    let system = g.house.ws.acs().entrances().get(door).await.unwrap().acs_system_id;
    let shown = g.house.ws.acs().users().list_unmanaged(system, None, 10).await.unwrap().items;
    assert_eq!(shown.len(), 1, "{shown:?}");
    g.house.ws.access_grants().delete(anna.access_grant_id).await.unwrap();
    g.house.go(at("2026-03-04T08:00:00Z")).await;
    assert!(!g.opens(0, &third));
    assert_eq!((g.house.questions().await, sim.groups()), (0, 0));
    assert_eq!((sim.users_named(""), sim.users_named("Carl Taker")), (1, 1), "ours is gone, and he is not");
}
